// A directory of its own, and events.
#ifndef NTA_TESTS_LOG_LOG_FIXTURE_H_
#define NTA_TESTS_LOG_LOG_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "nta/log/log_reader.h"
#include "nta/log/logger.h"
#include "nta/log/rotating_file_sink.h"

namespace nta {

inline std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class LogTest : public testing::Test {
 protected:
  LogTest() {
    std::string name = testing::TempDir() + "nta-log-XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~LogTest() override { std::filesystem::remove_all(directory_); }

  std::string path() const { return directory_ + "/server.log"; }

  LogEvent Event(std::string message, LogLevel level = LogLevel::kInfo,
                 std::string component = "test") {
    time_ += std::chrono::seconds(1);
    return {.time = time_,
            .level = level,
            .kind = LogKind::kServer,
            .component = std::move(component),
            .message = std::move(message),
            .fields = {}};
  }

  std::unique_ptr<RotatingFileSink> OpenSink(LogRotation rotation,
                                             LogFormat format = LogFormat::kJson) {
    auto sink = RotatingFileSink::Open({.path = path(), .format = format, .rotation = rotation});
    EXPECT_TRUE(sink.ok()) << sink.status();
    return sink.ok() ? *std::move(sink) : nullptr;
  }

  std::vector<std::string> Messages(LogQuery query = {.limit = 10'000}) {
    std::vector<std::string> messages;
    while (true) {
      const auto page = ReadLog(path(), query);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return messages;
      for (const LogEvent& event : page->events) messages.push_back(event.message);
      if (page->next_cursor.empty()) return messages;
      query.cursor = page->next_cursor;
    }
  }

  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string directory_;
  Timestamp time_{std::chrono::seconds(1'800'000'000)};
};

}  // namespace nta

#endif  // NTA_TESTS_LOG_LOG_FIXTURE_H_

// A directory of its own, and a trail in it.
#ifndef NTA_TESTS_AUDIT_AUDIT_FIXTURE_H_
#define NTA_TESTS_AUDIT_AUDIT_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "nta/audit/audit_log.h"
#include "nta/audit/audit_reader.h"
#include "nta/audit/audit_verify.h"

namespace nta {

class AuditTest : public testing::Test {
 protected:
  AuditTest() {
    std::string name = testing::TempDir() + "nta-audit-XXXXXX";
    base_ = mkdtemp(name.data());
    directory_ = base_ + "/audit";
    key_ = base_ + "/verification.key";
  }
  ~AuditTest() override { std::filesystem::remove_all(base_); }

  std::unique_ptr<AuditLog> Open(std::uint64_t max_segment_bytes = 1 << 24) {
    auto log = AuditLog::Open({.directory = directory_,
                               .verification_key_path = key_,
                               .max_segment_bytes = max_segment_bytes},
                              Now());
    EXPECT_TRUE(log.ok()) << log.status();
    return log.ok() ? *std::move(log) : nullptr;
  }

  Timestamp Now() { return time_ += std::chrono::seconds(1); }

  AuditEvent Event(int i) {
    AuditEvent event;
    event.time = Now();
    event.actor = i % 3 == 0 ? "alice" : "bob";
    event.role = i % 3 == 0 ? "admin" : "operator";
    event.address = "192.0.2." + std::to_string(i % 250);
    event.act = i % 2 == 0 ? "user.create" : "rule.apply";
    event.target = "target-" + std::to_string(i);
    event.outcome = static_cast<AuditOutcome>(i % 4);
    event.details = {{"number", std::to_string(i)}};
    return event;
  }

  void Append(AuditLog& log, int count) {
    for (int i = 0; i < count; ++i) {
      const auto sequence = log.Append(Event(i));
      ASSERT_TRUE(sequence.ok()) << sequence.status();
    }
  }

  AuditReport Verify(std::vector<AuditCheckpoint> checkpoints = {}) {
    const auto report = VerifyAudit(
        directory_, {.verification_key_path = key_, .checkpoints = std::move(checkpoints)});
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : AuditReport{};
  }

  std::string SegmentPath(int number) const {
    std::string digits = std::to_string(number);
    return directory_ + "/audit." + std::string(6 - digits.size(), '0') + digits + ".log";
  }
  static std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  static void Write(const std::string& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }
  // Where records begin, from a reading of the format of our own.
  static std::vector<std::size_t> Starts(const std::string& file) {
    std::vector<std::size_t> starts;
    for (std::size_t at = 8; at + 4 <= file.size();) {
      starts.push_back(at);
      std::uint32_t size = 0;
      for (int i = 3; i >= 0; --i) {
        size = size << 8 | static_cast<std::uint8_t>(file[at + static_cast<std::size_t>(i)]);
      }
      at += size;
    }
    return starts;
  }

  std::string base_;
  std::string directory_;
  std::string key_;
  Timestamp time_{std::chrono::seconds(1'800'000'000)};
};

}  // namespace nta

#endif  // NTA_TESTS_AUDIT_AUDIT_FIXTURE_H_

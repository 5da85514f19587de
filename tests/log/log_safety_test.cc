// Whatever packets or users put into an event, a line stays a line.
#include <sys/socket.h>
#include <sys/un.h>

#include <map>
#include <set>

#include "base/utf8.h"
#include "log/log_line.h"
#include "log_fixture.h"
#include "nta/log/syslog_sink.h"

namespace nta {
namespace {

// An independent reading of RFC 3629: the code points of a text; empty and false when it is none.
bool DecodeUtf8(std::string_view text, std::vector<std::uint32_t>& points) {
  for (std::size_t i = 0; i < text.size();) {
    const auto b = [&](std::size_t k) { return static_cast<std::uint8_t>(text[i + k]); };
    std::uint32_t point = b(0);
    std::size_t size = 1;
    if (point >= 0xF0)
      size = 4;
    else if (point >= 0xE0)
      size = 3;
    else if (point >= 0xC0)
      size = 2;
    else if (point >= 0x80)
      return false;
    if (i + size > text.size()) return false;
    if (size > 1) point &= 0x7Fu >> size;
    for (std::size_t k = 1; k < size; ++k) {
      if (b(k) < 0x80 || b(k) > 0xBF) return false;
      point = point << 6 | (b(k) & 0x3Fu);
    }
    if ((size == 2 && point < 0x80) || (size == 3 && point < 0x800) ||
        (size == 4 && point < 0x10000) || point > 0x10FFFF ||
        (point >= 0xD800 && point <= 0xDFFF)) {
      return false;
    }
    points.push_back(point);
    i += size;
  }
  return true;
}

std::string Complaint(std::string_view line) {
  std::vector<std::uint32_t> points;
  if (!DecodeUtf8(line, points)) return "not UTF-8";
  for (const std::uint32_t p : points) {
    if (p < 0x20 || (p >= 0x7F && p <= 0x9F)) return "a control character";
    if (p == 0x2028 || p == 0x2029 || (p >= 0x202A && p <= 0x202E) ||
        (p >= 0x2066 && p <= 0x2069)) {
      return "a character that breaks or turns the line";
    }
  }
  return "";
}

// A texts' worst: each of the 256 byte values, alone and between letters, and whole attacks.
std::vector<std::string> HostileTexts() {
  std::vector<std::string> texts;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    texts.push_back(one);
    texts.push_back("a" + one + "b");
  }
  const std::vector<std::string> attacks = {"x\n2027-01-15T08:00:00Z info server a: forged",
                                            "x\r\n{\"time\":\"forged\"}",
                                            "\x1b[2J\x1b]0;t\x07",
                                            "\xE2\x80\xAE reversed",
                                            "\xE2\x80\xA8line",
                                            "\xC2\x9B"
                                            "31m",
                                            "\xC0\x8A",
                                            "\xED\xA0\x80",
                                            "\xF5\x80\x80\x80",
                                            "\"} , \"level\":\"error\"",
                                            "] [nta@32473 x=\"y\"",
                                            "a | b=\"c\"",
                                            "\\",
                                            "\\\"",
                                            "%s%n",
                                            "\xF0\x9F\x98\x80",
                                            std::string(20'000, '\n'),
                                            std::string(20'000, '"'),
                                            std::string(9'999, '\xE2')};
  texts.insert(texts.end(), attacks.begin(), attacks.end());
  return texts;
}

// Every text field of an event.
const std::map<std::string, LogEvent (*)(const std::string&)> kPlaces = {
    {"component", [](const std::string& text) { return LogEvent{.component = text}; }},
    {"message", [](const std::string& text) { return LogEvent{.message = text}; }},
    {"name",
     [](const std::string& text) {
       return LogEvent{.message = "m", .fields = {{text, 1}}};
     }},
    {"value",
     [](const std::string& text) {
       return LogEvent{.message = "m", .fields = {{"n", text}}};
     }},
};

class LogSafetyTest : public LogTest {
 protected:
  // Calls check(place, text) after logging each; returns how many there were.
  template <typename Check>
  std::size_t ForEach(Logger& logger, const Check& check) {
    std::size_t count = 0;
    for (const auto& [place, make] : kPlaces) {
      for (const std::string& text : HostileTexts()) {
        LogEvent event = make(text);
        event.kind = LogKind::kSecurity;
        logger.Log(event);
        check(place, text);
        ++count;
      }
    }
    return count;
  }
  Logger logger_{{.clock = [this] { return time_; }}};
};

TEST_F(LogSafetyTest, FilesHoldOneCleanLineForAnEventThatReadsBack) {
  for (const LogFormat format : {LogFormat::kJson, LogFormat::kText}) {
    const std::string file = directory_ + "/" + std::string(ToString(format)) + ".log";
    Logger logger({.clock = [this] { return time_; }});
    logger.AddSink(*RotatingFileSink::Open(
        {.path = file, .format = format, .rotation = {.max_bytes = 1 << 30}}));
    const std::size_t count = ForEach(logger, [](const std::string&, const std::string&) {});
    std::ifstream lines(file, std::ios::binary);
    std::size_t seen = 0;
    for (std::string line; std::getline(lines, line); ++seen) {
      ASSERT_EQ(Complaint(line), "") << line.substr(0, 200);
      auto head = log::ParseHead(line);
      ASSERT_TRUE(head) << line.substr(0, 200);
      ASSERT_TRUE(log::ParseRest(*head)) << line.substr(0, 200);
    }
    EXPECT_EQ(seen, count);
    EXPECT_EQ(logger.Stats().failed, 0u);
  }
}

TEST_F(LogSafetyTest, StreamsGetOneCleanLineForAnEvent) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  logger_.AddSink(std::make_unique<StreamLogSink>(ends[1], LogFormat::kText));
  std::vector<char> buffer(1 << 17);
  ForEach(logger_, [&](const std::string& place, const std::string&) {
    const ssize_t size = read(ends[0], buffer.data(), buffer.size());
    ASSERT_GT(size, 0);
    const std::string_view line(buffer.data(), static_cast<std::size_t>(size));
    ASSERT_EQ(line.back(), '\n');
    ASSERT_EQ(Complaint(line.substr(0, line.size() - 1)), "") << place;
  });
  close(ends[0]);
  close(ends[1]);
}

TEST_F(LogSafetyTest, CallbacksGetCleanTexts) {
  LogEvent last;
  logger_.AddSink(std::make_unique<CallbackLogSink>([&](const LogEvent& event) { last = event; }));
  ForEach(logger_, [&](const std::string& place, const std::string&) {
    ASSERT_EQ(Complaint(last.component), "") << place;
    ASSERT_EQ(Complaint(last.message), "") << place;
    for (const LogField& field : last.fields) {
      ASSERT_EQ(Complaint(field.name), "") << place;
      ASSERT_EQ(Complaint(log::ValueText(field.value)), "") << place;
    }
  });
}

// An independent reading of RFC 5424, 6: header, structured data, text; false when it is none.
bool IsRfc5424(std::string_view message, std::size_t& parameters) {
  parameters = 0;
  const std::size_t open = message.find(" [nta@32473");
  if (!message.starts_with("<") || open == std::string_view::npos) return false;
  const std::string_view header = message.substr(0, open);
  if (std::count(header.begin(), header.end(), ' ') != 5) return false;
  std::size_t i = open + 11;
  while (i < message.size() && message[i] == ' ') {
    const std::size_t equals = message.find("=\"", i + 1);
    if (equals == std::string_view::npos || equals == i + 1 || equals - i - 1 > 32) return false;
    for (std::size_t k = i + 1; k < equals; ++k) {
      const char c = message[k];
      if (c <= 0x20 || c >= 0x7F || c == '=' || c == ']' || c == '"') return false;
    }
    for (i = equals + 2; i < message.size() && message[i] != '"'; ++i) {
      if (message[i] == ']') return false;
      if (message[i] == '\\') ++i;
    }
    ++i;
    ++parameters;
  }
  return i < message.size() && message[i] == ']' &&
         (i + 1 == message.size() || message[i + 1] == ' ');
}

TEST_F(LogSafetyTest, SyslogMessagesAreWellFormedAndBounded) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string socket_path = directory_ + "/syslog";
  std::copy(socket_path.begin(), socket_path.end(), address.sun_path);
  const int daemon = socket(AF_UNIX, SOCK_DGRAM, 0);
  ASSERT_EQ(bind(daemon, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  logger_.AddSink(
      *SyslogSink::Open({.socket_path = socket_path, .app_name = "nta", .hostname = "h"}));
  std::vector<char> buffer(1 << 17);
  ForEach(logger_, [&](const std::string& place, const std::string& text) {
    const ssize_t size = recv(daemon, buffer.data(), buffer.size(), 0);
    ASSERT_GT(size, 0);
    ASSERT_LE(size, 2048);
    const std::string_view message(buffer.data(), static_cast<std::size_t>(size));
    std::size_t parameters = 0;
    ASSERT_EQ(Complaint(message), "") << place;
    ASSERT_TRUE(IsRfc5424(message, parameters)) << place << ": " << message << text.size();
    ASSERT_TRUE(message.starts_with("<86>1 2027-01-15T08:00:00.000000Z h nta ")) << message;
    ASSERT_GE(parameters, 1u);
  });
  close(daemon);
}

TEST(EscapedUtf8, ChangesNothingButWhatIsNotPrintable) {
  for (std::uint32_t point = 1; point < 0x110000; point += point < 0x3000 ? 1 : 61) {
    if (point >= 0xD800 && point <= 0xDFFF) continue;
    std::string text;
    if (point < 0x80) {
      text += static_cast<char>(point);
    } else if (point < 0x800) {
      text += static_cast<char>(0xC0 | point >> 6);
      text += static_cast<char>(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
      text += static_cast<char>(0xE0 | point >> 12);
      text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
      text += static_cast<char>(0x80 | (point & 0x3F));
    } else {
      text += static_cast<char>(0xF0 | point >> 18);
      text += static_cast<char>(0x80 | (point >> 12 & 0x3F));
      text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
      text += static_cast<char>(0x80 | (point & 0x3F));
    }
    const bool printable = Complaint(text).empty();
    ASSERT_EQ(base::IsPrintableUtf8("0123456789" + text), printable) << point;
    const std::string escaped = base::EscapedUtf8(text, 100);
    ASSERT_EQ(escaped == text, printable) << point;
    ASSERT_EQ(Complaint(escaped), "") << point;
  }
  EXPECT_EQ(base::EscapedUtf8("a\nb\xFF\xE2\x80\xAE", 100), "a\\x0ab\\xff\\u{202e}");
}

}  // namespace
}  // namespace nta

#include "nta/notify/syslog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nta {
namespace {

Notification News() {
  Notification news;
  news.id = "port_scan-000001";
  news.time = Timestamp(std::chrono::seconds(1'800'000'000));
  news.severity = Severity::kHigh;
  news.kind = "alert";
  news.alert_class = "port_scan";
  news.subject = "high: port scan";
  news.text = "Somebody scans.";
  news.facts = {{"source", "192.0.2.9"}};
  return news;
}

TEST(Syslog, WritesRfc5424) {
  EXPECT_EQ(FormatSyslog({.host = "x", .host_name = "sensor"}, News()),
            "<130>1 2027-01-15T08:00:00.000000Z sensor nta - port_scan "
            "[alert@32473 id=\"port_scan-000001\" source=\"192.0.2.9\"] "
            "\xEF\xBB\xBFhigh: port scan: Somebody scans.");
}

TEST(Syslog, LetsNoByteBreakTheLineOrTheParameters) {
  for (int c = 0; c < 256; ++c) {
    Notification news = News();
    const std::string evil = std::string("a") + static_cast<char>(c) + "\"]\\\n<13>1 forged";
    news.subject = evil;
    news.text = evil;
    news.id = evil;
    news.alert_class = evil;
    news.facts = {{evil, evil}};
    const std::string line = FormatSyslog({.host = "x"}, news);
    for (const char byte : line) EXPECT_GE(static_cast<unsigned char>(byte), 0x20) << c;
    // Outside of quotes, the structured data ends at its one bracket.
    bool quoted = false;
    std::size_t closings = 0;
    for (std::size_t i = line.find('['); i < line.size() && closings == 0; ++i) {
      if (line[i] == '\\') {
        ++i;
      } else if (line[i] == '"') {
        quoted = !quoted;
      } else if (line[i] == ']' && !quoted) {
        ++closings;
      }
    }
    EXPECT_EQ(closings, 1U);
  }
}

TEST(Syslog, CutsWhatIsTooLong) {
  Notification news = News();
  news.text = std::string(100'000, 'x');
  EXPECT_LE(FormatSyslog({.host = "x"}, news).size(), 8192U);
}

TEST(Syslog, RefusesOptionsOutOfRange) {
  EXPECT_TRUE(SyslogChannel::Create({.host = "192.0.2.1"}).ok());
  EXPECT_FALSE(SyslogChannel::Create({.host = ""}).ok());
  EXPECT_FALSE(SyslogChannel::Create({.host = "a b"}).ok());
  EXPECT_FALSE(SyslogChannel::Create({.host = "a", .port = 0}).ok());
  EXPECT_FALSE(SyslogChannel::Create({.host = "a", .facility = 24}).ok());
}

}  // namespace
}  // namespace nta

#include "nta/notify/email.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace nta {
namespace {

using testing::HasSubstr;
using testing::Not;

const Timestamp kNow{std::chrono::seconds(1'800'000'000)};

EmailOptions Options() {
  return {.host = "mail.example.org", .from = "nta@example.org", .to = {"ops@example.org"}};
}

std::vector<std::string> HeaderLines(const std::string& mail) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (true) {
    const std::size_t end = mail.find("\r\n", at);
    if (end == std::string::npos || end == at) return lines;
    lines.push_back(mail.substr(at, end - at));
    at = end + 2;
  }
}

TEST(Email, HasTheHeadersOfRfc5322) {
  Notification news = TestNotification(kNow);
  const std::string mail = FormatEmail(Options(), news, kNow);
  EXPECT_THAT(mail, HasSubstr("Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n"));
  EXPECT_THAT(mail, HasSubstr("\r\nFrom: nta@example.org\r\nTo: ops@example.org\r\n"));
  EXPECT_THAT(mail, HasSubstr("\r\nSubject: [nta] test message\r\n"));
  EXPECT_THAT(mail, HasSubstr("@example.org>\r\n"));
  EXPECT_THAT(mail, HasSubstr("Auto-Submitted: auto-generated"));
}

TEST(Email, NothingInANotificationAddsAHeader) {
  const std::size_t headers =
      HeaderLines(FormatEmail(Options(), TestNotification(kNow), kNow)).size();
  for (int c = 0; c < 256; ++c) {
    Notification news = TestNotification(kNow);
    const std::string evil =
        std::string("x") + static_cast<char>(c) + "\r\nBcc: evil@example.net\r\n\r\nbody";
    news.subject = evil;
    news.id = evil;
    news.kind = evil;
    news.text = evil;
    news.facts = {{evil, evil}};
    const std::string mail = FormatEmail(Options(), news, kNow);
    const std::vector<std::string> lines = HeaderLines(mail);
    // An encoded subject may be folded; folded lines begin with a space.
    const auto folded = std::count_if(lines.begin(), lines.end(),
                                      [](const std::string& line) { return line[0] == ' '; });
    EXPECT_EQ(lines.size() - static_cast<std::size_t>(folded), headers);
    for (const std::string& line : lines) {
      EXPECT_THAT(line, Not(testing::StartsWith("Bcc")));
      EXPECT_LE(line.size(), 998U);
      for (const char byte : line) EXPECT_TRUE(byte >= ' ' && byte < 0x7f);
    }
  }
}

TEST(Email, EncodesSubjectsThatAreNotAscii) {
  Notification news = TestNotification(kNow);
  news.subject = "Überlauf äöü " + std::string(300, 'x');
  const std::string mail = FormatEmail(Options(), news, kNow);
  EXPECT_THAT(mail, HasSubstr("Subject: =?UTF-8?B?"));
}

TEST(Email, RefusesWhatCouldBeMoreThanOneAddress) {
  EXPECT_TRUE(EmailChannel::Create(Options()).ok());
  for (const char* address :
       {"", "ops", "@example.org", "ops@", "a@b@c", "a b@example.org", "a@example.org\r\nBcc: b@c",
        "<a@example.org>", "a@example.org,b@example.org", "a\n@example.org", "a;b@example.org",
        "\"a\"@example.org"}) {
    EmailOptions options = Options();
    options.to = {address};
    EXPECT_FALSE(EmailChannel::Create(options).ok()) << address;
    options = Options();
    options.from = address;
    EXPECT_FALSE(EmailChannel::Create(options).ok()) << address;
  }
  EmailOptions options = Options();
  options.to.clear();
  EXPECT_FALSE(EmailChannel::Create(options).ok());
  for (const char* host : {"", "a b", "host/path", "u@host", "host\r\n", "a?b"}) {
    options = Options();
    options.host = host;
    EXPECT_FALSE(EmailChannel::Create(options).ok()) << host;
  }
}

TEST(Email, SendsNoPasswordInTheClear) {
  EmailOptions options = Options();
  options.security = EmailSecurity::kNone;
  EXPECT_TRUE(EmailChannel::Create(options).ok());
  options.username = "u";
  EXPECT_FALSE(EmailChannel::Create(options).ok());
}

}  // namespace
}  // namespace nta

#include "nta/log/log_event.h"

#include <cmath>

#include "log/log_line.h"
#include "log_fixture.h"

namespace nta {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string TextOf(const LogEvent& event, std::string_view name) {
  for (const LogField& field : event.fields) {
    if (field.name == name) return log::ValueText(field.value);
  }
  return "(none)";
}

TEST(LogEvent, SecretsAreGoneByTypeAndByName) {
  const LogEvent event = Cleaned({.fields = {{"url", Secret("hush-1")},
                                             {"password", "hush-2"},
                                             {"smtp_password", "hush-3"},
                                             {"Authorization", "hush-4"},
                                             {"X-Api-Key", "hush-5"},
                                             {"refresh.token", 6},
                                             {"tokens", 7}}},
                                 {});
  for (const char* name :
       {"url", "password", "smtp_password", "Authorization", "X-Api-Key", "refresh.token"}) {
    EXPECT_EQ(TextOf(event, name), "[redacted]") << name;
  }
  EXPECT_EQ(TextOf(event, "tokens"), "7");
  for (const LogFormat format : {LogFormat::kJson, LogFormat::kText}) {
    EXPECT_THAT(FormatLogLine(event, format), Not(HasSubstr("hush")));
    // Also where somebody writes an event that no logger has seen.
    EXPECT_THAT(FormatLogLine({.fields = {{"url", Secret("hush")}}}, format),
                Not(HasSubstr("hush")));
  }
}

TEST(LogEvent, IsBoundedAndSaysWhatIsMissing) {
  LogEvent event{.component = std::string(100, 'c'), .message = std::string(10'000, 'm')};
  for (int i = 0; i < 30; ++i) event.fields.emplace_back("same", std::string(5000, 'v'));
  const LogEvent clean = Cleaned(event, {});
  EXPECT_LE(clean.message.size(), 4096u);
  EXPECT_THAT(clean.message, testing::MatchesRegex("m+ \\[[0-9]+ more bytes\\]"));
  EXPECT_THAT(clean.component, HasSubstr("more bytes]"));
  ASSERT_EQ(clean.fields.size(), 25u);
  EXPECT_EQ(clean.fields[1].name, "same_2");
  EXPECT_LE(TextOf(clean, "same_24").size(), 1024u);
  EXPECT_EQ(TextOf(clean, "more_fields"), "6");
  EXPECT_LT(FormatLogLine(clean, LogFormat::kJson).size(), 64u << 10);
}

TEST(LogEvent, WhatIsCutAddsUp) {
  // What is kept and what is told to be missing is all there was, at every length.
  for (std::size_t size = 0; size < 200; ++size) {
    const LogEvent clean = Cleaned({.message = std::string(size, 'x')}, {.max_message_bytes = 100});
    ASSERT_LE(clean.message.size(), 100u);
    const auto kept =
        static_cast<std::size_t>(std::count(clean.message.begin(), clean.message.end(), 'x'));
    const std::size_t bracket = clean.message.find('[');
    const std::size_t missing =
        bracket == std::string::npos ? 0 : std::stoul(clean.message.substr(bracket + 1));
    ASSERT_EQ(kept + missing, size);
  }
}

TEST(LogEvent, EveryValueComesBackFromBothForms) {
  LogEvent event{.time = Timestamp(Duration(1'800'000'000'123'456'789)),
                 .level = LogLevel::kWarning,
                 .kind = LogKind::kSecurity,
                 .component = "odd component: x",
                 .message = R"(a | b \ "c" {d} | x="y" | ä)",
                 .fields = {{"text", R"(q"u\o=t | e)"},
                            {"empty", ""},
                            {"minus", -5},
                            {"large", std::uint64_t{18'446'744'073'709'551'615u}},
                            {"ratio", 0.25},
                            {"nan", std::nan("")},
                            {"yes", true},
                            {"od d=\"", "v"}}};
  event = Cleaned(event, {});
  for (const LogFormat format : {LogFormat::kJson, LogFormat::kText}) {
    const std::string line = FormatLogLine(event, format);
    auto head = log::ParseHead(std::string_view(line).substr(0, line.size() - 1));
    ASSERT_TRUE(head) << line;
    const auto back = log::ParseRest(*head);
    ASSERT_TRUE(back) << line;
    EXPECT_EQ(back->time, event.time);
    EXPECT_EQ(back->level, event.level);
    EXPECT_EQ(back->kind, event.kind);
    EXPECT_EQ(back->component, event.component);
    EXPECT_EQ(back->message, event.message);
    ASSERT_EQ(back->fields.size(), event.fields.size());
    for (std::size_t i = 0; i < event.fields.size(); ++i) {
      EXPECT_EQ(back->fields[i].name, event.fields[i].name);
      EXPECT_EQ(log::ValueText(back->fields[i].value), log::ValueText(event.fields[i].value));
    }
    EXPECT_TRUE(std::holds_alternative<bool>(back->fields[6].value));
    EXPECT_TRUE(std::holds_alternative<std::string>(back->fields[1].value));
  }
}

TEST(LogEvent, LinesLookAsDocumented) {
  const LogEvent event{.time = Timestamp(std::chrono::seconds(1'800'000'000)),
                       .component = "capture",
                       .message = "started",
                       .fields = {{"interface", "eth0"}, {"rings", 2}}};
  EXPECT_EQ(FormatLogLine(event, LogFormat::kJson),
            R"({"time":"2027-01-15T08:00:00.000000000Z","level":"info","kind":"server",)"
            R"("component":"capture","message":"started","fields":{"interface":"eth0","rings":2}})"
            "\n");
  EXPECT_EQ(FormatLogLine(event, LogFormat::kText),
            "2027-01-15T08:00:00.000000000Z info server capture: started | interface=\"eth0\" "
            "rings=2\n");
}

TEST(LogEvent, LinesOfOthersAreToldApart) {
  for (const char* line :
       {"", "{", "{}", "hello", R"({"time":"x"})", "2027-01-15T08:00:00Z info",
        "2027-01-15T08:00:00Z loud server a: b", "2027-01-15T08:00:00Z info server nothing"}) {
    EXPECT_FALSE(log::ParseHead(line)) << line;
  }
}

}  // namespace
}  // namespace nta

// Records of the audit trail as JSON and CSV: whatever people put into them, one record is one
// line.
#include "nta/json/log_json.h"

#include <nlohmann/json.hpp>

#include "audit/audit_fixture.h"

namespace nta {
namespace {

// The cells of one line of RFC 4180.
std::vector<std::string> Cells(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      cells.back() += c;
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  EXPECT_FALSE(quoted) << line;
  return cells;
}

class LogJsonTest : public AuditTest {
 protected:
  // One record whose texts are all `text`, as it comes back from the trail.
  AuditRecord Kept(AuditLog& log, const std::string& text) {
    AuditEvent event = Event(0);
    event.actor = event.role = event.address = event.act = event.target = text;
    event.details = {{text + "name", text}};
    const auto sequence = log.Append(event);
    EXPECT_TRUE(sequence.ok()) << sequence.status();
    auto page = ReadAudit(directory_, {.limit = 1});
    EXPECT_TRUE(page.ok()) << page.status();
    return page->records.at(0);
  }
};

TEST_F(LogJsonTest, EachByteInEachTextOfARecordLeavesOneCleanLine) {
  auto log = Open();
  for (int byte = 0; byte < 256; ++byte) {
    for (const std::string& text : {std::string(1, static_cast<char>(byte)),
                                    "a" + std::string(1, static_cast<char>(byte)) + "b"}) {
      const AuditRecord record = Kept(*log, text);
      std::string line = ToCsv(record);
      ASSERT_EQ(line.back(), '\n');
      line.pop_back();
      for (const std::string& form : {line, ToJson(record)}) {
        for (const char c : form) ASSERT_TRUE(c >= 0x20 && c < 0x7F) << byte << ": " << form;
      }
      ASSERT_EQ(Cells(line).size(), 10u) << line;
      const auto json = nlohmann::json::parse(ToJson(record));
      ASSERT_EQ(json["actor"], record.event.actor);
      ASSERT_EQ(json["details"].begin().value(), record.event.details[0].second);
    }
  }
}

TEST_F(LogJsonTest, NoCellOfCsvIsAFormula) {
  auto log = Open();
  for (const char* text :
       {"=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1", "\r=1", "\",=1", "a,\"b\""}) {
    const AuditRecord record = Kept(*log, text);
    const std::string line = ToCsv(record);
    const std::vector<std::string> cells = Cells(line.substr(0, line.size() - 1));
    ASSERT_EQ(cells.size(), 10u) << line;
    for (std::size_t i = 2; i < cells.size(); ++i) {
      ASSERT_TRUE(cells[i].empty() || std::string("=+-@").find(cells[i][0]) == std::string::npos)
          << line;
      ASSERT_THAT(cells[2], testing::HasSubstr(record.event.actor));
    }
  }
}

}  // namespace
}  // namespace nta

// The SQL of docs/store_format.md runs as it stands there and gives what the store gives.

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>

#include "store/store_fixture.h"

namespace nta {
namespace {

using Row = std::vector<std::string>;
using Rows = std::vector<Row>;

std::vector<std::string> Examples() {
  std::ifstream document(NTA_DOCS_DIR "/store_format.md");
  std::vector<std::string> examples;
  bool inside = false;
  for (std::string line; std::getline(document, line);) {
    if (line.starts_with("```")) {
      inside = line == "```sql";
      if (inside) examples.emplace_back();
    } else if (inside) {
      examples.back() += line + "\n";
    }
  }
  return examples;
}

Rows Query(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  Rows rows;
  const auto add = [](void* out, int columns, char** values, char**) {
    auto& row = static_cast<Rows*>(out)->emplace_back();
    for (int i = 0; i < columns; ++i) row.emplace_back(values[i] == nullptr ? "NULL" : values[i]);
    return 0;
  };
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), add, &rows, &error), SQLITE_OK) << sql << error;
  sqlite3_close(database);
  return rows;
}

class StoreFormat : public StoreTest {};

TEST_F(StoreFormat, ExamplesOfTheDocumentationGiveWhatTheStoreGives) {
  const auto store = OpenStore();
  const FlowRecord flows[] = {
      TcpFlow(At(std::chrono::seconds(10)), Duration(0), kClient, kServer, 443),
      TcpFlow(At(std::chrono::seconds(20)), Duration(0), IpAddress::V4(10, 200, 13, 255), kServer,
              22),
      TcpFlow(At(std::chrono::seconds(70)), Duration(0), IpAddress::V4(11, 0, 0, 1), kServer, 22),
      TcpFlow(At(-std::chrono::seconds(70)), Duration(0), kClient, kServer, 22)};
  Alert open;
  open.id = "open";
  open.severity = Severity::kHigh;
  Alert closed;
  closed.id = "closed";
  closed.state = AlertState::kClosed;
  ASSERT_TRUE(store->Write(flows, std::vector<Alert>{open, closed}).ok());
  const std::vector<std::string> examples = Examples();
  ASSERT_EQ(examples.size(), 5u);
  // While the store is open.
  EXPECT_EQ(Query(path(), examples[0]), (Rows{Row{"2026-11-22 07:58:00", "6", "10000"},
                                              Row{"2026-11-22 08:00:00", "6", "20000"},
                                              Row{"2026-11-22 08:01:00", "6", "10000"}}));
  Rows top;
  const auto result = store->Top({});
  for (const TopRow& row : result->rows) {
    top.push_back({row.key, std::to_string(row.totals.bytes)});
  }
  ASSERT_EQ(top.size(), 4u);
  EXPECT_EQ(Query(path(), examples[1]), top);
  EXPECT_EQ(Query(path(), examples[2]), (Rows{Row{"22", "3"}, Row{"443", "1"}}));
  EXPECT_EQ(Query(path(), examples[3]),
            (Rows{Row{"2", "2026-11-22 08:00:20", "C0000250", "22", "10000"},
                  Row{"1", "2026-11-22 08:00:10", "C0000250", "443", "10000"}}));
  EXPECT_EQ(Query(path(), examples[4]), (Rows{Row{"open", "port_scan", "3", ""}}));
}

}  // namespace
}  // namespace nta

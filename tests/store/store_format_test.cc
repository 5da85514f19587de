// The SQL of docs/store_format.md runs as it stands there and gives what the store gives.

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <optional>

#include "store/store_fixture.h"
#include "support/hostile_texts.h"

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
  sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, nullptr);
  char* load_error = nullptr;
  EXPECT_EQ(sqlite3_load_extension(database, NTA_FLOWS_EXTENSION, nullptr, &load_error), SQLITE_OK)
      << load_error;
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
  const auto result = store->Top({.dimension = TopDimension::kSourceAddress});
  for (const TopRow& row : result->rows) {
    top.push_back({row.key, std::to_string(row.totals.bytes)});
  }
  ASSERT_EQ(top.size(), 3u);
  EXPECT_EQ(Query(path(), examples[1]), top);
  EXPECT_EQ(Query(path(), examples[2]), (Rows{Row{"22", "3"}, Row{"443", "1"}}));
  EXPECT_EQ(Query(path(), examples[3]),
            (Rows{Row{"1", "2026-11-22 08:00:10", "192.0.2.80", "443", "10000"}}));
  EXPECT_EQ(Query(path(), examples[4]), (Rows{Row{"open", "port_scan", "3", ""}}));
}

// Whatever the conditions, the virtual table gives what the store gives.
TEST_F(StoreFormat, ConditionsOnTheVirtualTableSelectWhatTheyShould) {
  const auto store = OpenStore();
  ASSERT_TRUE(store->Write(RandomFlows(81).Take(3'000), {}).ok());
  const std::pair<const char*, const char*> conditions[] = {
      {"1", ""},
      {"source_address = '10.0.0.1'", "src=10.0.0.1"},
      {"destination_address = '2001:db8::1' AND protocol = 6", "dst=2001:db8::1 and proto=tcp"},
      {"source_address IN ('10.0.0.1', '::', 'nobody')", "src in (10.0.0.1,::)"},
      {"destination_port = 2 OR source_port = 3", "dport=2 or sport=3"},
      {"destination_port = 70000", "dport=1 and dport=2"},
      {"destination_port = '2'", "dport=2"},
      {"source_address = '2001:DB8::1'", "dport=1 and dport=2"},
      {"vlan IS NULL", "vlan not in (0) and vlan!=1 and not vlan>=0"},
      {"vlan > 2000", "vlan>2000"}};
  for (const auto& [sql, filter] : conditions) {
    const auto page = store->Flows({.filter = *FlowFilter::Parse(filter), .limit = 10'000});
    EXPECT_EQ(Query(path(), std::string("SELECT count(*) FROM flows WHERE ") + sql),
              (Rows{Row{std::to_string(page->flows.size())}}))
        << sql;
  }
  const std::string middle =
      std::to_string(At(std::chrono::minutes(30)).time_since_epoch().count());
  const auto after =
      store->Flows({.interval = {.since = At(std::chrono::minutes(30))}, .limit = 10'000});
  EXPECT_GT(after->flows.size(), 100u);
  EXPECT_EQ(Query(path(), "SELECT count(*) FROM flows WHERE last_seen >= " + middle),
            (Rows{Row{std::to_string(after->flows.size())}}));
  EXPECT_EQ(Query(path(),
                  "SELECT count(*), min(id), max(rowid), count(server_name) > 100 "
                  "FROM flows"),
            (Rows{Row{"3000", "1", "3000", "1"}}));
}

TEST_F(StoreFormat, TextsOfStrangersAreTextsInTheVirtualTable) {
  const auto store = OpenStore();
  std::vector<FlowRecord> flows;
  Rows expected;
  for (const std::string& text : test::HostileTexts()) {
    FlowMetadata metadata;
    metadata.Set(MetadataField::kServerName, text);
    FlowRecord& flow = flows.emplace_back(TcpFlow(At(Duration(0)), Duration(0), kClient, kServer));
    flow.metadata = std::make_shared<FlowMetadata>(metadata);
    const std::string kept(metadata.Get(MetadataField::kServerName));
    EXPECT_TRUE(test::IsFitToShow(kept)) << kept;
    expected.push_back(Row{kept, std::to_string(kept.size()), "text"});
  }
  ASSERT_TRUE(store->Write(flows, {}).ok());
  EXPECT_EQ(Query(path(),
                  "SELECT server_name, length(CAST(server_name AS BLOB)), typeof(server_name) "
                  "FROM flows ORDER BY id"),
            expected);
  EXPECT_EQ(
      Query(path(), "SELECT count(*) FROM flows WHERE server_name = '" + expected[1][0] + "'"),
      (Rows{Row{"1"}}));
}

TEST_F(StoreFormat, TheTableTellsWhenTheDatabaseIsNoStore) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(":memory:", &database), SQLITE_OK);
  sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, nullptr);
  ASSERT_EQ(sqlite3_load_extension(database, NTA_FLOWS_EXTENSION, nullptr, nullptr), SQLITE_OK);
  EXPECT_NE(sqlite3_exec(database, "SELECT * FROM flows", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_STREQ(sqlite3_errmsg(database), "the database is not a store of libnta");
  EXPECT_NE(sqlite3_exec(database, "DELETE FROM flows", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
}

// What a program prints; empty with a note when it is not there.
std::optional<std::string> Output(const std::string& command) {
  FILE* pipe = popen((NTA_ENVIRONMENT + command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  std::string output;
  char buffer[256];
  while (fgets(buffer, sizeof(buffer), pipe) != nullptr) output += buffer;
  const int status = pclose(pipe);
  return WEXITSTATUS(status) == 127 ? std::nullopt : std::optional(output);
}

TEST_F(StoreFormat, TheSqliteShellReadsFlows) {
  const auto store = OpenStore();
  ASSERT_TRUE(store->Write(RandomFlows(82).Take(700), {}).ok());
  const auto output =
      Output("sqlite3 -readonly " + path() +
             " '.load " NTA_FLOWS_EXTENSION "' 'SELECT count(*), count(DISTINCT id) FROM flows'");
  if (!output) GTEST_SKIP() << "SKIPPED: there is no sqlite3";
  EXPECT_EQ(*output, "700|700\n");
}

TEST_F(StoreFormat, PythonReadsFlows) {
  const auto store = OpenStore();
  ASSERT_TRUE(store->Write(RandomFlows(83).Take(700), {}).ok());
  const auto output = Output(
      "/usr/bin/python3 -c \"import sqlite3\n"
      "c = sqlite3.connect('" +
      path() +
      "')\n"
      "c.enable_load_extension(True)\n"
      "c.load_extension('" NTA_FLOWS_EXTENSION
      "')\n"
      "print(c.execute('SELECT count(*) FROM flows WHERE protocol IN (6, 17)').fetchone()[0])\"");
  if (!output) GTEST_SKIP() << "SKIPPED: there is no python3";
  const auto page =
      store->Flows({.filter = *FlowFilter::Parse("proto in (tcp,udp)"), .limit = 10'000});
  EXPECT_EQ(*output, std::to_string(page->flows.size()) + "\n");
}

}  // namespace
}  // namespace nta

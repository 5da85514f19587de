// The same flows and the same questions in a store of libnta and in plain rows of SQLite, timed;
// and the flows as lines, for databases that are programs of their own (compare_stores.py).
//
//   store_comparison rows COUNT
//   store_comparison libnta|sqlite COUNT PATH
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "nta/store/store.h"
#include "site_flows.h"

namespace nta {
namespace {

constexpr std::size_t kBatch = 50'000;
constexpr int kDays = 10;
constexpr Timestamp kStart = bench::SiteFlows::kStart;
constexpr TimeInterval kEverything{};
// Begins and ends within an hour.
constexpr TimeInterval k37Hours{kStart + std::chrono::minutes(1'517),
                                kStart + std::chrono::minutes(3'733)};
constexpr TimeInterval kSecondDay{kStart + std::chrono::hours(24), kStart + std::chrono::hours(48)};
// The first day ends at midnight (UTC).
constexpr Timestamp kFirstMidnight = kStart + std::chrono::hours(16);
const IpAddress kHost = IpAddress::V4(10, 0, 1, 7);

[[noreturn]] void Fail(std::string_view what) {
  fprintf(stderr, "store_comparison: %.*s\n", static_cast<int>(what.size()), what.data());
  std::exit(1);
}
void Check(const absl::Status& status) {
  if (!status.ok()) Fail(status.ToString());
}

double Seconds(const std::function<void()>& act) {
  const auto begin = std::chrono::steady_clock::now();
  act();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}
// The middle of five, in milliseconds.
double Milliseconds(const std::function<void()>& act) {
  std::vector<double> times;
  for (int i = 0; i < 5; ++i) times.push_back(Seconds(act) * 1'000);
  std::nth_element(times.begin(), times.begin() + 2, times.end());
  return times[2];
}

// Calls `write` batch by batch; how long that took, without the making of flows.
double Load(std::uint64_t count, const std::function<void(const std::vector<FlowRecord>&)>& write) {
  bench::SiteFlows flows(static_cast<double>(count) / kDays / 86'400);
  double seconds = 0;
  for (std::uint64_t done = 0; done < count; done += kBatch) {
    const auto batch = flows.Take(std::min<std::uint64_t>(kBatch, count - done));
    seconds += Seconds([&] { write(batch); });
  }
  return seconds;
}

struct Answers {
  double load_seconds = 0;
  std::uint64_t bytes = 0;
  std::vector<std::pair<std::string, double>> milliseconds;
  std::vector<std::pair<std::string, std::uint64_t>> top;  // of everything
  std::uint64_t host_flows = 0;
  std::uint64_t dropped = 0;
  std::uint64_t bytes_after = 0;  // with the first day dropped
};

void Print(const Answers& answers) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"load_seconds\":%.3f,\"bytes\":%llu,\"bytes_after\":%llu,\"memory_bytes\":%llu",
         answers.load_seconds, static_cast<unsigned long long>(answers.bytes),
         static_cast<unsigned long long>(answers.bytes_after),
         static_cast<unsigned long long>(usage.ru_maxrss) * 1'024);
  printf(",\"milliseconds\":{");
  for (std::size_t i = 0; i < answers.milliseconds.size(); ++i) {
    const auto& [name, time] = answers.milliseconds[i];
    printf("%s\"%s\":%.3f", i == 0 ? "" : ",", name.c_str(), time);
  }
  printf("},\"answer\":{\"top\":[");
  for (std::size_t i = 0; i < answers.top.size(); ++i) {
    printf("%s[\"%s\",%llu]", i == 0 ? "" : ",", answers.top[i].first.c_str(),
           static_cast<unsigned long long>(answers.top[i].second));
  }
  printf("],\"host_flows\":%llu,\"dropped\":%llu}}\n",
         static_cast<unsigned long long>(answers.host_flows),
         static_cast<unsigned long long>(answers.dropped));
}

// What they take of the disk, holes not included. The log is in the file when nobody has it open.
std::uint64_t FileBytes(const std::string& path) {
  std::uint64_t bytes = 0;
  for (const std::string& name : {path, path + "-wal"}) {
    struct stat status {};
    if (stat(name.c_str(), &status) == 0) bytes += static_cast<std::uint64_t>(status.st_blocks);
  }
  return 512 * bytes;
}

void AskLibnta(Store& store, Answers& answers) {
  const auto top = [&](const char* name, const TimeInterval& interval, const char* filter) {
    const TopQuery query{.interval = interval,
                         .dimension = TopDimension::kSourceAddress,
                         .filter = *FlowFilter::Parse(filter)};
    TopResult result;
    answers.milliseconds.emplace_back(name, Milliseconds([&] {
                                        auto answer = store.Top(query);
                                        Check(answer.status());
                                        result = *std::move(answer);
                                      }));
    return result;
  };
  const TopResult totals = top("top_all_totals", kEverything, "");
  const TopResult raw = top("top_all", kEverything, "bytes>=0");
  if (totals.rows.size() != raw.rows.size()) Fail("totals and flows differ");
  for (std::size_t i = 0; i < raw.rows.size(); ++i) {
    if (totals.rows[i].totals != raw.rows[i].totals) Fail("totals and flows differ");
    answers.top.emplace_back(raw.rows[i].key, raw.rows[i].totals.bytes);
  }
  top("top_hours_totals", k37Hours, "");
  top("top_hours", k37Hours, "bytes>=0");
  const FlowQuery of_host{.interval = kSecondDay,
                          .filter = *FlowFilter::Parse("host=" + kHost.ToString()),
                          .limit = 10'000};
  answers.milliseconds.emplace_back("host_day", Milliseconds([&] {
                                      const auto page = store.Flows(of_host);
                                      Check(page.status());
                                      answers.host_flows = page->flows.size();
                                    }));
  answers.milliseconds.emplace_back("drop_day", 1'000 * Seconds([&] {
                                                  const auto gone =
                                                      store.DeleteBefore(kFirstMidnight);
                                                  Check(gone.status());
                                                  answers.dropped = *gone;
                                                }));
}

Answers CompareLibnta(std::uint64_t count, const std::string& path) {
  const bool is_file = path.find("://") == std::string::npos;
  Answers answers;
  auto store = Store::Open({.path = path, .query_timeout = std::chrono::hours(1)});
  Check(store.status());
  answers.load_seconds =
      Load(count, [&](const std::vector<FlowRecord>& flows) { Check((*store)->Write(flows, {})); });
  const auto measure = [&] {
    if (!is_file) return (*store)->Size()->file_bytes;
    store->reset();
    const std::uint64_t bytes = FileBytes(path);
    store = Store::Open({.path = path, .query_timeout = std::chrono::hours(1)});
    Check(store.status());
    return bytes;
  };
  answers.bytes = measure();
  AskLibnta(**store, answers);
  answers.bytes_after = measure();
  return answers;
}

constexpr const char* kRowsSchema =
    "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    "CREATE TABLE flows(first_seen INTEGER, last_seen INTEGER, protocol INTEGER,"
    " source_address BLOB, source_port INTEGER, destination_address BLOB, destination_port INTEGER,"
    " forward_packets INTEGER, forward_wire_bytes INTEGER, forward_ip_bytes INTEGER,"
    " forward_payload_bytes INTEGER, reverse_packets INTEGER, reverse_wire_bytes INTEGER,"
    " reverse_ip_bytes INTEGER, reverse_payload_bytes INTEGER, forward_tcp_flags INTEGER,"
    " reverse_tcp_flags INTEGER, outcome INTEGER, end_reason INTEGER, tcp_state INTEGER);"
    "CREATE INDEX flows_last_seen ON flows(last_seen);"
    "CREATE INDEX flows_source ON flows(source_address, last_seen);"
    "CREATE INDEX flows_destination ON flows(destination_address, last_seen);";

// The columns of a row but for the addresses, in their order.
std::vector<std::int64_t> Numbers(const FlowRecord& flow) {
  const auto of = [](auto number) { return static_cast<std::int64_t>(number); };
  std::vector<std::int64_t> numbers{flow.first_seen.time_since_epoch().count(),
                                    flow.last_seen.time_since_epoch().count(),
                                    of(flow.protocol),
                                    0,
                                    of(flow.source.port),
                                    0,
                                    of(flow.destination.port)};
  for (const FlowDirection* one : {&flow.forward, &flow.reverse}) {
    for (const std::uint64_t number :
         {one->packets, one->wire_bytes, one->ip_bytes, one->payload_bytes}) {
      numbers.push_back(of(number));
    }
  }
  for (const auto number : {of(flow.forward.tcp_flags), of(flow.reverse.tcp_flags),
                            of(flow.outcome), of(flow.end_reason), of(flow.tcp_state)}) {
    numbers.push_back(number);
  }
  return numbers;
}
constexpr std::size_t kSourceColumn = 3;
constexpr std::size_t kDestinationColumn = 5;

class PlainRows {
 public:
  explicit PlainRows(const std::string& path) {
    if (sqlite3_open(path.c_str(), &database_) != SQLITE_OK) Fail("cannot open");
    Run(kRowsSchema);
    insert_ = Prepare("INSERT INTO flows VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  }
  ~PlainRows() {
    sqlite3_finalize(insert_);
    sqlite3_close(database_);
  }
  PlainRows(const PlainRows&) = delete;
  PlainRows& operator=(const PlainRows&) = delete;

  void Run(const std::string& sql) {
    if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
      Fail(sqlite3_errmsg(database_));
    }
  }
  void Write(const std::vector<FlowRecord>& flows) {
    Run("BEGIN");
    for (const FlowRecord& flow : flows) {
      const std::vector<std::int64_t> numbers = Numbers(flow);
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        const int place = static_cast<int>(i) + 1;
        if (i == kSourceColumn) {
          BindAddress(insert_, place, flow.source.address);
        } else if (i == kDestinationColumn) {
          BindAddress(insert_, place, flow.destination.address);
        } else {
          sqlite3_bind_int64(insert_, place, numbers[i]);
        }
      }
      if (sqlite3_step(insert_) != SQLITE_DONE) Fail(sqlite3_errmsg(database_));
      sqlite3_reset(insert_);
    }
    Run("COMMIT");
  }
  std::vector<std::pair<std::string, std::uint64_t>> Top(const TimeInterval& interval) {
    sqlite3_stmt* query = Prepare(
        "SELECT source_address, sum(forward_wire_bytes + reverse_wire_bytes) FROM flows "
        "WHERE last_seen >= ? AND last_seen < ? GROUP BY 1 ORDER BY 2 DESC LIMIT 10");
    Bind(query, 1, interval);
    std::vector<std::pair<std::string, std::uint64_t>> rows;
    while (sqlite3_step(query) == SQLITE_ROW) {
      const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(query, 0));
      rows.emplace_back(IpAddress::V4(bytes[0], bytes[1], bytes[2], bytes[3]).ToString(),
                        static_cast<std::uint64_t>(sqlite3_column_int64(query, 1)));
    }
    sqlite3_finalize(query);
    return rows;
  }
  std::uint64_t FlowsOf(const IpAddress& host, const TimeInterval& interval) {
    sqlite3_stmt* query = Prepare(
        "SELECT * FROM flows WHERE source_address = ?1 AND last_seen >= ?2 AND last_seen < ?3 "
        "UNION ALL SELECT * FROM flows WHERE destination_address = ?1 AND source_address <> ?1 "
        "AND last_seen >= ?2 AND last_seen < ?3 ORDER BY last_seen DESC");
    BindAddress(query, 1, host);
    Bind(query, 2, interval);
    std::uint64_t rows = 0;
    while (sqlite3_step(query) == SQLITE_ROW) ++rows;
    sqlite3_finalize(query);
    return rows;
  }
  std::uint64_t DeleteBefore(Timestamp time) {
    Run("DELETE FROM flows WHERE last_seen < " + std::to_string(time.time_since_epoch().count()));
    const int changes = sqlite3_changes(database_);
    Run("PRAGMA incremental_vacuum");
    return static_cast<std::uint64_t>(changes);
  }

 private:
  sqlite3_stmt* Prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr) != SQLITE_OK) {
      Fail(sqlite3_errmsg(database_));
    }
    return statement;
  }
  static void BindAddress(sqlite3_stmt* statement, int place, const IpAddress& address) {
    const auto bytes = address.bytes();
    sqlite3_bind_blob(statement, place, bytes.data(), static_cast<int>(bytes.size()),
                      SQLITE_TRANSIENT);
  }
  static void Bind(sqlite3_stmt* statement, int place, const TimeInterval& interval) {
    sqlite3_bind_int64(statement, place, interval.since.time_since_epoch().count());
    sqlite3_bind_int64(statement, place + 1, interval.until.time_since_epoch().count());
  }

  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

Answers CompareRows(std::uint64_t count, const std::string& path) {
  Answers answers;
  PlainRows rows(path);
  answers.load_seconds =
      Load(count, [&](const std::vector<FlowRecord>& flows) { rows.Write(flows); });
  rows.Run("PRAGMA wal_checkpoint(TRUNCATE)");
  answers.bytes = FileBytes(path);
  answers.milliseconds.emplace_back("top_all",
                                    Milliseconds([&] { answers.top = rows.Top(kEverything); }));
  answers.milliseconds.emplace_back("top_hours", Milliseconds([&] { rows.Top(k37Hours); }));
  answers.milliseconds.emplace_back(
      "host_day", Milliseconds([&] { answers.host_flows = rows.FlowsOf(kHost, kSecondDay); }));
  answers.milliseconds.emplace_back(
      "drop_day", 1'000 * Seconds([&] { answers.dropped = rows.DeleteBefore(kFirstMidnight); }));
  rows.Run("PRAGMA wal_checkpoint(TRUNCATE)");
  answers.bytes_after = FileBytes(path);
  return answers;
}

void PrintRows(std::uint64_t count) {
  Load(count, [](const std::vector<FlowRecord>& flows) {
    for (const FlowRecord& flow : flows) {
      const std::vector<std::int64_t> numbers = Numbers(flow);
      std::string line;
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (i > 0) line += '\t';
        line += i == kSourceColumn        ? flow.source.address.ToString()
                : i == kDestinationColumn ? flow.destination.address.ToString()
                                          : std::to_string(numbers[i]);
      }
      puts(line.c_str());
    }
  });
}

int Main(int argc, char** argv) {
  const std::string what = argc > 2 ? argv[1] : "";
  const std::uint64_t count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (count == 0 || argc != (what == "rows" ? 3 : 4)) {
    fprintf(stderr, "usage: store_comparison rows COUNT | libnta|sqlite COUNT PATH\n");
    return 2;
  }
  if (what == "rows") {
    PrintRows(count);
  } else if (what == "libnta") {
    Print(CompareLibnta(count, argv[3]));
  } else if (what == "sqlite") {
    Print(CompareRows(count, argv[3]));
  } else {
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace nta

int main(int argc, char** argv) { return nta::Main(argc, argv); }

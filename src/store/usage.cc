#include "store/usage.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "base/status.h"
#include "store/operations.h"
#include "store/rows.h"

namespace nta::store {
namespace {

struct PageUse {
  std::uint64_t pages = 0;   // in bytes
  std::uint64_t filled = 0;  // what of them is in use
};

// Tables whose pages are not those of flows and their totals, with their indexes, by table.
absl::StatusOr<std::map<std::string, PageUse>> MeasureTables(Connection& connection) {
  NTA_ASSIGN_OR_RETURN(
      Statement trees,
      connection.Prepare("SELECT name, tbl_name FROM sqlite_schema WHERE rootpage > 0 AND "
                         "tbl_name NOT LIKE 'flow\\_%' ESCAPE '\\' AND "
                         "tbl_name NOT LIKE 'rollup\\_%' ESCAPE '\\' AND "
                         "tbl_name NOT IN ('captured', 'capture_counts') "
                         "UNION ALL SELECT 'sqlite_schema', 'sqlite_schema'"));
  NTA_ASSIGN_OR_RETURN(Statement * measure,
                       connection.Cached("SELECT pgsize, pgsize - unused FROM dbstat "
                                         "WHERE name = ? AND aggregate = TRUE"));
  std::map<std::string, PageUse> tables;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool more, trees.Step());
    if (!more) return tables;
    const std::string name(trees.Text(0));
    NTA_ASSIGN_OR_RETURN(const bool found, measure->Bind(std::string_view(name)).Step());
    if (found) {
      PageUse& use = tables[std::string(trees.Text(1))];
      use.pages += measure->Count(0);
      use.filled += measure->Count(1);
    }
    measure->Reset();
  }
}

absl::StatusOr<std::uint64_t> Count(Connection& connection, std::string_view sql) {
  NTA_ASSIGN_OR_RETURN(const std::int64_t count, connection.QueryInteger(sql));
  return static_cast<std::uint64_t>(count);
}

}  // namespace

absl::StatusOr<StoreUsage> MeasureUsage(Connection& connection) {
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginRead(connection));
  NTA_ASSIGN_OR_RETURN(const StoreSize size, MeasureSize(connection));
  NTA_ASSIGN_OR_RETURN(const auto tables, MeasureTables(connection));
  StoreUsage usage;
  NTA_ASSIGN_OR_RETURN(usage.alerts.count, Count(connection, "SELECT count(*) FROM alerts"));
  NTA_ASSIGN_OR_RETURN(usage.samples.count, Count(connection, "SELECT count(*) FROM sample"));
  usage.flows.count = size.flows;
  usage.flows.bytes = size.file_bytes - size.free_bytes;
  for (const auto& [table, use] : tables) {
    usage.flows.bytes -= std::min(usage.flows.bytes, use.pages);
    // Rows are deleted all over a table, and what is free in its pages is used again: so what is
    // filled counts, not the pages.
    if (table == "alerts" || table == "alert_evidence") {
      usage.alerts.bytes += use.filled;
    } else if (table == "sample" || table == "sample_name") {
      usage.samples.bytes += use.filled;
    } else {
      usage.other_bytes += use.pages;
    }
  }
  return usage;
}

absl::StatusOr<std::uint64_t> CountRowsBefore(Connection& connection, RowKind kind,
                                              Timestamp time) {
  NTA_ASSIGN_OR_RETURN(
      Statement * count,
      connection.Cached(kind == RowKind::kAlerts ? "SELECT count(*) FROM alerts WHERE time < ?"
                                                 : "SELECT count(*) FROM sample WHERE time < ?"));
  NTA_RETURN_IF_ERROR(count->Bind(ToInteger(time)).Step().status());
  const std::uint64_t rows = count->Count(0);
  count->Reset();
  return rows;
}

absl::StatusOr<std::optional<Timestamp>> EndOfOldestRows(Connection& connection, RowKind kind,
                                                         std::uint64_t count) {
  NTA_ASSIGN_OR_RETURN(
      Statement * find,
      connection.Cached(kind == RowKind::kAlerts
                            ? "SELECT time FROM alerts ORDER BY time LIMIT 1 OFFSET ?"
                            : "SELECT time FROM sample ORDER BY time LIMIT 1 OFFSET ?"));
  NTA_ASSIGN_OR_RETURN(const bool found, find->Bind(count - 1).Step());
  std::optional<Timestamp> end;
  if (found) end = ToTimestamp(find->Integer(0)) + Duration(1);
  find->Reset();
  return end;
}

std::uint64_t RowsBeyond(const KindUsage& usage, std::uint64_t most) {
  if (usage.bytes <= most || usage.count == 0) return 0;
  const double part = static_cast<double>(usage.bytes - most) / static_cast<double>(usage.bytes);
  const auto rows = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(usage.count)));
  return std::clamp<std::uint64_t>(rows, 1, usage.count);
}

}  // namespace nta::store

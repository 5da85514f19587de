#include "store/salvage.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "base/status.h"
#include "store/blocks.h"
#include "store/file.h"
#include "store/minutes.h"
#include "store/operations.h"
#include "store/row_scan.h"
#include "store/rows.h"
#include "store/schema.h"
#include "store/sqlite.h"

namespace nta::store {
namespace {

constexpr auto kColumnsPerBlock = static_cast<std::int64_t>(kMaxColumns);

// Rows tell by their values what table they are of: N null (a row id), I integer, R real, T text,
// B blob, * anything.
bool IsLike(const std::vector<ValueKind>& kinds, std::string_view pattern) {
  if (kinds.size() != pattern.size()) return false;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const ValueKind kind = kinds[i];
    const bool is_number = kind == ValueKind::kInteger || kind == ValueKind::kReal;
    const bool fits = pattern[i] == '*' || (pattern[i] == 'N' && kind == ValueKind::kNull) ||
                      (pattern[i] == 'I' && kind == ValueKind::kInteger) ||
                      (pattern[i] == 'R' && is_number) ||
                      (pattern[i] == 'T' && kind == ValueKind::kText) ||
                      (pattern[i] == 'B' && kind == ValueKind::kBlob);
    if (!fits) return false;
  }
  return true;
}

struct TableOfRows {
  bool has_id;
  std::string_view pattern;
  const char* insert;
};
// Those that are kept by copying their rows.
constexpr TableOfRows kTables[] = {
    {false, "TITTI***T***ITIIT",
     "INSERT OR IGNORE INTO alerts VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
    {false, "TTIT*", "INSERT OR IGNORE INTO alert_evidence VALUES(?,?,?,?,?)"},
    {false, "TTIIT", "INSERT OR IGNORE INTO document VALUES(?,?,?,?,?)"},
    {false, "TTTII", "INSERT OR IGNORE INTO users VALUES(?,?,?,?,?)"},
    {false, "TT", "INSERT OR IGNORE INTO settings VALUES(?,?)"},
    {false, "IIR", "INSERT OR IGNORE INTO sample VALUES(?,?,?)"},
    {true, "NT", "INSERT OR IGNORE INTO sample_name VALUES(?,?)"},
    {true, "NI", "INSERT OR IGNORE INTO captured VALUES(?,?)"},
    {true, "NIIII", "INSERT OR IGNORE INTO capture_counts VALUES(?,?,?,?,?)"},
};

absl::Status Lost(std::string_view what) {
  return base::MakeStatus(absl::StatusCode::kDataLoss, what);
}

// Which ids were seen; ids are dense.
class IdSet {
 public:
  // False when it is there already.
  bool Insert(std::int64_t id) {
    std::vector<bool>& chunk = chunks_[id >> kBits];
    if (chunk.empty()) chunk.resize(std::size_t{1} << kBits);
    const auto place = static_cast<std::size_t>(id & ((1 << kBits) - 1));
    if (chunk[place]) return false;
    chunk[place] = true;
    return true;
  }

 private:
  static constexpr int kBits = 16;
  std::map<std::int64_t, std::vector<bool>> chunks_;
};

class Salvager {
 public:
  Salvager(const PageFile& pages, Connection& rows, Store& store, SalvageReport& report)
      : pages_(pages), rows_(rows), store_(store), report_(report) {}

  absl::Status Run() {
    const std::vector<LostIds> lost = ScanRows(pages_, [this](const RowHead& row) { Sort(row); });
    NTA_RETURN_IF_ERROR(status_);
    SaveAccounts();
    SaveDocuments();
    SaveAlerts();
    SaveSamples();
    SaveCaptured();
    NTA_RETURN_IF_ERROR(SaveBlocks(lost));
    return SaveTail();
  }

 private:
  void Sort(const RowHead& row) {
    if (row.has_id && IsLike(row.kinds, "NB")) {
      if (row.id < kColumnsPerBlock) return;
      columns_.emplace(row.id, row.place);
      column_pages_.insert(row.place.page);
    } else if (row.has_id && IsLike(row.kinds, "NIIIIIIIIB")) {
      tail_.push_back(row.place);
    } else if (row.has_id && IsLike(row.kinds, "NIIIIIIIII")) {
      if (const auto found = ReadRow(pages_, row.place)) {
        block_flows_[row.id] = static_cast<std::uint64_t>(found->values[1].integer);
      }
    } else {
      Copy(row);
    }
  }

  // Into a table of a store that is whole.
  void Copy(const RowHead& row) {
    const auto table =
        std::find_if(std::begin(kTables), std::end(kTables), [&row](const TableOfRows& one) {
          return one.has_id == row.has_id && IsLike(row.kinds, one.pattern);
        });
    if (table == std::end(kTables)) return;
    const std::optional<ScannedRow> found = ReadRow(pages_, row.place);
    if (!found) return;
    const absl::StatusOr<Statement*> insert = rows_.Cached(table->insert);
    if (!insert.ok()) {
      status_ = insert.status();
      return;
    }
    for (std::size_t i = 0; i < found->values.size(); ++i) {
      if (i == 0 && row.has_id) {
        (*insert)->Bind(row.id);
      } else {
        Bind(found->values[i], **insert);
      }
    }
    // A row that does not fit its table is not one of ours.
    const absl::Status status = (*insert)->Run();
    if (absl::IsResourceExhausted(status)) status_ = status;
  }

  static void Bind(const ScannedValue& value, Statement& statement) {
    switch (value.kind) {
      case ValueKind::kNull:
        statement.Bind(nullptr);
        break;
      case ValueKind::kInteger:
        statement.Bind(value.integer);
        break;
      case ValueKind::kReal:
        statement.Bind(value.real);
        break;
      case ValueKind::kText:
        statement.Bind(std::string_view(reinterpret_cast<const char*>(value.bytes.data()),
                                        value.bytes.size()));
        break;
      case ValueKind::kBlob:
        statement.Bind(value.bytes);
        break;
    }
  }

  // A column that is not there has nothing but zeros: when it may be lost the block is.
  bool MayLackColumn(std::int64_t block, const std::vector<LostIds>& lost) const {
    return std::any_of(lost.begin(), lost.end(), [&](const LostIds& ids) {
      if (ids.sibling != 0 && !column_pages_.contains(ids.sibling)) return false;
      return ids.after < (block + 1) * kColumnsPerBlock - 1 && ids.last >= block * kColumnsPerBlock;
    });
  }

  absl::Status SaveBlocks(const std::vector<LostIds>& lost) {
    std::set<std::int64_t> blocks;
    for (const auto& [id, place] : columns_) blocks.insert(id / kColumnsPerBlock);
    for (const auto& [id, flows] : block_flows_) blocks.insert(id);
    for (const std::int64_t id : blocks) {
      const auto known = block_flows_.find(id);
      const auto rows = known == block_flows_.end() ? RowsOf(id) : known->second;
      if (rows == 0 || rows > kMaxBlockFlows) continue;
      absl::StatusOr<std::uint64_t> saved = Lost("a column may be lost");
      if (!MayLackColumn(id, lost)) {
        FlowBatch batch(
            static_cast<std::size_t>(rows),
            [this, id](ColumnId column) -> absl::StatusOr<std::span<const std::uint8_t>> {
              return ReadColumn(id * kColumnsPerBlock + static_cast<std::int64_t>(column));
            },
            decompressor_);
        saved = Save(batch);
      }
      NTA_RETURN_IF_ERROR(Count(saved, rows));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::span<const std::uint8_t>> ReadColumn(std::int64_t id) {
    const auto [first, last] = columns_.equal_range(id);
    if (first == last) return std::span<const std::uint8_t>();
    const auto type = ColumnOf(static_cast<ColumnId>(id % kColumnsPerBlock)).type;
    for (auto candidate = first; candidate != last; ++candidate) {
      row_ = ReadRow(pages_, candidate->second);
      if (!row_) continue;
      // Summaries of blocks look the same from afar.
      const auto bytes = row_->values[1].bytes;
      const std::uint8_t body = bytes.size() < 2 ? std::uint8_t{0} : bytes[1];
      if (std::next(first) == last || body == BodyOf(type)) return bytes;
    }
    return Lost("a column is damaged");
  }

  static std::uint8_t BodyOf(ColumnType type) {
    switch (type) {
      case ColumnType::kAddress:
        return 2;
      case ColumnType::kText:
      case ColumnType::kBytes:
        return 3;
      default:
        return 1;
    }
  }

  // As a column of the block says.
  std::uint64_t RowsOf(std::int64_t block) {
    const auto bytes =
        ReadColumn(block * kColumnsPerBlock + static_cast<std::int64_t>(ColumnId::kLastSeen));
    if (!bytes.ok() || bytes->empty()) return 0;
    ByteReader in(*bytes);
    in.U8();
    in.U8();
    return in.Varint();
  }

  absl::Status SaveTail() {
    for (const RowPlace& place : tail_) {
      const std::optional<ScannedRow> row = ReadRow(pages_, place);
      if (!row) continue;
      const auto rows = static_cast<std::uint64_t>(row->values[1].integer);
      if (rows == 0 || rows > kMaxBlockFlows) continue;
      std::map<ColumnId, std::span<const std::uint8_t>> columns;
      ByteReader in(row->values[9].bytes);
      while (in.ok() && in.left() > 0) {
        const auto id = static_cast<ColumnId>(in.U8());
        columns[id] = in.Take(in.Varint());
      }
      FlowBatch batch(
          static_cast<std::size_t>(rows),
          [&columns](ColumnId id) -> absl::StatusOr<std::span<const std::uint8_t>> {
            const auto found = columns.find(id);
            return found == columns.end() ? std::span<const std::uint8_t>() : found->second;
          },
          decompressor_);
      NTA_RETURN_IF_ERROR(Count(in.ok() ? Save(batch) : Lost("the tail is damaged"), rows));
    }
    return absl::OkStatus();
  }

  absl::Status Count(const absl::StatusOr<std::uint64_t>& saved, std::uint64_t rows) {
    if (absl::IsResourceExhausted(saved.status())) return saved.status();
    report_.flows_saved += saved.ok() ? *saved : 0;
    report_.flows_lost += saved.ok() ? 0 : rows;
    return absl::OkStatus();
  }

  absl::StatusOr<std::uint64_t> Save(FlowBatch& batch) {
    std::vector<std::uint32_t> places(batch.size());
    std::iota(places.begin(), places.end(), 0);
    std::vector<StoredFlow> stored;
    NTA_RETURN_IF_ERROR(batch.Rows(places, stored));
    std::vector<FlowRecord> flows;
    flows.reserve(stored.size());
    for (StoredFlow& one : stored) {
      // Deleted pages may have flows that have moved on since.
      if (!saved_.Insert(one.id)) continue;
      if (CheckFlow(one.flow).ok()) {
        flows.push_back(std::move(one.flow));
      } else {
        ++report_.flows_lost;
      }
    }
    NTA_RETURN_IF_ERROR(store_.Write(flows, {}));
    return flows.size();
  }

  // Calls visit(row) for each row that `sql` gives.
  template <typename Visitor>
  void ForEach(const char* sql, Visitor visit) {
    absl::StatusOr<Statement> statement = rows_.Prepare(sql);
    while (statement.ok()) {
      const absl::StatusOr<bool> row = statement->Step();
      if (!row.ok() || !*row) return;
      visit(*statement);
    }
  }

  void SaveAccounts() {
    const absl::StatusOr<std::vector<User>> users = ListUsers(rows_);
    if (users.ok()) {
      for (const User& user : *users) report_.users_saved += store_.AddUser(user).ok() ? 1 : 0;
    }
    ForEach("SELECT name, value FROM settings",
            [this](Statement& row) { store_.PutSetting(row.Text(0), row.Text(1)).IgnoreError(); });
  }

  void SaveDocuments() {
    ForEach("SELECT kind, id, updated, body FROM document", [this](Statement& row) {
      const Document document = {.kind = std::string(row.Text(0)),
                                 .id = std::string(row.Text(1)),
                                 .body = std::string(row.Text(3)),
                                 .updated = ToTimestamp(row.Integer(2))};
      report_.documents_saved += store_.PutDocument(document).ok() ? 1 : 0;
    });
  }

  void SaveAlerts() {
    AlertQuery query;
    query.limit = 1'000;
    while (true) {
      const absl::StatusOr<AlertPage> page = QueryAlerts(rows_, query);
      if (!page.ok() || page->alerts.empty()) return;
      if (store_.Write({}, page->alerts).ok()) report_.alerts_saved += page->alerts.size();
      if (page->next_cursor.empty()) return;
      query.cursor = page->next_cursor;
    }
  }

  void SaveSamples() {
    constexpr std::size_t kAtOnce = 10'000;
    std::vector<Sample> samples;
    const auto write = [&] {
      store_.WriteSamples(samples).IgnoreError();
      samples.clear();
    };
    ForEach(
        "SELECT name, time, value FROM sample JOIN sample_name ON sample_name.id = name_id "
        "ORDER BY time",
        [&](Statement& row) {
          samples.push_back({.name = std::string(row.Text(0)),
                             .time = ToTimestamp(row.Integer(1)),
                             .value = row.Real(2)});
          if (samples.size() == kAtOnce) write();
        });
    if (!samples.empty()) write();
  }

  void SaveCaptured() {
    const auto start = [](std::int64_t minute) {
      const std::int64_t most = kLastMinute;
      return StartOf(static_cast<Minute>(std::clamp(minute, -most, most)));
    };
    ForEach("SELECT since_minute, until_minute FROM captured", [&](Statement& row) {
      store_.MarkCaptured({start(row.Integer(0)), start(row.Integer(1))}).IgnoreError();
    });
    ForEach("SELECT * FROM capture_counts", [&](Statement& row) {
      const CaptureCounts counts{row.Count(1), row.Count(2), row.Count(3), row.Count(4)};
      store_.RecordCapture(start(row.Integer(0)), counts).IgnoreError();
    });
  }

  const PageFile& pages_;
  Connection& rows_;
  Store& store_;
  SalvageReport& report_;
  absl::Status status_;
  Decompressor decompressor_;
  std::multimap<std::int64_t, RowPlace> columns_;
  std::set<std::uint32_t> column_pages_;
  std::map<std::int64_t, std::uint64_t> block_flows_;
  std::vector<RowPlace> tail_;
  std::optional<ScannedRow> row_;
  IdSet saved_;
};

}  // namespace

absl::StatusOr<std::string> Quarantine(const std::string& path) {
  std::string to;
  for (int number = 1; number == 1 || std::filesystem::exists(to); ++number) {
    to = path + ".corrupt-" + std::to_string(number);
  }
  // The log goes along: it may have what the file lacks. It must not meet the new file.
  for (const char* suffix : {"-wal", "-shm", ""}) {
    if (std::rename((path + suffix).c_str(), (to + suffix).c_str()) != 0 && errno != ENOENT) {
      return base::ErrnoStatus(errno, "cannot put the damaged store \"" + path + "\" aside");
    }
  }
  return to;
}

absl::Status Salvage(const std::string& path, Store& store, SalvageReport& report) {
  NTA_ASSIGN_OR_RETURN(const PageFile pages, PageFile::Open(path));
  NTA_ASSIGN_OR_RETURN(const auto rows, OpenScratch(path));
  return Salvager(pages, *rows, store, report).Run();
}

}  // namespace nta::store

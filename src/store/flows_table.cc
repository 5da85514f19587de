#include "store/flows_table.h"

#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "store/blocks.h"
#include "store/filter_eval.h"
#include "store/flow_columns.h"
#include "store/rows.h"
#include "store/schema_version.h"
#include "store/sqlite.h"

namespace nta::store {
namespace {

// The columns of the table: those of a flow that people can read.
std::vector<const FlowColumn*> TableColumns() {
  std::vector<const FlowColumn*> columns;
  for (const FlowColumn& column : FlowColumns()) {
    if (column.type != ColumnType::kBytes) columns.push_back(&column);
  }
  return columns;
}

std::string Declaration(const std::vector<const FlowColumn*>& columns) {
  std::string sql = "CREATE TABLE flows(";
  for (const FlowColumn* column : columns) {
    if (sql.back() != '(') sql += ", ";
    sql += std::string(column->name) + (column->is_number() ? " INTEGER" : " TEXT");
  }
  return sql + ")";
}

struct Table : sqlite3_vtab {
  std::unique_ptr<Connection> connection;
  std::vector<const FlowColumn*> columns;
};

int Fail(sqlite3_vtab* table, const absl::Status& status) {
  sqlite3_free(table->zErrMsg);
  const std::string message(status.message().data(), status.message().size());
  table->zErrMsg = sqlite3_mprintf("%s", message.c_str());
  return absl::IsDeadlineExceeded(status)    ? SQLITE_INTERRUPT
         : absl::IsDataLoss(status)          ? SQLITE_CORRUPT
         : absl::IsResourceExhausted(status) ? SQLITE_NOMEM
                                             : SQLITE_ERROR;
}

// SQLite is C: no exception may reach it.
template <typename Act>
int Guard(const Act& act) {
  try {
    return act();
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  }
}

absl::Status CheckDatabase(Connection& connection) {
  NTA_ASSIGN_OR_RETURN(const std::int64_t id, connection.QueryInteger("PRAGMA application_id"));
  NTA_ASSIGN_OR_RETURN(const std::int64_t version, connection.QueryInteger("PRAGMA user_version"));
  if (id == kApplicationId && version == kSchemaVersion) return absl::OkStatus();
  return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                          id == kApplicationId
                              ? "this store has format " + std::to_string(version) +
                                    ", the table flows knows " + std::to_string(kSchemaVersion)
                              : "the database is not a store of libnta");
}

int Connect(sqlite3* database, void*, int, const char* const*, sqlite3_vtab** out, char** error) {
  return Guard([&] {
    auto table = std::make_unique<Table>();
    table->connection = Connection::Borrow(database);
    table->columns = TableColumns();
    const absl::Status status = CheckDatabase(*table->connection);
    if (!status.ok()) {
      const std::string message(status.message().data(), status.message().size());
      *error = sqlite3_mprintf("%s", message.c_str());
      return absl::IsResourceExhausted(status) ? SQLITE_NOMEM : SQLITE_ERROR;
    }
    const int result = sqlite3_declare_vtab(database, Declaration(table->columns).c_str());
    if (result != SQLITE_OK) return result;
    *out = table.release();
    return SQLITE_OK;
  });
}

int Disconnect(sqlite3_vtab* table) {
  delete static_cast<Table*>(table);
  return SQLITE_OK;
}

// How a constraint narrows a scan; the order of the arguments of Filter, one character each.
enum class Narrowing : char {
  kSince = 's',  // last_seen >= or > (one too many does no harm)
  kUntil = 'u',
  kAt = 'a',
  kSource = 'S',
  kDestination = 'D',
  kProtocol = 'P',
  kSourcePort = 'x',
  kDestinationPort = 'y',
};

std::optional<Narrowing> NarrowingOf(ColumnId column, unsigned char op) {
  const bool equal = op == SQLITE_INDEX_CONSTRAINT_EQ;
  switch (column) {
    case ColumnId::kLastSeen:
      if (equal) return Narrowing::kAt;
      if (op == SQLITE_INDEX_CONSTRAINT_GE || op == SQLITE_INDEX_CONSTRAINT_GT) {
        return Narrowing::kSince;
      }
      if (op == SQLITE_INDEX_CONSTRAINT_LE || op == SQLITE_INDEX_CONSTRAINT_LT) {
        return Narrowing::kUntil;
      }
      return std::nullopt;
    case ColumnId::kSourceAddress:
      return equal ? std::optional(Narrowing::kSource) : std::nullopt;
    case ColumnId::kDestinationAddress:
      return equal ? std::optional(Narrowing::kDestination) : std::nullopt;
    case ColumnId::kProtocol:
      return equal ? std::optional(Narrowing::kProtocol) : std::nullopt;
    case ColumnId::kSourcePort:
      return equal ? std::optional(Narrowing::kSourcePort) : std::nullopt;
    case ColumnId::kDestinationPort:
      return equal ? std::optional(Narrowing::kDestinationPort) : std::nullopt;
    default:
      return std::nullopt;
  }
}

int BestIndexOf(const Table* table, sqlite3_index_info* info) {
  std::string plan;
  double cost = 1e8;
  for (int i = 0; i < info->nConstraint; ++i) {
    const auto& constraint = info->aConstraint[i];
    if (constraint.usable == 0 || constraint.iColumn < 0) continue;
    const auto narrowing = NarrowingOf(
        table->columns[static_cast<std::size_t>(constraint.iColumn)]->id, constraint.op);
    if (!narrowing) continue;
    plan += static_cast<char>(*narrowing);
    // SQLite compares once more: types of its values have rules that are not ours.
    info->aConstraintUsage[i].argvIndex = static_cast<int>(plan.size());
    cost /= *narrowing == Narrowing::kSource || *narrowing == Narrowing::kDestination ? 100 : 5;
  }
  info->idxStr = sqlite3_mprintf("%s", plan.c_str());
  if (info->idxStr == nullptr) return SQLITE_NOMEM;
  info->needToFreeIdxStr = 1;
  info->estimatedCost = cost;
  info->estimatedRows = static_cast<sqlite3_int64>(std::max(cost / 10, 1.0));
  return SQLITE_OK;
}

int BestIndex(sqlite3_vtab* base, sqlite3_index_info* info) {
  return Guard([&] { return BestIndexOf(static_cast<Table*>(base), info); });
}

class Cursor : public sqlite3_vtab_cursor {
 public:
  explicit Cursor(Table& table) : table_(table), reader_(*table.connection) {}

  absl::Status Start(std::string_view plan, std::span<sqlite3_value*> values) {
    blocks_.clear();
    batch_.reset();
    next_block_ = 0;
    interval_ = {Timestamp::min(), Timestamp::max()};
    std::string filter;
    bool nothing = false;
    for (std::size_t i = 0; i < plan.size() && i < values.size(); ++i) {
      nothing |= !Narrow(static_cast<Narrowing>(plan[i]), values[i], filter);
    }
    if (nothing) return absl::OkStatus();
    NTA_ASSIGN_OR_RETURN(filter_, FlowFilter::Parse(filter));
    NTA_ASSIGN_OR_RETURN(blocks_, reader_.List());
    std::erase_if(blocks_, [this](const BlockInfo& block) {
      return block.max_last_seen < interval_.since || block.min_last_seen > interval_.until;
    });
    return Advance();
  }

  absl::Status Advance() {
    while (true) {
      if (batch_ != nullptr) {
        while (++row_ < batch_->size()) {
          if (mask_[row_] != 0) return absl::OkStatus();
        }
        batch_.reset();
      }
      if (next_block_ == blocks_.size()) return absl::OkStatus();
      NTA_RETURN_IF_ERROR(Open(blocks_[next_block_++]));
    }
  }

  bool at_end() const { return batch_ == nullptr; }

  absl::Status Column(sqlite3_context* context, std::size_t column) {
    const FlowColumn& what = *table_.columns[column];
    if (what.is_number()) {
      NTA_ASSIGN_OR_RETURN(const NumberColumn* numbers, batch_->Numbers(what.id));
      const std::uint64_t number = (*numbers)[row_];
      if (what.type == ColumnType::kInteger) {
        sqlite3_result_int64(context, static_cast<sqlite3_int64>(number));
      } else if (number != 0) {
        sqlite3_result_int64(context, static_cast<sqlite3_int64>(number - 1));
      }
    } else if (what.type == ColumnType::kAddress) {
      NTA_ASSIGN_OR_RETURN(const AddressColumn* addresses, batch_->Addresses(what.id));
      SetText(context, addresses->dictionary[addresses->index[row_]].ToString());
    } else {
      NTA_ASSIGN_OR_RETURN(const TextColumn* texts, batch_->Texts(what.id));
      if (texts == nullptr) return absl::OkStatus();
      const std::string& text = texts->dictionary[texts->index[row_]];
      if (!text.empty()) SetText(context, text);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::int64_t> Id() {
    NTA_ASSIGN_OR_RETURN(const NumberColumn* ids, batch_->Numbers(ColumnId::kId));
    return static_cast<std::int64_t>((*ids)[row_]);
  }

 private:
  static void SetText(sqlite3_context* context, const std::string& text) {
    sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  }

  // False when no flow can satisfy the constraint. What is not understood narrows nothing.
  bool Narrow(Narrowing narrowing, sqlite3_value* value, std::string& filter) {
    const auto also = [&filter](const std::string& condition) {
      filter += (filter.empty() ? "" : " and ") + condition;
    };
    const int type = sqlite3_value_type(value);
    switch (narrowing) {
      case Narrowing::kSource:
      case Narrowing::kDestination: {
        if (type != SQLITE_TEXT) return true;
        // Null when SQLite has no memory to convert it.
        const unsigned char* bytes = sqlite3_value_text(value);
        if (bytes == nullptr) throw std::bad_alloc();
        const auto address = IpAddress::Parse(reinterpret_cast<const char*>(bytes));
        if (!address.ok()) return false;
        also((narrowing == Narrowing::kSource ? "src=" : "dst=") + address->ToString());
        return true;
      }
      case Narrowing::kSince:
      case Narrowing::kUntil:
      case Narrowing::kAt: {
        if (type != SQLITE_INTEGER) return true;
        const Timestamp time = ToTimestamp(sqlite3_value_int64(value));
        if (narrowing != Narrowing::kUntil) interval_.since = std::max(interval_.since, time);
        if (narrowing != Narrowing::kSince) interval_.until = std::min(interval_.until, time);
        return true;
      }
      case Narrowing::kProtocol:
      case Narrowing::kSourcePort:
      case Narrowing::kDestinationPort: {
        if (type != SQLITE_INTEGER) return true;
        const sqlite3_int64 number = sqlite3_value_int64(value);
        const bool is_protocol = narrowing == Narrowing::kProtocol;
        if (number < 0 || number > (is_protocol ? 255 : 65'535)) return false;
        also((is_protocol                           ? "proto="
              : narrowing == Narrowing::kSourcePort ? "sport="
                                                    : "dport=") +
             std::to_string(number));
        return true;
      }
    }
    return true;
  }

  // Opens the block when it has flows to show, and stands before the first of them.
  absl::Status Open(const BlockInfo& block) {
    NTA_ASSIGN_OR_RETURN(const bool may_match, reader_.MayMatch(block, filter_));
    if (!may_match) return absl::OkStatus();
    NTA_ASSIGN_OR_RETURN(batch_, reader_.Open(block));
    NTA_ASSIGN_OR_RETURN(mask_, Select(filter_, *batch_));
    row_ = ~std::size_t{0};
    return absl::OkStatus();
  }

  Table& table_;
  BlockReader reader_;
  TimeInterval interval_;  // both ends included
  FlowFilter filter_;
  std::vector<BlockInfo> blocks_;
  std::size_t next_block_ = 0;
  std::unique_ptr<FlowBatch> batch_;
  Mask mask_;
  std::size_t row_ = 0;
};

int OpenCursor(sqlite3_vtab* table, sqlite3_vtab_cursor** out) {
  return Guard([&] {
    *out = new Cursor(*static_cast<Table*>(table));
    return SQLITE_OK;
  });
}

int CloseCursor(sqlite3_vtab_cursor* cursor) {
  delete static_cast<Cursor*>(cursor);
  return SQLITE_OK;
}

// What `act` says of a cursor, in SQLite's words.
template <typename Act>
int Report(sqlite3_vtab_cursor* cursor, const Act& act) {
  return Guard([&] {
    const absl::Status status = act(*static_cast<Cursor*>(cursor));
    return status.ok() ? SQLITE_OK : Fail(cursor->pVtab, status);
  });
}

int Filter(sqlite3_vtab_cursor* cursor, int, const char* plan, int count, sqlite3_value** values) {
  return Report(cursor, [&](Cursor& rows) {
    return rows.Start(plan, {values, static_cast<std::size_t>(count)});
  });
}

int Next(sqlite3_vtab_cursor* cursor) {
  return Report(cursor, [](Cursor& rows) { return rows.Advance(); });
}

int Eof(sqlite3_vtab_cursor* cursor) { return static_cast<Cursor*>(cursor)->at_end() ? 1 : 0; }

int ColumnOfRow(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int column) {
  return Report(
      cursor, [&](Cursor& rows) { return rows.Column(context, static_cast<std::size_t>(column)); });
}

int RowId(sqlite3_vtab_cursor* cursor, sqlite3_int64* id) {
  return Report(cursor, [&](Cursor& rows) -> absl::Status {
    NTA_ASSIGN_OR_RETURN(*id, rows.Id());
    return absl::OkStatus();
  });
}

// Without xCreate it is there by its name and cannot be made under another.
constexpr sqlite3_module kModule = [] {
  sqlite3_module module{};
  module.iVersion = 1;
  module.xConnect = &Connect;
  module.xBestIndex = &BestIndex;
  module.xDisconnect = &Disconnect;
  module.xDestroy = &Disconnect;
  module.xOpen = &OpenCursor;
  module.xClose = &CloseCursor;
  module.xFilter = &Filter;
  module.xNext = &Next;
  module.xEof = &Eof;
  module.xColumn = &ColumnOfRow;
  module.xRowid = &RowId;
  return module;
}();

}  // namespace

int RegisterFlowsTable(sqlite3* database) {
  return sqlite3_create_module_v2(database, "flows", &kModule, nullptr, nullptr);
}

}  // namespace nta::store

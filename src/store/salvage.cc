#include "store/salvage.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "base/status.h"
#include "store/blocks.h"
#include "store/file.h"
#include "store/operations.h"
#include "store/rows.h"
#include "store/sqlite.h"

namespace nta::store {
namespace {

// Calls visit(statement) for each row that `sql` gives with ids above ?1, in their order. Behind
// what cannot be read it goes on, a step further each time.
template <typename Visitor>
void ForEachReadable(Connection& connection, const std::string& sql, std::int64_t last_id,
                     Visitor visit) {
  absl::StatusOr<Statement> statement = connection.Prepare(sql);
  if (!statement.ok()) return;
  // Ids are dense but for what was deleted; beyond this many in a row nothing more is to be had.
  constexpr std::int64_t kMostStep = std::int64_t{1} << 40;
  std::int64_t step = 1;
  for (std::int64_t after = 0; after < last_id;) {
    statement->Reset();
    statement->Bind(after);
    const absl::StatusOr<bool> row = statement->Step();
    if (row.ok() && !*row) return;
    if (row.ok()) {
      after = statement->Integer(0);
      step = 1;
      visit(*statement);
      continue;
    }
    if (step > kMostStep || after > last_id - step) return;
    after += step;
    step *= 2;
  }
}

class Salvager {
 public:
  Salvager(Connection& connection, Store& store, SalvageReport& report)
      : connection_(connection), store_(store), report_(report) {}

  absl::Status Run() {
    SaveAccounts();
    SaveDocuments();
    SaveAlerts();
    NTA_RETURN_IF_ERROR(SaveBlocks("flow_block", false));
    return SaveBlocks("flow_tail", true);
  }

 private:
  absl::Status SaveBlocks(const std::string& table, bool is_tail) {
    constexpr std::int64_t kLastId = std::int64_t{1} << 50;
    std::vector<BlockInfo> blocks;
    ForEachReadable(connection_,
                    "SELECT id, flows FROM " + table + " WHERE id > ?1 ORDER BY id LIMIT 1",
                    kLastId, [&](Statement& row) {
                      BlockInfo block;
                      block.id = row.Integer(0);
                      block.is_tail = is_tail;
                      block.flows = row.Count(1);
                      if (block.flows > 0 && block.flows <= kMaxBlockFlows) blocks.push_back(block);
                    });
    if (!is_tail) FindBlocksByData(blocks);
    for (const BlockInfo& block : blocks) {
      const absl::StatusOr<std::uint64_t> saved = SaveBlock(block);
      if (absl::IsResourceExhausted(saved.status())) return saved.status();
      if (saved.ok()) {
        report_.flows_saved += *saved;
      } else {
        report_.flows_lost += block.flows;
      }
    }
    return absl::OkStatus();
  }

  // Blocks of which the row is lost: a column says how many flows there are.
  void FindBlocksByData(std::vector<BlockInfo>& blocks) {
    constexpr auto kColumnsPerBlock = static_cast<std::int64_t>(kMaxColumns);
    std::set<std::int64_t> known;
    for (const BlockInfo& block : blocks) known.insert(block.id);
    ForEachReadable(
        connection_, "SELECT id, data FROM flow_data WHERE id > ?1 ORDER BY id LIMIT 1",
        std::int64_t{1} << 58, [&](Statement& row) {
          BlockInfo block;
          block.id = row.Integer(0) / kColumnsPerBlock;
          ByteReader in(row.Blob(1));
          in.U8();
          in.U8();
          block.flows = in.Varint();
          if (block.flows > 0 && block.flows <= kMaxBlockFlows && known.insert(block.id).second) {
            blocks.push_back(block);
          }
        });
  }

  absl::StatusOr<std::uint64_t> SaveBlock(const BlockInfo& block) {
    BlockReader reader(connection_);
    NTA_ASSIGN_OR_RETURN(const auto batch, reader.Open(block));
    std::vector<std::uint32_t> places(block.flows);
    std::iota(places.begin(), places.end(), 0);
    std::vector<StoredFlow> stored;
    NTA_RETURN_IF_ERROR(batch->Rows(places, stored));
    std::vector<FlowRecord> flows;
    flows.reserve(stored.size());
    for (StoredFlow& one : stored) {
      if (CheckFlow(one.flow).ok()) flows.push_back(std::move(one.flow));
    }
    NTA_RETURN_IF_ERROR(store_.Write(flows, {}));
    report_.flows_lost += block.flows - flows.size();
    return flows.size();
  }

  void SaveAccounts() {
    const absl::StatusOr<std::vector<User>> users = ListUsers(connection_);
    if (users.ok()) {
      for (const User& user : *users) report_.users_saved += store_.AddUser(user).ok() ? 1 : 0;
    }
    absl::StatusOr<Statement> settings = connection_.Prepare("SELECT name, value FROM settings");
    if (!settings.ok()) return;
    while (true) {
      const absl::StatusOr<bool> row = settings->Step();
      if (!row.ok() || !*row) return;
      store_.PutSetting(settings->Text(0), settings->Text(1)).IgnoreError();
    }
  }

  void SaveDocuments() {
    absl::StatusOr<Statement> documents =
        connection_.Prepare("SELECT kind, id, updated, body FROM document");
    if (!documents.ok()) return;
    while (true) {
      const absl::StatusOr<bool> row = documents->Step();
      if (!row.ok() || !*row) return;
      const Document document = {.kind = std::string(documents->Text(0)),
                                 .id = std::string(documents->Text(1)),
                                 .body = std::string(documents->Text(3)),
                                 .updated = ToTimestamp(documents->Integer(2))};
      report_.documents_saved += store_.PutDocument(document).ok() ? 1 : 0;
    }
  }

  void SaveAlerts() {
    AlertQuery query;
    query.limit = 1'000;
    while (true) {
      const absl::StatusOr<AlertPage> page = QueryAlerts(connection_, query);
      if (!page.ok() || page->alerts.empty()) return;
      if (store_.Write({}, page->alerts).ok()) report_.alerts_saved += page->alerts.size();
      if (page->next_cursor.empty()) return;
      query.cursor = page->next_cursor;
    }
  }

  Connection& connection_;
  Store& store_;
  SalvageReport& report_;
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

absl::Status Salvage(const std::string& quarantine, Store& store, SalvageReport& report) {
  absl::StatusOr<std::unique_ptr<Connection>> connection =
      Connection::Open(SqlitePath(quarantine), SQLITE_OPEN_READWRITE);
  if (!connection.ok()) return absl::OkStatus();
  // Nothing in it may act, and a schema that cannot be understood is not needed to read tables.
  for (const int option : {SQLITE_DBCONFIG_DEFENSIVE, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE}) {
    sqlite3_db_config((*connection)->get(), option, 1, nullptr);
  }
  for (const int option : {SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_TRIGGER,
                           SQLITE_DBCONFIG_ENABLE_VIEW}) {
    sqlite3_db_config((*connection)->get(), option, 0, nullptr);
  }
  return Salvager(**connection, store, report).Run();
}

}  // namespace nta::store

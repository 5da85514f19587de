// SqliteRollupStorage: the parts of totals in the tables of a SQLite file.
#ifndef NTA_STORE_SQLITE_ROLLUP_STORAGE_H_
#define NTA_STORE_SQLITE_ROLLUP_STORAGE_H_

#include "store/rollup_storage.h"
#include "store/sqlite.h"

namespace nta::store {

// What it changes is changed in the caller's transaction.
class SqliteRollupStorage final : public RollupStorage {
 public:
  // Borrows `connection`.
  explicit SqliteRollupStorage(Connection& connection) : connection_(connection) {}

  absl::StatusOr<std::vector<PartSize>> Sizes(RollupLevel level, const IdRange& ids) override;
  absl::Status Read(RollupLevel level, const IdRange& ids, Want want,
                    absl::FunctionRef<absl::Status(const PartBytes&)> visit) override;
  absl::Status Insert(RollupLevel level, const PartBytes& part) override;
  absl::Status Delete(RollupLevel level, const IdRange& ids) override;
  absl::StatusOr<std::optional<std::pair<std::int64_t, std::int64_t>>> Ends(
      RollupLevel level) override;

 private:
  Connection& connection_;
};

}  // namespace nta::store

#endif  // NTA_STORE_SQLITE_ROLLUP_STORAGE_H_

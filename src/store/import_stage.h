// ImportStage: flows on their way into a store, kept beside it until they are complete.
#ifndef NTA_STORE_IMPORT_STAGE_H_
#define NTA_STORE_IMPORT_STAGE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/flow/flow_record.h"
#include "store/sqlite.h"

namespace nta::store {

// One thread at a time. What it holds ends with it.
class ImportStage {
 public:
  // Beside the store at `path`.
  static absl::StatusOr<ImportStage> Create(const std::string& path, std::size_t flows_per_block);

  // Flows with the ids from `first_id` on, which the store gave away for them.
  absl::Status Add(std::span<const FlowRecord> flows, std::int64_t first_id);
  // Moves everything into the store, blocks and totals as they are. In the caller's transaction.
  absl::Status MoveTo(Connection& store);

 private:
  explicit ImportStage(std::unique_ptr<Connection> stage) : stage_(std::move(stage)) {}
  absl::Status MoveBlocks(Connection& store);
  absl::Status MoveTail(Connection& store);
  absl::Status MoveTotals(Connection& store);

  std::unique_ptr<Connection> stage_;
};

}  // namespace nta::store

#endif  // NTA_STORE_IMPORT_STAGE_H_

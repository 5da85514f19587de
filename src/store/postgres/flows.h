// Flows as rows of PostgreSQL: in by COPY, out by COPY.
#ifndef NTA_STORE_POSTGRES_FLOWS_H_
#define NTA_STORE_POSTGRES_FLOWS_H_

#include <span>
#include <string>
#include <vector>

#include "nta/store/store.h"
#include "store/flow_columns.h"
#include "store/postgres/connection.h"

namespace nta::store {

// Into `table`, in the caller's transaction; the flows get the ids from `first_id` on.
absl::Status CopyFlowsIn(PgConnection& connection, std::span<const FlowRecord> flows,
                         std::int64_t first_id, const std::string& table = "flows");

// The columns of these flows that are wanted, as a list for SELECT.
class FlowSelection {
 public:
  // Without those that only people and the filter's texts need, unless `everything`.
  explicit FlowSelection(bool everything);

  const std::string& sql() const { return sql_; }
  std::size_t size() const { return columns_.size(); }
  // Puts one value into a flow. DataLoss when no flow has such.
  absl::Status Set(std::size_t column, std::string_view bytes, StoredFlow& flow) const;
  absl::Status Read(const PgRows& rows, int row, StoredFlow& flow) const;

 private:
  std::vector<const FlowColumn*> columns_;
  std::string sql_;
};

// Calls visit for each flow that `where` and what follows it selects, until it fails.
absl::Status CopyFlowsOut(PgConnection& connection, const FlowSelection& selection,
                          const std::string& where,
                          absl::FunctionRef<absl::Status(StoredFlow)> visit);

// A condition that holds for every flow that the filter matches, and for some others.
std::string SqlCondition(const FlowFilter& filter);
// Whether the filter looks at what a FlowSelection without everything leaves out.
bool NeedsTexts(const FlowFilter& filter);

}  // namespace nta::store

#endif  // NTA_STORE_POSTGRES_FLOWS_H_

// A flow filter as a condition in SQL. Values are bound, never written into the text.
#ifndef NTA_STORE_FILTER_SQL_H_
#define NTA_STORE_FILTER_SQL_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/flow/flow_filter.h"
#include "store/sqlite.h"

namespace nta::store {

struct FilterSql {
  // On the columns of `flows`; true or false, never NULL. Its parameters have numbers from
  // kFirstParameter on, so that the statement around it can use ?1, ?2, ...
  std::string condition = "1";
  std::vector<std::variant<std::int64_t, double, std::vector<std::uint8_t>>> values;

  bool has_unknown_field = false;

  static constexpr int kFirstParameter = 101;
  void BindTo(Statement& statement) const;
};

// Selects exactly the flows that filter.Matches(). InvalidArgument when it asks for a field that is
// not kept.
absl::StatusOr<FilterSql> ToSql(const FlowFilter& filter);

}  // namespace nta::store

#endif  // NTA_STORE_FILTER_SQL_H_

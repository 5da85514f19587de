// The vocabulary of filters: names of fields, and values of each kind as text.
#ifndef NTA_FLOW_FILTER_FIELDS_H_
#define NTA_FLOW_FILTER_FIELDS_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "nta/flow/flow_filter.h"

namespace nta::filter {

std::string LowerCase(std::string_view text);
// Text for an error: quoted, cut to a readable length, control characters replaced.
std::string Quote(std::string_view text);

// By any of its names, in any case.
std::optional<FlowField> FindField(std::string_view name);
// The short name, which ToString writes.
std::string_view FieldName(FlowField field);
// ` (did you mean "dport"?)`, or nothing when no field is close.
std::string SuggestField(std::string_view name);
// Numbers have an order; addresses, names and texts only equality.
bool IsOrdered(FlowField field);

// The value of `text` for `field`. InvalidArgument with a message that names the text.
absl::StatusOr<FilterValue> ParseValue(FlowField field, std::string_view text);
// A text that ParseValue reads as the same value.
std::string ValueToString(FlowField field, const FilterValue& value);

std::string_view OperatorName(FilterOperator op);

}  // namespace nta::filter

#endif  // NTA_FLOW_FILTER_FIELDS_H_

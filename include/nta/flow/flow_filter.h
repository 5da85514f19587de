// FlowFilter: the one filter grammar of C++, CLI, Python and REST (docs/filters.md).
//
//   auto filter = nta::FlowFilter::Parse("src=10.0.0.0/8 and dport in (80,443) and bytes>1e6");
//   if (filter->Matches(flow)) ...
#ifndef NTA_FLOW_FLOW_FILTER_H_
#define NTA_FLOW_FLOW_FILTER_H_

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/flow/flow_metadata.h"
#include "nta/flow/flow_record.h"

namespace nta {

// What a comparison looks at. `host` and `port` mean either side.
enum class FlowField : std::uint8_t {
  kSource,           // src, source_address
  kDestination,      // dst, destination_address
  kHost,             // host, address
  kSourcePort,       // sport, source_port
  kDestinationPort,  // dport, destination_port
  kPort,             // port
  kProtocol,         // proto, protocol: a name or number
  kVlan,             // vlan
  kBytes,            // bytes: wire bytes, both directions
  kPackets,          // packets: both directions
  kDuration,         // duration: seconds, or with a unit: 500ms, 10s, 5m, 2h, 1d
  kEndReason,        // end_reason
  kApplication,      // app, application: a name
  kCategory,         // category: a name
  kTcpState,         // tcp_state: a name
  kServerName,       // server_name: a text in any case, * stands for anything
  kIcmpType,         // icmp_type
  kEvidence,         // evidence: none, port, name, payload
  kName,             // name: source_name, destination_name or server_name, as that
  kSourceName,       // source_name, as server_name
  kDestinationName,  // destination_name, as server_name
  kJa3,              // ja3 and the following: fingerprints, as server_name
  kJa3s,             // ja3s
  kJa4,              // ja4
  kHassh,            // hassh
  kHasshServer,      // hassh_server
};

enum class FilterOperator : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual
};

// One value: a prefix, a number (nanoseconds for kDuration; the number of a name for kProtocol,
// kEndReason, kApplication, kCategory, kEvidence and kTcpState) or a text in lower case (names).
using FilterValue = std::variant<IpPrefix, double, std::string>;

// A node of the parsed filter. `values` with kEqual is "in": any of them; with kNotEqual: none of
// them.
struct FilterNode {
  enum class Kind : std::uint8_t { kAnd, kOr, kNot, kCompare };
  Kind kind = Kind::kCompare;
  std::vector<FilterNode> children;  // kAnd, kOr: two or more; kNot: one
  FlowField field = FlowField::kSource;
  FilterOperator op = FilterOperator::kEqual;
  std::vector<FilterValue> values;
};

// The texts of a flow's metadata that a field compares, any of them; none for fields that compare
// something else.
std::span<const MetadataField> MetadataFieldsOf(FlowField field);

// How texts compare: whether `text`, in any case, is as `pattern`, which is in lower case and where
// * stands for any characters.
bool MatchesTextPattern(std::string_view text, std::string_view pattern);

// Where a filter text is wrong.
struct FilterError {
  std::size_t position = 0;  // byte offset into the text
  std::string message;
};

// An immutable condition on a flow; empty text matches every flow. Thread-safe.
class FlowFilter {
 public:
  FlowFilter() = default;  // matches everything

  // InvalidArgument: `at 14: unknown field "dprt" (did you mean "dport"?)`. With `error`, also as a
  // struct. Texts over 4,096 bytes or with more than 64 levels of parentheses are refused.
  static absl::StatusOr<FlowFilter> Parse(std::string_view text, FilterError* error = nullptr);

  bool Matches(const FlowRecord& flow) const;
  bool matches_everything() const { return root_ == nullptr; }
  // The parsed form, for whoever translates it (the store does, to SQL); null when it matches
  // everything.
  const FilterNode* root() const { return root_.get(); }
  // A canonical text that parses to the same filter.
  std::string ToString() const;

 private:
  // Shared because filters are copied into queries and never change.
  std::shared_ptr<const FilterNode> root_;
};

}  // namespace nta

#endif  // NTA_FLOW_FLOW_FILTER_H_

// Flow CSV: flows as lines of text (docs/formats.md).
//
//   std::cout << nta::kFlowCsvHeader << '\n';
//   nta::AppendFlowCsv(flow, line);
#ifndef NTA_EXPORT_FLOW_CSV_H_
#define NTA_EXPORT_FLOW_CSV_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/flow/flow_record.h"

namespace nta {

// The column names, without a line end.
inline constexpr std::string_view kFlowCsvHeader =
    "first_seen,last_seen,protocol,source_address,source_port,destination_address,destination_port,"
    "vlan,forward_packets,forward_wire_bytes,forward_ip_bytes,forward_payload_bytes,reverse_"
    "packets,"
    "reverse_wire_bytes,reverse_ip_bytes,reverse_payload_bytes,forward_tcp_flags,reverse_tcp_flags,"
    "application,end_reason";

enum class FlowCsvColumns : std::uint8_t {
  kStandard,    // those of kFlowCsvHeader
  kStatistics,  // and after them what docs/flow_features.md defines
  kEverything,  // and after them all that a record holds but its statistics; reads back exactly
};
std::string FlowCsvHeader(FlowCsvColumns columns);

// Appends one line with its '\n'. Times are integer nanoseconds since 1970 UTC; absent values are
// empty. An application that only a port speaks for is absent.
void AppendFlowCsv(const FlowRecord& flow, std::string& out,
                   FlowCsvColumns columns = FlowCsvColumns::kStandard);

// Reads lines of text as flows: those that AppendFlowCsv wrote, and others with columns of the same
// names in any order. Of the standard columns all but vlan, application and end_reason must be
// there; those of FlowCsvColumns::kStatistics are passed over, unknown ones are refused. RFC 4180
// quotes are understood; a quote (') before a character that would begin a formula is taken off
// again.
class FlowCsvReader {
 public:
  // InvalidArgument names the column that is wrong or missing.
  static absl::StatusOr<FlowCsvReader> Create(std::string_view header);

  // InvalidArgument names the column and what is wrong with its value.
  absl::StatusOr<FlowRecord> Read(std::string_view line) const;
  // Whether the header names this column, and it is read.
  bool Has(std::string_view column) const;
  // The columns that are passed over: statistics, which JSON lines keep.
  std::size_t passed_over() const;

 private:
  explicit FlowCsvReader(std::vector<std::size_t> columns) : columns_(std::move(columns)) {}

  static constexpr std::size_t kPassedOver = static_cast<std::size_t>(-1);

  std::vector<std::size_t> columns_;  // by field of a line
};

}  // namespace nta

#endif  // NTA_EXPORT_FLOW_CSV_H_

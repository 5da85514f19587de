#include "store/scan.h"

#include <utility>

#include "base/status.h"
#include "store/rollup.h"

namespace nta::store {

absl::StatusOr<TrafficColumns> Traffic(FlowBatch& batch, const TrafficNeeds& needs) {
  using enum ColumnId;
  struct Number {
    bool needed;
    ColumnId id;
    std::span<const std::uint64_t> TrafficColumns::*member;
  };
  const Number numbers[] = {{needs.times, kFirstSeen, &TrafficColumns::first_seen},
                            {needs.times, kLastSeen, &TrafficColumns::last_seen},
                            {needs.protocol, kProtocol, &TrafficColumns::protocol},
                            {needs.ports, kSourcePort, &TrafficColumns::source_port},
                            {needs.ports, kDestinationPort, &TrafficColumns::destination_port},
                            {needs.application, kApplication, &TrafficColumns::application},
                            {needs.application, kCategory, &TrafficColumns::category},
                            {needs.application, kEvidence, &TrafficColumns::evidence},
                            {needs.vlan, kVlan, &TrafficColumns::vlan},
                            {true, kForwardWireBytes, &TrafficColumns::forward_bytes},
                            {true, kReverseWireBytes, &TrafficColumns::reverse_bytes},
                            {true, kForwardPackets, &TrafficColumns::forward_packets},
                            {true, kReversePackets, &TrafficColumns::reverse_packets}};
  TrafficColumns traffic;
  for (const Number& number : numbers) {
    if (!number.needed) continue;
    NTA_ASSIGN_OR_RETURN(const NumberColumn* column, batch.Numbers(number.id));
    traffic.*number.member = *column;
  }
  if (needs.source) {
    NTA_ASSIGN_OR_RETURN(traffic.source, batch.Addresses(kSourceAddress));
  }
  if (needs.destination) {
    NTA_ASSIGN_OR_RETURN(traffic.destination, batch.Addresses(kDestinationAddress));
  }
  if (needs.names) {
    NTA_ASSIGN_OR_RETURN(traffic.source_name,
                         batch.Texts(MetadataColumn(MetadataField::kSourceName)));
    NTA_ASSIGN_OR_RETURN(traffic.destination_name,
                         batch.Texts(MetadataColumn(MetadataField::kDestinationName)));
  }
  if (needs.names || needs.server_name) {
    NTA_ASSIGN_OR_RETURN(traffic.server_name,
                         batch.Texts(MetadataColumn(MetadataField::kServerName)));
  }
  return traffic;
}

Span CountedFlows::FlowSpan(std::size_t i) const { return SpanOf(columns_, i); }

absl::Status ScanTraffic(Connection& connection, const std::vector<BlockInfo>& blocks,
                         const TimeInterval& interval, const FlowFilter& filter, TrafficNeeds needs,
                         absl::FunctionRef<absl::Status(const CountedFlows&)> visit) {
  BlockReader reader(connection);
  std::size_t scanned = 0;
  for (const BlockInfo& block : blocks) {
    connection.ReportProgress(scanned++, blocks.size());
    if (block.max_last_seen < interval.since || block.min_first_seen >= interval.until) continue;
    NTA_RETURN_IF_ERROR(connection.CheckDeadline());
    NTA_ASSIGN_OR_RETURN(const bool may_match, reader.MayMatch(block, filter));
    if (!may_match) continue;
    NTA_ASSIGN_OR_RETURN(const auto batch, reader.Open(block));
    NTA_ASSIGN_OR_RETURN(const Mask mask, Select(filter, *batch));
    if (std::find(mask.begin(), mask.end(), 1) == mask.end()) continue;
    const bool all_inside =
        block.min_first_seen >= interval.since && block.max_last_seen < interval.until;
    TrafficNeeds all_needs = needs;
    all_needs.times |= !all_inside;
    NTA_ASSIGN_OR_RETURN(const TrafficColumns columns, Traffic(*batch, all_needs));
    NTA_RETURN_IF_ERROR(visit(CountedFlows(columns, mask, interval, all_inside)));
  }
  return absl::OkStatus();
}

}  // namespace nta::store

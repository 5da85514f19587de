// Whole blocks of flows, for who judges every one of them.
#include <algorithm>

#include "base/status.h"
#include "store/blocks.h"
#include "store/filter_eval.h"
#include "store/operations.h"

namespace nta::store {
namespace {

std::int64_t Nanoseconds(Timestamp time) { return time.time_since_epoch().count(); }

// Takes away what did not end within the interval.
absl::Status SelectByTime(FlowBatch& batch, const TimeInterval& interval, Mask& mask) {
  NTA_ASSIGN_OR_RETURN(const NumberColumn* last_seen, batch.Numbers(ColumnId::kLastSeen));
  const std::int64_t since = Nanoseconds(interval.since);
  const std::int64_t until = Nanoseconds(interval.until);
  for (std::size_t i = 0; i < mask.size(); ++i) {
    const auto time = static_cast<std::int64_t>((*last_seen)[i]);
    if (time < since || time >= until) mask[i] = 0;
  }
  return absl::OkStatus();
}

absl::StatusOr<StoredColumns> Columns(FlowBatch& batch, const Mask& mask) {
  using enum ColumnId;
  StoredColumns columns;
  struct Number {
    ColumnId id;
    std::span<const std::uint64_t> StoredColumns::*member;
  };
  const Number numbers[] = {{kProtocol, &StoredColumns::protocol},
                            {kSourcePort, &StoredColumns::source_port},
                            {kDestinationPort, &StoredColumns::destination_port},
                            {kIcmpType, &StoredColumns::icmp_type},
                            {kTcpState, &StoredColumns::tcp_state},
                            {kForwardPackets, &StoredColumns::forward_packets},
                            {kReversePackets, &StoredColumns::reverse_packets},
                            {kForwardWireBytes, &StoredColumns::forward_bytes},
                            {kReverseWireBytes, &StoredColumns::reverse_bytes}};
  for (const Number& number : numbers) {
    NTA_ASSIGN_OR_RETURN(const NumberColumn* column, batch.Numbers(number.id));
    columns.*number.member = *column;
  }
  NTA_ASSIGN_OR_RETURN(const AddressColumn* source, batch.Addresses(kSourceAddress));
  NTA_ASSIGN_OR_RETURN(const AddressColumn* destination, batch.Addresses(kDestinationAddress));
  columns.source_addresses = source->dictionary;
  columns.source = source->index;
  columns.destination_addresses = destination->dictionary;
  columns.destination = destination->index;
  columns.selected = mask;
  return columns;
}

}  // namespace

absl::Status ScanColumns(Connection& connection, const TimeInterval& interval,
                         const FlowFilter& filter,
                         absl::FunctionRef<absl::Status(const StoredColumns&)> visit) {
  NTA_RETURN_IF_ERROR(CheckInterval(interval));
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginRead(connection));
  BlockReader reader(connection);
  NTA_ASSIGN_OR_RETURN(const std::vector<BlockInfo> blocks, reader.List());
  std::size_t scanned = 0;
  for (const BlockInfo& block : blocks) {
    connection.ReportProgress(scanned++, blocks.size());
    // Blocks know when their flows began and when the last one ended.
    if (block.max_last_seen < interval.since || block.min_first_seen >= interval.until) continue;
    NTA_RETURN_IF_ERROR(connection.CheckDeadline());
    NTA_ASSIGN_OR_RETURN(const bool may_match, reader.MayMatch(block, filter));
    if (!may_match) continue;
    NTA_ASSIGN_OR_RETURN(const auto batch, reader.Open(block));
    NTA_ASSIGN_OR_RETURN(Mask mask, Select(filter, *batch));
    const bool all_inside =
        block.min_first_seen >= interval.since && block.max_last_seen < interval.until;
    if (!all_inside) NTA_RETURN_IF_ERROR(SelectByTime(*batch, interval, mask));
    if (std::find(mask.begin(), mask.end(), 1) == mask.end()) continue;
    NTA_ASSIGN_OR_RETURN(const StoredColumns columns, Columns(*batch, mask));
    NTA_RETURN_IF_ERROR(visit(columns));
  }
  return absl::OkStatus();
}

}  // namespace nta::store

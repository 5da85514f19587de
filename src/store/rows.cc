#include "store/rows.h"

#include "base/status.h"

namespace nta::store {
namespace {

absl::Status Damaged(std::string_view what) {
  return base::MakeStatus(absl::StatusCode::kDataLoss,
                          "the store is damaged: a row has " + std::string(what));
}

void BindDirection(Statement& statement, const FlowDirection& direction) {
  statement.BindAll(direction.packets, direction.wire_bytes, direction.ip_bytes,
                    direction.payload_bytes);
}

FlowDirection ReadDirection(Statement& statement, int column) {
  const auto count = [&](int offset) {
    return static_cast<std::uint64_t>(statement.Integer(column + offset));
  };
  return {
      .packets = count(0), .wire_bytes = count(1), .ip_bytes = count(2), .payload_bytes = count(3)};
}

}  // namespace

void BindFlow(Statement& statement, const FlowRecord& flow) {
  statement.BindAll(ToInteger(flow.first_seen), ToInteger(flow.last_seen), flow.protocol,
                    flow.source.address.bytes(), flow.source.port, flow.destination.address.bytes(),
                    flow.destination.port);
  if (flow.vlan) {
    statement.Bind(*flow.vlan);
  } else {
    statement.Bind(nullptr);
  }
  BindDirection(statement, flow.forward);
  BindDirection(statement, flow.reverse);
  statement.BindAll(flow.forward.tcp_flags, flow.reverse.tcp_flags,
                    static_cast<std::uint8_t>(flow.outcome),
                    static_cast<std::uint8_t>(flow.end_reason));
}

absl::StatusOr<IpAddress> ReadAddress(Statement& statement, int column) {
  const std::span<const std::uint8_t> bytes = statement.Blob(column);
  if (bytes.size() == 4) return IpAddress::V4(bytes.first<4>());
  if (bytes.size() == 16) return IpAddress::V6(bytes.first<16>());
  return Damaged("an address of " + std::to_string(bytes.size()) + " bytes");
}

absl::StatusOr<FlowRecord> ReadFlow(Statement& statement, int first_column) {
  int column = first_column;
  const auto integer = [&] { return statement.Integer(column++); };
  const auto small = [&] { return static_cast<std::uint8_t>(statement.Integer(column++)); };
  const auto port = [&] { return static_cast<std::uint16_t>(statement.Integer(column++)); };
  FlowRecord flow;
  flow.first_seen = ToTimestamp(integer());
  flow.last_seen = ToTimestamp(integer());
  flow.protocol = small();
  NTA_ASSIGN_OR_RETURN(flow.source.address, ReadAddress(statement, column++));
  flow.source.port = port();
  NTA_ASSIGN_OR_RETURN(flow.destination.address, ReadAddress(statement, column++));
  flow.destination.port = port();
  if (!statement.IsNull(column)) flow.vlan = static_cast<std::uint16_t>(statement.Integer(column));
  ++column;
  flow.forward = ReadDirection(statement, column);
  flow.reverse = ReadDirection(statement, column + 4);
  column += 8;
  flow.forward.tcp_flags = small();
  flow.reverse.tcp_flags = small();
  const std::int64_t outcome = integer();
  const std::int64_t end_reason = integer();
  if (outcome < 0 || outcome > static_cast<int>(ContactOutcome::kUnreachable) || end_reason < 0 ||
      end_reason > static_cast<int>(FlowEndReason::kLackOfResources)) {
    return Damaged("an unknown outcome or end reason");
  }
  flow.outcome = static_cast<ContactOutcome>(outcome);
  flow.end_reason = static_cast<FlowEndReason>(end_reason);
  return flow;
}

}  // namespace nta::store

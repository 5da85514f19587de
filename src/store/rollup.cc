#include "store/rollup.h"

#include <algorithm>
#include <vector>

#include "base/status.h"

namespace nta::store {
namespace {

// About 100 MB at the most, and only when long flows touch thousands of minutes each.
constexpr std::size_t kLargeRows = 400'000;

// In the order of the primary key, so that neighbours share pages: 2 times faster than in the order
// of the hash.
template <typename Map>
auto Sorted(const Map& map) {
  std::vector<const typename Map::value_type*> rows;
  rows.reserve(map.size());
  for (const auto& row : map) rows.push_back(&row);
  std::sort(rows.begin(), rows.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  return rows;
}

}  // namespace

void Rollup::Add(const FlowRecord& flow, Minute before) {
  ForEachMinute(flow, [&](Minute minute, const Share& share) {
    if (minute >= before) return;
    protocols_[{minute, flow.protocol}].Add(share);
    AddAddresses(flow, minute, share);
    if (HasPorts(flow.protocol)) AddPorts(flow, minute, share);
  });
}

void Rollup::AddAddresses(const FlowRecord& flow, Minute minute, const Share& share) {
  const auto add = [&share](AddressRole& role, std::uint64_t sent, std::uint64_t received) {
    role.sent += sent;
    role.received += received;
    role.packets += share.packets;
    role.flows += share.flows;
  };
  AddressTotals& source = addresses_[{minute, flow.source.address, flow.protocol}];
  add(source.source, share.forward_bytes, share.reverse_bytes);
  // A flow of an address with itself must not count twice in the total of the address.
  if (flow.source.address == flow.destination.address) source.itself.Add(share);
  AddressTotals& destination = addresses_[{minute, flow.destination.address, flow.protocol}];
  add(destination.destination, share.reverse_bytes, share.forward_bytes);
}

void Rollup::AddPorts(const FlowRecord& flow, Minute minute, const Share& share) {
  ports_[{minute, flow.source.port, flow.protocol}].source.Add(share);
  ports_[{minute, flow.destination.port, flow.protocol}].destination.Add(share);
}

absl::Status Rollup::Flush(Connection& connection) {
  NTA_RETURN_IF_ERROR(FlushProtocols(connection));
  NTA_RETURN_IF_ERROR(FlushAddresses(connection));
  NTA_RETURN_IF_ERROR(FlushPorts(connection));
  Clear();
  return absl::OkStatus();
}

absl::Status Rollup::FlushIfLarge(Connection& connection) {
  return addresses_.size() + ports_.size() < kLargeRows ? absl::OkStatus() : Flush(connection);
}

void Rollup::Clear() {
  protocols_.clear();
  addresses_.clear();
  ports_.clear();
}

absl::Status Rollup::FlushProtocols(Connection& connection) {
  NTA_ASSIGN_OR_RETURN(Statement * statement, connection.Cached(R"sql(
      INSERT INTO rollup_protocol(minute, protocol, bytes, packets, flows) VALUES(?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes,
        packets = packets + excluded.packets, flows = flows + excluded.flows)sql"));
  for (const auto* row : Sorted(protocols_)) {
    const auto& [key, totals] = *row;
    statement->BindAll(key.minute, key.protocol, totals.bytes, totals.packets, totals.flows);
    NTA_RETURN_IF_ERROR(statement->Run());
  }
  return absl::OkStatus();
}

absl::Status Rollup::FlushAddresses(Connection& connection) {
  NTA_ASSIGN_OR_RETURN(Statement * statement, connection.Cached(R"sql(
      INSERT INTO rollup_address(minute, address, protocol,
        sent_as_source, received_as_source, packets_as_source, flows_as_source,
        sent_as_destination, received_as_destination, packets_as_destination, flows_as_destination,
        bytes_to_itself, packets_to_itself, flows_to_itself)
      VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET
        sent_as_source = sent_as_source + excluded.sent_as_source,
        received_as_source = received_as_source + excluded.received_as_source,
        packets_as_source = packets_as_source + excluded.packets_as_source,
        flows_as_source = flows_as_source + excluded.flows_as_source,
        sent_as_destination = sent_as_destination + excluded.sent_as_destination,
        received_as_destination = received_as_destination + excluded.received_as_destination,
        packets_as_destination = packets_as_destination + excluded.packets_as_destination,
        flows_as_destination = flows_as_destination + excluded.flows_as_destination,
        bytes_to_itself = bytes_to_itself + excluded.bytes_to_itself,
        packets_to_itself = packets_to_itself + excluded.packets_to_itself,
        flows_to_itself = flows_to_itself + excluded.flows_to_itself)sql"));
  for (const auto* row : Sorted(addresses_)) {
    const auto& [key, totals] = *row;
    statement->BindAll(key.minute, key.address.bytes(), key.protocol);
    for (const AddressRole* role : {&totals.source, &totals.destination}) {
      statement->BindAll(role->sent, role->received, role->packets, role->flows);
    }
    statement->BindAll(totals.itself.bytes, totals.itself.packets, totals.itself.flows);
    NTA_RETURN_IF_ERROR(statement->Run());
  }
  return absl::OkStatus();
}

absl::Status Rollup::FlushPorts(Connection& connection) {
  NTA_ASSIGN_OR_RETURN(Statement * statement, connection.Cached(R"sql(
      INSERT INTO rollup_port(minute, port, protocol, bytes_as_source, packets_as_source,
        flows_as_source, bytes_as_destination, packets_as_destination, flows_as_destination)
      VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET
        bytes_as_source = bytes_as_source + excluded.bytes_as_source,
        packets_as_source = packets_as_source + excluded.packets_as_source,
        flows_as_source = flows_as_source + excluded.flows_as_source,
        bytes_as_destination = bytes_as_destination + excluded.bytes_as_destination,
        packets_as_destination = packets_as_destination + excluded.packets_as_destination,
        flows_as_destination = flows_as_destination + excluded.flows_as_destination)sql"));
  for (const auto* row : Sorted(ports_)) {
    const auto& [key, totals] = *row;
    statement->BindAll(key.minute, key.port, key.protocol);
    for (const Totals* role : {&totals.source, &totals.destination}) {
      statement->BindAll(role->bytes, role->packets, role->flows);
    }
    NTA_RETURN_IF_ERROR(statement->Run());
  }
  return absl::OkStatus();
}

}  // namespace nta::store

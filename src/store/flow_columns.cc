#include "store/flow_columns.h"

#include <array>
#include <memory>
#include <vector>

#include "store/rows.h"
#include "store/statistics_codec.h"

namespace nta::store {
namespace {

// A number of the record, given by a function that returns a reference to it.
template <auto kMember>
FlowColumn Number(ColumnId id, std::string_view name) {
  FlowColumn column{.id = id, .name = name};
  column.get_numbers = [](std::span<const FlowRecord> flows, std::uint64_t* numbers) {
    for (const FlowRecord& flow : flows) {
      *numbers++ = static_cast<std::uint64_t>(kMember(const_cast<FlowRecord&>(flow)));
    }
  };
  column.set_number = [](FlowRecord& flow, std::uint64_t number) {
    auto& field = kMember(flow);
    using Field = std::remove_reference_t<decltype(field)>;
    field = static_cast<Field>(number);
    return static_cast<std::uint64_t>(field) == number;
  };
  return column;
}

template <auto kMember, auto kLast>
FlowColumn Enum(ColumnId id, std::string_view name) {
  FlowColumn column = Number<kMember>(id, name);
  column.set_number = [](FlowRecord& flow, std::uint64_t number) {
    if (number > static_cast<std::uint64_t>(kLast)) return false;
    kMember(flow) = static_cast<decltype(kLast)>(number);
    return true;
  };
  return column;
}

template <auto kMember>
FlowColumn Time(ColumnId id, std::string_view name) {
  FlowColumn column{.id = id, .name = name};
  column.get_numbers = [](std::span<const FlowRecord> flows, std::uint64_t* numbers) {
    for (const FlowRecord& flow : flows) {
      *numbers++ = static_cast<std::uint64_t>(ToInteger(kMember(const_cast<FlowRecord&>(flow))));
    }
  };
  column.set_number = [](FlowRecord& flow, std::uint64_t number) {
    kMember(flow) = ToTimestamp(static_cast<std::int64_t>(number));
    return true;
  };
  return column;
}

template <auto kMember>
FlowColumn Optional(ColumnId id, std::string_view name) {
  FlowColumn column{.id = id, .name = name, .type = ColumnType::kOptional};
  column.get_numbers = [](std::span<const FlowRecord> flows, std::uint64_t* numbers) {
    for (const FlowRecord& flow : flows) {
      const auto& field = kMember(const_cast<FlowRecord&>(flow));
      *numbers++ = field ? static_cast<std::uint64_t>(*field) + 1 : 0;
    }
  };
  column.set_number = [](FlowRecord& flow, std::uint64_t number) {
    auto& field = kMember(flow);
    using Value = typename std::remove_reference_t<decltype(field)>::value_type;
    field.reset();
    if (number == 0) return true;
    field = static_cast<Value>(number - 1);
    return static_cast<std::uint64_t>(*field) == number - 1;
  };
  return column;
}

template <auto kMember>
FlowColumn Address(ColumnId id, std::string_view name) {
  FlowColumn column{.id = id, .name = name, .type = ColumnType::kAddress};
  column.get_address = [](const FlowRecord& flow) -> const IpAddress& {
    return kMember(const_cast<FlowRecord&>(flow));
  };
  column.set_address = [](FlowRecord& flow, const IpAddress& address) { kMember(flow) = address; };
  return column;
}

FlowColumn Predicted(FlowColumn column, Prediction prediction) {
  column.prediction = prediction;
  return column;
}

FlowColumn Growing(FlowColumn column) {
  column.grows = true;
  return column;
}

// Type and code are set one after the other; the record has both or neither.
template <std::uint8_t IcmpMessage::*kMember>
FlowColumn Icmp(ColumnId id, std::string_view name) {
  FlowColumn column{.id = id, .name = name, .type = ColumnType::kOptional};
  column.get_numbers = [](std::span<const FlowRecord> flows, std::uint64_t* numbers) {
    for (const FlowRecord& flow : flows) {
      *numbers++ = flow.icmp ? std::uint64_t{(*flow.icmp).*kMember} + 1 : 0;
    }
  };
  column.set_number = [](FlowRecord& flow, std::uint64_t number) {
    if (number == 0) return true;
    if (!flow.icmp) flow.icmp.emplace();
    (*flow.icmp).*kMember = static_cast<std::uint8_t>(number - 1);
    return number <= 256;
  };
  return column;
}

FlowColumn Statistics() {
  FlowColumn column{.id = ColumnId::kStatistics, .name = "statistics", .type = ColumnType::kBytes};
  column.get_text = [](const FlowColumn&, const FlowRecord& flow) {
    return flow.statistics ? EncodeStatistics(*flow.statistics) : std::string();
  };
  column.set_text = [](const FlowColumn&, FlowRecord& flow, const std::string& text) {
    auto statistics = std::make_shared<FlowStatistics>();
    if (!DecodeStatistics(text, *statistics)) return false;
    flow.statistics = std::move(statistics);
    return true;
  };
  return column;
}

FlowColumn Metadata(MetadataField field) {
  const auto field_of = [](const FlowColumn& column) {
    return static_cast<MetadataField>(static_cast<int>(column.id) -
                                      static_cast<int>(ColumnId::kFirstMetadata));
  };
  static_assert(std::is_empty_v<decltype(field_of)>);
  FlowColumn column{
      .id = MetadataColumn(field), .name = ToString(field), .type = ColumnType::kText};
  column.get_text = [](const FlowColumn& self, const FlowRecord& flow) {
    return flow.metadata ? std::string(flow.metadata->Get(decltype(field_of)()(self)))
                         : std::string();
  };
  column.set_text = [](const FlowColumn& self, FlowRecord& flow, const std::string& text) {
    // Nobody else has the record yet.
    auto metadata = flow.metadata ? std::make_shared<FlowMetadata>(*flow.metadata)
                                  : std::make_shared<FlowMetadata>();
    metadata->Set(decltype(field_of)()(self), text);
    flow.metadata = std::move(metadata);
    return true;
  };
  return column;
}

#define NTA_FIELD(field) \
  [](FlowRecord & flow) -> auto& { return flow.field; }

std::vector<FlowColumn> MakeColumns() {
  using enum ColumnId;
  // Of a frame, Ethernet's header does not count as IP; of TCP over IPv4, 40 bytes are headers.
  constexpr std::int64_t kLinkBytes = 14;
  constexpr std::int64_t kHeaderBytes = 40;
  std::vector<FlowColumn> columns{
      Growing({.id = kId, .name = "id"}),
      Predicted(Time<NTA_FIELD(first_seen)>(kFirstSeen, "first_seen"),
                {kLastSeen, kForwardPackets, 0}),
      Growing(Time<NTA_FIELD(last_seen)>(kLastSeen, "last_seen")),
      Number<NTA_FIELD(protocol)>(kProtocol, "protocol"),
      Address<NTA_FIELD(source.address)>(kSourceAddress, "source_address"),
      Number<NTA_FIELD(source.port)>(kSourcePort, "source_port"),
      Address<NTA_FIELD(destination.address)>(kDestinationAddress, "destination_address"),
      Number<NTA_FIELD(destination.port)>(kDestinationPort, "destination_port"),
      Optional<NTA_FIELD(vlan)>(kVlan, "vlan"),
      Number<NTA_FIELD(forward.packets)>(kForwardPackets, "forward_packets"),
      Number<NTA_FIELD(forward.wire_bytes)>(kForwardWireBytes, "forward_wire_bytes"),
      Predicted(Number<NTA_FIELD(forward.ip_bytes)>(kForwardIpBytes, "forward_ip_bytes"),
                {kForwardWireBytes, kForwardPackets, kLinkBytes}),
      Predicted(
          Number<NTA_FIELD(forward.payload_bytes)>(kForwardPayloadBytes, "forward_payload_bytes"),
          {kForwardIpBytes, kForwardPackets, kHeaderBytes}),
      Number<NTA_FIELD(reverse.packets)>(kReversePackets, "reverse_packets"),
      Number<NTA_FIELD(reverse.wire_bytes)>(kReverseWireBytes, "reverse_wire_bytes"),
      Predicted(Number<NTA_FIELD(reverse.ip_bytes)>(kReverseIpBytes, "reverse_ip_bytes"),
                {kReverseWireBytes, kReversePackets, kLinkBytes}),
      Predicted(
          Number<NTA_FIELD(reverse.payload_bytes)>(kReversePayloadBytes, "reverse_payload_bytes"),
          {kReverseIpBytes, kReversePackets, kHeaderBytes}),
      Number<NTA_FIELD(forward.tcp_flags)>(kForwardTcpFlags, "forward_tcp_flags"),
      Number<NTA_FIELD(reverse.tcp_flags)>(kReverseTcpFlags, "reverse_tcp_flags"),
      Enum<NTA_FIELD(outcome), ContactOutcome::kUnreachable>(kOutcome, "outcome"),
      Enum<NTA_FIELD(end_reason), FlowEndReason::kLackOfResources>(kEndReason, "end_reason"),
      Enum<NTA_FIELD(tcp_state), TcpState::kReset>(kTcpState, "tcp_state"),
      Icmp<&IcmpMessage::type>(kIcmpType, "icmp_type"),
      Icmp<&IcmpMessage::code>(kIcmpCode, "icmp_code"),
      // Of a newer library, too.
      Number<NTA_FIELD(application)>(kApplication, "application"),
      Number<NTA_FIELD(category)>(kCategory, "category"),
      Enum<NTA_FIELD(evidence), ApplicationEvidence::kPayload>(kEvidence, "evidence"),
      Statistics(),
  };
  for (const MetadataField field : MetadataFields()) columns.push_back(Metadata(field));
  return columns;
}

struct Table {
  Table() {
    for (const FlowColumn& column : columns) by_id[static_cast<std::size_t>(column.id)] = &column;
  }
  const std::vector<FlowColumn> columns = MakeColumns();
  std::array<const FlowColumn*, kMaxColumns> by_id{};
};

const Table& TheTable() {
  static const Table table;
  return table;
}

#undef NTA_FIELD

}  // namespace

std::span<const FlowColumn> FlowColumns() { return TheTable().columns; }

const FlowColumn* FindColumn(std::size_t id) {
  return id < kMaxColumns ? TheTable().by_id[id] : nullptr;
}

}  // namespace nta::store

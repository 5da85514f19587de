#include "export/csv_columns.h"

#include <charconv>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "nta/flow/application.h"
#include "nta/flow/flow_metadata.h"

namespace nta::csv {
namespace {

constexpr std::size_t kStandardColumns = 20;

template <typename Number>
bool ReadNumber(std::string_view text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end && !text.empty();
}

// A number that is never absent, given by a function that returns a reference to it.
template <auto kMember>
Column Number(std::string name) {
  return {std::move(name),
          [](std::string_view text, FlowRecord& flow) { return ReadNumber(text, kMember(flow)); },
          nullptr, true};
}

template <auto kMember>
Column Time(std::string name) {
  return {std::move(name),
          [](std::string_view text, FlowRecord& flow) {
            std::int64_t nanoseconds = 0;
            if (!ReadNumber(text, nanoseconds)) return false;
            kMember(flow) = Timestamp(Duration(nanoseconds));
            return true;
          },
          nullptr, true};
}

template <auto kMember>
Column Address(std::string name) {
  return {std::move(name),
          [](std::string_view text, FlowRecord& flow) {
            const absl::StatusOr<IpAddress> address = IpAddress::Parse(text);
            if (address.ok()) kMember(flow) = *address;
            return address.ok();
          },
          nullptr, true};
}

// A name of an enumeration; empty leaves it as it is.
template <auto kMember, auto kParse>
Column Name(std::string name, std::function<std::string(const FlowRecord&)> write = nullptr) {
  return {std::move(name),
          [](std::string_view text, FlowRecord& flow) {
            if (text.empty()) return true;
            const auto value = kParse(text);
            if (value.ok()) kMember(flow) = *value;
            return value.ok();
          },
          std::move(write)};
}

absl::StatusOr<ContactOutcome> ParseOutcome(std::string_view text) {
  for (int i = 0; i <= static_cast<int>(ContactOutcome::kUnreachable); ++i) {
    if (ToString(static_cast<ContactOutcome>(i)) == text) return static_cast<ContactOutcome>(i);
  }
  return absl::InvalidArgumentError("not an outcome");
}

Column Vlan() {
  return {"vlan",
          [](std::string_view text, FlowRecord& flow) {
            std::uint16_t vlan = 0;
            if (text.empty()) return true;
            if (!ReadNumber(text, vlan)) return false;
            flow.vlan = vlan;
            return true;
          },
          nullptr};
}

// The standard column says what messages have told.
Column KnownApplication() {
  return {"application",
          [](std::string_view text, FlowRecord& flow) {
            if (text.empty()) return true;
            const absl::StatusOr<Application> application = ParseApplication(text);
            if (!application.ok()) return false;
            flow.application = *application;
            flow.evidence = ApplicationEvidence::kPayload;
            return true;
          },
          nullptr};
}

Column IcmpNumber(std::string name, std::uint8_t IcmpMessage::*member) {
  return {std::move(name),
          [member](std::string_view text, FlowRecord& flow) {
            if (text.empty()) return true;
            if (!flow.icmp) flow.icmp.emplace();
            return ReadNumber(text, (*flow.icmp).*member);
          },
          [member](const FlowRecord& flow) {
            return flow.icmp ? std::to_string((*flow.icmp).*member) : std::string();
          }};
}

Column Metadata(MetadataField field) {
  return {std::string(ToString(field)),
          [field](std::string_view text, FlowRecord& flow) {
            if (text.empty()) return true;
            // Nobody else has the record yet.
            auto metadata = flow.metadata ? std::make_shared<FlowMetadata>(*flow.metadata)
                                          : std::make_shared<FlowMetadata>();
            metadata->Set(field, text);
            flow.metadata = std::move(metadata);
            return true;
          },
          [field](const FlowRecord& flow) {
            return flow.metadata ? std::string(flow.metadata->Get(field)) : std::string();
          }};
}

#define NTA_FIELD(field) \
  [](FlowRecord & flow) -> auto& { return flow.field; }

std::vector<Column> MakeColumns() {
  std::vector<Column> columns = {
      Time<NTA_FIELD(first_seen)>("first_seen"),
      Time<NTA_FIELD(last_seen)>("last_seen"),
      Number<NTA_FIELD(protocol)>("protocol"),
      Address<NTA_FIELD(source.address)>("source_address"),
      Number<NTA_FIELD(source.port)>("source_port"),
      Address<NTA_FIELD(destination.address)>("destination_address"),
      Number<NTA_FIELD(destination.port)>("destination_port"),
      Vlan(),
      Number<NTA_FIELD(forward.packets)>("forward_packets"),
      Number<NTA_FIELD(forward.wire_bytes)>("forward_wire_bytes"),
      Number<NTA_FIELD(forward.ip_bytes)>("forward_ip_bytes"),
      Number<NTA_FIELD(forward.payload_bytes)>("forward_payload_bytes"),
      Number<NTA_FIELD(reverse.packets)>("reverse_packets"),
      Number<NTA_FIELD(reverse.wire_bytes)>("reverse_wire_bytes"),
      Number<NTA_FIELD(reverse.ip_bytes)>("reverse_ip_bytes"),
      Number<NTA_FIELD(reverse.payload_bytes)>("reverse_payload_bytes"),
      Number<NTA_FIELD(forward.tcp_flags)>("forward_tcp_flags"),
      Number<NTA_FIELD(reverse.tcp_flags)>("reverse_tcp_flags"),
      KnownApplication(),
      Name<NTA_FIELD(end_reason), ParseFlowEndReason>("end_reason"),
      Name<NTA_FIELD(application), ParseApplication>(
          "application_name",
          [](const FlowRecord& flow) { return std::string(ToString(flow.application)); }),
      Name<NTA_FIELD(category), ParseApplicationCategory>(
          "category", [](const FlowRecord& flow) { return std::string(ToString(flow.category)); }),
      Name<NTA_FIELD(evidence), ParseApplicationEvidence>(
          "evidence", [](const FlowRecord& flow) { return std::string(ToString(flow.evidence)); }),
      Name<NTA_FIELD(outcome), ParseOutcome>(
          "outcome", [](const FlowRecord& flow) { return std::string(ToString(flow.outcome)); }),
      Name<NTA_FIELD(tcp_state), ParseTcpState>(
          "tcp_state",
          [](const FlowRecord& flow) { return std::string(ToString(flow.tcp_state)); }),
      IcmpNumber("icmp_type", &IcmpMessage::type),
      IcmpNumber("icmp_code", &IcmpMessage::code),
  };
  for (const MetadataField field : MetadataFields()) columns.push_back(Metadata(field));
  return columns;
}

#undef NTA_FIELD

}  // namespace

const std::vector<Column>& Columns() {
  static const std::vector<Column> columns = MakeColumns();
  return columns;
}

std::vector<std::string> DetailNames() {
  std::vector<std::string> names;
  for (std::size_t i = kStandardColumns; i < Columns().size(); ++i) {
    names.push_back(Columns()[i].name);
  }
  return names;
}

void AppendDetails(const FlowRecord& flow, std::string& out) {
  for (std::size_t i = kStandardColumns; i < Columns().size(); ++i) {
    out += ',';
    out += Cell(Columns()[i].write(flow));
  }
}

std::string Cell(std::string_view text) {
  // A quote of the text itself is doubled in the same way, so that reading takes exactly one off.
  constexpr std::string_view kFormula = "=+-@\t\r'";
  std::string cell;
  if (!text.empty() && kFormula.find(text.front()) != std::string_view::npos) cell += '\'';
  cell += text;
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

}  // namespace nta::csv

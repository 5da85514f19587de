#include "nta/export/flow_csv.h"

#include <charconv>
#include <cstdint>

namespace nta {
namespace {

template <typename Integer>
void AppendNumber(Integer value, std::string& out) {
  char text[24];
  const auto result = std::to_chars(text, text + sizeof(text), value);
  out.append(text, result.ptr);
}

template <typename Integer>
void AppendField(Integer value, std::string& out) {
  AppendNumber(value, out);
  out += ',';
}

void AppendDirection(const FlowDirection& direction, std::string& out) {
  AppendField(direction.packets, out);
  AppendField(direction.wire_bytes, out);
  AppendField(direction.ip_bytes, out);
  AppendField(direction.payload_bytes, out);
}

void AppendEndpoint(const Endpoint& endpoint, std::string& out) {
  out += endpoint.address.ToString();
  out += ',';
  AppendField(endpoint.port, out);
}

}  // namespace

void AppendFlowCsv(const FlowRecord& flow, std::string& out) {
  AppendField(flow.first_seen.time_since_epoch().count(), out);
  AppendField(flow.last_seen.time_since_epoch().count(), out);
  AppendField(flow.protocol, out);
  AppendEndpoint(flow.source, out);
  AppendEndpoint(flow.destination, out);
  if (flow.vlan) AppendNumber(*flow.vlan, out);
  out += ',';
  AppendDirection(flow.forward, out);
  AppendDirection(flow.reverse, out);
  AppendField(flow.forward.tcp_flags, out);
  AppendField(flow.reverse.tcp_flags, out);
  // A port is a guess; this column is knowledge.
  if (flow.evidence == ApplicationEvidence::kPayload) out += ToString(flow.application);
  out += ',';
  out += ToString(flow.end_reason);
  out += '\n';
}

}  // namespace nta

#include "site_flows.h"

#include <iterator>

namespace nta::bench {

std::vector<FlowRecord> SiteFlows::Take(std::size_t count) {
  std::vector<FlowRecord> flows;
  flows.reserve(count);
  while (flows.size() < count) flows.push_back(Next());
  return flows;
}

FlowRecord SiteFlows::Next() {
  FlowRecord flow;
  const double jitter = static_cast<double>(random_() % 1'000) / 1'000;
  flow.last_seen = kStart + Duration(static_cast<std::int64_t>(
                                (static_cast<double>(made_++) + jitter) * nanoseconds_per_flow_));
  const std::uint64_t kind = random_() % 20;
  const Duration seconds = std::chrono::seconds(1);
  flow.first_seen =
      flow.last_seen - (kind < 14   ? Duration(random_() % 500'000'000)
                        : kind < 19 ? Duration(random_() % 30'000'000'000)
                                    : Duration(random_() % 300'000'000'000) + seconds);
  const bool is_tcp = random_() % 10 < 7;
  flow.protocol = is_tcp ? kProtocolTcp : kProtocolUdp;
  flow.source = {Address(10, 5'000), static_cast<std::uint16_t>(32'768 + random_() % 28'000)};
  static constexpr std::uint16_t kPorts[] = {443, 443, 443, 53, 53, 80, 22, 123, 8'080, 3'389};
  flow.destination = {Address(192, 20'000), kPorts[random_() % std::size(kPorts)]};
  Fill(flow.forward, 1 + random_() % 20, 400, is_tcp);
  Fill(flow.reverse, random_() % 30, 1'400, is_tcp);
  flow.outcome = ContactOutcome::kAnswered;
  flow.end_reason = is_tcp ? FlowEndReason::kEndOfFlow : FlowEndReason::kIdleTimeout;
  flow.tcp_state = is_tcp ? TcpState::kClosed : TcpState::kNone;
  return flow;
}

void SiteFlows::Fill(FlowDirection& direction, std::uint64_t packets, std::uint64_t most,
                     bool is_tcp) {
  direction.packets = packets;
  direction.payload_bytes = packets == 0 ? 0 : random_() % (packets * most);
  direction.ip_bytes = direction.payload_bytes + packets * (is_tcp ? 52 : 28);
  direction.wire_bytes = direction.ip_bytes + packets * 14;
  direction.tcp_flags = is_tcp && packets > 0 ? 0x1b : 0;
}

// Zipf-like: the product of uniform numbers prefers the small.
IpAddress SiteFlows::Address(std::uint8_t net, std::uint64_t hosts) {
  const double uniform = static_cast<double>(random_() % 65'536) / 65'536;
  const auto host =
      static_cast<std::uint64_t>(uniform * uniform * uniform * static_cast<double>(hosts));
  return IpAddress::V4(net, 0, static_cast<std::uint8_t>(host >> 8),
                       static_cast<std::uint8_t>(host));
}

}  // namespace nta::bench

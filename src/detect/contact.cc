#include "detect/contact.h"

#include <algorithm>
#include <array>

#include "nta/packet/decode.h"

namespace nta::detect {
namespace {

// Services that answer to a group query from their own port, so that the answer looks like a flow
// of its own: SSDP, WS-Discovery, mDNS, LLMNR. Below 1024 every port counts as a service.
constexpr std::array<std::uint16_t, 4> kReplyPorts = {1900, 3702, 5353, 5355};
constexpr std::uint16_t kFirstUserPort = 1024;
// traceroute counts its destination port up from 33434, one per probe.
constexpr std::uint16_t kTracerouteFirst = 33434;
constexpr std::uint16_t kTracerouteLast = 33689;

bool IsOneHost(const IpAddress& address) {
  if (address.is_multicast()) return false;
  const auto bytes = address.bytes();
  const auto equals = [&bytes](std::uint8_t value) {
    return std::all_of(bytes.begin(), bytes.end(), [value](auto b) { return b == value; });
  };
  return !equals(0) && !(address.is_v4() && equals(255));
}

// The netmask is not known; .255 is the broadcast address of nearly every network that uses it.
bool MayBeBroadcast(const IpAddress& address) {
  return address.is_v4() && address.bytes()[3] == 255;
}

bool IsDatagramContact(const FlowRecord& flow) {
  const std::uint16_t from = flow.source.port;
  const std::uint16_t to = flow.destination.port;
  if (MayBeBroadcast(flow.destination.address)) return false;
  if (to >= kTracerouteFirst && to <= kTracerouteLast) return false;
  const bool from_service =
      from < kFirstUserPort ||
      std::find(kReplyPorts.begin(), kReplyPorts.end(), from) != kReplyPorts.end();
  return !(from_service && to >= kFirstUserPort);
}

// FIN, FIN+PSH+URG and the like as the first packet: no stack opens or continues a connection so,
// and nobody answers a stranger so, thus it is no backscatter either (RFC 9293, 3.10.7). A packet
// without any flag may also be one whose header was cut off by the capture, which the flow cannot
// tell.
bool IsStealthProbe(const FlowRecord& flow) {
  const std::uint8_t flags = flow.forward.tcp_flags;
  return flags != 0 && (flags & (kTcpSyn | kTcpAck | kTcpRst)) == 0;
}

bool IsTcpContact(const FlowRecord& flow) {
  return flow.outcome != ContactOutcome::kUnknown || IsStealthProbe(flow);
}

}  // namespace

std::optional<Contact> ContactOf(const FlowRecord& flow) {
  const IpAddress& source = flow.source.address;
  const IpAddress& destination = flow.destination.address;
  if (!IsOneHost(source) || !IsOneHost(destination) || source == destination) return std::nullopt;
  const Contact contact{source, destination, flow.destination.port, flow.protocol};
  const bool has_ports = flow.source.port != 0 || flow.destination.port != 0;
  switch (flow.protocol) {
    case kProtocolTcp:
      if (!has_ports || !IsTcpContact(flow)) return std::nullopt;
      return contact;
    case kProtocolUdp:
    case kProtocolUdpLite:
    case kProtocolSctp:
    case kProtocolDccp:
      if (!has_ports || flow.outcome == ContactOutcome::kUnknown) return std::nullopt;
      if (!IsDatagramContact(flow)) return std::nullopt;
      return contact;
    case kProtocolIcmp:
    case kProtocolIcmpV6:
      if (flow.outcome == ContactOutcome::kUnknown) return std::nullopt;
      return Contact{source, destination, 0, flow.protocol};
    default:
      return std::nullopt;
  }
}

Verdict VerdictOf(const FlowRecord& flow, FlowIs state) {
  switch (flow.outcome) {
    case ContactOutcome::kAnswered:
      return Verdict::kSucceeded;
    case ContactOutcome::kRefused:
      return Verdict::kRefused;
    case ContactOutcome::kUnreachable:
      return Verdict::kUnreachable;
    case ContactOutcome::kUnknown:
      return Verdict::kRefused;  // only stealth probes come here
    case ContactOutcome::kPending:
      break;
  }
  if (flow.protocol == kProtocolTcp && (flow.forward.tcp_flags & (kTcpAck | kTcpRst)) == kTcpAck) {
    return Verdict::kSucceeded;  // who acknowledges was answered, by a path that the capture does
                                 // not see
  }
  if (state == FlowIs::kOpen) return Verdict::kWaiting;
  const bool must_answer = flow.protocol == kProtocolTcp || flow.protocol == kProtocolIcmp ||
                           flow.protocol == kProtocolIcmpV6;
  return must_answer ? Verdict::kUnanswered : Verdict::kNoReply;
}

std::uint64_t ContactFingerprint(const base::KeyedHash& hash, const Contact& contact) {
  const AddressWords source = WordsOf(contact.source);
  const AddressWords destination = WordsOf(contact.destination);
  const auto service = static_cast<std::uint64_t>(contact.port) << 16 |
                       static_cast<std::uint64_t>(contact.protocol) << 8 |
                       static_cast<std::uint64_t>(contact.destination.version());
  return hash(source.high, source.low, destination.high, destination.low, service);
}

std::uint64_t PairFingerprint(const base::KeyedHash& hash, const Contact& contact) {
  const AddressWords source = WordsOf(contact.source);
  const AddressWords destination = WordsOf(contact.destination);
  // Above any service number of ContactFingerprint.
  const std::uint64_t pair =
      std::uint64_t{1} << 40 | static_cast<std::uint64_t>(contact.destination.version());
  return hash(source.high, source.low, destination.high, destination.low, pair);
}

}  // namespace nta::detect

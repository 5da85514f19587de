// FlowRecord: one bidirectional flow. FlowEvent: what a flow table says about it.
//
//   if (event.type == nta::FlowEventType::kEnded) std::cout << event.flow.wire_bytes() << '\n';
#ifndef NTA_FLOW_FLOW_RECORD_H_
#define NTA_FLOW_FLOW_RECORD_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "nta/flow/application.h"
#include "nta/flow/flow_metadata.h"
#include "nta/flow/flow_statistics.h"
#include "nta/net/five_tuple.h"
#include "nta/net/time.h"

namespace nta {

// Why a flow record was closed: IPFIX flowEndReason (element 136). Numbers are persisted.
enum class FlowEndReason : std::uint8_t {
  kNone = 0,  // still open
  kIdleTimeout = 1,
  kActiveTimeout = 2,
  kEndOfFlow = 3,        // TCP FIN in both directions, or RST
  kForcedEnd = 4,        // EndAll()
  kLackOfResources = 5,  // evicted at the cap
};
std::string_view ToString(FlowEndReason reason);  // "idle_timeout", ..., "none"
absl::StatusOr<FlowEndReason> ParseFlowEndReason(std::string_view text);

// What became of the source's attempt to reach the destination. Numbers are persisted.
enum class ContactOutcome : std::uint8_t {
  kUnknown = 0,      // the beginning was not seen (TCP without SYN)
  kPending = 1,      // no answer so far
  kAnswered = 2,     // TCP: SYN-ACK; otherwise: any packet back
  kRefused = 3,      // TCP: RST instead of SYN-ACK
  kUnreachable = 4,  // an ICMP error quoted the attempt
};
std::string_view ToString(ContactOutcome outcome);

// How far a TCP connection has come, over all records of the flow. Numbers are persisted.
enum class TcpState : std::uint8_t {
  kNone = 0,         // not TCP
  kMidstream = 1,    // no handshake was seen
  kSynSent = 2,      // the source asked
  kSynReceived = 3,  // the destination answered with SYN-ACK
  kEstablished = 4,  // the source acknowledged that
  kClosing = 5,      // FIN in one direction
  kClosed = 6,       // FIN in both
  kReset = 7,        // RST from either side
};
std::string_view ToString(TcpState state);  // "none", "midstream", "syn_sent", ...
absl::StatusOr<TcpState> ParseTcpState(std::string_view text);

struct IcmpMessage {
  std::uint8_t type = 0;
  std::uint8_t code = 0;

  friend bool operator==(const IcmpMessage&, const IcmpMessage&) = default;
};

// Counters of one direction. Bytes of three layers are counted apart.
struct FlowDirection {
  std::uint64_t packets = 0;
  std::uint64_t wire_bytes = 0;     // original frame length, link header included
  std::uint64_t ip_bytes = 0;       // IPv4 total length, or IPv6 payload length + 40
  std::uint64_t payload_bytes = 0;  // after the transport header
  std::uint8_t tcp_flags = 0;       // OR over all packets

  friend bool operator==(const FlowDirection&, const FlowDirection&) = default;
};

// `source` spoke first; `forward` is source to destination. A SYN-ACK tells that its receiver spoke
// first, even if that was before the capture began.
struct FlowRecord {
  Timestamp first_seen{};
  Timestamp last_seen{};  // >= first_seen
  std::uint8_t protocol = 0;
  Endpoint source;
  Endpoint destination;
  std::optional<std::uint16_t> vlan;  // outermost 802.1Q id of the first packet
  FlowDirection forward;
  FlowDirection reverse;
  ContactOutcome outcome = ContactOutcome::kUnknown;
  FlowEndReason end_reason = FlowEndReason::kNone;
  TcpState tcp_state = TcpState::kNone;
  std::optional<IcmpMessage> icmp;  // of the first packet; absent for other protocols

  // What a FlowInspector found out; kUnknown without one.
  Application application = Application::kUnknown;
  ApplicationCategory category = ApplicationCategory::kUnknown;
  ApplicationEvidence evidence = ApplicationEvidence::kNone;
  // Shared because records are copied and these never change; null when there are none.
  std::shared_ptr<const FlowMetadata> metadata;
  std::shared_ptr<const FlowStatistics> statistics;  // FlowTableOptions::statistics

  std::uint64_t packets() const { return forward.packets + reverse.packets; }
  std::uint64_t wire_bytes() const { return forward.wire_bytes + reverse.wire_bytes; }
  Duration duration() const { return last_seen - first_seen; }
  FiveTuple five_tuple() const { return {source, destination, protocol}; }

  // By value, metadata and statistics included.
  friend bool operator==(const FlowRecord& a, const FlowRecord& b);
};

// Numbers say in which order a flow goes through them.
enum class FlowEventType : std::uint8_t {
  kStarted = 0,  // the first packet
  kUpdated = 1,  // `outcome` or `application` became known; or the active timeout closed a record
                 // of a flow that goes on
  kEnded = 2,    // the flow is over
};
std::string_view ToString(FlowEventType type);

struct FlowEvent {
  FlowEventType type = FlowEventType::kEnded;
  Timestamp time{};  // the packet or the deadline that caused it
  FlowRecord flow;   // as of now

  // Whether `flow` is final: each packet counts in exactly one such record.
  bool closes_record() const { return flow.end_reason != FlowEndReason::kNone; }
};

}  // namespace nta

#endif  // NTA_FLOW_FLOW_RECORD_H_

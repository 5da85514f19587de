#include "detect/flow_features.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <string>

#include "base/keyed_hash.h"
#include "detect/saturating_time.h"
#include "nta/detect/flow_anomaly_detector.h"
#include "nta/packet/decode.h"

namespace nta {

std::vector<std::string> FlowFeatureNames() {
  return {"duration",
          "forward packets",
          "reverse packets",
          "forward bytes",
          "reverse bytes",
          "upload to download ratio",
          "forward packet size",
          "reverse packet size",
          "forward payload",
          "reverse payload",
          "answer",
          "refusal",
          "silence",
          "reset",
          "orderly end",
          "handshake",
          "tcp",
          "udp",
          "icmp",
          "service port",
          "packet rate",
          "byte rate",
          "flows of the source in 1 s",
          "flows of the source in 10 s",
          "flows of the source in 100 s",
          "flows to this destination in 10 s",
          "flows to this service in 10 s",
          "flows to this service in 100 s"};
}

namespace detect {
namespace {

constexpr std::array<double, 3> kSeconds = {1, 10, 100};

double Log(double value) { return std::log1p(std::max(value, 0.0)); }
double Count(std::uint64_t value) { return static_cast<double>(value); }
double Flag(bool value) { return value ? 1 : 0; }

double MeanSize(const FlowDirection& direction) {
  if (direction.packets == 0) return 0;
  return Count(direction.ip_bytes) / Count(direction.packets) / 100;
}

}  // namespace

std::uint64_t HashOfAddress(const IpAddress& address) {
  std::uint64_t words[2];
  std::memcpy(words, address.padded_bytes().data(), sizeof words);
  return base::KeyedHash(0x666c6f77)(words[0], words[1]);
}

const FlowHistory::Fading& FlowHistory::Count(std::uint64_t hash, Timestamp time) {
  Fading& slot = slots_[(hash >> 32) % kSlots];
  const double passed =
      std::chrono::duration<double>(std::max(Duration(0), Since(slot.last, time))).count();
  for (std::size_t i = 0; i < kSeconds.size(); ++i) {
    slot.counts[i] = static_cast<float>(slot.counts[i] * std::exp(-passed / kSeconds[i]) + 1);
  }
  slot.last = std::max(slot.last, time);
  return slot;
}

FlowVector FlowHistory::Vector(const FlowRecord& flow) {
  const std::uint64_t from = HashOfAddress(flow.source.address);
  const std::uint64_t pair = base::KeyedHash(2)(from, HashOfAddress(flow.destination.address));
  const std::uint64_t service = base::KeyedHash(3)(pair, flow.destination.port);
  const auto of_source = Count(from, flow.first_seen).counts;
  const auto of_pair = Count(pair, flow.first_seen).counts;
  const auto of_service = Count(service, flow.first_seen).counts;
  const double seconds = std::chrono::duration<double>(flow.duration()).count();
  const auto packets = static_cast<double>(flow.packets());
  const auto forward = static_cast<double>(flow.forward.ip_bytes);
  const auto reverse = static_cast<double>(flow.reverse.ip_bytes);
  const std::uint8_t flags = flow.forward.tcp_flags | flow.reverse.tcp_flags;
  const std::uint16_t port = flow.destination.port;
  return {Log(1000 * seconds),
          Log(detect::Count(flow.forward.packets)),
          Log(detect::Count(flow.reverse.packets)),
          Log(forward),
          Log(reverse),
          Log(forward) - Log(reverse),
          MeanSize(flow.forward),
          MeanSize(flow.reverse),
          Log(detect::Count(flow.forward.payload_bytes)),
          Log(detect::Count(flow.reverse.payload_bytes)),
          Flag(flow.outcome == ContactOutcome::kAnswered),
          Flag(flow.outcome == ContactOutcome::kRefused ||
               flow.outcome == ContactOutcome::kUnreachable),
          Flag(flow.outcome == ContactOutcome::kPending),
          Flag((flags & kTcpRst) != 0),
          Flag((flags & kTcpFin) != 0),
          Flag((flags & kTcpSyn) != 0),
          Flag(flow.protocol == kProtocolTcp),
          Flag(flow.protocol == kProtocolUdp),
          Flag(flow.protocol == kProtocolIcmp || flow.protocol == kProtocolIcmpV6),
          port < 1024 ? std::log2(1.0 + port) : (port < 32768 ? 11 + port / 32768.0 : 14),
          Log(packets / std::max(seconds, 0.01)),
          Log((forward + reverse) / std::max(seconds, 0.01)),
          Log(of_source[0]),
          Log(of_source[1]),
          Log(of_source[2]),
          Log(of_pair[1]),
          Log(of_service[1]),
          Log(of_service[2])};
}

}  // namespace detect
}  // namespace nta

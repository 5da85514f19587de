// TrafficGenerator: the same traffic on every machine, for benchmarks and for comparisons with
// other programs.
//
//   nta::bench::TrafficGenerator traffic({.kind = nta::bench::TrafficKind::kMix, .packets =
//   1'000'000}); nta::PacketView packet; while (traffic.Next(packet)) ...
#ifndef NTA_BENCHMARKS_TRAFFIC_GENERATOR_H_
#define NTA_BENCHMARKS_TRAFFIC_GENERATOR_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "nta/capture/packet_source.h"
#include "nta/packet/packet.h"

namespace nta::bench {

enum class TrafficKind {
  // Web, DNS, streams and pings over IPv4 and IPv6: about 350 bytes and 15 packets a flow on
  // average, 20,000 flows at once.
  kMix,
  // 60-byte TCP packets of a million flows at once, busy ones far more often than quiet ones
  // (Zipf).
  kSmall,
  // SYN packets from random addresses and ports: nearly every packet is a new flow.
  kFlood,
};
std::optional<TrafficKind> ParseTrafficKind(std::string_view text);

struct TrafficOptions {
  TrafficKind kind = TrafficKind::kMix;
  std::uint64_t packets = 1'000'000;
  std::uint64_t seed = 1;
};

// xorshift64*: small, fast and the same everywhere, unlike the distributions of <random>.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
  std::uint64_t Next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1d;
  }
  // 0 <= result < limit
  std::uint32_t Below(std::uint32_t limit) {
    return static_cast<std::uint32_t>((Next() >> 32) * limit >> 32);
  }
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

class TrafficGenerator {
 public:
  explicit TrafficGenerator(TrafficOptions options);

  // The next packet, valid until the next call; false after the last.
  bool Next(PacketView& packet);

 private:
  struct Conversation {
    std::array<std::uint8_t, 16> client{};
    std::array<std::uint8_t, 16> server{};
    std::uint16_t client_port = 0;
    std::uint16_t server_port = 0;
    std::uint8_t protocol = 6;
    bool is_v6 = false;
    std::uint32_t sent = 0;
    std::uint32_t packets = 0;
    std::array<std::uint32_t, 2> next_sequence{1, 1};  // of the client, of the server
  };

  Conversation NewConversation();
  std::uint32_t Emit(Conversation& conversation, bool is_forward, std::uint8_t tcp_flags,
                     std::uint32_t payload_bytes);
  std::uint32_t NextMix();
  std::uint32_t EmitMix(Conversation& conversation);
  std::uint32_t NextSmall();
  std::uint32_t NextFlood();
  std::uint32_t ZipfRank();

  TrafficOptions options_;
  Random random_;
  std::uint64_t emitted_ = 0;
  Timestamp time_;
  std::vector<Conversation> conversations_;
  std::array<std::uint8_t, 1600> frame_{};
};

// The generated packets as a PacketSource.
class GeneratedSource final : public PacketSource {
 public:
  explicit GeneratedSource(TrafficOptions options);
  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override;
  CaptureStats Stats() const override { return stats_; }
  bool is_live() const override { return false; }
  std::string name() const override { return "generated"; }

 private:
  TrafficGenerator generator_;
  std::vector<Packet> packets_;
  CaptureStats stats_;
};

}  // namespace nta::bench

#endif  // NTA_BENCHMARKS_TRAFFIC_GENERATOR_H_

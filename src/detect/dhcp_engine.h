// DhcpEngine: the DHCP detector behind its public face.
#ifndef NTA_SRC_DETECT_DHCP_ENGINE_H_
#define NTA_SRC_DETECT_DHCP_ENGINE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "detect/distinct_count.h"
#include "detect/recent_table.h"
#include "nta/detect/alert_tracker.h"
#include "nta/detect/dhcp_detector.h"
#include "nta/flow/flow_clock.h"

namespace nta::detect {

// What a DHCP message says, as far as it matters here (RFC 2131).
struct DhcpMessage {
  bool is_request = false;  // from a client
  MacAddress client;
  std::optional<IpAddress> server;  // option 54
};
std::optional<DhcpMessage> ReadDhcp(std::span<const std::uint8_t> payload);

class DhcpEngine {
 public:
  explicit DhcpEngine(const DhcpOptions& options);

  void ObservePackets(std::span<const PacketView> packets, std::span<const DecodedPacket> decoded,
                      std::vector<Alert>& alerts);
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts);
  void Finish(std::vector<Alert>& alerts);
  std::size_t memory_bytes() const;
  std::size_t memory_limit_bytes() const;
  std::uint64_t evictions() const { return servers_.evicted(); }
  std::string Save() const;
  static absl::StatusOr<DhcpEngine> Load(const DhcpOptions& options, std::string_view state);

 private:
  using Alerts = std::vector<Alert>;
  static constexpr std::size_t kSeconds = 10;

  void Request(const DecodedPacket& packet, const DhcpMessage& message, Alerts& alerts);
  void Reply(const DecodedPacket& packet, const DhcpMessage& message, Alerts& alerts);
  void Turn(std::int64_t second);

  DhcpOptions options_;
  FlowClock clock_;
  // Requests of the latest ten seconds, by second.
  std::array<std::uint32_t, kSeconds> counts_{};
  std::int64_t second_ = 0;
  DistinctCount clients_;  // since the requests began to be many
  std::uint64_t in_flood_ = 0;
  Timestamp flood_start_{};
  double usual_ = 0;                           // requests in ten seconds, learned
  RecentTable<IpAddress, Timestamp> servers_;  // first heard
  Timestamp first_server_{};
  AlertTracker tracker_;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_DHCP_ENGINE_H_

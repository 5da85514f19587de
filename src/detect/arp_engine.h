// ArpEngine: the ARP detector behind its public face.
#ifndef NTA_SRC_DETECT_ARP_ENGINE_H_
#define NTA_SRC_DETECT_ARP_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "detect/recent_table.h"
#include "detect/scan_source.h"
#include "nta/detect/alert_tracker.h"
#include "nta/detect/arp_spoof_detector.h"
#include "nta/flow/flow_clock.h"

namespace nta::detect {

// Who has an address.
struct ArpBinding {
  MacAddress mac;
  Timestamp last_seen{};
  // The one before, and when it was last heard.
  MacAddress former;
  Timestamp former_seen{};
  std::uint32_t takeovers = 0;    // changes of hand while both were there
  std::uint32_t returns = 0;      // of these, back to the former
  std::uint32_t unsolicited = 0;  // answers of the present owner to nobody's question
  bool mismatch = false;          // the frame came from another card than its content says
  Timestamp contested{};          // the first takeover of a row
  Timestamp asked{};              // the last question for it
};

struct ArpSender {
  static constexpr std::size_t kSamples = 32;
  double score = 0;  // silent targets that are not forgiven yet
  Timestamp forgiven_until{};
  std::uint64_t silent = 0;
  Timestamp first{};
  LinearCount targets;
  std::vector<IpAddress> recent;  // silent targets, a ring
  std::uint32_t next = 0;
};

class ArpEngine {
 public:
  explicit ArpEngine(const ArpSpoofOptions& options);

  void ObservePackets(std::span<const PacketView> packets, std::span<const DecodedPacket> decoded,
                      std::vector<Alert>& alerts);
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts);
  void Finish(std::vector<Alert>& alerts);
  std::size_t memory_bytes() const;
  std::size_t memory_limit_bytes() const;
  std::uint64_t evictions() const;
  std::string Save() const;
  static absl::StatusOr<ArpEngine> Load(const ArpSpoofOptions& options, std::string_view state);

 private:
  using Alerts = std::vector<Alert>;
  struct Question {
    IpAddress sender;
    IpAddress target;
    Timestamp deadline{};
  };

  void Observe(const DecodedPacket& packet, Alerts& alerts);
  void Claim(const DecodedPacket& packet, Alerts& alerts);
  void Contest(const IpAddress& address, ArpBinding& binding, Alerts& alerts);
  void Ask(const IpAddress& sender, const IpAddress& target, Alerts& alerts);
  void JudgeFront(Alerts& alerts);
  void FillSpoof(const IpAddress& address, const ArpBinding& binding, Alert& alert);
  // Another address of this card; null when it has none.
  const IpAddress* OtherAddressOf(const MacAddress& mac, const IpAddress& than);

  ArpSpoofOptions options_;
  FlowClock clock_;
  RecentTable<IpAddress, ArpBinding> bindings_;
  RecentTable<IpAddress, ArpSender> senders_;
  RecentTable<MacAddress, IpAddress> cards_;  // the address that a card has had for longest
  std::deque<Question> questions_;
  AlertTracker tracker_;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_ARP_ENGINE_H_

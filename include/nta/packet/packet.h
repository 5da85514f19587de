// LinkType, PacketView, Packet: captured bytes, borrowed or owned.
//
//   nta::PacketView view{.time = now, .link_type = nta::LinkType::kEthernet, .wire_bytes = 60,
//   .bytes = frame}; nta::Packet kept(view);          // a copy that outlives the capture buffer
#ifndef NTA_PACKET_PACKET_H_
#define NTA_PACKET_PACKET_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "nta/net/time.h"

namespace nta {

// What the first byte of a packet is. Values are the LINKTYPE_ numbers of capture files
// (https://www.tcpdump.org/linktypes.html); numbers that are not listed here are legal and decode
// as unsupported.
enum class LinkType : std::uint16_t {
  kNull = 0,
  kEthernet = 1,
  kArcnet = 7,
  kSlip = 8,
  kPpp = 9,
  kFddi = 10,
  kPppHdlc = 50,
  kPppEther = 51,
  kAtmRfc1483 = 100,
  kRaw = 101,
  kCHdlc = 104,
  kIeee80211 = 105,
  kFrameRelay = 107,
  kLoop = 108,
  kLinuxSll = 113,
  kIeee80211Prism = 119,
  kIeee80211Radiotap = 127,
  kIeee80211Avs = 163,
  kPpi = 192,
  kIpv4 = 228,
  kIpv6 = 229,
  kNflog = 239,
  kLinuxSll2 = 276,
};

// "EN10MB"-style names are libpcap's own; these are ours: "ethernet", "linux_sll2", or
// "link_type_147".
std::string ToString(LinkType link_type);

// A packet in somebody else's memory: `bytes` is valid until that owner says so (for a
// PacketSource: its next Read).
struct PacketView {
  Timestamp time{};
  LinkType link_type = LinkType::kEthernet;
  std::uint32_t wire_bytes = 0;  // length on the wire; >= bytes.size() when the snap length cut it
  std::uint32_t interface_id = 0;         // index among the source's interfaces
  std::span<const std::uint8_t> bytes{};  // what was captured
};

// A packet with bytes of its own.
class Packet {
 public:
  Packet() = default;
  explicit Packet(const PacketView& view);

  // Valid while this packet lives and is not assigned to.
  PacketView view() const&;
  PacketView view() const&& = delete;

 private:
  PacketView header_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace nta

#endif  // NTA_PACKET_PACKET_H_

#include "nta/flow/fragment_tracker.h"

#include <algorithm>
#include <list>
#include <unordered_map>
#include <utility>

#include "base/keyed_hash.h"
#include "base/random.h"

namespace nta {
namespace {

// RFC 791: source, destination, protocol and identification name a datagram.
struct DatagramKey {
  IpAddress source;
  IpAddress destination;
  std::uint32_t id = 0;
  std::uint8_t protocol = 0;

  friend bool operator==(const DatagramKey&, const DatagramKey&) = default;
};

struct DatagramHash {
  base::KeyedHash hash;

  std::size_t operator()(const DatagramKey& key) const {
    const auto source = key.source.bytes();
    const auto destination = key.destination.bytes();
    return hash(hash.Bytes(source.data(), source.size()),
                hash.Bytes(destination.data(), destination.size()) ^
                    (static_cast<std::uint64_t>(key.id) << 8 | key.protocol));
  }
};

struct FirstFragment {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint8_t protocol = 0;
  Timestamp time{};
  std::list<DatagramKey>::iterator place{};  // among all, oldest first
};

}  // namespace

class FragmentTracker::Impl {
 public:
  explicit Impl(const FragmentTrackerOptions& options)
      : options_(options),
        datagrams_(0,
                   DatagramHash{base::KeyedHash(options.hash_seed.value_or(base::RandomSeed()))}) {}

  void Resolve(DecodedPacket& packet) {
    if (!packet.is_fragment) return;
    // RFC 8200 4.5 leaves the protocol out: headers after the fragment header are in the first
    // fragment only.
    const bool is_v4 = packet.ip_version == 4;
    const DatagramKey key{packet.source, packet.destination, packet.fragment_id,
                          is_v4 ? packet.protocol : std::uint8_t{0}};
    if (packet.is_later_fragment) {
      Attribute(key, packet);
    } else if (packet.has_ports) {
      Remember(key, packet);
    }
  }

  const FragmentStats& stats() const { return stats_; }

 private:
  void Remember(const DatagramKey& key, const DecodedPacket& packet) {
    ++stats_.first_fragments;
    const FirstFragment first{
        packet.source_port, packet.destination_port, packet.protocol, packet.time, {}};
    const auto [it, inserted] = datagrams_.try_emplace(key, first);
    if (!inserted) {
      // Its identification is used anew: the youngest again.
      order_.splice(order_.end(), order_, it->second.place);
      const auto place = it->second.place;
      it->second = first;
      it->second.place = place;
      return;
    }
    it->second.place = order_.insert(order_.end(), key);
    if (order_.size() <= options_.max_datagrams) return;
    const auto oldest = datagrams_.find(order_.front());
    if (packet.time - oldest->second.time <= options_.timeout) ++stats_.evicted;
    datagrams_.erase(oldest);
    order_.pop_front();
  }

  void Attribute(const DatagramKey& key, DecodedPacket& packet) {
    const auto it = datagrams_.find(key);
    if (it == datagrams_.end() || packet.time - it->second.time > options_.timeout) {
      ++stats_.unattributed;
      return;
    }
    ++stats_.attributed;
    packet.source_port = it->second.source_port;
    packet.destination_port = it->second.destination_port;
    packet.protocol = it->second.protocol;
    packet.has_ports = true;
  }

  FragmentTrackerOptions options_;
  std::unordered_map<DatagramKey, FirstFragment, DatagramHash> datagrams_;
  std::list<DatagramKey> order_;  // every key of the map, oldest first
  FragmentStats stats_;
};

FragmentTracker::FragmentTracker(FragmentTrackerOptions options)
    : impl_(std::make_unique<Impl>(options)) {}
FragmentTracker::FragmentTracker(FragmentTracker&&) noexcept = default;
FragmentTracker& FragmentTracker::operator=(FragmentTracker&&) noexcept = default;
FragmentTracker::~FragmentTracker() = default;

void FragmentTracker::Resolve(DecodedPacket& packet) { impl_->Resolve(packet); }
FragmentStats FragmentTracker::Stats() const { return impl_->stats(); }

}  // namespace nta

// BaselineEngine: counts into bins, and holds each bin against its series.
#ifndef NTA_SRC_DETECT_BASELINE_ENGINE_H_
#define NTA_SRC_DETECT_BASELINE_ENGINE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "detect/distinct_count.h"
#include "detect/recent_table.h"
#include "detect/watched_series.h"
#include "nta/detect/baseline_detector.h"
#include "nta/net/ip_address.h"

namespace nta::detect {

// How evenly values are spread over 64 hashed cells, 0 to 6 bits.
class EntropyCells {
 public:
  void Add(std::uint64_t hash) { ++cells_[hash >> 58]; }
  double Bits() const;
  void Clear() { cells_.fill(0); }

  template <typename Archive>
  void Fields(Archive& archive) {
    for (std::uint32_t& cell : cells_) archive(cell);
  }

 private:
  std::array<std::uint32_t, 64> cells_{};
};

struct InterfaceBin {
  double bytes = 0;
  double packets = 0;
  double syns = 0;
  double resets = 0;
  double icmp = 0;
  EntropyCells sources;
  EntropyCells destinations;
  EntropyCells ports;
};
inline constexpr std::size_t kInterfaceSeries = 8;

// Of a host or a service in one bin.
struct EntityBin {
  double sent = 0;
  double received = 0;
  double flows = 0;
  DistinctCount peers;
};

struct ServiceKey {
  std::uint8_t protocol = 0;
  std::uint16_t port = 0;

  friend bool operator==(const ServiceKey&, const ServiceKey&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const ServiceKey& key) {
    return H::combine(std::move(state), key.protocol, key.port);
  }
};

struct Interface {
  InterfaceBin bin;
  std::vector<WatchedSeries> series;  // of InterfaceBin's fields, in their order
};

// Bins that are still open form a ring.
struct Entity {
  std::vector<EntityBin> bins;
  std::vector<WatchedSeries> series;
};

class BaselineEngine {
 public:
  explicit BaselineEngine(const BaselineOptions& options);

  const BaselineOptions& options() const { return options_; }
  void Observe(const FlowEvent& event, std::vector<Alert>& alerts);
  void ObservePackets(std::span<const DecodedPacket> decoded, std::vector<Alert>& alerts);
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts);
  void Finish(std::vector<Alert>& alerts) { tracker_.Finish(alerts); }
  std::size_t memory_bytes() const;
  std::size_t memory_limit_bytes() const;
  std::uint64_t evictions() const { return late_ + hosts_.evicted() + services_.evicted(); }
  std::string Save() const;
  absl::Status Load(std::string_view state);

 private:
  // What an alert is about.
  struct Subject {
    AlertEntity entity;
    std::string name;  // "10.0.0.7", "tcp/443", "interface 0"
    Duration bin{};
  };
  // A series of it that is not as usual.
  struct Oddity {
    std::string_view metric;  // "bytes sent"
    std::string_view unit;
    double value = 0;
    SeriesScore score;

    bool is_more() const { return value > score.band_high; }
    std::string Text(Duration bin) const;
  };

  void Start(Timestamp time);
  // When the oldest open bin of hosts and services closes.
  Timestamp EntitiesDue() const;
  void CloseInterfacesUntil(Timestamp now, std::vector<Alert>& alerts);
  void CloseInterfaces(std::vector<Alert>& alerts);
  void CloseEntities(std::vector<Alert>& alerts);
  void CloseEntity(Entity& entity, std::span<const std::string_view> metrics,
                   std::span<const double> values, const Subject& about,
                   std::vector<Alert>& alerts);
  static void Judge(WatchedSeries& series, Oddity oddity, AlertBudget& budget, Timestamp time,
                    std::vector<Oddity>& found);
  // All that one subject shows in one bin is one alert.
  void Raise(const Subject& subject, std::vector<Oddity>& found, Timestamp time,
             std::vector<Alert>& alerts);
  Entity& HostOf(const IpAddress& address);
  Entity& ServiceOf(const ServiceKey& key);
  Entity NewEntity(std::size_t series) const;
  EntityBin& OpenBin(Entity& entity, std::int64_t bin) {
    return entity.bins[static_cast<std::size_t>(bin % static_cast<std::int64_t>(open_bins_))];
  }
  std::int64_t BinOf(Timestamp time) const;
  // Calls add(bin, share) for each open bin that the flow's time touches.
  template <typename F>
  void Spread(const FlowRecord& flow, const F& add);
  SeriesScorerOptions SeriesOptions(SeriesScorerOptions::Detail detail, Duration bin) const;
  template <typename Archive>
  void Fields(Archive& archive);
  template <typename Archive>
  void EntityFields(Archive& archive, Entity& entity);

  BaselineOptions options_;
  std::size_t open_bins_;
  std::vector<Interface> interfaces_;
  RecentTable<IpAddress, Entity> hosts_;
  RecentTable<ServiceKey, Entity> services_;
  AlertBudget interface_budget_;
  AlertBudget entity_budget_;
  AlertTracker tracker_;
  bool started_ = false;
  Timestamp since_{};
  Timestamp interface_end_{};    // of the open bin of interfaces
  std::int64_t first_open_ = 0;  // number of the oldest open bin of hosts and services
  std::uint64_t late_ = 0;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_BASELINE_ENGINE_H_

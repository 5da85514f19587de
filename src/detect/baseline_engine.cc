#include "detect/baseline_engine.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/keyed_hash.h"
#include "detect/flow_features.h"
#include "detect/saturating_time.h"
#include "detect/traffic_text.h"
#include "nta/packet/decode.h"

namespace nta::detect {
namespace {

constexpr std::string_view kName = "baseline";
constexpr std::array<std::string_view, 4> kHostMetrics = {"bytes sent", "bytes received", "flows",
                                                          "peers"};
constexpr std::array<std::string_view, 2> kServiceMetrics = {"bytes", "flows"};
constexpr std::size_t kMostInterfaceBytes = 640 * 1024;
constexpr std::size_t kMostSeriesBytes = 10 * 1024;
constexpr std::uint16_t kLastServicePort = 49151;  // RFC 6335: those above are nobody's
// After a pause so long (a capture of another day) the bins between are not worth closing one by
// one.
constexpr std::int64_t kMostSkippedBins = 1440;

std::uint64_t Mix(const IpAddress& address) {
  std::uint64_t words[2];
  std::memcpy(words, address.padded_bytes().data(), sizeof words);
  return (words[0] ^ (words[1] * 0x9e3779b97f4a7c15)) * 0xbf58476d1ce4e5b9;
}

AlertBudgetOptions Half(AlertBudgetOptions options) {
  options.alerts_per_day /= 2;
  return options;
}

}  // namespace

// Sums of whole numbers, which stay in registers from packet to packet where those of an
// InterfaceBin are in memory.
struct PacketSums {
  std::uint64_t bytes = 0;
  std::uint64_t packets = 0;
  std::uint64_t syns = 0;
  std::uint64_t resets = 0;
  std::uint64_t icmp = 0;

  void Add(const DecodedPacket& packet) {
    bytes += packet.wire_bytes;
    ++packets;
    icmp += packet.has_icmp ? 1 : 0;
    const bool is_syn = (packet.tcp_flags & (kTcpSyn | kTcpAck)) == kTcpSyn;
    const bool is_reset = (packet.tcp_flags & kTcpRst) != 0;
    syns += packet.has_tcp_header && is_syn ? 1 : 0;
    resets += packet.has_tcp_header && is_reset ? 1 : 0;
  }
  void MoveTo(InterfaceBin& bin) {
    bin.bytes += static_cast<double>(bytes);
    bin.packets += static_cast<double>(packets);
    bin.syns += static_cast<double>(syns);
    bin.resets += static_cast<double>(resets);
    bin.icmp += static_cast<double>(icmp);
    *this = {};
  }
};

double EntropyCells::Bits() const {
  double all = 0;
  for (const std::uint32_t cell : cells_) all += cell;
  double bits = 0;
  for (const std::uint32_t cell : cells_) {
    if (cell > 0) bits -= cell / all * std::log2(cell / all);
  }
  return bits;
}

BaselineEngine::BaselineEngine(const BaselineOptions& options)
    : options_(options),
      open_bins_(2),
      hosts_(std::max<std::size_t>(options.max_hosts, 1)),
      services_(std::max<std::size_t>(options.max_services, 1)),
      interface_budget_(Half(options.budget)),
      entity_budget_(Half(options.budget)),
      tracker_(std::string(kName), options.alerts) {
  options_.interface_bin =
      std::max<Duration>(options.interface_bin, std::chrono::milliseconds(100));
  options_.host_bin = std::max<Duration>(options.host_bin, std::chrono::seconds(1));
  options_.max_delay = std::max<Duration>(options.max_delay, Duration(0));
  const std::int64_t bins = options_.max_delay / options_.host_bin + 2;
  open_bins_ = static_cast<std::size_t>(std::clamp<std::int64_t>(bins, 2, 120));
  options_.max_delay = options_.host_bin * static_cast<std::int64_t>(open_bins_ - 2);
}

SeriesScorerOptions BaselineEngine::SeriesOptions(SeriesScorerOptions::Detail detail,
                                                  Duration bin) const {
  const std::int64_t values = std::clamp<std::int64_t>(options_.warm_up / bin, 30, 100000);
  return {.detail = detail,
          .warm_up = static_cast<std::uint32_t>(values),
          .gate_bits = 8,
          .regime_change = options_.regime_change};
}

std::int64_t BaselineEngine::BinOf(Timestamp time) const {
  const std::int64_t ticks = time.time_since_epoch().count();
  const std::int64_t bin = options_.host_bin.count();
  return ticks / bin - (ticks % bin < 0 ? 1 : 0);
}

void BaselineEngine::Start(Timestamp time) {
  if (started_) return;
  started_ = true;
  since_ = time;
  interface_end_ = After(time, options_.interface_bin);
  first_open_ = BinOf(time);
}

Entity BaselineEngine::NewEntity(std::size_t series) const {
  Entity entity;
  entity.bins.resize(open_bins_);
  for (std::size_t i = 0; i < series; ++i) {
    entity.series.emplace_back(
        SeriesOptions(SeriesScorerOptions::Detail::kCompact, options_.host_bin));
  }
  return entity;
}

Entity& BaselineEngine::HostOf(const IpAddress& address) {
  Entity& host = hosts_.FindOrAdd(address);
  if (host.bins.empty()) host = NewEntity(kHostMetrics.size());
  return host;
}

Entity& BaselineEngine::ServiceOf(const ServiceKey& key) {
  Entity& service = services_.FindOrAdd(key);
  if (service.bins.empty()) service = NewEntity(kServiceMetrics.size());
  return service;
}

void BaselineEngine::ObservePackets(std::span<const DecodedPacket> decoded,
                                    std::vector<Alert>& alerts) {
  // Further interfaces share the last place.
  const std::size_t last_place = std::max<std::size_t>(options_.max_interfaces, 1) - 1;
  InterfaceBin* bin = nullptr;  // null: to be found anew
  std::size_t place = 0;
  PacketSums sums;  // of packets that `bin` has not got yet
  for (const DecodedPacket& packet : decoded) {
    if (!packet.has_ip()) continue;
    Start(packet.time);
    const std::size_t at = std::min<std::size_t>(packet.interface_id, last_place);
    const bool is_over = packet.time >= interface_end_;
    if (is_over || at != place || bin == nullptr) {
      if (bin != nullptr) sums.MoveTo(*bin);
      // Only these bins: flow events of this burst may still belong to those of hosts.
      if (is_over) CloseInterfacesUntil(packet.time, alerts);
      if (at >= interfaces_.size()) interfaces_.resize(at + 1);
      bin = &interfaces_[at].bin;
      place = at;
    }
    sums.Add(packet);
    bin->sources.Add(Mix(packet.source));
    bin->destinations.Add(Mix(packet.destination));
    bin->ports.Add((packet.destination_port + 1) * 0x9e3779b97f4a7c15);
  }
  if (bin != nullptr) sums.MoveTo(*bin);
}

template <typename F>
void BaselineEngine::Spread(const FlowRecord& flow, const F& add) {
  const std::int64_t first = BinOf(flow.first_seen);
  const std::int64_t last = std::max(BinOf(flow.last_seen), first);
  if (first < first_open_) ++late_;
  const double length = std::max(1.0, static_cast<double>(flow.duration().count()));
  const std::int64_t newest = first_open_ + static_cast<std::int64_t>(open_bins_) - 1;
  for (std::int64_t bin = std::max(first, first_open_); bin <= std::min(last, newest); ++bin) {
    const Timestamp begin{Duration(bin * options_.host_bin.count())};
    const Timestamp from = std::max(begin, flow.first_seen);
    const Timestamp until = std::min(After(begin, options_.host_bin), flow.last_seen);
    const double share =
        first == last ? 1 : std::max(0.0, static_cast<double>((until - from).count()) / length);
    add(bin, share);
  }
}

void BaselineEngine::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  Start(event.time);
  AdvanceTo(event.time, alerts);
  const FlowRecord& flow = event.flow;
  const bool starts = event.type == FlowEventType::kStarted;
  if (!starts && !event.closes_record()) return;
  const bool is_service = flow.destination.port > 0 && flow.destination.port <= kLastServicePort;
  Entity* source = flow.source.address.is_private() ? &HostOf(flow.source.address) : nullptr;
  Entity* destination =
      flow.destination.address.is_private() ? &HostOf(flow.destination.address) : nullptr;
  Entity* service = is_service ? &ServiceOf({flow.protocol, flow.destination.port}) : nullptr;
  // The table may have had to forget the source for the destination's sake.
  if (source != nullptr && destination != nullptr) source = hosts_.Find(flow.source.address);
  if (starts) {
    const std::int64_t bin = std::max(BinOf(flow.first_seen), first_open_);
    if (bin >= first_open_ + static_cast<std::int64_t>(open_bins_)) return;
    if (source != nullptr) {
      EntityBin& open = OpenBin(*source, bin);
      ++open.flows;
      open.peers.Add(HashOfAddress(flow.destination.address));
    }
    if (service != nullptr) ++OpenBin(*service, bin).flows;
    return;
  }
  const auto forward = static_cast<double>(flow.forward.ip_bytes);
  const auto reverse = static_cast<double>(flow.reverse.ip_bytes);
  Spread(flow, [&](std::int64_t bin, double share) {
    if (source != nullptr) {
      OpenBin(*source, bin).sent += forward * share;
      OpenBin(*source, bin).received += reverse * share;
    }
    if (destination != nullptr) {
      OpenBin(*destination, bin).sent += reverse * share;
      OpenBin(*destination, bin).received += forward * share;
    }
    if (service != nullptr) OpenBin(*service, bin).sent += (forward + reverse) * share;
  });
}

void BaselineEngine::CloseInterfacesUntil(Timestamp now, std::vector<Alert>& alerts) {
  if (Since(interface_end_, now) > kMostSkippedBins * options_.host_bin) {
    // Nobody watched in between: the bins of that time tell nothing.
    for (Interface& interface : interfaces_) interface.bin = {};
    interface_end_ = After(now, options_.interface_bin);
  }
  while (interface_end_ <= now) CloseInterfaces(alerts);
}

Timestamp BaselineEngine::EntitiesDue() const {
  return After(Timestamp(Duration((first_open_ + 1) * options_.host_bin.count())),
               options_.max_delay);
}

void BaselineEngine::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  if (started_) {
    CloseInterfacesUntil(now, alerts);
    if (Since(EntitiesDue(), now) > kMostSkippedBins * options_.host_bin) {
      for (auto& [key, host] : hosts_.entries()) host.bins.assign(open_bins_, {});
      for (auto& [key, service] : services_.entries()) service.bins.assign(open_bins_, {});
      first_open_ = BinOf(now);
    }
    while (EntitiesDue() <= now) CloseEntities(alerts);
  }
  tracker_.AdvanceTo(now, alerts);
}

void BaselineEngine::Judge(WatchedSeries& series, Oddity oddity, AlertBudget& budget,
                           Timestamp time, std::vector<Oddity>& found) {
  const SeriesFinding finding = series.Add(time, oddity.value, budget.Test(time));
  if (!finding.is_unusual) return;
  oddity.score = finding.score;
  // Small counts differ by chance: in units of their own deviation (Anscombe 1948), by three.
  if (oddity.unit != "bytes" && oddity.unit != "bits") {
    const double distance =
        std::sqrt(oddity.value + 0.375) - std::sqrt(std::max(oddity.score.expected, 0.0) + 0.375);
    if (2 * std::abs(distance) < 3) return;
  }
  found.push_back(oddity);
}

std::string BaselineEngine::Oddity::Text(Duration bin) const {
  const auto text = [this](double number) {
    if (unit == "bytes") return BytesText(number);
    if (number >= 1e4) return BytesText(number).substr(0, BytesText(number).size() - 1);
    std::string digits = std::to_string(std::round(number * 10) / 10);
    digits.erase(digits.find('.') + 2);
    return digits.ends_with(".0") ? digits.substr(0, digits.size() - 2) : digits;
  };
  // "8.6 MB" says what it is; what is sent or received has to be said.
  const std::string_view what = metric == "bytes"              ? ""
                                : metric.starts_with("bytes ") ? metric.substr(6)
                                                               : metric;
  return text(value) + (what.empty() ? "" : " ") + std::string(what) + " in " +
         SpanText(std::chrono::duration<double>(bin).count()) + ", where " + text(score.expected) +
         " (" + text(score.band_low) + " to " + text(score.band_high) + ") is usual at this time";
}

void BaselineEngine::Raise(const Subject& subject, std::vector<Oddity>& found, Timestamp time,
                           std::vector<Alert>& alerts) {
  if (found.empty()) return;
  std::ranges::stable_sort(found, std::ranges::greater{},
                           [](const Oddity& oddity) { return oddity.score.bits; });
  const Oddity& worst = found.front();
  const bool is_more = worst.is_more();
  // Of any unit: how many times what is usual, or how many times less.
  const double usual = std::max(worst.score.expected, 0.0) + 1;
  const AlertFinding raise{
      .alert_class = AlertClass::kTrafficAnomaly,
      .entity = subject.entity,
      .severity = is_more ? Severity::kMedium : Severity::kLow,
      .magnitude = is_more ? std::max(worst.value / usual, 1.0) : usual / (worst.value + 1),
      .hold = std::max<Duration>(std::chrono::minutes(5), 3 * subject.bin)};
  tracker_.Raise(
      raise, time,
      [&](Alert& alert) {
        alert.score = worst.score.bits;
        alert.observed = worst.value;
        alert.expected = worst.score.expected;
        alert.unit = worst.unit;
        alert.band_low = worst.score.band_low;
        alert.band_high = worst.score.band_high;
        alert.window = subject.bin;
        alert.first_seen = time - 2 * subject.bin;
        alert.last_seen = time;
        alert.confidence = 0.5;
        std::vector<std::string> others;
        for (const Oddity& oddity : std::span(found).subspan(1)) {
          others.push_back(oddity.Text(subject.bin));
        }
        alert.evidence = {{"series", std::string(worst.metric)},
                          {"subject", subject.name},
                          {"aspect", std::string(ToString(worst.score.aspect))}};
        if (!others.empty()) alert.evidence["also"] = others;
        alert.summary = subject.name + ": " + worst.Text(subject.bin);
        alert.advice = is_more
                           ? "See who takes part in it now; if it is wanted, it becomes the new "
                             "normal within hours."
                           : "See whether something is down or unplugged.";
      },
      alerts);
}

void BaselineEngine::CloseInterfaces(std::vector<Alert>& alerts) {
  struct Metric {
    std::string_view name;
    std::string_view unit;
  };
  static constexpr std::array<Metric, kInterfaceSeries> kMetrics = {
      {{"bytes", "bytes"},
       {"packets", "packets"},
       {"SYN packets", "packets"},
       {"RST packets", "packets"},
       {"ICMP packets", "packets"},
       {"entropy of sources", "bits"},
       {"entropy of destinations", "bits"},
       {"entropy of ports", "bits"}}};
  const Timestamp time = interface_end_;
  for (std::size_t i = 0; i < interfaces_.size(); ++i) {
    Interface& interface = interfaces_[i];
    while (interface.series.size() < kInterfaceSeries) {
      interface.series.emplace_back(
          SeriesOptions(SeriesScorerOptions::Detail::kFull, options_.interface_bin));
    }
    const InterfaceBin& bin = interface.bin;
    const std::array<double, kInterfaceSeries> values = {bin.bytes,
                                                         bin.packets,
                                                         bin.syns,
                                                         bin.resets,
                                                         bin.icmp,
                                                         bin.sources.Bits(),
                                                         bin.destinations.Bits(),
                                                         bin.ports.Bits()};
    Subject subject;
    subject.name = "interface " + std::to_string(i);
    subject.bin = options_.interface_bin;
    subject.entity.service = subject.name;
    std::vector<Oddity> found;
    for (std::size_t s = 0; s < kInterfaceSeries; ++s) {
      Judge(interface.series[s], {kMetrics[s].name, kMetrics[s].unit, values[s], {}},
            interface_budget_, time, found);
    }
    Raise(subject, found, time, alerts);
    interface.bin = {};
  }
  interface_end_ = After(interface_end_, options_.interface_bin);
}

void BaselineEngine::CloseEntity(Entity& entity, std::span<const std::string_view> metrics,
                                 std::span<const double> values, const Subject& about,
                                 std::vector<Alert>& alerts) {
  const Timestamp time =
      After(Timestamp(Duration((first_open_ + 1) * options_.host_bin.count())), options_.max_delay);
  std::vector<Oddity> found;
  for (std::size_t s = 0; s < metrics.size(); ++s) {
    const std::string_view unit = metrics[s].starts_with("bytes") ? "bytes" : metrics[s];
    Judge(entity.series[s], {metrics[s], unit, values[s], {}}, entity_budget_, time, found);
  }
  Raise(about, found, time, alerts);
  OpenBin(entity, first_open_) = {};
}

void BaselineEngine::CloseEntities(std::vector<Alert>& alerts) {
  for (auto& [address, host] : hosts_.entries()) {
    const EntityBin& bin = OpenBin(host, first_open_);
    const std::array<double, 4> values = {bin.sent, bin.received, bin.flows,
                                          std::round(bin.peers.Estimate())};
    Subject about;
    about.name = address.ToString();
    about.bin = options_.host_bin;
    about.entity.source = address;
    CloseEntity(host, kHostMetrics, values, about, alerts);
  }
  for (auto& [key, service] : services_.entries()) {
    const EntityBin& bin = OpenBin(service, first_open_);
    const std::array<double, 2> values = {bin.sent, bin.flows};
    Subject about;
    about.name = ServiceText(key.protocol, key.port);
    about.bin = options_.host_bin;
    about.entity.service = about.name;
    CloseEntity(service, kServiceMetrics, values, about, alerts);
  }
  ++first_open_;
}

std::size_t BaselineEngine::memory_bytes() const {
  std::size_t bytes =
      sizeof(*this) + hosts_.memory_bytes() + services_.memory_bytes() + tracker_.memory_bytes();
  const auto series_bytes = [&](const std::vector<WatchedSeries>& series) {
    for (const WatchedSeries& one : series) bytes += one.memory_bytes();
  };
  for (const Interface& interface : interfaces_) {
    bytes += sizeof(interface);
    series_bytes(interface.series);
  }
  for (const auto& [key, host] : hosts_.entries()) {
    bytes += host.bins.capacity() * sizeof(EntityBin);
    series_bytes(host.series);
  }
  for (const auto& [key, service] : services_.entries()) {
    bytes += service.bins.capacity() * sizeof(EntityBin);
    series_bytes(service.series);
  }
  return bytes;
}

std::size_t BaselineEngine::memory_limit_bytes() const {
  const std::size_t per_bins = open_bins_ * sizeof(EntityBin);
  return sizeof(*this) + hosts_.memory_limit_bytes() + services_.memory_limit_bytes() +
         tracker_.memory_limit_bytes() +
         std::max<std::size_t>(options_.max_interfaces, 1) * kMostInterfaceBytes +
         hosts_.capacity() * (per_bins + kHostMetrics.size() * kMostSeriesBytes) +
         services_.capacity() * (per_bins + kServiceMetrics.size() * kMostSeriesBytes);
}

template <typename Archive>
void BaselineEngine::EntityFields(Archive& archive, Entity& entity) {
  for (EntityBin& bin : entity.bins) {
    for (double* value : {&bin.sent, &bin.received, &bin.flows}) Real(archive, *value);
    archive(bin.peers.registers());
  }
  for (WatchedSeries& series : entity.series) series.Fields(archive);
}

template <typename Archive>
void BaselineEngine::Fields(Archive& archive) {
  archive(started_);
  archive(since_);
  archive(interface_end_);
  archive(first_open_);
  archive(late_);
  AlertBudget::Fields(archive, interface_budget_);
  AlertBudget::Fields(archive, entity_budget_);
  std::size_t size = interfaces_.size();
  archive.Size(size, std::max<std::size_t>(options_.max_interfaces, 1));
  if constexpr (Archive::kReads) interfaces_.resize(size);
  for (Interface& interface : interfaces_) {
    InterfaceBin& bin = interface.bin;
    for (double* value : {&bin.bytes, &bin.packets, &bin.syns, &bin.resets, &bin.icmp}) {
      Real(archive, *value);
    }
    for (EntropyCells* cells : {&bin.sources, &bin.destinations, &bin.ports}) {
      cells->Fields(archive);
    }
    bool has_series = !interface.series.empty();
    archive(has_series);
    if constexpr (Archive::kReads) {
      for (std::size_t i = 0; has_series && i < kInterfaceSeries; ++i) {
        interface.series.emplace_back(
            SeriesOptions(SeriesScorerOptions::Detail::kFull, options_.interface_bin));
      }
    }
    for (WatchedSeries& series : interface.series) series.Fields(archive);
  }
}

std::string BaselineEngine::Save() const {
  auto& self = const_cast<BaselineEngine&>(*this);  // writing changes nothing
  StateWriter writer;
  writer(options_.interface_bin.count());
  writer(options_.host_bin.count());
  writer.Size(open_bins_, open_bins_);
  self.Fields(writer);
  writer.Size(hosts_.size(), hosts_.capacity());
  for (auto& [address, host] : self.hosts_.entries()) {
    writer(address);
    self.EntityFields(writer, host);
  }
  writer.Size(services_.size(), services_.capacity());
  for (auto& [key, service] : self.services_.entries()) {
    writer(key.protocol);
    writer(key.port);
    self.EntityFields(writer, service);
  }
  writer(tracker_.Save());
  return SealState(kName, 1, std::move(writer).bytes());
}

absl::Status BaselineEngine::Load(std::string_view state) {
  NTA_ASSIGN_OR_RETURN(const auto payload, OpenState(kName, 1, state));
  StateReader reader(payload);
  std::int64_t interface_bin = 0;
  std::int64_t host_bin = 0;
  std::size_t open_bins = 0;
  reader(interface_bin);
  reader(host_bin);
  reader.Size(open_bins, 1000);
  if (reader.ok() && (interface_bin != options_.interface_bin.count() ||
                      host_bin != options_.host_bin.count() || open_bins != open_bins_)) {
    return base::InvalidArgument("the state was saved with other bins");
  }
  Fields(reader);
  std::size_t size = 0;
  reader.Size(size, hosts_.capacity());
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    IpAddress address;
    reader(address);
    EntityFields(reader, HostOf(address));
  }
  reader.Size(size, services_.capacity());
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    ServiceKey key;
    reader(key.protocol);
    reader(key.port);
    EntityFields(reader, ServiceOf(key));
  }
  std::string alerts;
  reader(alerts);
  return FinishLoad(reader, tracker_, alerts);
}

}  // namespace nta::detect

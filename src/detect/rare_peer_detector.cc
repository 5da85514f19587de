#include "nta/detect/rare_peer_detector.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/keyed_hash.h"
#include "base/status.h"
#include "detect/load_anew.h"
#include "detect/number_archive.h"
#include "detect/recent_table.h"
#include "detect/saturating_time.h"
#include "detect/traffic_text.h"
#include "nta/detect/edge_scorer.h"
#include "nta/detect/tail_calibrator.h"
#include "nta/packet/decode.h"

namespace nta {
namespace {

constexpr std::string_view kName = "rare_peer";
constexpr std::uint16_t kVersion = 1;
// Services by which intruders move on: SSH, Telnet, RPC, SMB, WinRM, RDP, VNC.
constexpr std::array<std::uint16_t, 9> kAdminPorts = {22,   23,   135,  139, 445,
                                                      3389, 5900, 5985, 5986};
// A first contact with such a service is this much more worth telling.
constexpr double kAdminBits = 2;

// Two Bloom filters with four hashes each; the older one is dropped when its time is up.
class SeenBefore {
 public:
  SeenBefore(std::size_t capacity, Duration generation) : generation_(generation) {
    std::size_t bits = 1024;
    while (bits < 16 * capacity) bits *= 2;
    for (auto& filter : filters_) filter.resize(bits / 64);
  }

  // Whether it was there; it is now.
  bool Insert(std::uint64_t hash, Timestamp now) {
    if (!started_) since_ = now;
    started_ = true;
    if (detect::Since(since_, now) >= generation_) {
      std::swap(filters_[0], filters_[1]);
      std::ranges::fill(filters_[0], 0);
      since_ = now;
    }
    bool in_young = true;
    bool in_old = true;
    const std::size_t mask = filters_[0].size() * 64 - 1;
    for (std::uint64_t i = 0; i < 4; ++i) {
      const std::size_t bit = (hash + i * (hash >> 32 | 1)) & mask;
      const std::uint64_t one = std::uint64_t{1} << (bit % 64);
      in_young = in_young && (filters_[0][bit / 64] & one) != 0;
      in_old = in_old && (filters_[1][bit / 64] & one) != 0;
      filters_[0][bit / 64] |= one;
    }
    return in_young || in_old;
  }
  std::size_t memory_bytes() const { return 2 * filters_[0].size() * 8; }
  template <typename Archive>
  void Fields(Archive& archive) {
    archive(started_);
    archive(since_);
    for (auto& filter : filters_) {
      for (std::uint64_t& word : filter) archive(word);
    }
  }

 private:
  Duration generation_;
  bool started_ = false;
  Timestamp since_{};
  std::array<std::vector<std::uint64_t>, 2> filters_;
};

struct Source {
  Timestamp first{};
  Timestamp last{};
  double contacts = 0;  // fading
  double firsts = 0;    // of them, made for the first time
};

std::uint64_t AddressHash(const IpAddress& address) {
  std::uint64_t words[2];
  std::memcpy(words, address.padded_bytes().data(), sizeof words);
  return base::KeyedHash(0x70656572)(words[0], words[1]);
}

}  // namespace

class RarePeerDetector::Impl {
 public:
  explicit Impl(const RarePeerOptions& options)
      : options_(options),
        seen_(std::clamp<std::size_t>(options.max_contacts, 1024, std::size_t{1} << 28),
              std::max<Duration>(options.generation, std::chrono::minutes(1))),
        sources_(std::max<std::size_t>(options.max_sources, 16)),
        edges_({.width = 4096}),
        budget_(options.budget),
        tracker_(std::string(kName), options.alerts) {}

  const RarePeerOptions& options() const { return options_; }
  void Observe(const FlowEvent& event, std::vector<Alert>& alerts);
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts) { tracker_.AdvanceTo(now, alerts); }
  void Finish(std::vector<Alert>& alerts) { tracker_.Finish(alerts); }
  std::size_t memory_bytes() const {
    return sizeof(*this) + seen_.memory_bytes() + sources_.memory_bytes() + edges_.memory_bytes() +
           tracker_.memory_bytes();
  }
  std::size_t memory_limit_bytes() const {
    return sizeof(*this) + seen_.memory_bytes() + sources_.memory_limit_bytes() +
           edges_.memory_bytes() + tracker_.memory_limit_bytes();
  }
  std::uint64_t evictions() const { return sources_.evicted(); }
  std::string Save() const;
  absl::Status Load(std::string_view state);

 private:
  void Raise(const FlowRecord& flow, const Source& source, double bits, Timestamp now,
             std::vector<Alert>& alerts);
  template <typename Archive>
  void Fields(Archive& archive);

  RarePeerOptions options_;
  SeenBefore seen_;
  detect::RecentTable<IpAddress, Source> sources_;
  EdgeScorer edges_;
  TailCalibrator surprise_;
  AlertBudget budget_;
  AlertTracker tracker_;
  bool started_ = false;
  Timestamp since_{};
};

void RarePeerDetector::Impl::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  tracker_.AdvanceTo(event.time, alerts);
  const FlowRecord& flow = event.flow;
  // The answer makes the contact: it comes as an update, or in the record of a flow without one.
  if (event.type == FlowEventType::kStarted || flow.outcome != ContactOutcome::kAnswered) return;
  if (flow.destination.address.is_multicast()) return;
  if (!started_) since_ = event.time;
  started_ = true;
  const std::uint64_t from = AddressHash(flow.source.address);
  const std::uint64_t to = AddressHash(flow.destination.address);
  const std::uint64_t service = flow.destination.port | std::uint64_t{flow.protocol} << 16;
  const bool is_first = !seen_.Insert(base::KeyedHash(1)(from, to ^ (service << 40)), event.time);
  // Records of a flow that goes on are no new contacts.
  if (!is_first && event.type != FlowEventType::kUpdated) return;
  const auto minute = std::chrono::floor<std::chrono::minutes>(event.time.time_since_epoch());
  const double edge =
      edges_.Add(from, to, static_cast<std::uint64_t>(std::max<std::int64_t>(minute.count(), 0)));
  const double edge_bits = surprise_.Bits(edge);
  surprise_.Add(edge);

  Source& source = sources_.FindOrAdd(flow.source.address);
  if (source.first == Timestamp{}) source.first = source.last = event.time;
  const double idle =
      std::chrono::duration<double>(std::max(Duration(0), detect::Since(source.last, event.time)))
          .count();
  const double kept = std::exp2(-idle / std::chrono::duration<double>(options_.memory).count());
  source.contacts = source.contacts * kept + 1;
  source.firsts *= kept;
  source.last = std::max(source.last, event.time);
  const double usual = (source.firsts + 0.5) / (source.contacts + 1);
  if (!is_first) return;
  source.firsts += 1;
  const bool is_known = detect::Since(source.first, event.time) >= options_.warm_up &&
                        detect::Since(since_, event.time) >= options_.warm_up &&
                        source.contacts >= static_cast<double>(options_.min_contacts);
  if (!is_known) return;
  const bool is_admin = std::ranges::find(kAdminPorts, flow.destination.port) != kAdminPorts.end();
  // The rate of a contact says something only where the contact itself does.
  const double novelty = -std::log2(usual);
  const double rate = std::clamp(edge_bits - 6, 0.0, novelty >= 3 ? novelty : 0.0);
  const double bits = novelty + rate + (is_admin ? kAdminBits : 0);
  if (bits >= budget_.Test(event.time)) Raise(flow, source, bits, event.time, alerts);
}

void RarePeerDetector::Impl::Raise(const FlowRecord& flow, const Source& source, double bits,
                                   Timestamp now, std::vector<Alert>& alerts) {
  const bool is_internal = !detect::IsExternal(flow.destination.address);
  const bool is_admin = std::ranges::find(kAdminPorts, flow.destination.port) != kAdminPorts.end();
  const AlertFinding finding{.alert_class = AlertClass::kRarePeer,
                             .entity = {flow.source.address, std::nullopt, std::nullopt},
                             .severity = is_admin ? Severity::kMedium : Severity::kLow,
                             .magnitude = source.firsts,
                             .hold = options_.quiet_close};
  tracker_.Raise(
      finding, now,
      [&](Alert& alert) {
        const std::string service = detect::ServiceText(flow.protocol, flow.destination.port);
        const std::string peer = flow.destination.address.ToString();
        alert.score = bits;
        alert.observed = source.firsts;
        alert.expected = std::max(0.0, source.firsts - 1);
        alert.unit = "new peers a day";
        alert.window = options_.memory;
        alert.confidence = is_admin ? 0.6 : 0.4;
        alert.technique = is_internal ? (is_admin ? "T1021" : "T1570") : "T1071";
        alert.evidence = {{"destination", peer},
                          {"service", service},
                          {"contacts", source.contacts},
                          {"new_contacts", source.firsts}};
        alert.peers = {{peer, 1.0}};
        alert.summary = absl::StrFormat(
            "%s talked to %s (%s) for the first time; of its last %.0f contacts %s new",
            flow.source.address.ToString(), peer, service, source.contacts,
            source.firsts < 1.5 ? "none other was" : absl::StrFormat("%.0f were", source.firsts));
        alert.advice = absl::StrFormat(
            "Check who logged in on %s around this time, and whether %s belongs to its work.",
            flow.source.address.ToString(), peer);
      },
      alerts);
}

template <typename Archive>
void RarePeerDetector::Impl::Fields(Archive& archive) {
  archive(started_);
  archive(since_);
  seen_.Fields(archive);
  AlertBudget::Fields(archive, budget_);
  const bool is_sound = surprise_.Fields(archive);
  if constexpr (Archive::kReads) {
    if (!is_sound) archive.Fail();
  }
}

std::string RarePeerDetector::Impl::Save() const {
  detect::StateWriter writer;
  writer(static_cast<std::uint64_t>(seen_.memory_bytes()));
  const_cast<Impl*>(this)->Fields(writer);
  writer.Size(sources_.size(), options_.max_sources);
  for (auto [address, source] : sources_.entries()) {
    writer(address);
    writer(source.first);
    writer(source.last);
    writer.Real(source.contacts);
    writer.Real(source.firsts);
  }
  writer(edges_.Save());
  writer(tracker_.Save());
  return detect::SealState(kName, kVersion, std::move(writer).bytes());
}

absl::Status RarePeerDetector::Impl::Load(std::string_view state) {
  NTA_ASSIGN_OR_RETURN(const auto payload, detect::OpenState(kName, kVersion, state));
  detect::StateReader reader(payload);
  std::uint64_t memory = 0;
  reader(memory);
  if (reader.ok() && memory != seen_.memory_bytes()) {
    return base::InvalidArgument("the state was saved with other max_contacts");
  }
  Fields(reader);
  std::size_t size = 0;
  reader.Size(size, std::size_t{1} << 24);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    IpAddress address;
    reader(address);
    Source& source = sources_.FindOrAdd(address);
    reader(source.first);
    reader(source.last);
    reader.Real(source.contacts);
    reader.Real(source.firsts);
  }
  std::string edges;
  std::string alerts;
  reader(edges);
  reader(alerts);
  NTA_RETURN_IF_ERROR(detect::FinishLoad(reader, tracker_, alerts));
  return edges_.Load(edges);
}

RarePeerDetector::RarePeerDetector(RarePeerOptions options)
    : impl_(std::make_unique<Impl>(options)) {}
RarePeerDetector::~RarePeerDetector() = default;
RarePeerDetector::RarePeerDetector(RarePeerDetector&&) noexcept = default;
RarePeerDetector& RarePeerDetector::operator=(RarePeerDetector&&) noexcept = default;

void RarePeerDetector::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  impl_->Observe(event, alerts);
}
void RarePeerDetector::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  impl_->AdvanceTo(now, alerts);
}
void RarePeerDetector::Finish(std::vector<Alert>& alerts) { impl_->Finish(alerts); }
std::size_t RarePeerDetector::memory_bytes() const { return impl_->memory_bytes(); }
std::size_t RarePeerDetector::memory_limit_bytes() const { return impl_->memory_limit_bytes(); }
std::uint64_t RarePeerDetector::evictions() const { return impl_->evictions(); }
std::string RarePeerDetector::Save() const { return impl_->Save(); }
absl::Status RarePeerDetector::Load(std::string_view state) {
  return detect::LoadAnew(impl_, state);
}

}  // namespace nta

#include "nta/detect/dns_tunnel_detector.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "detect/distinct_count.h"
#include "detect/dns_question.h"
#include "detect/load_anew.h"
#include "detect/number_archive.h"
#include "detect/recent_table.h"
#include "detect/saturating_time.h"
#include "detect/traffic_text.h"
#include "nta/detect/name_score.h"

namespace nta {
namespace {

constexpr std::string_view kName = "dns_tunnel";
constexpr std::uint16_t kVersion = 1;
constexpr std::uint16_t kDnsPort = 53;
constexpr std::size_t kMostDomainBytes = 64;
// What names may carry by design. Facts of operation, not a licence: an alert needs one place less.
constexpr std::array<std::string_view, 24> kAllowed = {
    "akadns.net",         "akamai.net",
    "akamaiedge.net",     "akamaihd.net",
    "amazonaws.com",      "apple-dns.net",
    "azureedge.net",      "cloudfront.net",
    "edgekey.net",        "edgesuite.net",
    "fastly.net",         "fbcdn.net",
    "googlevideo.com",    "googleusercontent.com",
    "mcafee.com",         "msedge.net",
    "nflxvideo.net",      "sophosxl.net",
    "spamhaus.org",       "surbl.org",
    "trafficmanager.net", "trendmicro.com",
    "uribl.com",          "windows.net"};

struct PairKey {
  IpAddress client;
  std::string domain;

  friend bool operator==(const PairKey&, const PairKey&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const PairKey& key) {
    return H::combine(std::move(state), key.client, key.domain);
  }
};

struct Pair {
  Timestamp since{};
  Timestamp last{};
  detect::DistinctCount names;
  double distinct = 0;  // its estimate when a name came last
  double queries = 0;
  double bytes = 0;  // of the labels before the domain, new names only
  double score = 0;  // sum over queries
  double longest = 0;
  double data_types = 0;  // TXT, NULL, CNAME, MX, SRV: they carry answers of any content
  IpAddress server;
  std::array<std::string, 2> samples;  // the first name and the latest
};

std::uint64_t NameHash(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  return hash ^ (hash >> 31);
}

bool IsDataType(std::uint16_t type) {
  return type == 5 || type == 10 || type == 15 || type == 16 || type == 33;
}

}  // namespace

class DnsTunnelDetector::Impl {
 public:
  explicit Impl(const DnsTunnelOptions& options)
      : options_(options),
        pairs_(std::max<std::size_t>(options.max_pairs, 16)),
        tracker_(std::string(kName), options.alerts) {}

  const DnsTunnelOptions& options() const { return options_; }
  void Observe(const FlowEvent& event, std::vector<Alert>& alerts);
  void ObservePackets(std::span<const DecodedPacket> decoded, std::vector<Alert>& alerts);
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts) { tracker_.AdvanceTo(now, alerts); }
  void Finish(std::vector<Alert>& alerts) { tracker_.Finish(alerts); }
  std::size_t memory_bytes() const {
    return sizeof(*this) + pairs_.memory_bytes() + pairs_.size() * kHeapBytes +
           tracker_.memory_bytes();
  }
  std::size_t memory_limit_bytes() const {
    return sizeof(*this) + pairs_.memory_limit_bytes() + pairs_.capacity() * kHeapBytes +
           tracker_.memory_limit_bytes();
  }
  std::uint64_t evictions() const { return pairs_.evicted(); }
  std::string Save() const;
  absl::Status Load(std::string_view state);

 private:
  // The domain and two samples, on the heap.
  static constexpr std::size_t kHeapBytes = 2 * kMostDomainBytes + 2 * 256;

  struct Query {
    Timestamp time{};
    IpAddress client;
    IpAddress server;
    std::string_view name;
    std::uint16_t type = 0;
    double times = 1;
  };
  bool IsAllowed(std::string_view domain) const;
  void Count(const Query& query, std::vector<Alert>& alerts);
  void Learn(const Query& query, std::string_view labels, Pair& pair);
  void Raise(const PairKey& key, const Pair& pair, std::vector<Alert>& alerts);
  template <typename Archive>
  static void PairFields(Archive& archive, PairKey& key, Pair& pair);

  DnsTunnelOptions options_;
  detect::RecentTable<PairKey, Pair> pairs_;
  AlertTracker tracker_;
  bool has_packets_ = false;
};

bool DnsTunnelDetector::Impl::IsAllowed(std::string_view domain) const {
  const auto is_in = [domain](std::string_view allowed) {
    return !allowed.empty() && domain.ends_with(allowed) &&
           (domain.size() == allowed.size() || domain[domain.size() - allowed.size() - 1] == '.');
  };
  return std::ranges::any_of(kAllowed, is_in) ||
         std::ranges::any_of(options_.allowed_domains, is_in);
}

void DnsTunnelDetector::Impl::Learn(const Query& query, std::string_view labels, Pair& pair) {
  if (pair.queries == 0) {
    pair.since = query.time;
    pair.samples[0] = query.name;
  }
  pair.last = std::max(pair.last, query.time);
  pair.server = query.server;
  pair.names.Add(NameHash(labels));
  pair.queries += query.times;
  pair.score += query.times * DnsTunnelScore(query.name);
  pair.longest = std::max(pair.longest, static_cast<double>(labels.size()));
  if (IsDataType(query.type)) pair.data_types += query.times;
  const double distinct =
      query.times > 1 ? std::min(pair.queries, pair.distinct + query.times) : pair.names.Estimate();
  if (distinct <= pair.distinct) return;
  // An estimate: bytes of as many new names as the count of them has grown by.
  pair.bytes += (distinct - pair.distinct) * static_cast<double>(labels.size());
  pair.distinct = distinct;
  pair.samples[1] = query.name;
}

void DnsTunnelDetector::Impl::Count(const Query& query, std::vector<Alert>& alerts) {
  const std::string_view domain = RegisteredDomain(query.name);
  if (domain.size() >= query.name.size() || domain.size() > kMostDomainBytes) return;
  if (domain.ends_with("arpa") || IsAllowed(query.name) || IsAllowed(domain)) return;
  const PairKey key{query.client, std::string(domain)};
  Pair& pair = pairs_.FindOrAdd(key);
  if (pair.queries > 0 && detect::Since(pair.since, query.time) > options_.window) pair = {};
  Learn(query, query.name.substr(0, query.name.size() - domain.size() - 1), pair);
  const bool is_tunnel = pair.distinct >= static_cast<double>(options_.min_names) &&
                         pair.bytes >= static_cast<double>(options_.min_bytes) &&
                         pair.score >= options_.min_score * pair.queries;
  if (is_tunnel) Raise(key, pair, alerts);
}

void DnsTunnelDetector::Impl::Raise(const PairKey& key, const Pair& pair,
                                    std::vector<Alert>& alerts) {
  const AlertFinding finding{.alert_class = AlertClass::kDnsTunnel,
                             .entity = {key.client, std::nullopt, key.domain},
                             .severity = Severity::kHigh,
                             .magnitude = pair.bytes,
                             .hold = options_.quiet_close};
  tracker_.Raise(
      finding, pair.last,
      [&](Alert& alert) {
        const double mean = pair.score / pair.queries;
        // Each new name that looks like data is one more coin that did not fall on "name".
        alert.score = std::min(64.0, pair.distinct * std::max(0.05, mean) * 0.25);
        alert.observed = pair.distinct;
        alert.expected = 5;
        alert.unit = "different names";
        alert.window = detect::Since(pair.since, pair.last);
        alert.confidence = std::clamp(mean + 0.2 * pair.data_types / pair.queries, 0.3, 0.99);
        alert.technique = "T1071.004";
        alert.first_seen = pair.since;
        alert.evidence = {{"queries", static_cast<std::int64_t>(pair.queries)},
                          {"distinct_names", static_cast<std::int64_t>(pair.distinct)},
                          {"bytes_in_names", static_cast<std::int64_t>(pair.bytes)},
                          {"mean_name_score", mean},
                          {"longest_name", static_cast<std::int64_t>(pair.longest)},
                          {"data_type_share", pair.data_types / pair.queries},
                          {"server", pair.server.ToString()},
                          {"names", std::vector<std::string>{pair.samples[0], pair.samples[1]}}};
        alert.peers = {{pair.server.ToString(), 1.0}};
        alert.summary = absl::StrFormat(
            "%s asked for %.0f different names of %s in %s, which carry %s: data in DNS names "
            "(tunnel)",
            key.client.ToString(), pair.distinct, key.domain,
            detect::SpanText(std::chrono::duration<double>(alert.window).count()),
            detect::BytesText(pair.bytes));
        alert.advice = absl::StrFormat(
            "Find the program on %s that asks for names of %s; block the domain at your resolver. "
            "If it is wanted (a virus scanner, say), allow the domain.",
            key.client.ToString(), key.domain);
      },
      alerts);
}

void DnsTunnelDetector::Impl::ObservePackets(std::span<const DecodedPacket> decoded,
                                             std::vector<Alert>& alerts) {
  for (const DecodedPacket& packet : decoded) {
    has_packets_ = true;
    if (packet.destination_port != kDnsPort || !packet.has_ports || packet.payload.empty())
      continue;
    detect::DnsQuestionText question;
    if (!detect::ReadDnsQuestion(packet.payload, packet.protocol == kProtocolTcp, question)) {
      continue;
    }
    tracker_.AdvanceTo(packet.time, alerts);
    Count({.time = packet.time,
           .client = packet.source,
           .server = packet.destination,
           .name = question.name(),
           .type = question.type},
          alerts);
  }
}

void DnsTunnelDetector::Impl::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  tracker_.AdvanceTo(event.time, alerts);
  const FlowRecord& flow = event.flow;
  if (has_packets_ || !event.closes_record() || flow.destination.port != kDnsPort ||
      flow.metadata == nullptr) {
    return;
  }
  const std::string_view name = flow.metadata->Get(MetadataField::kServerName);
  if (name.empty()) return;
  const std::string_view type = flow.metadata->Get(MetadataField::kDnsType);
  const bool is_data = type == "TXT" || type == "NULL" || type == "CNAME" || type == "MX";
  Count({.time = event.time,
         .client = flow.source.address,
         .server = flow.destination.address,
         .name = name,
         .type = static_cast<std::uint16_t>(is_data ? 16 : 1),
         .times = static_cast<double>(std::max<std::uint64_t>(flow.forward.packets, 1))},
        alerts);
}

template <typename Archive>
void DnsTunnelDetector::Impl::PairFields(Archive& archive, PairKey& key, Pair& pair) {
  archive(key.client);
  archive(key.domain);
  archive(pair.since);
  archive(pair.last);
  archive(pair.names.registers());
  for (double* value :
       {&pair.distinct, &pair.queries, &pair.bytes, &pair.score, &pair.longest, &pair.data_types}) {
    detect::Real(archive, *value);
  }
  archive(pair.server);
  for (std::string& sample : pair.samples) archive(sample);
}

std::string DnsTunnelDetector::Impl::Save() const {
  detect::StateWriter writer;
  writer(has_packets_);
  writer.Size(pairs_.size(), options_.max_pairs);
  for (auto [key, pair] : pairs_.entries()) PairFields(writer, key, pair);
  writer(tracker_.Save());
  return detect::SealState(kName, kVersion, std::move(writer).bytes());
}

absl::Status DnsTunnelDetector::Impl::Load(std::string_view state) {
  NTA_ASSIGN_OR_RETURN(const auto payload, detect::OpenState(kName, kVersion, state));
  detect::StateReader reader(payload);
  reader(has_packets_);
  std::size_t size = 0;
  reader.Size(size, std::size_t{1} << 24);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    PairKey key;
    Pair pair;
    PairFields(reader, key, pair);
    if (pair.queries <= 0) reader.Fail();
    pairs_.FindOrAdd(key) = std::move(pair);
  }
  std::string alerts;
  reader(alerts);
  return detect::FinishLoad(reader, tracker_, alerts);
}

DnsTunnelDetector::DnsTunnelDetector(DnsTunnelOptions options)
    : impl_(std::make_unique<Impl>(options)) {}
DnsTunnelDetector::~DnsTunnelDetector() = default;
DnsTunnelDetector::DnsTunnelDetector(DnsTunnelDetector&&) noexcept = default;
DnsTunnelDetector& DnsTunnelDetector::operator=(DnsTunnelDetector&&) noexcept = default;

void DnsTunnelDetector::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  impl_->Observe(event, alerts);
}
void DnsTunnelDetector::ObservePackets(std::span<const PacketView>,
                                       std::span<const DecodedPacket> decoded,
                                       std::vector<Alert>& alerts) {
  impl_->ObservePackets(decoded, alerts);
}
void DnsTunnelDetector::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  impl_->AdvanceTo(now, alerts);
}
void DnsTunnelDetector::Finish(std::vector<Alert>& alerts) { impl_->Finish(alerts); }
std::size_t DnsTunnelDetector::memory_bytes() const { return impl_->memory_bytes(); }
std::size_t DnsTunnelDetector::memory_limit_bytes() const { return impl_->memory_limit_bytes(); }
std::uint64_t DnsTunnelDetector::evictions() const { return impl_->evictions(); }
std::string DnsTunnelDetector::Save() const { return impl_->Save(); }
absl::Status DnsTunnelDetector::Load(std::string_view state) {
  return detect::LoadAnew(impl_, state);
}

}  // namespace nta

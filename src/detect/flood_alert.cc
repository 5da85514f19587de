// What a flood alert says.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <string>

#include "absl/strings/str_format.h"
#include "detect/flood_engine.h"
#include "detect/reflectors.h"
#include "detect/scan_alert.h"

namespace nta::detect {
namespace {

// From the bound P(S >= h) = exp(-2 h) of the test; more than this says nothing further.
constexpr double kBitsPerUnit = 2 / 0.6931471805599453;
constexpr double kMaxBits = 64;
// A source that leads by this share of all packets sends nearly all of them.
constexpr double kAlone = 0.8;

std::string_view KindWord(FloodKind kind) {
  static constexpr std::array<std::string_view, kFloodKinds> kWords = {
      "SYN", "UDP", "ICMP", "UDP answers", "SYN-ACK", "TCP"};
  return kWords[static_cast<std::size_t>(kind)];
}

std::string_view Vector(FloodKind kind) {
  static constexpr std::array<std::string_view, kFloodKinds> kWords = {
      "syn", "udp", "icmp", "amplification", "syn_ack_reflection", "tcp"};
  return kWords[static_cast<std::size_t>(kind)];
}

std::string Target(const FloodEntry& entry) {
  if (!entry.is_prefix) return entry.address.ToString();
  return entry.address.ToString() + (entry.address.is_v4() ? "/24" : "/48");
}

// "12,300 packets/s" without the thousands: 12k, 1.2M.
std::string Short(double value) {
  if (value >= 1e6) return absl::StrFormat("%.1fM", value / 1e6);
  if (value >= 1e4) return absl::StrFormat("%.0fk", value / 1e3);
  return absl::StrFormat("%.0f", value);
}

std::string Sources(const FloodEntry& entry, double sources) {
  if (sources < 1.5) return entry.source.value.ToString();
  if (sources < 10) return absl::StrFormat("%.0f sources", sources);
  return "about " + Short(sources) + " sources";
}

std::string Summary(const FloodEntry& entry, FloodKind kind, FloodVerdict verdict, double peak,
                    double usual, double sources) {
  const std::string from = Sources(entry, sources);
  const std::string than = usual < 1 ? "where there is next to nothing otherwise"
                                     : "where " + Short(usual) + " is usual";
  if (verdict == FloodVerdict::kCrowd) {
    return absl::StrFormat(
        "%s suddenly gets %s %s packets/s %s, from %s whose connections go on: flash crowd",
        Target(entry), Short(peak), KindWord(kind), than, from);
  }
  std::string what = absl::StrFormat("%s %s packets/s", Short(peak), KindWord(kind));
  std::string name = "flood";
  if (kind == FloodKind::kReflected) {
    const std::string_view service = ReflectorName(entry.reflector_port.value);
    what = absl::StrFormat("%s unasked answers/s from port %d (%s)", Short(peak),
                           entry.reflector_port.value, service);
    name = "amplification attack";
  } else if (kind == FloodKind::kSynAck) {
    what =
        absl::StrFormat("%s SYN-ACK packets/s to connections that it never asked for", Short(peak));
    name = "reflection attack";
  } else if (kind == FloodKind::kSyn) {
    what += " that nobody completes";
  } else if (kind != FloodKind::kIcmp) {
    what += " that it does not answer";
  }
  std::string hosts;
  if (entry.is_prefix) {
    hosts = absl::StrFormat(" on %.0f or more of its addresses", entry.distinct_hosts());
    name = "carpet bombing";
  }
  return absl::StrFormat("%s gets %s%s from %s, %s: %s", Target(entry), what, hosts, from, than,
                         name);
}

// For tcpdump, a mirror port or an upstream that filters.
std::string Filter(const FloodEntry& entry, FloodKind kind) {
  std::string filter = std::string("dst ") + (entry.is_prefix ? "net " : "host ") + Target(entry);
  switch (kind) {
    case FloodKind::kSyn:
      return filter + " and tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn";
    case FloodKind::kSynAck:
      return filter + " and tcp[tcpflags] & (tcp-syn|tcp-ack) == (tcp-syn|tcp-ack)";
    case FloodKind::kReflected:
      return filter + absl::StrFormat(" and udp src port %d", entry.reflector_port.value);
    case FloodKind::kUdp:
      return filter + " and udp";
    case FloodKind::kIcmp:
      return filter + (entry.address.is_v4() ? " and icmp" : " and icmp6");
    case FloodKind::kTcp:
      return filter + " and tcp";
  }
  return filter;
}

std::string Advice(const FloodEntry& entry, FloodKind kind, FloodVerdict verdict) {
  if (verdict == FloodVerdict::kCrowd) {
    return "Nothing to block: these connections are real. Add capacity if the service slows down.";
  }
  const std::string filter = "\"" + Filter(entry, kind) + "\"";
  if (kind == FloodKind::kSyn) {
    return "Turn on SYN cookies and ask your provider to filter " + filter +
           "; the sources are probably false, blocking them one by one is in vain.";
  }
  return "Ask your provider to filter " + filter + " upstream, before it fills the line.";
}

std::map<std::string, EvidenceValue> Evidence(const FloodEntry& entry, FloodKind kind, double peak,
                                              double sources, std::int64_t tick) {
  const double packets = static_cast<double>(std::max<std::uint64_t>(entry.packets_seen, 1));
  std::map<std::string, EvidenceValue> evidence = {
      {"vector", std::string(Vector(kind))},
      {"peak_packets_per_second", peak},
      {"packets_per_second", kTicksPerSecond * entry.metric(kind).recent},
      {"megabits_per_second", entry.bytes_recent * 8 * kTicksPerSecond / 1e6},
      {"packets", static_cast<std::int64_t>(entry.packets_seen)},
      {"bytes", static_cast<std::int64_t>(entry.bytes_seen)},
      {"mean_packet_bytes", static_cast<double>(entry.bytes_seen) / packets},
      {"fragment_share", static_cast<double>(entry.fragments_seen) / packets},
      {"distinct_sources", static_cast<std::int64_t>(std::llround(sources))},
      {"pulses", std::int64_t{entry.pulses}},
      {"filter", Filter(entry, kind)},
  };
  if (kind != FloodKind::kIcmp) {
    evidence["distinct_destination_ports"] = static_cast<std::int64_t>(entry.distinct_ports());
    evidence["top_destination_port"] = std::int64_t{entry.destination_port.value};
    evidence["top_source_port"] = std::int64_t{entry.source_port.value};
  }
  if (kind == FloodKind::kReflected) {
    evidence["reflector_port"] = std::int64_t{entry.reflector_port.value};
    evidence["reflector_service"] = std::string(ReflectorName(entry.reflector_port.value));
  }
  if (kind == FloodKind::kSyn) evidence["handshake_completion"] = entry.syns.Completion(tick);
  if (entry.is_prefix) {
    evidence["prefix"] = Target(entry);
    evidence["distinct_hosts"] = static_cast<std::int64_t>(entry.distinct_hosts());
  }
  return evidence;
}

}  // namespace

AlertClass FloodClass(FloodKind kind, FloodVerdict verdict) {
  if (verdict == FloodVerdict::kCrowd) return AlertClass::kFlashCrowd;
  switch (kind) {
    case FloodKind::kSyn:
    case FloodKind::kTcp:
      return AlertClass::kSynFlood;
    case FloodKind::kUdp:
      return AlertClass::kUdpFlood;
    case FloodKind::kIcmp:
      return AlertClass::kIcmpFlood;
    case FloodKind::kReflected:
    case FloodKind::kSynAck:
      return AlertClass::kAmplification;
  }
  return AlertClass::kUdpFlood;
}

void FillFloodAlert(const FloodEntry& entry, FloodKind kind, FloodVerdict verdict, Timestamp now,
                    Alert& alert) {
  const FloodMetric& metric = entry.metric(kind);
  const double peak = kTicksPerSecond * entry.peak[static_cast<std::size_t>(kind)];
  const double usual = kTicksPerSecond * metric.mean;
  const double spread =
      3 * std::sqrt(std::max(metric.mean, 1.0f) * metric.Dispersion(0)) * kTicksPerSecond;
  const double sources = entry.sources.Estimate();
  alert.score = std::min(kBitsPerUnit * metric.sum, kMaxBits);
  alert.observed = std::max(alert.observed, peak);
  alert.expected = usual;
  alert.band_low = std::max(usual - spread, 0.0);
  alert.band_high = usual + spread;
  alert.unit = "packets/s";
  alert.entity = {.source = {}, .destination = entry.address, .service = {}};
  const double sampled = std::max<double>(entry.sampled_packets, 1);
  const double lead = std::min(entry.source.lead / sampled, 1.0);
  alert.peers.clear();
  if (lead > 0.2) alert.peers.push_back({entry.source.value.ToString(), (1 + lead) / 2});
  if (lead > kAlone || sources < 1.5) alert.entity.source = entry.source.value;
  if (kind == FloodKind::kReflected) {
    alert.entity.service = absl::StrFormat("udp/%d", entry.reflector_port.value);
  }
  if (kind == FloodKind::kSyn && entry.distinct_ports() < 2) {
    alert.entity.service = absl::StrFormat("tcp/%d", entry.destination_port.value);
  }
  alert.first_seen =
      alert.first_seen == Timestamp{} ? entry.since : std::min(alert.first_seen, entry.since);
  alert.last_seen = now;
  alert.window = std::max(now - entry.since, kFloodTick);
  const std::int64_t tick = now.time_since_epoch() / kFloodTick;
  alert.evidence = Evidence(entry, kind, peak, sources, tick);
  alert.confidence = 1 - std::exp2(-std::min(alert.score, 50.0) / 5);
  const bool is_reflected = kind == FloodKind::kReflected || kind == FloodKind::kSynAck;
  const bool is_exhaustion = kind == FloodKind::kSyn || kind == FloodKind::kTcp;
  alert.technique = verdict == FloodVerdict::kCrowd ? ""
                    : is_reflected                  ? "T1498.002"
                    : is_exhaustion                 ? "T1499.001"
                                                    : "T1498.001";
  alert.advice = Advice(entry, kind, verdict);
  alert.summary = Summary(entry, kind, verdict, alert.observed, usual, sources);
}

}  // namespace nta::detect

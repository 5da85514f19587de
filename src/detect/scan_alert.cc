#include "detect/scan_alert.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/str_format.h"
#include "detect/saturating_time.h"

namespace nta::detect {
namespace {

constexpr std::size_t kListLength = 10;
// An inside host with as many failures is not a person who mistyped.
constexpr std::uint32_t kManyFailures = 100;

bool IsPing(std::uint8_t protocol) {
  return protocol == kProtocolIcmp || protocol == kProtocolIcmpV6;
}

std::int64_t Rounded(double value) { return static_cast<std::int64_t>(std::llround(value)); }

std::string Plural(std::int64_t count, std::string_view one, std::string_view many) {
  return absl::StrFormat("%d %s", count, count == 1 ? one : many);
}

Duration SpanOf(const ScanCase& scan) {
  return std::max(Since(scan.first_started, scan.last_started), Duration(0));
}

// How many different hosts and services the case is about.
struct Extent {
  std::int64_t hosts = 0;
  std::int64_t services = 0;
};

Extent ExtentOf(const ScanSource& source, const ScanCase& scan, ScanKind kind) {
  if (scan.trigger == Trigger::kBlock) {
    return {Rounded(source.spread.hosts.Estimate()), Rounded(source.spread.services.Estimate())};
  }
  const std::int64_t tried = std::int64_t{scan.largest.failed} + scan.largest.succeeded;
  if (kind == ScanKind::kPortScan) return {scan.groups, tried};
  return {tried, scan.groups};
}

std::string PortScanSentence(const ScanSource& source, const ScanCase& scan, Extent extent) {
  std::string targets = scan.largest.host.ToString();
  if (extent.hosts > 1) {
    targets += " and of " + Plural(extent.hosts - 1, "other host", "other hosts");
  }
  return absl::StrFormat("%s tried %s of %s", source.address.ToString(),
                         Plural(extent.services, "port", "ports"), targets);
}

std::string SweepSentence(const ScanSource& source, const ScanCase& scan, Extent extent) {
  const std::string address = source.address.ToString();
  const std::string hosts = Plural(extent.hosts, "host", "hosts");
  if (scan.trigger == Trigger::kBlock) {
    return absl::StrFormat("%s tried about %s on %s %s", address,
                           Plural(extent.services, "port", "ports"),
                           source.spread.hosts.full() ? "more than" : "about", hosts);
  }
  if (extent.services == 1 && IsPing(scan.largest.protocol)) {
    return absl::StrFormat("%s pinged %s", address, hosts);
  }
  std::string services = ServiceText(scan.largest.protocol, scan.largest.port);
  if (extent.services > 1) {
    services += " and " + Plural(extent.services - 1, "other service", "other services");
  }
  return absl::StrFormat("%s tried %s on %s", address, services, hosts);
}

std::string Summary(const ScanSource& source, const ScanCase& scan, ScanKind kind) {
  const Extent extent = ExtentOf(source, scan, kind);
  const std::string sentence = kind == ScanKind::kPortScan ? PortScanSentence(source, scan, extent)
                                                           : SweepSentence(source, scan, extent);
  return absl::StrFormat("%s in %s and %s failed: %s", sentence, DurationText(SpanOf(scan)),
                         Plural(scan.failed, "attempt", "attempts"),
                         kind == ScanKind::kPortScan ? "port scan" : "host sweep");
}

Severity SeverityOfCase(const ScanSource& source, const ScanCase& scan, ScanKind kind) {
  // The Internet scans everybody all the time; what answered is what matters. An inside host does
  // not scan by itself.
  // That a host answers pings is no find.
  const bool is_ping = kind == ScanKind::kHostSweep && IsPing(scan.largest.protocol);
  const bool found_something = scan.succeeded > 0 && !is_ping;
  if (!source.address.is_private()) return found_something ? Severity::kMedium : Severity::kLow;
  return found_something || scan.failed >= kManyFailures ? Severity::kHigh : Severity::kMedium;
}

std::string_view TriggerText(Trigger trigger) {
  static constexpr std::array<std::string_view, kTriggers> kTexts = {
      "likelihood_ratio", "min_ports", "min_hosts", "min_pinged_hosts", "block", "silence"};
  return kTexts[static_cast<std::size_t>(trigger)];
}

// The source's latest failures are those of all its scans; an alert shows its own.
bool IsAbout(const AlertEntity& entity, const RecentFailure& failure) {
  if (entity.destination && failure.host != *entity.destination) return false;
  return !entity.service || *entity.service == ServiceText(failure.protocol, failure.port);
}

std::vector<std::string> TopPorts(const ScanSource& source, const AlertEntity& entity) {
  std::map<std::pair<std::uint8_t, std::uint16_t>, int> counts;
  for (const RecentFailure& failure : source.recent) {
    if (IsAbout(entity, failure)) ++counts[{failure.protocol, failure.port}];
  }
  std::vector<std::pair<std::pair<std::uint8_t, std::uint16_t>, int>> order(counts.begin(),
                                                                            counts.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  order.resize(std::min(order.size(), kListLength));
  std::vector<std::string> texts;
  for (const auto& [service, count] : order) {
    texts.push_back(ServiceText(service.first, service.second));
  }
  return texts;
}

// The latest failures, latest last.
std::vector<std::string> SampleTargets(const ScanSource& source, const AlertEntity& entity) {
  const std::size_t size = source.recent.size();
  const std::size_t oldest = size < ScanSource::kRecent ? 0 : source.next_recent;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < size; ++i) {
    const RecentFailure& failure = source.recent[(oldest + i) % size];
    if (!IsAbout(entity, failure)) continue;
    const std::string host = IsPing(failure.protocol)
                                 ? failure.host.ToString()
                                 : Endpoint{failure.host, failure.port}.ToString();
    texts.push_back(ProtocolName(failure.protocol) + " " + host);
  }
  if (texts.size() > kListLength) {
    texts.erase(texts.begin(), texts.end() - static_cast<std::ptrdiff_t>(kListLength));
  }
  return texts;
}

std::map<std::string, EvidenceValue> Evidence(const ScanSource& source, const ScanCase& scan,
                                              ScanKind kind, const AlertEntity& entity) {
  const Extent extent = ExtentOf(source, scan, kind);
  const double seconds = std::chrono::duration<double>(SpanOf(scan)).count();
  return {
      {"failed_contacts", std::int64_t{scan.failed}},
      {"refused_contacts", std::int64_t{scan.refused}},
      {"succeeded_contacts", std::int64_t{scan.succeeded}},
      {"distinct_hosts", extent.hosts},
      {"distinct_ports", extent.services},
      {"failed_contacts_per_second", scan.failed / std::max(seconds, 1.0)},
      {"first_seen", ToString(scan.first_started)},
      {"last_seen", ToString(scan.last_started)},
      {"top_ports", TopPorts(source, entity)},
      {"sample_targets", SampleTargets(source, entity)},
      {"trigger", std::string(TriggerText(scan.trigger))},
  };
}

// The hosts of the latest failures.
std::vector<AlertPeer> Peers(const ScanSource& source) {
  std::map<IpAddress, int> counts;
  for (const RecentFailure& failure : source.recent) ++counts[failure.host];
  std::vector<AlertPeer> peers;
  for (const auto& [host, count] : counts) {
    peers.push_back(
        {host.ToString(), static_cast<double>(count) / static_cast<double>(source.recent.size())});
  }
  std::stable_sort(peers.begin(), peers.end(),
                   [](const AlertPeer& a, const AlertPeer& b) { return a.share > b.share; });
  peers.resize(std::min(peers.size(), kMaxAlertPeers));
  return peers;
}

std::string Advice(const ScanSource& source, const ScanCase& scan) {
  if (source.address.is_private()) {
    return "Find out which program on " + source.address.ToString() +
           " does this; unless it is a scanner of yours, isolate the host.";
  }
  if (scan.succeeded > 0) {
    return "Check what answered " + source.address.ToString() + ", and block the source.";
  }
  return "Nothing answered. Block the source if it goes on.";
}

AlertEntity EntityOf(const ScanSource& source, const ScanCase& scan, ScanKind kind) {
  AlertEntity entity;
  entity.source = source.address;
  if (scan.trigger == Trigger::kBlock || scan.groups != 1) return entity;
  if (kind == ScanKind::kPortScan) {
    entity.destination = scan.largest.host;
  } else {
    entity.service = ServiceText(scan.largest.protocol, scan.largest.port);
  }
  return entity;
}

}  // namespace

std::string DurationText(Duration duration) {
  const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (seconds < 1) return "less than a second";
  if (seconds < 120) return absl::StrFormat("%d s", seconds);
  const std::int64_t minutes = seconds / 60;
  if (minutes < 60) return absl::StrFormat("%d min", minutes);
  const std::int64_t hours = minutes / 60;
  if (hours < 48) return absl::StrFormat("%d h %d min", hours, minutes % 60);
  return absl::StrFormat("%d days %d h", hours / 24, hours % 24);
}

std::string ServiceText(std::uint8_t protocol, std::uint16_t port) {
  const std::string name = ProtocolName(protocol);
  return IsPing(protocol) ? name : absl::StrFormat("%s/%d", name, port);
}

Severity SeverityOf(const ScanSource& source, ScanKind kind) {
  return SeverityOfCase(source, *source.cases[static_cast<std::size_t>(kind)], kind);
}

void FillScanAlert(const ScanSource& source, ScanKind kind, const PortScanOptions& options,
                   Alert& alert) {
  const ScanCase& scan = *source.cases[static_cast<std::size_t>(kind)];
  alert.severity = SeverityOfCase(source, scan, kind);
  alert.score = scan.bits;
  alert.observed = scan.failed;
  alert.expected =
      (1 - options.benign_success) * (static_cast<double>(scan.failed) + scan.succeeded);
  alert.unit = "failed contacts";
  alert.entity = EntityOf(source, scan, kind);
  alert.window = SpanOf(scan);
  alert.first_seen = scan.first_started;
  alert.last_seen = scan.last_started;
  alert.evidence = Evidence(source, scan, kind, alert.entity);
  alert.peers = Peers(source);
  if (kind == ScanKind::kPortScan) {
    alert.technique = "T1046";
  } else {
    alert.technique = source.address.is_private() ? "T1018" : "T1595.001";
  }
  alert.confidence = scan.trigger == Trigger::kLikelihoodRatio ? options.detection_rate : 0.9;
  alert.advice = Advice(source, scan);
  alert.summary = Summary(source, scan, kind);
}

}  // namespace nta::detect

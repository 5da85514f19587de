// The options of each detector that people may set: name, bounds, and what the sensitivity does to
// them. A visitor is called as visit(name, field, Bounds, Scaling, about).
#ifndef NTA_SRC_DETECT_OPTION_LIST_H_
#define NTA_SRC_DETECT_OPTION_LIST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "nta/detect/default_detectors.h"
#include "nta/detect/detector_settings.h"

namespace nta::detect {

// Of counts, numbers and seconds.
struct Bounds {
  double least = 0;
  double most = 0;
};
inline constexpr Bounds kAny{};             // lists and flags
inline constexpr Bounds kShare{0, 1};       // a part of a whole
inline constexpr Bounds kTime{1, 2592000};  // a second to 30 days
inline constexpr Bounds kRate{0.1, 1e9};    // packets a second
inline constexpr Bounds kFew{1, 1e6};
inline constexpr Bounds kAlertsADay{0.01, 1000};
inline constexpr Bounds kBitsOf{0, 200};

enum class Scaling : std::uint8_t {
  kNone,
  kThreshold,  // times 2 for low
  kBudget,     // halved for low
  kBits,       // 4 bits more for low: a sixteenth of the chance
  kChance,     // a thousandth for low, a hundredfold for high
};

// What a list of texts holds; others are told by their type.
struct Texts {
  std::vector<std::string>& list;
  DetectorOptionKind kind;
};

template <typename Visitor>
void VisitAlerts(Visitor& visit, AlertTrackerOptions& o) {
  visit("max_alerts_per_hour", o.max_per_hour, Bounds{1, 10'000}, Scaling::kNone,
        "new alerts of a class in an hour; further ones are counted in one");
  visit("reopen_within", o.reopen_within, Bounds{0, 86'400}, Scaling::kNone,
        "the same thing again within this time is the same alert");
}

template <typename Visitor>
void VisitOptions(Visitor& visit, FloodOptions& o) {
  visit("min_syn_rate", o.min_syn_rate, kRate, Scaling::kThreshold,
        "connection attempts a second that nobody completes: fewer are no flood");
  visit("min_udp_rate", o.min_udp_rate, kRate, Scaling::kThreshold,
        "datagrams a second that nobody answers: fewer are no flood");
  visit("min_icmp_rate", o.min_icmp_rate, kRate, Scaling::kThreshold,
        "ICMP packets a second: fewer are no flood");
  visit("min_amplification_rate", o.min_amplification_rate, kRate, Scaling::kThreshold,
        "answers a second of reflectors that nobody asked: fewer are no flood");
  visit("min_crowd_rate", o.min_crowd_rate, kRate, Scaling::kThreshold,
        "completed connections a second that make a flash crowd");
  visit("alerts_per_day", o.alerts_per_day, kAlertsADay, Scaling::kBudget,
        "alert budget: false alarms a day that chance may give");
  visit("max_destinations", o.max_destinations, Bounds{1, 131'072}, Scaling::kNone,
        "destinations watched at the same time, 450 bytes each");
  visit("max_prefixes", o.max_prefixes, Bounds{1, 32'768}, Scaling::kNone,
        "prefixes (/24, /48) watched at the same time, 450 bytes each");
}

template <typename Visitor>
void VisitOptions(Visitor& visit, PortScanOptions& o) {
  visit("benign_success", o.benign_success, kShare, Scaling::kNone,
        "chance that a first contact of a normal host succeeds");
  visit("scanner_success", o.scanner_success, kShare, Scaling::kNone,
        "chance that a first contact of a scanner succeeds");
  visit("false_positive_rate", o.false_positive_rate, Bounds{1e-12, 0.1}, Scaling::kChance,
        "chance that the test takes a normal source for a scanner");
  visit("detection_rate", o.detection_rate, Bounds{0.5, 0.999999}, Scaling::kNone,
        "chance that the test finds a scanner");
  visit("min_ports", o.min_ports, Bounds{2, 65'536}, Scaling::kThreshold,
        "ports of one host tried in vain that are a port scan");
  visit("min_hosts", o.min_hosts, Bounds{2, 65'536}, Scaling::kThreshold,
        "hosts tried in vain on one port that are a sweep");
  visit("min_pinged_hosts", o.min_pinged_hosts, Bounds{2, 65'536}, Scaling::kThreshold,
        "hosts pinged for the first time that are a sweep");
  visit("window", o.window, kTime, Scaling::kNone, "within this time");
  visit("answer_timeout", o.answer_timeout, Bounds{0.1, 3600}, Scaling::kNone,
        "a contact without an answer for this long has failed");
  visit("quiet_close", o.quiet_close, kTime, Scaling::kNone,
        "an alert closes after this long without a further failure");
  visit("max_sources", o.max_sources, Bounds{1, 131'072}, Scaling::kNone,
        "sources watched at the same time, 900 bytes each");
  visit("max_pending", o.max_pending, Bounds{1, 1'048'576}, Scaling::kNone,
        "contacts that wait for their outcome, 100 bytes each");
  visit("max_contacts", o.max_contacts, Bounds{1024, 4'194'304}, Scaling::kNone,
        "contacts remembered as made before, 16 bytes each");
}

template <typename Visitor>
void VisitOptions(Visitor& visit, BruteForceOptions& o) {
  visit("min_failures", o.min_failures, Bounds{2, 10'000}, Scaling::kThreshold,
        "failed log-ins of one source at one service that are guessing");
  visit("min_web_failures", o.min_web_failures, Bounds{2, 10'000}, Scaling::kThreshold,
        "the same for HTTP, proxies and SIP, where refusals are ordinary");
  visit("forgive_one", o.forgive_one, kTime, Scaling::kNone,
        "one failure is forgiven in each such time");
  visit("min_spray_failures", o.min_spray_failures, Bounds{2, 10'000}, Scaling::kThreshold,
        "failures of one source over several hosts that are password spraying");
  visit("min_spray_hosts", o.min_spray_hosts, Bounds{2, 10'000}, Scaling::kThreshold,
        "over so many hosts");
  visit("min_distributed_failures", o.min_distributed_failures, Bounds{2, 100'000},
        Scaling::kThreshold, "failures at one service from ever new sources");
  visit("min_distributed_sources", o.min_distributed_sources, Bounds{2, 100'000},
        Scaling::kThreshold, "from so many sources");
  visit("failures_before_success", o.failures_before_success, Bounds{2, 10'000},
        Scaling::kThreshold, "failures before a success that make it a break-in");
  visit("max_entries", o.max_entries, Bounds{1, 65'536}, Scaling::kNone,
        "entries in each of three tables, 1 KB each");
}

template <typename Visitor>
void VisitOptions(Visitor& visit, ArpSpoofOptions& o) {
  visit("contested_within", o.contested_within, kTime, Scaling::kNone,
        "both owners of an address were heard within this time");
  visit("min_silent_targets", o.min_silent_targets, Bounds{2, 100'000}, Scaling::kThreshold,
        "addresses that nobody has, asked for by one host, that are a sweep");
  visit("forgive_one", o.forgive_one, kTime, Scaling::kNone,
        "one of them is forgiven in each such time");
  visit("answer_timeout", o.answer_timeout, Bounds{0.1, 3600}, Scaling::kNone,
        "a question without an answer for this long was in vain");
  visit("max_addresses", o.max_addresses, Bounds{1, 65'536}, Scaling::kNone,
        "addresses that are known at the same time, 250 bytes each");
}

template <typename Visitor>
void VisitOptions(Visitor& visit, DhcpOptions& o) {
  visit("min_messages", o.min_messages, Bounds{2, 1e6}, Scaling::kThreshold,
        "requests within ten seconds that are a flood");
  visit("learn_servers", o.learn_servers, kTime, Scaling::kNone,
        "a server first heard later than this after the first one is new");
  visit("max_servers", o.max_servers, Bounds{1, 4096}, Scaling::kNone, "servers that are known");
}

template <typename Visitor>
void VisitOptions(Visitor& visit, PolicyOptions& o) {
  visit("local_networks", o.local_networks, kAny, Scaling::kNone,
        "networks of ours; none: private, link-local and loopback addresses");
  visit("internal_tcp_ports", o.internal_tcp_ports, kAny, Scaling::kNone,
        "TCP ports that only hosts of ours may reach");
  visit("internal_udp_ports", o.internal_udp_ports, kAny, Scaling::kNone,
        "UDP ports that only hosts of ours may reach");
  visit("allowed_sources", o.allowed_sources, kAny, Scaling::kNone,
        "who may reach them from outside all the same");
  visit("block_lists", Texts{o.block_lists, DetectorOptionKind::kFiles}, kAny, Scaling::kNone,
        "files with what nobody may talk to, read again when they change");
  visit("blocked", Texts{o.blocked, DetectorOptionKind::kEntries}, kAny, Scaling::kNone,
        "addresses, networks and domains that nobody may talk to, beside those of the files");
  visit("reload_every", o.reload_every, Bounds{1, 86'400}, Scaling::kNone,
        "how often to look whether a file has changed");
  visit("max_block_entries", o.max_block_entries, Bounds{1, 1e6}, Scaling::kNone,
        "entries of all lists, up to 240 bytes each");
  visit("hold", o.hold, kTime, Scaling::kNone,
        "an alert closes after this long without a further violation");
}

template <typename Visitor>
void VisitOptions(Visitor& visit, BeaconOptions& o) {
  visit("min_calls", o.min_calls, Bounds{5, 64}, Scaling::kThreshold, "calls that have to be seen");
  visit("min_pause", o.min_pause, Bounds{0.001, 3600}, Scaling::kNone,
        "what comes sooner belongs to the call before");
  visit("max_pause", o.max_pause, kTime, Scaling::kNone, "after this a series begins anew");
  visit("min_span", o.min_span, kTime, Scaling::kNone, "calls within less are no evidence yet");
  visit("min_score", o.min_score, kShare, Scaling::kNone, "regularity that opens an alert");
  visit("min_bits", o.min_bits, kBitsOf, Scaling::kBits, "bits of surprise that open an alert");
  visit("max_prevalence", o.max_prevalence, kShare, Scaling::kNone,
        "a destination that a greater share of the hosts calls is a service");
  visit("allowed_ports", o.allowed_ports, kAny, Scaling::kNone,
        "ports that may be called regularly");
  visit("allowed_domains", Texts{o.allowed_domains, DetectorOptionKind::kDomains}, kAny,
        Scaling::kNone, "server names, or domains above them, that may be called regularly");
  visit("max_pairs", o.max_pairs, Bounds{1, 65'536}, Scaling::kNone,
        "pairs of host and service watched at the same time, 700 bytes each");
  visit("max_destinations", o.max_destinations, Bounds{1, 131'072}, Scaling::kNone,
        "destinations whose callers are counted, 150 bytes each");
}

template <typename Visitor>
void VisitOptions(Visitor& visit, DnsTunnelOptions& o) {
  visit("min_names", o.min_names, kFew, Scaling::kThreshold,
        "different names of one domain that a client asks for");
  visit("min_bytes", o.min_bytes, kFew, Scaling::kThreshold, "bytes that they carry together");
  visit("min_score", o.min_score, kShare, Scaling::kNone, "how much they look like data");
  visit("window", o.window, kTime, Scaling::kNone, "within this time");
  visit("quiet_close", o.quiet_close, kTime, Scaling::kNone,
        "an alert closes after this long without a further name");
  visit("allowed_domains", Texts{o.allowed_domains, DetectorOptionKind::kDomains}, kAny,
        Scaling::kNone, "domains whose names are data by design");
  visit("max_pairs", o.max_pairs, Bounds{1, 16'384}, Scaling::kNone,
        "pairs of client and domain watched at the same time, 1 KB each");
}

template <typename Visitor>
void VisitOptions(Visitor& visit, ExfiltrationOptions& o) {
  visit("min_bytes", o.min_bytes, Bounds{1, 1e15}, Scaling::kThreshold,
        "bytes from one host to one host outside within an hour");
  visit("min_ratio", o.min_ratio, Bounds{0, 1000}, Scaling::kNone,
        "this many times what comes back");
  visit("min_growth", o.min_growth, Bounds{1, 1000}, Scaling::kNone,
        "this many times what it sends in its busiest hours");
  visit("newcomer", o.newcomer, Bounds{1, 1000}, Scaling::kNone,
        "a new host may send this many times min_bytes on its first day");
  visit("max_pairs", o.max_pairs, Bounds{1, 65'536}, Scaling::kNone,
        "pairs of host and peer watched at the same time, 200 bytes each");
  visit("max_hosts", o.max_hosts, Bounds{1, 65'536}, Scaling::kNone,
        "hosts whose usual hours are known, 1.2 KB each");
  visit("alerts_per_day", o.budget.alerts_per_day, kAlertsADay, Scaling::kBudget,
        "alert budget: false alarms a day that chance may give");
  visit("min_bits", o.budget.min_bits, kBitsOf, Scaling::kBits,
        "bits of surprise below which nothing is said");
}

template <typename Visitor>
void VisitOptions(Visitor& visit, RarePeerOptions& o) {
  visit("warm_up", o.warm_up, Bounds{0, 2592000}, Scaling::kNone, "learnt before anything is said");
  visit("min_contacts", o.min_contacts, kFew, Scaling::kThreshold,
        "contacts of a source before anything is said about it");
  visit("memory", o.memory, kTime, Scaling::kNone, "contacts count half after this time");
  visit("max_contacts", o.max_contacts, Bounds{1024, 16'777'216}, Scaling::kNone,
        "contacts remembered as made before, 4 bytes each");
  visit("generation", o.generation, Bounds{3600, 31'536'000}, Scaling::kNone,
        "a contact is new again after one to two such times");
  visit("max_sources", o.max_sources, Bounds{1, 131'072}, Scaling::kNone,
        "sources watched at the same time, 120 bytes each");
  visit("quiet_close", o.quiet_close, kTime, Scaling::kNone,
        "an alert closes after this long without a further contact");
  visit("alerts_per_day", o.budget.alerts_per_day, kAlertsADay, Scaling::kBudget,
        "alert budget: false alarms a day that chance may give");
  visit("min_bits", o.budget.min_bits, kBitsOf, Scaling::kBits,
        "bits of surprise below which nothing is said");
}

template <typename Visitor>
void VisitOptions(Visitor& visit, BaselineOptions& o) {
  visit("interface_bin", o.interface_bin, Bounds{1, 3600}, Scaling::kNone,
        "length of a bin of an interface");
  visit("host_bin", o.host_bin, Bounds{1, 3600}, Scaling::kNone,
        "length of a bin of a host or service");
  visit("max_delay", o.max_delay, Bounds{0, 86'400}, Scaling::kNone,
        "how late a flow record may tell of its bytes");
  visit("warm_up", o.warm_up, Bounds{0, 2592000}, Scaling::kNone, "learnt before anything is said");
  visit("regime_change", o.regime_change, kTime, Scaling::kNone,
        "a shift that lasts this long is the new normal");
  visit("max_interfaces", o.max_interfaces, Bounds{1, 64}, Scaling::kNone,
        "interfaces watched, 500 KB each");
  visit("max_hosts", o.max_hosts, Bounds{0, 4096}, Scaling::kNone, "hosts watched, 35 KB each");
  visit("max_services", o.max_services, Bounds{0, 4096}, Scaling::kNone,
        "services watched, 20 KB each");
  visit("alerts_per_day", o.budget.alerts_per_day, kAlertsADay, Scaling::kBudget,
        "alert budget: false alarms a day that chance may give");
  visit("min_bits", o.budget.min_bits, kBitsOf, Scaling::kBits,
        "bits of surprise below which nothing is said");
}

template <typename Visitor>
void VisitOptions(Visitor& visit, FlowAnomalyOptions& o) {
  visit("loda", o.loda, kAny, Scaling::kNone, "model: sparse projections");
  visit("half_space_trees", o.half_space_trees, kAny, Scaling::kNone, "model: half-space trees");
  visit("autoencoders", o.autoencoders, kAny, Scaling::kNone, "model: ensemble of auto-encoders");
  visit("warm_up_flows", o.warm_up_flows, Bounds{1, 1e6}, Scaling::kNone,
        "flows that are only learnt");
  visit("warm_up", o.warm_up, Bounds{0, 2592000}, Scaling::kNone, "the least time that this takes");
  visit("window", o.window, kTime, Scaling::kNone,
        "flows of a source are judged together in windows of this length");
  visit("min_flows", o.min_flows, kFew, Scaling::kThreshold,
        "unusual flows of a source in a window");
  visit("unusual_bits", o.unusual_bits, kBitsOf, Scaling::kNone,
        "bits of surprise that make a flow unusual");
  visit("max_sources", o.max_sources, Bounds{1, 65'536}, Scaling::kNone,
        "sources in one window, 200 bytes each");
  visit("quiet_close", o.quiet_close, kTime, Scaling::kNone,
        "an alert closes after this long without a further unusual flow");
  visit("alerts_per_day", o.budget.alerts_per_day, kAlertsADay, Scaling::kBudget,
        "alert budget: false alarms a day that chance may give");
  visit("min_bits", o.budget.min_bits, kBitsOf, Scaling::kBits,
        "bits of surprise below which nothing is said");
}

// Calls act(name, options of the detector) for every detector, in the order of DefaultDetectors.
template <typename Act>
void ForEachDetector(DetectionOptions& o, const Act& act) {
  act("flood", o.flood);
  act("port_scan", o.port_scan);
  act("brute_force", o.brute_force);
  act("arp_spoof", o.arp_spoof);
  act("dhcp", o.dhcp);
  act("policy", o.policy);
  act("beacon", o.beacon);
  act("dns_tunnel", o.dns_tunnel);
  act("exfiltration", o.exfiltration);
  act("rare_peer", o.rare_peer);
  act("baseline", o.baseline);
  act("flow_anomaly", o.flow_anomaly);
}

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_OPTION_LIST_H_

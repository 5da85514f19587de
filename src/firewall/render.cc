#include "firewall/render.h"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace nta::firewall {
namespace {

constexpr std::uint8_t kPortProtocols[] = {kProtocolTcp, kProtocolUdp, kProtocolDccp, kProtocolSctp,
                                           kProtocolUdpLite};

std::uint32_t StateBits(const std::vector<ConnectionState>& states) {
  std::uint32_t bits = 0;
  for (const ConnectionState state : states) {
    switch (state) {
      case ConnectionState::kNew:
        bits |= kStateNew;
        break;
      case ConnectionState::kEstablished:
        bits |= kStateEstablished;
        break;
      case ConnectionState::kRelated:
        bits |= kStateRelated;
        break;
      case ConnectionState::kInvalid:
        bits |= kStateInvalid;
        break;
    }
  }
  return bits;
}

std::vector<AddressRange> OfVersion(const std::vector<IpPrefix>& prefixes, int version) {
  std::vector<IpPrefix> chosen;
  for (const IpPrefix& prefix : prefixes) {
    if (prefix.address().version() == version) chosen.push_back(prefix);
  }
  return Union(chosen);
}

// The ways in which an address of that version can match: the prefixes together, or one of the
// sets.
std::vector<AddressMatch> Alternatives(const RuleAddresses& addresses, const RuleSet& rules,
                                       const RenderOptions& options, int version) {
  std::vector<AddressMatch> result;
  if (addresses.is_any()) return {AddressMatch{}};
  auto ranges = OfVersion(addresses.prefixes, version);
  if (!ranges.empty()) result.push_back({.ranges = std::move(ranges)});
  for (const std::string& name : addresses.sets) {
    const AddressSet* const set = rules.FindSet(name);
    if (set == nullptr) continue;  // RuleSet::Create() refuses that
    const auto generation = options.generations.find(name);
    result.push_back(
        {.set = KernelSetName(*set, version,
                              generation == options.generations.end() ? 0 : generation->second)});
  }
  return result;
}

// Everything of the rule but addresses and what is done.
KernelLine Conditions(const Rule& rule) {
  KernelLine line;
  if (rule.protocol) line.protocols = {*rule.protocol};
  line.source_ports = Union(rule.source_ports);
  line.destination_ports = Union(rule.destination_ports);
  if (!rule.protocol && !(line.source_ports.empty() && line.destination_ports.empty())) {
    line.protocols.assign(std::begin(kPortProtocols), std::end(kPortProtocols));
  }
  line.icmp_types = rule.icmp_types;
  std::sort(line.icmp_types.begin(), line.icmp_types.end());
  line.in_interface = rule.in_interface.value_or("");
  line.out_interface = rule.out_interface.value_or("");
  line.states = StateBits(rule.states);
  if (rule.expires) {
    line.before = std::chrono::ceil<std::chrono::seconds>(rule.expires->time_since_epoch()).count();
  }
  return line;
}

std::vector<KernelLine> MatchLines(const Rule& rule, const RuleSet& rules,
                                   const RenderOptions& options) {
  KernelLine conditions = Conditions(rule);
  // ICMP is a protocol of IPv4 alone, ICMPv6 of IPv6.
  if (rule.protocol == kProtocolIcmp) conditions.version = 4;
  if (rule.protocol == kProtocolIcmpV6) conditions.version = 6;
  if (rule.source.is_any() && rule.destination.is_any()) return {conditions};
  std::vector<KernelLine> lines;
  for (const int version : {4, 6}) {
    if (conditions.version != 0 && conditions.version != version) continue;
    for (const AddressMatch& source : Alternatives(rule.source, rules, options, version)) {
      for (const AddressMatch& destination :
           Alternatives(rule.destination, rules, options, version)) {
        KernelLine line = conditions;
        line.version = version;
        line.source = source;
        line.destination = destination;
        lines.push_back(std::move(line));
      }
    }
  }
  return lines;
}

// For a rule that no packet can match (an IPv4 source with an IPv6 destination): lines without
// effect that still tell its addresses.
std::vector<KernelLine> IdleLines(const Rule& rule, const RuleSet& rules,
                                  const RenderOptions& options) {
  std::vector<KernelLine> lines;
  for (const int version : {4, 6}) {
    KernelLine line = Conditions(rule);
    line.version = version;
    line.verdict = LineVerdict::kReturn;
    for (AddressMatch& source : Alternatives(rule.source, rules, options, version)) {
      if (source.is_any()) continue;
      line.source = std::move(source);
      lines.push_back(line);
    }
    line.source = {};
    for (AddressMatch& destination : Alternatives(rule.destination, rules, options, version)) {
      if (destination.is_any()) continue;
      line.destination = std::move(destination);
      lines.push_back(line);
    }
  }
  return lines;
}

// What is done with a packet that matches, as lines of their own.
std::vector<KernelLine> VerdictLines(const Rule& rule) {
  KernelLine line;
  line.counter = CounterName(rule.id);
  if (rule.log) line.log_prefix = "nta " + rule.id + ": ";
  switch (rule.verdict) {
    case RuleVerdict::kAccept:
      line.verdict = LineVerdict::kAccept;
      break;
    case RuleVerdict::kDrop:
      line.verdict = LineVerdict::kDrop;
      break;
    case RuleVerdict::kRateLimit:
      line.limit = LimitName(rule.id);
      line.verdict = LineVerdict::kDrop;
      break;
    case RuleVerdict::kReject: {
      if (rule.protocol) {
        line.verdict = *rule.protocol == kProtocolTcp ? LineVerdict::kRejectTcpReset
                                                      : LineVerdict::kRejectProhibited;
        // nft wants to see that it is TCP.
        if (*rule.protocol == kProtocolTcp) line.protocols = {kProtocolTcp};
        break;
      }
      KernelLine reset, prohibited;
      reset.protocols = {kProtocolTcp};
      reset.verdict = LineVerdict::kRejectTcpReset;
      prohibited.verdict = LineVerdict::kRejectProhibited;
      return {line, reset, prohibited};
    }
  }
  return {line};
}

KernelLine Merge(KernelLine match, const KernelLine& verdict) {
  match.counter = verdict.counter;
  match.log_prefix = verdict.log_prefix;
  match.limit = verdict.limit;
  match.verdict = verdict.verdict;
  return match;
}

KernelLine Peer(const IpPrefix& loopback) {
  const std::vector<AddressRange> range = {{loopback.address(), loopback.Last()}};
  KernelLine line;
  line.version = loopback.address().version();
  line.source.ranges = range;
  line.destination.ranges = range;
  line.verdict = LineVerdict::kAccept;
  line.comment = "loopback";
  return line;
}

void AppendPeers(const ProtectedSet& safe, RuleDirection direction, ProtectedRole role,
                 std::vector<KernelLine>& lines) {
  if (direction == RuleDirection::kForward) return;
  std::vector<IpPrefix> prefixes;
  for (const ProtectedPeer& peer : safe.peers) {
    if (peer.role == role) prefixes.push_back(peer.prefix);
  }
  for (const int version : {4, 6}) {
    AddressMatch match{.ranges = OfVersion(prefixes, version)};
    if (match.is_any()) continue;
    KernelLine line;
    line.version = version;
    if (role == ProtectedRole::kOwn || direction == RuleDirection::kIn) line.source = match;
    if (role == ProtectedRole::kOwn || direction == RuleDirection::kOut) line.destination = match;
    line.verdict = LineVerdict::kAccept;
    line.comment = ToString(role);
    lines.push_back(std::move(line));
  }
}

KernelChain RenderProtected(const ProtectedSet& safe, RuleDirection direction) {
  KernelChain chain;
  if (safe.loopback) {
    KernelLine interface;
    if (direction != RuleDirection::kOut) interface.in_interface = "lo";
    if (direction == RuleDirection::kOut) interface.out_interface = "lo";
    interface.verdict = LineVerdict::kAccept;
    interface.comment = "loopback";
    chain.lines.push_back(interface);
    if (direction == RuleDirection::kForward) {
      std::swap(interface.in_interface, interface.out_interface);
      chain.lines.push_back(interface);
    }
    chain.lines.push_back(Peer(IpPrefix::Parse("127.0.0.0/8").value()));
    chain.lines.push_back(Peer(IpPrefix::Parse("::1").value()));
  }
  if (safe.neighbour_discovery && direction != RuleDirection::kForward) {
    KernelLine line;
    line.version = 6;
    line.protocols = {kProtocolIcmpV6};
    line.icmp_types = {133, 134, 135, 136};
    line.verdict = LineVerdict::kAccept;
    line.comment = "neighbour_discovery";
    chain.lines.push_back(std::move(line));
  }
  for (const ProtectedRole role :
       {ProtectedRole::kOwn, ProtectedRole::kGateway, ProtectedRole::kResolver,
        ProtectedRole::kAdministrator, ProtectedRole::kConfigured}) {
    AppendPeers(safe, direction, role, chain.lines);
  }
  if (safe.replies) {
    KernelLine line;
    line.is_reply = true;
    line.states = kStateEstablished | kStateRelated;
    line.verdict = LineVerdict::kAccept;
    line.comment = "replies";
    chain.lines.push_back(std::move(line));
  }
  return chain;
}

KernelLine Note(std::string text) {
  KernelLine line;
  line.verdict = LineVerdict::kReturn;
  line.comment = std::move(text);
  return line;
}

// What the kernel has no place for: the order across directions, who wrote a rule, why, until when
// exactly. Read again by import.cc.
KernelChain RenderAbout(const RuleSet& rules) {
  KernelChain chain;
  for (const AddressSet& set : rules.sets()) {
    if (set.allow_wide) chain.lines.push_back(Note("set " + set.name + " wide"));
  }
  for (const Rule& rule : rules.rules()) {
    std::string text = "rule " + rule.id;
    if (rule.allow_wide) text += " wide";
    if (rule.expires) text += " until " + std::to_string(rule.expires->time_since_epoch().count());
    chain.lines.push_back(Note(std::move(text)));
    if (!rule.author.empty()) chain.lines.push_back(Note("by " + rule.author));
    if (!rule.comment.empty()) chain.lines.push_back(Note("about " + rule.comment));
  }
  return chain;
}

}  // namespace

std::string KernelSetName(const AddressSet& set, int version, std::uint32_t generation) {
  return std::string(set.kind == AddressSetKind::kHosts ? "h" : "p") + std::to_string(version) +
         "_" + set.name + "." + std::to_string(generation);
}

std::optional<KernelSetNameParts> ParseKernelSetName(std::string_view text) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos || dot < 4 || text[2] != '_') return std::nullopt;
  KernelSetNameParts parts;
  if (text[0] != 'h' && text[0] != 'p') return std::nullopt;
  if (text[1] != '4' && text[1] != '6') return std::nullopt;
  parts.kind = text[0] == 'h' ? AddressSetKind::kHosts : AddressSetKind::kPrefixes;
  parts.version = text[1] - '0';
  parts.name = text.substr(3, dot - 3);
  const std::string_view number = text.substr(dot + 1);
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), parts.generation);
  if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  return parts;
}

std::string BaseChain(RuleDirection direction) {
  return direction == RuleDirection::kIn    ? "input"
         : direction == RuleDirection::kOut ? "output"
                                            : "forward";
}
std::string ProtectedChain(RuleDirection direction) { return "protected_" + BaseChain(direction); }
std::string MatchChain(std::string_view rule_id) { return "m_" + std::string(rule_id); }
std::string VerdictChain(std::string_view rule_id) { return "v_" + std::string(rule_id); }
std::string CounterName(std::string_view rule_id) { return "c_" + std::string(rule_id); }
std::string LimitName(std::string_view rule_id) { return "l_" + std::string(rule_id); }

RenderedRule RenderRule(const Rule& rule, const RuleSet& rules, const RenderOptions& options) {
  RenderedRule result;
  result.limit = rule.rate_limit;
  std::vector<KernelLine> matches = MatchLines(rule, rules, options);
  const std::vector<KernelLine> verdicts = VerdictLines(rule);
  if (matches.size() == 1 && verdicts.size() == 1) {
    result.lines = {Merge(std::move(matches.front()), verdicts.front())};
    result.lines.front().comment = rule.id;
    return result;
  }
  // Whichever way it matches, the verdict is asked once: a packet that two ways match must not
  // count twice. After a chain that was gone to, the packet returns to where it had jumped from.
  for (KernelLine& line : matches) {
    line.verdict = LineVerdict::kGoto;
    line.target = VerdictChain(rule.id);
  }
  if (matches.empty()) matches = IdleLines(rule, rules, options);
  result.chains[MatchChain(rule.id)].lines = std::move(matches);
  result.chains[VerdictChain(rule.id)].lines = verdicts;
  KernelLine jump;
  jump.verdict = LineVerdict::kJump;
  jump.target = MatchChain(rule.id);
  jump.comment = rule.id;
  result.lines = {std::move(jump)};
  return result;
}

KernelTable Render(const RuleSet& rules, const RenderOptions& options) {
  KernelTable table;
  for (const RuleDirection direction :
       {RuleDirection::kIn, RuleDirection::kOut, RuleDirection::kForward}) {
    KernelChain& chain = table.chains[BaseChain(direction)];
    chain.hook = BaseChain(direction);
    chain.type = "filter";
    chain.priority = options.priority;
    chain.drops_by_default = rules.defaults().of(direction) == RuleVerdict::kDrop;
    table.chains[ProtectedChain(direction)] = RenderProtected(rules.protected_set(), direction);
    KernelLine jump;
    jump.verdict = LineVerdict::kJump;
    jump.target = ProtectedChain(direction);
    chain.lines.push_back(std::move(jump));
  }
  for (const AddressSet& set : rules.sets()) {
    const auto generation = options.generations.find(set.name);
    for (const int version : {4, 6}) {
      const std::string name = KernelSetName(
          set, version, generation == options.generations.end() ? 0 : generation->second);
      table.sets[name] = {.version = version, .kind = set.kind};
    }
  }
  for (const Rule& rule : rules.rules()) {
    RenderedRule rendered = RenderRule(rule, rules, options);
    auto& lines = table.chains[BaseChain(rule.direction)].lines;
    lines.insert(lines.end(), rendered.lines.begin(), rendered.lines.end());
    table.chains.merge(rendered.chains);
    table.counters.push_back(CounterName(rule.id));
    if (rendered.limit) table.limits[LimitName(rule.id)] = *rendered.limit;
  }
  table.chains[std::string(kAboutChain)] = RenderAbout(rules);
  std::sort(table.counters.begin(), table.counters.end());
  return table;
}

}  // namespace nta::firewall

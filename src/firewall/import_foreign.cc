#include <algorithm>
#include <set>
#include <string>

#include "base/status.h"
#include "base/utf8.h"
#include "firewall/import.h"
#include "firewall/line_rule.h"
#include "firewall/render.h"

namespace nta {
namespace firewall {
namespace {

constexpr int kMaxJumps = 8;
constexpr std::size_t kMaxImported = kMaxRules;
constexpr std::size_t kMaxTold = 1000;
constexpr std::size_t kMaxShownBytes = 200;

// As RuleSet::Create() wants comments; other characters become '_'.
std::string PlainComment(const std::string& text) {
  constexpr std::string_view kAllowed = " .,:/()@+=_-";
  std::string plain;
  for (const char c : text.substr(0, 120)) {
    const bool right = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kAllowed.find(c) != std::string_view::npos;
    plain += right ? c : '_';
  }
  return plain;
}

// Both conditions, where each field is asked for by one of them at most.
bool Join(const KernelLine& outer, KernelLine& inner) {
  const auto take = [](const auto& from, auto& to, const auto& none) {
    if (from == none) return true;
    if (to != none && to != from) return false;
    to = from;
    return true;
  };
  const KernelLine none;
  return take(outer.version, inner.version, none.version) &&
         take(outer.source, inner.source, none.source) &&
         take(outer.destination, inner.destination, none.destination) &&
         take(outer.protocols, inner.protocols, none.protocols) &&
         take(outer.source_ports, inner.source_ports, none.source_ports) &&
         take(outer.destination_ports, inner.destination_ports, none.destination_ports) &&
         take(outer.icmp_types, inner.icmp_types, none.icmp_types) &&
         take(outer.in_interface, inner.in_interface, none.in_interface) &&
         take(outer.out_interface, inner.out_interface, none.out_interface) &&
         take(outer.states, inner.states, none.states) &&
         take(outer.is_reply, inner.is_reply, none.is_reply) &&
         take(outer.before, inner.before, none.before);
}

bool HasConditions(const KernelLine& line) {
  KernelLine bare = line;
  KernelLine none;
  none.counter = bare.counter;
  none.log_prefix = bare.log_prefix;
  none.verdict = bare.verdict;
  none.target = bare.target;
  none.comment = bare.comment;
  return bare != none;
}

class Importer {
 public:
  explicit Importer(const NftTable& table) : table_(table) {}

  absl::StatusOr<NftablesImport> Import() {
    AddSets();
    for (const RuleDirection direction :
         {RuleDirection::kIn, RuleDirection::kOut, RuleDirection::kForward}) {
      AddHook(direction);
    }
    for (const auto& [name, chain] : table_.table.chains) {
      const bool is_known =
          chain.hook.empty() ||
          (chain.type == "filter" &&
           (chain.hook == "input" || chain.hook == "output" || chain.hook == "forward"));
      if (!is_known) {
        Tell("chain " + name + " of type " + chain.type + " at hook " + chain.hook +
             " is left out: only filters of what comes in, goes out or is forwarded map");
      }
    }
    for (const auto& [kind, name] : table_.table.others) {
      Tell(kind + " " + name + " is left out: rules have no such thing");
    }
    NTA_ASSIGN_OR_RETURN(result_.rules, RuleSet::Create(std::move(parts_)));
    return std::move(result_);
  }

 private:
  void Tell(const std::string& sentence) {
    if (result_.unmapped.size() == kMaxTold) return;
    result_.unmapped.push_back(base::PrintableUtf8(sentence, 2 * kMaxShownBytes));
  }

  void AddSets() {
    std::size_t number = 0;
    for (const auto& [name, set] : table_.table.sets) {
      const auto elements = table_.elements.find(name);
      if (elements == table_.elements.end() || (elements->second.empty() && !set.is_known_form)) {
        Tell("set " + name + " is left out: it is empty or does not hold addresses");
        continue;
      }
      AddressSet result{.name = name, .kind = AddressSetKind::kHosts};
      for (const IpPrefix& prefix : ToPrefixes(elements->second)) {
        if (prefix.length() != (prefix.address().is_v4() ? 32 : 128)) {
          result.kind = AddressSetKind::kPrefixes;
        }
        result.elements.push_back({.prefix = prefix});
      }
      result.allow_wide = true;
      if (!CheckAddressSet(result).ok()) result.name = "set-" + std::to_string(++number);
      if (const absl::Status status = CheckAddressSet(result); !status.ok()) {
        Tell("set " + name + " is left out: " + std::string(status.message()));
        continue;
      }
      // Its elements' times and counts are not part of what was listed.
      names_[name] = result.name;
      parts_.sets.push_back(std::move(result));
    }
  }

  void AddHook(RuleDirection direction) {
    const std::string hook = BaseChain(direction);
    bool is_first = true;
    for (const auto& [name, chain] : table_.table.chains) {
      if (chain.hook != hook || chain.type != "filter") continue;
      if (!is_first) {
        Tell("chain " + name + " is left out: the table has another chain at hook " + hook +
             ", and an accept in one is not an accept in the other");
        continue;
      }
      is_first = false;
      RuleVerdict& fallback = direction == RuleDirection::kIn    ? parts_.defaults.in
                              : direction == RuleDirection::kOut ? parts_.defaults.out
                                                                 : parts_.defaults.forward;
      fallback = chain.drops_by_default ? RuleVerdict::kDrop : RuleVerdict::kAccept;
      AddChain(direction, name, KernelLine(), 0);
    }
  }

  void AddChain(RuleDirection direction, const std::string& name, const KernelLine& outer,
                int depth) {
    const auto found = table_.table.chains.find(name);
    if (found == table_.table.chains.end()) return;
    std::size_t number = 0;
    for (const KernelLine& line : found->second.lines) {
      const std::string place = "chain " + name + ", rule " + std::to_string(++number);
      if (!line.unknown.empty()) {
        Tell(place + " is left out: " + line.unknown.front().substr(0, kMaxShownBytes) +
             " has no place in a rule");
        continue;
      }
      // The end of a chain that was jumped to.
      if (line.verdict == LineVerdict::kReturn && !HasConditions(line) && depth > 0) return;
      KernelLine joined = line;
      if (!Join(outer, joined)) {
        Tell(place + " is left out: it asks twice for the same thing");
        continue;
      }
      if (line.verdict == LineVerdict::kJump || line.verdict == LineVerdict::kGoto) {
        Follow(direction, place, line, joined, depth);
      } else {
        AddLine(direction, place, joined);
      }
    }
  }

  void Follow(RuleDirection direction, const std::string& place, const KernelLine& line,
              KernelLine joined, int depth) {
    if (depth == kMaxJumps || joined.own_limit || !joined.limit.empty()) {
      return Tell(place + " is left out: the jump to " + line.target + " is too deep or limited");
    }
    joined.verdict = LineVerdict::kNone;
    joined.target.clear();
    AddChain(direction, line.target, joined, depth + 1);
    if (line.verdict == LineVerdict::kGoto) {
      Tell(place + " goes to " + line.target +
           " and does not come back; its rules were taken, the rest of the chain still follows");
    }
  }

  void AddLine(RuleDirection direction, const std::string& place, KernelLine line) {
    if (table_.family == "ip" && line.version == 0) line.version = 4;
    if (table_.family == "ip6" && line.version == 0) line.version = 6;
    if (line.is_reply) return Tell(place + " is left out: it asks for the reply direction");
    const bool has_limit = line.own_limit || !line.limit.empty();
    const auto named = table_.table.limits.find(line.limit);
    Rule rule{.direction = direction, .allow_wide = true};
    if (has_limit) {
      const bool is_over =
          line.own_limit ? line.own_limit_is_over : named != table_.table.limits.end();
      if (!is_over || line.verdict != LineVerdict::kDrop) {
        return Tell(place + " is left out: of limits, only \"limit rate over ... drop\" maps");
      }
      rule.rate_limit = line.own_limit ? *line.own_limit : named->second;
    }
    if (line.verdict == LineVerdict::kNone) return;  // it only counts or logs
    if (!AddVerdict(line, rule)) return Tell(place + " is left out: rules have no such verdict");
    if (line.verdict == LineVerdict::kRejectOther) {
      Tell(place + " rejects with another message than ours");
    }
    rule.log = line.log_prefix.has_value();
    rule.comment = PlainComment(line.comment);
    AddConditions(line, rule);
    if (!AddAllAddresses(place, line, rule)) return;
    // A rule has one protocol; a line may have several.
    const std::vector<std::uint8_t> protocols =
        line.protocols.size() > 1 ? line.protocols : std::vector<std::uint8_t>{0};
    for (const std::uint8_t protocol : protocols) {
      if (line.protocols.size() > 1) rule.protocol = protocol;
      rule.id = "import-" + std::to_string(parts_.rules.size() + 1);
      if (const absl::Status status = CheckRule(rule); !status.ok()) {
        Tell(place + " is left out: " + std::string(status.message()));
      } else if (parts_.rules.size() == kMaxImported) {
        Tell(place + " is left out: there are too many");
      } else {
        parts_.rules.push_back(rule);
      }
    }
  }

  bool AddAllAddresses(const std::string& place, KernelLine& line, Rule& rule) {
    for (AddressMatch* const match : {&line.source, &line.destination}) {
      if (match->set.empty()) continue;
      const auto name = names_.find(match->set);
      if (name == names_.end()) {
        Tell(place + " is left out: its set " + match->set + " is");
        return false;
      }
      match->set = name->second;
    }
    AddAddresses(line, rule);
    const bool tells_version = !rule.source.is_any() || !rule.destination.is_any() ||
                               rule.protocol == kProtocolIcmp || rule.protocol == kProtocolIcmpV6;
    if (line.version != 0 && !tells_version) {
      rule.source.prefixes = {
          IpPrefix::Parse(line.version == 4 ? "0.0.0.0/0" : "::/0").value_or(IpPrefix())};
    }
    return true;
  }

  const NftTable& table_;
  RuleSetParts parts_;  // with the protected set on: an import must not lock anyone out
  std::map<std::string, std::string> names_;  // of sets, as they are called here
  NftablesImport result_;
};

}  // namespace

absl::StatusOr<NftablesImport> ImportTable(const NftTable& table) {
  return Importer(table).Import();
}

}  // namespace firewall

absl::StatusOr<NftablesImport> ImportNftables(std::string_view listing, std::string_view family,
                                              std::string_view table) {
  NTA_ASSIGN_OR_RETURN(const std::vector<firewall::NftTable> tables,
                       firewall::ParseNftJson(listing));
  for (const firewall::NftTable& one : tables) {
    if (one.family == family && one.name == table) return firewall::ImportTable(one);
  }
  return base::MakeStatus(absl::StatusCode::kNotFound, "the listing has no table " +
                                                           std::string(family.substr(0, 8)) + " " +
                                                           std::string(table.substr(0, 64)));
}

}  // namespace nta

#include "firewall/import.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/status.h"
#include "firewall/line_rule.h"
#include "firewall/render.h"

namespace nta::firewall {
namespace {

constexpr RuleDirection kDirections[] = {RuleDirection::kIn, RuleDirection::kOut,
                                         RuleDirection::kForward};

// What RenderAbout() wrote of one rule.
struct About {
  std::string id{};
  std::string comment{};
  std::string author{};
  std::optional<Timestamp> expires{};
  bool allow_wide = false;
};

std::vector<std::string> Words(const std::string& text) {
  std::vector<std::string> words{""};
  for (const char c : text) {
    if (c == ' ') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

About ReadAbout(const std::vector<std::string>& words) {
  About about{.id = words[1]};
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (words[i] == "wide") about.allow_wide = true;
    if (words[i] != "until" || i + 1 == words.size()) continue;
    const std::string& number = words[++i];
    std::int64_t nanoseconds = 0;
    if (std::from_chars(number.data(), number.data() + number.size(), nanoseconds).ec ==
        std::errc()) {
      about.expires = Timestamp(Duration(nanoseconds));
    }
  }
  return about;
}

struct Notes {
  std::vector<About> rules{};
  std::set<std::string> wide_sets{};
};

Notes ReadNotes(const KernelTable& table) {
  Notes notes;
  const auto chain = table.chains.find(std::string(kAboutChain));
  if (chain == table.chains.end()) return notes;
  for (const KernelLine& line : chain->second.lines) {
    const std::vector<std::string> words = Words(line.comment);
    if (words.size() < 2) continue;
    if (words[0] == "set") notes.wide_sets.insert(words[1]);
    if (words[0] == "rule") notes.rules.push_back(ReadAbout(words));
    if (notes.rules.empty()) continue;
    if (words[0] == "by") notes.rules.back().author = words[1];
    if (words[0] == "about") notes.rules.back().comment = line.comment.substr(6);
  }
  return notes;
}

const KernelChain* FindChain(const KernelTable& table, const std::string& name) {
  const auto found = table.chains.find(name);
  return found == table.chains.end() ? nullptr : &found->second;
}

// The rule that `line` of a base chain begins; absent when it is none of ours.
std::optional<Rule> ReadRule(const KernelTable& table, RuleDirection direction,
                             const KernelLine& line) {
  Rule rule{.id = line.comment, .direction = direction};
  std::vector<KernelLine> matches{line};
  KernelLine verdict = line;
  if (line.verdict == LineVerdict::kJump) {
    const KernelChain* const match_chain = FindChain(table, MatchChain(rule.id));
    const KernelChain* const verdict_chain = FindChain(table, VerdictChain(rule.id));
    if (match_chain == nullptr || verdict_chain == nullptr || verdict_chain->lines.empty()) {
      return std::nullopt;
    }
    matches = match_chain->lines;
    verdict = verdict_chain->lines.front();
    // A reject of everything: a count, then one line for TCP and one for the rest.
    if (verdict.verdict == LineVerdict::kNone) verdict.verdict = LineVerdict::kRejectProhibited;
  }
  if (matches.empty() || rule.id.empty()) return std::nullopt;
  AddConditions(matches.front(), rule);
  for (const KernelLine& match : matches) AddAddresses(match, rule);
  const auto limit = table.limits.find(verdict.limit);
  if (limit != table.limits.end()) rule.rate_limit = limit->second;
  if (!AddVerdict(verdict, rule)) return std::nullopt;
  rule.log = verdict.log_prefix.has_value();
  return rule;
}

void ReadPeers(const KernelTable& table, ProtectedSet& safe) {
  safe = {.loopback = false, .neighbour_discovery = false, .replies = false};
  const KernelChain* const chain = FindChain(table, ProtectedChain(RuleDirection::kIn));
  if (chain == nullptr) return;
  for (const KernelLine& line : chain->lines) {
    if (line.comment == "loopback") safe.loopback = true;
    if (line.comment == "neighbour_discovery") safe.neighbour_discovery = true;
    if (line.comment == "replies") safe.replies = true;
    const auto role = ParseProtectedRole(line.comment);
    if (!role.ok()) continue;
    for (const IpPrefix& prefix : ToPrefixes(line.source.ranges)) {
      safe.peers.push_back({.prefix = prefix, .role = *role});
    }
  }
}

}  // namespace

absl::StatusOr<RuleSet> RuleSetOf(const KernelTable& table,
                                  std::map<std::string, std::vector<SetElement>> elements) {
  if (table.chains.empty()) return RuleSet();
  const Notes notes = ReadNotes(table);
  RuleSetParts parts;
  std::map<std::string, AddressSet> sets;
  for (const auto& [name, set] : table.sets) {
    const auto known = ParseKernelSetName(name);
    if (!known) continue;
    sets[known->name] = {.name = known->name,
                         .kind = known->kind,
                         .elements = std::move(elements[known->name]),
                         .allow_wide = notes.wide_sets.contains(known->name)};
    elements[known->name] = sets[known->name].elements;
  }
  for (auto& [name, set] : sets) parts.sets.push_back(std::move(set));
  std::map<std::string, Rule> rules;
  for (const RuleDirection direction : kDirections) {
    const KernelChain* const chain = FindChain(table, BaseChain(direction));
    if (chain == nullptr) continue;
    RuleVerdict& fallback = direction == RuleDirection::kIn    ? parts.defaults.in
                            : direction == RuleDirection::kOut ? parts.defaults.out
                                                               : parts.defaults.forward;
    fallback = chain->drops_by_default ? RuleVerdict::kDrop : RuleVerdict::kAccept;
    for (const KernelLine& line : chain->lines) {
      if (auto rule = ReadRule(table, direction, line)) rules.emplace(line.comment, *rule);
    }
  }
  for (const About& about : notes.rules) {
    const auto found = rules.find(about.id);
    if (found == rules.end()) continue;
    Rule& rule = found->second;
    rule.comment = about.comment;
    rule.author = about.author;
    rule.allow_wide = about.allow_wide;
    if (about.expires) rule.expires = about.expires;
    parts.rules.push_back(std::move(rule));
    rules.erase(found);
  }
  ReadPeers(table, parts.protected_set);
  return RuleSet::Create(std::move(parts));
}

}  // namespace nta::firewall

// Render: a RuleSet as the kernel is to hold it, and the text that makes nft put it there.
#ifndef NTA_FIREWALL_RENDER_H_
#define NTA_FIREWALL_RENDER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "firewall/kernel_table.h"
#include "nta/firewall/rule_set.h"

namespace nta::firewall {

// Where the base chains stand among those of others.
struct RenderOptions {
  int priority = -10;
  // Kernel sets have numbers, so that a new content can be made ready beside the old one. By the
  // name of the AddressSet; 0 when absent.
  std::map<std::string, std::uint32_t> generations{};
};

std::string KernelSetName(const AddressSet& set, int version, std::uint32_t generation);
// The parts of such a name; absent when it is none.
struct KernelSetNameParts {
  std::string name{};
  AddressSetKind kind = AddressSetKind::kHosts;
  int version = 4;
  std::uint32_t generation = 0;
};
std::optional<KernelSetNameParts> ParseKernelSetName(std::string_view text);

// Chains of the table, by what they are for.
std::string BaseChain(RuleDirection direction);       // "input", "output", "forward"
std::string ProtectedChain(RuleDirection direction);  // "protected_input", ...
inline constexpr std::string_view kAboutChain = "about";
std::string MatchChain(std::string_view rule_id);
std::string VerdictChain(std::string_view rule_id);
std::string CounterName(std::string_view rule_id);
std::string LimitName(std::string_view rule_id);

// What of `rule` stands in its base chain, and in chains of its own if it needs some.
struct RenderedRule {
  std::vector<KernelLine> lines{};
  std::map<std::string, KernelChain> chains{};
  std::optional<RateLimit> limit{};

  friend bool operator==(const RenderedRule&, const RenderedRule&) = default;
};
RenderedRule RenderRule(const Rule& rule, const RuleSet& rules, const RenderOptions& options);
KernelTable Render(const RuleSet& rules, const RenderOptions& options);

// How nft is told. Only typed values become text, each in a form that cannot end a word early.
std::string LineText(const KernelLine& line);
// One transaction that turns `old` into `wanted`. Counters in `fresh_counters` start anew. Sets
// that both have are left as they are.
std::string ReplaceScript(std::string_view table, const KernelTable& old, const KernelTable& wanted,
                          const std::vector<std::string>& fresh_counters);
std::string SetText(std::string_view table, std::string_view name, const KernelSet& set);

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_RENDER_H_

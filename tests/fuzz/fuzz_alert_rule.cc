// Any text as an alert rule: what parses, writes a text that parses to the same.
#include <cstdlib>
#include <string>

#include "nta/detect/alert_rule.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  nta::FilterError error;
  const auto rule = nta::RuleCondition::Parse(text, &error);
  if (!rule.ok()) {
    if (error.position > size || error.message.empty()) std::abort();
    return 0;
  }
  const std::string canonical = rule->ToString();
  if (canonical.size() > 4096) return 0;
  const auto again = nta::RuleCondition::Parse(canonical);
  if (!again.ok() || again->ToString() != canonical || again->window() != rule->window() ||
      again->threshold() != rule->threshold() ||
      again->counts_at_start() != rule->counts_at_start()) {
    std::abort();
  }
  return 0;
}

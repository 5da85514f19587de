// What nft lists, and the blocks and rules that a store kept: any text is read or refused.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "nta/firewall/nftables_backend.h"
#include "nta/firewall/response.h"
#include "nta/firewall/rule_set.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto import = nta::ImportNftables(text, "inet", "x");
  if (import.ok() && !nta::RuleSet::Create(import->rules.parts()).ok()) __builtin_trap();
  const auto block = nta::ActiveBlockFromJson(text);
  if (block.ok() && !nta::ActiveBlockFromJson(nta::ToJson(*block)).ok()) __builtin_trap();
  const auto rules = nta::RuleSetFromJson(text);
  if (rules.ok() && *nta::RuleSetFromJson(nta::ToJson(*rules)) != *rules) __builtin_trap();
  return 0;
}

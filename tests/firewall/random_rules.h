// Rule sets and packets drawn at random, from few enough values that they meet.
#ifndef NTA_TESTS_FIREWALL_RANDOM_RULES_H_
#define NTA_TESTS_FIREWALL_RANDOM_RULES_H_

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "nta/firewall/rule_set.h"

namespace nta::test {

class RandomFirewall {
 public:
  explicit RandomFirewall(std::uint64_t seed) : random_(seed) {}

  std::size_t Below(std::size_t limit) { return random_() % limit; }
  bool Chance(int percent) { return Below(100) < static_cast<std::size_t>(percent); }

  IpAddress Address();
  IpAddress Address(bool v4);
  IpPrefix Prefix();
  RuleSetParts Parts(std::size_t max_rules);
  RuleSet Rules(std::size_t max_rules) { return *RuleSet::Create(Parts(max_rules)); }
  // With every fact known.
  PacketFacts Packet();
  // The same with some facts gone.
  PacketFacts Forget(PacketFacts packet);

 private:
  RuleAddresses Addresses();
  std::vector<PortRange> Ports();
  Rule OneRule(std::size_t number);

  std::mt19937_64 random_;
};

// NAME from the environment, else `otherwise`: how many cases a property is tried on.
inline std::size_t CountFromEnvironment(const char* name, std::size_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

inline IpPrefix P(std::string_view text) { return *IpPrefix::Parse(text); }
inline IpAddress A(std::string_view text) { return *IpAddress::Parse(text); }

}  // namespace nta::test

#endif  // NTA_TESTS_FIREWALL_RANDOM_RULES_H_

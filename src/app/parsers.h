// The protocols that the inspector knows, and which of them a first byte allows.
#ifndef NTA_APP_PARSERS_H_
#define NTA_APP_PARSERS_H_

#include <array>
#include <cstdint>
#include <span>

#include "app/parser.h"

namespace nta::internal {

// In the order in which they are asked: a protocol with weak marks stands behind those with strong
// ones. At most 64 each.
std::span<const Parser* const> TcpParsers();
std::span<const Parser* const> UdpParsers();

struct MatchResult {
  const Parser* parser = nullptr;  // that said yes
  bool need_more = false;          // otherwise: one of them may say yes later
};

// Dispatches on the first byte.
class ParserTable {
 public:
  explicit ParserTable(std::span<const Parser* const> parsers);
  MatchResult Match(const Payload& payload) const;

 private:
  std::span<const Parser* const> parsers_;
  std::array<std::uint64_t, 256> candidates_{};  // bit i: parsers_[i]
};

}  // namespace nta::internal

#endif  // NTA_APP_PARSERS_H_

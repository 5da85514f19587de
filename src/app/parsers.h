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

// Dispatches on the first bytes.
class ParserTable {
 public:
  explicit ParserTable(std::span<const Parser* const> parsers);
  MatchResult Match(const Payload& payload) const;
  // Bit i: parsers[i] may say something else than no to what begins like this.
  std::uint64_t CandidatesFor(std::span<const std::uint8_t> bytes) const {
    std::uint64_t candidates = candidates_[bytes[0]];
    if (bytes.size() < kLeastForLaterBytes) return candidates;
    for (std::size_t i = 0; i < later_.size(); ++i) candidates &= later_[i][bytes[1 + i]];
    return candidates;
  }

 private:
  // What is shorter may be the beginning of anything.
  static constexpr std::size_t kLeastForLaterBytes = 16;

  std::span<const Parser* const> parsers_;
  std::array<std::uint64_t, 256> candidates_{};
  std::array<std::array<std::uint64_t, 256>, 4> later_{};  // of the second to the fifth byte
};

}  // namespace nta::internal

#endif  // NTA_APP_PARSERS_H_

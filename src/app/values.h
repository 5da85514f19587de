// Small helpers that most parsers share.
#ifndef NTA_APP_VALUES_H_
#define NTA_APP_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "app/findings.h"
#include "app/parser.h"
#include "app/text.h"

namespace nta::internal {

using Bytes = std::span<const std::uint8_t>;

// All of the payload was read.
inline ParseResult Read(const Payload& payload, ParseNext next) {
  return {payload.bytes.size(), next};
}
inline Verdict YesIf(bool is_match) { return is_match ? Verdict::kYes : Verdict::kNo; }
// Parsers of datagrams that stand alone are two functions, Is(payload) and Read(payload, findings):
// `.match = MatchEach<Is>, .parse = ReadEach<Read>`.
template <bool (*kIs)(const Payload&)>
Verdict MatchEach(const Payload& payload) {
  return YesIf(kIs(payload));
}
// The same for those that only two datagrams in a row give away: kMayBe(payload) says that this may
// be one of them, so it is remembered.
template <bool (*kIs)(const Payload&), bool (*kMayBe)(const Payload&)>
Verdict MatchPair(const Payload& payload) {
  if (kIs(payload)) return Verdict::kYes;
  return kMayBe(payload) ? Verdict::kNeedMore : Verdict::kNo;
}
template <void (*kRead)(const Payload&, Findings&)>
ParseResult ReadEach(const Payload& payload, Findings& findings) {
  kRead(payload, findings);
  return Read(payload, ParseNext::kMore);
}
// For a stream whose bytes fit so far but end too early.
inline Verdict MoreUnlessLast(const Payload& payload) {
  return payload.is_last ? Verdict::kNo : Verdict::kNeedMore;
}
// Whether all of a datagram was captured.
inline bool IsWhole(const Payload& payload) { return payload.bytes.size() >= payload.wire_size(); }
// What the sender is, going by who began the flow.
inline MetadataField VersionOf(const Payload& payload) {
  return payload.is_forward ? MetadataField::kClientVersion : MetadataField::kServerVersion;
}

inline void SetFirst(Findings& findings, MetadataField field, std::string_view value) {
  findings.SetFirst(field, value);
}
// A line longer than this is not waited for.
inline constexpr std::size_t kMaxLineBytes = 4096;
// Shows the complete lines one by one to `handle`, which says whether to go on.
template <typename Handle>
ParseResult ReadLines(const Payload& payload, Handle handle) {
  LineReader lines(payload.bytes);
  while (const auto line = lines.Next()) {
    const ParseNext next = handle(*line);
    if (next != ParseNext::kMore) return {payload.bytes.size() - lines.rest().size(), next};
  }
  if (payload.is_last || lines.rest().size() > kMaxLineBytes)
    return Read(payload, ParseNext::kMore);
  return {payload.bytes.size() - lines.rest().size(), ParseNext::kMore};
}

// A message of a binary protocol that is longer than this is read as far as it came.
inline constexpr std::size_t kMaxFrameBytes = 8192;
inline constexpr std::size_t kBrokenFrame = SIZE_MAX;
// Shows the complete messages one by one to `handle`, which says whether to go on. `size_of` says
// how long the message is that some bytes begin with: 0 while its length is not there yet.
template <typename SizeOf, typename Handle>
ParseResult ReadFrames(const Payload& payload, SizeOf size_of, Handle handle) {
  Bytes rest = payload.bytes;
  while (!rest.empty()) {
    const std::size_t size = size_of(rest);
    if (size == kBrokenFrame) return Read(payload, ParseNext::kDone);
    const bool is_whole = size > 0 && size <= rest.size();
    if (!is_whole && !payload.is_last && size <= kMaxFrameBytes) break;
    const ParseNext next = handle(is_whole ? rest.first(size) : rest);
    rest = is_whole ? rest.subspan(size) : Bytes();
    if (next != ParseNext::kMore) return {payload.bytes.size() - rest.size(), next};
    // Where the next message begins is not known.
    if (!is_whole) return Read(payload, ParseNext::kDone);
  }
  return {payload.bytes.size() - rest.size(), ParseNext::kMore};
}

void SetFirst(Findings& findings, MetadataField field, Bytes value);
// UTF-16LE, as SMB, NTLM and TDS write texts.
std::string Utf16ToText(Bytes value);
void SetFirstUtf16(Findings& findings, MetadataField field, Bytes value);
// "prefix 17".
void SetFirstNumber(Findings& findings, MetadataField field, std::string_view prefix,
                    std::uint64_t value);

}  // namespace nta::internal

#endif  // NTA_APP_VALUES_H_

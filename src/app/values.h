// Small helpers that most parsers share.
#ifndef NTA_APP_VALUES_H_
#define NTA_APP_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "app/findings.h"
#include "app/parser.h"

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
void SetFirst(Findings& findings, MetadataField field, Bytes value);
// UTF-16LE, as SMB, NTLM and TDS write texts.
void SetFirstUtf16(Findings& findings, MetadataField field, Bytes value);
// "prefix 17".
void SetFirstNumber(Findings& findings, MetadataField field, std::string_view prefix,
                    std::uint64_t value);

}  // namespace nta::internal

#endif  // NTA_APP_VALUES_H_

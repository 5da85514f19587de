// The bytes of a record. All numbers are little-endian.
//
//   0        4     5        6         8          16      24      32
//   +--------+-----+--------+---------+----------+-------+-------+---------------------------+
//   | bytes  |kind |outcome | details | sequence | time  | about | texts: size (2), bytes    |
//   +--------+-----+--------+---------+----------+-------+-------+---------------------------+
//   | digest (32), seal (32), bytes (4)                                                      |
//   +----------------------------------------------------------------------------------------+
//
// `bytes` is that of the whole record. Texts are actor, role, address, act, target, then name and
// value of each detail in the order of names. There is one way to write a record, and no other is
// read: texts are printable UTF-8, names differ, nothing is left over.
#ifndef NTA_AUDIT_RECORD_CODEC_H_
#define NTA_AUDIT_RECORD_CODEC_H_

#include <cstdint>
#include <string>
#include <vector>

#include "audit/chain.h"
#include "nta/audit/audit_event.h"

namespace nta::audit {

inline constexpr std::size_t kHeadBytes = 32;
inline constexpr std::size_t kTailBytes = 32 + 32 + 4;
inline constexpr std::size_t kMinRecordBytes = kHeadBytes + 5 * 2 + kTailBytes;
inline constexpr std::size_t kMaxRecordBytes = std::size_t{32} << 10;

enum class RecordKind : std::uint8_t { kSegment = 1, kEvent = 2 };

// A record where it stands, checked by ParseRecord.
struct RawRecord {
  Bytes bytes;  // the whole of it

  RecordKind kind() const { return static_cast<RecordKind>(bytes[4]); }
  std::uint64_t sequence() const;
  Timestamp time() const;
  Bytes body() const { return bytes.first(bytes.size() - kTailBytes); }
  Digest digest() const;
  Digest seal() const;
};

// Texts as they are kept: printable, bounded, details in order.
AuditEvent Canonical(AuditEvent event);
// The body of a record, of a canonical event.
std::vector<std::uint8_t> EncodeBody(RecordKind kind, std::uint64_t sequence,
                                     const AuditEvent& event);
void AppendTail(const Digest& digest, const Digest& seal, std::vector<std::uint8_t>& record);

enum class Parsed : std::uint8_t { kRecord, kTooShort, kMalformed };
// The record at the front of `bytes`; kTooShort when it may go on after their end.
Parsed ParseRecord(Bytes bytes, RawRecord& record);
AuditRecord DecodeRecord(const RawRecord& record);

// The record that ends at the end of `bytes`: its size, 0 when that cannot be one.
std::size_t SizeFromTail(Bytes bytes);

}  // namespace nta::audit

#endif  // NTA_AUDIT_RECORD_CODEC_H_

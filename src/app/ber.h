// ASN.1 BER as SNMP, LDAP and Kerberos use it: one tag byte, definite lengths (X.690).
#ifndef NTA_APP_BER_H_
#define NTA_APP_BER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/byte_cursor.h"

namespace nta::internal {

inline constexpr std::uint8_t kBerInteger = 0x02;
inline constexpr std::uint8_t kBerOctetString = 0x04;
inline constexpr std::uint8_t kBerEnumerated = 0x0A;
inline constexpr std::uint8_t kBerSequence = 0x30;

//  +-----+--------+---------...
//  | tag | length | content
//  +-----+--------+---------...
//   length: 0x00 to 0x7F itself, or 0x81 to 0x84 and as many bytes
struct BerValue {
  std::uint8_t tag = 0;
  std::size_t size = 0;                   // by its length field
  std::span<const std::uint8_t> content;  // what is there of it: at most `size` bytes

  bool is_complete() const { return content.size() == size; }
};

// The next value; its content may be cut off by the end. Nothing when tag or length are unreadable
// or of another form.
std::optional<BerValue> ReadBer(base::ByteCursor& cursor);
// The next value if it has this tag and is complete; the cursor has moved in any case.
std::optional<BerValue> ReadBer(base::ByteCursor& cursor, std::uint8_t tag);
// An INTEGER or ENUMERATED of 1 to 4 bytes.
std::optional<std::int64_t> ReadBerInteger(base::ByteCursor& cursor,
                                           std::uint8_t tag = kBerInteger);

}  // namespace nta::internal

#endif  // NTA_APP_BER_H_

// The protection of QUIC's Initial packets, whose keys follow from what the packet itself shows
// (RFC 9001 5).
#ifndef NTA_APP_QUIC_CRYPTO_H_
#define NTA_APP_QUIC_CRYPTO_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "app/digest.h"

namespace nta::internal {

enum class QuicKeyVersion : std::uint8_t { kDraft29, kVersion1, kVersion2 };

struct QuicKeys {
  std::array<std::uint8_t, 16> key{};
  std::array<std::uint8_t, 12> iv{};
  std::array<std::uint8_t, 16> header_key{};
};

// The client's keys for a connection that began with this Destination Connection ID.
std::optional<QuicKeys> ClientInitialKeys(QuicKeyVersion version,
                                          std::span<const std::uint8_t> connection_id,
                                          Digests& digests);

// Removes the protection. `packet` begins with the first byte of the header and ends with the tag;
// `number_offset` is where its packet number stands. False when it is not protected by these keys.
bool OpenInitial(const QuicKeys& keys, std::span<const std::uint8_t> packet,
                 std::size_t number_offset, std::vector<std::uint8_t>& plaintext);

}  // namespace nta::internal

#endif  // NTA_APP_QUIC_CRYPTO_H_

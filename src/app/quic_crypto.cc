#include "app/quic_crypto.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace nta::internal {
namespace {

using Bytes = std::span<const std::uint8_t>;
using Digest = Digests::Sha256;

struct VersionRow {
  std::array<std::uint8_t, 20> salt;
  std::string_view key_label;
  std::string_view iv_label;
  std::string_view header_label;
};

// Indexed by QuicKeyVersion: draft 29 (5.2), RFC 9001 5.2, RFC 9369 3.3.
constexpr std::array<VersionRow, 3> kVersions = {{
    {{0xAF, 0xBF, 0xEC, 0x28, 0x99, 0x93, 0xD2, 0x4C, 0x9E, 0x97,
      0x86, 0xF1, 0x9C, 0x61, 0x11, 0xE0, 0x43, 0x90, 0xA8, 0x99},
     "quic key",
     "quic iv",
     "quic hp"},
    {{0x38, 0x76, 0x2C, 0xF7, 0xF5, 0x59, 0x34, 0xB3, 0x4D, 0x17,
      0x9A, 0xE6, 0xA4, 0xC8, 0x0C, 0xAD, 0xCC, 0xBB, 0x7F, 0x0A},
     "quic key",
     "quic iv",
     "quic hp"},
    {{0x0D, 0xED, 0xE3, 0xDE, 0xF7, 0x00, 0xA6, 0xDB, 0x81, 0x93,
      0x81, 0xBE, 0x6E, 0x26, 0x9D, 0xCB, 0xF9, 0xBD, 0x2E, 0xD9},
     "quicv2 key",
     "quicv2 iv",
     "quicv2 hp"},
}};

// HKDF-Expand-Label (RFC 8446 7.1) for at most one block of output.
bool ExpandLabel(Digests& digests, const Digest& secret, std::string_view label,
                 std::span<std::uint8_t> out) {
  constexpr std::string_view kPrefix = "tls13 ";
  std::vector<std::uint8_t> info = {0, static_cast<std::uint8_t>(out.size()),
                                    static_cast<std::uint8_t>(kPrefix.size() + label.size())};
  info.insert(info.end(), kPrefix.begin(), kPrefix.end());
  info.insert(info.end(), label.begin(), label.end());
  info.push_back(0);  // no context
  info.push_back(1);  // the first block
  Digest block{};
  if (!digests.Hmac(secret, info, block)) return false;
  std::copy_n(block.begin(), out.size(), out.begin());
  return true;
}

struct CipherContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, CipherContextDeleter>;

// Five bytes that hide the packet number and its length (RFC 9001 5.4.3).
bool HeaderMask(const QuicKeys& keys, std::span<const std::uint8_t, 16> sample,
                std::array<std::uint8_t, 32>& mask) {
  const CipherContext context(EVP_CIPHER_CTX_new());
  int size = 0;
  return context != nullptr &&
         EVP_EncryptInit_ex(context.get(), EVP_aes_128_ecb(), nullptr, keys.header_key.data(),
                            nullptr) == 1 &&
         EVP_EncryptUpdate(context.get(), mask.data(), &size, sample.data(),
                           static_cast<int>(sample.size())) == 1;
}

bool Decrypt(const QuicKeys& keys, const std::array<std::uint8_t, 12>& nonce, Bytes header,
             Bytes sealed, std::vector<std::uint8_t>& plaintext) {
  constexpr std::size_t kTagBytes = 16;
  if (sealed.size() < kTagBytes) return false;
  const Bytes ciphertext = sealed.first(sealed.size() - kTagBytes);
  std::array<std::uint8_t, kTagBytes> tag{};
  std::ranges::copy(sealed.last(kTagBytes), tag.begin());
  plaintext.resize(ciphertext.size() + kTagBytes);
  const CipherContext context(EVP_CIPHER_CTX_new());
  int size = 0;
  int rest = 0;
  return context != nullptr &&
         EVP_DecryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, keys.key.data(),
                            nonce.data()) == 1 &&
         EVP_DecryptUpdate(context.get(), nullptr, &size, header.data(),
                           static_cast<int>(header.size())) == 1 &&
         EVP_DecryptUpdate(context.get(), plaintext.data(), &size, ciphertext.data(),
                           static_cast<int>(ciphertext.size())) == 1 &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
         EVP_DecryptFinal_ex(context.get(), plaintext.data() + size, &rest) == 1 &&
         (plaintext.resize(static_cast<std::size_t>(size + rest)), true);
}

}  // namespace

std::optional<QuicKeys> ClientInitialKeys(QuicKeyVersion version, Bytes connection_id,
                                          Digests& digests) {
  const VersionRow& row = kVersions[static_cast<std::size_t>(version)];
  Digest initial{};
  Digest client{};
  QuicKeys keys;
  const bool ok = digests.Hmac(row.salt, connection_id, initial) &&
                  ExpandLabel(digests, initial, "client in", client) &&
                  ExpandLabel(digests, client, row.key_label, keys.key) &&
                  ExpandLabel(digests, client, row.iv_label, keys.iv) &&
                  ExpandLabel(digests, client, row.header_label, keys.header_key);
  if (!ok) return std::nullopt;
  return keys;
}

bool OpenInitial(const QuicKeys& keys, Bytes packet, std::size_t number_offset,
                 std::vector<std::uint8_t>& plaintext) {
  // The sample stands where it would if the number took four bytes.
  constexpr std::size_t kMaxNumberBytes = 4;
  if (packet.size() < number_offset + kMaxNumberBytes + 16) return false;
  std::array<std::uint8_t, 32> mask{};
  if (!HeaderMask(keys, packet.subspan(number_offset + kMaxNumberBytes).first<16>(), mask)) {
    return false;
  }
  const auto first = static_cast<std::uint8_t>(packet[0] ^ (mask[0] & 0x0F));
  const std::size_t number_bytes = (first & 3u) + 1;
  std::vector<std::uint8_t> header(
      packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(number_offset + number_bytes));
  header[0] = first;
  std::array<std::uint8_t, 12> nonce = keys.iv;
  for (std::size_t i = 0; i < number_bytes; ++i) {
    std::uint8_t& byte = header[number_offset + i];
    byte ^= mask[1 + i];
    // The first packets of a connection: the number is what is written, without bits before it.
    nonce[nonce.size() - number_bytes + i] ^= byte;
  }
  return Decrypt(keys, nonce, header, packet.subspan(header.size()), plaintext);
}

}  // namespace nta::internal

#include "backup/cipher.h"

#include <sodium.h>

#include "backup/format.h"
#include "base/status.h"

namespace nta::backup {
namespace {

using Key = std::array<std::uint8_t, crypto_secretstream_xchacha20poly1305_KEYBYTES>;

static_assert(kSaltBytes == crypto_pwhash_SALTBYTES);
static_assert(kStreamHeaderBytes == crypto_secretstream_xchacha20poly1305_HEADERBYTES);
static_assert(kFrameOverhead == crypto_secretstream_xchacha20poly1305_ABYTES);

std::uint8_t TagOf(FrameKind kind) {
  return kind == FrameKind::kLast ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                                  : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
}

absl::Status Derive(std::string_view passphrase, const Encryption& encryption, Key& key) {
  const int result = crypto_pwhash(key.data(), key.size(), passphrase.data(), passphrase.size(),
                                   encryption.salt.data(), encryption.operations,
                                   encryption.memory_bytes, crypto_pwhash_ALG_ARGON2ID13);
  if (result == 0) return absl::OkStatus();
  return base::MakeStatus(absl::StatusCode::kResourceExhausted,
                          "there is not enough memory to make a key from a passphrase");
}

absl::Status StartSodium() {
  if (sodium_init() >= 0) return absl::OkStatus();
  return base::MakeStatus(absl::StatusCode::kInternal, "libsodium does not start");
}

}  // namespace

struct Cipher::State {
  crypto_secretstream_xchacha20poly1305_state stream{};
  ~State() { sodium_memzero(&stream, sizeof(stream)); }
};

Cipher::Cipher() : state_(std::make_unique<State>()) {}
Cipher::~Cipher() = default;

absl::StatusOr<std::unique_ptr<Cipher>> Cipher::Seal(std::string_view passphrase,
                                                     Encryption& encryption) {
  NTA_RETURN_IF_ERROR(StartSodium());
  // Backups leave the machine and can be guessed at without end, so the key is dear.
  encryption.operations = crypto_pwhash_OPSLIMIT_MODERATE;
  encryption.memory_bytes = crypto_pwhash_MEMLIMIT_MODERATE;
  encryption.salt.resize(kSaltBytes);
  encryption.stream_header.resize(kStreamHeaderBytes);
  randombytes_buf(encryption.salt.data(), encryption.salt.size());
  std::unique_ptr<Cipher> cipher(new Cipher);
  Key key{};
  NTA_RETURN_IF_ERROR(Derive(passphrase, encryption, key));
  crypto_secretstream_xchacha20poly1305_init_push(&cipher->state_->stream,
                                                  encryption.stream_header.data(), key.data());
  sodium_memzero(key.data(), key.size());
  return cipher;
}

absl::StatusOr<std::unique_ptr<Cipher>> Cipher::Open(std::string_view passphrase,
                                                     const Encryption& encryption) {
  NTA_RETURN_IF_ERROR(StartSodium());
  if (encryption.operations < crypto_pwhash_OPSLIMIT_MIN ||
      encryption.operations > kMaxKeyOperations ||
      encryption.memory_bytes < crypto_pwhash_MEMLIMIT_MIN ||
      encryption.memory_bytes > kMaxKeyMemory) {
    return base::InvalidArgument("its key would take more work than any that libnta makes");
  }
  std::unique_ptr<Cipher> cipher(new Cipher);
  Key key{};
  NTA_RETURN_IF_ERROR(Derive(passphrase, encryption, key));
  const int result = crypto_secretstream_xchacha20poly1305_init_pull(
      &cipher->state_->stream, encryption.stream_header.data(), key.data());
  sodium_memzero(key.data(), key.size());
  if (result == 0) return cipher;
  return base::MakeStatus(absl::StatusCode::kDataLoss, "its header is damaged");
}

void Cipher::Seal(std::span<const std::uint8_t> plain, FrameKind kind,
                  std::vector<std::uint8_t>& sealed) {
  sealed.resize(plain.size() + kFrameOverhead);
  crypto_secretstream_xchacha20poly1305_push(&state_->stream, sealed.data(), nullptr, plain.data(),
                                             plain.size(), header_.data(), header_.size(),
                                             TagOf(kind));
}

bool Cipher::Open(std::span<const std::uint8_t> sealed, FrameKind kind,
                  std::vector<std::uint8_t>& plain) {
  if (sealed.size() < kFrameOverhead) return false;
  plain.resize(sealed.size() - kFrameOverhead);
  std::uint8_t tag = 0;
  const int result = crypto_secretstream_xchacha20poly1305_pull(
      &state_->stream, plain.data(), nullptr, &tag, sealed.data(), sealed.size(), header_.data(),
      header_.size());
  return result == 0 && tag == TagOf(kind);
}

}  // namespace nta::backup

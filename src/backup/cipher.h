// Keys from passphrases, and a sealed stream of frames; libsodium stays in the .cc.
#ifndef NTA_BACKUP_CIPHER_H_
#define NTA_BACKUP_CIPHER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "backup/digest.h"
#include "backup/manifest.h"

namespace nta::backup {

enum class FrameKind : std::uint8_t { kMiddle, kLast };

// Seals or opens frames in their order: a frame that was changed, moved, left out or doubled does
// not open, and neither does any frame under another header.
class Cipher {
 public:
  // Fills `encryption` in, which goes into the header.
  static absl::StatusOr<std::unique_ptr<Cipher>> Seal(std::string_view passphrase,
                                                      Encryption& encryption);
  // InvalidArgument when the header asks for more work than we do.
  static absl::StatusOr<std::unique_ptr<Cipher>> Open(std::string_view passphrase,
                                                      const Encryption& encryption);
  ~Cipher();

  // What every frame is bound to. Before the first of them.
  void Bind(const Digest& header) { header_ = header; }
  void Seal(std::span<const std::uint8_t> plain, FrameKind kind, std::vector<std::uint8_t>& sealed);
  // False when it is not the next frame of this stream, or the last is not where it should be.
  bool Open(std::span<const std::uint8_t> sealed, FrameKind kind, std::vector<std::uint8_t>& plain);

 private:
  struct State;
  Cipher();
  std::unique_ptr<State> state_;
  Digest header_{};
};

}  // namespace nta::backup

#endif  // NTA_BACKUP_CIPHER_H_

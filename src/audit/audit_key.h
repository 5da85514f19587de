// The keys of a trail, on the disk.
#ifndef NTA_AUDIT_AUDIT_KEY_H_
#define NTA_AUDIT_AUDIT_KEY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "audit/chain.h"
#include "base/descriptor.h"

namespace nta::audit {

// Where the chain stands, and the key of the record that comes next.
struct KeyState {
  ChainId chain{};
  std::uint64_t count = 0;    // records that are on the disk
  std::uint64_t segment = 0;  // number of the file that has the last
  Digest head{};
  SealingKey key{Digest{}};
};

// "audit.key": two slots, written in turn and in place, so that an old key is overwritten rather
// than left in a block that a rename gave back. Locked while it is open.
class KeyFile {
 public:
  // Makes the file when it is missing. Unavailable when somebody else has it open,
  // FailedPrecondition when others may read it or it is no regular file.
  static absl::StatusOr<KeyFile> Open(const std::string& directory);

  // Absent when neither slot is good.
  std::optional<KeyState> Load() const;
  // On the disk when it returns.
  absl::Status Save(const KeyState& state);

 private:
  explicit KeyFile(base::Descriptor file) : file_(std::move(file)) {}
  base::Descriptor file_;
};

// For the verifier, while a writer may have the file open.
std::optional<KeyState> ReadKeyState(const std::string& directory);

struct VerificationKey {
  ChainId chain{};
  SealingKey key{Digest{}};  // of the first record
};
// One line: "nta-audit-verification-key 1 chain=... key=...". A key of another chain that is there
// is put aside, anything else is not touched (FailedPrecondition).
absl::Status WriteVerificationKey(const std::string& path, const VerificationKey& key);
absl::StatusOr<VerificationKey> ReadVerificationKey(const std::string& path);

}  // namespace nta::audit

#endif  // NTA_AUDIT_AUDIT_KEY_H_

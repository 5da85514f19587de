#include "audit/audit_key.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "audit/segment.h"
#include "base/status.h"

namespace nta::audit {
namespace {

constexpr std::string_view kSlotMagic = "NTAAKEY1";
constexpr std::size_t kSlotBytes = 256;  // two of them in one sector
constexpr std::size_t kCheckedBytes = 8 + 16 + 8 + 8 + 32 + 32;
constexpr std::string_view kVerificationMagic = "nta-audit-verification-key 1 chain=";

using Slot = std::array<std::uint8_t, kSlotBytes>;

std::string KeyPath(const std::string& directory) { return directory + "/audit.key"; }

void StoreNumber(std::uint64_t value, std::uint8_t* out) {
  for (int i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * i) & 0xFF);
}

std::uint64_t LoadNumber(const std::uint8_t* bytes) {
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | bytes[i];
  return value;
}

// magic, chain, count, segment, head, key, SHA-256 of all that
Slot Encode(const KeyState& state) {
  Slot slot{};
  std::memcpy(slot.data(), kSlotMagic.data(), 8);
  std::memcpy(slot.data() + 8, state.chain.data(), 16);
  StoreNumber(state.count, slot.data() + 24);
  StoreNumber(state.segment, slot.data() + 32);
  std::memcpy(slot.data() + 40, state.head.data(), 32);
  std::memcpy(slot.data() + 72, state.key.bytes().data(), 32);
  const Digest check = Sha256()(Bytes(slot).first(kCheckedBytes));
  std::memcpy(slot.data() + kCheckedBytes, check.data(), check.size());
  return slot;
}

std::optional<KeyState> Decode(const Slot& slot) {
  const Digest check = Sha256()(Bytes(slot).first(kCheckedBytes));
  if (std::memcmp(slot.data(), kSlotMagic.data(), 8) != 0 ||
      std::memcmp(slot.data() + kCheckedBytes, check.data(), check.size()) != 0) {
    return std::nullopt;
  }
  KeyState state;
  std::memcpy(state.chain.data(), slot.data() + 8, 16);
  state.count = LoadNumber(slot.data() + 24);
  state.segment = LoadNumber(slot.data() + 32);
  std::memcpy(state.head.data(), slot.data() + 40, 32);
  Digest key;
  std::memcpy(key.data(), slot.data() + 72, 32);
  state.key = SealingKey(key);
  OPENSSL_cleanse(key.data(), key.size());
  return state;
}

std::optional<KeyState> LoadFrom(int file) {
  std::optional<KeyState> newest;
  for (int i = 0; i < 2; ++i) {
    Slot slot{};
    if (pread(file, slot.data(), slot.size(), i * off_t{kSlotBytes}) != ssize_t{kSlotBytes}) {
      continue;
    }
    const std::optional<KeyState> state = Decode(slot);
    OPENSSL_cleanse(slot.data(), slot.size());
    if (state && (!newest || state->count > newest->count)) newest = state;
  }
  return newest;
}

absl::Status WriteSlot(int file, const Slot& slot, off_t index) {
  const ssize_t size = pwrite(file, slot.data(), slot.size(), index * off_t{kSlotBytes});
  if (size == ssize_t{kSlotBytes}) return absl::OkStatus();
  return base::ErrnoStatus(size < 0 ? errno : ENOSPC, "cannot write the audit key");
}

absl::Status Refuse(const std::string& path, std::string_view reason) {
  return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                          "will not use the audit key \"" + path + "\": " + std::string(reason));
}

absl::Status CheckFile(int file, const std::string& path) {
  struct stat info {};
  if (fstat(file, &info) != 0) return base::ErrnoStatus(errno, "cannot read \"" + path + '"');
  if (!S_ISREG(info.st_mode)) return Refuse(path, "it is not a regular file");
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Refuse(path, "others may read it (chmod 600 it)");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<KeyFile> KeyFile::Open(const std::string& directory) {
  const std::string path = KeyPath(directory);
  base::Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
                             S_IRUSR | S_IWUSR));
  if (file.get() < 0 && errno == ELOOP) return Refuse(path, "it is a symbolic link");
  if (file.get() < 0) return base::ErrnoStatus(errno, "cannot open \"" + path + '"');
  NTA_RETURN_IF_ERROR(CheckFile(file.get(), path));
  if (flock(file.get(), LOCK_EX | LOCK_NB) == 0) return KeyFile(std::move(file));
  return base::MakeStatus(absl::StatusCode::kUnavailable,
                          "the audit trail \"" + directory + "\" is written by another process");
}

std::optional<KeyState> KeyFile::Load() const { return LoadFrom(file_.get()); }

absl::Status KeyFile::Save(const KeyState& state) {
  Slot slot = Encode(state);
  const off_t index = static_cast<off_t>(state.count % 2);
  absl::Status status = WriteSlot(file_.get(), slot, index);
  if (status.ok() && fdatasync(file_.get()) != 0) {
    status = base::ErrnoStatus(errno, "cannot write the audit key");
  }
  // The other slot has the key before: gone when the next one is saved, at the latest.
  if (status.ok()) status = WriteSlot(file_.get(), Slot{}, 1 - index);
  OPENSSL_cleanse(slot.data(), slot.size());
  return status;
}

std::optional<KeyState> ReadKeyState(const std::string& directory) {
  const base::Descriptor file(
      open(KeyPath(directory).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return std::nullopt;
  // A writer may be between its two slots.
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (auto state = LoadFrom(file.get())) return state;
  }
  return std::nullopt;
}

absl::StatusOr<VerificationKey> ReadVerificationKey(const std::string& path) {
  const base::Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::array<char, 512> buffer;
  const ssize_t size = file.get() < 0 ? -1 : read(file.get(), buffer.data(), buffer.size());
  if (size < 0) {
    return base::ErrnoStatus(errno, "cannot read the verification key \"" + path + '"');
  }
  std::string_view text(buffer.data(), static_cast<std::size_t>(size));
  text = text.substr(0, text.find('\n'));
  VerificationKey key;
  Digest bytes;
  constexpr std::string_view kKey = " key=";
  const bool has_chain = text.starts_with(kVerificationMagic) &&
                         FromHex(text.substr(kVerificationMagic.size(), 32), key.chain);
  const std::string_view rest = has_chain ? text.substr(kVerificationMagic.size() + 32) : "";
  if (!rest.starts_with(kKey) || !FromHex(rest.substr(kKey.size()), bytes)) {
    return Refuse(path, "it does not hold a verification key");
  }
  key.key = SealingKey(bytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  OPENSSL_cleanse(buffer.data(), buffer.size());
  return key;
}

absl::Status WriteVerificationKey(const std::string& path, const VerificationKey& key) {
  if (access(path.c_str(), F_OK) == 0) {
    const auto old = ReadVerificationKey(path);
    if (!old.ok()) return old.status();
    const std::string aside = path + '.' + ToHex(old->chain).substr(0, 8);
    if (rename(path.c_str(), aside.c_str()) != 0) {
      return base::ErrnoStatus(errno, "cannot rename \"" + path + '"');
    }
  }
  const base::Descriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (file.get() < 0) return base::ErrnoStatus(errno, "cannot create \"" + path + '"');
  const std::string text =
      std::string(kVerificationMagic) + ToHex(key.chain) + " key=" + ToHex(key.key.bytes()) + '\n';
  if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      fsync(file.get()) != 0) {
    return base::ErrnoStatus(errno, "cannot write \"" + path + '"');
  }
  const std::size_t slash = path.rfind('/');
  return SyncDirectory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
}

}  // namespace nta::audit

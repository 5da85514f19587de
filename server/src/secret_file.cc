#include "secret_file.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "auth/jwt.h"
#include "base/status.h"

namespace nta::server {
namespace {

constexpr std::size_t kMaxSecretBytes = 4096;

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

absl::Status Refuse(const std::string& path, std::string_view reason) {
  return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                          "will not use the signing key \"" + path + "\": " + std::string(reason));
}

absl::StatusOr<std::string> Read(int descriptor, const std::string& path) {
  struct stat info {};
  if (fstat(descriptor, &info) != 0)
    return base::ErrnoStatus(errno, "cannot read \"" + path + "\"");
  if (!S_ISREG(info.st_mode)) return Refuse(path, "it is not a regular file");
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return Refuse(path, "others may read it (chmod 600 it)");
  std::string secret(kMaxSecretBytes, '\0');
  const ssize_t size = read(descriptor, secret.data(), secret.size());
  if (size < 0) return base::ErrnoStatus(errno, "cannot read \"" + path + "\"");
  secret.resize(static_cast<std::size_t>(size));
  if (secret.size() < kMinSecretBytes) return Refuse(path, "it has fewer than 32 bytes");
  return secret;
}

// Complete before it has its name, so that a crash leaves no short key behind.
absl::StatusOr<std::string> Create(const std::string& path) {
  std::string secret(kMinSecretBytes, '\0');
  randombytes_buf(secret.data(), secret.size());
  const std::string temporary = path + ".new";
  unlink(temporary.c_str());
  const File file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                       S_IRUSR | S_IWUSR));
  if (file.get() < 0) return base::ErrnoStatus(errno, "cannot create \"" + path + "\"");
  const bool written =
      write(file.get(), secret.data(), secret.size()) == static_cast<ssize_t>(secret.size()) &&
      fsync(file.get()) == 0;
  // link() does not replace a key that appeared meanwhile, as rename() would.
  const bool named = written && link(temporary.c_str(), path.c_str()) == 0;
  const int error = errno;
  unlink(temporary.c_str());
  if (!named) return base::ErrnoStatus(error, "cannot create \"" + path + "\"");
  return secret;
}

}  // namespace

absl::StatusOr<std::string> LoadOrCreateSecret(const std::string& path) {
  const File file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (file.get() >= 0) return Read(file.get(), path);
  if (errno == ELOOP) return Refuse(path, "it is a symbolic link");
  if (errno != ENOENT) return base::ErrnoStatus(errno, "cannot read \"" + path + "\"");
  return Create(path);
}

}  // namespace nta::server

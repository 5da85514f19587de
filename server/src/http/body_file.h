// BodyFile: a request's or a response's body that is too large for memory.
#ifndef NTA_SERVER_HTTP_BODY_FILE_H_
#define NTA_SERVER_HTTP_BODY_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace nta::server {

class BodyFile {
 public:
  // A file without a name in `directory`: it is gone with its descriptor, however the process ends.
  static absl::StatusOr<BodyFile> Create(const std::string& directory);
  // A regular file that exists; symbolic links are not followed.
  static absl::StatusOr<BodyFile> Open(const std::string& path);
  BodyFile(BodyFile&& other) noexcept;
  BodyFile& operator=(BodyFile&& other) noexcept;
  ~BodyFile();

  // ResourceExhausted when the disk is full.
  absl::Status Append(std::string_view data);
  // Up to `bytes` bytes from `offset` on; fewer at the end.
  absl::StatusOr<std::string> Read(std::uint64_t offset, std::size_t bytes) const;
  std::uint64_t size() const { return size_; }
  int descriptor() const { return descriptor_; }
  // Another descriptor of the same file, which the caller closes; -1 when there is none to have.
  int Duplicate() const;
  // A name by which this process can open it.
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  BodyFile(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}

  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace nta::server

#endif  // NTA_SERVER_HTTP_BODY_FILE_H_

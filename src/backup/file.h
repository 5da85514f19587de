// Files and directories by descriptor: nothing here follows a symbolic link.
#ifndef NTA_BACKUP_FILE_H_
#define NTA_BACKUP_FILE_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/descriptor.h"

namespace nta::backup {

using Bytes = std::span<const std::uint8_t>;

using base::Descriptor;

// "12 hexadecimal digits" for half as many bytes, from the operating system.
std::string RandomHex(std::size_t bytes);

// New, empty, for its owner only.
absl::StatusOr<Descriptor> CreateFile(int directory, const std::string& name);
// A regular file, for reading; InvalidArgument for anything else (pipes are not waited for).
absl::StatusOr<Descriptor> OpenFile(int directory, const std::string& name);
absl::StatusOr<std::uint64_t> SizeOf(int file);

absl::Status WriteAll(int file, Bytes bytes);
// Less only at the end of the file.
absl::StatusOr<std::size_t> ReadUpTo(int file, std::span<std::uint8_t> bytes);
absl::StatusOr<std::string> ReadText(int directory, const std::string& name, std::size_t most);
// Written in full under its name, or not at all.
absl::Status ReplaceText(int directory, const std::string& name, std::string_view text);

absl::Status Sync(int file, std::string_view what);
absl::StatusOr<Descriptor> OpenDirectory(const std::string& path);
std::vector<std::string> NamesIn(int directory);
bool Exists(int directory, const std::string& name);
// Of the file system that holds it.
std::uint64_t FreeBytes(int directory);

// Brings a file that grows to the disk slice by slice: one big flush at its end would hold up
// everybody who waits for the same disk.
class WriteOut {
 public:
  // Borrows `file`.
  explicit WriteOut(int file) : file_(file) {}
  void GrownTo(std::uint64_t bytes);

 private:
  static constexpr std::uint64_t kSliceBytes = 1 << 20;

  const int file_;
  std::uint64_t sent_ = 0;    // on their way
  std::uint64_t waited_ = 0;  // arrived
};

// A directory of our own inside another, gone with all that is in it at the end of its life. It is
// locked while somebody works in it, so that what the killed left can be told from what is in use.
class ScratchDirectory {
 public:
  static absl::StatusOr<ScratchDirectory> Make(int parent, const std::string& parent_path);
  ScratchDirectory(ScratchDirectory&&) = default;
  ScratchDirectory& operator=(ScratchDirectory&&) = delete;
  ~ScratchDirectory();

  int get() const { return directory_.get(); }
  std::string Path(std::string_view name) const { return path_ + "/" + std::string(name); }

  // Removes those that nobody works in any more.
  static void RemoveAbandoned(int parent);

 private:
  ScratchDirectory(int parent, Descriptor directory, std::string name, std::string path)
      : parent_(parent),
        directory_(std::move(directory)),
        name_(std::move(name)),
        path_(std::move(path)) {}

  int parent_;
  Descriptor directory_;
  std::string name_;
  std::string path_;
};

}  // namespace nta::backup

#endif  // NTA_BACKUP_FILE_H_

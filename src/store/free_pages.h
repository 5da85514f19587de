// Space of a database that nobody uses, given back to the file system where it lies: as holes in
// the file. Nothing is moved, so it costs little however much is returned.
#ifndef NTA_STORE_FREE_PAGES_H_
#define NTA_STORE_FREE_PAGES_H_

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/sqlite.h"

namespace nta::store {

struct FileRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// A file control of ours: a VFS that knows it makes a hole of a FileRange itself.
inline constexpr int kPunchHoleControl = 0x6e746131;

enum class Punched : std::uint8_t {
  kDone,
  kLater,  // others read what was before, or write
  kNever,  // not a file, or one that cannot have holes
};

// Moves the log into the file and makes holes of all free pages. Not within a transaction.
absl::StatusOr<Punched> PunchFreePages(Connection& connection);

// What holes the file has, in bytes.
std::uint64_t BytesOfHoles(Connection& connection);

// Makes holes in the file `path`, which a database may have open: closing it here does not cost
// anybody a lock, as closing a file of the process otherwise does. Of errors, Unimplemented tells
// that it is never possible here.
absl::Status PunchHoles(const std::string& path, std::span<const FileRange> ranges);

}  // namespace nta::store

#endif  // NTA_STORE_FREE_PAGES_H_

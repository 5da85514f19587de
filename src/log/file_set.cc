#include "log/file_set.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>
#include <tuple>

#include "base/descriptor.h"
#include "base/status.h"

namespace nta {
namespace {

constexpr std::array<std::string_view, 3> kCompressions = {"none", "gzip", "zstd"};

}  // namespace

std::string_view ToString(LogCompression compression) {
  return kCompressions[static_cast<std::size_t>(compression)];
}

absl::StatusOr<LogCompression> ParseLogCompression(std::string_view name) {
  for (std::size_t i = 0; i < kCompressions.size(); ++i) {
    if (name == kCompressions[i]) return static_cast<LogCompression>(i);
  }
  return base::InvalidArgument("unknown compression (none, gzip, zstd)");
}

absl::Status CheckLogRotation(const LogRotation& rotation) {
  if (rotation.max_bytes < 4096 || rotation.max_bytes > (std::uint64_t{1} << 40)) {
    return base::InvalidArgument("max_bytes must be within 4096 and 1099511627776");
  }
  if (rotation.max_age < Duration::zero()) {
    return base::InvalidArgument("max_age must not be negative");
  }
  if (rotation.keep < 1 || rotation.keep > 10'000) {
    return base::InvalidArgument("keep must be within 1 and 10000");
  }
  return absl::OkStatus();
}

namespace log {
namespace {

constexpr std::string_view kUnfinished = ".tmp";
constexpr std::size_t kDigits = 6;

std::string DirectoryOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string BaseOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// What stands after "server.log." in the name of a file put aside.
std::optional<PutAside> ParseSuffix(std::string_view suffix) {
  PutAside file;
  const auto [end, error] =
      std::from_chars(suffix.data(), suffix.data() + suffix.size(), file.number);
  const auto digits = static_cast<std::size_t>(end - suffix.data());
  if (error != std::errc() || digits < kDigits || file.number == 0) return std::nullopt;
  suffix.remove_prefix(digits);
  for (const auto packing : {LogCompression::kNone, LogCompression::kGzip, LogCompression::kZstd}) {
    if (suffix != Extension(packing)) continue;
    file.packing = packing;
    return file;
  }
  return std::nullopt;
}

// Names of the directory's entries that begin with "server.log.".
absl::StatusOr<std::vector<std::string>> Siblings(const std::string& path) {
  const std::string directory = DirectoryOf(path);
  const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(directory.c_str()), closedir);
  if (open == nullptr) return base::ErrnoStatus(errno, "cannot list \"" + directory + '"');
  const std::string begin = BaseOf(path) + '.';
  std::vector<std::string> names;
  while (const dirent* entry = readdir(open.get())) {
    const std::string name = entry->d_name;
    if (name.starts_with(begin)) names.push_back(name);
  }
  return names;
}

absl::Status Remove(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return base::ErrnoStatus(errno, "cannot remove \"" + path + '"');
}

}  // namespace

std::string_view Extension(LogCompression packing) {
  constexpr std::array<std::string_view, 3> kExtensions = {"", ".gz", ".zst"};
  return kExtensions[static_cast<std::size_t>(packing)];
}

std::string NumberedPath(const std::string& path, std::uint64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < kDigits) digits.insert(0, kDigits - digits.size(), '0');
  return path + '.' + digits;
}

absl::StatusOr<std::vector<PutAside>> ListPutAside(const std::string& path,
                                                   std::vector<std::string>* leftovers) {
  NTA_ASSIGN_OR_RETURN(const std::vector<std::string> names, Siblings(path));
  const std::size_t prefix = BaseOf(path).size() + 1;
  std::vector<PutAside> files;
  for (const std::string& name : names) {
    const std::string full = DirectoryOf(path) + '/' + name;
    std::string_view suffix = std::string_view(name).substr(prefix);
    const bool unfinished = suffix.ends_with(kUnfinished);
    if (unfinished) suffix.remove_suffix(kUnfinished.size());
    std::optional<PutAside> file = ParseSuffix(suffix);
    if (!file) continue;
    if (unfinished) {
      if (leftovers != nullptr) leftovers->push_back(full);
      continue;
    }
    file->path = full;
    files.push_back(*std::move(file));
  }
  std::sort(files.begin(), files.end(), [](const PutAside& a, const PutAside& b) {
    return std::tie(a.number, a.packing) < std::tie(b.number, b.packing);
  });
  return files;
}

absl::Status SyncDirectory(const std::string& path) {
  const base::Descriptor directory(
      open(DirectoryOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || fsync(directory.get()) != 0) {
    return base::ErrnoStatus(errno, "cannot sync \"" + DirectoryOf(path) + '"');
  }
  return absl::OkStatus();
}

absl::Status TidyUp(const std::string& path, const LogRotation& rotation) {
  std::vector<std::string> leftovers;
  NTA_ASSIGN_OR_RETURN(std::vector<PutAside> files, ListPutAside(path, &leftovers));
  absl::Status first;
  for (const std::string& leftover : leftovers) first.Update(Remove(leftover));
  std::uint64_t kept = 0;
  std::uint64_t last_number = 0;
  for (std::size_t i = files.size(); i-- > 0;) {
    const PutAside& file = files[i];
    // Packed and unpacked: a packed file has its name only when it is complete.
    const bool twice = file.number == last_number;
    if (!twice) ++kept;
    last_number = file.number;
    if (twice || kept > rotation.keep) {
      first.Update(Remove(file.path));
    } else if (file.packing == LogCompression::kNone &&
               rotation.compression != LogCompression::kNone) {
      first.Update(Pack(file, rotation.compression));
    }
  }
  return first;
}

}  // namespace log
}  // namespace nta

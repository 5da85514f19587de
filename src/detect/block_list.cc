#include "nta/detect/block_list.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "base/status.h"

namespace nta {
namespace {

constexpr std::size_t kMostFileBytes = std::size_t{256} << 20;
constexpr std::size_t kMostNameBytes = 253;  // RFC 1035

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\v\f";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool IsDomain(std::string_view text) {
  if (text.empty() || text.size() > kMostNameBytes || text.find('.') == std::string_view::npos) {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// "*.name", "||name^" and "name." are how other lists write "name and all below".
std::string_view Bare(std::string_view name) {
  if (name.starts_with("||")) name.remove_prefix(2);
  if (name.ends_with('^')) name.remove_suffix(1);
  if (name.starts_with("*.")) name.remove_prefix(2);
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

absl::Status FileError(const std::string& file, int error) {
  const std::string message = "cannot read \"" + file + "\": " + std::strerror(error);
  if (error == ENOENT) return base::MakeStatus(absl::StatusCode::kNotFound, message);
  if (error == EACCES) return base::MakeStatus(absl::StatusCode::kPermissionDenied, message);
  return base::MakeStatus(absl::StatusCode::kUnavailable, message);
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  // Without waiting: whoever names a pipe must not stop the one who reads.
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return FileError(path, errno);
  const std::unique_ptr<std::FILE, CloseFile> file(fdopen(descriptor, "rb"));
  if (file == nullptr) {
    const int error = errno;
    close(descriptor);
    return FileError(path, error);
  }
  struct stat about {};
  if (fstat(descriptor, &about) != 0) return FileError(path, errno);
  if (!S_ISREG(about.st_mode)) {
    return base::InvalidArgument("cannot read \"" + path + "\": it is no regular file");
  }
  std::string text;
  std::array<char, 65536> buffer{};
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    text.append(buffer.data(), size);
    if (text.size() > kMostFileBytes) {
      return base::MakeStatus(absl::StatusCode::kResourceExhausted,
                              "\"" + path + "\" is larger than 256 MiB");
    }
  }
  if (std::ferror(file.get()) != 0) return FileError(path, errno);
  return text;
}

}  // namespace

struct BlockList::Entries {
  absl::flat_hash_set<IpPrefix> prefixes;
  std::array<bool, 33> v4_lengths{};
  std::array<bool, 129> v6_lengths{};
  absl::flat_hash_set<std::string> domains;
  std::size_t name_bytes = 0;

  std::size_t size() const { return prefixes.size() + domains.size(); }

  bool Add(std::string_view text) {
    if (const auto prefix = IpPrefix::Parse(text); prefix.ok()) {
      const std::span<bool> lengths =
          prefix->address().is_v4() ? std::span<bool>(v4_lengths) : std::span<bool>(v6_lengths);
      lengths[static_cast<std::size_t>(prefix->length())] = true;
      prefixes.insert(*prefix);
      return true;
    }
    std::string name = Lower(Bare(text));
    if (!IsDomain(name)) return false;
    name_bytes += name.capacity() > 15 ? name.capacity() + 17 : 0;
    domains.insert(std::move(name));
    return true;
  }

  absl::Status Parse(std::string_view text, std::string_view origin, std::size_t max_entries) {
    for (std::size_t line = 1; !text.empty(); ++line) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view entry = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      entry = Trimmed(entry.substr(0, entry.find_first_of("#;")));
      if (entry.empty()) continue;
      // A line of a hosts file: the address says "nowhere".
      for (const std::string_view nowhere : {"0.0.0.0", "127.0.0.1", "::", "::1"}) {
        const std::string_view rest = entry.substr(std::min(nowhere.size(), entry.size()));
        if (entry.starts_with(nowhere) && !rest.empty() && (rest[0] == ' ' || rest[0] == '\t')) {
          entry = Trimmed(rest);
          break;
        }
      }
      if (entry == "localhost") continue;
      if (!Add(entry)) {
        return base::InvalidArgument(std::string(origin) + ":" + std::to_string(line) + ": \"" +
                                     std::string(entry.substr(0, 60)) +
                                     "\" is no address, network or domain name");
      }
      if (size() > max_entries) {
        return base::MakeStatus(
            absl::StatusCode::kResourceExhausted,
            std::string(origin) + ": more than " + std::to_string(max_entries) + " entries");
      }
    }
    return absl::OkStatus();
  }
};

BlockList::BlockList() : entries_(std::make_unique<Entries>()) {}
BlockList::BlockList(std::unique_ptr<Entries> entries) : entries_(std::move(entries)) {}
BlockList::~BlockList() = default;
BlockList::BlockList(BlockList&&) noexcept = default;
BlockList& BlockList::operator=(BlockList&&) noexcept = default;

absl::StatusOr<BlockList> BlockList::Parse(std::string_view text, std::string_view origin,
                                           std::size_t max_entries) {
  auto entries = std::make_unique<Entries>();
  NTA_RETURN_IF_ERROR(entries->Parse(text, origin, max_entries));
  return BlockList(std::move(entries));
}

absl::StatusOr<BlockList> BlockList::Read(const std::vector<std::string>& files,
                                          std::size_t max_entries) {
  auto entries = std::make_unique<Entries>();
  for (const std::string& file : files) {
    NTA_ASSIGN_OR_RETURN(const std::string text, ReadFile(file));
    NTA_RETURN_IF_ERROR(entries->Parse(text, file, max_entries));
  }
  return BlockList(std::move(entries));
}

std::optional<std::string> BlockList::Match(const IpAddress& address) const {
  if (entries_->prefixes.empty()) return std::nullopt;
  const auto lengths = address.is_v4() ? std::span<const bool>(entries_->v4_lengths)
                                       : std::span<const bool>(entries_->v6_lengths);
  for (std::size_t length = lengths.size(); length-- > 0;) {
    if (!lengths[length]) continue;
    const auto prefix = IpPrefix::Create(address, static_cast<int>(length));
    if (prefix.ok() && entries_->prefixes.contains(*prefix)) return prefix->ToString();
  }
  return std::nullopt;
}

std::optional<std::string> BlockList::Match(std::string_view domain) const {
  if (entries_->domains.empty() || domain.size() > kMostNameBytes + 1) return std::nullopt;
  std::string name = Lower(Bare(domain));
  while (true) {
    if (entries_->domains.contains(name)) return name;
    const std::size_t dot = name.find('.');
    if (dot == std::string::npos) return std::nullopt;
    name.erase(0, dot + 1);
  }
}

std::size_t BlockList::size() const { return entries_->size(); }

std::size_t BlockList::memory_bytes() const {
  return sizeof(Entries) + entries_->prefixes.capacity() * (sizeof(IpPrefix) + 1) +
         entries_->domains.capacity() * (sizeof(std::string) + 1) + entries_->name_bytes;
}

}  // namespace nta

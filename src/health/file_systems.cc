// Mounted file systems and their space.
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/utf8.h"
#include "health/proc_file.h"
#include "health/readers.h"

namespace nta::health {
namespace {

constexpr std::size_t kMaxPathBytes = 1024;

struct Mount {
  std::string device_number;  // "8:1"
  std::string mount_point;
  std::string type;
  std::string source;
  bool read_only = false;
};

// mountinfo writes blanks, tabs, line ends and backslashes as \ooo.
std::string Unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto is_octal = [&](std::size_t at) {
      return at < text.size() && text[at] >= '0' && text[at] <= '7';
    };
    if (text[i] == '\\' && is_octal(i + 1) && is_octal(i + 2) && is_octal(i + 3)) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// "36 35 98:0 /root /mount/point rw,noatime master:1 - ext4 /dev/sda1 rw"
std::optional<Mount> ParseMount(std::string_view line) {
  const std::vector<std::string_view> words = Words(line);
  const auto dash = std::find(words.begin(), words.end(), "-");
  constexpr std::ptrdiff_t kBefore = 6;
  constexpr std::ptrdiff_t kBehind = 3;
  if (dash - words.begin() < kBefore || words.end() - dash < kBehind) return std::nullopt;
  Mount mount;
  mount.device_number = words[2];
  mount.mount_point = Unescape(words[4]);
  mount.read_only = words[5] == "ro" || words[5].starts_with("ro,");
  mount.type = *(dash + 1);
  mount.source = Unescape(*(dash + 2));
  return mount;
}

// Asking them may wait for a server that is gone.
bool IsRemote(std::string_view type) {
  constexpr std::array kRemote = {"nfs", "nfs4",  "cifs", "smb3",      "smbfs",  "afs",    "ceph",
                                  "9p",  "ncpfs", "coda", "glusterfs", "autofs", "lustre", "gfs2"};
  return std::find(kRemote.begin(), kRemote.end(), type) != kRemote.end() ||
         type.starts_with("fuse");
}

// Images: full by nature.
bool IsImage(std::string_view type) {
  return type == "squashfs" || type == "iso9660" || type == "erofs" || type == "udf";
}

bool IsOnDisk(const Mount& mount) {
  if (IsRemote(mount.type) || IsImage(mount.type)) return false;
  return mount.mount_point == "/" || mount.source.starts_with('/') || mount.type == "zfs" ||
         mount.type == "btrfs";
}

std::optional<FileSystemSpace> MeasureSpace(const std::string& mount_point) {
  struct statvfs info {};
  if (statvfs(mount_point.c_str(), &info) != 0) return std::nullopt;
  const std::uint64_t unit = info.f_frsize == 0 ? info.f_bsize : info.f_frsize;
  return FileSystemSpace{info.f_blocks * unit, info.f_bfree * unit, info.f_bavail * unit,
                         info.f_files, info.f_ffree};
}

bool IsBelow(const std::string& path, const std::string& directory) {
  if (directory == "/") return path.starts_with('/');
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

// The mount that each wanted path is on: the deepest above it, the latest of those.
std::set<const Mount*> MountsOf(const std::vector<std::string>& paths,
                                const std::vector<Mount>& mounts) {
  std::set<const Mount*> wanted;
  for (const std::string& path : paths) {
    const Mount* best = nullptr;
    for (const Mount& mount : mounts) {
      if (!IsBelow(path, mount.mount_point)) continue;
      if (best == nullptr || mount.mount_point.size() >= best->mount_point.size()) best = &mount;
    }
    if (best != nullptr && !IsRemote(best->type)) wanted.insert(best);
  }
  return wanted;
}

std::vector<Mount> ReadMounts(const HealthOptions& options, HealthSample& sample) {
  std::vector<Mount> mounts;
  const absl::StatusOr<std::string> text = ReadFile(options.root, "/proc/self/mountinfo");
  if (!text.ok()) {
    sample.problems.emplace_back(text.status().message());
    return mounts;
  }
  bool garbled = false;
  for (const std::string_view line : Lines(*text)) {
    std::optional<Mount> mount = ParseMount(line);
    if (mount) {
      mounts.push_back(*std::move(mount));
    } else {
      garbled = true;
    }
  }
  if (garbled) sample.problems.emplace_back("/proc/self/mountinfo: a line cannot be understood");
  return mounts;
}

}  // namespace

void ReadFileSystems(const HealthOptions& options, HealthSample& sample) {
  const std::vector<Mount> mounts = ReadMounts(options, sample);
  const std::set<const Mount*> wanted = MountsOf(options.paths, mounts);
  // One file system may be mounted at many places, and then is told once.
  std::set<std::string> seen;
  for (const Mount& mount : mounts) {
    if (!IsOnDisk(mount) && !wanted.contains(&mount)) continue;
    if (!seen.insert(mount.device_number).second) continue;
    const std::optional<FileSystemSpace> space = options.measure_space
                                                     ? options.measure_space(mount.mount_point)
                                                     : MeasureSpace(mount.mount_point);
    // A file system without blocks has no space to run out of.
    if (!space || space->total_bytes == 0) continue;
    AddItem(
        sample.file_systems,
        FileSystemUse{base::PrintableUtf8(mount.mount_point, kMaxPathBytes),
                      base::PrintableUtf8(mount.source, kMaxPathBytes), mount.type, mount.read_only,
                      space->total_bytes, std::min(space->free_bytes, space->total_bytes),
                      std::min(space->available_bytes, space->total_bytes), space->inodes,
                      std::min(space->inodes_free, space->inodes)},
        options, sample);
  }
}

}  // namespace nta::health

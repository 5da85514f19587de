// Making backups, taking in those of others, and removing them.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "backup/format.h"
#include "backup/repository_impl.h"
#include "backup/throttle.h"
#include "base/status.h"

namespace nta {

using backup::Beginning;
using backup::CheckName;
using backup::CheckSpace;
using backup::Descriptor;
using backup::FileOf;
using backup::ScratchDirectory;
using backup::VerdictOf;

namespace {

constexpr std::size_t kCopyBytes = 512 << 10;

}  // namespace

absl::Status CheckNewPassphrase(std::string_view passphrase) {
  constexpr std::ptrdiff_t kLeast = 8;
  // Of UTF-8; each of its characters begins with a byte that goes on no other.
  const auto begins = [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; };
  if (std::count_if(passphrase.begin(), passphrase.end(), begins) >= kLeast) {
    return absl::OkStatus();
  }
  return base::InvalidArgument("the passphrase is too short: it has at least " +
                               std::to_string(kLeast) + " characters");
}

absl::StatusOr<BackupInfo> BackupRepository::Impl::Create(const BackupTarget& target,
                                                          const CreateBackupOptions& options,
                                                          const BackupControl& control) const {
  if (!options.passphrase.empty()) NTA_RETURN_IF_ERROR(CheckNewPassphrase(options.passphrase));
  const backup::GivesWay gives_way;
  NTA_ASSIGN_OR_RETURN(const std::uint64_t estimate, target.EstimateBytes());
  // The snapshot, and a backup of it that may not shrink.
  NTA_RETURN_IF_ERROR(CheckSpace(directory_.get(), 2 * estimate));
  NTA_ASSIGN_OR_RETURN(const ScratchDirectory work,
                       ScratchDirectory::Make(directory_.get(), path_));
  NTA_ASSIGN_OR_RETURN(const Descriptor data, backup::CreateFile(work.get(), "data"));
  NTA_ASSIGN_OR_RETURN(const SnapshotSummary summary, target.Snapshot(work.Path("data"), control));
  if (control.stop.stop_requested()) return backup::Cancelled();
  NTA_ASSIGN_OR_RETURN(const Descriptor file, backup::CreateFile(work.get(), "backup"));
  NTA_RETURN_IF_ERROR(backup::Pack(
      file.get(), {.data = data, .kind = target.kind(), .summary = summary}, options, control));
  NTA_ASSIGN_OR_RETURN(const std::string name, Publish(work, "backup", options.time));
  return Info(name);
}

absl::StatusOr<std::string> BackupRepository::Impl::Publish(const ScratchDirectory& work,
                                                            const std::string& file,
                                                            BackupTime time) const {
  const std::string name = backup::MakeName(time);
  if (renameat(work.get(), file.c_str(), directory_.get(), FileOf(name).c_str()) != 0) {
    return base::ErrnoStatus(errno, "cannot publish the backup");
  }
  NTA_RETURN_IF_ERROR(backup::Sync(directory_.get(), path_));
  return name;
}

std::optional<std::string> BackupRepository::Impl::FindSame(const Beginning& beginning,
                                                            const backup::Digest& digest,
                                                            const std::stop_token& stop) const {
  for (const BackupInfo& info : List()) {
    if (!info.problem.empty()) continue;
    const absl::StatusOr<Descriptor> file = OpenBackup(info.name);
    if (!file.ok()) continue;
    const absl::StatusOr<Beginning> other = backup::ReadBeginning(file->get());
    if (!other.ok() || other->digest != beginning.digest) continue;
    // The one that is here may have rotted.
    const auto stored = backup::CheckStored(file->get(), *other, stop);
    if (stored.ok() && *stored == digest) return info.name;
  }
  return std::nullopt;
}

absl::StatusOr<BackupInfo> BackupRepository::Impl::Import(int from,
                                                          const BackupControl& control) const {
  if (lseek(from, 0, SEEK_SET) != 0) return base::ErrnoStatus(errno, "cannot read");
  NTA_ASSIGN_OR_RETURN(const Beginning beginning, backup::ReadBeginning(from));
  NTA_ASSIGN_OR_RETURN(const backup::Digest digest,
                       backup::CheckStored(from, beginning, control.stop));
  if (const auto known = FindSame(beginning, digest, control.stop)) return Info(*known);
  NTA_ASSIGN_OR_RETURN(const std::uint64_t bytes, backup::SizeOf(from));
  NTA_RETURN_IF_ERROR(CheckSpace(directory_.get(), bytes));
  NTA_ASSIGN_OR_RETURN(const ScratchDirectory work,
                       ScratchDirectory::Make(directory_.get(), path_));
  NTA_ASSIGN_OR_RETURN(const Descriptor to, backup::CreateFile(work.get(), "backup"));
  if (lseek(from, 0, SEEK_SET) != 0) return base::ErrnoStatus(errno, "cannot read");
  std::vector<std::uint8_t> buffer(kCopyBytes);
  // Of all but the digest at the end: it may have changed since it was checked.
  backup::Hasher copied;
  const std::uint64_t hashed = bytes - digest.size();
  for (std::uint64_t done = 0; done < bytes;) {
    if (control.stop.stop_requested()) return backup::Cancelled();
    const auto most = std::min<std::uint64_t>(buffer.size(), bytes - done);
    NTA_ASSIGN_OR_RETURN(const std::size_t size,
                         backup::ReadUpTo(from, std::span(buffer).first(most)));
    if (size == 0) break;
    const auto piece = std::span(buffer).first(size);
    NTA_RETURN_IF_ERROR(backup::WriteAll(to.get(), piece));
    if (done < hashed) copied.Add(piece.first(std::min<std::uint64_t>(size, hashed - done)));
    done += size;
    if (control.progress) control.progress({BackupPhase::kUnpack, std::min(done, bytes), bytes});
  }
  if (copied.Finish() != digest) {
    return base::MakeStatus(absl::StatusCode::kDataLoss, "it changed while it was read");
  }
  NTA_RETURN_IF_ERROR(backup::Sync(to.get(), "the backup"));
  NTA_ASSIGN_OR_RETURN(const std::string name, Publish(work, "backup", beginning.header.time));
  return Info(name);
}

absl::Status BackupRepository::Impl::Remove(std::string_view name) const {
  NTA_RETURN_IF_ERROR(CheckName(name));
  if (unlinkat(directory_.get(), FileOf(name).c_str(), 0) != 0) {
    if (errno == ENOENT) {
      return base::MakeStatus(absl::StatusCode::kNotFound,
                              "there is no backup \"" + std::string(name) + '"');
    }
    return base::ErrnoStatus(errno, "cannot remove backup \"" + std::string(name) + '"');
  }
  unlinkat(directory_.get(), VerdictOf(name).c_str(), 0);
  return backup::Sync(directory_.get(), path_);
}

}  // namespace nta

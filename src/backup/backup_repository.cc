#include "nta/backup/backup_repository.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "backup/backup_file.h"
#include "backup/format.h"
#include "backup/throttle.h"
#include "base/status.h"

namespace nta {
namespace {

using backup::Beginning;
using backup::Descriptor;
using backup::ScratchDirectory;

// Beside the data itself: extras, the manifest, what file systems need for themselves.
constexpr std::uint64_t kSpareBytes = 16 << 20;
constexpr std::size_t kMaxVerdictBytes = 64 << 10;
constexpr std::size_t kCopyBytes = 512 << 10;

absl::Status About(std::string_view name, const absl::Status& status) {
  if (status.ok()) return status;
  return base::MakeStatus(status.code(),
                          "backup \"" + std::string(name) + "\": " + std::string(status.message()));
}

absl::Status CheckName(std::string_view name) {
  if (backup::IsName(name)) return absl::OkStatus();
  return base::InvalidArgument("that cannot be the name of a backup");
}

std::string FileOf(std::string_view name) { return std::string(name).append(backup::kFileSuffix); }
std::string VerdictOf(std::string_view name) {
  return std::string(name).append(backup::kVerdictSuffix);
}

absl::Status CheckSpace(int directory, std::uint64_t bytes) {
  const std::uint64_t free = backup::FreeBytes(directory);
  if (free >= bytes + kSpareBytes) return absl::OkStatus();
  return base::MakeStatus(absl::StatusCode::kResourceExhausted,
                          "there is not enough space: " + std::to_string(bytes + kSpareBytes) +
                              " bytes are needed and " + std::to_string(free) + " are free");
}

// What is staged for a restore, removed again when it was not swapped in. The lock on it tells
// RecoverRestore that somebody is at work; so its descriptor stays open to the end.
class StagedFile {
 public:
  static absl::StatusOr<StagedFile> Make(const BackupTarget& target) {
    const std::filesystem::path path = target.StagingPath(backup::RandomHex(6));
    NTA_ASSIGN_OR_RETURN(Descriptor directory, backup::OpenDirectory(path.parent_path().string()));
    NTA_ASSIGN_OR_RETURN(Descriptor file,
                         backup::CreateFile(directory.get(), path.filename().string()));
    flock(file.get(), LOCK_EX | LOCK_NB);
    return StagedFile(std::move(directory), std::move(file), path.string());
  }
  StagedFile(StagedFile&&) = default;
  ~StagedFile() {
    if (!directory_.valid()) return;
    const std::string name = std::filesystem::path(path_).filename().string();
    for (const std::string& other : backup::NamesIn(directory_.get())) {
      if (other.starts_with(name)) unlinkat(directory_.get(), other.c_str(), 0);
    }
  }
  int directory() const { return directory_.get(); }
  int file() const { return file_.get(); }
  const std::string& path() const { return path_; }

 private:
  StagedFile(Descriptor directory, Descriptor file, std::string path)
      : directory_(std::move(directory)), file_(std::move(file)), path_(std::move(path)) {}
  Descriptor directory_;
  Descriptor file_;
  std::string path_;
};

}  // namespace

std::string_view ToString(BackupPhase phase) {
  switch (phase) {
    case BackupPhase::kSnapshot:
      return "snapshot";
    case BackupPhase::kPack:
      return "pack";
    case BackupPhase::kUnpack:
      return "unpack";
    case BackupPhase::kCheck:
      return "check";
    case BackupPhase::kSwap:
      return "swap";
  }
  return "";
}

std::string_view ToString(BackupCompression compression) {
  return compression == BackupCompression::kZstd ? "zstd" : "none";
}

// Where data is unpacked to: a descriptor to write to and its path.
struct Place {
  int directory;
  int file;
  const std::string& path;
};

class BackupRepository::Impl {
 public:
  Impl(Descriptor directory, std::string path)
      : directory_(std::move(directory)), path_(std::move(path)) {}

  absl::StatusOr<BackupInfo> Create(const BackupTarget& target, const CreateBackupOptions& options,
                                    const BackupControl& control) const;
  absl::StatusOr<BackupInfo> Info(std::string_view name) const;
  std::vector<BackupInfo> List() const;
  absl::StatusOr<BackupContents> Verify(std::string_view name, const BackupTarget& target,
                                        const ReadBackupOptions& options,
                                        const BackupControl& control) const;
  absl::StatusOr<RestoreResult> Restore(std::string_view name, const BackupTarget& target,
                                        const ReadBackupOptions& options,
                                        const BackupControl& control) const;
  absl::StatusOr<BackupInfo> Import(int from, const BackupControl& control) const;
  absl::Status Remove(std::string_view name) const;
  const std::string& path() const { return path_; }

 private:
  absl::StatusOr<Descriptor> OpenBackup(std::string_view name) const;
  absl::StatusOr<BackupContents> Prove(std::string_view name, const BackupTarget& target,
                                       const ReadBackupOptions& options,
                                       const BackupControl& control, const Place& place) const;
  absl::StatusOr<BackupContents> Examine(int file, const Beginning& beginning,
                                         const BackupTarget& target,
                                         const ReadBackupOptions& options,
                                         const BackupControl& control, const Place& place) const;
  void Note(std::string_view name, const Beginning& beginning, std::uint64_t stored_bytes,
            BackupTime time, const absl::Status& found) const;
  // The name under which the file is known, from now on.
  absl::StatusOr<std::string> Publish(const ScratchDirectory& work, const std::string& file,
                                      BackupTime time) const;
  std::optional<std::string> FindSame(const Beginning& beginning) const;

  Descriptor directory_;
  std::string path_;
};

absl::StatusOr<Descriptor> BackupRepository::Impl::OpenBackup(std::string_view name) const {
  NTA_RETURN_IF_ERROR(CheckName(name));
  absl::StatusOr<Descriptor> file = backup::OpenFile(directory_.get(), FileOf(name));
  if (!absl::IsNotFound(file.status())) return file;
  return base::MakeStatus(absl::StatusCode::kNotFound,
                          "there is no backup \"" + std::string(name) + '"');
}

absl::StatusOr<BackupInfo> BackupRepository::Impl::Create(const BackupTarget& target,
                                                          const CreateBackupOptions& options,
                                                          const BackupControl& control) const {
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

absl::StatusOr<BackupInfo> BackupRepository::Impl::Info(std::string_view name) const {
  NTA_ASSIGN_OR_RETURN(const Descriptor file, OpenBackup(name));
  BackupInfo info;
  info.name = name;
  NTA_ASSIGN_OR_RETURN(info.stored_bytes, backup::SizeOf(file.get()));
  const absl::StatusOr<Beginning> beginning = backup::ReadBeginning(file.get());
  if (!beginning.ok()) {
    info.problem = std::string(beginning.status().message());
    return info;
  }
  const backup::Header& header = beginning->header;
  info.time = header.time;
  info.content_bytes = header.content_bytes;
  info.kind = header.kind;
  info.tool = header.tool;
  info.application_id = header.application_id;
  info.schema_version = header.schema_version;
  info.compression = header.compression;
  info.is_encrypted = header.encryption.has_value();
  const auto text = backup::ReadText(directory_.get(), VerdictOf(name), kMaxVerdictBytes);
  if (!text.ok()) return info;
  const auto verdict = backup::ParseVerdict(*text);
  // One about other bytes says nothing.
  if (!verdict.ok() || verdict->header != beginning->digest ||
      verdict->stored_bytes != info.stored_bytes) {
    return info;
  }
  if (verdict->problem.empty()) info.verified = verdict->time;
  info.problem = verdict->problem;
  return info;
}

std::vector<BackupInfo> BackupRepository::Impl::List() const {
  std::vector<BackupInfo> backups;
  for (const std::string& file : backup::NamesIn(directory_.get())) {
    if (!file.ends_with(backup::kFileSuffix)) continue;
    const std::string name = file.substr(0, file.size() - backup::kFileSuffix.size());
    if (!backup::IsName(name)) continue;
    absl::StatusOr<BackupInfo> info = Info(name);
    if (absl::IsNotFound(info.status())) continue;  // removed meanwhile
    if (!info.ok()) {
      BackupInfo unreadable{.name = name};
      unreadable.problem = std::string(info.status().message());
      info = std::move(unreadable);
    }
    backups.push_back(*std::move(info));
  }
  // Names begin with their time.
  std::sort(backups.begin(), backups.end(),
            [](const BackupInfo& a, const BackupInfo& b) { return a.name > b.name; });
  return backups;
}

absl::StatusOr<BackupContents> BackupRepository::Impl::Examine(int file, const Beginning& beginning,
                                                               const BackupTarget& target,
                                                               const ReadBackupOptions& options,
                                                               const BackupControl& control,
                                                               const Place& place) const {
  if (beginning.header.kind != target.kind()) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition, "it holds data of another kind");
  }
  if (beginning.header.content_bytes <= options.max_content_bytes) {
    NTA_RETURN_IF_ERROR(CheckSpace(place.directory, beginning.header.content_bytes));
  }
  NTA_ASSIGN_OR_RETURN(backup::Unpacked unpacked,
                       backup::Unpack(file, beginning, place.file, options, control));
  if (control.progress) {
    control.progress({BackupPhase::kCheck, 0, beginning.header.content_bytes});
  }
  NTA_ASSIGN_OR_RETURN(const SnapshotSummary found, target.Check(place.path, control));
  if (control.stop.stop_requested()) return backup::Cancelled();
  if (found != unpacked.manifest.summary) {
    return base::MakeStatus(absl::StatusCode::kDataLoss,
                            "it is damaged: its rows are not those that its manifest counts");
  }
  return BackupContents{.summary = found, .extras = std::move(unpacked.extras)};
}

absl::StatusOr<BackupContents> BackupRepository::Impl::Prove(std::string_view name,
                                                             const BackupTarget& target,
                                                             const ReadBackupOptions& options,
                                                             const BackupControl& control,
                                                             const Place& place) const {
  NTA_ASSIGN_OR_RETURN(const Descriptor file, OpenBackup(name));
  NTA_ASSIGN_OR_RETURN(const std::uint64_t bytes, backup::SizeOf(file.get()));
  const absl::StatusOr<Beginning> beginning = backup::ReadBeginning(file.get());
  if (!beginning.ok()) return About(name, beginning.status());
  absl::StatusOr<BackupContents> contents =
      Examine(file.get(), *beginning, target, options, control, place);
  Note(name, *beginning, bytes, options.time, contents.status());
  if (!contents.ok()) return About(name, contents.status());
  return contents;
}

void BackupRepository::Impl::Note(std::string_view name, const Beginning& beginning,
                                  std::uint64_t stored_bytes, BackupTime time,
                                  const absl::Status& found) const {
  const bool is_verdict = found.ok() || absl::IsDataLoss(found) ||
                          absl::IsFailedPrecondition(found) || absl::IsInvalidArgument(found);
  if (!is_verdict) return;
  const backup::Verdict verdict{.time = time,
                                .header = beginning.digest,
                                .stored_bytes = stored_bytes,
                                .problem = std::string(found.message())};
  // Without it the backup is as little verified as before.
  backup::ReplaceText(directory_.get(), VerdictOf(name), backup::ToText(verdict)).IgnoreError();
}

absl::StatusOr<BackupContents> BackupRepository::Impl::Verify(std::string_view name,
                                                              const BackupTarget& target,
                                                              const ReadBackupOptions& options,
                                                              const BackupControl& control) const {
  NTA_RETURN_IF_ERROR(CheckName(name));
  NTA_ASSIGN_OR_RETURN(const ScratchDirectory work,
                       ScratchDirectory::Make(directory_.get(), path_));
  NTA_ASSIGN_OR_RETURN(const Descriptor data, backup::CreateFile(work.get(), "data"));
  return Prove(name, target, options, control,
               {.directory = work.get(), .file = data.get(), .path = work.Path("data")});
}

absl::StatusOr<RestoreResult> BackupRepository::Impl::Restore(std::string_view name,
                                                              const BackupTarget& target,
                                                              const ReadBackupOptions& options,
                                                              const BackupControl& control) const {
  NTA_RETURN_IF_ERROR(OpenBackup(name).status());
  NTA_ASSIGN_OR_RETURN(const StagedFile staged, StagedFile::Make(target));
  RestoreResult result;
  NTA_ASSIGN_OR_RETURN(
      result.contents,
      Prove(name, target, options, control,
            {.directory = staged.directory(), .file = staged.file(), .path = staged.path()}));
  NTA_ASSIGN_OR_RETURN(result.backup, Info(name));
  absl::StatusOr<std::string> previous = target.Replace(staged.path(), control);
  if (!previous.ok()) return About(name, previous.status());
  result.previous = *std::move(previous);
  return result;
}

std::optional<std::string> BackupRepository::Impl::FindSame(const Beginning& beginning) const {
  for (const BackupInfo& info : List()) {
    const absl::StatusOr<Descriptor> file = OpenBackup(info.name);
    if (!file.ok()) continue;
    const absl::StatusOr<Beginning> other = backup::ReadBeginning(file->get());
    if (other.ok() && other->digest == beginning.digest) return info.name;
  }
  return std::nullopt;
}

absl::StatusOr<BackupInfo> BackupRepository::Impl::Import(int from,
                                                          const BackupControl& control) const {
  if (lseek(from, 0, SEEK_SET) != 0) return base::ErrnoStatus(errno, "cannot read");
  NTA_ASSIGN_OR_RETURN(const Beginning beginning, backup::ReadBeginning(from));
  NTA_ASSIGN_OR_RETURN(const std::uint64_t bytes, backup::SizeOf(from));
  if (const auto known = FindSame(beginning)) {
    NTA_ASSIGN_OR_RETURN(BackupInfo info, Info(*known));
    if (info.stored_bytes == bytes && info.problem.empty()) return info;
  }
  NTA_RETURN_IF_ERROR(CheckSpace(directory_.get(), bytes));
  NTA_ASSIGN_OR_RETURN(const ScratchDirectory work,
                       ScratchDirectory::Make(directory_.get(), path_));
  NTA_ASSIGN_OR_RETURN(const Descriptor to, backup::CreateFile(work.get(), "backup"));
  if (lseek(from, 0, SEEK_SET) != 0) return base::ErrnoStatus(errno, "cannot read");
  std::vector<std::uint8_t> buffer(kCopyBytes);
  for (std::uint64_t done = 0; done < bytes;) {
    if (control.stop.stop_requested()) return backup::Cancelled();
    NTA_ASSIGN_OR_RETURN(const std::size_t size, backup::ReadUpTo(from, buffer));
    if (size == 0) break;
    NTA_RETURN_IF_ERROR(backup::WriteAll(to.get(), std::span(buffer).first(size)));
    done += size;
    if (control.progress) control.progress({BackupPhase::kUnpack, std::min(done, bytes), bytes});
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

absl::StatusOr<BackupRepository> BackupRepository::Open(const std::string& directory) {
  if (directory.empty() || directory.find('\0') != std::string::npos) {
    return base::InvalidArgument("backups need a directory");
  }
  if (mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return base::ErrnoStatus(errno, "cannot make the directory \"" + directory + '"');
  }
  Descriptor opened(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!opened.valid() || fstat(opened.get(), &status) != 0) {
    const int error = errno;
    if (error == ELOOP || error == ENOTDIR) {
      return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                              "\"" + directory + "\" is not a directory");
    }
    return base::ErrnoStatus(error, "cannot open \"" + directory + '"');
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                            "others may write to \"" + directory + "\" (chmod go-w it)");
  }
  // Links above it are the administrator's; SQLite would follow none in a path that it is given.
  std::error_code missing;
  const std::filesystem::path path = std::filesystem::canonical(directory, missing);
  if (missing) return base::ErrnoStatus(missing.value(), "cannot open \"" + directory + '"');
  ScratchDirectory::RemoveAbandoned(opened.get());
  return BackupRepository(std::make_unique<Impl>(std::move(opened), path.string()));
}

BackupRepository::BackupRepository(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BackupRepository::BackupRepository(BackupRepository&&) noexcept = default;
BackupRepository& BackupRepository::operator=(BackupRepository&&) noexcept = default;
BackupRepository::~BackupRepository() = default;

const std::string& BackupRepository::directory() const { return impl_->path(); }

absl::StatusOr<BackupInfo> BackupRepository::Create(const BackupTarget& target,
                                                    const CreateBackupOptions& options,
                                                    const BackupControl& control) const {
  return impl_->Create(target, options, control);
}

absl::StatusOr<std::vector<BackupInfo>> BackupRepository::List() const { return impl_->List(); }

absl::StatusOr<BackupInfo> BackupRepository::Get(std::string_view name) const {
  return impl_->Info(name);
}

absl::StatusOr<BackupContents> BackupRepository::Verify(std::string_view name,
                                                        const BackupTarget& target,
                                                        const ReadBackupOptions& options,
                                                        const BackupControl& control) const {
  return impl_->Verify(name, target, options, control);
}

absl::StatusOr<RestoreResult> BackupRepository::Restore(std::string_view name,
                                                        const BackupTarget& target,
                                                        const ReadBackupOptions& options,
                                                        const BackupControl& control) const {
  return impl_->Restore(name, target, options, control);
}

absl::StatusOr<BackupInfo> BackupRepository::Import(const std::string& path,
                                                    const BackupControl& control) const {
  NTA_ASSIGN_OR_RETURN(const Descriptor file, backup::OpenFile(AT_FDCWD, path));
  absl::StatusOr<BackupInfo> imported = impl_->Import(file.get(), control);
  if (imported.ok() || absl::IsCancelled(imported.status())) return imported;
  return base::MakeStatus(imported.status().code(),
                          "\"" + path + "\": " + std::string(imported.status().message()));
}

absl::StatusOr<BackupInfo> BackupRepository::ImportOpened(int file,
                                                          const BackupControl& control) const {
  return impl_->Import(file, control);
}

absl::StatusOr<std::string> BackupRepository::PathOf(std::string_view name) const {
  NTA_RETURN_IF_ERROR(impl_->Info(name).status());
  return impl_->path() + "/" + FileOf(name);
}

absl::Status BackupRepository::Remove(std::string_view name) const { return impl_->Remove(name); }

absl::StatusOr<PruneResult> BackupRepository::PlanPrune(const PrunePolicy& policy) const {
  const std::vector<BackupInfo> backups = impl_->List();
  const std::vector<bool> keep = SelectToKeep(backups, policy);
  PruneResult plan;
  for (std::size_t i = 0; i < backups.size(); ++i) {
    (keep[i] ? plan.kept : plan.removed).push_back(backups[i]);
  }
  return plan;
}

absl::StatusOr<PruneResult> BackupRepository::Prune(const PrunePolicy& policy) const {
  NTA_ASSIGN_OR_RETURN(PruneResult plan, PlanPrune(policy));
  for (const BackupInfo& info : plan.removed) {
    const absl::Status status = impl_->Remove(info.name);
    if (!status.ok() && !absl::IsNotFound(status)) return status;
  }
  return plan;
}

}  // namespace nta

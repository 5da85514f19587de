// Reading and listing backups, proving them, and restoring from them.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "backup/format.h"
#include "backup/repository_impl.h"
#include "base/status.h"

namespace nta {

using backup::Beginning;
using backup::CheckName;
using backup::CheckSpace;
using backup::Descriptor;
using backup::FileOf;
using backup::Place;
using backup::ScratchDirectory;
using backup::VerdictOf;

namespace {

constexpr std::size_t kMaxVerdictBytes = 64 << 10;

absl::Status About(std::string_view name, const absl::Status& status) {
  if (status.ok()) return status;
  return base::MakeStatus(status.code(),
                          "backup \"" + std::string(name) + "\": " + std::string(status.message()));
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

absl::StatusOr<Descriptor> BackupRepository::Impl::OpenBackup(std::string_view name) const {
  NTA_RETURN_IF_ERROR(CheckName(name));
  absl::StatusOr<Descriptor> file = backup::OpenFile(directory_.get(), FileOf(name));
  if (!absl::IsNotFound(file.status())) return file;
  return base::MakeStatus(absl::StatusCode::kNotFound,
                          "there is no backup \"" + std::string(name) + '"');
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
  NTA_RETURN_IF_ERROR(target.CheckReplaceable());
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

}  // namespace nta

#include "nta/backup/backup_repository.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "backup/format.h"
#include "backup/repository_impl.h"
#include "base/status.h"

namespace nta {

using backup::Descriptor;
using backup::FileOf;
using backup::ScratchDirectory;

namespace {

// Beside the data itself: extras, the manifest, what file systems need for themselves.
constexpr std::uint64_t kSpareBytes = 16 << 20;

}  // namespace

namespace backup {

absl::Status CheckName(std::string_view name) {
  if (IsName(name)) return absl::OkStatus();
  constexpr std::size_t kMostQuoted = 80;
  const std::string what =
      name.empty() || name.size() > kMostQuoted ? "that" : '"' + std::string(name) + '"';
  return base::InvalidArgument(what + " cannot be the name of a backup");
}

std::string FileOf(std::string_view name) { return std::string(name).append(kFileSuffix); }
std::string VerdictOf(std::string_view name) { return std::string(name).append(kVerdictSuffix); }

absl::Status CheckSpace(int directory, std::uint64_t bytes) {
  const std::uint64_t free = FreeBytes(directory);
  if (free >= bytes + kSpareBytes) return absl::OkStatus();
  return base::MakeStatus(absl::StatusCode::kResourceExhausted,
                          "there is not enough space: " + std::to_string(bytes + kSpareBytes) +
                              " bytes are needed and " + std::to_string(free) + " are free");
}

}  // namespace backup

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

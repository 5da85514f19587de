#include "nta/audit/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "audit/audit_key.h"
#include "audit/checkpoint.h"
#include "audit/resume.h"
#include "audit/segment.h"
#include "base/mutex_lock.h"
#include "base/status.h"

namespace nta {
namespace {

using audit::KeyState;
using audit::RecordKind;
using audit::SegmentFile;

absl::Status MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), S_IRWXU) == 0 || errno == EEXIST) return absl::OkStatus();
  return base::ErrnoStatus(errno, "cannot make the audit directory \"" + path + '"');
}

absl::Status Check(const AuditLogOptions& options) {
  if (options.directory.empty() || options.directory.find('\0') != std::string::npos) {
    return base::InvalidArgument("an audit trail needs a directory");
  }
  if (options.max_segment_bytes < 4096 || options.max_segment_bytes > (std::uint64_t{1} << 30)) {
    return base::InvalidArgument("max_segment_bytes must be within 4096 and 1073741824");
  }
  return absl::OkStatus();
}

// What a chain without a key is called: by its first record, or by nothing.
std::string OldChainName(const std::vector<SegmentFile>& files) {
  audit::RawRecord record;
  auto reader = audit::SegmentReader::Open(files.front().path);
  if (reader.ok()) {
    const auto step = reader->Next(record);
    if (step.ok() && *step == audit::Step::kRecord) {
      if (const auto head = audit::ParseSegmentHead(record)) {
        return audit::ToHex(head->chain).substr(0, 8);
      }
    }
  }
  return "unknown";
}

absl::Status MoveOldChain(const std::string& directory, const std::vector<SegmentFile>& files) {
  const std::string base = directory + "/chain-" + OldChainName(files);
  std::string target = base;
  for (int i = 2; mkdir(target.c_str(), S_IRWXU) != 0; ++i) {
    if (errno != EEXIST) return base::ErrnoStatus(errno, "cannot make \"" + target + '"');
    target = base + '-' + std::to_string(i);
  }
  for (const SegmentFile& file : files) {
    const std::string to = target + file.path.substr(file.path.rfind('/'));
    if (rename(file.path.c_str(), to.c_str()) != 0) {
      return base::ErrnoStatus(errno, "cannot move \"" + file.path + '"');
    }
  }
  return audit::SyncDirectory(directory);
}

absl::Status WriteAll(int file, const std::vector<std::uint8_t>& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t size = write(file, bytes.data() + done, bytes.size() - done);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return base::ErrnoStatus(errno, "cannot write the audit trail");
    done += static_cast<std::size_t>(size);
  }
  if (fdatasync(file) == 0) return absl::OkStatus();
  return base::ErrnoStatus(errno, "cannot write the audit trail");
}

}  // namespace

class AuditLog::Impl {
 public:
  Impl(AuditLogOptions options, audit::KeyFile key_file)
      : options_(std::move(options)), key_file_(std::move(key_file)) {}

  absl::Status Open(Timestamp now);
  absl::StatusOr<std::uint64_t> Append(const AuditEvent& event);
  absl::Status Rotate(Timestamp now);
  AuditCheckpoint Checkpoint(Timestamp now);
  AuditLogState State() const;
  const std::string& directory() const { return options_.directory; }

 private:
  absl::Status CreateChain(Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Resume(const std::vector<SegmentFile>& files, Timestamp now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status GoOn(const audit::TrailEnd& end, const std::string& path, Timestamp now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status StartSegment(std::string_view reason, std::uint64_t number, Timestamp now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status AppendLocked(const AuditEvent& event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The bytes of the next record, and its digest.
  std::vector<std::uint8_t> Make(RecordKind kind, const AuditEvent& event, audit::Digest& digest)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The record is on the disk: the chain and the keys go on.
  absl::Status Commit(const audit::Digest& digest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status TakeBack() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const AuditLogOptions options_;
  mutable absl::Mutex mutex_;
  audit::KeyFile key_file_ ABSL_GUARDED_BY(mutex_);
  audit::Sha256 sha_ ABSL_GUARDED_BY(mutex_);
  KeyState state_ ABSL_GUARDED_BY(mutex_);
  base::Descriptor file_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t segment_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  // Something of a record that failed may stand behind segment_bytes_.
  bool is_torn_ ABSL_GUARDED_BY(mutex_) = false;
  bool key_is_behind_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status health_ ABSL_GUARDED_BY(mutex_);
  std::string damage_ ABSL_GUARDED_BY(mutex_);
};

absl::Status AuditLog::Impl::Open(Timestamp now) {
  const base::MutexLock lock(&mutex_);
  NTA_ASSIGN_OR_RETURN(const std::vector<SegmentFile> files,
                       audit::ListSegments(options_.directory));
  if (std::optional<KeyState> state = key_file_.Load()) {
    state_ = *std::move(state);
    return Resume(files, now);
  }
  if (!files.empty()) {
    if (options_.lost_key == LostAuditKey::kRefuse) {
      return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                              "the key of the audit trail \"" + options_.directory +
                                  "\" is gone: its chain cannot go on");
    }
    NTA_RETURN_IF_ERROR(MoveOldChain(options_.directory, files));
    damage_ = "the key was gone: a new chain was begun";
  }
  return CreateChain(now);
}

absl::Status AuditLog::Impl::CreateChain(Timestamp now) {
  audit::Digest key;
  KeyState state;
  if (!audit::FillRandom(state.chain) || !audit::FillRandom(key)) {
    return base::MakeStatus(absl::StatusCode::kUnavailable, "no random numbers for an audit key");
  }
  state.key = audit::SealingKey(key);
  const std::string path = options_.verification_key_path.empty()
                               ? options_.directory + "/verification.key"
                               : options_.verification_key_path;
  NTA_RETURN_IF_ERROR(audit::WriteVerificationKey(path, {state.chain, state.key}));
  state_ = state;
  NTA_RETURN_IF_ERROR(key_file_.Save(state_));
  return StartSegment("created", 1, now);
}

absl::Status AuditLog::Impl::Resume(const std::vector<SegmentFile>& files, Timestamp now) {
  NTA_ASSIGN_OR_RETURN(const audit::TrailEnd end, audit::FindTrailEnd(files, state_));
  const std::uint64_t last = files.empty() ? 0 : files.back().number;
  if (!end.damage.empty()) {
    damage_ = end.damage;
    return StartSegment("resumed: " + end.damage, std::max(last, state_.segment) + 1, now);
  }
  state_ = end.state;
  if (state_.count == 0) return StartSegment("created", 1, now);
  return GoOn(end, audit::SegmentPath(options_.directory, state_.segment), now);
}

absl::Status AuditLog::Impl::GoOn(const audit::TrailEnd& end, const std::string& path,
                                  Timestamp now) {
  file_ = base::Descriptor(open(path.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC));
  if (file_.get() < 0) return base::ErrnoStatus(errno, "cannot open \"" + path + '"');
  segment_bytes_ = end.good_bytes;
  // Also when nothing is new: the one slot that the key may have lost is written again.
  NTA_RETURN_IF_ERROR(key_file_.Save(state_));
  if (end.torn_bytes == 0) return absl::OkStatus();
  is_torn_ = true;
  NTA_RETURN_IF_ERROR(TakeBack());
  AuditEvent event;
  event.time = now;
  event.actor = "system";
  event.act = kAuditRecoverAct;
  event.target = path.substr(path.rfind('/') + 1);
  event.details = {{"bytes", std::to_string(end.torn_bytes)}};
  return AppendLocked(event);
}

std::vector<std::uint8_t> AuditLog::Impl::Make(RecordKind kind, const AuditEvent& event,
                                               audit::Digest& digest) {
  std::vector<std::uint8_t> record = audit::EncodeBody(kind, state_.count + 1, event);
  digest = sha_(state_.head, record);
  audit::AppendTail(digest, state_.key.Seal(sha_, digest), record);
  return record;
}

absl::Status AuditLog::Impl::Commit(const audit::Digest& digest) {
  state_.head = digest;
  ++state_.count;
  state_.key.Advance(sha_);
  key_is_behind_ = true;
  NTA_RETURN_IF_ERROR(key_file_.Save(state_));
  key_is_behind_ = false;
  return absl::OkStatus();
}

absl::Status AuditLog::Impl::TakeBack() {
  if (!is_torn_) return absl::OkStatus();
  if (ftruncate(file_.get(), static_cast<off_t>(segment_bytes_)) != 0 ||
      fdatasync(file_.get()) != 0) {
    return base::ErrnoStatus(errno, "cannot mend the audit trail");
  }
  is_torn_ = false;
  return absl::OkStatus();
}

absl::Status AuditLog::Impl::StartSegment(std::string_view reason, std::uint64_t number,
                                          Timestamp now) {
  const AuditEvent event =
      audit::ToEvent({state_.chain, number, state_.head, std::string(reason)}, now);
  audit::Digest digest;
  const std::vector<std::uint8_t> record = Make(RecordKind::kSegment, event, digest);
  std::vector<std::uint8_t> bytes(audit::kMagic.begin(), audit::kMagic.end());
  bytes.insert(bytes.end(), record.begin(), record.end());
  const std::string path = audit::SegmentPath(options_.directory, number);
  base::Descriptor file(open(path.c_str(),
                             O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                             S_IRUSR | S_IWUSR));
  if (file.get() < 0) return base::ErrnoStatus(errno, "cannot create \"" + path + '"');
  absl::Status status = WriteAll(file.get(), bytes);
  if (status.ok()) status = audit::SyncDirectory(options_.directory);
  if (!status.ok()) {
    unlink(path.c_str());
    return status;
  }
  file_ = std::move(file);
  segment_bytes_ = bytes.size();
  is_torn_ = false;
  state_.segment = number;
  return Commit(digest);
}

absl::Status AuditLog::Impl::AppendLocked(const AuditEvent& event) {
  NTA_RETURN_IF_ERROR(TakeBack());
  if (key_is_behind_) {
    NTA_RETURN_IF_ERROR(key_file_.Save(state_));
    key_is_behind_ = false;
  }
  const AuditEvent canonical = audit::Canonical(event);
  const std::size_t size =
      audit::EncodeBody(RecordKind::kEvent, 0, canonical).size() + audit::kTailBytes;
  if (segment_bytes_ + size > options_.max_segment_bytes) {
    NTA_RETURN_IF_ERROR(StartSegment("rotated", state_.segment + 1, event.time));
  }
  audit::Digest digest;
  const std::vector<std::uint8_t> record = Make(RecordKind::kEvent, canonical, digest);
  const absl::Status written = WriteAll(file_.get(), record);
  if (!written.ok()) {
    is_torn_ = true;
    // Tried again before the next record when it fails now.
    TakeBack().IgnoreError();
    return written;
  }
  segment_bytes_ += record.size();
  return Commit(digest);
}

absl::StatusOr<std::uint64_t> AuditLog::Impl::Append(const AuditEvent& event) {
  const base::MutexLock lock(&mutex_);
  health_ = AppendLocked(event);
  if (!health_.ok()) return health_;
  return state_.count;
}

absl::Status AuditLog::Impl::Rotate(Timestamp now) {
  const base::MutexLock lock(&mutex_);
  NTA_RETURN_IF_ERROR(TakeBack());
  health_ = StartSegment("rotated", state_.segment + 1, now);
  return health_;
}

AuditCheckpoint AuditLog::Impl::Checkpoint(Timestamp now) {
  const base::MutexLock lock(&mutex_);
  AuditCheckpoint checkpoint{.chain = audit::ToHex(state_.chain),
                             .count = state_.count,
                             .time = now,
                             .head = audit::ToHex(state_.head),
                             .seal = {}};
  checkpoint.seal = audit::SealOf(checkpoint, state_.key, sha_);
  return checkpoint;
}

AuditLogState AuditLog::Impl::State() const {
  const base::MutexLock lock(&mutex_);
  return {.chain = audit::ToHex(state_.chain),
          .count = state_.count,
          .segment = state_.segment,
          .segment_bytes = segment_bytes_,
          .health = health_,
          .damage = damage_};
}

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::Open(const AuditLogOptions& options,
                                                         Timestamp now) {
  NTA_RETURN_IF_ERROR(Check(options));
  NTA_RETURN_IF_ERROR(MakeDirectory(options.directory));
  NTA_ASSIGN_OR_RETURN(audit::KeyFile key_file, audit::KeyFile::Open(options.directory));
  auto impl = std::make_unique<Impl>(options, std::move(key_file));
  NTA_RETURN_IF_ERROR(impl->Open(now));
  return std::unique_ptr<AuditLog>(new AuditLog(std::move(impl)));
}

AuditLog::AuditLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AuditLog::~AuditLog() = default;

absl::StatusOr<std::uint64_t> AuditLog::Append(const AuditEvent& event) {
  return impl_->Append(event);
}
absl::Status AuditLog::Rotate(Timestamp now) { return impl_->Rotate(now); }
AuditCheckpoint AuditLog::Checkpoint(Timestamp now) const { return impl_->Checkpoint(now); }
AuditLogState AuditLog::State() const { return impl_->State(); }
const std::string& AuditLog::directory() const { return impl_->directory(); }

}  // namespace nta

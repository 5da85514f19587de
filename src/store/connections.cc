#include "store/connections.h"

#include <filesystem>
#include <system_error>

#include "absl/time/time.h"
#include "base/mutex_lock.h"
#include "base/status.h"
#include "store/file.h"
#include "store/free_pages.h"
#include "store/schema.h"

namespace nta::store {

Connections::Lease::~Lease() {
  if (connection_ != nullptr) owner_->Return(writes_, std::move(connection_));
}

Connections::Connections(StoreOptions options, std::unique_ptr<Connection> writer)
    : path_(std::move(options.path)),
      in_memory_(IsInMemory(path_)),
      query_timeout_(options.query_timeout),
      write_timeout_(options.write_timeout),
      flows_per_block_(options.flows_per_block),
      writer_(std::move(writer)) {
  // Giving one back must not fail.
  readers_.reserve(kMaxReaders);
}

absl::StatusOr<std::unique_ptr<Connections>> Connections::Open(StoreOptions options, bool durable) {
  if (options.query_timeout <= std::chrono::milliseconds::zero()) {
    return base::InvalidArgument("query_timeout must be above 0");
  }
  if (options.write_timeout <= std::chrono::milliseconds::zero()) {
    return base::InvalidArgument("write_timeout must be above 0");
  }
  if (options.flows_per_block < 256 || options.flows_per_block > 32'768) {
    return base::InvalidArgument("flows_per_block must be from 256 to 32768");
  }
  NTA_ASSIGN_OR_RETURN(auto writer, OpenForWriting(options.path, options.create));
  if (!IsInMemory(options.path)) RemoveTemporaryFiles(options.path);
  writer->flows_per_block = options.flows_per_block;
  if (!durable) NTA_RETURN_IF_ERROR(writer->Execute("PRAGMA synchronous=OFF"));
  return std::unique_ptr<Connections>(new Connections(std::move(options), std::move(writer)));
}

bool Connections::ReaderIsFree() const {
  if (in_memory_) return WriterIsFree();
  if (!broken_.ok()) return true;
  return !is_emptying_log_ && !is_exchanging_ && (!readers_.empty() || readers_open_ < kMaxReaders);
}

absl::StatusOr<Connections::Lease> Connections::Read(const QueryControl& control) {
  const std::chrono::milliseconds timeout = control.timeout.value_or(query_timeout_);
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::unique_ptr<Connection> connection;
  {
    base::MutexLock lock(&mutex_);
    if (!lock.AwaitWithTimeout([this] { return ReaderIsFree(); }, absl::FromChrono(timeout))) {
      return base::MakeStatus(absl::StatusCode::kDeadlineExceeded,
                              "store \"" + path_ + "\": too many queries at once");
    }
    if (!broken_.ok()) return broken_;
    if (in_memory_) {
      connection = std::move(writer_);
    } else if (!readers_.empty()) {
      connection = std::move(readers_.back());
      readers_.pop_back();
    } else {
      ++readers_open_;
    }
  }
  if (connection == nullptr) {
    NTA_ASSIGN_OR_RETURN(connection, OpenReader());
  }
  Lease lease(this, in_memory_, std::move(connection));
  lease->SetDeadline(deadline, control.stop);
  lease->SetProgress(&control.progress);
  return lease;
}

absl::StatusOr<std::unique_ptr<Connection>> Connections::OpenReader() {
  // Counted already; not any more unless it opens, even when there is no memory for the error.
  bool is_open = false;
  const auto uncount = [&](Connections* connections) {
    if (is_open) return;
    base::MutexLock lock(&connections->mutex_);
    --connections->readers_open_;
  };
  const std::unique_ptr<Connections, decltype(uncount)> counted(this, uncount);
  absl::StatusOr<std::unique_ptr<Connection>> opened = OpenForReading(path_);
  is_open = opened.ok();
  return opened;
}

absl::StatusOr<Connections::Lease> Connections::Write() {
  std::unique_ptr<Connection> connection;
  {
    base::MutexLock lock(&mutex_);
    if (!lock.AwaitWithTimeout([this] { return WriterIsFree(); },
                               absl::FromChrono(write_timeout_))) {
      return base::MakeStatus(absl::StatusCode::kUnavailable,
                              "store \"" + path_ + "\": others write for too long");
    }
    if (!broken_.ok()) return broken_;
    connection = std::move(writer_);
  }
  // Leased first: whatever comes, it is given back.
  Lease lease(this, true, std::move(connection));
  if (!in_memory_) BoundLog(*lease);
  return lease;
}

void Connections::BoundLog(Connection& writer) {
  std::error_code missing;
  const std::uintmax_t bytes = std::filesystem::file_size(path_ + "-wal", missing);
  {
    base::MutexLock lock(&mutex_);
    if (missing || bytes < next_log_bytes_) return;
    is_emptying_log_ = true;
    // Queries end by themselves; a caller may have given one more time than usual.
    lock.AwaitWithTimeout([this] { return ReadersInUse() == 0; }, absl::FromChrono(query_timeout_));
  }
  // Readers of other processes are not waited for long.
  sqlite3_busy_timeout(writer.get(), 100);
  const int result = sqlite3_wal_checkpoint_v2(writer.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                               nullptr, nullptr);
  sqlite3_busy_timeout(writer.get(), kBusyMilliseconds);
  if (result == SQLITE_OK && writer.owes_space) {
    const absl::StatusOr<Punched> punched = PunchFreePages(writer);
    writer.owes_space = punched.ok() && *punched == Punched::kLater;
  }
  base::MutexLock lock(&mutex_);
  next_log_bytes_ = result == SQLITE_OK ? kMaxLogBytes : 2 * bytes;
  is_emptying_log_ = false;
}

absl::Status Connections::Exchange(const std::function<absl::Status()>& swap,
                                   const std::function<absl::Status()>& undo) {
  if (in_memory_) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                            "a store in memory cannot be exchanged");
  }
  NTA_RETURN_IF_ERROR(CloseAll());
  absl::Status status = swap();
  absl::Status opened = OpenAgain();
  if (status.ok() && !opened.ok()) {
    status = opened;
    const absl::Status undone = undo();
    opened = undone.ok() ? OpenAgain() : undone;
  }
  base::MutexLock lock(&mutex_);
  broken_ = opened;
  is_exchanging_ = false;
  return status;
}

absl::Status Connections::CloseAll() {
  std::unique_ptr<Connection> writer;
  std::vector<std::unique_ptr<Connection>> readers;
  {
    base::MutexLock lock(&mutex_);
    lock.AwaitWithTimeout([this] { return !is_exchanging_; }, absl::InfiniteDuration());
    is_exchanging_ = true;
    // Queries end by themselves; one may have been given more time than usual.
    const bool free = lock.AwaitWithTimeout(
        [this] { return ReadersInUse() == 0 && (writer_ != nullptr || !broken_.ok()); },
        absl::FromChrono(3 * query_timeout_));
    if (!free) {
      is_exchanging_ = false;
      return base::MakeStatus(absl::StatusCode::kUnavailable,
                              "store \"" + path_ + "\": queries are still running");
    }
    writer = std::move(writer_);
    readers.swap(readers_);
    readers_.reserve(kMaxReaders);
    readers_open_ = 0;
  }
  return absl::OkStatus();
}

absl::Status Connections::OpenAgain() {
  NTA_ASSIGN_OR_RETURN(auto writer, OpenForWriting(path_, true));
  writer->flows_per_block = flows_per_block_;
  base::MutexLock lock(&mutex_);
  writer_ = std::move(writer);
  return absl::OkStatus();
}

void Connections::Return(bool writes, std::unique_ptr<Connection> connection) {
  connection->ResetCached();
  connection->ClearDeadline();
  // A transaction that a query could not end any more would fail the next one.
  if (sqlite3_get_autocommit(connection->get()) == 0) connection->Execute("ROLLBACK").IgnoreError();
  base::MutexLock lock(&mutex_);
  if (writes) {
    writer_ = std::move(connection);
  } else {
    readers_.push_back(std::move(connection));
  }
}

}  // namespace nta::store

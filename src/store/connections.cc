#include "store/connections.h"

#include "absl/time/time.h"
#include "base/mutex_lock.h"
#include "base/status.h"
#include "store/schema.h"

namespace nta::store {

Connections::Lease::~Lease() {
  if (connection_ != nullptr) owner_->Return(writes_, std::move(connection_));
}

Connections::Connections(std::string path, std::chrono::milliseconds query_timeout,
                         std::unique_ptr<Connection> writer)
    : path_(std::move(path)),
      in_memory_(IsInMemory(path_)),
      query_timeout_(query_timeout),
      writer_(std::move(writer)) {}

absl::StatusOr<std::unique_ptr<Connections>> Connections::Open(StoreOptions options) {
  if (options.query_timeout <= std::chrono::milliseconds::zero()) {
    return base::InvalidArgument("query_timeout must be above 0");
  }
  if (options.flows_per_block < 256 || options.flows_per_block > 32'768) {
    return base::InvalidArgument("flows_per_block must be from 256 to 32768");
  }
  NTA_ASSIGN_OR_RETURN(auto writer, OpenForWriting(options.path));
  writer->flows_per_block = options.flows_per_block;
  return std::unique_ptr<Connections>(
      new Connections(std::move(options.path), options.query_timeout, std::move(writer)));
}

bool Connections::ReaderIsFree() const {
  return in_memory_ ? WriterIsFree() : !readers_.empty() || readers_open_ < kMaxReaders;
}

absl::StatusOr<Connections::Lease> Connections::Read() {
  const auto deadline = std::chrono::steady_clock::now() + query_timeout_;
  std::unique_ptr<Connection> connection;
  {
    base::MutexLock lock(&mutex_);
    if (!lock.AwaitWithTimeout([this] { return ReaderIsFree(); },
                               absl::FromChrono(query_timeout_))) {
      return base::MakeStatus(absl::StatusCode::kDeadlineExceeded,
                              "store \"" + path_ + "\": too many queries at once");
    }
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
    absl::StatusOr<std::unique_ptr<Connection>> opened = OpenForReading(path_);
    if (!opened.ok()) {
      base::MutexLock lock(&mutex_);
      --readers_open_;
      return opened.status();
    }
    connection = std::move(*opened);
  }
  connection->SetDeadline(deadline);
  return Lease(this, in_memory_, std::move(connection));
}

Connections::Lease Connections::Write() {
  base::MutexLock lock(&mutex_);
  lock.AwaitWithTimeout([this] { return WriterIsFree(); }, absl::InfiniteDuration());
  return Lease(this, true, std::move(writer_));
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

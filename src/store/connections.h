// Connections: one connection that writes and a few that read.
#ifndef NTA_STORE_CONNECTIONS_H_
#define NTA_STORE_CONNECTIONS_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "nta/store/store.h"
#include "store/sqlite.h"

namespace nta::store {

// Thread-safe. In memory there is but one connection, which readers and the writer take in turns.
class Connections {
 public:
  // A connection that nobody else uses until the lease ends.
  class Lease {
   public:
    Lease(Lease&& other) noexcept
        : owner_(other.owner_), writes_(other.writes_), connection_(std::move(other.connection_)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

   private:
    friend class Connections;
    Lease(Connections* owner, bool writes, std::unique_ptr<Connection> connection)
        : owner_(owner), writes_(writes), connection_(std::move(connection)) {}
    Connections* owner_;
    bool writes_;
    std::unique_ptr<Connection> connection_;
  };

  static absl::StatusOr<std::unique_ptr<Connections>> Open(StoreOptions options, bool durable);

  // Waits for its turn. Statements on a reading lease give up when the query timeout, the wait
  // included, is over. Unavailable when the others write for longer than the write timeout.
  // `control` must live as long as the lease.
  absl::StatusOr<Lease> Read(const QueryControl& control);
  absl::StatusOr<Lease> Write();

  // As Store::Exchange.
  absl::Status Exchange(const std::function<absl::Status()>& swap,
                        const std::function<absl::Status()>& undo);

 private:
  static constexpr std::size_t kMaxReaders = 4;
  // The log cannot be emptied while anybody reads, and with many readers somebody always does. When
  // it is this large, queries wait until it is.
  static constexpr std::uint64_t kMaxLogBytes = 64 << 20;

  Connections(StoreOptions options, std::unique_ptr<Connection> writer);
  bool ReaderIsFree() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  bool WriterIsFree() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return !is_exchanging_ && (writer_ != nullptr || !broken_.ok());
  }
  absl::StatusOr<std::unique_ptr<Connection>> OpenReader();
  // Waits until nobody has a connection, and closes them all.
  absl::Status CloseAll();
  absl::Status OpenAgain();
  void Return(bool writes, std::unique_ptr<Connection> connection);
  std::size_t ReadersInUse() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return readers_open_ - readers_.size();
  }
  // Empties the log when it is too large; waits for queries no longer than these may take.
  void BoundLog(Connection& writer);

  const std::string path_;
  const bool in_memory_;
  const std::chrono::milliseconds query_timeout_;
  const std::chrono::milliseconds write_timeout_;
  const std::size_t flows_per_block_;
  absl::Mutex mutex_;
  std::unique_ptr<Connection> writer_ ABSL_GUARDED_BY(mutex_);                // null while leased
  std::vector<std::unique_ptr<Connection>> readers_ ABSL_GUARDED_BY(mutex_);  // that are free
  std::size_t readers_open_ ABSL_GUARDED_BY(mutex_) = 0;
  bool is_emptying_log_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_exchanging_ ABSL_GUARDED_BY(mutex_) = false;
  // Why there is no connection that writes, after an exchange that could not be undone.
  absl::Status broken_ ABSL_GUARDED_BY(mutex_);
  // At which size to try; grows while another process keeps the log from being emptied.
  std::uint64_t next_log_bytes_ ABSL_GUARDED_BY(mutex_) = kMaxLogBytes;
};

}  // namespace nta::store

#endif  // NTA_STORE_CONNECTIONS_H_

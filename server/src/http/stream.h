// StreamHub: the live stream's clients, each with a bounded queue. TicketBooth: the one-time
// tickets that open a stream.
#ifndef NTA_SERVER_HTTP_STREAM_H_
#define NTA_SERVER_HTTP_STREAM_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "nta/net/time.h"

namespace nta::server {

// Who is at the other end.
struct StreamOwner {
  std::string username;
  std::string session;
};

// Thread-safe, bounded. A full booth forgets the oldest ticket.
class TicketBooth {
 public:
  static constexpr Duration kLifetime = std::chrono::seconds(30);

  std::string Issue(StreamOwner owner, Duration now);
  // Absent for an unknown, used or expired ticket.
  std::optional<StreamOwner> Redeem(std::string_view ticket, Duration now);

 private:
  static constexpr std::size_t kMaxTickets = 1024;
  struct Ticket {
    std::string digest;
    StreamOwner owner;
    Duration issued{};
  };

  absl::Mutex mutex_;
  std::deque<Ticket> tickets_ ABSL_GUARDED_BY(mutex_);  // oldest first
};

// One event or comment as it goes over the wire; shared by all clients, because each gets the same
// bytes.
using StreamText = std::shared_ptr<const std::string>;

std::string FormatEvent(std::string_view name, std::string_view json);

// Read by the HTTP server, written by the hub. Thread-safe.
class StreamClient {
 public:
  static constexpr std::size_t kMaxQueued = 64;

  StreamClient(StreamOwner owner, StreamText hello);

  const StreamOwner& owner() const { return owner_; }

  enum class ReadState { kData, kWait, kEnd };
  struct ReadResult {
    ReadState state = ReadState::kWait;
    std::size_t size = 0;
  };
  // Copies up to `size` bytes to `buffer`. When there are none, calls `park` and answers kWait;
  // `wake` is called once there are some. Both are called under a lock: neither may come back here.
  ReadResult Read(char* buffer, std::size_t size, const std::function<void()>& park,
                  const std::function<void()>& wake);
  // Full: the oldest event makes room, and the client is told how many it lost.
  void Push(const StreamText& text);
  // For comments, which only a client with nothing else to read needs.
  void PushWhenIdle(const StreamText& text);
  // Nothing more comes; what is queued is still sent.
  void End();
  // The connection is gone; `wake` is never called again.
  void Detach();
  // How to find out that the peer has hung up while the reader waits. Called by the hub's thread.
  void SetPeerCheck(std::function<bool()> is_gone);
  void EndIfPeerIsGone();

 private:
  bool NextText() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WakeReader() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const StreamOwner owner_;
  absl::Mutex mutex_;
  StreamText current_ ABSL_GUARDED_BY(mutex_);
  std::size_t offset_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<StreamText> queue_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t lost_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<void()> wake_ ABSL_GUARDED_BY(mutex_);  // set while the reader waits
  std::function<bool()> peer_is_gone_ ABSL_GUARDED_BY(mutex_);
};

struct StreamLimits {
  std::size_t max_clients = 64;
  std::size_t max_per_user = 8;
  std::size_t max_samples = 900;  // told in `hello`
};

// Thread-safe. Publishing costs each client a pointer; no client can hold up another.
class StreamHub {
 public:
  explicit StreamHub(StreamLimits limits = {}) : limits_(limits) {}

  // ResourceExhausted when there are too many. `capture_json` stands in `hello`.
  absl::StatusOr<std::shared_ptr<StreamClient>> Open(StreamOwner owner,
                                                     std::string_view capture_json);
  void Close(const std::shared_ptr<StreamClient>& client);

  void Publish(std::string_view event, std::string_view json);
  // Publishes a sample and keeps it for the next `hello`: no client misses one or gets it twice.
  void PublishSample(std::string json);
  void Heartbeat();
  // Ends streams whose peer has hung up, so that they count no longer against the limits.
  void EndAbandoned();
  // One owner for each open stream.
  std::vector<StreamOwner> Owners() const;
  // Ends the streams that were opened in this session.
  void EndSession(std::string_view session);
  // Ends all; from now on Open refuses.
  void Shutdown();
  std::size_t size() const;

 private:
  std::string Hello(std::string_view capture_json) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PushToAll(std::string text) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const StreamLimits limits_;
  mutable absl::Mutex mutex_;
  std::vector<std::shared_ptr<StreamClient>> clients_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::string> samples_ ABSL_GUARDED_BY(mutex_);
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace nta::server

#endif  // NTA_SERVER_HTTP_STREAM_H_

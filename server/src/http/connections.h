// Connections: who is connected, and until when the peer must have done its part.
#ifndef NTA_SERVER_HTTP_CONNECTIONS_H_
#define NTA_SERVER_HTTP_CONNECTIONS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stop_token>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "nta/net/time.h"

namespace nta::server {

// libmicrohttpd's own time limit starts again with every byte, so a peer that sends or reads one
// byte at a time keeps its connection for ever. Here each step has a deadline of its own.
// Thread-safe.
class Connections {
 public:
  static constexpr Duration kRequestTime = std::chrono::seconds(10);   // a request head, and a body
  static constexpr Duration kIdleTime = std::chrono::seconds(30);      // between requests
  static constexpr Duration kResponseTime = std::chrono::seconds(60);  // to read an answer

  void Opened(int socket, Duration now);
  // From 1 in the order in which they were opened; 0 for a descriptor that is not open.
  std::uint64_t NumberOf(int socket) const;
  std::uint64_t newest() const;
  // To be called while the descriptor is still ours.
  void Closed(int socket);
  // What the peer does next must be done within `time`.
  void Expect(int socket, Duration now, Duration time);
  // It is our turn, or a stream, which has its own rules.
  void ExpectNothing(int socket);
  // Watches for the peer's end of a connection that waits for us; libmicrohttpd does not look then.
  bool PeerIsGone(int socket) const;
  // The work for a peer that waits: asked to stop when the peer has gone, or by StopWork.
  void Watch(int socket, std::stop_source work);
  void Unwatch(int socket);
  // Looks at all that are watched.
  void StopAbandoned();
  void StopWork();
  // Shuts down what is overdue; the event loop closes it. Answers how many.
  std::size_t EndOverdue(Duration now);

 private:
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<int, Duration> deadlines_ ABSL_GUARDED_BY(mutex_);  // by descriptor
  absl::flat_hash_map<int, std::uint64_t> numbers_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<int, std::stop_source> work_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t newest_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace nta::server

#endif  // NTA_SERVER_HTTP_CONNECTIONS_H_

// Sessions: who is signed in. A session lives from sign-in to sign-out; its refresh token changes
// with each use.
//
//   auto grant = sessions.Start("alice", generation);
//   auto next = sessions.Rotate(grant->refresh_token);
#ifndef NTA_SERVER_AUTH_SESSIONS_H_
#define NTA_SERVER_AUTH_SESSIONS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "nta/net/time.h"

namespace nta::server {

struct SessionLimits {
  // Sessions at the most; beyond that the one unused for longest ends.
  std::size_t max_sessions = 512;
  std::size_t max_per_user = 32;
  Duration idle_lifetime = std::chrono::hours(24 * 7);    // since the last refresh
  Duration total_lifetime = std::chrono::hours(24 * 30);  // since sign-in
};

struct SessionGrant {
  std::string id;
  std::string username;
  std::int64_t generation = 0;  // of the user; see User::generation
  std::string refresh_token;    // only here: kept as a digest
};

// An access token is good only while its session is listed here, so sign-out needs no list of dead
// tokens that could overflow. Thread-safe; nothing here blocks.
class Sessions {
 public:
  // `now` is wall time: sessions outlive the process.
  Sessions(SessionLimits limits, std::function<Timestamp()> now);

  SessionGrant Start(std::string_view username, std::int64_t generation);
  // Whose session the token belongs to, without using it up; `refresh_token` is empty.
  // Unauthenticated as for Rotate.
  absl::StatusOr<SessionGrant> Find(std::string_view refresh_token) const;
  // Uses the token up. Unauthenticated for an unknown or expired one, and for one that was used
  // before: then the session ends, because two parties hold its tokens.
  absl::StatusOr<SessionGrant> Rotate(std::string_view refresh_token);

  bool IsAlive(std::string_view id, std::string_view username, std::int64_t generation) const;
  void End(std::string_view id);
  // Ends the user's sessions, but for `except`.
  void EndAllOf(std::string_view username, std::string_view except = {});
  // After a change of password the user's own session goes on under the new generation.
  void SetGeneration(std::string_view id, std::int64_t generation);

  // Lines of JSON without secrets (digests only), for the store. Load keeps what is well-formed and
  // not expired.
  std::string Save() const;
  void Load(std::string_view text);
  std::size_t size() const;

 private:
  struct Session {
    std::string username;
    std::int64_t generation = 0;
    std::string secret_digest;
    Timestamp started{};
    Timestamp used{};
  };
  using Table = absl::flat_hash_map<std::string, Session>;

  bool Expired(const Session& session, Timestamp now) const;
  void MakeRoom(std::string_view username, Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Ends the session of `username` (of anyone when empty) that was unused for longest.
  void EndOldest(std::string_view username) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const SessionLimits limits_;
  const std::function<Timestamp()> now_;
  mutable absl::Mutex mutex_;
  Table sessions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nta::server

#endif  // NTA_SERVER_AUTH_SESSIONS_H_

// Accounts: the users of the store, with a memory of one second so that a request need not wait for
// the disk.
#ifndef NTA_SERVER_AUTH_ACCOUNTS_H_
#define NTA_SERVER_AUTH_ACCOUNTS_H_

#include <chrono>
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
#include "nta/store/store.h"

namespace nta::server {

// Numbers order them: a role may do what the lesser ones may.
enum class Role : std::uint8_t { kViewer = 1, kOperator = 2, kAdmin = 3 };
std::string_view ToString(Role role);
absl::StatusOr<Role> ParseRole(std::string_view text);

// InvalidArgument unless 1 to 64 letters, digits or "._@-".
absl::Status CheckUsername(std::string_view username);

// What a request needs to know of its user.
struct Account {
  std::string username;
  Role role = Role::kViewer;
  std::int64_t generation = 0;
};

// Thread-safe.
class Accounts {
 public:
  // How long a demotion or deletion by another process may go unnoticed; one by this process is
  // noticed at once.
  static constexpr Duration kMemory = std::chrono::seconds(1);

  // Borrows `store`.
  Accounts(Store& store, std::function<Duration()> monotonic);

  // Never blocks: absent when nothing fresh is remembered. NotFound for a user who was not there.
  std::optional<absl::StatusOr<Account>> Remembered(std::string_view username) const;
  // May block. NotFound, or why the store does not answer.
  absl::StatusOr<Account> Read(std::string_view username);

  Store& store() { return store_; }
  // Call after changing the user in the store.
  void Forget(std::string_view username);
  // Call after another store took the place of this one.
  void ForgetAll();

 private:
  struct Memory {
    absl::StatusOr<Account> account;
    Duration read{};
  };

  Store& store_;
  const std::function<Duration()> monotonic_;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Memory> memory_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nta::server

#endif  // NTA_SERVER_AUTH_ACCOUNTS_H_

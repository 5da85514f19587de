#include "operations/live_restore.h"

#include <algorithm>

#include "app.h"
#include "base/status.h"

namespace nta::server {
namespace {

bool IsSame(const User& a, const User& b) {
  return a.username == b.username && a.password_hash == b.password_hash && a.role == b.role &&
         a.created == b.created && a.generation == b.generation;
}

// Whose sessions may not go on: everybody who is not exactly who they were.
std::vector<std::string> Changed(const std::vector<User>& before, const std::vector<User>& after) {
  std::vector<std::string> names;
  for (const User& user : before) {
    const bool same = std::any_of(after.begin(), after.end(),
                                  [&](const User& other) { return IsSame(user, other); });
    if (!same) names.push_back(user.username);
  }
  return names;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenStaged(const std::string& path) {
  // Without a reserve file beside it.
  return Store::Open({.path = path, .reserve_bytes = 0});
}

absl::Status LiveRestore::Prepare(const std::string& staged) {
  // No user is changed until the restored ones are in place.
  lock_.emplace(&services_.user_changes);
  NTA_ASSIGN_OR_RETURN(const auto store, OpenStaged(staged));
  NTA_ASSIGN_OR_RETURN(const std::vector<User> users, store->Users());
  const bool has_admin = std::any_of(users.begin(), users.end(), [](const User& user) {
    return user.role == ToString(Role::kAdmin);
  });
  if (!has_admin) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                            "it has no administrator: nobody could sign in after it");
  }
  NTA_ASSIGN_OR_RETURN(const std::vector<User> before, services_.store.Users());
  changed_ = Changed(before, users);
  // Sessions of that time must not come back to life, should the process end right after.
  NTA_RETURN_IF_ERROR(store->PutSetting(kSessionsSetting, ""));
  return store->PutSetting(kBootstrapSetting, "");
}

void LiveRestore::Finish() {
  for (const std::string& name : changed_) {
    services_.accounts.Forget(name);
    services_.sessions.EndAllOf(name);
    for (const StreamOwner& owner : services_.streams.Owners()) {
      if (owner.username == name) services_.streams.EndSession(owner.session);
    }
  }
  services_.accounts.ForgetAll();
  services_.SaveSessions();
  lock_.reset();
  for (const auto& restored : services_.after_restore) restored();
}

}  // namespace nta::server

#include "auth/accounts.h"

#include <algorithm>
#include <utility>

#include "base/status.h"

namespace nta::server {
namespace {

constexpr std::size_t kMaxRemembered = 1024;

absl::StatusOr<Account> ToAccount(const User& user) {
  const absl::StatusOr<Role> role = ParseRole(user.role);
  // A role this version does not know may do nothing.
  if (!role.ok())
    return base::MakeStatus(absl::StatusCode::kNotFound, "the user has no known role");
  return Account{user.username, *role, user.generation};
}

}  // namespace

std::string_view ToString(Role role) {
  switch (role) {
    case Role::kViewer:
      return "viewer";
    case Role::kOperator:
      return "operator";
    case Role::kAdmin:
      return "admin";
  }
  return "";
}

absl::StatusOr<Role> ParseRole(std::string_view text) {
  for (const Role role : {Role::kViewer, Role::kOperator, Role::kAdmin}) {
    if (text == ToString(role)) return role;
  }
  return base::InvalidArgument("a role is viewer, operator or admin");
}

absl::Status CheckUsername(std::string_view username) {
  constexpr std::size_t kMaxBytes = 64;
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-";
  if (username.empty() || username.size() > kMaxBytes ||
      username.find_first_not_of(kAllowed) != std::string_view::npos) {
    return base::InvalidArgument("a username has 1 to 64 letters, digits or ._@-");
  }
  // In an address they stand for other places, so that nobody could change or remove such a user.
  if (username == "." || username == "..") {
    return base::InvalidArgument("\".\" and \"..\" are no usernames");
  }
  return absl::OkStatus();
}

Accounts::Accounts(Store& store, std::function<Duration()> monotonic)
    : store_(store), monotonic_(std::move(monotonic)) {}

std::optional<absl::StatusOr<Account>> Accounts::Remembered(std::string_view username) const {
  const Duration now = monotonic_();
  absl::MutexLock lock(&mutex_);
  const auto found = memory_.find(std::string(username));
  if (found == memory_.end() || now - found->second.read >= kMemory) return std::nullopt;
  return found->second.account;
}

absl::StatusOr<Account> Accounts::Read(std::string_view username) {
  const Duration asked = monotonic_();
  const absl::StatusOr<User> user = store_.GetUser(username);
  absl::StatusOr<Account> account = user.ok() ? ToAccount(*user) : user.status();
  // Only answers are remembered, not failures to answer.
  if (account.ok() || account.status().code() == absl::StatusCode::kNotFound) {
    absl::MutexLock lock(&mutex_);
    if (memory_.size() >= kMaxRemembered) memory_.clear();
    memory_.insert_or_assign(std::string(username), Memory{account, asked});
  }
  return account;
}

void Accounts::Forget(std::string_view username) {
  absl::MutexLock lock(&mutex_);
  memory_.erase(std::string(username));
}

void Accounts::ForgetAll() {
  absl::MutexLock lock(&mutex_);
  memory_.clear();
}

}  // namespace nta::server

// Managing users.
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "app.h"
#include "base/status.h"
#include "http/json_text.h"

namespace nta::server {
namespace {

std::string ToJson(const User& user) {
  return R"({"username":)" + JsonQuote(user.username) + R"(,"role":)" + JsonQuote(user.role) +
         R"(,"created":)" + JsonQuote(nta::ToString(user.created)) + "}";
}

// FailedPrecondition is the store's word for the one thing it forbids.
Response FromUserStatus(const absl::Status& status) {
  if (absl::IsFailedPrecondition(status)) return Problem(409, "the last administrator stays one");
  if (absl::IsNotFound(status)) return Problem(404, "there is no such user");
  if (absl::IsAlreadyExists(status))
    return Problem(409, "there is a user of that name already; upper and lower case are one");
  return FromStatus(status);
}

void EndSessionsOf(Services& services, const std::string& username) {
  services.accounts.Forget(username);
  services.sessions.EndAllOf(username);
  for (const StreamOwner& owner : services.streams.Owners()) {
    if (owner.username == username) services.streams.EndSession(owner.session);
  }
  services.SaveSessions();
}

Response ListUsers(Services& services, const Call&) {
  const auto users = services.store.Users();
  if (!users.ok()) return FromStatus(users.status());
  std::string body = R"({"users":[)";
  for (const User& user : *users) body.append(ToJson(user)).push_back(',');
  if (!users->empty()) body.pop_back();
  return Json(body + "]}");
}

// People take "Anna" and "anna" for one.
absl::Status CheckNameIsFree(Store& store, std::string_view username) {
  NTA_ASSIGN_OR_RETURN(const std::vector<User> users, store.Users());
  for (const User& user : users) {
    if (absl::EqualsIgnoreCase(base::ToAbsl(user.username), base::ToAbsl(username))) {
      return base::MakeStatus(absl::StatusCode::kAlreadyExists, "");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<User> AddUser(Services& services, const Call& call) {
  User user{.username = std::string(call.Body("username")),
            .password_hash = {},
            .role = std::string(call.Body("role")),
            .created = services.clock.wall()};
  NTA_RETURN_IF_ERROR(CheckUsername(user.username));
  NTA_RETURN_IF_ERROR(ParseRole(user.role).status());
  NTA_RETURN_IF_ERROR(CheckPassword(call.Body("password")));
  NTA_ASSIGN_OR_RETURN(user.password_hash, services.passwords.Hash(call.Body("password")));
  absl::MutexLock lock(&services.user_changes);
  NTA_RETURN_IF_ERROR(CheckNameIsFree(services.store, user.username));
  NTA_RETURN_IF_ERROR(services.store.AddUser(user));
  return user;
}

Response PostUser(Services& services, const Call& call) {
  const auto user = AddUser(services, call);
  if (!user.ok()) return FromUserStatus(user.status());
  // Sessions of an earlier user of that name must not come back to life.
  EndSessionsOf(services, user->username);
  Response response = Json(ToJson(*user), 201);
  response.audit = {{"target", user->username}, {"new_role", user->role}};
  return response;
}

absl::StatusOr<User> ChangeUser(Services& services, const Call& call) {
  const std::string role(call.Body("role"));
  const bool new_password = call.body.contains("password");
  if (!call.body.contains("role") && !new_password) {
    return base::InvalidArgument("name a role, a password, or both");
  }
  if (call.body.contains("role")) NTA_RETURN_IF_ERROR(ParseRole(role).status());
  if (new_password) NTA_RETURN_IF_ERROR(CheckPassword(call.Body("password")));
  absl::MutexLock lock(&services.user_changes);
  NTA_ASSIGN_OR_RETURN(User user, services.store.GetUser(call.Path("username")));
  if (call.body.contains("role")) user.role = role;
  if (new_password) {
    NTA_ASSIGN_OR_RETURN(user.password_hash, services.passwords.Hash(call.Body("password")));
  }
  ++user.generation;
  NTA_RETURN_IF_ERROR(services.store.UpdateUser(user));
  return user;
}

Response PatchUser(Services& services, const Call& call) {
  const auto user = ChangeUser(services, call);
  if (!user.ok()) return FromUserStatus(user.status());
  EndSessionsOf(services, user->username);
  Response response = Json(ToJson(*user));
  response.audit = {{"target", user->username},
                    {"new_role", user->role},
                    {"changed", call.body.contains("password") ? "password" : "role"}};
  if (call.body.contains("password") && call.body.contains("role")) {
    response.audit.back().second = "role, password";
  }
  return response;
}

Response DeleteUser(Services& services, const Call& call) {
  const std::string username(call.Path("username"));
  {
    absl::MutexLock lock(&services.user_changes);
    const absl::Status status = services.store.RemoveUser(username);
    if (!status.ok()) return FromUserStatus(status);
  }
  EndSessionsOf(services, username);
  Response response = NoContent();
  response.audit = {{"target", username}};
  return response;
}

}  // namespace

std::vector<Route> UserRoutes() {
  const std::string user = "username, role, created";
  return {
      {.method = "GET",
       .path = "/api/v1/users",
       .access = Access::kAdmin,
       .work = Work::kStore,
       .handler = ListUsers,
       .summary = "All users",
       .parameters = {},
       .fields = {},
       .answer = "users"},
      {.method = "POST",
       .path = "/api/v1/users",
       .access = Access::kAdmin,
       .work = Work::kHash,
       .handler = PostUser,
       .summary = "Add a user",
       .parameters = {},
       .fields = {{"username", "1 to 64 letters, digits or ._@-"},
                  {"password", "12 to 256 characters", Need::kRequired, FieldType::kSecret},
                  {"role", "viewer, operator or admin"}},
       .success = 201,
       .answer = user,
       .audit = "user.create"},
      {.method = "PATCH",
       .path = "/api/v1/users/{username}",
       .access = Access::kAdmin,
       .work = Work::kHash,
       .handler = PatchUser,
       .summary = "Change a user's role or password; their sessions end",
       .parameters = {},
       .fields = {{"role", "viewer, operator or admin", Need::kOptional},
                  {"password", "12 to 256 characters", Need::kOptional, FieldType::kSecret}},
       .answer = user,
       .audit = "user.change"},
      {.method = "DELETE",
       .path = "/api/v1/users/{username}",
       .access = Access::kAdmin,
       .work = Work::kStore,
       .handler = DeleteUser,
       .summary = "Remove a user; the last administrator stays",
       .parameters = {},
       .fields = {},
       .success = 204,
       .audit = "user.remove"},
  };
}

}  // namespace nta::server

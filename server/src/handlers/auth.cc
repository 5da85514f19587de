// Setting up, signing in and out.
#include <string>
#include <utility>

#include "app.h"
#include "base/status.h"
#include "http/json_text.h"
#include "logging/log.h"
#include "text.h"

namespace nta::server {
namespace {

std::string MemberJson(std::string_view username, std::string_view role) {
  return R"({"username":)" + JsonQuote(username) + R"(,"role":)" + JsonQuote(role) + "}";
}

// Both tokens of a session, as the answer to signing in.
Response GrantAccess(Services& services, const SessionGrant& grant, std::string_view role,
                     int status) {
  const auto now =
      std::chrono::floor<std::chrono::seconds>(services.clock.wall()).time_since_epoch().count();
  const std::int64_t lifetime = services.limits.token_lifetime.count();
  const TokenClaims claims{.subject = grant.username,
                           .id = grant.id + "." + RandomToken(8),
                           .session = grant.id,
                           .generation = grant.generation,
                           .issued_at = now,
                           .not_before = now,
                           .expires_at = now + lifetime};
  services.SaveSessions();
  std::string body = R"({"token":)" + JsonQuote(services.signer.Sign(claims));
  body += R"(,"refresh_token":)" + JsonQuote(grant.refresh_token);
  body += R"(,"expires_in":)" + std::to_string(lifetime);
  body += R"(,"user":)" + MemberJson(grant.username, role) + "}";
  return Json(std::move(body), status);
}

std::optional<Response> GuardSignIn(Services& services, const Call& call) {
  const auto wait = services.sign_ins.Take(call.request->client, call.Body("username"),
                                           services.clock.monotonic());
  if (!wait) return std::nullopt;
  NoteSecurity(services, LogLevel::kWarning, call.request->client, "sign_in.limited",
               "too many attempts to sign in");
  return TooManyRequests(*wait);
}

std::optional<Response> GuardOwnPassword(Services& services, const Call& call) {
  const auto wait = services.sign_ins.Take(call.request->client, call.principal.account.username,
                                           services.clock.monotonic());
  if (!wait) return std::nullopt;
  NoteSecurity(services, LogLevel::kWarning, call.request->client, "password.limited",
               "too many attempts to change a password",
               {{"username", call.principal.account.username}});
  return TooManyRequests(*wait);
}

Response GetSetup(Services& services, const Call&) {
  const auto users = services.store.Users();
  if (!users.ok()) return FromStatus(users.status());
  return Json(users->empty() ? R"({"needed":true})" : R"({"needed":false})");
}

absl::Status CreateFirstAdministrator(Services& services, const Call& call) {
  absl::MutexLock lock(&services.user_changes);
  NTA_ASSIGN_OR_RETURN(const std::vector<User> users, services.store.Users());
  if (!users.empty()) return base::MakeStatus(absl::StatusCode::kAlreadyExists, "");
  NTA_ASSIGN_OR_RETURN(const std::string expected, services.store.GetSetting(kBootstrapSetting));
  if (expected.empty() || !SecretsEqual(expected, Digest(call.Body("bootstrap_token")))) {
    return base::MakeStatus(absl::StatusCode::kUnauthenticated,
                            "the bootstrap token is not the one that was printed");
  }
  const std::string username(call.Body("username"));
  NTA_RETURN_IF_ERROR(CheckUsername(username));
  NTA_RETURN_IF_ERROR(CheckPassword(call.Body("password")));
  NTA_ASSIGN_OR_RETURN(std::string hash, services.passwords.Hash(call.Body("password")));
  NTA_RETURN_IF_ERROR(services.store.AddUser({.username = username,
                                              .password_hash = std::move(hash),
                                              .role = std::string(ToString(Role::kAdmin)),
                                              .created = services.clock.wall()}));
  services.accounts.Forget(username);
  return services.store.PutSetting(kBootstrapSetting, "");
}

Response PostSetup(Services& services, const Call& call) {
  const absl::Status status = CreateFirstAdministrator(services, call);
  if (absl::IsAlreadyExists(status)) return Problem(409, "setup is done already; sign in");
  if (!status.ok()) return FromStatus(status);
  const std::string username(call.Body("username"));
  NoteSecurity(services, LogLevel::kInfo, call.request->client, "setup",
               "the first administrator was made", {{"username", username}});
  services.sign_ins.NoteSuccess(call.request->client, username);
  Response response =
      GrantAccess(services, services.sessions.Start(username, 0), ToString(Role::kAdmin), 201);
  response.audit = {{"actor", username}, {"role", std::string(ToString(Role::kAdmin))}};
  return response;
}

// The user when name and password are right. Unauthenticated takes as long for an unknown user as
// for a wrong password.
absl::StatusOr<User> CheckCredentials(Services& services, std::string_view username,
                                      std::string_view password) {
  if (!CheckPassword(password).ok()) password = "no password of ours is that short or long";
  absl::StatusOr<User> user = base::MakeStatus(absl::StatusCode::kNotFound, "");
  if (CheckUsername(username).ok()) user = services.store.GetUser(username);
  if (!user.ok() && !absl::IsNotFound(user.status())) return user.status();
  bool right = false;
  if (user.ok()) {
    right = services.passwords.Verify(user->password_hash, password);
  } else {
    services.passwords.VerifyNothing(password);
  }
  if (!right)
    return base::MakeStatus(absl::StatusCode::kUnauthenticated, "username or password is wrong");
  return user;
}

// So that guessing passwords here is found as it is elsewhere. The name is only told when it is one
// of ours: people type passwords there.
void ReportLogin(Services& services, const Call& call, SecurityOutcome outcome) {
  if (services.logins == nullptr) return;
  std::string user(call.Body("username"));
  if (!CheckUsername(user).ok() || !services.store.GetUser(user).ok()) user.clear();
  services.logins->Report(call.request->client, outcome, std::move(user), services.clock.wall());
}

Response PostLogin(Services& services, const Call& call) {
  const auto user = CheckCredentials(services, call.Body("username"), call.Body("password"));
  if (!user.ok()) {
    Response response = FromStatus(user.status());
    if (!absl::IsUnauthenticated(user.status())) return response;
    ReportLogin(services, call, SecurityOutcome::kFailure);
    // A name that nobody has stays out of the logs: people type passwords there.
    Logger::Fields fields;
    const std::string username(call.Body("username"));
    if (CheckUsername(username).ok() && services.store.GetUser(username).ok()) {
      fields.emplace_back("username", username);
      response.audit = {{"target", username}};
    }
    NoteSecurity(services, LogLevel::kWarning, call.request->client, "sign_in.failed",
                 "sign-in refused", std::move(fields));
    return response;
  }
  ReportLogin(services, call, SecurityOutcome::kSuccess);
  services.sign_ins.NoteSuccess(call.request->client, user->username);
  NoteSecurity(services, LogLevel::kInfo, call.request->client, "sign_in.good", "signed in",
               {{"username", user->username}, {"role", user->role}});
  Response response = GrantAccess(
      services, services.sessions.Start(user->username, user->generation), user->role, 200);
  response.audit = {{"actor", user->username}, {"role", user->role}};
  return response;
}

Response PostRefresh(Services& services, const Call& call) {
  const std::string_view token = call.Body("refresh_token");
  const auto found = services.sessions.Find(token);
  if (!found.ok()) return FromStatus(found.status());
  // The store is asked before the token is used up, so that a failure costs the client nothing.
  const auto account = services.accounts.Read(found->username);
  if (!account.ok() && !absl::IsNotFound(account.status())) return FromStatus(account.status());
  if (!account.ok() || account->generation != found->generation) {
    services.sessions.End(found->id);
    services.SaveSessions();
    return Unauthorized("the session has ended; sign in again");
  }
  const auto grant = services.sessions.Rotate(token);
  if (!grant.ok()) {
    NoteSecurity(services, LogLevel::kWarning, call.request->client, "session.stolen",
                 "a refresh token was used twice: its session has ended",
                 {{"username", found->username}});
    services.streams.EndSession(found->id);
    services.SaveSessions();
    return FromStatus(grant.status());
  }
  return GrantAccess(services, *grant, ToString(account->role), 200);
}

Response PostLogout(Services& services, const Call& call) {
  const std::string& username = call.principal.account.username;
  services.sessions.End(call.principal.session);
  services.streams.EndSession(call.principal.session);
  // A refresh token of another session of the same user is signed out with it.
  const auto other = services.sessions.Find(call.Body("refresh_token"));
  if (other.ok() && other->username == username) {
    services.sessions.End(other->id);
    services.streams.EndSession(other->id);
  }
  services.SaveSessions();
  return NoContent();
}

Response GetMe(Services&, const Call& call) {
  const Account& account = call.principal.account;
  return Json(MemberJson(account.username, ToString(account.role)));
}

absl::Status ReplaceOwnPassword(Services& services, const Call& call) {
  const std::string& username = call.principal.account.username;
  NTA_RETURN_IF_ERROR(CheckPassword(call.Body("new_password")));
  absl::MutexLock lock(&services.user_changes);
  NTA_ASSIGN_OR_RETURN(User user,
                       CheckCredentials(services, username, call.Body("current_password")));
  NTA_ASSIGN_OR_RETURN(user.password_hash, services.passwords.Hash(call.Body("new_password")));
  ++user.generation;
  NTA_RETURN_IF_ERROR(services.store.UpdateUser(user));
  services.accounts.Forget(username);
  services.sessions.EndAllOf(username, call.principal.session);
  services.sessions.SetGeneration(call.principal.session, user.generation);
  return absl::OkStatus();
}

Response PostMyPassword(Services& services, const Call& call) {
  const absl::Status status = ReplaceOwnPassword(services, call);
  // Not 401: the token is good, only the password in the body is not.
  if (absl::IsUnauthenticated(status)) return Problem(403, "the current password is wrong");
  if (!status.ok()) return FromStatus(status);
  services.SaveSessions();
  return NoContent();
}

}  // namespace

std::vector<Route> AuthRoutes() {
  const Field username{"username", "1 to 64 letters, digits or ._@-"};
  const Field password{"password", "12 to 256 characters", Need::kRequired, FieldType::kSecret};
  const std::string tokens = "token, refresh_token, expires_in (seconds), user";
  const Route login{
      .method = "POST",
      .path = "/api/login",
      .access = Access::kAnyone,
      .work = Work::kHash,
      .handler = PostLogin,
      .summary = "Sign in",
      .parameters = {},
      // People type passwords where their name belongs.
      .fields = {{"username", "who signs in", Need::kRequired, FieldType::kSecret}, password},
      .answer = tokens,
      .gate = GuardSignIn,
      .audit = "session.sign_in"};
  return {
      {.method = "GET",
       .path = "/api/v1/setup",
       .access = Access::kAnyone,
       .work = Work::kStore,
       .handler = GetSetup,
       .summary = "Whether the first administrator is still to be made",
       .parameters = {},
       .fields = {},
       .answer = "needed"},
      {.method = "POST",
       .path = "/api/v1/setup",
       .access = Access::kAnyone,
       .work = Work::kHash,
       .handler = PostSetup,
       .summary = "Make the first administrator",
       .parameters = {},
       .fields = {{"bootstrap_token", "printed by the server at its first start", Need::kRequired,
                   FieldType::kSecret},
                  username,
                  password},
       .success = 201,
       .answer = tokens,
       .gate = GuardSignIn,
       .audit = "setup.complete"},
      login,
      {.method = "POST",
       .path = "/api/v1/refresh",
       .access = Access::kAnyone,
       .work = Work::kStore,
       .handler = PostRefresh,
       .summary = "New tokens for a refresh token, which is used up",
       .parameters = {},
       .fields = {{"refresh_token", "of the last sign-in or refresh", Need::kRequired,
                   FieldType::kSecret}},
       .answer = tokens},
      {.method = "POST",
       .path = "/api/v1/logout",
       .access = Access::kViewer,
       .work = Work::kStore,
       .handler = PostLogout,
       .summary = "End the session",
       .parameters = {},
       .fields = {{"refresh_token", "of the same session", Need::kOptional, FieldType::kSecret}},
       .success = 204,
       .audit = "session.sign_out"},
      {.method = "GET",
       .path = "/api/v1/me",
       .access = Access::kViewer,
       .work = Work::kInline,
       .handler = GetMe,
       .summary = "Who I am",
       .parameters = {},
       .fields = {},
       .answer = "username, role"},
      {.method = "POST",
       .path = "/api/v1/me/password",
       .access = Access::kViewer,
       .work = Work::kHash,
       .handler = PostMyPassword,
       .summary = "Change my password; my other sessions end",
       .parameters = {},
       .fields = {{"current_password", "as it is", Need::kRequired, FieldType::kSecret},
                  {"new_password", "12 to 256 characters", Need::kRequired, FieldType::kSecret}},
       .success = 204,
       .gate = GuardOwnPassword,
       .audit = "user.password"},
  };
}

}  // namespace nta::server

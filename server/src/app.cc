#include "app.h"

#include <algorithm>
#include <utility>

#include "http/json_text.h"
#include "logging/log.h"
#include "logging/log_settings.h"

namespace nta::server {
namespace {

bool IsJson(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  type.erase(type.find_last_not_of(' ') + 1);
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return type == "application/json";
}

// "Bearer TOKEN"; the scheme's case does not matter (RFC 9110).
std::string_view BearerToken(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size()) return {};
  const bool bearer =
      std::equal(kScheme.begin(), kScheme.end(), authorization.begin(),
                 [](char a, unsigned char b) { return a == static_cast<char>(std::tolower(b)); });
  return bearer ? authorization.substr(kScheme.size()) : std::string_view();
}

Role RoleFor(Access access) {
  switch (access) {
    case Access::kViewer:
      return Role::kViewer;
    case Access::kOperator:
      return Role::kOperator;
    default:
      return Role::kAdmin;
  }
}

Response MethodNotAllowed(const std::vector<std::string>& allowed) {
  std::string list;
  for (const std::string& method : allowed) list.append(list.empty() ? "" : ", ").append(method);
  Response response = Problem(405, "the address does not know this method");
  response.headers.emplace_back("Allow", list);
  return response;
}

std::optional<Response> ReadQuery(const Route& route, const NamedValues& query, TextMap& values) {
  for (const auto& [name, value] : query) {
    const auto known = std::find_if(
        route.parameters.begin(), route.parameters.end(),
        [&, wanted = std::string_view(name)](const Parameter& p) { return p.name == wanted; });
    if (known == route.parameters.end()) return Problem(400, "unknown parameter \"" + name + "\"");
    const auto& allowed = known->values;
    if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
      std::string list;
      for (const std::string& one : allowed) list.append(list.empty() ? "" : ", ").append(one);
      return Problem(400, "parameter \"" + name + "\" is one of: " + list);
    }
    if (!values.emplace(name, value).second)
      return Problem(400, "parameter \"" + name + "\" appears twice");
  }
  return std::nullopt;
}

Response LacksRole(Role needed) {
  return Problem(403, "this needs the role " + std::string(ToString(needed)));
}

bool Fits(FieldType wanted, JsonMember::Type given) {
  using Type = JsonMember::Type;
  switch (wanted) {
    case FieldType::kText:
    case FieldType::kSecret:
      return given == Type::kText;
    case FieldType::kInteger:
      return given == Type::kInteger;
    case FieldType::kNumber:
      return given == Type::kInteger || given == Type::kNumber;
    case FieldType::kBoolean:
      return given == Type::kBoolean;
    case FieldType::kArray:
      return given == Type::kArray;
    case FieldType::kObject:
      return given == Type::kObject;
  }
  return false;
}

std::optional<Response> ReadBody(const Route& route, const Request& request, TextMap& values) {
  const bool needed = std::any_of(route.fields.begin(), route.fields.end(),
                                  [](const Field& field) { return field.need == Need::kRequired; });
  if (request.body.empty() && !needed) return std::nullopt;
  if (route.fields.empty()) {
    // null is how some clients write that there is nothing.
    if (route.max_upload_bytes > 0 || request.body == "null") return std::nullopt;
    const absl::StatusOr<JsonMembers> nothing = ParseObject(request.body);
    if (nothing.ok() && nothing->empty()) return std::nullopt;
    return Problem(400, "this takes no body; what it needs to know goes into the address");
  }
  if (!IsJson(request.content_type)) return Problem(415, "the body must be application/json");
  const absl::StatusOr<JsonMembers> object = ParseObject(request.body);
  if (!object.ok()) {
    return Problem(400,
                   "the body is not what it should be: " + std::string(object.status().message()));
  }
  for (const auto& [name, value] : *object) {
    const auto known = std::find_if(
        route.fields.begin(), route.fields.end(),
        [wanted = std::string_view(name)](const Field& field) { return field.name == wanted; });
    if (known == route.fields.end()) return Problem(400, "unknown field \"" + name + "\"");
    const bool is_null = value.type == JsonMember::Type::kNull;
    if (is_null && known->takes_null) {
      values.emplace(name, "null");
      continue;
    }
    if (is_null && known->need == Need::kOptional) continue;
    if (!Fits(known->type, value.type)) {
      return Problem(400,
                     "field \"" + name + "\" is not of type " + std::string(ToString(known->type)));
    }
    values.emplace(name, value.text);
  }
  for (const Field& field : route.fields) {
    if (field.need == Need::kRequired && !values.contains(field.name)) {
      return Problem(400, "field \"" + field.name + "\" is missing");
    }
  }
  return std::nullopt;
}

App::Admission CheckLength(const Request& request, App::Admission admission) {
  if (!admission.answer && request.content_length > admission.max_bytes) {
    admission.answer = TooLarge(admission.max_bytes);
  }
  return admission;
}

}  // namespace

Services::Services(Store& the_store, TokenSigner the_signer, PasswordHasher the_hasher,
                   StaticFiles the_files, Clock the_clock, AppLimits the_limits,
                   std::function<CaptureStatus()> the_capture)
    : store(the_store),
      clock(std::move(the_clock)),
      limits(the_limits),
      signer(std::move(the_signer)),
      passwords(std::move(the_hasher)),
      files(std::move(the_files)),
      accounts(the_store, clock.monotonic),
      sessions(limits.sessions, clock.wall),
      by_address(limits.per_address),
      by_user(limits.per_user),
      sign_ins(limits.sign_in),
      streams(limits.streams),
      capture(std::move(the_capture)),
      detection(the_store, clock),
      notifications(the_store, clock),
      notices(the_store),
      jobs(clock),
      operations(the_store, clock, capture, store_health) {
  after_restore.emplace_back([this] { ReloadFromStore(); });
}

void Services::ReloadFromStore() {
  const auto tell = [](std::string_view what, const absl::Status& status) {
    if (status.ok()) return;
    Log(LogLevel::kError, "restore", "what was restored is not all in force",
        {{"part", what}, {"error", std::string(status.message())}});
  };
  notices.Load();
  tell("rules, suppressions and detectors", detection.Reload());
  tell("notifications", notifications.Reload());
  tell("health", operations.health.Restore());
  tell("schedule", operations.scheduler.Reload());
  if (firewall != nullptr) tell("firewall", firewall->Reload());
  if (logs != nullptr) RestoreLogRotation(*this);
}

void Services::SaveSessions() {
  absl::MutexLock lock(&save_);
  const absl::Status status = store.PutSetting(kSessionsSetting, sessions.Save());
  if (!status.ok()) {
    Log(LogLevel::kError, "sessions", "cannot save sessions",
        {{"error", std::string(status.message())}});
  }
}

void NoteSecurity(Services& services, LogLevel level, const IpAddress& address,
                  std::string_view component, std::string_view message, Logger::Fields fields) {
  if (services.logs == nullptr) return;
  services.logs->Security(level, address, component, message, std::move(fields));
}

bool IsAlive(Services& services, const StreamOwner& owner) {
  auto account = services.accounts.Remembered(owner.username);
  if (!account) account = services.accounts.Read(owner.username);
  return account->ok() &&
         services.sessions.IsAlive(owner.session, owner.username, (*account)->generation);
}

App::App(Services& services) : services_(services), routes_(AllRoutes()) {}

App::Admission App::Admit(const Request& request) {
  Admission admission;
  const Match match = FindRoute(routes_, request.method, request.target.path);
  if (match.route == nullptr) return CheckLength(request, std::move(admission));
  const Route& route = *match.route;
  admission.is_upload = route.max_upload_bytes > 0;
  const bool is_long = request.content_length > kMaxBodyBytes && route.max_body_bytes > 0;
  if (admission.is_upload || is_long) {
    admission.max_bytes = admission.is_upload ? route.max_upload_bytes : route.max_body_bytes;
    // Nobody fills the disk or memory without a right to: such requests are rare enough to ask the
    // store here.
    Plan plan;
    plan.route = &route;
    plan.call.request = &request;
    admission.answer = CheckToken(plan);
    if (!admission.answer) {
      admission.answer = CheckAccount(plan, services_.accounts.Read(plan.claims.subject));
    }
  }
  // The time that a body may take goes by its length.
  if (admission.is_upload && !admission.answer && request.content_length == 0) {
    admission.answer = RefuseAndClose(411, "an upload must say its length (Content-Length)");
  }
  return CheckLength(request, std::move(admission));
}

Plan App::Prepare(const Request& request) {
  const Duration started = services_.clock.monotonic();
  Plan plan = Check(request);
  plan.started = started;
  if (plan.answer) RecordLatency(plan, plan.answer->status);
  return plan;
}

// Of the API; a stream lasts as long as somebody looks at it.
void App::RecordLatency(const Plan& plan, int status) {
  if (plan.route == nullptr || plan.route->access == Access::kTicket) return;
  services_.operations.latency.Record(plan.route->method + " " + plan.route->path, status,
                                      services_.clock.monotonic() - plan.started);
}

Plan App::Check(const Request& request) {
  Plan plan;
  plan.call.request = &request;
  Match match = FindRoute(routes_, request.method, request.target.path);
  const bool is_api = request.target.path == "/api" || request.target.path.starts_with("/api/");
  if (is_api) {
    if (const auto wait =
            services_.by_address.Take(AddressKey(request.client), services_.clock.monotonic())) {
      plan.answer = Refuse(plan, "limit.address", TooManyRequests(*wait));
      return plan;
    }
  }
  if (match.route == nullptr) {
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (!match.allowed.empty()) {
      plan.answer = MethodNotAllowed(match.allowed);
    } else if (is_api) {
      plan.answer = Problem(404, "there is no such address");
    } else if (!reads) {
      plan.answer = MethodNotAllowed({"GET", "HEAD"});
    } else {
      plan.answer = services_.files.Get(request.target.path, request.if_none_match);
    }
    return plan;
  }
  plan.route = match.route;
  plan.work = match.route->work;
  // A record waits for the disk.
  if (plan.work == Work::kInline && !match.route->audit.empty()) plan.work = Work::kStore;
  plan.call.path = std::move(match.path);
  if (match.route->access == Access::kAnyone || match.route->access == Access::kTicket) {
    plan.authorized = true;
    plan.answer = CheckInput(plan);
    return plan;
  }
  plan.answer = CheckToken(plan);
  if (plan.answer) return plan;
  const auto account = services_.accounts.Remembered(plan.claims.subject);
  if (!account) {
    // Asking the store may wait for the disk.
    if (plan.work == Work::kInline) plan.work = Work::kStore;
    return plan;
  }
  plan.answer = CheckAccount(plan, *account);
  if (!plan.answer) plan.answer = CheckInput(plan);
  return plan;
}

Response App::Finish(Plan& plan) {
  if (!plan.authorized) {
    std::optional<Response> answer =
        CheckAccount(plan, services_.accounts.Read(plan.claims.subject));
    if (!answer) answer = CheckInput(plan);
    if (answer) {
      RecordLatency(plan, answer->status);
      return *std::move(answer);
    }
  }
  Response response = Handle(services_, *plan.route, plan.call);
  RecordLatency(plan, response.status);
  return response;
}

std::optional<Response> App::Refuse(const Plan& plan, std::string_view component,
                                    Response response) {
  const Request& request = *plan.call.request;
  Logger::Fields fields = {
      {"status", response.status}, {"method", request.method}, {"path", request.target.path}};
  if (plan.authorized || !plan.claims.subject.empty()) {
    fields.emplace_back("username", plan.claims.subject);
  }
  NoteSecurity(services_, LogLevel::kWarning, request.client, component, "request refused",
               std::move(fields));
  return response;
}

std::optional<Response> App::CheckToken(Plan& plan) {
  const std::string_view token = BearerToken(plan.call.request->authorization);
  if (token.empty()) return Unauthorized("sign in first");
  absl::StatusOr<TokenClaims> claims = services_.signer.Verify(token, services_.clock.wall());
  if (!claims.ok() ||
      !services_.sessions.IsAlive(claims->session, claims->subject, claims->generation)) {
    return Refuse(plan, claims.ok() ? "session.ended" : "session.bad_token",
                  Unauthorized("the session has ended; sign in again"));
  }
  plan.claims = *std::move(claims);
  return std::nullopt;
}

std::optional<Response> App::CheckAccount(Plan& plan, const absl::StatusOr<Account>& account) {
  const bool gone = absl::IsNotFound(account.status());
  if (gone || (account.ok() && account->generation != plan.claims.generation)) {
    return Unauthorized("the session has ended; sign in again");
  }
  if (!account.ok()) return FromStatus(account.status());
  if (const auto wait = services_.by_user.Take(account->username, services_.clock.monotonic())) {
    return Refuse(plan, "limit.user", TooManyRequests(*wait));
  }
  const Role needed = RoleFor(plan.route->access);
  if (account->role < needed) return Refuse(plan, "role.lacking", LacksRole(needed));
  plan.call.principal = {*account, plan.claims.session};
  plan.authorized = true;
  return std::nullopt;
}

std::optional<Response> App::CheckInput(Plan& plan) {
  if (auto refused = ReadQuery(*plan.route, plan.call.request->target.query, plan.call.query))
    return refused;
  if (auto refused = ReadBody(*plan.route, *plan.call.request, plan.call.body)) return refused;
  return plan.route->gate == nullptr ? std::nullopt : plan.route->gate(services_, plan.call);
}

}  // namespace nta::server

// App: requests in, responses out; knows nothing of sockets.
//
//   Plan plan = app.Prepare(request);                    // on the event loop: never blocks
//   if (!plan.answer) plan.answer = app.Finish(plan);    // on a worker, when plan.work says so
#ifndef NTA_SERVER_APP_H_
#define NTA_SERVER_APP_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "auth/accounts.h"
#include "auth/jwt.h"
#include "auth/passwords.h"
#include "auth/rate_limiter.h"
#include "auth/sessions.h"
#include "auth/sign_in_guard.h"
#include "clock.h"
#include "detection/detection_desk.h"
#include "detection/login_watch.h"
#include "firewall/desk.h"
#include "http/http.h"
#include "http/routes.h"
#include "http/static_files.h"
#include "http/stream.h"
#include "logging/audit_trail.h"
#include "logging/logs.h"
#include "notices/notices.h"
#include "notices/notification_desk.h"
#include "nta/store/store.h"
#include "operations/backups.h"
#include "operations/jobs.h"
#include "operations/operations.h"
#include "operations/store_health.h"
#include "traffic/capture_loop.h"

namespace nta::server {

struct AppLimits {
  RateLimit per_address{.per_second = 20, .burst = 60};
  RateLimit per_user{.per_second = 20, .burst = 120};
  SignInLimits sign_in;
  SessionLimits sessions;
  StreamLimits streams;
  std::chrono::seconds token_lifetime{900};
};

// What handlers call. Every member is thread-safe.
struct Services {
  Services(Store& the_store, TokenSigner the_signer, PasswordHasher the_hasher,
           StaticFiles the_files, Clock the_clock, AppLimits limits,
           std::function<CaptureStatus()> the_capture);
  ~Services() { jobs.Shutdown(); }

  Store& store;
  const Clock clock;
  const AppLimits limits;
  const TokenSigner signer;
  const PasswordHasher passwords;
  const StaticFiles files;
  Accounts accounts;
  Sessions sessions;
  RateLimiter by_address;
  RateLimiter by_user;
  SignInGuard sign_ins;
  TicketBooth tickets;
  StreamHub streams;
  const std::function<CaptureStatus()> capture;
  // How many packets before an alert are kept, and them as a file; empty where nothing is captured.
  // Set before the first request.
  std::function<std::size_t(std::string_view alert)> count_packets;
  std::function<absl::Status(std::string_view alert, const std::string& path)> write_packets;
  DetectionDesk detection;
  NotificationDesk notifications;
  Notices notices;
  // Null when the store is not a file that could be backed up; set before the first request.
  std::unique_ptr<Backups> backups;
  // Whoever remembers what the store said is told here that another store took its place. Added to
  // before the first request; called by the thread that restored.
  std::vector<std::function<void()>> after_restore;
  // After what its work uses.
  Jobs jobs;
  // Null when the server leaves the firewall alone; set before the first request.
  std::unique_ptr<FirewallDesk> firewall;
  // Where requests come in, when known.
  std::optional<Endpoint> listening;
  // Where bodies too large for memory are kept meanwhile; set before the first request.
  std::string scratch_directory = "/tmp";

  // Log files and audit trail; set before the first request. Without a trail, which only tests do,
  // acts are not recorded.
  Logs* logs = nullptr;
  AuditTrail* audit = nullptr;

  // Told of every sign-in; null where nobody watches. Set before requests come.
  std::unique_ptr<LoginWatch> logins;
  // Told by whoever watches the store; what /healthz answers.
  StoreHealth store_health;
  // After what it borrows.
  Operations operations;
  // One change of users or setup at a time: each reads, decides and writes.
  absl::Mutex user_changes;

  // Reads anew what is remembered of the store, because another one took its place: rules,
  // suppressions, channels, firewall, thresholds, schedule, rotation, notices. What cannot be read
  // is logged and the rest goes on.
  void ReloadFromStore();

  // Writes the sessions into the store, so that a restart does not sign everybody out. Serialised.
  void SaveSessions();

 private:
  absl::Mutex save_;
};

// Into the security log: who tried what, from where.
void NoteSecurity(Services& services, LogLevel level, const IpAddress& address,
                  std::string_view component, std::string_view message, Logger::Fields fields = {});

// True while the session that opened a stream is good. May block.
bool IsAlive(Services& services, const StreamOwner& owner);

// The settings of the store that are ours.
inline constexpr std::string_view kSessionsSetting = "server.sessions";
inline constexpr std::string_view kBootstrapSetting = "server.bootstrap_token_digest";

// What is left to do for a request.
struct Plan {
  std::optional<Response> answer;  // set: nothing is left
  Work work = Work::kInline;       // where Finish may run
  const Route* route = nullptr;
  Call call;
  TokenClaims claims;
  bool authorized = false;
  Duration started{};  // by the monotonic clock
};

// Thread-safe.
class App {
 public:
  // Borrows `services`.
  explicit App(Services& services);

  // Before its body is read: how large it may be, and where it goes. An answer refuses it.
  struct Admission {
    std::optional<Response> answer;
    std::uint64_t max_bytes = kMaxBodyBytes;
    bool is_upload = false;
  };
  Admission Admit(const Request& request);

  // Finds the route and checks limits, token, role, parameters and body. Borrows `request` until
  // Finish has returned.
  Plan Prepare(const Request& request);
  Response Finish(Plan& plan);

  const std::vector<Route>& routes() const { return routes_; }

 private:
  Plan Check(const Request& request);
  void RecordLatency(const Plan& plan, int status);
  // The answer, with what it says about its request in the security log.
  std::optional<Response> Refuse(const Plan& plan, std::string_view component, Response response);
  std::optional<Response> CheckToken(Plan& plan);
  std::optional<Response> CheckAccount(Plan& plan, const absl::StatusOr<Account>& account);
  std::optional<Response> CheckInput(Plan& plan);

  Services& services_;
  const std::vector<Route> routes_;
};

}  // namespace nta::server

#endif  // NTA_SERVER_APP_H_

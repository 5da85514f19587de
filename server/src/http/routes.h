// The routes: one table that says who may call what, where it runs, and what it takes.
#ifndef NTA_SERVER_HTTP_ROUTES_H_
#define NTA_SERVER_HTTP_ROUTES_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/accounts.h"
#include "http/http.h"

namespace nta::server {

struct Services;

// The least that a caller needs.
enum class Access : std::uint8_t { kAnyone, kTicket, kViewer, kOperator, kAdmin };
std::string_view ToString(Access access);

// Where a handler runs: what may wait for the disk or hash a password must not hold up the event
// loop.
enum class Work : std::uint8_t { kInline, kStore, kHash };

struct Principal {
  Account account;
  std::string session;
};

using TextMap = std::map<std::string, std::string, std::less<>>;

// A request that passed every check of its route.
struct Call {
  const Request* request = nullptr;
  Principal principal;  // empty for kAnyone and kTicket
  TextMap path;
  TextMap query;
  TextMap body;
  // The act as the audit trail calls it, and its record of kBegun; 0: it has none.
  std::string act{};
  std::uint64_t audit_record = 0;

  // Empty when the parameter or field was left out.
  std::string_view Query(std::string_view name) const { return Find(query, name); }
  std::string_view Body(std::string_view name) const { return Find(body, name); }
  std::string_view Path(std::string_view name) const { return Find(path, name); }

 private:
  static std::string_view Find(const TextMap& map, std::string_view name) {
    const auto found = map.find(name);
    return found == map.end() ? std::string_view() : std::string_view(found->second);
  }
};

// A query parameter. `values` lists all it may be, when it is one of a few.
struct Parameter {
  std::string name;
  std::string description;
  std::vector<std::string> values;
};

enum class Need : std::uint8_t { kRequired, kOptional };

// kSecret: a text that no record holds: passwords, tokens, and what people take for their field.
enum class FieldType : std::uint8_t {
  kText,
  kSecret,
  kInteger,
  kNumber,
  kBoolean,
  kArray,
  kObject
};
// As JSON Schema names it: "string", "integer", ...
std::string_view ToString(FieldType type);

// A member of the JSON body. In Call::body stands the text itself, of all other types their JSON.
struct Field {
  std::string name;
  std::string description;
  Need need = Need::kRequired;
  FieldType type = FieldType::kText;
  // null is a value of its own, found in Call::body as "null"; otherwise it is how clients write
  // "left out".
  bool takes_null = false;
};

using Handler = Response (*)(Services&, const Call&);
// Looks at a call before it is queued; an answer ends it.
using Gate = std::optional<Response> (*)(Services&, const Call&);

struct Route {
  std::string method;
  std::string path;  // "/api/v1/users/{username}"
  Access access = Access::kAdmin;
  Work work = Work::kStore;
  Handler handler = nullptr;
  std::string summary;
  std::vector<Parameter> parameters;
  std::vector<Field> fields;
  int success = 200;
  std::string answer = {};  // what the answer is, for people
  Gate gate = nullptr;
  // The act's name in the audit trail: "backup.create". Every route that changes something or
  // gives away what must be accounted for has one.
  std::string audit = {};
  // The body is a file of any type and up to so many bytes, found in Request::upload. 0: it is not.
  std::uint64_t max_upload_bytes = 0;
  // Of a JSON body, where it may be longer than others; it must say its length then.
  std::uint64_t max_body_bytes = 0;
};

std::vector<Route> AllRoutes();

// The parts of the table, each beside its handlers.
std::vector<Route> AuthRoutes();
std::vector<Route> UserRoutes();
std::vector<Route> TrafficRoutes();
std::vector<Route> HostRoutes();
std::vector<Route> NameRoutes();
std::vector<Route> StreamRoutes();
std::vector<Route> JobRoutes();
std::vector<Route> FirewallRoutes();
std::vector<Route> FirewallActRoutes();
std::vector<Route> FirewallResponseRoutes();
std::vector<Route> HealthRoutes();
std::vector<Route> IncidentRoutes();
std::vector<Route> ScheduleRoutes();
std::vector<Route> AlertRoutes();
std::vector<Route> DetectionRoutes();
std::vector<Route> DetectorRoutes();
std::vector<Route> BacktestRoutes();
std::vector<Route> NotificationRoutes();
std::vector<Route> LogRoutes();
std::vector<Route> AuditRoutes();
std::vector<Route> TransferRoutes();
std::vector<Route> BackupRoutes();
std::vector<Route> NoticeRoutes();
std::vector<Route> MetricsRoutes();

// A route that viewers may read and that asks the store.
Route Reading(std::string path, Handler handler, std::string summary,
              std::vector<Parameter> parameters, std::string answer);
// With `since` and `until` in front.
std::vector<Parameter> WithInterval(std::vector<Parameter> parameters);

struct Match {
  const Route* route = nullptr;  // null: no route has this path and method
  TextMap path;
  std::vector<std::string> allowed;  // methods that the path knows; empty: there is no such path
};

// HEAD is answered by GET's route.
Match FindRoute(const std::vector<Route>& routes, std::string_view method, std::string_view path);

}  // namespace nta::server

#endif  // NTA_SERVER_HTTP_ROUTES_H_

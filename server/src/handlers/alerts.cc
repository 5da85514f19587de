// Alerts: reading them, saying that one looks after them, hiding their like.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "app.h"
#include "base/status.h"
#include "handlers/alert_packets.h"
#include "http/json_text.h"
#include "http/parameters.h"
#include "nta/detect/alert_title.h"
#include "nta/json/json.h"
#include "text.h"

namespace nta::server {
namespace {

constexpr std::size_t kMostNotes = 100;
constexpr std::size_t kMostNoteBytes = 4000;
// Of hidden alerts in a row; then the page ends early, with a cursor.
constexpr int kMostPages = 200;
constexpr std::size_t kMostExamined = 10'000;

absl::StatusOr<AlertQuery> ReadAlerts(Services& services, const Call& call) {
  AlertQuery query;
  NTA_ASSIGN_OR_RETURN(query.interval, ReadInterval(call, services.clock.wall()));
  NTA_ASSIGN_OR_RETURN(query.limit, ReadLimit(call, {.default_value = 100, .max = 1000}));
  query.cursor = call.Query("cursor");
  if (!call.Query("class").empty()) {
    const auto alert_class = ParseAlertClass(call.Query("class"));
    if (!alert_class.ok())
      return base::InvalidArgument("parameter \"class\" is not a class of alerts");
    query.alert_class = *alert_class;
  }
  if (!call.Query("severity").empty()) {
    NTA_ASSIGN_OR_RETURN(query.min_severity, ParseSeverity(call.Query("severity")));
  }
  return query;
}

// The alert with what people said of it, what it is in few words, and how many packets before it
// are kept.
std::string Render(Services& services, const Alert& alert, const AlertHandling& handling) {
  std::string json = nta::ToJson(alert);
  json.pop_back();
  const std::size_t packets = services.count_packets ? services.count_packets(alert.id) : 0;
  return json + R"(,"title":)" + JsonQuote(AlertTitle(alert)) + R"(,"packets":)" +
         std::to_string(packets) + R"(,"handling":)" + ToJson(handling) + "}";
}

bool Passes(std::string_view wanted, bool has) {
  return wanted == "all" || (wanted == "yes") == has;
}

Response GetAlerts(Services& services, const Call& call) {
  auto query = ReadAlerts(services, call);
  if (!query.ok()) return FromStatus(query.status());
  const std::string_view suppressed =
      call.Query("suppressed").empty() ? "no" : call.Query("suppressed");
  const std::string_view acknowledged =
      call.Query("acknowledged").empty() ? "all" : call.Query("acknowledged");
  const std::size_t limit = query->limit;
  std::vector<std::string> rows;
  // What is left out makes room for what comes after it.
  for (int page = 0; page < kMostPages && rows.size() < limit; ++page) {
    query->limit = limit - rows.size();
    auto answer = services.store.Alerts(*query);
    if (!answer.ok()) return FromStatus(answer.status());
    for (const Alert& alert : answer->alerts) {
      if (!Passes(suppressed, !alert.suppressed_by.empty())) continue;
      const AlertHandling handling = services.detection.Handling(alert.id);
      if (!Passes(acknowledged, !handling.acknowledged_by.empty())) continue;
      rows.push_back(Render(services, alert, handling));
    }
    query->cursor = answer->next_cursor;
    if (query->cursor.empty()) break;
  }
  return Json(JsonObject()
                  .AddJson("alerts", JsonList(rows, [](const std::string& row) { return row; }))
                  .AddJson("next_cursor", query->cursor.empty() ? "null" : JsonQuote(query->cursor))
                  .Take());
}

Response NoSuchAlert() { return Problem(404, "there is no such alert; it may have been deleted"); }

Response GetAlert(Services& services, const Call& call) {
  const auto alert = services.store.GetAlert(call.Path("id"));
  if (absl::IsNotFound(alert.status())) return NoSuchAlert();
  if (!alert.ok()) return FromStatus(alert.status());
  return Json(Render(services, *alert, services.detection.Handling(alert->id)));
}

// Changes what is said of the alert, and answers it.
Response Handle(Services& services, const Call& call,
                const std::function<absl::Status(AlertHandling&)>& change) {
  const auto alert = services.store.GetAlert(call.Path("id"));
  if (absl::IsNotFound(alert.status())) return NoSuchAlert();
  if (!alert.ok()) return FromStatus(alert.status());
  if (const absl::Status status = services.detection.Handle(alert->id, change); !status.ok()) {
    return FromStatus(status);
  }
  std::string json = Render(services, *alert, services.detection.Handling(alert->id));
  services.streams.Publish("alert", json);
  return Json(std::move(json));
}

absl::Status AddNote(Services& services, const Call& call, std::string_view text,
                     AlertHandling& handling) {
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  if (text.empty() || text.size() > kMostNoteBytes || Printable(line) != line) {
    return base::InvalidArgument("a note is 1 to 4000 bytes of UTF-8 without control characters");
  }
  if (handling.notes.size() >= kMostNotes) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition, "the alert has 100 notes");
  }
  handling.notes.push_back(
      {call.principal.account.username, services.clock.wall(), std::string(text)});
  return absl::OkStatus();
}

Response PostAcknowledge(Services& services, const Call& call) {
  return Handle(services, call, [&](AlertHandling& handling) -> absl::Status {
    if (!call.Body("note").empty()) {
      NTA_RETURN_IF_ERROR(AddNote(services, call, call.Body("note"), handling));
    }
    if (!handling.acknowledged_by.empty()) return absl::OkStatus();
    handling.acknowledged_by = call.principal.account.username;
    handling.acknowledged = services.clock.wall();
    return absl::OkStatus();
  });
}

Response DeleteAcknowledge(Services& services, const Call& call) {
  return Handle(services, call, [](AlertHandling& handling) {
    handling.acknowledged_by.clear();
    handling.acknowledged = {};
    return absl::OkStatus();
  });
}

Response PostNote(Services& services, const Call& call) {
  return Handle(services, call, [&](AlertHandling& handling) {
    return AddNote(services, call, call.Body("text"), handling);
  });
}

// What people may look into is what passed on the wire: operators only, and written down.
Response GetPackets(Services& services, const Call& call) {
  auto bytes = ReadPacketsBefore(services, call.Path("id"));
  if (!bytes.ok()) return RefusePackets(bytes.status());
  Response response =
      Download(nullptr, std::string(call.Path("id")) + ".pcapng", "application/vnd.tcpdump.pcap");
  response.body = *std::move(bytes);
  return response;
}

IpPrefix Only(const IpAddress& address) {
  return *IpPrefix::Create(address, address.is_v4() ? 32 : 128);
}

// The suppression that `scope` makes of the alert.
absl::StatusOr<Suppression> MakeSuppression(const Alert& alert, std::string_view scope) {
  const AlertEntity& entity = alert.entity;
  Suppression one{.detectors = {alert.detector}, .classes = {alert.alert_class}};
  const bool wants_source = scope == "pair" || scope == "source";
  const bool wants_destination = scope == "pair" || scope == "destination";
  if (wants_source && entity.source) one.sources = {Only(*entity.source)};
  if (wants_destination && entity.destination) one.destinations = {Only(*entity.destination)};
  if (scope != "pair" && scope != "source" && scope != "destination" && scope != "detector") {
    return base::InvalidArgument("\"scope\" is pair, source, destination or detector");
  }
  const bool lacks = (scope == "source" && !entity.source) ||
                     (scope == "destination" && !entity.destination) ||
                     (scope == "pair" && (!entity.source || !entity.destination));
  if (lacks) {
    return base::InvalidArgument("the alert names no such address; take another scope");
  }
  return one;
}

Response PostSuppress(Services& services, const Call& call) {
  const auto alert = services.store.GetAlert(call.Path("id"));
  if (absl::IsNotFound(alert.status())) return NoSuchAlert();
  if (!alert.ok()) return FromStatus(alert.status());
  auto suppression = MakeSuppression(*alert, call.Body("scope"));
  if (!suppression.ok()) return FromStatus(suppression.status());
  if (!call.Body("until").empty()) {
    const auto until = ParseTimestamp(call.Body("until"));
    if (!until.ok()) return Problem(400, "field \"until\" is no RFC 3339 time");
    if (*until <= services.clock.wall()) return Problem(400, "field \"until\" is in the past");
    suppression->expires = *until;
  }
  suppression->id = RandomToken(9);
  suppression->reason = call.Body("reason");
  suppression->author = call.principal.account.username;
  suppression->created = services.clock.wall();
  const auto stored = services.detection.AddSuppression(*std::move(suppression));
  return stored.ok() ? Json(ToJson(*stored), 201) : FromStatus(stored.status());
}

struct Threat {
  std::uint64_t alerts = 0;
  std::uint64_t open = 0;
  std::uint64_t suppressed = 0;
  Severity worst = Severity::kInfo;
  Timestamp last{};
  std::map<std::string, std::uint64_t> sources;
  std::map<std::string, std::uint64_t> destinations;
};

// The five that appear most.
std::string Most(const std::map<std::string, std::uint64_t>& counts) {
  std::vector<std::pair<std::string, std::uint64_t>> rows(counts.begin(), counts.end());
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  rows.resize(std::min<std::size_t>(rows.size(), 5));
  return JsonList(rows, [](const auto& row) {
    return JsonObject().Add("address", row.first).Add("alerts", row.second).Take();
  });
}

Response GetThreats(Services& services, const Call& call) {
  AlertQuery query;
  const auto interval = ReadInterval(call, services.clock.wall());
  if (!interval.ok()) return FromStatus(interval.status());
  query.interval = *interval;
  query.limit = 1000;
  std::map<AlertClass, Threat> threats;
  std::size_t examined = 0;
  do {
    const auto page = services.store.Alerts(query);
    if (!page.ok()) return FromStatus(page.status());
    for (const Alert& alert : page->alerts) {
      Threat& threat = threats[alert.alert_class];
      if (!alert.suppressed_by.empty()) {
        ++threat.suppressed;
        continue;
      }
      ++threat.alerts;
      threat.open += alert.state == AlertState::kClosed ? 0 : 1;
      threat.worst = std::max(threat.worst, alert.severity);
      threat.last = std::max(threat.last, alert.time);
      if (alert.entity.source) ++threat.sources[alert.entity.source->ToString()];
      if (alert.entity.destination) ++threat.destinations[alert.entity.destination->ToString()];
    }
    examined += page->alerts.size();
    query.cursor = page->next_cursor;
  } while (!query.cursor.empty() && examined < kMostExamined);
  const std::string rows = JsonList(threats, [](const auto& entry) {
    const Threat& threat = entry.second;
    return JsonObject()
        .Add("class", ToString(entry.first))
        .Add("alerts", threat.alerts)
        .Add("open", threat.open)
        .Add("suppressed", threat.suppressed)
        .Add("worst", ToString(threat.worst))
        .AddJson("last", threat.alerts == 0 ? "null" : JsonQuote(nta::ToString(threat.last)))
        .AddJson("sources", Most(threat.sources))
        .AddJson("destinations", Most(threat.destinations))
        .Take();
  });
  return Json(JsonObject()
                  .Add("since", nta::ToString(interval->since))
                  .Add("until", nta::ToString(interval->until))
                  .Add("examined_alerts", std::uint64_t{examined})
                  .AddJson("complete", query.cursor.empty() ? "true" : "false")
                  .AddJson("threats", rows)
                  .Take());
}

Route Acting(std::string method, std::string path, Handler handler, std::string summary,
             std::vector<Field> fields, std::string audit) {
  return {.method = std::move(method),
          .path = std::move(path),
          .access = Access::kOperator,
          .work = Work::kStore,
          .handler = handler,
          .summary = std::move(summary),
          .parameters = {},
          .fields = std::move(fields),
          .answer = "the alert",
          .audit = std::move(audit)};
}

}  // namespace

std::vector<Route> AlertRoutes() {
  const std::vector<Parameter> parameters = WithInterval(
      {{"class", "only this class", {}},
       {"severity", "this severity or more", {"info", "low", "medium", "high", "critical"}},
       {"suppressed", "hidden ones; default no", {"no", "yes", "all"}},
       {"acknowledged", "default all", {"no", "yes", "all"}},
       {"limit", "1 to 1000, default 100", {}},
       {"cursor", "next_cursor of the page before", {}}});
  Route suppress =
      Acting("POST", "/api/v1/alerts/{id}/suppress", PostSuppress, "Hide alerts like this one",
             {{"scope", "pair, source, destination or detector"},
              {"reason", "why, 1 to 1000 bytes"},
              {"until", "RFC 3339; left out: until it is removed", Need::kOptional}},
             "suppression.create");
  suppress.success = 201;
  suppress.answer = "the suppression";
  Route packets =
      Reading("/api/v1/alerts/{id}/packets", GetPackets,
              "The packets before the alert: at most 200, cut at 256 bytes", {}, "a pcapng file");
  packets.access = Access::kOperator;
  packets.audit = "alert.packets_read";
  return {
      packets,
      Reading("/api/v1/alerts", GetAlerts, "Alerts, newest first", parameters,
              "alerts, next_cursor"),
      Reading("/api/anomalies", GetAlerts, "Alias of /api/v1/alerts", parameters,
              "alerts, next_cursor"),
      Reading("/api/v1/alerts/{id}", GetAlert, "One alert", {}, "the alert"),
      Reading("/api/v1/threats", GetThreats, "Alerts by class", WithInterval({}),
              "since, until, examined_alerts, complete, threats"),
      Acting("POST", "/api/v1/alerts/{id}/acknowledge", PostAcknowledge,
             "Say that one looks after the alert",
             {{"note", "what is known of it", Need::kOptional}}, "alert.acknowledge"),
      Acting("DELETE", "/api/v1/alerts/{id}/acknowledge", DeleteAcknowledge,
             "Say that nobody looks after the alert", {}, "alert.unacknowledge"),
      Acting("POST", "/api/v1/alerts/{id}/notes", PostNote, "Add a note",
             {{"text", "1 to 4000 bytes"}}, "alert.note"),
      suppress,
  };
}

}  // namespace nta::server

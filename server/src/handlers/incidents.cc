// Incidents: who looks after what happened, and everything that is known of it.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app.h"
#include "base/status.h"
#include "handlers/incident_evidence.h"
#include "http/json_text.h"
#include "http/parameters.h"
#include "nta/json/json.h"

namespace nta::server {
namespace {

absl::StatusOr<IncidentQuery> ReadListQuery(const Call& call) {
  IncidentQuery query;
  const std::string_view state = call.Query("state");
  if (state == "unresolved") {
    query.states = {IncidentState::kOpen, IncidentState::kInvestigating, IncidentState::kContained};
  } else if (state == "ended") {
    query.states = {IncidentState::kResolved, IncidentState::kClosed};
  } else if (!state.empty()) {
    NTA_ASSIGN_OR_RETURN(const IncidentState one, ParseIncidentState(state));
    query.states = {one};
  }
  if (!call.Query("severity").empty()) {
    NTA_ASSIGN_OR_RETURN(query.min_severity, ParseSeverity(call.Query("severity")));
  }
  if (call.query.contains("assignee")) query.assignee = std::string(call.Query("assignee"));
  query.text = call.Query("text");
  query.cursor = call.Query("cursor");
  NTA_ASSIGN_OR_RETURN(query.limit, ReadLimit(call, {.default_value = 100, .max = 1000}));
  return query;
}

Response ListIncidents(Services& services, const Call& call) {
  const auto query = ReadListQuery(call);
  if (!query.ok()) return FromStatus(query.status());
  const auto page = services.operations.incidents.List(*query);
  if (!page.ok()) return FromIncidentStatus(page.status());
  return Json(
      JsonObject()
          .AddJson("incidents",
                   JsonList(page->incidents,
                            [](const Incident& incident) { return ToSummaryJson(incident); }))
          .AddJson("next_cursor", page->next_cursor.empty() ? "null" : JsonQuote(page->next_cursor))
          .Take());
}

// An alert with a copy of itself: it is deleted one day.
absl::StatusOr<IncidentLink> LinkToAlert(Services& services, std::string_view id) {
  const absl::StatusOr<Alert> alert = services.store.GetAlert(id);
  if (absl::IsNotFound(alert.status())) {
    return base::MakeStatus(absl::StatusCode::kNotFound, "there is no such alert");
  }
  if (!alert.ok()) return alert.status();
  return IncidentLink{.kind = IncidentLinkKind::kAlert,
                      .target = alert->id,
                      .note = {},
                      .snapshot = nta::ToJson(*alert)};
}

// The flows an alert speaks of: between its parties, from its window on. Absent without parties.
std::optional<IncidentLink> LinkToFlowsOf(const Alert& alert) {
  std::string where;
  for (const auto& party : {alert.entity.source, alert.entity.destination}) {
    if (party) where += (where.empty() ? "host=" : " and host=") + party->ToString();
  }
  if (where.empty()) return std::nullopt;
  constexpr Duration kMargin = std::chrono::minutes(1);
  return IncidentLink{.kind = IncidentLinkKind::kFlows,
                      .target = where,
                      .since = alert.time - std::max(alert.window, kMargin),
                      .until = alert.time + kMargin};
}

absl::StatusOr<Incident> MakeIncident(Services& services, const Call& call) {
  IncidentDraft draft{.title = std::string(call.Body("title")),
                      .description = std::string(call.Body("description")),
                      .assignee = std::string(call.Body("assignee"))};
  if (!call.Body("severity").empty()) {
    NTA_ASSIGN_OR_RETURN(draft.severity, ParseSeverity(call.Body("severity")));
  }
  Incidents& incidents = services.operations.incidents;
  const IncidentActor actor = ActorOf(services, call);
  if (call.Body("alert").empty()) return incidents.Create(draft, actor);
  // Looked up first: an alert that is not there must leave no incident.
  NTA_ASSIGN_OR_RETURN(const IncidentLink link, LinkToAlert(services, call.Body("alert")));
  NTA_ASSIGN_OR_RETURN(const Alert alert, services.store.GetAlert(call.Body("alert")));
  if (call.Body("severity").empty()) draft.severity = alert.severity;
  NTA_ASSIGN_OR_RETURN(Incident incident, incidents.Create(draft, actor));
  NTA_ASSIGN_OR_RETURN(incident, incidents.Link(incident.id, link, actor));
  if (const std::optional<IncidentLink> flows = LinkToFlowsOf(alert)) {
    NTA_ASSIGN_OR_RETURN(incident, incidents.Link(incident.id, *flows, actor));
  }
  return incident;
}

Response PostIncident(Services& services, const Call& call) {
  return AnswerIncident(MakeIncident(services, call), 201);
}

Response GetIncident(Services& services, const Call& call) {
  return AnswerIncident(services.operations.incidents.Get(call.Path("id")));
}

absl::StatusOr<Incident> ChangeIncident(Services& services, const Call& call) {
  IncidentChange change;
  const auto take = [&](std::string_view name, std::optional<std::string>& text) {
    if (call.body.contains(name)) text = std::string(call.Body(name));
  };
  take("title", change.title);
  take("description", change.description);
  take("assignee", change.assignee);
  take("comment", change.comment);
  if (call.body.contains("severity")) {
    NTA_ASSIGN_OR_RETURN(change.severity, ParseSeverity(call.Body("severity")));
  }
  if (call.body.contains("state")) {
    NTA_ASSIGN_OR_RETURN(change.state, ParseIncidentState(call.Body("state")));
  }
  NTA_ASSIGN_OR_RETURN(const std::int64_t version, ReadNumber(call.Body("version")));
  return services.operations.incidents.Change(call.Path("id"), version, change,
                                              ActorOf(services, call));
}

Response PatchIncident(Services& services, const Call& call) {
  return AnswerIncident(ChangeIncident(services, call));
}

Response DeleteIncident(Services& services, const Call& call) {
  const absl::Status removed = services.operations.incidents.Remove(call.Path("id"));
  return removed.ok() ? NoContent() : FromIncidentStatus(removed);
}

Response PostComment(Services& services, const Call& call) {
  return AnswerIncident(services.operations.incidents.Comment(call.Path("id"), call.Body("text"),
                                                              ActorOf(services, call)),
                        201);
}

absl::StatusOr<Incident> AddLink(Services& services, const Call& call) {
  IncidentLink link;
  NTA_ASSIGN_OR_RETURN(link.kind, ParseIncidentLinkKind(call.Body("kind")));
  link.target = call.Body("target");
  if (link.kind == IncidentLinkKind::kAlert) {
    NTA_ASSIGN_OR_RETURN(link, LinkToAlert(services, link.target));
  }
  if (link.kind == IncidentLinkKind::kRule) {
    NTA_RETURN_IF_ERROR(services.detection.GetRule(link.target).status());
  }
  link.note = call.Body("note");
  const Timestamp now = services.clock.wall();
  if (!call.Body("since").empty()) {
    NTA_ASSIGN_OR_RETURN(link.since, ReadTime(call, "since", now));
  }
  if (!call.Body("until").empty()) {
    NTA_ASSIGN_OR_RETURN(link.until, ReadTime(call, "until", now));
  }
  return services.operations.incidents.Link(call.Path("id"), link, ActorOf(services, call));
}

Response PostLink(Services& services, const Call& call) {
  return AnswerIncident(AddLink(services, call), 201);
}

Response DeleteLink(Services& services, const Call& call) {
  const auto link = ReadNumber(call.Path("link"));
  if (!link.ok()) return FromIncidentStatus(link.status());
  return AnswerIncident(
      services.operations.incidents.Unlink(call.Path("id"), *link, ActorOf(services, call)));
}

// A route that operators may use to change an incident.
Route Act(std::string method, std::string path, Handler handler, std::string summary,
          std::vector<Field> fields, std::string audit) {
  const int success = method == "POST" ? 201 : 200;
  return {.method = std::move(method),
          .path = "/api/v1/incidents/{id}" + path,
          .access = Access::kOperator,
          .work = Work::kStore,
          .handler = handler,
          .summary = std::move(summary),
          .parameters = {},
          .fields = std::move(fields),
          .success = success,
          .answer = "the incident; docs/incidents.md",
          .audit = "incident." + audit};
}

Route Creating(std::string path, std::string summary) {
  return {
      .method = "POST",
      .path = std::move(path),
      .access = Access::kOperator,
      .work = Work::kStore,
      .handler = PostIncident,
      .summary = std::move(summary),
      .parameters = {},
      .fields = {{"title", "1 to 200 bytes"},
                 {"description", "up to 16 KiB", Need::kOptional},
                 {"severity",
                  "info, low, medium, high or critical; default: that of the alert, else medium",
                  Need::kOptional},
                 {"assignee", "a user, who looks after it", Need::kOptional},
                 {"alert", "id of an alert to link, with its flows", Need::kOptional}},
      .success = 201,
      .answer = "the incident; docs/incidents.md",
      .audit = "incident.create"};
}

std::vector<Parameter> ListParameters() {
  return {{"state",
           "unresolved: open, investigating or contained; ended: resolved or closed",
           {"open", "investigating", "contained", "resolved", "closed", "unresolved", "ended"}},
          {"severity", "this severity or more", {"info", "low", "medium", "high", "critical"}},
          {"assignee", "only of this user; empty: of nobody", {}},
          {"text", "in id, title or description", {}},
          {"limit", "1 to 1000, default 100", {}},
          {"cursor", "next_cursor of the page before", {}}};
}

Route Reads(std::string path, Handler handler, std::string summary, std::string answer,
            std::string audit) {
  Route route =
      Reading("/api/v1/incidents/{id}" + path, handler, std::move(summary), {}, std::move(answer));
  route.audit = std::move(audit);
  return route;
}

Route Upload() {
  Route route = Act("POST", "/evidence", PostEvidence,
                    "Add a file, up to 16 MiB: the body is the file itself", {}, "evidence_add");
  route.parameters = {{"name", "of the file", {}}, {"description", "what it shows", {}}};
  route.max_upload_bytes = Incidents::kMaxEvidenceBytes;
  return route;
}

}  // namespace

std::vector<Route> IncidentRoutes() {
  const std::string list = "incidents without their parts, next_cursor";
  const Field optional_note{"note", "why it matters", Need::kOptional};
  Route remove = Act("DELETE", "", DeleteIncident, "Remove an incident with its evidence, for good",
                     {}, "remove");
  remove.access = Access::kAdmin;
  remove.success = 204;
  return {
      Reading("/api/v1/incidents", ListIncidents, "Incidents, newest first", ListParameters(),
              list),
      Reading("/api/incidents", ListIncidents, "Alias of /api/v1/incidents", ListParameters(),
              list),
      Creating("/api/v1/incidents", "Open an incident"),
      Creating("/api/incidents", "Alias of POST /api/v1/incidents"),
      Reads("", GetIncident, "An incident with everything but the bytes of its evidence",
            "the incident; docs/incidents.md", ""),
      Act("PATCH", "", PatchIncident,
          "Change an incident; 409 when somebody was quicker than `version`",
          {{"version", "that was read", Need::kRequired, FieldType::kInteger},
           {"title", "1 to 200 bytes", Need::kOptional},
           {"description", "up to 16 KiB", Need::kOptional},
           {"severity", "info, low, medium, high or critical", Need::kOptional},
           {"state", "open, investigating, contained, resolved or closed", Need::kOptional},
           {"assignee", "a user; empty: nobody", Need::kOptional},
           {"comment", "why", Need::kOptional}},
          "change"),
      std::move(remove),
      Act("POST", "/comments", PostComment, "Say something", {{"text", "up to 16 KiB"}}, "comment"),
      Act("POST", "/links", PostLink, "Link an alert, flows, a rule or a note",
          {{"kind", "alert, flows, rule or note"},
           {"target", "an id, a filter, a title or an address"},
           optional_note,
           {"since", "of flows; RFC 3339 or -15m", Need::kOptional},
           {"until", "of flows; RFC 3339 or now", Need::kOptional}},
          "link"),
      Act("DELETE", "/links/{link}", DeleteLink, "Remove a link", {}, "unlink"),
      Upload(),
      Act("POST", "/evidence/flows", PostEvidenceFlows,
          "Keep stored flows as evidence, as JSON lines",
          {{"since", "RFC 3339 or -15m"},
           {"until", "RFC 3339 or now"},
           {"where", "filter, see docs/filters.md", Need::kOptional}},
          "evidence_add"),
      Act("POST", "/evidence/packets", PostEvidencePackets,
          "Keep the packets before an alert as evidence, as pcapng",
          {{"alert",
            "its id; they last while the server runs, and until newer alerts need the room"}},
          "evidence_add"),
      Reads("/evidence/{evidence}", GetEvidence, "A file as it was added", "the file",
            "incident.evidence_read"),
      Act("DELETE", "/evidence/{evidence}", DeleteEvidence, "Remove a file", {}, "evidence_remove"),
      Reads("/export", ExportIncident, "Everything as one tar file with hashes", "a tar file",
            "incident.export"),
  };
}

}  // namespace nta::server

// Reading, verifying and exporting the audit trail. All of it is itself in the trail.
#include <string>
#include <utility>

#include "app.h"
#include "base/status.h"
#include "http/body_file.h"
#include "http/json_text.h"
#include "http/parameters.h"
#include "nta/json/log_json.h"

namespace nta::server {
namespace {

Response NoTrail() { return Problem(404, "this server keeps no audit trail"); }

absl::StatusOr<AuditQuery> ReadQuery(const Call& call, Timestamp now) {
  AuditQuery query;
  if (const std::string_view since = call.Query("since"); !since.empty()) {
    NTA_ASSIGN_OR_RETURN(query.since, ParseMoment(since, now));
  }
  if (const std::string_view until = call.Query("until"); !until.empty()) {
    NTA_ASSIGN_OR_RETURN(query.until, ParseMoment(until, now));
  }
  if (const std::string_view outcome = call.Query("outcome"); !outcome.empty()) {
    NTA_ASSIGN_OR_RETURN(query.outcome, ParseAuditOutcome(outcome));
  }
  query.actor = call.Query("actor");
  query.act = call.Query("act");
  query.text = call.Query("text");
  return query;
}

Response GetAudit(Services& services, const Call& call) {
  if (services.audit == nullptr) return NoTrail();
  auto query = ReadQuery(call, services.clock.wall());
  if (!query.ok()) return FromStatus(query.status());
  const auto limit = ReadLimit(call, {});
  if (!limit.ok()) return FromStatus(limit.status());
  query->limit = *limit;
  query->cursor = call.Query("cursor");
  const auto page = ReadAudit(services.audit->directory(), *query);
  return page.ok() ? Json(ToJson(*page)) : FromStatus(page.status());
}

Response PostVerify(Services& services, const Call& call) {
  if (services.audit == nullptr) return NoTrail();
  const auto report = services.audit->Verify();
  if (!report.ok()) return FromStatus(report.status());
  Response response = Json(ToJson(*report));
  response.audit = {{"result", report->summary}};
  if (!report->ok()) {
    NoteSecurity(services, LogLevel::kError, call.request->client, "audit.verify", report->summary);
  }
  return response;
}

Response GetExport(Services& services, const Call& call) {
  if (services.audit == nullptr) return NoTrail();
  const auto query = ReadQuery(call, services.clock.wall());
  if (!query.ok()) return FromStatus(query.status());
  absl::StatusOr<BodyFile> file = BodyFile::Create(services.scratch_directory);
  if (!file.ok()) return FromStatus(file.status());
  const bool is_csv = call.Query("format") == "csv";
  absl::Status status = is_csv ? file->Append(AuditCsvHeader()) : absl::OkStatus();
  std::uint64_t records = 0;
  if (status.ok()) {
    status = ExportAudit(services.audit->directory(), *query, [&](const AuditRecord& record) {
      ++records;
      return file->Append(is_csv ? ToCsv(record) : ToJson(record) + '\n');
    });
  }
  // A damaged part does not keep the rest back; verifying tells where it is.
  if (!status.ok() && !absl::IsDataLoss(status)) return FromStatus(status);
  Response response = Download(std::make_shared<const BodyFile>(*std::move(file)),
                               is_csv ? "audit.csv" : "audit.jsonl",
                               is_csv ? "text/csv; charset=utf-8" : "application/x-ndjson");
  response.audit = {{"records", std::to_string(records)}};
  return response;
}

Response PostCheckpoint(Services& services, const Call&) {
  if (services.audit == nullptr) return NoTrail();
  const auto checkpoint = services.audit->Checkpoint();
  if (!checkpoint.ok()) return FromStatus(checkpoint.status());
  return Json(JsonObject()
                  .Add("checkpoint", nta::ToString(*checkpoint))
                  .Add("count", checkpoint->count)
                  .Take());
}

std::vector<Parameter> Filters() {
  return {{"since", "inclusive; RFC 3339, or relative as -15m, -24h, now; default: the first", {}},
          {"until", "exclusive; default: the last", {}},
          {"actor", "only acts of this user", {}},
          {"act", "this act and its parts: user, user.create", {}},
          {"outcome", "how it ended", {"begun", "done", "refused", "failed"}},
          {"text", "part of any text, upper or lower case", {}}};
}

Route Audited(Route route, std::string act) {
  route.access = Access::kAdmin;
  route.audit = std::move(act);
  return route;
}

Route Post(std::string path, Handler handler, std::string summary, std::string answer) {
  return {.method = "POST",
          .path = std::move(path),
          .access = Access::kAdmin,
          .work = Work::kStore,
          .handler = handler,
          .summary = std::move(summary),
          .parameters = {},
          .fields = {},
          .answer = std::move(answer)};
}

}  // namespace

std::vector<Route> AuditRoutes() {
  std::vector<Parameter> paged = Filters();
  paged.push_back({"limit", "1 to 1000, default 100", {}});
  paged.push_back({"cursor", "next_cursor of the page before", {}});
  std::vector<Parameter> exported = Filters();
  exported.push_back({"format", "default jsonl", {"jsonl", "csv"}});
  const std::string page = "records, next_cursor, unreadable";
  return {
      Audited(Reading("/api/v1/logs/audit", GetAudit, "The audit trail, newest first", paged, page),
              "audit.read"),
      Audited(Reading("/api/logs/audit", GetAudit, "Alias of /api/v1/logs/audit", paged, page),
              "audit.read"),
      Audited(Reading("/api/v1/logs/audit/export", GetExport, "Records as a file, oldest first",
                      exported, "the records"),
              "audit.export"),
      Audited(Post("/api/v1/logs/audit/verify", PostVerify,
                   "Whether the trail is as it was written, and whole",
                   "ok, integrity, authenticity, completeness, faults, summary, ..."),
              "audit.verify"),
      Audited(
          Post("/api/v1/logs/audit/checkpoint", PostCheckpoint,
               "A line to be kept elsewhere, against which truncation shows", "checkpoint, count"),
          "audit.checkpoint"),
  };
}

}  // namespace nta::server

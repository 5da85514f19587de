// Reading, downloading and rotating the log files.
#include <string>
#include <utility>

#include "app.h"
#include "base/status.h"
#include "http/body_file.h"
#include "http/json_text.h"
#include "http/parameters.h"
#include "logging/log_settings.h"
#include "nta/json/log_json.h"

namespace nta::server {
namespace {

Response NoLogs() { return Problem(404, "this server keeps no log files"); }

LogKind KindOf(const Call& call) {
  return call.Query("kind") == ToString(LogKind::kSecurity) ? LogKind::kSecurity : LogKind::kServer;
}

absl::StatusOr<LogQuery> ReadQuery(const Call& call, Timestamp now) {
  LogQuery query;
  if (const std::string_view since = call.Query("since"); !since.empty()) {
    NTA_ASSIGN_OR_RETURN(query.since, ParseMoment(since, now));
  }
  if (const std::string_view until = call.Query("until"); !until.empty()) {
    NTA_ASSIGN_OR_RETURN(query.until, ParseMoment(until, now));
  }
  if (const std::string_view level = call.Query("level"); !level.empty()) {
    NTA_ASSIGN_OR_RETURN(query.min_level, ParseLogLevel(level));
  }
  query.component = call.Query("component");
  query.text = call.Query("text");
  query.cursor = call.Query("cursor");
  if (call.Query("order") == "time") query.order = LogOrder::kOldestFirst;
  NTA_ASSIGN_OR_RETURN(query.limit, ReadLimit(call, {}));
  return query;
}

Response ReadKind(Services& services, const Call& call, LogKind kind) {
  if (services.logs == nullptr) return NoLogs();
  const auto query = ReadQuery(call, services.clock.wall());
  if (!query.ok()) return FromStatus(query.status());
  // What was logged before the question is in the answer.
  services.logs->Flush().IgnoreError();
  const auto page = ReadLog(services.logs->path(kind), *query);
  return page.ok() ? Json(ToJson(*page)) : FromStatus(page.status());
}

Response GetLogs(Services& services, const Call& call) {
  return ReadKind(services, call, KindOf(call));
}

Response GetSecurityLog(Services& services, const Call& call) {
  return ReadKind(services, call, LogKind::kSecurity);
}

Response GetFiles(Services& services, const Call&) {
  if (services.logs == nullptr) return NoLogs();
  std::string kinds;
  for (const LogState& state : services.logs->State()) {
    const auto files = ListLogFiles(services.logs->path(state.kind));
    if (!files.ok()) return FromStatus(files.status());
    kinds += (kinds.empty() ? "" : ",") +
             JsonObject()
                 .Add("kind", ToString(state.kind))
                 .Add("dropped", state.dropped)
                 .Add("lost", state.file.lost)
                 .AddJson("files", JsonList(*files,
                                            [](const LogFile& file) {
                                              return JsonObject()
                                                  .Add("name", file.name)
                                                  .Add("bytes", file.bytes)
                                                  .Add("modified", nta::ToString(file.modified))
                                                  .Take();
                                            }))
                 .Take();
  }
  return Json(R"({"kinds":[)" + kinds + "]}");
}

Response GetDownload(Services& services, const Call& call) {
  if (services.logs == nullptr) return NoLogs();
  absl::StatusOr<BodyFile> file = BodyFile::Create(services.scratch_directory);
  if (!file.ok()) return FromStatus(file.status());
  services.logs->Flush().IgnoreError();
  const LogKind kind = KindOf(call);
  const absl::Status status = CopyLog(services.logs->path(kind),
                                      [&](const std::string& line) { return file->Append(line); });
  if (!status.ok()) return FromStatus(status);
  return Download(std::make_shared<const BodyFile>(*std::move(file)),
                  std::string(ToString(kind)) + ".log", "application/octet-stream");
}

Response GetRotation(Services& services, const Call&) {
  if (services.logs == nullptr) return NoLogs();
  return Json(ToJson(services.logs->rotation()));
}

Response PutRotation(Services& services, const Call& call) {
  if (services.logs == nullptr) return NoLogs();
  const auto rotation = ReadLogRotation(call, services.logs->rotation());
  if (!rotation.ok()) return FromStatus(rotation.status());
  const absl::Status status = SetLogRotation(services, *rotation);
  if (!status.ok()) return FromStatus(status);
  Response response = Json(ToJson(*rotation));
  for (const auto& [name, value] : call.body) response.audit.emplace_back(name, value);
  return response;
}

Response PostRotate(Services& services, const Call&) {
  if (services.logs == nullptr) return NoLogs();
  const absl::Status status = services.logs->RotateNow();
  return status.ok() ? NoContent() : FromStatus(status);
}

std::vector<Parameter> QueryParameters() {
  return {{"since", "inclusive; RFC 3339, or relative as -15m, -24h, now; default: the first", {}},
          {"until", "exclusive; default: the last", {}},
          {"level", "this level or more", {"debug", "info", "warning", "error"}},
          {"component", "this component and its parts", {}},
          {"text", "part of the line, upper or lower case", {}},
          {"order", "default -time", {"-time", "time"}},
          {"limit", "1 to 1000, default 100", {}},
          {"cursor", "next_cursor of the page before", {}}};
}

Route For(Access access, Route route) {
  route.access = access;
  return route;
}

}  // namespace

std::vector<Route> LogRoutes() {
  const Parameter kind{"kind", "default server", {"server", "security"}};
  std::vector<Parameter> with_kind = QueryParameters();
  with_kind.push_back(kind);
  const std::string page = "events, next_cursor, unreadable";
  const std::string rotation = "max_bytes, max_age_seconds, keep, compression";
  Route download = Reading("/api/v1/logs/download", GetDownload, "All lines of a log, unpacked",
                           {kind}, "the lines");
  download.audit = "log.export";
  return {
      For(Access::kOperator,
          Reading("/api/v1/logs", GetLogs, "Events of the log files", with_kind, page)),
      For(Access::kOperator,
          Reading("/api/logs", GetLogs, "Alias of /api/v1/logs", with_kind, page)),
      For(Access::kOperator,
          Reading("/api/v1/logs/security", GetSecurityLog,
                  "Who tried what: sign-ins, limits, refusals", QueryParameters(), page)),
      For(Access::kOperator, Reading("/api/logs/security", GetSecurityLog,
                                     "Alias of /api/v1/logs/security", QueryParameters(), page)),
      For(Access::kOperator, Reading("/api/v1/logs/files", GetFiles, "The log files by kind", {},
                                     "kinds: kind, dropped, lost, files")),
      For(Access::kOperator, download),
      For(Access::kOperator, Reading("/api/v1/logs/rotation", GetRotation,
                                     "When log files are put aside", {}, rotation)),
      {.method = "PUT",
       .path = "/api/v1/logs/rotation",
       .access = Access::kAdmin,
       .work = Work::kStore,
       .handler = PutRotation,
       .summary = "Change when log files are put aside, and how many are kept",
       .parameters = {},
       .fields = {{"max_bytes", "size of a file, at least 4096", Need::kOptional,
                   FieldType::kInteger},
                  {"max_age_seconds", "age of a file; 0: never for its age", Need::kOptional,
                   FieldType::kInteger},
                  {"keep", "files kept, 1 to 10000", Need::kOptional, FieldType::kInteger},
                  {"compression", "none, gzip or zstd", Need::kOptional}},
       .answer = rotation,
       .audit = "log.rotation"},
      {.method = "POST",
       .path = "/api/v1/logs/rotate",
       .access = Access::kAdmin,
       .work = Work::kStore,
       .handler = PostRotate,
       .summary = "Put the log files aside now",
       .parameters = {},
       .fields = {},
       .success = 204,
       .audit = "log.rotate"},
  };
}

}  // namespace nta::server

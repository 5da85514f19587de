// Making, proving, restoring and pruning backups. Whatever takes long is a job.
#include "operations/backups.h"

#include <algorithm>
#include <string>
#include <utility>

#include "app.h"
#include "base/status.h"
#include "http/json_text.h"
#include "operations/job_start.h"

namespace nta::server {
namespace {

constexpr std::uint64_t kMaxUploadBytes = std::uint64_t{64} << 30;

// As FromStatus, in the words of the library: only administrators read them.
Response FromBackupStatus(const absl::Status& status) {
  const std::string text(status.message());
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return Problem(404, "there is no such backup");
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kUnauthenticated:
      return Problem(409, text);
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
      return Busy(text, std::chrono::seconds(5));
    default:
      return FromStatus(status);
  }
}

Response NotKept() {
  return Problem(409,
                 "this server keeps no backups: its store is in memory, or pg_dump is missing");
}

// The part of the whole that each phase is, for a bar that does not go back.
struct Span {
  double from;
  double to;
};

Span SpanOf(BackupPhase phase, Span whole) {
  const auto part = [&](double from, double to) {
    const double width = whole.to - whole.from;
    return Span{whole.from + width * from, whole.from + width * to};
  };
  switch (phase) {
    case BackupPhase::kSnapshot:
      return part(0, 0.4);
    case BackupPhase::kPack:
      return part(0.4, 1);
    case BackupPhase::kUnpack:
      return part(0, 0.6);
    case BackupPhase::kCheck:
      return part(0.6, 0.95);
    case BackupPhase::kSwap:
      return part(0.95, 1);
  }
  return whole;
}

std::string_view WordsFor(BackupPhase phase) {
  switch (phase) {
    case BackupPhase::kSnapshot:
      return "copying the database";
    case BackupPhase::kPack:
      return "writing the backup";
    case BackupPhase::kUnpack:
      return "reading the backup";
    case BackupPhase::kCheck:
      return "checking what was read";
    case BackupPhase::kSwap:
      return "putting it in place";
  }
  return "";
}

BackupControl ControlOf(JobContext& job, Span whole) {
  return {.stop = job.stop(), .progress = [&job, whole](const BackupProgress& progress) {
            const Span span = SpanOf(progress.phase, whole);
            const double part = progress.total_bytes == 0
                                    ? 0
                                    : static_cast<double>(progress.done_bytes) /
                                          static_cast<double>(progress.total_bytes);
            job.Report(span.from + (span.to - span.from) * part, WordsFor(progress.phase));
          }};
}

Response ListBackups(Services& services, const Call&) {
  if (services.backups == nullptr) return NotKept();
  const auto list = services.backups->repository().List();
  if (!list.ok()) return FromBackupStatus(list.status());
  return Json(
      JsonObject()
          .AddJson("backups", JsonList(*list, [](const BackupInfo& info) { return ToJson(info); }))
          .Take());
}

Response GetBackup(Services& services, const Call& call) {
  if (services.backups == nullptr) return NotKept();
  const auto info = services.backups->repository().Get(call.Path("name"));
  return info.ok() ? Json(ToJson(*info)) : FromBackupStatus(info.status());
}

Response CreateBackup(Services& services, const Call& call) {
  if (services.backups == nullptr) return NotKept();
  CreateBackupOptions options{.time = services.clock.wall()};
  options.passphrase = call.Body("passphrase");
  if (!options.passphrase.empty()) {
    const absl::Status fits = CheckNewPassphrase(options.passphrase);
    if (!fits.ok()) return Problem(400, std::string(fits.message()));
  }
  const std::string_view compression = call.Body("compression");
  if (compression == "none") {
    options.compression = BackupCompression::kNone;
  } else if (!compression.empty() && compression != "zstd") {
    return Problem(400, "field \"compression\" is zstd or none");
  }
  const bool verifies = call.Body("verify") != "false";
  if (const absl::Status free = services.backups->CheckFree(); !free.ok()) {
    return FromBackupStatus(free);
  }
  return StartJob(services, call, {.kind = "backup.create", .exclusive = true},
                  [&services, options = std::move(options),
                   verifies](JobContext& job) -> absl::StatusOr<std::string> {
                    const double made = verifies ? 0.6 : 1;
                    NTA_ASSIGN_OR_RETURN(
                        const BackupInfo info,
                        services.backups->Make(services, options, verifies,
                                               {.create = ControlOf(job, {0, made}),
                                                .verify = ControlOf(job, {made, 1})}));
                    return ToJson(info);
                  });
}

Response VerifyBackup(Services& services, const Call& call) {
  if (services.backups == nullptr) return NotKept();
  const std::string name(call.Path("name"));
  const auto info = services.backups->repository().Get(name);
  if (!info.ok()) return FromBackupStatus(info.status());
  ReadBackupOptions options{.time = services.clock.wall()};
  options.passphrase = call.Body("passphrase");
  return StartJob(
      services, call, {.kind = "backup.verify", .exclusive = true},
      [&services, name, options](JobContext& job) -> absl::StatusOr<std::string> {
        const Backups& backups = *services.backups;
        NTA_RETURN_IF_ERROR(backups.Verify(name, options, ControlOf(job, {0, 1})).status());
        NTA_ASSIGN_OR_RETURN(const BackupInfo found, backups.repository().Get(name));
        return ToJson(found);
      });
}

Response RestoreBackup(Services& services, const Call& call) {
  if (services.backups == nullptr) return NotKept();
  const std::string name(call.path.contains("name") ? call.Path("name") : call.Body("name"));
  const auto info = services.backups->repository().Get(name);
  if (!info.ok()) return FromBackupStatus(info.status());
  ReadBackupOptions options{.time = services.clock.wall()};
  options.passphrase = call.Body("passphrase");
  // The exchange of the store would wait for whatever reads or writes it for long.
  if (const absl::Status free = services.backups->CheckFree(); !free.ok()) {
    return FromBackupStatus(free);
  }
  return StartJob(services, call, {.kind = "backup.restore", .alone = true},
                  [&services, name, options](JobContext& job) -> absl::StatusOr<std::string> {
                    NTA_ASSIGN_OR_RETURN(
                        const RestoreResult result,
                        services.backups->Restore(services, name, options, ControlOf(job, {0, 1})));
                    return ToJson(result.backup);
                  });
}

Response DownloadBackup(Services& services, const Call& call) {
  if (services.backups == nullptr) return NotKept();
  const std::string name(call.Path("name"));
  const auto path = services.backups->repository().PathOf(name);
  if (!path.ok()) return FromBackupStatus(path.status());
  absl::StatusOr<BodyFile> file = BodyFile::Open(*path);
  if (!file.ok()) return FromBackupStatus(file.status());
  return Download(std::make_shared<BodyFile>(*std::move(file)), name + ".ntabackup",
                  "application/octet-stream");
}

Response UploadBackup(Services& services, const Call& call) {
  if (services.backups == nullptr) return NotKept();
  if (call.request->upload == nullptr) return Problem(400, "the body is the file of a backup");
  const auto imported =
      services.backups->repository().ImportOpened(call.request->upload->descriptor());
  if (imported.ok()) return Json(ToJson(*imported), 201);
  // Whatever is wrong with the file is wrong with the request.
  const absl::Status& status = imported.status();
  if (absl::IsDataLoss(status) || absl::IsFailedPrecondition(status)) {
    return Problem(400, std::string(status.message()));
  }
  return FromBackupStatus(status);
}

Response RemoveBackup(Services& services, const Call& call) {
  if (services.backups == nullptr) return NotKept();
  const absl::Status status = services.backups->repository().Remove(call.Path("name"));
  return status.ok() ? NoContent() : FromBackupStatus(status);
}

// The members of a policy from the body of a call.
absl::StatusOr<PrunePolicy> PolicyOf(const Call& call) {
  JsonObject json;
  for (const char* name : {"last", "daily", "weekly", "monthly", "max_bytes"}) {
    if (call.body.contains(name)) json.AddJson(name, call.Body(name));
  }
  return ParsePolicy(json.Take());
}

Response GetPolicy(Services& services, const Call&) {
  const auto policy = Backups::LoadPolicy(services);
  return policy.ok() ? Json(ToJson(*policy)) : FromStatus(policy.status());
}

Response PutPolicy(Services& services, const Call& call) {
  const auto policy = PolicyOf(call);
  if (!policy.ok()) return FromStatus(policy.status());
  const absl::Status saved = Backups::SavePolicy(services, *policy);
  return saved.ok() ? Json(ToJson(*policy)) : FromStatus(saved);
}

Response PruneBackups(Services& services, const Call& call) {
  if (services.backups == nullptr) return NotKept();
  const auto policy = PolicyOf(call);
  if (!policy.ok()) return FromStatus(policy.status());
  const BackupRepository& repository = services.backups->repository();
  const auto result =
      call.Body("dry_run") == "true" ? repository.PlanPrune(*policy) : repository.Prune(*policy);
  if (!result.ok()) return FromBackupStatus(result.status());
  const auto render = [](const BackupInfo& info) { return ToJson(info); };
  return Json(JsonObject()
                  .AddJson("removed", JsonList(result->removed, render))
                  .AddJson("kept", JsonList(result->kept, render))
                  .Take());
}

constexpr std::string_view kBackup =
    "name, time, stored_bytes, content_bytes, kind, tool, schema_version, compression, encrypted, "
    "verified, problem";

Route Read(std::string path, Handler handler, std::string summary, std::string answer) {
  Route route = Reading(std::move(path), handler, std::move(summary), {}, std::move(answer));
  route.access = Access::kAdmin;
  return route;
}

Route Act(std::string method, std::string path, Handler handler, std::string summary) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.access = Access::kAdmin;
  route.work = Work::kStore;
  route.handler = handler;
  route.summary = std::move(summary);
  return route;
}

// A job: 202.
Route Begin(std::string path, Handler handler, std::string summary, std::string audit) {
  Route route = Act("POST", std::move(path), handler, std::move(summary));
  route.success = 202;
  route.answer = "a job; its result: " + std::string(kBackup);
  route.audit = std::move(audit);
  route.fields = {{"passphrase", "of an encrypted backup", Need::kOptional, FieldType::kSecret}};
  return route;
}

Route Create(std::string path) {
  Route route =
      Begin(std::move(path), CreateBackup,
            "Back the database and the configuration up, and verify the backup", "backup.create");
  route.fields = {
      {"passphrase", "encrypts it; 8 characters or more", Need::kOptional, FieldType::kSecret},
      {"compression", "zstd (default) or none", Need::kOptional},
      {"verify", "default true", Need::kOptional, FieldType::kBoolean}};
  return route;
}

std::vector<Field> PolicyFields() {
  const auto count = [](const char* name, const char* description) {
    return Field{name, description, Need::kOptional, FieldType::kInteger};
  };
  return {count("last", "keep so many of the newest"), count("daily", "the newest of so many days"),
          count("weekly", "of so many weeks"), count("monthly", "of so many months"),
          count("max_bytes", "of these the newest that fit; 0: no limit")};
}

}  // namespace

std::vector<Route> BackupRoutes() {
  Route restore_by_name = Begin("/api/backup/restore", RestoreBackup,
                                "Restore a backup over the running server", "backup.restore");
  restore_by_name.fields.insert(restore_by_name.fields.begin(),
                                {"name", "of the backup", Need::kRequired});
  Route file = Read("/api/v1/backups/{name}/file", DownloadBackup, "The file of a backup",
                    "the file, as it is stored");
  file.audit = "backup.download";
  Route upload =
      Act("POST", "/api/v1/backups/upload", UploadBackup, "Take in the file of a backup");
  upload.success = 201;
  upload.answer = kBackup;
  upload.audit = "backup.upload";
  upload.max_upload_bytes = kMaxUploadBytes;
  Route remove = Act("DELETE", "/api/v1/backups/{name}", RemoveBackup, "Delete a backup");
  remove.success = 204;
  remove.audit = "backup.delete";
  Route put_policy = Act("PUT", "/api/v1/backup_policy", PutPolicy,
                         "Set what is pruned after each verified backup; all 0: nothing");
  put_policy.fields = PolicyFields();
  put_policy.answer = "last, daily, weekly, monthly, max_bytes";
  put_policy.audit = "backup.policy";
  Route prune = Act("POST", "/api/v1/backups/prune", PruneBackups,
                    "Delete what a policy does not keep; never the only verified one");
  prune.fields = PolicyFields();
  prune.fields.push_back(
      {"dry_run", "true: only tell what would go", Need::kOptional, FieldType::kBoolean});
  prune.answer = "removed, kept: backups";
  prune.audit = "backup.prune";
  return {
      Read("/api/v1/backups", ListBackups, "All backups, the newest first",
           "backups: " + std::string(kBackup)),
      Create("/api/v1/backups"),
      Create("/api/backup/create"),
      restore_by_name,
      upload,
      prune,
      Read("/api/v1/backups/{name}", GetBackup, "One backup", std::string(kBackup)),
      remove,
      file,
      Begin("/api/v1/backups/{name}/verify", VerifyBackup,
            "Restore a backup into a scratch place and compare it with its manifest",
            "backup.verify"),
      Begin("/api/v1/backups/{name}/restore", RestoreBackup,
            "Restore a backup over the running server", "backup.restore"),
      Read("/api/v1/backup_policy", GetPolicy, "What is pruned after each verified backup",
           "last, daily, weekly, monthly, max_bytes"),
      put_policy,
  };
}

}  // namespace nta::server

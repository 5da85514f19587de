// Export and import of flows, as jobs.
#include <string>
#include <utility>

#include "app.h"
#include "base/status.h"
#include "http/body_file.h"
#include "http/json_text.h"
#include "http/parameters.h"
#include "http/routes.h"
#include "nta/json/flow_transfer.h"
#include "operations/job_start.h"

namespace nta::server {
namespace {

constexpr std::uint64_t kMaxImportBytes = std::uint64_t{1} << 30;
constexpr std::size_t kReadBytes = 1 << 20;

std::string_view TypeOf(TransferFormat format) {
  return format == TransferFormat::kCsv ? "text/csv; charset=utf-8" : "application/x-ndjson";
}

absl::StatusOr<TransferFormat> ReadFormat(const Call& call) {
  const std::string_view format = call.Query("format");
  return ParseTransferFormat(format.empty() ? "csv" : format);
}

absl::StatusOr<std::string> Export(Services& services, const ExportOptions& options,
                                   JobContext& job) {
  NTA_ASSIGN_OR_RETURN(BodyFile file, BodyFile::Create(services.scratch_directory));
  QueryControl control;
  control.stop = job.stop();
  control.timeout = std::chrono::hours(1);
  control.progress = [&job](double progress) { job.Report(progress, "reading flows"); };
  NTA_ASSIGN_OR_RETURN(const std::uint64_t flows,
                       ExportFlows(
                           services.store, options,
                           [&file](std::string_view text) { return file.Append(text); }, control));
  job.OfferFile(std::make_shared<BodyFile>(std::move(file)),
                "flows." + std::string(ToString(options.format)),
                std::string(TypeOf(options.format)));
  return JsonObject().Add("flows", flows).Take();
}

Response PostExport(Services& services, const Call& call) {
  ExportOptions options;
  if (auto refused = ReadFilter(call, options.where)) return *std::move(refused);
  const auto interval = ReadInterval(call, services.clock.wall());
  if (!interval.ok()) return FromStatus(interval.status());
  const auto format = ReadFormat(call);
  if (!format.ok()) return FromStatus(format.status());
  options.interval = *interval;
  options.format = *format;
  return StartJob(services, call, {.kind = "export"},
                  [&services, options](JobContext& job) { return Export(services, options, job); });
}

std::string ToJson(const ImportReport& report) {
  return JsonObject()
      .Add("lines", report.lines)
      .Add("flows", report.flows)
      .Add("wrong_lines", report.wrong_lines)
      .AddJson(
          "errors",
          JsonList(
              report.errors,
              [](const ImportError& error) {
                return JsonObject().Add("line", error.line).Add("message", error.message).Take();
              }))
      .AddJson("hints", JsonList(report.hints, JsonQuote))
      .Take();
}

absl::StatusOr<std::string> Import(Services& services, const BodyFile& file, ImportOptions options,
                                   JobContext& job) {
  options.bytes = file.size();
  options.stop = job.stop();
  options.progress = [&job](double progress) { job.Report(progress, "storing flows"); };
  std::uint64_t offset = 0;
  NTA_ASSIGN_OR_RETURN(const ImportReport report,
                       ImportFlows(services.store, options, [&]() -> absl::StatusOr<std::string> {
                         NTA_ASSIGN_OR_RETURN(std::string piece, file.Read(offset, kReadBytes));
                         offset += piece.size();
                         return piece;
                       }));
  return ToJson(report);
}

Response PostImport(Services& services, const Call& call) {
  const auto format = ReadFormat(call);
  if (!format.ok()) return FromStatus(format.status());
  std::shared_ptr<BodyFile> file = call.request->upload;
  if (file == nullptr || file->size() == 0) return Problem(400, "the body is empty");
  const ImportOptions options{.format = *format,
                              .skip_wrong_lines = call.Query("skip_wrong_lines") == "true"};
  return StartJob(services, call, {.kind = "import", .exclusive = true},
                  [&services, file = std::move(file), options](JobContext& job) {
                    return Import(services, *file, options, job);
                  });
}

}  // namespace

std::vector<Route> TransferRoutes() {
  const Parameter format{
      "format", "csv (all but packet statistics) or jsonl; csv by default", {"csv", "jsonl"}};
  return {
      {.method = "POST",
       .path = "/api/v1/exports",
       .access = Access::kViewer,
       .work = Work::kInline,
       .handler = PostExport,
       .summary = "Write the flows of an interval into a file: a job",
       .parameters = WithInterval({{"where", "a filter", {}}, format}),
       .fields = {},
       .success = 202,
       .answer = "the job; its file is the export, its result {flows}",
       .audit = "flows.export"},
      {.method = "POST",
       .path = "/api/v1/imports",
       .access = Access::kOperator,
       .work = Work::kInline,
       .handler = PostImport,
       .summary = "Store the flows of a file, the body of the request: a job. All of them or none",
       .parameters = {format,
                      {"skip_wrong_lines",
                       "leave wrong lines out instead of storing nothing",
                       {"true", "false"}}},
       .fields = {},
       .success = 202,
       .answer = "the job; its result is {lines, flows, wrong_lines, errors: line, message, hints}",
       .audit = "flows.import",
       .max_upload_bytes = kMaxImportBytes},
  };
}

}  // namespace nta::server

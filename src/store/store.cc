#include "nta/store/store.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/status.h"
#include "store/backend.h"
#include "store/checks.h"
#include "store/file.h"
#include "store/incident_retention.h"
#include "store/retention_preview.h"
#include "store/salvage.h"
#include "store/schema.h"
#include "store/schema_version.h"

namespace nta {
namespace {

absl::Status NoMemory() {
  return base::MakeStatus(absl::StatusCode::kResourceExhausted, "no memory");
}

}  // namespace

bool store::IsPostgresUrl(std::string_view path) {
  return path.starts_with("postgresql://") || path.starts_with("postgres://");
}

absl::Status CheckStorable(const FlowRecord& flow) { return store::CheckFlow(flow); }

absl::StatusOr<std::unique_ptr<Store>> Store::Open(StoreOptions options) try {
  const bool has_file = !store::IsPostgresUrl(options.path) && !store::IsInMemory(options.path);
  std::string file = has_file ? options.path : std::string();
  NTA_ASSIGN_OR_RETURN(std::unique_ptr<store::Backend> backend,
                       store::IsPostgresUrl(options.path) ? store::OpenPostgres(options)
                                                          : store::OpenSqlite(std::move(options)));
  return std::unique_ptr<Store>(new Store(std::move(backend), std::move(file)));
} catch (const std::bad_alloc&) {
  return NoMemory();
}

StoreFormat Store::Format() {
  return {.application_id = store::kApplicationId, .schema_version = store::kSchemaVersion};
}

Store::Store(std::unique_ptr<store::Backend> backend, std::string file)
    : backend_(std::move(backend)), file_(std::move(file)) {}
Store::~Store() = default;

bool Store::Owns(const std::string& path) const {
  return !file_.empty() && store::IsPartOf(file_, path);
}

absl::Status Store::Write(std::span<const FlowRecord> flows, std::span<const Alert> alerts) {
  return backend_->Write(flows, alerts);
}

absl::StatusOr<std::uint64_t> Store::Import(
    absl::FunctionRef<absl::StatusOr<std::vector<FlowRecord>>()> next) {
  return backend_->Import(next);
}

absl::Status Store::MarkCaptured(TimeInterval interval) { return backend_->MarkCaptured(interval); }

absl::Status Store::RecordCapture(Timestamp time, const CaptureCounts& counts) {
  return backend_->RecordCapture(time, counts);
}

absl::StatusOr<FlowPage> Store::Flows(const FlowQuery& query, const QueryControl& control) const {
  return backend_->Flows(query, control);
}

absl::Status Store::ScanFlows(const TimeInterval& interval, const FlowFilter& filter,
                              absl::FunctionRef<absl::Status(const StoredColumns&)> visit,
                              const QueryControl& control) const {
  return backend_->ScanFlows(interval, filter, visit, control);
}

absl::StatusOr<AlertPage> Store::Alerts(const AlertQuery& query) const {
  return backend_->Alerts(query);
}

absl::StatusOr<Alert> Store::GetAlert(std::string_view id) const { return backend_->GetAlert(id); }

absl::StatusOr<TopResult> Store::Top(const TopQuery& query, const QueryControl& control) const {
  return backend_->Top(query, control);
}

absl::StatusOr<SeriesResult> Store::Series(const SeriesQuery& query,
                                           const QueryControl& control) const {
  return backend_->Series(query, control);
}

absl::StatusOr<ConversationResult> Store::Conversations(const ConversationQuery& query,
                                                        const QueryControl& control) const {
  return backend_->Conversations(query, control);
}

absl::StatusOr<TrafficSummary> Store::Summary(const TimeInterval& interval,
                                              const QueryControl& control) const {
  return backend_->Summary(interval, control);
}

absl::StatusOr<NameResult> Store::Names(const NameQuery& query, const QueryControl& control) const {
  return backend_->Names(query, control);
}

absl::StatusOr<std::vector<User>> Store::Users() const { return backend_->Users(); }

absl::StatusOr<User> Store::GetUser(std::string_view username) const {
  return backend_->GetUser(username);
}

absl::Status Store::AddUser(const User& user) { return backend_->AddUser(user); }

absl::Status Store::UpdateUser(const User& user) { return backend_->UpdateUser(user); }

absl::Status Store::RemoveUser(std::string_view username) { return backend_->RemoveUser(username); }

absl::StatusOr<std::string> Store::GetSetting(std::string_view name) const {
  return backend_->GetSetting(name);
}

absl::Status Store::PutSetting(std::string_view name, std::string_view value) {
  return backend_->PutSetting(name, value);
}

absl::StatusOr<Document> Store::PutDocument(const Document& document) {
  return backend_->PutDocument(document);
}

absl::StatusOr<Document> Store::GetDocument(std::string_view kind, std::string_view id) const {
  return backend_->GetDocument(kind, id);
}

absl::StatusOr<DocumentPage> Store::Documents(const DocumentQuery& query) const {
  return backend_->Documents(query);
}

absl::Status Store::RemoveDocument(std::string_view kind, std::string_view id) {
  return backend_->RemoveDocument(kind, id);
}

absl::Status Store::WriteSamples(std::span<const Sample> samples) {
  return backend_->WriteSamples(samples);
}

absl::StatusOr<std::vector<SampleLine>> Store::Samples(const SampleQuery& query,
                                                       const QueryControl& control) const {
  return backend_->Samples(query, control);
}

absl::StatusOr<std::vector<std::string>> Store::SampleNames() const {
  return backend_->SampleNames();
}

absl::StatusOr<std::uint64_t> Store::DeleteBefore(Timestamp time) {
  return backend_->DeleteBefore(time);
}

absl::StatusOr<RetentionResult> Store::Retain(const RetentionPolicy& policy, Timestamp now) {
  NTA_ASSIGN_OR_RETURN(RetentionResult result, backend_->Retain(policy, now));
  if (!policy.incident_age && !policy.incident_bytes) return result;
  // Last, because who deletes one writes first: on a full disk there is room again now.
  NTA_ASSIGN_OR_RETURN(const store::IncidentUsage usage, store::ListIncidents(*backend_));
  const auto going = store::ChooseIncidents(usage, policy, result.counted_from);
  NTA_ASSIGN_OR_RETURN(result.incidents_deleted, store::DeleteIncidents(*this, usage, going));
  if (result.incidents_deleted == 0) return result;
  // Once more for their space, and nothing else.
  NTA_ASSIGN_OR_RETURN(const RetentionResult again, backend_->Retain({}, result.counted_from));
  result.bytes_after = again.bytes_after;
  return result;
}

absl::StatusOr<RetentionPreview> Store::PreviewRetain(const RetentionPolicy& policy,
                                                      Timestamp now) const {
  return store::PreviewRetention(*backend_, policy, now);
}

absl::StatusOr<StoreSize> Store::Size() const { return backend_->Size(); }

absl::StatusOr<StoreUsage> Store::Usage() const {
  NTA_ASSIGN_OR_RETURN(StoreUsage usage, backend_->Usage());
  NTA_ASSIGN_OR_RETURN(const store::IncidentUsage incidents, store::ListIncidents(*backend_));
  usage.incidents = incidents.all;
  usage.other_bytes -= std::min(usage.other_bytes, incidents.all.bytes);
  return usage;
}

absl::Status Store::Exchange(const std::function<absl::Status()>& swap,
                             const std::function<absl::Status()>& undo) {
  return backend_->Exchange(swap, undo);
}

absl::StatusOr<std::unique_ptr<Store>> Store::OpenOrSalvage(
    StoreOptions options, std::optional<SalvageReport>& report) try {
  report.reset();
  absl::StatusOr<std::unique_ptr<Store>> opened = Open(options);
  // A server's data is its administrator's to repair.
  if (!absl::IsDataLoss(opened.status()) || store::IsPostgresUrl(options.path)) return opened;
  SalvageReport salvage;
  salvage.reason = std::string(opened.status().message());
  // Which is true of who refuses it, not of who puts it aside.
  constexpr std::string_view kLeft = "; it was left as it is";
  if (salvage.reason.ends_with(kLeft)) salvage.reason.resize(salvage.reason.size() - kLeft.size());
  // Made beside it and put in its place when it is complete: who is interrupted begins anew.
  StoreOptions made = options;
  made.path += "-salvage";
  made.reserve_bytes = 0;
  store::RemoveFile(made.path);
  {
    NTA_ASSIGN_OR_RETURN(auto backend, store::OpenSqlite(made, false));
    Store store(std::move(backend), made.path);
    NTA_RETURN_IF_ERROR(store::Salvage(options.path, store, salvage));
  }
  NTA_ASSIGN_OR_RETURN(salvage.quarantine, store::Quarantine(options.path));
  NTA_RETURN_IF_ERROR(store::RenameFile(made.path, options.path));
  NTA_ASSIGN_OR_RETURN(opened, Open(options));
  report = std::move(salvage);
  return opened;
} catch (const std::bad_alloc&) {
  return NoMemory();
}

}  // namespace nta

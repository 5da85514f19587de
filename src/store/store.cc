#include "nta/store/store.h"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/status.h"
#include "store/connections.h"
#include "store/operations.h"
#include "store/reserve.h"
#include "store/salvage.h"
#include "store/schema.h"

namespace nta {

class Store::Impl {
 public:
  Impl(std::unique_ptr<store::Connections> connections, store::Reserve reserve, std::string path)
      : connections_(std::move(connections)), reserve_(std::move(reserve)), path_(std::move(path)) {
    reserve_.Take();
  }

  // Calls operation(connection, arguments...) on a connection that reads.
  template <typename Operation, typename... Arguments>
  auto Read(Operation operation, const Arguments&... arguments)
      -> decltype(operation(std::declval<store::Connection&>(), arguments...)) {
    return ReadUnder(QueryControl(), operation, arguments...);
  }
  template <typename Operation, typename... Arguments>
  auto ReadUnder(const QueryControl& control, Operation operation, const Arguments&... arguments)
      -> decltype(operation(std::declval<store::Connection&>(), arguments...)) {
    NTA_ASSIGN_OR_RETURN(const store::Connections::Lease connection, connections_->Read(control));
    auto result = operation(*connection, arguments...);
    // SQLite has one code for both reasons to give up.
    if (control.stop.stop_requested() && absl::IsDeadlineExceeded(result.status())) {
      return base::MakeStatus(absl::StatusCode::kCancelled, "store: the query was cancelled");
    }
    return result;
  }

  // Calls operation(connection, arguments...) on the connection that writes.
  template <typename Operation, typename... Arguments>
  auto Write(Operation operation, const Arguments&... arguments) {
    const store::Connections::Lease connection = connections_->Write();
    return operation(*connection, arguments...);
  }

  absl::StatusOr<std::uint64_t> DeleteFlowsBefore(Timestamp time);
  absl::StatusOr<RetentionResult> Retain(const RetentionPolicy& policy, Timestamp now);
  std::uint64_t LogBytes() const {
    std::error_code missing;
    const std::uintmax_t bytes = std::filesystem::file_size(path_ + "-wal", missing);
    return missing ? 0 : bytes;
  }

 private:
  absl::Status ShrinkTo(std::uint64_t bytes, RetentionResult& result);

  std::unique_ptr<store::Connections> connections_;
  store::Reserve reserve_;
  const std::string path_;
};

absl::StatusOr<std::unique_ptr<Store>> Store::Open(StoreOptions options) {
  NTA_ASSIGN_OR_RETURN(auto connections, store::Connections::Open(options));
  store::Reserve reserve(options.path + "-reserve",
                         store::IsInMemory(options.path) ? 0 : options.reserve_bytes);
  return std::unique_ptr<Store>(new Store(
      std::make_unique<Impl>(std::move(connections), std::move(reserve), std::move(options.path))));
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

absl::Status Store::Write(std::span<const FlowRecord> flows, std::span<const Alert> alerts) {
  return impl_->Write(store::WriteBatch, flows, alerts);
}

absl::Status Store::MarkCaptured(TimeInterval interval) {
  return impl_->Write(store::MarkCaptured, interval);
}

absl::Status Store::RecordCapture(Timestamp time, const CaptureCounts& counts) {
  return impl_->Write(store::AddCaptureCounts, time, counts);
}

absl::StatusOr<FlowPage> Store::Flows(const FlowQuery& query, const QueryControl& control) const {
  return impl_->ReadUnder(control, store::QueryFlows, query);
}

absl::StatusOr<AlertPage> Store::Alerts(const AlertQuery& query) const {
  return impl_->Read(store::QueryAlerts, query);
}

absl::StatusOr<Alert> Store::GetAlert(std::string_view id) const {
  return impl_->Read(store::FindAlert, id);
}

absl::StatusOr<TopResult> Store::Top(const TopQuery& query, const QueryControl& control) const {
  return impl_->ReadUnder(control, store::QueryTop, query);
}

absl::StatusOr<SeriesResult> Store::Series(const SeriesQuery& query,
                                           const QueryControl& control) const {
  return impl_->ReadUnder(control, store::QuerySeries, query);
}

absl::StatusOr<ConversationResult> Store::Conversations(const ConversationQuery& query,
                                                        const QueryControl& control) const {
  return impl_->ReadUnder(control, store::QueryConversations, query);
}

absl::StatusOr<TrafficSummary> Store::Summary(const TimeInterval& interval,
                                              const QueryControl& control) const {
  return impl_->ReadUnder(control, store::QuerySummary, interval);
}

absl::StatusOr<std::vector<User>> Store::Users() const { return impl_->Read(store::ListUsers); }

absl::StatusOr<User> Store::GetUser(std::string_view username) const {
  return impl_->Read(store::FindUser, username);
}

absl::Status Store::AddUser(const User& user) { return impl_->Write(store::InsertUser, user); }

absl::Status Store::UpdateUser(const User& user) { return impl_->Write(store::ChangeUser, user); }

absl::Status Store::RemoveUser(std::string_view username) {
  return impl_->Write(store::DeleteUser, username);
}

absl::StatusOr<std::string> Store::GetSetting(std::string_view name) const {
  return impl_->Read(store::FindSetting, name);
}

absl::Status Store::PutSetting(std::string_view name, std::string_view value) {
  return impl_->Write(store::ChangeSetting, name, value);
}

absl::StatusOr<Document> Store::PutDocument(const Document& document) {
  return impl_->Write(store::ChangeDocument, document);
}

absl::StatusOr<Document> Store::GetDocument(std::string_view kind, std::string_view id) const {
  return impl_->Read(store::FindDocument, kind, id);
}

absl::StatusOr<DocumentPage> Store::Documents(const DocumentQuery& query) const {
  return impl_->Read(store::QueryDocuments, query);
}

absl::Status Store::RemoveDocument(std::string_view kind, std::string_view id) {
  return impl_->Write(store::DeleteDocument, kind, id);
}

absl::Status Store::WriteSamples(std::span<const Sample> samples) {
  return impl_->Write(store::InsertSamples, samples);
}

absl::StatusOr<std::vector<SampleLine>> Store::Samples(const SampleQuery& query,
                                                       const QueryControl& control) const {
  return impl_->ReadUnder(control, store::QuerySamples, query);
}

absl::StatusOr<std::vector<std::string>> Store::SampleNames() const {
  return impl_->Read(store::ListSampleNames);
}

absl::StatusOr<std::uint64_t> Store::Impl::DeleteFlowsBefore(Timestamp time) {
  std::uint64_t flows = 0;
  bool full = false;
  // Step by step, so that writers get their turn in between.
  while (true) {
    const absl::StatusOr<store::DeletionStep> step = Write(
        store::DeleteSome, time, full ? store::kBlocksPerStepWhenFull : store::kBlocksPerStep);
    if (absl::IsResourceExhausted(step.status()) && !full) {
      full = true;
      reserve_.Release();
      Write(store::ReturnSpace).IgnoreError();
      continue;
    }
    if (!step.ok()) return step.status();
    flows += step->flows;
    if (full) Write(store::ReturnSpace).IgnoreError();
    if (!step->done) continue;
    reserve_.Take();
    return flows;
  }
}

absl::StatusOr<RetentionResult> Store::Impl::Retain(const RetentionPolicy& policy, Timestamp now) {
  for (const auto& age : {policy.flow_age, policy.alert_age, policy.sample_age}) {
    if (age && *age < std::chrono::hours(1)) {
      return base::InvalidArgument("what is kept is kept for an hour at least");
    }
  }
  RetentionResult result;
  NTA_ASSIGN_OR_RETURN(const StoreSize before, Read(store::MeasureSize));
  result.bytes_before = before.file_bytes;
  // On a full disk not even the clock can be written.
  absl::StatusOr<Timestamp> clock = Write(store::AdvanceRetentionClock, now);
  if (absl::IsResourceExhausted(clock.status())) {
    reserve_.Release();
    clock = Write(store::AdvanceRetentionClock, now);
  }
  if (!clock.ok()) return clock.status();
  result.clock_jumped = *clock < now;
  if (policy.flow_age) {
    const auto cut = std::chrono::floor<std::chrono::hours>(*clock - *policy.flow_age);
    NTA_ASSIGN_OR_RETURN(result.flows_deleted, DeleteFlowsBefore(cut));
  }
  if (policy.alert_age) {
    NTA_ASSIGN_OR_RETURN(result.alerts_deleted,
                         Write(store::DeleteAlertsBefore, *clock - *policy.alert_age));
  }
  if (policy.sample_age) {
    NTA_ASSIGN_OR_RETURN(result.samples_deleted,
                         Write(store::DeleteSamplesBefore, *clock - *policy.sample_age));
  }
  if (policy.max_bytes) NTA_RETURN_IF_ERROR(ShrinkTo(*policy.max_bytes, result));
  NTA_RETURN_IF_ERROR(Write(store::ReturnSpace));
  NTA_ASSIGN_OR_RETURN(const StoreSize after, Read(store::MeasureSize));
  result.bytes_after = after.file_bytes;
  reserve_.Take();
  return result;
}

absl::Status Store::Impl::ShrinkTo(std::uint64_t bytes, RetentionResult& result) {
  // What a flow takes is an estimate, so it may take a second or third time.
  for (int attempt = 0; attempt < 8; ++attempt) {
    NTA_ASSIGN_OR_RETURN(const StoreSize size, Read(store::MeasureSize));
    const std::uint64_t used = size.file_bytes - size.free_bytes;
    if (used <= bytes) return absl::OkStatus();
    NTA_ASSIGN_OR_RETURN(const std::optional<Timestamp> cut,
                         Read(store::EndOfOldest, used - bytes));
    if (!cut) return absl::OkStatus();
    NTA_ASSIGN_OR_RETURN(const std::uint64_t deleted, DeleteFlowsBefore(*cut));
    result.flows_deleted += deleted;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> Store::DeleteBefore(Timestamp time) {
  NTA_ASSIGN_OR_RETURN(const std::uint64_t flows, impl_->DeleteFlowsBefore(time));
  NTA_RETURN_IF_ERROR(impl_->Write(store::DeleteAlertsBefore, time).status());
  return flows;
}

absl::StatusOr<RetentionResult> Store::Retain(const RetentionPolicy& policy, Timestamp now) {
  return impl_->Retain(policy, now);
}

absl::StatusOr<StoreSize> Store::Size() const {
  NTA_ASSIGN_OR_RETURN(StoreSize size, impl_->Read(store::MeasureSize));
  size.log_bytes = impl_->LogBytes();
  return size;
}

absl::StatusOr<std::unique_ptr<Store>> Store::OpenOrSalvage(StoreOptions options,
                                                            std::optional<SalvageReport>& report) {
  report.reset();
  absl::StatusOr<std::unique_ptr<Store>> opened = Open(options);
  if (!absl::IsDataLoss(opened.status())) return opened;
  SalvageReport salvage;
  salvage.reason = std::string(opened.status().message());
  NTA_ASSIGN_OR_RETURN(salvage.quarantine, store::Quarantine(options.path));
  NTA_ASSIGN_OR_RETURN(opened, Open(options));
  NTA_RETURN_IF_ERROR(store::Salvage(salvage.quarantine, **opened, salvage));
  report = std::move(salvage);
  return opened;
}

}  // namespace nta

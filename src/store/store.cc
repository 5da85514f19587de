#include "nta/store/store.h"

#include <utility>

#include "base/status.h"
#include "store/connections.h"
#include "store/operations.h"

namespace nta {

class Store::Impl {
 public:
  explicit Impl(std::unique_ptr<store::Connections> connections)
      : connections_(std::move(connections)) {}

  // Calls operation(connection, arguments...) on a connection that reads.
  template <typename Operation, typename... Arguments>
  auto Read(Operation operation, const Arguments&... arguments)
      -> decltype(operation(std::declval<store::Connection&>(), arguments...)) {
    NTA_ASSIGN_OR_RETURN(const store::Connections::Lease connection, connections_->Read());
    return operation(*connection, arguments...);
  }

  // Calls operation(connection, arguments...) on the connection that writes.
  template <typename Operation, typename... Arguments>
  auto Write(Operation operation, const Arguments&... arguments) {
    const store::Connections::Lease connection = connections_->Write();
    return operation(*connection, arguments...);
  }

 private:
  std::unique_ptr<store::Connections> connections_;
};

absl::StatusOr<std::unique_ptr<Store>> Store::Open(StoreOptions options) {
  NTA_ASSIGN_OR_RETURN(auto connections, store::Connections::Open(std::move(options)));
  return std::unique_ptr<Store>(new Store(std::make_unique<Impl>(std::move(connections))));
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

absl::Status Store::Write(std::span<const FlowRecord> flows, std::span<const Alert> alerts) {
  return impl_->Write(store::WriteBatch, flows, alerts);
}

absl::Status Store::MarkCaptured(TimeInterval interval) {
  return impl_->Write(store::MarkCaptured, interval);
}

absl::StatusOr<FlowPage> Store::Flows(const FlowQuery& query) const {
  return impl_->Read(store::QueryFlows, query);
}

absl::StatusOr<AlertPage> Store::Alerts(const AlertQuery& query) const {
  return impl_->Read(store::QueryAlerts, query);
}

absl::StatusOr<TopResult> Store::Top(const TopQuery& query) const {
  return impl_->Read(store::QueryTop, query);
}

absl::StatusOr<SeriesResult> Store::Series(const SeriesQuery& query) const {
  return impl_->Read(store::QuerySeries, query);
}

absl::StatusOr<TrafficSummary> Store::Summary(const TimeInterval& interval) const {
  return impl_->Read(store::QuerySummary, interval);
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

absl::StatusOr<std::uint64_t> Store::DeleteBefore(Timestamp time) {
  std::uint64_t flows = 0;
  // Step by step, so that writers get their turn in between.
  while (true) {
    NTA_ASSIGN_OR_RETURN(const store::DeletionStep step, impl_->Write(store::DeleteSome, time));
    flows += step.flows;
    if (step.done) return flows;
  }
}

}  // namespace nta

#include "firewall/change_control.h"

#include <utility>

#include "base/status.h"
#include "text.h"

namespace nta::server {
namespace {

class LocalControl final : public ChangeControl {
 public:
  LocalControl(FirewallBackend& backend, Clock clock)
      : backend_(backend), clock_(std::move(clock)) {}

  absl::StatusOr<std::string> Apply(const RuleSet& rules, Duration confirm_within) override {
    if (change_) {
      return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                              "another change waits to be confirmed");
    }
    const Timestamp now = clock_.wall();
    NTA_ASSIGN_OR_RETURN(RuleSet before, backend_.Current(now));
    NTA_RETURN_IF_ERROR(backend_.Replace(rules, now));
    change_ = {RandomToken(16), std::move(before), clock_.monotonic() + confirm_within};
    return change_->token;
  }

  absl::Status Confirm(std::string_view token) override {
    NTA_RETURN_IF_ERROR(Check(token));
    change_.reset();
    return absl::OkStatus();
  }

  absl::Status RollBack(std::string_view token) override {
    NTA_RETURN_IF_ERROR(Check(token));
    return PutBack();
  }

  absl::StatusOr<bool> IsPending() override {
    if (change_ && clock_.monotonic() >= change_->deadline) NTA_RETURN_IF_ERROR(PutBack());
    return change_.has_value();
  }

 private:
  struct Change {
    std::string token;
    RuleSet before;
    Duration deadline{};
  };

  absl::Status Check(std::string_view token) {
    NTA_ASSIGN_OR_RETURN(const bool pending, IsPending());
    if (!pending) {
      return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                              "no change waits to be confirmed; it may have been rolled back");
    }
    if (!SecretsEqual(token, change_->token)) {
      return base::MakeStatus(absl::StatusCode::kPermissionDenied,
                              "the token is not that of the change that waits");
    }
    return absl::OkStatus();
  }

  // A failure keeps the change, so that it is tried again.
  absl::Status PutBack() {
    NTA_RETURN_IF_ERROR(backend_.Replace(change_->before, clock_.wall()));
    change_.reset();
    return absl::OkStatus();
  }

  FirewallBackend& backend_;
  const Clock clock_;
  std::optional<Change> change_;
};

}  // namespace

std::unique_ptr<ChangeControl> LocalChangeControl(FirewallBackend& backend, Clock clock) {
  return std::make_unique<LocalControl>(backend, std::move(clock));
}

}  // namespace nta::server

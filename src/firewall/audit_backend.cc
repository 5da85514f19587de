#include <utility>

#include "base/status.h"
#include "nta/firewall/backend.h"

namespace nta {

AuditBackend::AuditBackend(std::unique_ptr<FirewallBackend> inner, Sink sink)
    : inner_(std::move(inner)), sink_(std::move(sink)) {}

absl::StatusOr<RuleSet> AuditBackend::Current(Timestamp now) { return inner_->Current(now); }

absl::Status AuditBackend::Replace(const RuleSet& rules, Timestamp now) {
  NTA_ASSIGN_OR_RETURN(const RuleSet current, inner_->Current(now));
  sink_(Diff(current, rules.WithoutExpired(now)));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<RuleCounters>> AuditBackend::Counters(Timestamp now) {
  return inner_->Counters(now);
}

absl::Status AuditBackend::AddToSet(std::string_view set, std::span<const SetElement> elements,
                                    Timestamp now) {
  NTA_ASSIGN_OR_RETURN(const RuleSet current, inner_->Current(now));
  NTA_ASSIGN_OR_RETURN(const RuleSet changed, WithElements(current, set, elements));
  sink_(Diff(current, changed.WithoutExpired(now)));
  return absl::OkStatus();
}

absl::Status AuditBackend::RemoveFromSet(std::string_view set, std::span<const IpPrefix> prefixes,
                                         Timestamp now) {
  NTA_ASSIGN_OR_RETURN(const RuleSet current, inner_->Current(now));
  NTA_ASSIGN_OR_RETURN(const RuleSet changed, WithoutElements(current, set, prefixes));
  sink_(Diff(current, changed));
  return absl::OkStatus();
}

}  // namespace nta

// AlertFilter: suppressions applied to a stream of alert states.
#include <algorithm>
#include <list>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/status.h"
#include "nta/detect/suppression.h"

namespace nta {

class AlertFilter::Impl {
 public:
  absl::Status Replace(std::vector<Suppression> suppressions);
  void Apply(Alert& alert);
  std::map<std::string, SuppressionCount> Counts() const;
  void AddCount(std::string_view id, const SuppressionCount& count);

 private:
  struct Hidden {
    std::string suppression;
    std::list<std::string>::iterator order;
  };

  const Suppression* Find(const Alert& alert) const {
    const auto found =
        std::find_if(suppressions_.begin(), suppressions_.end(),
                     [&](const Suppression& suppression) { return Matches(suppression, alert); });
    return found == suppressions_.end() ? nullptr : &*found;
  }
  void Hide(Alert& alert, const std::string& id, bool is_new);
  void Remember(const std::string& alert, const std::string& suppression);
  void Forget(absl::flat_hash_map<std::string, Hidden>::iterator hidden) {
    order_.erase(hidden->second.order);
    hidden_.erase(hidden);
  }

  std::vector<Suppression> suppressions_;
  std::map<std::string, SuppressionCount> counts_;
  // Alerts whose opening was hidden and whose end has not come, and the order in which they opened.
  absl::flat_hash_map<std::string, Hidden> hidden_;
  std::list<std::string> order_;
  // Alerts that were shown, and of which a later state was hidden: counted once.
  absl::flat_hash_set<std::string> muted_;
};

absl::Status AlertFilter::Impl::Replace(std::vector<Suppression> suppressions) {
  std::map<std::string, SuppressionCount> counts;
  for (const Suppression& suppression : suppressions) {
    NTA_RETURN_IF_ERROR(Validate(suppression));
    const auto known = counts_.find(suppression.id);
    const bool is_new =
        counts.emplace(suppression.id, known == counts_.end() ? SuppressionCount{} : known->second)
            .second;
    if (!is_new) {
      return base::InvalidArgument("two suppressions have the id \"" + suppression.id + "\"");
    }
  }
  suppressions_ = std::move(suppressions);
  counts_ = std::move(counts);
  return absl::OkStatus();
}

void AlertFilter::Impl::Hide(Alert& alert, const std::string& id, bool is_new) {
  alert.suppressed_by = id;
  const auto found = counts_.find(id);
  // A suppression that was taken away still hides the end of what it hid.
  if (found == counts_.end()) return;
  SuppressionCount& count = found->second;
  count.alerts += is_new ? 1 : 0;
  ++count.states;
  count.last = std::max(count.last, alert.time);
}

void AlertFilter::Impl::Remember(const std::string& alert, const std::string& suppression) {
  if (hidden_.size() >= kMostHidden) Forget(hidden_.find(order_.front()));
  order_.push_back(alert);
  hidden_[alert] = {suppression, std::prev(order_.end())};
}

void AlertFilter::Impl::Apply(Alert& alert) {
  const auto hidden = hidden_.find(alert.id);
  const bool was_hidden = hidden != hidden_.end();
  if (alert.state == AlertState::kClosed) {
    muted_.erase(alert.id);
    if (!was_hidden) return;
    const std::string id = hidden->second.suppression;
    Forget(hidden);
    return Hide(alert, id, false);
  }
  const Suppression* suppression = Find(alert);
  if (suppression == nullptr) {
    if (was_hidden) Forget(hidden);
    return;
  }
  if (was_hidden) return Hide(alert, suppression->id, false);
  if (alert.state == AlertState::kOpen) {
    Remember(alert.id, suppression->id);
    return Hide(alert, suppression->id, true);
  }
  if (muted_.size() >= kMostHidden) muted_.clear();
  Hide(alert, suppression->id, muted_.insert(alert.id).second);
}

std::map<std::string, SuppressionCount> AlertFilter::Impl::Counts() const { return counts_; }

void AlertFilter::Impl::AddCount(std::string_view id, const SuppressionCount& count) {
  const auto found = counts_.find(std::string(id));
  if (found == counts_.end()) return;
  found->second.alerts += count.alerts;
  found->second.states += count.states;
  found->second.last = std::max(found->second.last, count.last);
}

AlertFilter::AlertFilter() : impl_(std::make_unique<Impl>()) {}
AlertFilter::~AlertFilter() = default;
AlertFilter::AlertFilter(AlertFilter&&) noexcept = default;
AlertFilter& AlertFilter::operator=(AlertFilter&&) noexcept = default;

absl::StatusOr<AlertFilter> AlertFilter::Create(std::vector<Suppression> suppressions) {
  AlertFilter filter;
  NTA_RETURN_IF_ERROR(filter.Replace(std::move(suppressions)));
  return filter;
}

absl::Status AlertFilter::Replace(std::vector<Suppression> suppressions) {
  return impl_->Replace(std::move(suppressions));
}
void AlertFilter::Apply(std::vector<Alert>& alerts) {
  for (Alert& alert : alerts) impl_->Apply(alert);
}
std::map<std::string, SuppressionCount> AlertFilter::Counts() const { return impl_->Counts(); }
void AlertFilter::AddCount(std::string_view id, const SuppressionCount& count) {
  impl_->AddCount(id, count);
}

}  // namespace nta

#include "detection/detection_desk.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "logging/log.h"

namespace nta::server {
namespace {

constexpr std::string_view kRuleKind = "alert_rule";
constexpr std::string_view kSuppressionKind = "suppression";
constexpr std::string_view kSettingsKind = "detector_settings";
constexpr std::string_view kHandlingKind = "alert_handling";
constexpr std::size_t kPage = 1000;

absl::Status NotFound(std::string_view what) {
  return base::MakeStatus(absl::StatusCode::kNotFound, what);
}

// Calls `take` with every document of the kind.
absl::Status ForEachDocument(const Store& store, std::string_view kind,
                             const std::function<void(const Document&)>& take) {
  DocumentQuery query{.kind = std::string(kind), .limit = kPage};
  do {
    NTA_ASSIGN_OR_RETURN(DocumentPage page, store.Documents(query));
    for (const Document& document : page.documents) take(document);
    query.cursor = page.next_cursor;
  } while (!query.cursor.empty());
  return absl::OkStatus();
}

void LeaveOut(const Document& document, const absl::Status& status) {
  Log(LogLevel::kWarning,
      document.kind + " " + document.id + " is left out: " + std::string(status.message()));
}

}  // namespace

DetectionOptions OptionsFor(const AllDetectorSettings& settings) {
  DetectionOptions options;
  for (const auto& [name, one] : settings) {
    const absl::Status status = Configure(name, one, options);
    if (status.ok() || absl::IsNotFound(status)) continue;
    Log(LogLevel::kWarning, "settings of " + name + " are left out: " +
                                std::string(status.message().data(), status.message().size()));
    // Whether it is on, and how sensitive, always makes sense.
    DetectorSettings plain = one;
    plain.options.clear();
    Configure(name, plain, options).IgnoreError();
  }
  return options;
}

absl::Status DetectionDesk::Load() {
  absl::MutexLock lock(&mutex_);
  return TakeUp();
}

absl::Status DetectionDesk::Reload() {
  absl::MutexLock lock(&mutex_);
  rules_.clear();
  suppressions_.clear();
  saved_.clear();
  settings_.clear();
  // Their counts are those of the other store.
  NTA_RETURN_IF_ERROR(live_.SetSuppressions({}));
  return TakeUp();
}

absl::Status DetectionDesk::TakeUp() {
  NTA_RETURN_IF_ERROR(ForEachDocument(store_, kRuleKind, [&](const Document& document) {
    mutex_.AssertHeld();
    absl::StatusOr<StoredRule> rule = RuleFromJson(document.body);
    if (!rule.ok()) return LeaveOut(document, rule.status());
    rules_.insert_or_assign(document.id, *std::move(rule));
  }));
  NTA_RETURN_IF_ERROR(ForEachDocument(store_, kSuppressionKind, [&](const Document& document) {
    mutex_.AssertHeld();
    absl::StatusOr<StoredSuppression> one = SuppressionFromJson(document.body);
    const absl::Status status = one.ok() ? Validate(one->suppression) : one.status();
    if (!status.ok()) return LeaveOut(document, status);
    saved_[document.id] = one->hidden;
    suppressions_.insert_or_assign(document.id, *std::move(one));
  }));
  if (const auto settings = store_.GetDocument(kSettingsKind, "all"); settings.ok()) {
    settings_ = SettingsFromJson(settings->body);
  }
  DetectionOptions options = OptionsFor(settings_);
  if (const absl::Status status = live_.SetDetectors(options); !status.ok()) {
    // A list that is gone must not keep the server from starting; those of the command line may.
    if (options.policy.block_lists.empty()) return status;
    Log(LogLevel::kError, "block lists of the settings are left out: " + WithoutContents(status));
    options.policy.block_lists.clear();
    NTA_RETURN_IF_ERROR(live_.SetDetectors(options));
  }
  NTA_RETURN_IF_ERROR(RunRules());
  NTA_RETURN_IF_ERROR(RunSuppressions());
  for (const auto& [id, one] : suppressions_) live_.AddSuppressionCount(id, one.hidden);
  return absl::OkStatus();
}

absl::Status DetectionDesk::Put(std::string_view kind, const std::string& id, std::string body) {
  return store_
      .PutDocument({.kind = std::string(kind),
                    .id = id,
                    .body = std::move(body),
                    .updated = clock_.wall(),
                    .version = Document::kAnyVersion})
      .status();
}

absl::Status DetectionDesk::RunRules() {
  std::vector<AlertRule> enabled;
  for (const auto& [id, one] : rules_) {
    if (one.enabled) enabled.push_back(one.rule);
  }
  return live_.SetRules(enabled);
}

absl::Status DetectionDesk::RunSuppressions() {
  std::vector<Suppression> all;
  for (const auto& [id, one] : suppressions_) all.push_back(one.suppression);
  return live_.SetSuppressions(std::move(all));
}

std::vector<StoredRule> DetectionDesk::Rules() const {
  absl::MutexLock lock(&mutex_);
  std::vector<StoredRule> rules;
  for (const auto& [id, rule] : rules_) rules.push_back(rule);
  return rules;
}

absl::StatusOr<StoredRule> DetectionDesk::GetRule(std::string_view id) const {
  absl::MutexLock lock(&mutex_);
  const auto found = rules_.find(id);
  if (found == rules_.end()) return NotFound("there is no such rule");
  return found->second;
}

absl::StatusOr<StoredRule> DetectionDesk::AddRule(StoredRule rule) {
  absl::MutexLock lock(&mutex_);
  const std::string id = rule.rule.id;
  if (rules_.contains(id)) {
    return base::MakeStatus(absl::StatusCode::kAlreadyExists, "there is a rule of that id already");
  }
  if (rules_.size() >= kMostRules) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition, "there are 200 rules already");
  }
  NTA_RETURN_IF_ERROR(Put(kRuleKind, id, ToJson(rule)));
  rules_.insert_or_assign(id, rule);
  NTA_RETURN_IF_ERROR(RunRules());
  return rule;
}

absl::StatusOr<StoredRule> DetectionDesk::ChangeRule(StoredRule rule) {
  absl::MutexLock lock(&mutex_);
  const std::string id = rule.rule.id;
  if (!rules_.contains(id)) return NotFound("there is no such rule");
  NTA_RETURN_IF_ERROR(Put(kRuleKind, id, ToJson(rule)));
  rules_.insert_or_assign(id, rule);
  NTA_RETURN_IF_ERROR(RunRules());
  return rule;
}

absl::Status DetectionDesk::RemoveRule(std::string_view id) {
  absl::MutexLock lock(&mutex_);
  const auto found = rules_.find(id);
  if (found == rules_.end()) return NotFound("there is no such rule");
  NTA_RETURN_IF_ERROR(store_.RemoveDocument(kRuleKind, id));
  rules_.erase(found);
  return RunRules();
}

void DetectionDesk::TakeCounts() {
  for (const auto& [id, count] : live_.SuppressionCounts()) {
    const auto found = suppressions_.find(id);
    if (found != suppressions_.end()) found->second.hidden = count;
  }
}

std::vector<StoredSuppression> DetectionDesk::Suppressions() const {
  const std::map<std::string, SuppressionCount> counts = live_.SuppressionCounts();
  absl::MutexLock lock(&mutex_);
  std::vector<StoredSuppression> all;
  for (const auto& [id, one] : suppressions_) {
    all.push_back(one);
    if (const auto count = counts.find(id); count != counts.end())
      all.back().hidden = count->second;
  }
  return all;
}

absl::StatusOr<StoredSuppression> DetectionDesk::AddSuppression(Suppression suppression) {
  NTA_RETURN_IF_ERROR(Validate(suppression));
  absl::MutexLock lock(&mutex_);
  const std::string id = suppression.id;
  if (suppressions_.contains(id)) {
    return base::MakeStatus(absl::StatusCode::kAlreadyExists,
                            "there is a suppression of that id already");
  }
  if (suppressions_.size() >= kMostSuppressions) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                            "there are 2000 suppressions already; remove some that have expired");
  }
  const StoredSuppression stored{std::move(suppression), {}};
  NTA_RETURN_IF_ERROR(Put(kSuppressionKind, id, ToJson(stored)));
  suppressions_.insert_or_assign(id, stored);
  NTA_RETURN_IF_ERROR(RunSuppressions());
  return stored;
}

absl::StatusOr<StoredSuppression> DetectionDesk::ChangeSuppression(Suppression suppression) {
  NTA_RETURN_IF_ERROR(Validate(suppression));
  absl::MutexLock lock(&mutex_);
  TakeCounts();
  const auto found = suppressions_.find(suppression.id);
  if (found == suppressions_.end()) return NotFound("there is no such suppression");
  StoredSuppression changed{std::move(suppression), found->second.hidden};
  changed.suppression.created = found->second.suppression.created;
  NTA_RETURN_IF_ERROR(Put(kSuppressionKind, changed.suppression.id, ToJson(changed)));
  found->second = changed;
  NTA_RETURN_IF_ERROR(RunSuppressions());
  return changed;
}

absl::Status DetectionDesk::RemoveSuppression(std::string_view id) {
  absl::MutexLock lock(&mutex_);
  const auto found = suppressions_.find(id);
  if (found == suppressions_.end()) return NotFound("there is no such suppression");
  NTA_RETURN_IF_ERROR(store_.RemoveDocument(kSuppressionKind, id));
  saved_.erase(found->first);
  suppressions_.erase(found);
  return RunSuppressions();
}

absl::Status DetectionDesk::SaveCounts() {
  absl::MutexLock lock(&mutex_);
  TakeCounts();
  for (const auto& [id, one] : suppressions_) {
    SuppressionCount& saved = saved_[id];
    if (saved == one.hidden) continue;
    NTA_RETURN_IF_ERROR(Put(kSuppressionKind, id, ToJson(one)));
    saved = one.hidden;
  }
  return absl::OkStatus();
}

AllDetectorSettings DetectionDesk::Settings() const {
  absl::MutexLock lock(&mutex_);
  AllDetectorSettings settings;
  for (const std::string& name : DefaultDetectorNames()) {
    const auto found = settings_.find(name);
    settings[name] = found == settings_.end() ? DetectorSettings{} : found->second;
  }
  return settings;
}

absl::Status DetectionDesk::ChangeSettings(const std::string& detector,
                                           const DetectorSettings& settings) {
  absl::MutexLock lock(&mutex_);
  DetectionOptions options = OptionsFor(settings_);
  NTA_RETURN_IF_ERROR(Configure(detector, settings, options));
  for (const std::string& file : options.policy.block_lists) {
    if (!file.starts_with('/')) {
      return base::InvalidArgument("\"block_lists\" of policy is a list of absolute paths");
    }
  }
  // First what can fail for what it says, then the disk.
  if (const absl::Status status = live_.SetDetectors(options); !status.ok()) {
    return base::InvalidArgument(WithoutContents(status));
  }
  AllDetectorSettings changed = settings_;
  changed.insert_or_assign(detector, settings);
  const absl::Status saved = Put(kSettingsKind, "all", ToJson(changed));
  if (!saved.ok()) {
    live_.SetDetectors(OptionsFor(settings_)).IgnoreError();
    return saved;
  }
  settings_ = std::move(changed);
  return absl::OkStatus();
}

DetectionOptions DetectionDesk::OptionsInUse() const {
  absl::MutexLock lock(&mutex_);
  return live_.WithBase(OptionsFor(settings_));
}

AlertHandling DetectionDesk::Handling(std::string_view alert) const {
  const auto document = store_.GetDocument(kHandlingKind, alert);
  return document.ok() ? HandlingFromJson(document->body) : AlertHandling{};
}

absl::Status DetectionDesk::Handle(const std::string& alert,
                                   const std::function<absl::Status(AlertHandling&)>& change) {
  absl::MutexLock lock(&mutex_);
  AlertHandling handling = Handling(alert);
  NTA_RETURN_IF_ERROR(change(handling));
  return Put(kHandlingKind, alert, ToJson(handling));
}

}  // namespace nta::server

#include "detection_desk.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "log.h"

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

// How many times further away than normal the thresholds of a detector are.
double FactorOf(const std::string& sensitivity) {
  if (sensitivity == "low") return 2;
  return sensitivity == "high" ? 0.5 : 1;
}

void Scale(double factor, std::size_t& threshold) {
  threshold = std::max<std::size_t>(
      2, static_cast<std::size_t>(static_cast<double>(threshold) * factor + 0.5));
}

void Scale(double factor, FloodOptions& flood) {
  for (double* rate : {&flood.min_syn_rate, &flood.min_udp_rate, &flood.min_icmp_rate,
                       &flood.min_amplification_rate, &flood.min_crowd_rate}) {
    *rate *= factor;
  }
  flood.alerts_per_day /= factor;
}

void Scale(double factor, PortScanOptions& scans) {
  for (std::size_t* threshold : {&scans.min_ports, &scans.min_hosts, &scans.min_pinged_hosts}) {
    Scale(factor, *threshold);
  }
  // Each power of ten asks for about two more failed contacts in a row.
  scans.false_positive_rate *= factor > 1 ? 1e-3 : factor < 1 ? 1e2 : 1;
}

void Scale(double factor, BruteForceOptions& guesses) {
  for (std::size_t* threshold :
       {&guesses.min_failures, &guesses.min_web_failures, &guesses.min_spray_failures,
        &guesses.min_spray_hosts, &guesses.min_distributed_failures,
        &guesses.min_distributed_sources, &guesses.failures_before_success}) {
    Scale(factor, *threshold);
  }
}

}  // namespace

bool HasSensitivity(const std::string& detector) {
  return detector == "flood" || detector == "port_scan" || detector == "brute_force";
}

DetectionOptions OptionsFor(const AllDetectorSettings& settings) {
  DetectionOptions options;
  const std::vector<std::string> known = DefaultDetectorNames();
  for (const auto& [name, one] : settings) {
    // A detector of another version of the library.
    if (std::find(known.begin(), known.end(), name) == known.end()) continue;
    if (!one.enabled) options.disabled.insert(name);
    const double factor = FactorOf(one.sensitivity);
    if (name == "flood") Scale(factor, options.flood);
    if (name == "port_scan") Scale(factor, options.port_scan);
    if (name == "brute_force") Scale(factor, options.brute_force);
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
  NTA_RETURN_IF_ERROR(live_.SetDetectors(OptionsFor(settings_)));
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
  const std::vector<std::string> known = DefaultDetectorNames();
  if (std::find(known.begin(), known.end(), detector) == known.end()) {
    return NotFound("there is no such detector");
  }
  AllDetectorSettings changed = settings_;
  changed[detector] = settings;
  NTA_RETURN_IF_ERROR(Put(kSettingsKind, "all", ToJson(changed)));
  settings_ = changed;
  return live_.SetDetectors(OptionsFor(settings_));
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

#include "nta/detect/policy_detector.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "detect/saturating_time.h"
#include "detect/scan_alert.h"
#include "detect/state_archive.h"

namespace nta {
namespace {

constexpr std::string_view kName = "policy";
constexpr std::uint16_t kVersion = 1;

// What tells that a file has changed, without reading it.
struct FileMark {
  std::filesystem::file_time_type time{};
  std::uintmax_t size = 0;
  bool is_there = false;

  friend bool operator==(const FileMark&, const FileMark&) = default;
};

FileMark MarkOf(const std::string& path) {
  std::error_code error;
  FileMark mark;
  mark.time = std::filesystem::last_write_time(path, error);
  if (error) return {};
  mark.size = std::filesystem::file_size(path, error);
  mark.is_there = !error;
  return mark;
}

bool Holds(const std::vector<IpPrefix>& prefixes, const IpAddress& address) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const IpPrefix& prefix) { return prefix.Contains(address); });
}

}  // namespace

class PolicyDetector::Impl {
 public:
  explicit Impl(PolicyOptions options)
      : options_(std::move(options)), tracker_(std::string(kName), options_.alerts) {
    options_.reload_every = std::max(options_.reload_every, Duration(std::chrono::seconds(1)));
  }

  absl::Status Reload() {
    std::vector<FileMark> marks = Marks();
    NTA_ASSIGN_OR_RETURN(BlockList list,
                         BlockList::Read(options_.block_lists, options_.max_block_entries));
    std::string text;
    for (const std::string& entry : options_.blocked) text += entry + "\n";
    NTA_ASSIGN_OR_RETURN(BlockList own,
                         BlockList::Parse(text, "blocked", options_.max_block_entries));
    list_ = std::move(list);
    own_list_ = std::move(own);
    marks_ = std::move(marks);
    error_ = absl::OkStatus();
    return absl::OkStatus();
  }

  void Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
    AdvanceTo(event.time, alerts);
    const FlowRecord& flow = event.flow;
    if (event.type != FlowEventType::kUpdated && !event.closes_record()) return;
    if (flow.outcome == ContactOutcome::kAnswered) CheckService(flow, alerts);
    if (block_entries() > 0) CheckBlockList(flow, alerts);
  }

  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
    now_ = std::max(now_, now);
    tracker_.AdvanceTo(now_, alerts);
    if (options_.block_lists.empty() || now_ < next_look_) return;
    next_look_ = detect::After(now_, options_.reload_every);
    if (Marks() == marks_) return;
    if (const absl::Status status = Reload(); !status.ok()) error_ = status;
  }

  void Finish(std::vector<Alert>& alerts) { tracker_.Finish(alerts); }

  std::size_t memory_bytes() const {
    return sizeof(*this) + list_.memory_bytes() + own_list_.memory_bytes() +
           tracker_.memory_bytes() +
           (options_.internal_tcp_ports.size() + options_.internal_udp_ports.size()) * 48;
  }

  std::size_t memory_limit_bytes() const {
    // A name of 20 bytes with its slot; twice while a list is read again.
    constexpr std::size_t kEntryBytes = 2 * 120;
    return sizeof(*this) + (std::size_t{1} << 16) + tracker_.memory_limit_bytes() +
           (options_.block_lists.empty() ? 0 : options_.max_block_entries * kEntryBytes) +
           options_.blocked.size() * kEntryBytes;
  }

  std::string Save() const {
    detect::StateWriter writer;
    writer(now_);
    writer(tracker_.Save());
    return detect::SealState(kName, kVersion, std::move(writer).bytes());
  }

  absl::Status Load(std::string_view state) {
    NTA_ASSIGN_OR_RETURN(const auto payload, detect::OpenState(kName, kVersion, state));
    detect::StateReader reader(payload);
    Timestamp now{};
    std::string tracker;
    reader(now);
    reader(tracker);
    AlertTracker loaded(std::string(kName), options_.alerts);
    if (!reader.ok() || reader.remaining() != 0 || !loaded.Load(tracker).ok()) {
      return base::MakeStatus(
          absl::StatusCode::kDataLoss,
          "the saved detector state is damaged: its fields contradict each other");
    }
    tracker_ = std::move(loaded);
    now_ = now;
    next_look_ = Timestamp::min();
    return absl::OkStatus();
  }

  const absl::Status& error() const { return error_; }
  std::size_t block_entries() const { return list_.size() + own_list_.size(); }

 private:
  std::vector<FileMark> Marks() const {
    std::vector<FileMark> marks;
    for (const std::string& file : options_.block_lists) marks.push_back(MarkOf(file));
    return marks;
  }

  bool IsLocal(const IpAddress& address) const {
    return options_.local_networks.empty() ? address.is_private()
                                           : Holds(options_.local_networks, address);
  }

  template <typename Key>
  std::optional<std::string> Blocked(const Key& key) const {
    auto entry = list_.Match(key);
    return entry ? entry : own_list_.Match(key);
  }

  void CheckService(const FlowRecord& flow, std::vector<Alert>& alerts) {
    const auto& ports = flow.protocol == kProtocolTcp   ? options_.internal_tcp_ports
                        : flow.protocol == kProtocolUdp ? options_.internal_udp_ports
                                                        : kNoPorts;
    if (!ports.contains(flow.destination.port)) return;
    if (!IsLocal(flow.destination.address) || IsLocal(flow.source.address)) return;
    if (flow.source.address.is_private() || flow.destination.address.is_multicast()) return;
    if (Holds(options_.allowed_sources, flow.source.address)) return;
    const std::string service = detect::ServiceText(flow.protocol, flow.destination.port);
    // All sources of one service: the hole is one, whoever comes through it.
    tracker_.Raise(
        {.alert_class = AlertClass::kPolicy,
         .entity = {.source = {}, .destination = flow.destination.address, .service = service},
         .severity = Severity::kHigh,
         .hold = options_.hold},
        now_,
        [&](Alert& alert) {
          CommonFields(flow, alert);
          alert.entity.source = flow.source.address;
          alert.technique = "T1133";
          alert.evidence["rule"] = std::string("internal_service");
          alert.advice = "Close " + service + " of " + flow.destination.address.ToString() +
                         " to the outside, or name who may use it.";
          alert.summary = absl::StrFormat(
              "%s reached %s of %s, a service that only hosts of ours may use, and was answered",
              flow.source.address.ToString(), service, flow.destination.address.ToString());
        },
        alerts);
  }

  void CheckBlockList(const FlowRecord& flow, std::vector<Alert>& alerts) {
    const bool from_here = IsLocal(flow.source.address);
    const bool was_answered = flow.outcome == ContactOutcome::kAnswered;
    // Strangers knock all day; one whom somebody answers is worth a word.
    if (!from_here && !was_answered) return;
    if (const auto entry = Blocked(flow.destination.address)) {
      Report(flow, flow.destination.address.ToString(), *entry, alerts);
    } else if (const auto other = Blocked(flow.source.address)) {
      Report(flow, flow.source.address.ToString(), *other, alerts);
    }
    if (flow.metadata == nullptr) return;
    const std::string_view name = flow.metadata->Get(MetadataField::kServerName);
    if (name.empty()) return;
    if (const auto entry = Blocked(name)) Report(flow, std::string(name), *entry, alerts);
  }

  void Report(const FlowRecord& flow, const std::string& what, const std::string& entry,
              std::vector<Alert>& alerts) {
    const bool from_here = IsLocal(flow.source.address);
    const IpAddress& ours = from_here ? flow.source.address : flow.destination.address;
    tracker_.Raise(
        {.alert_class = AlertClass::kPolicy,
         .entity = {.source = ours, .destination = {}, .service = "block:" + entry},
         .severity = from_here ? Severity::kHigh : Severity::kMedium,
         .hold = options_.hold},
        now_,
        [&](Alert& alert) {
          CommonFields(flow, alert);
          alert.entity = {.source = flow.source.address,
                          .destination = flow.destination.address,
                          .service = detect::ServiceText(flow.protocol, flow.destination.port)};
          alert.technique = "T1071";
          alert.evidence["rule"] = std::string("block_list");
          alert.evidence["entry"] = entry;
          alert.evidence["matched"] = what;
          alert.advice = from_here ? "Find out which program on " + ours.ToString() +
                                         " wants this; treat the host as infected "
                                         "until you know."
                                   : "Block " + entry + " at the border.";
          alert.summary =
              absl::StrFormat("%s %s %s, which is on a block list (%s)", ours.ToString(),
                              from_here ? "talks to" : "answered", what, entry);
        },
        alerts);
  }

  void CommonFields(const FlowRecord& flow, Alert& alert) const {
    alert.observed = static_cast<double>(alert.count + 1);
    alert.expected = 0;
    alert.unit = "violations";
    alert.score = 20;  // by rule, not by chance
    alert.first_seen = std::min(alert.first_seen, flow.first_seen);
    alert.last_seen = std::max(alert.last_seen, flow.last_seen);
    alert.window = alert.last_seen - alert.first_seen;
    alert.evidence = {{"flow", flow.five_tuple().ToString()},
                      {"application", std::string(ToString(flow.application))},
                      {"application_evidence", std::string(ToString(flow.evidence))}};
  }

  static inline const std::set<std::uint16_t> kNoPorts{};

  PolicyOptions options_;
  Timestamp now_ = Timestamp::min();
  Timestamp next_look_ = Timestamp::min();
  BlockList list_;      // of the files
  BlockList own_list_;  // of the options
  std::vector<FileMark> marks_;
  absl::Status error_;
  AlertTracker tracker_;
};

PolicyDetector::PolicyDetector(PolicyOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
PolicyDetector::~PolicyDetector() = default;
PolicyDetector::PolicyDetector(PolicyDetector&&) noexcept = default;
PolicyDetector& PolicyDetector::operator=(PolicyDetector&&) noexcept = default;

absl::StatusOr<std::unique_ptr<PolicyDetector>> PolicyDetector::Create(PolicyOptions options) {
  auto detector = std::make_unique<PolicyDetector>(std::move(options));
  NTA_RETURN_IF_ERROR(detector->Reload());
  return detector;
}

absl::Status PolicyDetector::Reload() { return impl_->Reload(); }
absl::Status PolicyDetector::reload_error() const { return impl_->error(); }
std::size_t PolicyDetector::block_entries() const { return impl_->block_entries(); }

void PolicyDetector::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  impl_->Observe(event, alerts);
}
void PolicyDetector::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  impl_->AdvanceTo(now, alerts);
}
void PolicyDetector::Finish(std::vector<Alert>& alerts) { impl_->Finish(alerts); }
std::size_t PolicyDetector::memory_bytes() const { return impl_->memory_bytes(); }
std::size_t PolicyDetector::memory_limit_bytes() const { return impl_->memory_limit_bytes(); }
std::string PolicyDetector::Save() const { return impl_->Save(); }
absl::Status PolicyDetector::Load(std::string_view state) { return impl_->Load(state); }

}  // namespace nta

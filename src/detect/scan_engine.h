// ScanEngine: the port scan detector behind its public face.
#ifndef NTA_SRC_DETECT_SCAN_ENGINE_H_
#define NTA_SRC_DETECT_SCAN_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "base/keyed_hash.h"
#include "detect/contact.h"
#include "detect/contact_memory.h"
#include "detect/pending_contacts.h"
#include "detect/scan_source.h"
#include "detect/scan_test.h"
#include "detect/source_table.h"
#include "nta/detect/alert.h"
#include "nta/detect/alert_tracker.h"
#include "nta/detect/port_scan_detector.h"

namespace nta::detect {

class StateReader;

class ScanEngine {
 public:
  ScanEngine(const PortScanOptions& options, std::uint64_t hash_seed);

  void Observe(const FlowEvent& event, std::vector<Alert>& alerts);
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts);
  void Finish(std::vector<Alert>& alerts);
  std::size_t memory_bytes() const;
  std::size_t memory_limit_bytes() const;
  std::uint64_t evictions() const { return evictions_; }
  std::string Save() const;
  // An engine with these options that goes on from a saved state.
  static absl::StatusOr<ScanEngine> Load(const PortScanOptions& options, std::string_view state);

 private:
  using Alerts = std::vector<Alert>;
  // When an open alert closes unless there are further failures, which move its time only when it
  // has come.
  struct Closing {
    Timestamp due{};
    std::uint64_t number = 0;
    IpAddress source;
    ScanKind kind = ScanKind::kPortScan;

    friend bool operator<(const Closing& a, const Closing& b) {
      return std::tie(a.due, a.number) < std::tie(b.due, b.number);
    }
  };

  // The groups to which a failure was added.
  struct GroupKinds {
    bool host = false;
    bool service = false;
  };

  void KeepOpen(const Contact& contact, Verdict verdict, Timestamp started);
  void JudgeFront(Alerts& alerts);
  void CountDatagram(std::uint8_t protocol, Verdict verdict);
  bool SeesDatagramsAnswered() const;
  void JudgeSuccess(const PendingContact& pending, Alerts& alerts);
  void JudgeFailure(const PendingContact& pending, Verdict verdict, Alerts& alerts);
  GroupKinds AddToGroups(ScanSource& source, const PendingContact& pending, Verdict verdict);
  std::uint32_t MemberOf(GroupKind kind, const Contact& contact) const;
  bool CountsAsHostTried(const Contact& contact) const;
  void Weigh(ScanSource& source, GroupKind kind, const PendingContact& pending, Verdict verdict,
             Alerts& alerts);
  void Judge(ScanSource& source, FailureGroup& group, Alerts& alerts);
  void WeighBlock(ScanSource& source, const PendingContact& pending, Verdict verdict,
                  Alerts& alerts);
  std::optional<Trigger> TriggerOf(const ScanSource& source, const FailureGroup& group) const;
  ScanCase& NewCase(ScanSource& source, ScanKind kind, Trigger trigger, Timestamp first_started);
  void Announce(ScanSource& source, ScanKind kind, Alerts& alerts);
  void Report(ScanSource& source, ScanKind kind, AlertState state, Alerts& alerts);
  void ReportGrowth(ScanSource& source, ScanKind kind, Alerts& alerts);
  Timestamp DueOf(const ScanCase& scan) const;
  void CloseFirst(Alerts& alerts);
  void CloseCase(ScanSource& source, ScanKind kind, Alerts& alerts);
  void CloseAll(ScanSource& source, Alerts& alerts);
  void ReadMemories(StateReader& reader);
  void ReadSources(StateReader& reader);
  void ReadTracker(StateReader& reader);

  PortScanOptions options_;
  ScanTest test_;
  std::uint64_t hash_seed_;
  base::KeyedHash hash_;
  Timestamp now_ = Timestamp::min();
  std::uint64_t cases_opened_ = 0;
  ContactMemory memory_;
  PendingContacts pending_;
  SourceTable sources_;
  std::set<Closing> closings_;
  AlertTracker tracker_;
  std::uint64_t evictions_ = 0;
  // First datagrams judged, fading.
  std::uint64_t answered_datagrams_ = 0;
  std::uint64_t silent_datagrams_ = 0;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_SCAN_ENGINE_H_

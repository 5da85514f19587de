// ScanSource: what is remembered of one source with failed contacts.
#ifndef NTA_SRC_DETECT_SCAN_SOURCE_H_
#define NTA_SRC_DETECT_SCAN_SOURCE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "detect/contact.h"
#include "detect/failure_group.h"
#include "nta/detect/alert.h"
#include "nta/net/time.h"

namespace nta::detect {

// What made an alert. Numbers are persisted in saved states.
enum class Trigger : std::uint8_t {
  kLikelihoodRatio = 0,
  kMinPorts = 1,
  kMinHosts = 2,
  kMinPingedHosts = 3,
  kBlock = 4,    // many hosts and many ports, in any order
  kSilence = 5,  // datagrams without an answer, over hours
};
inline constexpr int kTriggers = 6;

// Numbers are persisted in saved states and index ScanSource::cases.
enum class ScanKind : std::uint8_t { kPortScan = 0, kHostSweep = 1 };
inline constexpr std::size_t kScanKinds = 2;

// An alert that is open.
struct ScanCase {
  std::uint64_t number = 0;  // counts up; orders what closes at the same time
  Trigger trigger = Trigger::kLikelihoodRatio;
  std::uint32_t failed = 0;
  std::uint32_t refused = 0;
  std::uint32_t succeeded = 0;
  std::uint32_t groups = 0;       // hosts scanned, or services swept
  std::uint64_t next_update = 0;  // failed contacts that are worth a report
  Severity reported{};            // the worst that was
  double bits = 0;                // the most seen
  Timestamp first_started{};
  Timestamp last_started{};
  Timestamp last_judged{};
  Timestamp closes{};    // unless there are further failures
  FailureGroup largest;  // of the groups in this case
};

// Distinct values by linear counting (Whang, Vander-Zanden, Taylor 1990): 256 bits tell numbers up
// to some 500 to within 10 %, which is enough to tell a few ports from as many ports as contacts.
class LinearCount {
 public:
  void Add(std::uint64_t value);
  double Estimate() const;
  bool full() const;  // more than can be told
  const std::array<std::uint64_t, 4>& words() const { return words_; }
  std::array<std::uint64_t, 4>& words() { return words_; }

 private:
  std::array<std::uint64_t, 4> words_{};
};

// The failed contacts of a source since its last epoch began, whatever they have in common.
struct Spread {
  // Enough to judge by, few enough for the counts below.
  static constexpr std::uint32_t kEpoch = 1024;
  static constexpr std::uint32_t kMost = 1u << 30;
  std::uint32_t failed = 0;
  std::uint32_t succeeded = 0;
  std::uint32_t earlier_scatter = 0;  // at the end of the epoch before
  Timestamp first_started{};
  LinearCount hosts;
  LinearCount services;

  // Hosts or services, whichever are fewer: high when both are many.
  std::uint32_t Scatter() const;
};

struct RecentFailure {
  IpAddress host;
  std::uint8_t protocol = 0;
  std::uint16_t port = 0;
};

struct ScanSource {
  static constexpr std::size_t kRecent = 32;
  static constexpr std::size_t kGroupsPerKind = 3;

  IpAddress address;
  // Links of the list in SourceTable.
  std::uint32_t previous = 0;
  std::uint32_t next = 0;
  bool repeated = false;  // more than one failure
  std::vector<FailureGroup> groups;
  std::vector<RecentFailure> recent;  // a ring once it is full
  std::uint8_t next_recent = 0;
  Spread spread;
  std::array<std::unique_ptr<ScanCase>, kScanKinds> cases;

  FailureGroup* FindGroup(GroupKind kind, const Contact& contact);
  // Takes the place of the least interesting one when there are kGroupsPerKind already.
  FailureGroup& AddGroup(GroupKind kind, const Contact& contact);
  void RememberFailure(const Contact& contact);
  void SpreadFailure(const Contact& contact, Timestamp started);
  void SpreadSuccess();
  // The failures go to ever new hosts on ever new ports and `group` is a small part of them: what a
  // peer-to-peer client does all day.
  bool LooksLikePeerToPeer(const FailureGroup& group) const;
  bool LooksLikeBlockScan() const;
  void CloseCase(ScanKind kind);
  std::size_t memory_bytes() const;  // on the heap
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_SCAN_SOURCE_H_

// FailureGroup: first contacts of one source that share a host, or a service, and how suspicious
// they are.
#ifndef NTA_SRC_DETECT_FAILURE_GROUP_H_
#define NTA_SRC_DETECT_FAILURE_GROUP_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "detect/contact.h"
#include "detect/scan_test.h"
#include "nta/net/time.h"

namespace nta::detect {

// How many contacts failed and succeeded in the latest window, counted in eighths of it.
class WindowCount {
 public:
  static constexpr std::size_t kParts = 8;
  // Before any part that a time stamp of 64 bits falls into (WindowPart, windows of a second and
  // more).
  static constexpr std::int64_t kLongAgo = -(std::int64_t{1} << 40);

  void Add(std::int64_t part, bool failed);
  std::uint32_t failed() const { return Sum(failed_); }
  std::uint32_t succeeded() const { return Sum(succeeded_); }

  // For saved states.
  template <typename Archive, typename Self>
  static void Fields(Archive& archive, Self& count) {
    archive(count.newest_);
    archive(count.failed_);
    archive(count.succeeded_);
  }

 private:
  static std::uint32_t Sum(const std::array<std::uint16_t, kParts>& parts);

  std::int64_t newest_ = kLongAgo;
  std::array<std::uint16_t, kParts> failed_{};
  std::array<std::uint16_t, kParts> succeeded_{};
};

// Which part of the window a time falls into.
std::int64_t WindowPart(Timestamp time, Duration window);

// What the contacts of a group have in common. Numbers are persisted in saved states.
enum class GroupKind : std::uint8_t {
  kHost = 0,     // one destination; its members are services
  kService = 1,  // one protocol and port; its members are hosts
};

struct FailureGroup {
  static constexpr std::size_t kMembers = 16;

  GroupKind kind = GroupKind::kHost;
  bool alarmed = false;
  std::uint8_t protocol = 0;  // kService
  std::uint16_t port = 0;     // kService
  IpAddress host;             // kHost
  double bits = 0;            // of evidence: the CUSUM form of the sequential test
  double silent_bits = 0;     // likewise of datagrams without an answer
  std::uint32_t failed = 0;   // distinct contacts
  std::uint32_t refused = 0;  // of these
  std::uint32_t succeeded = 0;
  Timestamp first_started{};  // of the failed contacts
  Timestamp last_started{};
  Timestamp forgiven_until{};
  WindowCount in_window;
  // The latest distinct members that failed. They are kept longer than the memory of contacts, so
  // that a dead host that is tried once a day stays one failure.
  std::array<std::uint32_t, kMembers> members{};
  std::uint8_t member_count = 0;
  std::uint8_t next_member = 0;

  bool Matches(const Contact& contact) const;
  // False when the member failed before; then nothing has changed.
  bool AddFailure(std::uint32_t member, Verdict verdict, Timestamp started, const ScanTest& test,
                  Duration window);
  void AddSuccess(Timestamp started, const ScanTest& test, Duration window);
  // Evidence including what only the fan-out limits count.
  double ScoreBits() const;

 private:
  void Forgive(Timestamp started, const ScanTest& test);
  bool Remember(std::uint32_t member);
};

FailureGroup MakeGroup(GroupKind kind, const Contact& contact);

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_FAILURE_GROUP_H_

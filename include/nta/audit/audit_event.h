// AuditEvent: who did what to what, and how it ended.
//
//   audit.Append({.time = now, .actor = "alice", .role = "admin", .address = "192.0.2.7",
//                 .act = "user.delete", .target = "bob", .outcome = nta::AuditOutcome::kBegun});
#ifndef NTA_AUDIT_AUDIT_EVENT_H_
#define NTA_AUDIT_AUDIT_EVENT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/net/time.h"

namespace nta {

enum class AuditOutcome : std::uint8_t {
  kBegun = 0,  // recorded before the act; how it ended is another record, `about` this one
  kDone = 1,
  kRefused = 2,  // by a rule: no right, wrong password, limit
  kFailed = 3,   // by an error
};
// "begun", "done", "refused", "failed".
std::string_view ToString(AuditOutcome outcome);
absl::StatusOr<AuditOutcome> ParseAuditOutcome(std::string_view name);

// Texts are kept as printable UTF-8 of bounded size; what is not is spelled out ("\x0a"), what is
// too long is cut and says how much: actor 128 bytes, role 32, address 64, act 64, target 1024,
// 16 details with names of 64 and values of 512. Never put a secret into one.
struct AuditEvent {
  Timestamp time = {};
  std::string actor = {};    // empty: nobody had signed in
  std::string role = {};     // of the actor at that time
  std::string address = {};  // where the request came from
  std::string act = {};      // "user.delete": parts from large to small
  std::string target = {};   // what it was done to
  AuditOutcome outcome = AuditOutcome::kDone;
  std::uint64_t about = 0;  // sequence of the record of kBegun; 0: there is none
  // In the order of their names; of one name the last counts.
  std::vector<std::pair<std::string, std::string>> details = {};

  friend bool operator==(const AuditEvent&, const AuditEvent&) = default;
};

// An event in its place in the trail.
struct AuditRecord {
  std::uint64_t sequence = 0;  // 1, 2, 3, ... over all files
  AuditEvent event = {};

  friend bool operator==(const AuditRecord&, const AuditRecord&) = default;
};

// What the trail itself writes, with the actor "system".
inline constexpr std::string_view kAuditSegmentAct = "audit.segment";  // the first record of a file
inline constexpr std::string_view kAuditRecoverAct = "audit.recover";  // a torn record was removed

}  // namespace nta

#endif  // NTA_AUDIT_AUDIT_EVENT_H_

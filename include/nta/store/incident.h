// Incident: something that happened, who looks after it, and everything that is known of it.
#ifndef NTA_STORE_INCIDENT_H_
#define NTA_STORE_INCIDENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/detect/alert.h"
#include "nta/net/time.h"

namespace nta {

// Persisted by name. Every state may follow every other: what was closed can be opened again.
enum class IncidentState : std::uint8_t {
  kOpen = 0,
  kInvestigating = 1,
  kContained = 2,
  kResolved = 3,
  kClosed = 4,
};
std::string_view ToString(IncidentState state);  // "open", "investigating", ...
absl::StatusOr<IncidentState> ParseIncidentState(std::string_view text);

enum class IncidentLinkKind : std::uint8_t { kAlert = 0, kFlows = 1, kRule = 2, kNote = 3 };
std::string_view ToString(IncidentLinkKind kind);  // "alert", "flows", "rule", "note"
absl::StatusOr<IncidentLinkKind> ParseIncidentLinkKind(std::string_view text);

// What else the incident is about. Alerts and flows are deleted one day, so a link can hold a copy
// of what it pointed to.
struct IncidentLink {
  std::int64_t id = 0;  // within the incident
  IncidentLinkKind kind = IncidentLinkKind::kNote;
  // Of an alert its id, of flows a filter in the grammar of docs/filters.md, of a rule its id, of a
  // note a title or an address.
  std::string target{};
  std::optional<Timestamp> since{};  // of flows: last_seen
  std::optional<Timestamp> until{};
  std::string note{};      // why it matters
  std::string snapshot{};  // what it was when it was linked: a JSON value, or empty
  std::string author{};
  Timestamp time{};

  friend bool operator==(const IncidentLink&, const IncidentLink&) = default;
};

// A file that belongs to the incident; its bytes are kept beside it.
struct IncidentEvidence {
  std::int64_t id = 0;  // within the incident
  std::string name{};   // "capture.pcap"
  std::string media_type{};
  std::string description{};
  std::uint64_t size_bytes = 0;
  std::string sha256{};  // of the bytes, 64 hexadecimal digits
  std::string author{};
  Timestamp time{};
  // False while its bytes are being written, and when that was cut short.
  bool complete = false;

  friend bool operator==(const IncidentEvidence&, const IncidentEvidence&) = default;
};

enum class IncidentAct : std::uint8_t {
  kCreated = 0,
  kChanged = 1,  // `field` from `before` to `after`
  kCommented = 2,
  kLinked = 3,
  kUnlinked = 4,
  kEvidenceAdded = 5,
  kEvidenceRemoved = 6,
};
std::string_view ToString(IncidentAct act);  // "created", "changed", ..., "evidence_removed"

// One thing that somebody did. Entries are only ever added.
struct IncidentEntry {
  std::int64_t id = 0;  // within the incident
  Timestamp time{};
  std::string author{};
  IncidentAct act = IncidentAct::kCommented;
  std::string field{};
  std::string before{};
  std::string after{};
  std::string text{};  // of a comment; of a link or evidence, what it is

  friend bool operator==(const IncidentEntry&, const IncidentEntry&) = default;
};

struct Incident {
  std::string id{};  // "inc-000001"
  std::string title{};
  std::string description{};
  Severity severity = Severity::kMedium;
  IncidentState state = IncidentState::kOpen;
  std::string assignee{};  // empty: nobody
  std::string created_by{};
  Timestamp created{};
  Timestamp updated{};
  std::optional<Timestamp> ended{};  // when it was resolved or closed
  std::vector<IncidentLink> links{};
  std::vector<IncidentEvidence> evidence{};
  std::vector<IncidentEntry> timeline{};  // oldest first
  // Grows with every change; a writer names the one that it has read.
  std::int64_t version = 0;

  friend bool operator==(const Incident&, const Incident&) = default;
};

// One JSON object on one line; docs/incidents.md.
std::string ToJson(const Incident& incident);
// Without links, evidence and timeline, of which it tells how many there are.
std::string ToSummaryJson(const Incident& incident);

}  // namespace nta

#endif  // NTA_STORE_INCIDENT_H_

// Incidents: the incidents of a store, with their evidence.
//
//   nta::Incidents incidents(*store);
//   auto incident = incidents.Create({.title = "Scan of the lab"}, {.author = "ana", .time = now});
//   incidents.Comment(incident->id, "It is the new scanner.", {.author = "ben", .time = now});
#ifndef NTA_STORE_INCIDENTS_H_
#define NTA_STORE_INCIDENTS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/store/incident.h"
#include "nta/store/store.h"

namespace nta {

// Who does something, and when.
struct IncidentActor {
  std::string author{};  // 1 to 256 bytes
  Timestamp time{};
};

struct IncidentDraft {
  std::string title{};        // 1 to 200 bytes, one line
  std::string description{};  // up to 16 KiB, lines
  Severity severity = Severity::kMedium;
  std::string assignee{};  // a user of the store; any name where it has no users; empty: nobody
};

// What is absent stays as it is.
struct IncidentChange {
  std::optional<std::string> title{};
  std::optional<std::string> description{};
  std::optional<Severity> severity{};
  std::optional<IncidentState> state{};
  std::optional<std::string> assignee{};  // as in a draft
  // Why, as a comment of the same moment.
  std::optional<std::string> comment{};
};

struct IncidentQuery {
  std::vector<IncidentState> states{};  // empty: all
  std::optional<Severity> min_severity{};
  std::optional<std::string> assignee{};
  std::string text{};       // in id, title or description, whatever the case
  std::size_t limit = 100;  // 1 to 1,000; newest first
  std::string cursor{};
};

struct IncidentPage {
  std::vector<Incident> incidents;
  std::string next_cursor;  // empty: this was the last page
};

struct EvidenceDraft {
  std::string name{};  // 1 to 200 bytes
  std::string media_type = "application/octet-stream";
  std::string description{};
};

// Thread-safe. Every change is in the file when it returns OK, and on the timeline with its author.
// InvalidArgument names the field that is wrong: empty, too long, not UTF-8, control characters.
// FailedPrecondition when an incident would become larger than kMaxBytes or hold more than it may.
class Incidents {
 public:
  static constexpr std::size_t kMaxEvidenceBytes = 16 << 20;     // one file
  static constexpr std::size_t kMaxAllEvidenceBytes = 64 << 20;  // all files of an incident
  static constexpr std::size_t kMaxEvidence = 64;
  static constexpr std::size_t kMaxLinks = 1'000;
  static constexpr std::size_t kMaxBytes = 2 << 20;  // of everything but evidence

  // Borrows `store`.
  explicit Incidents(Store& store) : store_(store) {}

  absl::StatusOr<Incident> Create(const IncidentDraft& draft, const IncidentActor& actor);
  absl::StatusOr<Incident> Get(std::string_view id) const;  // NotFound
  absl::StatusOr<IncidentPage> List(const IncidentQuery& query = {}) const;

  // Aborted when the incident is no longer at `version`: somebody else was quicker.
  absl::StatusOr<Incident> Change(std::string_view id, std::int64_t version,
                                  const IncidentChange& change, const IncidentActor& actor);
  // These add to what others do at the same time.
  absl::StatusOr<Incident> Comment(std::string_view id, std::string_view text,
                                   const IncidentActor& actor);
  // `link.id`, `author` and `time` are ours.
  absl::StatusOr<Incident> Link(std::string_view id, const IncidentLink& link,
                                const IncidentActor& actor);
  absl::StatusOr<Incident> Unlink(std::string_view id, std::int64_t link_id,
                                  const IncidentActor& actor);
  // A capture file is known by its first bytes, whatever media type the draft claims.
  absl::StatusOr<Incident> AddEvidence(std::string_view id, const EvidenceDraft& draft,
                                       std::string_view bytes, const IncidentActor& actor);
  // The timeline keeps that it was there, with its hash.
  absl::StatusOr<Incident> RemoveEvidence(std::string_view id, std::int64_t evidence_id,
                                          const IncidentActor& actor);
  // The bytes; DataLoss when they are not those that were added.
  absl::StatusOr<std::string> Evidence(std::string_view id, std::int64_t evidence_id) const;
  // With all its evidence, for good.
  absl::Status Remove(std::string_view id);

  // Everything as one tar file, handed to `write` piece by piece: incident.json, report.txt, the
  // evidence, manifest.json, and SHA256SUMS for `sha256sum -c`. DataLoss when evidence has changed;
  // what `write` answers other than OK ends it.
  absl::Status Export(std::string_view id, const IncidentActor& actor,
                      const std::function<absl::Status(std::string_view)>& write) const;

 private:
  absl::StatusOr<Incident> Save(Incident incident, std::size_t most_bytes = kMaxBytes);
  // Reads, changes and saves until nobody was quicker.
  template <typename Update>
  absl::StatusOr<Incident> Apply(std::string_view id, const IncidentActor& actor,
                                 const Update& update);
  absl::Status WriteEvidence(const std::string& prefix, std::string_view bytes, Timestamp time);
  void RemoveParts(std::string_view id, const IncidentEvidence& evidence);

  Store& store_;
};

}  // namespace nta

#endif  // NTA_STORE_INCIDENTS_H_

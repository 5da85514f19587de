// Evidence: files kept beside an incident, in documents of a bounded size.
#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/status.h"
#include "nta/store/incidents.h"
#include "store/incident_text.h"
#include "store/sha256.h"

namespace nta {
namespace {

using store::CheckText;

constexpr std::string_view kKind = "incident_evidence";
// Of the file; as base64 a third more. A multiple of three, so that no part is padded but the last.
constexpr std::size_t kPartBytes = 1'536 << 10;
static_assert(kPartBytes % 3 == 0);

std::string PartsOf(std::string_view incident, std::int64_t evidence) {
  return std::string(incident) + "/" + std::to_string(evidence) + "/";
}

std::string PartId(const std::string& prefix, std::size_t part) {
  std::array<char, 16> number{};
  std::snprintf(number.data(), number.size(), "%04zu", part);
  return prefix + number.data();
}

std::size_t PartCount(std::uint64_t size) {
  return static_cast<std::size_t>((size + kPartBytes - 1) / kPartBytes);
}

// By the first bytes: pcap in both byte orders and resolutions, pcapng.
std::string_view CaptureType(std::string_view bytes) {
  using namespace std::string_view_literals;
  constexpr std::array kPcap = {"\xd4\xc3\xb2\xa1"sv, "\xa1\xb2\xc3\xd4"sv, "\x4d\x3c\xb2\xa1"sv,
                                "\xa1\xb2\x3c\x4d"sv};
  for (const std::string_view magic : kPcap) {
    if (bytes.starts_with(magic)) return "application/vnd.tcpdump.pcap";
  }
  return bytes.starts_with("\x0a\x0d\x0d\x0a"sv) ? "application/x-pcapng" : "";
}

bool IsMediaType(std::string_view text) {
  constexpr std::size_t kMost = 100;
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < text.size() &&
         text.size() <= kMost &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.+-/") ==
             std::string_view::npos &&
         text.find('/', slash + 1) == std::string_view::npos;
}

absl::StatusOr<IncidentEvidence> Check(const EvidenceDraft& draft, std::string_view bytes) {
  IncidentEvidence evidence;
  NTA_ASSIGN_OR_RETURN(evidence.name,
                       CheckText(draft.name, {.field = "name", .least = 1, .most = 200}));
  NTA_ASSIGN_OR_RETURN(
      evidence.description,
      CheckText(draft.description, {.field = "description", .most = 4096, .lines = true}));
  if (bytes.empty()) return base::InvalidArgument("the file is empty");
  if (bytes.size() > Incidents::kMaxEvidenceBytes) {
    return base::InvalidArgument("the file is larger than 16 MiB");
  }
  const std::string_view capture = CaptureType(bytes);
  if (capture.empty() && !IsMediaType(draft.media_type)) {
    return base::InvalidArgument("field \"media_type\" is no media type");
  }
  evidence.media_type = capture.empty() ? draft.media_type : std::string(capture);
  evidence.size_bytes = bytes.size();
  evidence.sha256 = store::Sha256Hex(bytes);
  return evidence;
}

absl::Status CheckRoom(const Incident& incident, std::uint64_t size) {
  if (incident.evidence.size() >= Incidents::kMaxEvidence) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                            "an incident has 64 files at the most");
  }
  for (const IncidentEvidence& evidence : incident.evidence) size += evidence.size_bytes;
  if (size <= Incidents::kMaxAllEvidenceBytes) return absl::OkStatus();
  return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                          "the files of an incident have 64 MiB together at the most");
}

std::string Describe(const IncidentEvidence& evidence) {
  return evidence.name + ", " + std::to_string(evidence.size_bytes) + " bytes, SHA-256 " +
         evidence.sha256;
}

void Record(Incident& incident, const IncidentActor& actor, IncidentAct act,
            const IncidentEvidence& evidence) {
  const std::int64_t id = incident.timeline.empty() ? 1 : incident.timeline.back().id + 1;
  incident.timeline.push_back({.id = id,
                               .time = actor.time,
                               .author = actor.author,
                               .act = act,
                               .text = Describe(evidence)});
  incident.updated = actor.time;
}

std::vector<IncidentEvidence>::iterator Find(Incident& incident, std::int64_t id) {
  return std::find_if(incident.evidence.begin(), incident.evidence.end(),
                      [&](const IncidentEvidence& evidence) { return evidence.id == id; });
}

}  // namespace

absl::StatusOr<Incident> Incidents::AddEvidence(std::string_view id, const EvidenceDraft& draft,
                                                std::string_view bytes,
                                                const IncidentActor& actor) {
  NTA_ASSIGN_OR_RETURN(IncidentEvidence evidence, Check(draft, bytes));
  NTA_RETURN_IF_ERROR(
      CheckText(actor.author, {.field = "author", .least = 1, .most = 256}).status());
  evidence.author = actor.author;
  evidence.time = actor.time;
  // First that it is to come, so that what a crash leaves half written is known of; then the bytes;
  // then that it is complete.
  constexpr int kTries = 20;
  absl::StatusOr<Incident> incident = base::MakeStatus(absl::StatusCode::kAborted, "");
  for (int i = 0; i < kTries && absl::IsAborted(incident.status()); ++i) {
    NTA_ASSIGN_OR_RETURN(Incident present, Get(id));
    NTA_RETURN_IF_ERROR(CheckRoom(present, bytes.size()));
    Record(present, actor, IncidentAct::kEvidenceAdded, evidence);
    evidence.id = present.timeline.back().id;
    present.evidence.push_back(evidence);
    incident = Save(std::move(present));
  }
  if (!incident.ok()) return incident.status();
  const std::string prefix = PartsOf(incident->id, evidence.id);
  absl::Status written = WriteEvidence(prefix, bytes, actor.time);
  for (int i = 0; written.ok() && i < kTries; ++i) {
    NTA_ASSIGN_OR_RETURN(Incident present, Get(id));
    const auto found = Find(present, evidence.id);
    if (found == present.evidence.end()) {
      written = base::MakeStatus(absl::StatusCode::kNotFound, "the file was removed meanwhile");
      break;
    }
    found->complete = true;
    absl::StatusOr<Incident> saved = Save(std::move(present));
    if (saved.ok()) return saved;
    if (!absl::IsAborted(saved.status())) written = saved.status();
  }
  RemoveParts(id, evidence);
  // When even this fails, the entry stays as one that is not complete.
  RemoveEvidence(id, evidence.id, actor).IgnoreError();
  return written.ok() ? base::MakeStatus(absl::StatusCode::kAborted,
                                         "too many change the incident at this moment")
                      : written;
}

absl::Status Incidents::WriteEvidence(const std::string& prefix, std::string_view bytes,
                                      Timestamp time) {
  for (std::size_t part = 0; part < PartCount(bytes.size()); ++part) {
    const std::string_view piece = bytes.substr(part * kPartBytes, kPartBytes);
    NTA_RETURN_IF_ERROR(store_
                            .PutDocument({.kind = std::string(kKind),
                                          .id = PartId(prefix, part),
                                          .body = "\"" + store::EncodeBase64(piece) + "\"",
                                          .updated = time,
                                          .version = Document::kAnyVersion})
                            .status());
  }
  return absl::OkStatus();
}

void Incidents::RemoveParts(std::string_view id, const IncidentEvidence& evidence) {
  const std::string prefix = PartsOf(id, evidence.id);
  for (std::size_t part = 0; part < PartCount(evidence.size_bytes); ++part) {
    // Parts that were never written are not there.
    store_.RemoveDocument(kKind, PartId(prefix, part)).IgnoreError();
  }
}

absl::StatusOr<Incident> Incidents::RemoveEvidence(std::string_view id, std::int64_t evidence_id,
                                                   const IncidentActor& actor) {
  IncidentEvidence removed;
  absl::StatusOr<Incident> incident = base::MakeStatus(absl::StatusCode::kAborted, "");
  for (int i = 0; i < 20 && absl::IsAborted(incident.status()); ++i) {
    NTA_ASSIGN_OR_RETURN(Incident present, Get(id));
    const auto found = Find(present, evidence_id);
    if (found == present.evidence.end()) {
      return base::MakeStatus(absl::StatusCode::kNotFound,
                              "there is no file " + std::to_string(evidence_id));
    }
    removed = *found;
    Record(present, actor, IncidentAct::kEvidenceRemoved, *found);
    present.evidence.erase(found);
    incident = Save(std::move(present));
  }
  if (incident.ok()) RemoveParts(id, removed);
  return incident;
}

absl::StatusOr<std::string> Incidents::Evidence(std::string_view id,
                                                std::int64_t evidence_id) const {
  NTA_ASSIGN_OR_RETURN(Incident incident, Get(id));
  const auto found = Find(incident, evidence_id);
  if (found == incident.evidence.end()) {
    return base::MakeStatus(absl::StatusCode::kNotFound,
                            "there is no file " + std::to_string(evidence_id));
  }
  const auto lost = [&](std::string_view why) {
    return base::MakeStatus(absl::StatusCode::kDataLoss,
                            "the file \"" + found->name + "\" " + std::string(why));
  };
  if (!found->complete) return lost("was never written to its end");
  const std::string prefix = PartsOf(id, evidence_id);
  std::string bytes;
  for (std::size_t part = 0; part < PartCount(found->size_bytes); ++part) {
    const absl::StatusOr<Document> document = store_.GetDocument(kKind, PartId(prefix, part));
    if (absl::IsNotFound(document.status())) return lost("is not whole");
    if (!document.ok()) return document.status();
    const std::string_view body = document->body;
    if (body.size() < 2) return lost("is damaged");
    bytes += store::DecodeBase64(body.substr(1, body.size() - 2));
  }
  if (bytes.size() != found->size_bytes || store::Sha256Hex(bytes) != found->sha256) {
    return lost("is not what was added: its hash differs");
  }
  return bytes;
}

}  // namespace nta

#include "nta/store/incidents.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "base/status.h"
#include "store/incident_json.h"
#include "store/incident_text.h"

namespace nta {
namespace {

using store::CheckText;

constexpr std::string_view kKind = store::kIncidentKind;
constexpr std::string_view kCounterKind = "incident_counter";
constexpr std::string_view kPrefix = "inc-";
constexpr int kLastNumber = 999'999;
// Each that fails means that somebody else got through.
constexpr int kTries = 20;
constexpr std::size_t kMaxSnapshotBytes = 32 << 10;
constexpr std::size_t kMaxTextBytes = 16 << 10;

constexpr std::array<std::string_view, 5> kStates = {"open", "investigating", "contained",
                                                     "resolved", "closed"};
constexpr std::array<std::string_view, 4> kLinkKinds = {"alert", "flows", "rule", "note"};

std::string Padded(int number) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%06d", number);
  return text.data();
}

absl::Status NoIncident(std::string_view id) {
  return base::MakeStatus(absl::StatusCode::kNotFound,
                          "there is no incident \"" + std::string(id.substr(0, 60)) + "\"");
}

// Documents come ordered by their id: the newest incident has the lowest one.
std::string DocumentId(int number) { return Padded(kLastNumber - number); }

absl::StatusOr<std::string> DocumentIdOf(std::string_view id) {
  int number = 0;
  const std::string_view digits = id.substr(std::min(id.size(), kPrefix.size()));
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool fits = id.starts_with(kPrefix) && error == std::errc() &&
                    end == digits.data() + digits.size() && number > 0 && number < kLastNumber &&
                    digits == Padded(number);
  return fits ? absl::StatusOr<std::string>(DocumentId(number)) : NoIncident(id);
}

absl::StatusOr<std::string> CheckTitle(std::string_view text) {
  return CheckText(text, {.field = "title", .least = 1, .most = 200});
}
absl::StatusOr<std::string> CheckDescription(std::string_view text) {
  return CheckText(text, {.field = "description", .most = kMaxTextBytes, .lines = true});
}
// A user, who may be gone by now when it is the one of before. In a store that has no users the
// program that uses it knows who is who.
absl::StatusOr<std::string> CheckAssignee(const Store& store, std::string_view text,
                                          std::string_view before = {}) {
  NTA_ASSIGN_OR_RETURN(std::string name, CheckText(text, {.field = "assignee", .most = 256}));
  if (name.empty() || name == before) return name;
  const absl::Status user = store.GetUser(name).status();
  if (!absl::IsNotFound(user)) return user.ok() ? absl::StatusOr<std::string>(name) : user;
  NTA_ASSIGN_OR_RETURN(const std::vector<User> users, store.Users());
  if (users.empty()) return name;
  return base::InvalidArgument("assignee: there is no user \"" + name + '"');
}
absl::StatusOr<std::string> CheckComment(std::string_view text) {
  return CheckText(text, {.field = "text", .least = 1, .most = kMaxTextBytes, .lines = true});
}
absl::Status CheckActor(const IncidentActor& actor) {
  return CheckText(actor.author, {.field = "author", .least = 1, .most = 256}).status();
}

bool IsOver(IncidentState state) {
  return state == IncidentState::kResolved || state == IncidentState::kClosed;
}

void AddEntry(Incident& incident, const IncidentActor& actor, IncidentEntry entry) {
  entry.id = incident.timeline.empty() ? 1 : incident.timeline.back().id + 1;
  entry.time = actor.time;
  entry.author = actor.author;
  incident.timeline.push_back(std::move(entry));
}

void AddChange(Incident& incident, const IncidentActor& actor, std::string_view field,
               std::string_view before, std::string_view after) {
  AddEntry(incident, actor,
           {.act = IncidentAct::kChanged,
            .field = std::string(field),
            .before = std::string(before),
            .after = std::string(after)});
}

absl::Status ChangeText(Incident& incident, const IncidentActor& actor, std::string_view field,
                        std::pair<std::string*, absl::StatusOr<std::string>> change) {
  if (!change.second.ok()) return change.second.status();
  std::string& present = *change.first;
  if (present == *change.second) return absl::OkStatus();
  AddChange(incident, actor, field, present, *change.second);
  present = *std::move(change.second);
  return absl::OkStatus();
}

void ChangeStateOf(Incident& incident, const IncidentActor& actor, IncidentState state) {
  if (incident.state == state) return;
  AddChange(incident, actor, "state", ToString(incident.state), ToString(state));
  if (IsOver(state) && !IsOver(incident.state)) incident.ended = actor.time;
  if (!IsOver(state)) incident.ended.reset();
  incident.state = state;
}

absl::Status ApplyChange(const Store& store, Incident& incident, const IncidentChange& change,
                         const IncidentActor& actor) {
  if (change.title) {
    NTA_RETURN_IF_ERROR(
        ChangeText(incident, actor, "title", {&incident.title, CheckTitle(*change.title)}));
  }
  if (change.description) {
    NTA_RETURN_IF_ERROR(ChangeText(incident, actor, "description",
                                   {&incident.description, CheckDescription(*change.description)}));
  }
  if (change.assignee) {
    NTA_RETURN_IF_ERROR(ChangeText(
        incident, actor, "assignee",
        {&incident.assignee, CheckAssignee(store, *change.assignee, incident.assignee)}));
  }
  if (change.severity && *change.severity != incident.severity) {
    AddChange(incident, actor, "severity", ToString(incident.severity), ToString(*change.severity));
    incident.severity = *change.severity;
  }
  if (change.state) ChangeStateOf(incident, actor, *change.state);
  if (change.comment) {
    NTA_ASSIGN_OR_RETURN(std::string text, CheckComment(*change.comment));
    AddEntry(incident, actor, {.act = IncidentAct::kCommented, .text = std::move(text)});
  }
  return absl::OkStatus();
}

absl::StatusOr<IncidentLink> CheckLink(const IncidentLink& link) {
  IncidentLink checked = link;
  // Every flow is an empty filter.
  const std::size_t least = link.kind == IncidentLinkKind::kFlows ? 0 : 1;
  NTA_ASSIGN_OR_RETURN(checked.target,
                       CheckText(link.target, {.field = "target", .least = least, .most = 2048}));
  NTA_ASSIGN_OR_RETURN(
      checked.note, CheckText(link.note, {.field = "note", .most = kMaxTextBytes, .lines = true}));
  if (link.kind == IncidentLinkKind::kFlows) {
    NTA_RETURN_IF_ERROR(FlowFilter::Parse(checked.target).status());
  }
  if (link.since && link.until && *link.until < *link.since) {
    return base::InvalidArgument("field \"until\" is before \"since\"");
  }
  if (!link.snapshot.empty()) {
    NTA_ASSIGN_OR_RETURN(checked.snapshot, store::CheckJson(link.snapshot, kMaxSnapshotBytes));
  }
  return checked;
}

std::string Describe(const IncidentLink& link) {
  return std::string(ToString(link.kind)) + " " + link.target;
}

bool ContainsText(std::string_view text, std::string_view wanted) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(),
                     [&](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

bool Fits(const Incident& incident, const IncidentQuery& query) {
  if (!query.states.empty() &&
      std::find(query.states.begin(), query.states.end(), incident.state) == query.states.end()) {
    return false;
  }
  if (query.min_severity && incident.severity < *query.min_severity) return false;
  if (query.assignee && incident.assignee != *query.assignee) return false;
  return query.text.empty() || ContainsText(incident.id, query.text) ||
         ContainsText(incident.title, query.text) || ContainsText(incident.description, query.text);
}

absl::StatusOr<Incident> FromDocument(const Document& document) {
  NTA_ASSIGN_OR_RETURN(Incident incident, store::DecodeIncident(document.body));
  incident.version = document.version;
  return incident;
}

// A number that no other incident has, nor had.
absl::StatusOr<int> NextNumber(Store& store, Timestamp time) {
  for (int i = 0; i < kTries; ++i) {
    Document counter{.kind = std::string(kCounterKind), .id = "last", .body = "0", .updated = time};
    if (absl::StatusOr<Document> present = store.GetDocument(kCounterKind, "last"); present.ok()) {
      counter = *std::move(present);
    } else if (!absl::IsNotFound(present.status())) {
      return present.status();
    }
    int number = 0;
    const char* const end = counter.body.data() + counter.body.size();
    if (std::from_chars(counter.body.data(), end, number).ptr != end || number < 0) {
      return base::MakeStatus(absl::StatusCode::kDataLoss,
                              "the store's count of incidents is damaged");
    }
    if (++number >= kLastNumber) {
      return base::MakeStatus(absl::StatusCode::kFailedPrecondition, "no number is left");
    }
    counter.body = std::to_string(number);
    counter.updated = time;
    const absl::Status put = store.PutDocument(counter).status();
    if (put.ok()) return number;
    if (!absl::IsAborted(put) && !absl::IsAlreadyExists(put)) return put;
  }
  return base::MakeStatus(absl::StatusCode::kAborted, "too many make incidents at this moment");
}

}  // namespace

absl::StatusOr<Incident> Incidents::Create(const IncidentDraft& draft, const IncidentActor& actor) {
  NTA_RETURN_IF_ERROR(CheckActor(actor));
  Incident incident;
  NTA_ASSIGN_OR_RETURN(incident.title, CheckTitle(draft.title));
  NTA_ASSIGN_OR_RETURN(incident.description, CheckDescription(draft.description));
  NTA_ASSIGN_OR_RETURN(incident.assignee, CheckAssignee(store_, draft.assignee));
  incident.severity = draft.severity;
  incident.created_by = actor.author;
  incident.created = actor.time;
  incident.updated = actor.time;
  AddEntry(incident, actor, {.act = IncidentAct::kCreated, .text = incident.title});
  NTA_ASSIGN_OR_RETURN(const int number, NextNumber(store_, actor.time));
  incident.id = std::string(kPrefix) + Padded(number);
  return Save(std::move(incident));
}

absl::StatusOr<Incident> Incidents::Save(Incident incident, std::size_t most_bytes) {
  NTA_ASSIGN_OR_RETURN(std::string id, DocumentIdOf(incident.id));
  Document document{.kind = std::string(kKind),
                    .id = std::move(id),
                    .body = store::EncodeIncident(incident),
                    .updated = incident.updated,
                    .version = incident.version};
  if (document.body.size() > most_bytes) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                            "the incident is full: close it and open another that names it");
  }
  const absl::StatusOr<Document> saved = store_.PutDocument(document);
  if (absl::IsNotFound(saved.status())) return NoIncident(incident.id);
  if (!saved.ok()) return saved.status();
  incident.version = saved->version;
  return incident;
}

absl::Status Incidents::Remove(std::string_view id) {
  NTA_ASSIGN_OR_RETURN(const std::string document_id, DocumentIdOf(id));
  NTA_ASSIGN_OR_RETURN(const Incident incident, Get(id));
  // The files first: what a crash leaves is an incident with files that are told as lost, and can
  // be removed again.
  for (const IncidentEvidence& evidence : incident.evidence) RemoveParts(incident.id, evidence);
  return store_.RemoveDocument(kKind, document_id);
}

absl::StatusOr<Incident> Incidents::Get(std::string_view id) const {
  NTA_ASSIGN_OR_RETURN(const std::string document_id, DocumentIdOf(id));
  const absl::StatusOr<Document> document = store_.GetDocument(kKind, document_id);
  if (absl::IsNotFound(document.status())) return NoIncident(id);
  if (!document.ok()) return document.status();
  return FromDocument(*document);
}

absl::StatusOr<IncidentPage> Incidents::List(const IncidentQuery& query) const {
  if (query.limit < 1 || query.limit > 1000) return base::InvalidArgument("limit is 1 to 1000");
  IncidentPage page;
  DocumentQuery documents{.kind = std::string(kKind), .limit = 1, .cursor = query.cursor};
  while (true) {
    // No further than the page goes: its cursor is that of the last document read.
    documents.limit = std::min<std::size_t>(100, query.limit - page.incidents.size());
    NTA_ASSIGN_OR_RETURN(const DocumentPage read, store_.Documents(documents));
    for (const Document& document : read.documents) {
      NTA_ASSIGN_OR_RETURN(Incident incident, FromDocument(document));
      if (Fits(incident, query)) page.incidents.push_back(std::move(incident));
    }
    documents.cursor = read.next_cursor;
    if (read.next_cursor.empty() || page.incidents.size() == query.limit) break;
  }
  page.next_cursor = documents.cursor;
  return page;
}

absl::StatusOr<Incident> Incidents::Change(std::string_view id, std::int64_t version,
                                           const IncidentChange& change,
                                           const IncidentActor& actor) {
  NTA_RETURN_IF_ERROR(CheckActor(actor));
  NTA_ASSIGN_OR_RETURN(Incident incident, Get(id));
  if (incident.version != version) {
    return base::MakeStatus(absl::StatusCode::kAborted,
                            "the incident was changed meanwhile (version " +
                                std::to_string(incident.version) + ", not " +
                                std::to_string(version) + ")");
  }
  const std::size_t entries = incident.timeline.size();
  NTA_RETURN_IF_ERROR(ApplyChange(store_, incident, change, actor));
  // Nothing is different: nothing is written.
  if (incident.timeline.size() == entries) return incident;
  incident.updated = actor.time;
  // A full one can still be assigned, resolved and closed.
  constexpr std::size_t kReserve = 256 << 10;
  return Save(std::move(incident), kMaxBytes + (change.comment ? 0 : kReserve));
}

template <typename Update>
absl::StatusOr<Incident> Incidents::Apply(std::string_view id, const IncidentActor& actor,
                                          const Update& update) {
  NTA_RETURN_IF_ERROR(CheckActor(actor));
  for (int i = 0; i < kTries; ++i) {
    NTA_ASSIGN_OR_RETURN(Incident incident, Get(id));
    NTA_RETURN_IF_ERROR(update(incident));
    incident.updated = actor.time;
    absl::StatusOr<Incident> saved = Save(std::move(incident));
    if (!absl::IsAborted(saved.status())) return saved;
  }
  return base::MakeStatus(absl::StatusCode::kAborted,
                          "too many change the incident at this moment");
}

absl::StatusOr<Incident> Incidents::Comment(std::string_view id, std::string_view text,
                                            const IncidentActor& actor) {
  NTA_ASSIGN_OR_RETURN(const std::string checked, CheckComment(text));
  return Apply(id, actor, [&](Incident& incident) {
    AddEntry(incident, actor, {.act = IncidentAct::kCommented, .text = checked});
    return absl::OkStatus();
  });
}

absl::StatusOr<Incident> Incidents::Link(std::string_view id, const IncidentLink& link,
                                         const IncidentActor& actor) {
  NTA_ASSIGN_OR_RETURN(IncidentLink checked, CheckLink(link));
  return Apply(id, actor, [&](Incident& incident) {
    if (incident.links.size() >= kMaxLinks) {
      return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                              "an incident has 1,000 links at the most");
    }
    const auto same = [&](const IncidentLink& other) {
      return other.kind == checked.kind && other.target == checked.target &&
             other.since == checked.since && other.until == checked.until;
    };
    if (std::any_of(incident.links.begin(), incident.links.end(), same)) {
      return base::MakeStatus(absl::StatusCode::kAlreadyExists,
                              Describe(checked) + " is linked already");
    }
    // Numbers are never used twice: a link that was removed stays on the timeline.
    AddEntry(incident, actor, {.act = IncidentAct::kLinked, .text = Describe(checked)});
    checked.id = incident.timeline.back().id;
    checked.author = actor.author;
    checked.time = actor.time;
    incident.links.push_back(checked);
    return absl::OkStatus();
  });
}

absl::StatusOr<Incident> Incidents::Unlink(std::string_view id, std::int64_t link_id,
                                           const IncidentActor& actor) {
  return Apply(id, actor, [&](Incident& incident) {
    const auto found = std::find_if(incident.links.begin(), incident.links.end(),
                                    [&](const IncidentLink& link) { return link.id == link_id; });
    if (found == incident.links.end()) {
      return base::MakeStatus(absl::StatusCode::kNotFound,
                              "there is no link " + std::to_string(link_id));
    }
    AddEntry(incident, actor, {.act = IncidentAct::kUnlinked, .text = Describe(*found)});
    incident.links.erase(found);
    return absl::OkStatus();
  });
}

std::string_view ToString(IncidentState state) { return kStates[static_cast<std::size_t>(state)]; }

absl::StatusOr<IncidentState> ParseIncidentState(std::string_view text) {
  const auto found = std::find(kStates.begin(), kStates.end(), text);
  if (found != kStates.end()) return static_cast<IncidentState>(found - kStates.begin());
  return base::InvalidArgument("\"" + std::string(text.substr(0, 60)) +
                               "\" is no state of an incident (open, investigating, contained, "
                               "resolved, closed)");
}

std::string_view ToString(IncidentLinkKind kind) {
  return kLinkKinds[static_cast<std::size_t>(kind)];
}

absl::StatusOr<IncidentLinkKind> ParseIncidentLinkKind(std::string_view text) {
  const auto found = std::find(kLinkKinds.begin(), kLinkKinds.end(), text);
  if (found != kLinkKinds.end()) return static_cast<IncidentLinkKind>(found - kLinkKinds.begin());
  return base::InvalidArgument("\"" + std::string(text.substr(0, 60)) +
                               "\" is no kind of link (alert, flows, rule, note)");
}

}  // namespace nta

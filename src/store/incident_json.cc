#include "store/incident_json.h"

#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/status.h"
#include "nta/store/incidents.h"

namespace nta {
namespace store {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 7> kActs = {
    "created", "changed", "commented", "linked", "unlinked", "evidence_added", "evidence_removed"};

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json TimeOrNull(const std::optional<Timestamp>& time) {
  return time ? Json(ToString(*time)) : Json();
}

Json ToValue(const IncidentLink& link) {
  return {{"id", link.id},
          {"kind", ToString(link.kind)},
          {"target", link.target},
          {"since", TimeOrNull(link.since)},
          {"until", TimeOrNull(link.until)},
          {"note", link.note},
          {"snapshot", link.snapshot.empty() ? Json() : Json::parse(link.snapshot, nullptr, false)},
          {"author", link.author},
          {"time", ToString(link.time)}};
}

Json ToValue(const IncidentEvidence& evidence) {
  return {{"id", evidence.id},
          {"name", evidence.name},
          {"media_type", evidence.media_type},
          {"description", evidence.description},
          {"size_bytes", evidence.size_bytes},
          {"sha256", evidence.sha256},
          {"author", evidence.author},
          {"time", ToString(evidence.time)},
          {"complete", evidence.complete}};
}

Json ToValue(const IncidentEntry& entry) {
  return {{"id", entry.id},         {"time", ToString(entry.time)},
          {"author", entry.author}, {"act", ToString(entry.act)},
          {"field", entry.field},   {"before", entry.before},
          {"after", entry.after},   {"text", entry.text}};
}

template <typename Values>
Json List(const Values& values) {
  Json list = Json::array();
  for (const auto& value : values) list.push_back(ToValue(value));
  return list;
}

// Thrown to DecodeIncident, as the library throws all else.
template <typename T>
T Need(absl::StatusOr<T> value) {
  if (!value.ok()) throw std::invalid_argument(std::string(value.status().message()));
  return *std::move(value);
}

Timestamp TimeFrom(const Json& json) { return Need(ParseTimestamp(json.get<std::string>())); }
std::optional<Timestamp> OptionalTimeFrom(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return TimeFrom(json);
}

IncidentLink LinkFrom(const Json& json) {
  IncidentLink link;
  link.id = json.at("id").get<std::int64_t>();
  link.kind = Need(ParseIncidentLinkKind(json.at("kind").get<std::string>()));
  link.target = json.at("target").get<std::string>();
  link.since = OptionalTimeFrom(json.at("since"));
  link.until = OptionalTimeFrom(json.at("until"));
  link.note = json.at("note").get<std::string>();
  if (!json.at("snapshot").is_null()) link.snapshot = Dump(json.at("snapshot"));
  link.author = json.at("author").get<std::string>();
  link.time = TimeFrom(json.at("time"));
  return link;
}

IncidentEvidence EvidenceFrom(const Json& json) {
  IncidentEvidence evidence;
  evidence.id = json.at("id").get<std::int64_t>();
  evidence.name = json.at("name").get<std::string>();
  evidence.media_type = json.at("media_type").get<std::string>();
  evidence.description = json.at("description").get<std::string>();
  evidence.size_bytes = json.at("size_bytes").get<std::uint64_t>();
  evidence.sha256 = json.at("sha256").get<std::string>();
  evidence.author = json.at("author").get<std::string>();
  evidence.time = TimeFrom(json.at("time"));
  evidence.complete = json.at("complete").get<bool>();
  if (evidence.size_bytes > Incidents::kMaxEvidenceBytes) throw std::out_of_range("size_bytes");
  return evidence;
}

IncidentAct ActFrom(const std::string& text) {
  for (std::size_t i = 0; i < kActs.size(); ++i) {
    if (kActs[i] == text) return static_cast<IncidentAct>(i);
  }
  throw std::invalid_argument("act");
}

IncidentEntry EntryFrom(const Json& json) {
  IncidentEntry entry;
  entry.id = json.at("id").get<std::int64_t>();
  entry.time = TimeFrom(json.at("time"));
  entry.author = json.at("author").get<std::string>();
  entry.act = ActFrom(json.at("act").get<std::string>());
  entry.field = json.at("field").get<std::string>();
  entry.before = json.at("before").get<std::string>();
  entry.after = json.at("after").get<std::string>();
  entry.text = json.at("text").get<std::string>();
  return entry;
}

Json Head(const Incident& incident) {
  return {{"id", incident.id},
          {"title", incident.title},
          {"description", incident.description},
          {"severity", ToString(incident.severity)},
          {"state", ToString(incident.state)},
          {"assignee", incident.assignee},
          {"created_by", incident.created_by},
          {"created", ToString(incident.created)},
          {"updated", ToString(incident.updated)},
          {"ended", TimeOrNull(incident.ended)}};
}

Json Whole(const Incident& incident) {
  Json json = Head(incident);
  json["links"] = List(incident.links);
  json["evidence"] = List(incident.evidence);
  json["timeline"] = List(incident.timeline);
  return json;
}

Incident IncidentFrom(const Json& json) {
  Incident incident;
  incident.id = json.at("id").get<std::string>();
  incident.title = json.at("title").get<std::string>();
  incident.description = json.at("description").get<std::string>();
  incident.severity = Need(ParseSeverity(json.at("severity").get<std::string>()));
  incident.state = Need(ParseIncidentState(json.at("state").get<std::string>()));
  incident.assignee = json.at("assignee").get<std::string>();
  incident.created_by = json.at("created_by").get<std::string>();
  incident.created = TimeFrom(json.at("created"));
  incident.updated = TimeFrom(json.at("updated"));
  incident.ended = OptionalTimeFrom(json.at("ended"));
  for (const Json& link : json.at("links")) incident.links.push_back(LinkFrom(link));
  for (const Json& one : json.at("evidence")) incident.evidence.push_back(EvidenceFrom(one));
  for (const Json& entry : json.at("timeline")) incident.timeline.push_back(EntryFrom(entry));
  return incident;
}

}  // namespace

std::string EncodeIncident(const Incident& incident) { return Dump(Whole(incident)); }

absl::StatusOr<Incident> DecodeIncident(std::string_view text) {
  // nlohmann throws.
  try {
    return IncidentFrom(Json::parse(text));
  } catch (const std::exception&) {
    return base::MakeStatus(absl::StatusCode::kDataLoss, "an incident of the store is damaged");
  }
}

absl::StatusOr<std::string> CheckJson(std::string_view text, std::size_t most) {
  if (text.size() > most) {
    return base::InvalidArgument("field \"snapshot\" is longer than " + std::to_string(most) +
                                 " bytes");
  }
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return base::InvalidArgument("field \"snapshot\" is no JSON");
  return Dump(json);
}

std::string QuoteJson(std::string_view text) { return Dump(Json(text)); }

}  // namespace store

std::string ToJson(const Incident& incident) {
  store::Json json = store::Whole(incident);
  json["version"] = incident.version;
  return store::Dump(json);
}

std::string ToSummaryJson(const Incident& incident) {
  store::Json json = store::Head(incident);
  std::size_t comments = 0;
  for (const IncidentEntry& entry : incident.timeline) {
    if (entry.act == IncidentAct::kCommented) ++comments;
  }
  json["links"] = incident.links.size();
  json["evidence"] = incident.evidence.size();
  json["comments"] = comments;
  json["version"] = incident.version;
  return store::Dump(json);
}

std::string_view ToString(IncidentAct act) { return store::kActs[static_cast<std::size_t>(act)]; }

}  // namespace nta

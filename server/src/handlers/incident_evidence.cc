// The evidence of incidents: files, kept flows, and all of it as one file.
#include "handlers/incident_evidence.h"

#include <charconv>
#include <memory>
#include <string>
#include <utility>

#include "base/status.h"
#include "handlers/alert_packets.h"
#include "http/body_file.h"
#include "http/json_text.h"
#include "http/parameters.h"
#include "nta/json/json.h"

namespace nta::server {
namespace {

constexpr std::size_t kMaxEvidenceFlows = 20'000;

// The flows as JSON lines. More than an incident can hold are refused, not cut.
absl::StatusOr<std::string> CollectFlows(const Store& store, FlowQuery query) {
  std::string lines;
  std::size_t count = 0;
  do {
    NTA_ASSIGN_OR_RETURN(const FlowPage page, store.Flows(query));
    for (const StoredFlow& stored : page.flows) lines += nta::ToJson(stored.flow) + "\n";
    count += page.flows.size();
    if (count > kMaxEvidenceFlows || lines.size() > Incidents::kMaxEvidenceBytes) {
      return base::InvalidArgument(
          "these are more than 20,000 flows or 16 MiB; narrow the filter or the time");
    }
    query.cursor = page.next_cursor;
  } while (!query.cursor.empty());
  if (count == 0) return base::InvalidArgument("no flow is stored that fits");
  return lines;
}

absl::StatusOr<Incident> KeepFlows(Services& services, const Call& call) {
  FlowQuery query{.order = FlowOrder::kOldestFirst, .limit = 5000};
  const Timestamp now = services.clock.wall();
  NTA_ASSIGN_OR_RETURN(query.interval.since, ReadTime(call, "since", now));
  NTA_ASSIGN_OR_RETURN(query.interval.until, ReadTime(call, "until", now));
  NTA_ASSIGN_OR_RETURN(query.filter, FlowFilter::Parse(call.Body("where")));
  NTA_ASSIGN_OR_RETURN(const std::string lines, CollectFlows(services.store, query));
  const std::string where = call.Body("where").empty() ? "all" : std::string(call.Body("where"));
  const EvidenceDraft draft{.name = "flows.jsonl",
                            .media_type = "application/x-ndjson",
                            .description = "Flows from " + nta::ToString(query.interval.since) +
                                           " to " + nta::ToString(query.interval.until) + ": " +
                                           where};
  return services.operations.incidents.AddEvidence(call.Path("id"), draft, lines,
                                                   ActorOf(services, call));
}

absl::StatusOr<Incident> KeepPackets(Services& services, const Call& call) {
  const std::string alert(call.Body("alert"));
  NTA_ASSIGN_OR_RETURN(const std::string packets, ReadPacketsBefore(services, alert));
  const EvidenceDraft draft{.name = "packets.pcapng",
                            .media_type = "application/vnd.tcpdump.pcap",
                            .description = "Packets before the alert " + alert};
  return services.operations.incidents.AddEvidence(call.Path("id"), draft, packets,
                                                   ActorOf(services, call));
}

absl::StatusOr<std::shared_ptr<BodyFile>> MakeFile(Services& services) {
  NTA_ASSIGN_OR_RETURN(BodyFile file, BodyFile::Create(services.scratch_directory));
  return std::make_shared<BodyFile>(std::move(file));
}

}  // namespace

IncidentActor ActorOf(Services& services, const Call& call) {
  return {.author = call.principal.account.username, .time = services.clock.wall()};
}

Response FromIncidentStatus(const absl::Status& status) {
  const std::string message(status.message());
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return Problem(404, message);
    case absl::StatusCode::kAborted:
      return Problem(409, "somebody has changed the incident meanwhile; look at it again");
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
      return Problem(409, message);
    case absl::StatusCode::kDataLoss:
      return Problem(500, message);
    default:
      return FromStatus(status);
  }
}

Response AnswerIncident(const absl::StatusOr<Incident>& incident, int success) {
  return incident.ok() ? Json(nta::ToJson(*incident), success)
                       : FromIncidentStatus(incident.status());
}

absl::StatusOr<std::int64_t> ReadNumber(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return base::MakeStatus(absl::StatusCode::kNotFound, "there is no such number");
}

absl::StatusOr<Timestamp> ReadTime(const Call& call, std::string_view name, Timestamp now) {
  const absl::StatusOr<Timestamp> time = ParseMoment(call.Body(name), now);
  if (time.ok()) return time;
  return base::InvalidArgument("field \"" + std::string(name) +
                               "\": " + std::string(time.status().message()));
}

Response PostEvidence(Services& services, const Call& call) {
  if (call.request->upload == nullptr) return Problem(400, "the body is the file");
  const BodyFile& upload = *call.request->upload;
  const auto bytes = upload.Read(0, static_cast<std::size_t>(upload.size()));
  if (!bytes.ok()) return FromStatus(bytes.status());
  EvidenceDraft draft{.name = std::string(call.Query("name")),
                      .description = std::string(call.Query("description"))};
  return AnswerIncident(services.operations.incidents.AddEvidence(call.Path("id"), draft, *bytes,
                                                                  ActorOf(services, call)),
                        201);
}

Response PostEvidenceFlows(Services& services, const Call& call) {
  return AnswerIncident(KeepFlows(services, call), 201);
}

Response PostEvidencePackets(Services& services, const Call& call) {
  return AnswerIncident(KeepPackets(services, call), 201);
}

Response GetEvidence(Services& services, const Call& call) {
  const auto number = ReadNumber(call.Path("evidence"));
  if (!number.ok()) return FromIncidentStatus(number.status());
  const Incidents& incidents = services.operations.incidents;
  const auto bytes = incidents.Evidence(call.Path("id"), *number);
  if (!bytes.ok()) return FromIncidentStatus(bytes.status());
  const auto incident = incidents.Get(call.Path("id"));
  std::string name = "evidence";
  for (const IncidentEvidence& evidence :
       incident.ok() ? incident->evidence : std::vector<IncidentEvidence>()) {
    if (evidence.id == *number) name = evidence.name;
  }
  const auto file = MakeFile(services);
  if (!file.ok()) return FromStatus(file.status());
  if (const absl::Status status = (*file)->Append(*bytes); !status.ok()) return FromStatus(status);
  // Never as what it claims to be: the browser must not run it.
  return Download(*file, name, "application/octet-stream");
}

Response DeleteEvidence(Services& services, const Call& call) {
  const auto number = ReadNumber(call.Path("evidence"));
  if (!number.ok()) return FromIncidentStatus(number.status());
  return AnswerIncident(services.operations.incidents.RemoveEvidence(call.Path("id"), *number,
                                                                     ActorOf(services, call)));
}

Response ExportIncident(Services& services, const Call& call) {
  const auto file = MakeFile(services);
  if (!file.ok()) return FromStatus(file.status());
  const absl::Status status = services.operations.incidents.Export(
      call.Path("id"), ActorOf(services, call),
      [&](std::string_view bytes) { return (*file)->Append(bytes); });
  if (!status.ok()) return FromIncidentStatus(status);
  return Download(*file, std::string(call.Path("id")) + ".tar", "application/x-tar");
}

}  // namespace nta::server

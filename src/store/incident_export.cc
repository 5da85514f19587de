// An incident as one file that can be handed on, and checked without us.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/status.h"
#include "nta/store/incidents.h"
#include "store/sha256.h"
#include "store/tar_writer.h"

namespace nta {
namespace {

using Json = nlohmann::ordered_json;

struct ExportedFile {
  std::string name;
  std::uint64_t size_bytes = 0;
  std::string sha256;
};

// Fit for every file system, and unable to leave the directory.
std::string FileName(const IncidentEvidence& evidence) {
  constexpr std::size_t kMost = 60;
  std::string name;
  for (const char c : evidence.name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_';
    name += plain ? c : '_';
  }
  // The end tells what it is.
  if (name.size() > kMost) name.erase(0, name.size() - kMost);
  return "evidence/" + std::to_string(evidence.id) + "-" + name;
}

std::string Seconds(Timestamp time) {
  constexpr std::size_t kSeconds = 19;
  return ToString(time).substr(0, kSeconds) + "Z";
}

// Lines of people's texts are set in, so that none looks like one of ours.
std::string SetIn(std::string_view text) {
  std::string result = "    ";
  for (const char c : text) {
    result += c;
    if (c == '\n') result += "    ";
  }
  return result + "\n";
}

std::string DescribeEntry(const IncidentEntry& entry) {
  std::string line = Seconds(entry.time) + "  " + entry.author + "  ";
  switch (entry.act) {
    case IncidentAct::kChanged:
      line += "changed " + entry.field;
      if (entry.field == "description") return line + "\n" + SetIn(entry.after);
      return line + " from \"" + entry.before + "\" to \"" + entry.after + "\"\n";
    case IncidentAct::kCommented:
      return line + "commented\n" + SetIn(entry.text);
    case IncidentAct::kCreated:
      return line + "opened the incident\n";
    case IncidentAct::kLinked:
      return line + "linked " + entry.text + "\n";
    case IncidentAct::kUnlinked:
      return line + "removed the link to " + entry.text + "\n";
    case IncidentAct::kEvidenceAdded:
      return line + "added " + entry.text + "\n";
    case IncidentAct::kEvidenceRemoved:
      return line + "removed " + entry.text + "\n";
  }
  return line + "\n";
}

std::string Report(const Incident& incident, const IncidentActor& actor) {
  std::string text = incident.id + ": " + incident.title + "\n\n";
  text += "Severity  " + std::string(ToString(incident.severity)) + "\n";
  text += "State     " + std::string(ToString(incident.state)) + "\n";
  text += "Assignee  " + (incident.assignee.empty() ? "nobody" : incident.assignee) + "\n";
  text += "Opened    " + Seconds(incident.created) + " by " + incident.created_by + "\n";
  if (incident.ended) text += "Ended     " + Seconds(*incident.ended) + "\n";
  text += "Exported  " + Seconds(actor.time) + " by " + actor.author + "\n";
  if (!incident.description.empty()) text += "\nDescription\n" + SetIn(incident.description);
  if (!incident.links.empty()) text += "\nLinks\n";
  for (const IncidentLink& link : incident.links) {
    text += "  " + std::string(ToString(link.kind)) + " " + link.target + "\n";
    if (!link.note.empty()) text += SetIn(link.note);
  }
  if (!incident.evidence.empty()) text += "\nEvidence\n";
  for (const IncidentEvidence& evidence : incident.evidence) {
    text += "  " + FileName(evidence) + "  " + std::to_string(evidence.size_bytes) + " bytes\n";
    text += "    SHA-256 " + evidence.sha256 + "\n";
    if (!evidence.complete) text += "    was never written to its end, and is not here\n";
  }
  text += "\nTimeline\n";
  for (const IncidentEntry& entry : incident.timeline) text += "  " + DescribeEntry(entry);
  return text;
}

std::string Manifest(const Incident& incident, const IncidentActor& actor,
                     const std::vector<ExportedFile>& files) {
  Json list = Json::array();
  for (const ExportedFile& file : files) {
    list.push_back({{"name", file.name}, {"size_bytes", file.size_bytes}, {"sha256", file.sha256}});
  }
  const Json json = {{"format", "nta-incident"},         {"format_version", 1},
                     {"incident", incident.id},          {"version", incident.version},
                     {"exported", ToString(actor.time)}, {"exported_by", actor.author},
                     {"files", std::move(list)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

absl::Status Incidents::Export(std::string_view id, const IncidentActor& actor,
                               const std::function<absl::Status(std::string_view)>& write) const {
  NTA_ASSIGN_OR_RETURN(const Incident incident, Get(id));
  const std::string directory = incident.id + "/";
  store::TarWriter tar(write, actor.time);
  std::vector<ExportedFile> files;
  const auto add = [&](const std::string& name, std::string_view bytes) {
    files.push_back({name, bytes.size(), store::Sha256Hex(bytes)});
    return tar.Add(directory + name, bytes);
  };
  NTA_RETURN_IF_ERROR(add("incident.json", ToJson(incident) + "\n"));
  NTA_RETURN_IF_ERROR(add("report.txt", Report(incident, actor)));
  for (const IncidentEvidence& evidence : incident.evidence) {
    if (!evidence.complete) continue;
    // One at a time in memory; read back and compared with what was added.
    NTA_ASSIGN_OR_RETURN(const std::string bytes, Evidence(id, evidence.id));
    NTA_RETURN_IF_ERROR(add(FileName(evidence), bytes));
  }
  NTA_RETURN_IF_ERROR(add("manifest.json", Manifest(incident, actor, files)));
  std::string sums;
  for (const ExportedFile& file : files) sums += file.sha256 + "  " + file.name + "\n";
  NTA_RETURN_IF_ERROR(tar.Add(directory + "SHA256SUMS", sums));
  return tar.Finish();
}

}  // namespace nta

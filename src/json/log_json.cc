#include "nta/json/log_json.h"

#include "json/values.h"

namespace nta {
namespace {

using json::Dump;
using json::Json;

Json Details(const AuditEvent& event) {
  Json details = Json::object();
  for (const auto& [name, value] : event.details) details[name] = value;
  return details;
}

Json ToValue(const AuditRecord& record) {
  const AuditEvent& event = record.event;
  Json json;
  json["sequence"] = record.sequence;
  json["time"] = ToString(event.time);
  json["actor"] = event.actor;
  json["role"] = event.role;
  json["address"] = event.address;
  json["act"] = event.act;
  json["target"] = event.target;
  json["outcome"] = ToString(event.outcome);
  json["about"] = event.about == 0 ? Json() : Json(event.about);
  json["details"] = Details(event);
  return json;
}

Json ToValue(const AuditFault& fault) {
  Json json;
  json["file"] = fault.file;
  json["offset"] = fault.offset;
  json["sequence"] = fault.sequence;
  json["reason"] = fault.reason;
  return json;
}

std::string CursorText(const std::string& cursor) {
  return cursor.empty() ? "null" : '"' + cursor + '"';
}

std::string CsvField(std::string_view text) {
  std::string field;
  if (!text.empty() && std::string_view("=+-@").find(text[0]) != std::string_view::npos) {
    field += '\'';
  }
  field += text;
  if (field.find_first_of("\",") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::string ToJson(const LogEvent& event) {
  std::string line = FormatLogLine(event, LogFormat::kJson);
  line.pop_back();
  return line;
}

std::string ToJson(const LogPage& page) {
  std::string text = R"({"events":[)";
  const char* separator = "";
  for (const LogEvent& event : page.events) {
    text.append(separator).append(ToJson(event));
    separator = ",";
  }
  return text + R"(],"next_cursor":)" + CursorText(page.next_cursor) + R"(,"unreadable":)" +
         std::to_string(page.unreadable) + "}";
}

std::string ToJson(const LogRotation& rotation) {
  Json json;
  json["max_bytes"] = rotation.max_bytes;
  json["max_age_seconds"] = std::chrono::floor<std::chrono::seconds>(rotation.max_age).count();
  json["keep"] = rotation.keep;
  json["compression"] = ToString(rotation.compression);
  return Dump(json);
}

std::string ToJson(const AuditRecord& record) { return Dump(ToValue(record)); }

std::string ToJson(const AuditPage& page) {
  Json json;
  json["records"] = Json::array();
  for (const AuditRecord& record : page.records) json["records"].push_back(ToValue(record));
  json["next_cursor"] = page.next_cursor.empty() ? Json() : Json(page.next_cursor);
  json["unreadable"] = page.unreadable;
  return Dump(json);
}

std::string ToJson(const AuditReport& report) {
  Json json;
  json["ok"] = report.ok();
  json["integrity"] = ToString(report.integrity);
  json["authenticity"] = ToString(report.authenticity);
  json["completeness"] = ToString(report.completeness);
  json["chain"] = report.chain;
  json["files"] = report.files;
  json["records"] = report.records;
  json["bytes"] = report.bytes;
  json["first_sequence"] = report.first_sequence;
  json["last_sequence"] = report.last_sequence;
  json["last_time"] = report.last_time ? Json(ToString(*report.last_time)) : Json();
  json["checkpoint_count"] = report.checkpoint_count;
  json["faults"] = Json::array();
  for (const AuditFault& fault : report.faults) json["faults"].push_back(ToValue(fault));
  json["summary"] = report.summary;
  return Dump(json);
}

std::string AuditCsvHeader() {
  return "sequence,time,actor,role,address,act,target,outcome,about,details\n";
}

std::string ToCsv(const AuditRecord& record) {
  const AuditEvent& event = record.event;
  std::string details;
  for (const auto& [name, value] : event.details) {
    details.append(details.empty() ? "" : "; ").append(name).append("=").append(value);
  }
  std::string line = std::to_string(record.sequence) + ',' + ToString(event.time);
  for (const std::string_view text : {std::string_view(event.actor), std::string_view(event.role),
                                      std::string_view(event.address), std::string_view(event.act),
                                      std::string_view(event.target), ToString(event.outcome)}) {
    line.append(",").append(CsvField(text));
  }
  line.append(",").append(event.about == 0 ? "" : std::to_string(event.about));
  return line.append(",").append(CsvField(details)).append("\n");
}

}  // namespace nta

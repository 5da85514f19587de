// Logs and audit trails as JSON.
//
//   for (const nta::AuditRecord& record : page.records) std::cout << nta::ToJson(record) << '\n';
#ifndef NTA_JSON_LOG_JSON_H_
#define NTA_JSON_LOG_JSON_H_

#include <string>

#include "nta/audit/audit_reader.h"
#include "nta/audit/audit_verify.h"
#include "nta/log/log_reader.h"
#include "nta/log/rotating_file_sink.h"

namespace nta {

// As ToJson() of nta/json/json.h: one object on one line. An event is what a file in JSON has.
std::string ToJson(const LogEvent& event);
std::string ToJson(const LogPage& page);
std::string ToJson(const LogRotation& rotation);
std::string ToJson(const AuditRecord& record);
std::string ToJson(const AuditPage& page);
std::string ToJson(const AuditReport& report);

// "sequence,time,actor,role,address,act,target,outcome,about,details", RFC 4180. What a spreadsheet
// would take for a formula has an apostrophe in front.
std::string AuditCsvHeader();
std::string ToCsv(const AuditRecord& record);

}  // namespace nta

#endif  // NTA_JSON_LOG_JSON_H_

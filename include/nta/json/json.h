// ToJson(), FromJson(): values as JSON texts, with the field names of their structs.
//
//   std::cout << nta::ToJson(alert) << '\n';       // one line
#ifndef NTA_JSON_JSON_H_
#define NTA_JSON_JSON_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "nta/detect/alert.h"
#include "nta/flow/flow_record.h"
#include "nta/pipeline/pipeline.h"
#include "nta/pipeline/traffic_sampler.h"
#include "nta/store/store.h"

namespace nta {

// Each gives one JSON object on one line, valid UTF-8, times in RFC 3339 UTC, absent values as
// null. docs/formats.md describes them. Texts that are not UTF-8 have U+FFFD in place of the wrong
// bytes.
std::string ToJson(const FlowRecord& flow);
std::string ToJson(const StoredFlow& flow);  // with "id"
std::string ToJson(const Alert& alert);
std::string ToJson(const PacketLedger& ledger);
std::string ToJson(const FlowTableStats& stats);
std::string ToJson(const TrafficSample& sample);
std::string ToJson(const Talker& talker);
std::string ToJson(const CaptureCounts& counts);
std::string ToJson(const FlowPage& page);
std::string ToJson(const AlertPage& page);
std::string ToJson(const TopResult& result, const TopQuery& query);
std::string ToJson(const SeriesResult& result, const SeriesQuery& query);
std::string ToJson(const ConversationResult& result, const ConversationQuery& query);
std::string ToJson(const TrafficSummary& summary);

// InvalidArgument names the field and what is wrong with it. Unknown fields are refused.
absl::StatusOr<FlowRecord> FlowFromJson(std::string_view text);
absl::StatusOr<Alert> AlertFromJson(std::string_view text);

}  // namespace nta

#endif  // NTA_JSON_JSON_H_

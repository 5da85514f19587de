// Values as nlohmann objects. Included by the .cc files of this module only: the library takes
// seconds to compile.
#ifndef NTA_JSON_VALUES_H_
#define NTA_JSON_VALUES_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "nta/detect/alert.h"
#include "nta/flow/flow_record.h"
#include "nta/store/store.h"

namespace nta::json {

// Fields keep the order in which they are written.
using Json = nlohmann::ordered_json;

// One line, with U+FFFD for bytes that are not UTF-8; numbers that JSON does not have become null.
std::string Dump(const Json& json);

Json ToValue(const FlowRecord& flow);
Json ToValue(const StoredFlow& flow);
Json ToValue(const Alert& alert);
Json ToValue(const TrafficTotals& totals);
Json ToValue(const CaptureCounts& counts);

}  // namespace nta::json

#endif  // NTA_JSON_VALUES_H_

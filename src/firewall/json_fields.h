// Reading JSON field by field. Included by .cc files that read JSON only: nlohmann takes seconds to
// compile.
#ifndef NTA_FIREWALL_JSON_FIELDS_H_
#define NTA_FIREWALL_JSON_FIELDS_H_

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/status.h"

namespace nta::firewall {

// Fields keep the order in which they are written.
using Json = nlohmann::ordered_json;

std::string Dump(const Json& json);
// InvalidArgument: not JSON, nested too deep, or a name twice in one object.
absl::StatusOr<Json> ParseJson(std::string_view text);

// The fields of one object; the first error is kept. A field that is null counts as absent.
class JsonFields {
 public:
  JsonFields(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    if (!json.is_object()) Fail("", "must be an object");
  }

  // Null when absent.
  const Json* Find(const std::string& name) {
    known_.insert(name);
    if (!json_.is_object()) return nullptr;
    const auto found = json_.find(name);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }
  const Json* Require(const std::string& name) {
    const Json* value = Find(name);
    if (value == nullptr) Fail(name, "is missing");
    return value;
  }

  void Text(const std::string& name, std::string& out) {
    const Json* value = Find(name);
    if (value == nullptr) return;
    if (!value->is_string()) return Fail(name, "must be a string");
    out = value->get<std::string>();
  }
  void Bool(const std::string& name, bool& out) {
    const Json* value = Find(name);
    if (value == nullptr) return;
    if (!value->is_boolean()) return Fail(name, "must be true or false");
    out = value->get<bool>();
  }
  template <typename Integer>
  void Number(const std::string& name, Integer& out) {
    const Json* value = Find(name);
    if (value == nullptr) return;
    if (!ReadInteger(*value, out)) {
      Fail(name,
           "must be an integer from 0 to " + std::to_string(std::numeric_limits<Integer>::max()));
    }
  }
  // parse(text) -> StatusOr<T>.
  template <typename T, typename Parse>
  void Parsed(const std::string& name, T& out, Parse parse) {
    const Json* value = Find(name);
    if (value == nullptr) return;
    if (!value->is_string()) return Fail(name, "must be a string");
    auto parsed = parse(value->get_ref<const std::string&>());
    if (!parsed.ok()) return Fail(name, std::string(parsed.status().message()));
    out = *std::move(parsed);
  }
  // read(item) -> Status, for each item of a list.
  template <typename Read>
  void List(const std::string& name, Read read) {
    const Json* value = Find(name);
    if (value == nullptr) return;
    if (!value->is_array()) return Fail(name, "must be a list");
    for (const Json& item : *value) {
      const absl::Status status = read(item);
      if (!status.ok()) return Fail(name, std::string(status.message()));
    }
  }

  void Fail(const std::string& name, const std::string& what) {
    if (!status_.ok()) return;
    status_ =
        base::InvalidArgument((name.empty() ? (where_.empty() ? "the JSON" : where_)
                                            : "field \"" + where_ + name.substr(0, 60) + "\"") +
                              ": " + what);
  }
  absl::Status Finish() {
    if (!json_.is_object()) return status_;
    for (const auto& [name, value] : json_.items()) {
      if (!known_.contains(name)) Fail(name, "is unknown");
    }
    return status_;
  }

  template <typename Integer>
  static bool ReadInteger(const Json& value, Integer& out) {
    if (!value.is_number_unsigned() ||
        value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<Integer>::max()}) {
      return false;
    }
    out = static_cast<Integer>(value.get<std::uint64_t>());
    return true;
  }

 private:
  const Json& json_;
  const std::string where_;
  std::set<std::string> known_;
  absl::Status status_;
};

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_JSON_FIELDS_H_

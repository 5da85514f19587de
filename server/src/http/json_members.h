// Reading and writing JSON objects of fixed members; for the .cc files of the server alone.
#ifndef NTA_SERVER_HTTP_JSON_MEMBERS_H_
#define NTA_SERVER_HTTP_JSON_MEMBERS_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/status.h"
#include "http/json_text.h"
#include "nta/net/time.h"

namespace nta::server {

using JsonValue = nlohmann::ordered_json;

inline std::string Dump(const JsonValue& json) {
  return json.dump(-1, ' ', false, JsonValue::error_handler_t::replace);
}

inline absl::StatusOr<JsonValue> ParseJsonObject(std::string_view text) {
  JsonValue json = JsonValue::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) {
    return base::InvalidArgument("the body is no JSON object");
  }
  return json;
}

// Reads members one by one and remembers the first mistake.
class JsonReader {
 public:
  explicit JsonReader(const JsonValue& json) : json_(json) {}

  const JsonValue* Find(const char* name) {
    known_.insert(name);
    const auto found = json_.find(name);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }
  std::string Text(const char* name) {
    const JsonValue* value = Find(name);
    if (value == nullptr) return "";
    if (value->is_string()) return value->get<std::string>();
    Fail(std::string("\"") + name + "\" is a text");
    return "";
  }
  double Number(const char* name, double fallback) {
    const JsonValue* value = Find(name);
    if (value == nullptr) return fallback;
    if (value->is_number()) return value->get<double>();
    Fail(std::string("\"") + name + "\" is a number");
    return fallback;
  }
  bool Boolean(const char* name, bool fallback) {
    const JsonValue* value = Find(name);
    if (value == nullptr) return fallback;
    if (value->is_boolean()) return value->get<bool>();
    Fail(std::string("\"") + name + "\" is true or false");
    return fallback;
  }
  std::vector<std::string> Texts(const char* name) {
    std::vector<std::string> texts;
    const JsonValue* value = Find(name);
    if (value == nullptr) return texts;
    if (value->is_array()) {
      for (const JsonValue& one : *value) {
        if (one.is_string()) texts.push_back(one.get<std::string>());
      }
    }
    if (!value->is_array() || texts.size() != value->size()) {
      Fail(std::string("\"") + name + "\" is a list of texts");
    }
    return texts;
  }
  std::optional<Timestamp> Time(const char* name) {
    const std::string text = Text(name);
    if (text.empty()) return std::nullopt;
    const auto time = ParseTimestamp(text);
    if (!time.ok()) Fail(std::string("\"") + name + "\" is no RFC 3339 time");
    return time.ok() ? std::optional(*time) : std::nullopt;
  }
  // A list of texts that `parse` reads.
  template <typename Value, typename ParseOne>
  std::vector<Value> List(const char* name, const ParseOne& parse) {
    std::vector<Value> values;
    for (const std::string& text : Texts(name)) {
      auto value = parse(text);
      if (!value.ok()) {
        Fail(std::string("\"") + name + "\": " + JsonQuote(text) + ": " +
             std::string(value.status().message()));
        break;
      }
      values.push_back(*std::move(value));
    }
    return values;
  }
  void Fail(std::string message) {
    if (error_.empty()) error_ = std::move(message);
  }
  absl::Status status() {
    for (const auto& [name, value] : json_.items()) {
      if (!known_.contains(name)) Fail("unknown field \"" + name.substr(0, 60) + "\"");
    }
    return error_.empty() ? absl::OkStatus() : base::InvalidArgument(error_);
  }

 private:
  const JsonValue& json_;
  std::set<std::string> known_;
  std::string error_;
};

inline JsonValue TimeJson(const std::optional<Timestamp>& time) {
  return time ? JsonValue(ToString(*time)) : JsonValue();
}
inline JsonValue TimeJson(Timestamp time) {
  return time == Timestamp{} ? JsonValue() : JsonValue(ToString(time));
}

template <typename Values, typename Render>
JsonValue ListJson(const Values& values, const Render& render) {
  JsonValue list = JsonValue::array();
  for (const auto& value : values) list.push_back(render(value));
  return list;
}

}  // namespace nta::server

#endif  // NTA_SERVER_HTTP_JSON_MEMBERS_H_

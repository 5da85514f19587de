// Fields: reads the fields of a JSON object one by one and says which is wrong.
#ifndef NTA_JSON_FIELDS_H_
#define NTA_JSON_FIELDS_H_

#include <concepts>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "json/values.h"

namespace nta::json {

inline absl::Status Wrong(const std::string& field, const std::string& what) {
  return base::InvalidArgument("field \"" + field.substr(0, 60) + "\": " + what);
}

// InvalidArgument when the text is not one object, or is one that programs would read differently.
absl::StatusOr<Json> ParseObject(std::string_view text);

// Takes fields out of an object, remembering the first error.
class Fields {
 public:
  Fields(const Json& object, std::string prefix) : object_(object), prefix_(std::move(prefix)) {}

  enum class Presence : std::uint8_t { kRequired, kOptional };

  // Calls read(value) when the field is there; it answers what is wrong, or nothing.
  template <typename Read>
  void Take(const std::string& name, Presence presence, Read read) {
    known_.insert(name);
    const auto found = object_.find(name);
    if (found == object_.end()) {
      if (presence == Presence::kRequired) Fail(name, "is missing");
      return;
    }
    if (const std::string wrong = read(*found); !wrong.empty()) Fail(name, wrong);
  }

  template <std::integral Integer>
  void TakeInteger(const std::string& name, Presence presence, Integer& out) {
    Take(name, presence, [&out](const Json& value) { return ReadInteger(value, out); });
  }
  void TakeText(const std::string& name, Presence presence, std::string& out) {
    TakeParsed(name, presence, out,
               [](const std::string& text) { return absl::StatusOr<std::string>(text); });
  }
  template <typename T, typename Parse>
  void TakeParsed(const std::string& name, Presence presence, T& out, Parse parse) {
    Take(name, presence, [&](const Json& value) -> std::string {
      if (!value.is_string()) return "must be a string";
      const auto parsed = parse(value.get_ref<const std::string&>());
      if (!parsed.ok()) return std::string(parsed.status().message());
      out = *parsed;
      return "";
    });
  }
  // As TakeParsed; null leaves `out` as it is.
  template <typename T, typename Parse>
  void TakeNullable(const std::string& name, T& out, Parse parse) {
    const auto found = object_.find(name);
    if (found != object_.end() && found->is_null()) {
      known_.insert(name);
      return;
    }
    TakeParsed(name, Presence::kOptional, out, parse);
  }
  void TakeNumber(const std::string& name, double& out) {
    Take(name, Presence::kOptional, [&out](const Json& value) -> std::string {
      if (value.is_null()) {
        out = std::numeric_limits<double>::quiet_NaN();
        return "";
      }
      if (!value.is_number()) return "must be a number";
      out = value.get<double>();
      return "";
    });
  }

  // Calls read(object, prefix of its fields) for an object that is there; null is none.
  template <typename Read>
  void TakeObject(const std::string& name, Presence presence, Read read) {
    known_.insert(name);
    const auto found = object_.find(name);
    if (found == object_.end()) {
      if (presence == Presence::kRequired) Fail(name, "is missing");
      return;
    }
    if (found->is_null() && presence == Presence::kOptional) return;
    if (!found->is_object()) return Fail(name, "must be an object");
    const absl::Status status = read(*found, prefix_ + name + ".");
    if (status_.ok()) status_ = status;
  }

  void Fail(const std::string& name, const std::string& what) {
    if (status_.ok()) status_ = Wrong(prefix_ + name, what);
  }
  absl::Status Finish() {
    for (const auto& [name, value] : object_.items()) {
      if (!known_.contains(name)) Fail(name, "is unknown");
    }
    return status_;
  }

  template <std::integral Integer>
  static std::string ReadInteger(const Json& value, Integer& out) {
    constexpr auto kMost = std::numeric_limits<Integer>::max();
    const bool in_range = value.is_number_unsigned()
                              ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(kMost)
                              : value.is_number_integer() && std::is_signed_v<Integer>;
    if (!in_range) return "must be an integer from 0 to " + std::to_string(kMost);
    out = value.get<Integer>();
    return "";
  }

 private:
  const Json& object_;
  const std::string prefix_;
  std::set<std::string> known_;
  absl::Status status_;
};

inline constexpr auto kRequired = Fields::Presence::kRequired;
inline constexpr auto kOptional = Fields::Presence::kOptional;

}  // namespace nta::json

#endif  // NTA_JSON_FIELDS_H_

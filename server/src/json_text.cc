#include "json_text.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/status.h"

namespace nta::server {
namespace {

constexpr std::size_t kMaxMembers = 32;

// Stops at the first thing that a flat object does not have.
class FlatObjectReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  FlatObject Take() { return std::move(object_); }
  const std::string& error() const { return error_; }

  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(number_integer_t value) override { return Add(value); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      return Fail("a number is out of range");
    }
    return Add(static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return Add(value); }
  bool string(string_t& value) override { return Add(std::move(value)); }
  bool binary(binary_t&) override { return Fail("binary values are not allowed"); }
  bool start_object(std::size_t) override {
    if (inside_) return Fail("nested objects are not allowed");
    inside_ = true;
    return true;
  }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return Fail("arrays are not allowed"); }
  bool end_array() override { return false; }
  bool key(string_t& value) override {
    if (object_.contains(value)) return Fail("a name appears twice");
    if (object_.size() >= kMaxMembers) return Fail("too many members");
    key_ = std::move(value);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    return Fail("not JSON at byte " + std::to_string(position));
  }

 private:
  bool Add(JsonScalar value) {
    if (!inside_) return Fail("an object is expected");
    object_.emplace(std::move(key_), std::move(value));
    return true;
  }
  bool Fail(std::string message) {
    error_ = std::move(message);
    return false;
  }

  bool inside_ = false;
  std::string key_;
  FlatObject object_;
  std::string error_ = "not a JSON object";
};

}  // namespace

absl::StatusOr<FlatObject> ParseFlatObject(std::string_view text) {
  FlatObjectReader reader;
  if (!nlohmann::json::sax_parse(text, &reader)) return base::InvalidArgument(reader.error());
  return reader.Take();
}

JsonObject& JsonObject::Add(std::string_view name, std::string_view text) {
  return AddJson(name, JsonQuote(text));
}
JsonObject& JsonObject::Add(std::string_view name, std::uint64_t number) {
  return AddJson(name, std::to_string(number));
}
JsonObject& JsonObject::AddJson(std::string_view name, std::string_view json) {
  if (text_.size() > 1) text_ += ',';
  text_ += JsonQuote(name);
  text_ += ':';
  text_ += json;
  return *this;
}

std::string JsonQuote(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace nta::server

#include "http/json_text.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

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

// Accepts what is within bounds and keeps nothing but the names of the objects that are open.
class BoundsReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  const std::string& error() const { return error_; }

  bool null() override { return IsInside(); }
  bool boolean(bool) override { return IsInside(); }
  bool number_integer(number_integer_t) override { return IsInside(); }
  bool number_unsigned(number_unsigned_t) override { return IsInside(); }
  bool number_float(number_float_t, const string_t&) override { return IsInside(); }
  bool string(string_t&) override { return IsInside(); }
  bool binary(binary_t&) override { return Fail("binary values are not allowed"); }
  bool start_object(std::size_t) override { return Open(); }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t) override { return IsInside() && Open(); }
  bool end_array() override { return Close(); }
  bool key(string_t& value) override {
    if (names_.size() == 1 && names_.front().size() >= kMaxMembers) {
      return Fail("too many members");
    }
    return names_.back().insert(std::move(value)).second || Fail("a name appears twice");
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    return Fail("not JSON at byte " + std::to_string(position));
  }

 private:
  static constexpr std::size_t kMaxDepth = 16;

  bool IsInside() { return !names_.empty() || Fail("an object is expected"); }
  bool Open() {
    if (names_.size() >= kMaxDepth) return Fail("nested too deeply");
    names_.emplace_back();
    return true;
  }
  bool Close() {
    names_.pop_back();
    return true;
  }
  bool Fail(std::string message) {
    error_ = std::move(message);
    return false;
  }

  std::vector<std::set<std::string>> names_;
  std::string error_ = "not a JSON object";
};

JsonMember::Type TypeOf(const nlohmann::json& value) {
  switch (value.type()) {
    case nlohmann::json::value_t::boolean:
      return JsonMember::Type::kBoolean;
    case nlohmann::json::value_t::number_integer:
    case nlohmann::json::value_t::number_unsigned:
      return JsonMember::Type::kInteger;
    case nlohmann::json::value_t::number_float:
      return JsonMember::Type::kNumber;
    case nlohmann::json::value_t::string:
      return JsonMember::Type::kText;
    case nlohmann::json::value_t::array:
      return JsonMember::Type::kArray;
    case nlohmann::json::value_t::object:
      return JsonMember::Type::kObject;
    default:
      return JsonMember::Type::kNull;
  }
}

}  // namespace

absl::StatusOr<JsonMembers> ParseObject(std::string_view text) {
  BoundsReader bounds;
  if (!nlohmann::json::sax_parse(text, &bounds)) return base::InvalidArgument(bounds.error());
  const nlohmann::json object = nlohmann::json::parse(text);
  JsonMembers members;
  for (const auto& [name, value] : object.items()) {
    members.emplace(name, JsonMember{TypeOf(value),
                                     value.is_string() ? value.get<std::string>() : value.dump()});
  }
  return members;
}

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

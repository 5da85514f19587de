// Flat JSON objects in, JSON texts out; the JSON library stays in the .cc.
#ifndef NTA_SERVER_HTTP_JSON_TEXT_H_
#define NTA_SERVER_HTTP_JSON_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"

namespace nta::server {

using JsonScalar = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string>;
using FlatObject = std::map<std::string, JsonScalar, std::less<>>;

// One object whose values are no objects or arrays, and nothing around it. InvalidArgument for
// anything else: nesting, duplicate keys, more than 32 members, integers outside 64 bits, bytes
// that are not UTF-8, comments, trailing text.
absl::StatusOr<FlatObject> ParseFlatObject(std::string_view text);

// A member of an object: a text without its quotes, anything else as JSON.
struct JsonMember {
  enum class Type : std::uint8_t { kNull, kBoolean, kInteger, kNumber, kText, kArray, kObject };
  Type type = Type::kNull;
  std::string text;
};
using JsonMembers = std::map<std::string, JsonMember, std::less<>>;

// One object whose members may be nested to a depth of 16. InvalidArgument for anything that
// ParseFlatObject refuses but nesting; duplicate keys are found at every depth.
absl::StatusOr<JsonMembers> ParseObject(std::string_view text);

// Puts an object together, member by member.
//
//   JsonObject().Add("key", key).Add("bytes", bytes).Take()
class JsonObject {
 public:
  JsonObject& Add(std::string_view name, std::string_view text);
  JsonObject& Add(std::string_view name, std::uint64_t number);
  // A value that is JSON already.
  JsonObject& AddJson(std::string_view name, std::string_view json);
  std::string Take() const { return text_ + '}'; }

 private:
  std::string text_ = "{";
};

// "[...]" of what `render` makes of each.
template <typename Values, typename Render>
std::string JsonList(const Values& values, const Render& render) {
  std::string text = "[";
  for (const auto& value : values) {
    if (text.size() > 1) text += ',';
    text += render(value);
  }
  return text + ']';
}

// The text in quotes, escaped; wrong UTF-8 becomes U+FFFD.
std::string JsonQuote(std::string_view text);

}  // namespace nta::server

#endif  // NTA_SERVER_HTTP_JSON_TEXT_H_

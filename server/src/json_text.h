// Flat JSON objects in, JSON texts out; the JSON library stays in the .cc.
#ifndef NTA_SERVER_JSON_TEXT_H_
#define NTA_SERVER_JSON_TEXT_H_

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

// The text in quotes, escaped; wrong UTF-8 becomes U+FFFD.
std::string JsonQuote(std::string_view text);

}  // namespace nta::server

#endif  // NTA_SERVER_JSON_TEXT_H_

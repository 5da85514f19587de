// "did you mean": the known name that is nearest to what somebody wrote.
#ifndef NTA_BASE_NEAREST_NAME_H_
#define NTA_BASE_NEAREST_NAME_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace nta::base {

// The candidate nearest to `text`, when it is near enough to be meant.
std::optional<std::string> NearestName(std::string_view text, std::span<const std::string> names);

// ` (did you mean "dport"?)`, or nothing.
std::string DidYouMean(const std::optional<std::string>& name);

}  // namespace nta::base

#endif  // NTA_BASE_NEAREST_NAME_H_

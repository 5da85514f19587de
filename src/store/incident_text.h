// Checks of the texts that people put into an incident.
#ifndef NTA_STORE_INCIDENT_TEXT_H_
#define NTA_STORE_INCIDENT_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace nta::store {

struct TextRule {
  std::string_view field;
  std::size_t least = 0;
  std::size_t most = 0;  // bytes
  bool lines = false;    // may hold line ends and tabs
};

// The text without blanks at its ends, line ends as \n. InvalidArgument when it does not fit.
absl::StatusOr<std::string> CheckText(std::string_view text, const TextRule& rule);

}  // namespace nta::store

#endif  // NTA_STORE_INCIDENT_TEXT_H_

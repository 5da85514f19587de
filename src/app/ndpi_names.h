// nDPI's numbers of protocols and categories in our words.
#ifndef NTA_APP_NDPI_NAMES_H_
#define NTA_APP_NDPI_NAMES_H_

#include <cstdint>

#include "nta/flow/application.h"

namespace nta::internal {

// kUnknown for what our list does not have.
Application ApplicationOfNdpi(std::uint16_t protocol);
// kUnknown for categories that say nothing.
ApplicationCategory CategoryOfNdpi(int category);

}  // namespace nta::internal

#endif  // NTA_APP_NDPI_NAMES_H_

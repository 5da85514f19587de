// SSH 1 and 2.
#ifndef NTA_APP_SSH_H_
#define NTA_APP_SSH_H_

#include "app/parser.h"

namespace nta::internal {

extern const Parser kSshParser;

}  // namespace nta::internal

#endif  // NTA_APP_SSH_H_

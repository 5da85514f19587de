// Members of an alert that have no column of their own: kept beside its evidence, under names that
// no evidence has, so that stores of older versions stay readable by both.
#ifndef NTA_SRC_STORE_ALERT_MEMBERS_H_
#define NTA_SRC_STORE_ALERT_MEMBERS_H_

#include <map>
#include <string>

#include "nta/detect/alert.h"

namespace nta::store {

// The evidence, and with it every such member that is not what a new Alert has.
std::map<std::string, EvidenceValue> EvidenceWithMembers(const Alert& alert);
// Moves them from the evidence to where they belong. False when one is not of its kind.
bool TakeMembers(Alert& alert);

}  // namespace nta::store

#endif  // NTA_SRC_STORE_ALERT_MEMBERS_H_

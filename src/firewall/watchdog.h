// The watchdog of a change: the program nta-firewall-guard, from both sides.
#ifndef NTA_FIREWALL_WATCHDOG_H_
#define NTA_FIREWALL_WATCHDOG_H_

#include <string>

#include "absl/status/status.h"
#include "firewall/change_marker.h"
#include "nta/firewall/change_guard.h"

namespace nta::firewall {

// Starts the program for the pending change of that directory; OK once it watches. It is no child
// of this process: it has a session of its own and is adopted by init.
absl::Status StartWatchdog(const WatchdogOptions& options, const std::string& state_directory);
// Whether one lives.
bool WatchdogLives(const ChangeFiles& files);

// The program itself. Calls ready() once it watches, and returns when the change is settled:
// confirmed, withdrawn, or taken back.
absl::Status WatchChange(const std::string& state_directory, void (*ready)());

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_WATCHDOG_H_

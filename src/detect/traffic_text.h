// Words and numbers that the alerts of several detectors share.
#ifndef NTA_SRC_DETECT_TRAFFIC_TEXT_H_
#define NTA_SRC_DETECT_TRAFFIC_TEXT_H_

#include <string>

#include "detect/scan_alert.h"  // ServiceText
#include "nta/net/ip_address.h"

namespace nta::detect {

std::string BytesText(double bytes);   // "1.2 GB", decimal units
std::string SpanText(double seconds);  // "2.5 s", "3 min", "4.1 h"

// An address of one host outside: neither private nor of many, nor a placeholder.
bool IsExternal(const IpAddress& address);

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_TRAFFIC_TEXT_H_

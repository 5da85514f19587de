// FillScanAlert(): an open scan as an Alert, in words and numbers.
#ifndef NTA_SRC_DETECT_SCAN_ALERT_H_
#define NTA_SRC_DETECT_SCAN_ALERT_H_

#include <string>

#include "detect/scan_source.h"
#include "nta/detect/alert.h"
#include "nta/detect/port_scan_detector.h"

namespace nta::detect {

// `source` must have a case of this kind.
void FillScanAlert(const ScanSource& source, ScanKind kind, const PortScanOptions& options,
                   Alert& alert);
Severity SeverityOf(const ScanSource& source, ScanKind kind);

// "12 s", "1 h 44 min".
std::string DurationText(Duration duration);
// "tcp/445", "icmp".
std::string ServiceText(std::uint8_t protocol, std::uint16_t port);

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_SCAN_ALERT_H_

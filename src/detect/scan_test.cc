#include "detect/scan_test.h"

#include <algorithm>
#include <cmath>

namespace nta::detect {
namespace {

// NaN compares false with everything and would pass std::clamp.
double Clamp(double value, double low, double high, double fallback) {
  return std::isnan(value) ? fallback : std::clamp(value, low, high);
}

}  // namespace

PortScanOptions Sane(PortScanOptions options) {
  const PortScanOptions defaults;
  options.benign_success = Clamp(options.benign_success, 0.02, 0.999, defaults.benign_success);
  options.scanner_success = Clamp(options.scanner_success, 0.001, options.benign_success - 0.01,
                                  std::min(defaults.scanner_success, options.benign_success / 2));
  options.false_positive_rate =
      Clamp(options.false_positive_rate, 1e-15, 0.1, defaults.false_positive_rate);
  options.detection_rate = Clamp(options.detection_rate, 0.5, 0.999999, defaults.detection_rate);
  options.min_ports = std::max<std::size_t>(options.min_ports, 2);
  options.min_hosts = std::max<std::size_t>(options.min_hosts, 2);
  options.min_pinged_hosts = std::max<std::size_t>(options.min_pinged_hosts, 2);
  constexpr Duration kShortest = std::chrono::milliseconds(1);
  constexpr Duration kLongest = std::chrono::hours(24 * 30);
  options.window = std::clamp(options.window, Duration(std::chrono::seconds(1)), kLongest);
  options.answer_timeout = std::clamp(options.answer_timeout, kShortest, kLongest);
  options.quiet_close = std::clamp(options.quiet_close, kShortest, kLongest);
  constexpr std::size_t kMostEntries = std::size_t{1} << 28;
  options.max_sources = std::clamp<std::size_t>(options.max_sources, 1, kMostEntries);
  options.max_pending = std::clamp<std::size_t>(options.max_pending, 1, kMostEntries);
  options.max_contacts = std::clamp<std::size_t>(options.max_contacts, 2, kMostEntries);
  return options;
}

ScanTest ScanTest::From(const PortScanOptions& options) {
  ScanTest test;
  test.failure_bits = std::log2((1 - options.scanner_success) / (1 - options.benign_success));
  test.success_bits = std::log2(options.benign_success / options.scanner_success);
  test.threshold_bits =
      std::min(std::log2(options.detection_rate / options.false_positive_rate), kMaxScoreBits);
  return test;
}

}  // namespace nta::detect

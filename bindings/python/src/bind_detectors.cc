// The detectors of the library: each takes its options as keywords.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "errors.h"
#include "guarded_detector.h"
#include "nta/detect/default_detectors.h"

namespace nta::python {
namespace {

// Takes options out of keywords; Finish() complains about those that are left.
class Keywords {
 public:
  Keywords(const py::kwargs& values, std::string type) : values_(values), type_(std::move(type)) {}

  template <typename Option>
  Keywords& Take(const char* name, Option& option) {
    if (!values_.contains(name)) return *this;
    const py::object value = values_.attr("pop")(name);
    try {
      if constexpr (std::is_same_v<Option, Duration>) {
        option = ToDuration(value.cast<double>(), name);
      } else {
        option = value.cast<Option>();
      }
    } catch (const py::cast_error&) {
      throw py::type_error(std::string(name) + " cannot be " + std::string(py::repr(value)));
    }
    return *this;
  }

  Keywords& Take(const char* name, std::vector<IpPrefix>& prefixes) {
    std::vector<std::string> texts;
    Take(name, texts);
    for (const std::string& text : texts) {
      prefixes.push_back(ValueOrRaise(IpPrefix::Parse(text)));
    }
    return *this;
  }

  void Finish() const {
    for (const auto& [name, value] : values_) {
      throw py::type_error(type_ + "() has no option '" + std::string(py::str(name)) + "'");
    }
  }

 private:
  py::kwargs values_;
  std::string type_;
};

PortScanOptions ToPortScanOptions(const py::kwargs& values) {
  PortScanOptions options;
  Keywords(values, "PortScanDetector")
      .Take("benign_success", options.benign_success)
      .Take("scanner_success", options.scanner_success)
      .Take("false_positive_rate", options.false_positive_rate)
      .Take("detection_rate", options.detection_rate)
      .Take("min_ports", options.min_ports)
      .Take("min_hosts", options.min_hosts)
      .Take("min_pinged_hosts", options.min_pinged_hosts)
      .Take("window", options.window)
      .Take("answer_timeout", options.answer_timeout)
      .Take("quiet_close", options.quiet_close)
      .Take("max_sources", options.max_sources)
      .Take("max_pending", options.max_pending)
      .Take("max_contacts", options.max_contacts)
      .Take("hash_seed", options.hash_seed)
      .Finish();
  return options;
}

FloodOptions ToFloodOptions(const py::kwargs& values) {
  FloodOptions options;
  Keywords(values, "FloodDetector")
      .Take("min_syn_rate", options.min_syn_rate)
      .Take("min_udp_rate", options.min_udp_rate)
      .Take("min_icmp_rate", options.min_icmp_rate)
      .Take("min_amplification_rate", options.min_amplification_rate)
      .Take("min_crowd_rate", options.min_crowd_rate)
      .Take("alerts_per_day", options.alerts_per_day)
      .Take("max_destinations", options.max_destinations)
      .Take("max_prefixes", options.max_prefixes)
      .Take("hash_seed", options.hash_seed)
      .Finish();
  return options;
}

BruteForceOptions ToBruteForceOptions(const py::kwargs& values) {
  BruteForceOptions options;
  Keywords(values, "BruteForceDetector")
      .Take("min_failures", options.min_failures)
      .Take("min_web_failures", options.min_web_failures)
      .Take("forgive_one", options.forgive_one)
      .Take("min_spray_failures", options.min_spray_failures)
      .Take("min_spray_hosts", options.min_spray_hosts)
      .Take("min_distributed_failures", options.min_distributed_failures)
      .Take("min_distributed_sources", options.min_distributed_sources)
      .Take("failures_before_success", options.failures_before_success)
      .Take("max_entries", options.max_entries)
      .Finish();
  return options;
}

ArpSpoofOptions ToArpSpoofOptions(const py::kwargs& values) {
  ArpSpoofOptions options;
  Keywords(values, "ArpSpoofDetector")
      .Take("contested_within", options.contested_within)
      .Take("min_silent_targets", options.min_silent_targets)
      .Take("forgive_one", options.forgive_one)
      .Take("answer_timeout", options.answer_timeout)
      .Take("max_addresses", options.max_addresses)
      .Finish();
  return options;
}

DhcpOptions ToDhcpOptions(const py::kwargs& values) {
  DhcpOptions options;
  Keywords(values, "DhcpDetector")
      .Take("min_messages", options.min_messages)
      .Take("learn_servers", options.learn_servers)
      .Take("max_servers", options.max_servers)
      .Finish();
  return options;
}

PolicyOptions ToPolicyOptions(const py::kwargs& values) {
  PolicyOptions options;
  Keywords(values, "PolicyDetector")
      .Take("local_networks", options.local_networks)
      .Take("internal_tcp_ports", options.internal_tcp_ports)
      .Take("internal_udp_ports", options.internal_udp_ports)
      .Take("allowed_sources", options.allowed_sources)
      .Take("block_lists", options.block_lists)
      .Take("reload_every", options.reload_every)
      .Take("max_block_entries", options.max_block_entries)
      .Take("hold", options.hold)
      .Finish();
  return options;
}

// A detector of one class of the library, so that Python tells them apart.
template <typename D>
class Native final : public GuardedDetector {
 public:
  explicit Native(std::unique_ptr<Detector> detector) : GuardedDetector(std::move(detector)) {}
};

template <typename D, typename Options>
void BindNative(py::module_& module, const char* name, const char* doc,
                Options (*to_options)(const py::kwargs&)) {
  py::class_<Native<D>, GuardedDetector>(module, name, doc)
      .def(py::init([to_options](const py::kwargs& values) {
        return std::make_unique<Native<D>>(std::make_unique<D>(to_options(values)));
      }));
}

std::vector<std::unique_ptr<GuardedDetector>> AllDetectors(const std::set<std::string>& disabled,
                                                           std::vector<std::string> block_lists) {
  DetectionOptions options;
  options.disabled = disabled;
  options.policy.block_lists = std::move(block_lists);
  std::vector<std::unique_ptr<GuardedDetector>> guarded;
  for (auto& detector : ValueOrRaise(DefaultDetectors(options))) {
    guarded.push_back(std::make_unique<GuardedDetector>(std::move(detector)));
  }
  return guarded;
}

}  // namespace

void BindDetectorClasses(py::module_& module) {
  BindNative<PortScanDetector>(module, "PortScanDetector",
                               "Who tries many ports of a host, or many hosts. Keywords are the "
                               "fields of nta::PortScanOptions; durations are seconds.",
                               &ToPortScanOptions);
  BindNative<FloodDetector>(module, "FloodDetector",
                            "Who is being flooded. Keywords are the fields of nta::FloodOptions.",
                            &ToFloodOptions);
  BindNative<BruteForceDetector>(module, "BruteForceDetector",
                                 "Who guesses passwords. Keywords are the fields of "
                                 "nta::BruteForceOptions; durations are seconds.",
                                 &ToBruteForceOptions);
  BindNative<ArpSpoofDetector>(module, "ArpSpoofDetector",
                               "Who claims addresses of others. Keywords are the fields of "
                               "nta::ArpSpoofOptions; durations are seconds.",
                               &ToArpSpoofOptions);
  BindNative<DhcpDetector>(module, "DhcpDetector",
                           "DHCP floods and new servers. Keywords are the fields of "
                           "nta::DhcpOptions; durations are seconds.",
                           &ToDhcpOptions);
  py::class_<Native<PolicyDetector>, GuardedDetector>(
      module, "PolicyDetector",
      "What is not allowed here. Keywords are the fields of nta::PolicyOptions: prefixes as texts, "
      "durations in seconds.")
      .def(py::init([](const py::kwargs& values) {
        return std::make_unique<Native<PolicyDetector>>(
            ValueOrRaise(PolicyDetector::Create(ToPolicyOptions(values))));
      }));
  module.def("default_detectors", &AllDetectors, py::kw_only(),
             py::arg("disabled") = std::set<std::string>(),
             py::arg("block_lists") = std::vector<std::string>(),
             "Every detector that is on unless somebody turns it off, by name.");
  module.def("default_detector_names", &DefaultDetectorNames);
}

}  // namespace nta::python

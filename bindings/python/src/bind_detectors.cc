// The detectors of the library. Each takes the options of its row in DetectorCatalogue() as
// keywords.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "detector_settings.h"
#include "errors.h"
#include "guarded_detector.h"
#include "nta/detect/detector_settings.h"
#include "python_model.h"

namespace nta::python {
namespace {

const DetectorInfo& InfoOf(const std::vector<DetectorInfo>& catalogue, const std::string& name) {
  const auto found = std::find_if(catalogue.begin(), catalogue.end(),
                                  [&](const DetectorInfo& info) { return info.name == name; });
  // The names are ours but for make_detector(), which has asked Configure before.
  return *found;
}

DetectorOptionValue ToValue(py::handle value, const DetectorOption& option) {
  const auto cannot = [&] {
    return py::type_error(option.name + " cannot be " + std::string(py::repr(value)));
  };
  try {
    switch (option.kind) {
      case DetectorOptionKind::kFlag:
        if (!py::isinstance<py::bool_>(value)) throw cannot();
        return value.cast<bool>();
      case DetectorOptionKind::kCount:
      case DetectorOptionKind::kNumber:
      case DetectorOptionKind::kSeconds:
        if (py::isinstance<py::bool_>(value)) throw cannot();
        return value.cast<double>();
      default:
        break;
    }
  } catch (const py::cast_error&) {
    throw cannot();
  }
  // A text is a sequence of texts, too.
  if (py::isinstance<py::str>(value) || !py::isinstance<py::iterable>(value)) throw cannot();
  std::vector<std::string> texts;
  for (const py::handle one : py::reinterpret_borrow<py::iterable>(value)) {
    texts.push_back(py::str(one).cast<std::string>());
  }
  return texts;
}

// `owner` is what an error calls it: "PortScanDetector()". Settings say "enabled" and "sensitivity"
// beside the options.
DetectorSettings ToSettings(const py::dict& values, const DetectorInfo& info,
                            const std::string& owner) {
  DetectorSettings settings;
  for (const auto& [key, value] : values) {
    const auto name = py::str(key).cast<std::string>();
    if (name == "enabled" && owner == info.name) {
      settings.enabled = value.cast<bool>();
      continue;
    }
    if (name == "sensitivity") {
      settings.sensitivity = ValueOrRaise(ParseSensitivity(py::str(value).cast<std::string>()));
      continue;
    }
    const auto option = std::find_if(info.options.begin(), info.options.end(),
                                     [&](const DetectorOption& one) { return one.name == name; });
    if (option == info.options.end()) {
      throw py::type_error(owner + " has no option '" + name + "'");
    }
    settings.options.emplace(name, ToValue(value, *option));
  }
  return settings;
}

DetectionOptions ToOptions(const char* name, const std::string& owner, const py::dict& keywords) {
  DetectionOptions options;
  const std::vector<DetectorInfo> catalogue = DetectorCatalogue();
  RaiseIfError(Configure(name, ToSettings(keywords, InfoOf(catalogue, name), owner), options));
  return options;
}

// A detector of one class of the library, so that Python tells them apart.
template <typename D>
class Native final : public GuardedDetector {
 public:
  explicit Native(std::unique_ptr<Detector> detector) : GuardedDetector(std::move(detector)) {}
};

// The key of hash tables, for those who want the same order of things in every run.
std::optional<std::uint64_t> TakeSeed(py::dict& keywords) {
  if (!keywords.contains("hash_seed")) return std::nullopt;
  return keywords.attr("pop")("hash_seed").cast<std::optional<std::uint64_t>>();
}

template <typename D>
void BindNative(py::module_& module, const char* class_name, const char* name,
                const std::string& about) {
  const std::string doc = about +
                          " Keywords are options as detector_catalogue() has them, `sensitivity` "
                          "(low, normal, high); durations are seconds.";
  py::class_<Native<D>, GuardedDetector>(module, class_name, doc.c_str())
      .def(py::init([class_name, name](const py::kwargs& values) {
        py::dict keywords = values.attr("copy")();
        std::optional<std::uint64_t> seed;
        constexpr bool kHasSeed =
            std::is_same_v<D, FloodDetector> || std::is_same_v<D, PortScanDetector>;
        if constexpr (kHasSeed) seed = TakeSeed(keywords);
        DetectionOptions options = ToOptions(name, std::string(class_name) + "()", keywords);
        options.flood.hash_seed = options.port_scan.hash_seed = seed;
        return std::make_unique<Native<D>>(ValueOrRaise(MakeDetector(name, options)));
      }));
}

void BindFlowAnomaly(py::module_& module) {
  using D = Native<FlowAnomalyDetector>;
  py::class_<D, GuardedDetector>(
      module, "FlowAnomalyDetector",
      "Hosts whose flows look like none before. Keywords are options as detector_catalogue() has "
      "them, and `models`: models of your own, as in VectorScorer.")
      .def(py::init([](const py::kwargs& keywords) {
        std::vector<PythonModel*> models;
        auto own = TakeModels(keywords, models);
        for (PythonModel* model : models) model->is_in_detector_ = true;
        const DetectionOptions options =
            ToOptions("flow_anomaly", "FlowAnomalyDetector()", keywords);
        return std::make_unique<D>(
            std::make_unique<FlowAnomalyDetector>(options.flow_anomaly, std::move(own)));
      }));
  module.def("flow_feature_names", &FlowFeatureNames,
             "What the models of FlowAnomalyDetector see of a flow, in their order.");
}

std::vector<std::unique_ptr<GuardedDetector>> AllDetectors(const std::set<std::string>& disabled,
                                                           std::vector<std::string> block_lists,
                                                           const py::dict& settings) {
  DetectionOptions options;
  for (const auto& [name, one] : ToAllSettings(settings)) {
    RaiseIfError(Configure(name, one, options));
  }
  options.disabled.insert(disabled.begin(), disabled.end());
  if (!block_lists.empty()) options.policy.block_lists = std::move(block_lists);
  std::vector<std::unique_ptr<GuardedDetector>> guarded;
  for (auto& detector : ValueOrRaise(DefaultDetectors(options))) {
    guarded.push_back(std::make_unique<GuardedDetector>(std::move(detector)));
  }
  return guarded;
}

py::list Catalogue() {
  py::list rows;
  for (const DetectorInfo& info : DetectorCatalogue()) {
    py::list options;
    for (const DetectorOption& option : info.options) {
      py::dict one;
      one["name"] = option.name;
      one["about"] = option.about;
      one["kind"] = ToStr(ToString(option.kind));
      one["default"] = py::cast(option.default_value);
      one["is_scaled"] = option.is_scaled;
      if (std::holds_alternative<double>(option.default_value)) {
        one["least"] = option.least;
        one["most"] = option.most;
      }
      options.append(one);
    }
    py::dict row;
    row["name"] = info.name;
    row["about"] = info.about;
    row["stored_flows"] = ToStr(ToString(info.stored_flows));
    row["stored_flows_note"] = info.stored_flows_note;
    row["options"] = options;
    rows.append(row);
  }
  return rows;
}

}  // namespace

std::map<std::string, DetectorSettings> ToAllSettings(const py::dict& settings) {
  std::map<std::string, DetectorSettings> all;
  DetectionOptions options;
  const std::vector<DetectorInfo> catalogue = DetectorCatalogue();
  for (const auto& [key, value] : settings) {
    const auto name = py::str(key).cast<std::string>();
    RaiseIfError(Configure(name, {}, options));  // whether there is such a detector
    all.emplace(name, ToSettings(value.cast<py::dict>(), InfoOf(catalogue, name), name));
  }
  return all;
}

void BindDetectorClasses(py::module_& module) {
  BindNative<FloodDetector>(module, "FloodDetector", "flood", "Who is being flooded.");
  BindNative<PortScanDetector>(module, "PortScanDetector", "port_scan",
                               "Who tries many ports of a host, or many hosts.");
  BindNative<BruteForceDetector>(module, "BruteForceDetector", "brute_force",
                                 "Who guesses passwords.");
  BindNative<ArpSpoofDetector>(module, "ArpSpoofDetector", "arp_spoof",
                               "Who claims addresses of others.");
  BindNative<DhcpDetector>(module, "DhcpDetector", "dhcp", "DHCP floods and new servers.");
  BindNative<PolicyDetector>(module, "PolicyDetector", "policy", "What is not allowed here.");
  BindNative<BeaconDetector>(module, "BeaconDetector", "beacon", "Programs that call home.");
  BindNative<DnsTunnelDetector>(module, "DnsTunnelDetector", "dns_tunnel", "Data in DNS names.");
  BindNative<ExfiltrationDetector>(module, "ExfiltrationDetector", "exfiltration",
                                   "Unusual uploads.");
  BindNative<RarePeerDetector>(module, "RarePeerDetector", "rare_peer",
                               "First contacts of hosts that hardly make any.");
  BindNative<BaselineDetector>(module, "BaselineDetector", "baseline",
                               "Traffic that is not what it usually is at this time.");
  BindFlowAnomaly(module);
  module.def("default_detectors", &AllDetectors, py::kw_only(),
             py::arg("disabled") = std::set<std::string>(),
             py::arg("block_lists") = std::vector<std::string>(), py::arg("settings") = py::dict(),
             "Every detector that is on unless somebody turns it off, by name. `settings` has a "
             "dict for a detector: enabled, sensitivity and its options.");
  module.def("default_detector_names", &DefaultDetectorNames);
  module.def("detector_catalogue", &Catalogue,
             "Each detector, what it can do with stored flows, and its options with bounds.");
}

}  // namespace nta::python

// Health: samples of this machine and process, their values, and thresholds.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bind_operations.h"
#include "clock.h"
#include "convert.h"
#include "gil.h"
#include "nta/health/health.h"
#include "nta/health/health_watch.h"
#include "nta/health/rates.h"
#include "nta/json/operations.h"

namespace nta::python {
namespace {

py::object FromJson(const std::string& json) {
  return py::module_::import("json").attr("loads")(ToStr(json));
}

Timestamp TimeOrNow(py::handle time) { return time.is_none() ? SystemNow() : ToTimestamp(time); }

HealthSample TakeSample(py::handle root, const std::vector<std::string>& paths, py::handle time) {
  HealthOptions options;
  options.root = ToPath(root);
  options.paths = paths;
  const Timestamp now = TimeOrNow(time);
  return WithoutGil([&] { return SampleHealth(now, options); });
}

HealthRates RatesSince(const HealthSample& sample, const HealthSample* since) {
  return since == nullptr ? HealthRates() : RatesBetween(*since, sample);
}

py::dict Values(const HealthSample& sample, const HealthSample* since) {
  py::dict values;
  for (const HealthValue& value : HealthValues(sample, RatesSince(sample, since))) {
    values[ToText(value.name)] = value.value;
  }
  return values;
}

HealthThreshold ToThreshold(const py::dict& dict) {
  const auto json = py::module_::import("json").attr("dumps")(py::make_tuple(dict));
  return ValueOrRaise(HealthThresholdsFromJson(json.cast<std::string>())).front();
}

std::unique_ptr<HealthWatch> MakeWatch(const std::optional<std::vector<py::dict>>& thresholds) {
  std::vector<HealthThreshold> list = DefaultHealthThresholds();
  if (thresholds) {
    list.clear();
    for (const py::dict& threshold : *thresholds) list.push_back(ToThreshold(threshold));
  }
  return std::make_unique<HealthWatch>(ValueOrRaise(HealthWatch::Create(std::move(list))));
}

py::list ToList(const std::vector<HealthFinding>& findings) {
  py::list list;
  for (const HealthFinding& finding : findings) list.append(FromJson(ToJson(finding)));
  return list;
}

py::list Observe(HealthWatch& watch, const std::map<std::string, double>& values, py::handle time) {
  std::vector<HealthValue> list;
  for (const auto& [name, value] : values) list.push_back({name, value});
  return ToList(watch.Observe(TimeOrNow(time), list));
}

py::list Thresholds(const HealthWatch& watch) {
  py::list list;
  for (const HealthThreshold& threshold : watch.thresholds()) {
    list.append(FromJson(ToJson(threshold)));
  }
  return list;
}

}  // namespace

void BindHealth(py::module_& module) {
  const auto since = py::arg("since") = py::none();
  const auto time = py::arg("time") = py::none();
  py::class_<HealthSample>(module, "HealthSample",
                           "What this machine and process have and use at one moment.")
      .def_property_readonly("time",
                             [](const HealthSample& self) { return ToNanoseconds(self.time); })
      .def_property_readonly(
          "problems", [](const HealthSample& self) { return self.problems; },
          "What could not be read, and why.")
      .def(
          "to_dict",
          [](const HealthSample& self, const HealthSample* before) {
            return FromJson(ToJson(self, RatesSince(self, before)));
          },
          since, "All of it; rates are there when `since` names an earlier sample.")
      .def("values", &Values, since, "Named numbers: {\"memory.usage\": 0.4, ...}.");
  module.def("health_sample", &TakeSample, py::arg("root") = "/", py::kw_only(),
             py::arg("paths") = std::vector<std::string>(), time,
             "Reads /proc and /sys below `root`; never fails as a whole.");
  py::class_<HealthWatch>(module, "HealthWatch",
                          "Values against thresholds, with hysteresis. One thread at a time.")
      .def(py::init(&MakeWatch), py::arg("thresholds") = py::none())
      .def("observe", &Observe, py::arg("values"), time, "What was raised, cleared or lost.")
      .def("active", [](const HealthWatch& self) { return ToList(self.Active()); })
      .def_property_readonly("thresholds", &Thresholds);
}

}  // namespace nta::python

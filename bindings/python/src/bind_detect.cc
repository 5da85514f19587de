// Alert and the detectors of the library.
#include <pybind11/operators.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <utility>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "fields.h"
#include "gil.h"
#include "guarded_detector.h"
#include "nta/detect/alert.h"
#include "nta/json/json.h"

namespace nta::python {
namespace {

using AlertFields = FieldsClass<Alert>;

template <typename Enum, typename Parse>
void NameField(AlertFields& alert, const char* name, Enum Alert::*member, const Parse& parse) {
  alert.ReadWrite(
      name, [member](const Alert& self) { return ToStr(ToString(self.*member)); },
      [member, parse](Alert& self, const std::string& text) {
        self.*member = ValueOrRaise(parse(text));
      });
}

void EntityAddress(AlertFields& alert, const char* name,
                   std::optional<IpAddress> AlertEntity::*member) {
  alert.ReadWrite(
      name,
      [member](const Alert& self) -> std::optional<std::string> {
        if (!(self.entity.*member)) return std::nullopt;
        return (*(self.entity.*member)).ToString();
      },
      [member](Alert& self, py::handle value) {
        self.entity.*member =
            value.is_none() ? std::nullopt : std::optional<IpAddress>(ToAddress(value));
      });
}

void TimeField(AlertFields& alert, const char* name, Timestamp Alert::*member) {
  alert.ReadWrite(
      name, [member](const Alert& self) { return ToNanoseconds(self.*member); },
      [member](Alert& self, py::handle value) { self.*member = ToTimestamp(value); });
}

void BindAlert(py::module_& module) {
  AlertFields alert(module, "Alert", "One finding of a detector, at one state of its life.");
  alert.type()
      .def(py::init(&FromKeywords<Alert>))
      .def(
          "to_json", [](const Alert& self) { return ToJson(self); }, "One line of JSON.")
      .def(
          "to_dict",
          [](const Alert& self) { return py::module_::import("json").attr("loads")(ToJson(self)); },
          "The JSON object as a dict.");
  alert.ReadWrite("id", &Alert::id)
      .ReadWrite(
          "time", [](const Alert& self) { return ToNanoseconds(self.time); },
          [](Alert& self, py::handle value) { self.time = ToTimestamp(value); })
      .ReadWrite("detector", &Alert::detector);
  NameField(alert, "alert_class", &Alert::alert_class, &ParseAlertClass);
  NameField(alert, "severity", &Alert::severity, &ParseSeverity);
  alert.ReadWrite("score", &Alert::score)
      .ReadWrite("observed", &Alert::observed)
      .ReadWrite("expected", &Alert::expected)
      .ReadWrite("unit", &Alert::unit);
  EntityAddress(alert, "source", &AlertEntity::source);
  EntityAddress(alert, "destination", &AlertEntity::destination);
  alert.ReadWrite(
      "service", [](const Alert& self) { return self.entity.service; },
      [](Alert& self, std::optional<std::string> value) {
        self.entity.service = std::move(value);
      });
  alert.ReadWrite(
      "window_seconds", [](const Alert& self) { return ToSeconds(self.window); },
      [](Alert& self, double seconds) { self.window = ToDuration(seconds, "window_seconds"); });
  alert.ReadWrite("evidence", &Alert::evidence).ReadWrite("technique", &Alert::technique);
  NameField(alert, "state", &Alert::state, &ParseAlertState);
  alert.ReadWrite("count", &Alert::count)
      .ReadWrite("summary", &Alert::summary)
      .ReadWrite("confidence", &Alert::confidence)
      .ReadWrite("band_low", &Alert::band_low)
      .ReadWrite("band_high", &Alert::band_high);
  TimeField(alert, "first_seen", &Alert::first_seen);
  TimeField(alert, "last_seen", &Alert::last_seen);
  alert
      .ReadWrite(
          "peers",
          [](const Alert& self) {
            std::vector<std::pair<std::string, double>> peers;
            for (const AlertPeer& peer : self.peers) peers.emplace_back(peer.name, peer.share);
            return peers;
          },
          [](Alert& self, const std::vector<std::pair<std::string, double>>& peers) {
            self.peers.clear();
            for (const auto& [name, share] : peers) self.peers.push_back({name, share});
          })
      .ReadWrite("advice", &Alert::advice)
      .ReadWrite("suppressed_by", &Alert::suppressed_by)
      .Finish()
      .def_property_readonly("datetime", [](const Alert& self) { return ToDatetime(self.time); })
      .def("__str__", [](const Alert& self) { return self.summary; })
      .def(py::self == py::self);
}

// Calls f with the detector, unless a pipeline uses it in another thread.
template <typename F>
auto WithDetector(GuardedDetector& guarded, const F& f) {
  const GuardedDetector::Session session(guarded);
  RaiseIfError(session.status());
  return f(guarded.detector());
}

void BindDetectors(py::module_& module) {
  py::class_<GuardedDetector>(module, "_NativeDetector")
      .def_property_readonly("name",
                             [](GuardedDetector& self) { return ToStr(self.detector().name()); })
      .def_property_readonly("memory_bytes",
                             [](GuardedDetector& self) {
                               return WithDetector(self,
                                                   [](Detector& d) { return d.memory_bytes(); });
                             })
      .def_property_readonly("memory_limit_bytes",
                             [](GuardedDetector& self) {
                               return WithDetector(
                                   self, [](Detector& d) { return d.memory_limit_bytes(); });
                             })
      .def_property_readonly("evictions",
                             [](GuardedDetector& self) {
                               return WithDetector(self, [](Detector& d) { return d.evictions(); });
                             })
      .def(
          "save",
          [](GuardedDetector& self) {
            return py::bytes(WithDetector(self, [](Detector& d) { return d.Save(); }));
          },
          "The state as bytes: versioned, with a checksum.")
      .def(
          "load",
          [](GuardedDetector& self, const py::bytes& state) {
            const auto bytes = state.cast<std::string>();
            RaiseIfError(WithDetector(self, [&](Detector& d) { return d.Load(bytes); }));
          },
          py::arg("state"));
}

}  // namespace

void BindDetect(py::module_& module) {
  BindAlert(module);
  BindDetectors(module);
  BindDetectorClasses(module);
}

}  // namespace nta::python

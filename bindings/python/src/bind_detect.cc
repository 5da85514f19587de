// Alert and the detectors of the library.
#include <pybind11/operators.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>

#include "bind.h"
#include "convert.h"
#include "fields.h"
#include "gil.h"
#include "guarded_detector.h"
#include "nta/detect/alert.h"
#include "nta/detect/port_scan_detector.h"
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
      .Finish()
      .def_property_readonly("datetime", [](const Alert& self) { return ToDatetime(self.time); })
      .def("__str__", [](const Alert& self) { return self.summary; })
      .def(py::self == py::self);
}

class PortScans final : public GuardedDetector {
 public:
  explicit PortScans(const PortScanOptions& options)
      : GuardedDetector(std::make_unique<PortScanDetector>(options)) {}
};

// The only place where the order matters; in Python all of them are keywords.
std::unique_ptr<PortScans> CreatePortScans(double benign_success, double scanner_success,
                                           double false_positive_rate, double detection_rate,
                                           std::size_t min_ports, std::size_t min_hosts,
                                           double window, double answer_timeout, double quiet_close,
                                           std::size_t max_sources, std::size_t max_pending,
                                           std::optional<std::uint64_t> hash_seed) {
  return std::make_unique<PortScans>(
      PortScanOptions{.benign_success = benign_success,
                      .scanner_success = scanner_success,
                      .false_positive_rate = false_positive_rate,
                      .detection_rate = detection_rate,
                      .min_ports = min_ports,
                      .min_hosts = min_hosts,
                      .window = ToDuration(window, "window"),
                      .answer_timeout = ToDuration(answer_timeout, "answer_timeout"),
                      .quiet_close = ToDuration(quiet_close, "quiet_close"),
                      .max_sources = max_sources,
                      .max_pending = max_pending,
                      .hash_seed = hash_seed});
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
  const PortScanOptions defaults;
  py::class_<PortScans, GuardedDetector>(module, "PortScanDetector",
                                         "Who tries many ports of a host, or many hosts.")
      .def(py::init(&CreatePortScans), py::kw_only(),
           py::arg("benign_success") = defaults.benign_success,
           py::arg("scanner_success") = defaults.scanner_success,
           py::arg("false_positive_rate") = defaults.false_positive_rate,
           py::arg("detection_rate") = defaults.detection_rate,
           py::arg("min_ports") = defaults.min_ports, py::arg("min_hosts") = defaults.min_hosts,
           py::arg("window") = ToSeconds(defaults.window),
           py::arg("answer_timeout") = ToSeconds(defaults.answer_timeout),
           py::arg("quiet_close") = ToSeconds(defaults.quiet_close),
           py::arg("max_sources") = defaults.max_sources,
           py::arg("max_pending") = defaults.max_pending, py::arg("hash_seed") = py::none());
}

}  // namespace

void BindDetect(py::module_& module) {
  BindAlert(module);
  BindDetectors(module);
}

}  // namespace nta::python

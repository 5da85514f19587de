#include <pybind11/pybind11.h>

#include "bind.h"
#include "bind_operations.h"
#include "convert.h"

PYBIND11_MODULE(_nta, module) {
  using namespace nta::python;
  module.doc() = "The compiled part of nta.";
  module.attr("__version__") = NTA_VERSION;
  module.def(
      "parse_timestamp",
      [](const std::string& text) {
        return ToNanoseconds(ValueOrRaise(nta::ParseTimestamp(text)));
      },
      "RFC 3339 to nanoseconds since 1970 UTC.");
  module.def(
      "format_timestamp", [](py::handle time) { return nta::ToString(ToTimestamp(time)); },
      "RFC 3339 in UTC with nanoseconds.");
  BindPacket(module);
  BindCapture(module);
  BindFlow(module);
  BindDetect(module);
  BindScorers(module);
  BindExport(module);
  BindPipeline(module);
  BindStore(module);
  BindLog(module);
  BindAudit(module);
  BindFirewall(module);
  BindBackup(module);
  BindHealth(module);
  BindSchedule(module);
  BindIncidents(module);
  BindRules(module);
  BindBacktest(module);
  BindNotify(module);
}

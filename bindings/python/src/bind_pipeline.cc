// Pipeline, Batch, read_flows().
#include <pybind11/operators.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "fields.h"
#include "flow_batch.h"
#include "nta/app/ndpi_namer.h"
#include "nta/capture/pcap_file_reader.h"
#include "pipeline_runner.h"

namespace nta::python {
namespace {

// The keywords that read_flows() and Pipeline() share.
struct MeterKeywords {
  double idle_timeout;
  double active_timeout;
  double closed_timeout;
  std::size_t max_flows;
  std::size_t max_memory_bytes;
  std::string view;
  bool defragment;
  bool statistics;
  std::size_t first_packets;
  std::size_t entropy_bytes;
};

PipelineOptions ToPipelineOptions(const MeterKeywords& keywords) {
  PipelineOptions options;
  options.flow_table.idle_timeout = ToDuration(keywords.idle_timeout, "idle_timeout");
  options.flow_table.active_timeout = ToDuration(keywords.active_timeout, "active_timeout");
  options.flow_table.closed_timeout = ToDuration(keywords.closed_timeout, "closed_timeout");
  options.flow_table.max_flows = keywords.max_flows;
  options.flow_table.max_memory_bytes = keywords.max_memory_bytes;
  if (keywords.statistics) {
    options.flow_table.statistics = FlowStatisticsOptions{.first_packets = keywords.first_packets,
                                                          .entropy_bytes = keywords.entropy_bytes};
  }
  options.decode.view = ToDecodeView(keywords.view);
  if (!keywords.defragment) options.defragment = Defragment::kOff;
  // The pipeline would tell only at its first step.
  RaiseIfError(FlowTable::Create(options.flow_table).status());
  return options;
}

bool IsFile(const py::object& source) {
  const py::module_ module = py::module_::import("nta._nta");
  if (py::isinstance(source, module.attr("PcapFileReader"))) return true;
  if (!py::isinstance(source, module.attr("MultiSource"))) return false;
  const py::list members = source.attr("sources");
  return std::all_of(members.begin(), members.end(), [](py::handle member) {
    return IsFile(py::reinterpret_borrow<py::object>(member));
  });
}

// A PcapFileReader, or several as one.
py::object OpenFiles(py::handle paths) {
  const py::module_ module = py::module_::import("nta._nta");
  const py::object reader = module.attr("PcapFileReader");
  if (!py::isinstance<py::list>(paths) && !py::isinstance<py::tuple>(paths)) return reader(paths);
  py::list readers;
  for (const py::handle path : paths) readers.append(reader(path));
  return module.attr("MultiSource")(readers);
}

std::unique_ptr<PipelineRunner> MakeRunner(const py::object& source, const py::iterable& detectors,
                                           RunnerOptions options) {
  auto runner = std::make_unique<PipelineRunner>(std::move(options));
  runner->SetSource(source);
  for (const py::handle detector : detectors) {
    runner->AddDetector(py::reinterpret_borrow<py::object>(detector));
  }
  return runner;
}

// What one step of the iteration brought.
struct PyBatch {
  FlowBatch flows;
  std::vector<Alert> alerts;
  std::uint64_t packets;
  Timestamp time;
};

PyBatch NextBatch(PipelineRunner& runner) {
  Portion portion;
  if (!ValueOrRaise(runner.Next(portion))) throw py::stop_iteration();
  return {FlowBatch(std::move(portion.flows)), std::move(portion.alerts), portion.packets,
          portion.time};
}

FlowBatch ReadFlows(py::handle path, MeterKeywords keywords, py::handle where, bool applications) {
  RunnerOptions options{.pipeline = ToPipelineOptions(keywords), .filter = ToFilter(where)};
  if (applications) options.pipeline.applications.emplace();
  const auto runner = MakeRunner(OpenFiles(path), py::tuple(), std::move(options));
  Portion portion;
  absl::Status status = runner->Next(portion).status();
  FlowBatch flows(std::move(portion.flows), runner->Stats());
  // Everything was read at once; what is left is the end or the reason for it.
  Portion rest;
  if (status.ok()) status = runner->Next(rest).status();
  if (status.ok()) return flows;
  const py::object error = MakeError(status);
  error.attr("flows") = std::move(flows);
  Raise(error);
}

void BindStats(py::module_& module) {
  FieldsClass<PacketLedger>(module, "PacketLedger",
                            "received = decoded + malformed + unsupported + filtered + dropped.")
      .Read("received", &PacketLedger::received)
      .Read("decoded", &PacketLedger::decoded)
      .Read("malformed", &PacketLedger::malformed)
      .Read("unsupported", &PacketLedger::unsupported)
      .Read("filtered", &PacketLedger::filtered)
      .Read("dropped", &PacketLedger::dropped)
      .Finish()
      .def("balances", &PacketLedger::Balances)
      .def(py::self == py::self);
  FieldsClass<PipelineStats>(module, "PipelineStats", "Counters of a pipeline and its parts.")
      .Read("ledger", &PipelineStats::ledger)
      .Read("capture", &PipelineStats::capture)
      .Read("flow_table", &PipelineStats::flow_table)
      .Read("fragments", &PipelineStats::fragments)
      .Read("alerts", &PipelineStats::alerts)
      .Read("decode_reasons", &PipelineStats::decode_reasons)
      .Read("unsupported", &PipelineStats::unsupported)
      .Finish();
}

void BindBatchClass(py::module_& module) {
  py::class_<PyBatch>(module, "Batch", "What happened since the batch before.")
      .def_readonly("flows", &PyBatch::flows, "FlowBatch of the flows that ended.")
      .def_readonly("alerts", &PyBatch::alerts)
      .def_readonly("packets", &PyBatch::packets, "How many were read.")
      .def_property_readonly("time", [](const PyBatch& self) { return ToNanoseconds(self.time); })
      .def_property_readonly("datetime", [](const PyBatch& self) { return ToDatetime(self.time); })
      .def("__repr__", [](const PyBatch& self) {
        return "<Batch of " + std::to_string(self.packets) + " packets, " +
               std::to_string(self.flows.size()) + " flows, " + std::to_string(self.alerts.size()) +
               " alerts>";
      });
}

// The runner of a Python object; null while the object is being made.
PipelineRunner* RunnerOf(PyObject* self) {
  auto slot = reinterpret_cast<py::detail::instance*>(self)->get_value_and_holder();
  return slot.holder_constructed() ? slot.value_ptr<PipelineRunner>() : nullptr;
}

void SetUpCollection(PyHeapTypeObject* heap_type) {
  PyTypeObject* type = &heap_type->ht_type;
  type->tp_flags |= Py_TPFLAGS_HAVE_GC;
  type->tp_traverse = [](PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    const PipelineRunner* runner = RunnerOf(self);
    return runner == nullptr ? 0 : runner->Traverse(visit, arg);
  };
  type->tp_clear = [](PyObject* self) {
    if (PipelineRunner* runner = RunnerOf(self); runner != nullptr) runner->Clear();
    return 0;
  };
}

void BindPipelineClass(py::module_& module) {
  py::class_<PipelineRunner>(
      module, "Pipeline", py::custom_type_setup(SetUpCollection),
      "Joins a packet source, the decoder, a flow table and detectors. Iterate to get batches; "
      "timeouts and `interval` are seconds. One thread at a time.")
      .def(py::init([](const py::object& source, const py::iterable& detectors, double idle_timeout,
                       double active_timeout, double closed_timeout, std::size_t max_flows,
                       std::size_t max_memory_bytes, const std::string& view, bool defragment,
                       bool statistics, std::size_t first_packets, std::size_t entropy_bytes,
                       py::handle where, std::uint64_t batch_packets, double interval,
                       bool applications, bool evidence, bool ndpi) {
             RunnerOptions options;
             options.pipeline = ToPipelineOptions({idle_timeout, active_timeout, closed_timeout,
                                                   max_flows, max_memory_bytes, view, defragment,
                                                   statistics, first_packets, entropy_bytes});
             if (evidence) options.evidence.emplace();
             if (applications || ndpi) options.pipeline.applications.emplace();
             if (ndpi) options.pipeline.applications->make_namer = [] { return CreateNdpiNamer(); };
             options.filter = ToFilter(where);
             if (batch_packets == 0) RaiseInvalidArgument("batch_packets must be at least 1");
             options.batch_packets = batch_packets;
             const Duration portion = ToDuration(interval, "interval");
             if (!IsFile(source)) options.interval = portion;
             return MakeRunner(source, detectors, std::move(options));
           }),
           py::arg("source"), py::kw_only(), py::arg("detectors") = py::tuple(),
           py::arg("idle_timeout") = 120.0, py::arg("active_timeout") = 1800.0,
           py::arg("closed_timeout") = 2.0, py::arg("max_flows") = 1'000'000,
           py::arg("max_memory_bytes") = 0, py::arg("view") = "outer", py::arg("defragment") = true,
           py::arg("statistics") = false, py::arg("first_packets") = 16,
           py::arg("entropy_bytes") = 0, py::arg("where") = py::none(),
           py::arg("batch_packets") = 65536, py::arg("interval") = 0.25,
           py::arg("applications") = false, py::arg("evidence") = false, py::arg("ndpi") = false)
      .def("__iter__", [](py::object self) { return self; })
      .def("__next__", &NextBatch)
      .def("stop", &PipelineRunner::Stop,
           "Reads no further: what is left of the iteration ends all flows and alerts.")
      .def(
          "write_evidence",
          [](PipelineRunner& self, const std::string& alert, py::handle path) {
            RaiseIfError(self.WriteEvidence(alert, ToPath(path)));
          },
          py::arg("alert_id"), py::arg("path"),
          "Writes the packets before an alert (the latest 200, cut at 256 bytes) as a pcapng file. "
          "Needs evidence=True; NotFoundError when none are kept.")
      .def("stats", &PipelineRunner::Stats, "As of the last batch.");
}

}  // namespace

void BindPipeline(py::module_& module) {
  BindStats(module);
  BindBatchClass(module);
  BindPipelineClass(module);
  module.def(
      "read_flows",
      [](py::handle path, double idle_timeout, double active_timeout, double closed_timeout,
         std::size_t max_flows, std::size_t max_memory_bytes, const std::string& view,
         bool defragment, bool statistics, std::size_t first_packets, std::size_t entropy_bytes,
         py::handle where, bool applications) {
        return ReadFlows(path,
                         {idle_timeout, active_timeout, closed_timeout, max_flows, max_memory_bytes,
                          view, defragment, statistics, first_packets, entropy_bytes},
                         where, applications);
      },
      py::arg("path"), py::kw_only(), py::arg("idle_timeout") = 120.0,
      py::arg("active_timeout") = 1800.0, py::arg("closed_timeout") = 2.0,
      py::arg("max_flows") = 1'000'000, py::arg("max_memory_bytes") = 0, py::arg("view") = "outer",
      py::arg("defragment") = true, py::arg("statistics") = false, py::arg("first_packets") = 16,
      py::arg("entropy_bytes") = 0, py::arg("where") = py::none(), py::arg("applications") = false,
      "All flows of a capture file, or of a list of them in the order of time. Timeouts are "
      "seconds, "
      "`where` is a filter. A damaged file raises nta.DataLossError, whose `flows` holds "
      "what could be read. `applications` says what flows carry, and by what "
      "names addresses are known.");
}

}  // namespace nta::python

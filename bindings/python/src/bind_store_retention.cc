// What a store keeps, and what each kind of it takes.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>

#include "bind.h"
#include "convert.h"
#include "gil.h"
#include "nta/store/store.h"
#include "store_handle.h"
#include "store_queries.h"

namespace nta::python {
namespace {

using Seconds = std::optional<double>;
using Bytes = std::optional<std::uint64_t>;

std::optional<Duration> Age(const Seconds& seconds, const char* name) {
  return seconds ? std::optional(ToDuration(*seconds, name)) : std::nullopt;
}

py::dict Retain(StoreHandle& store, const RetentionPolicy& policy, Timestamp now) {
  const RetentionResult result =
      ValueOrRaise(store.With([&](Store& s) { return s.Retain(policy, now); }));
  py::dict answer;
  answer["flows_deleted"] = result.flows_deleted;
  answer["alerts_deleted"] = result.alerts_deleted;
  answer["samples_deleted"] = result.samples_deleted;
  answer["incidents_deleted"] = result.incidents_deleted;
  answer["bytes_before"] = result.bytes_before;
  answer["bytes_after"] = result.bytes_after;
  answer["clock_jumped"] = result.clock_jumped;
  return answer;
}

py::dict Preview(StoreHandle& store, const RetentionPolicy& policy, Timestamp now) {
  const RetentionPreview preview =
      ValueOrRaise(store.With([&](Store& s) { return s.PreviewRetain(policy, now); }));
  py::dict answer;
  answer["flows"] = preview.flows;
  answer["alerts"] = preview.alerts;
  answer["samples"] = preview.samples;
  answer["incidents"] = preview.incidents;
  answer["flows_by_bytes"] = preview.flows_by_bytes;
  answer["alerts_by_bytes"] = preview.alerts_by_bytes;
  answer["samples_by_bytes"] = preview.samples_by_bytes;
  answer["incidents_by_bytes"] = preview.incidents_by_bytes;
  answer["over_max_bytes"] = preview.over_max_bytes;
  answer["excess_bytes"] = preview.excess_bytes;
  answer["flows_by_size"] = preview.flows_by_size;
  return answer;
}

// A method that takes what to keep as keyword arguments.
template <py::dict (*Act)(StoreHandle&, const RetentionPolicy&, Timestamp)>
void Define(py::class_<StoreHandle, std::shared_ptr<StoreHandle>>& store, const char* name,
            const char* says) {
  const auto act = [](StoreHandle& self, Seconds flow_age, Seconds alert_age, Seconds sample_age,
                      Seconds incident_age, Bytes flow_bytes, Bytes alert_bytes, Bytes sample_bytes,
                      Bytes incident_bytes, Bytes max_bytes, py::handle now) {
    const RetentionPolicy policy{.flow_age = Age(flow_age, "flow_age"),
                                 .alert_age = Age(alert_age, "alert_age"),
                                 .sample_age = Age(sample_age, "sample_age"),
                                 .incident_age = Age(incident_age, "incident_age"),
                                 .flow_bytes = flow_bytes,
                                 .alert_bytes = alert_bytes,
                                 .sample_bytes = sample_bytes,
                                 .incident_bytes = incident_bytes,
                                 .max_bytes = max_bytes};
    return Act(self, policy, ToTimestamp(now));
  };
  store.def(name, act, py::kw_only(), py::arg("flow_age") = py::none(),
            py::arg("alert_age") = py::none(), py::arg("sample_age") = py::none(),
            py::arg("incident_age") = py::none(), py::arg("flow_bytes") = py::none(),
            py::arg("alert_bytes") = py::none(), py::arg("sample_bytes") = py::none(),
            py::arg("incident_bytes") = py::none(), py::arg("max_bytes") = py::none(),
            py::arg("now") = "now", says);
}

py::dict SizeOf(const StoreHandle& store) {
  const StoreSize size = ValueOrRaise(store.With([](Store& s) { return s.Size(); }));
  py::dict answer;
  answer["file_bytes"] = size.file_bytes;
  answer["free_bytes"] = size.free_bytes;
  answer["log_bytes"] = size.log_bytes;
  answer["flows"] = size.flows;
  return answer;
}

py::dict UsageOf(const StoreHandle& store) {
  const StoreUsage usage = ValueOrRaise(store.With([](Store& s) { return s.Usage(); }));
  py::dict answer;
  const auto add = [&answer](const char* name, const KindUsage& kind) {
    py::dict of_kind;
    of_kind["count"] = kind.count;
    of_kind["bytes"] = kind.bytes;
    answer[name] = of_kind;
  };
  add("flows", usage.flows);
  add("alerts", usage.alerts);
  add("samples", usage.samples);
  add("incidents", usage.incidents);
  answer["other_bytes"] = usage.other_bytes;
  return answer;
}

}  // namespace

void BindStoreRetention(py::class_<StoreHandle, std::shared_ptr<StoreHandle>>& store) {
  Define<Retain>(store, "retain",
                 "Deletes flows, alerts, samples and ended incidents older than so many seconds; "
                 "of each kind the oldest while it takes more than its bytes; and the oldest "
                 "flows while the file has more than max_bytes. Gives the space back. None keeps "
                 "for good.");
  Define<Preview>(store, "preview_retain", "What retain() with these arguments would delete now.");
  store.def("size", &SizeOf, "file_bytes, free_bytes, log_bytes and flows.")
      .def("usage", &UsageOf,
           "count and bytes of flows (with their totals), alerts, samples and incidents; and "
           "other_bytes.");
}

}  // namespace nta::python

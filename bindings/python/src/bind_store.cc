// Store: flows and alerts in one SQLite file.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "flow_batch.h"
#include "gil.h"
#include "nta/json/json.h"
#include "nta/store/store.h"
#include "store_handle.h"

namespace nta::python {
namespace {

constexpr std::size_t kMaxPage = 10'000;

std::unique_ptr<StoreHandle> OpenStore(py::handle path, double query_timeout) {
  StoreOptions options;
  options.path = ToPath(path);
  options.query_timeout =
      std::chrono::ceil<std::chrono::milliseconds>(ToDuration(query_timeout, "query_timeout"));
  return std::make_unique<StoreHandle>(
      options.path, ValueOrRaise(WithoutGil([&] { return Store::Open(options); })));
}

TimeInterval ToInterval(py::handle since, py::handle until) {
  TimeInterval interval;
  if (!since.is_none()) interval.since = ToTimestamp(since);
  if (!until.is_none()) interval.until = ToTimestamp(until);
  return interval;
}

std::vector<FlowRecord> ToFlows(py::handle flows) {
  std::vector<FlowRecord> records;
  if (py::isinstance<FlowBatch>(flows)) {
    const FlowBatch& batch = flows.cast<const FlowBatch&>();
    records.reserve(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) records.push_back(batch.columns()->Row(i));
    return records;
  }
  for (const py::handle flow : py::reinterpret_borrow<py::iterable>(flows)) {
    records.push_back(flow.cast<FlowRecord>());
  }
  return records;
}

void Write(StoreHandle& store, const py::iterable& flows, const std::vector<Alert>& alerts) {
  const std::vector<FlowRecord> records = ToFlows(flows);
  RaiseIfError(store.With([&](Store& s) { return s.Write(records, alerts); }));
}

FlowOrder ToOrder(const std::string& name) {
  if (name == "newest") return FlowOrder::kNewestFirst;
  if (name == "oldest") return FlowOrder::kOldestFirst;
  if (name == "bytes") return FlowOrder::kMostBytes;
  if (name == "packets") return FlowOrder::kMostPackets;
  RaiseInvalidArgument("unknown order \"" + name + "\" (newest, oldest, bytes or packets)");
}

FlowBatch Flows(const StoreHandle& store, py::handle since, py::handle until, py::handle where,
                std::optional<std::size_t> limit, const std::string& order) {
  FlowQuery query;
  query.interval = ToInterval(since, until);
  query.filter = ToFilter(where);
  query.order = ToOrder(order);
  const std::size_t wanted = limit.value_or(std::numeric_limits<std::size_t>::max());
  FlowColumns columns;
  while (columns.size() < wanted) {
    query.limit = std::min(kMaxPage, wanted - columns.size());
    const FlowPage page = ValueOrRaise(store.With([&](Store& s) { return s.Flows(query); }));
    for (const StoredFlow& stored : page.flows) columns.Append(stored.flow);
    if (page.next_cursor.empty()) break;
    query.cursor = page.next_cursor;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }
  return FlowBatch(std::move(columns));
}

std::vector<Alert> Alerts(const StoreHandle& store, py::handle since, py::handle until,
                          const std::optional<std::string>& alert_class,
                          const std::optional<std::string>& min_severity,
                          std::optional<std::size_t> limit) {
  AlertQuery query;
  query.interval = ToInterval(since, until);
  if (alert_class) query.alert_class = ValueOrRaise(ParseAlertClass(*alert_class));
  if (min_severity) query.min_severity = ValueOrRaise(ParseSeverity(*min_severity));
  const std::size_t wanted = limit.value_or(std::numeric_limits<std::size_t>::max());
  std::vector<Alert> alerts;
  while (alerts.size() < wanted) {
    query.limit = std::min(kMaxPage, wanted - alerts.size());
    AlertPage page = ValueOrRaise(store.With([&](Store& s) { return s.Alerts(query); }));
    std::move(page.alerts.begin(), page.alerts.end(), std::back_inserter(alerts));
    if (page.next_cursor.empty()) break;
    query.cursor = page.next_cursor;
  }
  return alerts;
}

py::dict ToDict(const TrafficTotals& totals) {
  py::dict dict;
  dict["bytes"] = totals.bytes;
  dict["packets"] = totals.packets;
  dict["flows"] = totals.flows;
  return dict;
}

py::dict ToDict(const TopRow& row) {
  py::dict dict;
  dict["key"] = row.key;
  dict["bytes"] = row.totals.bytes;
  dict["packets"] = row.totals.packets;
  dict["flows"] = row.totals.flows;
  dict["sent_bytes"] = row.sent_bytes;
  dict["received_bytes"] = row.received_bytes;
  return dict;
}

py::list ToList(const std::vector<TopRow>& rows) {
  py::list list;
  for (const TopRow& row : rows) list.append(ToDict(row));
  return list;
}

py::object Top(const StoreHandle& store, const std::string& dimension, const std::string& by,
               std::size_t limit, py::handle since, py::handle until, py::handle where) {
  TopQuery query;
  query.interval = ToInterval(since, until);
  query.dimension = ValueOrRaise(ParseTopDimension(dimension));
  query.by = ValueOrRaise(ParseMeasure(by));
  query.limit = limit;
  query.filter = ToFilter(where);
  const TopResult result = ValueOrRaise(store.With([&](Store& s) { return s.Top(query); }));
  return py::module_::import("nta._results")
      .attr("TopResult")(ToList(result.rows), ToDict(result.total),
                         ToNanoseconds(result.interval.since), ToNanoseconds(result.interval.until),
                         ToStr(ToString(result.source)));
}

py::object Series(const StoreHandle& store, py::handle since, py::handle until, double step,
                  const std::optional<std::string>& by, const std::string& measure,
                  py::handle address, py::handle where) {
  SeriesQuery query;
  query.interval = ToInterval(since, until);
  const Duration step_duration = ToDuration(step, "step");
  query.step = std::chrono::floor<std::chrono::seconds>(step_duration);
  if (query.step != step_duration) RaiseInvalidArgument("step must be whole seconds");
  if (by && *by != "protocol") {
    RaiseInvalidArgument("cannot split a series by \"" + *by + "\" (protocol or None)");
  }
  query.by = by ? SeriesBy::kProtocol : SeriesBy::kNone;
  query.measure = ValueOrRaise(ParseMeasure(measure));
  if (!address.is_none()) query.address = ToAddress(address);
  query.filter = ToFilter(where);
  const SeriesResult result = ValueOrRaise(store.With([&](Store& s) { return s.Series(query); }));
  py::list times;
  for (const Timestamp time : result.times) times.append(ToNanoseconds(time));
  py::dict lines;
  for (const SeriesLine& line : result.lines) lines[py::str(line.key)] = line.values;
  return py::module_::import("nta._results")
      .attr("SeriesResult")(times, lines, result.step.count(), ToStr(ToString(result.source)));
}

py::dict Summary(const StoreHandle& store, py::handle since, py::handle until) {
  const TimeInterval interval = ToInterval(since, until);
  const TrafficSummary summary =
      ValueOrRaise(store.With([&](Store& s) { return s.Summary(interval); }));
  py::dict dict = ToDict(summary.total);
  dict["since"] = ToNanoseconds(summary.interval.since);
  dict["until"] = ToNanoseconds(summary.interval.until);
  dict["alerts"] = summary.alerts;
  dict["protocols"] = ToList(summary.protocols);
  dict["top_sources"] = ToList(summary.top_sources);
  dict["top_destinations"] = ToList(summary.top_destinations);
  dict["top_destination_ports"] = ToList(summary.top_destination_ports);
  return dict;
}

}  // namespace

void BindStore(py::module_& module) {
  const auto since = py::arg("since") = py::none();
  const auto until = py::arg("until") = py::none();
  const auto where = py::arg("where") = py::none();
  py::class_<StoreHandle>(module, "Store", "Flows and alerts in one SQLite file. Thread-safe.")
      .def_static("open", &OpenStore, py::arg("path"), py::kw_only(),
                  py::arg("query_timeout") = 10.0)
      .def("write", &Write, py::arg("flows"), py::arg("alerts") = std::vector<Alert>(),
           "All or nothing; when it returns, it is in the file.")
      .def("flows", &Flows, py::kw_only(), since, until, where, py::arg("limit") = py::none(),
           py::arg("order") = "newest", "The flows with since <= last_seen < until.")
      .def("alerts", &Alerts, py::kw_only(), since, until, py::arg("alert_class") = py::none(),
           py::arg("min_severity") = py::none(), py::arg("limit") = py::none(),
           "Each alert once, in its latest state, newest first.")
      .def("top", &Top, py::arg("dimension") = "address", py::kw_only(), py::arg("by") = "bytes",
           py::arg("limit") = 10, since, until, where)
      .def("series", &Series, py::kw_only(), since, until, py::arg("step") = 60.0,
           py::arg("by") = "protocol", py::arg("measure") = "bytes",
           py::arg("address") = py::none(), where)
      .def("summary", &Summary, py::kw_only(), since, until)
      .def(
          "delete_before",
          [](StoreHandle& self, py::handle time) {
            const Timestamp before = ToTimestamp(time);
            return ValueOrRaise(self.With([&](Store& s) { return s.DeleteBefore(before); }));
          },
          py::arg("time"), "Deletes what ended before; answers how many flows went.")
      .def("close", &StoreHandle::Close)
      .def_property_readonly("path", &StoreHandle::path)
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](StoreHandle& self, const py::args&) { self.Close(); });
}

}  // namespace nta::python

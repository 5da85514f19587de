// Store: flows and alerts in one SQLite file.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "flow_batch.h"
#include "gil.h"
#include "nta/json/flow_transfer.h"
#include "nta/json/json.h"
#include "nta/store/store.h"
#include "store_handle.h"

namespace nta::python {
namespace {

constexpr std::size_t kMaxPage = 10'000;

// Shared with the incidents and schedulers made of it.
std::shared_ptr<StoreHandle> OpenStore(py::handle path, double query_timeout) {
  StoreOptions options;
  options.path = ToPath(path);
  options.query_timeout =
      std::chrono::ceil<std::chrono::milliseconds>(ToDuration(query_timeout, "query_timeout"));
  return std::make_shared<StoreHandle>(
      options.path, ValueOrRaise(WithoutGil([&] { return Store::Open(options); })));
}

void Write(StoreHandle& store, const py::iterable& flows, const std::vector<Alert>& alerts) {
  const std::vector<FlowRecord> records = ToFlows(flows);
  RaiseIfError(store.With([&](Store& s) { return s.Write(records, alerts); }));
}

// Calls a Python function with how much is done. What it raises stops the work and is raised again.
class ProgressCallback {
 public:
  explicit ProgressCallback(py::object callback) : callback_(std::move(callback)) {}

  std::function<void(double)> function() {
    return [this](double progress) {
      WithGil([&] {
        try {
          if (PyErr_CheckSignals() != 0) throw py::error_already_set();
          if (!callback_.is_none()) callback_(progress);
        } catch (py::error_already_set& error) {
          error.restore();
          error_.Capture();
          stop_.request_stop();
        }
      });
    };
  }
  std::stop_token stop() const { return stop_.get_token(); }
  void Rethrow() { error_.Rethrow(); }

 private:
  py::object callback_;
  PendingError error_;
  std::stop_source stop_;
};

TransferFormat ToTransferFormat(const std::string& name) {
  return ValueOrRaise(ParseTransferFormat(name));
}

absl::Status FileError(const std::string& path, const char* what) {
  return absl::UnavailableError(std::string(what) + " \"" + path + "\": " + std::strerror(errno));
}

std::uint64_t ExportTo(const StoreHandle& store, py::handle path, py::handle since,
                       py::handle until, py::handle where, const std::string& format,
                       py::object progress) {
  const std::string name = ToPath(path);
  const ExportOptions options{.interval = ToInterval(since, until),
                              .where = ToFilter(where),
                              .format = ToTransferFormat(format)};
  ProgressCallback callback(std::move(progress));
  const auto count = store.With([&](Store& s) -> absl::StatusOr<std::uint64_t> {
    std::ofstream file(name, std::ios::binary | std::ios::trunc);
    if (!file) return FileError(name, "cannot write");
    QueryControl control;
    control.stop = callback.stop();
    control.progress = callback.function();
    auto written = ExportFlows(
        s, options,
        [&](std::string_view text) {
          file.write(text.data(), static_cast<std::streamsize>(text.size()));
          return file ? absl::OkStatus() : FileError(name, "cannot write");
        },
        control);
    file.close();
    if (written.ok() && !file) return FileError(name, "cannot write");
    return written;
  });
  callback.Rethrow();
  return ValueOrRaise(count);
}

py::dict ImportFrom(StoreHandle& store, py::handle path, const std::string& format,
                    bool skip_wrong_lines, py::object progress) {
  const std::string name = ToPath(path);
  ImportOptions options{.format = ToTransferFormat(format), .skip_wrong_lines = skip_wrong_lines};
  ProgressCallback callback(std::move(progress));
  options.stop = callback.stop();
  options.progress = callback.function();
  const auto report = store.With([&](Store& s) -> absl::StatusOr<ImportReport> {
    std::ifstream file(name, std::ios::binary | std::ios::ate);
    if (!file) {
      return errno == ENOENT ? absl::NotFoundError("there is no file \"" + name + "\"")
                             : FileError(name, "cannot read");
    }
    options.bytes = static_cast<std::uint64_t>(file.tellg());
    file.seekg(0);
    return ImportFlows(s, options, [&]() -> absl::StatusOr<std::string> {
      std::string piece(1 << 20, '\0');
      file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
      if (file.bad()) return FileError(name, "cannot read");
      piece.resize(static_cast<std::size_t>(file.gcount()));
      return piece;
    });
  });
  callback.Rethrow();
  const ImportReport& result = ValueOrRaise(report);
  py::list errors;
  for (const ImportError& error : result.errors)
    errors.append(py::make_tuple(error.line, error.message));
  py::dict answer;
  answer["lines"] = result.lines;
  answer["flows"] = result.flows;
  answer["wrong_lines"] = result.wrong_lines;
  answer["errors"] = errors;
  return answer;
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
  if (row.guessed) dict["guessed"] = ToDict(*row.guessed);
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
                         ToStr(ToString(result.source)),
                         result.other ? py::object(ToDict(*result.other)) : py::none());
}

py::object Series(const StoreHandle& store, py::handle since, py::handle until, double step,
                  const std::optional<std::string>& by, const std::string& measure,
                  py::handle address, py::handle where) {
  SeriesQuery query;
  query.interval = ToInterval(since, until);
  const Duration step_duration = ToDuration(step, "step");
  query.step = std::chrono::floor<std::chrono::seconds>(step_duration);
  if (query.step != step_duration) RaiseInvalidArgument("step must be whole seconds");
  query.by = by ? ValueOrRaise(ParseSeriesBy(*by)) : SeriesBy::kNone;
  query.measure = ValueOrRaise(ParseMeasure(measure));
  if (!address.is_none()) query.address = ToAddress(address);
  query.filter = ToFilter(where);
  const SeriesResult result = ValueOrRaise(store.With([&](Store& s) { return s.Series(query); }));
  py::list times;
  for (const Timestamp time : result.times) times.append(ToNanoseconds(time));
  py::dict lines;
  py::dict guessed;
  for (const SeriesLine& line : result.lines) {
    lines[py::str(line.key)] = line.values;
    if (!line.guessed.empty()) guessed[py::str(line.key)] = line.guessed;
  }
  return py::module_::import("nta._results")
      .attr("SeriesResult")(times, lines, result.step.count(), ToStr(ToString(result.source)),
                            guessed);
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

void BindStore(py::module_& module) {
  const auto since = py::arg("since") = py::none();
  const auto until = py::arg("until") = py::none();
  const auto where = py::arg("where") = py::none();
  py::class_<StoreHandle, std::shared_ptr<StoreHandle>>(
      module, "Store", "Flows and alerts in one SQLite file. Thread-safe.")
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
      .def("export_flows", &ExportTo, py::arg("path"), py::kw_only(), since, until, where,
           py::arg("format") = "csv", py::arg("progress") = py::none(),
           "Writes the flows that are selected into a file, the oldest first; answers how many. "
           "`format` is \"csv\" or \"jsonl\"; `progress` is called with 0 to 1.")
      .def("import_flows", &ImportFrom, py::arg("path"), py::kw_only(), py::arg("format") = "csv",
           py::arg("skip_wrong_lines") = false, py::arg("progress") = py::none(),
           "Stores the flows of a file, all of them or none. Answers lines, flows (stored), "
           "wrong_lines and errors, a list of (line, message).")
      .def("close", &StoreHandle::Close)
      .def_property_readonly("path", &StoreHandle::path)
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](StoreHandle& self, const py::args&) { self.Close(); });
}

}  // namespace nta::python

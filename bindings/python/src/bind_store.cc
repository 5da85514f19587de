// Store: flows and alerts in one SQLite file.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "flow_batch.h"
#include "gil.h"
#include "nta/json/flow_transfer.h"
#include "nta/json/json.h"
#include "nta/store/store.h"
#include "progress_callback.h"
#include "store_handle.h"
#include "store_queries.h"

namespace nta::python {
namespace {

constexpr std::size_t kMaxPage = 10'000;

// Shared with the incidents and schedulers made of it.
std::shared_ptr<StoreHandle> OpenStore(py::handle path, double query_timeout, bool create) {
  StoreOptions options;
  options.create = create;
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

TransferFormat ToTransferFormat(const std::string& name) {
  return ValueOrRaise(ParseTransferFormat(name));
}

// A file descriptor that somebody else has opened and closes.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}

  absl::Status Write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = write(number_, text.data(), text.size());
      if (written >= 0) {
        text.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno != EINTR) {
        return Failed("cannot write");
      }
    }
    return absl::OkStatus();
  }
  // Nothing at the end.
  absl::StatusOr<std::string> Read() {
    std::string piece(1 << 20, '\0');
    ssize_t count = 0;
    do {
      count = read(number_, piece.data(), piece.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0) return Failed("cannot read");
    piece.resize(static_cast<std::size_t>(count));
    return piece;
  }
  // Raises what Python raises when it writes to or reads from it.
  void Rethrow() const {
    if (error_ == 0) return;
    errno = error_;
    PyErr_SetFromErrno(PyExc_OSError);
    throw py::error_already_set();
  }

 private:
  absl::Status Failed(const char* what) {
    error_ = errno;
    return absl::UnavailableError(std::string(what) + ": " + std::strerror(error_));
  }

  int number_;
  int error_ = 0;
};

std::uint64_t ExportTo(const StoreHandle& store, py::handle path, py::handle since,
                       py::handle until, py::handle where, const std::string& format,
                       py::object progress) {
  const bool is_open = py::isinstance<py::int_>(path);
  Descriptor descriptor(is_open ? path.cast<int>() : -1);
  const std::string name = is_open ? std::string() : ToPath(path);
  const ExportOptions options{.interval = ToInterval(since, until),
                              .where = ToFilter(where),
                              .format = ToTransferFormat(format)};
  ProgressCallback callback(std::move(progress));
  const auto count = store.With([&](Store& s) {
    QueryControl control;
    control.stop = callback.stop();
    control.progress = callback.function();
    if (!is_open) return ExportFlowsToFile(s, options, name, control);
    return ExportFlows(
        s, options, [&](std::string_view text) { return descriptor.Write(text); }, control);
  });
  callback.Rethrow();
  descriptor.Rethrow();
  return ValueOrRaise(count);
}

absl::StatusOr<ImportReport> ImportFile(Store& store, const std::string& name,
                                        ImportOptions& options) {
  const auto failed = [&name] {
    return absl::UnavailableError("cannot read \"" + name + "\": " + std::strerror(errno));
  };
  std::ifstream file(name, std::ios::binary);
  if (!file) {
    return errno == ENOENT ? absl::NotFoundError("there is no file \"" + name + "\"") : failed();
  }
  // A pipe has no size.
  std::error_code unknown;
  const std::uintmax_t size = std::filesystem::file_size(name, unknown);
  options.bytes = unknown ? 0 : size;
  return ImportFlows(store, options, [&]() -> absl::StatusOr<std::string> {
    std::string piece(1 << 20, '\0');
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    if (file.bad()) return failed();
    piece.resize(static_cast<std::size_t>(file.gcount()));
    return piece;
  });
}

py::dict ImportFrom(StoreHandle& store, py::handle path, const std::string& format,
                    bool skip_wrong_lines, py::object progress) {
  const bool is_open = py::isinstance<py::int_>(path);
  Descriptor descriptor(is_open ? path.cast<int>() : -1);
  const std::string name = is_open ? std::string() : ToPath(path);
  ImportOptions options{.format = ToTransferFormat(format), .skip_wrong_lines = skip_wrong_lines};
  ProgressCallback callback(std::move(progress));
  options.stop = callback.stop();
  options.progress = callback.function();
  const auto report = store.With([&](Store& s) {
    if (!is_open) return ImportFile(s, name, options);
    return ImportFlows(s, options, [&] { return descriptor.Read(); });
  });
  callback.Rethrow();
  descriptor.Rethrow();
  const ImportReport& result = ValueOrRaise(report);
  py::list errors;
  for (const ImportError& error : result.errors)
    errors.append(py::make_tuple(error.line, error.message));
  py::dict answer;
  answer["lines"] = result.lines;
  answer["flows"] = result.flows;
  answer["wrong_lines"] = result.wrong_lines;
  answer["errors"] = errors;
  answer["hints"] = py::cast(result.hints);
  return answer;
}

void MarkCaptured(StoreHandle& store, py::handle since, py::handle until) {
  const TimeInterval interval{ToTimestamp(since), ToTimestamp(until)};
  RaiseIfError(store.With([&](Store& s) { return s.MarkCaptured(interval); }));
}

void RecordCapture(StoreHandle& store, py::handle time, std::uint64_t packets_seen,
                   std::uint64_t packets_dropped, std::uint64_t flows_evicted,
                   std::uint64_t flows_dropped) {
  const Timestamp moment = ToTimestamp(time);
  const CaptureCounts counts{packets_seen, packets_dropped, flows_evicted, flows_dropped};
  RaiseIfError(store.With([&](Store& s) { return s.RecordCapture(moment, counts); }));
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
  BindTable(module);
  const auto since = py::arg("since") = py::none();
  const auto until = py::arg("until") = py::none();
  const auto where = py::arg("where") = py::none();
  py::class_<StoreHandle, std::shared_ptr<StoreHandle>> store(
      module, "Store", "Flows and alerts in one file, or in PostgreSQL. Thread-safe.");
  BindStoreQueries(store);
  BindStoreRetention(store);
  store
      .def_static("open", &OpenStore, py::arg("path"), py::kw_only(),
                  py::arg("query_timeout") = 10.0, py::arg("create") = true,
                  "A file, made when it is missing unless `create` is False, or a postgresql:// "
                  "URL.")
      .def("write", &Write, py::arg("flows"), py::arg("alerts") = std::vector<Alert>(),
           "All or nothing; when it returns, it is in the file.")
      .def("alerts", &Alerts, py::kw_only(), since, until, py::arg("alert_class") = py::none(),
           py::arg("min_severity") = py::none(), py::arg("limit") = py::none(),
           "Each alert once, in its latest state, newest first.")
      .def(
          "delete_before",
          [](StoreHandle& self, py::handle time) {
            const Timestamp before = ToTimestamp(time);
            return ValueOrRaise(self.With([&](Store& s) { return s.DeleteBefore(before); }));
          },
          py::arg("time"), "Deletes what ended before; answers how many flows went.")
      .def(
          "export_flows", &ExportTo, py::arg("path"), py::kw_only(), since, until, where,
          py::arg("format") = "csv", py::arg("progress") = py::none(),
          "Writes the flows that are selected into a file, or to a file descriptor (a number), the "
          "oldest first; answers how many. `format` is \"csv\" or \"jsonl\"; `progress` is called "
          "with 0 to 1.")
      .def("import_flows", &ImportFrom, py::arg("path"), py::kw_only(), py::arg("format") = "csv",
           py::arg("skip_wrong_lines") = false, py::arg("progress") = py::none(),
           "Stores the flows of a file, or of what a file descriptor (a number) gives, all of them "
           "or none. Answers lines, flows (stored), "
           "wrong_lines, errors, a list of (line, message), and hints: what the file cannot tell.")
      .def("mark_captured", &MarkCaptured, py::arg("since"), py::arg("until"),
           "Marks the minutes of the interval as captured, so that a series can tell silence from "
           "absence.")
      .def("record_capture", &RecordCapture, py::arg("time"), py::kw_only(),
           py::arg("packets_seen") = 0, py::arg("packets_dropped") = 0,
           py::arg("flows_evicted") = 0, py::arg("flows_dropped") = 0,
           "Adds what was counted since the last call to the minute of `time`; answers of queries "
           "tell the sum of their interval.")
      .def("close", &StoreHandle::Close)
      .def_property_readonly("path", &StoreHandle::path)
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](StoreHandle& self, const py::args&) { self.Close(); });
}

}  // namespace nta::python

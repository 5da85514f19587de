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

absl::Status FileError(const std::string& path, const char* what) {
  return absl::UnavailableError(std::string(what) + " \"" + path + "\": " + std::strerror(errno));
}

// A file that is there when it is complete, or as it was before. What is no regular file (a
// terminal, a pipe) is written as it comes.
class OutputFile {
 public:
  explicit OutputFile(std::string name)
      : name_(std::move(name)),
        is_direct_(IsSpecial(name_)),
        written_(is_direct_ ? name_ : name_ + ".part-" + std::to_string(getpid())),
        file_(written_, std::ios::binary | std::ios::trunc) {}
  ~OutputFile() {
    file_.close();
    if (!is_direct_ && !is_complete_) std::remove(written_.c_str());
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  absl::Status status() const {
    return file_ ? absl::OkStatus() : FileError(name_, "cannot write");
  }
  absl::Status Write(std::string_view text) {
    file_.write(text.data(), static_cast<std::streamsize>(text.size()));
    return status();
  }
  absl::Status Complete() {
    file_.close();
    if (!file_) return status();
    if (!is_direct_ && std::rename(written_.c_str(), name_.c_str()) != 0) {
      return FileError(name_, "cannot write");
    }
    is_complete_ = true;
    return absl::OkStatus();
  }

 private:
  static bool IsSpecial(const std::string& name) {
    // A link is followed: what it names is written, and it stays a link.
    std::error_code unknown;
    const auto kind = std::filesystem::symlink_status(name, unknown).type();
    return kind != std::filesystem::file_type::regular &&
           kind != std::filesystem::file_type::not_found &&
           kind != std::filesystem::file_type::none;
  }

  const std::string name_;
  const bool is_direct_;
  const std::string written_;
  std::ofstream file_;
  bool is_complete_ = false;
};

std::uint64_t ExportTo(const StoreHandle& store, py::handle path, py::handle since,
                       py::handle until, py::handle where, const std::string& format,
                       py::object progress) {
  const std::string name = ToPath(path);
  const ExportOptions options{.interval = ToInterval(since, until),
                              .where = ToFilter(where),
                              .format = ToTransferFormat(format)};
  ProgressCallback callback(std::move(progress));
  const auto count = store.With([&](Store& s) -> absl::StatusOr<std::uint64_t> {
    OutputFile file(name);
    if (!file.status().ok()) return file.status();
    QueryControl control;
    control.stop = callback.stop();
    control.progress = callback.function();
    auto written = ExportFlows(
        s, options, [&](std::string_view text) { return file.Write(text); }, control);
    if (!written.ok()) return written;
    // Asked to stop with the last of them.
    if (control.stop.stop_requested()) return absl::CancelledError("the export was stopped");
    const absl::Status complete = file.Complete();
    if (!complete.ok()) return complete;
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

py::dict Retain(StoreHandle& store, std::optional<double> flow_age, std::optional<double> alert_age,
                std::optional<double> sample_age, std::optional<std::uint64_t> max_bytes,
                py::handle now) {
  const auto age = [](const std::optional<double>& seconds, const char* name) {
    return seconds ? std::optional(ToDuration(*seconds, name)) : std::nullopt;
  };
  const RetentionPolicy policy{.flow_age = age(flow_age, "flow_age"),
                               .alert_age = age(alert_age, "alert_age"),
                               .sample_age = age(sample_age, "sample_age"),
                               .max_bytes = max_bytes};
  const Timestamp present = ToTimestamp(now);
  const RetentionResult result =
      ValueOrRaise(store.With([&](Store& s) { return s.Retain(policy, present); }));
  py::dict answer;
  answer["flows_deleted"] = result.flows_deleted;
  answer["alerts_deleted"] = result.alerts_deleted;
  answer["samples_deleted"] = result.samples_deleted;
  answer["bytes_before"] = result.bytes_before;
  answer["bytes_after"] = result.bytes_after;
  answer["clock_jumped"] = result.clock_jumped;
  return answer;
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
      .def("export_flows", &ExportTo, py::arg("path"), py::kw_only(), since, until, where,
           py::arg("format") = "csv", py::arg("progress") = py::none(),
           "Writes the flows that are selected into a file, the oldest first; answers how many. "
           "`format` is \"csv\" or \"jsonl\"; `progress` is called with 0 to 1.")
      .def("import_flows", &ImportFrom, py::arg("path"), py::kw_only(), py::arg("format") = "csv",
           py::arg("skip_wrong_lines") = false, py::arg("progress") = py::none(),
           "Stores the flows of a file, all of them or none. Answers lines, flows (stored), "
           "wrong_lines, errors, a list of (line, message), and hints: what the file cannot tell.")
      .def("mark_captured", &MarkCaptured, py::arg("since"), py::arg("until"),
           "Marks the minutes of the interval as captured, so that a series can tell silence from "
           "absence.")
      .def("record_capture", &RecordCapture, py::arg("time"), py::kw_only(),
           py::arg("packets_seen") = 0, py::arg("packets_dropped") = 0,
           py::arg("flows_evicted") = 0, py::arg("flows_dropped") = 0,
           "Adds what was counted since the last call to the minute of `time`; answers of queries "
           "tell the sum of their interval.")
      .def("retain", &Retain, py::kw_only(), py::arg("flow_age") = py::none(),
           py::arg("alert_age") = py::none(), py::arg("sample_age") = py::none(),
           py::arg("max_bytes") = py::none(), py::arg("now") = "now",
           "Deletes flows, alerts and samples older than so many seconds, and the oldest flows "
           "while the file has more than max_bytes; gives the space back. None keeps for good.")
      .def("size", &SizeOf, "file_bytes, free_bytes, log_bytes and flows.")
      .def("close", &StoreHandle::Close)
      .def_property_readonly("path", &StoreHandle::path)
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](StoreHandle& self, const py::args&) { self.Close(); });
}

}  // namespace nta::python

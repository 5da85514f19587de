// Logger and read_log: log files.
#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "gil.h"
#include "nta/log/log_reader.h"
#include "nta/log/logger.h"
#include "nta/log/rotating_file_sink.h"
#include "nta/log/syslog_sink.h"

namespace nta::python {
namespace {

LogField ToField(const std::string& name, py::handle value) {
  if (py::isinstance<Secret>(value)) return {name, value.cast<Secret>()};
  if (py::isinstance<py::bool_>(value)) return {name, value.cast<bool>()};
  if (py::isinstance<py::int_>(value)) {
    // Beyond 64 bits it is a text.
    try {
      return {name, value.cast<std::int64_t>()};
    } catch (const py::cast_error&) {
      return {name, py::str(value).cast<std::string>()};
    }
  }
  if (py::isinstance<py::float_>(value)) return {name, value.cast<double>()};
  if (py::isinstance<py::bytes>(value)) return {name, value.cast<std::string>()};
  return {name, py::str(value).cast<std::string>()};
}

py::object FromValue(const LogField::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return ToStr(*text);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return py::int_(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return py::int_(*number);
  if (const auto* number = std::get_if<double>(&value)) return py::float_(*number);
  if (const auto* flag = std::get_if<bool>(&value)) return py::bool_(*flag);
  return py::str("[redacted]");
}

py::dict ToDict(const LogEvent& event) {
  py::dict fields;
  for (const LogField& field : event.fields) fields[ToStr(field.name)] = FromValue(field.value);
  py::dict dict;
  dict["time"] = ToNanoseconds(event.time);
  dict["level"] = ToStr(ToString(event.level));
  dict["kind"] = ToStr(ToString(event.kind));
  dict["component"] = ToStr(event.component);
  dict["message"] = ToStr(event.message);
  dict["fields"] = fields;
  return dict;
}

// A logger with the sinks that Python may ask for things.
class PythonLogger {
 public:
  explicit PythonLogger(const std::string& level)
      : logger_({.min_level = ValueOrRaise(ParseLogLevel(level))}) {}

  void AddFile(py::handle path, const std::string& format, std::uint64_t max_bytes, double max_age,
               std::uint32_t keep, const std::string& compression) {
    const RotatingFileSinkOptions options{
        .path = ToPath(path),
        .format = ValueOrRaise(ParseLogFormat(format)),
        .rotation = {.max_bytes = max_bytes,
                     .max_age = ToDuration(max_age, "max_age"),
                     .keep = keep,
                     .compression = ValueOrRaise(ParseLogCompression(compression))}};
    auto sink = ValueOrRaise(WithoutGil([&] { return RotatingFileSink::Open(options); }));
    files_.push_back(sink.get());
    logger_.AddSink(std::move(sink));
  }
  void AddStderr(const std::string& format) {
    logger_.AddSink(StreamLogSink::Stderr(ValueOrRaise(ParseLogFormat(format))));
  }
  void AddSyslog(const std::string& socket_path, const std::string& app_name) {
    logger_.AddSink(
        ValueOrRaise(SyslogSink::Open({.socket_path = socket_path, .app_name = app_name})));
  }
  void AddCallback(std::function<void(py::dict)> callback) {
    logger_.AddSink(
        std::make_unique<CallbackLogSink>([callback = std::move(callback)](const LogEvent& event) {
          const py::gil_scoped_acquire gil;
          callback(ToDict(event));
        }));
  }

  void Log(LogLevel level, const std::string& component, const std::string& message,
           const std::string& kind, const py::kwargs& fields) {
    LogEvent event{.level = level,
                   .kind = ValueOrRaise(ParseLogKind(kind)),
                   .component = component,
                   .message = message};
    for (const auto& [name, value] : fields) {
      event.fields.push_back(ToField(name.cast<std::string>(), value));
    }
    WithoutGil([&] {
      logger_.Log(std::move(event));
      return true;
    });
  }

  void Rotate() {
    for (RotatingFileSink* file : files_) {
      RaiseIfError(WithoutGil([file] { return file->RotateNow(); }));
    }
  }
  void Reopen() {
    for (RotatingFileSink* file : files_) {
      RaiseIfError(WithoutGil([file] { return file->Reopen(); }));
    }
  }
  void Flush() {
    RaiseIfError(WithoutGil([this] { return logger_.Flush(); }));
  }
  py::dict Stats() const {
    const LoggerStats stats = logger_.Stats();
    py::dict dict;
    dict["events"] = stats.events;
    dict["failed"] = stats.failed;
    return dict;
  }

 private:
  Logger logger_;
  std::vector<RotatingFileSink*> files_;  // owned by logger_
};

LogOrder ToOrder(const std::string& order) {
  if (order == "newest") return LogOrder::kNewestFirst;
  if (order == "oldest") return LogOrder::kOldestFirst;
  RaiseInvalidArgument("unknown order \"" + order + "\" (newest or oldest)");
}

py::list Read(py::handle path, py::handle since, py::handle until, const std::string& min_level,
              const std::string& component, const std::string& text, const std::string& order,
              std::optional<std::size_t> limit) {
  LogQuery query;
  if (!since.is_none()) query.since = ToTimestamp(since);
  if (!until.is_none()) query.until = ToTimestamp(until);
  query.min_level = ValueOrRaise(ParseLogLevel(min_level));
  query.component = component;
  query.text = text;
  query.order = ToOrder(order);
  const std::string file = ToPath(path);
  std::size_t left = limit.value_or(std::numeric_limits<std::size_t>::max());
  py::list events;
  while (left > 0) {
    query.limit = std::min<std::size_t>(left, 10'000);
    const LogPage page = ValueOrRaise(WithoutGil([&] { return ReadLog(file, query); }));
    for (const LogEvent& event : page.events) events.append(ToDict(event));
    left -= page.events.size();
    if (page.next_cursor.empty()) break;
    query.cursor = page.next_cursor;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }
  return events;
}

template <LogLevel kLevel>
void LogAt(PythonLogger& self, const std::string& component, const std::string& message,
           const std::string& kind, const py::kwargs& fields) {
  self.Log(kLevel, component, message, kind, fields);
}

}  // namespace

void BindLog(py::module_& module) {
  py::class_<Secret>(module, "Secret", "A text that no log shows.")
      .def(py::init<std::string>(), py::arg("text"))
      .def("reveal", [](const Secret& self) { return ToText(self.Reveal()); })
      .def("__repr__", [](const Secret&) { return "Secret([redacted])"; });
  const auto component = py::arg("component");
  const auto message = py::arg("message");
  const auto kind = py::arg("kind") = "server";
  py::class_<PythonLogger>(module, "Logger",
                           "Events to files that rotate, stderr, syslog and callables. "
                           "Thread-safe.")
      .def(py::init<const std::string&>(), py::arg("level") = "info")
      .def("add_file", &PythonLogger::AddFile, py::arg("path"), py::kw_only(),
           py::arg("format") = "json", py::arg("max_bytes") = std::uint64_t{16} << 20,
           py::arg("max_age") = 0.0, py::arg("keep") = 10, py::arg("compression") = "zstd")
      .def("add_stderr", &PythonLogger::AddStderr, py::arg("format") = "text")
      .def("add_syslog", &PythonLogger::AddSyslog, py::arg("socket_path") = "/dev/log",
           py::kw_only(), py::arg("app_name") = "nta")
      .def("add_callback", &PythonLogger::AddCallback, py::arg("callback"))
      .def("debug", &LogAt<LogLevel::kDebug>, component, message, kind)
      .def("info", &LogAt<LogLevel::kInfo>, component, message, kind)
      .def("warning", &LogAt<LogLevel::kWarning>, component, message, kind)
      .def("error", &LogAt<LogLevel::kError>, component, message, kind)
      .def("rotate", &PythonLogger::Rotate, "Puts the files aside now.")
      .def("reopen", &PythonLogger::Reopen, "After somebody else has moved the files away.")
      .def("flush", &PythonLogger::Flush)
      .def("stats", &PythonLogger::Stats);
  module.def("read_log", &Read, py::arg("path"), py::kw_only(), py::arg("since") = py::none(),
             py::arg("until") = py::none(), py::arg("min_level") = "debug",
             py::arg("component") = "", py::arg("text") = "", py::arg("order") = "newest",
             py::arg("limit") = 1000,
             "Events of a log file and of those put aside, packed or not.");
}

}  // namespace nta::python

// Scheduler: jobs that are Python callables.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bind_operations.h"
#include "callbacks.h"
#include "clock.h"
#include "convert.h"
#include "gil.h"
#include "nta/json/operations.h"
#include "nta/schedule/scheduler.h"
#include "store_handle.h"

namespace nta::python {
namespace {

constexpr std::string_view kStateKind = "schedule";

// A Python callable that C++ keeps: given up with the lock, wherever that happens.
class Callable {
 public:
  explicit Callable(py::object object) : object_(std::move(object)) {}
  ~Callable() {
    WithGil([this] { object_ = py::object(); });
  }
  Callable(const Callable&) = delete;
  Callable& operator=(const Callable&) = delete;
  const py::object& get() const { return object_; }

 private:
  py::object object_;
};

// "ValueError: what it says".
std::string Describe(PendingError& error) {
  std::string text;
  WithGil([&] {
    try {
      error.Rethrow();
    } catch (const py::error_already_set& raised) {
      text = Py_TYPE(raised.value().ptr())->tp_name;
      PyObject* said = PyObject_Str(raised.value().ptr());
      if (said == nullptr) {
        PyErr_Clear();
      } else {
        text += ": " + std::string(py::str(py::reinterpret_steal<py::object>(said)));
      }
    }
  });
  return text;
}

ScheduleTime CallClock(const Callable& clock) {
  ScheduleTime now = SystemNow();
  PendingError error;
  if (CallPython(error, [&] { now = ToTimestamp(Call(clock.get())); })) return now;
  // Nobody above can take it; it is told where Python tells such things.
  WithGil([&] {
    try {
      error.Rethrow();
    } catch (py::error_already_set& raised) {
      raised.restore();
      PyErr_WriteUnraisable(clock.get().ptr());
    }
  });
  return now;
}

py::dict ToDict(const JobContext& context) {
  py::dict dict;
  dict["due"] = ToNanoseconds(context.due);
  dict["now"] = ToNanoseconds(context.now);
  dict["cause"] = ToStr(ToString(context.cause));
  return dict;
}

absl::StatusOr<std::string> CallWork(const Callable& work, const JobContext& context) {
  std::string message;
  PendingError error;
  const bool ok = CallPython(error, [&] {
    const py::object answer = Call(work.get(), ToDict(context));
    if (!answer.is_none()) message = std::string(py::str(answer));
  });
  if (ok) return message;
  return absl::InternalError(Describe(error));
}

// "03:30".
std::chrono::minutes ToTimeOfDay(const std::string& text) {
  int hour = -1;
  int minute = -1;
  const char* const begin = text.data();
  if (text.size() == 5 && text[2] == ':') {
    if (std::from_chars(begin, begin + 2, hour).ptr != begin + 2) hour = -1;
    if (std::from_chars(begin + 3, begin + 5, minute).ptr != begin + 5) minute = -1;
  }
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) {
    RaiseInvalidArgument("a time of day looks like 03:30, not \"" + text + "\"");
  }
  return std::chrono::hours(hour) + std::chrono::minutes(minute);
}

JobTiming ToTiming(std::optional<double> every, const std::optional<std::string>& daily,
                   const std::string& zone) {
  if (every.has_value() == daily.has_value()) RaiseInvalidArgument("name either every or daily");
  if (zone != "utc" && zone != "local") RaiseInvalidArgument("zone is \"utc\" or \"local\"");
  if (daily) return Daily{ToTimeOfDay(*daily), zone == "utc" ? DayZone::kUtc : DayZone::kLocal};
  const Duration interval = ToDuration(*every, "every");
  const auto seconds = std::chrono::floor<std::chrono::seconds>(interval);
  if (seconds != interval) RaiseInvalidArgument("every must be whole seconds");
  return Every{seconds};
}

MissedRuns ToMissed(const std::string& text) {
  if (text == "run_once") return MissedRuns::kRunOnce;
  if (text == "skip") return MissedRuns::kSkip;
  RaiseInvalidArgument("missed is \"run_once\" or \"skip\"");
}

// Called by the scheduler, which is called without the lock.
SchedulerOptions OptionsFor(const std::shared_ptr<StoreHandle>& store,
                            const std::shared_ptr<Callable>& clock) {
  SchedulerOptions options;
  options.clock = [clock] { return clock == nullptr ? SystemNow() : CallClock(*clock); };
  if (store == nullptr) return options;
  const std::shared_ptr<Store> kept = store->shared();
  options.load = [kept](std::string_view job) -> absl::StatusOr<std::optional<std::string>> {
    const absl::StatusOr<Document> document = kept->GetDocument(kStateKind, job);
    if (absl::IsNotFound(document.status())) return std::nullopt;
    if (!document.ok()) return document.status();
    return document->body;
  };
  options.save = [kept, now = options.clock](std::string_view job, std::string_view state) {
    return kept
        ->PutDocument({.kind = std::string(kStateKind),
                       .id = std::string(job),
                       .body = std::string(state),
                       .updated = now(),
                       .version = Document::kAnyVersion})
        .status();
  };
  return options;
}

class PythonScheduler {
 public:
  PythonScheduler(const std::shared_ptr<StoreHandle>& store, py::object clock)
      : scheduler_(OptionsFor(
            store, clock.is_none() ? nullptr : std::make_shared<Callable>(std::move(clock)))) {}

  void Add(const std::string& name, py::object work, std::optional<double> every,
           const std::optional<std::string>& daily, const std::string& zone,
           const std::string& missed, const std::string& description, std::int64_t least) {
    if (PyCallable_Check(work.ptr()) == 0) throw py::type_error("work must be callable");
    const JobOptions options{.name = name,
                             .description = description,
                             .timing = ToTiming(every, daily, zone),
                             .missed = ToMissed(missed),
                             .least_interval = std::chrono::seconds(least)};
    const auto callable = std::make_shared<Callable>(std::move(work));
    RaiseIfError(WithoutGil([&] {
      return scheduler_.Add(
          options, [callable](const JobContext& context) { return CallWork(*callable, context); });
    }));
  }
  template <typename Act>
  void Do(const Act& act) {
    RaiseIfError(WithoutGil([&] { return act(scheduler_); }));
  }
  std::size_t RunDue() {
    const std::size_t ran = WithoutGil([&] { return scheduler_.RunDue(); });
    // Ctrl-C must not wait for the next job.
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    return ran;
  }
  py::list Jobs() {
    py::list list;
    const py::object loads = py::module_::import("json").attr("loads");
    for (const JobStatus& job : WithoutGil([&] { return scheduler_.Jobs(); })) {
      list.append(loads(ToStr(ToJson(job))));
    }
    return list;
  }
  py::object NextDue() {
    const auto due = WithoutGil([&] { return scheduler_.NextDue(); });
    if (!due) return py::none();
    return py::int_(ToNanoseconds(*due));
  }

 private:
  Scheduler scheduler_;
};

}  // namespace

void BindSchedule(py::module_& module) {
  py::class_<PythonScheduler>(
      module, "Scheduler",
      "Jobs by interval or time of day. It has no thread: run_due() does the work. With a store,\n"
      "nothing runs twice after a restart.")
      .def(py::init<const std::shared_ptr<StoreHandle>&, py::object>(), py::kw_only(),
           py::arg("store") = py::none(), py::arg("clock") = py::none())
      .def("add", &PythonScheduler::Add, py::arg("name"), py::arg("work"), py::kw_only(),
           py::arg("every") = py::none(), py::arg("daily") = py::none(), py::arg("zone") = "utc",
           py::arg("missed") = "run_once", py::arg("description") = "", py::arg("least") = 1,
           "work(context) may return a text for the history; what it raises is a failed run.\n"
           "No interval of fewer than `least` seconds is taken.")
      .def(
          "pause",
          [](PythonScheduler& self, const std::string& name) {
            self.Do([&](Scheduler& s) { return s.Pause(name); });
          },
          py::arg("name"))
      .def(
          "resume",
          [](PythonScheduler& self, const std::string& name) {
            self.Do([&](Scheduler& s) { return s.Resume(name); });
          },
          py::arg("name"))
      .def(
          "run_now",
          [](PythonScheduler& self, const std::string& name) {
            self.Do([&](Scheduler& s) { return s.RunNow(name); });
          },
          py::arg("name"), "At the next run_due(), paused or not.")
      .def(
          "set_timing",
          [](PythonScheduler& self, const std::string& name, std::optional<double> every,
             const std::optional<std::string>& daily, const std::string& zone) {
            const JobTiming timing = ToTiming(every, daily, zone);
            self.Do([&](Scheduler& s) { return s.SetTiming(name, timing); });
          },
          py::arg("name"), py::kw_only(), py::arg("every") = py::none(),
          py::arg("daily") = py::none(), py::arg("zone") = "utc",
          "Kept, and held over whatever timing the job is added with later.")
      .def(
          "reload", [](PythonScheduler& self) { self.Do([](Scheduler& s) { return s.Reload(); }); },
          "After a backup was restored into the store: takes up what it holds.")
      .def("run_due", &PythonScheduler::RunDue, "Runs what is due; answers how many ran.")
      .def("jobs", &PythonScheduler::Jobs)
      .def_property_readonly("next_due", &PythonScheduler::NextDue);
}

}  // namespace nta::python

// Backtests of detectors and rules over stores and captures.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bind.h"
#include "callbacks.h"
#include "convert.h"
#include "detector_settings.h"
#include "fields.h"
#include "gil.h"
#include "guarded_detector.h"
#include "guarded_source.h"
#include "nta/capture/pcap_file_reader.h"
#include "nta/detect/rule_detector.h"
#include "nta/pipeline/backtest.h"
#include "python_detector.h"
#include "store_handle.h"
#include "suppressions.h"

namespace nta::python {
namespace {

constexpr std::size_t kPage = 10'000;

// Detectors of the library and of Python, each for this thread alone.
class DetectorSet {
 public:
  explicit DetectorSet(py::handle detectors) {
    if (py::isinstance<py::list>(detectors) || py::isinstance<py::tuple>(detectors)) {
      for (const py::handle one : detectors) Add(one);
    } else {
      Add(detectors);
    }
  }
  std::span<Detector* const> all() const { return pointers_; }
  void Rethrow() { error_.Rethrow(); }
  bool raised() const { return error_.raised(); }

 private:
  void Add(py::handle detector) {
    if (py::isinstance<GuardedDetector>(detector)) {
      auto& guarded = detector.cast<GuardedDetector&>();
      sessions_.push_back(std::make_unique<GuardedDetector::Session>(guarded));
      RaiseIfError(sessions_.back()->status());
      pointers_.push_back(&guarded.detector());
      return;
    }
    python_.push_back(
        std::make_unique<PythonDetector>(py::reinterpret_borrow<py::object>(detector), error_));
    pointers_.push_back(python_.back().get());
  }

  PendingError error_;
  std::vector<std::unique_ptr<GuardedDetector::Session>> sessions_;
  std::vector<std::unique_ptr<PythonDetector>> python_;
  std::vector<Detector*> pointers_;
};

FlowFeed FeedFrom(const Store& store, TimeInterval interval) {
  return [&store, interval](FlowSink sink) -> absl::Status {
    FlowQuery query{.interval = interval, .order = FlowOrder::kOldestFirst, .limit = kPage};
    do {
      const absl::StatusOr<FlowPage> page = store.Flows(query);
      if (!page.ok()) return page.status();
      for (const StoredFlow& stored : page->flows) {
        if (absl::Status status = sink(stored.flow); !status.ok()) return status;
      }
      query.cursor = page->next_cursor;
    } while (!query.cursor.empty());
    return absl::OkStatus();
  };
}

TimeInterval ToInterval(py::handle since, py::handle until) {
  TimeInterval interval;
  if (!since.is_none()) interval.since = ToTimestamp(since);
  if (!until.is_none()) interval.until = ToTimestamp(until);
  return interval;
}

BacktestReport RunBacktest(py::handle detectors, py::handle source, py::handle since,
                           py::handle until, py::handle suppressions, std::size_t max_alerts) {
  BacktestOptions options{.suppressions = ToSuppressions(suppressions), .max_alerts = max_alerts};
  DetectorSet set(detectors);
  absl::StatusOr<BacktestReport> report = BacktestReport{};
  if (py::isinstance<StoreHandle>(source)) {
    const TimeInterval interval = ToInterval(since, until);
    report = source.cast<const StoreHandle&>().With(
        [&](Store& store) { return BacktestFlows(set.all(), FeedFrom(store, interval), options); });
  } else if (py::isinstance<GuardedSource>(source)) {
    auto& capture = source.cast<GuardedSource&>();
    const GuardedSource::Session session(capture);
    RaiseIfError(session.status());
    report = WithoutGil([&] { return BacktestCapture(set.all(), capture, {}, options); });
  } else if (py::isinstance<py::str>(source) || py::hasattr(source, "__fspath__")) {
    // As the suggestions take it.
    const std::string path = ToPath(source);
    report = WithoutGil([&]() -> absl::StatusOr<BacktestReport> {
      const auto reader = PcapFileReader::Open(path);
      if (!reader.ok()) return reader.status();
      return BacktestCapture(set.all(), **reader, {}, options);
    });
  } else {
    throw py::type_error("backtest() takes a Store, a capture or the path of one, not " +
                         TypeName(source));
  }
  set.Rethrow();
  return ValueOrRaise(std::move(report));
}

// Gives `run`, without the lock, a way to go through a store or a capture file several times.
template <typename Run>
auto OverAndOver(py::handle source, py::handle since, py::handle until,
                 const BacktestOptions& options, const Run& run) {
  if (py::isinstance<StoreHandle>(source)) {
    const TimeInterval interval = ToInterval(since, until);
    return ValueOrRaise(source.cast<const StoreHandle&>().With([&](Store& store) {
      return run(BacktestPass([&](std::span<Detector* const> detectors) {
        return BacktestFlows(detectors, FeedFrom(store, interval), options);
      }));
    }));
  }
  if (!since.is_none() || !until.is_none()) {
    throw py::type_error("since and until need a Store");
  }
  const std::string path = ToPath(source);
  return ValueOrRaise(WithoutGil([&] {
    return run(
        BacktestPass([&](std::span<Detector* const> detectors) -> absl::StatusOr<BacktestReport> {
          const auto reader = PcapFileReader::Open(path);
          if (!reader.ok()) return reader.status();
          return BacktestCapture(detectors, **reader, {}, options);
        }));
  }));
}

// The same keys for whatever is tried: its value, and what came of it.
template <typename Value>
py::dict PointToDict(const char* name, const Value& value, std::uint64_t alerts,
                     double alerts_per_day) {
  py::dict one;
  one[name] = value;
  one["alerts"] = alerts;
  one["alerts_per_day"] = alerts_per_day;
  return one;
}

py::dict ToDict(const ThresholdSuggestion& suggestion) {
  const auto to_dict = [](const ThresholdPoint& point) {
    return PointToDict("threshold", point.threshold, point.alerts, point.alerts_per_day);
  };
  py::list points;
  for (const ThresholdPoint& point : suggestion.points) points.append(to_dict(point));
  py::dict answer;
  answer["wanted_per_day"] = suggestion.wanted_per_day;
  answer["threshold"] = OrNone(suggestion.threshold);
  answer["current"] =
      suggestion.current ? py::object(to_dict(*suggestion.current)) : py::object(py::none());
  answer["points"] = points;
  return answer;
}

py::dict ToDict(const SensitivitySuggestion& suggestion) {
  py::list points;
  for (const SensitivityPoint& point : suggestion.points) {
    points.append(PointToDict("sensitivity", ToStr(ToString(point.sensitivity)), point.alerts,
                              point.alerts_per_day));
  }
  py::dict answer;
  answer["detector"] = suggestion.detector;
  answer["sensitivity"] = suggestion.sensitivity
                              ? py::object(ToStr(ToString(*suggestion.sensitivity)))
                              : py::object(py::none());
  answer["points"] = points;
  return answer;
}

py::dict RunSuggestThreshold(GuardedDetector& detector, py::handle source, double wanted,
                             py::handle since, py::handle until, py::handle suppressions) {
  const auto* rule = dynamic_cast<const RuleDetector*>(&detector.detector());
  if (rule == nullptr) throw py::type_error("suggest_threshold() takes a RuleDetector");
  const BacktestOptions options{.suppressions = ToSuppressions(suppressions)};
  return ToDict(OverAndOver(source, since, until, options, [&](const BacktestPass& pass) {
    return SuggestThreshold(rule->rule(), pass, wanted);
  }));
}

py::dict RunSuggestSensitivity(py::handle source, const std::vector<std::string>& detectors,
                               const py::dict& settings, double wanted, py::handle since,
                               py::handle until, py::handle suppressions) {
  const BacktestOptions options{.suppressions = ToSuppressions(suppressions)};
  std::map<std::string, DetectorSettings> all = ToAllSettings(settings);
  std::map<std::string, DetectorSettings> wanted_settings;
  for (const std::string& name : detectors.empty() ? DefaultDetectorNames() : detectors) {
    DetectorSettings& one = wanted_settings[name] = all[name];
    if (!one.enabled && detectors.empty()) wanted_settings.erase(name);
  }
  // Of stored flows these have nothing to say.
  for (const DetectorInfo& info : DetectorCatalogue()) {
    const bool is_deaf = info.stored_flows == FlowSupport::kNone;
    if (is_deaf && py::isinstance<StoreHandle>(source)) wanted_settings.erase(info.name);
  }
  py::list suggestions;
  for (const SensitivitySuggestion& one :
       OverAndOver(source, since, until, options, [&](const BacktestPass& pass) {
         return SuggestSensitivities(wanted_settings, pass, wanted);
       })) {
    suggestions.append(ToDict(one));
  }
  py::dict answer;
  answer["wanted_per_day"] = wanted;
  answer["detectors"] = suggestions;
  return answer;
}

py::dict CompareReports(const BacktestReport& before, const BacktestReport& after) {
  BacktestDifference difference = Compare(before, after);
  py::dict answer;
  answer["same"] = difference.same;
  answer["notes"] = NotesOn(after, &difference);
  answer["appear"] = std::move(difference.appear);
  answer["vanish"] = std::move(difference.vanish);
  return answer;
}

}  // namespace

void BindBacktest(py::module_& module) {
  FieldsClass<BacktestReport> report(module, "BacktestReport",
                                     "What detectors would have said of past traffic.");
  report.Read("flows", &BacktestReport::flows)
      .Read("packets", &BacktestReport::packets)
      .Read("late_flows", &BacktestReport::late_flows)
      .Read("since", [](const BacktestReport& self) { return ToNanoseconds(self.since); })
      .Read("until", [](const BacktestReport& self) { return ToNanoseconds(self.until); })
      .Read("days", [](const BacktestReport& self) { return self.days(); })
      .Read("span_seconds",
            [](const BacktestReport& self) {
              return std::chrono::duration<double>(self.span()).count();
            })
      .Read("covers_a_day", [](const BacktestReport& self) { return self.covers_a_day(); })
      .Read("alerts", &BacktestReport::alerts)
      .Read("hidden", &BacktestReport::hidden)
      .Read("alerts_per_day", [](const BacktestReport& self) { return self.alerts_per_day(); })
      .Read("by_class", &BacktestReport::by_class)
      .Read("by_severity", &BacktestReport::by_severity)
      .Read("by_detector", &BacktestReport::by_detector)
      .Read("by_day", &BacktestReport::by_day)
      .Finish()
      .def_readonly("kept", &BacktestReport::kept, "The first alerts, each in its last state.")
      .def("score_for", &BacktestReport::ScoreFor, py::arg("wanted_per_day"))
      .def(
          "notes", [](const BacktestReport& self) { return NotesOn(self); },
          "What whoever reads the figures has to know.")
      .def("compare", &CompareReports, py::arg("after"),
           "What appears and what vanishes with another configuration.");
  module.def("backtest", &RunBacktest, py::arg("detector"), py::arg("source"), py::kw_only(),
             py::arg("since") = py::none(), py::arg("until") = py::none(),
             py::arg("suppressions") = py::tuple(), py::arg("max_alerts") = 1000,
             "What a detector, or several, would have said of a store or a capture.");
  module.def("suggest_threshold", &RunSuggestThreshold, py::arg("rule"), py::arg("source"),
             py::kw_only(), py::arg("wanted_per_day") = 5.0, py::arg("since") = py::none(),
             py::arg("until") = py::none(), py::arg("suppressions") = py::tuple(),
             "The threshold of a RuleDetector that keeps to so many alerts a day, over a Store or "
             "the path of a capture file.");
  module.def("suggest_sensitivity", &RunSuggestSensitivity, py::arg("source"),
             py::arg("detectors") = std::vector<std::string>(), py::kw_only(),
             py::arg("settings") = py::dict(), py::arg("wanted_per_day") = 5.0,
             py::arg("since") = py::none(), py::arg("until") = py::none(),
             py::arg("suppressions") = py::tuple(),
             "The highest sensitivity of each of the library's detectors that keeps to so many "
             "alerts a day, over a Store or the path of a capture file.");
}

}  // namespace nta::python

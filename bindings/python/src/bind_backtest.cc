// Backtests of detectors and rules over stores and captures.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "fields.h"
#include "gil.h"
#include "guarded_detector.h"
#include "guarded_source.h"
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
  } else {
    throw py::type_error("backtest() takes a Store or a capture, not " +
                         std::string(py::str(py::type::of(source))));
  }
  set.Rethrow();
  return ValueOrRaise(std::move(report));
}

py::dict RunSuggest(py::handle rule, py::handle source, double wanted, py::handle since,
                    py::handle until) {
  const auto& store = source.cast<const StoreHandle&>();
  const TimeInterval interval = ToInterval(since, until);
  const auto expression = py::str(rule.attr("expression")).cast<std::string>();
  const AlertRule wanted_rule{
      .id = "draft", .title = "Draft", .condition = ValueOrRaise(RuleCondition::Parse(expression))};
  const ThresholdSuggestion suggestion = ValueOrRaise(store.With(
      [&](Store& s) { return SuggestThreshold(wanted_rule, FeedFrom(s, interval), wanted); }));
  py::dict answer;
  answer["wanted_per_day"] = suggestion.wanted_per_day;
  answer["threshold"] = OrNone(suggestion.threshold);
  const auto to_dict = [](const ThresholdPoint& point) {
    py::dict one;
    one["threshold"] = point.threshold;
    one["alerts"] = point.alerts;
    one["alerts_per_day"] = point.alerts_per_day;
    return one;
  };
  py::list points;
  for (const ThresholdPoint& point : suggestion.points) points.append(to_dict(point));
  answer["current"] =
      suggestion.current ? py::object(to_dict(*suggestion.current)) : py::object(py::none());
  answer["points"] = points;
  return answer;
}

py::dict CompareReports(const BacktestReport& before, const BacktestReport& after) {
  BacktestDifference difference = Compare(before, after);
  py::dict answer;
  answer["same"] = difference.same;
  answer["appear"] = std::move(difference.appear);
  answer["vanish"] = std::move(difference.vanish);
  return answer;
}

}  // namespace

void BindBacktest(py::module_& module) {
  FieldsClass<BacktestReport> report(module, "BacktestReport",
                                     "What detectors would have said of past traffic.");
  report.Read("flows", &BacktestReport::flows)
      .Read("late_flows", &BacktestReport::late_flows)
      .Read("since", [](const BacktestReport& self) { return ToNanoseconds(self.since); })
      .Read("until", [](const BacktestReport& self) { return ToNanoseconds(self.until); })
      .Read("days", [](const BacktestReport& self) { return self.days(); })
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
      .def("compare", &CompareReports, py::arg("after"),
           "What appears and what vanishes with another configuration.");
  module.def("backtest", &RunBacktest, py::arg("detector"), py::arg("source"), py::kw_only(),
             py::arg("since") = py::none(), py::arg("until") = py::none(),
             py::arg("suppressions") = py::tuple(), py::arg("max_alerts") = 1000,
             "What a detector, or several, would have said of a store or a capture.");
  module.def("suggest_threshold", &RunSuggest, py::arg("rule"), py::arg("store"), py::kw_only(),
             py::arg("wanted_per_day") = 5.0, py::arg("since") = py::none(),
             py::arg("until") = py::none(),
             "The lowest threshold of a RuleDetector that keeps to so many alerts a day.");
}

}  // namespace nta::python

// Alert rules and suppressions.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "errors.h"
#include "guarded_detector.h"
#include "nta/detect/rule_detector.h"
#include "nta/detect/suppression.h"
#include "suppressions.h"

namespace nta::python {

namespace py = pybind11;

namespace {

// The condition; raises nta.InvalidArgumentError with the position of the mistake.
RuleCondition ToCondition(const std::string& text) {
  FilterError error;
  absl::StatusOr<RuleCondition> condition = RuleCondition::Parse(text, &error);
  if (condition.ok()) return *std::move(condition);
  const py::object raised = MakeError(condition.status());
  raised.attr("position") = error.position;
  Raise(raised);
}

class Rule final : public GuardedDetector {
 public:
  Rule(std::unique_ptr<RuleDetector> detector)
      : GuardedDetector(std::move(detector)),
        rule_(static_cast<RuleDetector&>(this->detector()).rule()) {}
  const AlertRule& rule() const { return rule_; }

 private:
  const AlertRule rule_;
};

std::unique_ptr<Rule> CreateRule(const std::string& expression, const std::string& id,
                                 const std::string& title, const std::string& severity,
                                 double close_below, double hold) {
  AlertRule rule{.id = id,
                 .title = title.empty() ? id : title,
                 .condition = ToCondition(expression),
                 .severity = ValueOrRaise(ParseSeverity(severity)),
                 .close_below = close_below,
                 .hold = ToDuration(hold, "hold")};
  RuleDetector detector = ValueOrRaise(RuleDetector::Create(std::move(rule)));
  return std::make_unique<Rule>(std::make_unique<RuleDetector>(std::move(detector)));
}

py::dict CheckRule(const std::string& expression) {
  py::dict answer;
  FilterError error;
  const auto condition = RuleCondition::Parse(expression, &error);
  answer["valid"] = condition.ok();
  if (!condition.ok()) {
    answer["message"] = error.message;
    answer["position"] = error.position;
    return answer;
  }
  answer["expression"] = condition->ToString();
  answer["unit"] = condition->unit();
  answer["counts_at_start"] = condition->counts_at_start();
  return answer;
}

// Calls take(text) for each text of a list; one text alone counts as a list of one.
template <typename Take>
void ForEachText(py::handle value, const Take& take) {
  if (py::isinstance<py::str>(value)) return take(value.cast<std::string>());
  for (const py::handle one : py::reinterpret_borrow<py::iterable>(value)) {
    take(py::str(one).cast<std::string>());
  }
}

Suppression ToSuppression(const py::dict& fields) {
  Suppression s;
  const auto prefixes = [](std::vector<IpPrefix>& list) {
    return
        [&list](const std::string& text) { list.push_back(ValueOrRaise(IpPrefix::Parse(text))); };
  };
  for (const auto& [key, value] : fields) {
    const auto name = key.cast<std::string>();
    if (value.is_none()) continue;
    if (name == "id") {
      s.id = value.cast<std::string>();
    } else if (name == "kind") {
      s.kind = ValueOrRaise(ParseSuppressionKind(value.cast<std::string>()));
    } else if (name == "sources") {
      ForEachText(value, prefixes(s.sources));
    } else if (name == "destinations") {
      ForEachText(value, prefixes(s.destinations));
    } else if (name == "hosts") {
      ForEachText(value, prefixes(s.hosts));
    } else if (name == "ports") {
      ForEachText(value, [&](const std::string& text) {
        s.ports.push_back(ValueOrRaise(ParsePortRange(text)));
      });
    } else if (name == "domains") {
      ForEachText(value, [&](const std::string& text) { s.domains.push_back(text); });
    } else if (name == "detectors") {
      ForEachText(value, [&](const std::string& text) { s.detectors.push_back(text); });
    } else if (name == "classes") {
      ForEachText(value, [&](const std::string& text) {
        s.classes.push_back(ValueOrRaise(ParseAlertClass(text)));
      });
    } else if (name == "begins") {
      s.begins = ToTimestamp(value);
    } else if (name == "expires") {
      s.expires = ToTimestamp(value);
    } else if (name == "weekly") {
      s.weekly = ValueOrRaise(ParseWeeklyTime(value.cast<std::string>()));
    } else if (name == "reason") {
      s.reason = value.cast<std::string>();
    } else if (name == "author") {
      s.author = value.cast<std::string>();
    } else {
      throw py::type_error("a suppression has no field '" + name + "'");
    }
  }
  return s;
}

py::list Apply(AlertFilter& filter, std::vector<Alert> alerts) {
  filter.Apply(alerts);
  py::list marked;
  for (Alert& alert : alerts) marked.append(std::move(alert));
  return marked;
}

py::dict Counts(const AlertFilter& filter) {
  py::dict counts;
  for (const auto& [id, count] : filter.Counts()) {
    py::dict one;
    one["alerts"] = count.alerts;
    one["states"] = count.states;
    one["last"] =
        count.last == Timestamp{} ? py::object(py::none()) : py::cast(ToNanoseconds(count.last));
    counts[py::str(id)] = one;
  }
  return counts;
}

}  // namespace

std::vector<Suppression> ToSuppressions(py::handle list) {
  std::vector<Suppression> suppressions;
  for (const py::handle one : py::reinterpret_borrow<py::iterable>(list)) {
    suppressions.push_back(ToSuppression(py::reinterpret_borrow<py::dict>(one)));
    if (suppressions.back().id.empty()) {
      suppressions.back().id = "s" + std::to_string(suppressions.size());
    }
  }
  return suppressions;
}

void BindRules(py::module_& module) {
  module.def("check_rule", &CheckRule, py::arg("expression"),
             "Whether the text is an alert rule: its canonical text, or the message and position.");
  py::class_<Rule, GuardedDetector>(module, "RuleDetector",
                                    "One alert rule, as a detector; see docs/alert_rules.md.")
      .def(py::init(&CreateRule), py::arg("expression"), py::kw_only(), py::arg("id") = "rule",
           py::arg("title") = "", py::arg("severity") = "medium", py::arg("close_below") = 0.5,
           py::arg("hold") = 300.0)
      .def_property_readonly("expression",
                             [](const Rule& self) { return self.rule().condition.ToString(); })
      .def_property_readonly("title", [](const Rule& self) { return self.rule().title; });
  py::class_<AlertFilter>(module, "AlertFilter",
                          "Suppressions (dicts with the fields of the REST API) over alerts.")
      .def(py::init([](py::handle suppressions) {
             return ValueOrRaise(AlertFilter::Create(ToSuppressions(suppressions)));
           }),
           py::arg("suppressions"))
      .def("apply", &Apply, py::arg("alerts"),
           "The alerts, with suppressed_by set on those that are hidden.")
      .def(
          "replace",
          [](AlertFilter& self, py::handle suppressions) {
            RaiseIfError(self.Replace(ToSuppressions(suppressions)));
          },
          py::arg("suppressions"))
      .def_property_readonly("counts", &Counts);
}

}  // namespace nta::python

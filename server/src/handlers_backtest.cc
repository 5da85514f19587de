// Backtests: what rules and detectors would have said of stored flows.
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include "app.h"
#include "base/status.h"
#include "json_text.h"
#include "nta/detect/rule_detector.h"
#include "nta/pipeline/backtest.h"
#include "parameters.h"

namespace nta::server {
namespace {

constexpr std::size_t kPage = 10'000;

// What one side of a backtest runs: a rule that may not be saved, or a detector.
struct Subject {
  std::optional<AlertRule> rule;
  std::string detector;
  std::string sensitivity = "normal";
};

struct BacktestRequest {
  Subject subject;
  std::optional<Subject> against;
  TimeInterval interval;
  double wanted_per_day = 5;
  std::vector<Suppression> suppressions;
};

FlowFeed FeedFrom(const Store& store, TimeInterval interval) {
  return [&store, interval](FlowSink sink) -> absl::Status {
    FlowQuery query{.interval = interval, .order = FlowOrder::kOldestFirst, .limit = kPage};
    do {
      NTA_ASSIGN_OR_RETURN(const FlowPage page, store.Flows(query));
      for (const StoredFlow& stored : page.flows) NTA_RETURN_IF_ERROR(sink(stored.flow));
      query.cursor = page.next_cursor;
    } while (!query.cursor.empty());
    return absl::OkStatus();
  };
}

absl::StatusOr<DetectorList> Detectors(const Subject& subject) {
  DetectorList list;
  if (subject.rule) {
    NTA_ASSIGN_OR_RETURN(RuleDetector detector, RuleDetector::Create(*subject.rule));
    list.push_back(std::make_unique<RuleDetector>(std::move(detector)));
    return list;
  }
  NTA_ASSIGN_OR_RETURN(
      list, DefaultDetectors(OptionsFor(
                {{subject.detector, {.enabled = true, .sensitivity = subject.sensitivity}}})));
  if (subject.detector.empty()) return list;
  std::erase_if(list, [&](const auto& one) { return one->name() != subject.detector; });
  if (list.empty()) return base::InvalidArgument("there is no such detector");
  return list;
}

absl::StatusOr<BacktestReport> Test(const Subject& subject, const FlowFeed& feed,
                                    const BacktestOptions& options) {
  NTA_ASSIGN_OR_RETURN(const DetectorList list, Detectors(subject));
  std::vector<Detector*> pointers;
  for (const auto& detector : list) pointers.push_back(detector.get());
  return BacktestFlows(pointers, feed, options);
}

absl::StatusOr<std::string> RunBacktest(const Store& store, const BacktestRequest& request,
                                        JobContext& job) {
  const FlowFeed feed = FeedFrom(store, request.interval);
  BacktestOptions options{.suppressions = request.suppressions, .stop = job.stop()};
  const bool suggests = request.subject.rule.has_value();
  const double passes = 1 + (request.against ? 1 : 0) + (suggests ? 2 : 0);
  double done = 0;
  std::string doing = "going through the flows";
  const auto length =
      std::chrono::duration<double>(request.interval.until - request.interval.since);
  options.progress = [&](Timestamp time) {
    const std::chrono::duration<double> past = time - request.interval.since;
    const double part = std::clamp(past.count() / std::max(length.count(), 1.0), 0.0, 1.0);
    job.Report((done + part) / passes, doing);
  };
  NTA_ASSIGN_OR_RETURN(const BacktestReport report, Test(request.subject, feed, options));
  JsonObject result;
  result.AddJson("report", ToJson(report, request.wanted_per_day));
  done += 1;
  if (request.against) {
    doing = "going through the flows with the other configuration";
    NTA_ASSIGN_OR_RETURN(const BacktestReport before, Test(*request.against, feed, options));
    result.AddJson("against", ToJson(before, request.wanted_per_day));
    result.AddJson("difference", ToJson(Compare(before, report)));
    done += 1;
  }
  if (suggests) {
    doing = "looking for a threshold";
    NTA_ASSIGN_OR_RETURN(
        const ThresholdSuggestion suggestion,
        SuggestThreshold(*request.subject.rule, feed, request.wanted_per_day, options));
    result.AddJson("suggestion", ToJson(suggestion));
  }
  return result.Take();
}

// `json` names a rule by its expression or id, or a detector.
absl::StatusOr<Subject> ReadSubject(Services& services, std::string_view json,
                                    std::optional<std::size_t>& position) {
  NTA_ASSIGN_OR_RETURN(const JsonMembers members, ParseObject(json));
  Subject subject;
  std::string expression;
  for (const auto& [name, member] : members) {
    if (member.type != JsonMember::Type::kText) {
      return base::InvalidArgument("\"" + name + "\" is a text");
    }
    if (name == "expression") {
      expression = member.text;
    } else if (name == "rule") {
      NTA_ASSIGN_OR_RETURN(const StoredRule rule, services.detection.GetRule(member.text));
      subject.rule = rule.rule;
    } else if (name == "detector") {
      subject.detector = member.text;
    } else if (name == "sensitivity") {
      subject.sensitivity = member.text;
    } else {
      return base::InvalidArgument("unknown field \"" + name + "\"");
    }
  }
  if (!expression.empty()) {
    FilterError error;
    const auto condition = RuleCondition::Parse(expression, &error);
    if (!condition.ok()) {
      position = error.position;
      return base::InvalidArgument("\"expression\": " + error.message);
    }
    subject.rule = AlertRule{.id = "draft", .title = "Draft", .condition = *condition};
  }
  if (!subject.rule && !subject.detector.empty()) {
    NTA_RETURN_IF_ERROR(Detectors(subject).status());
  }
  return subject;
}

// What the two routes have in common: how to refuse, and the times and wishes of the body.
class Reader {
 public:
  Reader(Services& services, const Call& call) : services_(services), call_(call) {}

  absl::Status Read(std::string_view subject, std::string_view against) {
    NTA_ASSIGN_OR_RETURN(request_.subject, ReadSubject(services_, subject, position_));
    if (!against.empty()) {
      NTA_ASSIGN_OR_RETURN(request_.against, ReadSubject(services_, against, position_));
    }
    const Timestamp now = services_.clock.wall();
    const auto moment = [&](std::string_view name, std::string_view fallback) {
      const std::string_view text = call_.Body(name);
      return ParseMoment(text.empty() ? fallback : text, now);
    };
    NTA_ASSIGN_OR_RETURN(request_.interval.until, moment("until", "now"));
    NTA_ASSIGN_OR_RETURN(request_.interval.since, moment("since", "-24h"));
    if (request_.interval.since >= request_.interval.until) {
      return base::InvalidArgument("field \"since\" is not before \"until\"");
    }
    if (const std::string_view wanted = call_.Body("wanted_per_day"); !wanted.empty()) {
      request_.wanted_per_day = std::strtod(std::string(wanted).c_str(), nullptr);
      if (!(request_.wanted_per_day >= 0 && request_.wanted_per_day <= 1e6)) {
        return base::InvalidArgument("field \"wanted_per_day\" is 0 to 1000000");
      }
    }
    if (call_.Body("suppressions") == "false") return absl::OkStatus();
    for (StoredSuppression& one : services_.detection.Suppressions()) {
      request_.suppressions.push_back(std::move(one.suppression));
    }
    return absl::OkStatus();
  }

  Response Refuse(const absl::Status& status) const {
    if (absl::IsNotFound(status)) return Problem(404, "there is no such rule");
    const std::string message(status.message().data(), status.message().size());
    return position_ ? Problem(400, message, ",\"position\":" + std::to_string(*position_))
                     : Problem(400, message);
  }

  Response Start() && {
    const auto id =
        services_.jobs.Start({.kind = "backtest", .owner = call_.principal.account.username},
                             [&store = services_.store, request = std::move(request_)](
                                 JobContext& job) { return RunBacktest(store, request, job); });
    if (!id.ok()) return FromStatus(id.status());
    return Json(JsonObject().Add("job", *id).Take(), 202);
  }

 private:
  Services& services_;
  const Call& call_;
  BacktestRequest request_;
  std::optional<std::size_t> position_;
};

Response Begin(Services& services, const Call& call, std::string_view subject,
               std::string_view against) {
  Reader reader(services, call);
  const absl::Status status = reader.Read(subject, against);
  return status.ok() ? std::move(reader).Start() : reader.Refuse(status);
}

Response PostBacktest(Services& services, const Call& call) {
  return Begin(services, call, call.Body("subject"), call.Body("against"));
}

Response PostDryRun(Services& services, const Call& call) {
  return Begin(services, call, JsonObject().Add("expression", call.Body("expression")).Take(), {});
}

}  // namespace

std::vector<Route> BacktestRoutes() {
  const std::string subject =
      "{\"expression\"} of a rule, {\"rule\"} by its id, {\"detector\", \"sensitivity\"}, or {} "
      "for "
      "all detectors";
  const auto optional = Need::kOptional;
  const std::vector<Field> common = {
      {"since", "RFC 3339 or -24h, the default", optional},
      {"until", "RFC 3339 or now, the default", optional},
      {"wanted_per_day", "alerts; default 5", optional, FieldType::kNumber},
      {"suppressions", "whether those in use apply; default true", optional, FieldType::kBoolean}};
  std::vector<Field> backtest = {
      {"subject", subject, Need::kRequired, FieldType::kObject},
      {"against", "another one, to compare with", optional, FieldType::kObject}};
  std::vector<Field> dry_run = {{"expression", "of a rule, see docs/alert_rules.md"}};
  backtest.insert(backtest.end(), common.begin(), common.end());
  dry_run.insert(dry_run.end(), common.begin(), common.end());
  Route route = {.method = "POST",
                 .path = "/api/v1/backtest",
                 .access = Access::kOperator,
                 .work = Work::kStore,
                 .handler = PostBacktest,
                 .summary = "What a rule or detector would have said of stored flows",
                 .parameters = {},
                 .fields = std::move(backtest),
                 .success = 202,
                 .answer = "job: its result has report, against, difference, suggestion",
                 .audit = "backtest.run"};
  Route dry = route;
  dry.path = "/api/v1/alert-rules/dry-run";
  dry.handler = PostDryRun;
  dry.summary = "What a rule that is not saved yet would have said of stored flows";
  dry.fields = std::move(dry_run);
  dry.audit = "alert_rule.dry_run";
  return {route, dry};
}

}  // namespace nta::server

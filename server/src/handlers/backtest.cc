// Backtests: what rules and detectors would have said of stored flows, or of a capture.
#include "nta/pipeline/backtest.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "app.h"
#include "base/status.h"
#include "detection/detector_json.h"
#include "handlers/alert_packets.h"
#include "http/body_file.h"
#include "http/json_text.h"
#include "http/parameters.h"
#include "nta/capture/pcap_file_reader.h"
#include "nta/detect/rule_detector.h"
#include "operations/job_start.h"

namespace nta::server {
namespace {

constexpr std::size_t kPage = 10'000;
constexpr std::uint64_t kMaxCaptureBytes = std::uint64_t{512} << 20;
// A capture that is packed may be larger, up to this.
constexpr std::uint64_t kMaxUnpackedBytes = std::uint64_t{4} << 30;
constexpr std::size_t kMaxCaptureFlows = 200'000;

// What one side of a backtest runs: a rule that may not be saved, or detectors.
struct Subject {
  std::optional<AlertRule> rule;
  std::vector<std::string> detectors;  // by name, in the order of DefaultDetectors
  DetectionOptions options;
  std::map<std::string, DetectorSettings> settings;  // of `detectors`, as in `options`
};

struct BacktestRequest {
  Subject subject;
  std::optional<Subject> against;
  TimeInterval interval;
  double wanted_per_day = 5;
  bool suggests = true;  // what to set for so many
  std::vector<Suppression> suppressions;
  std::shared_ptr<const BodyFile> capture;  // in place of stored flows
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
  for (const std::string& name : subject.detectors) {
    NTA_ASSIGN_OR_RETURN(std::unique_ptr<Detector> detector, MakeDetector(name, subject.options));
    list.push_back(std::move(detector));
  }
  return list;
}

// What stored flows cannot tell these detectors.
std::vector<std::string> LacksOf(const Subject& subject) {
  std::vector<std::string> notes;
  for (const DetectorInfo& info : DetectorCatalogue()) {
    const auto& names = subject.detectors;
    if (info.stored_flows_note.empty() ||
        std::find(names.begin(), names.end(), info.name) == names.end()) {
      continue;
    }
    notes.push_back(info.name +
                    (info.stored_flows == FlowSupport::kNone ? " cannot say anything here: "
                                                             : " sees part of it here: ") +
                    info.stored_flows_note);
  }
  return notes;
}

absl::StatusOr<std::unique_ptr<PcapFileReader>> OpenCapture(const BodyFile& capture) {
  return PcapFileReader::Open(capture.path(), {.max_decompressed_bytes = kMaxUnpackedBytes});
}

// Those of which the traffic at hand says something.
std::map<std::string, DetectorSettings> Judgeable(const Subject& subject, bool has_packets) {
  std::map<std::string, DetectorSettings> settings = subject.settings;
  for (const DetectorInfo& info : DetectorCatalogue()) {
    if (!has_packets && info.stored_flows == FlowSupport::kNone) settings.erase(info.name);
  }
  return settings;
}

// A backtest under way: so many passes over the traffic.
class Backtest {
 public:
  Backtest(const Store& store, const BacktestRequest& request, JobContext& job)
      : request_(request), job_(job), feed_(FeedFrom(store, request.interval)) {
    options_.suppressions = request.suppressions;
    options_.stop = job.stop();
    options_.progress = [this](Timestamp time) { Report(time); };
    const std::size_t trials = request.subject.rule ? kRulePasses : kSensitivityPasses;
    passes_ = 1 + (request.against ? 1 : 0) + (request.suggests ? trials : 0);
  }

  absl::StatusOr<std::string> Run() {
    doing_ = "going through the traffic";
    NTA_ASSIGN_OR_RETURN(const BacktestReport report, Test(request_.subject));
    JsonObject result;
    result.AddJson("report", ToJson(report, request_.wanted_per_day));
    std::vector<std::string> notes =
        request_.capture ? std::vector<std::string>() : LacksOf(request_.subject);
    std::optional<BacktestDifference> difference;
    done_ += 1;
    if (request_.against) {
      doing_ = "going through the traffic with the other configuration";
      NTA_ASSIGN_OR_RETURN(const BacktestReport before, Test(*request_.against));
      result.AddJson("against", ToJson(before, request_.wanted_per_day));
      difference = Compare(before, report);
      result.AddJson("difference", ToJson(*difference));
      done_ += 1;
    }
    for (std::string& note : NotesOn(report, difference ? &*difference : nullptr)) {
      notes.push_back(std::move(note));
    }
    result.AddJson("notes", JsonList(notes, JsonQuote));
    if (request_.suggests) NTA_RETURN_IF_ERROR(Suggest(result));
    return result.Take();
  }

 private:
  // Of SuggestThreshold and SuggestSensitivities.
  static constexpr std::size_t kRulePasses = 2;
  static constexpr std::size_t kSensitivityPasses = 3;

  absl::StatusOr<BacktestReport> Test(const Subject& subject) {
    NTA_ASSIGN_OR_RETURN(const DetectorList list, Detectors(subject));
    std::vector<Detector*> pointers;
    for (const auto& detector : list) pointers.push_back(detector.get());
    return Pass(pointers);
  }

  absl::StatusOr<BacktestReport> Pass(std::span<Detector* const> detectors) {
    if (request_.capture == nullptr) return BacktestFlows(detectors, feed_, options_);
    NTA_ASSIGN_OR_RETURN(const auto reader, OpenCapture(*request_.capture));
    capture_ = reader.get();
    PipelineOptions pipeline;
    pipeline.flow_table.max_flows = kMaxCaptureFlows;
    const auto report = BacktestCapture(detectors, *reader, pipeline, options_);
    capture_ = nullptr;
    return report;
  }

  absl::Status Suggest(JsonObject& result) {
    const BacktestPass pass = [this](std::span<Detector* const> detectors) {
      auto report = Pass(detectors);
      done_ += 1;
      return report;
    };
    if (request_.subject.rule) {
      doing_ = "looking for a threshold";
      NTA_ASSIGN_OR_RETURN(const ThresholdSuggestion suggestion,
                           SuggestThreshold(*request_.subject.rule, pass, request_.wanted_per_day));
      result.AddJson("suggestion", ToJson(suggestion));
      return absl::OkStatus();
    }
    doing_ = "trying sensitivities";
    NTA_ASSIGN_OR_RETURN(
        const std::vector<SensitivitySuggestion> suggestions,
        SuggestSensitivities(Judgeable(request_.subject, request_.capture != nullptr), pass,
                             request_.wanted_per_day, request_.subject.options));
    result.AddJson("suggestion", ToJson(suggestions, request_.wanted_per_day));
    return absl::OkStatus();
  }

  void Report(Timestamp time) {
    if (capture_ != nullptr) {
      const CaptureStats stats = capture_->Stats();
      const double all = std::max(static_cast<double>(stats.bytes_total), 1.0);
      job_.Report((done_ + std::min(static_cast<double>(stats.bytes_read) / all, 1.0)) /
                      static_cast<double>(passes_),
                  doing_);
      return;
    }
    const std::chrono::duration<double> length = request_.interval.until - request_.interval.since;
    const std::chrono::duration<double> past = time - request_.interval.since;
    const double part = std::clamp(past.count() / std::max(length.count(), 1.0), 0.0, 1.0);
    job_.Report((done_ + part) / static_cast<double>(passes_), doing_);
  }

  const BacktestRequest& request_;
  JobContext& job_;
  const FlowFeed feed_;
  BacktestOptions options_;
  const PacketSource* capture_ = nullptr;  // while it is read
  std::size_t passes_ = 1;
  double done_ = 0;
  std::string doing_;
};

// `json` is what SubjectFromJson takes. Settings go before those in use.
absl::StatusOr<Subject> ReadSubject(Services& services, std::string_view json,
                                    std::optional<std::size_t>& position) {
  NTA_ASSIGN_OR_RETURN(const BacktestSubject asked, SubjectFromJson(json));
  Subject subject;
  if (!asked.rule.empty()) {
    NTA_ASSIGN_OR_RETURN(const StoredRule rule, services.detection.GetRule(asked.rule));
    subject.rule = rule.rule;
    return subject;
  }
  if (!asked.expression.empty()) {
    FilterError error;
    const auto condition = RuleCondition::Parse(asked.expression, &error);
    if (!condition.ok()) {
      position = error.position;
      return base::InvalidArgument("\"expression\": " + error.message);
    }
    subject.rule = AlertRule{.id = "draft", .title = "This rule", .condition = *condition};
    return subject;
  }
  subject.options = services.detection.OptionsInUse();
  const AllDetectorSettings in_use = services.detection.Settings();
  const auto wanted = [&](const std::string& name) {
    if (asked.detectors.empty()) return !subject.options.disabled.contains(name);
    return std::find(asked.detectors.begin(), asked.detectors.end(), name) != asked.detectors.end();
  };
  for (const std::string& name : DefaultDetectorNames()) {
    if (!wanted(name)) continue;
    subject.detectors.push_back(name);
    DetectorSettings& settings = subject.settings[name] = in_use.at(name);
    settings.enabled = true;
    if (!asked.settings) continue;
    NTA_ASSIGN_OR_RETURN(settings, ChangedBy(*asked.settings, std::move(settings)));
    if (settings.options.contains("block_lists")) {
      const auto now = in_use.at(name).options.find("block_lists");
      if (now == in_use.at(name).options.end() ||
          now->second != settings.options.at("block_lists")) {
        return base::InvalidArgument("a backtest takes the block lists in use");
      }
    }
    NTA_RETURN_IF_ERROR(Configure(name, settings, subject.options));
  }
  for (const std::string& name : asked.detectors) {
    if (!in_use.contains(name)) {
      return base::InvalidArgument("there is no detector \"" + name.substr(0, 40) + "\"");
    }
  }
  if (subject.detectors.empty()) return base::InvalidArgument("no detector is on");
  // What is wrong with the options shows before the job starts.
  NTA_RETURN_IF_ERROR(Detectors(subject).status());
  return subject;
}

// What the two routes have in common: how to refuse, and the times and wishes of the body.
class Reader {
 public:
  // Wishes are members of the body, or parameters where the body is a capture.
  enum class Wishes : std::uint8_t { kBody, kQuery };

  Reader(Services& services, const Call& call, Wishes wishes = Wishes::kBody)
      : services_(services), call_(call), wishes_(wishes) {}

  absl::Status Read(std::string_view subject, std::string_view against) {
    NTA_ASSIGN_OR_RETURN(request_.subject, ReadSubject(services_, subject, position_));
    if (!against.empty()) {
      NTA_ASSIGN_OR_RETURN(request_.against, ReadSubject(services_, against, position_));
    }
    const Timestamp now = services_.clock.wall();
    const auto moment = [&](std::string_view name, std::string_view fallback) {
      const std::string_view text = Wish(name);
      return ParseMoment(text.empty() ? fallback : text, now);
    };
    NTA_ASSIGN_OR_RETURN(request_.interval.until, moment("until", "now"));
    NTA_ASSIGN_OR_RETURN(request_.interval.since, moment("since", "-24h"));
    if (request_.interval.since >= request_.interval.until) {
      return base::InvalidArgument("field \"since\" is not before \"until\"");
    }
    if (const std::string_view wanted = Wish("wanted_per_day"); !wanted.empty()) {
      request_.wanted_per_day = std::strtod(std::string(wanted).c_str(), nullptr);
      if (!(request_.wanted_per_day >= 0 && request_.wanted_per_day <= 1e6)) {
        return base::InvalidArgument("field \"wanted_per_day\" is 0 to 1000000");
      }
    }
    request_.suggests = Wish("suggest") != "false";
    if (Wish("suppressions") == "false") return absl::OkStatus();
    for (StoredSuppression& one : services_.detection.Suppressions()) {
      request_.suppressions.push_back(std::move(one.suppression));
    }
    return absl::OkStatus();
  }

  // What is no capture is refused at once.
  absl::Status Take(std::shared_ptr<const BodyFile> capture) {
    if (!OpenCapture(*capture).ok()) {
      return base::InvalidArgument("the body is no capture: neither pcap nor pcapng");
    }
    request_.capture = std::move(capture);
    return absl::OkStatus();
  }

  Response Refuse(const absl::Status& status) const {
    if (absl::IsNotFound(status)) return Problem(404, "there is no such rule");
    const std::string message(status.message().data(), status.message().size());
    return position_ ? Problem(400, message, ",\"position\":" + std::to_string(*position_))
                     : Problem(400, message);
  }

  Response Start() && {
    return StartJob(services_, call_, {.kind = "backtest"},
                    [&store = services_.store, request = std::move(request_)](JobContext& job) {
                      return Backtest(store, request, job).Run();
                    });
  }

 private:
  std::string_view Wish(std::string_view name) const {
    return wishes_ == Wishes::kBody ? call_.Body(name) : call_.Query(name);
  }

  Services& services_;
  const Call& call_;
  Wishes wishes_;
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

Response PostCaptureBacktest(Services& services, const Call& call) {
  const std::shared_ptr<const BodyFile> capture = call.request->upload;
  if (capture == nullptr || capture->size() == 0) return Problem(400, "the body is empty");
  Reader reader(services, call, Reader::Wishes::kQuery);
  const std::string_view subject = call.Query("subject");
  absl::Status status = reader.Read(subject.empty() ? "{}" : subject, call.Query("against"));
  if (status.ok()) status = reader.Take(capture);
  return status.ok() ? std::move(reader).Start() : reader.Refuse(status);
}

// Over the packets that are kept of an alert.
Response PostAlertBacktest(Services& services, const Call& call) {
  auto file = PacketsBefore(services, call.Path("id"));
  if (!file.ok()) return RefusePackets(file.status());
  Reader reader(services, call);
  absl::Status status = reader.Read(call.Body("subject"), call.Body("against"));
  if (status.ok()) status = reader.Take(std::make_shared<const BodyFile>(*std::move(file)));
  return status.ok() ? std::move(reader).Start() : reader.Refuse(status);
}

}  // namespace

std::vector<Route> BacktestRoutes() {
  const std::string subject =
      "{\"expression\"} of a rule, {\"rule\"} by its id, {\"detector\", \"sensitivity\", "
      "\"options\"}, {\"detectors\", \"sensitivity\"}, or {} for all that are on; what is left out "
      "is "
      "as it is set";
  const auto optional = Need::kOptional;
  const std::vector<Field> common = {
      {"since", "RFC 3339 or -24h, the default", optional},
      {"until", "RFC 3339 or now, the default", optional},
      {"wanted_per_day", "alerts; default 5: what `suggestion` keeps to", optional,
       FieldType::kNumber},
      {"suggest",
       "whether to look for the threshold of a rule (2 passes) or the sensitivity of detectors (3) "
       "for so many; default true",
       optional, FieldType::kBoolean},
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
                 .answer = "a job; its result: report, notes, against, difference, suggestion",
                 .audit = "backtest.run"};
  Route dry = route;
  dry.path = "/api/v1/alert-rules/dry-run";
  dry.handler = PostDryRun;
  dry.summary = "What a rule that is not saved yet would have said of stored flows";
  dry.fields = std::move(dry_run);
  dry.audit = "alert_rule.dry_run";
  Route of_alert = route;
  of_alert.path = "/api/v1/alerts/{id}/backtest";
  of_alert.handler = PostAlertBacktest;
  of_alert.summary = "What a rule or detector would have said of the packets kept of an alert";
  std::erase_if(of_alert.fields,
                [](const Field& field) { return field.name == "since" || field.name == "until"; });
  Route of_capture = route;
  of_capture.path = "/api/v1/backtest/capture";
  of_capture.work = Work::kStore;
  of_capture.handler = PostCaptureBacktest;
  of_capture.summary =
      "What a rule or detector would have said of a capture, the body of the request (pcap or "
      "pcapng, also packed)";
  of_capture.fields = {};
  of_capture.parameters = {
      {"subject", "JSON, as in a backtest of stored flows; default {}", {}},
      {"against", "JSON, another one, to compare with", {}},
      {"wanted_per_day", "alerts; default 5: what `suggestion` keeps to", {}},
      {"suggest", "whether to look for it; default true", {"true", "false"}},
      {"suppressions", "whether those in use apply; default true", {"true", "false"}}};
  of_capture.max_upload_bytes = kMaxCaptureBytes;
  return {route, dry, of_capture, of_alert};
}

}  // namespace nta::server

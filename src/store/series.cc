#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "base/status.h"
#include "store/minutes.h"
#include "store/operations.h"
#include "store/ranking.h"
#include "store/rows.h"
#include "store/scan.h"

namespace nta::store {
namespace {

constexpr std::int64_t kMaxSteps = 20'000;
constexpr int kAllProtocols = -1;

std::int64_t FloorDivide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// The first minute of traffic or capture that is kept, and the one after the last.
absl::StatusOr<MinuteRange> KeptMinutes(Connection& connection) {
  NTA_ASSIGN_OR_RETURN(
      Statement statement,
      connection.Prepare("SELECT min(a), max(b) FROM ("
                         "SELECT (SELECT min(minute) FROM rollup_protocol) AS a, "
                         "(SELECT max(minute) + 1 FROM rollup_protocol) AS b UNION ALL "
                         "SELECT min(since_minute), max(until_minute) FROM captured)"));
  NTA_RETURN_IF_ERROR(statement.Step().status());
  return MinuteRange{statement.Integer(0), statement.Integer(1)};
}

class SeriesBuilder {
 public:
  SeriesBuilder(Connection& connection, const SeriesQuery& query)
      : connection_(connection),
        query_(query),
        step_minutes_(query.step / std::chrono::minutes(1)) {}

  absl::StatusOr<SeriesResult> Build() {
    NTA_RETURN_IF_ERROR(ChooseSteps());
    captured_.assign(Steps(), false);
    NTA_RETURN_IF_ERROR(FindCaptured());
    if (query_.by == SeriesBy::kNone) values_[kAllProtocols].assign(Steps(), 0);
    NTA_RETURN_IF_ERROR(query_.filter.matches_everything() ? AddRollup() : AddFlows());
    return Result();
  }

 private:
  std::size_t Steps() const {
    return static_cast<std::size_t>((range_.until - range_.since) / step_minutes_);
  }
  std::size_t StepOf(Minute minute) const {
    return static_cast<std::size_t>((minute - range_.since) / step_minutes_);
  }
  Timestamp StartOfStep(std::size_t step) const {
    return StartOf(range_.since + static_cast<std::int64_t>(step) * step_minutes_);
  }

  absl::Status ChooseSteps() {
    range_ = Covering(query_.interval);
    const bool open_start = query_.interval.since == TimeInterval{}.since;
    const bool open_end = query_.interval.until == TimeInterval{}.until;
    if (open_start || open_end) {
      NTA_ASSIGN_OR_RETURN(const MinuteRange kept, KeptMinutes(connection_));
      if (open_start) range_.since = kept.since;
      if (open_end) range_.until = std::max(range_.since, kept.until);
    }
    range_.since = FloorDivide(range_.since, step_minutes_) * step_minutes_;
    range_.until = -FloorDivide(-range_.until, step_minutes_) * step_minutes_;
    range_.until = std::max(range_.until, range_.since);
    if ((range_.until - range_.since) / step_minutes_ <= kMaxSteps) return absl::OkStatus();
    return base::InvalidArgument("step is too short for the interval: at most " +
                                 std::to_string(kMaxSteps) + " steps");
  }

  // A minute was captured when it was marked so, or when it has traffic of whatever kind.
  absl::Status FindCaptured() {
    NTA_ASSIGN_OR_RETURN(Statement marked,
                         connection_.Prepare("SELECT since_minute, until_minute FROM captured "
                                             "WHERE since_minute < ?2 AND until_minute > ?1"));
    marked.BindAll(range_.since, range_.until);
    while (true) {
      NTA_ASSIGN_OR_RETURN(const bool row, marked.Step());
      if (!row) break;
      const std::size_t first = StepOf(std::max(marked.Integer(0), range_.since));
      const std::size_t last = StepOf(std::min(marked.Integer(1), range_.until) - 1);
      for (std::size_t step = first; step <= last; ++step) captured_[step] = true;
    }
    NTA_ASSIGN_OR_RETURN(
        Statement traffic,
        connection_.Prepare(
            "SELECT minute FROM rollup_protocol WHERE minute >= ?1 AND minute < ?2"));
    traffic.BindAll(range_.since, range_.until);
    while (true) {
      NTA_ASSIGN_OR_RETURN(const bool row, traffic.Step());
      if (!row) return absl::OkStatus();
      captured_[StepOf(traffic.Integer(0))] = true;
    }
  }

  void Add(std::uint8_t protocol, std::size_t step, const TrafficTotals& totals) {
    const std::uint64_t value = Measured(totals, query_.measure);
    if (value == 0) return;
    auto& values = values_[query_.by == SeriesBy::kNone ? kAllProtocols : protocol];
    values.resize(Steps());
    values[step] += value;
  }

  absl::Status AddRollup() {
    // Of an address the minutes are looked up one by one: the table is sorted by minute first.
    const std::string sql =
        query_.address ? "SELECT a.minute, a.protocol, sent_as_source + received_as_source + "
                         "sent_as_destination + received_as_destination - bytes_to_itself, "
                         "packets_as_source + packets_as_destination - packets_to_itself, "
                         "flows_as_source + flows_as_destination - flows_to_itself "
                         "FROM (SELECT DISTINCT minute FROM rollup_protocol "
                         "WHERE minute >= ?1 AND minute < ?2) AS m "
                         "CROSS JOIN rollup_address AS a ON a.minute = m.minute AND a.address = ?3"
                       : "SELECT minute, protocol, bytes, packets, flows FROM rollup_protocol "
                         "WHERE minute >= ?1 AND minute < ?2";
    NTA_ASSIGN_OR_RETURN(Statement statement, connection_.Prepare(sql));
    statement.BindAll(range_.since, range_.until);
    if (query_.address) statement.Bind(query_.address->bytes());
    while (true) {
      NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
      if (!row) return absl::OkStatus();
      const auto count = [&](int column) {
        return static_cast<std::uint64_t>(statement.Integer(column));
      };
      Add(static_cast<std::uint8_t>(statement.Integer(1)), StepOf(statement.Integer(0)),
          {count(2), count(3), count(4)});
    }
  }

  absl::Status AddFlows() {
    source_ = QuerySource::kRaw;
    const TimeInterval interval{StartOf(range_.since), StartOf(range_.until)};
    return ScanFlows(connection_, interval, query_.filter, [&](const FlowRecord& flow) {
      if (!query_.address || flow.source.address == *query_.address ||
          flow.destination.address == *query_.address) {
        AddFlow(flow);
      }
      return absl::OkStatus();
    });
  }

  void AddFlow(const FlowRecord& flow) {
    const Minute first = std::max(FloorMinute(flow.first_seen), range_.since);
    const Minute last = std::min(FloorMinute(flow.last_seen), range_.until - 1);
    if (first > last) return;
    Share before = ShareBefore(flow, StartOfStep(StepOf(first)));
    for (std::size_t step = StepOf(first); step <= StepOf(last); ++step) {
      const Share after = ShareBefore(flow, StartOfStep(step + 1));
      const Share share = ShareBetween(before, after);
      Add(flow.protocol, step, {share.bytes(), share.packets, share.flows});
      before = after;
    }
  }

  SeriesResult Result() const {
    SeriesResult result;
    result.interval = {StartOf(range_.since), StartOf(range_.until)};
    result.step = query_.step;
    result.source = source_;
    for (std::size_t step = 0; step < Steps(); ++step) result.times.push_back(StartOfStep(step));
    std::vector<std::pair<std::uint64_t, SeriesLine>> lines;
    for (const auto& [protocol, values] : values_) {
      SeriesLine line;
      line.key =
          protocol == kAllProtocols ? "all" : ProtocolName(static_cast<std::uint8_t>(protocol));
      for (std::size_t step = 0; step < Steps(); ++step) {
        line.values.push_back(captured_[step] ? std::optional(values[step]) : std::nullopt);
      }
      lines.emplace_back(std::accumulate(values.begin(), values.end(), std::uint64_t{0}),
                         std::move(line));
    }
    // The line that matters most comes first.
    std::stable_sort(lines.begin(), lines.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    for (auto& [sum, line] : lines) result.lines.push_back(std::move(line));
    return result;
  }

  Connection& connection_;
  const SeriesQuery& query_;
  const std::int64_t step_minutes_;
  MinuteRange range_;
  QuerySource source_ = QuerySource::kRollup;
  std::vector<bool> captured_;
  std::map<int, std::vector<std::uint64_t>> values_;  // by protocol
};

}  // namespace

absl::StatusOr<SeriesResult> QuerySeries(Connection& connection, const SeriesQuery& query) {
  constexpr std::chrono::seconds kMaxStep = std::chrono::hours(24 * 366);
  if (query.step < std::chrono::minutes(1) || query.step > kMaxStep ||
      query.step % std::chrono::minutes(1) != std::chrono::seconds(0)) {
    return base::InvalidArgument("step must be a multiple of 60 seconds, up to 366 days");
  }
  NTA_RETURN_IF_ERROR(CheckInterval(query.interval));
  // Traffic and captured minutes are of one moment.
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginRead(connection));
  return SeriesBuilder(connection, query).Build();
}

}  // namespace nta::store

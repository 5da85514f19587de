// Store: flows, alerts, users and settings in one SQLite file, with totals per minute beside them.
//
//   auto store = nta::Store::Open({.path = "nta.db"});
//   absl::Status status = (*store)->Write(flows, alerts);
//   auto top = (*store)->Top({.interval = {since, until}, .dimension =
//   nta::TopDimension::kSourceAddress});
#ifndef NTA_STORE_STORE_H_
#define NTA_STORE_STORE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/detect/alert.h"
#include "nta/flow/flow_filter.h"
#include "nta/flow/flow_record.h"
#include "nta/store/address_name.h"
#include "nta/store/document.h"
#include "nta/store/sample.h"

namespace nta {

namespace store {
class Backend;
}

struct StoreOptions {
  // A SQLite file; ":memory:" keeps it in memory. A URL of PostgreSQL
  // ("postgresql://user@host/name", "postgresql:///name?host=/run/postgresql") names a database of
  // its own there, which must exist.
  std::string path{};
  // A query that takes longer is given up with DeadlineExceeded.
  std::chrono::milliseconds query_timeout{10'000};
  // So many flows make a compressed block, 256 to 32,768. Smaller ones take more space, and single
  // flows are found faster in them.
  std::size_t flows_per_block = 32'768;
  // A file of this size beside the store ("nta.db-reserve"), given up when the disk is full, so
  // that old flows can still be deleted; made anew when there is space. 0: none.
  std::uint64_t reserve_bytes = 8 << 20;
  // NotFound instead of a new store when there is none.
  bool create = true;
  // A write that waits longer for others fails with Unavailable.
  std::chrono::milliseconds write_timeout{30'000};
};

// How long a query may go on, and who hears of it.
struct QueryControl {
  // The query is given up with Cancelled when a stop is requested.
  std::stop_token stop{};
  // Called now and then from the thread that asks, with 0 to 1: how much of the stored flows it has
  // been through. Queries that totals answer may not call it at all.
  std::function<void(double)> progress{};
  // Instead of StoreOptions::query_timeout.
  std::optional<std::chrono::milliseconds> timeout{};
};

// What capture saw, and what it could not keep: how far an answer is to be trusted.
struct CaptureCounts {
  std::uint64_t packets_seen = 0;     // the dropped ones included
  std::uint64_t packets_dropped = 0;  // by the interface, the kernel or a full queue
  std::uint64_t flows_evicted = 0;    // ended early for lack of room in the flow table
  std::uint64_t flows_dropped = 0;    // ended, but not stored

  friend bool operator==(const CaptureCounts&, const CaptureCounts&) = default;
};

// since <= time < until.
struct TimeInterval {
  Timestamp since{};
  Timestamp until = Timestamp::max();
};

enum class FlowOrder : std::uint8_t { kNewestFirst, kOldestFirst, kMostBytes, kMostPackets };

struct FlowQuery {
  TimeInterval interval{};  // of last_seen
  FlowFilter filter{};
  FlowOrder order = FlowOrder::kNewestFirst;
  std::size_t limit = 100;  // 1 to 10,000
  std::string cursor{};     // next_cursor of the page before; empty for the first
};

struct StoredFlow {
  std::int64_t id = 0;
  FlowRecord flow;
};

struct FlowPage {
  std::vector<StoredFlow> flows;
  std::string next_cursor;     // empty: this was the last page
  CaptureCounts capture = {};  // of the whole minutes of the interval
};

// Columns of one block of flows, as they are stored; all but the dictionaries of equal length.
struct StoredColumns {
  std::span<const IpAddress> source_addresses;  // each that occurs, once
  std::span<const std::uint32_t> source;        // a place in source_addresses
  std::span<const IpAddress> destination_addresses;
  std::span<const std::uint32_t> destination;
  std::span<const std::uint64_t> protocol;
  std::span<const std::uint64_t> source_port;
  std::span<const std::uint64_t> destination_port;
  std::span<const std::uint64_t> icmp_type;  // one more than the type; 0: absent
  std::span<const std::uint64_t> tcp_state;
  std::span<const std::uint64_t> forward_packets;
  std::span<const std::uint64_t> reverse_packets;
  std::span<const std::uint64_t> forward_bytes;  // wire bytes
  std::span<const std::uint64_t> reverse_bytes;
  std::span<const std::uint8_t> selected;  // 1: the flow is asked for
};

struct AlertQuery {
  TimeInterval interval{};
  std::optional<AlertClass> alert_class{};
  std::optional<Severity> min_severity{};
  std::size_t limit = 100;  // 1 to 10,000; newest first
  std::string cursor{};
};

struct AlertPage {
  std::vector<Alert> alerts;  // each alert once, in its latest state
  std::string next_cursor;
};

// Where an answer was counted.
enum class QuerySource : std::uint8_t { kRollup, kRaw };
std::string_view ToString(QuerySource source);  // "rollup", "raw"

enum class Measure : std::uint8_t { kBytes, kPackets, kFlows };
std::string_view ToString(Measure measure);
absl::StatusOr<Measure> ParseMeasure(std::string_view text);

struct TrafficTotals {
  std::uint64_t bytes = 0;  // wire bytes
  std::uint64_t packets = 0;
  std::uint64_t flows = 0;

  friend bool operator==(const TrafficTotals&, const TrafficTotals&) = default;
};

enum class TopDimension : std::uint8_t {
  kAddress,  // either side
  kSourceAddress,
  kDestinationAddress,
  kProtocol,
  // A flow counts for its service's port: the lower one, on whichever side it is.
  kSourcePort,
  kDestinationPort,
  kApplication,
  kCategory,
  // No totals are kept by these: they are answered from the flows themselves.
  kServerName,
  kVlan,
};
std::string_view ToString(TopDimension dimension);  // "address", "source_address", ...
absl::StatusOr<TopDimension> ParseTopDimension(std::string_view text);

struct TopQuery {
  TimeInterval interval{};  // widened to whole minutes when rollups answer
  TopDimension dimension = TopDimension::kAddress;
  Measure by = Measure::kBytes;
  std::size_t limit = 10;  // 1 to 1,000
  FlowFilter filter{};     // anything but "everything" is answered from the flows themselves
};

struct TopRow {
  std::string key;  // an address, a name or a number
  TrafficTotals totals;
  // What the address sent and received; only for the address dimensions.
  std::optional<std::uint64_t> sent_bytes;
  std::optional<std::uint64_t> received_bytes;
  // What of the totals is guessed by a port; only for applications and categories.
  std::optional<TrafficTotals> guessed{};
};

struct TopResult {
  TimeInterval interval;  // as answered
  QuerySource source = QuerySource::kRollup;
  CaptureCounts capture;
  TrafficTotals total;  // of everything, not only of the rows
  // What of the total belongs to no key: ports that are not a service's (of protocols that have
  // ports), flows of unknown application or category, without a server's name or a VLAN. Absent
  // for the other dimensions.
  std::optional<TrafficTotals> other;
  std::vector<TopRow> rows;
};

enum class SeriesBy : std::uint8_t { kNone, kProtocol, kApplication, kCategory };
std::string_view ToString(SeriesBy by);  // "none", "protocol", "application", "category"
absl::StatusOr<SeriesBy> ParseSeriesBy(std::string_view text);

struct SeriesQuery {
  // Widened to whole steps. An end that is left open is that of what is kept.
  TimeInterval interval{};
  std::chrono::seconds step = std::chrono::minutes(1);  // a multiple of a minute
  SeriesBy by = SeriesBy::kProtocol;
  Measure measure = Measure::kBytes;
  // Only traffic of this address; by application and category it is counted from the flows.
  std::optional<IpAddress> address{};
  FlowFilter filter{};
};

struct SeriesLine {
  // The name of a protocol, an application or a category; "unknown" of what has none; or "all".
  std::string key;
  // One a step; absent where nothing was captured.
  std::vector<std::optional<std::uint64_t>> values;
  // What of the values is guessed by a port, one a step; empty when nothing is.
  std::vector<std::uint64_t> guessed{};
};

struct SeriesResult {
  TimeInterval interval;
  std::chrono::seconds step{};
  QuerySource source = QuerySource::kRollup;
  CaptureCounts capture;
  std::vector<Timestamp> times;  // start of each step
  std::vector<SeriesLine> lines;
};

struct ConversationQuery {
  TimeInterval interval{};
  Measure by = Measure::kBytes;
  std::size_t limit = 10;  // 1 to 1,000
  FlowFilter filter{};
};

// Two addresses that spoke with each other, whoever began; `a` is the lower one.
struct Conversation {
  IpAddress a;
  IpAddress b;
  TrafficTotals totals;
  std::uint64_t bytes_from_a = 0;
  std::uint64_t bytes_from_b = 0;
  std::uint64_t flows_from_a = 0;  // in which `a` spoke first
};

struct ConversationResult {
  TimeInterval interval;
  QuerySource source = QuerySource::kRaw;
  CaptureCounts capture;
  TrafficTotals total;  // of everything, not only of the rows
  std::vector<Conversation> rows;
};

struct TrafficSummary {
  // As answered: whole minutes. An end that is left open is that of what is kept.
  TimeInterval interval;
  CaptureCounts capture;
  TrafficTotals total;
  std::uint64_t alerts = 0;
  std::vector<TopRow> protocols;
  std::vector<TopRow> top_sources;
  std::vector<TopRow> top_destinations;
  std::vector<TopRow> top_destination_ports;
};

// What is kept for how long, and up to which size. What is absent is kept for good.
struct RetentionPolicy {
  // Flows and their totals. Cut at whole hours; at least an hour.
  std::optional<Duration> flow_age{};
  std::optional<Duration> alert_age{};
  std::optional<Duration> sample_age{};
  // Incidents that were resolved or closed so long ago, with their evidence. Others stay.
  std::optional<Duration> incident_age{};
  // What each kind may take, as StoreUsage tells it; the oldest of the kind go first.
  std::optional<std::uint64_t> flow_bytes{};
  std::optional<std::uint64_t> alert_bytes{};
  std::optional<std::uint64_t> sample_bytes{};
  std::optional<std::uint64_t> incident_bytes{};
  // What is in the file, space to be used again not included. The oldest flows go first.
  std::optional<std::uint64_t> max_bytes{};
};

struct RetentionResult {
  std::uint64_t flows_deleted = 0;
  std::uint64_t alerts_deleted = 0;
  std::uint64_t samples_deleted = 0;
  std::uint64_t incidents_deleted = 0;
  std::uint64_t bytes_before = 0;  // as StoreSize::file_bytes
  std::uint64_t bytes_after = 0;
  // `now` was more than a day after that of the last run: ages were counted from one day after it.
  bool clock_jumped = false;
  Timestamp counted_from{};  // where ages were counted from
};

// What a policy would delete now, if the clock has not jumped.
struct RetentionPreview {
  // By age.
  std::uint64_t flows = 0;
  std::uint64_t alerts = 0;
  std::uint64_t samples = 0;
  std::uint64_t incidents = 0;
  // About so many more for the bytes of their kind.
  std::uint64_t flows_by_bytes = 0;
  std::uint64_t alerts_by_bytes = 0;
  std::uint64_t samples_by_bytes = 0;
  std::uint64_t incidents_by_bytes = 0;
  // By how much the file has more than max_bytes, and about how many flows make it up; what else
  // is deleted counts towards it.
  bool over_max_bytes = false;
  std::uint64_t excess_bytes = 0;
  std::uint64_t flows_by_size = 0;
};

struct StoreSize {
  // What the file takes of the disk: less than its length where deleted data left holes in it.
  std::uint64_t file_bytes = 0;
  std::uint64_t free_bytes = 0;  // of these, to be used again
  std::uint64_t log_bytes = 0;   // of the write-ahead log
  std::uint64_t flows = 0;
};

// What one kind of data takes, with its indexes.
struct KindUsage {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;

  friend bool operator==(const KindUsage&, const KindUsage&) = default;
};

struct StoreUsage {
  KindUsage flows;  // with their totals
  KindUsage alerts;
  KindUsage samples;
  KindUsage incidents;            // with their evidence
  std::uint64_t other_bytes = 0;  // settings, users, rules and whatever else has no limit
};

// What became of a store that could not be opened.
struct SalvageReport {
  std::string quarantine;  // where the damaged file is now
  std::string reason;      // why it could not be opened
  std::uint64_t flows_saved = 0;
  std::uint64_t flows_lost = 0;  // as far as is known
  std::uint64_t alerts_saved = 0;
  std::uint64_t users_saved = 0;
  std::uint64_t documents_saved = 0;
};

// An account of the server. The store keeps it and knows nothing of passwords but their hash.
struct User {
  std::string username{};
  std::string password_hash{};
  std::string role{};
  Timestamp created{};
  // Tokens of an older generation are void; grows when password or role change.
  std::int64_t generation = 0;
};

// InvalidArgument for a flow that no store keeps: it ends before it begins, lasts longer than 7
// days or counts beyond 2^53.
absl::Status CheckStorable(const FlowRecord& flow);

// How the file of a store names itself.
struct StoreFormat {
  std::int64_t application_id = 0;
  std::int64_t schema_version = 0;  // the newest that this library knows
};

// The embedded database. A flow's counts are spread evenly over the minutes from first_seen to
// last_seen, by rollups and by raw queries alike, so that both give the same sums; the flow itself
// counts in the minute of last_seen. Thread-safe: one writer at a time, readers beside it (SQLite
// WAL).
class Store {
 public:
  // Creates the file when it is missing. NotFound (no such directory), PermissionDenied, DataLoss
  // (not a database, or damaged), FailedPrecondition (of another program, or of a newer libnta),
  // Unavailable (the disk fails), ResourceExhausted (it is full, or memory is).
  static absl::StatusOr<std::unique_ptr<Store>> Open(StoreOptions options);
  // As Open; but a damaged file (DataLoss) is put aside as "<path>.corrupt-<number>" with its log,
  // and what can be read of it is brought into a new store. `report` tells when that happened.
  static absl::StatusOr<std::unique_ptr<Store>> OpenOrSalvage(StoreOptions options,
                                                              std::optional<SalvageReport>& report);
  static StoreFormat Format();
  // Whether the store keeps its data, log or reserve in this file: nobody else may write it.
  bool Owns(const std::string& path) const;
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // All or nothing, in one transaction; when it returns OK it is in the file and survives a power
  // failure. An alert whose id is known is replaced. ResourceExhausted when the disk is full,
  // Unavailable when it fails or others write for too long.
  absl::Status Write(std::span<const FlowRecord> flows, std::span<const Alert> alerts);
  // Writes what `next` gives, call by call until it gives nothing: all or nothing. Answers how
  // many. An error of `next` leaves nothing and is answered. Others go on writing meanwhile and
  // wait for the end of it only, when everything is moved into the store at once; until then it
  // takes space beside the store.
  absl::StatusOr<std::uint64_t> Import(
      absl::FunctionRef<absl::StatusOr<std::vector<FlowRecord>>()> next);
  // Marks the minutes of the interval as captured, so that a series can tell silence from absence.
  absl::Status MarkCaptured(TimeInterval interval);
  // Adds what was counted since the last call to the minute of `time`.
  absl::Status RecordCapture(Timestamp time, const CaptureCounts& counts);

  // InvalidArgument for a limit, step or cursor out of range; DeadlineExceeded after query_timeout;
  // Cancelled when `control` says so.
  absl::StatusOr<FlowPage> Flows(const FlowQuery& query, const QueryControl& control = {}) const;
  // For who goes through millions of flows: calls `visit` for each block with flows of the interval
  // (of last_seen) that match, until it fails; the columns are borrowed for the call.
  absl::Status ScanFlows(const TimeInterval& interval, const FlowFilter& filter,
                         absl::FunctionRef<absl::Status(const StoredColumns&)> visit,
                         const QueryControl& control = {}) const;
  absl::StatusOr<AlertPage> Alerts(const AlertQuery& query) const;
  // The alert with this id, in its latest state; NotFound.
  absl::StatusOr<Alert> GetAlert(std::string_view id) const;
  absl::StatusOr<TopResult> Top(const TopQuery& query, const QueryControl& control = {}) const;
  absl::StatusOr<SeriesResult> Series(const SeriesQuery& query,
                                      const QueryControl& control = {}) const;
  absl::StatusOr<ConversationResult> Conversations(const ConversationQuery& query,
                                                   const QueryControl& control = {}) const;
  absl::StatusOr<TrafficSummary> Summary(const TimeInterval& interval,
                                         const QueryControl& control = {}) const;
  // By what addresses were known when their flows ran. When the time is up, what was found.
  absl::StatusOr<NameResult> Names(const NameQuery& query, const QueryControl& control = {}) const;

  // Users, ordered by name. NotFound and AlreadyExists as one expects.
  absl::StatusOr<std::vector<User>> Users() const;
  absl::StatusOr<User> GetUser(std::string_view username) const;
  absl::Status AddUser(const User& user);
  absl::Status UpdateUser(const User& user);
  // FailedPrecondition for the last user with role "admin"; likewise when an update takes that role
  // away.
  absl::Status RemoveUser(std::string_view username);

  // Settings: small texts by name. NotFound when unset.
  absl::StatusOr<std::string> GetSetting(std::string_view name) const;
  absl::Status PutSetting(std::string_view name, std::string_view value);

  // Keeps a document; it survives a power failure. Answers it with its new version. Aborted when
  // somebody else has changed it, made it (AlreadyExists) or removed it (NotFound) meanwhile.
  absl::StatusOr<Document> PutDocument(const Document& document);
  absl::StatusOr<Document> GetDocument(std::string_view kind, std::string_view id) const;
  absl::StatusOr<DocumentPage> Documents(const DocumentQuery& query) const;
  // NotFound when there is none.
  absl::Status RemoveDocument(std::string_view kind, std::string_view id);

  // All or nothing. A sample of the same name and time is replaced.
  absl::Status WriteSamples(std::span<const Sample> samples);
  // One line a name, in the order asked for.
  absl::StatusOr<std::vector<SampleLine>> Samples(const SampleQuery& query,
                                                  const QueryControl& control = {}) const;
  // Of which there are samples, in order.
  absl::StatusOr<std::vector<std::string>> SampleNames() const;

  // Deletes flows, rollups and alerts that ended before `time`; answers how many flows went.
  absl::StatusOr<std::uint64_t> DeleteBefore(Timestamp time);
  // Deletes what the policy does not keep and gives the space back to the file system; works on a
  // full disk. Ages are counted by a clock that advances by a day a run at the most, so that a
  // jump of the system's clock does not empty the store.
  absl::StatusOr<RetentionResult> Retain(const RetentionPolicy& policy, Timestamp now);
  absl::StatusOr<RetentionPreview> PreviewRetain(const RetentionPolicy& policy,
                                                 Timestamp now) const;
  absl::StatusOr<StoreSize> Size() const;
  // Goes through all pages but those of flows, so it takes longer than Size.
  absl::StatusOr<StoreUsage> Usage() const;

  // Closes the file, calls `swap` to put another in its place, and opens that one; all other calls
  // wait meanwhile. When `swap` fails the file is opened again as it is; when what it put there
  // cannot be opened, `undo` is called and what it put back is opened. FailedPrecondition when it
  // is not a file; Unavailable, with nothing done, when running queries do not end in time.
  absl::Status Exchange(const std::function<absl::Status()>& swap,
                        const std::function<absl::Status()>& undo);

 private:
  Store(std::unique_ptr<store::Backend> backend, std::string file);
  std::unique_ptr<store::Backend> backend_;
  const std::string file_;  // empty when there is none
};

}  // namespace nta

#endif  // NTA_STORE_STORE_H_

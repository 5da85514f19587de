#include <string>

#include "base/status.h"
#include "store/minutes.h"
#include "store/operations.h"
#include "store/ranking.h"
#include "store/rollup.h"
#include "store/rows.h"
#include "store/scan.h"

namespace nta::store {
namespace {

bool IsAddress(TopDimension dimension) {
  return dimension == TopDimension::kAddress || dimension == TopDimension::kSourceAddress ||
         dimension == TopDimension::kDestinationAddress;
}

// What the totals per minute say of a dimension: key, bytes, packets, flows, sent, received.
std::string_view RollupSql(TopDimension dimension) {
  switch (dimension) {
    case TopDimension::kAddress:
      return "SELECT address, sent_as_source + received_as_source + sent_as_destination + "
             "received_as_destination - bytes_to_itself, "
             "packets_as_source + packets_as_destination - packets_to_itself, "
             "flows_as_source + flows_as_destination - flows_to_itself, "
             "sent_as_source + sent_as_destination, received_as_source + received_as_destination "
             "FROM rollup_address";
    case TopDimension::kSourceAddress:
      return "SELECT address, sent_as_source + received_as_source, packets_as_source, "
             "flows_as_source, sent_as_source, received_as_source FROM rollup_address";
    case TopDimension::kDestinationAddress:
      return "SELECT address, sent_as_destination + received_as_destination, "
             "packets_as_destination, flows_as_destination, sent_as_destination, "
             "received_as_destination FROM rollup_address";
    case TopDimension::kProtocol:
      return "SELECT protocol, bytes, packets, flows, 0, 0 FROM rollup_protocol";
    case TopDimension::kSourcePort:
      return "SELECT port, bytes_as_source, packets_as_source, flows_as_source, 0, 0 "
             "FROM rollup_port";
    case TopDimension::kDestinationPort:
      return "SELECT port, bytes_as_destination, packets_as_destination, flows_as_destination, 0, "
             "0 FROM rollup_port";
  }
  return "";
}

DirectedTotals Directed(const Share& share, std::uint64_t sent, std::uint64_t received) {
  return {{share.bytes(), share.packets, share.flows}, sent, received};
}

// Counts what a row or a flow says for one dimension, whatever type its keys have.
class Counter {
 public:
  explicit Counter(TopDimension dimension) : dimension_(dimension) {}

  absl::Status AddRow(Statement& row) {
    const auto count = [&row](int column) {
      return static_cast<std::uint64_t>(row.Integer(column));
    };
    const DirectedTotals totals{{count(1), count(2), count(3)}, count(4), count(5)};
    if (!IsAddress(dimension_))
      return numbers_.Add(static_cast<std::uint16_t>(row.Integer(0)), totals);
    NTA_ASSIGN_OR_RETURN(const IpAddress address, ReadAddress(row, 0));
    return addresses_.Add(address, totals);
  }

  absl::Status AddFlow(const FlowRecord& flow, const Share& share) {
    const DirectedTotals source = Directed(share, share.forward_bytes, share.reverse_bytes);
    const DirectedTotals destination = Directed(share, share.reverse_bytes, share.forward_bytes);
    switch (dimension_) {
      case TopDimension::kAddress:
        if (flow.source.address == flow.destination.address) {
          return addresses_.Add(flow.source.address, Directed(share, share.bytes(), share.bytes()));
        }
        NTA_RETURN_IF_ERROR(addresses_.Add(flow.source.address, source));
        return addresses_.Add(flow.destination.address, destination);
      case TopDimension::kSourceAddress:
        return addresses_.Add(flow.source.address, source);
      case TopDimension::kDestinationAddress:
        return addresses_.Add(flow.destination.address, destination);
      case TopDimension::kProtocol:
        return numbers_.Add(flow.protocol, source);
      case TopDimension::kSourcePort:
        return AddPort(flow, flow.source.port, source);
      case TopDimension::kDestinationPort:
        return AddPort(flow, flow.destination.port, source);
    }
    return absl::OkStatus();
  }

  std::vector<TopRow> Rows(Measure by, std::size_t limit) const {
    std::vector<TopRow> rows;
    for (const auto& [address, totals] : addresses_.Greatest(by, limit)) {
      rows.push_back({address.ToString(), totals.totals, totals.sent, totals.received});
    }
    for (const auto& [number, totals] : numbers_.Greatest(by, limit)) {
      rows.push_back({NumberName(number), totals.totals, std::nullopt, std::nullopt});
    }
    return rows;
  }

 private:
  absl::Status AddPort(const FlowRecord& flow, std::uint16_t port, const DirectedTotals& totals) {
    return HasPorts(flow.protocol) ? numbers_.Add(port, totals) : absl::OkStatus();
  }
  std::string NumberName(std::uint16_t number) const {
    return dimension_ == TopDimension::kProtocol ? ProtocolName(static_cast<std::uint8_t>(number))
                                                 : std::to_string(number);
  }

  TopDimension dimension_;
  // One of the two stays empty.
  Ranking<IpAddress> addresses_;
  Ranking<std::uint16_t> numbers_;
};

absl::Status CountRollup(Connection& connection, TopDimension dimension, const MinuteRange& range,
                         Counter& counter) {
  NTA_ASSIGN_OR_RETURN(Statement statement,
                       connection.Prepare(std::string(RollupSql(dimension)) +
                                          " WHERE minute >= ?1 AND minute < ?2"));
  statement.BindAll(range.since, range.until);
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return absl::OkStatus();
    NTA_RETURN_IF_ERROR(counter.AddRow(statement));
  }
}

absl::StatusOr<TrafficTotals> RollupTotal(Connection& connection, const MinuteRange& range) {
  NTA_ASSIGN_OR_RETURN(
      Statement statement,
      connection.Prepare("SELECT sum(bytes), sum(packets), sum(flows) "
                         "FROM rollup_protocol WHERE minute >= ?1 AND minute < ?2"));
  statement.BindAll(range.since, range.until);
  NTA_RETURN_IF_ERROR(statement.Step().status());
  const auto count = [&](int column) {
    return static_cast<std::uint64_t>(statement.Integer(column));
  };
  return TrafficTotals{count(0), count(1), count(2)};
}

absl::StatusOr<TopResult> TopFromRollup(Connection& connection, const TopQuery& query) {
  const MinuteRange range = Covering(query.interval);
  TopResult result;
  result.interval = {StartOf(range.since), StartOf(range.until)};
  result.source = QuerySource::kRollup;
  NTA_ASSIGN_OR_RETURN(result.total, RollupTotal(connection, range));
  Counter counter(query.dimension);
  NTA_RETURN_IF_ERROR(CountRollup(connection, query.dimension, range, counter));
  result.rows = counter.Rows(query.by, query.limit);
  return result;
}

absl::StatusOr<TopResult> TopFromFlows(Connection& connection, const TopQuery& query) {
  TopResult result;
  result.interval = query.interval;
  result.source = QuerySource::kRaw;
  Counter counter(query.dimension);
  NTA_RETURN_IF_ERROR(
      ScanFlows(connection, query.interval, query.filter, [&](const FlowRecord& flow) {
        const Share share = ShareOf(flow, query.interval);
        result.total.bytes += share.bytes();
        result.total.packets += share.packets;
        result.total.flows += share.flows;
        return counter.AddFlow(flow, share);
      }));
  result.rows = counter.Rows(query.by, query.limit);
  return result;
}

}  // namespace

absl::StatusOr<TopResult> QueryTop(Connection& connection, const TopQuery& query) {
  NTA_RETURN_IF_ERROR(CheckLimit(query.limit, 1'000));
  NTA_RETURN_IF_ERROR(CheckInterval(query.interval));
  // Total and rows are of one moment.
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginRead(connection));
  return query.filter.matches_everything() ? TopFromRollup(connection, query)
                                           : TopFromFlows(connection, query);
}

absl::StatusOr<TrafficSummary> QuerySummary(Connection& connection, const TimeInterval& interval) {
  constexpr std::size_t kRows = 5;
  NTA_RETURN_IF_ERROR(CheckInterval(interval));
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginRead(connection));
  const auto top = [&](TopDimension dimension) {
    TopQuery query;
    query.interval = interval;
    query.dimension = dimension;
    query.limit = kRows;
    return TopFromRollup(connection, query);
  };
  TrafficSummary summary;
  NTA_ASSIGN_OR_RETURN(TopResult protocols, top(TopDimension::kProtocol));
  NTA_ASSIGN_OR_RETURN(TopResult sources, top(TopDimension::kSourceAddress));
  NTA_ASSIGN_OR_RETURN(TopResult destinations, top(TopDimension::kDestinationAddress));
  NTA_ASSIGN_OR_RETURN(TopResult ports, top(TopDimension::kDestinationPort));
  NTA_ASSIGN_OR_RETURN(summary.alerts, CountAlerts(connection, protocols.interval));
  summary.interval = protocols.interval;
  summary.total = protocols.total;
  summary.protocols = std::move(protocols.rows);
  summary.top_sources = std::move(sources.rows);
  summary.top_destinations = std::move(destinations.rows);
  summary.top_destination_ports = std::move(ports.rows);
  return summary;
}

}  // namespace nta::store

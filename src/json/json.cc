#include "nta/json/json.h"

#include "json/values.h"

namespace nta {
namespace {

using json::Dump;
using json::Json;
using json::ToValue;

template <typename Values>
Json List(const Values& values) {
  Json list = Json::array();
  for (const auto& value : values) list.push_back(ToValue(value));
  return list;
}

Json Cursor(const std::string& cursor) { return cursor.empty() ? Json() : Json(cursor); }

Json KeyAndTotals(const TopRow& row) {
  Json json;
  json["key"] = row.key;
  json["bytes"] = row.totals.bytes;
  json["packets"] = row.totals.packets;
  json["flows"] = row.totals.flows;
  return json;
}

Json SummaryRows(const std::vector<TopRow>& rows) {
  Json list = Json::array();
  for (const TopRow& row : rows) list.push_back(KeyAndTotals(row));
  return list;
}

void AddInterval(Json& json, const TimeInterval& interval) {
  json["since"] = ToString(interval.since);
  json["until"] = ToString(interval.until);
}

Json ToValue(const TrafficCount& count) {
  Json json;
  json["packets"] = count.packets;
  json["wire_bytes"] = count.wire_bytes;
  return json;
}

}  // namespace

std::string ToJson(const FlowRecord& flow) { return Dump(ToValue(flow)); }
std::string ToJson(const StoredFlow& flow) { return Dump(ToValue(flow)); }
std::string ToJson(const Alert& alert) { return Dump(ToValue(alert)); }

std::string ToJson(const PacketLedger& ledger) {
  Json json;
  json["received"] = ledger.received;
  json["decoded"] = ledger.decoded;
  json["malformed"] = ledger.malformed;
  json["unsupported"] = ledger.unsupported;
  json["filtered"] = ledger.filtered;
  json["dropped"] = ledger.dropped;
  return Dump(json);
}

std::string ToJson(const FlowTableStats& stats) {
  Json json;
  json["packets"] = stats.packets;
  json["ignored"] = stats.ignored;
  json["started"] = stats.started;
  json["ended"] = stats.ended;
  json["ended_idle"] = stats.ended_idle;
  json["ended_active"] = stats.ended_active;
  json["ended_tcp"] = stats.ended_tcp;
  json["ended_forced"] = stats.ended_forced;
  json["evicted"] = stats.evicted;
  json["evicted_answered"] = stats.evicted_answered;
  json["time_backwards"] = stats.time_backwards;
  json["active"] = stats.active;
  json["capacity"] = stats.capacity;
  json["memory_bytes"] = stats.memory_bytes;
  return Dump(json);
}

std::string ToJson(const TrafficSample& sample) {
  Json json;
  json["time"] = ToString(sample.time);
  json["seconds"] = 1;
  json["packets"] = sample.packets;
  json["wire_bytes"] = sample.wire_bytes;
  json["dropped"] = sample.dropped;
  json["flows_active"] = sample.flows_active;
  json["flows_started"] = sample.flows_started;
  json["flows_ended"] = sample.flows_ended;
  json["protocols"]["tcp"] = ToValue(sample.tcp);
  json["protocols"]["udp"] = ToValue(sample.udp);
  json["protocols"]["icmp"] = ToValue(sample.icmp);
  json["protocols"]["other"] = ToValue(sample.other);
  return Dump(json);
}

std::string ToJson(const Talker& talker) {
  Json json;
  json["address"] = talker.address.ToString();
  json["wire_bytes"] = talker.wire_bytes;
  json["packets"] = talker.packets;
  json["sent_wire_bytes"] = talker.sent_wire_bytes;
  json["received_wire_bytes"] = talker.received_wire_bytes;
  return Dump(json);
}

std::string ToJson(const FlowPage& page) {
  Json json;
  json["flows"] = List(page.flows);
  json["next_cursor"] = Cursor(page.next_cursor);
  json["capture"] = ToValue(page.capture);
  return Dump(json);
}

std::string ToJson(const CaptureCounts& counts) { return Dump(ToValue(counts)); }

std::string ToJson(const AlertPage& page) {
  Json json;
  json["alerts"] = List(page.alerts);
  json["next_cursor"] = Cursor(page.next_cursor);
  return Dump(json);
}

std::string ToJson(const TopResult& result, const TopQuery& query) {
  Json rows = Json::array();
  for (const TopRow& row : result.rows) {
    Json entry = KeyAndTotals(row);
    if (row.sent_bytes) entry["sent_bytes"] = *row.sent_bytes;
    if (row.received_bytes) entry["received_bytes"] = *row.received_bytes;
    if (row.guessed) entry["guessed"] = ToValue(*row.guessed);
    rows.push_back(std::move(entry));
  }
  Json json;
  AddInterval(json, result.interval);
  json["dimension"] = ToString(query.dimension);
  json["by"] = ToString(query.by);
  json["source"] = ToString(result.source);
  json["capture"] = ToValue(result.capture);
  json["total"] = ToValue(result.total);
  if (result.other) json["other"] = ToValue(*result.other);
  json["rows"] = std::move(rows);
  return Dump(json);
}

std::string ToJson(const SeriesResult& result, const SeriesQuery& query) {
  Json times = Json::array();
  for (const Timestamp time : result.times) times.push_back(ToString(time));
  Json series = Json::array();
  for (const SeriesLine& line : result.lines) {
    Json values = Json::array();
    for (const auto& value : line.values) values.push_back(value ? Json(*value) : Json());
    Json entry;
    entry["key"] = line.key;
    entry["values"] = std::move(values);
    if (!line.guessed.empty()) entry["guessed"] = line.guessed;
    series.push_back(std::move(entry));
  }
  Json json;
  AddInterval(json, result.interval);
  json["step_seconds"] = result.step.count();
  json["by"] = ToString(query.by);
  json["measure"] = ToString(query.measure);
  json["source"] = ToString(result.source);
  json["capture"] = ToValue(result.capture);
  json["times"] = std::move(times);
  json["series"] = std::move(series);
  return Dump(json);
}

std::string ToJson(const ConversationResult& result, const ConversationQuery& query) {
  Json rows = Json::array();
  for (const Conversation& row : result.rows) {
    Json entry;
    entry["a"] = row.a.ToString();
    entry["b"] = row.b.ToString();
    entry["bytes"] = row.totals.bytes;
    entry["packets"] = row.totals.packets;
    entry["flows"] = row.totals.flows;
    entry["bytes_from_a"] = row.bytes_from_a;
    entry["bytes_from_b"] = row.bytes_from_b;
    entry["flows_from_a"] = row.flows_from_a;
    rows.push_back(std::move(entry));
  }
  Json json;
  AddInterval(json, result.interval);
  json["by"] = ToString(query.by);
  json["source"] = ToString(result.source);
  json["capture"] = ToValue(result.capture);
  json["total"] = ToValue(result.total);
  json["rows"] = std::move(rows);
  return Dump(json);
}

std::string ToJson(const TrafficSummary& summary) {
  const auto bytes = static_cast<double>(summary.total.bytes);
  const auto packets = static_cast<double>(summary.total.packets);
  Json json;
  AddInterval(json, summary.interval);
  json["flows"] = summary.total.flows;
  json["packets"] = summary.total.packets;
  json["bytes"] = summary.total.bytes;
  json["mean_packet_bytes"] = summary.total.packets == 0 ? 0.0 : bytes / packets;
  json["alerts"] = summary.alerts;
  json["protocols"] = SummaryRows(summary.protocols);
  json["top_sources"] = SummaryRows(summary.top_sources);
  json["top_destinations"] = SummaryRows(summary.top_destinations);
  json["top_destination_ports"] = SummaryRows(summary.top_destination_ports);
  json["capture"] = ToValue(summary.capture);
  return Dump(json);
}

}  // namespace nta

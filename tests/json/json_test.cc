#include "nta/json/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/hostile_texts.h"

namespace nta {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;

constexpr Timestamp kEight{std::chrono::seconds(1'795'334'400)};

FlowRecord WebFlow() {
  FlowRecord flow;
  flow.first_seen = kEight;
  flow.last_seen = kEight + std::chrono::nanoseconds(1'500'000'001);
  flow.protocol = kProtocolTcp;
  flow.source = {IpAddress::V4(192, 0, 2, 1), 50000};
  flow.destination = {*IpAddress::Parse("2001:db8::2"), 443};
  flow.forward = {
      .packets = 10, .wire_bytes = 1200, .ip_bytes = 1060, .payload_bytes = 500, .tcp_flags = 27};
  flow.reverse = {
      .packets = 8, .wire_bytes = 9000, .ip_bytes = 8888, .payload_bytes = 8000, .tcp_flags = 19};
  flow.outcome = ContactOutcome::kAnswered;
  flow.end_reason = FlowEndReason::kEndOfFlow;
  return flow;
}

constexpr const char* kWebFlowJson =
    R"({"first_seen":"2026-11-22T08:00:00.000000000Z","last_seen":"2026-11-22T08:00:01.500000001Z",)"
    R"("protocol":6,"source_address":"192.0.2.1","source_port":50000,)"
    R"("destination_address":"2001:db8::2","destination_port":443,"vlan":null,)"
    R"("forward_packets":10,"forward_wire_bytes":1200,"forward_ip_bytes":1060,"forward_payload_bytes":500,)"
    R"("reverse_packets":8,"reverse_wire_bytes":9000,"reverse_ip_bytes":8888,"reverse_payload_bytes":8000,)"
    R"("forward_tcp_flags":27,"reverse_tcp_flags":19,"application":null,"category":null,"evidence":null,)"
    R"("outcome":"answered","end_reason":"end_of_flow","tcp_state":null,"icmp":null,)"
    R"("community_id":"1:jlEtiKJluPn7e25tetnM4oUn/UQ=","metadata":null,"statistics":null})";

// Every field set to something that no other has.
FlowRecord FullFlow() {
  FlowRecord flow = WebFlow();
  flow.application = Application::kTls;
  flow.category = ApplicationCategory::kWeb;
  flow.evidence = ApplicationEvidence::kPayload;
  flow.tcp_state = TcpState::kClosed;
  flow.icmp = IcmpMessage{3, 4};
  FlowMetadata metadata;
  metadata.Set(MetadataField::kServerName, "example.org");
  metadata.Set(MetadataField::kAlpn, "h2,\"quoted\"");
  flow.metadata = std::make_shared<FlowMetadata>(metadata);
  FlowStatistics statistics;
  statistics.forward = {.ip_length = {1, 2, 3, 0.1, 1.0 / 3},
                        .inter_arrival = {4, 5, 6, 7.5, 8},
                        .hop_limit_minimum = 9,
                        .hop_limit_maximum = 10,
                        .dscp = 11,
                        .fragments = 12,
                        .retransmissions = 13,
                        .out_of_order = 14,
                        .zero_windows = 15,
                        .resets = 16,
                        .payload_entropy = 7.25};
  statistics.reverse.ip_length.maximum = std::numeric_limits<std::uint64_t>::max();
  statistics.inter_arrival = {17, 18, 19, 20, 21};
  statistics.destination_round_trip = Duration(22);
  statistics.source_round_trip = Duration(23);
  statistics.source_mac = MacAddress{{2, 0, 0, 0, 0, 1}};
  statistics.destination_mac = MacAddress{{2, 0, 0, 0, 0, 2}};
  statistics.tunnels = 24;
  statistics.first_packets = {{Duration(-1), 25, 26, false}, {Duration(27), 28, 29, true}};
  flow.statistics = std::make_shared<FlowStatistics>(statistics);
  return flow;
}

Alert ScanAlert() {
  Alert alert;
  alert.id = "port_scan-000001";
  alert.time = kEight;
  alert.detector = "port_scan";
  alert.alert_class = AlertClass::kPortScan;
  alert.severity = Severity::kHigh;
  alert.score = 20.5;
  alert.observed = 100;
  alert.expected = 1.25;
  alert.unit = "failed contacts";
  alert.entity = {IpAddress::V4(10, 0, 0, 1), std::nullopt, "tcp/22"};
  alert.window = std::chrono::minutes(5);
  alert.evidence = {{"contacts", std::int64_t{-7}},
                    {"rate", 2.0},
                    {"note", "a\nb"s},
                    {"ports", std::vector<std::string>{"22", "80"}},
                    {"none", std::vector<std::string>{}}};
  alert.technique = "T1046";
  alert.state = AlertState::kOpen;
  alert.count = 1;
  alert.summary = "10.0.0.1 scans";
  alert.confidence = 0.75;
  alert.band_low = 0.5;
  alert.first_seen = alert.last_seen = kEight;
  alert.peers = {{"10.0.0.2", 0.5}};
  alert.advice = "isolate it";
  alert.suppressed_by = "s-1";
  return alert;
}

constexpr const char* kScanAlertJson =
    R"({"id":"port_scan-000001","time":"2026-11-22T08:00:00.000000000Z","detector":"port_scan",)"
    R"("class":"port_scan","severity":"high","score":20.5,"observed":100.0,"expected":1.25,)"
    R"("unit":"failed contacts","entity":{"source":"10.0.0.1","destination":null,"service":"tcp/22"},)"
    R"("window_seconds":300,"evidence":{"contacts":-7,"none":[],"note":"a\nb","ports":["22","80"],"rate":2.0},)"
    R"("technique":"T1046","state":"open","count":1,"summary":"10.0.0.1 scans","confidence":0.75,)"
    R"("band_low":0.5,"band_high":null,"first_seen":"2026-11-22T08:00:00.000000000Z",)"
    R"("last_seen":"2026-11-22T08:00:00.000000000Z","peers":[{"name":"10.0.0.2","share":0.5}],)"
    R"("advice":"isolate it","suppressed_by":"s-1"})";

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t position = text.find(from);
  EXPECT_NE(position, std::string::npos) << from;
  return text.replace(position, from.size(), to);
}

std::string FlowError(const std::string& text) {
  const auto flow = FlowFromJson(text);
  EXPECT_EQ(flow.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(flow.status().message());
}

std::string AlertError(const std::string& text) {
  const auto alert = AlertFromJson(text);
  EXPECT_EQ(alert.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(alert.status().message());
}

TEST(FlowJson, HasTheFieldsOfTheRecordInOneLine) { EXPECT_EQ(ToJson(WebFlow()), kWebFlowJson); }

TEST(FlowJson, ComesBackAsItWas) {
  FlowRecord flow = WebFlow();
  flow.vlan = 4095;
  flow.forward.wire_bytes = std::numeric_limits<std::uint64_t>::max();
  for (const FlowRecord& value : {WebFlow(), flow, FlowRecord{}, FullFlow()}) {
    const auto back = FlowFromJson(ToJson(value));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, value);
    // Also as the store shows it.
    const auto stored = FlowFromJson(ToJson(StoredFlow{7, value}));
    ASSERT_TRUE(stored.ok()) << stored.status();
    EXPECT_EQ(*stored, value);
  }
  EXPECT_THAT(ToJson(StoredFlow{7, flow}), testing::StartsWith(R"({"id":7,"first_seen":)"));
}

TEST(FlowJson, HasMetadataAndStatisticsAsObjects) {
  const std::string text = ToJson(FullFlow());
  EXPECT_THAT(text, HasSubstr(R"("application":"tls","category":"web","evidence":"payload",)"));
  EXPECT_THAT(text, HasSubstr(R"("tcp_state":"closed","icmp":{"type":3,"code":4},)"));
  EXPECT_THAT(text,
              HasSubstr(R"("metadata":{"server_name":"example.org","alpn":"h2,\"quoted\""},)"));
  EXPECT_THAT(text, HasSubstr(R"("statistics":{"forward":{"ip_length":{"count":1,"minimum":2,)"));
  EXPECT_THAT(text,
              HasSubstr(R"("first_packets":[{"offset":-1,"ip_bytes":25,"payload_bytes":26,)"));
}

TEST(FlowJson, WhateverAStrangerSendsIsOneTextThatComesBack) {
  for (const std::string& text : test::HostileTexts()) {
    FlowRecord flow = WebFlow();
    auto metadata = std::make_shared<FlowMetadata>();
    metadata->Set(MetadataField::kServerName, text);
    flow.metadata = metadata;
    const std::string json = ToJson(flow);
    EXPECT_EQ(json.find('\n'), std::string::npos) << json;
    const auto back = FlowFromJson(json);
    ASSERT_TRUE(back.ok()) << back.status() << json;
    EXPECT_EQ(*back->metadata, *metadata);
    EXPECT_TRUE(test::IsFitToShow(back->metadata->Get(MetadataField::kServerName))) << json;
    // A text of another origin is made fit when it is read.
    const auto raw = FlowFromJson(Replaced(ToJson(WebFlow()), R"("metadata":null)",
                                           R"("metadata":{"server_name":"a\u0000\u202Eb"})"));
    ASSERT_TRUE(raw.ok()) << raw.status();
    EXPECT_TRUE(test::IsFitToShow(raw->metadata->Get(MetadataField::kServerName)));
  }
}

TEST(FlowJson, ErrorsNameTheFieldInsideObjects) {
  const std::string full = ToJson(FullFlow());
  EXPECT_EQ(FlowError(Replaced(full, R"("dscp":11)", R"("dscp":256)")),
            "field \"statistics.forward.dscp\": must be an integer from 0 to 255");
  EXPECT_EQ(FlowError(Replaced(full, R"("mean":0.1)", R"("mean":null)")),
            "field \"statistics.forward.ip_length.mean\": must be a number");
  EXPECT_EQ(FlowError(Replaced(full, R"("is_forward":false)", R"("is_forward":0)")),
            "field \"statistics.first_packets.is_forward\": must be true or false");
  EXPECT_EQ(FlowError(Replaced(full, R"("server_name")", R"("server")")),
            "field \"metadata.server\": is unknown");
  EXPECT_EQ(FlowError(Replaced(full, R"("icmp":{"type":3,"code":4})", R"("icmp":{"type":3})")),
            "field \"icmp.code\": is missing");
  EXPECT_EQ(FlowError(Replaced(full, R"("icmp":{"type":3,"code":4})", R"("icmp":7)")),
            "field \"icmp\": must be an object");
  EXPECT_THAT(FlowError(Replaced(full, R"("tcp_state":"closed")", R"("tcp_state":"open")")),
              HasSubstr("\"tcp_state\""));
}

TEST(FlowJson, CountersAndOutcomesMayBeLeftOut) {
  const auto flow = FlowFromJson(
      R"({"first_seen":"2026-11-22T09:00:00+01:00","last_seen":"2026-11-22T08:00:00Z","protocol":17,)"
      R"("source_address":"10.0.0.1","source_port":1,"destination_address":"::1","destination_port":53})");
  ASSERT_TRUE(flow.ok()) << flow.status();
  EXPECT_EQ(flow->first_seen, kEight);
  EXPECT_EQ(flow->packets(), 0u);
  EXPECT_EQ(flow->outcome, ContactOutcome::kUnknown);
}

TEST(FlowJson, ErrorsNameTheField) {
  const std::string good = kWebFlowJson;
  EXPECT_EQ(FlowError(Replaced(good, R"("protocol":6,)", "")), "field \"protocol\": is missing");
  EXPECT_EQ(FlowError(Replaced(good, R"("protocol":6)", R"("protocol":256)")),
            "field \"protocol\": must be an integer from 0 to 255");
  EXPECT_THAT(FlowError(Replaced(good, R"("protocol":6)", R"("protocol":-1)")),
              HasSubstr("\"protocol\""));
  EXPECT_THAT(FlowError(Replaced(good, R"("protocol":6)", R"("protocol":6.5)")),
              HasSubstr("\"protocol\""));
  EXPECT_THAT(FlowError(Replaced(good, R"("protocol":6)", R"("protocol":"tcp")")),
              HasSubstr("\"protocol\""));
  EXPECT_THAT(FlowError(Replaced(good, ":50000", ":65536")), HasSubstr("0 to 65535"));
  EXPECT_THAT(FlowError(Replaced(good, "192.0.2.1", "192.0.2.300")),
              HasSubstr("\"source_address\": "));
  EXPECT_THAT(FlowError(Replaced(good, "2026-11-22T08:00:00.0", "yesterday")),
              HasSubstr("\"first_seen\": "));
  EXPECT_EQ(FlowError(Replaced(good, R"("vlan":null)", R"("vlan":4096)")),
            "field \"vlan\": must be an integer from 0 to 4095");
  EXPECT_THAT(FlowError(Replaced(good, R"("vlan")", R"("vlam")")),
              HasSubstr("\"vlam\": is unknown"));
  EXPECT_THAT(FlowError(Replaced(good, "\"answered\"", "\"maybe\"")), HasSubstr("\"outcome\""));
  EXPECT_THAT(FlowError(Replaced(good, "\"end_of_flow\"", "5")),
              HasSubstr("\"end_reason\": must be a string"));
  EXPECT_THAT(FlowError(Replaced(good, R"("application":null)", R"("application":"dsn")")),
              HasSubstr("\"application\""));
  EXPECT_THAT(FlowError(Replaced(good, R"("protocol":6)", R"("protocol":6,"protocol":17)")),
              HasSubstr("\"protocol\": is there twice"));
  EXPECT_THAT(FlowError(Replaced(good, R"("protocol":6)", R"("protocol":6e999)")),
              HasSubstr("a number is too large"));
  EXPECT_THAT(FlowError(Replaced(good, "08:00:01.5", "07:59:59.5")),
              HasSubstr("\"last_seen\": must not be before"));
}

TEST(FlowJson, RefusesWhatIsNoJsonObject) {
  for (const std::string text : {"", "{", "[]", "null", "7", "\"x\"", "{\"a\":1}x", "{\"a\":\xff}",
                                 "{\"first_seen\":\"\xc3\"}"}) {
    EXPECT_FALSE(FlowError(text).empty());
  }
  EXPECT_THAT(FlowError("{\"a\":"), HasSubstr("not JSON: wrong at byte"));
  EXPECT_THAT(FlowError(std::string(100'000, '[') + std::string(100'000, ']')),
              HasSubstr("too deep"));
  EXPECT_FALSE(FlowError(std::string(1'000'000, '[')).empty());
}

TEST(AlertJson, HasTheFieldsThatOthersReadInOneLine) {
  EXPECT_EQ(ToJson(ScanAlert()), kScanAlertJson);
}

TEST(AlertJson, ComesBackAsItWas) {
  Alert bare;
  Alert exact = ScanAlert();
  exact.window = Duration(86'400'123'456'789);
  exact.count = std::numeric_limits<std::uint64_t>::max();
  exact.observed = 0.1;
  exact.entity.destination = *IpAddress::Parse("::1");
  for (const Alert& alert : {ScanAlert(), bare, exact}) {
    const auto back = AlertFromJson(ToJson(alert));
    ASSERT_TRUE(back.ok()) << back.status() << ToJson(alert);
    EXPECT_EQ(*back, alert);
  }
}

TEST(AlertJson, NumbersThatJsonDoesNotHaveBecomeNull) {
  Alert alert = ScanAlert();
  alert.score = std::numeric_limits<double>::quiet_NaN();
  alert.observed = std::numeric_limits<double>::infinity();
  alert.evidence = {{"rate", std::numeric_limits<double>::quiet_NaN()}};
  EXPECT_THAT(ToJson(alert), HasSubstr(R"("score":null,"observed":null,)"));
  const auto back = AlertFromJson(ToJson(alert));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_TRUE(std::isnan(back->score));
  EXPECT_TRUE(std::isnan(std::get<double>(back->evidence.at("rate"))));
}

TEST(AlertJson, TextsThatAreNotUtf8HaveReplacementCharacters) {
  Alert alert = ScanAlert();
  alert.summary = "caf\xc3\xa9 \xff\xfe <script>\x01\0"s;
  alert.entity.service = "\xc3";
  alert.evidence = {{"k\x80", "v\x80"s}, {"list", std::vector<std::string>{"\xed\xa0\x80"}}};
  const std::string text = ToJson(alert);
  EXPECT_THAT(text, HasSubstr("caf\xc3\xa9 \xef\xbf\xbd\xef\xbf\xbd <script>\\u0001\\u0000"));
  EXPECT_THAT(text, HasSubstr("\"service\":\"\xef\xbf\xbd\""));
  EXPECT_THAT(text, HasSubstr("k\xef\xbf\xbd"));
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_TRUE(AlertFromJson(text).ok()) << "what is written is valid UTF-8";
}

TEST(AlertJson, ErrorsNameTheField) {
  const std::string good = kScanAlertJson;
  EXPECT_THAT(AlertError(Replaced(good, R"("class":"port_scan")", R"("class":"nonsense")")),
              HasSubstr("\"class\": "));
  EXPECT_THAT(AlertError(Replaced(good, R"("severity":"high",)", "")),
              HasSubstr("\"severity\": is missing"));
  EXPECT_THAT(AlertError(Replaced(good, "20.5", "\"20.5\"")),
              HasSubstr("\"score\": must be a number"));
  EXPECT_THAT(AlertError(Replaced(good, "10.0.0.1", "10.0.0")), HasSubstr("\"entity.source\": "));
  EXPECT_THAT(AlertError(Replaced(good, R"("service")", R"("servise")")),
              HasSubstr("\"entity.servise\": is unknown"));
  EXPECT_THAT(AlertError(Replaced(good, "[\"22\",\"80\"]", "[22]")),
              HasSubstr("\"evidence.ports\": must be a list of strings"));
  EXPECT_THAT(AlertError(Replaced(good, "\"rate\":2.0", "\"rate\":{}")),
              HasSubstr("\"evidence.rate\": "));
  EXPECT_THAT(AlertError(Replaced(good, "\"rate\":2.0", "\"rate\":18446744073709551615")),
              HasSubstr("\"evidence.rate\": "));
  EXPECT_THAT(AlertError(Replaced(good, R"("share":0.5)", R"("share":"all")")),
              HasSubstr("\"peers\": "));
  EXPECT_THAT(AlertError(Replaced(good, R"("band_low":0.5)", R"("band_low":"low")")),
              HasSubstr("\"band_low\": "));
  EXPECT_THAT(AlertError(Replaced(good, "300", "1e300")), HasSubstr("\"window_seconds\": "));
  EXPECT_THAT(AlertError(Replaced(good, "300", "\"5m\"")), HasSubstr("\"window_seconds\": "));
}

TEST(ResultJson, LedgerAndTableStatistics) {
  EXPECT_EQ(ToJson(PacketLedger{.received = 9,
                                .decoded = 4,
                                .malformed = 1,
                                .unsupported = 2,
                                .filtered = 1,
                                .dropped = 1}),
            R"({"received":9,"decoded":4,"malformed":1,"unsupported":2,"filtered":1,"dropped":1})");
  FlowTableStats stats;
  stats.started = 5;
  stats.active = 3;
  EXPECT_EQ(
      ToJson(stats),
      R"({"packets":0,"ignored":0,"started":5,"ended":0,"ended_idle":0,"ended_active":0,"ended_tcp":0,)"
      R"("ended_forced":0,"evicted":0,"evicted_answered":0,"time_backwards":0,"active":3,"capacity":0,)"
      R"("memory_bytes":0})");
}

TEST(ResultJson, SampleAndTalker) {
  TrafficSample sample;
  sample.time = kEight;
  sample.packets = 3;
  sample.tcp = {2, 200};
  EXPECT_EQ(
      ToJson(sample),
      R"({"time":"2026-11-22T08:00:00.000000000Z","seconds":1,"packets":3,"wire_bytes":0,"dropped":0,)"
      R"("flows_active":0,"flows_started":0,"flows_ended":0,"protocols":{"tcp":{"packets":2,"wire_bytes":200},)"
      R"("udp":{"packets":0,"wire_bytes":0},"icmp":{"packets":0,"wire_bytes":0},"other":{"packets":0,"wire_bytes":0}}})");
  EXPECT_EQ(
      ToJson(Talker{IpAddress::V4(10, 0, 0, 1), 1, 2, 3, 4}),
      R"({"address":"10.0.0.1","wire_bytes":2,"packets":1,"sent_wire_bytes":3,"received_wire_bytes":4})");
}

// What was lost on the way stands in every answer.
constexpr char kNothingLost[] =
    R"("capture":{"packets_seen":0,"packets_dropped":0,"flows_evicted":0,"flows_dropped":0})";

TEST(ResultJson, PagesEndWithNull) {
  EXPECT_EQ(ToJson(FlowPage{}), R"({"flows":[],"next_cursor":null,)"s + kNothingLost + "}");
  EXPECT_EQ(ToJson(AlertPage{}), R"({"alerts":[],"next_cursor":null})");
  EXPECT_EQ(ToJson(AlertPage{{ScanAlert()}, "a1_31"}),
            "{\"alerts\":["s + kScanAlertJson + "],\"next_cursor\":\"a1_31\"}");
  EXPECT_EQ(ToJson(FlowPage{{{7, WebFlow()}}, "n1_31"}),
            "{\"flows\":[" + Replaced(kWebFlowJson, "{", "{\"id\":7,") +
                "],\"next_cursor\":\"n1_31\"," + kNothingLost + "}");
}

TEST(ResultJson, Top) {
  TopResult result;
  result.interval = {kEight, kEight + std::chrono::minutes(1)};
  result.total = {3, 2, 1};
  result.rows = {{"10.0.0.1", {3, 2, 1}, 1, 0}, {"x", {1, 1, 1}, std::nullopt, std::nullopt}};
  EXPECT_EQ(
      ToJson(result, {.dimension = TopDimension::kSourceAddress, .by = Measure::kPackets}),
      R"({"since":"2026-11-22T08:00:00.000000000Z","until":"2026-11-22T08:01:00.000000000Z",)"
      R"("dimension":"source_address","by":"packets","source":"rollup",)"s +
          kNothingLost +
          R"(,"total":{"bytes":3,"packets":2,"flows":1},)"
          R"("rows":[{"key":"10.0.0.1","bytes":3,"packets":2,"flows":1,"sent_bytes":1,"received_bytes":0},)"
          R"({"key":"x","bytes":1,"packets":1,"flows":1}]})");
}

TEST(ResultJson, Series) {
  SeriesResult result;
  result.interval = {kEight, kEight + std::chrono::minutes(2)};
  result.step = std::chrono::minutes(1);
  result.source = QuerySource::kRaw;
  result.times = {kEight, kEight + std::chrono::minutes(1)};
  result.lines = {{"tcp", {5, std::nullopt}}};
  EXPECT_EQ(
      ToJson(result, {.measure = Measure::kFlows}),
      R"({"since":"2026-11-22T08:00:00.000000000Z","until":"2026-11-22T08:02:00.000000000Z","step_seconds":60,)"
      R"("by":"protocol","measure":"flows","source":"raw",)"s +
          kNothingLost +
          R"(,"times":["2026-11-22T08:00:00.000000000Z","2026-11-22T08:01:00.000000000Z"],)"
          R"("series":[{"key":"tcp","values":[5,null]}]})");
}

TEST(ResultJson, Summary) {
  TrafficSummary summary;
  summary.interval = {kEight, kEight + std::chrono::minutes(1)};
  EXPECT_THAT(ToJson(summary), HasSubstr(R"("mean_packet_bytes":0.0,)"));
  summary.total = {250, 2, 1};
  summary.alerts = 4;
  summary.protocols = {{"tcp", {250, 2, 1}, std::nullopt, std::nullopt}};
  EXPECT_EQ(
      ToJson(summary),
      R"({"since":"2026-11-22T08:00:00.000000000Z","until":"2026-11-22T08:01:00.000000000Z","flows":1,"packets":2,)"
      R"("bytes":250,"mean_packet_bytes":125.0,"alerts":4,"protocols":[{"key":"tcp","bytes":250,"packets":2,"flows":1}],)"
      R"("top_sources":[],"top_destinations":[],"top_destination_ports":[],)"s +
          kNothingLost + "}");
}

}  // namespace
}  // namespace nta

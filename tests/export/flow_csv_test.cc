#include "nta/export/flow_csv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "nta/flow/flow_metadata.h"
#include "support/hostile_texts.h"
#include "support/packet_builder.h"

namespace nta::test {
namespace {

FlowRecord Flow() {
  FlowRecord flow;
  flow.first_seen = At({});
  flow.last_seen = At(Duration(1));
  flow.protocol = kProtocolTcp;
  flow.source = {Ip("10.0.0.1"), 50000};
  flow.destination = {Ip("192.0.2.1"), 443};
  flow.forward = {1, 2, 3, 4, 27};
  flow.reverse = {5, 6, 7, 8, 18};
  flow.end_reason = FlowEndReason::kEndOfFlow;
  return flow;
}
std::string Line(const FlowRecord& flow) {
  std::string line;
  AppendFlowCsv(flow, line);
  return line;
}

TEST(FlowCsv, WritesTheColumnsOfItsHeader) {
  EXPECT_EQ(kFlowCsvHeader,
            "first_seen,last_seen,protocol,source_address,source_port,destination_address,"
            "destination_port,vlan,forward_packets,forward_wire_bytes,forward_ip_bytes,"
            "forward_payload_bytes,reverse_packets,reverse_wire_bytes,reverse_ip_bytes,"
            "reverse_payload_bytes,forward_tcp_flags,reverse_tcp_flags,application,end_reason");
  EXPECT_EQ(Line(Flow()),
            "1767225600000000000,1767225600000000001,6,10.0.0.1,50000,192.0.2.1,443,,"
            "1,2,3,4,5,6,7,8,27,18,,end_of_flow\n");
}

TEST(FlowCsv, WritesVlanIpv6AndTheEndsOfEveryRange) {
  FlowRecord flow = Flow();
  flow.vlan = 0;
  flow.source.address = Ip("2001:DB8:0:0::1");
  flow.forward.packets = ~std::uint64_t{0};
  flow.first_seen = Timestamp::min();
  flow.protocol = 255;
  const std::string line = Line(flow);
  EXPECT_EQ(line.rfind("-9223372036854775808,", 0), 0U);
  EXPECT_NE(line.find(",255,2001:db8::1,50000,192.0.2.1,443,0,18446744073709551615,"),
            std::string::npos)
      << line;
  EXPECT_EQ(std::count(line.begin(), line.end(), ','),
            std::count(kFlowCsvHeader.begin(), kFlowCsvHeader.end(), ','));
}

TEST(FlowCsv, NamesApplicationsThatAreKnownAndNotThosePortsSuggest) {
  FlowRecord flow = Flow();
  flow.application = Application::kTls;
  flow.evidence = ApplicationEvidence::kPort;
  EXPECT_NE(Line(flow).find(",27,18,,end"), std::string::npos);
  flow.evidence = ApplicationEvidence::kName;
  EXPECT_NE(Line(flow).find(",27,18,,end"), std::string::npos);
  flow.evidence = ApplicationEvidence::kPayload;
  EXPECT_NE(Line(flow).find(",27,18,tls,end"), std::string::npos);
}

TEST(FlowCsv, WritesStatisticsAfterTheStandardColumns) {
  FlowRecord flow = Flow();
  flow.icmp = IcmpMessage{8, 0};
  flow.tcp_state = TcpState::kClosed;
  std::string without;
  AppendFlowCsv(flow, without, FlowCsvColumns::kStatistics);
  FlowStatistics statistics;
  statistics.forward.ip_length = {2, 40, 60, 50, 10.5};
  statistics.reverse.payload_entropy = 7.5;
  statistics.source_round_trip = Duration(12);
  statistics.source_mac = MacAddress{{2, 0, 0, 0, 0, 1}};
  statistics.first_packets = {{Duration(0), 40, 0, true}, {Duration(-5), 60, 20, false}};
  flow.statistics = std::make_shared<FlowStatistics>(statistics);
  std::string with;
  AppendFlowCsv(flow, with, FlowCsvColumns::kStatistics);
  const std::string header = FlowCsvHeader(FlowCsvColumns::kStatistics);
  EXPECT_EQ(header.rfind(kFlowCsvHeader, 0), 0U);
  const auto commas = std::count(header.begin(), header.end(), ',');
  EXPECT_EQ(std::count(with.begin(), with.end(), ','), commas);
  EXPECT_EQ(std::count(without.begin(), without.end(), ','), commas);
  EXPECT_NE(with.find("end_of_flow,closed,8,0,1:"), std::string::npos);
  EXPECT_NE(with.find("=,40,60,50,10.5,,,,,0,0,0,0,0,0,0,0,,"), std::string::npos) << with;
  EXPECT_NE(with.find(",7.5,,,,,,12,02:00:00:00:00:01,,0,0/40/0/f;-5/60/20/r\n"), std::string::npos)
      << with;
}

TEST(FlowCsv, Appends) {
  std::string text = "before\n";
  AppendFlowCsv(Flow(), text);
  AppendFlowCsv(Flow(), text);
  EXPECT_EQ(text, "before\n" + Line(Flow()) + Line(Flow()));
}

FlowRecord Rich() {
  FlowRecord flow = Flow();
  flow.vlan = 7;
  flow.application = Application::kHttp;
  flow.category = ApplicationCategory::kWeb;
  flow.evidence = ApplicationEvidence::kPort;
  flow.outcome = ContactOutcome::kAnswered;
  flow.tcp_state = TcpState::kReset;
  auto metadata = std::make_shared<FlowMetadata>();
  metadata->Set(MetadataField::kServerName, "=cmd|' /C calc'!A0");
  metadata->Set(MetadataField::kHttpPath, "/a,b\"c\"");
  metadata->Set(MetadataField::kHttpMethod, "'quoted");
  metadata->Set(MetadataField::kJa3, "-1+2");
  flow.metadata = std::move(metadata);
  return flow;
}

std::string Everything(const FlowRecord& flow) {
  std::string line;
  AppendFlowCsv(flow, line, FlowCsvColumns::kEverything);
  return line;
}

TEST(FlowCsvReader, ReadsBackExactlyWhatWasWritten) {
  const auto reader = FlowCsvReader::Create(FlowCsvHeader(FlowCsvColumns::kEverything));
  ASSERT_TRUE(reader.ok()) << reader.status();
  FlowRecord icmp = Flow();
  icmp.protocol = kProtocolIcmp;
  icmp.icmp = IcmpMessage{3, 1};
  for (const FlowRecord& flow : {Flow(), Rich(), icmp}) {
    const auto read = reader->Read(Everything(flow));
    ASSERT_TRUE(read.ok()) << read.status() << Everything(flow);
    EXPECT_EQ(Everything(*read), Everything(flow));
    EXPECT_EQ(read->evidence, flow.evidence);
    EXPECT_EQ(read->application, flow.application);
    EXPECT_EQ(read->icmp, flow.icmp);
    EXPECT_EQ(read->vlan, flow.vlan);
    if (flow.metadata) {
      EXPECT_EQ(read->metadata->Get(MetadataField::kServerName), "=cmd|' /C calc'!A0");
      EXPECT_EQ(read->metadata->Get(MetadataField::kHttpPath), "/a,b\"c\"");
      EXPECT_EQ(read->metadata->Get(MetadataField::kHttpMethod), "'quoted");
    }
  }
}

TEST(FlowCsvReader, NoCellBeginsAFormula) {
  for (const char first : {'=', '+', '-', '@', '\t', '\r'}) {
    FlowRecord flow = Flow();
    auto metadata = std::make_shared<FlowMetadata>();
    metadata->Set(MetadataField::kServerName, std::string(1, first) + "SUM(A1)");
    flow.metadata = std::move(metadata);
    const std::string line = Everything(flow);
    EXPECT_EQ(line.find(std::string(",") + first), std::string::npos) << line;
    EXPECT_EQ(line.find(std::string(",\"") + first), std::string::npos) << line;
  }
}

TEST(FlowCsvReader, WhateverAStrangerSendsIsOneCellOfOneLineThatComesBack) {
  const auto reader = FlowCsvReader::Create(FlowCsvHeader(FlowCsvColumns::kEverything));
  ASSERT_TRUE(reader.ok()) << reader.status();
  for (const std::string& text : HostileTexts()) {
    FlowRecord flow = Flow();
    auto metadata = std::make_shared<FlowMetadata>();
    metadata->Set(MetadataField::kServerName, text);
    metadata->Set(MetadataField::kUserAgent, text);
    flow.metadata = metadata;
    const std::string line = Everything(flow);
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    const auto read = reader->Read(line);
    ASSERT_TRUE(read.ok()) << read.status() << line;
    EXPECT_EQ(*read->metadata, *metadata);
    EXPECT_TRUE(IsFitToShow(read->metadata->Get(MetadataField::kServerName))) << line;
  }
}

TEST(FlowCsvReader, TakesTheStandardColumnsInAnyOrder) {
  const auto standard = FlowCsvReader::Create(std::string(kFlowCsvHeader) + "\r\n");
  ASSERT_TRUE(standard.ok()) << standard.status();
  EXPECT_EQ(Line(*standard->Read(Line(Flow()))), Line(Flow()));
  std::string header(kFlowCsvHeader);
  header = "end_reason," + header.substr(0, header.rfind(','));
  std::string line = Line(Flow());
  line.pop_back();
  line = line.substr(line.rfind(',') + 1) + "," + line.substr(0, line.rfind(','));
  const auto moved = FlowCsvReader::Create(header);
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(Line(*moved->Read(line)), Line(Flow()));
}

TEST(FlowCsvReader, PassesOverStatisticsAndSaysSo) {
  const auto reader = FlowCsvReader::Create(FlowCsvHeader(FlowCsvColumns::kStatistics));
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_GT(reader->passed_over(), 30u);
  EXPECT_FALSE(reader->Has("community_id"));
  EXPECT_TRUE(reader->Has("tcp_state"));
  FlowRecord flow = Flow();
  flow.tcp_state = TcpState::kClosed;
  flow.statistics = std::make_shared<FlowStatistics>();
  std::string line;
  AppendFlowCsv(flow, line, FlowCsvColumns::kStatistics);
  const auto read = reader->Read(line);
  ASSERT_TRUE(read.ok()) << read.status();
  flow.statistics = nullptr;
  EXPECT_EQ(Everything(*read), Everything(flow));
  EXPECT_EQ(FlowCsvReader::Create(kFlowCsvHeader)->passed_over(), 0u);
}

TEST(FlowCsvReader, SaysWhatIsWrong) {
  const auto message = [](const absl::Status& status) { return std::string(status.message()); };
  EXPECT_EQ(message(FlowCsvReader::Create("first_seen,cats").status()), "unknown column \"cats\"");
  const std::string wrong = message(FlowCsvReader::Create(std::string(900'000, '\x1b')).status());
  EXPECT_LT(wrong.size(), 200u) << "a line of any length";
  EXPECT_EQ(wrong.find('\x1b'), std::string::npos) << "steers no terminal";
  EXPECT_EQ(message(FlowCsvReader::Create("first_seen,last_seen").status()),
            "column \"protocol\" is missing");
  EXPECT_EQ(message(FlowCsvReader::Create("first_seen,first_seen").status()),
            "column \"first_seen\" is there twice");
  const auto reader = FlowCsvReader::Create(kFlowCsvHeader);
  EXPECT_EQ(message(reader->Read("1,2").status()), "2 fields, the header has 20");
  EXPECT_EQ(message(reader->Read("\"1").status()), "the quotes are wrong");
  std::string line = Line(Flow());
  line.replace(line.find("10.0.0.1"), 8, "10.0.0.999");
  EXPECT_EQ(message(reader->Read(line).status()),
            "\"source_address\": \"10.0.0.999\" is no value of it");
}

}  // namespace
}  // namespace nta::test

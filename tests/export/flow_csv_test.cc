#include "nta/export/flow_csv.h"

#include <gtest/gtest.h>

#include <algorithm>

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

TEST(FlowCsv, Appends) {
  std::string text = "before\n";
  AppendFlowCsv(Flow(), text);
  AppendFlowCsv(Flow(), text);
  EXPECT_EQ(text, "before\n" + Line(Flow()) + Line(Flow()));
}

}  // namespace
}  // namespace nta::test

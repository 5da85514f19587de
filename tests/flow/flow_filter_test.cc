#include "nta/flow/flow_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace nta {
namespace {

using ::testing::HasSubstr;

FlowRecord WebFlow() {
  FlowRecord flow;
  flow.first_seen = Timestamp(std::chrono::seconds(1'000));
  flow.last_seen = flow.first_seen + std::chrono::milliseconds(2'500);
  flow.protocol = kProtocolTcp;
  flow.source = {IpAddress::V4(10, 1, 2, 3), 50000};
  flow.destination = {IpAddress::V4(192, 0, 2, 80), 443};
  flow.forward = {.packets = 10, .wire_bytes = 1'000};
  flow.reverse = {.packets = 20, .wire_bytes = 999'000};
  flow.end_reason = FlowEndReason::kEndOfFlow;
  return flow;
}

FlowRecord DnsFlowOverIpv6() {
  FlowRecord flow;
  flow.protocol = kProtocolUdp;
  flow.source = {*IpAddress::Parse("2001:db8::1"), 40000};
  flow.destination = {*IpAddress::Parse("2001:db8:ffff::53"), 53};
  flow.vlan = 7;
  flow.forward = {.packets = 1, .wire_bytes = 80};
  flow.end_reason = FlowEndReason::kIdleTimeout;
  return flow;
}

bool Matches(std::string_view text, const FlowRecord& flow) {
  const absl::StatusOr<FlowFilter> filter = FlowFilter::Parse(text);
  EXPECT_TRUE(filter.ok()) << text << ": " << filter.status();
  return filter.ok() && filter->Matches(flow);
}

std::string ErrorOf(std::string_view text) {
  const absl::StatusOr<FlowFilter> filter = FlowFilter::Parse(text);
  EXPECT_EQ(filter.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(filter.status().message());
}

std::string Canonical(std::string_view text) {
  const absl::StatusOr<FlowFilter> filter = FlowFilter::Parse(text);
  EXPECT_TRUE(filter.ok()) << text << ": " << filter.status();
  return filter.ok() ? filter->ToString() : "";
}

TEST(FlowFilter, EmptyTextMatchesEveryFlow) {
  for (const char* text : {"", "  \t\n"}) {
    const auto filter = FlowFilter::Parse(text);
    ASSERT_TRUE(filter.ok());
    EXPECT_TRUE(filter->matches_everything());
    EXPECT_TRUE(filter->Matches(WebFlow()));
    EXPECT_EQ(filter->ToString(), "");
  }
}

TEST(FlowFilter, ComparesAddressesWithNetworks) {
  EXPECT_TRUE(Matches("src=10.0.0.0/8", WebFlow()));
  EXPECT_TRUE(Matches("source_address=10.1.2.3", WebFlow()));
  EXPECT_FALSE(Matches("src=192.0.2.0/24", WebFlow()));
  EXPECT_TRUE(Matches("dst=192.0.2.0/24", WebFlow()));
  EXPECT_TRUE(Matches("host=192.0.2.80", WebFlow()));
  EXPECT_TRUE(Matches("host=10.1.2.3", WebFlow()));
  EXPECT_FALSE(Matches("host!=10.1.2.3", WebFlow()));
  EXPECT_TRUE(Matches("host!=10.1.2.4", WebFlow()));
  EXPECT_TRUE(Matches("src=2001:db8::/48", DnsFlowOverIpv6()));
  EXPECT_FALSE(Matches("dst=2001:db8::/48", DnsFlowOverIpv6()));
  EXPECT_FALSE(Matches("host=0.0.0.0/0", DnsFlowOverIpv6()));
  EXPECT_TRUE(Matches("dst in (10.0.0.0/8, 192.0.2.80)", WebFlow()));
  EXPECT_FALSE(Matches("dst not in (10.0.0.0/8, 192.0.2.80)", WebFlow()));
}

TEST(FlowFilter, ComparesPortsOfEitherSide) {
  EXPECT_TRUE(Matches("port=443", WebFlow()));
  EXPECT_TRUE(Matches("port=50000", WebFlow()));
  EXPECT_FALSE(Matches("port!=443", WebFlow()));
  EXPECT_TRUE(Matches("port>49152", WebFlow()));
  EXPECT_FALSE(Matches("dport>49152", WebFlow()));
  EXPECT_TRUE(Matches("sport>=50000 and sport<=50000", WebFlow()));
  EXPECT_FALSE(Matches("sport>50000", WebFlow()));
  EXPECT_FALSE(Matches("sport<50000", WebFlow()));
  EXPECT_TRUE(Matches("dport in (80,443)", WebFlow()));
  EXPECT_FALSE(Matches("dport not in (80,443)", WebFlow()));
  EXPECT_TRUE(Matches("dport<>80", WebFlow()));
}

TEST(FlowFilter, ComparesCountsOfBothDirections) {
  EXPECT_TRUE(Matches("bytes=1e6", WebFlow()));
  EXPECT_TRUE(Matches("bytes=1M", WebFlow()));
  EXPECT_TRUE(Matches("bytes==1000k", WebFlow()));
  EXPECT_TRUE(Matches("bytes<1.000001M", WebFlow()));
  EXPECT_FALSE(Matches("bytes>1e6", WebFlow()));
  EXPECT_TRUE(Matches("bytes<1G", WebFlow()));
  EXPECT_TRUE(Matches("packets=30", WebFlow()));
  EXPECT_TRUE(Matches("packets<30.5", WebFlow()));
  EXPECT_FALSE(Matches("packets=30.5", WebFlow()));
}

TEST(FlowFilter, ComparesCountsThatADoubleCannotHoldExactly) {
  FlowRecord flow = WebFlow();
  flow.reverse.wire_bytes = 0;
  flow.forward.wire_bytes = (std::uint64_t{1} << 53) + 1;
  EXPECT_FALSE(Matches("bytes=9007199254740992", flow));
  EXPECT_TRUE(Matches("bytes>9007199254740992", flow));
  flow.forward.wire_bytes = ~std::uint64_t{0};
  EXPECT_TRUE(Matches("bytes<1e300", flow));
  EXPECT_TRUE(Matches("bytes<18446744073709551616", flow));
}

TEST(FlowFilter, ComparesDurationsWithUnits) {
  EXPECT_TRUE(Matches("duration=2.5", WebFlow()));
  EXPECT_TRUE(Matches("duration=2500ms", WebFlow()));
  EXPECT_TRUE(Matches("duration>2s and duration<1m", WebFlow()));
  EXPECT_TRUE(Matches("duration<1h and duration<1d", WebFlow()));
  EXPECT_TRUE(Matches("duration=2500000us and duration=2500000000ns", WebFlow()));
  EXPECT_FALSE(Matches("duration>2500ms", WebFlow()));
}

TEST(FlowFilter, ComparesProtocolVlanAndEndReason) {
  EXPECT_TRUE(Matches("proto=tcp", WebFlow()));
  EXPECT_TRUE(Matches("protocol=6", WebFlow()));
  EXPECT_TRUE(Matches("proto!=udp", WebFlow()));
  EXPECT_TRUE(Matches("proto in (udp,tcp)", WebFlow()));
  EXPECT_TRUE(Matches("end_reason=end_of_flow", WebFlow()));
  EXPECT_FALSE(Matches("end_reason!=END_OF_FLOW", WebFlow()));
  EXPECT_TRUE(Matches("vlan=7", DnsFlowOverIpv6()));
  EXPECT_TRUE(Matches("vlan!=7", WebFlow())) << "no VLAN is not VLAN 7";
  EXPECT_FALSE(Matches("vlan<4095", WebFlow())) << "no VLAN has no order";
  EXPECT_FALSE(Matches("vlan=0", WebFlow()));
}

TEST(FlowFilter, ComparesApplicationCategoryTcpStateAndIcmpType) {
  FlowRecord flow = WebFlow();
  flow.application = Application::kTls;
  flow.category = ApplicationCategory::kWeb;
  flow.tcp_state = TcpState::kClosed;
  EXPECT_TRUE(Matches("app=tls and application in (dns,TLS)", flow));
  EXPECT_TRUE(Matches("app!=quic and category=web", flow));
  EXPECT_FALSE(Matches("app=unknown or category=unknown", flow));
  EXPECT_TRUE(Matches("app=unknown and category=unknown and tcp_state=none", DnsFlowOverIpv6()));
  EXPECT_TRUE(Matches("tcp_state in (closed,reset)", flow));
  EXPECT_FALSE(Matches("icmp_type<255 or icmp_type=0", flow));
  flow.icmp = IcmpMessage{3, 1};
  EXPECT_TRUE(Matches("icmp_type=3 and icmp_type<4 and icmp_type in (11,3)", flow));
  EXPECT_THAT(ErrorOf("app=tsl"), HasSubstr("did you mean \"tls\"?"));
  EXPECT_THAT(ErrorOf("app<tls"), HasSubstr("has no order"));
  EXPECT_THAT(ErrorOf("tcp_state=open"), HasSubstr("is not a TCP state"));
  EXPECT_THAT(ErrorOf("icmp_type=256"), HasSubstr("is not an ICMP type"));
}

TEST(FlowFilter, ComparesServerNamesWithPatterns) {
  FlowRecord flow = WebFlow();
  EXPECT_FALSE(Matches("server_name=*", flow)) << "it has none";
  EXPECT_TRUE(Matches("server_name!=*", flow));
  FlowMetadata metadata;
  metadata.Set(MetadataField::kServerName, "Static.Example.ORG");
  flow.metadata = std::make_shared<FlowMetadata>(metadata);
  for (const char* pattern : {"static.example.org", "STATIC.*", "*.example.org", "*", "**",
                              "*static*", "st*ic*o*g", "*.*.*", "s*t*a*t*i*c*.example.org*"}) {
    EXPECT_TRUE(Matches("server_name=" + std::string(pattern), flow)) << pattern;
  }
  for (const char* pattern :
       {"static", "*.example", "example.org", "*.com", "*statics*", "*.*.*.*"}) {
    EXPECT_FALSE(Matches("server_name=" + std::string(pattern), flow)) << pattern;
  }
  EXPECT_TRUE(Matches("server_name in (a.b, \"static.example.org\")", flow));
  EXPECT_EQ(Canonical("server_name=A*.B"), "server_name=\"a*.b\"");
  EXPECT_EQ(Canonical(R"(server_name='a"b\\c')"), R"(server_name="a\"b\\c")");
  EXPECT_THAT(ErrorOf("server_name=''"), HasSubstr("is not empty"));
  const std::string stars = "server_name=" + std::string(4000, '*') + "x";
  metadata.Set(MetadataField::kServerName, std::string(1024, 'a'));
  flow.metadata = std::make_shared<FlowMetadata>(metadata);
  EXPECT_FALSE(Matches(stars, flow));
}

TEST(FlowFilter, ComparesFingerprintsWithPatterns) {
  FlowRecord flow = WebFlow();
  constexpr std::pair<const char*, MetadataField> kFingerprints[] = {
      {"ja3", MetadataField::kJa3},
      {"ja3s", MetadataField::kJa3s},
      {"ja4", MetadataField::kJa4},
      {"hassh", MetadataField::kHassh},
      {"hassh_server", MetadataField::kHasshServer}};
  for (const auto& [name, field] : kFingerprints) {
    flow.metadata = nullptr;
    EXPECT_FALSE(Matches(std::string(name) + "=*", flow)) << "it has none";
    EXPECT_TRUE(Matches(std::string(name) + "!=abc", flow));
    // Each field looks at its own text and at no other.
    FlowMetadata metadata;
    for (const auto& other : kFingerprints) metadata.Set(other.second, "other");
    metadata.Set(field, "t13d1516h2_8daaf6152771_b186095e22b6");
    flow.metadata = std::make_shared<FlowMetadata>(metadata);
    for (const char* value :
         {"t13d1516h2_8daaf6152771_b186095e22b6", "T13D*", "*_8daaf6152771_*"}) {
      EXPECT_TRUE(Matches(std::string(name) + "=" + value, flow)) << name << value;
    }
    EXPECT_FALSE(Matches(std::string(name) + "=t13d1516h2", flow)) << name;
    EXPECT_FALSE(Matches(std::string(name) + " not in (abc,t13d*)", flow)) << name;
    for (const auto& [other, unused] : kFingerprints) {
      if (std::string_view(other) != name) {
        EXPECT_FALSE(Matches(std::string(other) + "=t13d*", flow)) << other << " of " << name;
      }
    }
  }
  EXPECT_EQ(Canonical("JA4=T13D*"), "ja4=\"t13d*\"");
  EXPECT_THAT(ErrorOf("ja4=''"), HasSubstr("a fingerprint is not empty"));
  EXPECT_THAT(ErrorOf("ja4>t13"), HasSubstr("has no order"));
  EXPECT_THAT(ErrorOf("hash=abc"), HasSubstr("did you mean \"hassh\"?"));
}

TEST(FlowFilter, AndBindsTighterThanOrAndNotTightest) {
  EXPECT_TRUE(Matches("proto=tcp or proto=udp and port=1", WebFlow()));
  EXPECT_FALSE(Matches("(proto=tcp or proto=udp) and port=1", WebFlow()));
  EXPECT_TRUE(Matches("not proto=udp and port=443", WebFlow()));
  EXPECT_FALSE(Matches("not (proto=udp or port=443)", WebFlow()));
  EXPECT_TRUE(Matches("!proto=udp&&port=443||port=1", WebFlow()));
  EXPECT_TRUE(Matches("not not proto=tcp", WebFlow()));
}

TEST(FlowFilter, ReadsKeywordsFieldsAndValuesInAnyCaseAndQuotes) {
  EXPECT_TRUE(Matches("PROTO=TCP AND Dport IN (80, 443) Or NOT src=\"10.1.2.3\"", WebFlow()));
  EXPECT_TRUE(Matches("src='10.1.2.3'", WebFlow()));
  EXPECT_TRUE(Matches("src=\"10\\.1.2.3\"", WebFlow()));
}

TEST(FlowFilter, WritesACanonicalText) {
  EXPECT_EQ(Canonical("Source_Address==10.0.0.0/8&&destination_port in(80,443)&&bytes>1e6"),
            "src=10.0.0.0/8 and dport in (80,443) and bytes>1000000");
  EXPECT_EQ(Canonical("src=10.0.0.1/32"), "src=10.0.0.1");
  EXPECT_EQ(Canonical("src=2001:DB8:0::0/32"), "src=2001:db8::/32");
  EXPECT_EQ(Canonical("((port=1))"), "port=1");
  EXPECT_EQ(Canonical("(port=1 and port=2) and port=3"), "port=1 and port=2 and port=3");
  EXPECT_EQ(Canonical("(port=1 or port=2) and not (port=3 or vlan<>4)"),
            "(port=1 or port=2) and not (port=3 or vlan!=4)");
  EXPECT_EQ(Canonical("proto=6 and duration>=90 and duration<120s"),
            "proto=tcp and duration>=90s and duration<2m");
  EXPECT_EQ(Canonical("sport in (80)"), "sport=80");
  EXPECT_EQ(Canonical("sport not in (80)"), "sport!=80");
  EXPECT_EQ(Canonical("duration>0.1ns or bytes>0.5"), "duration>0.1ns or bytes>0.5");
}

TEST(FlowFilter, ErrorsNameThePositionAndTheReason) {
  EXPECT_EQ(ErrorOf("src=10.0.0.1 and dprt=443"),
            "at 17: unknown field \"dprt\" (did you mean \"dport\"?)");
  EXPECT_EQ(ErrorOf("bites>5"), "at 0: unknown field \"bites\" (did you mean \"bytes\"?)");
  EXPECT_EQ(ErrorOf("tcp"), "at 0: unknown field \"tcp\" (did you mean \"proto=tcp\"?)");
  EXPECT_EQ(ErrorOf("10.0.0.1"),
            "at 0: unknown field \"10.0.0.1\" (did you mean \"host=10.0.0.1\"?)");
  EXPECT_EQ(ErrorOf("wholly_unlike=1"), "at 0: unknown field \"wholly_unlike\"");
  EXPECT_EQ(ErrorOf("src"),
            "at 3: expected =, !=, <, <=, >, >= or in after \"src\", the text ends here");
  EXPECT_EQ(ErrorOf("src 10.0.0.1"),
            "at 4: expected =, !=, <, <=, >, >= or in after \"src\", found \"10.0.0.1\"");
  EXPECT_EQ(ErrorOf("dport="), "at 6: expected a value, the text ends here");
  EXPECT_EQ(ErrorOf("dport=>5"), "at 6: two operators in a row: found \">\"");
  EXPECT_EQ(ErrorOf("dport=65536"), "at 6: \"65536\" is not a port (0 to 65535)");
  EXPECT_EQ(ErrorOf("dport=1.5"), "at 6: \"1.5\" is not a port (0 to 65535)");
  EXPECT_EQ(ErrorOf("dport=-1"), "at 6: \"-1\" is not a port (0 to 65535)");
  EXPECT_EQ(ErrorOf("vlan=4096"), "at 5: \"4096\" is not a VLAN id (0 to 4095)");
  EXPECT_EQ(ErrorOf("proto=tpc"),
            "at 6: \"tpc\" is not a protocol name or number (did you mean \"tcp\"?)");
  EXPECT_EQ(ErrorOf("end_reason=idle_timout"),
            "at 11: \"idle_timout\" is not an end reason (did you mean \"idle_timeout\"?)");
  EXPECT_EQ(ErrorOf("src<10.0.0.1"), "at 3: \"src\" has no order: use =, !=, in or not in");
  EXPECT_EQ(ErrorOf("proto>=tcp"), "at 5: \"proto\" has no order: use =, !=, in or not in");
  EXPECT_EQ(ErrorOf("(port=1"), "at 0: this \"(\" has no \")\"");
  EXPECT_EQ(ErrorOf("port=1)"), "at 6: this \")\" has no \"(\"");
  EXPECT_EQ(ErrorOf("port=1 port=2"), "at 7: expected \"and\" or \"or\" before \"port\"");
  EXPECT_EQ(ErrorOf("(port=1 port=2)"), "at 8: expected \"and\", \"or\" or \")\", found \"port\"");
  EXPECT_EQ(ErrorOf("port=1 and"), "at 10: expected a field, the text ends here");
  EXPECT_EQ(ErrorOf("and port=1"), "at 0: expected a field, found \"and\"");
  EXPECT_EQ(ErrorOf("port in 80"), "at 8: expected \"(\" after \"in\", found \"80\"");
  EXPECT_EQ(ErrorOf("port in ()"), "at 9: expected a value, found \")\"");
  EXPECT_EQ(ErrorOf("port in (80"), "at 11: expected \",\" or \")\", the text ends here");
  EXPECT_EQ(ErrorOf("port not 80"), "at 9: expected \"in\" after \"not\", found \"80\"");
  EXPECT_EQ(ErrorOf("port=1 & port=2"), "at 7: unexpected \"&\" (did you mean \"&&\"?)");
  EXPECT_EQ(ErrorOf("src='10.0.0.1"), "at 4: the quoted text has no end");
  EXPECT_EQ(ErrorOf("port=1;"), "at 6: unexpected \";\"");
  EXPECT_THAT(ErrorOf("src=10.0.0.300"),
              HasSubstr("at 4: \"10.0.0.300\" is not an address or network"));
  EXPECT_THAT(ErrorOf("src=10.0.0.1/8"), HasSubstr("at 4: "));
  EXPECT_THAT(ErrorOf("host=www.Example.org"),
              HasSubstr("(did you mean \"name=www.example.org\"?)"));
  EXPECT_THAT(ErrorOf("name<a"), HasSubstr("\"name\" has no order"));
  EXPECT_THAT(ErrorOf("evidence=ports"), HasSubstr("is not evidence (did you mean \"port\"?)"));
  EXPECT_THAT(ErrorOf("bytes=1x"), HasSubstr("at 6: \"1x\" is not a number"));
  EXPECT_THAT(ErrorOf("bytes=1e999"), HasSubstr("at 6: "));
  EXPECT_THAT(ErrorOf("bytes=inf"), HasSubstr("at 6: "));
  EXPECT_THAT(ErrorOf("bytes=nan"), HasSubstr("at 6: "));
  EXPECT_THAT(ErrorOf("duration=5parsecs"), HasSubstr("500ms"));
}

TEST(FlowFilter, ErrorIsAlsoAStruct) {
  FilterError error;
  EXPECT_FALSE(FlowFilter::Parse("port=1 and dprt=443", &error).ok());
  EXPECT_EQ(error.position, 11u);
  EXPECT_EQ(error.message, "unknown field \"dprt\" (did you mean \"dport\"?)");
}

TEST(FlowFilter, ErrorsQuoteNothingThatATerminalObeys) {
  const std::string message = ErrorOf("port=\"\x1b[2J\n\xff\"");
  for (const char c : message) EXPECT_TRUE(c >= ' ' && c <= '~') << message;
}

TEST(FlowFilter, RefusesTextsThatAreTooLongOrTooDeep) {
  const auto nested = [](int levels) {
    return std::string(static_cast<std::size_t>(levels), '(') + "port=1" +
           std::string(static_cast<std::size_t>(levels), ')');
  };
  EXPECT_TRUE(FlowFilter::Parse(nested(64)).ok());
  EXPECT_THAT(ErrorOf(nested(65)), HasSubstr("at 64: more than 64 levels"));
  EXPECT_THAT(ErrorOf(std::string(3'000, '!') + "port=1"), HasSubstr("more than 64 levels"));
  EXPECT_TRUE(FlowFilter::Parse("port=1" + std::string(4'090, ' ')).ok());
  EXPECT_THAT(ErrorOf("port=1" + std::string(4'091, ' ')), HasSubstr("longer than 4096 bytes"));
}

TEST(FlowFilter, SurvivesAnyBytes) {
  std::mt19937 random(1);
  const std::vector<std::string> pieces{
      "src", "=", "(", ")", "and", "or",  "not", "in",   ",",     "10.0",  "/8",  "\"", "\\",
      "!",   "<", ">", "&", "|",   "1e6", " ",   "\xff", "dport", "proto", "tcp", "80", "\0x"};
  int parsed = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (std::size_t i = random() % 12; i > 0; --i) text += pieces[random() % pieces.size()];
    FilterError error;
    const auto filter = FlowFilter::Parse(text, &error);
    if (filter.ok()) {
      ++parsed;
      EXPECT_EQ(Canonical(filter->ToString()), filter->ToString());
    } else {
      EXPECT_LE(error.position, text.size());
      EXPECT_FALSE(error.message.empty());
    }
  }
  EXPECT_GT(parsed, 100);
}

// Writes random filters in random spellings.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::string Filter(int depth) {
    if (depth == 0 || Below(3) == 0) return Comparison();
    switch (Below(3)) {
      case 0:
        return Pick({"not ", "!", "NOT "}) + "(" + Filter(depth - 1) + ")";
      case 1:
        return "(" + Filter(depth - 1) + ")" + Pick({" and ", "&&", " AND "}) + Filter(depth - 1);
      default:
        return Filter(depth - 1) + Pick({" or ", "||", " Or "}) + "(" + Filter(depth - 1) + ")";
    }
  }

  FlowRecord Flow() {
    FlowRecord flow;
    flow.first_seen = Timestamp(Duration(random_() % 1'000));
    flow.last_seen = flow.first_seen + std::chrono::milliseconds(Below(5)) * 500;
    flow.protocol = static_cast<std::uint8_t>(Below(2) == 0 ? kProtocolTcp : kProtocolUdp);
    flow.source = {*IpAddress::Parse(Address()), static_cast<std::uint16_t>(Below(4))};
    flow.destination = {*IpAddress::Parse(Address()), static_cast<std::uint16_t>(Below(4))};
    if (Below(2) == 0) flow.vlan = static_cast<std::uint16_t>(Below(4));
    flow.forward.packets = Below(4);
    flow.forward.wire_bytes = Below(4) * 500;
    flow.end_reason = static_cast<FlowEndReason>(Below(6));
    return flow;
  }

 private:
  unsigned Below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
  std::string Pick(std::vector<std::string> choices) {
    return choices[Below(static_cast<unsigned>(choices.size()))];
  }
  std::string Address() {
    return Pick({"10.0.0.1", "10.0.0.2", "10.1.0.1", "2001:db8::1", "::ffff:10.0.0.1"});
  }

  std::string Comparison() {
    if (Below(2) == 0) {
      const bool address = Below(2) == 0;
      const std::string field = address ? Pick({"src", "dst", "host", "destination_address"})
                                        : Pick({"proto", "end_reason"});
      return field + Values([&] {
               if (address)
                 return Pick({Address(), "10.0.0.0/8", "10.0.0.0/31", "2001:db8::/32", "::/0"});
               return field == "proto" ? Pick({"tcp", "17", "UDP"})
                                       : Pick({"idle_timeout", "forced_end", "none"});
             });
    }
    const std::string field =
        Pick({"sport", "dport", "port", "vlan", "bytes", "packets", "duration"});
    const auto value = [&] {
      if (field == "bytes") return Pick({"500", "1k", "1.5e3", "0", "1e-3"});
      if (field == "duration") return Pick({"1", "500ms", "1.5s", "0", "1e9ns", "0.3us"});
      return std::to_string(Below(4));
    };
    if (Below(2) == 0) return field + Values(value);
    return field + Pick({"<", " <= ", ">", ">="}) + value();
  }

  template <typename Value>
  std::string Values(Value value) {
    if (Below(2) == 0) return Pick({"=", " == ", "!=", "<>"}) + value();
    std::string text = Pick({" in (", " not in ("}) + value();
    for (unsigned i = Below(3); i > 0; --i) text += " , " + value();
    return text + ")";
  }

  std::mt19937 random_;
};

bool SameTree(const FilterNode& a, const FilterNode& b) {
  if (a.kind != b.kind || a.field != b.field || a.op != b.op || a.values != b.values ||
      a.children.size() != b.children.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.children.size(); ++i) {
    if (!SameTree(a.children[i], b.children[i])) return false;
  }
  return true;
}

TEST(FlowFilter, CanonicalTextParsesToTheSameFilter) {
  Generator generator(7);
  int matched = 0;
  for (int round = 0; round < 3'000; ++round) {
    const std::string text = generator.Filter(4);
    const auto filter = FlowFilter::Parse(text);
    ASSERT_TRUE(filter.ok()) << text << ": " << filter.status();
    const auto again = FlowFilter::Parse(filter->ToString());
    ASSERT_TRUE(again.ok()) << filter->ToString() << ": " << again.status();
    EXPECT_TRUE(SameTree(*filter->root(), *again->root())) << text << "\n" << filter->ToString();
    EXPECT_EQ(again->ToString(), filter->ToString());
    for (int i = 0; i < 5; ++i) {
      const FlowRecord flow = generator.Flow();
      EXPECT_EQ(filter->Matches(flow), again->Matches(flow)) << text;
      matched += filter->Matches(flow) ? 1 : 0;
    }
  }
  EXPECT_GT(matched, 1'000);
  EXPECT_LT(matched, 14'000);
}

TEST(FlowFilter, ReadsEveryExampleOfTheDocumentation) {
  std::ifstream document(NTA_DOCS_DIR "/filters.md");
  ASSERT_TRUE(document.is_open());
  int examples = 0;
  bool inside = false;
  for (std::string line; std::getline(document, line);) {
    if (line.starts_with("```")) {
      inside = line == "```filter";
    } else if (inside) {
      ++examples;
      EXPECT_TRUE(FlowFilter::Parse(line).ok()) << line << ": " << FlowFilter::Parse(line).status();
    }
  }
  EXPECT_GE(examples, 16);
}

TEST(FlowFilter, SelectsByNameOfAnySideAndByEvidence) {
  FlowRecord flow;
  EXPECT_FALSE(Matches("name=*", flow)) << "it has none";
  EXPECT_TRUE(Matches("evidence=none", flow));
  FlowMetadata metadata;
  metadata.Set(MetadataField::kSourceName, "Laptop.lan");
  metadata.Set(MetadataField::kDestinationName, "cdn.example");
  metadata.Set(MetadataField::kServerName, "www.example");
  flow.metadata = std::make_shared<FlowMetadata>(metadata);
  flow.evidence = ApplicationEvidence::kPort;
  for (const char* text :
       {"name=laptop.*", "name=cdn.example", "name=www.example", "source_name=laptop.lan",
        "destination_name=CDN.*", "evidence=port", "evidence in (port,payload)", "name!=x"}) {
    EXPECT_TRUE(Matches(text, flow)) << text;
  }
  for (const char* text : {"name=example", "source_name=cdn.*", "destination_name=www.example",
                           "evidence=payload", "evidence!=port", "name!=www.example"}) {
    EXPECT_FALSE(Matches(text, flow)) << text;
  }
  EXPECT_EQ(Canonical("NAME = A.b and evidence=Port"), "name=\"a.b\" and evidence=port");
}

TEST(FlowFilter, ErrorOfTheDocumentationIsTheOneGiven) {
  EXPECT_EQ(ErrorOf("src=10.0.0.0/8 and dport=80 or dprt=443"),
            "at 31: unknown field \"dprt\" (did you mean \"dport\"?)");
}

}  // namespace
}  // namespace nta

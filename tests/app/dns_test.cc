#include <gtest/gtest.h>

#include "app/dns_builder.h"
#include "app/dns_message.h"
#include "app/flow_talk.h"

namespace nta {
namespace {

using internal::DnsName;
using internal::DnsReader;
using test::Bytes;
using test::DnsFields;
using test::DnsMessage;
using test::DnsNameBytes;
using test::FlowTalk;
using test::TalkOptions;

constexpr int kResponse = 0x8180;

TalkOptions Dns(std::uint16_t port = 53) { return {.protocol = kProtocolUdp, .server_port = port}; }

TEST(Dns, ShowsQuestionAndAnswer) {
  FlowTalk talk(Dns());
  EXPECT_TRUE(talk.Client(DnsMessage({})));
  EXPECT_TRUE(talk.Server(DnsMessage(
      {.flags = kResponse,
       .answers = {{.type = 5, .data = DnsNameBytes("cdn.example.net")},
                   {.name = DnsNameBytes("cdn.example.net"), .data = {192, 0, 2, 7}},
                   {.type = 28, .data = test::FromHex("20010db8000000000000000000000001")}}})));
  const FlowRecord record = talk.Record();
  EXPECT_EQ(record.application, Application::kDns);
  EXPECT_EQ(record.evidence, ApplicationEvidence::kPayload);
  EXPECT_EQ(record.category, ApplicationCategory::kNameResolution);
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "www.example.com");
  EXPECT_EQ(talk.Get(MetadataField::kDnsType), "A");
  EXPECT_EQ(talk.Get(MetadataField::kDnsRcode), "NOERROR");
  EXPECT_EQ(talk.Get(MetadataField::kDnsAnswers), "cdn.example.net,192.0.2.7,2001:db8::1");
  // The name that was asked for, not that of the alias.
  EXPECT_EQ(talk.names().Find(IpAddress::V4(192, 0, 2, 7), record.last_seen)->name,
            "www.example.com");
}

TEST(Dns, FailureIsShown) {
  FlowTalk talk(Dns());
  talk.Client(DnsMessage({.type = 65}));
  talk.Server(DnsMessage({.flags = 0x8183, .type = 65}));
  EXPECT_EQ(talk.Get(MetadataField::kDnsType), "HTTPS");
  EXPECT_EQ(talk.Get(MetadataField::kDnsRcode), "NXDOMAIN");
  EXPECT_EQ(talk.Get(MetadataField::kDnsAnswers), "");
}

TEST(Dns, ReverseAnswerNamesTheAddress) {
  FlowTalk talk(Dns());
  talk.Server(DnsMessage({.flags = kResponse,
                          .name = DnsNameBytes("7.2.0.192.in-addr.arpa"),
                          .type = 12,
                          .answers = {{.type = 12, .data = DnsNameBytes("host7.example.org")}}}));
  EXPECT_EQ(talk.names().Find(IpAddress::V4(192, 0, 2, 7), talk.Record().last_seen)->name,
            "host7.example.org");
}

TEST(Dns, AnswerOfOneFlowNamesTheEndsOfAnother) {
  FlowTalk talk(Dns());
  talk.Server(DnsMessage({.flags = kResponse,
                          .name = DnsNameBytes("cdn.netflix.com"),
                          .answers = {{.data = {192, 0, 2, 9}}}}));
  auto other = ApplicationInspector::Create({}, &talk.names());
  FlowRecord record = talk.Record();
  record.metadata = nullptr;
  record.destination = {IpAddress::V4(192, 0, 2, 9), 443};
  record.protocol = kProtocolTcp;
  other->Describe(0, false, record);
  EXPECT_EQ(record.metadata->Get(MetadataField::kDestinationName), "cdn.netflix.com");
  EXPECT_EQ(record.category, ApplicationCategory::kVideo);
  EXPECT_EQ(record.evidence, ApplicationEvidence::kPort);
}

TEST(Dns, MessagesOverTcpMayBeSplitAndJoined) {
  Bytes stream = test::Sized(DnsMessage({}), 2);
  test::Put(stream, test::Sized(DnsMessage({.name = DnsNameBytes("second.example.com")}), 2));
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    FlowTalk talk({.server_port = 53});
    talk.Client(std::span(stream).first(cut));
    talk.Client(std::span(stream).subspan(cut));
    ASSERT_EQ(talk.Record().evidence, ApplicationEvidence::kPayload) << cut;
    ASSERT_EQ(talk.Get(MetadataField::kServerName), "www.example.com") << cut;
  }
}

TEST(Dns, IsKnownOnOtherPortsWhenTheMessageIsWhole) {
  FlowTalk whole(Dns(5300));
  whole.Client(DnsMessage({}));
  EXPECT_EQ(whole.Record().application, Application::kDns);
  FlowTalk longer(Dns(5300));
  Bytes message = DnsMessage({});
  message.push_back(0);
  longer.Client(message);
  EXPECT_EQ(longer.Record().application, Application::kUnknown);
}

TEST(Dns, MulticastRelativesHaveTheirOwnNames) {
  FlowTalk mdns(Dns(5353));
  mdns.Client(
      DnsMessage({.flags = 0x8400,
                  .answers = {{.name = DnsNameBytes("printer.local"), .data = {192, 0, 2, 40}}},
                  .questions = 0}));
  EXPECT_EQ(mdns.Record().application, Application::kMdns);
  EXPECT_EQ(mdns.names().Find(IpAddress::V4(192, 0, 2, 40), mdns.Record().last_seen)->name,
            "printer.local");
  FlowTalk llmnr(Dns(5355));
  llmnr.Client(DnsMessage({.flags = 0}));
  EXPECT_EQ(llmnr.Record().application, Application::kLlmnr);
}

TEST(Dns, MulticastQueryMayNameTheAnswersItKnows) {
  FlowTalk talk(Dns(5353));
  talk.Client(DnsMessage({.flags = 0, .answers = {{.type = 16, .data = {0}}}}));
  EXPECT_EQ(talk.Record().evidence, ApplicationEvidence::kPayload);
}

TEST(Dns, GarbageOnItsPortIsNot) {
  FlowTalk talk(Dns());
  talk.Client(Bytes(40, 0xFF));
  EXPECT_EQ(talk.Record().evidence, ApplicationEvidence::kPort);
}

TEST(Dns, FlowWithEndlessNamesStaysFlat) {
  // The bound of the flow ends it long before; the names stay within that of their table.
  FlowTalk talk(Dns());
  std::size_t after_first = 0;
  Bytes message;
  for (int i = 0; i < 100'000; ++i) {
    const auto byte = [i](int shift) { return static_cast<std::uint8_t>(i >> shift); };
    message = DnsMessage({.flags = kResponse,
                          .name = DnsNameBytes("n" + std::to_string(i) + ".example.com"),
                          .answers = {{.data = {10, byte(16), byte(8), byte(0)}}}});
    talk.Server(message);
    if (i == 0) after_first = talk.inspector().Stats().memory_bytes;
  }
  // Less, by the place that the inspection, ended meanwhile, had in their queue.
  EXPECT_LE(talk.inspector().Stats().memory_bytes, after_first);
  EXPECT_LE(talk.names().Stats().memory_bytes, 65'536u * 130);
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "n0.example.com");
}

// --- names, byte by byte ---

std::string NameAt(const Bytes& message, std::size_t offset) {
  DnsName name;
  if (!DnsReader(message).ReadNameAt(offset, name)) return "broken";
  return std::string(name.text());
}

TEST(DnsName, PointersLeadBackwardsOnly) {
  EXPECT_EQ(NameAt({1, 'a', 0, 1, 'b', 0xC0, 0}, 3), "b.a");
  EXPECT_EQ(NameAt({0xC0, 0}, 0), "broken") << "to itself";
  EXPECT_EQ(NameAt({0xC0, 2, 0xC0, 0}, 2), "broken") << "a loop of two";
  EXPECT_EQ(NameAt({0xC0, 2, 1, 'a', 0}, 0), "broken") << "forward";
  EXPECT_EQ(NameAt({1, 'a', 0xC0, 0}, 0), "broken") << "to its own beginning";
  EXPECT_EQ(NameAt({1, 'a', 0xC0, 0}, 2), "broken") << "into a name that comes back";
  EXPECT_EQ(NameAt({0xC0}, 0), "broken");
  EXPECT_EQ(NameAt({0xC0, 0xFF}, 0), "broken");
}

TEST(DnsName, ChainOfPointersIsBounded) {
  Bytes message = {0, 0};
  for (int i = 0; i < 200; ++i) test::Put(message, static_cast<std::uint64_t>(0xC000 + i * 2), 2);
  EXPECT_EQ(NameAt(message, 2 * 100), ".");
  EXPECT_EQ(NameAt(message, 2 * 200), "broken");
}

TEST(DnsName, LengthsAreBounded) {
  EXPECT_EQ(NameAt({0}, 0), ".");
  EXPECT_EQ(NameAt({}, 0), "broken");
  EXPECT_EQ(NameAt({5, 'a', 'b'}, 0), "broken");
  EXPECT_EQ(NameAt({0x40, 'a', 0}, 0), "broken") << "label of 64";
  const auto of_labels = [](int labels) {
    Bytes message;
    for (int i = 0; i < labels; ++i) test::Put(message, test::Sized(Bytes(63, 'x'), 1));
    message.push_back(0);
    return message;
  };
  EXPECT_EQ(NameAt(of_labels(3), 0).size(), 191u);
  EXPECT_EQ(NameAt(of_labels(4), 0), "broken") << "256 bytes";
}

TEST(DnsName, BytesInLabelsStayDistinct) {
  EXPECT_EQ(NameAt({3, 'a', '.', 'b', 1, 'c', 0}, 0), "a\\.b.c");
  EXPECT_EQ(NameAt({2, '\\', 0, 0}, 0), std::string("\\\\\0", 3));
  FlowTalk talk(Dns());
  talk.Client(DnsMessage({.name = {4, 'a', 0, '<', 0x80, 0}}));
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "a\uFFFD<\uFFFD");
}

TEST(Dns, ClaimOf65535AnswersCostsNoMoreThanItsBytes) {
  FlowTalk talk(Dns());
  talk.Server(DnsMessage(
      {.flags = kResponse, .answers = {{.data = {192, 0, 2, 7}}}, .claimed_answers = 4000}));
  EXPECT_EQ(talk.Get(MetadataField::kDnsAnswers), "192.0.2.7");
}

TEST(Dns, EveryCutOfAMessageIsSafe) {
  const Bytes message = DnsMessage({.flags = kResponse,
                                    .answers = {{.data = {192, 0, 2, 7}},
                                                {.type = 15, .data = {0, 1, 0xC0, 12}},
                                                {.type = 16, .data = {3, 'a', 'b', 'c'}}}});
  for (std::size_t size = 1; size <= message.size(); ++size) {
    FlowTalk talk(Dns());
    talk.Cut(false, std::span(message).first(size), static_cast<std::uint32_t>(message.size()));
    if (size < message.size()) continue;
    EXPECT_EQ(talk.Get(MetadataField::kDnsAnswers), "192.0.2.7,www.example.com,abc");
  }
}

}  // namespace
}  // namespace nta

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "app/flow_talk.h"
#include "app/hello_builder.h"
#include "app/tls_hello.h"

namespace nta {
namespace {

using internal::ClientHello;
using internal::HelloTransport;
using test::Bytes;
using test::FlowTalk;
using test::HelloFields;

using Part = std::span<const std::uint8_t>;

HelloFields ExampleHello() {
  return {.version = 0x0303,
          .ciphers = {0x0A0A, 0x1301, 0x1302, 0xC02B},
          .extensions = {{0x1A1A, {}},
                         test::ServerName("www.example.com"),
                         test::Groups({0x2A2A, 29, 23}),
                         test::PointFormats({0}),
                         test::Alpn({"h2", "http/1.1"}),
                         test::SignatureAlgorithms({0x0403, 0x0804}),
                         test::SupportedVersions({0x3A3A, 0x0304, 0x0303})}};
}

std::string Ja3Of(const HelloFields& fields) {
  FlowTalk talk({.server_port = 443});
  talk.Client(test::TlsClientHello(fields));
  return talk.Get(MetadataField::kJa3);
}

std::string Ja4Of(const HelloFields& fields) {
  FlowTalk talk({.server_port = 443});
  talk.Client(test::TlsClientHello(fields));
  return talk.Get(MetadataField::kJa4);
}

TEST(Tls, ClientHelloSaysWhomTheClientWants) {
  FlowTalk talk({.server_port = 443});
  EXPECT_TRUE(talk.Client(test::TlsClientHello(ExampleHello())));
  const FlowRecord record = talk.Record();
  EXPECT_EQ(record.application, Application::kTls);
  EXPECT_EQ(record.evidence, ApplicationEvidence::kPayload);
  EXPECT_EQ(talk.news(), 1);
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "www.example.com");
  EXPECT_EQ(talk.Get(MetadataField::kAlpn), "h2,http/1.1");
  EXPECT_EQ(talk.Get(MetadataField::kTlsVersion), "") << "the server decides";
  EXPECT_EQ(talk.names().Find(record.destination.address, record.last_seen)->name,
            "www.example.com");
}

TEST(Tls, KnownSiteGivesTheCategory) {
  FlowTalk talk({.server_port = 443});
  HelloFields hello = ExampleHello();
  hello.extensions[1] = test::ServerName("rr1---sn-abc.googlevideo.com");
  talk.Client(test::TlsClientHello(hello));
  EXPECT_EQ(talk.Record().category, ApplicationCategory::kVideo);
  EXPECT_EQ(talk.Record().evidence, ApplicationEvidence::kPayload);
}

TEST(Tls, ServerHelloOfVersion13EndsTheInspection) {
  FlowTalk talk({.server_port = 443});
  talk.Client(test::TlsClientHello(ExampleHello()));
  Bytes chosen;
  test::Put(chosen, 0x0304, 2);
  EXPECT_FALSE(talk.Server(test::TlsRecord(
      test::Handshake(2, test::ServerHelloBody({.extensions = {{43, chosen}, {51, {}}}})))));
  EXPECT_EQ(talk.Get(MetadataField::kTlsVersion), "TLS 1.3");
  EXPECT_EQ(talk.Get(MetadataField::kCipher), "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(talk.Get(MetadataField::kJa3s).size(), 32u);
  EXPECT_EQ(talk.inspector().Stats().buffered_bytes, 0u);
  EXPECT_EQ(talk.inspector().Stats().active, 0u);
}

TEST(Tls, RetryRequestIsNotTheServersChoice) {
  FlowTalk talk({.server_port = 443});
  talk.Client(test::TlsClientHello(ExampleHello()));
  Bytes retry = test::ServerHelloBody({.cipher = 0x1302, .extensions = {{43, {3, 4}}}});
  const Bytes random =
      test::FromHex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c");
  std::ranges::copy(random, retry.begin() + 2);
  EXPECT_TRUE(talk.Server(test::TlsRecord(test::Handshake(2, retry))));
  EXPECT_EQ(talk.Get(MetadataField::kCipher), "");
  EXPECT_FALSE(talk.Server(
      test::TlsRecord(test::Handshake(2, test::ServerHelloBody({.extensions = {{43, {3, 4}}}})))));
  EXPECT_EQ(talk.Get(MetadataField::kCipher), "TLS_AES_128_GCM_SHA256");
}

TEST(Tls, EncryptedClientHelloIsNamed) {
  FlowTalk talk({.server_port = 443});
  HelloFields hello = ExampleHello();
  hello.extensions.push_back({0xFE0D, Bytes(40, 1)});
  talk.Client(test::TlsClientHello(hello));
  EXPECT_EQ(talk.Get(MetadataField::kEncryptedClientHello), "true");
}

// The vectors of https://github.com/salesforce/ja3 (README).
TEST(Ja3, EqualsThePublishedVectors) {
  EXPECT_EQ(Ja3Of({.version = 769,
                   .ciphers = {47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4},
                   .extensions = {test::ServerName("a.example"), test::Groups({23, 24, 25}),
                                  test::PointFormats({0})}}),
            "ada70206e40642a3e4461f35503241d5");
  EXPECT_EQ(Ja3Of({.version = 769,
                   .ciphers = {4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99},
                   .has_extensions = false}),
            "de350869b8c85de67a350c8d186f11e6");
}

TEST(Ja3, IgnoresGrease) {
  HelloFields plain = ExampleHello();
  plain.ciphers.erase(plain.ciphers.begin());
  plain.extensions.erase(plain.extensions.begin());
  plain.extensions[1] = test::Groups({29, 23});
  EXPECT_EQ(Ja3Of(ExampleHello()), Ja3Of(plain));
}

// The example of https://github.com/FoxIO-LLC/ja4, technical_details/JA4.md.
HelloFields Ja4Example() {
  HelloFields hello;
  hello.ciphers = {0x2A2A, 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030,
                   0xCCA9, 0xCCA8, 0xC013, 0xC014, 0x009C, 0x009D, 0x002F, 0x0035};
  hello.extensions = {
      {0xAAAA, {}},
      {0x001B, {}},
      test::ServerName("example.com"),
      {0x0033, {}},
      test::Alpn({"h2", "http/1.1"}),
      {0x4469, {}},
      {0x0017, {}},
      {0x002D, {}},
      test::SignatureAlgorithms({0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601}),
      {0x0005, {}},
      {0x0023, {}},
      {0x0012, {}},
      test::SupportedVersions({0xDADA, 0x0304, 0x0303}),
      {0xFF01, {}},
      test::PointFormats({0}),
      test::Groups({29}),
      {0xCACA, {}},
      {0x0015, {}}};
  return hello;
}

TEST(Ja4, EqualsThePublishedVector) {
  EXPECT_EQ(Ja4Of(Ja4Example()), "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

// The table of the same document: the first and last characters of the first ALPN value.
TEST(Ja4, ShowsProtocolsAsPublished) {
  const auto alpn_of = [](const std::string& name) {
    HelloFields hello = Ja4Example();
    hello.extensions[4] = test::Alpn({name});
    return Ja4Of(hello).substr(8, 2);
  };
  EXPECT_EQ(alpn_of("h2"), "h2");
  EXPECT_EQ(alpn_of("http/1.1"), "h1");
  EXPECT_EQ(alpn_of("x"), "xx");
  EXPECT_EQ(alpn_of("\xAB"), "ab");
  EXPECT_EQ(alpn_of("\xAB\xCD"), "ad");
  EXPECT_EQ(alpn_of("\x30\xAB"), "3b");
  EXPECT_EQ(alpn_of("\x30\x31\xAB\xCD"), "3d");
  EXPECT_EQ(alpn_of("\x30\xAB\xCD\x31"), "01");
  EXPECT_EQ(alpn_of(""), "00");
}

TEST(Ja4, ShowsWhatIsMissing) {
  EXPECT_EQ(Ja4Of({.version = 0x0301, .ciphers = {}, .has_extensions = false}),
            "t10i000000_000000000000_000000000000");
  HelloFields hello = Ja4Example();
  hello.ciphers.assign(150, 0x1301);
  EXPECT_EQ(Ja4Of(hello).substr(0, 10), "t13d9916h2");
}

TEST(Ja4, IsLeftOutWhenTheListIsLongerThanKept) {
  HelloFields hello = Ja4Example();
  hello.ciphers.assign(1000, 0x1301);
  FlowTalk talk({.server_port = 443});
  talk.Client(test::TlsClientHello(hello));
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "example.com");
  EXPECT_EQ(talk.Get(MetadataField::kJa4), "");
  EXPECT_EQ(talk.Get(MetadataField::kJa3), "");
}

TEST(Ja3s, HashesVersionCipherAndExtensionsInTheirOrder) {
  internal::ServerHello hello;
  const Bytes body = test::ServerHelloBody(
      {.version = 769, .cipher = 47, .extensions = {{65281}, {0}, {11}, {35}, {5}, {16}}});
  ASSERT_TRUE(internal::ReadServerHello(body, hello));
  EXPECT_EQ(internal::Ja3sText(hello), "769,47,65281-0-11-35-5-16");
}

TEST(Tls, ClientHelloMayBeSplitAtEveryByte) {
  const Bytes hello = test::TlsClientHello(ExampleHello());
  const std::string ja4 = Ja4Of(ExampleHello());
  for (std::size_t cut = 1; cut < hello.size(); ++cut) {
    FlowTalk talk({.server_port = 443});
    talk.Client(Part(hello).first(cut));
    talk.Client(Part(hello).subspan(cut));
    ASSERT_EQ(talk.Record().application, Application::kTls) << cut;
    ASSERT_EQ(talk.Record().evidence, ApplicationEvidence::kPayload) << cut;
    ASSERT_EQ(talk.Get(MetadataField::kJa4), ja4) << cut;
    ASSERT_EQ(talk.Get(MetadataField::kServerName), "www.example.com") << cut;
  }
}

TEST(Tls, SecondHalfOfTheClientHelloMayComeFirst) {
  const Bytes hello = test::TlsClientHello(ExampleHello());
  for (std::size_t cut = 1; cut < hello.size(); ++cut) {
    FlowTalk talk({.server_port = 443});
    talk.SegmentAt(true, static_cast<std::uint32_t>(cut), Part(hello).subspan(cut));
    talk.SegmentAt(true, 0, Part(hello).first(cut));
    ASSERT_EQ(talk.Get(MetadataField::kServerName), "www.example.com") << cut;
  }
}

TEST(Tls, ThreeSegmentsMayComeInAnyOrder) {
  const Bytes hello = test::TlsClientHello(ExampleHello());
  std::array<std::uint32_t, 4> cuts = {0, 60, 120, static_cast<std::uint32_t>(hello.size())};
  std::array<std::size_t, 3> order = {0, 1, 2};
  do {
    FlowTalk talk({.server_port = 443});
    for (const std::size_t i : order) {
      talk.SegmentAt(true, cuts[i], Part(hello).subspan(cuts[i], cuts[i + 1] - cuts[i]));
    }
    EXPECT_EQ(talk.Get(MetadataField::kServerName), "www.example.com")
        << order[0] << order[1] << order[2];
  } while (std::ranges::next_permutation(order).found);
}

TEST(Tls, SegmentsSentAgainDoNoHarm) {
  const Bytes hello = test::TlsClientHello(ExampleHello());
  FlowTalk talk({.server_port = 443});
  talk.SegmentAt(true, 0, Part(hello).first(50));
  talk.SegmentAt(true, 0, Part(hello).first(50));
  talk.SegmentAt(true, 20, Part(hello).subspan(20, 60));
  talk.SegmentAt(true, 30, Part(hello).subspan(30));
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "www.example.com");
}

TEST(Tls, ClientHelloMayBeSplitOverRecords) {
  const Bytes message = test::Handshake(1, test::ClientHelloBody(ExampleHello()));
  const std::string ja4 = Ja4Of(ExampleHello());
  for (std::size_t cut = 4; cut < message.size(); cut += 3) {
    const auto half = message.begin() + static_cast<std::ptrdiff_t>(cut);
    Bytes bytes = test::TlsRecord({message.begin(), half});
    test::Put(bytes, test::TlsRecord({half, message.end()}));
    FlowTalk talk({.server_port = 443});
    talk.Client(bytes);
    ASSERT_EQ(talk.Get(MetadataField::kJa4), ja4) << cut;
  }
}

TEST(Tls, CutPacketGivesWhatItShows) {
  const Bytes hello = test::TlsClientHello(ExampleHello());
  // The name stands before the middle.
  FlowTalk talk({.server_port = 443});
  talk.Cut(true, Part(hello).first(hello.size() - 20), static_cast<std::uint32_t>(hello.size()));
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "www.example.com");
  EXPECT_EQ(talk.Get(MetadataField::kJa4), "") << "of a part would be another client's";
}

TEST(Tls, NamesOfStrangersAreMadeFit) {
  const auto name_of = [](std::string_view name) {
    HelloFields hello = ExampleHello();
    hello.extensions[1] = test::ServerName(name);
    FlowTalk talk({.server_port = 443});
    talk.Client(test::TlsClientHello(hello));
    return talk.Get(MetadataField::kServerName);
  };
  EXPECT_EQ(name_of(std::string_view("a\0b", 3)), "a\uFFFDb");
  EXPECT_EQ(name_of("<script>alert(1)</script>"), "<script>alert(1)</script>");
  EXPECT_EQ(name_of("\xFF\xFE"), "\uFFFD\uFFFD");
  EXPECT_EQ(name_of(""), "");
  EXPECT_LE(name_of(std::string(15'000, 'n')).size(), FlowMetadata::kMaxValueBytes);
}

TEST(Tls, HostNameOf64KilobytesEndsAtTheBound) {
  HelloFields hello = ExampleHello();
  hello.extensions[1] = test::ServerName(std::string(65'000, 'n'));
  const Bytes message = test::Handshake(1, test::ClientHelloBody(hello));
  Bytes stream;
  for (std::size_t at = 0; at < message.size(); at += 16'384) {
    const Part part = Part(message).subspan(at, std::min<std::size_t>(16'384, message.size() - at));
    test::Put(stream, test::TlsRecord({part.begin(), part.end()}));
  }
  FlowTalk talk({.server_port = 443});
  for (std::size_t at = 0; at < stream.size(); at += 1400) {
    talk.Client(Part(stream).subspan(at, std::min<std::size_t>(1400, stream.size() - at)));
    ASSERT_LE(talk.inspector().Stats().buffered_bytes, 40'000u);
  }
  EXPECT_FALSE(talk.wants_more());
  EXPECT_EQ(talk.Record().application, Application::kTls);
  EXPECT_EQ(talk.inspector().Stats().buffered_bytes, 0u);
}

TEST(Tls, OldClientMayGreetInSsl2) {
  Bytes hello = {1, 3, 1};
  test::Put(hello, 6, 2);
  test::Put(hello, 0, 2);
  test::Put(hello, 16, 2);
  test::Put(hello, test::FromHex("000004 000005"));
  hello.resize(hello.size() + 16, 9);
  Bytes record = {0x80, static_cast<std::uint8_t>(hello.size())};
  test::Put(record, hello);
  FlowTalk talk({.server_port = 443});
  talk.Client(record);
  EXPECT_EQ(talk.Record().evidence, ApplicationEvidence::kPayload);
  talk.Server(test::TlsRecord(test::Handshake(2, test::ServerHelloBody({.version = 0x0301}))));
  EXPECT_EQ(talk.Get(MetadataField::kTlsVersion), "TLS 1.0");
}

TEST(Tls, MayBeginAfterMessagesOfAnUnknownProtocol) {
  const Bytes hello = test::TlsClientHello(ExampleHello());
  for (int before = 1; before <= 4; ++before) {
    FlowTalk talk({.server_port = 9999});
    for (int i = 0; i < before; ++i) talk.Client("\x01 please encrypt");
    talk.Client(Part(hello).first(100));
    talk.Client(Part(hello).subspan(100));
    EXPECT_EQ(talk.Get(MetadataField::kServerName), "www.example.com") << before;
  }
}

TEST(Tls, WhatOnlyLooksLikeARecordIsNotTls) {
  for (const std::string_view hex :
       {"16 03 01 00 00 01 00 00 00", "16 03 09 00 40 01 00 00 3c", "16 03 01 ff ff 01 00 00 3c",
        "16 04 01 00 40 01 00 00 3c", "14 03 01 00 02 01 01 00 00", "80 10 01 03 01 00 01 00 00"}) {
    FlowTalk talk({.server_port = 443});
    talk.Client(test::FromHex(hex));
    EXPECT_EQ(talk.Record().evidence, ApplicationEvidence::kPort) << hex;
  }
}

TEST(Tls, ConnectionThatBeganBeforeTheCaptureIsKnownByItsRecords) {
  FlowTalk talk({.server_port = 4433});
  EXPECT_FALSE(talk.Client(test::TlsRecord(Bytes(200, 0xA5), 23, 0x0303)));
  EXPECT_EQ(talk.Record().application, Application::kTls);
}

}  // namespace
}  // namespace nta

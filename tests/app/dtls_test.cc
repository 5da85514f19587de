#include <gtest/gtest.h>

#include "app/flow_talk.h"
#include "app/hello_builder.h"

namespace nta {
namespace {

using test::Bytes;
using test::FlowTalk;

Bytes Record(const Bytes& fragment, std::uint8_t type = 22, int epoch = 0, int version = 0xFEFD) {
  Bytes out = {type};
  test::Put(out, static_cast<std::uint64_t>(version), 2);
  test::Put(out, static_cast<std::uint64_t>(epoch), 2);
  test::Put(out, 1, 6);
  test::Put(out, test::Sized(fragment, 2));
  return out;
}

// Bytes [begin, end) of a message of this size.
Bytes Fragment(std::uint8_t type, const Bytes& body, std::size_t begin, std::size_t end) {
  Bytes out = {type};
  test::Put(out, body.size(), 3);
  test::Put(out, 0, 2);
  test::Put(out, begin, 3);
  test::Put(out, end - begin, 3);
  out.insert(out.end(), body.begin() + static_cast<std::ptrdiff_t>(begin),
             body.begin() + static_cast<std::ptrdiff_t>(end));
  return out;
}

Bytes Hello() {
  return test::ClientHelloBody({.version = 0xFEFD,
                                .ciphers = {0xC02B, 0xC02F},
                                .extensions = {test::ServerName("dtls.example.com"),
                                               test::SupportedVersions({0xFEFC, 0xFEFD})},
                                .has_cookie = true});
}

test::TalkOptions Dtls() { return {.protocol = kProtocolUdp, .server_port = 4433}; }

TEST(Dtls, ShowsBothHellos) {
  const Bytes hello = Hello();
  FlowTalk talk(Dtls());
  EXPECT_TRUE(talk.Client(Record(Fragment(1, hello, 0, hello.size()))));
  const Bytes answer = test::ServerHelloBody({.version = 0xFEFD, .cipher = 0xC02B});
  EXPECT_FALSE(talk.Server(Record(Fragment(2, answer, 0, answer.size()))));
  EXPECT_EQ(talk.Record().application, Application::kDtls);
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "dtls.example.com");
  EXPECT_TRUE(talk.Get(MetadataField::kJa4).starts_with("dd3d0202"))
      << talk.Get(MetadataField::kJa4);
  EXPECT_EQ(talk.Get(MetadataField::kTlsVersion), "DTLS 1.2");
  EXPECT_EQ(talk.Get(MetadataField::kCipher), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
}

TEST(Dtls, FragmentsMayComeInAnyOrder) {
  const Bytes hello = Hello();
  FlowTalk talk(Dtls());
  talk.Client(Record(Fragment(1, hello, 50, hello.size())));
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "");
  talk.Client(Record(Fragment(1, hello, 0, 50)));
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "dtls.example.com");
}

TEST(Dtls, FragmentsBeyondTheMessageAreBounded) {
  FlowTalk talk(Dtls());
  Bytes fragment = {1, 0xFF, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 0, 0, 1, 9};
  talk.Client(Record(fragment));
  fragment = {1, 0, 0x40, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 1, 9};
  talk.Client(Record(fragment));
  EXPECT_LE(talk.inspector().Stats().buffered_bytes, 20'000u);
  EXPECT_EQ(talk.Record().application, Application::kDtls);
}

TEST(Dtls, EncryptedRecordsAreKnownAndEndTheInspection) {
  FlowTalk talk(Dtls());
  EXPECT_FALSE(talk.Client(Record(Bytes(40, 1), 23, 1)));
  EXPECT_EQ(talk.Record().application, Application::kDtls);
}

TEST(Dtls, RecordLongerThanTheDatagramIsNot) {
  Bytes record = Record(Bytes(40, 1));
  record[12] = 60;
  FlowTalk talk(Dtls());
  talk.Client(record);
  EXPECT_EQ(talk.Record().application, Application::kUnknown);
}

}  // namespace
}  // namespace nta

#include "app/certificate.h"

#include <gtest/gtest.h>

#include "app/flow_talk.h"
#include "app/hello_builder.h"

namespace nta {
namespace {

using test::Bytes;

Bytes Der(std::uint8_t tag, const Bytes& content) {
  Bytes out = {tag};
  if (content.size() < 0x80) {
    out.push_back(static_cast<std::uint8_t>(content.size()));
  } else {
    out.push_back(0x82);
    test::Put(out, content.size(), 2);
  }
  test::Put(out, content);
  return out;
}

Bytes Join(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) test::Put(out, part);
  return out;
}

// One attribute of a name in a set of its own.
Bytes Attribute(std::string_view oid_hex, std::uint8_t tag, std::string_view value) {
  return Der(0x31,
             Der(0x30, Join({Der(0x06, test::FromHex(oid_hex)), Der(tag, test::ToBytes(value))})));
}

constexpr std::string_view kCommonName = "550403";
constexpr std::string_view kOrganisation = "55040a";
constexpr std::string_view kCountry = "550406";

Bytes Name(std::string_view common_name) {
  return Der(0x30,
             Join({Attribute(kCountry, 0x13, "DE"), Attribute(kOrganisation, 0x0C, "Example, Inc."),
                   Attribute(kCommonName, 0x0C, common_name)}));
}

struct CertificateFields {
  bool has_version = true;
  std::string_view not_before = "260102030405Z";
  std::string_view not_after = "20510102030405Z";
  Bytes subject = Name("www.example.org");
};

Bytes CertificateDer(const CertificateFields& fields) {
  const auto time = [](std::string_view text) {
    return Der(text.size() == 13 ? 0x17 : 0x18, test::ToBytes(text));
  };
  const Bytes version = fields.has_version ? Der(0xA0, Der(0x02, {2})) : Bytes();
  const Bytes to_be_signed = Der(
      0x30, Join({version, Der(0x02, {1, 2, 3}), Der(0x30, Der(0x06, {0x2A})), Name("Example CA"),
                  Der(0x30, Join({time(fields.not_before), time(fields.not_after)})),
                  fields.subject, Der(0x30, {})}));
  return Der(0x30, Join({to_be_signed, Der(0x30, {}), Der(0x03, {0})}));
}

TEST(Certificate, ShowsNamesAndValidity) {
  for (const bool has_version : {true, false}) {
    const auto certificate =
        internal::ReadCertificate(CertificateDer({.has_version = has_version}));
    EXPECT_EQ(certificate.subject, "CN=www.example.org,O=Example\\, Inc.,C=DE");
    EXPECT_EQ(certificate.issuer, "CN=Example CA,O=Example\\, Inc.,C=DE");
    EXPECT_EQ(certificate.not_before, "2026-01-02T03:04:05Z");
    EXPECT_EQ(certificate.not_after, "2051-01-02T03:04:05Z");
  }
}

TEST(Certificate, TimesOfTwoDigitYearsSpan1950To2049) {
  EXPECT_EQ(internal::ReadCertificate(CertificateDer({.not_before = "491231235959Z"})).not_before,
            "2049-12-31T23:59:59Z");
  EXPECT_EQ(internal::ReadCertificate(CertificateDer({.not_before = "500101000000Z"})).not_before,
            "1950-01-01T00:00:00Z");
  EXPECT_EQ(internal::ReadCertificate(CertificateDer({.not_before = "49123123595xZ"})).not_before,
            "");
}

TEST(Certificate, ReadsTextOfTwoByteCharacters) {
  const Bytes subject =
      Der(0x30, Attribute(kCommonName, 0x1E, std::string_view("\0M\0\xFC\x20\xAC", 6)));
  EXPECT_EQ(internal::ReadCertificate(CertificateDer({.subject = subject})).subject, "CN=Mü€");
}

TEST(Certificate, EveryCutIsReadAsFarAsItGoes) {
  const Bytes whole = CertificateDer({});
  std::string longest;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto certificate = internal::ReadCertificate(cut);
    if (certificate.issuer.size() >= longest.size()) longest = certificate.issuer;
  }
  EXPECT_EQ(longest, "CN=Example CA,O=Example\\, Inc.,C=DE");
}

TEST(Certificate, ComesWithTheServersMessagesUpToTls12) {
  test::FlowTalk talk({.server_port = 443});
  talk.Client(test::TlsClientHello({.extensions = {test::ServerName("www.example.org")}}));
  Bytes list = test::Sized(CertificateDer({}), 3);
  test::Put(list, test::Sized(Bytes(3000, 0x30), 3));
  Bytes messages = test::Handshake(2, test::ServerHelloBody({.cipher = 0xC02F}));
  test::Put(messages, test::Handshake(11, test::Sized(list, 3)));
  const Bytes stream = test::TlsRecord(messages, 22, 0x0303);
  const auto span = std::span<const std::uint8_t>(stream);
  EXPECT_TRUE(talk.Server(span.first(1400)));
  EXPECT_TRUE(talk.Server(span.subspan(1400, 1400)));
  EXPECT_FALSE(talk.Server(span.subspan(2800)));
  EXPECT_EQ(talk.Get(MetadataField::kTlsVersion), "TLS 1.2");
  EXPECT_EQ(talk.Get(MetadataField::kCertificateSubject),
            "CN=www.example.org,O=Example\\, Inc.,C=DE");
  EXPECT_EQ(talk.Get(MetadataField::kCertificateNotAfter), "2051-01-02T03:04:05Z");
  EXPECT_EQ(talk.inspector().Stats().buffered_bytes, 0u);
}

}  // namespace
}  // namespace nta

#include "app/fingerprints.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "app/hello_builder.h"

namespace nta {
namespace {

using internal::ClientHello;
using internal::Digests;
using internal::Fingerprints;
using internal::HelloTransport;
using internal::ServerHello;

// More hellos than are remembered, each shown again and again between the others: what is
// remembered is what would be computed.
TEST(Fingerprints, AreTheSameFromMemoryAndAnew) {
  std::mt19937 random(3);
  std::vector<test::Bytes> bodies;
  for (int i = 0; i < 600; ++i) {
    test::HelloFields hello{.version = 0x0301 + i % 3};
    const int ciphers = i % 50 == 0 ? 300 : 1 + i % 20;
    for (int k = 0; k < ciphers; ++k) hello.ciphers.push_back(0xC001 + k % 200);
    hello.extensions = {test::Groups({29, 23, 24}),
                        test::PointFormats({0}),
                        test::SignatureAlgorithms({0x0403, 0x0804 + i % 2}),
                        {.type = 21},
                        {.type = 35},
                        {.type = 100 + i % 40}};
    if (i % 3 == 0) hello.extensions.push_back(test::ServerName("a.example"));
    if (i % 4 == 0) hello.extensions.push_back(test::Alpn({i % 8 == 0 ? "h2" : "http/1.1"}));
    if (i % 5 == 0) hello.extensions.push_back(test::SupportedVersions({0x0304, 0x0303}));
    std::ranges::shuffle(hello.extensions, random);
    bodies.push_back(test::ClientHelloBody(hello));
  }
  Digests digests;
  Fingerprints fingerprints;
  for (int i = 0; i < 20'000; ++i) {
    // Few of them are shown often.
    const std::size_t which = std::min(random() % bodies.size(), random() % bodies.size());
    ClientHello hello;
    ASSERT_TRUE(internal::ReadClientHello(bodies[which], HelloTransport::kTls, hello));
    const internal::ClientFingerprints& found = fingerprints.Of(hello);
    ASSERT_EQ(found.ja3, digests.Md5Hex(internal::Ja3Text(hello)));
    ASSERT_EQ(found.ja4, internal::Ja4(hello, digests));
  }
  EXPECT_LT(fingerprints.memory_bytes(), 256u << 10);
}

TEST(Fingerprints, TransportsAreTold) {
  const test::Bytes body = test::ClientHelloBody({});
  Fingerprints fingerprints;
  ClientHello tls;
  ClientHello quic;
  ASSERT_TRUE(internal::ReadClientHello(body, HelloTransport::kTls, tls));
  ASSERT_TRUE(internal::ReadClientHello(body, HelloTransport::kQuic, quic));
  EXPECT_EQ(fingerprints.Of(tls).ja4[0], 't');
  EXPECT_EQ(fingerprints.Of(quic).ja4[0], 'q');
}

TEST(Fingerprints, ServersAreToldByVersionCipherAndExtensions) {
  Digests digests;
  Fingerprints fingerprints;
  for (int i = 0; i < 2000; ++i) {
    const test::ServerHelloFields fields{.version = 0x0303,
                                         .cipher = 0x1301 + i % 300,
                                         .extensions = {{.type = 43}, {.type = i % 7}}};
    ServerHello hello;
    ASSERT_TRUE(internal::ReadServerHello(test::ServerHelloBody(fields), hello));
    ASSERT_EQ(fingerprints.Of(hello), digests.Md5Hex(internal::Ja3sText(hello)));
  }
}

// RFC 1321 A.5, FIPS 180-2 B.1, RFC 4231 4.3.
TEST(Digests, EqualThePublishedVectors) {
  Digests digests;
  EXPECT_EQ(digests.Md5Hex("abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(digests.Md5Hex(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(digests.Sha256Hex12("abc"), "ba7816bf8f01");
  Digests::Sha256 mac{};
  ASSERT_TRUE(
      digests.Hmac(test::ToBytes("Jefe"), test::ToBytes("what do ya want for nothing?"), mac));
  EXPECT_EQ(std::vector(mac.begin(), mac.end()),
            test::FromHex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
}

}  // namespace
}  // namespace nta

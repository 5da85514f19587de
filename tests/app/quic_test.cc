#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>

#include "app/flow_talk.h"
#include "app/hello_builder.h"
#include "app/quic_crypto.h"

namespace nta {
namespace {

using internal::ClientInitialKeys;
using internal::QuicKeys;
using internal::QuicKeyVersion;
using test::Bytes;
using test::FlowTalk;
using test::TalkOptions;

TalkOptions Quic(std::uint16_t port = 443) {
  return {.protocol = kProtocolUdp, .server_port = port};
}

const Bytes kConnectionId = test::FromHex("8394c8f03e515708");

// RFC 9001 A.2: the client's Initial as it is on the wire.
constexpr std::string_view kRfcInitial = R"(
c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11
d242b123dc9bd8bab936b47d92ec356c0bab7df5976d27cd449f63300099f399
1c260ec4c60d17b31f8429157bb35a1282a643a8d2262cad67500cadb8e7378c
8eb7539ec4d4905fed1bee1fc8aafba17c750e2c7ace01e6005f80fcb7df6212
30c83711b39343fa028cea7f7fb5ff89eac2308249a02252155e2347b63d58c5
457afd84d05dfffdb20392844ae812154682e9cf012f9021a6f0be17ddd0c208
4dce25ff9b06cde535d0f920a2db1bf362c23e596d11a4f5a6cf3948838a3aec
4e15daf8500a6ef69ec4e3feb6b1d98e610ac8b7ec3faf6ad760b7bad1db4ba3
485e8a94dc250ae3fdb41ed15fb6a8e5eba0fc3dd60bc8e30c5c4287e53805db
059ae0648db2f64264ed5e39be2e20d82df566da8dd5998ccabdae053060ae6c
7b4378e846d29f37ed7b4ea9ec5d82e7961b7f25a9323851f681d582363aa5f8
9937f5a67258bf63ad6f1a0b1d96dbd4faddfcefc5266ba6611722395c906556
be52afe3f565636ad1b17d508b73d8743eeb524be22b3dcbc2c7468d54119c74
68449a13d8e3b95811a198f3491de3e7fe942b330407abf82a4ed7c1b311663a
c69890f4157015853d91e923037c227a33cdd5ec281ca3f79c44546b9d90ca00
f064c99e3dd97911d39fe9c5d0b23a229a234cb36186c4819e8b9c5927726632
291d6a418211cc2962e20fe47feb3edf330f2c603a9d48c0fcb5699dbfe58964
25c5bac4aee82e57a85aaf4e2513e4f05796b07ba2ee47d80506f8d2c25e50fd
14de71e6c418559302f939b0e1abd576f279c4b2e0feb85c1f28ff18f58891ff
ef132eef2fa09346aee33c28eb130ff28f5b766953334113211996d20011a198
e3fc433f9f2541010ae17c1bf202580f6047472fb36857fe843b19f5984009dd
c324044e847a4f4a0ab34f719595de37252d6235365e9b84392b061085349d73
203a4a13e96f5432ec0fd4a1ee65accdd5e3904df54c1da510b0ff20dcc0c77f
cb2c0e0eb605cb0504db87632cf3d8b4dae6e705769d1de354270123cb11450e
fc60ac47683d7b8d0f811365565fd98c4c8eb936bcab8d069fc33bd801b03ade
a2e1fbc5aa463d08ca19896d2bf59a071b851e6c239052172f296bfb5e724047
90a2181014f3b94a4e97d117b438130368cc39dbb2d198065ae3986547926cd2
162f40a29f0c3c8745c0f50fba3852e566d44575c29d39a03f0cda721984b6f4
40591f355e12d439ff150aab7613499dbd49adabc8676eef023b15b65bfc5ca0
6948109f23f350db82123535eb8a7433bdabcb909271a6ecbcb58b936a88cd4e
8f2e6ff5800175f113253d8fa9ca8885c2f552e657dc603f252e1a8e308f76f0
be79e2fb8f5d5fbbe2e30ecadd220723c8c0aea8078cdfcb3868263ff8f09400
54da48781893a7e49ad5aff4af300cd804a6b6279ab3ff3afb64491c85194aab
760d58a606654f9f4400e8b38591356fbf6425aca26dc85244259ff2b19c41b9
f96f3ca9ec1dde434da7d2d392b905ddf3d1f9af93d1af5950bd493f5aa731b4
056df31bd267b6b90a079831aaf579be0a39013137aac6d404f518cfd4684064
7e78bfe706ca4cf5e9c5453e9f7cfd2b8b4c8d169a44e55c88d4a9a7f9474241
e221af44860018ab0856972e194cd934
)";

std::string Hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

TEST(QuicCrypto, KeysEqualThoseOfRfc9001) {
  internal::Digests digests;
  const auto keys = ClientInitialKeys(QuicKeyVersion::kVersion1, kConnectionId, digests);
  ASSERT_TRUE(keys);
  EXPECT_EQ(Hex(keys->key), "1f369613dd76d5467730efcbe3b1a22d");
  EXPECT_EQ(Hex(keys->iv), "fa044b2f42a3fd3b46fb255c");
  EXPECT_EQ(Hex(keys->header_key), "9f50449e04a0e810283a1e9933adedd2");
}

TEST(QuicCrypto, KeysEqualThoseOfRfc9369) {
  internal::Digests digests;
  const auto keys = ClientInitialKeys(QuicKeyVersion::kVersion2, kConnectionId, digests);
  ASSERT_TRUE(keys);
  EXPECT_EQ(Hex(keys->key), "8b1a0bc121284290a29e0971b5cd045d");
  EXPECT_EQ(Hex(keys->iv), "91f73e2351d8fa91660e909f");
  EXPECT_EQ(Hex(keys->header_key), "45b95e15235d6f45a6b19cbcb0294ba9");
}

TEST(Quic, ReadsTheExampleOfRfc9001) {
  const Bytes packet = test::FromHex(kRfcInitial);
  ASSERT_EQ(packet.size(), 1200u);
  FlowTalk talk(Quic());
  EXPECT_FALSE(talk.Client(packet));
  EXPECT_EQ(talk.Record().application, Application::kQuic);
  EXPECT_EQ(talk.Record().evidence, ApplicationEvidence::kPayload);
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "example.com");
  EXPECT_EQ(talk.Get(MetadataField::kQuicVersion), "1");
  EXPECT_EQ(talk.Get(MetadataField::kAlpn), "alpn");
  EXPECT_TRUE(talk.Get(MetadataField::kJa4).starts_with("q13d0211an_"))
      << talk.Get(MetadataField::kJa4);
}

TEST(Quic, BrokenTagShowsOnlyTheVersion) {
  Bytes packet = test::FromHex(kRfcInitial);
  packet.back() ^= 1;
  FlowTalk talk(Quic());
  EXPECT_TRUE(talk.Client(packet));
  EXPECT_EQ(talk.Record().application, Application::kQuic);
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "");
}

// --- packets of our own ---

Bytes Varint(std::uint64_t value) {
  Bytes out;
  if (value < 64) {
    test::Put(out, value, 1);
  } else {
    test::Put(out, value | 0x4000, 2);
  }
  return out;
}

Bytes CryptoFrame(std::size_t offset, std::span<const std::uint8_t> bytes) {
  Bytes frame = {6};
  test::Put(frame, Varint(offset));
  test::Put(frame, Varint(bytes.size()));
  test::Put(frame, Bytes(bytes.begin(), bytes.end()));
  return frame;
}

Bytes Encrypt(const EVP_CIPHER* cipher, std::span<const std::uint8_t> key, const std::uint8_t* iv,
              const Bytes& associated, const Bytes& plaintext, bool has_tag) {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  Bytes out(plaintext.size() + 32);
  int size = 0;
  EVP_EncryptInit_ex(context, cipher, nullptr, key.data(), iv);
  if (has_tag) {
    EVP_EncryptUpdate(context, nullptr, &size, associated.data(),
                      static_cast<int>(associated.size()));
  }
  EVP_EncryptUpdate(context, out.data(), &size, plaintext.data(),
                    static_cast<int>(plaintext.size()));
  out.resize(plaintext.size());
  if (has_tag) {
    int rest = 0;
    Bytes tag(16);
    EVP_EncryptFinal_ex(context, tag.data(), &rest);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, tag.data());
    test::Put(out, tag);
  }
  EVP_CIPHER_CTX_free(context);
  return out;
}

struct InitialFields {
  std::uint32_t version = 1;
  QuicKeyVersion keys = QuicKeyVersion::kVersion1;
  std::uint64_t number = 0;
  Bytes token{};
  Bytes frames{};
};

// Protects as RFC 9001 5.3 and 5.4 say.
Bytes Initial(const InitialFields& fields) {
  internal::Digests digests;
  const QuicKeys keys = *ClientInitialKeys(fields.keys, kConnectionId, digests);
  Bytes frames = fields.frames;
  if (frames.size() < 1100) frames.resize(1100);
  Bytes header = {static_cast<std::uint8_t>(fields.version == 0x6B3343CF ? 0xD3 : 0xC3)};
  test::Put(header, fields.version, 4);
  test::Put(header, test::Sized(kConnectionId, 1));
  test::Put(header, test::Sized({}, 1));
  test::Put(header, Varint(fields.token.size()));
  test::Put(header, fields.token);
  test::Put(header, (4 + frames.size() + 16) | 0x4000, 2);
  const std::size_t number_offset = header.size();
  test::Put(header, fields.number, 4);
  Bytes nonce(keys.iv.begin(), keys.iv.end());
  for (std::size_t i = 0; i < 4; ++i) nonce[8 + i] ^= header[number_offset + i];
  const Bytes sealed = Encrypt(EVP_aes_128_gcm(), keys.key, nonce.data(), header, frames, true);
  const Bytes sample(sealed.begin(), sealed.begin() + 16);
  const Bytes mask = Encrypt(EVP_aes_128_ecb(), keys.header_key, nullptr, {}, sample, false);
  header[0] = static_cast<std::uint8_t>(header[0] ^ (mask[0] & 0x0F));
  for (std::size_t i = 0; i < 4; ++i) header[number_offset + i] ^= mask[1 + i];
  test::Put(header, sealed);
  return header;
}

Bytes QuicHello(std::size_t padding = 0) {
  return test::Handshake(
      1, test::ClientHelloBody({.ciphers = {0x1301},
                                .extensions = {{21, Bytes(padding)},
                                               test::ServerName("quic.example.com"),
                                               test::Alpn({"h3"}),
                                               test::SupportedVersions({0x0304})}}));
}

TEST(Quic, ReadsEachVersionThatIsInUse) {
  struct Case {
    std::uint32_t version;
    QuicKeyVersion keys;
    std::string_view name;
  };
  for (const Case& c :
       {Case{1, QuicKeyVersion::kVersion1, "1"}, Case{0x6B3343CF, QuicKeyVersion::kVersion2, "2"},
        Case{0xFF00001D, QuicKeyVersion::kDraft29, "draft-29"}}) {
    FlowTalk talk(Quic(4433));
    EXPECT_FALSE(talk.Client(Initial({.version = c.version,
                                      .keys = c.keys,
                                      .token = Bytes(70, 1),
                                      .frames = CryptoFrame(0, QuicHello())})));
    EXPECT_EQ(talk.Get(MetadataField::kServerName), "quic.example.com");
    EXPECT_EQ(talk.Get(MetadataField::kQuicVersion), c.name);
    EXPECT_EQ(talk.Get(MetadataField::kTlsVersion), "TLS 1.3");
    EXPECT_TRUE(talk.Get(MetadataField::kJa4).starts_with("q13d0104h3_"));
  }
}

TEST(Quic, HelloMayBeSpreadOverFramesInAnyOrder) {
  const Bytes hello = QuicHello();
  const auto span = std::span<const std::uint8_t>(hello);
  Bytes frames = {1, 0, 0};
  test::Put(frames, CryptoFrame(60, span.subspan(60)));
  test::Put(frames, test::FromHex("02 05 00 01 00 01 01"));  // ACK with one more range
  test::Put(frames, CryptoFrame(0, span.first(20)));
  test::Put(frames, CryptoFrame(10, span.subspan(10, 60)));
  FlowTalk talk(Quic());
  talk.Client(Initial({.frames = frames}));
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "quic.example.com");
}

TEST(Quic, HelloMayBeSpreadOverPackets) {
  const Bytes hello = QuicHello(1500);
  const auto span = std::span<const std::uint8_t>(hello);
  for (const bool in_order : {true, false}) {
    const Bytes first = Initial({.number = 0, .frames = CryptoFrame(0, span.first(1000))});
    const Bytes second = Initial({.number = 1, .frames = CryptoFrame(1000, span.subspan(1000))});
    FlowTalk talk(Quic());
    EXPECT_TRUE(talk.Client(in_order ? first : second));
    EXPECT_EQ(talk.Get(MetadataField::kServerName), "");
    EXPECT_GT(talk.inspector().Stats().buffered_bytes, 0u);
    EXPECT_FALSE(talk.Client(in_order ? second : first));
    EXPECT_EQ(talk.Get(MetadataField::kServerName), "quic.example.com");
    EXPECT_EQ(talk.inspector().Stats().buffered_bytes, 0u);
  }
}

TEST(Quic, HelloThatNeverEndsIsBounded) {
  FlowTalk talk(Quic());
  Bytes piece(1000, 0x41);
  piece[0] = 1;
  piece[1] = 0xFF;
  for (std::size_t i = 0; i < 100; ++i) {
    talk.Client(Initial({.number = i, .frames = CryptoFrame(i * 1000, piece)}));
    ASSERT_LE(talk.inspector().Stats().buffered_bytes, 70'000u);
  }
  EXPECT_FALSE(talk.wants_more());
  EXPECT_EQ(talk.inspector().Stats().buffered_bytes, 0u);
}

TEST(Quic, OtherUdpIsNot) {
  for (const std::string_view hex :
       {"c0 00000009 08 0102030405060708 00 00", "80 00000001 08 0102030405060708 00 00",
        "c0 00000001 15 0102030405060708 00 00", "c0 00 00",
        "80 60 00 01 00 00 00 01 00 00 00 02"}) {
    FlowTalk talk(Quic(9999));
    talk.Client(test::FromHex(hex));
    EXPECT_EQ(talk.Record().application, Application::kUnknown) << hex;
  }
}

}  // namespace
}  // namespace nta

#include <gtest/gtest.h>

#include "app/flow_talk.h"
#include "app/hello_builder.h"

namespace nta {
namespace {

using test::Bytes;
using test::FlowTalk;

struct Algorithms {
  std::string key_exchange;
  std::string encryption;
  std::string mac;
  std::string compression;
  std::string other = "other-direction";
};

// SSH_MSG_KEXINIT with these lists for one direction and others for the other one.
Bytes KeyExchange(const Algorithms& own, bool is_client) {
  Bytes message(17, 0xC0);
  message[0] = 20;
  const auto list = [&message](std::string_view names) {
    test::Put(message, test::Sized(test::ToBytes(names), 4));
  };
  const auto pair = [&](const std::string& names) {
    list(is_client ? names : own.other);
    list(is_client ? own.other : names);
  };
  list(own.key_exchange);
  list("ssh-ed25519");
  pair(own.encryption);
  pair(own.mac);
  pair(own.compression);
  list("");
  list("");
  message.resize(message.size() + 5);
  Bytes packet;
  test::Put(packet, message.size() + 1 + 6, 4);
  packet.push_back(6);
  test::Put(packet, message);
  packet.resize(packet.size() + 6);
  return packet;
}

// The client whose lists https://github.com/salesforce/hassh prints in full.
Algorithms Cyberduck() {
  return {.key_exchange =
              "curve25519-sha256@libssh.org,diffie-hellman-group-exchange-sha256,"
              "ecdh-sha2-nistp521,ecdh-sha2-nistp384,ecdh-sha2-nistp256,"
              "diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1,"
              "diffie-hellman-group14-sha1,diffie-hellman-group14-sha256,"
              "diffie-hellman-group15-sha512,diffie-hellman-group16-sha512,"
              "diffie-hellman-group17-sha512,diffie-hellman-group18-sha512,"
              "diffie-hellman-group14-sha256@ssh.com,diffie-hellman-group15-sha256,"
              "diffie-hellman-group15-sha256@ssh.com,diffie-hellman-group15-sha384@ssh.com,"
              "diffie-hellman-group16-sha256,diffie-hellman-group16-sha384@ssh.com,"
              "diffie-hellman-group16-sha512@ssh.com,diffie-hellman-group18-sha512@ssh.com",
          .encryption =
              "aes128-cbc,aes128-ctr,aes192-cbc,aes192-ctr,aes256-cbc,aes256-ctr,blowfish-cbc,"
              "blowfish-ctr,cast128-cbc,cast128-ctr,idea-cbc,idea-ctr,serpent128-cbc,"
              "serpent128-ctr,serpent192-cbc,serpent192-ctr,serpent256-cbc,serpent256-ctr,"
              "3des-cbc,3des-ctr,twofish128-cbc,twofish128-ctr,twofish192-cbc,twofish192-ctr,"
              "twofish256-cbc,twofish256-ctr,twofish-cbc,arcfour,arcfour128,arcfour256",
          .mac = "hmac-sha1,hmac-sha1-96,hmac-md5,hmac-md5-96,hmac-sha2-256,hmac-sha2-512",
          .compression = "zlib@openssh.com,zlib,none"};
}

TEST(Ssh, HasshEqualsThePublishedVector) {
  FlowTalk talk({.server_port = 2222});
  EXPECT_TRUE(talk.Server("SSH-2.0-OpenSSH_5.3\r\n"));
  EXPECT_TRUE(talk.Client("SSH-2.0-Cyberduck/6.7.1.28683 (Mac OS X/10.13.6) (x86_64)\r\n"));
  EXPECT_TRUE(talk.Client(KeyExchange(Cyberduck(), true)));
  EXPECT_FALSE(talk.Server(KeyExchange(Cyberduck(), false)));
  const FlowRecord record = talk.Record();
  EXPECT_EQ(record.application, Application::kSsh);
  EXPECT_EQ(record.evidence, ApplicationEvidence::kPayload);
  EXPECT_EQ(talk.Get(MetadataField::kHassh), "8a8ae540028bf433cd68356c1b9e8d5b");
  // The same lists in the server's direction: the same hash.
  EXPECT_EQ(talk.Get(MetadataField::kHasshServer), "8a8ae540028bf433cd68356c1b9e8d5b");
  EXPECT_EQ(talk.Get(MetadataField::kServerVersion), "SSH-2.0-OpenSSH_5.3");
  EXPECT_EQ(talk.Get(MetadataField::kClientVersion),
            "SSH-2.0-Cyberduck/6.7.1.28683 (Mac OS X/10.13.6) (x86_64)");
}

TEST(Ssh, VersionAndKeyExchangeMayBeSplitAnywhere) {
  Bytes stream = test::ToBytes("SSH-2.0-test\r\n");
  test::Put(stream, KeyExchange(Cyberduck(), true));
  for (std::size_t cut = 1; cut < stream.size(); cut += 7) {
    FlowTalk talk({.server_port = 2222});
    talk.Client(std::span(stream).first(cut));
    talk.Client(std::span(stream).subspan(cut));
    ASSERT_EQ(talk.Get(MetadataField::kHassh), "8a8ae540028bf433cd68356c1b9e8d5b") << cut;
  }
}

TEST(Ssh, VersionWithoutAnEndIsBounded) {
  FlowTalk talk({.server_port = 22});
  talk.Server("SSH-2.0-");
  for (int i = 0; i < 20; ++i) talk.Server(std::string(1000, 'x'));
  EXPECT_FALSE(talk.wants_more());
  EXPECT_EQ(talk.Get(MetadataField::kServerVersion).size(), 1024u);
}

TEST(Ssh, BrokenKeyExchangeGivesNoFingerprint) {
  Bytes packet = KeyExchange(Cyberduck(), true);
  packet[4 + 1 + 17] = 0xFF;  // the first list's length
  FlowTalk talk({.server_port = 22});
  talk.Client("SSH-2.0-test\r\n");
  talk.Client(packet);
  EXPECT_EQ(talk.Get(MetadataField::kHassh), "");
}

TEST(Ssh, OtherTextsAreNot) {
  for (const std::string_view text :
       {"SSH-", "SSH-9.0-x\r\n", "SSHv2 please\r\n", "STARTTLS\r\n"}) {
    FlowTalk talk({.server_port = 9999});
    talk.Client(text);
    EXPECT_EQ(talk.Record().application, Application::kUnknown) << text;
  }
}

}  // namespace
}  // namespace nta

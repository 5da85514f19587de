#include "app/samples.h"

namespace nta::test {
namespace {

Bytes NetbiosFrame(const Bytes& message) { return Join({Be32(message.size()), message}); }

Bytes NtlmAuthenticate() {
  const Bytes domain = Utf16("CORP");
  const Bytes user = Utf16("frank");
  const Bytes host = Utf16("DESK7");
  const Bytes answer = Text(kCanary);
  const std::size_t base = 72;
  const auto field = [](std::size_t size, std::size_t at) {
    return Join({Le16(size), Le16(size), Le32(at)});
  };
  const std::size_t user_at = base + domain.size();
  const std::size_t host_at = user_at + user.size();
  const std::size_t answer_at = host_at + host.size();
  return Join({Text(std::string_view("NTLMSSP\0", 8)), Le32(3), field(answer.size(), answer_at),
               field(answer.size(), answer_at), field(domain.size(), base),
               field(user.size(), user_at), field(host.size(), host_at), field(0, answer_at),
               Le32(1), Zeros(8), domain, user, host, answer});
}

Bytes Smb2(std::uint16_t command, bool is_response, std::uint32_t status, const Bytes& body) {
  return NetbiosFrame(Join({Hex("FE534D42"), Le16(64), Le16(0), Le32(status), Le16(command),
                            Le16(1), Le32(is_response ? 1 : 0), Zeros(44), body}));
}

Bytes LdapMessage(std::uint8_t id, const Bytes& operation) {
  return Ber(0x30, Join({Ber(0x02, {id}), operation}));
}

Bytes KerberosName(std::string_view name) {
  return Ber(0x30, Join({Ber(0xA0, Ber(0x02, {1})), Ber(0xA1, Ber(0x30, Ber(0x1B, Text(name))))}));
}

Bytes KerberosRequest() {
  const Bytes body = Ber(
      0x30, Join({Ber(0xA0, Ber(0x03, Hex("0040810010"))), Ber(0xA1, KerberosName("gina")),
                  Ber(0xA2, Ber(0x1B, Text("EXAMPLE.ORG"))), Ber(0xA3, KerberosName("krbtgt"))}));
  return Ber(
      0x6A,
      Ber(0x30, Join({Ber(0xA1, Ber(0x02, {5})), Ber(0xA2, Ber(0x02, {10})), Ber(0xA4, body)})));
}

Bytes KerberosError(std::uint8_t code) {
  return Ber(0x7E, Ber(0x30, Join({Ber(0xA0, Ber(0x02, {5})), Ber(0xA1, Ber(0x02, {30})),
                                   Ber(0xA4, Ber(0x18, Text("20260101000000Z"))),
                                   Ber(0xA6, Ber(0x02, {code}))})));
}

Bytes RadiusMessage(std::uint8_t code, const Bytes& attributes) {
  return Join({{code, 7}, Be16(20 + attributes.size()), Bytes(16, 0xA7), attributes});
}

Bytes IkeHeader(std::uint8_t exchange) {
  return Join({Hex("1122334455667788 0000000000000000 21 20"),
               {exchange},
               Hex("08"),
               Be32(0),
               Be32(28 + 8),
               Zeros(8)});
}

std::vector<Sample> Make() {
  using enum MetadataField;
  const std::string canary(kCanary);
  const Bytes radius_user = Join({{1, 6}, Text("hugo"), {2, 18}, Text(canary), Bytes(3, 0)});
  return {
      {.name = "Telnet: a wrong and a right password",
       .application = Application::kTelnet,
       .turns = {S(Hex("FFFD18FFFD20FFFB01")), C(Hex("FFFB18FFFC20FFFD01")), S("\r\nhost login: "),
                 C("ro"), C("ot\r\n"), S("root\r\nPassword: "), C(canary + "\r\n"),
                 S("\r\nLogin incorrect\r\nhost login: "), C(Text(std::string_view("root\r\0", 6))),
                 S("Password: "), C(canary + "\r\n"), S("\r\nLast login: today\r\n# ")},
       .metadata = {{kUserName, "root"}, {kLoginFailures, "1"}, {kLoginSuccesses, "1"}}},
      {.name = "VNC: a wrong password",
       .application = Application::kVnc,
       .turns = {S("RFB 003.008\n"), C("RFB 003.008\n"), S(Hex("02 01 02")), C(Hex("02")),
                 S(Bytes(16, 0x5A)), C(Bytes(16, 0xA5)), S(Hex("00000001"))},
       .metadata = {{kServerVersion, "RFB 003.008"}, {kLoginFailures, "1"}}},
      {.name = "RDP: cookie and CredSSP",
       .application = Application::kRdp,
       .turns = {C(Join({Hex("0300002D 28E00000000000"), Text("Cookie: mstshash=ivan\r\n"),
                         Hex("01000800 03000000"), Zeros(3)})),
                 S(Hex("03000013 0ED00000123400 02000800 02000000"))},
       .metadata = {{kUserName, "ivan"}, {kRequest, "credssp"}, {kResponse, "credssp"}}},
      {.name = "SMB2: a refused log-in",
       .application = Application::kSmb,
       .turns = {C(Smb2(0, false, 0,
                        Join({Le16(36), Le16(2), Zeros(32), Le16(0x0202), Le16(0x0311)}))),
                 S(Smb2(0, true, 0, Join({Le16(65), Le16(1), Le16(0x0311), Zeros(60)}))),
                 C(Smb2(1, false, 0, Join({Zeros(24), NtlmAuthenticate()}))),
                 S(Smb2(1, true, 0xC000006D, Join({Le16(9), Zeros(7)})))},
       .metadata = {{kClientVersion, "3.1.1"},
                    {kServerVersion, "3.1.1"},
                    {kUserName, "CORP\\frank"},
                    {kHostName, "DESK7"},
                    {kLoginFailures, "1"}}},
      {.name = "SMB1: negotiation",
       .application = Application::kSmb,
       .turns = {C(NetbiosFrame(Join(
           {Hex("FF534D42 72"), Zeros(27), Hex("00 0C00 02"), Text("NT LM 0.12"), Zeros(1)})))},
       .metadata = {{kClientVersion, "NT LM 0.12"}}},
      {.name = "LDAP: a wrong password",
       .application = Application::kLdap,
       .turns =
           {C(LdapMessage(1, Ber(0x60, Join({Ber(0x02, {3}), Ber(0x04, Text("cn=judy,dc=example")),
                                             Ber(0x80, Text(canary))})))),
            S(LdapMessage(1, Ber(0x61, Join({Ber(0x0A, {49}), Ber(0x04, {}), Ber(0x04, {})}))))},
       .metadata = {{kUserName, "cn=judy,dc=example"}, {kRequest, "bind"}, {kLoginFailures, "1"}}},
      {.name = "LDAP over UDP: a search",
       .application = Application::kLdap,
       .protocol = kProtocolUdp,
       .turns = {C(
           LdapMessage(5, Ber(0x63, Join({Ber(0x04, {}), Ber(0x0A, {0}), Ber(0x0A, {0})}))))},
       .metadata = {{kRequest, "search"}}},
      {.name = "Kerberos: a wrong password",
       .application = Application::kKerberos,
       .protocol = kProtocolUdp,
       .turns = {C(KerberosRequest()), S(KerberosError(24))},
       .metadata = {{kUserName, "gina@EXAMPLE.ORG"},
                    {kServerName, "krbtgt"},
                    {kResponse, "error 24"},
                    {kLoginFailures, "1"}}},
      {.name = "Kerberos over TCP",
       .application = Application::kKerberos,
       .turns = {C(Join({Be32(KerberosRequest().size()), KerberosRequest()})),
                 S(Join({Be32(KerberosError(25).size()), KerberosError(25)}))},
       .metadata = {{kUserName, "gina@EXAMPLE.ORG"},
                    {kResponse, "error 25"},
                    {kLoginFailures, ""}}},
      {.name = "RADIUS: refused",
       .application = Application::kRadius,
       .protocol = kProtocolUdp,
       .turns = {C(RadiusMessage(1, radius_user)), S(RadiusMessage(3, {}))},
       .metadata = {{kUserName, "hugo"},
                    {kRequest, "access_request"},
                    {kResponse, "access_reject"},
                    {kLoginFailures, "1"}}},
      {.name = "SOCKS5: user and password",
       .application = Application::kSocks,
       .turns = {C(Hex("05 02 00 02")), S(Hex("05 02")),
                 C(Join({Hex("01 03"),
                         Text("kim"),
                         {static_cast<std::uint8_t>(canary.size())},
                         Text(canary)})),
                 S(Hex("01 00")), C(Join({Hex("05 01 00 03 0B"), Text("example.org"), Be16(80)})),
                 S(Hex("05 00 00 01 00000000 0000"))},
       .metadata = {{kUserName, "kim"},
                    {kServerName, "example.org"},
                    {kRequest, "connect"},
                    {kLoginSuccesses, "1"}}},
      {.name = "SOCKS4a",
       .application = Application::kSocks,
       .turns = {C(Join({Hex("04 01 0050 00000001"), Text("leo"), Zeros(1), Text("example.net"),
                         Zeros(1)})),
                 S(Hex("00 5A 0000 00000000"))},
       .metadata = {{kUserName, "leo"}, {kServerName, "example.net"}}},
      {.name = "WireGuard: initiation",
       .application = Application::kWireguard,
       .protocol = kProtocolUdp,
       .turns = {C(Join({Hex("01000000"), Bytes(144, 0xB3)})),
                 S(Join({Hex("02000000"), Bytes(88, 0xB3)}))},
       .metadata = {{kRequest, "initiation"}, {kResponse, "response"}}},
      {.name = "OpenVPN over UDP",
       .application = Application::kOpenvpn,
       .protocol = kProtocolUdp,
       .turns = {C(Join({Hex("38 0102030405060708 00 00000000")}))}},
      {.name = "OpenVPN over UDP with tls-auth",
       .application = Application::kOpenvpn,
       .protocol = kProtocolUdp,
       .turns = {C(Join({Hex("38 0102030405060708"), Bytes(20, 0x77), Be32(1), Be32(1700000000),
                         Hex("00 00000000")}))}},
      {.name = "OpenVPN over TCP",
       .application = Application::kOpenvpn,
       .turns = {C(Hex("000E 38 0102030405060708 00 00000000"))}},
      {.name = "IKEv2",
       .application = Application::kIke,
       .protocol = kProtocolUdp,
       .turns = {C(IkeHeader(34))},
       .metadata = {{kRequest, "sa_init"}, {kClientVersion, "IKEv2"}}},
      {.name = "IKEv2 behind NAT",
       .application = Application::kIke,
       .protocol = kProtocolUdp,
       .server_port = 4500,
       .turns = {C(Join({Zeros(4), IkeHeader(35)}))},
       .metadata = {{kRequest, "auth"}}},
  };
}

}  // namespace

const std::vector<Sample>& AccessSamples() {
  static const std::vector<Sample> kSamples = Make();
  return kSamples;
}

}  // namespace nta::test

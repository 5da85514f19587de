#include "app/samples.h"

namespace nta::test {
namespace {

Bytes DhcpRequest() {
  return Join({Hex("01 01 06 00 01020304"), Zeros(20), Hex("020000000001"), Zeros(10 + 64 + 128),
               Hex("63825363 350103 0C04"), Text("pad7"), Hex("3704 01 03 06 0F 3C04"),
               Text("test"), Hex("FF")});
}

Bytes Dhcpv6Request() {
  return Join({Hex("01 AABBCC"), Be16(1), Be16(10), Hex("00030001020000000001"), Be16(6), Be16(4),
               Be16(23), Be16(24), Be16(39), Be16(7), Hex("01 04"), Text("pad6"), Hex("00")});
}

Bytes Snmp(std::uint8_t version, std::uint8_t pdu, std::uint8_t status) {
  const Bytes body = Join({Ber(2, {1}), Ber(2, {status}), Ber(2, {0}), Ber(0x30, {})});
  return Ber(0x30, Join({Ber(2, {version}), Ber(4, Text(kCanary)), Ber(pdu, body)}));
}

Bytes Snmp3() {
  const Bytes security = Ber(0x30, Join({Ber(4, Hex("8000")), Ber(2, {1}), Ber(2, {1}),
                                         Ber(4, Text("vera")), Ber(4, Text(kCanary)), Ber(4, {})}));
  return Ber(0x30,
             Join({Ber(2, {3}),
                   Ber(0x30, Join({Ber(2, {1}), Ber(2, Hex("00FFE3")), Ber(4, {3}), Ber(2, {3})})),
                   Ber(4, security), Ber(4, Bytes(20, 7))}));
}

Bytes NetbiosName(std::string_view name) {
  std::string padded(name);
  padded.resize(15, ' ');
  padded += '\0';
  Bytes out{32};
  for (const char c : padded) {
    out.push_back(static_cast<std::uint8_t>('A' + (c >> 4 & 15)));
    out.push_back(static_cast<std::uint8_t>('A' + (c & 15)));
  }
  out.push_back(0);
  return out;
}

Bytes RpcCall(std::uint32_t program, std::uint32_t version, std::uint32_t procedure) {
  const Bytes credentials = Join({Be32(7), Be32(4), Text("wks1"), Be32(0), Be32(0), Be32(0)});
  return Join({Be32(0x11223344), Be32(0), Be32(2), Be32(program), Be32(version), Be32(procedure),
               Be32(1), Be32(credentials.size()), credentials, Be32(0), Be32(0)});
}

std::vector<Sample> Make() {
  using enum MetadataField;
  const Bytes rpc_answer = Join({Be32(0x11223344), Be32(1), Be32(0), Be32(0), Be32(0), Be32(0)});
  const Bytes nfs = RpcCall(100003, 3, 1);
  return {
      {.name = "DHCP",
       .application = Application::kDhcp,
       .protocol = kProtocolUdp,
       .turns = {C(DhcpRequest())},
       .metadata = {{kRequest, "request"},
                    {kHostName, "pad7"},
                    {kDhcpFingerprint, "1,3,6,15"},
                    {kVendorClass, "test"}}},
      {.name = "DHCPv6",
       .application = Application::kDhcpv6,
       .protocol = kProtocolUdp,
       .turns = {C(Dhcpv6Request())},
       .metadata = {{kRequest, "solicit"}, {kHostName, "pad6"}, {kDhcpFingerprint, "23,24"}}},
      {.name = "NTP",
       .application = Application::kNtp,
       .protocol = kProtocolUdp,
       .server_port = 123,
       .turns = {C(Join({{0x23}, Zeros(47)})), S(Join({Hex("24 02 06 E9"), Bytes(44, 3)}))},
       .metadata = {{kRequest, "client"}, {kClientVersion, "NTPv4"}, {kResponse, "stratum 2"}}},
      {.name = "NTP: monitor list",
       .application = Application::kNtp,
       .protocol = kProtocolUdp,
       .server_port = 123,
       .turns = {C(Hex("17 00 03 2A 00000000"))},
       .metadata = {{kRequest, "private 42"}}},
      {.name = "SNMPv2c",
       .application = Application::kSnmp,
       .protocol = kProtocolUdp,
       .turns = {C(Snmp(1, 0xA1, 0)), S(Snmp(1, 0xA2, 2))},
       .metadata = {{kClientVersion, "SNMPv2c"}, {kRequest, "get_next"}, {kResponse, "error 2"}}},
      {.name = "SNMPv3",
       .application = Application::kSnmp,
       .protocol = kProtocolUdp,
       .turns = {C(Snmp3())},
       .metadata = {{kClientVersion, "SNMPv3"}, {kUserName, "vera"}}},
      {.name = "Syslog, new",
       .application = Application::kSyslog,
       .protocol = kProtocolUdp,
       .turns = {C("<34>1 2026-01-01T00:00:00Z gate su 7 ID47 - failed")},
       .metadata = {{kHostName, "gate"}, {kRequest, "su"}}},
      {.name = "Syslog, old",
       .application = Application::kSyslog,
       .protocol = kProtocolUdp,
       .turns = {C("<34>Jan  1 00:00:00 gate sshd[7]: failed")},
       .metadata = {{kHostName, "gate"}, {kRequest, "sshd"}}},
      {.name = "Syslog over TCP",
       .application = Application::kSyslog,
       .turns = {C("50 <34>1 2026-01-01T00:00:00Z gate su 7 ID47 - failed")},
       .metadata = {{kHostName, "gate"}}},
      {.name = "SSDP",
       .application = Application::kSsdp,
       .protocol = kProtocolUdp,
       .turns = {C("M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nUSER-AGENT: tv\r\n\r\n"),
                 S("HTTP/1.1 200 OK\r\nUSN: uuid:1\r\nSERVER: box\r\n\r\n")},
       .metadata = {{kRequest, "M-SEARCH"}, {kUserAgent, "tv"}, {kServerVersion, "box"}}},
      {.name = "NetBIOS: a name asked for",
       .application = Application::kNetbios,
       .protocol = kProtocolUdp,
       .server_port = 137,
       .turns = {C(
           Join({Hex("1234 0110 0001 0000 0000 0000"), NetbiosName("FILES"), Hex("0020 0001")}))},
       .metadata = {{kServerName, "FILES"}, {kRequest, "query"}}},
      {.name = "NetBIOS: datagram",
       .application = Application::kNetbios,
       .protocol = kProtocolUdp,
       .server_port = 138,
       .turns = {C(Join({Hex("11 02 0001 0A000001 008A 0060 0000"), NetbiosName("WKS"),
                         NetbiosName("ALL"), Zeros(20)}))},
       .metadata = {{kHostName, "WKS"}}},
      {.name = "NetBIOS: session, then SMB",
       .application = Application::kSmb,
       .turns = {C(Join({Hex("81 00 0044"), NetbiosName("FILES"), NetbiosName("WKS")})),
                 S(Hex("82000000")),
                 C(Join({Be32(32 + 3 + 12), Hex("FF534D42 72"), Zeros(27), Hex("00 0C00 02"),
                         Text("NT LM 0.12"), Zeros(1)}))},
       .metadata = {{kServerName, "FILES"}, {kHostName, "WKS"}, {kClientVersion, "NT LM 0.12"}}},
      {.name = "RPC: portmap",
       .application = Application::kRpc,
       .protocol = kProtocolUdp,
       .server_port = 111,
       .turns = {C(RpcCall(100000, 2, 3)), S(rpc_answer)},
       .metadata = {{kRequest, "portmap v2 procedure 3"},
                    {kHostName, "wks1"},
                    {kResponse, "success"}}},
      {.name = "NFS over TCP",
       .application = Application::kNfs,
       .turns = {C(Join({Be32(0x80000000 + nfs.size()), nfs})),
                 S(Join({Be32(0x80000000 + rpc_answer.size()), rpc_answer}))},
       .metadata = {{kRequest, "nfs v3 procedure 1"}, {kResponse, "success"}}},
      {.name = "NetFlow 5",
       .application = Application::kNetflow,
       .protocol = kProtocolUdp,
       .turns = {C(Join({Be16(5), Be16(1), Zeros(20), Bytes(48, 1)}))},
       .metadata = {{kClientVersion, "NetFlow 5"}}},
      {.name = "IPFIX",
       .application = Application::kNetflow,
       .protocol = kProtocolUdp,
       .turns = {C(Join({Be16(10), Be16(28), Be32(1), Be32(2), Be32(3), Be16(2), Be16(12),
                         Be16(256), Be16(1), Be16(8), Be16(4)}))},
       .metadata = {{kClientVersion, "IPFIX"}}},
      {.name = "GTP",
       .application = Application::kGtp,
       .protocol = kProtocolUdp,
       .server_port = 2152,
       .turns = {C(Join({Hex("30 FF 0014 00000001"), Bytes(20, 0x45)}))},
       .metadata = {{kRequest, "user_data"}}},
      {.name = "VXLAN",
       .application = Application::kVxlan,
       .protocol = kProtocolUdp,
       .server_port = 4789,
       .turns = {C(Join({Hex("08000000 00002A00"), Bytes(12, 2), Hex("0800"), Bytes(20, 0x45)}))},
       .metadata = {{kRequest, "network 42"}}},
      {.name = "GENEVE",
       .application = Application::kGeneve,
       .protocol = kProtocolUdp,
       .server_port = 6081,
       .turns = {C(Join({Hex("00 00 6558 00002B 00"), Bytes(34, 2)}))},
       .metadata = {{kRequest, "network 43"}}},
      {.name = "Teredo",
       .application = Application::kTeredo,
       .protocol = kProtocolUdp,
       .turns = {C(
           Join({Hex("60000000 0000 3B 15 20010000"), Zeros(12), Hex("20010000"), Zeros(12)}))}},
      {.name = "BGP",
       .application = Application::kBgp,
       .turns = {C(Join({Bytes(16, 0xFF), Be16(29), Hex("01 04 FDE8 00B4 0A000001 00")})),
                 S(Join({Bytes(16, 0xFF), Be16(21), Hex("03 02 02")}))},
       .metadata = {{kRequest, "open"},
                    {kClientVersion, "AS 65000"},
                    {kResponse, "notification 2"}}},
  };
}

}  // namespace

const std::vector<Sample>& NetworkSamples() {
  static const std::vector<Sample> kSamples = Make();
  return kSamples;
}

}  // namespace nta::test

// Conversations, and one packet of every kind.
#include "support/packet_builder.h"

namespace nta::test {
namespace {

// Appends packets of one conversation, each a step later than the last.
class Script {
 public:
  explicit Script(const Conversation& conversation)
      : conversation_(conversation), time_(conversation.start) {}

  Script& Client(TcpFields fields, std::size_t payload = 0) {
    return Tcp(conversation_.client, conversation_.server, std::move(fields), payload);
  }
  Script& Server(TcpFields fields, std::size_t payload = 0) {
    return Tcp(conversation_.server, conversation_.client, std::move(fields), payload);
  }
  Script& Udp(const Endpoint& from, const Endpoint& to, std::size_t payload) {
    return Add(PacketBuilder().Ethernet().Ip(from.address, to.address).Udp(from.port, to.port),
               payload);
  }
  std::vector<Packet> Take() { return std::move(packets_); }

 private:
  Script& Tcp(const Endpoint& from, const Endpoint& to, TcpFields fields, std::size_t payload) {
    return Add(PacketBuilder()
                   .Ethernet()
                   .Ip(from.address, to.address)
                   .Tcp(from.port, to.port, std::move(fields)),
               payload);
  }
  Script& Add(PacketBuilder builder, std::size_t payload) {
    packets_.push_back(builder.Payload(payload).Time(time_).Build());
    time_ += conversation_.step;
    return *this;
  }

  const Conversation& conversation_;
  Timestamp time_;
  std::vector<Packet> packets_;
};

constexpr std::string_view kA = "10.0.0.1";
constexpr std::string_view kB = "10.0.0.2";
constexpr std::string_view kC = "192.168.1.1";
constexpr std::string_view kD = "192.168.1.2";
constexpr std::string_view kA6 = "2001:db8::1";
constexpr std::string_view kB6 = "2001:db8::2";

PacketBuilder InnerTcp() {
  return PacketBuilder().Ipv4(kC, kD).Tcp(40000, 443, {.flags = kTcpSyn}).Payload(12);
}

void AddLinkKinds(std::vector<NamedPacket>& all) {
  const auto ip_tcp = [](PacketBuilder& link) -> PacketBuilder& {
    return link.Ipv4(kA, kB).Tcp(1000, 80).Payload(30);
  };
  const auto add = [&](std::string_view name, PacketBuilder link) {
    all.push_back({name, ip_tcp(link).Build()});
  };
  using B = PacketBuilder;
  add("ethernet", B().Ethernet());
  add("vlan", B().Ethernet().Vlan(42));
  add("qinq", B().Ethernet().Vlan(100, 0x88a8).Vlan(42));
  add("802.3 snap", B().Ethernet8023().LlcSnap());
  add("802.3 llc ip", B().Ethernet8023().Llc(6, 6));
  add("vn-tag", B().Ethernet().VnTag());
  add("dsa", B().DsaTag());
  add("pbb", B().Ethernet().Pbb().Ethernet());
  add("nsh", B().Ethernet().Nsh());
  add("mpls", B().Ethernet().Mpls(16).Mpls(17));
  add("mpls ethernet", B().Ethernet().Mpls(16).MplsControlWord().Ethernet());
  add("pppoe", B().Ethernet().PppoeSession().Ppp());
  add("ppp", B().Ppp());
  add("ppp compressed", B().PppCompressed());
  add("ppp hdlc", B().PppHdlc());
  add("cisco hdlc", B().CiscoHdlc());
  add("frame relay", B().FrameRelay());
  add("frame relay cisco", B().FrameRelayCisco());
  add("fddi", B().Fddi().LlcSnap());
  add("slip", B().Slip());
  add("atm", B().LlcSnap());
  add("null", B().Null(2));
  add("null big endian", B().Null(2, true));
  add("loop", B().Loop(2));
  add("sll", B().LinuxSll());
  add("sll2", B().LinuxSll2());
  add("nflog", B().Nflog());
  add("nflog big endian", B().Nflog(true));
  add("raw", B());
  add("802.11", B().Ieee80211().LlcSnap());
  add("802.11 four addresses", B().Ieee80211(3, true).LlcSnap());
  add("radiotap", B().Radiotap().Ieee80211(2).LlcSnap());
  add("radiotap checksum", B().Radiotap(true).Ieee80211(2).LlcSnap());
  add("prism", B().Prism().Ieee80211().LlcSnap());
  add("avs", B().Avs().Ieee80211().LlcSnap());
  add("ppi", B().Ppi().Ieee80211().LlcSnap());
}

void AddNetworkKinds(std::vector<NamedPacket>& all) {
  const auto add = [&](std::string_view name, PacketBuilder builder) {
    all.push_back({name, builder.Build()});
  };
  const auto v4 = [] { return PacketBuilder().Ethernet().Ipv4(kA, kB); };
  const auto v6 = [] { return PacketBuilder().Ethernet().Ipv6(kA6, kB6); };
  add("arp", PacketBuilder().Ethernet().Arp(1, kA, kB));
  add("ipv4 options", PacketBuilder()
                          .Ethernet()
                          .Ipv4(kA, kB, {.options = {7, 7, 4, 1, 2, 3, 4, 0}})
                          .Udp(1, 2)
                          .Payload(8));
  add("ipv4 first fragment", PacketBuilder()
                                 .Ethernet()
                                 .Ipv4(kA, kB, {.more_fragments = true})
                                 .Udp(1, 2, 4000)
                                 .Payload(80));
  add("ipv4 later fragment", PacketBuilder()
                                 .Ethernet()
                                 .Ipv4(kA, kB, {.fragment_offset = 88, .protocol = kProtocolUdp})
                                 .Payload(80));
  add("ipv6 tcp", v6().Tcp(1000, 80, {.options = {2, 4, 5, 180}}).Payload(10));
  add("ipv6 extensions", v6().Extension(0).Extension(60, 2).Extension(43, 1).Udp(1, 2).Payload(9));
  add("ipv6 first fragment", v6().Fragment(9, 0, true).Udp(1, 2, 4000).Payload(64));
  add("ipv6 later fragment", v6().Fragment(9, 72, false).Payload(64));
  add("ah", v4().AuthenticationHeader().Tcp(1, 2));
  add("udp-lite", v4().UdpLite(1, 2).Payload(5));
  add("sctp", v4().Sctp(1, 2).Payload(20));
  add("dccp", v4().Dccp(1, 2).Payload(20));
  add("icmp echo", v4().Icmp(8, 0).Payload(56));
  add("icmp quote", v4().Icmp(3, 3).Quote(PacketBuilder().Ipv4(kB, kA).Udp(53, 999).Payload(3)));
  add("icmpv6 echo", v6().IcmpV6(128, 0).Payload(56));
  add("icmpv6 quote", v6().IcmpV6(1, 4).Quote(PacketBuilder().Ipv6(kB6, kA6).Tcp(1, 2)));
  add("other protocol", v4().Payload(20));
}

void AddTunnelKinds(std::vector<NamedPacket>& all) {
  const auto add = [&](std::string_view name, PacketBuilder outer) {
    all.push_back({name, outer.Build()});
  };
  const auto v4 = [] { return PacketBuilder().Ethernet().Ipv4(kA, kB); };
  const Bytes inner = InnerTcp().BuildBytes();
  const auto inside = [](PacketBuilder outer) {
    return outer.Ipv4(kC, kD).Tcp(40000, 443, {.flags = kTcpSyn}).Payload(12);
  };
  add("ipip", inside(v4()));
  add("6in4", v4().Ipv6(kA6, kB6).Udp(1, 2).Payload(4));
  add("4in6", inside(PacketBuilder().Ethernet().Ipv6(kA6, kB6)));
  add("gre", inside(v4().Gre()));
  add("gre all fields", inside(v4().Gre({.checksum = true, .key = true, .sequence = true})));
  add("gre ethernet", inside(v4().Gre().Ethernet().Vlan(7)));
  add("erspan 1", inside(v4().Gre({.protocol = 0x88be}).Ethernet()));
  add("erspan 2", inside(v4().Gre({.sequence = true}).Erspan2().Ethernet()));
  add("erspan 3", inside(v4().Gre({.sequence = true}).Erspan3().Ethernet()));
  add("etherip", inside(v4().EtherIp().Ethernet()));
  add("mpls in ip", inside(v4().Mpls(9)));
  add("vxlan", inside(v4().Udp(50000, 4789).Vxlan().Ethernet()));
  add("vxlan gpe", inside(v4().Udp(50000, 4789).VxlanGpe(1)));
  add("geneve", inside(v4().Udp(50000, 6081).Geneve(8).Ethernet()));
  add("gtp-u", inside(v4().Udp(2152, 2152).GtpU()));
  add("gtp-u extensions", inside(v4().Udp(2152, 2152).GtpU(3)));
  add("teredo", v4().Udp(50000, 3544).Ipv6(kA6, kB6).Tcp(1, 2));
  add("teredo headers",
      v4().Udp(50000, 3544).TeredoAuthentication().TeredoOrigin().Ipv6(kA6, kB6).Tcp(1, 2));
  add("l2tp", inside(v4().Udp(1701, 1701).L2tp().Ppp()));
  add("vxlan in gre",
      inside(v4().Gre().Ipv4("10.1.0.1", "10.1.0.2").Udp(50000, 4789).Vxlan().Ethernet()));
}

}  // namespace

std::vector<NamedPacket> EveryKindOfPacket() {
  std::vector<NamedPacket> all;
  AddLinkKinds(all);
  AddNetworkKinds(all);
  AddTunnelKinds(all);
  return all;
}

std::vector<Packet> TcpHandshake(const Conversation& conversation) {
  return Script(conversation)
      .Client({.flags = kTcpSyn})
      .Server({.flags = kTcpSyn | kTcpAck})
      .Client({.flags = kTcpAck})
      .Take();
}

std::vector<Packet> TcpSession(const Conversation& conversation, std::size_t request_bytes,
                               std::size_t response_bytes) {
  return Script(conversation)
      .Client({.flags = kTcpSyn})
      .Server({.flags = kTcpSyn | kTcpAck})
      .Client({.flags = kTcpAck | kTcpPsh}, request_bytes)
      .Server({.flags = kTcpAck | kTcpPsh}, response_bytes)
      .Client({.flags = kTcpAck | kTcpFin})
      .Server({.flags = kTcpAck | kTcpFin})
      .Client({.flags = kTcpAck})
      .Take();
}

std::vector<Packet> TcpRefused(const Conversation& conversation) {
  return Script(conversation)
      .Client({.flags = kTcpSyn})
      .Server({.flags = kTcpRst | kTcpAck})
      .Take();
}

std::vector<Packet> UdpExchange(const Conversation& conversation, std::size_t request_bytes,
                                std::size_t response_bytes) {
  return Script(conversation)
      .Udp(conversation.client, conversation.server, request_bytes)
      .Udp(conversation.server, conversation.client, response_bytes)
      .Take();
}

}  // namespace nta::test

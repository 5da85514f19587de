#include "app/samples.h"

namespace nta::test {
namespace {

Bytes Rtp(std::uint16_t sequence) {
  return Join(
      {Hex("80 00"), Be16(sequence), Be32(160u * sequence), Hex("DEADBEEF"), Bytes(160, 0xD5)});
}

std::string SipRegister(std::string_view authorization) {
  return "REGISTER sip:example.org SIP/2.0\r\nFrom: Tom <sip:tom@example.org>;tag=1\r\n"
         "CSeq: 1 REGISTER\r\nUser-Agent: phone/1\r\n" +
         std::string(authorization) + "\r\n";
}

std::string SipAnswer(std::string_view status) {
  return "SIP/2.0 " + std::string(status) + "\r\nCSeq: 1 REGISTER\r\nServer: pbx/2\r\n\r\n";
}

std::vector<Sample> Make() {
  using enum MetadataField;
  const std::string canary(kCanary);
  const std::string credentials =
      "Authorization: Digest username=\"tom\", response=\"" + canary + "\"\r\n";
  const Bytes peer = Join({{19},
                           Text("BitTorrent protocol"),
                           Zeros(8),
                           Bytes(20, 0xA1),
                           Text("-UT3550-"),
                           Bytes(12, 'z')});
  const Bytes stun = Join({Be16(0x0101), Be16(12), Hex("2112A442"), Bytes(12, 9), Be16(0x8022),
                           Be16(5), Text("relay"), Zeros(3)});
  const Bytes rtmp = Join({{3}, Be32(77), Zeros(4), Bytes(1528, 0x6B)});
  return {
      {.name = "SIP: credentials refused, then accepted",
       .application = Application::kSip,
       .protocol = kProtocolUdp,
       .turns = {C(SipRegister("")), S(SipAnswer("401 Unauthorized")), C(SipRegister(credentials)),
                 S(SipAnswer("401 Unauthorized")), C(SipRegister(credentials)),
                 S(SipAnswer("200 OK"))},
       .metadata = {{kUserName, "tom@example.org"},
                    {kUserAgent, "phone/1"},
                    {kServerVersion, "pbx/2"},
                    {kRequest, "REGISTER"},
                    {kResponse, "200"},
                    {kLoginFailures, "1"},
                    {kLoginSuccesses, "1"}}},
      {.name = "SIP over TCP",
       .application = Application::kSip,
       .turns = {C(SipRegister(""))},
       .metadata = {{kUserName, "tom@example.org"}, {kRequest, "REGISTER"}}},
      {.name = "RTSP",
       .application = Application::kRtsp,
       .turns =
           {C("DESCRIBE rtsp://admin:" + canary +
              "@cam.example.org:554/live RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: player\r\n\r\n"),
            S("RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nServer: camera\r\n\r\n"),
            C("DESCRIBE rtsp://cam.example.org/live RTSP/1.0\r\nCSeq: 2\r\nAuthorization: Basic " +
              canary + "\r\n\r\n"),
            S("RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\n\r\n")},
       .metadata = {{kServerName, "cam.example.org"},
                    {kUserAgent, "player"},
                    {kServerVersion, "camera"},
                    {kResponse, "401"},
                    {kLoginFailures, "1"}}},
      {.name = "RTP",
       .application = Application::kRtp,
       .protocol = kProtocolUdp,
       .turns = {C(Rtp(100)), C(Rtp(101))},
       .metadata = {{kRequest, "payload type 0"}}},
      {.name = "RTCP",
       .application = Application::kRtcp,
       .protocol = kProtocolUdp,
       .turns = {C(Join({Hex("80 C8 0006 DEADBEEF"), Zeros(20), Hex("81 CA 0003 DEADBEEF 01 03"),
                         Text("a@b"), Zeros(3)}))},
       .metadata = {{kRequest, "sender_report"}}},
      {.name = "STUN",
       .application = Application::kStun,
       .protocol = kProtocolUdp,
       .turns = {C(Join({Be16(1), Be16(0), Hex("2112A442"), Bytes(12, 9)})), S(stun)},
       .metadata = {{kRequest, "binding"}, {kResponse, "success"}, {kServerVersion, "relay"}}},
      {.name = "RTMP",
       .application = Application::kRtmp,
       .server_port = 1935,
       .turns = {C(rtmp), S(Join({rtmp, Bytes(1536, 1)})),
                 C(Join({Bytes(1536, 2), Hex("03000000 000040 14 00000000 020007"), Text("connect"),
                         Hex("00 0005"), Text("tcUrl"), Hex("02 0015"),
                         Text("rtmp://live.example/k")}))},
       .metadata = {{kServerName, "live.example"}}},
      {.name = "IRC",
       .application = Application::kIrc,
       .turns = {C("PASS " + canary + "\r\nNICK uma\r\nUSER uma 0 * :Uma\r\n"),
                 S(":irc.example.org 464 uma :Password incorrect\r\n")},
       .metadata = {{kUserName, "uma"}, {kLoginFailures, "1"}}},
      {.name = "XMPP: refused",
       .application = Application::kXmpp,
       .turns = {C("<?xml version='1.0'?><stream:stream to='example.org' xmlns='jabber:client' "
                   "xmlns:stream='http://etherx.jabber.org/streams'>"),
                 S("<stream:stream from='example.org' xmlns='jabber:client'><stream:features/>"),
                 C("<auth mechanism='PLAIN'>" + Base64(canary) + "</auth>"),
                 S("<failure><not-authorized/></failure>")},
       .metadata = {{kServerName, "example.org"}, {kLoginFailures, "1"}}},
      {.name = "BitTorrent: peers",
       .application = Application::kBittorrent,
       .turns = {C(peer)},
       .metadata = {{kClientVersion, "UT3550"}}},
      {.name = "BitTorrent: DHT",
       .application = Application::kBittorrent,
       .protocol = kProtocolUdp,
       .turns = {C("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe")},
       .metadata = {{kRequest, "ping"}}},
      {.name = "BitTorrent: uTP",
       .application = Application::kBittorrent,
       .protocol = kProtocolUdp,
       .turns = {C(Hex("4100 1234 00112233 00000000 00010000 0001 0000"))}},
      {.name = "BitTorrent: tracker",
       .application = Application::kBittorrent,
       .protocol = kProtocolUdp,
       .turns = {C(Hex("0000041727101980 00000000 12345678"))},
       .metadata = {{kRequest, "tracker"}}},
  };
}

}  // namespace

const std::vector<Sample>& MediaSamples() {
  static const std::vector<Sample> kSamples = Make();
  return kSamples;
}

}  // namespace nta::test

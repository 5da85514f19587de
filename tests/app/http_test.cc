#include <gtest/gtest.h>

#include "app/flow_talk.h"
#include "app/hello_builder.h"

namespace nta {
namespace {

using test::FlowTalk;

constexpr std::string_view kRequest =
    "GET /index.html?q=1 HTTP/1.1\r\nHost: www.example.com:8080\r\nuser-agent: curl/8.0\r\n"
    "Accept: */*\r\n\r\n";
constexpr std::string_view kResponse =
    "HTTP/1.1 404 Not Found\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: "
    "3\r\n\r\nabc";

TEST(Http, ShowsTheFirstExchange) {
  FlowTalk talk({.server_port = 8080});
  EXPECT_TRUE(talk.Client(kRequest));
  EXPECT_FALSE(talk.Server(kResponse));
  const FlowRecord record = talk.Record();
  EXPECT_EQ(record.application, Application::kHttp);
  EXPECT_EQ(record.evidence, ApplicationEvidence::kPayload);
  EXPECT_EQ(record.category, ApplicationCategory::kWeb);
  EXPECT_EQ(talk.Get(MetadataField::kHttpMethod), "GET");
  EXPECT_EQ(talk.Get(MetadataField::kHttpPath), "/index.html?q=1");
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "www.example.com");
  EXPECT_EQ(talk.Get(MetadataField::kUserAgent), "curl/8.0");
  EXPECT_EQ(talk.Get(MetadataField::kHttpStatus), "404");
  EXPECT_EQ(talk.Get(MetadataField::kContentType), "text/html; charset=utf-8");
  EXPECT_EQ(talk.Get(MetadataField::kDestinationName), "www.example.com");
}

TEST(Http, RequestMayBeSplitAtEveryByte) {
  for (std::size_t cut = 1; cut < kRequest.size(); ++cut) {
    FlowTalk talk({.server_port = 8080});
    talk.Client(kRequest.substr(0, cut));
    talk.Client(kRequest.substr(cut));
    talk.Server(kResponse);
    ASSERT_EQ(talk.Get(MetadataField::kUserAgent), "curl/8.0") << cut;
    ASSERT_EQ(talk.Get(MetadataField::kHttpStatus), "404") << cut;
  }
}

TEST(Http, RequestLineMayTakeManyPackets) {
  FlowTalk talk({.server_port = 8080});
  for (int i = 0; i < 6; ++i) {
    talk.Client(i == 0 ? "GET /" + std::string(1000, 'a') : std::string(1000, 'b'));
  }
  talk.Client(" HTTP/1.1\r\nHost: www.example.com\r\n\r\n");
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "www.example.com");
}

TEST(Http, ResponseAloneIsEnough) {
  FlowTalk talk({.server_port = 8080});
  talk.Server(kResponse);
  EXPECT_EQ(talk.Record().evidence, ApplicationEvidence::kPayload);
  EXPECT_EQ(talk.Get(MetadataField::kHttpStatus), "404");
}

TEST(Http, InterimResponseIsNotTheAnswer) {
  FlowTalk talk;
  talk.Client("POST /upload HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(talk.Server("HTTP/1.1 100 Continue\r\n\r\n"));
  EXPECT_FALSE(talk.Server("HTTP/1.1 201 Created\r\n\r\n"));
  EXPECT_EQ(talk.Get(MetadataField::kHttpStatus), "201");
}

TEST(Http, HeadsThatAreLongerThanThePacketsAreTakenAsFarAsTheyGo) {
  FlowTalk talk;
  talk.Client("GET /long HTTP/1.1\r\nHost: a.example\r\nCookie: ");
  for (int i = 0; i < 20; ++i) talk.Client(std::string(1400, 'c'));
  EXPECT_FALSE(talk.wants_more());
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "a.example");
  EXPECT_EQ(talk.inspector().Stats().buffered_bytes, 0u);
}

TEST(Http, AddressIsNoNameForItself) {
  FlowTalk talk;
  talk.Client("GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n");
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "192.0.2.1");
  EXPECT_EQ(talk.Get(MetadataField::kDestinationName), "");
}

TEST(Http, RequestThroughAProxyDoesNotNameTheProxy) {
  FlowTalk talk({.server_port = 3128});
  talk.Client("GET http://www.example.com/ HTTP/1.1\r\nHost: www.example.com\r\n\r\n");
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "www.example.com");
  EXPECT_EQ(talk.Get(MetadataField::kDestinationName), "");
}

TEST(Http, OtherProtocolsThatLookLikeItAreNot) {
  for (const std::string_view line :
       {"OPTIONS rtsp://192.0.2.1/stream RTSP/1.0\r\n\r\n", "OPTIONS sip:a@b SIP/2.0\r\n\r\n",
        "GET key\r\n", "get / HTTP/1.1\r\n", "HELO mail.example.com\r\n", "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n"}) {
    FlowTalk talk({.server_port = 9999});
    talk.Client(line);
    EXPECT_NE(talk.Record().application, Application::kHttp) << line;
  }
}

TEST(Http, UpgradeToWebsocketNamesIt) {
  FlowTalk talk;
  talk.Client("GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  EXPECT_EQ(talk.Record().application, Application::kHttp);
  EXPECT_FALSE(talk.Server("HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\r\n"));
  EXPECT_EQ(talk.Record().application, Application::kWebsocket);
  EXPECT_EQ(talk.news(), 2);
}

TEST(Http, ConnectShowsTheHandshakeInside) {
  FlowTalk talk({.server_port = 3128});
  talk.Client("CONNECT www.example.com:443 HTTP/1.1\r\nHost: www.example.com:443\r\n\r\n");
  EXPECT_TRUE(talk.Server("HTTP/1.1 200 Connection established\r\n\r\n"));
  talk.Client(test::TlsClientHello({.extensions = {test::ServerName("inner.example.com")}}));
  EXPECT_EQ(talk.Record().application, Application::kHttp);
  EXPECT_EQ(talk.Get(MetadataField::kHttpStatus), "200");
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "inner.example.com");
  EXPECT_EQ(talk.Get(MetadataField::kJa4).size(), 36u);
}

TEST(Http, FieldsOfStrangersAreMadeFit) {
  FlowTalk talk;
  talk.Client(std::string_view("GET /\xFF\0<x> HTTP/1.1\r\nHost: a\x1B[31m\r\n\r\n", 38));
  EXPECT_EQ(talk.Get(MetadataField::kHttpPath), "/\uFFFD\uFFFD<x>");
  EXPECT_EQ(talk.Get(MetadataField::kServerName), "a\uFFFD[31m");
}

TEST(Http2, IsKnownByItsPreface) {
  constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  for (std::size_t cut = 1; cut < kPreface.size(); ++cut) {
    FlowTalk talk({.server_port = 8080});
    talk.Client(kPreface.substr(0, cut));
    talk.Client(kPreface.substr(cut));
    ASSERT_EQ(talk.Record().application, Application::kHttp2) << cut;
    ASSERT_EQ(talk.Record().evidence, ApplicationEvidence::kPayload) << cut;
  }
}

TEST(Http2, IsKnownByTheServersSettings) {
  FlowTalk talk({.server_port = 9999});
  talk.Server(test::FromHex("000006 04 00 00000000 0003 00000064"));
  EXPECT_EQ(talk.Record().application, Application::kHttp2);
}

}  // namespace
}  // namespace nta

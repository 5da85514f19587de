#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "app_fixture.h"

namespace nta::server {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class HostsTest : public AppTest {
 protected:
  HostsTest() {
    Restart(Generous());
    AddUser("alice", "viewer");
    token_ = SignIn("alice").access;
    Write("10.0.0.1", "198.51.100.7", 443, 100, 1000);
    Write("10.0.0.1", "198.51.100.7", 443, 100, 1000);
    Write("10.0.0.2", "10.0.0.1", 22, 30, 40);
    Write("10.0.0.3", "198.51.100.7", 80, 5, 5);
  }

  void Write(std::string_view source, std::string_view destination, std::uint16_t port,
             std::uint64_t forward, std::uint64_t reverse) {
    FlowRecord flow;
    flow.first_seen = wall_ - 10s;
    flow.last_seen = wall_ - 5s;
    flow.protocol = 6;
    flow.source = {*IpAddress::Parse(source), 40'000};
    flow.destination = {*IpAddress::Parse(destination), port};
    flow.forward.packets = flow.reverse.packets = 1;
    flow.forward.wire_bytes = forward;
    flow.reverse.wire_bytes = reverse;
    flow.end_reason = FlowEndReason::kIdleTimeout;
    ASSERT_TRUE(store_->Write(std::vector{flow}, {}).ok());
  }

  Response Get(std::string_view target) { return Call("GET", target, token_); }

  std::string token_;
};

TEST_F(HostsTest, ConversationsTellWhoSpokeFirstAndHowMuchEachSent) {
  const Response response = Get("/api/v1/conversations?limit=1");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_THAT(response.body,
              HasSubstr(R"("rows":[{"source":"10.0.0.1","destination":"198.51.100.7",)"
                        R"("source_name":null,"destination_name":null,)"
                        R"("bytes":2200,"packets":4,"flows":2,)"
                        R"("forward_bytes":200,"reverse_bytes":2000}])"));
  EXPECT_THAT(response.body, HasSubstr(R"("total":{"bytes":2280,"packets":8,"flows":4})"));
  EXPECT_THAT(response.body, HasSubstr(R"("source":"raw","capture":{"packets_seen":0)"));
}

TEST_F(HostsTest, WhoBeganMoreOfTheFlowsOfAConversationIsItsSource) {
  Write("198.51.100.7", "10.0.0.1", 443, 1, 1);
  const Response response = Get("/api/v1/conversations?limit=1&by=flows");
  EXPECT_THAT(response.body, HasSubstr(R"("source":"10.0.0.1","destination":"198.51.100.7")"));
  EXPECT_THAT(response.body, HasSubstr(R"("flows":3,"forward_bytes":201,"reverse_bytes":2001)"));
}

TEST_F(HostsTest, ConversationsNameAddressesByTheirLatestFlows) {
  FlowRecord flow;
  flow.first_seen = flow.last_seen = wall_ - 1s;
  flow.source = {*IpAddress::Parse("10.0.0.1"), 40'000};
  flow.destination = {*IpAddress::Parse("198.51.100.7"), 443};
  flow.forward.packets = 1;
  auto metadata = std::make_shared<FlowMetadata>();
  metadata->Set(MetadataField::kDestinationName, "files.example");
  flow.metadata = std::move(metadata);
  ASSERT_TRUE(store_->Write(std::vector{flow}, {}).ok());
  EXPECT_THAT(Get("/api/v1/conversations?limit=1").body,
              HasSubstr(R"("source_name":null,"destination_name":"files.example")"));
}

TEST_F(HostsTest, EveryAnswerSaysWhatCaptureLostInItsInterval) {
  ASSERT_TRUE(
      store_
          ->RecordCapture(
              wall_ - 5s,
              {.packets_seen = 90, .packets_dropped = 7, .flows_evicted = 3, .flows_dropped = 2})
          .ok());
  ASSERT_TRUE(store_->RecordCapture(wall_ - 48h, {.packets_seen = 1000}).ok());
  for (const char* target : {"flows?limit=1", "top?dimension=application", "series",
                             "conversations", "hosts/10.0.0.1"}) {
    const Response response = Get(std::string("/api/v1/") + target);
    ASSERT_EQ(response.status, 200) << response.body;
    EXPECT_THAT(response.body, HasSubstr(R"("capture":{"packets_seen":90,"packets_dropped":7,)"
                                         R"("flows_evicted":3,"flows_dropped":2})"))
        << target;
  }
  // There the counts stand behind the state of the capture.
  EXPECT_THAT(Get("/api/v1/summary").body,
              HasSubstr(R"("packets_seen":90,"packets_dropped":7,"flows_evicted":3,)"
                        R"("flows_dropped":2}})"));
}

TEST_F(HostsTest, APortOfNoServiceCountsAsOther) {
  Write("10.0.0.9", "10.0.0.8", 50'000, 11, 0);
  EXPECT_THAT(Get("/api/v1/top?dimension=destination_port&where=src%3D10.0.0.9").body,
              HasSubstr(R"("other":{"bytes":)"));
}

TEST_F(HostsTest, AQuestionWhoseAskerIsGoneIsGivenUp) {
  std::stop_source gone;
  gone.request_stop();
  for (const char* target :
       {"/api/v1/flows", "/api/v1/top?where=port%3D443", "/api/v1/conversations",
        "/api/v1/hosts/10.0.0.1", "/api/v1/series?where=port%3D443"}) {
    Request request;
    request.method = "GET";
    request.target = *ParseTarget(target);
    request.authorization = "Bearer " + token_;
    request.client = *IpAddress::Parse("192.0.2.1");
    request.stop = gone.get_token();
    EXPECT_EQ(Send(std::move(request)).status, 503) << target;
  }
}

TEST_F(HostsTest, ConversationsObeyTheFilter) {
  const Response response = Get("/api/v1/conversations?where=dport%3D22");
  EXPECT_THAT(response.body, HasSubstr(R"("source":"10.0.0.2")"));
  EXPECT_THAT(response.body, Not(HasSubstr("198.51.100.7")));
}

TEST_F(HostsTest, AHostHasItsPeersPortsAndFlowsAndNobodyElses) {
  const Response response = Get("/api/v1/hosts/10.0.0.1");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_THAT(response.body, HasSubstr(R"("address":"10.0.0.1")"));
  EXPECT_THAT(response.body, HasSubstr(R"("sent_bytes":240,"received_bytes":2030)"));
  EXPECT_THAT(response.body,
              HasSubstr(R"("ports":[{"key":"443","bytes":2200,"packets":4,"flows":2}])"));
  EXPECT_THAT(response.body,
              HasSubstr(R"("served_ports":[{"key":"22","bytes":70,"packets":2,"flows":1}])"));
  EXPECT_THAT(response.body, Not(HasSubstr("10.0.0.3")));
}

TEST_F(HostsTest, AHostIsCountedFromAllOfItsFlowsHoweverManyThereAre) {
  FlowRecord flow;
  flow.first_seen = wall_ - 20s;
  flow.last_seen = wall_ - 15s;
  flow.protocol = 6;
  flow.source = {*IpAddress::Parse("10.0.9.9"), 40'000};
  flow.destination = {*IpAddress::Parse("198.51.100.7"), 443};
  flow.forward = {.packets = 1, .wire_bytes = 3};
  flow.reverse = {.packets = 1, .wire_bytes = 4};
  flow.application = Application::kTls;
  flow.evidence = ApplicationEvidence::kPort;
  constexpr std::size_t kFlows = 120'000;  // more than one answer could hold
  ASSERT_TRUE(store_->Write(std::vector<FlowRecord>(kFlows, flow), {}).ok());
  flow.destination = {*IpAddress::Parse("10.0.0.1"), 50'000};
  flow.application = Application::kUnknown;
  ASSERT_TRUE(store_->Write({&flow, 1}, {}).ok());
  const std::string body = Get("/api/v1/hosts/10.0.9.9").body;
  EXPECT_THAT(body, HasSubstr(R"("total":{"bytes":840007,"packets":240002,"flows":120001},)"
                              R"("sent_bytes":360003,"received_bytes":480004)"));
  EXPECT_THAT(body,
              HasSubstr(R"("bytes":840000,"packets":240000,"flows":120000,"forward_bytes":)"));
  EXPECT_THAT(body,
              HasSubstr(R"("ports":[{"key":"443","bytes":840000,"packets":240000,"flows":120000}],)"
                        R"("ports_other":{"bytes":7,"packets":2,"flows":1})"));
  EXPECT_THAT(
      body,
      HasSubstr(R"("applications":[{"key":"tls","bytes":840000,"packets":240000,)"
                R"("flows":120000,"guessed":{"bytes":840000,"packets":240000,"flows":120000}}])"));
  EXPECT_THAT(body, HasSubstr(R"("source":"raw","capture":{)"));
  // The same as the questions that it is made of answer.
  EXPECT_THAT(Get("/api/v1/top?where=host%3D10.0.9.9&limit=1").body,
              HasSubstr(R"("total":{"bytes":840007,"packets":240002,"flows":120001})"));
}

TEST_F(HostsTest, AHostOfWhichAPeerHasAllTrafficIsToldFromIt) {
  Write("10.0.7.1", "10.0.7.2", 443, 10, 5);
  EXPECT_THAT(Get("/api/v1/hosts/10.0.7.1").body,
              HasSubstr(R"("sent_bytes":10,"received_bytes":5)"));
  EXPECT_THAT(Get("/api/v1/hosts/10.0.7.2").body,
              HasSubstr(R"("sent_bytes":5,"received_bytes":10)"));
  Write("10.0.7.3", "10.0.7.3", 443, 10, 5);
  EXPECT_THAT(Get("/api/v1/hosts/10.0.7.3").body,
              HasSubstr(R"("sent_bytes":15,"received_bytes":15)"));
}

TEST_F(HostsTest, AHostThatWasSilentIsAnswered) {
  const Response response = Get("/api/v1/hosts/2001:db8::1");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_THAT(response.body,
              HasSubstr(R"("names":[],"names_complete":true,"first_seen":null,"last_seen":null)"));
  EXPECT_THAT(response.body, HasSubstr(R"("peers":[],"ports":[])"));
}

TEST_F(HostsTest, AFilterCannotLeaveItsHost) {
  // Without parentheses, "or" would select everything.
  const Response response = Get("/api/v1/hosts/10.0.0.2?where=port%3D22+or+port%3D80");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_THAT(response.body, HasSubstr(R"("total":{"bytes":70,"packets":2,"flows":1})"));
  EXPECT_THAT(response.body, Not(HasSubstr("10.0.0.3")));
  EXPECT_EQ(Get("/api/v1/hosts/10.0.0.2?where=port%3D22)+or+(port%3D80").status, 400);
}

TEST_F(HostsTest, WhatIsNoAddressIsRefused) {
  for (const char* text : {"nobody", "10.0.0.256", "10.0.0.1%25eth0", "%3Cb%3E"}) {
    const Response response = Get(std::string("/api/v1/hosts/") + text);
    EXPECT_EQ(response.status, 400) << text << response.body;
    EXPECT_THAT(response.body, Not(HasSubstr("<b>")));
  }
}

TEST_F(HostsTest, AHostHasTheAlertsThatNameIt) {
  Alert about;
  about.id = "1";
  about.time = wall_ - 1s;
  about.entity.destination = *IpAddress::Parse("10.0.0.1");
  Alert other = about;
  other.id = "2";
  other.entity = {};
  other.entity.source = *IpAddress::Parse("10.0.0.9");
  ASSERT_TRUE(store_->Write({}, std::vector{about, other}).ok());
  const Response response = Get("/api/v1/hosts/10.0.0.1");
  EXPECT_THAT(response.body, HasSubstr(R"("alerts":[{"id":"1")"));
  EXPECT_THAT(response.body, Not(HasSubstr(R"("id":"2")")));
}

TEST_F(HostsTest, ApplicationsAreListedWithTheirStableNumbers) {
  const Response response = Get("/api/v1/applications");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body,
              HasSubstr(R"({"applications":[{"number":0,"name":"unknown","category":"unknown"},)"
                        R"({"number":1,"name":"dns","category":"name_resolution"})"));
}

TEST_F(HostsTest, TrafficOfUnknownApplicationIsOther) {
  for (const std::string dimension : {"application", "category"}) {
    const Response response = Get("/api/v1/top?dimension=" + dimension);
    ASSERT_EQ(response.status, 200) << response.body;
    EXPECT_THAT(response.body, HasSubstr("\"dimension\":\"" + dimension + "\""));
    EXPECT_THAT(response.body, HasSubstr(R"("total":{"bytes":2280,"packets":8,"flows":4})"));
    EXPECT_THAT(response.body,
                HasSubstr(R"("other":{"bytes":2280,"packets":8,"flows":4},"rows":[])"));
  }
  const Response series = Get("/api/v1/series?by=category&since=-2m");
  ASSERT_EQ(series.status, 200) << series.body;
  EXPECT_THAT(series.body, HasSubstr(R"("series":[{"key":"unknown","values":[)"));
}

class KnownApplicationsTest : public HostsTest {
 protected:
  KnownApplicationsTest() {
    FlowRecord flow;
    flow.first_seen = wall_ - 10s;
    flow.last_seen = wall_ - 5s;
    flow.protocol = 6;
    flow.source = {*IpAddress::Parse("10.0.0.1"), 40'000};
    flow.destination = {*IpAddress::Parse("203.0.113.5"), 443};
    flow.forward.packets = 1;
    flow.forward.wire_bytes = 500;
    flow.end_reason = FlowEndReason::kIdleTimeout;
    flow.application = Application::kTls;
    flow.category = ApplicationCategory::kWeb;
    flow.evidence = ApplicationEvidence::kPayload;
    FlowMetadata metadata;
    metadata.Set(MetadataField::kServerName, "<b>shop</b>.example");
    metadata.Set(MetadataField::kDestinationName, "shop.example");
    metadata.Set(MetadataField::kJa4, "t13d1516h2_8daaf6152771_b186095e22b6");
    metadata.Set(MetadataField::kJa3, "773906b0efdefa24a7f2b8eb6985bf37");
    metadata.Set(MetadataField::kHassh, "06046964c022c6407d15a27b12a6a4fb");
    flow.metadata = std::make_shared<FlowMetadata>(metadata);
    EXPECT_TRUE(store_->Write(std::vector{flow}, {}).ok());
  }
};

TEST_F(KnownApplicationsTest, AreCountedByNameAndCategory) {
  EXPECT_THAT(
      Get("/api/v1/top?dimension=application").body,
      HasSubstr(R"("rows":[{"key":"tls","bytes":500,"packets":1,"flows":1,"guessed":{"bytes":0,)"));
  EXPECT_THAT(
      Get("/api/v1/top?dimension=category").body,
      HasSubstr(R"("rows":[{"key":"web","bytes":500,"packets":1,"flows":1,"guessed":{"bytes":0,)"));
  EXPECT_THAT(Get("/api/v1/hosts/203.0.113.5").body,
              HasSubstr(R"("applications":[{"key":"tls","bytes":500,"packets":1,"flows":1)"));
  EXPECT_THAT(Get("/api/v1/series?by=application&since=-2m").body, HasSubstr(R"({"key":"tls")"));
}

TEST_F(KnownApplicationsTest, AreFoundByFilterWithTheirNames) {
  for (const char* where :
       {"app%3Dtls", "category%3Dweb", "server_name%3D%22*shop*%22", "ja4%3Dt13d*_b186095e22b6",
        "ja3%3D773906b0efdefa24a7f2b8eb6985bf37", "hassh%3D0604*"}) {
    const Response response = Get(std::string("/api/v1/flows?where=") + where);
    ASSERT_EQ(response.status, 200) << response.body;
    EXPECT_THAT(response.body, HasSubstr(R"("application":"tls","category":"web")")) << where;
    EXPECT_THAT(response.body, HasSubstr(R"("server_name":"<b>shop</b>.example")")) << where;
    EXPECT_THAT(response.body, Not(HasSubstr("198.51.100.7"))) << where;
  }
}

TEST_F(KnownApplicationsTest, NameTheHostThatServesThem) {
  const Response response = Get("/api/v1/hosts/203.0.113.5");
  EXPECT_THAT(response.body, HasSubstr(R"("names":[{"name":"shop.example","origin":"known_as",)"));
  EXPECT_THAT(response.body, HasSubstr(R"({"name":"<b>shop</b>.example","origin":"asked_for",)"));
  EXPECT_THAT(Get("/api/v1/conversations").body, HasSubstr(R"("destination_name":"shop.example")"));
}

}  // namespace
}  // namespace nta::server

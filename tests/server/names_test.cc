// /api/v1/names, and totals by application and category, over REST.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app_fixture.h"
#include "support/hostile_texts.h"

namespace nta::server {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

class NamesTest : public AppTest {
 protected:
  NamesTest() {
    Restart(Generous());
    AddUser("alice", "viewer");
    token_ = SignIn("alice").access;
  }

  FlowRecord Flow(std::string_view source, std::string_view destination) {
    FlowRecord flow;
    flow.first_seen = wall_ - 10s;
    flow.last_seen = wall_ - 5s;
    flow.protocol = 6;
    flow.source = {*IpAddress::Parse(source), 40'000};
    flow.destination = {*IpAddress::Parse(destination), 443};
    flow.forward.packets = flow.reverse.packets = 1;
    flow.forward.wire_bytes = flow.reverse.wire_bytes = 100;
    flow.application = Application::kTls;
    flow.category = ApplicationCategory::kVideo;
    flow.evidence = ApplicationEvidence::kPayload;
    return flow;
  }
  void Write(const FlowRecord& flow) { ASSERT_TRUE(store_->Write({&flow, 1}, {}).ok()); }
  void WriteNamed(std::string_view name) {
    FlowRecord flow = Flow("10.0.0.1", "198.51.100.7");
    FlowMetadata metadata;
    metadata.Set(MetadataField::kDestinationName, name);
    flow.metadata = std::make_shared<FlowMetadata>(metadata);
    Write(flow);
  }
  Json Get(const std::string& target, int status = 200) {
    const Response response = Call("GET", target, token_);
    EXPECT_EQ(response.status, status) << response.body;
    return Json::parse(response.body, nullptr, false);
  }

  std::string token_;
};

TEST_F(NamesTest, TellByWhatAddressesWereKnownAndWhen) {
  WriteNamed("video.example");
  const Json answer = Get("/api/v1/names?address=198.51.100.7,10.0.0.1");
  EXPECT_EQ(answer["complete"], true);
  ASSERT_EQ(answer["rows"].size(), 2u);
  EXPECT_EQ(answer["rows"][0]["address"], "198.51.100.7");
  EXPECT_EQ(answer["rows"][0]["names"][0]["name"], "video.example");
  EXPECT_EQ(answer["rows"][0]["names"][0]["origin"], "known_as");
  EXPECT_EQ(answer["rows"][0]["names"][0]["first_seen"], nta::ToString(wall_ - 10s));
  EXPECT_EQ(answer["rows"][0]["names"][0]["last_seen"], nta::ToString(wall_ - 5s));
  EXPECT_TRUE(answer["rows"][1]["names"].empty());
}

TEST_F(NamesTest, OfStrangersAreTextAndNothingElse) {
  const std::vector<std::string> texts = test::HostileTexts();
  for (const std::string& name : texts) WriteNamed(name);
  const Response response = Call("GET", "/api/v1/names?address=198.51.100.7&limit=64", token_);
  ASSERT_EQ(response.status, 200);
  const Json answer = Json::parse(response.body);  // throws unless it is JSON in UTF-8
  ASSERT_EQ(answer["rows"][0]["names"].size(), texts.size());
  for (const Json& name : answer["rows"][0]["names"]) {
    const std::string text = name["name"];
    EXPECT_TRUE(test::IsFitToShow(text)) << text;
  }
  for (const char* target :
       {"/api/v1/flows", "/api/v1/hosts/198.51.100.7", "/api/v1/conversations"}) {
    const std::string body = Call("GET", target, token_).body;
    EXPECT_TRUE(Json::accept(body)) << target;
    EXPECT_THAT(body, Not(HasSubstr(std::string(2'000, 'n')))) << target;
    EXPECT_THAT(body, Not(HasSubstr("\u202E"))) << target;
  }
}

TEST_F(NamesTest, RefusesListsThatAreNone) {
  Get("/api/v1/names", 400);
  Get("/api/v1/names?address=", 400);
  Get("/api/v1/names?address=nobody", 400);
  Get("/api/v1/names?address=10.0.0.1,", 200);
  std::string many = "10.0.0.1";
  for (int i = 0; i < 64; ++i) many += ",10.0.0.1";
  Get("/api/v1/names?address=" + many, 400);
  Get("/api/v1/names?address=10.0.0.1&limit=65", 400);
}

TEST_F(NamesTest, TopsAndSeriesByCategoryComeFromTheTotals) {
  Write(Flow("10.0.0.1", "198.51.100.7"));
  FlowRecord guess = Flow("10.0.0.1", "198.51.100.7");
  guess.evidence = ApplicationEvidence::kPort;
  Write(guess);
  const Json top = Get("/api/v1/top?dimension=category&by=flows");
  EXPECT_EQ(top["source"], "rollup");
  EXPECT_EQ(top["dimension"], "category");
  ASSERT_EQ(top["rows"].size(), 1u);
  EXPECT_EQ(top["rows"][0]["key"], "video");
  EXPECT_EQ(top["rows"][0]["flows"], 2);
  EXPECT_EQ(top["rows"][0]["guessed"]["flows"], 1);
  const Json series = Get("/api/v1/series?by=application&measure=flows&step=60");
  EXPECT_EQ(series["source"], "rollup");
  EXPECT_EQ(series["by"], "application");
  ASSERT_EQ(series["series"].size(), 1u);
  EXPECT_EQ(series["series"][0]["key"], "tls");
  EXPECT_EQ(series["series"][0]["guessed"].size(), series["times"].size());
  EXPECT_EQ(Get("/api/v1/series?by=application&where=dport%3D443")["source"], "raw");
  EXPECT_EQ(Get("/api/v1/flows?where=evidence%3Dport")["flows"].size(), 1u);
  EXPECT_EQ(Get("/api/v1/flows?where=name%3D*.example")["flows"].size(), 0u);
}

}  // namespace
}  // namespace nta::server

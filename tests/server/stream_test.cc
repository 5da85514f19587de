#include "http/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>

namespace nta::server {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// What the client can read now.
std::string ReadAll(StreamClient& client, bool* ended = nullptr) {
  std::string text;
  std::array<char, 7> buffer{};  // small, so that events come in pieces
  while (true) {
    const auto result = client.Read(
        buffer.data(), buffer.size(), [] {}, [] {});
    if (ended != nullptr) *ended = result.state == StreamClient::ReadState::kEnd;
    if (result.state != StreamClient::ReadState::kData) return text;
    text.append(buffer.data(), result.size);
  }
}

TEST(TicketBooth, LetsATicketInOnce) {
  TicketBooth booth;
  const std::string ticket = booth.Issue({.username = "alice", .session = "s"}, 0s);
  const auto owner = booth.Redeem(ticket, 29s);
  ASSERT_TRUE(owner);
  EXPECT_EQ(owner->username, "alice");
  EXPECT_FALSE(booth.Redeem(ticket, 29s));
}

TEST(TicketBooth, RefusesATicketAfter30Seconds) {
  TicketBooth booth;
  const std::string ticket = booth.Issue({.username = "alice", .session = "s"}, 0s);
  EXPECT_FALSE(booth.Redeem(ticket, 30s));
  EXPECT_FALSE(booth.Redeem("", 0s));
}

TEST(TicketBooth, ForgetsTheOldestWhenFull) {
  TicketBooth booth;
  const std::string first = booth.Issue({.username = "alice", .session = "s"}, 0s);
  std::string last;
  for (int i = 0; i < 1024; ++i) last = booth.Issue({.username = "bob", .session = "t"}, 0s);
  EXPECT_FALSE(booth.Redeem(first, 1s));
  EXPECT_TRUE(booth.Redeem(last, 1s));
}

TEST(StreamHub, GreetsWithPastSamplesAndGoesOnWithTheNext) {
  StreamHub hub;
  hub.PublishSample(R"({"n":1})");
  hub.PublishSample(R"({"n":2})");
  const auto client = *hub.Open({.username = "alice", .session = "s"}, R"({"state":"running"})");
  hub.PublishSample(R"({"n":3})");
  EXPECT_EQ(ReadAll(*client),
            "event: hello\ndata: "
            "{\"capture\":{\"state\":\"running\"},\"samples\":[{\"n\":1},{\"n\":2}]}\n\n"
            "event: sample\ndata: {\"n\":3}\n\n");
}

TEST(StreamHub, KeepsNoMoreThanItsNumberOfSamples) {
  StreamHub hub({.max_samples = 2});
  for (int i = 0; i < 100; ++i) hub.PublishSample(std::to_string(i));
  EXPECT_THAT(ReadAll(**hub.Open({}, "{}")), HasSubstr(R"("samples":[98,99])"));
}

TEST(StreamHub, TellsASlowClientHowMuchItLostAndLeavesOthersAlone) {
  StreamHub hub;
  const auto slow = *hub.Open({.username = "alice", .session = "s"}, "{}");
  const auto quick = *hub.Open({.username = "bob", .session = "t"}, "{}");
  std::string seen;
  for (int i = 0; i < 100; ++i) {
    hub.Publish("alert", std::to_string(i));
    seen += ReadAll(*quick);
  }
  EXPECT_THAT(seen, Not(HasSubstr("gap")));
  EXPECT_THAT(seen, HasSubstr("data: 0\n"));
  const std::string late = ReadAll(*slow);
  EXPECT_THAT(late, StartsWith("event: hello\n"));
  EXPECT_THAT(late, HasSubstr("event: gap\ndata: {\"lost\":36}\n\nevent: alert\ndata: 36\n\n"));
  EXPECT_THAT(late, testing::EndsWith("data: 99\n\n"));
}

TEST(StreamHub, HasRoomFor64StreamsAnd8OfAUser) {
  StreamHub hub;
  for (int i = 0; i < 8; ++i)
    EXPECT_TRUE(hub.Open({.username = "alice", .session = "s"}, "{}").ok());
  EXPECT_TRUE(
      absl::IsResourceExhausted(hub.Open({.username = "alice", .session = "s"}, "{}").status()));
  for (int i = 0; i < 56; ++i)
    EXPECT_TRUE(hub.Open({.username = std::to_string(i), .session = "s"}, "{}").ok());
  EXPECT_TRUE(
      absl::IsResourceExhausted(hub.Open({.username = "bob", .session = "s"}, "{}").status()));
}

TEST(StreamHub, GivesAPlaceFreeWhenAStreamCloses) {
  StreamHub hub({.max_clients = 1});
  const auto client = *hub.Open({}, "{}");
  EXPECT_FALSE(hub.Open({}, "{}").ok());
  hub.Close(client);
  EXPECT_TRUE(hub.Open({}, "{}").ok());
}

TEST(StreamHub, EndsTheStreamsOfASession) {
  StreamHub hub;
  const auto mine = *hub.Open({.username = "alice", .session = "s"}, "{}");
  const auto other = *hub.Open({.username = "alice", .session = "t"}, "{}");
  hub.EndSession("s");
  bool ended = false;
  ReadAll(*mine, &ended);
  EXPECT_TRUE(ended);
  ReadAll(*other, &ended);
  EXPECT_FALSE(ended);
}

TEST(StreamHub, EndsAllAtShutdownAndTakesNoMore) {
  StreamHub hub;
  const auto client = *hub.Open({}, "{}");
  hub.Shutdown();
  bool ended = false;
  ReadAll(*client, &ended);
  EXPECT_TRUE(ended);
  EXPECT_FALSE(hub.Open({}, "{}").ok());
}

TEST(StreamClient, IsWokenOnceWhenSomethingComes) {
  StreamHub hub;
  const auto client = *hub.Open({}, "{}");
  ReadAll(*client);
  int parked = 0;
  int woken = 0;
  std::array<char, 64> buffer{};
  client->Read(
      buffer.data(), buffer.size(), [&] { ++parked; }, [&] { ++woken; });
  EXPECT_EQ(parked, 1);
  EXPECT_EQ(woken, 0);
  hub.Publish("alert", "1");
  hub.Publish("alert", "2");
  EXPECT_EQ(woken, 1);
}

TEST(StreamClient, IsNotWokenAfterItsConnectionIsGone) {
  StreamHub hub;
  const auto client = *hub.Open({}, "{}");
  ReadAll(*client);
  int woken = 0;
  std::array<char, 64> buffer{};
  client->Read(
      buffer.data(), buffer.size(), [] {}, [&] { ++woken; });
  hub.Close(client);
  client->Push(std::make_shared<const std::string>("x"));
  client->End();
  EXPECT_EQ(woken, 0);
}

TEST(StreamClient, GetsAHeartbeatOnlyWhenItHasNothingElseToRead) {
  StreamHub hub;
  const auto client = *hub.Open({}, "{}");
  ReadAll(*client);
  hub.Heartbeat();
  EXPECT_THAT(ReadAll(*client), StartsWith(":"));
  for (int i = 0; i < 10; ++i) hub.Heartbeat();
  hub.Publish("alert", "1");
  hub.Heartbeat();
  EXPECT_EQ(ReadAll(*client), ": still here\n\nevent: alert\ndata: 1\n\n");
}

TEST(StreamClient, EndsWhenItsPeerHasHungUp) {
  StreamHub hub;
  const auto client = *hub.Open({}, "{}");
  bool gone = false;
  client->SetPeerCheck([&] { return gone; });
  ReadAll(*client);
  hub.EndAbandoned();
  bool ended = false;
  ReadAll(*client, &ended);
  EXPECT_FALSE(ended);
  gone = true;
  hub.EndAbandoned();
  ReadAll(*client, &ended);
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace nta::server

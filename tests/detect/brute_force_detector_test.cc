// Password guessing, and what looks like it.
#include "nta/detect/brute_force_detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "detect/flow_events.h"
#include "detect/state_archive.h"

namespace nta {
namespace {

using namespace testing;  // NOLINT: the verbs of flow_events.h
using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const IpAddress kGuesser = IpAddress::V4(203, 0, 113, 5);
const IpAddress kServer = IpAddress::V4(10, 0, 0, 7);

struct Session {
  Duration at{};
  IpAddress from = kGuesser;
  IpAddress to = kServer;
  Application application = Application::kFtp;
  std::uint16_t port = 21;
  int failed = 0;
  int succeeded = 0;
  std::string user{};
  std::uint64_t sent = 200;
  std::uint64_t received = 300;
  Duration lasts = seconds(3);
  std::string http_status{};
};

FlowEvent EventOf(const Session& session) {
  FlowRecord flow;
  flow.first_seen = At(session.at);
  flow.last_seen = At(session.at + session.lasts);
  flow.protocol = kProtocolTcp;
  flow.source = {session.from,
                 static_cast<std::uint16_t>(1024 + session.at.count() / 1000000 % 60000)};
  flow.destination = {session.to, session.port};
  flow.outcome = ContactOutcome::kAnswered;
  flow.end_reason = FlowEndReason::kEndOfFlow;
  flow.application = session.application;
  flow.forward.payload_bytes = session.sent;
  flow.reverse.payload_bytes = session.received;
  FlowMetadata metadata;
  if (session.failed > 0)
    metadata.Set(MetadataField::kLoginFailures, std::to_string(session.failed));
  if (session.succeeded > 0) {
    metadata.Set(MetadataField::kLoginSuccesses, std::to_string(session.succeeded));
  }
  if (!session.user.empty()) metadata.Set(MetadataField::kUserName, session.user);
  if (!session.http_status.empty()) metadata.Set(MetadataField::kHttpStatus, session.http_status);
  if (!metadata.empty()) flow.metadata = std::make_shared<FlowMetadata>(metadata);
  return {FlowEventType::kEnded, flow.last_seen, flow};
}

std::vector<Alert> Guess(const std::vector<Session>& sessions, BruteForceOptions options = {}) {
  BruteForceDetector detector(options);
  std::vector<FlowEvent> events;
  for (const Session& session : sessions) events.push_back(EventOf(session));
  return AlertsOf(detector, events);
}

std::vector<Session> Repeated(int count, Session session, Duration pause = seconds(5)) {
  std::vector<Session> sessions;
  for (int i = 0; i < count; ++i) {
    sessions.push_back(session);
    sessions.back().at += i * pause;
  }
  return sessions;
}

std::vector<Session> operator+(std::vector<Session> a, const std::vector<Session>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const Session kFailed{.failed = 1};
const Session kSshFailed{
    .application = Application::kSsh, .port = 22, .sent = 1584, .received = 2431};
const Session kSshWork{.application = Application::kSsh,
                       .port = 22,
                       .sent = 9000,
                       .received = 80000,
                       .lasts = minutes(3)};

TEST(BruteForce, TenRefusalsRaiseAnAlertAndNineDoNot) {
  EXPECT_THAT(Guess(Repeated(9, kFailed)), IsEmpty());
  const std::vector<Alert> alerts = Guess(Repeated(40, kFailed));
  ASSERT_EQ(alerts.size(), 2u);
  EXPECT_EQ(alerts[0].alert_class, AlertClass::kBruteForce);
  EXPECT_EQ(alerts[0].observed, 10);
  EXPECT_EQ(alerts[0].entity.source, kGuesser);
  EXPECT_EQ(alerts[0].entity.destination, kServer);
  EXPECT_EQ(alerts[0].entity.service, "ftp");
  EXPECT_EQ(alerts[0].technique, "T1110.001");
  EXPECT_EQ(alerts[1].observed, 40);
  EXPECT_EQ(alerts[1].summary,
            "203.0.113.5 failed to log in to ftp on 10.0.0.7 40 times in 3 min: brute force");
}

TEST(BruteForce, SshSessionsThatEndAfterTheKeyExchangeAreGuesses) {
  const std::vector<Alert> alerts = Guess(Repeated(12, kSshFailed));
  ASSERT_FALSE(alerts.empty());
  EXPECT_EQ(alerts[0].entity.service, "ssh");
  EXPECT_EQ(std::get<std::string>(alerts[0].evidence.at("known_by")), "session_shape");
  // Post-quantum key exchange: more bytes in both directions.
  Session longer = kSshFailed;
  longer.sent = 3900;
  longer.received = 3100;
  EXPECT_FALSE(Guess(Repeated(12, longer)).empty());
}

TEST(BruteForce, AutomatedSshThatWorksIsSilent) {
  Session command = kSshFailed;  // ssh host true, by a monitoring system each minute
  command.sent = 3100;
  command.received = 3700;
  EXPECT_THAT(Guess(Repeated(2000, command, minutes(1))), IsEmpty());
  Session banner = kSshFailed;
  banner.sent = 20;
  banner.received = 40;
  EXPECT_THAT(Guess(Repeated(2000, banner, minutes(1))), IsEmpty());
  EXPECT_THAT(Guess(Repeated(500, kSshWork, minutes(5))), IsEmpty());
}

TEST(BruteForce, PeopleWhoMistypeAreSilent) {
  std::vector<Session> sessions;
  for (int day = 0; day < 60; ++day) {
    Session wrong = kFailed;
    wrong.at = day * hours(24);
    Session right{.at = wrong.at + seconds(60), .succeeded = 1};
    sessions = sessions + Repeated(3, wrong) + Repeated(1, right);
  }
  EXPECT_THAT(Guess(sessions), IsEmpty());
}

TEST(BruteForce, SlowGuessingIsFoundWithinThirtyTries) {
  const std::vector<Alert> alerts = Guess(Repeated(60, kSshFailed, minutes(5)));
  ASSERT_FALSE(alerts.empty());
  EXPECT_LE(alerts[0].observed, 30);
  EXPECT_EQ(alerts.size(), 2u) << "one alert for all of it";
}

TEST(BruteForce, SuccessAfterFailuresIsCritical) {
  Session success{.at = minutes(1), .succeeded = 1, .user = "root"};
  const std::vector<Alert> alerts = Guess(Repeated(6, kFailed) + Repeated(1, success));
  ASSERT_FALSE(alerts.empty());
  EXPECT_EQ(alerts[0].alert_class, AlertClass::kUnauthorisedAccess);
  EXPECT_EQ(alerts[0].severity, Severity::kCritical);
  EXPECT_EQ(alerts[0].technique, "T1078");
  EXPECT_THAT(alerts[0].summary, HasSubstr("logged in to ftp on 10.0.0.7 as \"root\" after 6"));
  EXPECT_THAT(Guess(Repeated(4, kFailed) + Repeated(1, success)), IsEmpty());
}

TEST(BruteForce, AnSshSessionThatGoesOnAfterGuessingIsCritical) {
  Session work = kSshWork;
  work.at = minutes(2);
  const std::vector<Alert> alerts = Guess(Repeated(15, kSshFailed) + Repeated(1, work));
  EXPECT_THAT(alerts,
              ::testing::Contains(Field(&Alert::alert_class, AlertClass::kUnauthorisedAccess)));
}

TEST(BruteForce, SprayingOverHostsAndOverUsersIsNamed) {
  std::vector<Session> over_hosts;
  for (int i = 0; i < 40; ++i) {
    Session session = kFailed;
    session.at = i * seconds(20);
    session.to = IpAddress::V4(10, 0, 1, static_cast<std::uint8_t>(i % 20));
    over_hosts.push_back(session);
  }
  const std::vector<Alert> alerts = Guess(over_hosts);
  ASSERT_FALSE(alerts.empty());
  EXPECT_EQ(alerts[0].technique, "T1110.003");
  EXPECT_FALSE(alerts[0].entity.destination.has_value());
  EXPECT_THAT(alerts, Each(Field(&Alert::id, alerts[0].id)));
  std::vector<Session> over_users = Repeated(30, kFailed);
  for (std::size_t i = 0; i < over_users.size(); ++i)
    over_users[i].user = "user" + std::to_string(i);
  const std::vector<Alert> users = Guess(over_users);
  ASSERT_FALSE(users.empty());
  EXPECT_THAT(users.back().summary, HasSubstr("password spraying"));
  EXPECT_EQ(users.back().technique, "T1110.003");
}

TEST(BruteForce, ManySourcesAtOneServiceAreOneAlert) {
  std::vector<Session> sessions;
  for (int i = 0; i < 300; ++i) {
    Session session = kFailed;
    session.at = i * seconds(10);
    session.from = IpAddress::V4(203, 0, static_cast<std::uint8_t>(i % 100), 9);
    sessions.push_back(session);
  }
  const std::vector<Alert> alerts = Guess(sessions);
  ASSERT_FALSE(alerts.empty());
  EXPECT_THAT(alerts[0].summary, HasSubstr("distributed brute force"));
  EXPECT_FALSE(alerts[0].entity.source.has_value());
  EXPECT_THAT(alerts, Each(Field(&Alert::id, alerts[0].id)));
}

TEST(BruteForce, AnOldPasswordIsALowAlert) {
  Session phone{.from = IpAddress::V4(10, 0, 0, 80),
                .application = Application::kImap,
                .port = 143,
                .failed = 1,
                .user = "anna"};
  const std::vector<Alert> alerts = Guess(Repeated(300, phone, minutes(10)));
  ASSERT_FALSE(alerts.empty());
  EXPECT_EQ(alerts[0].severity, Severity::kLow);
  EXPECT_THAT(alerts[0].summary, HasSubstr("old password"));
  EXPECT_EQ(alerts.size(), 3u) << "opened, grown tenfold, closed";
}

TEST(BruteForce, RefusedWebRequestsCountWhenNothingFollows) {
  Session refused{.application = Application::kHttp, .port = 80, .http_status = "401"};
  EXPECT_FALSE(Guess(Repeated(60, refused, seconds(2))).empty());
  EXPECT_THAT(Guess(Repeated(29, refused, seconds(2))), IsEmpty());
  EXPECT_THAT(Guess(Repeated(2000, refused, seconds(15))), IsEmpty()) << "proxies ask each time";
  refused.received = 20000;
  EXPECT_THAT(Guess(Repeated(100, refused, seconds(2))), IsEmpty()) << "the browser logged in";
}

TEST(BruteForce, RefusalsWithinOneConnectionCountOnce) {
  BruteForceDetector detector;
  std::vector<Alert> alerts;
  for (int failures = 1; failures <= 9; ++failures) {
    Session session = kFailed;
    session.failed = failures;
    FlowEvent event = EventOf(session);
    event.type = FlowEventType::kUpdated;
    event.flow.end_reason = FlowEndReason::kNone;
    event.time += failures * seconds(1);
    detector.Observe(event, alerts);
  }
  Session session = kFailed;
  session.failed = 9;
  FlowEvent ended = EventOf(session);
  ended.time += seconds(60);
  detector.Observe(ended, alerts);
  EXPECT_THAT(alerts, IsEmpty());
  session.failed = 10;
  session.at = seconds(120);
  detector.Observe(EventOf(session), alerts);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].observed, 19);
}

SecurityEvent Login(Duration at, SecurityOutcome outcome, std::string user = "admin") {
  return {.time = At(at),
          .source = kGuesser,
          .destination = {},
          .service = "nta-server",
          .user = std::move(user),
          .outcome = outcome,
          .reason = "wrong password"};
}

TEST(BruteForce, EventsOfTheApplicationCountLikeFlows) {
  BruteForceDetector detector;
  std::vector<Alert> alerts;
  for (int i = 0; i < 12; ++i) {
    detector.ObserveEvent(Login(i * seconds(2), SecurityOutcome::kFailure), alerts);
  }
  ASSERT_FALSE(alerts.empty());
  EXPECT_EQ(alerts.back().id, alerts[0].id) << "one alert, told again when it became more severe";
  EXPECT_EQ(alerts[0].entity.service, "nta-server");
  EXPECT_FALSE(alerts[0].entity.destination.has_value());
  EXPECT_EQ(std::get<std::string>(alerts[0].evidence.at("known_by")), "application_event");
  detector.ObserveEvent(Login(minutes(1), SecurityOutcome::kSuccess), alerts);
  EXPECT_EQ(alerts.back().alert_class, AlertClass::kUnauthorisedAccess);
}

std::vector<FlowEvent> Mixed() {
  std::vector<FlowEvent> events;
  std::mt19937 random(5);
  for (int i = 0; i < 1500; ++i) {
    Session session = i % 3 == 0 ? kSshFailed : kFailed;
    session.at = i * seconds(4);
    session.from = Host(static_cast<std::uint32_t>(random() % 9));
    session.to = IpAddress::V4(10, 9, 0, static_cast<std::uint8_t>(random() % 7));
    session.user = "user" + std::to_string(random() % 30);
    if (i % 17 == 0) session.succeeded = 1;
    events.push_back(EventOf(session));
  }
  return events;
}

TEST(BruteForce, GoesOnFromASavedStateAndRefusesDamagedOnes) {
  const std::vector<FlowEvent> events = Mixed();
  BruteForceDetector whole;
  const std::vector<Alert> expected = AlertsOf(whole, events);
  ASSERT_GT(expected.size(), 5u);
  std::string state;
  for (std::size_t split = 0; split <= events.size(); split += 250) {
    BruteForceDetector before;
    std::vector<Alert> alerts;
    for (std::size_t i = 0; i < split; ++i) before.Observe(events[i], alerts);
    BruteForceDetector after;
    state = before.Save();
    ASSERT_TRUE(after.Load(state).ok());
    for (std::size_t i = split; i < events.size(); ++i) after.Observe(events[i], alerts);
    after.Finish(alerts);
    ASSERT_EQ(alerts, expected) << split;
  }
  BruteForceDetector detector;
  const std::string own = detector.Save();
  for (std::size_t size = 0; size < state.size(); size += 97) {
    ASSERT_FALSE(detector.Load(state.substr(0, size)).ok());
  }
  EXPECT_FALSE(detector.Load(detect::SealState("brute_force", 1, "x")).ok());
  EXPECT_EQ(detector.Save(), own);
}

TEST(BruteForce, MemoryIsBoundedUnderManySources) {
  BruteForceDetector detector({.max_entries = 200});
  std::vector<Alert> alerts;
  for (std::uint32_t i = 0; i < 50'000; ++i) {
    Session session = kFailed;
    session.at = i * milliseconds(1);
    session.from = Host(i);
    session.user = std::string(60, 'u') + std::to_string(i);
    detector.Observe(EventOf(session), alerts);
  }
  EXPECT_LE(detector.memory_bytes(), detector.memory_limit_bytes());
  EXPECT_GT(detector.evictions(), 49'000u);
  EXPECT_LT(alerts.size(), 50u);
}

}  // namespace
}  // namespace nta

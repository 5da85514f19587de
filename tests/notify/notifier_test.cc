#include "nta/notify/notifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "notify/spool.h"

namespace nta {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::SizeIs;

const Timestamp kStart{seconds(1'800'000'000)};

struct Mailbox {
  std::vector<Notification> received;
  absl::Status answer;
};

class TestChannel final : public NotificationChannel {
 public:
  explicit TestChannel(Mailbox& mailbox) : mailbox_(mailbox) {}
  std::string_view kind() const override { return "test"; }
  absl::Status Send(const Notification& notification, Timestamp) override {
    if (mailbox_.answer.ok()) mailbox_.received.push_back(notification);
    return mailbox_.answer;
  }

 private:
  Mailbox& mailbox_;
};

class NotifierTest : public testing::Test {
 protected:
  NotifierTest() {
    std::string pattern = testing::TempDir() + "nta-notify-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    options_.directory = directory_ + "/queue";
    Restart();
  }
  ~NotifierTest() override { std::filesystem::remove_all(directory_); }

  void Restart() {
    notifier_.reset();
    notifier_ = *Notifier::Open(options_);
    notifier_->SetChannel("box", std::make_unique<TestChannel>(box_));
    notifier_->SetRoutes(routes_);
  }
  void Route(NotificationRoute route) {
    route.channel = "box";
    routes_ = {route};
    notifier_->SetRoutes(routes_);
  }
  static Notification News(int number, Severity severity = Severity::kHigh) {
    Notification news;
    news.id = "a" + std::to_string(number);
    news.time = kStart;
    news.kind = "alert";
    news.severity = severity;
    news.alert_class = "port_scan";
    news.state = "open";
    news.subject = "subject " + std::to_string(number);
    news.text = "text";
    news.facts = {{"n", std::to_string(number)}};
    news.json = std::to_string(number);
    return news;
  }
  ChannelStats Box() { return notifier_->Stats().at("box"); }
  std::size_t Files() {
    std::size_t files = 0;
    for (const auto& file : std::filesystem::directory_iterator(options_.directory)) {
      files += file.path().extension() == ".news" ? 1 : 0;
    }
    return files;
  }

  std::string directory_;
  NotifierOptions options_;
  Mailbox box_;
  std::vector<NotificationRoute> routes_ = {
      {.id = "all", .channel = "box", .min_severity = Severity::kMedium}};
  std::unique_ptr<Notifier> notifier_;
};

TEST_F(NotifierTest, SendsWhatARouteWants) {
  EXPECT_EQ(notifier_->Offer(News(1, Severity::kLow), kStart), 0U);
  EXPECT_EQ(notifier_->Offer(News(2), kStart), 1U);
  Notification closed = News(3);
  closed.state = "closed";
  EXPECT_EQ(notifier_->Offer(closed, kStart), 0U);
  EXPECT_EQ(notifier_->Step(kStart), Timestamp::max());
  ASSERT_THAT(box_.received, SizeIs(1));
  EXPECT_EQ(box_.received[0], News(2));
  EXPECT_EQ(Box().sent, 1U);
  EXPECT_EQ(Box().queued, 0U);
  EXPECT_EQ(Files(), 0U);
  Route({.id = "floods", .classes = {"syn_flood"}});
  EXPECT_EQ(notifier_->Offer(News(4), kStart), 0U);
}

TEST_F(NotifierTest, KeepsTheQueueOverARestart) {
  box_.answer = absl::UnavailableError("away");
  for (int i = 0; i < 5; ++i) notifier_->Offer(News(i), kStart);
  notifier_->Step(kStart);
  EXPECT_EQ(Files(), 5U);
  Restart();
  EXPECT_EQ(Box().queued, 5U);
  box_.answer = absl::OkStatus();
  notifier_->Step(kStart + seconds(1));
  ASSERT_THAT(box_.received, SizeIs(5));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(box_.received[static_cast<std::size_t>(i)], News(i));
  EXPECT_EQ(Files(), 0U);
}

TEST_F(NotifierTest, TriesAgainLaterAndLater) {
  box_.answer = absl::UnavailableError("away");
  notifier_->Offer(News(1), kStart);
  Timestamp now = kStart;
  std::vector<Duration> pauses;
  for (int i = 0; i < 8; ++i) {
    const Timestamp next = notifier_->Step(now);
    pauses.push_back(next - now);
    // Nothing happens before it is time.
    const auto attempts = Box().failed_attempts;
    notifier_->Step(next - seconds(1));
    EXPECT_EQ(Box().failed_attempts, attempts);
    now = next;
  }
  EXPECT_THAT(pauses, ElementsAre(seconds(5), seconds(10), seconds(20), seconds(40), minutes(5),
                                  minutes(5), seconds(320), minutes(10)));
  EXPECT_TRUE(Box().resting);
  EXPECT_EQ(Box().last_error, "away");
  box_.answer = absl::OkStatus();
  EXPECT_EQ(notifier_->Step(now), Timestamp::max());
  EXPECT_FALSE(Box().resting);
  EXPECT_EQ(Box().last_error, "");
}

TEST_F(NotifierTest, ARestingChannelIsTriedWithOneMessage) {
  box_.answer = absl::UnavailableError("away");
  for (int i = 0; i < 100; ++i) notifier_->Offer(News(i), kStart);
  notifier_->Step(kStart);
  EXPECT_EQ(Box().failed_attempts, 1U);
}

TEST_F(NotifierTest, DropsWhatTheReceiverWillNeverTake) {
  box_.answer = absl::InvalidArgumentError("no such mailbox");
  notifier_->Offer(News(1), kStart);
  EXPECT_EQ(notifier_->Step(kStart), Timestamp::max());
  EXPECT_EQ(Box().refused, 1U);
  EXPECT_EQ(Box().queued, 0U);
}

TEST_F(NotifierTest, GivesUpAfterADay) {
  box_.answer = absl::UnavailableError("away");
  notifier_->Offer(News(1), kStart);
  notifier_->Step(kStart);
  notifier_->Step(kStart + hours(25));
  EXPECT_EQ(Box().dropped, 1U);
  EXPECT_EQ(Box().queued, 0U);
  EXPECT_EQ(Files(), 0U);
}

TEST_F(NotifierTest, DropsTheOldestOfTheLeastSevereWhenFull) {
  options_.max_queued = 10;
  Restart();
  box_.answer = absl::UnavailableError("away");
  for (int i = 0; i < 5; ++i) notifier_->Offer(News(i, Severity::kCritical), kStart);
  notifier_->Step(kStart);
  for (int i = 5; i < 105; ++i) notifier_->Offer(News(i, Severity::kMedium), kStart);
  EXPECT_EQ(Box().queued, 10U);
  EXPECT_EQ(Box().dropped, 95U);
  box_.answer = absl::OkStatus();
  notifier_->Step(kStart + minutes(1));
  ASSERT_THAT(box_.received, SizeIs(10));
  EXPECT_EQ(box_.received[4].id, "a4");
  EXPECT_EQ(box_.received[5].id, "a100");
}

TEST_F(NotifierTest, CollectsADigest) {
  Route({.id = "daily", .digest = hours(1)});
  for (int i = 0; i < 3; ++i) notifier_->Offer(News(i), kStart + minutes(10 * i));
  EXPECT_EQ(notifier_->Step(kStart + minutes(30)), kStart + hours(1));
  EXPECT_THAT(box_.received, SizeIs(0));
  Restart();
  notifier_->Offer(News(3), kStart + minutes(40));
  notifier_->Step(kStart + hours(1));
  ASSERT_THAT(box_.received, SizeIs(1));
  EXPECT_EQ(box_.received[0].kind, "digest");
  EXPECT_EQ(box_.received[0].subject, "4 alerts: 4 high");
  EXPECT_EQ(box_.received[0].json, "[0,1,2,3]");
  EXPECT_EQ(Box().delivered, 4U);
  EXPECT_EQ(Box().sent, 1U);
}

TEST_F(NotifierTest, TurnsAStormIntoFewMessagesAndLosesNothing) {
  options_.max_per_hour = 10;
  Restart();
  Timestamp now = kStart;
  for (int i = 0; i < 1000; ++i) {
    notifier_->Offer(News(i), now);
    notifier_->Step(now);
    now += seconds(1);
  }
  for (int i = 0; i < 300; ++i) {
    notifier_->Step(now);
    now += minutes(1);
  }
  EXPECT_EQ(Box().delivered, 1000U);
  EXPECT_LE(Box().sent, 20U);
  EXPECT_EQ(Box().dropped, 0U);
}

TEST_F(NotifierTest, WaitsForAChannelThatIsNotThereYet) {
  notifier_->SetChannel("box", nullptr);
  notifier_->Offer(News(1), kStart);
  EXPECT_EQ(notifier_->Step(kStart), Timestamp::max());
  EXPECT_EQ(Box().queued, 1U);
  notifier_->SetChannel("box", std::make_unique<TestChannel>(box_));
  notifier_->Step(kStart);
  EXPECT_THAT(box_.received, SizeIs(1));
}

TEST_F(NotifierTest, PutsDamagedEntriesAside) {
  box_.answer = absl::UnavailableError("away");
  for (int i = 0; i < 3; ++i) notifier_->Offer(News(i), kStart);
  notifier_->Step(kStart);
  notifier_.reset();
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(options_.directory)) {
    names.push_back(file.path());
  }
  std::sort(names.begin(), names.end());
  std::ofstream(names[1], std::ios::app) << "more";
  std::ofstream(options_.directory + "/00000000000000000099.news.part") << "half";
  Restart();
  EXPECT_EQ(notifier_->damaged(), 1U);
  EXPECT_EQ(Box().queued, 2U);
  EXPECT_TRUE(std::filesystem::exists(names[1] + ".bad"));
  EXPECT_FALSE(std::filesystem::exists(options_.directory + "/00000000000000000099.news.part"));
}

TEST(Spool, FindsEveryDamagedByte) {
  notify::Entry entry;
  entry.number = 7;
  entry.channel = "box";
  entry.news.id = "id";
  entry.news.facts = {{"name", "value"}};
  const std::string bytes = notify::Encode(entry);
  ASSERT_TRUE(notify::Decode(bytes));
  EXPECT_EQ(notify::Decode(bytes)->news, entry.news);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(notify::Decode(damaged)) << i;
    EXPECT_FALSE(notify::Decode(bytes.substr(0, i))) << i;
  }
}

}  // namespace
}  // namespace nta

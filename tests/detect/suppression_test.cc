#include "nta/detect/suppression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nta {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Timestamp kMonday = *ParseTimestamp("2026-11-16T00:00:00Z");

Alert MakeAlert(const char* id = "scan-1", AlertState state = AlertState::kOpen) {
  Alert alert;
  alert.id = id;
  alert.time = kMonday + hours(12);
  alert.detector = "port_scan";
  alert.alert_class = AlertClass::kPortScan;
  alert.state = state;
  alert.entity.source = *IpAddress::Parse("10.0.0.5");
  alert.entity.destination = *IpAddress::Parse("192.0.2.8");
  alert.entity.service = "tcp/22";
  return alert;
}

Suppression Named(const char* id = "s1") {
  return {.id = id, .detectors = {"port_scan"}, .reason = "known scanner", .author = "ops"};
}

std::vector<IpPrefix> Net(const char* text) { return {*IpPrefix::Parse(text)}; }

TEST(Suppression, FitsWhenAllThatItNamesFits) {
  const Alert alert = MakeAlert();
  Suppression suppression = Named();
  EXPECT_TRUE(Matches(suppression, alert));
  suppression.sources = Net("10.0.0.0/24");
  EXPECT_TRUE(Matches(suppression, alert));
  suppression.destinations = Net("192.0.2.8");
  EXPECT_TRUE(Matches(suppression, alert));
  suppression.ports = {{20, 30}};
  EXPECT_TRUE(Matches(suppression, alert));
  suppression.classes = {AlertClass::kHostSweep, AlertClass::kPortScan};
  EXPECT_TRUE(Matches(suppression, alert));
  for (const auto& change : std::vector<std::function<void(Suppression&)>>{
           [](Suppression& s) { s.sources = Net("10.0.1.0/24"); },
           [](Suppression& s) { s.destinations = Net("192.0.2.9"); },
           [](Suppression& s) {
             s.ports = {{23, 30}};
           },
           [](Suppression& s) { s.classes = {AlertClass::kHostSweep}; },
           [](Suppression& s) { s.detectors = {"flood"}; },
           [](Suppression& s) { s.hosts = Net("203.0.113.0/24"); },
           [](Suppression& s) { s.domains = {"example.org"}; },
           [](Suppression& s) { s.begins = kMonday + hours(13); },
           [](Suppression& s) { s.expires = kMonday + hours(12); }}) {
    Suppression other = suppression;
    change(other);
    EXPECT_FALSE(Matches(other, alert));
  }
}

TEST(Suppression, MeansDomainsAndAllBelowThem) {
  Suppression suppression = Named();
  suppression.domains = {"example.org"};
  const auto fits = [&](EvidenceValue evidence) {
    Alert alert = MakeAlert();
    alert.evidence["domain"] = std::move(evidence);
    return Matches(suppression, alert);
  };
  EXPECT_TRUE(fits("example.org"));
  EXPECT_TRUE(fits("a.b.EXAMPLE.org."));
  EXPECT_FALSE(fits("badexample.org"));
  EXPECT_FALSE(fits("example.org.evil.net"));
  EXPECT_TRUE(fits(std::vector<std::string>{"x.example.org", "example.org"}));
  EXPECT_FALSE(fits(std::vector<std::string>{"x.example.org", "other.net"}));
}

TEST(Suppression, ReadsPortsOfEveryKindOfService) {
  Suppression suppression = Named();
  suppression.ports = {*ParsePortRange("22")};
  const auto fits = [&](std::optional<std::string> service) {
    Alert alert = MakeAlert();
    alert.entity.service = std::move(service);
    return Matches(suppression, alert);
  };
  EXPECT_TRUE(fits("tcp/22"));
  EXPECT_TRUE(fits("destination_port 22"));
  EXPECT_TRUE(fits("22"));
  EXPECT_FALSE(fits("tcp/2222"));
  EXPECT_FALSE(fits("tcp/65558"));  // 22 in 16 bits
  EXPECT_FALSE(fits(std::nullopt));
}

TEST(WeeklyTime, SpansMidnightAndWeeks) {
  const WeeklyTime nights = *ParseWeeklyTime("mon-fri 22:00-06:00");
  EXPECT_EQ(ToString(nights), "mon,tue,wed,thu,fri 22:00-06:00");
  EXPECT_FALSE(nights.Contains(kMonday + hours(5)));  // the night of Sunday
  EXPECT_FALSE(nights.Contains(kMonday + hours(12)));
  EXPECT_TRUE(nights.Contains(kMonday + hours(22)));
  EXPECT_TRUE(nights.Contains(kMonday + hours(24 + 5)));
  EXPECT_FALSE(nights.Contains(kMonday + hours(24 + 6)));
  EXPECT_TRUE(nights.Contains(kMonday + hours(5 * 24 + 5)));  // Saturday morning
  EXPECT_FALSE(nights.Contains(kMonday + hours(5 * 24 + 23)));
  const WeeklyTime all = *ParseWeeklyTime("daily 00:00-24:00");
  EXPECT_TRUE(all.Contains(kMonday + hours(23) + minutes(59)));
  EXPECT_TRUE(
      ParseWeeklyTime("sat-mon,thu 01:30-02:00")->Contains(kMonday + hours(1) + minutes(45)));
  for (const char* wrong :
       {"", "mon", "monday 01:00-02:00", "mon 1:00-2:00", "mon 01:00", "mon 24:00-01:00",
        "mon 01:60-02:00", "mon, 01:00-02:00", "mon 01:00-25:00", "-fri 01:00-02:00"}) {
    EXPECT_FALSE(ParseWeeklyTime(wrong).ok()) << wrong;
  }
}

TEST(Suppression, IsRefusedWithoutReasonOrScope) {
  EXPECT_TRUE(Validate(Named()).ok());
  Suppression suppression = Named();
  suppression.reason.clear();
  EXPECT_FALSE(Validate(suppression).ok());
  suppression = Named();
  suppression.detectors.clear();
  EXPECT_FALSE(Validate(suppression).ok());
  suppression.kind = SuppressionKind::kMaintenance;
  EXPECT_FALSE(Validate(suppression).ok()) << "without an end";
  suppression.expires = kMonday;
  EXPECT_TRUE(Validate(suppression).ok());
  suppression.begins = kMonday;
  EXPECT_FALSE(Validate(suppression).ok());
  suppression = Named();
  suppression.domains = {"*."};
  EXPECT_FALSE(Validate(suppression).ok());
  suppression = Named();
  for (const char* reason : {"a\nb", "turned \xE2\x80\xAE round", "no \xFF UTF-8"}) {
    suppression.reason = reason;
    EXPECT_FALSE(Validate(suppression).ok()) << reason;
  }
  for (const char* wrong : {"", "-", "1-", "-1", "2-1", "70000", "a", "1-2-3"}) {
    EXPECT_FALSE(ParsePortRange(wrong).ok()) << wrong;
  }
}

class AlertFilterTest : public testing::Test {
 protected:
  std::string Apply(const Alert& alert) {
    std::vector<Alert> alerts = {alert};
    filter_.Apply(alerts);
    return alerts[0].suppressed_by;
  }

  AlertFilter filter_ = *AlertFilter::Create({Named()});
};

TEST_F(AlertFilterTest, CountsExactlyWhatItHides) {
  for (int i = 0; i < 1000; ++i) {
    const std::string id = "scan-" + std::to_string(i);
    EXPECT_EQ(Apply(MakeAlert(id.c_str())), "s1");
    EXPECT_EQ(Apply(MakeAlert(id.c_str(), AlertState::kUpdated)), "s1");
    EXPECT_EQ(Apply(MakeAlert(id.c_str(), AlertState::kClosed)), "s1");
    Alert other = MakeAlert(("flood-" + std::to_string(i)).c_str());
    other.detector = "flood";
    EXPECT_EQ(Apply(other), "");
  }
  EXPECT_EQ(filter_.Counts().at("s1"),
            (SuppressionCount{.alerts = 1000, .states = 3000, .last = kMonday + hours(12)}));
}

TEST_F(AlertFilterTest, ShowsTheEndOfWhatWasShown) {
  ASSERT_TRUE(filter_.Replace({}).ok());
  EXPECT_EQ(Apply(MakeAlert("a")), "");
  ASSERT_TRUE(filter_.Replace({Named()}).ok());
  EXPECT_EQ(Apply(MakeAlert("a", AlertState::kUpdated)), "s1");
  EXPECT_EQ(Apply(MakeAlert("a", AlertState::kUpdated)), "s1");
  EXPECT_EQ(Apply(MakeAlert("a", AlertState::kClosed)), "");
  EXPECT_EQ(filter_.Counts().at("s1").alerts, 1U);
  EXPECT_EQ(filter_.Counts().at("s1").states, 2U);
}

TEST_F(AlertFilterTest, ShowsWhatGoesOnWhenTheSuppressionEnds) {
  EXPECT_EQ(Apply(MakeAlert("a")), "s1");
  ASSERT_TRUE(filter_.Replace({}).ok());
  EXPECT_EQ(Apply(MakeAlert("a", AlertState::kUpdated)), "");
  EXPECT_EQ(Apply(MakeAlert("a", AlertState::kClosed)), "");
}

TEST_F(AlertFilterTest, HidesTheEndOfWhatWasHidden) {
  EXPECT_EQ(Apply(MakeAlert("a")), "s1");
  ASSERT_TRUE(filter_.Replace({}).ok());
  EXPECT_EQ(Apply(MakeAlert("a", AlertState::kClosed)), "s1");
}

TEST_F(AlertFilterTest, KeepsCountsOfThoseThatStay) {
  Apply(MakeAlert("a"));
  ASSERT_TRUE(filter_.Replace({Named("s0"), Named("s1")}).ok());
  EXPECT_EQ(filter_.Counts().at("s1").alerts, 1U);
  filter_.AddCount("s1", {.alerts = 5, .states = 9, .last = kMonday});
  EXPECT_EQ(filter_.Counts().at("s1").alerts, 6U);
  EXPECT_EQ(filter_.Counts().at("s1").last, kMonday + hours(12));
  // The first that fits hides.
  EXPECT_EQ(Apply(MakeAlert("b")), "s0");
  EXPECT_FALSE(filter_.Replace({Named(), Named()}).ok());
}

TEST_F(AlertFilterTest, ForgetsTheOldestBeyondItsRoom) {
  for (std::size_t i = 0; i <= AlertFilter::kMostHidden; ++i) {
    Apply(MakeAlert(("n" + std::to_string(i)).c_str()));
  }
  EXPECT_EQ(Apply(MakeAlert("n0", AlertState::kClosed)), "");
  EXPECT_EQ(Apply(MakeAlert("n1", AlertState::kClosed)), "s1");
  EXPECT_EQ(filter_.Counts().at("s1").alerts, AlertFilter::kMostHidden + 1);
}

}  // namespace
}  // namespace nta

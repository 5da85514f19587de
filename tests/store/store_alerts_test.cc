#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "store/store_fixture.h"

namespace nta {
namespace {

using std::chrono::seconds;

Alert ScanAlert(const std::string& id, Timestamp time) {
  Alert alert;
  alert.id = id;
  alert.time = time;
  alert.detector = "port_scan";
  alert.alert_class = AlertClass::kPortScan;
  alert.severity = Severity::kHigh;
  alert.score = 20.5;
  alert.observed = 100;
  alert.expected = 1.25;
  alert.unit = "failed contacts";
  alert.entity = {IpAddress::V4(10, 0, 0, 1), *IpAddress::Parse("2001:db8::1"), "tcp/22"};
  alert.window = std::chrono::minutes(5);
  alert.evidence = {{"count", std::int64_t{-7}},
                    {"rate", 0.5},
                    {"note", std::string("a \"quoted\" note\0with a zero", 27)},
                    {"ports", std::vector<std::string>{"22", "", "80"}},
                    {"nothing", std::vector<std::string>{}}};
  alert.technique = "T1046";
  alert.confidence = 0.75;
  alert.band_low = 0.5;
  alert.band_high = 7;
  alert.first_seen = time - std::chrono::seconds(9);
  alert.last_seen = time;
  alert.peers = {{"10.0.0.2 and others", 0.625}, {"", 1e-9}};
  alert.advice = "isolate it";
  alert.suppressed_by = "s-1";
  alert.state = AlertState::kUpdated;
  alert.count = 3;
  alert.summary = "10.0.0.1 scans";
  return alert;
}

class StoreAlerts : public StoreTest {};

TEST_F(StoreAlerts, GivesBackEveryField) {
  Alert bare;
  bare.id = "bare";
  const std::vector<Alert> alerts{ScanAlert("scan", kEight), bare};
  ASSERT_TRUE(OpenStore()->Write({}, alerts).ok());
  const auto page = OpenStore()->Alerts({});
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->alerts, alerts);
}

TEST_F(StoreAlerts, KeepsNumbersThatAreNone) {
  Alert alert = ScanAlert("scan", kEight);
  alert.score = std::numeric_limits<double>::quiet_NaN();
  alert.observed = std::numeric_limits<double>::infinity();
  alert.evidence = {{"rate", std::numeric_limits<double>::quiet_NaN()}};
  alert.count = std::numeric_limits<std::uint64_t>::max();
  const auto store = OpenStore();
  ASSERT_TRUE(store->Write({}, {&alert, 1}).ok());
  const auto page = store->Alerts({});
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_TRUE(std::isnan(page->alerts.at(0).score));
  EXPECT_TRUE(std::isinf(page->alerts.at(0).observed));
  EXPECT_TRUE(std::isnan(std::get<double>(page->alerts.at(0).evidence.at("rate"))));
  EXPECT_EQ(page->alerts.at(0).count, 9223372036854775807u);
}

TEST_F(StoreAlerts, ShowsAnAlertOnceInItsLatestState) {
  const auto store = OpenStore();
  const Alert first = ScanAlert("scan", kEight);
  Alert second = ScanAlert("scan", At(seconds(60)));
  second.state = AlertState::kClosed;
  second.evidence = {{"only", std::int64_t{1}}};
  ASSERT_TRUE(store->Write({}, {&first, 1}).ok());
  ASSERT_TRUE(store->Write({}, std::vector<Alert>{first, second}).ok());
  const auto page = store->Alerts({});
  ASSERT_EQ(page->alerts.size(), 1u);
  EXPECT_EQ(page->alerts[0], second);
  EXPECT_EQ(store->Summary({})->alerts, 1u);
}

TEST_F(StoreAlerts, SelectsByTimeClassAndSeverity) {
  const auto store = OpenStore();
  std::vector<Alert> alerts;
  for (int i = 0; i < 10; ++i) {
    alerts.push_back(ScanAlert("alert-" + std::to_string(i), At(seconds(i))));
    alerts.back().severity = static_cast<Severity>(i % 5);
    alerts.back().alert_class = i < 5 ? AlertClass::kPortScan : AlertClass::kBeacon;
  }
  ASSERT_TRUE(store->Write({}, alerts).ok());
  const auto count = [&](const AlertQuery& query) { return store->Alerts(query)->alerts.size(); };
  EXPECT_EQ(count({}), 10u);
  EXPECT_EQ(count({.interval = {At(seconds(2)), At(seconds(5))}}), 3u);
  EXPECT_EQ(count({.alert_class = AlertClass::kBeacon}), 5u);
  EXPECT_EQ(count({.min_severity = Severity::kHigh}), 4u);
  EXPECT_EQ(count({.alert_class = AlertClass::kPortScan, .min_severity = Severity::kCritical}), 1u);
  EXPECT_EQ(count({.alert_class = AlertClass::kArpSpoof}), 0u);
}

TEST_F(StoreAlerts, PagesNewestFirstWithoutGapsOrRepeats) {
  const auto store = OpenStore();
  std::vector<Alert> alerts;
  for (int i = 0; i < 25; ++i)
    alerts.push_back(ScanAlert("alert-" + std::to_string(i), At(seconds(i / 4))));
  ASSERT_TRUE(store->Write({}, alerts).ok());
  std::vector<Alert> found;
  AlertQuery query{.limit = 4};
  do {
    const auto page = store->Alerts(query);
    ASSERT_TRUE(page.ok()) << page.status();
    found.insert(found.end(), page->alerts.begin(), page->alerts.end());
    query.cursor = page->next_cursor;
  } while (!query.cursor.empty());
  ASSERT_EQ(found.size(), 25u);
  for (std::size_t i = 1; i < found.size(); ++i) {
    EXPECT_GT(std::pair(found[i - 1].time, found[i - 1].id), std::pair(found[i].time, found[i].id));
  }
}

TEST_F(StoreAlerts, RefusesWrongQueries) {
  const auto store = OpenStore();
  for (const AlertQuery& query :
       {AlertQuery{.limit = 0}, AlertQuery{.limit = 10'001}, AlertQuery{.cursor = "n1_31"},
        AlertQuery{.interval = {At(seconds(1)), kEight}}}) {
    EXPECT_EQ(store->Alerts(query).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace nta

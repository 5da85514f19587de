// Block lists, and services that are reached from outside.
#include "nta/detect/policy_detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "detect/flow_events.h"
#include "detect/state_archive.h"
#include "nta/detect/default_detectors.h"

namespace nta {
namespace {

using namespace testing;  // NOLINT: the verbs of flow_events.h
using ::testing::HasSubstr;
using ::testing::IsEmpty;

BlockList ListOf(std::string_view text) {
  auto list = BlockList::Parse(text, "test");
  EXPECT_TRUE(list.ok()) << list.status();
  return list.ok() ? *std::move(list) : BlockList();
}

TEST(BlockList, HoldsAddressesNetworksAndNamesWithAllBelowThem) {
  const BlockList list = ListOf(
      "# comment\n198.51.100.7\n203.0.113.0/24 ; spam\n\n2001:db8::/32\r\nEvil.Example\n"
      "0.0.0.0 ads.example.net\n*.tracker.example.org\n||bad.example.com^\n");
  EXPECT_EQ(list.size(), 7u);
  EXPECT_EQ(list.Match(*IpAddress::Parse("198.51.100.7")), "198.51.100.7/32");
  EXPECT_EQ(list.Match(*IpAddress::Parse("203.0.113.200")), "203.0.113.0/24");
  EXPECT_EQ(list.Match(*IpAddress::Parse("2001:db8::1")), "2001:db8::/32");
  EXPECT_EQ(list.Match(*IpAddress::Parse("198.51.100.8")), std::nullopt);
  EXPECT_EQ(list.Match("evil.example"), "evil.example");
  EXPECT_EQ(list.Match("www.EVIL.example."), "evil.example");
  EXPECT_EQ(list.Match("notevil.example"), std::nullopt);
  EXPECT_EQ(list.Match("x.tracker.example.org"), "tracker.example.org");
  EXPECT_EQ(list.Match("bad.example.com"), "bad.example.com");
  EXPECT_EQ(list.Match(""), std::nullopt);
}

TEST(BlockList, NamesTheLineThatIsWrong) {
  const auto wrong = BlockList::Parse("198.51.100.7\nnot a name\n", "list.txt");
  EXPECT_EQ(wrong.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(wrong.status().message()), HasSubstr("list.txt:2: \"not a name\""));
  EXPECT_EQ(BlockList::Parse("10.0.0.1/8", "x").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(BlockList::Parse("a.b\nc.d\ne.f", "x", 2).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(BlockList::Read({"/does/not/exist"}).status().code(), absl::StatusCode::kNotFound);
}

FlowEvent Answered(const IpAddress& from, const IpAddress& to, std::uint16_t port,
                   Duration at = seconds(1), std::string_view name = {}) {
  FlowEvent event = EventsOf(Attempt{
      .at = at, .from = from, .to = to, .port = port, .outcome = ContactOutcome::kAnswered})[1];
  if (!name.empty()) {
    FlowMetadata metadata;
    metadata.Set(MetadataField::kServerName, name);
    event.flow.metadata = std::make_shared<FlowMetadata>(metadata);
  }
  return event;
}

const IpAddress kOutside = IpAddress::V4(203, 0, 113, 5);
const IpAddress kInside = IpAddress::V4(192, 168, 1, 10);

TEST(Policy, AServiceForInsideReachedFromOutsideIsReportedOnce) {
  PolicyDetector detector;
  const std::vector<Alert> alerts = AlertsOf(
      detector, {Answered(kOutside, kInside, 3389), Answered(kOutside, kInside, 3389, seconds(5)),
                 Answered(IpAddress::V4(203, 0, 113, 6), kInside, 3389, seconds(9))});
  ASSERT_EQ(alerts.size(), 2u);
  EXPECT_EQ(alerts[0].alert_class, AlertClass::kPolicy);
  EXPECT_EQ(alerts[0].technique, "T1133");
  EXPECT_EQ(alerts[0].entity.destination, kInside);
  EXPECT_EQ(alerts[0].entity.service, "tcp/3389");
}

TEST(Policy, WhatIsAllowedIsSilent) {
  PolicyDetector detector({.allowed_sources = {*IpPrefix::Parse("203.0.113.0/24")}});
  FlowEvent unanswered = Answered(IpAddress::V4(198, 51, 100, 1), kInside, 3389);
  unanswered.flow.outcome = ContactOutcome::kPending;
  EXPECT_THAT(AlertsOf(detector, {Answered(kOutside, kInside, 3389),
                                  Answered(IpAddress::V4(10, 0, 0, 1), kInside, 3389),
                                  Answered(kInside, kOutside, 3389), unanswered,
                                  Answered(IpAddress::V4(198, 51, 100, 1), kInside, 443)}),
              IsEmpty());
}

class BlockListFile : public ::testing::Test {
 protected:
  BlockListFile()
      : path_(std::filesystem::temp_directory_path() /
              ("nta_block_list_" + std::to_string(::getpid()) + ".txt")) {}
  ~BlockListFile() override { std::filesystem::remove(path_); }

  void Write(std::string_view text) {
    std::ofstream(path_) << text;
    // Another time stamp even where the file system tells seconds only.
    std::filesystem::last_write_time(path_, std::filesystem::file_time_type::clock::now() -
                                                std::chrono::seconds(100 - ++writes_));
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
  int writes_ = 0;
};

TEST_F(BlockListFile, AddressesAndNamesThatAreBlockedAreReported) {
  Write("203.0.113.0/24\nevil.example\n");
  auto detector = PolicyDetector::Create({.block_lists = {path()}});
  ASSERT_TRUE(detector.ok()) << detector.status();
  const IpAddress resolver = IpAddress::V4(192, 168, 1, 1);
  const std::vector<Alert> alerts =
      AlertsOf(**detector, {Answered(kInside, kOutside, 443),
                            Answered(kInside, resolver, 53, seconds(2), "www.evil.example"),
                            Answered(kInside, resolver, 53, seconds(3), "good.example")});
  ASSERT_EQ(alerts.size(), 4u);
  EXPECT_THAT(alerts[0].summary, HasSubstr("192.168.1.10 talks to 203.0.113.5"));
  EXPECT_EQ(std::get<std::string>(alerts[0].evidence.at("entry")), "203.0.113.0/24");
  EXPECT_EQ(std::get<std::string>(alerts[0].evidence.at("application_evidence")), "none");
  EXPECT_EQ(std::get<std::string>(alerts[1].evidence.at("matched")), "www.evil.example");
}

TEST_F(BlockListFile, AChangedFileIsReadAgainAndABrokenOneLeavesTheListAsItWas) {
  Write("198.51.100.1\n");
  auto detector = PolicyDetector::Create({.block_lists = {path()}});
  ASSERT_TRUE(detector.ok());
  std::vector<Alert> alerts;
  (*detector)->Observe(Answered(kInside, kOutside, 443), alerts);
  EXPECT_THAT(alerts, IsEmpty());
  Write("203.0.113.5\n");
  (*detector)->Observe(Answered(kInside, kOutside, 443, minutes(2)), alerts);
  EXPECT_EQ(alerts.size(), 1u);
  Write("this is no list\n");
  (*detector)->AdvanceTo(At(minutes(4)), alerts);
  EXPECT_EQ((*detector)->reload_error().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ((*detector)->block_entries(), 1u);
  Write("203.0.113.5\n198.51.100.1\n");
  (*detector)->AdvanceTo(At(minutes(6)), alerts);
  EXPECT_TRUE((*detector)->reload_error().ok());
  EXPECT_EQ((*detector)->block_entries(), 2u);
}

TEST(Policy, GoesOnFromASavedStateAndRefusesDamagedOnes) {
  PolicyDetector before;
  std::vector<Alert> alerts;
  before.Observe(Answered(kOutside, kInside, 3389), alerts);
  PolicyDetector after;
  ASSERT_TRUE(after.Load(before.Save()).ok());
  after.Observe(Answered(kOutside, kInside, 3389, seconds(9)), alerts);
  EXPECT_EQ(alerts.size(), 1u);
  EXPECT_FALSE(after.Load(detect::SealState("policy", 1, "x")).ok());
  EXPECT_FALSE(after.Load("").ok());
}

TEST(DefaultDetectors, AllTogetherDeclareLessThanTheirBudget) {
  const auto detectors = DefaultDetectors();
  ASSERT_TRUE(detectors.ok()) << detectors.status();
  std::size_t sum = 0;
  for (const auto& detector : *detectors) {
    EXPECT_GT(detector->memory_limit_bytes(), 0u) << detector->name();
    EXPECT_LE(detector->memory_bytes(), detector->memory_limit_bytes()) << detector->name();
    std::printf("%-12s %6.2f MB\n", std::string(detector->name()).c_str(),
                static_cast<double>(detector->memory_limit_bytes()) / 1e6);
    sum += detector->memory_limit_bytes();
  }
  EXPECT_LE(sum, std::size_t{64} << 20);
}

TEST(DefaultDetectors, CanBeTurnedOffByName) {
  const std::vector<std::string> names = DefaultDetectorNames();
  for (const std::string& name : names) {
    const auto detectors = DefaultDetectors({.disabled = {name}});
    ASSERT_TRUE(detectors.ok());
    EXPECT_EQ(detectors->size(), names.size() - 1);
  }
  const auto wrong = DefaultDetectors({.disabled = {"typo"}});
  EXPECT_EQ(wrong.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(wrong.status().message()),
              HasSubstr("no detector \"typo\" (have: flood"));
  EXPECT_EQ(DefaultDetectors({.policy = {.block_lists = {"/does/not/exist"}}}).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace nta

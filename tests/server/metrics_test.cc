#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "app_fixture.h"

namespace nta::server {
namespace {

using ::testing::HasSubstr;

class MetricsTest : public AppTest {
 protected:
  MetricsTest() { Restart(Generous()); }

  // Without a token: scrapers have none.
  Response Scrape() { return Call("GET", "/metrics"); }
};

TEST_F(MetricsTest, TellWhatTheCaptureCounts) {
  capture_.ledger = {
      .received = 15, .decoded = 9, .malformed = 1, .unsupported = 2, .filtered = 0, .dropped = 3};
  capture_.capture.dropped_buffer = 3;
  capture_.capture.outage_time = std::chrono::milliseconds(1500);
  capture_.flow_table.active = 4;
  capture_.flow_table.evicted = 5;
  capture_.store.flows_written = 6;
  const Response response = Scrape();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(response.body, HasSubstr("\nnta_packets_received_total 15\n"));
  EXPECT_THAT(response.body, HasSubstr("\nnta_packets_total{outcome=\"decoded\"} 9\n"));
  EXPECT_THAT(response.body, HasSubstr("\nnta_packets_total{outcome=\"dropped\"} 3\n"));
  EXPECT_THAT(response.body,
              HasSubstr("\nnta_capture_dropped_packets_total{where=\"buffer\"} 3\n"));
  EXPECT_THAT(response.body, HasSubstr("\nnta_capture_outage_seconds_total 1.5\n"));
  EXPECT_THAT(response.body, HasSubstr("\nnta_flows_active 4\n"));
  EXPECT_THAT(response.body,
              HasSubstr("\nnta_flows_ended_total{reason=\"lack_of_resources\"} 5\n"));
  EXPECT_THAT(response.body, HasSubstr("\nnta_store_flows_written_total 6\n"));
  EXPECT_THAT(response.body, HasSubstr("\nnta_capture_running 1\n"));
  EXPECT_THAT(response.body, HasSubstr("\nnta_store_up 1\n"));
}

TEST_F(MetricsTest, TellWhatFails) {
  capture_.state = CaptureState::kFailed;
  services_->store_health.Tell(absl::ResourceExhaustedError("full"), monotonic_);
  const Response response = Scrape();
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("\nnta_capture_running 0\n"));
  EXPECT_THAT(response.body, HasSubstr("\nnta_store_up 0\n"));
}

TEST_F(MetricsTest, CountTheRequestsOfTheApi) {
  EXPECT_THAT(Scrape().body, HasSubstr("\nnta_http_requests_total 0\n"));
  EXPECT_EQ(Me("no token"), 401);
  EXPECT_THAT(Scrape().body, HasSubstr("\nnta_http_requests_total 2\n"));
}

TEST_F(MetricsTest, AreTextThatPrometheusReads) {
  const std::regex sample(R"(([a-z_]+)(\{[a-z]+="[a-z0-9_.]+"\})? [0-9.e+-]+)");
  std::set<std::string> families;
  std::istringstream lines(Scrape().body);
  std::string family;
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(families.insert(family).second) << line;
    } else if (line.starts_with("# TYPE ")) {
      const bool is_counter = family.ends_with("_total");
      EXPECT_EQ(line, "# TYPE " + family + (is_counter ? " counter" : " gauge"));
    } else {
      ASSERT_TRUE(std::regex_match(line, match, sample)) << line;
      EXPECT_EQ(match[1], family);
    }
  }
  EXPECT_GE(families.size(), 15U);
}

}  // namespace
}  // namespace nta::server

// The port scan detector on captures of other projects. Set NTA_CORPUS_DIR to the corpus.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "nta/capture/pcap_file_reader.h"
#include "nta/detect/port_scan_detector.h"
#include "nta/pipeline/pipeline.h"

namespace nta {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PortScanCorpus : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* directory = std::getenv("NTA_CORPUS_DIR");
    if (directory == nullptr) {
      GTEST_SKIP() << "NTA_CORPUS_DIR is not set: the captures of other projects are not read";
    }
    captures_ = fs::path(directory) / "captures";
    ASSERT_TRUE(fs::is_directory(captures_)) << captures_;
  }

  // A file that ends early, or holds no capture, gives what could be read.
  static std::vector<Alert> AlertsIn(const fs::path& file) {
    std::vector<Alert> alerts;
    auto reader = PcapFileReader::Open(file.string());
    if (!reader.ok()) return alerts;
    PortScanDetector detector;
    Pipeline pipeline(**reader);
    pipeline.AddDetector(detector);
    pipeline
        .Run([&alerts](const Batch& batch) {
          alerts.insert(alerts.end(), batch.alerts.begin(), batch.alerts.end());
          return absl::OkStatus();
        })
        .IgnoreError();
    return alerts;
  }

  void ExpectScan(const std::string& file, AlertClass alert_class, const std::string& attacker) {
    ASSERT_TRUE(fs::exists(captures_ / file)) << file;
    const std::vector<Alert> alerts = AlertsIn(captures_ / file);
    ASSERT_FALSE(alerts.empty()) << file;
    for (const Alert& alert : alerts) {
      EXPECT_EQ(alert.alert_class, alert_class) << alert.summary;
      EXPECT_EQ(alert.entity.source->ToString(), attacker) << alert.summary;
    }
    EXPECT_LE(alerts.front().observed, 10) << "found after so many failed contacts";
    EXPECT_EQ(alerts.back().state, AlertState::kClosed);
  }

  fs::path captures_;
};

TEST_F(PortScanCorpus, ScansAreFoundWithTheirAttackerByTheTenthFailure) {
  const std::string zeek = "ncsa+bro-simple-scan/testing/pcaps/";
  ExpectScan(zeek + "port_scan.pcap", AlertClass::kPortScan, "192.168.2.154");
  // Nine hosts in 6250 seconds, written to the file in the reverse order.
  ExpectScan(zeek + "445_scan.pcap", AlertClass::kHostSweep, "176.192.150.3");
  ExpectScan("esnet-security+curated-pcaps/attacks/scanners/masscan/tcp_0_1000_20190821.pcap",
             AlertClass::kPortScan, "172.31.15.102");
  // A ping sweep in which 11 of 18 hosts answer.
  ExpectScan("stratosphereips+StratosphereLinuxIPS/dataset/test12-icmp-portscan.pcap",
             AlertClass::kHostSweep, "192.168.1.109");
}

// One port of one host; floods from thousands of invented sources; reflections; ordinary traffic of
// all kinds.
TEST_F(PortScanCorpus, EverythingElseIsSilent) {
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(captures_)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().string();
    const bool is_scan = name.find("simple-scan") != std::string::npos ||
                         name.find("masscan") != std::string::npos ||
                         name.find("icmp-portscan") != std::string::npos;
    if (is_scan) continue;
    ++files;
    for (const Alert& alert : AlertsIn(entry.path()))
      ADD_FAILURE() << name << ": " << alert.summary;
  }
  EXPECT_GT(files, 100);
}

// tests/data/README.md says what happened: 120 ports of one server, 119 of them closed, then one
// port of 24 addresses that nobody has.
TEST(PortScanSample, FindsTheScanAndTheSweepOfTheSampleCaptureAndNothingElse) {
  const std::string sample = std::string(NTA_TEST_DATA_DIR) + "/sample.pcap";
  auto reader = PcapFileReader::Open(sample);
  ASSERT_TRUE(reader.ok()) << reader.status();
  PortScanDetector detector;
  Pipeline pipeline(**reader);
  pipeline.AddDetector(detector);
  std::vector<Alert> alerts;
  ASSERT_TRUE(pipeline
                  .Run([&alerts](const Batch& batch) {
                    alerts.insert(alerts.end(), batch.alerts.begin(), batch.alerts.end());
                    return absl::OkStatus();
                  })
                  .ok());
  std::vector<std::string> last_words;
  for (const Alert& alert : alerts) {
    if (alert.state == AlertState::kClosed) last_words.push_back(alert.summary);
  }
  EXPECT_THAT(last_words,
              ElementsAre(AllOf(HasSubstr("192.0.2.66 tried 120 ports of 198.51.100.22"),
                                HasSubstr("119 attempts failed: port scan")),
                          AllOf(HasSubstr("192.0.2.66 tried tcp/22 on 24 hosts"),
                                HasSubstr("24 attempts failed: host sweep"))));
}

}  // namespace
}  // namespace nta

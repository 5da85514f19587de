// own_detector FILE: a detector in one class: flows that carry much more one way than the other.
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "nta/nta.h"
#include "usage.h"

namespace {

// The tracker gives alerts their ids and their life: what goes on is one alert, and it closes after
// five quiet minutes.
class UploadDetector final : public nta::Detector {
 public:
  explicit UploadDetector(std::uint64_t min_bytes) : min_bytes_(min_bytes) {}

  std::string_view name() const override { return "upload"; }
  void Observe(const nta::FlowEvent& event, std::vector<nta::Alert>& alerts) override {
    AdvanceTo(event.time, alerts);
    const nta::FlowRecord& flow = event.flow;
    const std::uint64_t sent = flow.forward.payload_bytes;
    const std::uint64_t received = flow.reverse.payload_bytes;
    if (!event.closes_record() || sent < min_bytes_ || sent < 10 * received) return;
    tracker_.Raise(
        {.alert_class = nta::AlertClass::kExfiltration,
         .entity = {.source = flow.source.address,
                    .destination = flow.destination.address,
                    .service = {}},
         .severity = nta::Severity::kLow,
         .magnitude = static_cast<double>(sent)},
        event.time,
        [&](nta::Alert& alert) {
          alert.observed = static_cast<double>(sent);
          alert.expected = static_cast<double>(received);
          alert.unit = "bytes";
          alert.summary = flow.source.address.ToString() + " sent " + std::to_string(sent) +
                          " bytes to " + flow.destination.address.ToString() + " and got " +
                          std::to_string(received);
        },
        alerts);
  }
  void AdvanceTo(nta::Timestamp now, std::vector<nta::Alert>& alerts) override {
    tracker_.AdvanceTo(now, alerts);
  }
  void Finish(std::vector<nta::Alert>& alerts) override { tracker_.Finish(alerts); }
  std::size_t memory_bytes() const override { return sizeof(*this) + tracker_.memory_bytes(); }
  std::string Save() const override { return tracker_.Save(); }
  absl::Status Load(std::string_view state) override { return tracker_.Load(state); }

 private:
  const std::uint64_t min_bytes_;
  nta::AlertTracker tracker_{"upload"};
};

}  // namespace

int main(int argc, char** argv) {
  constexpr char kUsage[] =
      "own_detector FILE\n"
      "Flows that carry much more one way than the other, found by a detector of our own.";
  if (const auto status = AnswerUsage(argc, argv, 1, 1, kUsage)) return *status;
  auto capture = nta::PcapFileReader::Open(argv[1]);
  absl::Status status = capture.status();
  if (capture.ok()) {
    UploadDetector uploads(10'000);
    nta::Pipeline pipeline(**capture);
    pipeline.AddDetector(uploads);
    status = pipeline.Run([](const nta::Batch& batch) {
      for (const nta::Alert& alert : batch.alerts) {
        std::printf("%s %s\n", std::string(nta::ToString(alert.state)).c_str(),
                    alert.summary.c_str());
      }
      return absl::OkStatus();
    });
  }
  if (status.ok()) return 0;
  std::fprintf(stderr, "own_detector: %s\n", std::string(status.message()).c_str());
  return 1;
}

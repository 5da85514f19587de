// Scenario: a store's life in short, step by step, and how to tell what it holds after each.
#ifndef NTA_TESTS_STORE_STORE_SCENARIO_H_
#define NTA_TESTS_STORE_STORE_SCENARIO_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "store/store_fixture.h"

namespace nta {

// What a store holds, in a line; empty when it cannot be told.
inline std::string ContentsOf(const Store& store) {
  const auto all = store.Top({.dimension = TopDimension::kAddress, .limit = 1'000});
  const auto raw = store.Top({.dimension = TopDimension::kAddress,
                              .limit = 1'000,
                              .filter = *FlowFilter::Parse("bytes>=0")});
  const auto alerts = store.Alerts({.limit = 1'000});
  const auto setting = store.GetSetting("mark");
  const auto documents = store.Documents({.kind = "test"});
  const auto size = store.Size();
  if (!all.ok() || !raw.ok() || !alerts.ok() || !documents.ok() || !size.ok()) return "";
  if (!setting.ok() && !absl::IsNotFound(setting.status())) return "";
  // Totals are always those of the flows that are there.
  EXPECT_EQ(all->total, raw->total);
  EXPECT_EQ(all->rows.size(), raw->rows.size());
  EXPECT_EQ(all->total.flows, size->flows);
  return std::to_string(all->total.flows) + " flows " + std::to_string(all->total.bytes) +
         " bytes " + std::to_string(alerts->alerts.size()) + " alerts " +
         (setting.ok() ? *setting : "-") + " " + std::to_string(documents->documents.size()) +
         " documents";
}

inline bool IsTyped(const absl::Status& status) {
  return status.ok() || absl::IsResourceExhausted(status) || absl::IsUnavailable(status) ||
         absl::IsDataLoss(status) || absl::IsNotFound(status) || absl::IsPermissionDenied(status);
}

// Everything a store does with a disk: writes, seals blocks, adds totals up, answers, deletes.
class Scenario {
 public:
  using Step = std::function<absl::Status(Store&)>;

  Scenario() {
    Write(100);
    Write(300);  // fills a block
    steps_.push_back([](Store& store) { return store.PutSetting("mark", "one"); });
    Write(700);
    // Arguments are made beforehand: memory may be short within the steps.
    const Document document{.kind = "test", .id = "a", .body = "{}"};
    steps_.push_back([document](Store& store) { return store.PutDocument(document).status(); });
    std::vector<Alert> alerts(3);
    for (std::size_t i = 0; i < alerts.size(); ++i) {
      alerts[i].id = std::to_string(i);
      alerts[i].time = At(std::chrono::hours(1));  // stays
    }
    steps_.push_back([alerts](Store& store) { return store.Write({}, alerts); });
    steps_.push_back(
        [](Store& store) { return store.DeleteBefore(At(std::chrono::minutes(20))).status(); });
    Write(50);
    steps_.push_back([](Store& store) { return store.PutSetting("mark", "two"); });
    Import(600);
    steps_.push_back([](Store& store) {
      return store.Retain({.flow_age = std::chrono::hours(1)}, At(std::chrono::minutes(90)))
          .status();
    });
    Write(300);
  }

  const std::vector<Step>& steps() const { return steps_; }

  static StoreOptions Options(const std::string& path) {
    return {.path = path,
            .query_timeout = std::chrono::seconds(60),
            .flows_per_block = 256,
            .reserve_bytes = 0};
  }

 private:
  void Write(std::size_t count) {
    steps_.push_back(
        [flows = random_.Take(count)](Store& store) { return store.Write(flows, {}); });
  }
  void Import(std::size_t count) {
    steps_.push_back([flows = random_.Take(count)](Store& store) {
      // In slices of 100, which is more than goes directly.
      std::size_t begin = 0;
      const auto next = [&]() -> absl::StatusOr<std::vector<FlowRecord>> {
        const std::size_t end = std::min(begin + 100, flows.size());
        const std::vector<FlowRecord> slice(flows.begin() + static_cast<std::ptrdiff_t>(begin),
                                            flows.begin() + static_cast<std::ptrdiff_t>(end));
        begin = end;
        return slice;
      };
      return store.Import(next).status();
    });
  }

  RandomFlows random_{77};
  std::vector<Step> steps_;
};

// How many rounds, points or kills a test does: `few` unless the environment says.
inline std::uint64_t CountFrom(const char* variable, std::uint64_t few) {
  const char* text = std::getenv(variable);
  return text == nullptr ? few : std::strtoull(text, nullptr, 10);
}

}  // namespace nta

#endif  // NTA_TESTS_STORE_STORE_SCENARIO_H_

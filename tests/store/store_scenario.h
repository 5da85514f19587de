// Scenario: a store's life in short, step by step, and how to tell what it holds after each.
#ifndef NTA_TESTS_STORE_STORE_SCENARIO_H_
#define NTA_TESTS_STORE_STORE_SCENARIO_H_

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
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
  const auto users = store.Users();
  const auto samples = store.Samples({.names = {"test"}, .step = std::chrono::hours(24)});
  const auto size = store.Size();
  if (!all.ok() || !raw.ok() || !alerts.ok() || !documents.ok() || !size.ok()) return "";
  if (!users.ok() || !samples.ok()) return "";
  if (!setting.ok() && !absl::IsNotFound(setting.status())) return "";
  // Totals are always those of the flows that are there.
  EXPECT_EQ(all->total, raw->total);
  EXPECT_EQ(all->rows.size(), raw->rows.size());
  EXPECT_EQ(all->total.flows, size->flows);
  return std::to_string(all->total.flows) + " flows " + std::to_string(all->total.bytes) +
         " bytes " + std::to_string(alerts->alerts.size()) + " alerts " +
         (setting.ok() ? *setting : "-") + " " + std::to_string(documents->documents.size()) +
         " documents " + std::to_string(users->size()) + " users " +
         std::to_string(samples->at(0).points.empty() ? 0 : samples->at(0).points[0].count) +
         " samples";
}

inline bool IsTyped(const absl::Status& status) {
  return status.ok() || absl::IsResourceExhausted(status) || absl::IsUnavailable(status) ||
         absl::IsDataLoss(status) || absl::IsNotFound(status) || absl::IsPermissionDenied(status);
}

// Everything a store does with a disk: writes, seals blocks, adds totals up, answers, deletes.
class Scenario {
 public:
  using Step = std::function<absl::Status(Store&)>;
  // kSmall does everything with so few flows that each fault can be tried at each place.
  enum class Size { kFull, kSmall };

  explicit Scenario(Size size = Size::kFull) {
    if (size == Size::kSmall) {
      MakeSmall();
    } else {
      MakeFull();
    }
  }

  const std::vector<Step>& steps() const { return steps_; }
  // Places of steps that may be done in part when they fail: by blocks, or but for the space.
  const std::vector<std::size_t>& deletions() const { return deletions_; }
  // Before this step the store is opened anew; 0: never.
  std::size_t reopening() const { return reopening_; }

  static StoreOptions Options(const std::string& path) {
    return {.path = path,
            .query_timeout = std::chrono::seconds(60),
            .flows_per_block = 256,
            .reserve_bytes = 0};
  }

 private:
  void MakeFull() {
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
    deletions_.push_back(steps_.size());
    steps_.push_back(
        [](Store& store) { return store.DeleteBefore(At(std::chrono::minutes(20))).status(); });
    Write(50);
    steps_.push_back([](Store& store) { return store.PutSetting("mark", "two"); });
    Import(random_.Take(600), 100);
    deletions_.push_back(steps_.size());
    steps_.push_back([](Store& store) {
      return store.Retain({.flow_age = std::chrono::hours(1)}, At(std::chrono::minutes(90)))
          .status();
    });
    Write(300);
  }

  void Write(std::size_t count) {
    steps_.push_back(
        [flows = random_.Take(count)](Store& store) { return store.Write(flows, {}); });
  }
  void Import(std::vector<FlowRecord> flows, std::size_t at_once) {
    steps_.push_back([flows = std::move(flows), at_once](Store& store) {
      // In slices, which is more than goes directly.
      std::size_t begin = 0;
      const auto next = [&]() -> absl::StatusOr<std::vector<FlowRecord>> {
        const std::size_t end = std::min(begin + at_once, flows.size());
        const std::vector<FlowRecord> slice(flows.begin() + static_cast<std::ptrdiff_t>(begin),
                                            flows.begin() + static_cast<std::ptrdiff_t>(end));
        begin = end;
        return slice;
      };
      return store.Import(next).status();
    });
  }

  // Of two hosts and two hours, one in four in the first.
  static std::vector<FlowRecord> FewHosts(int count) {
    std::vector<FlowRecord> flows;
    for (int i = 0; i < count; ++i) {
      const auto begin = std::chrono::minutes(i % 4 == 0 ? 10 : 70);
      flows.push_back(TcpFlow(At(begin + std::chrono::milliseconds(i)), std::chrono::seconds(1),
                              i % 3 == 0 ? kServer : kClient, i % 3 == 0 ? kClient : kServer));
    }
    FlowMetadata metadata;
    metadata.Set(MetadataField::kServerName, "www.example");
    flows.back().metadata = std::make_shared<FlowMetadata>(metadata);
    return flows;
  }
  void WriteFew(int count) {
    steps_.push_back([flows = FewHosts(count)](Store& store) { return store.Write(flows, {}); });
  }
  void MakeSmall() {
    WriteFew(20);
    WriteFew(240);  // fills a block
    steps_.push_back([](Store& store) { return store.PutSetting("mark", "one"); });
    const Document document{.kind = "test", .id = "a", .body = "{}"};
    steps_.push_back([document](Store& store) { return store.PutDocument(document).status(); });
    const User user{.username = "ana", .password_hash = "x", .role = "admin"};
    steps_.push_back([user](Store& store) { return store.AddUser(user); });
    std::vector<Alert> alerts(2);
    std::vector<Sample> samples(2);
    for (std::size_t i = 0; i < alerts.size(); ++i) {
      alerts[i].id = std::to_string(i);
      // One goes, one stays.
      alerts[i].time = samples[i].time = At(std::chrono::minutes(i == 0 ? 60 : 120));
      alerts[i].evidence = {{"ports", std::int64_t{3}}};
      samples[i].name = "test";
    }
    steps_.push_back([alerts](Store& store) { return store.Write({}, alerts); });
    steps_.push_back([samples](Store& store) { return store.WriteSamples(samples); });
    steps_.push_back([](Store& store) { return store.MarkCaptured({kEight, At(kHour)}); });
    steps_.push_back([](Store& store) { return store.RecordCapture(kEight, {.packets_seen = 9}); });
    deletions_.push_back(steps_.size());
    steps_.push_back([](Store& store) { return store.DeleteBefore(At(kHour / 2)).status(); });
    reopening_ = steps_.size();
    Import(FewHosts(90), 30);
    deletions_.push_back(steps_.size());
    steps_.push_back([](Store& store) {
      const RetentionPolicy policy{
          .flow_age = kHour, .alert_age = kHour, .sample_age = kHour, .alert_bytes = 1 << 30};
      return store.Retain(policy, At(5 * kHour / 2)).status();
    });
    WriteFew(20);
  }
  static constexpr std::chrono::minutes kHour{60};

  RandomFlows random_{77};
  std::vector<Step> steps_;
  std::vector<std::size_t> deletions_;
  std::size_t reopening_ = 0;
};

// How many rounds, points or kills a test does: `few` unless the environment says.
inline std::uint64_t CountFrom(const char* variable, std::uint64_t few) {
  const char* text = std::getenv(variable);
  return text == nullptr ? few : std::strtoull(text, nullptr, 10);
}

}  // namespace nta

#endif  // NTA_TESTS_STORE_STORE_SCENARIO_H_

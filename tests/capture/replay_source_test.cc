#include "nta/capture/replay_source.h"

#include <gtest/gtest.h>

#include "nta/capture/memory_source.h"
#include "support/packet_builder.h"

namespace nta::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A clock that passes only when somebody sleeps.
struct FakeClock {
  Timestamp now = At(std::chrono::years(1));
  Duration slept{};

  ReplayOptions Options() {
    ReplayOptions options;
    options.now = [this] { return now; };
    options.sleep = [this](Duration duration) {
      now += duration;
      slept += duration;
    };
    return options;
  }
};

ReplaySource::Opener Recording(std::vector<Duration> offsets, int* opened = nullptr) {
  return [offsets, opened]() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
    if (opened != nullptr) ++*opened;
    auto source = std::make_unique<MemorySource>(MemorySourceOptions{.name = "recording"});
    for (const Duration offset : offsets) {
      PacketView view;
      view.time = At(offset);
      source->Push(view);
    }
    source->Close();
    return source;
  };
}

// Times of `count` packets.
std::vector<Timestamp> Play(ReplaySource& source, std::size_t count, int* timeouts = nullptr) {
  std::vector<Timestamp> times;
  PacketBatch batch;
  while (times.size() < count) {
    const auto result = source.Read(batch);
    if (!result.ok() || *result == ReadResult::kEnd) break;
    if (*result == ReadResult::kTimeout && timeouts != nullptr) ++*timeouts;
    for (const PacketView& packet : batch) times.push_back(packet.time);
  }
  return times;
}

TEST(ReplaySource, KeepsDistancesAndMovesThemToThePresent) {
  FakeClock clock;
  const Timestamp start = clock.now;
  auto source =
      ReplaySource::Open(Recording({seconds(0), seconds(1), milliseconds(1500)}), clock.Options());
  ASSERT_TRUE(source.ok());
  EXPECT_TRUE((*source)->is_live());
  EXPECT_EQ((*source)->name(), "recording");
  int timeouts = 0;
  EXPECT_EQ(Play(**source, 3, &timeouts),
            (std::vector<Timestamp>{start, start + seconds(1), start + milliseconds(1500)}));
  EXPECT_EQ(clock.slept, milliseconds(1500));
  EXPECT_GE(timeouts, 8) << "it never sleeps longer than its timeout";
  PacketBatch batch;
  EXPECT_EQ(*(*source)->Read(batch), ReadResult::kEnd);
  EXPECT_EQ((*source)->Stats().received, 3U);
}

TEST(ReplaySource, SpeedDividesDistances) {
  FakeClock clock;
  const Timestamp start = clock.now;
  ReplayOptions options = clock.Options();
  options.speed = 10;
  auto source = ReplaySource::Open(Recording({seconds(0), seconds(1)}), options);
  EXPECT_EQ(Play(**source, 2)[1], start + milliseconds(100));
}

TEST(ReplaySource, NothingComesBeforeItIsDue) {
  FakeClock clock;
  auto source = ReplaySource::Open(Recording({seconds(0), seconds(5), seconds(5), seconds(4)}),
                                   clock.Options());
  PacketBatch batch;
  std::size_t packets = 0;
  for (auto result = (*source)->Read(batch); *result != ReadResult::kEnd;
       result = (*source)->Read(batch)) {
    for (const PacketView& packet : batch) EXPECT_LE(packet.time, clock.now);
    packets += batch.size();
  }
  EXPECT_EQ(packets, 4U);
}

TEST(ReplaySource, RepeatsWithAPauseBetweenTheRounds) {
  FakeClock clock;
  const Timestamp start = clock.now;
  ReplayOptions options = clock.Options();
  options.repeat = ReplayRepeat::kForever;
  options.pause = seconds(3);
  int opened = 0;
  auto source = ReplaySource::Open(Recording({seconds(0), seconds(1)}, &opened), options);
  EXPECT_EQ(Play(**source, 5),
            (std::vector<Timestamp>{start, start + seconds(1), start + seconds(4),
                                    start + seconds(5), start + seconds(8)}));
  EXPECT_EQ(opened, 3);
}

TEST(ReplaySource, EmptyRecordingEndsEvenWhenItRepeats) {
  FakeClock clock;
  ReplayOptions options = clock.Options();
  options.repeat = ReplayRepeat::kForever;
  auto source = ReplaySource::Open(Recording({}), options);
  PacketBatch batch;
  EXPECT_EQ(*(*source)->Read(batch), ReadResult::kEnd);
}

TEST(ReplaySource, FailsAsItsOpenerFails) {
  FakeClock clock;
  const auto failing = []() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
    return absl::NotFoundError("gone");
  };
  EXPECT_EQ(ReplaySource::Open(failing, clock.Options()).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(ReplaySource, RefusesOptionsThatCannotWork) {
  FakeClock clock;
  EXPECT_EQ(ReplaySource::Open(Recording({}), {}).status().code(),
            absl::StatusCode::kInvalidArgument);
  for (const double speed : {0.0, -1.0, std::nan("")}) {
    ReplayOptions options = clock.Options();
    options.speed = speed;
    EXPECT_EQ(ReplaySource::Open(Recording({}), options).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace nta::test

#include "nta/capture/multi_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "nta/capture/memory_source.h"
#include "read_capture.h"
#include "support/packet_builder.h"

namespace nta::test {
namespace {

Timestamp Second(std::int64_t count) { return Timestamp(std::chrono::seconds(count)); }

using Members = std::vector<std::unique_ptr<PacketSource>>;

// A capture of packets at these seconds, whose wire lengths tell the file.
CaptureFile FileOf(const std::vector<std::uint32_t>& seconds, std::uint32_t wire_bytes) {
  CaptureFile file;
  file.PcapHeader();
  for (const std::uint32_t second : seconds) file.PcapRecord(second, 0, 4, wire_bytes, 4);
  return file;
}

std::unique_ptr<PacketSource> OpenFile(const TemporaryFile& file,
                                       PcapFileReaderOptions options = {}) {
  auto reader = PcapFileReader::Open(file.path(), options);
  EXPECT_TRUE(reader.ok()) << reader.status();
  return *std::move(reader);
}

struct Merged {
  std::vector<Packet> packets;
  absl::Status error;
};
Merged ReadToTheEnd(MultiSource& source, std::size_t max_batch = 256) {
  Merged merged;
  PacketBatch batch;
  while (true) {
    const auto result = source.Read(batch);
    if (!result.ok() || *result == ReadResult::kEnd) {
      merged.error = result.status();
      EXPECT_TRUE(batch.empty());
      return merged;
    }
    EXPECT_EQ(*result, ReadResult::kPackets);
    EXPECT_FALSE(batch.empty());
    EXPECT_LE(batch.size(), max_batch);
    for (const PacketView& packet : batch) merged.packets.emplace_back(packet);
  }
}

TEST(MultiSource, FilesAreMergedByTimeExactly) {
  std::mt19937 random(3);
  for (const std::size_t max_batch : {1U, 7U, 256U}) {
    std::vector<std::unique_ptr<TemporaryFile>> files;
    Members members;
    std::vector<std::uint32_t> all;
    for (std::uint32_t i = 0; i < 5; ++i) {
      std::vector<std::uint32_t> seconds(i * 300);
      for (std::uint32_t& second : seconds) second = static_cast<std::uint32_t>(random() % 100'000);
      std::sort(seconds.begin(), seconds.end());
      all.insert(all.end(), seconds.begin(), seconds.end());
      files.push_back(std::make_unique<TemporaryFile>(FileOf(seconds, 100 + i).bytes()));
      members.push_back(OpenFile(*files.back(), {.max_batch = 64}));
    }
    std::sort(all.begin(), all.end());
    auto source = MultiSource::Create(std::move(members), {.max_batch = max_batch});
    ASSERT_TRUE(source.ok()) << source.status();
    EXPECT_FALSE((*source)->is_live());
    const Merged merged = ReadToTheEnd(**source, max_batch);
    EXPECT_TRUE(merged.error.ok()) << merged.error;
    ASSERT_EQ(merged.packets.size(), all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      const PacketView packet = merged.packets[i].view();
      ASSERT_EQ(packet.time, Second(all[i])) << i;
      ASSERT_EQ(packet.interface_id, packet.wire_bytes - 100) << "it tells the file";
    }
    const CaptureStats stats = (*source)->Stats();
    EXPECT_EQ(stats.received, all.size());
    EXPECT_EQ(stats.received_bytes, 4 * all.size());
    EXPECT_EQ(stats.bytes_read, stats.bytes_total);
    EXPECT_EQ((*source)->MemberStats().at(2).received, 600U);
  }
}

TEST(MultiSource, RetainedPacketsStay) {
  std::vector<std::uint32_t> seconds(40'000);
  for (std::uint32_t i = 0; i < seconds.size(); ++i) seconds[i] = i;
  const TemporaryFile first(FileOf(seconds, 100).bytes());
  const TemporaryFile second(FileOf(seconds, 200).bytes());
  Members members;
  members.push_back(OpenFile(first));
  members.push_back(OpenFile(second));
  auto source = MultiSource::Create(std::move(members));
  std::vector<PacketView> packets;
  std::vector<std::shared_ptr<const void>> retained;
  PacketBatch batch;
  while (*(*source)->Read(batch) == ReadResult::kPackets) {
    retained.push_back((*source)->Retain());
    ASSERT_NE(retained.back(), nullptr);
    packets.insert(packets.end(), batch.begin(), batch.end());
  }
  source->reset();
  ASSERT_EQ(packets.size(), 80'000U);
  for (const PacketView& packet : packets) ASSERT_EQ(packet.bytes[3], 0x55);

  Members others;
  others.push_back(std::make_unique<MemorySource>());
  static_cast<MemorySource&>(*others[0]).Push({});
  auto cannot = MultiSource::Create(std::move(others));
  ASSERT_EQ(*(*cannot)->Read(batch), ReadResult::kPackets);
  EXPECT_EQ((*cannot)->Retain(), nullptr) << "its member cannot";
}

TEST(MultiSource, PacketsOfOneTimeComeInTheOrderOfTheMembers) {
  const TemporaryFile first(FileOf({1, 2, 2, 3}, 100).bytes());
  const TemporaryFile second(FileOf({2, 2, 3}, 200).bytes());
  Members members;
  members.push_back(OpenFile(first));
  members.push_back(OpenFile(second));
  const Merged merged = ReadToTheEnd(**MultiSource::Create(std::move(members)));
  std::vector<std::uint32_t> lengths;
  for (const Packet& packet : merged.packets) lengths.push_back(packet.view().wire_bytes);
  EXPECT_EQ(lengths, (std::vector<std::uint32_t>{100, 100, 100, 200, 200, 100, 200}));
}

TEST(MultiSource, InterfacesAreNumberedOverAllMembers) {
  CaptureFile two;
  two.Section().Interface(1).Interface(101).Enhanced(1, 1, 4, 4);
  two.Interface(113).Enhanced(2, 3'000'000, 4, 4);
  const TemporaryFile first(two.bytes());
  const TemporaryFile second(FileOf({2}, 100).bytes());
  Members members;
  members.push_back(OpenFile(first, {.max_batch = 1}));
  members.push_back(OpenFile(second));
  auto source = MultiSource::Create(std::move(members));
  EXPECT_EQ((*source)->name(), first.path() + ", " + second.path());
  const Merged merged = ReadToTheEnd(**source);
  ASSERT_EQ(merged.packets.size(), 3U);
  EXPECT_EQ(merged.packets[0].view().interface_id, 1U);
  EXPECT_EQ(merged.packets[1].view().interface_id, 2U) << "the second file's";
  EXPECT_EQ(merged.packets[2].view().interface_id, 3U) << "appeared later";
  const std::vector<CaptureInterface> interfaces = (*source)->Interfaces();
  ASSERT_EQ(interfaces.size(), 4U);
  EXPECT_EQ(interfaces[1].link_type, LinkType::kRaw);
  EXPECT_EQ(interfaces[2].name, second.path());
  EXPECT_EQ(interfaces[3].link_type, LinkType::kLinuxSll);
}

TEST(MultiSource, ADamagedFileDoesNotHideTheOthers) {
  std::vector<std::uint8_t> cut = FileOf({1, 5}, 100).bytes();
  cut.resize(cut.size() - 1);
  const TemporaryFile damaged(cut);
  const TemporaryFile good(FileOf({2, 6, 7}, 200).bytes());
  Members members;
  members.push_back(OpenFile(damaged));
  members.push_back(OpenFile(good));
  auto source = MultiSource::Create(std::move(members));
  const Merged merged = ReadToTheEnd(**source);
  EXPECT_EQ(merged.packets.size(), 4U);
  EXPECT_EQ(merged.error.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(std::string(merged.error.message()).find(damaged.path()), std::string::npos);
  PacketBatch batch;
  EXPECT_EQ((*source)->Read(batch).status(), merged.error) << "it repeats";
}

TEST(MultiSource, BytesTotalIsUnknownUnlessAllAreFiles) {
  const TemporaryFile file(FileOf({1}, 100).bytes());
  Members members;
  members.push_back(OpenFile(file));
  auto memory = std::make_unique<MemorySource>();
  memory->Close();
  members.push_back(std::move(memory));
  auto source = MultiSource::Create(std::move(members));
  EXPECT_EQ(ReadToTheEnd(**source).packets.size(), 1U);
  EXPECT_EQ((*source)->Stats().bytes_total, 0U);
}

// A live source that hands out what the test puts in.
class Scripted final : public PacketSource {
 public:
  explicit Scripted(std::vector<std::vector<Timestamp>> batches) : batches_(std::move(batches)) {}

  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override {
    batch.clear();
    if (next_ == batches_.size()) return absl::UnavailableError("it went away");
    for (const Timestamp time : batches_[next_++]) batch.emplace_back().time = time;
    return batch.empty() ? ReadResult::kTimeout : ReadResult::kPackets;
  }
  CaptureStats Stats() const override { return {}; }
  bool is_live() const override { return true; }
  std::string name() const override { return "scripted"; }

 private:
  std::vector<std::vector<Timestamp>> batches_;
  std::size_t next_ = 0;
};

TEST(MultiSource, HoldsPacketsBackWhileAnotherMemberIsSilent) {
  Timestamp now = Second(100);
  Members members;
  members.push_back(std::make_unique<Scripted>(
      std::vector<std::vector<Timestamp>>{{Second(98), Second(99), Second(101)}, {}, {}}));
  members.push_back(std::make_unique<Scripted>(
      std::vector<std::vector<Timestamp>>{{}, {}, {Second(97), Second(100)}, {}, {}}));
  auto source = MultiSource::Create(
      std::move(members),
      {.reorder_window = std::chrono::milliseconds(1500), .now = [&now] { return now; }});
  PacketBatch batch;
  ASSERT_EQ(*(*source)->ReadNow(batch), ReadResult::kPackets);
  ASSERT_EQ(batch.size(), 1U) << "only what is old enough";
  EXPECT_EQ(batch[0].time, Second(98));
  EXPECT_EQ(*(*source)->ReadNow(batch), ReadResult::kTimeout) << "99 s waits for the silent one";
  ASSERT_EQ(*(*source)->ReadNow(batch), ReadResult::kPackets) << "which has spoken";
  ASSERT_EQ(batch.size(), 3U);
  EXPECT_EQ(batch[0].time, Second(97));
  EXPECT_EQ(batch[1].time, Second(99));
  EXPECT_EQ(batch[2].time, Second(100));
  EXPECT_EQ(*(*source)->ReadNow(batch), ReadResult::kTimeout);
  now = Second(103);
  ASSERT_EQ(*(*source)->ReadNow(batch), ReadResult::kPackets);
  ASSERT_EQ(batch.size(), 1U);
  EXPECT_EQ(batch[0].time, Second(101));
}

TEST(MultiSource, APacketFromTheFutureIsHeldForTheWindowOnly) {
  Timestamp now = Second(100);
  Members members;
  members.push_back(
      std::make_unique<Scripted>(std::vector<std::vector<Timestamp>>{{Second(5000)}, {}}));
  members.push_back(std::make_unique<Scripted>(std::vector<std::vector<Timestamp>>{{}, {}, {}}));
  auto source = MultiSource::Create(
      std::move(members),
      {.reorder_window = std::chrono::milliseconds(1000), .now = [&now] { return now; }});
  PacketBatch batch;
  EXPECT_EQ(*(*source)->ReadNow(batch), ReadResult::kTimeout);
  now = Second(101);
  EXPECT_EQ(*(*source)->ReadNow(batch), ReadResult::kPackets);
}

TEST(MultiSource, ErrorOfALiveMemberComesAfterWhatWasRead) {
  Members members;
  members.push_back(std::make_unique<Scripted>(std::vector<std::vector<Timestamp>>{}));
  members.push_back(std::make_unique<Scripted>(
      std::vector<std::vector<Timestamp>>{{Second(1), Second(2)}, {Second(3)}}));
  auto source = MultiSource::Create(std::move(members));
  PacketBatch batch;
  ASSERT_EQ(*(*source)->Read(batch), ReadResult::kPackets);
  EXPECT_EQ(batch.size(), 2U);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ((*source)->Read(batch).status().code(), absl::StatusCode::kUnavailable);
  }
}

TEST(OpenCaptureFiles, OneIsItselfSeveralAreMerged) {
  const TemporaryFile first(FileOf({1, 3}, 100).bytes());
  const TemporaryFile second(FileOf({2}, 200).bytes());
  auto one = OpenCaptureFiles({first.path()});
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ((*one)->name(), first.path());
  auto both = OpenCaptureFiles({first.path(), second.path()});
  ASSERT_TRUE(both.ok()) << both.status();
  PacketBatch batch;
  std::vector<Timestamp> times;
  while (*(*both)->Read(batch) == ReadResult::kPackets) {
    for (const PacketView& packet : batch) times.push_back(packet.time);
  }
  EXPECT_EQ(times, (std::vector<Timestamp>{Second(1), Second(2), Second(3)}));
  EXPECT_EQ(OpenCaptureFiles({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenCaptureFiles({first.path(), "/nonexistent"}).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(MultiSource, RefusesWhatMakesNoSense) {
  EXPECT_EQ(MultiSource::Create({}).status().code(), absl::StatusCode::kInvalidArgument);
  const TemporaryFile file(FileOf({1}, 100).bytes());
  for (const MultiSourceOptions& options :
       {MultiSourceOptions{.max_batch = 0},
        MultiSourceOptions{.timeout = std::chrono::milliseconds(0)},
        MultiSourceOptions{.reorder_window = std::chrono::milliseconds(-1)},
        MultiSourceOptions{.reorder_window = std::chrono::hours(1)}}) {
    Members members;
    members.push_back(OpenFile(file));
    EXPECT_EQ(MultiSource::Create(std::move(members), options).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace nta::test

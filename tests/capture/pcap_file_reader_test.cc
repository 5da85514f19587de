#include "nta/capture/pcap_file_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "capture_file.h"
#include "nta/packet/packet.h"
#include "support/counting_allocator.h"

namespace nta::test {
namespace {

struct Contents {
  std::vector<Packet> packets;
  absl::Status error;
  CaptureStats stats;
};

Contents ReadAll(PcapFileReader& reader) {
  Contents contents;
  PacketBatch batch;
  while (true) {
    const auto result = reader.Read(batch);
    if (!result.ok() || *result == ReadResult::kEnd) {
      contents.error = result.status();
      contents.stats = reader.Stats();
      EXPECT_TRUE(batch.empty());
      if (!result.ok()) {
        EXPECT_EQ(reader.Read(batch).status(), result.status()) << "it repeats";
      }
      return contents;
    }
    EXPECT_EQ(*result, ReadResult::kPackets);
    EXPECT_FALSE(batch.empty());
    for (const PacketView& packet : batch) contents.packets.emplace_back(packet);
  }
}

Contents ReadBytes(const std::vector<std::uint8_t>& bytes, PcapFileReaderOptions options = {}) {
  const TemporaryFile file(bytes);
  auto reader = PcapFileReader::Open(file.path(), options);
  if (!reader.ok()) return {.packets = {}, .error = reader.status(), .stats = {}};
  return ReadAll(**reader);
}
Contents ReadFile(const CaptureFile& file) { return ReadBytes(file.bytes()); }

void ExpectDamaged(const Contents& contents, std::size_t packets_before, std::string_view why) {
  EXPECT_EQ(contents.error.code(), absl::StatusCode::kDataLoss) << why << ": " << contents.error;
  EXPECT_EQ(contents.packets.size(), packets_before) << why;
  EXPECT_EQ(contents.stats.received, packets_before) << why;
}

Timestamp Seconds(std::int64_t count) { return Timestamp(std::chrono::seconds(count)); }

TEST(PcapFile, ReadsEveryMagicInBothByteOrders) {
  for (const bool big_endian : {false, true}) {
    for (const std::uint32_t magic : {0xa1b2c3d4U, 0xa1b23c4dU, 0xa1b2cd34U}) {
      CaptureFile file(big_endian);
      file.PcapHeader(magic, 113);
      file.U32(100).U32(5).U32(3).U32(1500);
      if (magic == 0xa1b2cd34U) file.U32(1).U32(2);
      file.Raw({7, 8, 9});
      const Contents contents = ReadFile(file);
      ASSERT_TRUE(contents.error.ok()) << contents.error;
      ASSERT_EQ(contents.packets.size(), 1U);
      const PacketView packet = contents.packets[0].view();
      EXPECT_EQ(packet.time, Seconds(100) + Duration(magic == 0xa1b23c4dU ? 5 : 5000));
      EXPECT_EQ(packet.link_type, LinkType::kLinuxSll);
      EXPECT_EQ(packet.wire_bytes, 1500U);
      EXPECT_EQ(packet.bytes.size(), 3U);
      EXPECT_EQ(packet.bytes[2], 9);
    }
  }
}

TEST(PcapFile, TimesReachTo2106) {
  const Contents contents = ReadFile(CaptureFile()
                                         .PcapHeader()
                                         .PcapRecord(0xffffffff, 999999, 0, 0, 0)
                                         .PcapRecord(0, 0xffffffff, 0, 0, 0));
  ASSERT_EQ(contents.packets.size(), 2U);
  EXPECT_EQ(contents.packets[0].view().time,
            Seconds(0xffffffff) + std::chrono::microseconds(999999));
  EXPECT_EQ(contents.packets[1].view().time, Seconds(0) + std::chrono::microseconds(0xffffffff));
}

TEST(PcapFile, Version22WroteTheLengthsTheOtherWayRound) {
  const Contents contents =
      ReadFile(CaptureFile().PcapHeader(0xa1b2c3d4, 1, 2).PcapRecord(1, 0, 90, 4, 4));
  ASSERT_EQ(contents.packets.size(), 1U);
  EXPECT_EQ(contents.packets[0].view().wire_bytes, 90U);
  EXPECT_EQ(contents.packets[0].view().bytes.size(), 4U);
}

TEST(PcapFile, UpperBitsOfTheLinkTypeAreOfTheFrameCheckSequence) {
  const Contents contents =
      ReadFile(CaptureFile().PcapHeader(0xa1b2c3d4, 0x24000001).PcapRecord(1, 0, 4, 4, 4));
  EXPECT_EQ(contents.packets.at(0).view().link_type, LinkType::kEthernet);
}

TEST(PcapFile, EmptyCaptureEndsAtOnce) {
  const Contents contents = ReadFile(CaptureFile().PcapHeader());
  EXPECT_TRUE(contents.error.ok());
  EXPECT_TRUE(contents.packets.empty());
  EXPECT_EQ(contents.stats.bytes_total, 24U);
  EXPECT_EQ(contents.stats.bytes_read, 24U);
}

TEST(PcapFile, EveryTruncationHandsOutTheWholeRecordsBeforeIt) {
  CaptureFile file;
  file.PcapHeader();
  for (std::uint32_t i = 0; i < 3; ++i) file.PcapRecord(i, 0, 10, 10, 10);
  for (std::size_t size = 4; size <= file.size(); ++size) {
    const Contents contents =
        ReadBytes({file.bytes().begin(), file.bytes().begin() + static_cast<std::ptrdiff_t>(size)});
    const std::size_t whole = size < 24 ? 0 : (size - 24) / 26;
    if (size >= 24 && (size - 24) % 26 == 0) {
      EXPECT_TRUE(contents.error.ok()) << size;
      EXPECT_EQ(contents.packets.size(), whole);
    } else {
      ExpectDamaged(contents, whole, std::to_string(size));
    }
  }
}

TEST(PcapFile, LengthBeyondTheLimitIsDamageAndAllocatesNothing) {
  for (const std::uint32_t length : {0xffffffffU, 0x7fffffffU, 0x01000001U, 0x00ffffffU}) {
    AllocationCount::ForgetLargest();
    const Contents contents = ReadFile(
        CaptureFile().PcapHeader().PcapRecord(1, 0, 4, 4, 4).PcapRecord(2, 0, length, length, 40));
    ExpectDamaged(contents, 1, std::to_string(length));
    EXPECT_LE(AllocationCount::largest(), std::size_t{1} << 20);
  }
}

TEST(PcapFile, LargePacketsPassTheReadBuffer) {
  CaptureFile file;
  file.PcapHeader();
  const std::uint32_t sizes[] = {262144, 1, 3'000'000, 262128, 0, 16U << 20};
  for (const std::uint32_t size : sizes)
    file.PcapRecord(size, 0, size, size, size, static_cast<std::uint8_t>(size % 251));
  const Contents contents = ReadFile(file);
  ASSERT_TRUE(contents.error.ok()) << contents.error;
  ASSERT_EQ(contents.packets.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    const auto bytes = contents.packets[i].view().bytes;
    ASSERT_EQ(bytes.size(), sizes[i]);
    if (!bytes.empty()) {
      EXPECT_EQ(bytes.front() + bytes.back(), 2 * (static_cast<int>(sizes[i] % 251)));
    }
  }
}

TEST(PcapFile, BatchesNeverExceedTheirLimit) {
  CaptureFile file;
  file.PcapHeader();
  for (std::uint32_t i = 0; i < 100; ++i) file.PcapRecord(i, 0, 4, 4, 4);
  const TemporaryFile temporary(file.bytes());
  auto reader = PcapFileReader::Open(temporary.path(), {.max_batch = 7});
  PacketBatch batch;
  std::size_t packets = 0;
  while (*(*reader)->Read(batch) == ReadResult::kPackets) {
    EXPECT_LE(batch.size(), 7U);
    packets += batch.size();
  }
  EXPECT_EQ(packets, 100U);
  EXPECT_EQ(PcapFileReader::Open(temporary.path(), {.max_batch = 0}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(PcapngFile, ReadsBothByteOrdersAndEveryPacketBlock) {
  for (const bool big_endian : {false, true}) {
    CaptureFile file(big_endian);
    file.Section().Interface(1, 6);
    file.Enhanced(0, 1'700'000'000'000'000, 5, 60);
    file.Block(3, file.Body().U32(100).Raw({1, 2, 3, 4, 5, 6}));
    file.Block(2, file.Body().U16(0).U16(3).U32(0).U32(7).U32(2).U32(9).Raw({1, 2}));
    const Contents contents = ReadFile(file);
    ASSERT_TRUE(contents.error.ok()) << contents.error;
    ASSERT_EQ(contents.packets.size(), 3U);
    EXPECT_EQ(contents.packets[0].view().time, Seconds(1'700'000'000));
    EXPECT_EQ(contents.packets[0].view().bytes.size(), 5U);
    EXPECT_EQ(contents.packets[0].view().wire_bytes, 60U);
    EXPECT_EQ(contents.packets[1].view().time, Timestamp());
    EXPECT_EQ(contents.packets[1].view().bytes.size(), 6U)
        << "a simple packet ends at the snap length";
    EXPECT_EQ(contents.packets[1].view().wire_bytes, 100U);
    EXPECT_EQ(contents.packets[2].view().time, Timestamp(std::chrono::microseconds(7)));
    EXPECT_EQ(contents.packets[2].view().wire_bytes, 9U);
  }
}

TEST(PcapngFile, TimeResolutionsFromSecondsToExtremes) {
  struct Case {
    int resolution;
    std::uint64_t ticks;
    std::int64_t offset;
    std::int64_t nanoseconds;
  };
  const std::int64_t max = kMaxPacketTime.time_since_epoch().count();
  const std::int64_t min = kMinPacketTime.time_since_epoch().count();
  for (const Case& c :
       std::initializer_list<Case>{{0, 5, 0, 5'000'000'000},
                                   {3, 5, 0, 5'000'000},
                                   {6, 5, 0, 5'000},
                                   {9, 5, 0, 5},
                                   {12, 5'999, 0, 5},
                                   {127, ~std::uint64_t{0}, 0, 0},
                                   {0x80, 5, 0, 5'000'000'000},
                                   {0x80 | 10, 1536, 0, 1'500'000'000},
                                   {0x80 | 30, std::uint64_t{1} << 30, 0, 1'000'000'000},
                                   {0x80 | 127, ~std::uint64_t{0}, 0, 0},
                                   {6, 5, 100, 100'000'005'000},
                                   {6, 5, -100, -99'999'995'000},
                                   {0, ~std::uint64_t{0}, 0, max},
                                   {6, ~std::uint64_t{0}, 0, max},
                                   {6, 0, std::numeric_limits<std::int64_t>::max(), max},
                                   {6, 0, std::numeric_limits<std::int64_t>::min(), min}}) {
    const Contents contents = ReadFile(
        CaptureFile().Section().Interface(1, 0, c.resolution, c.offset).Enhanced(0, c.ticks, 1, 1));
    ASSERT_EQ(contents.packets.size(), 1U);
    EXPECT_EQ(contents.packets[0].view().time.time_since_epoch().count(), c.nanoseconds)
        << c.resolution << ' ' << c.ticks;
  }
}

TEST(PcapngFile, InterfacesThatAppearBetweenPacketsKeepTheirNumbers) {
  CaptureFile file;
  file.Section()
      .Interface(1)
      .Enhanced(0, 1, 4, 4)
      .Interface(101)
      .Enhanced(1, 2, 4, 4)
      .Enhanced(0, 3, 4, 4);
  file.Interface(113).Interface(276).Enhanced(3, 4, 4, 4).Enhanced(2, 5, 4, 4);
  const Contents contents = ReadFile(file);
  ASSERT_TRUE(contents.error.ok()) << contents.error;
  const LinkType expected[] = {LinkType::kEthernet, LinkType::kRaw, LinkType::kEthernet,
                               LinkType::kLinuxSll2, LinkType::kLinuxSll};
  ASSERT_EQ(contents.packets.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i)
    EXPECT_EQ(contents.packets[i].view().link_type, expected[i]) << i;
  EXPECT_EQ(contents.packets[3].view().interface_id, 3U);
}

TEST(PcapngFile, SectionsHaveTheirOwnByteOrderAndInterfaces) {
  CaptureFile file;
  file.Section().Interface(1).Interface(101, 0, 9).Enhanced(1, 5, 4, 4);
  file.Order(true).Section().Interface(113, 0, 3).Enhanced(0, 5, 4, 4);
  file.Order(false).Section().Enhanced(0, 5, 4, 4);
  const Contents contents = ReadFile(file);
  ExpectDamaged(contents, 2, "the third section describes no interface");
  EXPECT_EQ(contents.packets[0].view().time, Timestamp(Duration(5)));
  EXPECT_EQ(contents.packets[0].view().interface_id, 1U);
  EXPECT_EQ(contents.packets[1].view().time, Timestamp(std::chrono::milliseconds(5)));
  EXPECT_EQ(contents.packets[1].view().link_type, LinkType::kLinuxSll);
  EXPECT_EQ(contents.packets[1].view().interface_id, 2U) << "numbered over the whole file";
}

TEST(PcapngFile, OtherBlocksArePassedOverHoweverLarge) {
  CaptureFile file;
  file.Section().Interface().Enhanced(0, 1, 4, 4);
  file.Block(0x0bad, file.Body().Raw(std::vector<std::uint8_t>(1'000'000, 0)));
  file.Block(5, file.Body().U32(0).U32(0).U32(0)).Enhanced(0, 2, 4, 4);
  const Contents contents = ReadFile(file);
  EXPECT_TRUE(contents.error.ok()) << contents.error;
  EXPECT_EQ(contents.packets.size(), 2U);
}

TEST(PcapngFile, DamageOfEachKindComesAfterWhatWasReadable) {
  const auto good = [] {
    CaptureFile file;
    return file.Section().Interface().Enhanced(0, 1, 4, 4).Enhanced(0, 2, 4, 4);
  };
  const auto body = [] { return CaptureFile(); };
  const std::vector<std::uint8_t> junk(64, 0);
  const std::pair<std::string_view, CaptureFile> cases[] = {
      {"length 0", good().U32(6).U32(0).Raw(junk)},
      {"length below 12", good().U32(6).U32(8).Raw(junk)},
      {"length not a multiple of 4", good().U32(6).U32(33).Raw(junk)},
      {"length beyond the limit", good().U32(6).U32(0xfffffffc).Raw(junk)},
      {"unknown block beyond the file", good().U32(0x0bad).U32(0xfffffffc).Raw(junk)},
      {"lengths differ", good().U32(6).U32(36).Raw(std::vector<std::uint8_t>(24, 0)).U32(40)},
      {"packet without header", good().Block(6, body().U32(0))},
      {"old packet without header", good().Block(2, body().U32(0))},
      {"simple packet without header", good().Block(3, body())},
      {"captured length beyond the block",
       good().Block(6, body().U32(0).U32(0).U32(0).U32(100).U32(100).U32(0))},
      {"captured length 2^32 - 1",
       good().Block(6, body().U32(0).U32(0).U32(0).U32(0xffffffff).U32(1).U32(0))},
      {"interface that is not described", good().Enhanced(1, 3, 4, 4)},
      {"interface 2^32 - 1", good().Enhanced(0xffffffff, 3, 4, 4)},
      {"interface without header", good().Block(1, body().U32(1))},
      {"section without version", good().Block(0x0a0d0d0a, body().U32(0x1a2b3c4d))},
      {"section without magic", good().Block(0x0a0d0d0a, body().U32(1).U16(1).U16(0).U64(0))},
      {"section of version 2",
       good().Block(0x0a0d0d0a, body().U32(0x1a2b3c4d).U16(2).U16(0).U64(0))},
      {"cut inside a block", good().U32(6).U32(36).U32(0)},
      {"cut inside a block header", good().U32(6)},
  };
  for (const auto& [name, file] : cases) {
    AllocationCount::ForgetLargest();
    ExpectDamaged(ReadFile(file), 2, name);
    EXPECT_LE(AllocationCount::largest(), std::size_t{1} << 20) << name;
  }
}

TEST(PcapngFile, InterfaceOptionsOfEveryCodeAndLengthEnd) {
  for (unsigned code = 0; code < 256; ++code) {
    for (unsigned length = 0; length < 256; ++length) {
      if (length > 8 && length % 7 != 0) continue;
      CaptureFile file;
      file.Section();
      file.Block(
          1, file.Body().U16(1).U16(0).U32(0).U16(code).U16(length).U64(0x0706050403020106).U32(0));
      file.Enhanced(0, 1, 1, 1);
      // In memory this would be quicker, but it is the file reader that is promised.
      if (code % 16 != 9 && code % 16 != 14 && code > 16) continue;
      const Contents contents = ReadFile(file);
      ASSERT_EQ(contents.packets.size(), 1U) << code << ' ' << length;
    }
  }
}

TEST(PcapngFile, EndlessInterfacesAreRefused) {
  CaptureFile file;
  file.Section();
  for (int i = 0; i < 70'000; ++i) file.Block(1, file.Body().U16(1).U16(0).U32(0));
  ExpectDamaged(ReadFile(file), 0, "70,000 interfaces");
}

TEST(PcapFileReader, RefusesWhatIsNoCapture) {
  const std::pair<std::string_view, std::vector<std::uint8_t>> cases[] = {
      {"is empty", {}},
      {"xz", {0xfd, '7', 'z', 'X', 'Z', 0}},
      {"bzip2", {'B', 'Z', 'h', '9'}},
      {"lz4", {0x04, 0x22, 0x4d, 0x18}},
      {"neither", {'h', 'e', 'l', 'l', 'o'}},
      {"neither", {0xa1}},
      {"neither", {0xd4, 0xc3, 0xb2}},
  };
  for (const auto& [why, bytes] : cases) {
    const TemporaryFile file(bytes);
    const auto reader = PcapFileReader::Open(file.path());
    ASSERT_FALSE(reader.ok());
    EXPECT_EQ(reader.status().code(), absl::StatusCode::kInvalidArgument);
    const std::string message(reader.status().message());
    EXPECT_NE(message.find(why), std::string::npos) << message;
    EXPECT_NE(message.find(file.path()), std::string::npos) << message;
  }
}

TEST(PcapFileReader, TellsWhyAFileCannotBeOpened) {
  EXPECT_EQ(PcapFileReader::Open("/nonexistent/file").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(PcapFileReader::Open("/tmp").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PcapFileReader::Open("").status().code(), absl::StatusCode::kNotFound);
  if (geteuid() == 0) return;  // root may read everything
  const TemporaryFile file;
  chmod(file.path().c_str(), 0);
  EXPECT_EQ(PcapFileReader::Open(file.path()).status().code(), absl::StatusCode::kPermissionDenied);
}

// Writes into a pipe in pieces while the reader reads from its other end.
Contents ReadThroughPipe(const std::vector<std::uint8_t>& bytes, std::size_t piece) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  std::thread writer([&] {
    for (std::size_t i = 0; i < bytes.size(); i += piece) {
      const std::size_t size = std::min(piece, bytes.size() - i);
      if (write(ends[1], bytes.data() + i, size) != static_cast<ssize_t>(size)) break;
    }
    close(ends[1]);
  });
  Contents contents;
  {
    auto reader = PcapFileReader::Open("/dev/fd/" + std::to_string(ends[0]));
    contents = reader.ok() ? ReadAll(**reader)
                           : Contents{.packets = {}, .error = reader.status(), .stats = {}};
  }
  close(ends[0]);
  writer.join();
  return contents;
}

TEST(PcapFileReader, ReadsAPipeByteByByte) {
  CaptureFile pcap(true);
  pcap.PcapHeader();
  CaptureFile pcapng;
  pcapng.Section().Interface();
  for (std::uint32_t i = 0; i < 50; ++i) {
    pcap.PcapRecord(i, 0, i, i, i);
    pcapng.Enhanced(0, i, i, i);
  }
  for (const CaptureFile* file : {&pcap, &pcapng}) {
    for (const std::size_t piece : {1U, 7U, 100'000U}) {
      const Contents contents = ReadThroughPipe(file->bytes(), piece);
      ASSERT_TRUE(contents.error.ok()) << contents.error;
      ASSERT_EQ(contents.packets.size(), 50U);
      for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(contents.packets[i].view().bytes.size(), i);
      EXPECT_EQ(contents.stats.bytes_total, 0U);
      EXPECT_EQ(contents.stats.bytes_read, file->size());
    }
  }
}

TEST(PcapFileReader, PipeThatLiesAboutALengthMakesTheBufferGrowOnlyWithItsBytes) {
  CaptureFile file;
  file.PcapHeader().PcapRecord(1, 0, 15'000'000, 15'000'000, 100);
  AllocationCount::ForgetLargest();
  ExpectDamaged(ReadThroughPipe(file.bytes(), 1000), 0, "pipe");
  EXPECT_LE(AllocationCount::largest(), std::size_t{1} << 20);
}

TEST(PcapFileReader, DashIsStandardInput) {
  CaptureFile file;
  file.PcapHeader().PcapRecord(1, 0, 4, 4, 4);
  const TemporaryFile temporary(file.bytes());
  const int saved = dup(STDIN_FILENO);
  const int fd = open(temporary.path().c_str(), O_RDONLY);
  dup2(fd, STDIN_FILENO);
  auto reader = PcapFileReader::Open("-");
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ((*reader)->name(), "-");
  EXPECT_EQ(ReadAll(**reader).packets.size(), 1U);
  dup2(saved, STDIN_FILENO);
  close(saved);
  close(fd);
}

TEST(PcapFileReader, ReadsTheSampleCapture) {
  auto reader = PcapFileReader::Open(std::string(NTA_TEST_DATA_DIR) + "/sample.pcap");
  ASSERT_TRUE(reader.ok()) << reader.status();
  const Contents contents = ReadAll(**reader);
  EXPECT_TRUE(contents.error.ok());
  EXPECT_GT(contents.packets.size(), 100U);
  EXPECT_EQ(contents.stats.bytes_read, contents.stats.bytes_total);
  EXPECT_FALSE((*reader)->is_live());
}

}  // namespace
}  // namespace nta::test

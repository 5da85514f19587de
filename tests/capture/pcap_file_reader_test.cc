#include "nta/capture/pcap_file_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "capture_file.h"
#include "nta/packet/packet.h"
#include "read_capture.h"
#include "support/counting_allocator.h"

namespace nta::test {
namespace {

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
    if (reader.ok()) {
      contents = ReadAll(**reader);
    } else {
      contents.error = reader.status();
    }
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

// Compressed capture files, and the libpcap fallback.
#include "compressed_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "capture/byte_input.h"
#include "capture/libpcap_file.h"
#include "nta/capture/pcap_file_reader.h"
#include "read_capture.h"
#include "support/counting_allocator.h"

namespace nta::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Packets that do not pack well, about 2 KB each.
Bytes Capture(std::uint32_t packets) {
  std::mt19937 random(1);
  CaptureFile file;
  file.PcapHeader();
  for (std::uint32_t i = 0; i < packets; ++i) {
    const auto size = static_cast<std::uint32_t>(random() % 4096);
    Bytes bytes(size);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    file.U32(i).U32(0).U32(size).U32(size).Raw(bytes);
  }
  return file.bytes();
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes Part(const Bytes& bytes, std::size_t begin, std::size_t end) {
  return {bytes.begin() + static_cast<std::ptrdiff_t>(begin),
          bytes.begin() + static_cast<std::ptrdiff_t>(end)};
}

struct Packer {
  Compression compression;
  Bytes (*pack)(const Bytes&);
};
const Packer kPackers[] = {
    {Compression::kGzip, [](const Bytes& bytes) { return Gzip(bytes); }},
    {Compression::kZstd, [](const Bytes& bytes) { return Zstd(bytes); }},
};

TEST(CompressedCapture, ReadsLikeThePlainOne) {
  const Bytes plain = Capture(1000);
  const Contents expected = ReadBytes(plain);
  ASSERT_EQ(expected.packets.size(), 1000U);
  for (const Packer& packer : kPackers) {
    const Bytes packed = packer.pack(plain);
    const TemporaryFile file(packed);
    auto reader = PcapFileReader::Open(file.path());
    ASSERT_TRUE(reader.ok()) << reader.status();
    EXPECT_EQ((*reader)->compression(), packer.compression);
    EXPECT_EQ((*reader)->Interfaces().size(), 1U);
    const Contents contents = ReadAll(**reader);
    ASSERT_TRUE(contents.error.ok()) << contents.error;
    ExpectSamePackets(contents.packets, expected.packets);
    EXPECT_EQ(contents.stats.bytes_read, packed.size());
    EXPECT_EQ(contents.stats.bytes_total, packed.size());
  }
}

TEST(CompressedCapture, ProgressIsThatOfTheFileOnTheDisk) {
  for (const Packer& packer : kPackers) {
    const TemporaryFile file(packer.pack(Capture(2000)));
    auto reader = PcapFileReader::Open(file.path());
    ASSERT_TRUE(reader.ok()) << reader.status();
    PacketBatch batch;
    std::uint64_t before = 0;
    int steps = 0;
    while (*(*reader)->Read(batch) == ReadResult::kPackets) {
      const CaptureStats stats = (*reader)->Stats();
      EXPECT_GE(stats.bytes_read, before);
      EXPECT_LE(stats.bytes_read, stats.bytes_total);
      steps += stats.bytes_read > before ? 1 : 0;
      before = stats.bytes_read;
    }
    EXPECT_GT(steps, 5) << "it moves while the file is read";
  }
}

TEST(CompressedCapture, MembersAndFramesMayFollowEachOther) {
  const Bytes plain = Capture(300);
  const Contents expected = ReadBytes(plain);
  for (const Packer& packer : kPackers) {
    // Cut inside records; an empty one in between.
    const Bytes packed = packer.pack(Part(plain, 0, 1)) + packer.pack(Part(plain, 1, 70'001)) +
                         packer.pack({}) + packer.pack(Part(plain, 70'001, plain.size()));
    const Contents contents = ReadBytes(packed);
    ASSERT_TRUE(contents.error.ok()) << contents.error;
    ExpectSamePackets(contents.packets, expected.packets);
  }
}

TEST(CompressedCapture, PaddingAfterAMemberAndSkippableFramesAreNoDamage) {
  const Bytes plain = Capture(10);
  EXPECT_TRUE(ReadBytes(Gzip(plain) + Bytes(1000, 0)).error.ok());
  const Bytes skippable{0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3};
  const Contents contents = ReadBytes(skippable + Zstd(plain) + skippable);
  EXPECT_TRUE(contents.error.ok()) << contents.error;
  EXPECT_EQ(contents.packets.size(), 10U);
}

TEST(CompressedCapture, TruncatedStreamGivesWhatCouldBeReadThenDataLoss) {
  const Bytes plain = Capture(400);
  const Contents expected = ReadBytes(plain);
  for (const Packer& packer : kPackers) {
    const Bytes packed = packer.pack(plain);
    for (const std::size_t size : {packed.size() - 1, packed.size() / 2, packed.size() / 4}) {
      const Contents contents = ReadBytes(Part(packed, 0, size));
      EXPECT_EQ(contents.error.code(), absl::StatusCode::kDataLoss) << contents.error;
      EXPECT_NE(std::string(contents.error.message()).find("ends early"), std::string::npos);
      // Blocks of zstd have up to 128 KiB.
      EXPECT_GE(contents.packets.size() + 100, 400 * size / packed.size());
      ExpectSamePackets(
          contents.packets,
          {expected.packets.begin(),
           expected.packets.begin() + static_cast<std::ptrdiff_t>(contents.packets.size())});
    }
  }
}

TEST(CompressedCapture, EveryTruncationOfASmallFileIsToldApart) {
  CaptureFile file;
  file.PcapHeader().PcapRecord(1, 0, 4, 4, 4).PcapRecord(2, 0, 4, 4, 4);
  for (const Packer& packer : kPackers) {
    const Bytes packed = packer.pack(file.bytes());
    for (std::size_t size = 4; size < packed.size(); ++size) {
      const Contents contents = ReadBytes(Part(packed, 0, size));
      EXPECT_EQ(contents.error.code(), absl::StatusCode::kDataLoss) << size << contents.error;
    }
  }
}

TEST(CompressedCapture, EveryChangedByteIsDamageOrHarmless) {
  CaptureFile file;
  file.PcapHeader();
  for (std::uint32_t i = 0; i < 5; ++i) file.PcapRecord(i, 0, 40, 40, 40, 7);
  const Contents expected = ReadFile(file);
  for (const Packer& packer : kPackers) {
    const Bytes packed = packer.pack(file.bytes());
    for (std::size_t i = 4; i < packed.size(); ++i) {
      Bytes changed = packed;
      changed[i] ^= 0x55;
      const Contents contents = ReadBytes(changed);
      // The check sum comes last: a packet may have been handed out before it is found wrong.
      if (contents.error.ok()) {
        ExpectSamePackets(contents.packets, expected.packets);
      } else {
        EXPECT_TRUE(contents.error.code() == absl::StatusCode::kDataLoss ||
                    contents.error.code() == absl::StatusCode::kResourceExhausted ||
                    contents.error.code() == absl::StatusCode::kInvalidArgument)
            << contents.error;
      }
    }
  }
}

TEST(CompressedCapture, JunkAfterTheEndIsDamage) {
  const Bytes plain = Capture(10);
  for (const Packer& packer : kPackers) {
    ExpectDamaged(ReadBytes(packer.pack(plain) + Bytes{'j', 'u', 'n', 'k'}), 10, "junk");
  }
}

TEST(CompressedCapture, WhatIsInsideMustBeACapture) {
  for (const Packer& packer : kPackers) {
    const Contents text = ReadBytes(packer.pack({'h', 'e', 'l', 'l', 'o'}));
    EXPECT_EQ(text.error.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(std::string(text.error.message()).find("decompressed, it begins"), std::string::npos)
        << text.error;
    EXPECT_EQ(ReadBytes(packer.pack({})).error.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ReadBytes(packer.pack(packer.pack(Capture(1)))).error.code(),
              absl::StatusCode::kInvalidArgument)
        << "packed twice";
  }
}

// A capture of zeros: `packets` of 1 MB each.
Bytes Zeros(std::uint32_t packets) {
  CaptureFile file;
  file.PcapHeader();
  for (std::uint32_t i = 0; i < packets; ++i)
    file.PcapRecord(i, 0, 1'000'000, 1'000'000, 1'000'000, 0);
  return file.bytes();
}

TEST(CompressedCapture, BombStopsAtTheRatioAfterWhatWasRead) {
  // 300 MB of zeros from about 300 KB: 31 equal members.
  const Bytes header = CaptureFile().PcapHeader().bytes();
  const Bytes zeros = Zeros(10);
  for (const Packer& packer : kPackers) {
    Bytes packed = packer.pack(header);
    const Bytes member = packer.pack(Part(zeros, header.size(), zeros.size()));
    for (int i = 0; i < 31; ++i) packed = std::move(packed) + member;
    ASSERT_LT(packed.size(), 400'000U);
    const TemporaryFile file(packed);
    const auto read = [&](PcapFileReaderOptions options) {
      auto reader = PcapFileReader::Open(file.path(), options);
      PacketBatch batch;
      absl::StatusOr<ReadResult> result = ReadResult::kPackets;
      while (result.ok() && *result == ReadResult::kPackets) result = (*reader)->Read(batch);
      return std::pair(result.status(), (*reader)->Stats().received);
    };
    AllocationCount::ForgetLargest();
    const auto [error, received] = read({});
    EXPECT_EQ(error.code(), absl::StatusCode::kResourceExhausted) << error;
    EXPECT_NE(std::string(error.message()).find("max_compression_ratio"), std::string::npos);
    EXPECT_GE(received, PcapFileReaderOptions::kBytesBeforeRatio / 1'000'016);
    EXPECT_LE(received, PcapFileReaderOptions::kBytesBeforeRatio / 1'000'016 + 2);
    EXPECT_LE(AllocationCount::largest(), std::size_t{4} << 20) << "it streams";
    const auto unlimited = read({.max_compression_ratio = std::nullopt});
    EXPECT_TRUE(unlimited.first.ok()) << unlimited.first;
    EXPECT_EQ(unlimited.second, 310U);
  }
}

TEST(CompressedCapture, StopsAtTheAbsoluteLimitAfterWhatWasRead) {
  for (const Packer& packer : kPackers) {
    const Contents contents =
        ReadBytes(packer.pack(Zeros(10)), {.max_decompressed_bytes = 4'500'000});
    EXPECT_EQ(contents.error.code(), absl::StatusCode::kResourceExhausted) << contents.error;
    // It is looked at once a block.
    EXPECT_GE(contents.packets.size(), 4U);
    EXPECT_LE(contents.packets.size(), 5U);
  }
}

TEST(CompressedCapture, WindowBeyondTheLimitIsRefused) {
  // A frame header that asks for 2 GiB: RFC 8878 3.1.1.1.2.
  const Bytes frame{0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 1, 0, 0};
  const Contents contents = ReadBytes(frame);
  EXPECT_EQ(contents.error.code(), absl::StatusCode::kResourceExhausted) << contents.error;
}

TEST(CompressedCapture, ComesThroughStandardInput) {
  for (const Packer& packer : kPackers) {
    const Bytes packed = packer.pack(Capture(50));
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    std::thread writer([&] {
      for (std::size_t i = 0; i < packed.size(); i += 999) {
        const std::size_t size = std::min<std::size_t>(999, packed.size() - i);
        if (write(ends[1], packed.data() + i, size) != static_cast<ssize_t>(size)) break;
      }
      close(ends[1]);
    });
    const int saved = dup(STDIN_FILENO);
    dup2(ends[0], STDIN_FILENO);
    auto reader = PcapFileReader::Open("-");
    EXPECT_TRUE(reader.ok()) << reader.status();
    if (reader.ok()) {
      const Contents contents = ReadAll(**reader);
      EXPECT_TRUE(contents.error.ok()) << contents.error;
      EXPECT_EQ(contents.packets.size(), 50U);
      EXPECT_EQ(contents.stats.bytes_read, packed.size());
      EXPECT_EQ(contents.stats.bytes_total, 0U);
    }
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(ends[0]);
    writer.join();
  }
}

TEST(CaptureFileOf100Bytes, NeverAllocatesMoreThanAMegabyte) {
  std::mt19937 random(7);
  CaptureFile pcapng;
  pcapng.Section().Interface().Enhanced(0, 1, 4, 4);
  const Bytes seeds[] = {Capture(1), pcapng.bytes(), Gzip(Capture(1)), Zstd(Capture(1)),
                         Bytes{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58}};
  for (Bytes seed : seeds) {
    seed.resize(100, 0xff);
    for (int round = 0; round < 2000; ++round) {
      Bytes bytes = seed;
      const std::size_t changes = random() % 8;
      // The magic stays, so that a reader is found.
      for (std::size_t i = 0; i < changes; ++i) {
        bytes[4 + random() % 96] = static_cast<std::uint8_t>(random());
      }
      AllocationCount::ForgetLargest();
      const Contents contents = ReadBytes(bytes);
      ASSERT_LE(AllocationCount::largest(), std::size_t{1} << 20);
    }
  }
}

TEST(LibpcapFile, ReadsWhatTheOwnReaderReads) {
  const Bytes plain = Capture(600);
  for (const Bytes& bytes : {plain, Gzip(plain)}) {
    const TemporaryFile file(bytes);
    auto input = internal::OpenByteInput(file.path(), {});
    ASSERT_TRUE(input.ok()) << input.status();
    internal::InputBuffer buffer(*std::move(input));
    auto libpcap = internal::LibpcapFile::Open(buffer);
    ASSERT_TRUE(libpcap.ok()) << libpcap.status();
    EXPECT_EQ((*libpcap)->interface().link_type, LinkType::kEthernet);
    std::vector<Packet> packets;
    PacketBatch batch;
    while (true) {
      batch.clear();
      const auto result = (*libpcap)->Read(64, batch);
      ASSERT_TRUE(result.ok()) << result.status();
      if (*result == ReadResult::kEnd) break;
      ASSERT_LE(batch.size(), 64U);
      for (const PacketView& packet : batch) packets.emplace_back(packet);
    }
    ExpectSamePackets(packets, ReadBytes(plain).packets);
  }
}

TEST(LibpcapFile, TellsWhatIsWrong) {
  Bytes cut = Capture(10);
  cut.resize(cut.size() - 1);
  const TemporaryFile file(cut);
  internal::InputBuffer buffer(*internal::OpenByteInput(file.path(), {}));
  auto libpcap = internal::LibpcapFile::Open(buffer);
  ASSERT_TRUE(libpcap.ok()) << libpcap.status();
  PacketBatch batch;
  EXPECT_EQ(*(*libpcap)->Read(256, batch), ReadResult::kPackets);
  EXPECT_EQ(batch.size(), 9U);
  batch.clear();
  EXPECT_EQ((*libpcap)->Read(256, batch).status().code(), absl::StatusCode::kDataLoss);
  const TemporaryFile text(Bytes{'n', 'o', ' ', 'c', 'a', 'p', 't', 'u', 'r', 'e'});
  internal::InputBuffer other(*internal::OpenByteInput(text.path(), {}));
  EXPECT_EQ(internal::LibpcapFile::Open(other).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace nta::test

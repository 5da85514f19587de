// pcapng files: blocks, interfaces, options, comments and counters.
#include <gtest/gtest.h>

#include <limits>

#include "capture/record_parser.h"
#include "capture_file.h"
#include "nta/capture/pcap_file_reader.h"
#include "read_capture.h"
#include "support/counting_allocator.h"

namespace nta::test {
namespace {

Timestamp Seconds(std::int64_t count) { return Timestamp(std::chrono::seconds(count)); }

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

// An option of each code and each length, in a block that has room for 255 bytes of it or for 8.
TEST(PcapngFile, OptionsOfEveryCodeAndLengthEnd) {
  for (const std::uint32_t type : {1U, 5U, 6U}) {
    for (unsigned code = 0; code < 256; ++code) {
      for (unsigned length = 0; length < 256; ++length) {
        const std::size_t room = (code + length) % 2 == 0 ? 256 : 8;
        CaptureFile file;
        file.Section();
        if (type != 1) file.Interface();
        CaptureFile body;
        if (type == 1) body.U16(1).U16(0).U32(0);
        if (type == 5) body.U32(0).U64(0);
        if (type == 6) body.U32(0).U64(0).U32(4).U32(4).U32(0x55555555);
        body.U16(code).U16(length).Raw(std::vector<std::uint8_t>(room, 0x41));
        file.Block(type, body).Enhanced(0, 1, 1, 1);
        PacketBatch batch;
        const auto parser = internal::MakePcapngParser();
        const internal::ParseStop stop = parser->Parse(file.bytes(), 256, batch);
        ASSERT_EQ(stop.consumed, file.size()) << type << ' ' << code << ' ' << length << stop.error;
        ASSERT_EQ(batch.size(), type == 6 ? 2U : 1U);
        const bool is_comment = type == 6 && code == 1 && length <= room;
        ASSERT_EQ(parser->comments().empty(), !is_comment);
        if (is_comment) {
          ASSERT_EQ(parser->comments()[0].text, std::string(length, 'A'));
        }
      }
    }
  }
}

TEST(PcapngFile, TellsWhatItKnowsOfItsInterfaces) {
  CaptureFile file(true);
  CaptureFile body = file.Body();
  body.U16(101).U16(0).U32(96).U16(2).U16(4).Raw({'e', 't', 'h', '0'});
  body.U16(3).U16(3).Raw({'W', 'A', 'N', 0}).U16(9).U16(1).U8(0x80 | 20).U8(0).U16(0);
  file.Section().Block(1, body).Interface(1, 0, 9).Enhanced(0, 1, 4, 4);
  file.Order(false).Section().Interface(113, 64, 30);
  const TemporaryFile temporary(file.bytes());
  auto reader = PcapFileReader::Open(temporary.path());
  ASSERT_TRUE(reader.ok()) << reader.status();
  const CaptureInterface first{.name = "eth0",
                               .description = "WAN",
                               .link_type = LinkType::kRaw,
                               .snap_length = 96,
                               .ticks_per_second = 1 << 20};
  const CaptureInterface second{};
  EXPECT_EQ((*reader)->Interfaces(), (std::vector<CaptureInterface>{first, second}))
      << "what stands before the first packet is known at once";
  const CaptureInterface third{.link_type = LinkType::kLinuxSll,
                               .snap_length = 64,
                               .ticks_per_second = std::numeric_limits<std::uint64_t>::max()};
  EXPECT_EQ(ReadAll(**reader).interfaces, (std::vector<CaptureInterface>{first, second, third}));
}

TEST(PcapngFile, LongNamesAreCut) {
  CaptureFile file;
  file.Section().Block(1, CaptureFile().U16(1).U16(0).U32(0).U16(2).U16(60'000).Raw(
                              std::vector<std::uint8_t>(60'000, 'n')));
  EXPECT_EQ(ReadFile(file).interfaces.at(0).name, std::string(256, 'n'));
}

TEST(PcapngFile, CommentsBelongToTheirPackets) {
  const auto packet = [](CaptureFile& file, const CaptureFile& options) {
    file.Block(6, file.Body().U32(0).U64(0).U32(3).U32(3).Raw({1, 2, 3, 0}).Raw(options.bytes()));
  };
  for (const std::size_t max_batch : {1U, 2U, 256U}) {
    CaptureFile file;
    file.Section().Interface().Enhanced(0, 1, 4, 4);
    packet(file, CaptureFile().U16(1).U16(2).Raw({'h', 'i', 0, 0}).U32(0));
    // Flags, then two comments, of which the second is empty; no mark of the end.
    packet(file,
           CaptureFile().U16(2).U16(4).U32(1).U16(1).U16(1).Raw({'x', 0, 0, 0}).U16(1).U16(0));
    file.Enhanced(0, 2, 4, 4);
    const Contents contents = ReadBytes(file.bytes(), {.max_batch = max_batch});
    ASSERT_TRUE(contents.error.ok()) << contents.error;
    EXPECT_EQ(contents.packets.size(), 4U);
    EXPECT_EQ(contents.comments,
              (std::vector<std::pair<std::size_t, std::string>>{{1, "hi"}, {2, "x"}, {2, ""}}));
  }
}

TEST(PcapngFile, DropsComeFromTheLatestStatistics) {
  const auto statistics = [](std::uint32_t interface, std::uint64_t by_interface,
                             std::uint64_t by_system) {
    CaptureFile body;
    body.U32(interface).U64(0).U16(4).U16(8).U64(100).U16(5).U16(8).U64(by_interface);
    return body.U16(7).U16(8).U64(by_system).U32(0);
  };
  CaptureFile file;
  file.Section().Interface().Interface().Enhanced(0, 1, 4, 4);
  file.Block(5, statistics(0, 1, 2)).Block(5, statistics(1, 10, 20)).Block(5, statistics(9, 7, 7));
  file.Block(5, statistics(0, 3, 4));
  file.Section().Interface().Enhanced(0, 2, 4, 4).Block(5, statistics(0, 100, 200));
  const Contents contents = ReadFile(file);
  ASSERT_TRUE(contents.error.ok()) << contents.error;
  EXPECT_EQ(contents.stats.received, 2U);
  EXPECT_EQ(contents.stats.dropped_interface, 3U + 10U + 100U);
  EXPECT_EQ(contents.stats.dropped_buffer, 4U + 20U + 200U);
}

TEST(PcapngFile, DropsComeFromPacketsWhereThereAreNoStatistics) {
  CaptureFile file;
  file.Section().Interface();
  const auto enhanced = [](std::uint64_t drops) {
    CaptureFile body;
    return body.U32(0).U64(0).U32(0).U32(0).U16(4).U16(8).U64(drops).U32(0);
  };
  const auto obsolete = [](std::uint16_t drops) {
    CaptureFile body;
    return body.U16(0).U16(drops).U64(0).U32(0).U32(0).U16(4).U16(8).U64(1000).U32(0);
  };
  file.Block(6, enhanced(5)).Block(6, enhanced(7)).Block(2, obsolete(3)).Block(2, obsolete(0xffff));
  EXPECT_EQ(ReadFile(file).stats.dropped_buffer, 15U);
  file.Block(5, CaptureFile().U32(0).U64(0).U16(5).U16(8).U64(6).U16(7).U16(8).U64(9));
  const Contents contents = ReadFile(file);
  EXPECT_EQ(contents.stats.dropped(), 15U) << "the same losses, told twice";
  EXPECT_EQ(contents.stats.dropped_interface, 6U);
}

TEST(PcapngFile, NameResolutionSecretsAndCustomBlocksArePassedOver) {
  CaptureFile file;
  file.Section().Interface().Enhanced(0, 1, 4, 4);
  for (const std::uint32_t type : {4U, 10U, 9U, 0x0badU, 0x40000badU, 0x80000001U}) {
    file.Block(type, file.Body().Raw(std::vector<std::uint8_t>(300, 0xff)));
  }
  file.Enhanced(0, 2, 4, 4);
  const Contents contents = ReadFile(file);
  EXPECT_TRUE(contents.error.ok()) << contents.error;
  EXPECT_EQ(contents.packets.size(), 2U);
}

TEST(PcapngFile, EndlessInterfacesAreRefused) {
  CaptureFile file;
  file.Section();
  for (int i = 0; i < 70'000; ++i) file.Block(1, file.Body().U16(1).U16(0).U32(0));
  ExpectDamaged(ReadFile(file), 0, "70,000 interfaces");
}

}  // namespace
}  // namespace nta::test

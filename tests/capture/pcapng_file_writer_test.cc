#include "nta/capture/pcapng_file_writer.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <map>

#include "nta/capture/pcap_file_writer.h"
#include "read_capture.h"
#include "support/packet_builder.h"

namespace nta::test {
namespace {

constexpr Compression kCompressions[] = {Compression::kNone, Compression::kGzip,
                                         Compression::kZstd};

bool IsInstalled(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

// What the command prints; with "failed" when it does.
std::string OutputOf(const std::string& command) {
  std::FILE* const pipe = popen((command + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return "failed";
  std::string output;
  std::array<char, 4096> buffer{};
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), size);
  }
  return pclose(pipe) == 0 ? output : "failed: " + output;
}

Contents ReadBack(const TemporaryFile& file) {
  auto reader = PcapFileReader::Open(file.path());
  EXPECT_TRUE(reader.ok()) << reader.status();
  return reader.ok() ? ReadAll(**reader) : Contents{};
}

// Every kind of packet, each link type an interface of its own.
struct Traffic {
  std::vector<CaptureInterface> interfaces;
  std::vector<Packet> packets;
};
Traffic EveryLinkType() {
  Traffic traffic;
  std::map<LinkType, std::uint32_t> ids;
  std::int64_t number = 0;
  for (const NamedPacket& kind : EveryKindOfPacket()) {
    PacketView view = kind.packet.view();
    const auto [known, is_new] =
        ids.emplace(view.link_type, static_cast<std::uint32_t>(traffic.interfaces.size()));
    if (is_new) {
      traffic.interfaces.push_back({.name = "if" + std::to_string(known->second),
                                    .description = "of " + ToString(view.link_type),
                                    .link_type = view.link_type,
                                    .snap_length = 262144});
    }
    view.interface_id = known->second;
    view.time = At(Duration(number * 1'000'000'007));
    if (number % 3 == 0) view.wire_bytes += 1000;
    ++number;
    traffic.packets.emplace_back(view);
  }
  return traffic;
}

TEST(PcapngFileWriter, WhatItWritesReadsBackEqual) {
  const Traffic traffic = EveryLinkType();
  ASSERT_GT(traffic.interfaces.size(), 5U);
  for (const Compression compression : kCompressions) {
    const TemporaryFile file;
    auto writer = PcapngFileWriter::Create(
        file.path(), {.interfaces = traffic.interfaces, .compression = compression});
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (std::size_t i = 0; i < traffic.packets.size(); ++i) {
      const std::string comment = i % 4 == 1 ? "number " + std::to_string(i) : "";
      ASSERT_TRUE(writer->Write(traffic.packets[i].view(), comment).ok());
    }
    ASSERT_TRUE(writer->SetDrops(1, {.dropped_buffer = 5, .dropped_interface = 3}).ok());
    ASSERT_TRUE(writer->Close().ok());
    const Contents contents = ReadBack(file);
    EXPECT_TRUE(contents.error.ok()) << contents.error;
    EXPECT_EQ(contents.interfaces, traffic.interfaces);
    ExpectSamePackets(contents.packets, traffic.packets);
    EXPECT_EQ(contents.comments.size(), (traffic.packets.size() + 2) / 4);
    EXPECT_EQ(contents.comments.at(1), (std::pair<std::size_t, std::string>(5, "number 5")));
    EXPECT_EQ(contents.stats.dropped_buffer, 5U);
    EXPECT_EQ(contents.stats.dropped_interface, 3U);
  }
}

TEST(PcapngFileWriter, WiresharkReadsTheSame) {
  if (!IsInstalled("tshark") || !IsInstalled("capinfos")) {
    GTEST_SKIP()
        << "tshark and capinfos are not installed: no other program has looked at the file";
  }
  const Traffic traffic = EveryLinkType();
  for (const Compression compression : kCompressions) {
    const TemporaryFile file;
    auto writer = PcapngFileWriter::Create(
        file.path(), {.interfaces = traffic.interfaces, .compression = compression});
    std::string expected;
    for (std::size_t i = 0; i < traffic.packets.size(); ++i) {
      const PacketView packet = traffic.packets[i].view();
      const std::string comment = i == 1 ? "the second" : "";
      ASSERT_TRUE(writer->Write(packet, comment).ok());
      const std::int64_t time = packet.time.time_since_epoch().count();
      const std::string nanoseconds = std::to_string(time % 1'000'000'000);
      expected += std::to_string(time / 1'000'000'000) + '.' +
                  std::string(9 - nanoseconds.size(), '0') + nanoseconds + '|' +
                  std::to_string(packet.wire_bytes) + '|' + std::to_string(packet.bytes.size()) +
                  "|if" + std::to_string(packet.interface_id) + '|' + comment + '\n';
    }
    ASSERT_TRUE(writer->SetDrops(0, {.dropped_buffer = 7}).ok());
    ASSERT_TRUE(writer->Close().ok());
    const std::string seen =
        OutputOf("tshark -r " + file.path() +
                 " -T fields -E separator='|' -e frame.time_epoch -e frame.len -e frame.cap_len"
                 " -e frame.interface_name -e frame.comment");
    EXPECT_EQ(seen, expected) << ToString(compression);
    const std::string information = OutputOf("capinfos " + file.path());
    EXPECT_NE(information.find("libnta"), std::string::npos) << information;
    EXPECT_NE(information.find("nanoseconds"), std::string::npos) << information;
    EXPECT_EQ(information.find("failed"), std::string::npos) << information;
  }
}

TEST(PcapngFileWriter, InterfacesMayComeBetweenPackets) {
  const TemporaryFile file;
  auto writer = PcapngFileWriter::Create(file.path());
  const Packet ethernet = PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Build();
  ASSERT_TRUE(writer->Write(ethernet.view()).ok()) << "the first one comes by itself";
  const auto added = writer->AddInterface({.name = "tun0", .link_type = LinkType::kRaw});
  ASSERT_TRUE(added.ok());
  EXPECT_EQ(*added, 1U);
  const Packet raw = PacketBuilder().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Build();
  PacketView view = raw.view();
  EXPECT_EQ(writer->Write(view).code(), absl::StatusCode::kInvalidArgument) << "interface 0";
  view.interface_id = 1;
  EXPECT_TRUE(writer->Write(view).ok());
  view.interface_id = 2;
  EXPECT_EQ(writer->Write(view).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(writer->SetDrops(2, {}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(writer->Close().ok());
  const Contents contents = ReadBack(file);
  ASSERT_EQ(contents.packets.size(), 2U);
  EXPECT_EQ(contents.packets[1].view().link_type, LinkType::kRaw);
  EXPECT_EQ(contents.interfaces.at(1).name, "tun0");
}

TEST(PcapngFileWriter, CutsAtTheInterfacesSnapLength) {
  const TemporaryFile file;
  auto writer = PcapngFileWriter::Create(
      file.path(), {.interfaces = {{.snap_length = 10}, {.snap_length = 1 << 30}}});
  const Bytes bytes(300'000, 1);
  PacketView view{.time = At({}), .wire_bytes = 300'000, .bytes = bytes};
  ASSERT_TRUE(writer->Write(view).ok());
  view.interface_id = 1;
  ASSERT_TRUE(writer->Write(view).ok());
  ASSERT_TRUE(writer->Close().ok());
  const Contents contents = ReadBack(file);
  ASSERT_EQ(contents.packets.size(), 2U);
  EXPECT_EQ(contents.packets[0].view().bytes.size(), 10U);
  EXPECT_EQ(contents.packets[1].view().bytes.size(), 262144U);
  EXPECT_EQ(contents.packets[1].view().wire_bytes, 300'000U);
}

TEST(PcapngFileWriter, RefusesWhatAFileCannotHold) {
  const TemporaryFile file;
  auto writer = PcapngFileWriter::Create(file.path());
  PacketView view{};
  view.time = Timestamp(Duration(-1));
  EXPECT_EQ(writer->Write(view).code(), absl::StatusCode::kOutOfRange);
  view.time = Timestamp();
  EXPECT_EQ(writer->Write(view, std::string(65'536, 'x')).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(writer->Write(view, std::string(65'535, 'x')).ok());
  EXPECT_EQ(writer->AddInterface({.name = std::string(65'536, 'x')}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(writer->Close().ok());
  EXPECT_EQ(writer->Close().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(writer->Write(view).code(), absl::StatusCode::kFailedPrecondition);
  const Contents contents = ReadBack(file);
  EXPECT_EQ(contents.packets.size(), 1U);
  EXPECT_EQ(contents.comments.at(0).second.size(), 65'535U);
  EXPECT_EQ(PcapngFileWriter::Create("/nonexistent/file").status().code(),
            absl::StatusCode::kNotFound);
}

TEST(PcapngFileWriter, WithoutCloseEverythingWrittenIsThere) {
  for (const Compression compression : kCompressions) {
    const TemporaryFile file;
    {
      auto writer = PcapngFileWriter::Create(file.path(), {.compression = compression});
      PcapngFileWriter moved = *std::move(writer);
      PacketView view{};
      for (int i = 0; i < 10; ++i) ASSERT_TRUE(moved.Write(view).ok());
    }
    const Contents contents = ReadBack(file);
    EXPECT_TRUE(contents.error.ok()) << contents.error;
    EXPECT_EQ(contents.packets.size(), 10U);
  }
}

TEST(CompressedWriting, PcapReadsBackEqualAtEveryLevel) {
  const struct {
    Compression compression;
    int best;
  } cases[] = {{Compression::kGzip, 9}, {Compression::kZstd, 19}};
  for (const auto& [compression, best] : cases) {
    for (const int level : {1, best}) {
      const TemporaryFile file;
      auto writer = PcapFileWriter::Create(
          file.path(), {.compression = compression, .compression_level = level});
      ASSERT_TRUE(writer.ok()) << writer.status();
      std::vector<Packet> written;
      std::size_t bytes = 0;
      for (std::size_t i = 0; i < 1000; ++i) {
        written.push_back(PacketBuilder()
                              .Ethernet()
                              .Ipv4("10.0.0.1", "10.0.0.2")
                              .Udp(1, static_cast<std::uint16_t>(i))
                              .Payload(i)
                              .Build());
        bytes += written.back().view().bytes.size();
        ASSERT_TRUE(writer->Write(written.back().view()).ok());
      }
      ASSERT_TRUE(writer->Close().ok());
      const Contents contents = ReadBack(file);
      EXPECT_TRUE(contents.error.ok()) << contents.error;
      ExpectSamePackets(contents.packets, written);
      EXPECT_LT(contents.stats.bytes_total, bytes / 4);
      if (IsInstalled("capinfos")) {
        EXPECT_NE(OutputOf("capinfos -c " + file.path()).find("1000"), std::string::npos);
      }
    }
    for (const int level : {0, -1, best + 1}) {
      EXPECT_EQ(PcapFileWriter::Create("/dev/null",
                                       {.compression = compression, .compression_level = level})
                    .status()
                    .code(),
                absl::StatusCode::kInvalidArgument);
    }
  }
}

TEST(CompressedWriting, FullDiskShowsAtCloseAtTheLatest) {
  struct stat status;
  if (stat("/dev/full", &status) != 0) GTEST_SKIP() << "there is no /dev/full";
  const Bytes bytes(1000, 0);
  for (const Compression compression : kCompressions) {
    auto pcap = PcapFileWriter::Create("/dev/full", {.compression = compression});
    ASSERT_TRUE(pcap.ok());
    EXPECT_EQ(pcap->Close().code(), absl::StatusCode::kResourceExhausted);
    auto pcapng = PcapngFileWriter::Create("/dev/full", {.compression = compression});
    PacketView view{};
    view.bytes = bytes;
    absl::Status first;
    for (int i = 0; i < 100'000 && first.ok(); ++i) first = pcapng->Write(view);
    const absl::Status last = pcapng->Close();
    EXPECT_EQ(last.code(), absl::StatusCode::kResourceExhausted) << last;
    if (!first.ok()) {
      EXPECT_EQ(first, last) << "it repeats";
    }
  }
}

}  // namespace
}  // namespace nta::test

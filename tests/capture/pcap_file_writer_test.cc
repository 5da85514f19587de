#include "nta/capture/pcap_file_writer.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "capture_file.h"
#include "nta/capture/pcap_file_reader.h"
#include "support/packet_builder.h"

namespace nta::test {
namespace {

TEST(PcapFileWriter, WhatItWritesReadsBackEqual) {
  const TemporaryFile file;
  auto writer = PcapFileWriter::Create(file.path());
  ASSERT_TRUE(writer.ok()) << writer.status();
  std::vector<Packet> written;
  for (const NamedPacket& kind : EveryKindOfPacket()) {
    if (kind.packet.view().link_type == LinkType::kEthernet) written.push_back(kind.packet);
  }
  for (std::size_t i = 0; i < written.size(); ++i) {
    PacketView view = written[i].view();
    view.time = At(Duration(static_cast<std::int64_t>(i) * 1'000'000'007));
    if (i % 3 == 0) view.wire_bytes += 1000;
    written[i] = Packet(view);
    ASSERT_TRUE(writer->Write(written[i].view()).ok());
  }
  ASSERT_TRUE(writer->Close().ok());
  auto reader = PcapFileReader::Open(file.path());
  PacketBatch batch;
  ASSERT_EQ(*(*reader)->Read(batch), ReadResult::kPackets);
  ASSERT_EQ(batch.size(), written.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    EXPECT_EQ(batch[i].time, written[i].view().time);
    EXPECT_EQ(batch[i].wire_bytes, written[i].view().wire_bytes);
    EXPECT_TRUE(std::equal(batch[i].bytes.begin(), batch[i].bytes.end(),
                           written[i].view().bytes.begin(), written[i].view().bytes.end()));
  }
  if (std::system("command -v capinfos >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "capinfos is not installed: no other program has looked at the file";
  }
  EXPECT_EQ(std::system(("capinfos -c " + file.path() + " >/dev/null").c_str()), 0);
}

TEST(PcapFileWriter, CutsAtItsSnapLengthAndKeepsTheWireLength) {
  const TemporaryFile file;
  auto writer =
      PcapFileWriter::Create(file.path(), {.link_type = LinkType::kRaw, .snap_length = 10});
  const Packet packet = PacketBuilder().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Build();
  ASSERT_TRUE(writer->Write(packet.view()).ok());
  ASSERT_TRUE(writer->Close().ok());
  auto reader = PcapFileReader::Open(file.path());
  PacketBatch batch;
  ASSERT_EQ(*(*reader)->Read(batch), ReadResult::kPackets);
  EXPECT_EQ(batch[0].bytes.size(), 10U);
  EXPECT_EQ(batch[0].wire_bytes, 28U);
  EXPECT_EQ(batch[0].link_type, LinkType::kRaw);
}

TEST(PcapFileWriter, RefusesWhatAPcapFileCannotHold) {
  const TemporaryFile file;
  auto writer = PcapFileWriter::Create(file.path());
  PacketView view{};
  view.link_type = LinkType::kRaw;
  EXPECT_EQ(writer->Write(view).code(), absl::StatusCode::kInvalidArgument);
  view.link_type = LinkType::kEthernet;
  view.time = Timestamp(Duration(-1));
  EXPECT_EQ(writer->Write(view).code(), absl::StatusCode::kOutOfRange);
  view.time = Timestamp(std::chrono::seconds(0x100000000));
  EXPECT_EQ(writer->Write(view).code(), absl::StatusCode::kOutOfRange);
  view.time = Timestamp(std::chrono::seconds(0xffffffff));
  EXPECT_TRUE(writer->Write(view).ok());
}

TEST(PcapFileWriter, SaysSoAfterClose) {
  const TemporaryFile file;
  auto writer = PcapFileWriter::Create(file.path());
  EXPECT_TRUE(writer->Close().ok());
  EXPECT_EQ(writer->Close().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(writer->Write(PacketView()).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(PcapFileWriter, TellsWhyAFileCannotBeCreated) {
  EXPECT_EQ(PcapFileWriter::Create("/nonexistent/file").status().code(),
            absl::StatusCode::kNotFound);
}

TEST(PcapFileWriter, FullDiskShowsAtCloseAtTheLatest) {
  struct stat status;
  if (stat("/dev/full", &status) != 0) GTEST_SKIP() << "there is no /dev/full";
  auto writer = PcapFileWriter::Create("/dev/full");
  ASSERT_TRUE(writer.ok());
  absl::Status first = absl::OkStatus();
  for (int i = 0; i < 10 && first.ok(); ++i) first = writer->Write(PacketView());
  const absl::Status last = writer->Close();
  EXPECT_TRUE(first.code() == absl::StatusCode::kResourceExhausted ||
              last.code() == absl::StatusCode::kResourceExhausted)
      << first << last;
}

}  // namespace
}  // namespace nta::test

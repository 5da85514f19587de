// ReadAll: everything that a source has, copied, and how it ended.
#ifndef NTA_TESTS_CAPTURE_READ_CAPTURE_H_
#define NTA_TESTS_CAPTURE_READ_CAPTURE_H_

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "capture_file.h"
#include "nta/capture/pcap_file_reader.h"
#include "nta/packet/packet.h"

namespace nta::test {

struct Contents {
  std::vector<Packet> packets;
  std::vector<std::pair<std::size_t, std::string>> comments;  // with the packet's number
  std::vector<CaptureInterface> interfaces;
  absl::Status error;
  CaptureStats stats;
};

inline Contents ReadAll(PcapFileReader& reader) {
  Contents contents;
  PacketBatch batch;
  while (true) {
    const auto result = reader.Read(batch);
    if (!result.ok() || *result == ReadResult::kEnd) {
      contents.error = result.status();
      contents.stats = reader.Stats();
      contents.interfaces = reader.Interfaces();
      EXPECT_TRUE(batch.empty());
      if (!result.ok()) {
        EXPECT_EQ(reader.Read(batch).status(), result.status()) << "it repeats";
      }
      return contents;
    }
    EXPECT_EQ(*result, ReadResult::kPackets);
    EXPECT_FALSE(batch.empty());
    for (const PacketComment& comment : reader.comments()) {
      contents.comments.emplace_back(contents.packets.size() + comment.packet, comment.text);
    }
    for (const PacketView& packet : batch) contents.packets.emplace_back(packet);
  }
}

inline Contents ReadBytes(const std::vector<std::uint8_t>& bytes,
                          PcapFileReaderOptions options = {}) {
  const TemporaryFile file(bytes);
  auto reader = PcapFileReader::Open(file.path(), options);
  if (!reader.ok()) {
    Contents contents;
    contents.error = reader.status();
    return contents;
  }
  return ReadAll(**reader);
}
inline Contents ReadFile(const CaptureFile& file) { return ReadBytes(file.bytes()); }

inline void ExpectDamaged(const Contents& contents, std::size_t packets_before,
                          std::string_view why) {
  EXPECT_EQ(contents.error.code(), absl::StatusCode::kDataLoss) << why << ": " << contents.error;
  EXPECT_EQ(contents.packets.size(), packets_before) << why;
  EXPECT_EQ(contents.stats.received, packets_before) << why;
}

inline void ExpectSamePackets(const std::vector<Packet>& a, const std::vector<Packet>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const PacketView x = a[i].view();
    const PacketView y = b[i].view();
    ASSERT_EQ(x.time, y.time) << i;
    ASSERT_EQ(x.link_type, y.link_type) << i;
    ASSERT_EQ(x.wire_bytes, y.wire_bytes) << i;
    ASSERT_EQ(x.interface_id, y.interface_id) << i;
    ASSERT_TRUE(std::equal(x.bytes.begin(), x.bytes.end(), y.bytes.begin(), y.bytes.end())) << i;
  }
}

}  // namespace nta::test

#endif  // NTA_TESTS_CAPTURE_READ_CAPTURE_H_

#include "store/statistics_codec.h"

#include <algorithm>
#include <bit>
#include <type_traits>

#include "store/bytes.h"

namespace nta::store {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kMaxSamples = 255;

class Writer {
 public:
  explicit Writer(Bytes& out) : out_(out) {}

  template <typename Integer>
  requires std::is_unsigned_v<Integer>
  void Field(Integer value) { out_.Varint(value); }
  void Field(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    out_.U32(static_cast<std::uint32_t>(bits));
    out_.U32(static_cast<std::uint32_t>(bits >> 32));
  }
  void Field(Duration value) { out_.ZigZag(value.count()); }
  void Field(bool value) { out_.U8(value ? 1 : 0); }
  void Field(const MacAddress& value) { out_.Raw(value.bytes); }
  template <typename T>
  void Field(const std::optional<T>& value) {
    out_.U8(value ? 1 : 0);
    if (value) Field(*value);
  }

 private:
  ByteWriter out_;
};

class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : in_(bytes) {}

  template <typename Integer>
  requires std::is_unsigned_v<Integer>
  void Field(Integer& value) {
    const std::uint64_t number = in_.Varint();
    value = static_cast<Integer>(number);
    if (value != number) in_.Fail();
  }
  void Field(double& value) {
    const std::uint64_t low = in_.U32();
    value = std::bit_cast<double>(low | std::uint64_t{in_.U32()} << 32);
  }
  void Field(Duration& value) { value = Duration(in_.ZigZag()); }
  void Field(bool& value) { value = in_.U8() == 1; }
  void Field(MacAddress& value) {
    const auto bytes = in_.Take(6);
    std::copy(bytes.begin(), bytes.end(), value.bytes.begin());
  }
  template <typename T>
  void Field(std::optional<T>& value) {
    value.reset();
    if (in_.U8() == 1) Field(value.emplace());
  }
  ByteReader& in() { return in_; }

 private:
  ByteReader in_;
};

// One list of fields for both ways.
template <typename Archive, typename M>
void Each(Archive& archive, M& moments) {
  archive.Field(moments.count);
  archive.Field(moments.minimum);
  archive.Field(moments.maximum);
  archive.Field(moments.mean);
  archive.Field(moments.deviation);
}

template <typename Archive, typename D>
void EachOfDirection(Archive& archive, D& direction) {
  Each(archive, direction.ip_length);
  Each(archive, direction.inter_arrival);
  archive.Field(direction.hop_limit_minimum);
  archive.Field(direction.hop_limit_maximum);
  archive.Field(direction.dscp);
  archive.Field(direction.fragments);
  archive.Field(direction.retransmissions);
  archive.Field(direction.out_of_order);
  archive.Field(direction.zero_windows);
  archive.Field(direction.resets);
  archive.Field(direction.payload_entropy);
}

template <typename Archive, typename S>
void EachOfFlow(Archive& archive, S& statistics) {
  EachOfDirection(archive, statistics.forward);
  EachOfDirection(archive, statistics.reverse);
  Each(archive, statistics.inter_arrival);
  archive.Field(statistics.destination_round_trip);
  archive.Field(statistics.source_round_trip);
  archive.Field(statistics.source_mac);
  archive.Field(statistics.destination_mac);
  archive.Field(statistics.tunnels);
}

template <typename Archive, typename P>
void EachOfSample(Archive& archive, P& sample) {
  archive.Field(sample.offset);
  archive.Field(sample.ip_bytes);
  archive.Field(sample.payload_bytes);
  archive.Field(sample.is_forward);
}

}  // namespace

std::string EncodeStatistics(const FlowStatistics& statistics) {
  Bytes bytes{kFormat};
  Writer writer(bytes);
  EachOfFlow(writer, statistics);
  const std::size_t samples = std::min(statistics.first_packets.size(), kMaxSamples);
  writer.Field(std::uint64_t{samples});
  for (std::size_t i = 0; i < samples; ++i) EachOfSample(writer, statistics.first_packets[i]);
  return {bytes.begin(), bytes.end()};
}

bool DecodeStatistics(std::string_view bytes, FlowStatistics& statistics) {
  Reader reader({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  if (reader.in().U8() != kFormat) return false;
  EachOfFlow(reader, statistics);
  std::uint64_t samples = 0;
  reader.Field(samples);
  if (samples > kMaxSamples) return false;
  statistics.first_packets.resize(samples);
  for (PacketSample& sample : statistics.first_packets) EachOfSample(reader, sample);
  return reader.in().ok() && reader.in().left() == 0;
}

}  // namespace nta::store

#include "flow/statistics_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/status.h"

namespace nta::internal {
namespace {

std::uint8_t Bit(std::size_t direction) { return static_cast<std::uint8_t>(1U << direction); }

// Samples of a flow that has more than every flow has memory for.
std::size_t MoreSamples(const FlowStatisticsOptions& options) {
  return options.first_packets - std::min(options.first_packets, StatisticsSlot::kSamples);
}

// Shannon's entropy in bits per byte. Summed in the order of the bytes' values, so that whoever
// computes it likewise gets the same double.
double Entropy(const std::uint16_t (&counts)[256], std::uint32_t total) {
  double sum = 0;
  for (const std::uint16_t count : counts) {
    if (count != 0) sum += static_cast<double>(count) * std::log2(static_cast<double>(count));
  }
  return std::log2(static_cast<double>(total)) - sum / static_cast<double>(total);
}

}  // namespace

absl::StatusOr<StatisticsTable> StatisticsTable::Create(const FlowStatisticsOptions& options,
                                                        std::size_t slots) {
  StatisticsTable table;
  table.options_ = options;
  table.more_samples_ = MoreSamples(options);
  NTA_ASSIGN_OR_RETURN(table.slots_, base::LazyArray<StatisticsSlot>::Create(slots));
  NTA_ASSIGN_OR_RETURN(table.reverse_, base::LazyArray<StatisticsDirection>::Create(slots));
  NTA_ASSIGN_OR_RETURN(table.rare_, base::LazyArray<StatisticsRare>::Create(slots));
  if (table.more_samples_ != 0) {
    NTA_ASSIGN_OR_RETURN(table.later_samples_,
                         base::LazyArray<StoredSample>::Create(slots * table.more_samples_));
  }
  if (options.entropy_bytes != 0) {
    NTA_ASSIGN_OR_RETURN(table.histograms_, base::LazyArray<Histograms>::Create(slots));
  }
  return table;
}

std::size_t StatisticsTable::BytesPerFlow(const FlowStatisticsOptions& options) {
  return sizeof(StatisticsSlot) + sizeof(StatisticsDirection) + sizeof(StatisticsRare) +
         MoreSamples(options) * sizeof(StoredSample) +
         (options.entropy_bytes != 0 ? sizeof(Histograms) : 0);
}

std::size_t StatisticsTable::memory_bytes(std::size_t slots) const {
  const std::size_t each =
      sizeof(StatisticsSlot) + (options_.entropy_bytes != 0 ? sizeof(Histograms) : 0);
  return slots * each + reverse_taken_ * sizeof(StatisticsDirection) +
         rare_taken_ * sizeof(StatisticsRare) +
         more_samples_taken_ * more_samples_ * sizeof(StoredSample);
}

void StatisticsTable::Start(std::uint32_t slot) {
  StatisticsHead& head = slots_[slot].head;
  const StatisticsHead before = head;
  head = {};
  head.reverse = before.reverse;
  head.rare = before.rare;
  head.more_samples = before.more_samples;
}

void StatisticsTable::Continue(std::uint32_t slot) {
  StatisticsHead& head = slots_[slot].head;
  for (std::size_t direction = 0; direction < 2; ++direction) {
    if ((head.initialised & Bit(direction)) != 0) Direction(slot, direction).Continue();
  }
  if (head.has_rare != 0) Rare(slot).Continue();
  head.Continue();
}

// The part of a direction, initialised when it is not yet.
StatisticsDirection& StatisticsTable::Direction(std::uint32_t slot, std::size_t direction) {
  StatisticsHead& head = slots_[slot].head;
  if (direction != 0 && head.reverse == 0) head.reverse = ++reverse_taken_;
  StatisticsDirection& part = direction == 0 ? slots_[slot].forward : reverse_[head.reverse - 1];
  if ((head.initialised & Bit(direction)) == 0) {
    part = {};
    head.initialised = (head.initialised | Bit(direction)) & 3;
  }
  return part;
}

const StatisticsDirection* StatisticsTable::FindDirection(std::uint32_t slot,
                                                          std::size_t direction) const {
  const StatisticsHead& head = slots_[slot].head;
  if ((head.initialised & Bit(direction)) == 0) return nullptr;
  return direction == 0 ? &slots_[slot].forward : &reverse_[head.reverse - 1];
}

StatisticsRare& StatisticsTable::Rare(std::uint32_t slot) {
  StatisticsHead& head = slots_[slot].head;
  if (head.rare == 0) head.rare = ++rare_taken_;
  StatisticsRare& rare = rare_[head.rare - 1];
  if (head.has_rare == 0) {
    rare = {};
    head.has_rare = 1;
  }
  return rare;
}

void StatisticsTable::Add(std::uint32_t slot, std::size_t direction, std::int64_t time,
                          const DecodedPacket& packet) {
  StatisticsHead& head = slots_[slot].head;
  if (head.active == 0) {
    head.inter_arrival.Clear();
  } else {
    head.inter_arrival.Add(Gap(head.last_time, time));
  }
  head.last_time = time;
  StatisticsDirection& part = Direction(slot, direction);
  part.Add(time, packet, (head.active & Bit(direction)) == 0);
  head.active = (head.active | Bit(direction)) & 3;
  if (packet.has_mac && head.has_mac == 0) {
    head.has_mac = Bit(direction) & 3;
    std::memcpy(part.source_mac, packet.source_mac.bytes.data(), 6);
    std::memcpy(part.destination_mac, packet.destination_mac.bytes.data(), 6);
  }
  if (packet.is_fragment) {
    ++part.fragments;
  } else if (packet.has_tcp_header) {
    AddTcp(slot, direction, time, packet);
  }
  if (head.sample_count < options_.first_packets) AddSample(slot, direction, time, packet);
  if (part.entropy_bytes < options_.entropy_bytes && !packet.payload.empty()) {
    AddPayload(slot, direction, packet);
  }
}

void StatisticsTable::AddTcp(std::uint32_t slot, std::size_t direction, std::int64_t time,
                             const DecodedPacket& packet) {
  StatisticsDirection& part = Direction(slot, direction);
  const bool is_syn = (packet.tcp_flags & kTcpSyn) != 0;
  const bool is_fin = (packet.tcp_flags & kTcpFin) != 0;
  if ((packet.tcp_flags & kTcpRst) != 0) {
    // Its number need not be one of the stream.
    if (part.resets != ~std::uint32_t{0}) ++part.resets;
    return;
  }
  if (slots_[slot].head.is_acknowledged == 0) AddHandshake(slot, direction, time, packet);
  if (packet.tcp_window == 0 && !is_syn && !is_fin) ++Rare(slot).directions[direction].zero_windows;
  const TcpSegment segment{.sequence = packet.tcp_sequence,
                           .length = packet.payload_bytes + (is_syn ? 1U : 0U) + (is_fin ? 1U : 0U),
                           .is_syn = is_syn,
                           .may_probe = packet.payload_bytes == 1 && !is_syn && !is_fin};
  if (part.tcp.Add(segment)) return;
  StatisticsRare::Direction& rare = Rare(slot).directions[direction];
  const SegmentKind kind = part.tcp.AddWithHoles(segment, rare.holes);
  if (kind == SegmentKind::kRetransmission) ++rare.retransmissions;
  if (kind == SegmentKind::kOutOfOrder) ++rare.out_of_order;
}

void StatisticsTable::AddHandshake(std::uint32_t slot, std::size_t direction, std::int64_t time,
                                   const DecodedPacket& packet) {
  StatisticsHead& head = slots_[slot].head;
  const int kind = packet.tcp_flags & (kTcpSyn | kTcpAck);
  StatisticsDirection& part = Direction(slot, direction);
  if (kind == kTcpSyn) {
    const bool is_over =
        direction == 0 ? head.has_destination_round_trip != 0 : head.is_answered != 0;
    if (is_over) return;
    head.has_request = (head.has_request | Bit(direction)) & 3;
    part.handshake_time = time;
    return;
  }
  const bool answers = direction == 1 && kind == (kTcpSyn | kTcpAck);
  const bool acknowledges_answer = direction == 0 && kind == kTcpAck && head.is_answered != 0;
  // The other direction's part is far away in memory.
  if (!answers && !acknowledges_answer) return;
  const StatisticsDirection* const other = FindDirection(slot, 1 - direction);
  if (other == nullptr || !other->tcp.is_known) return;
  // Whether it acknowledges the SYN of the other side, and nothing that was not seen.
  const TcpProgress& asked = other->tcp;
  const bool acknowledges =
      packet.tcp_acknowledgment - asked.lowest - 1 < asked.next - asked.lowest;
  if (!acknowledges) return;
  if (answers) {
    if ((head.has_request & 1) != 0 && head.has_destination_round_trip == 0) {
      head.has_destination_round_trip = 1;
      StatisticsDirection& forward = Direction(slot, 0);
      forward.handshake_time = static_cast<std::int64_t>(Gap(forward.handshake_time, time));
    }
    head.is_answered = 1;
    part.handshake_time = time;
  } else {
    head.is_acknowledged = 1;
    StatisticsDirection& reverse = Direction(slot, 1);
    reverse.handshake_time = static_cast<std::int64_t>(Gap(reverse.handshake_time, time));
  }
}

const StoredSample& StatisticsTable::Sample(std::uint32_t slot, std::size_t index) const {
  if (index < kSamplesAtOnce) return slots_[slot].samples[index];
  return later_samples_[(slots_[slot].head.more_samples - 1) * more_samples_ + index -
                        kSamplesAtOnce];
}

StoredSample& StatisticsTable::Sample(std::uint32_t slot, std::size_t index) {
  return const_cast<StoredSample&>(std::as_const(*this).Sample(slot, index));
}

void StatisticsTable::AddSample(std::uint32_t slot, std::size_t direction, std::int64_t time,
                                const DecodedPacket& packet) {
  StatisticsHead& head = slots_[slot].head;
  if (head.sample_count == kSamplesAtOnce && head.more_samples == 0) {
    head.more_samples = ++more_samples_taken_;
  }
  StoredSample& sample = Sample(slot, head.sample_count++);
  sample.time = time;
  sample.ip_bytes = packet.ip_bytes;
  sample.payload_bytes = packet.payload_bytes & 0x7fffffff;
  sample.is_reverse = direction & 1;
}

void StatisticsTable::AddPayload(std::uint32_t slot, std::size_t direction,
                                 const DecodedPacket& packet) {
  auto& counts = histograms_[slot].counts[direction];
  std::uint16_t& total = Direction(slot, direction).entropy_bytes;
  if (total == 0) std::fill(std::begin(counts), std::end(counts), std::uint16_t{0});
  const std::size_t size = std::min(packet.payload.size(), options_.entropy_bytes - total);
  for (const std::uint8_t byte : packet.payload.first(size)) ++counts[byte];
  total = static_cast<std::uint16_t>(total + size);
}

void StatisticsTable::SwapDirections(std::uint32_t slot) {
  std::swap(Direction(slot, 0), Direction(slot, 1));
  StatisticsHead& head = slots_[slot].head;
  head.SwapDirections();
  if (head.has_rare != 0) {
    StatisticsRare& rare = Rare(slot);
    std::swap(rare.directions[0], rare.directions[1]);
  }
  for (std::size_t i = 0; i < head.sample_count; ++i) Sample(slot, i).is_reverse ^= 1;
  if (options_.entropy_bytes != 0) {
    Histograms& histograms = histograms_[slot];
    std::swap(histograms.counts[0], histograms.counts[1]);
  }
}

std::shared_ptr<const FlowStatistics> StatisticsTable::Take(std::uint32_t slot,
                                                            std::int64_t first_seen,
                                                            const DirectionTotals& forward,
                                                            const DirectionTotals& reverse) const {
  auto statistics = std::make_shared<FlowStatistics>();
  const StatisticsHead& head = slots_[slot].head;
  const std::uint64_t packets = forward.packets + reverse.packets;
  statistics->inter_arrival = head.inter_arrival.ToMoments(packets == 0 ? 0 : packets - 1);
  FillDirection(slot, 0, forward, *statistics);
  FillDirection(slot, 1, reverse, *statistics);
  if (head.has_destination_round_trip != 0) {
    statistics->destination_round_trip = Duration(FindDirection(slot, 0)->handshake_time);
  }
  if (head.is_acknowledged != 0) {
    statistics->source_round_trip = Duration(FindDirection(slot, 1)->handshake_time);
  }
  FillSamples(slot, first_seen, *statistics);
  return statistics;
}

void StatisticsTable::FillDirection(std::uint32_t slot, std::size_t direction,
                                    const DirectionTotals& totals, FlowStatistics& out) const {
  const StatisticsHead& head = slots_[slot].head;
  const StatisticsDirection* const from = FindDirection(slot, direction);
  if (from == nullptr || totals.packets == 0) return;
  FlowDirectionStatistics& to = direction == 0 ? out.forward : out.reverse;
  to.ip_length = from->ip_length.ToMoments(totals.packets, totals.ip_bytes);
  to.inter_arrival = from->inter_arrival.ToMoments(totals.packets - 1);
  to.hop_limit_minimum = from->hop_limit_minimum;
  to.hop_limit_maximum = from->hop_limit_maximum;
  to.dscp = from->dscp;
  to.fragments = from->fragments;
  to.resets = from->resets;
  out.tunnels = static_cast<std::uint16_t>(out.tunnels | from->tunnels);
  if (head.has_rare != 0) {
    const StatisticsRare::Direction& rare = rare_[head.rare - 1].directions[direction];
    to.retransmissions = rare.retransmissions;
    to.out_of_order = rare.out_of_order;
    to.zero_windows = rare.zero_windows;
  }
  if ((head.has_mac & Bit(direction)) != 0) {
    out.source_mac = MacAddress{std::to_array(from->source_mac)};
    out.destination_mac = MacAddress{std::to_array(from->destination_mac)};
    if (direction != 0) std::swap(out.source_mac, out.destination_mac);
  }
  if (from->entropy_bytes != 0) {
    to.payload_entropy = Entropy(histograms_[slot].counts[direction], from->entropy_bytes);
  }
}

void StatisticsTable::FillSamples(std::uint32_t slot, std::int64_t first_seen,
                                  FlowStatistics& out) const {
  const StatisticsHead& head = slots_[slot].head;
  out.first_packets.reserve(head.sample_count);
  for (std::size_t i = 0; i < head.sample_count; ++i) {
    const StoredSample& stored = Sample(slot, i);
    out.first_packets.push_back({.offset = Duration(stored.time - first_seen),
                                 .ip_bytes = stored.ip_bytes,
                                 .payload_bytes = stored.payload_bytes,
                                 .is_forward = stored.is_reverse == 0});
  }
}

}  // namespace nta::internal

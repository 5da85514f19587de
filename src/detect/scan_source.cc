#include "detect/scan_source.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <tuple>
#include <utility>

#include "base/keyed_hash.h"

namespace nta::detect {
namespace {

// Fixed on purpose: a source that chooses its targets so that they collide only makes its own
// number look smaller.
constexpr base::KeyedHash kSpreadHash(0x5ca9);

constexpr std::uint32_t kBlockMinFailures = 100;
// Contacts per service. Peer-to-peer clients stay below two; see docs/detection.md.
constexpr double kBlockContactsPerService = 8;

// Hosts and services in 1024 failures. Sweeps of more services than this are left to the rule for
// blocks.
constexpr std::uint32_t kPeerToPeerScatter = 64;

std::uint64_t ServiceOf(std::uint8_t protocol, std::uint16_t port) {
  return static_cast<std::uint64_t>(protocol) << 16 | port;
}

// The lowest is replaced first.
auto Interest(const FailureGroup& group) {
  return std::make_tuple(group.alarmed, group.alarmed ? 0.0 : group.bits, group.last_started);
}

}  // namespace

void LinearCount::Add(std::uint64_t value) {
  const std::uint64_t bit = kSpreadHash(value, 0) >> 56;
  words_[bit / 64] |= std::uint64_t{1} << (bit % 64);
}

double LinearCount::Estimate() const {
  int zeros = 256;
  for (const std::uint64_t word : words_) zeros -= std::popcount(word);
  return 256 * std::log(256.0 / std::max(zeros, 1));
}

bool LinearCount::full() const {
  return std::all_of(words_.begin(), words_.end(), [](auto word) { return ~word == 0; });
}

std::uint32_t Spread::Scatter() const {
  return static_cast<std::uint32_t>(std::min(hosts.Estimate(), services.Estimate()));
}

FailureGroup* ScanSource::FindGroup(GroupKind kind, const Contact& contact) {
  for (FailureGroup& group : groups) {
    if (group.kind == kind && group.Matches(contact)) return &group;
  }
  return nullptr;
}

FailureGroup& ScanSource::AddGroup(GroupKind kind, const Contact& contact) {
  FailureGroup* least = nullptr;
  std::size_t of_kind = 0;
  for (FailureGroup& group : groups) {
    if (group.kind != kind) continue;
    ++of_kind;
    if (least == nullptr || Interest(group) < Interest(*least)) least = &group;
  }
  if (of_kind == kGroupsPerKind) return *least = MakeGroup(kind, contact);
  // Exactly as much as needed: most sources never get more than one group of each kind.
  if (groups.size() == groups.capacity()) groups.reserve(groups.size() + 2);
  return groups.emplace_back(MakeGroup(kind, contact));
}

void ScanSource::RememberFailure(const Contact& contact) {
  const RecentFailure failure{contact.destination, contact.protocol, contact.port};
  if (recent.size() < kRecent) {
    recent.push_back(failure);
    return;
  }
  recent[next_recent] = failure;
  next_recent = static_cast<std::uint8_t>((next_recent + 1) % kRecent);
}

void ScanSource::SpreadFailure(const Contact& contact, Timestamp started) {
  const auto& sweep = cases[static_cast<std::size_t>(ScanKind::kHostSweep)];
  const bool in_use = sweep != nullptr && sweep->trigger == Trigger::kBlock;
  if (spread.failed >= Spread::kEpoch && !in_use) {
    const std::uint32_t scatter = spread.Scatter();
    spread = {};
    spread.earlier_scatter = scatter;
  }
  if (spread.failed == 0) spread.first_started = started;
  spread.failed = std::min(spread.failed + 1, Spread::kMost);
  const AddressWords words = WordsOf(contact.destination);
  spread.hosts.Add(kSpreadHash(words.high, words.low));
  spread.services.Add(ServiceOf(contact.protocol, contact.port));
}

void ScanSource::SpreadSuccess() {
  if (spread.failed > 0) spread.succeeded = std::min(spread.succeeded + 1, Spread::kMost);
}

bool ScanSource::LooksLikePeerToPeer(const FailureGroup& group) const {
  std::set<IpAddress> hosts;
  std::set<std::uint64_t> services;
  std::size_t in_group = 0;
  for (const RecentFailure& failure : recent) {
    hosts.insert(failure.host);
    services.insert(ServiceOf(failure.protocol, failure.port));
    const bool same = group.kind == GroupKind::kHost
                          ? failure.host == group.host
                          : failure.port == group.port && failure.protocol == group.protocol;
    if (same) ++in_group;
  }
  const std::size_t half = recent.size() / 2;
  const bool was_scattered =
      std::max(spread.earlier_scatter, spread.Scatter()) > kPeerToPeerScatter;
  const bool is_scattered = hosts.size() > half && services.size() > half;
  return in_group < half && (is_scattered || (was_scattered && group.kind == GroupKind::kService));
}

bool ScanSource::LooksLikeBlockScan() const {
  return spread.failed >= kBlockMinFailures && spread.failed >= 4 * spread.succeeded &&
         spread.services.Estimate() * kBlockContactsPerService <= spread.failed &&
         spread.hosts.Estimate() > spread.services.Estimate();
}

void ScanSource::CloseCase(ScanKind kind) {
  cases[static_cast<std::size_t>(kind)].reset();
  const GroupKind group_kind = kind == ScanKind::kPortScan ? GroupKind::kHost : GroupKind::kService;
  std::erase_if(groups, [group_kind](const FailureGroup& group) {
    return group.kind == group_kind && group.alarmed;
  });
  if (kind == ScanKind::kHostSweep) spread = {};
}

std::size_t ScanSource::memory_bytes() const {
  std::size_t bytes =
      groups.capacity() * sizeof(FailureGroup) + recent.capacity() * sizeof(RecentFailure);
  for (const auto& open : cases) bytes += open == nullptr ? 0 : sizeof(ScanCase);
  // What the allocator adds to each block.
  constexpr std::size_t kBlockOverhead = 16;
  return bytes + 4 * kBlockOverhead;
}

}  // namespace nta::detect

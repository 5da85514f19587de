#include "nta/capture/multi_source.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/status.h"
#include "base/system_clock.h"

namespace nta {
namespace {

constexpr Timestamp kNever = Timestamp::max();
// As many as a capture file may have: more come from a mistake, and count as the last.
constexpr std::uint32_t kMaxInterfaces = 65536;

}  // namespace

struct MultiSource::Member {
  std::unique_ptr<PacketSource> source;
  bool is_live = false;
  bool has_ended = false;
  PacketBatch pending;  // read, and from `next` on not handed out
  std::size_t next = 0;
  Timestamp read_at{};
  std::vector<std::uint32_t> numbers;  // of its interfaces, in ours
  bool is_in_batch = false;            // the last batch has packets of it

  bool has_packets() const { return next < pending.size(); }
  bool is_silent() const { return !has_packets() && !has_ended; }
  Timestamp head() const { return has_packets() ? pending[next].time : kNever; }
};

absl::StatusOr<std::unique_ptr<MultiSource>> MultiSource::Create(
    std::vector<std::unique_ptr<PacketSource>> members, MultiSourceOptions options) {
  if (members.empty() || std::count(members.begin(), members.end(), nullptr) > 0) {
    return base::InvalidArgument("a source of several needs at least one");
  }
  using std::chrono::milliseconds;
  if (options.max_batch == 0 || options.timeout < milliseconds(1) ||
      options.timeout > std::chrono::hours(1)) {
    return base::InvalidArgument("max_batch must be positive, timeout within 1 ms and 1 h");
  }
  if (options.reorder_window < milliseconds(0) || options.reorder_window > milliseconds(60'000)) {
    return base::InvalidArgument("reorder_window must be within 0 and 60 s");
  }
  if (!options.now) options.now = base::SystemNow;
  return std::unique_ptr<MultiSource>(new MultiSource(std::move(members), std::move(options)));
}

MultiSource::MultiSource(std::vector<std::unique_ptr<PacketSource>> members,
                         MultiSourceOptions options)
    : options_(std::move(options)) {
  for (std::unique_ptr<PacketSource>& source : members) {
    Member& member = members_.emplace_back();
    member.source = std::move(source);
    member.is_live = member.source->is_live();
    const std::size_t count = std::max<std::size_t>(member.source->Interfaces().size(), 1);
    InterfaceNumber(member, static_cast<std::uint32_t>(count - 1));
  }
}
MultiSource::~MultiSource() = default;

std::uint32_t MultiSource::InterfaceNumber(Member& member, std::uint32_t interface) {
  interface = std::min(interface, kMaxInterfaces - 1);
  while (member.numbers.size() <= interface) {
    member.numbers.push_back(static_cast<std::uint32_t>(origins_.size()));
    origins_.push_back({.member = static_cast<std::size_t>(&member - members_.data()),
                        .interface = static_cast<std::uint32_t>(member.numbers.size() - 1)});
  }
  return member.numbers[interface];
}

absl::StatusOr<ReadResult> MultiSource::Read(PacketBatch& batch) {
  NTA_ASSIGN_OR_RETURN(const ReadResult result, ReadNow(batch));
  if (result != ReadResult::kTimeout) return result;
  NTA_RETURN_IF_ERROR(Wait());
  return ReadNow(batch);
}

absl::StatusOr<ReadResult> MultiSource::ReadNow(PacketBatch& batch) {
  batch.clear();
  for (Member& member : members_) member.is_in_batch = false;
  if (failure_.ok()) failure_ = Refill();
  Merge(batch);
  if (!batch.empty()) {
    received_ += batch.size();
    for (const PacketView& packet : batch) received_bytes_ += packet.bytes.size();
    return ReadResult::kPackets;
  }
  if (!failure_.ok()) return failure_;
  if (!HasEnded()) return ReadResult::kTimeout;
  if (deferred_.ok()) return ReadResult::kEnd;
  return failure_ = deferred_;
}

std::shared_ptr<const void> MultiSource::Retain() {
  auto retained = std::make_shared<std::vector<std::shared_ptr<const void>>>();
  for (Member& member : members_) {
    if (!member.is_in_batch) continue;
    retained->push_back(member.source->Retain());
    if (retained->back() == nullptr) return nullptr;
  }
  return retained;
}

// Only now may members that have handed out everything be read: their packets are no longer
// borrowed.
absl::Status MultiSource::Refill() {
  absl::Status status;
  for (Member& member : members_) {
    if (!member.is_silent()) continue;
    const absl::Status failure = RefillOne(member);
    if (status.ok()) status = failure;
  }
  return status;
}

absl::Status MultiSource::RefillOne(Member& member) {
  member.next = 0;
  const absl::StatusOr<ReadResult> result = member.source->ReadNow(member.pending);
  if (!result.ok()) {
    member.pending.clear();
    member.has_ended = true;
    if (member.is_live) return result.status();
    if (deferred_.ok()) deferred_ = result.status();
    return absl::OkStatus();
  }
  if (*result != ReadResult::kPackets) member.pending.clear();
  member.has_ended = *result == ReadResult::kEnd;
  if (options_.reorder_window.count() > 0) member.read_at = options_.now();
  return absl::OkStatus();
}

// The time up to which no silent member can come with an older packet.
Timestamp MultiSource::ReleaseLimit() const {
  if (options_.reorder_window.count() == 0 || !failure_.ok()) return kNever;
  const bool waits = std::any_of(members_.begin(), members_.end(), [](const Member& member) {
    return member.is_live && member.is_silent();
  });
  return waits ? options_.now() - options_.reorder_window : kNever;
}

void MultiSource::Merge(PacketBatch& batch) {
  const Timestamp limit = ReleaseLimit();
  const Timestamp held_since = limit == kNever ? kNever : options_.now() - options_.reorder_window;
  while (batch.size() < options_.max_batch) {
    Member* first = nullptr;
    Timestamp second = kNever;  // up to which `first` goes before all others
    for (Member& member : members_) {
      if (!member.has_packets()) continue;
      if (first == nullptr || member.head() < first->head()) {
        // At the same time the earlier member goes first.
        if (first != nullptr) second = std::min(second, first->head() - Duration(1));
        first = &member;
      } else {
        second = std::min(second, member.head());
      }
    }
    if (first == nullptr) return;
    // A packet from a clock that is ahead was held for the whole window, too.
    const bool is_free = !first->is_live || first->read_at <= held_since;
    const Timestamp own_limit = is_free ? kNever : limit;
    if (first->head() > own_limit) return;
    MoveRun(*first, std::min(second, own_limit), batch);
    // What it has next may be older than what the others have.
    if (first->is_silent()) return;
  }
}

void MultiSource::MoveRun(Member& member, Timestamp limit, PacketBatch& batch) {
  while (member.has_packets() && member.head() <= limit && batch.size() < options_.max_batch) {
    member.is_in_batch = true;
    PacketView& packet = batch.emplace_back(member.pending[member.next++]);
    packet.interface_id = InterfaceNumber(member, packet.interface_id);
  }
}

absl::Status MultiSource::Wait() const {
  std::vector<pollfd> descriptors;
  bool has_waited = false;
  auto time = options_.timeout;
  for (const Member& member : members_) {
    if (member.has_packets()) {
      // Held back, for not longer than the window.
      time = std::min(time, std::max(options_.reorder_window / 4, std::chrono::milliseconds(1)));
    } else if (!member.has_ended) {
      const int descriptor = member.source->descriptor();
      if (descriptor >= 0) descriptors.push_back({descriptor, POLLIN, 0});
      has_waited = has_waited || descriptor < 0;
    }
  }
  const int milliseconds = has_waited ? 0 : static_cast<int>(time.count());
  const int result = poll(descriptors.data(), descriptors.size(), milliseconds);
  if (result < 0 && errno != EINTR) return base::ErrnoStatus(errno, "cannot wait for packets");
  return absl::OkStatus();
}

bool MultiSource::HasEnded() const {
  return std::all_of(members_.begin(), members_.end(), [](const Member& member) {
    return member.has_ended && !member.has_packets();
  });
}

CaptureStats MultiSource::Stats() const {
  CaptureStats sum;
  bool all_are_files = true;
  for (const CaptureStats& stats : MemberStats()) {
    sum.filtered += stats.filtered;
    sum.dropped_buffer += stats.dropped_buffer;
    sum.dropped_interface += stats.dropped_interface;
    sum.bytes_read += stats.bytes_read;
    sum.bytes_total += stats.bytes_total;
    sum.outages += stats.outages;
    sum.outage_time += stats.outage_time;
    all_are_files = all_are_files && stats.bytes_total > 0;
  }
  if (!all_are_files) sum.bytes_total = 0;
  // Members have handed out packets that wait here.
  sum.received = received_;
  sum.received_bytes = received_bytes_;
  return sum;
}

std::vector<CaptureStats> MultiSource::MemberStats() const {
  std::vector<CaptureStats> result;
  for (const Member& member : members_) result.push_back(member.source->Stats());
  return result;
}

bool MultiSource::is_live() const {
  return std::any_of(members_.begin(), members_.end(),
                     [](const Member& member) { return member.is_live; });
}

std::string MultiSource::name() const {
  std::string names;
  for (const Member& member : members_) {
    names += (names.empty() ? "" : ", ") + member.source->name();
  }
  return names;
}

std::vector<CaptureInterface> MultiSource::Interfaces() const {
  std::vector<std::vector<CaptureInterface>> of_members;
  for (const Member& member : members_) of_members.push_back(member.source->Interfaces());
  std::vector<CaptureInterface> result;
  for (const Origin& origin : origins_) {
    const std::vector<CaptureInterface>& known = of_members[origin.member];
    CaptureInterface& interface = result.emplace_back();
    if (origin.interface < known.size()) interface = known[origin.interface];
    if (interface.name.empty()) interface.name = members_[origin.member].source->name();
  }
  return result;
}

absl::StatusOr<std::unique_ptr<PacketSource>> OpenCaptureFiles(
    const std::vector<std::string>& paths, PcapFileReaderOptions options) {
  if (paths.empty()) return base::InvalidArgument("no capture file was named");
  std::vector<std::unique_ptr<PacketSource>> files;
  for (const std::string& path : paths) {
    NTA_ASSIGN_OR_RETURN(auto file, PcapFileReader::Open(path, options));
    files.push_back(std::move(file));
  }
  if (files.size() == 1) return std::move(files.front());
  return MultiSource::Create(std::move(files));
}

}  // namespace nta

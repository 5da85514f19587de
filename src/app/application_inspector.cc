#include "nta/app/application_inspector.h"

#include <algorithm>
#include <string>
#include <utility>

#include "app/chunked_array.h"
#include "app/expected_flows.h"
#include "app/fingerprints.h"
#include "app/guesses.h"
#include "app/inspection.h"
#include "app/inspection_pool.h"
#include "app/parsers.h"
#include "base/status.h"

namespace nta {
namespace {

using internal::Findings;
using internal::Inspection;
using internal::kNoInspection;
using internal::MatchResult;
using internal::ParseNext;
using internal::Parser;
using internal::ParseResult;
using internal::Payload;
using internal::Stream;
using internal::StreamBuffer;
using Bytes = std::span<const std::uint8_t>;

// A protocol inside a protocol inside ...
constexpr int kMaxNesting = 4;
// First packets that match nothing and are kept nevertheless, because the one before them may come
// later.
constexpr std::uint16_t kMaxUnmatchedPackets = 2;
// Packets of one direction that match nothing, after which a flow is given up.
constexpr std::uint32_t kMaxUnrecognised = 6;
// The end of a first message is seldom a full segment; bulk data is. What follows one goes on with
// it: no protocol begins there.
constexpr std::size_t kMaxUnmatchedBytes = 1000;

enum class Phase : std::uint8_t {
  kNew,        // no payload yet
  kStateless,  // looked at, but there is nothing to keep
  kKept,       // has an Inspection
  kDone,
};

// What is known of a flow for as long as it is in its table.
struct FlowState {
  std::shared_ptr<FlowMetadata> metadata;
  std::uint32_t inspection = kNoInspection;
  std::uint16_t metadata_bytes = 0;
  Application application = Application::kUnknown;
  // Forward, reverse; while kStateless.
  std::array<std::uint16_t, 2> expected{};  // the low halves of the next sequence numbers
  std::array<std::uint8_t, 2> packets{};
  Phase phase : 4 = Phase::kNew;
  bool knows_expected : 1 = false;
  std::uint8_t in_bulk : 2 = 0;  // bit 0, 1: the last packet was a full segment that nobody knew
  bool metadata_is_shared = false;

  // What `fresh` begins with.
  void Restart(Inspection& fresh) const {
    fresh.Restart(packets);
    if (!knows_expected) return;
    for (std::size_t i = 0; i < 2; ++i) fresh.streams[i].Expect(expected[i]);
  }
  bool IsInBulk(bool is_forward) const { return (in_bulk >> (is_forward ? 0 : 1) & 1) != 0; }
  void SetInBulk(bool is_forward, bool is_full) {
    const int bit = is_forward ? 1 : 2;
    in_bulk = static_cast<std::uint8_t>(is_full ? in_bulk | bit : in_bulk & ~bit) & 3;
  }
  // What is to be kept of `fresh`, which holds nothing.
  void Keep(const Inspection& fresh) {
    for (std::size_t i = 0; i < 2; ++i) {
      const Stream& stream = fresh.streams[i];
      packets[i] = static_cast<std::uint8_t>(stream.packets);
      expected[i] = stream.is_started ? static_cast<std::uint16_t>(stream.base) : stream.expected;
    }
  }
};
static_assert(sizeof(FlowState) == 32);
static_assert(sizeof(FlowMetadata) +
                  FlowMetadata::kMaxFields * (FlowMetadata::kMaxValueBytes + 4) <=
              0xFFFF);

}  // namespace

ApplicationInspectorStats& ApplicationInspectorStats::operator+=(
    const ApplicationInspectorStats& other) {
  flows += other.flows;
  packets += other.packets;
  identified += other.identified;
  named += other.named;
  given_up += other.given_up;
  evicted += other.evicted;
  metadata_left_out += other.metadata_left_out;
  active += other.active;
  buffered_bytes += other.buffered_bytes;
  metadata_bytes += other.metadata_bytes;
  memory_bytes += other.memory_bytes;
  return *this;
}

class ApplicationInspector::Impl {
 public:
  Impl(const ApplicationInspectorOptions& options, NameTable* names,
       std::unique_ptr<ApplicationNamer> namer)
      : options_(options), names_(names), namer_(std::move(namer)) {}

  bool has_namer() const { return namer_ != nullptr; }

  // After Inspect, which answered `own`: a flow that has no name may get one from the namer.
  InspectResult AskNamer(FlowSlot slot, bool is_forward, const DecodedPacket& packet,
                         InspectResult own) {
    if (flows_[slot].application != Application::kUnknown) {
      namer_->Forget(slot);
      return own;
    }
    if (namer_->NameOf(slot) != nullptr) return own;
    own.wants_more |= namer_->Look(slot, is_forward, packet);
    if (namer_->NameOf(slot) == nullptr) return own;
    ++stats_.named;
    own.has_news = true;
    return own;
  }

  InspectResult Inspect(FlowSlot slot, bool is_forward, const DecodedPacket& packet) {
    // The bytes, the flow's state and its inspection are seldom in a cache: fetched side by side.
    __builtin_prefetch(packet.payload.data());
    flows_.GrowTo(slot + 1);
    FlowState& flow = flows_[slot];
    if (flow.phase == Phase::kDone) return {};  // evicted meanwhile
    if (flow.phase == Phase::kNew) {
      flow.phase = Phase::kStateless;
      ++stats_.flows;
    }
    if (flow.IsInBulk(is_forward)) return PassBulk(flow, is_forward, packet);
    ++stats_.packets;
    // Most flows are recognised by one packet, or by none: only those between take memory.
    if (flow.phase == Phase::kStateless) flow.Restart(fresh_);
    Inspection& inspection = flow.phase == Phase::kKept ? inspections_[flow.inspection] : fresh_;
    Call call{flow, inspection, packet, is_forward};
    const bool had_application = flow.application != Application::kUnknown;
    const bool wants_more = Look(call) && WithinBounds(call);
    if (!had_application && flow.application != Application::kUnknown) {
      ++stats_.identified;
      call.has_news = true;
    }
    if (call.has_changes) CountMetadata(flow);
    inspection.has_changes = !call.has_news && (inspection.has_changes || call.has_changes);
    const InspectResult result{wants_more,
                               call.has_news || (!wants_more && inspection.has_changes)};
    if (wants_more) {
      GoOn(slot, call);
    } else {
      End(flow);
    }
    return result;
  }

  void Establish(FlowSlot slot, bool is_forward, const DecodedPacket& packet) {
    flows_.GrowTo(slot + 1);
    FlowState& flow = flows_[slot];
    if (flow.phase != Phase::kNew) return;
    flow.expected[is_forward ? 0 : 1] = static_cast<std::uint16_t>(packet.tcp_sequence + 1);
    flow.expected[is_forward ? 1 : 0] = static_cast<std::uint16_t>(packet.tcp_acknowledgment);
    flow.knows_expected = true;
  }

  void Describe(FlowSlot slot, bool was_inspected, FlowRecord& record) {
    FlowState* flow = was_inspected && slot < flows_.size() ? &flows_[slot] : nullptr;
    if (flow != nullptr && flow->application != Application::kUnknown) {
      record.application = flow->application;
      record.evidence = ApplicationEvidence::kPayload;
    } else if (flow == nullptr || !AddNameOfNamer(slot, record)) {
      Guess(record);
    }
    AddNames(flow, record);
    AddCategory(record);
    if (flow != nullptr) AddDetail(slot, record);
  }

  void Finish(FlowSlot slot) {
    if (slot >= flows_.size()) return;
    FlowState& flow = flows_[slot];
    if (flow.phase == Phase::kStateless || flow.phase == Phase::kKept) End(flow);
    stats_.metadata_bytes -= flow.metadata_bytes;
    flow = FlowState{};
    if (namer_ != nullptr) namer_->Forget(slot);
  }

  // The states of the flows first, then what they lead to.
  void Prefetch(std::span<const FlowSlot> slots) const {
    for (const FlowSlot slot : slots) {
      if (slot < flows_.size()) __builtin_prefetch(&flows_[slot], 1);
    }
    for (const FlowSlot slot : slots) {
      if (slot >= flows_.size()) continue;
      const FlowState& flow = flows_[slot];
      if (flow.phase == Phase::kKept) inspections_.Prefetch(flow.inspection);
      const char* const metadata = reinterpret_cast<const char*>(flow.metadata.get());
      if (metadata == nullptr) continue;
      for (int line = -1; line < 4; ++line) __builtin_prefetch(metadata + line * 64, 1);
    }
    // GCC takes a function that only fetches for one without effect, and leaves out calls of it.
    asm volatile("");
  }

  ApplicationInspectorStats Stats() const {
    ApplicationInspectorStats stats = stats_;
    stats.active = inspections_.active();
    stats.buffered_bytes = inspections_.buffered_bytes();
    stats.memory_bytes = flows_.memory_bytes() + inspections_.memory_bytes() +
                         stats.metadata_bytes + fingerprints_.memory_bytes();
    if (namer_ != nullptr) stats.memory_bytes += namer_->memory_bytes();
    return stats;
  }

 private:
  // One call of Inspect.
  struct Call {
    FlowState& flow;
    Inspection& inspection;
    const DecodedPacket& packet;
    bool is_forward;
    bool has_news = false;
    bool has_changes = false;

    Stream& stream() { return inspection.streams[is_forward ? 0 : 1]; }
    Stream& other() { return inspection.streams[is_forward ? 1 : 0]; }
  };

  // Of a flow that nobody knows: a packet that need not be looked at.
  InspectResult PassBulk(FlowState& flow, bool is_forward, const DecodedPacket& packet) {
    flow.SetInBulk(is_forward, packet.payload_bytes > kMaxUnmatchedBytes);
    if (++flow.packets[is_forward ? 0 : 1] < MaxUnrecognised()) return {.wants_more = true};
    End(flow);
    return {};
  }
  std::uint32_t MaxUnrecognised() const { return std::min(options_.max_packets, kMaxUnrecognised); }

  void GoOn(FlowSlot slot, const Call& call) {
    FlowState& flow = call.flow;
    if (flow.phase == Phase::kStateless) {
      if (!fresh_.HoldsSomething()) {
        flow.Keep(fresh_);
        flow.SetInBulk(call.is_forward,
                       call.packet.is_tcp() && call.packet.payload_bytes > kMaxUnmatchedBytes);
        return;
      }
      flow.in_bulk = 0;
      if (inspections_.active() >= options_.max_inspections) EvictOldest();
      flow.inspection = inspections_.Begin(slot, std::move(fresh_));
      flow.phase = Phase::kKept;
    }
    inspections_.Recount(flow.inspection);
    EvictForMemory();
  }

  void End(FlowState& flow) {
    if (flow.application == Application::kUnknown) ++stats_.given_up;
    if (flow.phase == Phase::kKept) inspections_.End(flow.inspection);
    flow.inspection = kNoInspection;
    flow.phase = Phase::kDone;
  }

  void EvictOldest() {
    End(flows_[inspections_[inspections_.Oldest()].slot]);
    ++stats_.evicted;
  }

  void EvictForMemory() {
    while (inspections_.buffered_bytes() > options_.max_buffered_bytes) EvictOldest();
  }

  bool Look(Call& call) {
    Stream& stream = call.stream();
    ++stream.packets;
    stream.bytes += static_cast<std::uint32_t>(call.packet.payload.size());
    if (!call.packet.has_ports) return false;
    if (stream.packets == 1 && IsExpected(call)) return false;
    if (call.packet.is_tcp()) return LookAtSegment(call);
    if (call.packet.protocol != kProtocolUdp) return false;
    const Payload payload{
        call.packet.payload, call.packet, call.is_forward, stream.is_at_start, true, {}, {}};
    std::size_t consumed = 0;
    const bool wants_more = Process(call, payload, consumed);
    stream.is_at_start = false;
    if (call.inspection.parser == nullptr && call.inspection.is_waiting) Remember(call);
    return wants_more;
  }

  static void Remember(Call& call) {
    std::unique_ptr<internal::LastDatagrams>& datagrams = call.inspection.datagrams;
    if (datagrams == nullptr) datagrams = std::make_unique<internal::LastDatagrams>();
    datagrams->Remember(call.is_forward, call.packet.payload);
  }

  // Another flow announced this one, so its first bytes need not tell.
  bool IsExpected(Call& call) {
    const DecodedPacket& packet = call.packet;
    if (call.other().packets > 0) return false;
    Application application =
        expected_.Take({packet.destination, packet.destination_port}, packet.time);
    if (application == Application::kUnknown) {
      application = expected_.Take({packet.source, packet.source_port}, packet.time);
    }
    if (application == Application::kUnknown) return false;
    call.flow.application = application;
    return true;
  }

  bool WithinBounds(Call& call) const {
    const Stream& stream = call.stream();
    const Parser* parser = call.inspection.parser;
    const std::uint32_t factor = parser == nullptr ? 1 : parser->patience;
    std::uint32_t max_packets = options_.max_packets * factor;
    // What is not recognised by its first packets will not be by later ones.
    if (parser == nullptr && !call.inspection.is_waiting) max_packets = MaxUnrecognised();
    return stream.packets < max_packets && stream.bytes < options_.max_bytes * factor;
  }

  // Puts a TCP segment into its place and shows what is complete up to there.
  bool LookAtSegment(Call& call) {
    Stream& stream = call.stream();
    Bytes bytes = call.packet.payload;
    std::uint32_t sequence = call.packet.tcp_sequence;
    if ((call.packet.tcp_flags & kTcpSyn) != 0) ++sequence;
    if (!stream.is_started) stream.StartAt(sequence);
    auto offset = static_cast<std::int32_t>(sequence - stream.base);
    if (offset < 0) {
      const auto before = static_cast<std::size_t>(-static_cast<std::int64_t>(offset));
      if (PutBefore(call, before)) {
        stream.base = sequence;
      } else if (before >= bytes.size()) {
        return true;  // sent again
      } else {
        bytes = bytes.subspan(before);
      }
      offset = 0;
    }
    const auto at = static_cast<std::size_t>(offset);
    if (stream.buffer == nullptr && at == 0) return ProcessStream(call, bytes, 0);
    if (stream.buffer == nullptr) stream.buffer = std::make_unique<StreamBuffer>();
    if (at + bytes.size() <= stream.buffer->Prefix().size()) return true;  // sent again
    if (!stream.buffer->Write(at, bytes, options_.max_bytes)) return Resynchronise(call, at);
    const Bytes prefix = stream.buffer->Prefix();
    if (prefix.size() <= at) return true;  // what comes before it is still missing
    return ProcessStream(call, prefix, at);
  }

  // The first segment that came was not the first one that was sent.
  bool PutBefore(Call& call, std::size_t size) {
    Stream& stream = call.stream();
    if (!stream.is_at_start || size > options_.max_bytes) return false;
    if (call.inspection.parser != nullptr) return false;
    return stream.buffer == nullptr || stream.buffer->Prepend(size, options_.max_bytes);
  }

  // More is missing than fits: go on with this packet, unless a message was under way.
  bool Resynchronise(Call& call, std::size_t offset) {
    if (call.inspection.parser != nullptr) return false;
    Consume(call.stream(), offset);
    return ProcessStream(call, call.packet.payload, 0);
  }

  // Forgets `size` bytes from the base on.
  static void Consume(Stream& stream, std::size_t size) {
    if (size == 0) return;
    stream.base += static_cast<std::uint32_t>(size);
    stream.is_at_start = false;
    if (stream.buffer == nullptr) return;
    stream.buffer->Drop(size);
    if (stream.buffer->empty()) stream.buffer.reset();
  }

  // `bytes` begins at the stream's base; the newest packet's begin at `at`.
  bool ProcessStream(Call& call, Bytes bytes, std::size_t at) {
    Stream& stream = call.stream();
    const DecodedPacket& packet = call.packet;
    const bool is_cut = packet.payload_bytes > packet.payload.size();
    const bool is_last = is_cut || !WithinBounds(call);
    Payload payload{bytes, packet, call.is_forward, stream.is_at_start, is_last, {}, {}};
    const bool had_parser = call.inspection.parser != nullptr;
    std::size_t consumed = 0;
    bool wants_more = Process(call, payload, consumed);
    const Inspection& inspection = call.inspection;
    if (wants_more && !had_parser && inspection.parser == nullptr && !inspection.is_waiting &&
        at > 0) {
      // Perhaps something begins with this packet.
      payload.bytes = bytes.subspan(at);
      payload.is_start = false;
      std::size_t consumed_here = 0;
      wants_more = Process(call, payload, consumed_here);
      const bool begins_here = inspection.parser != nullptr || inspection.is_waiting;
      if (begins_here || consumed_here > 0) consumed = at + consumed_here;
    }
    if (!wants_more) return false;
    if (is_cut) {
      Consume(stream, bytes.size() + packet.payload_bytes - packet.payload.size());
      return true;
    }
    if (stream.buffer == nullptr && consumed < bytes.size()) {
      stream.buffer = std::make_unique<StreamBuffer>();
      stream.buffer->Write(0, bytes, options_.max_bytes);
    }
    Consume(stream, consumed);
    return true;
  }

  // Recognises and parses; false when there is nothing more to find out.
  bool Process(Call& call, Payload payload, std::size_t& consumed) {
    consumed = 0;
    for (int nesting = 0; nesting < kMaxNesting; ++nesting) {
      if (call.inspection.parser == nullptr) {
        payload.other = call.packet.is_tcp() ? OtherPrefix(call)
                                             : call.inspection.LastDatagram(!call.is_forward);
        payload.previous = call.inspection.LastDatagram(call.is_forward);
        const MatchResult match = Table(call.packet).Match(payload);
        call.inspection.is_waiting = match.need_more;
        if (match.parser == nullptr) {
          if (!match.need_more) consumed += UnmatchedToForget(call, payload);
          return true;
        }
        if (!Adopt(call, *match.parser)) return false;
      }
      const ParseResult result = Parse(call, payload);
      consumed += std::min(result.consumed, payload.bytes.size());
      if (result.next == ParseNext::kDone) return false;
      if (result.next == ParseNext::kMore) return true;
      // One level: a flow that goes on opening others could be followed for ever.
      if (call.inspection.is_nested) return false;
      call.inspection.parser = nullptr;
      call.inspection.is_nested = true;
      for (Stream& stream : call.inspection.streams) stream.packets = 0, stream.bytes = 0;
      if (result.consumed >= payload.bytes.size() || !call.packet.is_tcp()) return true;
      payload.bytes = payload.bytes.subspan(result.consumed);
    }
    return false;
  }

  // A packet that comes before the first ones may still arrive.
  std::size_t UnmatchedToForget(Call& call, const Payload& payload) const {
    const Stream& stream = call.stream();
    const bool keeps = payload.is_tcp() && stream.is_at_start && !call.inspection.is_nested &&
                       !stream.is_in_order && stream.packets <= kMaxUnmatchedPackets &&
                       !payload.is_last && payload.bytes.size() <= kMaxUnmatchedBytes &&
                       // Nothing comes before a SYN, and floods are made of them.
                       (payload.packet.tcp_flags & kTcpSyn) == 0;
    return keeps ? 0 : payload.bytes.size();
  }

  // The flow speaks this protocol. False when that is all that there is to know.
  bool Adopt(Call& call, const Parser& parser) {
    Inspection& inspection = call.inspection;
    inspection.parser = &parser;
    inspection.memory = {};
    inspection.scratch.reset();
    inspection.datagrams.reset();
    if (!inspection.is_nested) call.flow.application = parser.application;
    if (parser.parse == nullptr) return false;
    return ParseOtherFirst(call);
  }

  // What the other side said before its protocol was known.
  bool ParseOtherFirst(Call& call) {
    const Bytes bytes = OtherPrefix(call);
    if (bytes.empty()) return true;
    DecodedPacket packet = call.packet;
    std::swap(packet.source, packet.destination);
    std::swap(packet.source_port, packet.destination_port);
    Stream& other = call.other();
    const Payload payload{bytes, packet, !call.is_forward, other.is_at_start, false, {}, {}};
    const ParseResult result = Parse(call, payload);
    Consume(other, std::min(result.consumed, bytes.size()));
    return result.next != ParseNext::kDone;
  }

  ParseResult Parse(Call& call, const Payload& payload) {
    Inspection& inspection = call.inspection;
    Findings findings({.metadata = call.flow.metadata,
                       .metadata_is_shared = call.flow.metadata_is_shared,
                       .application = call.flow.application,
                       .memory = inspection.memory,
                       .scratch = inspection.scratch,
                       .scratch_limit = options_.max_bytes,
                       .may_store = stats_.metadata_bytes < options_.max_metadata_bytes,
                       .is_nested = inspection.is_nested,
                       .names = names_,
                       .fingerprints = fingerprints_,
                       .expected = &expected_,
                       .time = payload.packet.time});
    const ParseResult result = inspection.parser->parse(payload, findings);
    call.has_news |= findings.has_news();
    call.has_changes |= findings.has_changes();
    stats_.metadata_left_out += findings.left_out();
    return result;
  }

  static Bytes OtherPrefix(Call& call) {
    const Stream& other = call.other();
    return other.buffer == nullptr ? Bytes() : other.buffer->Prefix();
  }

  const internal::ParserTable& Table(const DecodedPacket& packet) const {
    return packet.is_tcp() ? tcp_parsers_ : udp_parsers_;
  }

  void CountMetadata(FlowState& flow) {
    const std::size_t now = flow.metadata == nullptr ? 0 : flow.metadata->memory_bytes();
    stats_.metadata_bytes = stats_.metadata_bytes - flow.metadata_bytes + now;
    flow.metadata_bytes = static_cast<std::uint16_t>(now);
  }

  static void Guess(FlowRecord& record) {
    if (record.protocol == kProtocolIcmp || record.protocol == kProtocolIcmpV6) {
      record.application = Application::kIcmp;
      record.evidence = ApplicationEvidence::kPayload;
      return;
    }
    record.application = internal::ApplicationOfPort(record.protocol, record.destination.port);
    if (record.application == Application::kUnknown) {
      record.application = internal::ApplicationOfPort(record.protocol, record.source.port);
    }
    record.evidence = record.application == Application::kUnknown ? ApplicationEvidence::kNone
                                                                  : ApplicationEvidence::kPort;
  }

  // What the namer says of a flow that has no name of ours.
  const NamedApplication* NameOfNamer(FlowSlot slot) const {
    if (namer_ == nullptr || flows_[slot].application != Application::kUnknown) return nullptr;
    return namer_->NameOf(slot);
  }

  bool AddNameOfNamer(FlowSlot slot, FlowRecord& record) const {
    const NamedApplication* const name = NameOfNamer(slot);
    if (name == nullptr) return false;
    record.application = name->application;
    record.evidence = ApplicationEvidence::kPayload;
    return true;
  }

  // What it knows beyond our list.
  void AddDetail(FlowSlot slot, FlowRecord& record) const {
    const NamedApplication* const name = NameOfNamer(slot);
    if (name == nullptr) return;
    // The category of a well-known site says more.
    if (record.category == CategoryOf(record.application) &&
        name->category != ApplicationCategory::kUnknown) {
      record.category = name->category;
    }
    if (name->detail.empty()) return;
    auto changed = record.metadata == nullptr ? std::make_shared<FlowMetadata>()
                                              : std::make_shared<FlowMetadata>(*record.metadata);
    changed->Set(MetadataField::kApplicationDetail, name->detail);
    record.metadata = std::move(changed);
  }

  // Gives the record the flow's metadata with the names of both ends.
  void AddNames(FlowState* flow, FlowRecord& record) {
    if (flow != nullptr) record.metadata = flow->metadata;
    if (names_ == nullptr) {
      if (flow != nullptr) flow->metadata_is_shared = flow->metadata != nullptr;
      return;
    }
    AddName(MetadataField::kSourceName, record.source.address, flow, record);
    AddName(MetadataField::kDestinationName, record.destination.address, flow, record);
    if (flow != nullptr) flow->metadata_is_shared = flow->metadata != nullptr;
  }

  void AddName(MetadataField field, const IpAddress& address, FlowState* flow, FlowRecord& record) {
    if (!names_->FindInto(address, record.last_seen, name_)) return;
    if (record.metadata != nullptr && record.metadata->Get(field) == name_) return;
    // Kept with the flow, so that its next record need not do it again.
    const bool keeps = flow != nullptr && stats_.metadata_bytes < options_.max_metadata_bytes;
    if (keeps && flow->metadata != nullptr && !flow->metadata_is_shared) {
      flow->metadata->Set(field, name_);  // which is what the record has
      CountMetadata(*flow);
      return;
    }
    auto changed = record.metadata == nullptr ? std::make_shared_for_overwrite<FlowMetadata>()
                                              : std::make_shared<FlowMetadata>(*record.metadata);
    changed->Set(field, name_);
    record.metadata = changed;
    if (!keeps) return;
    flow->metadata = std::move(changed);
    flow->metadata_is_shared = false;
    CountMetadata(*flow);
  }

  static void AddCategory(FlowRecord& record) {
    record.category = CategoryOf(record.application);
    if (record.metadata == nullptr || record.category == ApplicationCategory::kNameResolution) {
      return;  // a query for a site is not a visit to it
    }
    std::string_view name = record.metadata->Get(MetadataField::kServerName);
    if (name.empty()) name = record.metadata->Get(MetadataField::kDestinationName);
    const ApplicationCategory by_name = internal::CategoryOfName(name);
    if (by_name == ApplicationCategory::kUnknown) return;
    record.category = by_name;
    if (record.evidence == ApplicationEvidence::kNone) record.evidence = ApplicationEvidence::kName;
  }

  ApplicationInspectorOptions options_;
  NameTable* names_;
  std::unique_ptr<ApplicationNamer> namer_;  // null: nobody is asked
  internal::ParserTable tcp_parsers_{internal::TcpParsers()};
  internal::ParserTable udp_parsers_{internal::UdpParsers()};
  internal::ChunkedArray<FlowState> flows_;
  internal::InspectionPool inspections_;
  Inspection fresh_;  // of the flow at hand while it is kStateless
  internal::ExpectedFlows expected_;
  internal::Fingerprints fingerprints_;
  ApplicationInspectorStats stats_;
  std::string name_;
};

absl::StatusOr<ApplicationInspector> ApplicationInspector::Create(
    ApplicationInspectorOptions options, NameTable* names) {
  constexpr std::size_t kLeastBytes = std::size_t{64} << 10;
  if (options.max_packets < 1 || options.max_packets > 1000) {
    return base::InvalidArgument("max_packets must be 1 to 1000");
  }
  if (options.max_bytes < 512 || options.max_bytes > 65'536) {
    return base::InvalidArgument("max_bytes must be 512 to 65536");
  }
  if (options.max_inspections < 1 || options.max_inspections > 10'000'000) {
    return base::InvalidArgument("max_inspections must be 1 to 10000000");
  }
  if (options.max_buffered_bytes < kLeastBytes || options.max_metadata_bytes < kLeastBytes) {
    return base::InvalidArgument(
        "max_buffered_bytes and max_metadata_bytes must be at least 65536");
  }
  std::unique_ptr<ApplicationNamer> namer;
  if (options.make_namer) {
    NTA_ASSIGN_OR_RETURN(namer, options.make_namer());
  }
  return ApplicationInspector(std::make_unique<Impl>(options, names, std::move(namer)));
}

ApplicationInspector::ApplicationInspector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApplicationInspector::ApplicationInspector(ApplicationInspector&&) noexcept = default;
ApplicationInspector& ApplicationInspector::operator=(ApplicationInspector&&) noexcept = default;
ApplicationInspector::~ApplicationInspector() = default;

InspectResult ApplicationInspector::Inspect(FlowSlot slot, bool is_forward,
                                            const DecodedPacket& packet) {
  const InspectResult result = impl_->Inspect(slot, is_forward, packet);
  return impl_->has_namer() ? impl_->AskNamer(slot, is_forward, packet, result) : result;
}

void ApplicationInspector::Establish(FlowSlot slot, bool is_forward, const DecodedPacket& packet) {
  impl_->Establish(slot, is_forward, packet);
}

void ApplicationInspector::Describe(FlowSlot slot, bool was_inspected, FlowRecord& flow) {
  impl_->Describe(slot, was_inspected, flow);
}

void ApplicationInspector::Finish(FlowSlot slot) { impl_->Finish(slot); }

void ApplicationInspector::Prefetch(std::span<const FlowSlot> slots) const {
  impl_->Prefetch(slots);
}

ApplicationInspectorStats ApplicationInspector::Stats() const { return impl_->Stats(); }

}  // namespace nta

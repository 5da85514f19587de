#include "detect/arp_engine.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/keyed_hash.h"
#include "base/status.h"
#include "detect/alert_archive.h"
#include "detect/contact.h"
#include "detect/saturating_time.h"
#include "detect/scan_alert.h"
#include "detect/state_archive.h"

namespace nta::detect {
namespace {

constexpr std::string_view kName = "arp_spoof";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kMost = std::size_t{1} << 20;
constexpr std::uint16_t kRequest = 1;
constexpr std::uint16_t kReply = 2;
constexpr std::size_t kMostQuestions = 8192;
// A reply within this time of the question was asked for.
constexpr Duration kAskedWithin = std::chrono::seconds(5);
// Signs of a spoof that have to come together; see Contest().
constexpr int kEnoughSigns = 3;
constexpr std::uint32_t kUnsolicited = 3;
constexpr double kMostScore = 200;
constexpr double kBitsPerSilence = 2.25;  // as in the test for scans
constexpr base::KeyedHash kTargetHash(0xa4b);

bool IsNone(const MacAddress& mac) { return mac == MacAddress{}; }
bool IsNone(const IpAddress& address) { return address == IpAddress(); }

ArpSpoofOptions Sane(ArpSpoofOptions options) {
  options.min_silent_targets = std::max<std::size_t>(options.min_silent_targets, 2);
  options.max_addresses = std::clamp<std::size_t>(options.max_addresses, 4, kMost);
  constexpr Duration kShortest = std::chrono::milliseconds(1);
  constexpr Duration kLongest = std::chrono::hours(24 * 30);
  for (Duration* value :
       {&options.contested_within, &options.forgive_one, &options.answer_timeout}) {
    *value = std::clamp(*value, kShortest, kLongest);
  }
  return options;
}

template <typename Archive, typename T>
void MacFields(Archive& archive, T& mac) {
  archive(mac.bytes);
}

template <typename Archive, typename T>
void BindingFields(Archive& archive, T& binding) {
  MacFields(archive, binding.mac);
  archive(binding.last_seen);
  MacFields(archive, binding.former);
  archive(binding.former_seen);
  archive(binding.takeovers);
  archive(binding.returns);
  archive(binding.unsolicited);
  archive(binding.mismatch);
  archive(binding.contested);
  archive(binding.asked);
}

template <typename Archive, typename T>
void SenderFields(Archive& archive, T& sender) {
  archive(sender.score);
  archive(sender.forgiven_until);
  archive(sender.silent);
  archive(sender.first);
  archive(sender.targets.words());
  ListFields(archive, sender.recent, ArpSender::kSamples, [&](auto& target) { archive(target); });
  archive(sender.next);
}

}  // namespace

ArpEngine::ArpEngine(const ArpSpoofOptions& options)
    : options_(Sane(options)),
      bindings_(options_.max_addresses),
      senders_(options_.max_addresses),
      cards_(options_.max_addresses),
      tracker_("arp_spoof", options_.alerts) {}

void ArpEngine::ObservePackets(std::span<const PacketView>, std::span<const DecodedPacket> decoded,
                               Alerts& alerts) {
  for (const DecodedPacket& packet : decoded) {
    // Only what comes through a tunnel has both headers. Nearly all packets are told by what other
    // detectors look at, too, and not by the far end of the struct.
    if (packet.has_ip() && packet.tunnels == 0) continue;
    if (!packet.arp) continue;
    Observe(packet, alerts);
  }
}

void ArpEngine::Observe(const DecodedPacket& packet, Alerts& alerts) {
  AdvanceTo(clock_.Pass(packet.time), alerts);
  const ArpHeader& arp = *packet.arp;
  if (arp.operation != kRequest && arp.operation != kReply) return;
  // A host that looks whether an address is free has none yet.
  if (!IsNone(arp.sender) && arp.sender.is_v4()) Claim(packet, alerts);
  if (arp.operation == kRequest && !IsNone(arp.sender) && arp.sender != arp.target) {
    Ask(arp.sender, arp.target, alerts);
  }
}

void ArpEngine::Claim(const DecodedPacket& packet, Alerts& alerts) {
  const ArpHeader& arp = *packet.arp;
  const Timestamp now = clock_.now();
  if (arp.sender_mac.is_multicast() || IsNone(arp.sender_mac)) return;
  ArpBinding& binding = bindings_.FindOrAdd(arp.sender);
  if (cards_.Find(arp.sender_mac) == nullptr) cards_.FindOrAdd(arp.sender_mac) = arp.sender;
  const bool is_first = IsNone(binding.mac);
  const bool is_takeover = !is_first && binding.mac != arp.sender_mac;
  if (is_takeover) {
    const bool was_there = Since(binding.last_seen, now) <= options_.contested_within;
    const bool is_return = binding.former == arp.sender_mac &&
                           Since(binding.former_seen, now) <= options_.contested_within;
    if (!was_there) {
      binding.takeovers = binding.returns = 0;
    } else {
      if (binding.takeovers++ == 0) binding.contested = now;
      if (is_return) ++binding.returns;
    }
    binding.former = binding.mac;
    binding.former_seen = binding.last_seen;
    binding.mac = arp.sender_mac;
    binding.unsolicited = 0;
    binding.mismatch = false;
  }
  if (is_first) binding.mac = arp.sender_mac;
  binding.last_seen = now;
  const bool is_unicast = packet.has_mac && !packet.destination_mac.is_multicast();
  if (arp.operation == kReply && is_unicast && Since(binding.asked, now) > kAskedWithin) {
    ++binding.unsolicited;
  }
  if (packet.has_mac && packet.source_mac != arp.sender_mac) binding.mismatch = true;
  if (binding.takeovers > 0) Contest(arp.sender, binding, alerts);
}

// An address that changes hands is nothing special: leases end. Two that hold it at the same time
// are; so is a new owner that has another address as well, or tells hosts that never asked.
void ArpEngine::Contest(const IpAddress& address, ArpBinding& binding, Alerts& alerts) {
  const Timestamp now = clock_.now();
  if (Since(binding.former_seen, now) > options_.contested_within) {
    binding.takeovers = binding.returns = 0;
    return;
  }
  const bool has_other = OtherAddressOf(binding.mac, address) != nullptr ||
                         OtherAddressOf(binding.former, address) != nullptr;
  const int signs = 1 + (has_other ? 1 : 0) + (binding.unsolicited >= kUnsolicited ? 1 : 0) +
                    (binding.returns > 0 ? 1 : 0) + (binding.returns > 2 ? 1 : 0) +
                    (binding.mismatch ? 1 : 0);
  if (signs < kEnoughSigns) return;
  tracker_.Raise(
      {.alert_class = AlertClass::kArpSpoof,
       .entity = {.source = {}, .destination = address, .service = {}},
       .severity = Severity::kHigh,
       .magnitude = static_cast<double>(binding.takeovers),
       .hold = options_.contested_within},
      now,
      [&](Alert& alert) {
        FillSpoof(address, binding, alert);
        alert.score = std::min(8.0 * signs, 64.0);
      },
      alerts);
}

const IpAddress* ArpEngine::OtherAddressOf(const MacAddress& mac, const IpAddress& than) {
  const IpAddress* address = cards_.Find(mac);
  return address == nullptr || *address == than ? nullptr : address;
}

void ArpEngine::FillSpoof(const IpAddress& address, const ArpBinding& binding, Alert& alert) {
  // Of the two, the one with an address of its own is the one that takes another's.
  const IpAddress* own = OtherAddressOf(binding.mac, address);
  const bool present_is_thief =
      own != nullptr || OtherAddressOf(binding.former, address) == nullptr;
  const MacAddress& thief = present_is_thief ? binding.mac : binding.former;
  const MacAddress& owner = present_is_thief ? binding.former : binding.mac;
  if (!present_is_thief) own = OtherAddressOf(binding.former, address);
  if (own != nullptr) alert.entity.source = *own;
  alert.observed = static_cast<double>(binding.takeovers);
  alert.expected = 0;
  alert.unit = "changes of owner";
  alert.window = std::max(clock_.now() - binding.contested, Duration(0));
  alert.first_seen = std::min(alert.first_seen, binding.contested);
  alert.evidence = {
      {"address", address.ToString()},
      {"attacker_mac", thief.ToString()},
      {"owner_mac", owner.ToString()},
      {"takeovers", std::int64_t{binding.takeovers}},
      {"returns", std::int64_t{binding.returns}},
      {"unsolicited_replies", std::int64_t{binding.unsolicited}},
  };
  alert.peers = {{thief.ToString(), 0.5}, {owner.ToString(), 0.5}};
  alert.technique = "T1557.002";
  alert.confidence = own != nullptr ? 0.9 : 0.7;
  const std::string who = thief.ToString() + (own == nullptr ? "" : " (" + own->ToString() + ")");
  alert.advice = "Find " + who + " by the switch port that it is on and take it off the network; " +
                 "check what " + address.ToString() + " is: a gateway means that traffic is read.";
  alert.summary = absl::StrFormat(
      "%s and %s both claim %s, which changed hands %s: ARP spoofing", who, owner.ToString(),
      address.ToString(),
      binding.takeovers == 1 ? "once" : absl::StrFormat("%d times", binding.takeovers));
}

void ArpEngine::Ask(const IpAddress& sender, const IpAddress& target, Alerts& alerts) {
  const Timestamp now = clock_.now();
  if (ArpBinding* binding = bindings_.Find(target)) {
    binding->asked = now;
    return;  // somebody has it
  }
  if (questions_.size() >= kMostQuestions) JudgeFront(alerts);
  questions_.push_back({sender, target, After(now, options_.answer_timeout)});
}

void ArpEngine::JudgeFront(Alerts& alerts) {
  const Question question = questions_.front();
  questions_.pop_front();
  if (bindings_.Find(question.target) != nullptr) return;
  ArpSender& sender = senders_.FindOrAdd(question.sender);
  const Timestamp now = question.deadline;
  const Duration passed = Since(sender.forgiven_until, now);
  if (passed > Duration(0)) {
    sender.score -=
        static_cast<double>(passed.count()) / static_cast<double>(options_.forgive_one.count());
    sender.forgiven_until = now;
  }
  if (sender.score <= 0) {
    sender = {};
    sender.forgiven_until = sender.first = now;
  }
  if (std::find(sender.recent.begin(), sender.recent.end(), question.target) !=
      sender.recent.end()) {
    return;  // the same dead host again
  }
  if (sender.recent.size() < ArpSender::kSamples) {
    sender.recent.push_back(question.target);
  } else {
    sender.recent[sender.next++ % ArpSender::kSamples] = question.target;
  }
  const AddressWords words = WordsOf(question.target);
  sender.targets.Add(kTargetHash(words.high, words.low));
  ++sender.silent;
  sender.score = std::min(sender.score + 1, kMostScore);
  const AlertEntity entity{.source = question.sender, .destination = {}, .service = "arp"};
  const bool is_open = tracker_.IsOpen(AlertClass::kHostSweep, entity);
  const auto limit = static_cast<double>(options_.min_silent_targets);
  if (!is_open && sender.score + 1 <= limit) return;
  if (!is_open && sender.silent < options_.min_silent_targets) return;
  tracker_.Raise(
      {.alert_class = AlertClass::kHostSweep,
       .entity = entity,
       .severity = sender.silent >= 100 ? Severity::kHigh : Severity::kMedium,
       .magnitude = static_cast<double>(sender.silent)},
      now,
      [&](Alert& alert) {
        alert.score = std::min(kBitsPerSilence * sender.score, 64.0);
        alert.observed = static_cast<double>(sender.silent);
        alert.expected = 0;
        alert.band_low = 0;
        alert.band_high = limit;
        alert.unit = "addresses that nobody has";
        alert.window = std::max(now - sender.first, Duration(0));
        alert.first_seen = sender.first;
        std::vector<std::string> samples;
        for (std::size_t i = 0; i < std::min<std::size_t>(sender.recent.size(), 10); ++i) {
          samples.push_back(sender.recent[i].ToString());
        }
        alert.evidence = {
            {"silent_targets", static_cast<std::int64_t>(sender.silent)},
            {"distinct_targets", static_cast<std::int64_t>(sender.targets.Estimate() + 0.5)},
            {"sample_targets", std::move(samples)}};
        alert.technique = "T1018";
        alert.confidence = 0.9;
        alert.advice = "Find out which program on " + question.sender.ToString() +
                       " looks for hosts; a router does so for whoever sweeps from outside.";
        alert.summary =
            absl::StrFormat("%s asked by ARP for %d addresses that nobody has in %s: host sweep",
                            question.sender.ToString(), sender.silent, DurationText(alert.window));
      },
      alerts);
}

void ArpEngine::AdvanceTo(Timestamp now, Alerts& alerts) {
  clock_.AdvanceTo(now);
  while (!questions_.empty() && questions_.front().deadline <= clock_.now()) JudgeFront(alerts);
  tracker_.AdvanceTo(clock_.now(), alerts);
}

void ArpEngine::Finish(Alerts& alerts) {
  while (!questions_.empty()) JudgeFront(alerts);
  tracker_.Finish(alerts);
}

std::size_t ArpEngine::memory_bytes() const {
  std::size_t bytes = sizeof(*this) + bindings_.memory_bytes() + senders_.memory_bytes() +
                      cards_.memory_bytes() + questions_.size() * sizeof(Question) +
                      tracker_.memory_bytes();
  for (const auto& [address, sender] : senders_.entries()) {
    bytes += sender.recent.capacity() * sizeof(IpAddress);
  }
  return bytes;
}

std::size_t ArpEngine::memory_limit_bytes() const {
  return sizeof(*this) + bindings_.memory_limit_bytes() + senders_.memory_limit_bytes() +
         cards_.memory_limit_bytes() + (kMostQuestions + 64) * sizeof(Question) +
         options_.max_addresses * ArpSender::kSamples * sizeof(IpAddress) +
         tracker_.memory_limit_bytes();
}

std::uint64_t ArpEngine::evictions() const {
  return bindings_.evicted() + senders_.evicted() + cards_.evicted();
}

std::string ArpEngine::Save() const {
  StateWriter writer;
  writer(clock_.now());
  writer.Size(bindings_.size(), kMost);
  for (const auto& [address, binding] : bindings_.entries()) {
    writer(address);
    BindingFields(writer, binding);
  }
  writer.Size(senders_.size(), kMost);
  for (const auto& [address, sender] : senders_.entries()) {
    writer(address);
    SenderFields(writer, sender);
  }
  writer.Size(cards_.size(), kMost);
  for (const auto& [mac, address] : cards_.entries()) {
    MacFields(writer, mac);
    writer(address);
  }
  writer.Size(questions_.size(), kMost);
  for (const Question& question : questions_) {
    writer(question.sender);
    writer(question.target);
    writer(question.deadline);
  }
  writer(tracker_.Save());
  return SealState(kName, kVersion, std::move(writer).bytes());
}

absl::StatusOr<ArpEngine> ArpEngine::Load(const ArpSpoofOptions& options, std::string_view state) {
  NTA_ASSIGN_OR_RETURN(const auto payload, OpenState(kName, kVersion, state));
  StateReader reader(payload);
  ArpEngine engine(options);
  Timestamp now{};
  reader(now);
  engine.clock_.AdvanceTo(now);
  std::size_t size = 0;
  IpAddress address;
  reader.Size(size, kMost);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    reader(address);
    BindingFields(reader, engine.bindings_.FindOrAdd(address));
  }
  reader.Size(size, kMost);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    reader(address);
    SenderFields(reader, engine.senders_.FindOrAdd(address));
  }
  reader.Size(size, kMost);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    MacAddress mac;
    MacFields(reader, mac);
    reader(engine.cards_.FindOrAdd(mac));
  }
  reader.Size(size, kMostQuestions);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    Question& question = engine.questions_.emplace_back();
    reader(question.sender);
    reader(question.target);
    reader(question.deadline);
  }
  std::string tracker;
  reader(tracker);
  if (!reader.ok() || reader.remaining() != 0 || !engine.tracker_.Load(tracker).ok()) {
    return base::MakeStatus(
        absl::StatusCode::kDataLoss,
        "the saved detector state is damaged: its fields contradict each other");
  }
  return engine;
}

}  // namespace nta::detect

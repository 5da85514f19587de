// FirewallBackend: whoever puts a rule set into force. MemoryBackend, AuditBackend: two that touch
// nothing.
//
//   nta::MemoryBackend backend;
//   absl::Status status = backend.Replace(*rules, now);
#ifndef NTA_FIREWALL_BACKEND_H_
#define NTA_FIREWALL_BACKEND_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/firewall/rule_set.h"
#include "nta/net/time.h"

namespace nta {

// How often one address of a set was met.
struct ElementCounters {
  IpAddress address{};
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // IP bytes
  std::optional<Timestamp> expires{};

  friend bool operator==(const ElementCounters&, const ElementCounters&) = default;
};

// The rules in force on one machine. Clocks are the caller's: `now` tells what has expired and what
// time an element has left. Implementations say whether they are thread-safe; ours are.
class FirewallBackend {
 public:
  virtual ~FirewallBackend() = default;

  virtual std::string_view name() const = 0;  // "nftables", "memory", "audit"
  // What is in force, read back from where it is enforced; what expired by `now` is not in it.
  // Empty and accepting when nothing of ours is there.
  virtual absl::StatusOr<RuleSet> Current(Timestamp now) = 0;
  // All or nothing; when it returns OK, `rules` is what is enforced. Counters of rules that stay as
  // they were go on. Any error leaves what was in force: PermissionDenied, Unavailable (nothing to
  // enforce it with), Aborted (someone else changed it meanwhile), Internal (what was read back is
  // not what was asked).
  virtual absl::Status Replace(const RuleSet& rules, Timestamp now) = 0;
  // One for each rule that is in force, in their order.
  virtual absl::StatusOr<std::vector<RuleCounters>> Counters(Timestamp now) = 0;
  // The fast way to block and to let go: all or nothing. An element that is there already takes the
  // new expiry; one that is not there is removed in silence. NotFound: no set of that name.
  // InvalidArgument: an element that RuleSet::Create() would refuse.
  virtual absl::Status AddToSet(std::string_view set, std::span<const SetElement> elements,
                                Timestamp now) = 0;
  virtual absl::Status RemoveFromSet(std::string_view set, std::span<const IpPrefix> prefixes,
                                     Timestamp now) = 0;
  // Whether exactly `rules`, less what expired by `now`, is enforced. A backend that words the same
  // rules in another way when it reads them back overrides it.
  virtual absl::StatusOr<bool> InForce(const RuleSet& rules, Timestamp now);
  // What a set of hosts counted for each of `addresses` that is in it. Unimplemented by default.
  virtual absl::StatusOr<std::vector<ElementCounters>> CountersOf(
      std::string_view set, std::span<const IpAddress> addresses, Timestamp now);
};

// Keeps the rules and enforces nothing but what it is asked about: for development, tests and
// machines without privileges. Thread-safe.
class MemoryBackend final : public FirewallBackend {
 public:
  MemoryBackend();
  ~MemoryBackend() override;
  MemoryBackend(MemoryBackend&&) noexcept;
  MemoryBackend& operator=(MemoryBackend&&) noexcept;

  std::string_view name() const override { return "memory"; }
  absl::StatusOr<RuleSet> Current(Timestamp now) override;
  absl::Status Replace(const RuleSet& rules, Timestamp now) override;
  absl::StatusOr<std::vector<RuleCounters>> Counters(Timestamp now) override;
  absl::Status AddToSet(std::string_view set, std::span<const SetElement> elements,
                        Timestamp now) override;
  absl::Status RemoveFromSet(std::string_view set, std::span<const IpPrefix> prefixes,
                             Timestamp now) override;
  absl::StatusOr<std::vector<ElementCounters>> CountersOf(std::string_view set,
                                                          std::span<const IpAddress> addresses,
                                                          Timestamp now) override;

  // Judges a packet by the rules in force and counts it; rate limits are kept by the times of the
  // packets.
  Decision Offer(const PacketFacts& packet, std::uint64_t bytes);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Tells what would change and changes nothing. Thread-safe if `inner` and `sink` are.
class AuditBackend final : public FirewallBackend {
 public:
  using Sink = std::function<void(const RuleSetDiff&)>;

  // `inner` answers Current() and Counters(); `sink` hears of every change that was asked for, and
  // is called from the thread that asks.
  AuditBackend(std::unique_ptr<FirewallBackend> inner, Sink sink);

  std::string_view name() const override { return "audit"; }
  absl::StatusOr<RuleSet> Current(Timestamp now) override;
  absl::Status Replace(const RuleSet& rules, Timestamp now) override;
  absl::StatusOr<std::vector<RuleCounters>> Counters(Timestamp now) override;
  absl::Status AddToSet(std::string_view set, std::span<const SetElement> elements,
                        Timestamp now) override;
  absl::Status RemoveFromSet(std::string_view set, std::span<const IpPrefix> prefixes,
                             Timestamp now) override;

 private:
  std::unique_ptr<FirewallBackend> inner_;
  Sink sink_;
};

}  // namespace nta

#endif  // NTA_FIREWALL_BACKEND_H_

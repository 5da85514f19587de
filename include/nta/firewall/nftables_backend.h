// NftablesBackend: rules in force in this network namespace's kernel, in one nf_tables table of our
// own.
//
//   auto backend = nta::NftablesBackend::Open({.lock_path = "/run/nta/nftables.lock"});
//   if (!backend.ok()) return Fail(backend.status());  // e.g. without CAP_NET_ADMIN
//   absl::Status status = (*backend)->Replace(*rules, now);
//
// Linux. Needs CAP_NET_ADMIN and the program nft for everything but set elements, which go to the
// kernel directly.
#ifndef NTA_FIREWALL_NFTABLES_BACKEND_H_
#define NTA_FIREWALL_NFTABLES_BACKEND_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/firewall/backend.h"
#include "nta/firewall/rule_set.h"

namespace nta {

struct NftablesOptions {
  // Of family inet. Nothing outside of it is ever touched; whatever stands in it is ours.
  std::string table = "nta";  // a letter, then up to 30 of a-z 0-9 _
  // Among the chains of others at the same hook: lower comes first. An accept here does not save a
  // packet from a drop in theirs.
  int priority = -10;
  // Locked while something is changed, so that two processes do not change the table at once.
  // Empty:
  // "/run/nta-firewall-TABLE.lock".
  std::string lock_path{};
  std::string nft_path{};  // empty: the first nft in the system's directories
  std::chrono::milliseconds nft_timeout{10'000};
};

// What could be made of a table that others wrote.
struct NftablesImport {
  RuleSet rules{};
  // One sentence each: what was left out and why. While there are any, `rules` is not the same
  // firewall.
  std::vector<std::string> unmapped{};
};

// Reads the output of `nft -n -j list ruleset`: the table of that family ("inet", "ip", "ip6") and
// name. NotFound: it has none; InvalidArgument: that is no such output.
absl::StatusOr<NftablesImport> ImportNftables(std::string_view listing, std::string_view family,
                                              std::string_view table);

// Thread-safe. In the kernel, a rule's expiry is rounded up to a second, an element's to the
// kernel's clock tick; both fire without us. Errors beside those of FirewallBackend: Unavailable
// when there is no nft or no nf_tables.
class NftablesBackend final : public FirewallBackend {
 public:
  // Tries whether the kernel lets us, and changes nothing. PermissionDenied, Unavailable and
  // NotFound name what is missing.
  static absl::StatusOr<std::unique_ptr<NftablesBackend>> Open(const NftablesOptions& options);
  ~NftablesBackend() override;

  std::string_view name() const override { return "nftables"; }
  absl::StatusOr<RuleSet> Current(Timestamp now) override;
  absl::Status Replace(const RuleSet& rules, Timestamp now) override;
  absl::StatusOr<std::vector<RuleCounters>> Counters(Timestamp now) override;
  absl::Status AddToSet(std::string_view set, std::span<const SetElement> elements,
                        Timestamp now) override;
  absl::Status RemoveFromSet(std::string_view set, std::span<const IpPrefix> prefixes,
                             Timestamp now) override;
  // Compares with the kernel itself: also true where Current() words the same rules differently
  // (networks that were joined), false when anything foreign stands in the table.
  absl::StatusOr<bool> InForce(const RuleSet& rules, Timestamp now) override;
  // For sets of hosts. One for each of `addresses` that is in the set.
  absl::StatusOr<std::vector<ElementCounters>> CountersOf(std::string_view set,
                                                          std::span<const IpAddress> addresses,
                                                          Timestamp now) override;

  // A table of somebody else. NotFound; InvalidArgument: no name of a table.
  absl::StatusOr<NftablesImport> Import(std::string_view family, std::string_view table);

  const NftablesOptions& options() const;

 private:
  class Impl;
  explicit NftablesBackend(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Hears when someone else changes our table. One thread at a time.
class NftablesMonitor final {
 public:
  static absl::StatusOr<std::unique_ptr<NftablesMonitor>> Open(const std::string& table);
  ~NftablesMonitor();

  // Waits until another process changed the table, or the time is over; true: it is time to
  // compare. So it is after a Replace() of our own, for which nft was run, and when the kernel lost
  // messages.
  absl::StatusOr<bool> Wait(std::chrono::milliseconds timeout);
  // To be polled for reading.
  int fd() const;

 private:
  class Impl;
  explicit NftablesMonitor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_FIREWALL_NFTABLES_BACKEND_H_

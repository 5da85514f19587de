// Response: from an alert to a block that ends by itself and whose effect is measured.
//
//   nta::Response response(backend, {.policies = {{"brute_force",
//   nta::ResponsePolicy::kAutomatic}}}); auto answer = response.Handle({.alert_id = alert.id,
//   .alert_class = "brute_force",
//                                  .offender = attacker, .protocol = nta::kProtocolTcp, .port =
//                                  22},
//                                 now);
//   auto block = response.Block({.address = attacker, .ttl = 1h, .author = "anna"}, now);
//
// Alerts come as plain values, so that the firewall knows no detector.
#ifndef NTA_FIREWALL_RESPONSE_H_
#define NTA_FIREWALL_RESPONSE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/firewall/backend.h"
#include "nta/firewall/rule_set.h"
#include "nta/net/five_tuple.h"
#include "nta/net/time.h"

namespace nta {

// What an alert leads to. Numbers are persisted.
enum class ResponsePolicy : std::uint8_t { kOff = 0, kPropose = 1, kAutomatic = 2 };
std::string_view ToString(ResponsePolicy policy);  // "off", "propose", "automatic"
absl::StatusOr<ResponsePolicy> ParseResponsePolicy(std::string_view text);

// The author of blocks that nobody asked for.
inline constexpr std::string_view kResponseAuthor = "response";

// Whether the sources of such attacks are easily forged, so that they are never blocked unasked.
bool IsEasilyForged(std::string_view alert_class);

// What of the offender's traffic is cut: to a port of a protocol, of a protocol, or all of it, both
// ways. A scope with a port has a protocol.
struct BlockScope {
  std::optional<std::uint8_t> protocol{};
  std::optional<std::uint16_t> port{};

  bool Covers(const BlockScope& other) const;
  // "all traffic", "icmp", "tcp port 22"
  std::string ToString() const;
  friend bool operator==(const BlockScope&, const BlockScope&) = default;
};

struct ResponseSubject {
  std::string alert_id{};
  std::string alert_class{};  // "port_scan", "brute_force", ...
  IpAddress offender{};
  // Where the attack goes, as far as all of it goes there; absent: to many.
  std::optional<std::uint8_t> protocol{};
  std::optional<std::uint16_t> port{};
  // Nothing that the offender sent was ever answered and taken up by it (no handshake): the address
  // may be anybody's.
  bool is_one_way = false;
  double packets_per_second = 0;  // of the attack, when the alert came
};

struct BlockProposal {
  ResponseSubject subject{};
  BlockScope scope{};  // the narrowest that covers the attack
  Duration ttl{};      // longer each time the same offender comes back
  bool may_be_automatic = false;
  std::string reason{};     // why automatic or not, in a sentence
  std::string rehearsal{};  // JSON, for the caller to attach: Rehearse(RulesWith(proposal), flows)
};

struct BlockEffect {
  std::uint64_t packets = 0;             // that were cut so far
  std::uint64_t bytes = 0;               // IP bytes
  double packets_per_second_before = 0;  // as the alert told
  double packets_per_second_now = 0;     // still arriving and cut, in the last interval
  std::optional<Timestamp> last_hit{};   // to the interval

  friend bool operator==(const BlockEffect&, const BlockEffect&) = default;
};

enum class BlockEnd : std::uint8_t { kExpired = 0, kUnblocked = 1, kOver = 2 };
std::string_view ToString(BlockEnd end);  // "expired", "unblocked", "over"

struct ActiveBlock {
  std::string id{};  // "192.0.2.7" or "192.0.2.7 tcp port 22"
  IpAddress address{};
  BlockScope scope{};
  Timestamp since{};
  std::optional<Timestamp> until{};  // absent: until somebody lifts it
  std::string alert_id{};            // empty: somebody asked for it
  std::string alert_class{};
  std::string author{};  // "response" for automatic ones
  std::string reason{};
  bool ends_when_over = false;  // lifted when the attack is over, before its time
  BlockEffect effect{};

  friend bool operator==(const ActiveBlock&, const ActiveBlock&) = default;
};

struct EndedBlock {
  ActiveBlock block{};
  BlockEnd end = BlockEnd::kExpired;
  Timestamp time{};
};

struct BlockRequest {
  IpAddress address{};
  BlockScope scope{};
  std::optional<Duration> ttl = std::chrono::hours(1);  // absent: until somebody lifts it
  std::string author{};                                 // as Rule::author
  std::string reason{};                                 // for people; at most 200 bytes are kept
  // Of the alert that it is for, if any.
  std::string alert_id{};
  std::string alert_class{};
  double packets_per_second = 0;  // of the attack
  bool ends_when_over = false;
};

enum class ResponseAct : std::uint8_t { kNothing = 0, kProposed = 1, kBlocked = 2 };
std::string_view ToString(ResponseAct act);  // "nothing", "proposed", "blocked"

struct ResponseAnswer {
  ResponseAct act = ResponseAct::kNothing;
  std::string reason{};                     // one sentence
  std::optional<BlockProposal> proposal{};  // unless kNothing
  std::optional<ActiveBlock> block{};       // kBlocked, and kNothing when one covers it already
};

struct ResponseOptions {
  std::map<std::string, ResponsePolicy> policies{};  // by the class of the alert
  ResponsePolicy default_policy = ResponsePolicy::kPropose;
  std::vector<IpPrefix> allow_list{};       // never blocked, by whomever
  Duration ttl = std::chrono::minutes(10);  // of the first block of an offender; then twice as long
  Duration max_ttl = std::chrono::hours(24);
  // A block of a proposal is lifted when it cut nothing for so long. 0: only at its end.
  Duration lift_after = std::chrono::minutes(5);
  std::size_t max_blocks = 100'000;
  std::size_t max_scopes = 64;  // different ones; beyond them all traffic of the host is blocked
  // Called before a block comes into force, to keep it and to record it; it does not when this
  // fails. Called again for a block that takes a new end.
  std::function<absl::Status(const ActiveBlock&)> before_block{};
  // Called before a block is lifted, which stays when this fails; and of one that expired by
  // itself. Both must not call the Response.
  std::function<absl::Status(const ActiveBlock&, BlockEnd)> before_end{};
};

// Thread-safe; `backend` outlives it. Blocks live in sets of the backend with the kernel's own
// expiry, so they end in time even when this process does not.
class Response final {
 public:
  Response(FirewallBackend& backend, ResponseOptions options);
  ~Response();

  // What the policy says, done. Never a block without being asked when the subject is one-way.
  // Nothing for an offender that a block covers already: traffic that our own rules cut is no news.
  // FailedPrecondition for what is protected or allowed.
  absl::StatusOr<ResponseAnswer> Handle(const ResponseSubject& subject, Timestamp now);
  absl::StatusOr<BlockProposal> Propose(const ResponseSubject& subject, Timestamp now) const;
  // Takes a proposal up.
  absl::StatusOr<ActiveBlock> Accept(const BlockProposal& proposal, std::string_view author,
                                     Timestamp now);

  // In one call. A block that is there already takes the new end. FailedPrecondition: protected or
  // allowed addresses; InvalidArgument: a ttl that is not positive, multicast, ...;
  // ResourceExhausted: too many.
  absl::StatusOr<ActiveBlock> Block(const BlockRequest& request, Timestamp now);
  // All of it or nothing, in one go: thousands at once.
  absl::StatusOr<std::vector<ActiveBlock>> BlockAll(const std::vector<BlockRequest>& requests,
                                                    Timestamp now);
  // Every block of that address. NotFound when there is none.
  absl::Status Unblock(const IpAddress& address, Timestamp now);
  absl::Status UnblockAll(const std::vector<IpAddress>& addresses, Timestamp now);

  // Measures, lifts what is over and forgets what expired; tells of what ended since the last call.
  absl::StatusOr<std::vector<EndedBlock>> AdvanceTo(Timestamp now);
  std::vector<ActiveBlock> blocks() const;  // by address
  std::vector<ActiveBlock> BlocksOf(const IpAddress& address) const;
  // Whether a block cut what that flow's first side sent at `time`, at most an hour ago: such
  // traffic must not feed a detector. A block that counted nothing in its first 30 seconds stands
  // in nobody's way, and cuts only once it did. Never waits for the backend.
  bool IsCut(const FiveTuple& flow, Timestamp time) const;
  // False: IsCut() is false for everything.
  bool MayBeCut() const;

  // `rules` with the rules and sets that blocks need, and the blocks in them: what should be in
  // force.
  absl::StatusOr<RuleSet> Desired(const RuleSet& rules, Timestamp now) const;
  // The same with one block more, to be rehearsed.
  absl::StatusOr<RuleSet> RulesWith(const RuleSet& rules, const BlockProposal& proposal,
                                    Timestamp now) const;
  // After a restart: those that have not expired by `now`. Desired() puts them into force.
  void Restore(const std::vector<ActiveBlock>& blocks, Timestamp now);
  // Peers that are protected at the moment: they are not blocked. (The backend enforces it
  // besides.)
  void SetProtectedSet(ProtectedSet protected_set);
  void SetAllowList(std::vector<IpPrefix> prefixes);
  void SetPolicies(std::map<std::string, ResponsePolicy> policies);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// JSON with the field names of the structs.
std::string ToJson(const ActiveBlock& block);
std::string ToJson(const BlockProposal& proposal);
absl::StatusOr<ActiveBlock> ActiveBlockFromJson(std::string_view text);

}  // namespace nta

#endif  // NTA_FIREWALL_RESPONSE_H_

// KernelTable: an nf_tables table as a value, in the one form into which both a RuleSet (render.h)
// and what `nft` lists (nft_json.h) are brought, so that what is in force can be compared with what
// was asked, field by field.
#ifndef NTA_FIREWALL_KERNEL_TABLE_H_
#define NTA_FIREWALL_KERNEL_TABLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "firewall/intervals.h"
#include "nta/firewall/rule.h"

namespace nta::firewall {

// Bits of the kernel's connection states (`ct state`).
inline constexpr std::uint32_t kStateInvalid = 1;
inline constexpr std::uint32_t kStateEstablished = 2;
inline constexpr std::uint32_t kStateRelated = 4;
inline constexpr std::uint32_t kStateNew = 8;

// Either ranges without overlaps, or a set by name. Of one version: that of the line.
struct AddressMatch {
  std::vector<AddressRange> ranges{};
  std::string set{};

  bool is_any() const { return ranges.empty() && set.empty(); }
  friend bool operator==(const AddressMatch&, const AddressMatch&) = default;
};

enum class LineVerdict : std::uint8_t {
  kNone,
  kAccept,
  kDrop,
  kRejectTcpReset,
  kRejectProhibited,  // ICMP "administratively prohibited"
  kRejectOther,       // only ever read
  kJump,
  kGoto,
  kReturn,
};

// One rule of the kernel.
struct KernelLine {
  int version = 0;  // 4, 6, or 0: both
  AddressMatch source{};
  AddressMatch destination{};
  std::vector<std::uint8_t> protocols{};  // sorted; none: any
  std::vector<PortRange> source_ports{};
  std::vector<PortRange> destination_ports{};
  std::vector<std::uint8_t> icmp_types{};  // sorted
  std::string in_interface{};
  std::string out_interface{};
  std::uint32_t states = 0;              // bits; 0: any
  bool is_reply = false;                 // only packets of the reply direction
  std::optional<std::int64_t> before{};  // only until then, in seconds since 1970
  std::string counter{};                 // a named one
  std::optional<std::string> log_prefix{};
  std::string limit{};  // a named one: goes on only above its rate
  // A limit that stands in the line itself (only ever read).
  std::optional<RateLimit> own_limit{};
  bool own_limit_is_over = false;
  LineVerdict verdict = LineVerdict::kNone;
  std::string target{};  // of kJump and kGoto
  std::string comment{};
  // What was read and is not understood, in words; the line means something else than the rest of
  // the fields say.
  std::vector<std::string> unknown{};

  friend bool operator==(const KernelLine&, const KernelLine&) = default;
};

struct KernelChain {
  std::string hook{};  // "input", "output", "forward"; empty: only jumped to
  std::string type{};  // "filter"
  int priority = 0;
  bool drops_by_default = false;
  std::vector<KernelLine> lines{};

  friend bool operator==(const KernelChain&, const KernelChain&) = default;
};

struct KernelSet {
  int version = 4;
  AddressSetKind kind = AddressSetKind::kHosts;
  bool is_known_form = true;  // false: nothing that we would make

  friend bool operator==(const KernelSet&, const KernelSet&) = default;
};

struct KernelTable {
  std::map<std::string, KernelChain> chains{};
  std::map<std::string, KernelSet> sets{};
  std::map<std::string, RateLimit> limits{};  // all of them "over"
  std::vector<std::string> counters{};        // sorted
  // Anything else that the table holds: kind and name, as `nft` takes them after "delete".
  std::vector<std::pair<std::string, std::string>> others{};

  friend bool operator==(const KernelTable&, const KernelTable&) = default;
};

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_KERNEL_TABLE_H_

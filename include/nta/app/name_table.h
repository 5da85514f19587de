// NameTable: the names that DNS answers, TLS, HTTP and DHCP gave to addresses, learned by
// listening.
//
//   nta::NameTable names;
//   names.Learn(address, "api.example.com", nta::NameSource::kDns, now, std::chrono::seconds(300));
//   if (auto name = names.Find(address, now)) std::cout << name->name;
#ifndef NTA_APP_NAME_TABLE_H_
#define NTA_APP_NAME_TABLE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "nta/net/ip_address.h"
#include "nta/net/time.h"

namespace nta {

// Who gave the name. Numbers are persisted.
enum class NameSource : std::uint8_t {
  kDns = 0,   // an answer to a query (A, AAAA, PTR; also mDNS and LLMNR)
  kTls = 1,   // the server name that a client asked the address for
  kHttp = 2,  // likewise in HTTP's Host
  kDhcp = 3,  // the name that a client gave itself
};
std::string_view ToString(NameSource source);  // "dns", "tls", "http", "dhcp"

struct NameTableOptions {
  // Addresses with a name at the most: 8 to 16,777,216. When full, the name that ran out first of
  // the eight that share its place goes. Memory: about 130 bytes an address, taken as they come.
  std::size_t max_names = 65'536;
  // A name stays valid this long at least, because connections outlive the TTL that they began with
  // and many TTLs are seconds; and this long at most, whatever the answer says.
  Duration min_validity = std::chrono::minutes(5);
  Duration max_validity = std::chrono::hours(24);
  // Key of the hash; random when absent.
  std::optional<std::uint64_t> hash_seed{};
};

struct KnownName {
  std::string name;  // lower case, valid UTF-8, at most kMaxNameBytes
  NameSource source = NameSource::kDns;
  Timestamp learned{};
  Timestamp expires{};

  friend bool operator==(const KnownName&, const KnownName&) = default;
};

struct NameTableStats {
  std::uint64_t learned = 0;  // names that were new or newer
  std::uint64_t evicted = 0;  // names that had to go before they ran out
  std::size_t names = 0;
  std::size_t memory_bytes = 0;

  friend bool operator==(const NameTableStats&, const NameTableStats&) = default;
};

// Reads no clock. Thread-safe: several tables of flows may share one.
class NameTable {
 public:
  static constexpr std::size_t kMaxNameBytes = 255;

  // Options out of range are brought into it.
  explicit NameTable(NameTableOptions options = {});
  NameTable(NameTable&&) noexcept;
  NameTable& operator=(NameTable&&) noexcept;
  ~NameTable();

  // The latest name of an address wins; but a name that a client gave itself (DHCP) stays while it
  // is valid. Empty names are left out.
  void Learn(const IpAddress& address, std::string_view name, NameSource source, Timestamp now,
             Duration time_to_live);
  // The name that is valid at `now`. Times before it was learned count, too: packets of a file may
  // be out of order.
  std::optional<KnownName> Find(const IpAddress& address, Timestamp now) const;
  // The same into `name`, whose memory is used again; false when there is none.
  bool FindInto(const IpAddress& address, Timestamp now, std::string& name) const;

  NameTableStats Stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_APP_NAME_TABLE_H_

// KernelSets: the named sets and counters of one nf_tables table of family inet, over netlink.
//
// nft takes 3 ms to start; here an element is in force after 0.1 ms, and ten thousand after 50 ms.
#ifndef NTA_FIREWALL_KERNEL_SETS_H_
#define NTA_FIREWALL_KERNEL_SETS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "firewall/intervals.h"
#include "firewall/netlink.h"
#include "nta/net/ip_address.h"

namespace nta::firewall {

struct KernelHost {
  IpAddress address{};
  std::optional<std::chrono::milliseconds> remaining{};  // absent: stays
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

struct KernelCounter {
  std::string name;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

// One thread at a time. A set holds addresses of one version. Errors: NotFound when the table or
// the set is missing, PermissionDenied without CAP_NET_ADMIN.
class KernelSets {
 public:
  static absl::StatusOr<KernelSets> Open(std::string table);

  absl::StatusOr<bool> TableExists();
  // One that is missing is no error.
  absl::Status DeleteTable();
  absl::StatusOr<std::vector<std::string>> SetNames();
  absl::Status DeleteSet(std::string_view set);
  absl::StatusOr<std::vector<KernelCounter>> Counters();

  // Sets of single hosts. In as few transactions as the socket's buffer allows (one, for root; four
  // thousand elements each in a namespace of an ordinary user); when a later one fails, what the
  // earlier ones added is taken away again. A host that is there already gets the new time.
  absl::Status AddHosts(std::string_view set, std::span<const KernelHost> hosts);
  // One that is missing is no error.
  absl::Status RemoveHosts(std::string_view set, std::span<const KernelHost> hosts);
  absl::StatusOr<std::vector<KernelHost>> Hosts(std::string_view set);
  // What the set counted for one host; nothing when it is not there.
  absl::StatusOr<std::optional<KernelHost>> FindHost(std::string_view set,
                                                     const IpAddress& address);

  // Interval sets: what is there becomes `wanted`, in one transaction.
  absl::Status SetIntervals(std::string_view set, std::span<const AddressRange> wanted);
  absl::StatusOr<std::vector<AddressRange>> Intervals(std::string_view set, int version);

 private:
  enum class HostChange { kAdd, kRemove };
  struct Element;

  KernelSets(NetlinkSocket socket, std::string table, std::size_t send_bytes)
      : socket_(std::move(socket)), table_(std::move(table)), send_bytes_(send_bytes) {}
  absl::Status ChangeHosts(std::string_view set, std::span<const KernelHost> hosts,
                           HostChange change, std::size_t* done);
  void AppendElements(NetlinkMessages& batch, std::uint16_t type, std::string_view set,
                      std::span<const Element> elements);
  absl::Status Commit(const NetlinkMessages& batch, std::string_view set);
  absl::StatusOr<std::vector<Element>> Elements(std::string_view set);
  absl::StatusOr<std::vector<Element>> ReadElements(const NetlinkMessages& request,
                                                    std::uint32_t sequence);
  static KernelHost ToHost(const Element& element);

  NetlinkSocket socket_;
  std::string table_;
  std::size_t send_bytes_;  // of one transaction
};

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_KERNEL_SETS_H_

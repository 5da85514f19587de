// PolicyDetector: what is not allowed here, however usual it may be.
//
//   auto policy = nta::PolicyDetector::Create({.block_lists = {"/etc/nta/blocked.txt"}});
//   pipeline.AddDetector(*policy);
#ifndef NTA_DETECT_POLICY_DETECTOR_H_
#define NTA_DETECT_POLICY_DETECTOR_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/detect/alert_tracker.h"
#include "nta/detect/block_list.h"
#include "nta/detect/detector.h"
#include "nta/net/ip_address.h"

namespace nta {

struct PolicyOptions {
  // Ours. Empty: private, link-local and loopback addresses.
  std::vector<IpPrefix> local_networks{};
  // Ports of services that only hosts of ours may reach: file sharing, databases, remote control.
  std::set<std::uint16_t> internal_tcp_ports = {23,   111,  135,  139,  445,  512,   513,  514,
                                                873,  1433, 1521, 2049, 2375, 3306,  3389, 5432,
                                                5900, 5985, 5986, 6379, 9200, 11211, 27017};
  std::set<std::uint16_t> internal_udp_ports = {69, 111, 137, 161, 623, 11211};
  // Who may reach them from outside all the same.
  std::vector<IpPrefix> allowed_sources{};
  // Files with what nobody may talk to; see BlockList. Read at the start, and again when the
  // traffic's clock has advanced by `reload_every` and a file has changed. A file that cannot be
  // read then leaves the list as it was; reload_error() says why.
  std::vector<std::string> block_lists{};
  Duration reload_every = std::chrono::minutes(1);
  // Addresses, networks and domain names beside those of the files.
  std::vector<std::string> blocked{};
  std::size_t max_block_entries = 200'000;
  // An alert closes after this long without a further violation.
  Duration hold = std::chrono::minutes(30);
  AlertTrackerOptions alerts{};
};

// Class: policy (T1133 for services reached from outside, T1071 for block lists). Both rules look
// at flows that were answered; a host of ours that only asks for a blocked name or address is
// reported, too, because it wants to.
class PolicyDetector final : public Detector {
 public:
  // Without block lists, which can fail to load; those of `options` are read at the first event.
  explicit PolicyDetector(PolicyOptions options = {});
  // Reads the block lists. The error of BlockList::Read.
  static absl::StatusOr<std::unique_ptr<PolicyDetector>> Create(PolicyOptions options);
  ~PolicyDetector() override;
  PolicyDetector(PolicyDetector&&) noexcept;
  PolicyDetector& operator=(PolicyDetector&&) noexcept;

  // Reads the block lists again, whether or not they have changed. On error they stay as they were.
  absl::Status Reload();
  // Why the latest automatic reading failed; OK when it did not.
  absl::Status reload_error() const;
  std::size_t block_entries() const;

  std::string_view name() const override { return "policy"; }
  void Observe(const FlowEvent& event, std::vector<Alert>& alerts) override;
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts) override;
  void Finish(std::vector<Alert>& alerts) override;
  std::size_t memory_bytes() const override;
  std::size_t memory_limit_bytes() const override;
  std::string Save() const override;
  absl::Status Load(std::string_view state) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_DETECT_POLICY_DETECTOR_H_

// clang-format off: <linux/netfilter.h> needs what <arpa/inet.h> defines.
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
// clang-format on
#include <linux/netlink.h>
#include <unistd.h>

#include "base/status.h"
#include "firewall/netlink.h"
#include "nta/firewall/nftables_backend.h"

namespace nta {

using firewall::NetlinkMessage;
using firewall::NetlinkSocket;

class NftablesMonitor::Impl {
 public:
  Impl(NetlinkSocket socket, std::string table)
      : socket_(std::move(socket)), table_(std::move(table)) {}

  absl::StatusOr<bool> Wait(std::chrono::milliseconds timeout) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point deadline = Clock::now() + timeout;
    bool changed = false;
    while (true) {
      // After a change, everything that waits is taken in, and nothing is waited for.
      const auto left = changed
                            ? std::chrono::milliseconds(0)
                            : std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
      const auto came =
          socket_.Receive(std::max(left, std::chrono::milliseconds(0)),
                          [&](const NetlinkMessage& message) { changed |= IsForeign(message); });
      if (absl::IsDataLoss(came.status())) {
        changed = true;
        continue;
      }
      NTA_RETURN_IF_ERROR(came.status());
      if (!*came && (changed || Clock::now() >= deadline)) return changed;
    }
  }

  int fd() const { return socket_.fd(); }

 private:
  // Whether it ends a transaction of somebody else that touched our table.
  bool IsForeign(const NetlinkMessage& message) {
    if (NFNL_SUBSYS_ID(message.type) != NFNL_SUBSYS_NFTABLES ||
        message.payload.size() < sizeof(nfgenmsg)) {
      return false;
    }
    const auto attributes = message.payload.subspan(sizeof(nfgenmsg));
    if (NFNL_MSG_TYPE(message.type) != NFT_MSG_NEWGEN) {
      // The name of the table is attribute 1 of all of them.
      touched_ = touched_ || firewall::Text(attributes, NFTA_TABLE_NAME) == table_;
      return false;
    }
    const bool is_own =
        firewall::Number32(attributes, NFTA_GEN_PROC_PID) == static_cast<std::uint32_t>(getpid());
    return std::exchange(touched_, false) && !is_own;
  }

  NetlinkSocket socket_;
  std::string table_;
  bool touched_ = false;
};

absl::StatusOr<std::unique_ptr<NftablesMonitor>> NftablesMonitor::Open(const std::string& table) {
  NTA_ASSIGN_OR_RETURN(NetlinkSocket socket,
                       NetlinkSocket::Open(NETLINK_NETFILTER, 1U << (NFNLGRP_NFTABLES - 1)));
  return std::unique_ptr<NftablesMonitor>(
      new NftablesMonitor(std::make_unique<Impl>(std::move(socket), table)));
}

NftablesMonitor::NftablesMonitor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NftablesMonitor::~NftablesMonitor() = default;

absl::StatusOr<bool> NftablesMonitor::Wait(std::chrono::milliseconds timeout) {
  return impl_->Wait(timeout);
}
int NftablesMonitor::fd() const { return impl_->fd(); }

}  // namespace nta

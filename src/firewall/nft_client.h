// NftClient: one table of family inet through the program nft, under a lock file.
#ifndef NTA_FIREWALL_NFT_CLIENT_H_
#define NTA_FIREWALL_NFT_CLIENT_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "firewall/child_process.h"
#include "firewall/nft_json.h"
#include "nta/firewall/nftables_backend.h"

namespace nta::firewall {

// Held until it is destroyed.
class FileLock {
 public:
  // Unavailable when another process holds it for longer than `timeout`.
  static absl::StatusOr<FileLock> Take(const std::string& path, std::chrono::milliseconds timeout);
  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

class NftClient {
 public:
  static absl::StatusOr<NftClient> Open(const NftablesOptions& options);

  // The text of `nft -n -j list ...`, which is empty where the table is missing.
  absl::StatusOr<std::string> ListText(std::string_view family, std::string_view table) const;
  // Our table, without the elements of its sets; nothing in it when it is missing.
  // InvalidArgument: nobody can read what nft lists.
  absl::StatusOr<KernelTable> List() const;
  // One transaction.
  absl::Status Run(std::string script) const;
  absl::StatusOr<FileLock> Lock() const;

  const std::string& table() const { return options_.table; }
  const NftablesOptions& options() const { return options_; }

 private:
  explicit NftClient(NftablesOptions options) : options_(std::move(options)) {}

  NftablesOptions options_;  // complete
};

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_NFT_CLIENT_H_

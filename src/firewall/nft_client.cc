#include "firewall/nft_client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/status.h"
#include "base/utf8.h"

namespace nta::firewall {
namespace {

constexpr std::size_t kMaxShownBytes = 300;
constexpr std::chrono::milliseconds kLockTimeout{10'000};

absl::Status CheckTableName(std::string_view name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const bool right = !name.empty() && name.size() <= 31 && is_letter(name.front()) &&
                     std::all_of(name.begin(), name.end(), [&](char c) {
                       return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
                     });
  if (right) return absl::OkStatus();
  return base::InvalidArgument("the name of a table is a letter and up to 30 of a-z 0-9 _");
}

absl::Status Failed(const std::string& what, const ProgramResult& result) {
  const auto tells = [&](std::string_view text) {
    return result.errors.find(text) != std::string::npos;
  };
  if (tells("Operation not permitted")) {
    return base::MakeStatus(absl::StatusCode::kPermissionDenied,
                            "the kernel does not let nft " + what +
                                ": CAP_NET_ADMIN is needed in this network namespace");
  }
  if (tells("Message too long")) {
    return base::MakeStatus(absl::StatusCode::kResourceExhausted,
                            "too many rules for one transaction in a network namespace of an "
                            "ordinary user; as root there is no such limit");
  }
  return base::MakeStatus(
      absl::StatusCode::kInternal,
      "nft cannot " + what + ": " + base::PrintableUtf8(result.errors, kMaxShownBytes));
}

}  // namespace

absl::StatusOr<FileLock> FileLock::Take(const std::string& path,
                                        std::chrono::milliseconds timeout) {
  FileLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock.fd_ < 0) return base::ErrnoStatus(errno, "cannot open the lock " + path);
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return base::ErrnoStatus(errno, "cannot lock " + path);
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return base::MakeStatus(absl::StatusCode::kUnavailable,
                              "another process holds the lock " + path);
    }
    poll(nullptr, 0, 1);
  }
  return lock;
}

FileLock::~FileLock() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<NftClient> NftClient::Open(const NftablesOptions& options) {
  NftablesOptions complete = options;
  NTA_RETURN_IF_ERROR(CheckTableName(options.table));
  auto path = FindProgram("nft", options.nft_path);
  if (absl::IsNotFound(path.status())) {
    return base::MakeStatus(
        absl::StatusCode::kUnavailable,
        std::string(path.status().message()) + "; install nftables to enforce rules");
  }
  NTA_RETURN_IF_ERROR(path.status());
  complete.nft_path = *path;
  if (complete.lock_path.empty()) {
    complete.lock_path = "/run/nta-firewall-" + options.table + ".lock";
  }
  return NftClient(std::move(complete));
}

absl::StatusOr<FileLock> NftClient::Lock() const {
  return FileLock::Take(options_.lock_path, kLockTimeout);
}

absl::StatusOr<std::string> NftClient::ListText(std::string_view family,
                                                std::string_view table) const {
  // Terse for our own: the elements of sets come through netlink.
  const bool is_ours = family == "inet" && table == options_.table;
  ProgramRun run{.path = options_.nft_path, .timeout = options_.nft_timeout};
  run.arguments = {is_ours ? "-njt" : "-nj", "list", "table", std::string(family),
                   std::string(table)};
  NTA_ASSIGN_OR_RETURN(ProgramResult result, RunProgram(run));
  if (result.exit_code == 0) return std::move(result.output);
  if (result.errors.find("No such file or directory") != std::string::npos) return std::string();
  return Failed("list a table", result);
}

absl::StatusOr<KernelTable> NftClient::List() const {
  NTA_ASSIGN_OR_RETURN(const std::string text, ListText("inet", options_.table));
  if (text.empty()) return KernelTable();
  NTA_ASSIGN_OR_RETURN(std::vector<NftTable> tables, ParseNftJson(text));
  if (tables.size() != 1) return base::InvalidArgument("nft lists more than the table asked for");
  return std::move(tables.front().table);
}

absl::Status NftClient::Run(std::string script) const {
  ProgramRun run{.path = options_.nft_path, .timeout = options_.nft_timeout};
  run.arguments = {"-f", "-"};
  run.input = std::move(script);
  NTA_ASSIGN_OR_RETURN(const ProgramResult result, RunProgram(run));
  return result.exit_code == 0 ? absl::OkStatus() : Failed("change table inet " + table(), result);
}

}  // namespace nta::firewall

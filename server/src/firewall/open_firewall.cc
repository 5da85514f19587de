#include "firewall/open_firewall.h"

#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "base/status.h"
#include "logging/log.h"
#include "nta/firewall/nftables_backend.h"
#include "nta/firewall/system_protection.h"

namespace nta::server {
namespace {

// A backend, and what only nftables can do.
struct Chosen {
  std::unique_ptr<FirewallBackend> backend;
  decltype(FirewallDeskOptions::import) import{};
  decltype(FirewallDeskOptions::changed) changed{};
  std::string note;
  ChangeGuardOptions guard{};
};

// Only the server's user may say what comes back after a change.
absl::Status MakeStateDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
  return base::ErrnoStatus(errno, "cannot create " + path);
}

absl::StatusOr<Chosen> ChooseNftables(const ServerOptions& options) {
  std::error_code error;
  // The watchdog works from another directory.
  const std::string state =
      std::filesystem::absolute(options.data_dir, error).string() + "/firewall";
  if (error) return base::ErrnoStatus(error.value(), "cannot use " + options.data_dir);
  NTA_RETURN_IF_ERROR(MakeStateDirectory(state));
  NTA_ASSIGN_OR_RETURN(
      auto nftables,
      NftablesBackend::Open({.table = options.firewall_table,
                             .lock_path = state + "/" + options.firewall_table + ".lock"}));
  NTA_ASSIGN_OR_RETURN(std::shared_ptr<NftablesMonitor> monitor,
                       NftablesMonitor::Open(options.firewall_table));
  Chosen chosen;
  NftablesBackend* const raw = nftables.get();
  chosen.import = [raw](std::string_view family, std::string_view table) {
    return raw->Import(family, table);
  };
  chosen.changed = [monitor = std::move(monitor)] {
    // What cannot be heard is looked at.
    return monitor->Wait(std::chrono::milliseconds(0)).value_or(true);
  };
  chosen.guard = {.state_directory = state,
                  .watchdog = WatchdogOptions{.nftables = nftables->options()}};
  chosen.backend = std::move(nftables);
  return chosen;
}

Chosen ChooseMemory(std::string note) {
  return {.backend = std::make_unique<MemoryBackend>(), .note = std::move(note)};
}

// The same difference is looked at again and again; it is told when it changes.
AuditBackend::Sink LogOnce() {
  return [last = std::string()](const RuleSetDiff& diff) mutable {
    const std::string text = diff.ToString();
    if (text == last) return;
    Log(LogLevel::kInfo, "firewall: would change:\n" + text);
    last = text;
  };
}

absl::StatusOr<Chosen> Choose(const ServerOptions& options) {
  if (options.firewall == "memory") {
    return ChooseMemory("rules are kept in memory and enforced by nobody");
  }
  auto nftables = ChooseNftables(options);
  if (options.firewall == "auto" && !nftables.ok()) {
    return ChooseMemory("rules are enforced by nobody: " +
                        std::string(nftables.status().message()));
  }
  if (!nftables.ok() || options.firewall != "audit") return nftables;
  nftables->backend = std::make_unique<AuditBackend>(std::move(nftables->backend), LogOnce());
  // What changes nothing needs nobody to take it back.
  nftables->guard = ChangeGuardOptions();
  nftables->changed = {};
  nftables->note = "changes are only written to the log";
  return nftables;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FirewallDesk>> OpenFirewall(
    const ServerOptions& options, Store& store, const Clock& clock,
    decltype(FirewallDeskOptions::audit) audit) {
  if (options.firewall == "off") return std::unique_ptr<FirewallDesk>();
  NTA_ASSIGN_OR_RETURN(Chosen chosen, Choose(options));
  return FirewallDesk::Open(
      store, clock, std::move(chosen.backend),
      {.protection =
           [networks = options.protected_networks](const std::vector<IpAddress>& administrators) {
             return GatherProtectedSet({.administrators = administrators, .networks = networks});
           },
       .guard = std::move(chosen.guard),
       .audit = std::move(audit),
       .import = std::move(chosen.import),
       .changed = std::move(chosen.changed),
       .note = std::move(chosen.note)});
}

}  // namespace nta::server

#include "firewall/open_firewall.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/status.h"
#include "log.h"
#include "nta/firewall/nftables_backend.h"
#include "nta/firewall/system_protection.h"

namespace nta::server {
namespace {

// A backend, and what only nftables can do.
struct Chosen {
  std::unique_ptr<FirewallBackend> backend;
  decltype(FirewallDeskOptions::import) import;
  std::string note;
  ChangeGuardOptions guard{};
};

absl::StatusOr<Chosen> ChooseNftables(const ServerOptions& options) {
  NTA_ASSIGN_OR_RETURN(auto nftables, NftablesBackend::Open({.table = options.firewall_table,
                                                             .lock_path = options.data_dir + "/" +
                                                                          options.firewall_table +
                                                                          ".firewall.lock"}));
  Chosen chosen;
  NftablesBackend* const raw = nftables.get();
  chosen.import = [raw](std::string_view family, std::string_view table) {
    return raw->Import(family, table);
  };
  chosen.backend = std::move(nftables);
  return chosen;
}

Chosen ChooseMemory(std::string note) {
  return {.backend = std::make_unique<MemoryBackend>(), .import = {}, .note = std::move(note)};
}

absl::StatusOr<Chosen> Choose(const ServerOptions& options) {
  if (options.firewall == "memory") {
    return ChooseMemory("rules are kept in memory and enforced by nobody");
  }
  auto nftables = ChooseNftables(options);
  if (options.firewall == "auto" && !nftables.ok()) {
    const std::string reason(nftables.status().message());
    Log(LogLevel::kWarning, "firewall: rules are enforced by nobody: " + reason);
    return ChooseMemory("rules are enforced by nobody: " + reason);
  }
  if (!nftables.ok() || options.firewall != "audit") return nftables;
  nftables->backend =
      std::make_unique<AuditBackend>(std::move(nftables->backend), [](const RuleSetDiff& diff) {
        Log(LogLevel::kInfo, "firewall: would change:\n" + diff.ToString());
      });
  // What changes nothing needs nobody to take it back.
  nftables->guard = ChangeGuardOptions();
  nftables->note = "changes are only written to the log";
  return nftables;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FirewallDesk>> OpenFirewall(const ServerOptions& options,
                                                           Store& store, const Clock& clock) {
  if (options.firewall == "off") return std::unique_ptr<FirewallDesk>();
  NTA_ASSIGN_OR_RETURN(Chosen chosen, Choose(options));
  return FirewallDesk::Open(
      store, clock, std::move(chosen.backend),
      {.protection =
           [networks = options.protected_networks](const std::vector<IpAddress>& administrators) {
             return GatherProtectedSet({.administrators = administrators, .networks = networks});
           },
       .guard = std::move(chosen.guard),
       .import = std::move(chosen.import),
       .note = std::move(chosen.note)});
}

}  // namespace nta::server

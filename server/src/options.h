// ServerOptions: what nta-server is told by flags, environment and file, in that order of
// precedence.
#ifndef NTA_SERVER_OPTIONS_H_
#define NTA_SERVER_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <variant>
#include <vector>

#include "http/listen_socket.h"

namespace nta::server {

struct ServerOptions {
  std::vector<std::string> interfaces;  // at most one of the three names sources
  std::string replay;
  std::string file;
  std::string listen = "127.0.0.1:8080";
  std::string data_dir = "nta-data";
  std::string database;    // empty: nta.db in data_dir
  std::string backup_dir;  // empty: backups in data_dir
  std::string backup_passphrase_file;
  std::string restore;    // a backup to begin with, where there is no database
  std::string dashboard;  // empty: where it was installed or built
  std::string filter;
  std::string log_dir;  // empty: "logs" in data_dir
  std::string log_level = "info";
  std::string log_format = "json";
  std::uint64_t log_max_bytes = std::uint64_t{16} << 20;
  std::uint64_t log_max_age_seconds = 0;  // 0: never for its age
  std::uint32_t log_keep = 10;
  std::string log_compression = "zstd";
  std::string syslog;                  // empty: none
  std::string audit_dir;               // empty: "audit" in data_dir
  std::string audit_verification_key;  // empty: in audit_dir
  std::string audit_checkpoints;       // empty: in audit_dir
  double idle_timeout_seconds = 30;
  double active_timeout_seconds = 60;
  std::size_t max_flows = 1'000'000;
  bool statistics = true;
  bool applications = true;
  bool ndpi = false;
  std::vector<std::string> block_lists;
  std::vector<std::string> without_detectors;
  double requests_per_second = 20;
  double sign_ins_per_minute = 5;
  bool allow_insecure_remote = false;
  std::string firewall = "auto";  // auto, nftables, memory, audit or off
  std::string firewall_table = "nta";
  std::vector<std::string> firewall_protect;  // networks that no rule may cut off

  std::vector<IpPrefix> protected_networks;  // `firewall_protect`, understood

  ListenAddress listen_address;  // `listen`, understood
  std::string configuration;     // what was set, as a file that --config takes
};

// A reason to exit at once: 0 after --help, 2 after a mistake (told on stderr).
struct ExitNow {
  int status = 0;
};

std::variant<ServerOptions, ExitNow> ReadOptions(int argc, const char* const* argv,
                                                 std::ostream& out, std::ostream& err);

}  // namespace nta::server

#endif  // NTA_SERVER_OPTIONS_H_

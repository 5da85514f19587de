#include "options.h"

#include <sys/stat.h>
#include <toml++/toml.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <ostream>
#include <sstream>
#include <utility>

#include "base/status.h"
#include "nta/firewall/protected_set.h"

namespace nta::server {
namespace {

constexpr int kUsageError = 2;

// "--idle-timeout" as the file spells it.
std::string KeyOf(const CLI::Option& option) {
  std::string key = option.get_name(false, false).substr(2);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

// NTA_IDLE_TIMEOUT.
std::string EnvironmentNameOf(const CLI::Option& option) {
  std::string name = "NTA_" + KeyOf(option);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

void AddSourceOptions(CLI::App& app, ServerOptions& options) {
  CLI::Option* interface =
      app.add_option("--interface", options.interfaces,
                     "Capture from this network interface; several times or a,b for several")
          ->delimiter(',')
          ->allow_extra_args(false);
  CLI::Option* replay = app.add_option(
      "--pcap,--replay", options.replay,
      "Replay this capture file in real time, stamped with the present, again and again");
  CLI::Option* file =
      app.add_option("--file", options.file,
                     "Read this capture file into the database, with its own time stamps, at every "
                     "start; then serve it");
  interface->excludes(replay)->excludes(file);
  replay->excludes(file);
  app.add_option("--filter", options.filter,
                 "Capture only what this pcap-filter(7) expression matches (--interface)");
}

void AddServerOptions(CLI::App& app, ServerOptions& options) {
  app.add_option("--listen", options.listen,
                 "Address and port to listen on; port 0 takes any that is free")
      ->capture_default_str();
  app.add_option("--data-dir", options.data_dir,
                 "Directory for the signing key and the database; made when missing")
      ->capture_default_str();
  app.add_option("--database", options.database,
                 "SQLite file, made when missing, or postgresql:// URL "
                 "[nta.db in the data directory]");
  app.add_option("--backup-dir", options.backup_dir,
                 "Directory of backups; made when missing [backups in the data directory]");
  app.add_option("--backup-passphrase-file", options.backup_passphrase_file,
                 "File whose first line encrypts backups; only its owner may read it");
  app.add_option("--restore", options.restore,
                 "Begin with this backup (a name or a file) where there is no database yet");
  app.add_option("--dashboard", options.dashboard,
                 "Directory of the built dashboard [where it was installed or built]");
  app.add_flag("--allow-insecure-remote", options.allow_insecure_remote,
               "Listen beyond this machine although connections are not encrypted");
}

void AddLogOptions(CLI::App& app, ServerOptions& options) {
  app.add_option("--log-dir", options.log_dir,
                 "Directory of the log files [logs in the data directory]");
  app.add_option("--log-level", options.log_level, "The least that is logged")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  app.add_option("--log-format", options.log_format, "What the lines of log files look like")
      ->check(CLI::IsMember({"json", "text"}))
      ->capture_default_str();
  app.add_option("--log-max-bytes", options.log_max_bytes,
                 "Size at which a log file is put aside; until it is set in the dashboard")
      ->check(CLI::Range(std::uint64_t{4096}, std::uint64_t{1} << 40))
      ->capture_default_str();
  app.add_option("--log-max-age", options.log_max_age_seconds,
                 "Seconds after which a log file is put aside; 0: never for its age")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{3'000'000'000}))
      ->capture_default_str();
  app.add_option("--log-keep", options.log_keep, "Log files kept of those put aside")
      ->check(CLI::Range(1u, 10'000u))
      ->capture_default_str();
  app.add_option("--log-compression", options.log_compression, "How they are packed")
      ->check(CLI::IsMember({"none", "gzip", "zstd"}))
      ->capture_default_str();
  app.add_option("--syslog", options.syslog,
                 "Also send events and audit checkpoints to this syslog daemon: a socket's path or "
                 "ADDRESS:PORT (UDP)");
  app.add_option("--audit-dir", options.audit_dir,
                 "Directory of the audit trail [audit in the data directory]");
  app.add_option("--audit-verification-key", options.audit_verification_key,
                 "File for the key that verifies the trail [in the directory of the trail]");
  app.add_option("--audit-checkpoints", options.audit_checkpoints,
                 "Text file that checkpoints of the trail are added to [in its directory]");
}

void AddLimits(CLI::App& app, ServerOptions& options) {
  app.add_option("--idle-timeout", options.idle_timeout_seconds,
                 "Seconds of silence that end a flow")
      ->check(CLI::Range(0.001, 86400.0))
      ->capture_default_str();
  app.add_option("--active-timeout", options.active_timeout_seconds,
                 "Seconds after which a lasting flow is reported")
      ->check(CLI::Range(0.001, 86400.0))
      ->capture_default_str();
  app.add_option("--max-flows", options.max_flows, "Flows kept in memory at the most")
      ->check(CLI::Range(std::size_t{1}, std::size_t{100'000'000}))
      ->capture_default_str();
  app.add_option("--statistics", options.statistics,
                 "Keep sizes, times, retransmissions and the first packets of each flow")
      ->type_name("on|off")
      ->default_str("on");
  app.add_option("--applications", options.applications,
                 "Say what flows carry, and learn the names of addresses, from first messages")
      ->type_name("on|off")
      ->default_str("on");
  app.add_option("--ndpi", options.ndpi,
                 "Ask nDPI about flows that have no name (a build with NTA_WITH_NDPI)")
      ->type_name("on|off")
      ->default_str("off");
  app.add_option("--block-list", options.block_lists,
                 "Files of addresses, networks and names that nobody may talk to; read again when "
                 "they change");
  app.add_option("--without-detector", options.without_detectors,
                 "Names of detectors to leave out");
  app.add_option("--requests-per-second", options.requests_per_second,
                 "Requests a second for each address and for each user; 0: no limit")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option(
         "--sign-ins-per-minute", options.sign_ins_per_minute,
         "Sign-in attempts a minute for each address, twice as many for each account; 0: no limit")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
}

void AddFirewallOptions(CLI::App& app, ServerOptions& options) {
  app.add_option("--firewall", options.firewall,
                 "Who enforces rules: nftables; memory (nobody: for development); audit (nftables "
                 "is read, changes are only logged); off; auto: nftables where it can be, else "
                 "memory")
      ->check(CLI::IsMember({"auto", "nftables", "memory", "audit", "off"}))
      ->capture_default_str();
  app.add_option("--firewall-table", options.firewall_table,
                 "The nftables table that is the server's own")
      ->capture_default_str();
  app.add_option("--firewall-protect", options.firewall_protect,
                 "A network that no rule may ever cut off; several times or a,b for several")
      ->delimiter(',')
      ->allow_extra_args(false);
}

absl::StatusOr<toml::table> ReadFile(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0)
    return base::ErrnoStatus(errno, "cannot read \"" + path + "\"");
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return base::InvalidArgument("will not use \"" + path +
                                 "\": others may write it (chmod go-w it)");
  }
  // toml++ throws.
  try {
    return toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    return base::InvalidArgument(path + ":" + std::to_string(error.source().begin.line) + ": " +
                                 std::string(error.description()));
  }
}

std::optional<std::string> TextOf(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto number = node.value_exact<double>()) {
    // 1e6 is as good as 1000000 where a whole number is wanted.
    constexpr double kMostExact = 9e15;
    const bool is_whole = std::abs(*number) < kMostExact && std::trunc(*number) == *number;
    return is_whole ? std::to_string(static_cast<std::int64_t>(*number))
                    : CLI::detail::to_string(*number);
  }
  if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  return std::nullopt;
}

// The values of a key; several only for options that take as many.
std::vector<std::string> TextsOf(const toml::node& node, const CLI::Option& option) {
  std::vector<std::string> texts;
  const toml::array* const array = node.as_array();
  if (array != nullptr && option.get_expected_max() > 1) {
    for (const toml::node& element : *array) {
      const std::optional<std::string> text = TextOf(element);
      if (!text) return {};
      texts.push_back(*text);
    }
  } else if (const std::optional<std::string> text = TextOf(node)) {
    texts.push_back(*text);
  }
  return texts;
}

// Gives each option that neither flag nor environment has set what the file says.
absl::Status ApplyFile(CLI::App& app, const std::string& path) {
  NTA_ASSIGN_OR_RETURN(const toml::table table, ReadFile(path));
  const std::vector<CLI::Option*> options = app.get_options();
  const bool source_is_named =
      app.count("--interface") + app.count("--pcap") + app.count("--file") > 0;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const auto option = std::find_if(options.begin(), options.end(),
                                     [&](const CLI::Option* o) { return KeyOf(*o) == name; });
    if (option == options.end() || name == "config" || name == "help") {
      std::string likely = name;
      std::replace(likely.begin(), likely.end(), '-', '_');
      const bool is_known = std::any_of(options.begin(), options.end(), [&](const CLI::Option* o) {
        return likely != name && KeyOf(*o) == likely;
      });
      return base::InvalidArgument(path + ": unknown key \"" + name + "\"" +
                                   (is_known ? " (did you mean \"" + likely + "\"?)" : ""));
    }
    const std::vector<std::string> texts = TextsOf(node, **option);
    if (texts.empty())
      return base::InvalidArgument(path + ": \"" + name + "\" must be a text, number or boolean");
    const bool is_source = name == "interface" || name == "pcap" || name == "file";
    if ((*option)->count() > 0 || (is_source && source_is_named)) continue;
    try {
      for (const std::string& text : texts) (*option)->add_result(text);
      (*option)->run_callback();
    } catch (const CLI::Error& error) {
      return base::InvalidArgument(path + ": \"" + name + "\": " + error.what());
    }
  }
  return absl::OkStatus();
}

std::vector<ProtectedPeer> AsPeers(const std::vector<IpPrefix>& networks) {
  std::vector<ProtectedPeer> peers;
  for (const IpPrefix& network : networks) peers.push_back({network});
  return peers;
}

absl::Status Check(ServerOptions& options) {
  const int sources = (options.interfaces.empty() ? 0 : 1) + (options.replay.empty() ? 0 : 1) +
                      (options.file.empty() ? 0 : 1);
  if (sources > 1) return base::InvalidArgument("name one of --interface, --pcap and --file");
  if (!options.filter.empty() && options.interfaces.empty()) {
    return base::InvalidArgument("--filter works with --interface only");
  }
  NTA_ASSIGN_OR_RETURN(options.listen_address, ParseListenAddress(options.listen));
  if (!options.listen_address.address.is_loopback() && !options.allow_insecure_remote) {
    return base::InvalidArgument("refusing to listen on " + options.listen +
                                 ": passwords would cross the network in clear. Put a TLS proxy in "
                                 "front of 127.0.0.1, or add "
                                 "--allow-insecure-remote");
  }
  for (const std::string& text : options.firewall_protect) {
    NTA_ASSIGN_OR_RETURN(const IpPrefix network, IpPrefix::Parse(text));
    options.protected_networks.push_back(network);
  }
  NTA_RETURN_IF_ERROR(CheckProtectedSet({.peers = AsPeers(options.protected_networks)}));
  if (options.database.empty()) options.database = options.data_dir + "/nta.db";
  if (options.log_dir.empty()) options.log_dir = options.data_dir + "/logs";
  if (options.audit_dir.empty()) options.audit_dir = options.data_dir + "/audit";
  if (options.backup_dir.empty()) options.backup_dir = options.data_dir + "/backups";
  return absl::OkStatus();
}

// What was set, wherever, as a file that --config takes. Without the URL of a database, which may
// hold a password.
std::string ToToml(const CLI::App& app) {
  toml::table table;
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name(false, false);
    const bool is_act = name == "--help" || name == "--version" || name == "--config" ||
                        name == "--restore" || name == "--database";
    if (is_act || option->count() == 0) continue;
    if (option->get_expected_max() > 1) {
      toml::array values;
      for (const std::string& value : option->results()) values.push_back(value);
      table.insert(KeyOf(*option), std::move(values));
    } else {
      table.insert(KeyOf(*option), option->results().back());
    }
  }
  std::ostringstream text;
  text << table << '\n';
  return text.str();
}

}  // namespace

std::variant<ServerOptions, ExitNow> ReadOptions(int argc, const char* const* argv,
                                                 std::ostream& out, std::ostream& err) {
  ServerOptions options;
  std::string config;
  CLI::App app("nta-server: REST API, live stream and dashboard over what libnta captures.",
               "nta-server");
  app.set_version_flag("--version", NTA_VERSION);
  AddSourceOptions(app, options);
  AddServerOptions(app, options);
  AddLogOptions(app, options);
  AddLimits(app, options);
  AddFirewallOptions(app, options);
  for (CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name(false, false);
    if (name != "--help" && name != "--version") option->envname(EnvironmentNameOf(*option));
  }
  app.add_option("--config", config, "TOML file: keys are the names of these options with _ for -")
      ->envname("NTA_CONFIG");
  app.footer(
      "Each option can also be set by an environment variable (NTA_LISTEN for --listen) or in the "
      "file;\n"
      "a flag counts before the environment, the environment before the file.\n"
      "Exit status: 0 ended by a signal, 1 failure, 2 wrong usage.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ExitNow{app.exit(error, out, err) == 0 ? 0 : kUsageError};
  }
  absl::Status status = config.empty() ? absl::OkStatus() : ApplyFile(app, config);
  if (status.ok()) status = Check(options);
  if (status.ok()) options.configuration = ToToml(app);
  if (status.ok()) return options;
  err << "nta-server: " << std::string(status.message()) << '\n';
  return ExitNow{kUsageError};
}

}  // namespace nta::server

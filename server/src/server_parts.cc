// Opens and joins the parts of the server.
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <utility>

#include "base/status.h"
#include "firewall/open_firewall.h"
#include "logging/log.h"
#include "logging/log_settings.h"
#include "nta/json/json.h"
#include "part_options.h"
#include "secret_file.h"
#include "server_impl.h"
#include "text.h"

namespace nta::server {
namespace {

// Begins as SQLite's files do, or has the reserve of a store beside it.
bool MayBeAStore(const std::string& database) {
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  std::array<char, kMagic.size()> begin{};
  std::ifstream(database, std::ios::binary).read(begin.data(), begin.size());
  return std::string_view(begin.data(), begin.size()) == kMagic ||
         access((database + "-reserve").c_str(), F_OK) == 0;
}

// Rather than the URL of a database server.
bool IsFile(const std::string& database) { return database.find("://") == std::string::npos; }

bool HasEntries(const std::string& directory) {
  std::error_code missing;
  return std::filesystem::directory_iterator(directory, missing) !=
         std::filesystem::directory_iterator();
}

// A file of no bytes is opened as a new store; it is none when a server has been at work with it.
bool WasEmptied(const ServerOptions& options) {
  std::error_code missing;
  const std::uintmax_t bytes = std::filesystem::file_size(options.database, missing);
  if (missing || bytes > 0) return false;
  return HasEntries(options.audit_dir) || HasEntries(options.backup_dir) ||
         access((options.database + "-previous").c_str(), F_OK) == 0;
}

// What is known of what was lost: of what cannot be read nobody knows what it was.
std::string Losses(const SalvageReport& report) {
  if (report.flows_lost == 0) return "How many flows and alerts are lost is not known.";
  return "At least " + std::to_string(report.flows_lost) +
         " flows are lost; how many more, and how many alerts, is not known.";
}

absl::Status MakeDataDirectory(const std::string& path) {
  if (mkdir(path.c_str(), S_IRWXU) == 0 || errno == EEXIST) return absl::OkStatus();
  return base::ErrnoStatus(errno, "cannot make the data directory \"" + path + "\"");
}

// An alert of unauthorised access stands in the security log as well.
void NoteAlert(Logs& logs, const Alert& alert) {
  logs.Security(LogLevel::kWarning, std::nullopt, "alert.unauthorised_access", alert.summary,
                {{"alert", alert.id}, {"state", ToString(alert.state)}});
}

// The dashboard stands where it was installed, beside the program, or where it was built.
std::string FindDashboard(const ServerOptions& options) {
  if (!options.dashboard.empty()) return options.dashboard;
  std::array<char, 4096> program{};
  const ssize_t size = readlink("/proc/self/exe", program.data(), program.size() - 1);
  if (size > 0) {
    const std::string path(program.data(), static_cast<std::size_t>(size));
    const std::string installed = path.substr(0, path.rfind('/')) + "/../share/nta/dashboard";
    if (access((installed + "/index.html").c_str(), R_OK) == 0) return installed;
  }
  return NTA_DASHBOARD_DIR;
}

}  // namespace

absl::Status Server::Impl::OpenStore() {
  NTA_RETURN_IF_ERROR(MakeDataDirectory(options_.data_dir));
  NTA_ASSIGN_OR_RETURN(data_lock_, DataLock::Take(options_.data_dir));
  NTA_RETURN_IF_ERROR(OpenLogs());
  NTA_RETURN_IF_ERROR(PrepareDatabase());
  was_emptied_ = IsFile(options_.database) && WasEmptied(options_);
  // A file that never was a store of ours is refused, not put aside.
  NTA_ASSIGN_OR_RETURN(store_, MayBeAStore(options_.database)
                                   ? Store::OpenOrSalvage({.path = options_.database}, salvage_)
                                   : Store::Open({.path = options_.database}));
  writer_.emplace(*store_);
  capture_.emplace(MakeCaptureOptions(options_), *writer_, sampler_, [this](const Alert& alert) {
    Tell(alert);
    // What is read from a file was long ago: nobody is blocked for it now. The firewall has a
    // thread of its own, so that capture does not wait for it.
    if (!options_.interfaces.empty()) for_firewall_.Add(alert);
  });
  return absl::OkStatus();
}

void Server::Impl::Tell(const Alert& alert) {
  std::string json = nta::ToJson(alert);
  services_->streams.Publish("alert", json);
  services_->notifications.Offer(alert, std::move(json));
  if (alert.alert_class == AlertClass::kUnauthorisedAccess) NoteAlert(*logs_, alert);
}

void Server::Impl::Tell(const DailySummary& summary) {
  Log(LogLevel::kInfo, summary.text);
  services_->notifications.OfferSummary(summary.day, summary.text, summary.json);
}

absl::Status Server::Impl::OpenLogs() {
  NTA_ASSIGN_OR_RETURN(LogsOptions logs, MakeLogOptions(options_));
  NTA_ASSIGN_OR_RETURN(logs_, Logs::Open(std::move(logs)));
  return absl::OkStatus();
}

absl::Status Server::Impl::OpenAudit() {
  NTA_ASSIGN_OR_RETURN(audit_,
                       AuditTrail::Open({.directory = options_.audit_dir,
                                         .verification_key = options_.audit_verification_key,
                                         .checkpoints = options_.audit_checkpoints},
                                        SystemClock(), logs_.get()));
  NTA_RETURN_IF_ERROR(audit_->Record("system", "server.start", NTA_VERSION, AuditOutcome::kDone));
  const absl::Status status = audit_->Checkpoint().status();
  if (!status.ok()) {
    Log(LogLevel::kError, "audit", "cannot write a checkpoint",
        {{"error", std::string(status.message())}});
  }
  return absl::OkStatus();
}

absl::Status Server::Impl::PrepareDatabase() {
  if (IsFile(options_.database)) {
    NTA_ASSIGN_OR_RETURN(recovery_, RecoverRestore(options_.database));
  }
  BackupsOptions backups{.directory = options_.backup_dir, .database = options_.database};
  if (!options_.backup_passphrase_file.empty()) {
    NTA_ASSIGN_OR_RETURN(backups.passphrase, ReadPassphraseFile(options_.backup_passphrase_file));
  }
  if (!options_.restore.empty()) {
    NTA_ASSIGN_OR_RETURN(const RestoreResult restored,
                         RestoreAtStart(backups, options_.restore, SystemClock().wall()));
    restored_ = restored.backup;
  }
  if (const absl::Status possible = StoreTarget(backups).status(); !possible.ok()) {
    Log(LogLevel::kWarning, "backup", "this server keeps no backups",
        {{"reason", std::string(possible.message())}});
    return absl::OkStatus();
  }
  backups.extras = {{"nta-server.toml", options_.configuration}};
  NTA_ASSIGN_OR_RETURN(backups_, Backups::Open(std::move(backups)));
  return absl::OkStatus();
}

void Server::Impl::TellWhatHappened() {
  Notices& notices = services_->notices;
  const Timestamp now = services_->clock.wall();
  notices.Load();
  if (salvage_) {
    notices.Add("store.salvaged",
                "The database was damaged when the server started and was put aside. " +
                    std::to_string(salvage_->flows_saved) + " flows, " +
                    std::to_string(salvage_->alerts_saved) + " alerts and " +
                    std::to_string(salvage_->users_saved) + " users were brought over from it. " +
                    Losses(*salvage_) + " A backup may hold more.",
                now);
    Log(LogLevel::kWarning,
        "the damaged database is now \"" + salvage_->quarantine + "\": " + salvage_->reason);
  }
  if (was_emptied_) {
    notices.Add(
        "store.empty",
        "The database was an empty file when the server started, although a server was at "
        "work here before: what it held is lost, and a new one was begun. A backup may hold "
        "it.",
        now);
    Log(LogLevel::kWarning,
        "the database \"" + options_.database +
            "\" was empty, and there are traces of an earlier one: its data are "
            "lost, a new one was begun");
  }
  if (recovery_ == RestoreRecovery::kRolledBack) {
    notices.Add("backup.recovered",
                "A restore was interrupted; the database is as it was before it.", now);
  } else if (recovery_ == RestoreRecovery::kCompleted) {
    notices.Add("backup.recovered",
                "The server ended right after a restore; the database is the restored one.", now);
  }
  if (restored_) {
    notices.Add("backup.restored",
                "The server began with the backup of " + Moment(restored_->time) + ".", now);
  }
}

absl::Status Server::Impl::MakeServices() {
  NTA_ASSIGN_OR_RETURN(PasswordHasher hasher, PasswordHasher::Create());
  NTA_ASSIGN_OR_RETURN(std::string secret, LoadOrCreateSecret(options_.data_dir + "/jwt.key"));
  NTA_ASSIGN_OR_RETURN(TokenSigner signer, TokenSigner::Create(std::move(secret)));
  NTA_ASSIGN_OR_RETURN(StaticFiles files, StaticFiles::Load(FindDashboard(options_)));
  if (!options_.dashboard.empty() && !files.has_dashboard()) {
    return base::MakeStatus(
        absl::StatusCode::kNotFound,
        "there is no dashboard in \"" + options_.dashboard + "\": it has no index.html");
  }
  services_ = std::make_unique<Services>(*store_, std::move(signer), std::move(hasher),
                                         std::move(files), SystemClock(), MakeLimits(options_),
                                         [this] { return capture_->status(); });
  services_->scratch_directory = options_.data_dir;
  services_->logs = logs_.get();
  services_->audit = audit_.get();
  audit_reserve_.Take();
  RestoreLogRotation(*services_);
  services_->logins = std::make_unique<LoginWatch>(AlertPrefix() + "server-",
                                                   [this](const std::vector<Alert>& alerts) {
                                                     writer_->Add({}, alerts);
                                                     for (const Alert& alert : alerts) Tell(alert);
                                                   });
  services_->backups = std::move(backups_);
  TellWhatHappened();
  const absl::StatusOr<std::string> sessions = store_->GetSetting(kSessionsSetting);
  // Those of a backup ended when it was made.
  if (sessions.ok() && !restored_) services_->sessions.Load(*sessions);
  NTA_RETURN_IF_ERROR(PrepareFirewall());
  NTA_RETURN_IF_ERROR(PrepareDetection());
  NTA_ASSIGN_OR_RETURN(std::string key, LoadOrCreateSecret(options_.data_dir + "/notify.key"));
  NTA_RETURN_IF_ERROR(services_->notifications.Open(options_.data_dir + "/notify", std::move(key)));
  app_ = std::make_unique<App>(*services_);
  return absl::OkStatus();
}

// What is watched for, and the packets that alerts are proven with.
absl::Status Server::Impl::PrepareDetection() {
  DetectionOptions detection;
  detection.policy.block_lists = options_.block_lists;
  detection.disabled.insert(options_.without_detectors.begin(), options_.without_detectors.end());
  services_->detection.live().SetBase(std::move(detection));
  NTA_RETURN_IF_ERROR(services_->detection.Load());
  if (services_->firewall != nullptr) {
    const nta::Response& response = services_->firewall->response();
    services_->detection.live().SkipCut(
        {.any = [&response] { return response.MayBeCut(); },
         .is_cut = [&response](const FiveTuple& flow,
                               Timestamp time) { return response.IsCut(flow, time); }});
  }
  capture_->UseDetection(services_->detection.live());
  services_->count_packets = [this](std::string_view alert) {
    return capture_->EvidencePackets(alert);
  };
  services_->write_packets = [this](std::string_view alert, const std::string& path) {
    return capture_->WriteEvidence(alert, path);
  };
  return absl::OkStatus();
}

// It may act as it opens: take a change back, put blocks into force.
absl::Status Server::Impl::PrepareFirewall() {
  NTA_ASSIGN_OR_RETURN(
      services_->firewall,
      OpenFirewall(options_, *store_, SystemClock(), [this](const FirewallAct& act) {
        return audit_->Record("firewall", act.act, act.target, AuditOutcome::kBegun, act.details);
      }));
  return absl::OkStatus();
}

absl::Status Server::Impl::PrepareOperations() {
  Operations& operations = services_->operations;
  HealthOptions health;
  for (const std::string& path : {options_.data_dir, options_.database}) {
    std::error_code ignored;
    health.paths.push_back(std::filesystem::weakly_canonical(path, ignored).string());
  }
  operations.health.SetOptions(std::move(health));
  operations.health.SetListener([this](const Alert& alert) {
    Tell(alert);
    const absl::Status written = store_->Write({}, {&alert, 1});
    if (!written.ok()) Log(LogLevel::kError, "store: " + std::string(written.message()));
  });
  if (const absl::Status restored = operations.health.Restore(); !restored.ok()) {
    Log(LogLevel::kError, "health: " + std::string(restored.message()));
  }
  return operations.AddJobs(
      [this](const DailySummary& summary) { Tell(summary); },
      [this](std::string_view act, const std::function<absl::StatusOr<std::string>()>& work) {
        return DoOnFullDisk(act, work);
      });
}

absl::StatusOr<std::string> Server::Impl::DoOnFullDisk(
    std::string_view act, const std::function<absl::StatusOr<std::string>()>& work) {
  const auto run = [&] { return DoRecorded(*services_, "scheduler", act, "", work); };
  absl::StatusOr<std::string> result = run();
  if (!absl::IsResourceExhausted(result.status())) return result;
  // There is no room for the record that comes first, and without the record retention could never
  // make room.
  absl::MutexLock lock(&audit_reserve_mutex_);
  audit_reserve_.Release();
  result = run();
  audit_reserve_.Take();
  return result;
}

void Server::Impl::MakeRoom() {
  const auto made = DoOnFullDisk("store.retention", [this] {
    return services_->operations.retention.Run(services_->clock.wall());
  });
  Log(made.ok() ? LogLevel::kWarning : LogLevel::kError, "store", "the disk is full",
      {{"retention", made.ok() ? *made : std::string(made.status().message())}});
}

absl::Status Server::Impl::PrepareBootstrap() {
  NTA_ASSIGN_OR_RETURN(const std::vector<User> users, store_->Users());
  if (!users.empty()) return absl::OkStatus();
  // A token that was printed at an earlier start and not used is void from now on.
  bootstrap_token_ = RandomToken(32);
  return store_->PutSetting(kBootstrapSetting, Digest(bootstrap_token_));
}

}  // namespace nta::server

#include "server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "app.h"
#include "base/reserve.h"
#include "base/status.h"
#include "data_lock.h"
#include "detection/alert_queue.h"
#include "firewall/open_firewall.h"
#include "http/http_server.h"
#include "logging/log.h"
#include "logging/log_settings.h"
#include "nta/app/ndpi_namer.h"
#include "nta/backup/sqlite_target.h"
#include "nta/capture/live_capture.h"
#include "nta/capture/multi_source.h"
#include "nta/capture/pcap_file_reader.h"
#include "nta/capture/replay_source.h"
#include "nta/json/json.h"
#include "operations/backups.h"
#include "operations/scheduled_jobs.h"
#include "secret_file.h"
#include "text.h"
#include "traffic/capture_loop.h"
#include "traffic/live_feed.h"

namespace nta::server {
namespace {

constexpr std::size_t kStoreThreads = 4;
constexpr std::size_t kStoreQueue = 128;
// Each hash takes 19 MiB and a core for its time.
constexpr std::size_t kHashThreads = 2;
constexpr std::size_t kHashQueue = 16;
constexpr std::chrono::milliseconds kStopTime(700);
// Headers and first messages are all that is read of a packet; whole segments of 64 KiB, as lo has
// them, fill a ring of 8 MiB at once.
constexpr std::uint32_t kSnapLength = 2048;
constexpr std::chrono::milliseconds kFirewallTick(250);
constexpr std::chrono::hours kProposalsTriedOn(24);
constexpr std::chrono::minutes kProposalTime(1);
constexpr double kUserBurst = 120;
constexpr double kAddressBurst = 60;
constexpr double kAddressRate = 20;

Duration Seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

using Opener = std::function<absl::StatusOr<std::unique_ptr<PacketSource>>()>;

std::string Names(const std::vector<std::string>& interfaces) {
  std::string names;
  for (const std::string& name : interfaces) names += (names.empty() ? "" : ", ") + name;
  return names;
}

// One of several that goes away does not end the others; one alone fails, so that its state tells.
Opener InterfaceOpener(const ServerOptions& options) {
  return [names = options.interfaces,
          filter = options.filter]() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
    const OutagePolicy outage = names.size() > 1 ? OutagePolicy::kReopen : OutagePolicy::kFail;
    std::vector<std::unique_ptr<PacketSource>> captures;
    for (const std::string& name : names) {
      NTA_ASSIGN_OR_RETURN(auto capture, LiveCapture::Open(name, {.snap_length = kSnapLength,
                                                                  .filter = filter,
                                                                  .outage = outage}));
      captures.push_back(std::move(capture));
    }
    if (captures.size() == 1) return std::move(captures.front());
    return MultiSource::Create(std::move(captures));
  };
}

Opener FileOpener(const std::string& path) {
  return [path]() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
    return PcapFileReader::Open(path);
  };
}

Opener ReplayOpener(const std::string& path) {
  return [path]() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
    return ReplaySource::Open(FileOpener(path),
                              {.now = SystemClock().wall,
                               .sleep = [](Duration time) { std::this_thread::sleep_for(time); },
                               .repeat = ReplayRepeat::kForever});
  };
}

// The URL of a database as it may be shown.
std::string WithoutPassword(std::string url) {
  if (const std::size_t scheme = url.find("://"); scheme != std::string::npos) {
    const std::size_t begin = scheme + 3;
    const std::size_t at = url.find('@', begin);
    const std::size_t colon = url.find(':', begin);
    if (at < url.find('/', begin) && colon < at) url.replace(colon + 1, at - colon - 1, "***");
    const std::size_t password = url.find("password=");
    if (password != std::string::npos) {
      const std::size_t value = password + 9;
      url.replace(value, std::min(url.find('&', value), url.size()) - value, "***");
    }
  }
  return url;
}

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Another one for each start, so that no run overwrites the alerts of an earlier one.
std::string AlertPrefix() {
  const auto started = std::chrono::floor<std::chrono::seconds>(SystemClock().wall());
  return std::to_string(started.time_since_epoch().count()) + "-";
}

CaptureLoopOptions MakeCaptureOptions(const ServerOptions& options) {
  CaptureLoopOptions capture;
  if (!options.interfaces.empty()) {
    capture.kind = CaptureKind::kInterface;
    capture.source = Names(options.interfaces);
    capture.open = InterfaceOpener(options);
  } else if (!options.replay.empty()) {
    capture.kind = CaptureKind::kReplay;
    capture.source = BaseName(options.replay);
    capture.open = ReplayOpener(options.replay);
  } else if (!options.file.empty()) {
    capture.source = BaseName(options.file);
    capture.open = FileOpener(options.file);
  }
  FlowTableOptions& flows = capture.pipeline.flow_table;
  flows.idle_timeout = Seconds(options.idle_timeout_seconds);
  flows.active_timeout = Seconds(options.active_timeout_seconds);
  flows.max_flows = options.max_flows;
  flows.events = FlowEventSelection::kAll;
  if (options.statistics) flows.statistics = FlowStatisticsOptions{};
  if (options.applications) capture.pipeline.applications = ApplicationInspectorOptions{};
  if (options.ndpi && options.applications) {
    capture.pipeline.applications->make_namer = [] { return CreateNdpiNamer(); };
  }
  capture.pipeline.clock = SystemClock().wall;
  capture.alert_prefix = AlertPrefix();
  return capture;
}

AppLimits MakeLimits(const ServerOptions& options) {
  AppLimits limits;
  // Bursts grow with the rate.
  const double factor = options.requests_per_second / kAddressRate;
  limits.per_address.per_second = options.requests_per_second;
  limits.per_address.burst = kAddressBurst * factor;
  limits.per_user.per_second = options.requests_per_second;
  limits.per_user.burst = kUserBurst * factor;
  limits.sign_in.per_address_per_minute = options.sign_ins_per_minute;
  limits.sign_in.per_account_per_minute = 2 * options.sign_ins_per_minute;
  return limits;
}

absl::StatusOr<LogsOptions> MakeLogOptions(const ServerOptions& options) {
  LogsOptions logs{.directory = options.log_dir,
                   .rotation = {.max_bytes = options.log_max_bytes,
                                .max_age = std::chrono::seconds(options.log_max_age_seconds),
                                .keep = options.log_keep},
                   .syslog = options.syslog,
                   .clock = SystemClock()};
  NTA_ASSIGN_OR_RETURN(logs.level, ParseLogLevel(options.log_level));
  NTA_ASSIGN_OR_RETURN(logs.format, ParseLogFormat(options.log_format));
  NTA_ASSIGN_OR_RETURN(logs.rotation.compression, ParseLogCompression(options.log_compression));
  return logs;
}

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

class Server::Impl {
 public:
  static absl::StatusOr<std::unique_ptr<Impl>> Start(const ServerOptions& options);
  ~Impl() { StopThreads(); }

  const ServerOptions& options() const { return options_; }
  const ListenAddress& address() const { return http_->address(); }
  bool has_dashboard() const { return services_->files.has_dashboard(); }
  std::string TakeBootstrapToken() { return std::exchange(bootstrap_token_, {}); }
  absl::Status Stop();
  void ReopenLogs();

 private:
  explicit Impl(const ServerOptions& options)
      : options_(options),
        store_pool_(kStoreThreads, kStoreQueue),
        hash_pool_(kHashThreads, kHashQueue) {}

  absl::Status OpenStore();
  absl::Status OpenLogs();
  absl::Status PrepareDatabase();
  void TellWhatHappened();
  absl::Status MakeServices();
  absl::Status PrepareFirewall();
  // Whoever listens: dashboards, channels, the log.
  void Tell(const Alert& alert);
  // The same of a day that is over.
  void Tell(const DailySummary& summary);
  absl::Status PrepareOperations();
  // An act of the server itself, recorded; also when a full disk has no room for the record.
  absl::StatusOr<std::string> DoOnFullDisk(
      std::string_view act, const std::function<absl::StatusOr<std::string>()>& work);
  // Deletes at once what is not to be kept.
  void MakeRoom();
  absl::Status OpenAudit();
  absl::Status PrepareBootstrap();
  void StartThreads();
  void RehearseProposals(std::stop_token stop);
  void StopThreads();

  const ServerOptions options_;
  std::optional<DataLock> data_lock_;
  std::unique_ptr<Logs> logs_;
  std::unique_ptr<AuditTrail> audit_;
  absl::Mutex audit_reserve_mutex_;
  base::Reserve audit_reserve_{options_.data_dir + "/audit-reserve", 256 << 10};
  std::unique_ptr<Store> store_;
  std::optional<SalvageReport> salvage_;
  RestoreRecovery recovery_ = RestoreRecovery::kNothing;
  std::optional<BackupInfo> restored_;
  std::unique_ptr<Backups> backups_;  // until the services have it
  std::optional<StoreWriter> writer_;
  TrafficSampler sampler_;
  std::optional<CaptureLoop> capture_;
  Connections connections_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<App> app_;
  std::string bootstrap_token_;
  std::unique_ptr<LiveFeed> feed_;
  // After all that their tasks use: their end waits for the tasks.
  WorkerPool store_pool_;
  WorkerPool hash_pool_;
  std::unique_ptr<HttpServer> http_;
  AlertQueue for_firewall_;
  std::jthread writer_thread_;
  std::jthread capture_thread_;
  std::jthread feed_thread_;
  std::jthread firewall_thread_;
  std::jthread proposal_thread_;
  std::jthread schedule_thread_;
  std::jthread notify_thread_;
};

absl::StatusOr<std::unique_ptr<Server::Impl>> Server::Impl::Start(const ServerOptions& options) {
  // The socket first: a port in use must not leave a new database behind.
  NTA_ASSIGN_OR_RETURN(ListenSocket socket, ListenSocket::Open(options.listen_address));
  std::unique_ptr<Impl> impl(new Impl(options));
  NTA_RETURN_IF_ERROR(impl->OpenStore());
  NTA_RETURN_IF_ERROR(impl->capture_->Open());
  NTA_RETURN_IF_ERROR(impl->OpenAudit());
  NTA_RETURN_IF_ERROR(impl->MakeServices());
  NTA_RETURN_IF_ERROR(impl->PrepareOperations());
  NTA_RETURN_IF_ERROR(impl->PrepareBootstrap());
  NTA_RETURN_IF_ERROR(AddScheduledJobs(*impl->services_));
  impl->feed_ = std::make_unique<LiveFeed>(*impl->services_, *impl->capture_, impl->sampler_,
                                           impl->connections_, impl->store_pool_);
  impl->feed_->SetMakeRoom([server = impl.get()] { server->MakeRoom(); });
  impl->services_->listening = Endpoint{socket.address().address, socket.address().port};
  impl->StartThreads();
  NTA_ASSIGN_OR_RETURN(impl->http_,
                       HttpServer::Start(std::move(socket), {.app = *impl->app_,
                                                             .services = *impl->services_,
                                                             .connections = impl->connections_,
                                                             .store_pool = impl->store_pool_,
                                                             .hash_pool = impl->hash_pool_}));
  Log(LogLevel::kInfo, "server", "started",
      {{"version", NTA_VERSION},
       {"listen", ToString(impl->http_->address())},
       {"capture", impl->capture_->status().source}});
  return impl;
}

absl::Status Server::Impl::OpenStore() {
  NTA_RETURN_IF_ERROR(MakeDataDirectory(options_.data_dir));
  NTA_ASSIGN_OR_RETURN(data_lock_, DataLock::Take(options_.data_dir));
  NTA_RETURN_IF_ERROR(OpenLogs());
  NTA_RETURN_IF_ERROR(PrepareDatabase());
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

void Server::Impl::ReopenLogs() {
  const absl::Status status = logs_->Reopen();
  if (!status.ok()) {
    Log(LogLevel::kError, "log", "cannot reopen the log files",
        {{"error", std::string(status.message())}});
  }
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
                    std::to_string(salvage_->users_saved) + " users were brought over from it; " +
                    std::to_string(salvage_->flows_lost) +
                    " flows are known to be lost. A backup may hold more.",
                now);
    Log(LogLevel::kWarning,
        "the damaged database is now \"" + salvage_->quarantine + "\": " + salvage_->reason);
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
  NTA_ASSIGN_OR_RETURN(std::string key, LoadOrCreateSecret(options_.data_dir + "/notify.key"));
  NTA_RETURN_IF_ERROR(services_->notifications.Open(options_.data_dir + "/notify", std::move(key)));
  app_ = std::make_unique<App>(*services_);
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
  Operations& operations = services_->operations;
  const auto made = DoOnFullDisk("store.retention", [this, &operations] {
    return operations.retention.Run(services_->clock.wall());
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

void Server::Impl::StartThreads() {
  writer_thread_ = std::jthread([this](std::stop_token stop) { writer_->Run(stop); });
  capture_thread_ = std::jthread([this](std::stop_token stop) { capture_->Run(stop); });
  notify_thread_ =
      std::jthread([this](std::stop_token stop) { services_->notifications.Run(stop); });
  feed_thread_ = std::jthread([this](std::stop_token stop) { feed_->Run(stop); });
  schedule_thread_ = std::jthread(
      [this](std::stop_token stop) { RunSchedule(services_->operations.scheduler, stop); });
  if (services_->firewall == nullptr) return;
  // Proposals are tried on the last day, which may take a while.
  proposal_thread_ = std::jthread([this](std::stop_token stop) { RehearseProposals(stop); });
  firewall_thread_ = std::jthread([this](std::stop_token stop) {
    while (!stop.stop_requested()) {
      for (const Alert& alert : for_firewall_.Take(kFirewallTick))
        services_->firewall->OnAlert(alert);
      services_->firewall->Tick();
    }
  });
}

void Server::Impl::RehearseProposals(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    const Timestamp now = services_->clock.wall();
    const bool any = services_->firewall->RehearseProposal(
        {now - kProposalsTriedOn, now}, {.stop = stop, .timeout = kProposalTime});
    if (!any) wake.wait_for(lock, stop, kFirewallTick, [] { return false; });
  }
}

// Each thread feeds the next: capture ends its flows into the writer, the writer empties its queue.
void Server::Impl::StopThreads() {
  for (std::jthread* thread : {&schedule_thread_, &proposal_thread_, &firewall_thread_,
                               &capture_thread_, &feed_thread_, &notify_thread_, &writer_thread_}) {
    thread->request_stop();
    if (thread->joinable()) thread->join();
  }
}

absl::Status Server::Impl::Stop() {
  services_->jobs.Shutdown();
  StopThreads();
  absl::Status recorded = feed_->RecordCapture();
  if (recorded.ok()) recorded = services_->detection.SaveCounts();
  if (!recorded.ok()) {
    Log(LogLevel::kError, "store", "cannot record the capture's state",
        {{"error", std::string(recorded.message())}});
  }
  const StoreWriterStats stats = writer_->Stats();
  const absl::Status stopped = http_->Stop(kStopTime);
  audit_->Record("system", "server.stop", NTA_VERSION, AuditOutcome::kDone).IgnoreError();
  audit_->Checkpoint().status().IgnoreError();
  logs_->Flush().IgnoreError();
  if (stats.queue == 0) return stopped;
  return base::MakeStatus(absl::StatusCode::kDataLoss, std::to_string(stats.queue) +
                                                           " flows could not be written: " +
                                                           std::string(stats.last_error.message()));
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options) {
  NTA_ASSIGN_OR_RETURN(std::unique_ptr<Impl> impl, Impl::Start(options));
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;
std::string Server::url() const { return "http://" + ToString(impl_->address()); }
std::string Server::TakeBootstrapToken() { return impl_->TakeBootstrapToken(); }
absl::Status Server::Stop() { return impl_->Stop(); }
void Server::ReopenLogs() { impl_->ReopenLogs(); }

std::string Server::description() const {
  const ServerOptions& options = impl_->options();
  std::string text;
  if (!options.interfaces.empty()) {
    text = "capturing from " + Names(options.interfaces) + "\n";
  } else if (!options.replay.empty()) {
    text = "replaying " + options.replay +
           " in real time, again and again, stamped with the present\n";
  } else if (!options.file.empty()) {
    text = "reading " + options.file + " with its own time stamps\n";
  } else {
    text = "no capture source was named: serving what the database holds\n";
  }
  text += "database: " + WithoutPassword(options.database) + "\n";
  if (!impl_->has_dashboard()) text += "the dashboard is not built: serving the API only\n";
  return text;
}

}  // namespace nta::server

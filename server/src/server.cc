#include "server.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/status.h"
#include "logging/log.h"
#include "operations/scheduled_jobs.h"
#include "part_options.h"
#include "server_impl.h"

namespace nta::server {
namespace {

constexpr std::chrono::milliseconds kStopTime(700);
constexpr std::chrono::milliseconds kFirewallTick(250);
constexpr std::chrono::hours kProposalsTriedOn(24);
constexpr std::chrono::minutes kProposalTime(1);

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

}  // namespace

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

void Server::Impl::ReopenLogs() {
  const absl::Status status = logs_->Reopen();
  if (!status.ok()) {
    Log(LogLevel::kError, "log", "cannot reopen the log files",
        {{"error", std::string(status.message())}});
  }
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
    text = "capturing from " + InterfaceNames(options.interfaces) + "\n";
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

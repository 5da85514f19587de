// The parts of the server and the order in which they stand: put together in server_parts.cc, run
// and ended in server.cc.
#ifndef NTA_SERVER_SERVER_IMPL_H_
#define NTA_SERVER_SERVER_IMPL_H_

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "app.h"
#include "base/reserve.h"
#include "data_lock.h"
#include "detection/alert_queue.h"
#include "http/http_server.h"
#include "nta/backup/sqlite_target.h"
#include "operations/backups.h"
#include "server.h"
#include "traffic/capture_loop.h"
#include "traffic/live_feed.h"

namespace nta::server {

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
  static constexpr std::size_t kStoreThreads = 4;
  static constexpr std::size_t kStoreQueue = 128;
  // Each hash takes 19 MiB and a core for its time.
  static constexpr std::size_t kHashThreads = 2;
  static constexpr std::size_t kHashQueue = 16;

  explicit Impl(const ServerOptions& options)
      : options_(options),
        store_pool_(kStoreThreads, kStoreQueue),
        hash_pool_(kHashThreads, kHashQueue) {}

  absl::Status OpenStore();
  absl::Status OpenLogs();
  absl::Status PrepareDatabase();
  void TellWhatHappened();
  absl::Status MakeServices();
  absl::Status PrepareDetection();
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
  bool was_emptied_ = false;  // the database, of which there are other traces
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

}  // namespace nta::server

#endif  // NTA_SERVER_SERVER_IMPL_H_

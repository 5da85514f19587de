// Server: all parts of nta-server, joined.
#ifndef NTA_SERVER_SERVER_H_
#define NTA_SERVER_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "options.h"

namespace nta::server {

class Server {
 public:
  // Opens source, store and socket, in an order in which a mistake costs nothing, and starts to
  // capture and to serve.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // "http://127.0.0.1:8080"
  std::string url() const;
  // What the user should know, a sentence a line: what is captured, where the data is.
  std::string description() const;
  // The one-time token that makes the first administrator; empty when there is one. Not kept.
  std::string TakeBootstrapToken();

  // After SIGHUP: opens the log files anew.
  void ReopenLogs();

  // Ends flows, writes what is left, closes streams and connections. When it fails, the process
  // must end at once.
  absl::Status Stop();

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta::server

#endif  // NTA_SERVER_SERVER_H_

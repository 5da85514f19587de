// HttpServer: the sockets. One event loop; whatever may block goes to worker pools while its
// connection is suspended.
#ifndef NTA_SERVER_HTTP_HTTP_SERVER_H_
#define NTA_SERVER_HTTP_HTTP_SERVER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "app.h"
#include "http/connections.h"
#include "http/listen_socket.h"
#include "http/worker_pool.h"

namespace nta::server {

struct HttpServerOptions {
  unsigned int max_connections = 512;
  unsigned int max_connections_per_address = 128;
  std::size_t memory_per_connection =
      32 << 10;                    // request line and headers must fit: 414 or 431 otherwise
  unsigned int idle_seconds = 30;  // without a byte in either direction
};

// Borrowed by the server until it has stopped.
struct HttpServerParts {
  App& app;
  Services& services;
  Connections& connections;
  WorkerPool& store_pool;
  WorkerPool& hash_pool;
};

class HttpServer {
 public:
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(ListenSocket socket,
                                                           HttpServerParts parts,
                                                           HttpServerOptions options = {});
  // Stop must have answered OK before.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  const ListenAddress& address() const;
  // Accepts no more, ends the streams and waits for running requests. DeadlineExceeded when a
  // request does not come back in time: then the process must end without destroying the server.
  absl::Status Stop(Duration limit);

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta::server

#endif  // NTA_SERVER_HTTP_HTTP_SERVER_H_

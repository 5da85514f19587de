#include "http/http_server.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "base/status.h"
#include "http/body_file.h"
#include "http/request_head.h"

namespace nta::server {
namespace {

// On every answer. Scripts, styles and connections come from ourselves only, and nobody may frame
// us.
constexpr std::pair<const char*, const char*> kSecurityHeaders[] = {
    {"Content-Security-Policy",
     "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

// What one request carries through the event loop.
struct Exchange {
  absl::StatusOr<Target> target = Target{};
  MHD_Connection* connection = nullptr;
  int socket = -1;
  bool started = false;
  Request request;
  App::Admission admission;
  Plan plan;
  std::optional<Response> refused;  // before its body was read
  std::shared_ptr<StreamClient> stream;
  StreamHub* hub = nullptr;
  std::stop_source work;
};

int SocketOf(MHD_Connection* connection) {
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == nullptr ? -1 : info->connect_fd;
}

// Which of our addresses the peer connected to.
std::optional<IpAddress> LocalAddress(int socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return std::nullopt;
  if (storage.ss_family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, &storage, sizeof(address));
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &address.sin_addr, bytes.size());
    return IpAddress::V4(bytes);
  }
  if (storage.ss_family != AF_INET6) return std::nullopt;
  sockaddr_in6 address{};
  std::memcpy(&address, &storage, sizeof(address));
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
  return IpAddress::V6(bytes);
}

ssize_t ReadStream(void* cls, std::uint64_t, char* buffer, std::size_t size) {
  auto* exchange = static_cast<Exchange*>(cls);
  MHD_Connection* connection = exchange->connection;
  const StreamClient::ReadResult result = exchange->stream->Read(
      buffer, size, [connection] { MHD_suspend_connection(connection); },
      [connection] { MHD_resume_connection(connection); });
  if (result.state == StreamClient::ReadState::kEnd) return MHD_CONTENT_READER_END_OF_STREAM;
  return static_cast<ssize_t>(result.size);
}

// What a large body may take: 64 KiB a second at the least.
Duration TransferTime(std::uint64_t bytes) {
  return std::chrono::seconds(static_cast<std::int64_t>(bytes >> 16));
}

struct ResponseDeleter {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};
using ResponsePtr = std::unique_ptr<MHD_Response, ResponseDeleter>;

constexpr std::size_t kStreamBlockBytes = 16 << 10;

ResponsePtr MakeBody(Exchange& exchange, Response& response) {
  if (exchange.stream != nullptr) {
    return ResponsePtr(MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, kStreamBlockBytes,
                                                         &ReadStream, &exchange, nullptr));
  }
  if (response.file != nullptr) {
    const int descriptor = response.file->Duplicate();
    if (descriptor < 0) return nullptr;
    ResponsePtr body(MHD_create_response_from_fd64(response.file->size(), descriptor));
    if (body == nullptr) close(descriptor);
    return body;
  }
  if (response.shared_body != nullptr) {
    auto* body = new std::shared_ptr<const std::string>(response.shared_body);
    return ResponsePtr(MHD_create_response_from_buffer_with_free_callback_cls(
        (*body)->size(), const_cast<char*>((*body)->data()),
        [](void* cls) { delete static_cast<std::shared_ptr<const std::string>*>(cls); }, body));
  }
  auto* body = new std::string(std::move(response.body));
  return ResponsePtr(MHD_create_response_from_buffer_with_free_callback_cls(
      body->size(), body->data(), [](void* cls) { delete static_cast<std::string*>(cls); }, body));
}

bool HasHeader(const Response& response, std::string_view name) {
  return std::any_of(response.headers.begin(), response.headers.end(),
                     [&](const auto& header) { return header.first == name; });
}

MHD_Result Send(Exchange& exchange, Response response) {
  const bool streams = response.stream != nullptr;
  exchange.stream = response.stream;
  const ResponsePtr answer = MakeBody(exchange, response);
  if (answer == nullptr) return MHD_NO;
  for (const auto& [name, value] : kSecurityHeaders)
    MHD_add_response_header(answer.get(), name, value);
  if (!HasHeader(response, "Cache-Control")) {
    MHD_add_response_header(answer.get(), "Cache-Control", "no-store");
  }
  if (!response.content_type.empty()) {
    MHD_add_response_header(answer.get(), "Content-Type", response.content_type.c_str());
  }
  for (const auto& [name, value] : response.headers) {
    MHD_add_response_header(answer.get(), name.c_str(), value.c_str());
  }
  if (streams) MHD_add_response_header(answer.get(), "X-Accel-Buffering", "no");
  return MHD_queue_response(exchange.connection, static_cast<unsigned int>(response.status),
                            answer.get());
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(ListenSocket socket, HttpServerParts parts) : parts_(parts), socket_(std::move(socket)) {}
  ~Impl() {
    if (daemon_ == nullptr) return;
    // Leaves the listening socket to us.
    MHD_quiesce_daemon(daemon_);
    MHD_stop_daemon(daemon_);
  }

  absl::Status Start(const HttpServerOptions& options);
  absl::Status Stop(Duration limit);
  const ListenAddress& address() const { return socket_.address(); }

 private:
  static void* OnTarget(void* cls, const char* uri, MHD_Connection* connection);
  static MHD_Result OnRequest(void* cls, MHD_Connection* connection, const char* url,
                              const char* method, const char* version, const char* data,
                              std::size_t* size, void** state);
  static void OnCompleted(void* cls, MHD_Connection* connection, void** state,
                          MHD_RequestTerminationCode code);
  static void OnConnection(void* cls, MHD_Connection* connection, void** state,
                           MHD_ConnectionNotificationCode code);

  MHD_Result OnHead(Exchange& exchange, const char* method, const char* version);
  MHD_Result OnBody(Exchange& exchange, std::string_view data);
  MHD_Result OnComplete(Exchange& exchange);
  MHD_Result Answer(Exchange& exchange, Response response);
  // False when the pool is full.
  bool FinishInPool(Exchange& exchange, WorkerPool& pool);
  Duration Now() const { return parts_.services.clock.monotonic(); }

  HttpServerParts parts_;
  ListenSocket socket_;
  MHD_Daemon* daemon_ = nullptr;
  std::atomic<bool> stopping_{false};
};

absl::Status HttpServer::Impl::Start(const HttpServerOptions& options) {
  constexpr unsigned int kFlags =
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
  daemon_ =
      MHD_start_daemon(kFlags, 0, nullptr, nullptr, &OnRequest, this,                            //
                       MHD_OPTION_LISTEN_SOCKET, socket_.descriptor(),                           //
                       MHD_OPTION_URI_LOG_CALLBACK, &OnTarget, this,                             //
                       MHD_OPTION_NOTIFY_COMPLETED, &OnCompleted, this,                          //
                       MHD_OPTION_NOTIFY_CONNECTION, &OnConnection, this,                        //
                       MHD_OPTION_CONNECTION_LIMIT, options.max_connections,                     //
                       MHD_OPTION_PER_IP_CONNECTION_LIMIT, options.max_connections_per_address,  //
                       MHD_OPTION_CONNECTION_TIMEOUT, options.idle_seconds,                      //
                       MHD_OPTION_CONNECTION_MEMORY_LIMIT, options.memory_per_connection,        //
                       MHD_OPTION_STRICT_FOR_CLIENT, 1,                                          //
                       MHD_OPTION_END);
  if (daemon_ == nullptr) {
    return base::MakeStatus(absl::StatusCode::kInternal, "cannot start the HTTP server");
  }
  return absl::OkStatus();
}

absl::Status HttpServer::Impl::Stop(Duration limit) {
  if (daemon_ == nullptr) return absl::OkStatus();
  stopping_ = true;
  MHD_quiesce_daemon(daemon_);
  parts_.services.streams.Shutdown();
  parts_.connections.StopWork();
  // Suspended connections must be resumed before the daemon may stop: each of them waits for a
  // worker.
  const bool drained = parts_.store_pool.Drain(limit) && parts_.hash_pool.Drain(limit);
  if (!drained)
    return base::MakeStatus(absl::StatusCode::kDeadlineExceeded, "a request is still running");
  MHD_stop_daemon(std::exchange(daemon_, nullptr));
  return absl::OkStatus();
}

void* HttpServer::Impl::OnTarget(void*, const char* uri, MHD_Connection* connection) {
  auto* exchange = new Exchange;
  exchange->target = ParseTarget(uri == nullptr ? "" : uri);
  exchange->connection = connection;
  exchange->socket = SocketOf(connection);
  return exchange;
}

MHD_Result HttpServer::Impl::OnRequest(void* cls, MHD_Connection*, const char*, const char* method,
                                       const char* version, const char* data, std::size_t* size,
                                       void** state) {
  auto& impl = *static_cast<Impl*>(cls);
  auto& exchange = *static_cast<Exchange*>(*state);
  if (!exchange.started) return impl.OnHead(exchange, method, version);
  if (*size > 0) {
    const std::string_view chunk(data, *size);
    *size = 0;
    return impl.OnBody(exchange, chunk);
  }
  return impl.OnComplete(exchange);
}

MHD_Result HttpServer::Impl::OnHead(Exchange& exchange, const char* method, const char* version) {
  exchange.started = true;
  exchange.request.method = method;
  if (auto refused = ReadHead(exchange.connection, version, exchange.request)) {
    return Answer(exchange, *std::move(refused));
  }
  if (!exchange.target.ok()) {
    return Answer(exchange, RefuseAndClose(400, std::string(exchange.target.status().message())));
  }
  exchange.request.target = *std::move(exchange.target);
  exchange.request.connection = parts_.connections.NumberOf(exchange.socket);
  exchange.request.newest_connection = parts_.connections.newest();
  exchange.request.server = LocalAddress(exchange.socket);
  exchange.admission = parts_.app.Admit(exchange.request);
  if (exchange.admission.answer) return Answer(exchange, *std::move(exchange.admission.answer));
  Duration time = Connections::kRequestTime;
  if (exchange.admission.is_upload) {
    absl::StatusOr<BodyFile> file = BodyFile::Create(parts_.services.scratch_directory);
    if (!file.ok()) return Answer(exchange, FromStatus(file.status()));
    exchange.request.upload = std::make_shared<BodyFile>(*std::move(file));
  }
  if (exchange.admission.max_bytes > kMaxBodyBytes) {
    time += TransferTime(exchange.request.content_length);
  }
  parts_.connections.Expect(exchange.socket, Now(), time);
  return MHD_YES;
}

MHD_Result HttpServer::Impl::OnBody(Exchange& exchange, std::string_view data) {
  // Chunked bodies have no length to refuse at once: what is over the cap is read and thrown away
  // until its end or deadline.
  if (exchange.refused) return MHD_YES;
  Request& request = exchange.request;
  const std::uint64_t before = request.upload ? request.upload->size() : request.body.size();
  if (before + data.size() > exchange.admission.max_bytes) {
    request.body.clear();
    request.upload = nullptr;
    exchange.refused = TooLarge(exchange.admission.max_bytes);
  } else if (request.upload) {
    const absl::Status appended = request.upload->Append(data);
    if (!appended.ok()) {
      request.upload = nullptr;  // what there is goes back to the disk
      exchange.refused = FromStatus(appended);
    }
  } else {
    request.body.append(data);
  }
  return MHD_YES;
}

MHD_Result HttpServer::Impl::OnComplete(Exchange& exchange) {
  if (exchange.refused) return Answer(exchange, *std::move(exchange.refused));
  // After a worker has resumed the connection, its answer is here.
  if (exchange.plan.answer) return Answer(exchange, *std::move(exchange.plan.answer));
  if (stopping_) return Answer(exchange, Busy("the server is stopping", std::chrono::seconds(5)));
  exchange.request.stop = exchange.work.get_token();
  exchange.plan = parts_.app.Prepare(exchange.request);
  if (exchange.plan.answer) return Answer(exchange, *std::move(exchange.plan.answer));
  if (exchange.plan.work == Work::kInline)
    return Answer(exchange, parts_.app.Finish(exchange.plan));
  WorkerPool& pool = exchange.plan.work == Work::kHash ? parts_.hash_pool : parts_.store_pool;
  if (FinishInPool(exchange, pool)) return MHD_YES;
  return Answer(exchange, Busy("the server is busy", std::chrono::seconds(1)));
}

bool HttpServer::Impl::FinishInPool(Exchange& exchange, WorkerPool& pool) {
  parts_.connections.ExpectNothing(exchange.socket);
  MHD_suspend_connection(exchange.connection);
  parts_.connections.Watch(exchange.socket, exchange.work);
  const bool submitted = pool.Submit([this, &exchange] {
    const bool late = stopping_;
    exchange.plan.answer = late ? Busy("the server is stopping", std::chrono::seconds(5))
                                : parts_.app.Finish(exchange.plan);
    parts_.connections.Unwatch(exchange.socket);
    MHD_resume_connection(exchange.connection);
  });
  if (submitted) return true;
  parts_.connections.Unwatch(exchange.socket);
  exchange.plan.answer = Busy("the server is busy", std::chrono::seconds(1));
  MHD_resume_connection(exchange.connection);
  return true;
}

MHD_Result HttpServer::Impl::Answer(Exchange& exchange, Response response) {
  if (response.stream != nullptr) {
    exchange.hub = &parts_.services.streams;
    parts_.connections.ExpectNothing(exchange.socket);
    response.stream->SetPeerCheck([connections = &parts_.connections, socket = exchange.socket] {
      return connections->PeerIsGone(socket);
    });
  } else {
    Duration time = Connections::kResponseTime;
    if (response.file != nullptr) time += TransferTime(response.file->size());
    parts_.connections.Expect(exchange.socket, Now(), time);
  }
  return Send(exchange, std::move(response));
}

void HttpServer::Impl::OnCompleted(void* cls, MHD_Connection*, void** state,
                                   MHD_RequestTerminationCode) {
  auto& impl = *static_cast<Impl*>(cls);
  const std::unique_ptr<Exchange> exchange(static_cast<Exchange*>(*state));
  *state = nullptr;
  if (exchange == nullptr) return;
  if (exchange->stream != nullptr) exchange->hub->Close(exchange->stream);
  // A stream that never reached its connection.
  if (exchange->plan.answer && exchange->plan.answer->stream != nullptr) {
    impl.parts_.services.streams.Close(exchange->plan.answer->stream);
  }
  impl.parts_.connections.Expect(exchange->socket, impl.Now(), Connections::kIdleTime);
}

void HttpServer::Impl::OnConnection(void* cls, MHD_Connection* connection, void**,
                                    MHD_ConnectionNotificationCode code) {
  auto& impl = *static_cast<Impl*>(cls);
  const int socket = SocketOf(connection);
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    impl.parts_.connections.Opened(socket, impl.Now());
  } else {
    impl.parts_.connections.Closed(socket);
  }
}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(ListenSocket socket,
                                                              HttpServerParts parts,
                                                              HttpServerOptions options) {
  auto impl = std::make_unique<Impl>(std::move(socket), parts);
  NTA_RETURN_IF_ERROR(impl->Start(options));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;
const ListenAddress& HttpServer::address() const { return impl_->address(); }
absl::Status HttpServer::Stop(Duration limit) { return impl_->Stop(limit); }

}  // namespace nta::server

#include "http/listen_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/status.h"

namespace nta::server {
namespace {

constexpr int kBacklog = 512;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress ToSocketAddress(const ListenAddress& address) {
  SocketAddress result;
  const auto bytes = address.address.bytes();
  if (address.address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
    std::memcpy(&result.storage, &v4, sizeof(v4));
    result.size = sizeof(v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
    std::memcpy(&result.storage, &v6, sizeof(v6));
    result.size = sizeof(v6);
  }
  return result;
}

absl::Status BindAndListen(int descriptor, const ListenAddress& address) {
  const int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  SocketAddress socket_address = ToSocketAddress(address);
  if (bind(descriptor, socket_address.get(), socket_address.size) != 0 ||
      listen(descriptor, kBacklog) != 0) {
    return base::ErrnoStatus(errno, "cannot listen on " + ToString(address));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::uint16_t> PortOf(int descriptor) {
  SocketAddress bound;
  bound.size = sizeof(bound.storage);
  if (getsockname(descriptor, bound.get(), &bound.size) != 0)
    return base::ErrnoStatus(errno, "getsockname");
  // The port stands at the same place in both families.
  sockaddr_in v4{};
  std::memcpy(&v4, &bound.storage, sizeof(v4));
  return ntohs(v4.sin_port);
}

}  // namespace

absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text) {
  const auto wrong = [&] {
    return base::InvalidArgument(
        "\"" + std::string(text) +
        "\" is not an address to listen on, as 127.0.0.1:8080 or [::1]:8080");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  const auto address = IpAddress::Parse(host);
  ListenAddress result;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (!address.ok() || address->is_v4() == bracketed || port.empty() || error != std::errc() ||
      end != port.data() + port.size()) {
    return wrong();
  }
  result.address = *address;
  return result;
}

std::string ToString(const ListenAddress& address) {
  const std::string host = address.address.ToString();
  return (address.address.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(address.port);
}

absl::StatusOr<ListenSocket> ListenSocket::Open(const ListenAddress& address) {
  const int family = address.address.is_v4() ? AF_INET : AF_INET6;
  const int descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return base::ErrnoStatus(errno, "cannot open a socket");
  ListenSocket opened(descriptor, address);
  NTA_RETURN_IF_ERROR(BindAndListen(descriptor, address));
  NTA_ASSIGN_OR_RETURN(opened.address_.port, PortOf(descriptor));
  return opened;
}

ListenSocket::ListenSocket(ListenSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), address_(other.address_) {}

ListenSocket::~ListenSocket() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace nta::server

// Where to listen: "127.0.0.1:8080", "[::1]:8080", "localhost:0".
#ifndef NTA_SERVER_HTTP_LISTEN_SOCKET_H_
#define NTA_SERVER_HTTP_LISTEN_SOCKET_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "nta/net/ip_address.h"

namespace nta::server {

struct ListenAddress {
  IpAddress address;
  std::uint16_t port = 0;  // 0: any that is free
};

// InvalidArgument says how it should look.
absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text);
std::string ToString(const ListenAddress& address);

// A listening socket, closed with its owner.
class ListenSocket {
 public:
  // Unavailable when the port is in use, PermissionDenied when it is privileged, each with the
  // address in the text.
  static absl::StatusOr<ListenSocket> Open(const ListenAddress& address);
  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&&) = delete;
  ~ListenSocket();

  int descriptor() const { return descriptor_; }
  // As asked for, with the port that was given.
  const ListenAddress& address() const { return address_; }

 private:
  ListenSocket(int descriptor, ListenAddress address)
      : descriptor_(descriptor), address_(address) {}

  int descriptor_;
  ListenAddress address_;
};

}  // namespace nta::server

#endif  // NTA_SERVER_HTTP_LISTEN_SOCKET_H_

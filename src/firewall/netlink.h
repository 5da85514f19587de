// Netlink: messages to the kernel and their answers, without a library in between.
//
//   NetlinkMessages request;
//   request.Begin(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, sequence);
//   request.Header(ifaddrmsg{});
//   request.End();
#ifndef NTA_FIREWALL_NETLINK_H_
#define NTA_FIREWALL_NETLINK_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace nta::firewall {

// Messages one after the other, each a header and attributes that may nest.
class NetlinkMessages {
 public:
  void Begin(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence);
  template <typename T>
  void Header(const T& header) {
    Append({reinterpret_cast<const std::uint8_t*>(&header), sizeof(header)});
  }
  void Attribute(std::uint16_t type, std::span<const std::uint8_t> value);
  void Text(std::uint16_t type, std::string_view value);   // with a final 0
  void Number32(std::uint16_t type, std::uint32_t value);  // big-endian, as nf_tables wants it
  void Number64(std::uint16_t type, std::uint64_t value);
  // The place to give to CloseNest().
  std::size_t OpenNest(std::uint16_t type);
  void CloseNest(std::size_t place);
  void End();

  std::span<const std::uint8_t> bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  void clear() { bytes_.clear(); }

 private:
  void Append(std::span<const std::uint8_t> bytes);

  std::vector<std::uint8_t> bytes_;
  std::size_t begin_ = 0;
};

// One message that came; borrows from the socket's buffer.
struct NetlinkMessage {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t sequence = 0;
  std::span<const std::uint8_t> payload{};
};

// Calls `visit` for each attribute, without its nesting and byte order flags; stops at the first
// that is malformed.
void ForEachAttribute(std::span<const std::uint8_t> attributes,
                      absl::FunctionRef<void(std::uint16_t, std::span<const std::uint8_t>)> visit);
// The first attribute of that type; nothing when there is none.
std::optional<std::span<const std::uint8_t>> FindAttribute(std::span<const std::uint8_t> attributes,
                                                           std::uint16_t type);
// 0 and "" when absent or too short.
std::uint32_t Number32(std::span<const std::uint8_t> attributes, std::uint16_t type);
std::uint64_t Number64(std::span<const std::uint8_t> attributes, std::uint16_t type);
std::string_view Text(std::span<const std::uint8_t> attributes, std::uint16_t type);

// One thread at a time.
class NetlinkSocket {
 public:
  // `groups` is the bit mask of multicast groups to hear.
  static absl::StatusOr<NetlinkSocket> Open(int protocol, std::uint32_t groups = 0);
  NetlinkSocket(NetlinkSocket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        sequence_(other.sequence_),
        buffer_(std::move(other.buffer_)) {}
  NetlinkSocket& operator=(NetlinkSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(sequence_, other.sequence_);
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~NetlinkSocket();

  int fd() const { return fd_; }
  std::uint32_t NextSequence() { return ++sequence_; }
  std::uint32_t LastSequence() const { return sequence_; }
  absl::Status Send(std::span<const std::uint8_t> bytes) const;
  // Whether something came in time; `visit` is called for each message of one datagram. DataLoss:
  // the kernel had to drop messages.
  absl::StatusOr<bool> Receive(std::chrono::milliseconds timeout,
                               absl::FunctionRef<void(const NetlinkMessage&)> visit);
  // Sends one message that asks for a list and visits all of its answers.
  absl::Status Dump(std::span<const std::uint8_t> request, std::uint32_t sequence,
                    absl::FunctionRef<void(const NetlinkMessage&)> visit);
  // Sends messages and waits for the acknowledgement of `last`; the first error that any of them
  // meets is the status' code, and its errno is `*error`.
  absl::Status Transact(std::span<const std::uint8_t> bytes, std::uint32_t last, int* error);

 private:
  explicit NetlinkSocket(int fd) : fd_(fd) {}

  int fd_;
  std::uint32_t sequence_ = 0;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_NETLINK_H_

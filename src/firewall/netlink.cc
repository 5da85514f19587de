#include "firewall/netlink.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/status.h"

namespace nta::firewall {
namespace {

// A dump's datagram has at most 32 KiB, an event up to the size of a page or two.
constexpr std::size_t kReceiveBytes = std::size_t{64} << 10;
constexpr std::chrono::milliseconds kAnswerTimeout{5000};
constexpr std::uint16_t kTypeMask = 0x3fff;

std::size_t Aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

absl::Status Refused(int error) {
  return base::ErrnoStatus(error, "the kernel refuses a netlink request");
}

}  // namespace

void NetlinkMessages::Append(std::span<const std::uint8_t> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  bytes_.resize(Aligned(bytes_.size()));
}

void NetlinkMessages::Begin(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence) {
  begin_ = bytes_.size();
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  header.nlmsg_seq = sequence;
  Header(header);
}

void NetlinkMessages::Attribute(std::uint16_t type, std::span<const std::uint8_t> value) {
  nlattr header{};
  header.nla_len = static_cast<std::uint16_t>(sizeof(header) + value.size());
  header.nla_type = type;
  Header(header);
  Append(value);
}

void NetlinkMessages::Text(std::uint16_t type, std::string_view value) {
  const std::string terminated(value);
  Attribute(type, {reinterpret_cast<const std::uint8_t*>(terminated.c_str()), value.size() + 1});
}

void NetlinkMessages::Number32(std::uint16_t type, std::uint32_t value) {
  const std::uint32_t big = htonl(value);
  Attribute(type, {reinterpret_cast<const std::uint8_t*>(&big), sizeof(big)});
}

void NetlinkMessages::Number64(std::uint16_t type, std::uint64_t value) {
  std::uint8_t big[8];
  for (int i = 7; i >= 0; --i, value >>= 8) big[i] = static_cast<std::uint8_t>(value);
  Attribute(type, big);
}

std::size_t NetlinkMessages::OpenNest(std::uint16_t type) {
  const std::size_t place = bytes_.size();
  Attribute(type | NLA_F_NESTED, {});
  return place;
}

void NetlinkMessages::CloseNest(std::size_t place) {
  const auto length = static_cast<std::uint16_t>(bytes_.size() - place);
  std::memcpy(&bytes_[place], &length, sizeof(length));
}

void NetlinkMessages::End() {
  const auto length = static_cast<std::uint32_t>(bytes_.size() - begin_);
  std::memcpy(&bytes_[begin_], &length, sizeof(length));
}

void ForEachAttribute(std::span<const std::uint8_t> attributes,
                      absl::FunctionRef<void(std::uint16_t, std::span<const std::uint8_t>)> visit) {
  while (attributes.size() >= sizeof(nlattr)) {
    nlattr header;
    std::memcpy(&header, attributes.data(), sizeof(header));
    if (header.nla_len < sizeof(header) || header.nla_len > attributes.size()) return;
    visit(header.nla_type & kTypeMask,
          attributes.subspan(sizeof(header), header.nla_len - sizeof(header)));
    attributes = attributes.subspan(std::min(Aligned(header.nla_len), attributes.size()));
  }
}

std::optional<std::span<const std::uint8_t>> FindAttribute(std::span<const std::uint8_t> attributes,
                                                           std::uint16_t type) {
  std::optional<std::span<const std::uint8_t>> found;
  ForEachAttribute(attributes, [&](std::uint16_t other, std::span<const std::uint8_t> value) {
    if (other == type && !found) found = value;
  });
  return found;
}

std::uint64_t Number64(std::span<const std::uint8_t> attributes, std::uint16_t type) {
  const auto value = FindAttribute(attributes, type);
  if (!value || value->size() < 8) return 0;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | (*value)[i];
  return number;
}

std::uint32_t Number32(std::span<const std::uint8_t> attributes, std::uint16_t type) {
  const auto value = FindAttribute(attributes, type);
  if (!value || value->size() < 4) return 0;
  std::uint32_t number;
  std::memcpy(&number, value->data(), sizeof(number));
  return ntohl(number);
}

std::string_view Text(std::span<const std::uint8_t> attributes, std::uint16_t type) {
  const auto value = FindAttribute(attributes, type);
  if (!value) return {};
  const std::string_view text(reinterpret_cast<const char*>(value->data()), value->size());
  return text.substr(0, text.find('\0'));
}

absl::StatusOr<NetlinkSocket> NetlinkSocket::Open(int protocol, std::uint32_t groups) {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) return base::ErrnoStatus(errno, "cannot open a netlink socket");
  NetlinkSocket result(fd);
  // Where the namespace is not the first one, the kernel keeps to its ordinary limits.
  const int bytes = 4 << 20;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
  }
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return base::ErrnoStatus(errno, "cannot bind a netlink socket");
  }
  result.buffer_.resize(kReceiveBytes);
  return result;
}

NetlinkSocket::~NetlinkSocket() {
  if (fd_ >= 0) close(fd_);
}

absl::Status NetlinkSocket::Send(std::span<const std::uint8_t> bytes) const {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent = 0;
  do {
    sent = sendto(fd_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
                  sizeof(kernel));
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return base::ErrnoStatus(errno, "cannot send to the kernel over netlink");
  return absl::OkStatus();
}

absl::StatusOr<bool> NetlinkSocket::Receive(std::chrono::milliseconds timeout,
                                            absl::FunctionRef<void(const NetlinkMessage&)> visit) {
  pollfd poll_entry{.fd = fd_, .events = POLLIN, .revents = 0};
  const int ready = poll(&poll_entry, 1, static_cast<int>(timeout.count()));
  if (ready < 0 && errno != EINTR) return base::ErrnoStatus(errno, "cannot wait for netlink");
  if (ready <= 0) return false;
  sockaddr_nl from{};
  socklen_t from_size = sizeof(from);
  const ssize_t size = recvfrom(fd_, buffer_.data(), buffer_.size(), MSG_DONTWAIT,
                                reinterpret_cast<sockaddr*>(&from), &from_size);
  if (size < 0) {
    if (errno == EAGAIN || errno == EINTR) return false;
    if (errno == ENOBUFS) return absl::DataLossError("netlink messages were lost");
    return base::ErrnoStatus(errno, "cannot receive from the kernel over netlink");
  }
  if (from.nl_pid != 0) return true;  // only the kernel is listened to
  std::span<const std::uint8_t> rest(buffer_.data(), static_cast<std::size_t>(size));
  while (rest.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header;
    std::memcpy(&header, rest.data(), sizeof(header));
    if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > rest.size()) break;
    visit({.type = header.nlmsg_type,
           .flags = header.nlmsg_flags,
           .sequence = header.nlmsg_seq,
           .payload = rest.subspan(sizeof(header), header.nlmsg_len - sizeof(header))});
    rest = rest.subspan(std::min(Aligned(header.nlmsg_len), rest.size()));
  }
  return true;
}

absl::Status NetlinkSocket::Dump(std::span<const std::uint8_t> request, std::uint32_t sequence,
                                 absl::FunctionRef<void(const NetlinkMessage&)> visit) {
  NTA_RETURN_IF_ERROR(Send(request));
  bool done = false, was_interrupted = false;
  int error = 0;
  while (!done) {
    const auto visit_one = [&](const NetlinkMessage& message) {
      if (message.sequence != sequence || done) return;
      was_interrupted = was_interrupted || (message.flags & NLM_F_DUMP_INTR) != 0;
      if (message.type == NLMSG_ERROR || message.type == NLMSG_DONE) {
        std::int32_t code = 0;
        if (message.payload.size() >= 4) std::memcpy(&code, message.payload.data(), 4);
        error = -code;
        done = true;
        return;
      }
      visit(message);
      if ((message.flags & NLM_F_MULTI) == 0) done = true;
    };
    NTA_ASSIGN_OR_RETURN(const bool came, Receive(kAnswerTimeout, visit_one));
    if (!came) return absl::DeadlineExceededError("the kernel does not answer over netlink");
  }
  if (error != 0) return Refused(error);
  if (was_interrupted) return absl::AbortedError("a netlink list changed while it was read");
  return absl::OkStatus();
}

absl::Status NetlinkSocket::Transact(std::span<const std::uint8_t> bytes, std::uint32_t last,
                                     int* error) {
  *error = 0;
  NTA_RETURN_IF_ERROR(Send(bytes));
  bool done = false;
  while (!done && *error == 0) {
    const auto visit = [&](const NetlinkMessage& message) {
      if (message.type != NLMSG_ERROR || message.payload.size() < 4 || message.sequence > last) {
        return;
      }
      std::int32_t code = 0;
      std::memcpy(&code, message.payload.data(), 4);
      if (code != 0 && *error == 0) *error = -code;
      done = done || message.sequence == last;
    };
    NTA_ASSIGN_OR_RETURN(const bool came, Receive(kAnswerTimeout, visit));
    if (!came) return absl::DeadlineExceededError("the kernel does not answer over netlink");
  }
  // What is left of the answers must not be taken for those of the next request.
  while (true) {
    const auto came = Receive(std::chrono::milliseconds(0), [](const NetlinkMessage&) {});
    if (!came.ok() || !*came) break;
  }
  return *error == 0 ? absl::OkStatus() : Refused(*error);
}

}  // namespace nta::firewall

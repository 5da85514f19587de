// Two hosts for tests of the firewall: this process' own network namespace, where the rules are,
// and another one behind a veth pair, where packets come from.
//
//   OnTwoHosts([](Hosts& hosts) {
//     const Socket server = hosts.Here(SOCK_DGRAM, "10.9.0.1", 7000);
//     const Socket client = hosts.There(SOCK_DGRAM, "10.9.0.2", 0);
//     client.SendTo("10.9.0.1", 7000, "x");
//   });
#ifndef NTA_TESTS_FIREWALL_FIREWALL_NAMESPACE_H_
#define NTA_TESTS_FIREWALL_FIREWALL_NAMESPACE_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nta/firewall/nftables_backend.h"
#include "nta/net/ip_address.h"
#include "support/network_namespace.h"

namespace nta::test {

inline Timestamp Now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

struct SocketAddress {
  SocketAddress(const IpAddress& address, std::uint16_t port) {
    if (address.is_v4()) {
      auto* const v4 = reinterpret_cast<sockaddr_in*>(&storage);
      v4->sin_family = AF_INET;
      v4->sin_port = htons(port);
      std::memcpy(&v4->sin_addr, address.bytes().data(), 4);
      size = sizeof(sockaddr_in);
    } else {
      auto* const v6 = reinterpret_cast<sockaddr_in6*>(&storage);
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(port);
      std::memcpy(&v6->sin6_addr, address.bytes().data(), 16);
      size = sizeof(sockaddr_in6);
    }
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  sockaddr_storage storage{};
  socklen_t size = 0;
};

class Socket {
 public:
  Socket(int type, const std::string& address, std::uint16_t port) {
    const IpAddress ip = IpAddress::Parse(address).value();
    fd_ = socket(ip.is_v4() ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0);
    const int one = 1;
    setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    const SocketAddress local(ip, port);
    EXPECT_EQ(bind(fd_, local.get(), local.size), 0) << address << ": " << std::strerror(errno);
    if (type == SOCK_STREAM && port != 0) {
      EXPECT_EQ(listen(fd_, 16), 0);
    }
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

  // False when the kernel refuses to send at all.
  bool SendTo(const std::string& address, std::uint16_t port, const std::string& text) const {
    const SocketAddress to(IpAddress::Parse(address).value(), port);
    return sendto(fd_, text.data(), text.size(), MSG_DONTWAIT, to.get(), to.size) ==
           static_cast<ssize_t>(text.size());
  }
  // Everything that has come, without waiting beyond the first.
  std::vector<std::string> Receive(std::chrono::milliseconds wait = std::chrono::seconds(2)) const {
    std::vector<std::string> texts;
    pollfd entry{.fd = fd_, .events = POLLIN, .revents = 0};
    while (poll(&entry, 1, texts.empty() ? static_cast<int>(wait.count()) : 0) > 0) {
      char buffer[2048];
      const ssize_t size = recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT);
      if (size < 0) {
        texts.push_back(std::string("error: ") + std::strerror(errno));
        continue;
      }
      texts.emplace_back(buffer, static_cast<std::size_t>(size));
    }
    return texts;
  }
  // 0, or the errno of a connection that did not come about in time.
  int Connect(const std::string& address, std::uint16_t port,
              std::chrono::milliseconds wait = std::chrono::milliseconds(300)) const {
    fcntl(fd_, F_SETFL, O_NONBLOCK);
    const SocketAddress to(IpAddress::Parse(address).value(), port);
    if (connect(fd_, to.get(), to.size) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    pollfd entry{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (poll(&entry, 1, static_cast<int>(wait.count())) <= 0) return ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
  }

 private:
  int fd_ = -1;
};

// 10.9.0.1 and fd09::1 here; 10.9.0.2 to .9 and fd09::2 to ::9 there.
class Hosts {
 public:
  // Absent where the machine does not allow it.
  static std::unique_ptr<Hosts> Create() {
    auto hosts = std::unique_ptr<Hosts>(new Hosts);
    hosts->here_ = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (unshare(CLONE_NEWNET) != 0) return nullptr;
    hosts->there_ = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    SetUpLoopback();
    // `ip` takes another namespace by a process that lives in it.
    hosts->resident_ = fork();
    if (hosts->resident_ == 0) {
      while (true) pause();
    }
    setns(hosts->here_, CLONE_NEWNET);
    const std::string pid = std::to_string(hosts->resident_);
    bool ok = Shell("ip link add name fw0 type veth peer name fw1") &&
              Shell("ip link set dev fw1 netns " + pid) && Shell("ip link set dev fw0 up") &&
              Shell("ip addr add 10.9.0.1/24 dev fw0") &&
              Shell("ip addr add fd09::1/64 dev fw0 nodad");
    hosts->InThere([&] {
      ok = ok && Shell("ip link set dev fw1 up");
      for (int i = 2; i < 10; ++i) {
        const std::string number = std::to_string(i);
        ok = ok && Shell("ip addr add 10.9.0." + number + "/24 dev fw1") &&
             Shell("ip addr add fd09::" + number + "/64 dev fw1 nodad");
      }
    });
    return ok ? std::move(hosts) : nullptr;
  }
  ~Hosts() {
    if (resident_ > 0) {
      kill(resident_, SIGKILL);
      waitpid(resident_, nullptr, 0);
    }
    close(here_);
    close(there_);
  }

  void InThere(const std::function<void()>& body) const {
    setns(there_, CLONE_NEWNET);
    body();
    setns(here_, CLONE_NEWNET);
  }
  Socket Here(int type, const std::string& address, std::uint16_t port) const {
    return {type, address, port};
  }
  Socket There(int type, const std::string& address, std::uint16_t port) const {
    std::optional<Socket> made;
    InThere([&] { made.emplace(type, address, port); });
    return std::move(*made);
  }

 private:
  Hosts() = default;
  int here_ = -1;
  int there_ = -1;
  pid_t resident_ = -1;
};

// A directory of the test's own, gone afterwards.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string path = ::testing::TempDir() + "nta-firewall-XXXXXX";
    path_ = mkdtemp(path.data()) != nullptr ? path : "";
  }
  ~TemporaryDirectory() { Shell("rm -rf '" + path_ + "'"); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline bool HaveNft() {
  for (const char* const path : {"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft"}) {
    if (access(path, X_OK) == 0) return true;
  }
  return false;
}

// Where the rules are, with a backend for them.
inline void InFirewall(
    const std::function<void(NftablesBackend&, const std::string& directory)>& body) {
  if (!HaveNft()) GTEST_SKIP() << "no nft on this machine: nothing was enforced";
  const TemporaryDirectory directory;
  InNamespace([&] {
    auto backend = NftablesBackend::Open({.lock_path = directory.path() + "/lock"});
    ASSERT_TRUE(backend.ok()) << backend.status();
    body(**backend, directory.path());
  });
}

inline void OnTwoHosts(const std::function<void(Hosts&, NftablesBackend&)>& body) {
  InFirewall([&](NftablesBackend& backend, const std::string&) {
    const auto hosts = Hosts::Create();
    if (hosts == nullptr) GTEST_SKIP() << "this machine makes no veth pairs: no packet was sent";
    body(*hosts, backend);
  });
}

// What a command prints.
inline std::string Output(const std::string& command) {
  std::string text;
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return text;
  char buffer[4096];
  for (std::size_t size = 0; (size = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0;) {
    text.append(buffer, size);
  }
  pclose(pipe);
  return text;
}

inline RuleSet Rules(RuleSetParts parts) {
  auto rules = RuleSet::Create(std::move(parts));
  EXPECT_TRUE(rules.ok()) << rules.status();
  return rules.ok() ? *rules : RuleSet();
}
inline IpPrefix Prefix(const std::string& text) { return IpPrefix::Parse(text).value(); }
inline IpAddress Address(const std::string& text) { return IpAddress::Parse(text).value(); }

}  // namespace nta::test

#endif  // NTA_TESTS_FIREWALL_FIREWALL_NAMESPACE_H_

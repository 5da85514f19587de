// A network namespace of a test's own: real interfaces, no effect on this machine.
//
//   InNamespace([] {
//     ASSERT_TRUE(MakeVethPair("left", "right"));
//     RawSender("left").Send(frame);
//   });
#ifndef NTA_TESTS_SUPPORT_NETWORK_NAMESPACE_H_
#define NTA_TESTS_SUPPORT_NETWORK_NAMESPACE_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <span>
#include <string>

namespace nta::test {

constexpr int kSkipped = 77;

inline bool WriteFile(const char* path, const std::string& text) {
  std::FILE* const file = std::fopen(path, "w");
  if (file == nullptr) return false;
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && written;
}

inline bool SetUpLoopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const bool done = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  close(fd);
  return done;
}

// A new user and network namespace, with "lo" up.
inline bool EnterNamespace() {
  const uid_t user = getuid();
  const gid_t group = getgid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
  WriteFile("/proc/self/setgroups", "deny");
  return WriteFile("/proc/self/uid_map", "0 " + std::to_string(user) + " 1") &&
         WriteFile("/proc/self/gid_map", "0 " + std::to_string(group) + " 1") && SetUpLoopback();
}

// Runs `body` in a child within its own namespaces; the child's failures become this test's.
inline void InNamespace(const std::function<void()>& body) {
  std::fflush(nullptr);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!EnterNamespace()) _exit(kSkipped);
    body();
    std::fflush(nullptr);
    const bool is_skipped = ::testing::Test::IsSkipped();
    _exit(::testing::Test::HasFailure() ? 1 : is_skipped ? kSkipped : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "the child died of signal " << WTERMSIG(status);
  if (WEXITSTATUS(status) == kSkipped) {
    GTEST_SKIP() << "this machine allows no network namespaces or veth pairs: nothing captured";
  }
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

inline bool Shell(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

// Two interfaces, up; what is sent on one is received on the other. The kernel is kept from
// speaking IPv6 on them by itself.
inline bool MakeVethPair(const std::string& left, const std::string& right) {
  if (!Shell("ip link add name " + left + " type veth peer name " + right)) return false;
  for (const std::string& name : {left, right}) {
    WriteFile(("/proc/sys/net/ipv6/conf/" + name + "/disable_ipv6").c_str(), "1");
  }
  return Shell("ip link set dev " + left + " up") && Shell("ip link set dev " + right + " up");
}

// Sends frames as they are.
class RawSender {
 public:
  explicit RawSender(const std::string& interface)
      : fd_(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))) {
    address_.sll_family = AF_PACKET;
    address_.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  }
  ~RawSender() { close(fd_); }
  RawSender(const RawSender&) = delete;
  RawSender& operator=(const RawSender&) = delete;

  bool Send(std::span<const std::uint8_t> frame) const {
    return sendto(fd_, frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&address_),
                  sizeof(address_)) == static_cast<ssize_t>(frame.size());
  }

 private:
  int fd_;
  sockaddr_ll address_{};
};

}  // namespace nta::test

#endif  // NTA_TESTS_SUPPORT_NETWORK_NAMESPACE_H_

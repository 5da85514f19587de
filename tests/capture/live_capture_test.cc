// LiveCapture in a network namespace of its own: real packets, no effect on this machine.
#include "nta/capture/live_capture.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <functional>

#include "nta/packet/decode.h"

namespace nta {
namespace {

constexpr int kSkipped = 77;

bool WriteFile(const char* path, const std::string& text) {
  std::FILE* const file = std::fopen(path, "w");
  if (file == nullptr) return false;
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && written;
}

bool SetUp(const char* interface) {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  ifreq request{};
  std::strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const bool done = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  close(fd);
  return done;
}

// A new user and network namespace, with "lo" up.
bool EnterNamespace() {
  const uid_t user = getuid();
  const gid_t group = getgid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
  WriteFile("/proc/self/setgroups", "deny");
  return WriteFile("/proc/self/uid_map", "0 " + std::to_string(user) + " 1") &&
         WriteFile("/proc/self/gid_map", "0 " + std::to_string(group) + " 1") && SetUp("lo");
}

// Runs `body` in a child within its own namespaces; the child's failures become this test's.
void InNamespace(const std::function<void()>& body) {
  std::fflush(nullptr);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!EnterNamespace()) _exit(kSkipped);
    body();
    std::fflush(nullptr);
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "the child died of signal " << WTERMSIG(status);
  if (WEXITSTATUS(status) == kSkipped)
    GTEST_SKIP() << "this machine allows no network namespaces: nothing captured";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

void SendDatagrams(int count, std::uint16_t port, std::size_t size) {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::vector<char> bytes(size, 'x');
  for (int i = 0; i < count; ++i) {
    sendto(fd, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof(to));
  }
  close(fd);
}

// Everything that comes until the link is silent, decoded; only datagrams to `port`.
std::size_t CountDatagrams(LiveCapture& capture, std::uint16_t port, std::size_t payload_bytes) {
  std::size_t count = 0;
  PacketBatch batch;
  while (true) {
    const auto result = capture.Read(batch);
    EXPECT_TRUE(result.ok()) << result.status();
    if (!result.ok() || *result != ReadResult::kPackets) return count;
    for (const PacketView& packet : batch) {
      const DecodedPacket decoded = Decode(packet);
      if (decoded.protocol != kProtocolUdp || decoded.destination_port != port) continue;
      EXPECT_EQ(decoded.payload_bytes, payload_bytes);
      EXPECT_EQ(decoded.wire_bytes, payload_bytes + 42);
      EXPECT_GT(decoded.time, Timestamp());
      ++count;
    }
  }
}

TEST(LiveCapture, DeliversEveryPacketOfLoopbackOnce) {
  InNamespace([] {
    for (const CaptureDelivery delivery : {CaptureDelivery::kBulk, CaptureDelivery::kImmediate}) {
      auto capture = LiveCapture::Open(
          "lo", {.delivery = delivery, .timeout = std::chrono::milliseconds(200)});
      ASSERT_TRUE(capture.ok()) << capture.status();
      EXPECT_TRUE((*capture)->is_live());
      EXPECT_EQ((*capture)->name(), "lo");
      // Without blocks every slot of the ring is as large as the snap length: a burst must be
      // small.
      const int count = delivery == CaptureDelivery::kBulk ? 500 : 20;
      SendDatagrams(count, 9999, 100);
      EXPECT_EQ(CountDatagrams(**capture, 9999, 100), static_cast<std::size_t>(count));
      EXPECT_EQ((*capture)->Stats().dropped(), 0U);
      EXPECT_GE((*capture)->Stats().received, static_cast<std::uint64_t>(count));
    }
  });
}

TEST(LiveCapture, SilentLinkTimesOut) {
  InNamespace([] {
    auto capture = LiveCapture::Open("lo", {.timeout = std::chrono::milliseconds(10)});
    ASSERT_TRUE(capture.ok()) << capture.status();
    PacketBatch batch;
    for (int i = 0; i < 3; ++i) {
      const auto result = (*capture)->Read(batch);
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_EQ(*result, ReadResult::kTimeout);
      EXPECT_TRUE(batch.empty());
    }
  });
}

TEST(LiveCapture, FilterKeepsTheOthersOutAndSnapLengthCuts) {
  InNamespace([] {
    auto capture = LiveCapture::Open("lo", {.snap_length = 64,
                                            .filter = "udp dst port 1111",
                                            .timeout = std::chrono::milliseconds(200)});
    ASSERT_TRUE(capture.ok()) << capture.status();
    SendDatagrams(5, 1111, 500);
    SendDatagrams(5, 2222, 500);
    EXPECT_EQ(CountDatagrams(**capture, 1111, 500), 5U);
    EXPECT_EQ((*capture)->Stats().received, 5U);
    EXPECT_LE((*capture)->Stats().received_bytes, 5U * 64);
  });
}

TEST(LiveCapture, FullRingIsCounted) {
  InNamespace([] {
    auto capture =
        LiveCapture::Open("lo", {.ring_bytes = 65536, .timeout = std::chrono::milliseconds(200)});
    ASSERT_TRUE(capture.ok()) << capture.status();
    SendDatagrams(20'000, 9999, 1000);
    const std::size_t received = CountDatagrams(**capture, 9999, 1000);
    const CaptureStats stats = (*capture)->Stats();
    EXPECT_GT(stats.dropped_buffer, 0U);
    EXPECT_LT(received, 20'000U);
    EXPECT_GE(stats.received + stats.dropped_buffer, 20'000U);
  });
}

TEST(LiveCapture, RefusesAFilterThatDoesNotCompile) {
  InNamespace([] {
    for (const std::string& filter : {std::string("tcp and and"), std::string("host 999.999.1.1"),
                                      std::string(5000, 'x'), std::string("tcp\0udp", 7)}) {
      EXPECT_EQ(LiveCapture::Open("lo", {.filter = filter}).status().code(),
                absl::StatusCode::kInvalidArgument);
    }
  });
}

TEST(LiveCapture, RefusesOptionsOutOfRange) {
  InNamespace([] {
    for (const LiveCaptureOptions& options :
         {LiveCaptureOptions{.ring_bytes = 0},
          LiveCaptureOptions{.ring_bytes = std::size_t{4} << 30},
          LiveCaptureOptions{.snap_length = 0}, LiveCaptureOptions{.snap_length = 1 << 30},
          LiveCaptureOptions{.timeout = std::chrono::milliseconds(0)},
          LiveCaptureOptions{.max_batch = 0}}) {
      EXPECT_EQ(LiveCapture::Open("lo", options).status().code(),
                absl::StatusCode::kInvalidArgument);
    }
  });
}

TEST(LiveCapture, UnknownInterfaceIsNotFoundAndNamesThoseThereAre) {
  InNamespace([] {
    for (const std::string& name :
         {std::string("eth9"), std::string(), std::string("a name longer than the kernel's"),
          std::string("lo\0x", 4)}) {
      const auto capture = LiveCapture::Open(name);
      ASSERT_FALSE(capture.ok());
      EXPECT_EQ(capture.status().code(), absl::StatusCode::kNotFound) << capture.status();
      EXPECT_NE(std::string(capture.status().message()).find("have: lo"), std::string::npos)
          << capture.status();
    }
  });
}

TEST(LiveCapture, ListsLoopbackLast) {
  InNamespace([] {
    const auto interfaces = ListInterfaces();
    ASSERT_TRUE(interfaces.ok()) << interfaces.status();
    ASSERT_FALSE(interfaces->empty());
    EXPECT_EQ(interfaces->back().name, "lo");
    EXPECT_TRUE(interfaces->back().is_loopback);
    EXPECT_TRUE(interfaces->back().is_up);
  });
}

TEST(LiveCapture, WithoutPermissionSaysWhichOne) {
  std::fflush(nullptr);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(kSkipped);
    const auto capture = LiveCapture::Open("lo");
    const bool as_promised =
        capture.status().code() == absl::StatusCode::kPermissionDenied &&
        std::string(capture.status().message()).find("CAP_NET_RAW") != std::string::npos;
    _exit(as_promised ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kSkipped) GTEST_SKIP() << "cannot give up root";
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace nta

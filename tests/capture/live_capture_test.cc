// LiveCapture in a network namespace of its own: real packets, no effect on this machine.
#include "nta/capture/live_capture.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "nta/packet/decode.h"
#include "support/network_namespace.h"

namespace nta::test {
namespace {

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

constexpr std::chrono::milliseconds kQuick(20);

TEST(LiveCapture, DeliversEveryPacketOfLoopbackOnce) {
  InNamespace([] {
    for (const CaptureDelivery delivery : {CaptureDelivery::kBulk, CaptureDelivery::kImmediate}) {
      auto capture = LiveCapture::Open(
          "lo", {.delivery = delivery, .timeout = std::chrono::milliseconds(200)});
      ASSERT_TRUE(capture.ok()) << capture.status();
      EXPECT_TRUE((*capture)->is_live());
      EXPECT_EQ((*capture)->name(), "lo");
      const int count = 2000;
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

TEST(LiveCapture, FullRingIsCountedExactly) {
  InNamespace([] {
    for (const CaptureDelivery delivery : {CaptureDelivery::kBulk, CaptureDelivery::kImmediate}) {
      auto capture = LiveCapture::Open("lo", {.ring_bytes = 65536,
                                              .filter = "udp dst port 9999",
                                              .delivery = delivery,
                                              .timeout = std::chrono::milliseconds(200)});
      ASSERT_TRUE(capture.ok()) << capture.status();
      SendDatagrams(2000, 9999, 1000);
      const std::size_t read = CountDatagrams(**capture, 9999, 1000);
      EXPECT_LT(read, 2000U);
      const CaptureStats stats = (*capture)->Stats();
      EXPECT_EQ(stats.received, read);
      EXPECT_EQ(stats.received + stats.dropped_buffer, 2000U);
      EXPECT_EQ((*capture)->Stats().dropped_buffer, stats.dropped_buffer)
          << "asking counts nothing";
    }
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

TEST(LiveCapture, TimeStampsThatTheInterfaceDoesNotOfferAreRefusedByName) {
  InNamespace([] {
    if (!MakeVethPair("left", "right")) GTEST_SKIP();
    const auto offered = ListTimestampSources("left");
    ASSERT_TRUE(offered.ok()) << offered.status();
    EXPECT_EQ(offered->front(), TimestampSource::kHost);
    // A virtual pair has no clock of its own.
    const auto capture =
        LiveCapture::Open("left", {.timestamps = TimestampSource::kAdapterUnsynced});
    EXPECT_EQ(capture.status().code(), absl::StatusCode::kInvalidArgument) << capture.status();
    const std::string message(capture.status().message());
    EXPECT_NE(message.find("adapter_unsynced (offers: host"), std::string::npos) << message;
    for (const TimestampSource source : *offered) {
      EXPECT_TRUE(LiveCapture::Open("left", {.timestamps = source}).ok());
      EXPECT_EQ(*ParseTimestampSource(ToString(source)), source);
    }
    EXPECT_EQ(ListTimestampSources("nosuch0").status().code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(ParseTimestampSource("gps").status().code(), absl::StatusCode::kInvalidArgument);
  });
}

TEST(LiveCapture, NamesItsInterface) {
  InNamespace([] {
    auto capture = LiveCapture::Open("lo", {.delivery = CaptureDelivery::kImmediate});
    ASSERT_TRUE(capture.ok()) << capture.status();
    const std::vector<CaptureInterface> interfaces = (*capture)->Interfaces();
    ASSERT_EQ(interfaces.size(), 1U);
    EXPECT_EQ(interfaces[0].name, "lo");
    EXPECT_EQ(interfaces[0].snap_length, 1920U);
    EXPECT_EQ(interfaces[0].link_type, LinkType::kEthernet);
  });
}

TEST(LiveCapture, TunnelDevicesCarryRawPackets) {
  InNamespace([] {
    if (!Shell("ip tuntap add dev tunnel mode tun && ip link set tunnel up")) GTEST_SKIP();
    auto capture = LiveCapture::Open("tunnel", {.timeout = kQuick});
    ASSERT_TRUE(capture.ok()) << capture.status();
    EXPECT_EQ((*capture)->Interfaces()[0].link_type, LinkType::kRaw);
  });
}

// Sends a megabyte from this process to itself over loopback and counts what a capture sees of it.
struct Stream {
  std::size_t payload_bytes = 0;  // whatever was sent again counts once
  std::uint32_t largest_frame = 0;
};
Stream CaptureOwnStream(const std::string& address_text) {
  Stream stream;
  auto capture = LiveCapture::Open("lo", {.timeout = kQuick});
  EXPECT_TRUE(capture.ok()) << capture.status();
  if (!capture.ok()) return stream;
  const bool is_ipv6 = address_text.find(':') != std::string::npos;
  const int family = is_ipv6 ? AF_INET6 : AF_INET;
  sockaddr_storage address{};
  address.ss_family = static_cast<sa_family_t>(family);
  auto& v4 = reinterpret_cast<sockaddr_in&>(address);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
  inet_pton(family, address_text.c_str(),
            is_ipv6 ? static_cast<void*>(&v6.sin6_addr) : static_cast<void*>(&v4.sin_addr));
  socklen_t size = is_ipv6 ? sizeof(v6) : sizeof(v4);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const int listener = socket(family, SOCK_STREAM, 0);
  EXPECT_EQ(bind(listener, generic, size), 0);
  EXPECT_EQ(listen(listener, 1), 0);
  EXPECT_EQ(getsockname(listener, generic, &size), 0);
  const int client = socket(family, SOCK_STREAM, 0);
  EXPECT_EQ(connect(client, generic, size), 0);
  const int server = accept(listener, nullptr, nullptr);
  const std::vector<char> data(1 << 20, 'x');
  std::thread sender([&] {
    for (std::size_t sent = 0; sent < data.size();) {
      const ssize_t count = send(client, data.data() + sent, data.size() - sent, 0);
      if (count <= 0) break;
      sent += static_cast<std::size_t>(count);
    }
    shutdown(client, SHUT_WR);
  });
  std::vector<char> buffer(1 << 20);
  while (recv(server, buffer.data(), buffer.size(), 0) > 0) {
  }
  sender.join();
  std::vector<bool> seen(data.size());
  std::uint32_t first_byte = 0;
  PacketBatch batch;
  while (*(*capture)->Read(batch) == ReadResult::kPackets) {
    for (const PacketView& packet : batch) {
      const DecodedPacket decoded = Decode(packet);
      EXPECT_EQ(decoded.outcome, DecodeOutcome::kDecoded) << ToString(decoded.reason);
      EXPECT_EQ(decoded.ip_bytes + 14, decoded.wire_bytes);
      stream.largest_frame = std::max(stream.largest_frame, decoded.wire_bytes);
      if (decoded.destination_port != ntohs(v4.sin_port)) continue;
      if ((decoded.tcp_flags & kTcpSyn) != 0) first_byte = decoded.tcp_sequence + 1;
      const std::uint32_t begin = decoded.tcp_sequence - first_byte;
      for (std::uint32_t i = 0; i < decoded.payload_bytes; ++i) {
        EXPECT_LT(begin + i, seen.size()) << "beyond the end of the stream";
        if (begin + i < seen.size()) seen[begin + i] = true;
      }
    }
  }
  stream.payload_bytes = static_cast<std::size_t>(std::count(seen.begin(), seen.end(), true));
  EXPECT_EQ((*capture)->Stats().dropped(), 0U);
  for (const int fd : {client, server, listener}) close(fd);
  return stream;
}

// The stream that a program writes at once leaves it in segments of up to 64 KiB, which the
// adapter (here: nobody) would cut.
TEST(LiveCapture, SegmentsLargerThanTheLinkTakesCountInFull) {
  InNamespace([] {
    for (const char* address : {"127.0.0.1", "::1"}) {
      const Stream stream = CaptureOwnStream(address);
      EXPECT_EQ(stream.payload_bytes, std::size_t{1} << 20) << "every byte is counted";
      EXPECT_GT(stream.largest_frame, 20'000U) << "far more than any adapter sends at once";
    }
  });
}

// "BIG TCP": segments whose length does not fit the header's 16 bits, which then has 0 there.
TEST(LiveCapture, SegmentsBeyond64KilobytesCountInFull) {
  InNamespace([] {
    if (!Shell("ip link set dev lo gso_max_size 180000 gro_max_size 180000")) GTEST_SKIP();
    const Stream stream = CaptureOwnStream("::1");
    EXPECT_EQ(stream.payload_bytes, std::size_t{1} << 20) << "every byte is counted";
    EXPECT_GT(stream.largest_frame, 65'600U);
  });
}

}  // namespace
}  // namespace nta::test

#include "nta/log/syslog_sink.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log_fixture.h"

namespace nta {
namespace {

using testing::HasSubstr;

int UnixDaemon(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  const int daemon = socket(AF_UNIX, SOCK_DGRAM, 0);
  EXPECT_EQ(bind(daemon, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  return daemon;
}

std::string Receive(int daemon) {
  std::string message(4096, '\0');
  const ssize_t size = recv(daemon, message.data(), message.size(), MSG_DONTWAIT);
  message.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return message;
}

using SyslogSinkTest = LogTest;

TEST_F(SyslogSinkTest, WritesRfc5424) {
  const int daemon = UnixDaemon(directory_ + "/log");
  auto sink = SyslogSink::Open(
      {.socket_path = directory_ + "/log", .app_name = "nta server", .hostname = "probe1"});
  ASSERT_TRUE(sink.ok());
  LogEvent event = Event("ring is full", LogLevel::kError, "capture");
  event.fields = {{"interface", R"(eth"0]\)"}, {"lost packets", 7}};
  ASSERT_TRUE((*sink)->Write(event).ok());
  EXPECT_EQ(Receive(daemon), "<131>1 2027-01-15T08:00:01.000000Z probe1 nta_server " +
                                 std::to_string(getpid()) +
                                 R"( server [nta@32473 component="capture" interface="eth\"0\]\\" )"
                                 R"(lost_packets="7"] ring is full)");
  close(daemon);
}

TEST_F(SyslogSinkTest, FindsADaemonThatComesLaterOrAnew) {
  auto sink = SyslogSink::Open({.socket_path = directory_ + "/log"});
  ASSERT_TRUE(sink.ok());
  EXPECT_TRUE(absl::IsNotFound((*sink)->Write(Event("lost"))));
  int daemon = UnixDaemon(directory_ + "/log");
  EXPECT_TRUE((*sink)->Write(Event("first")).ok());
  EXPECT_THAT(Receive(daemon), HasSubstr("first"));
  close(daemon);
  unlink((directory_ + "/log").c_str());
  daemon = UnixDaemon(directory_ + "/log");
  EXPECT_TRUE((*sink)->Write(Event("second")).ok());
  EXPECT_THAT(Receive(daemon), HasSubstr("second"));
  close(daemon);
}

TEST_F(SyslogSinkTest, NeverWaitsForADaemonThatDoesNotRead) {
  const int daemon = UnixDaemon(directory_ + "/log");
  auto sink = SyslogSink::Open({.socket_path = directory_ + "/log"});
  absl::Status status;
  for (int i = 0; i < 100'000 && status.ok(); ++i) status = (*sink)->Write(Event("x"));
  EXPECT_FALSE(status.ok());
  close(daemon);
}

TEST_F(SyslogSinkTest, SendsOverUdp) {
  const int daemon = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(daemon, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(getsockname(daemon, reinterpret_cast<sockaddr*>(&address), &size), 0);
  auto sink =
      SyslogSink::Open({.udp = Endpoint{*IpAddress::Parse("127.0.0.1"), ntohs(address.sin_port)}});
  ASSERT_TRUE(sink.ok());
  ASSERT_TRUE((*sink)->Write(Event("over udp")).ok());
  EXPECT_THAT(Receive(daemon), HasSubstr("over udp"));
  close(daemon);
}

TEST_F(SyslogSinkTest, RefusesWrongSettings) {
  EXPECT_FALSE(SyslogSink::Open({.facility = 24}).ok());
  EXPECT_FALSE(SyslogSink::Open({.socket_path = std::string(200, 'x')}).ok());
  EXPECT_FALSE(SyslogSink::Open({.max_bytes = 100}).ok());
}

}  // namespace
}  // namespace nta

#include "http/connections.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace nta::server {
namespace {

class ConnectionsTest : public testing::Test {
 protected:
  ConnectionsTest() {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()), 0);
    connections_.Opened(ends_[0], Duration(0));
    connections_.Watch(ends_[0], work_);
  }
  ~ConnectionsTest() override {
    for (const int end : ends_) {
      if (end >= 0) close(end);
    }
  }

  std::array<int, 2> ends_{};
  Connections connections_;
  std::stop_source work_;
};

TEST_F(ConnectionsTest, WorkGoesOnWhileThePeerWaits) {
  connections_.StopAbandoned();
  EXPECT_FALSE(work_.stop_requested());
  // Also while it asks the next thing already.
  ASSERT_EQ(write(ends_[1], "x", 1), 1);
  connections_.StopAbandoned();
  EXPECT_FALSE(work_.stop_requested());
}

TEST_F(ConnectionsTest, WorkStopsWhenThePeerIsGone) {
  close(ends_[1]);
  ends_[1] = -1;
  connections_.StopAbandoned();
  EXPECT_TRUE(work_.stop_requested());
}

TEST_F(ConnectionsTest, WorkThatIsDoneIsLeftAlone) {
  connections_.Unwatch(ends_[0]);
  close(ends_[1]);
  ends_[1] = -1;
  connections_.StopAbandoned();
  connections_.StopWork();
  EXPECT_FALSE(work_.stop_requested());
}

TEST_F(ConnectionsTest, AllWorkStopsWithTheServer) {
  connections_.StopWork();
  EXPECT_TRUE(work_.stop_requested());
}

}  // namespace
}  // namespace nta::server

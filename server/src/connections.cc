#include "connections.h"

#include <sys/socket.h>

namespace nta::server {

void Connections::Opened(int socket, Duration now) {
  {
    absl::MutexLock lock(&mutex_);
    numbers_[socket] = ++newest_;
  }
  Expect(socket, now, kRequestTime);
}

std::uint64_t Connections::NumberOf(int socket) const {
  absl::MutexLock lock(&mutex_);
  const auto found = numbers_.find(socket);
  return found == numbers_.end() ? 0 : found->second;
}

std::uint64_t Connections::newest() const {
  absl::MutexLock lock(&mutex_);
  return newest_;
}

void Connections::Closed(int socket) {
  absl::MutexLock lock(&mutex_);
  deadlines_.erase(socket);
  numbers_.erase(socket);
}

void Connections::Expect(int socket, Duration now, Duration time) {
  absl::MutexLock lock(&mutex_);
  deadlines_[socket] = now + time;
}

void Connections::ExpectNothing(int socket) {
  absl::MutexLock lock(&mutex_);
  deadlines_[socket] = Duration::max();
}

bool Connections::PeerIsGone(int socket) const {
  absl::MutexLock lock(&mutex_);
  if (!deadlines_.contains(socket)) return true;
  char byte = 0;
  return recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

std::size_t Connections::EndOverdue(Duration now) {
  // The lock keeps Closed waiting, so no descriptor can be another connection's by now.
  absl::MutexLock lock(&mutex_);
  std::size_t ended = 0;
  for (auto& [socket, deadline] : deadlines_) {
    if (deadline > now) continue;
    shutdown(socket, SHUT_RDWR);
    deadline = Duration::max();
    ++ended;
  }
  return ended;
}

}  // namespace nta::server

#include "http/connections.h"

#include <sys/socket.h>

#include <utility>
#include <vector>

namespace nta::server {
namespace {

// Also when it has only closed its side: nobody does that who still wants an answer.
bool HasClosed(int socket) {
  char byte = 0;
  return recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

}  // namespace

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
  return HasClosed(socket);
}

void Connections::Watch(int socket, std::stop_source work) {
  absl::MutexLock lock(&mutex_);
  work_.insert_or_assign(socket, std::move(work));
}

void Connections::Unwatch(int socket) {
  absl::MutexLock lock(&mutex_);
  work_.erase(socket);
}

void Connections::StopAbandoned() {
  std::vector<std::stop_source> abandoned;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [socket, work] : work_) {
      if (HasClosed(socket)) abandoned.push_back(work);
    }
  }
  // What a stop calls must not find the lock taken.
  for (std::stop_source& work : abandoned) work.request_stop();
}

void Connections::StopWork() {
  std::vector<std::stop_source> all;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [socket, work] : work_) all.push_back(work);
  }
  for (std::stop_source& work : all) work.request_stop();
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

#include "http/worker_pool.h"

#include <chrono>
#include <utility>

#include "absl/time/time.h"

namespace nta::server {

WorkerPool::WorkerPool(std::size_t threads, std::size_t max_queued) : max_queued_(max_queued) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

WorkerPool::~WorkerPool() {
  absl::MutexLock lock(&mutex_);
  ended_ = true;
}

bool WorkerPool::Submit(std::function<void()> task) {
  absl::MutexLock lock(&mutex_);
  if (ended_ || queue_.size() >= max_queued_) return false;
  queue_.push_back(std::move(task));
  return true;
}

bool WorkerPool::Drain(Duration limit) {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(this, &WorkerPool::Idle), absl::FromChrono(limit));
}

void WorkerPool::Work() {
  mutex_.Lock();
  while (true) {
    mutex_.Await(absl::Condition(this, &WorkerPool::HasWork));
    if (queue_.empty()) break;
    std::function<void()> task = std::move(queue_.front());
    queue_.pop_front();
    ++running_;
    mutex_.Unlock();
    task();
    task = nullptr;
    mutex_.Lock();
    --running_;
  }
  mutex_.Unlock();
}

}  // namespace nta::server

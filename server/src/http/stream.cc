#include "http/stream.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "text.h"

namespace nta::server {

std::string TicketBooth::Issue(StreamOwner owner, Duration now) {
  std::string ticket = RandomToken(32);
  absl::MutexLock lock(&mutex_);
  while (!tickets_.empty() &&
         (tickets_.size() >= kMaxTickets || now - tickets_.front().issued >= kLifetime)) {
    tickets_.pop_front();
  }
  tickets_.push_back({Digest(ticket), std::move(owner), now});
  return ticket;
}

std::optional<StreamOwner> TicketBooth::Redeem(std::string_view ticket, Duration now) {
  const std::string digest = Digest(ticket);
  absl::MutexLock lock(&mutex_);
  const auto found = std::find_if(tickets_.begin(), tickets_.end(),
                                  [&](const Ticket& t) { return t.digest == digest; });
  if (found == tickets_.end()) return std::nullopt;
  Ticket redeemed = std::move(*found);
  tickets_.erase(found);
  if (now - redeemed.issued >= kLifetime) return std::nullopt;
  return std::move(redeemed.owner);
}

std::string FormatEvent(std::string_view name, std::string_view json) {
  std::string text = "event: ";
  text.append(name).append("\ndata: ").append(json).append("\n\n");
  return text;
}

StreamClient::StreamClient(StreamOwner owner, StreamText hello)
    : owner_(std::move(owner)), current_(std::move(hello)) {}

bool StreamClient::NextText() {
  offset_ = 0;
  current_ = nullptr;
  if (lost_ > 0) {
    current_ = std::make_shared<const std::string>(
        FormatEvent("gap", R"({"lost":)" + std::to_string(lost_) + "}"));
    lost_ = 0;
  } else if (!queue_.empty()) {
    current_ = std::move(queue_.front());
    queue_.pop_front();
  }
  return current_ != nullptr;
}

StreamClient::ReadResult StreamClient::Read(char* buffer, std::size_t size,
                                            const std::function<void()>& park,
                                            const std::function<void()>& wake) {
  absl::MutexLock lock(&mutex_);
  const bool unread = current_ != nullptr && offset_ < current_->size();
  if (!unread && !NextText()) {
    if (ended_) return {.state = ReadState::kEnd};
    park();
    wake_ = wake;
    return {.state = ReadState::kWait};
  }
  const std::size_t copied = current_->copy(buffer, size, offset_);
  offset_ += copied;
  return {.state = ReadState::kData, .size = copied};
}

void StreamClient::WakeReader() {
  if (!wake_) return;
  wake_();
  wake_ = nullptr;
}

void StreamClient::Push(const StreamText& text) {
  absl::MutexLock lock(&mutex_);
  if (ended_) return;
  if (queue_.size() >= kMaxQueued) {
    queue_.pop_front();
    ++lost_;
  }
  queue_.push_back(text);
  WakeReader();
}

void StreamClient::PushWhenIdle(const StreamText& text) {
  absl::MutexLock lock(&mutex_);
  if (ended_ || !queue_.empty()) return;
  queue_.push_back(text);
  WakeReader();
}

void StreamClient::End() {
  absl::MutexLock lock(&mutex_);
  ended_ = true;
  WakeReader();
}

void StreamClient::Detach() {
  absl::MutexLock lock(&mutex_);
  ended_ = true;
  wake_ = nullptr;
  peer_is_gone_ = nullptr;
  queue_.clear();
}

void StreamClient::SetPeerCheck(std::function<bool()> is_gone) {
  absl::MutexLock lock(&mutex_);
  peer_is_gone_ = std::move(is_gone);
}

void StreamClient::EndIfPeerIsGone() {
  absl::MutexLock lock(&mutex_);
  if (ended_ || !peer_is_gone_ || !peer_is_gone_()) return;
  ended_ = true;
  WakeReader();
}

std::string StreamHub::Hello(std::string_view capture_json) const {
  std::string json = R"({"capture":)";
  json.append(capture_json).append(R"(,"samples":[)");
  for (const std::string& sample : samples_) json.append(sample).push_back(',');
  if (!samples_.empty()) json.pop_back();
  return json.append("]}");
}

absl::StatusOr<std::shared_ptr<StreamClient>> StreamHub::Open(StreamOwner owner,
                                                              std::string_view capture_json) {
  absl::MutexLock lock(&mutex_);
  const auto of_user = std::count_if(clients_.begin(), clients_.end(), [&](const auto& client) {
    return client->owner().username == owner.username;
  });
  if (shut_down_ || clients_.size() >= limits_.max_clients ||
      static_cast<std::size_t>(of_user) >= limits_.max_per_user) {
    return base::MakeStatus(absl::StatusCode::kResourceExhausted, "too many live streams are open");
  }
  auto hello = std::make_shared<const std::string>(FormatEvent("hello", Hello(capture_json)));
  clients_.push_back(std::make_shared<StreamClient>(std::move(owner), std::move(hello)));
  return clients_.back();
}

void StreamHub::Close(const std::shared_ptr<StreamClient>& client) {
  client->Detach();
  absl::MutexLock lock(&mutex_);
  std::erase(clients_, client);
}

void StreamHub::PushToAll(std::string text) {
  const auto shared = std::make_shared<const std::string>(std::move(text));
  for (const auto& client : clients_) client->Push(shared);
}

void StreamHub::Publish(std::string_view event, std::string_view json) {
  absl::MutexLock lock(&mutex_);
  PushToAll(FormatEvent(event, json));
}

void StreamHub::PublishSample(std::string json) {
  absl::MutexLock lock(&mutex_);
  PushToAll(FormatEvent("sample", json));
  samples_.push_back(std::move(json));
  if (samples_.size() > limits_.max_samples) samples_.pop_front();
}

void StreamHub::Heartbeat() {
  absl::MutexLock lock(&mutex_);
  const auto comment = std::make_shared<const std::string>(": still here\n\n");
  for (const auto& client : clients_) client->PushWhenIdle(comment);
}

void StreamHub::EndAbandoned() {
  absl::MutexLock lock(&mutex_);
  for (const auto& client : clients_) client->EndIfPeerIsGone();
}

std::vector<StreamOwner> StreamHub::Owners() const {
  absl::MutexLock lock(&mutex_);
  std::vector<StreamOwner> owners;
  for (const auto& client : clients_) owners.push_back(client->owner());
  return owners;
}

void StreamHub::EndSession(std::string_view session) {
  absl::MutexLock lock(&mutex_);
  for (const auto& client : clients_) {
    if (client->owner().session == session) client->End();
  }
}

void StreamHub::Shutdown() {
  absl::MutexLock lock(&mutex_);
  shut_down_ = true;
  for (const auto& client : clients_) client->End();
}

std::size_t StreamHub::size() const {
  absl::MutexLock lock(&mutex_);
  return clients_.size();
}

}  // namespace nta::server

#include "auth/sessions.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status.h"
#include "http/json_text.h"
#include "text.h"

namespace nta::server {
namespace {

constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kSecretBytes = 32;

absl::Status Refused() {
  return base::MakeStatus(absl::StatusCode::kUnauthenticated, "the refresh token is not valid");
}

struct RefreshToken {
  std::string id;
  std::string secret;
};

// "ID.SECRET"
std::optional<RefreshToken> Split(std::string_view token) {
  const std::size_t dot = token.find('.');
  if (dot == std::string_view::npos || token.size() > 2 * (kIdBytes + kSecretBytes))
    return std::nullopt;
  return RefreshToken{std::string(token.substr(0, dot)), std::string(token.substr(dot + 1))};
}

template <typename T>
bool Take(const FlatObject& object, std::string_view name, T& value) {
  const auto member = object.find(name);
  if (member == object.end() || !std::holds_alternative<T>(member->second)) return false;
  value = std::get<T>(member->second);
  return true;
}

}  // namespace

Sessions::Sessions(SessionLimits limits, std::function<Timestamp()> now)
    : limits_(limits), now_(std::move(now)) {}

bool Sessions::Expired(const Session& session, Timestamp now) const {
  return now - session.used > limits_.idle_lifetime ||
         now - session.started > limits_.total_lifetime;
}

void Sessions::EndOldest(std::string_view username) {
  auto oldest = sessions_.end();
  for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
    if (!username.empty() && it->second.username != username) continue;
    if (oldest == sessions_.end() || it->second.used < oldest->second.used) oldest = it;
  }
  if (oldest != sessions_.end()) sessions_.erase(oldest);
}

void Sessions::MakeRoom(std::string_view username, Timestamp now) {
  absl::erase_if(sessions_, [&](const auto& entry) { return Expired(entry.second, now); });
  const auto of_user = std::count_if(sessions_.begin(), sessions_.end(), [&](const auto& entry) {
    return entry.second.username == username;
  });
  if (static_cast<std::size_t>(of_user) >= limits_.max_per_user) EndOldest(username);
  if (sessions_.size() >= limits_.max_sessions) EndOldest({});
}

SessionGrant Sessions::Start(std::string_view username, std::int64_t generation) {
  const std::string secret = RandomToken(kSecretBytes);
  const std::string id = RandomToken(kIdBytes);
  SessionGrant grant{id, std::string(username), generation, id + "." + secret};
  const Timestamp now = now_();
  absl::MutexLock lock(&mutex_);
  MakeRoom(username, now);
  sessions_[grant.id] = {grant.username, generation, Digest(secret), now, now};
  return grant;
}

absl::StatusOr<SessionGrant> Sessions::Find(std::string_view refresh_token) const {
  const auto token = Split(refresh_token);
  if (!token) return Refused();
  absl::MutexLock lock(&mutex_);
  const auto found = sessions_.find(token->id);
  if (found == sessions_.end() || Expired(found->second, now_())) return Refused();
  // A used token is found, too: Rotate must see it to end the session.
  return SessionGrant{found->first, found->second.username, found->second.generation, ""};
}

absl::StatusOr<SessionGrant> Sessions::Rotate(std::string_view refresh_token) {
  const auto token = Split(refresh_token);
  if (!token) return Refused();
  const Timestamp now = now_();
  absl::MutexLock lock(&mutex_);
  const auto found = sessions_.find(token->id);
  if (found == sessions_.end()) return Refused();
  Session& session = found->second;
  if (Expired(session, now) || !SecretsEqual(session.secret_digest, Digest(token->secret))) {
    sessions_.erase(found);
    return Refused();
  }
  const std::string secret = RandomToken(kSecretBytes);
  session.secret_digest = Digest(secret);
  session.used = now;
  return SessionGrant{token->id, session.username, session.generation, token->id + "." + secret};
}

bool Sessions::IsAlive(std::string_view id, std::string_view username,
                       std::int64_t generation) const {
  absl::MutexLock lock(&mutex_);
  const auto found = sessions_.find(std::string(id));
  return found != sessions_.end() && found->second.username == username &&
         found->second.generation == generation && !Expired(found->second, now_());
}

void Sessions::End(std::string_view id) {
  absl::MutexLock lock(&mutex_);
  sessions_.erase(std::string(id));
}

void Sessions::EndAllOf(std::string_view username, std::string_view except) {
  absl::MutexLock lock(&mutex_);
  absl::erase_if(sessions_, [&](const auto& entry) {
    return entry.second.username == username && entry.first != except;
  });
}

void Sessions::SetGeneration(std::string_view id, std::int64_t generation) {
  absl::MutexLock lock(&mutex_);
  const auto found = sessions_.find(std::string(id));
  if (found != sessions_.end()) found->second.generation = generation;
}

std::string Sessions::Save() const {
  std::string text;
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, session] : sessions_) {
    text += R"({"id":)" + JsonQuote(id) + R"(,"username":)" + JsonQuote(session.username);
    text += R"(,"generation":)" + std::to_string(session.generation);
    text += R"(,"secret_digest":)" + JsonQuote(session.secret_digest);
    text += R"(,"started":)" + std::to_string(session.started.time_since_epoch().count());
    text += R"(,"used":)" + std::to_string(session.used.time_since_epoch().count()) + "}\n";
  }
  return text;
}

void Sessions::Load(std::string_view text) {
  const Timestamp now = now_();
  absl::MutexLock lock(&mutex_);
  while (!text.empty() && sessions_.size() < limits_.max_sessions) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const auto line = ParseFlatObject(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.ok()) continue;
    std::string id;
    Session session;
    std::int64_t started = 0;
    std::int64_t used = 0;
    const bool complete = Take(*line, "id", id) && Take(*line, "username", session.username) &&
                          Take(*line, "generation", session.generation) &&
                          Take(*line, "secret_digest", session.secret_digest) &&
                          Take(*line, "started", started) && Take(*line, "used", used);
    session.started = Timestamp(Duration(started));
    session.used = Timestamp(Duration(used));
    if (complete && !Expired(session, now)) sessions_[id] = std::move(session);
  }
}

std::size_t Sessions::size() const {
  absl::MutexLock lock(&mutex_);
  return sessions_.size();
}

}  // namespace nta::server

#include "notices/notification_desk.h"

#include <sodium.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "logging/log.h"
#include "text.h"

namespace nta::server {
namespace {

using Object = nlohmann::ordered_json;

constexpr std::string_view kChannelKind = "notification_channel";
constexpr std::string_view kRoutesKind = "notification_routes";
constexpr std::string_view kInAppKind = "notification";
constexpr std::string_view kSeenKind = "notification_seen";
constexpr Severity kLeastInApp = Severity::kMedium;
constexpr std::size_t kMostFresh = 100;
constexpr std::chrono::milliseconds kLongestSleep(1000);

std::string Dump(const Object& json) {
  return json.dump(-1, ' ', false, Object::error_handler_t::replace);
}
std::string Message(const absl::Status& status) {
  return std::string(status.message().data(), status.message().size());
}
absl::Status NotFound(std::string_view what) {
  return base::MakeStatus(absl::StatusCode::kNotFound, what);
}
std::string TextOf(const Object& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

NotificationDesk::NotificationDesk(Store& store, Clock clock)
    : store_(store), clock_(std::move(clock)) {}
NotificationDesk::~NotificationDesk() = default;

absl::Status NotificationDesk::Open(const std::string& directory, std::string key) {
  if (sodium_init() < 0 || key.size() < crypto_secretbox_KEYBYTES) {
    return base::InvalidArgument("the key of notifications is too short");
  }
  key_ = std::move(key);
  NTA_ASSIGN_OR_RETURN(notifier_, Notifier::Open({.directory = directory}));
  absl::MutexLock lock(&mutex_);
  return TakeUp();
}

absl::Status NotificationDesk::Reload() {
  if (notifier_ == nullptr) return absl::OkStatus();
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, channel] : channels_) notifier_->SetChannel(id, nullptr);
  channels_.clear();
  routes_.clear();
  seen_.clear();
  {
    absl::MutexLock in_app(&in_app_mutex_);
    kept_.clear();
    fresh_.clear();
    gone_.clear();
    next_number_ = 1;
  }
  return TakeUp();
}

absl::Status NotificationDesk::TakeUp() {
  NTA_RETURN_IF_ERROR(LoadChannels());
  NTA_RETURN_IF_ERROR(LoadInApp());
  if (const auto routes = store_.GetDocument(kRoutesKind, "all"); routes.ok()) {
    if (auto parsed = RoutesFromJson(routes->body); parsed.ok()) routes_ = *std::move(parsed);
  }
  notifier_->SetRoutes(routes_);
  return absl::OkStatus();
}

std::string NotificationDesk::Seal(std::string_view secret) const {
  if (secret.empty()) return "";
  std::string nonce(crypto_secretbox_NONCEBYTES, '\0');
  randombytes_buf(nonce.data(), nonce.size());
  std::string box(secret.size() + crypto_secretbox_MACBYTES, '\0');
  crypto_secretbox_easy(reinterpret_cast<unsigned char*>(box.data()),
                        reinterpret_cast<const unsigned char*>(secret.data()), secret.size(),
                        reinterpret_cast<const unsigned char*>(nonce.data()),
                        reinterpret_cast<const unsigned char*>(key_.data()));
  return Base64UrlEncode(nonce + box);
}

std::string NotificationDesk::Unseal(std::string_view sealed) const {
  const auto bytes = Base64UrlDecode(sealed);
  constexpr std::size_t kOverhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
  if (!bytes || bytes->size() <= kOverhead) return "";
  std::string secret(bytes->size() - kOverhead, '\0');
  const auto* data = reinterpret_cast<const unsigned char*>(bytes->data());
  const int failed = crypto_secretbox_open_easy(
      reinterpret_cast<unsigned char*>(secret.data()), data + crypto_secretbox_NONCEBYTES,
      bytes->size() - crypto_secretbox_NONCEBYTES, data,
      reinterpret_cast<const unsigned char*>(key_.data()));
  return failed != 0 ? "" : secret;
}

absl::Status NotificationDesk::LoadChannels() {
  NTA_ASSIGN_OR_RETURN(const DocumentPage page, store_.Documents({.kind = std::string(kChannelKind),
                                                                  .limit = kMostChannels}));
  for (const Document& document : page.documents) {
    const Object json = Object::parse(document.body, nullptr, false);
    absl::StatusOr<ChannelSetup> channel =
        json.is_object() ? ChannelFromJson(json.value("channel", Object()).dump())
                         : base::InvalidArgument("it is damaged");
    if (!channel.ok()) {
      Log(LogLevel::kWarning,
          "channel " + document.id + " is left out: " + Message(channel.status()));
      continue;
    }
    const std::string sealed = TextOf(json, "secret");
    const std::string secret = Unseal(sealed);
    channel->needs_secret = !sealed.empty() && secret.empty();
    channel->email.password = channel->kind == "email" ? secret : "";
    channel->webhook.secret = channel->kind == "webhook" ? secret : "";
    if (channel->needs_secret) {
      Log(LogLevel::kWarning, "channel " + channel->id +
                                  " sends nothing: its secret was sealed with another key and must "
                                  "be entered again");
    } else if (auto made = Make(*channel); made.ok()) {
      if (channel->enabled) notifier_->SetChannel(channel->id, *std::move(made));
    } else {
      Log(LogLevel::kWarning, "channel " + channel->id + ": " + Message(made.status()));
    }
    channels_.insert_or_assign(document.id, *std::move(channel));
  }
  return absl::OkStatus();
}

absl::Status NotificationDesk::LoadInApp() {
  NTA_ASSIGN_OR_RETURN(const DocumentPage page,
                       store_.Documents({.kind = std::string(kInAppKind), .limit = 10'000}));
  absl::MutexLock lock(&in_app_mutex_);
  for (const Document& document : page.documents) {
    const Object json = Object::parse(document.body, nullptr, false);
    if (!json.is_object()) continue;
    InAppNotification one{.id = document.id,
                          .time = ParseTimestamp(TextOf(json, "time")).value_or(Timestamp{}),
                          .severity = ParseSeverity(TextOf(json, "severity")).value_or(kLeastInApp),
                          .subject = TextOf(json, "subject"),
                          .text = TextOf(json, "text"),
                          .alert = TextOf(json, "alert")};
    // Never back: a number is given once in the life of a process.
    next_number_ =
        std::max<std::uint64_t>(next_number_, std::strtoull(document.id.c_str(), nullptr, 10) + 1);
    kept_.push_back(std::move(one));
  }
  while (kept_.size() > kMostKept) {
    gone_.push_back(kept_.front().id);
    kept_.pop_front();
  }
  return absl::OkStatus();
}

absl::Status NotificationDesk::Put(std::string_view kind, const std::string& id, std::string body) {
  return store_
      .PutDocument({.kind = std::string(kind),
                    .id = id,
                    .body = std::move(body),
                    .updated = clock_.wall(),
                    .version = Document::kAnyVersion})
      .status();
}

absl::StatusOr<std::unique_ptr<NotificationChannel>> NotificationDesk::Make(
    const ChannelSetup& setup) const {
  if (setup.kind == "email") {
    NTA_ASSIGN_OR_RETURN(auto channel, EmailChannel::Create(setup.email));
    return std::unique_ptr<NotificationChannel>(std::move(channel));
  }
  if (setup.kind == "webhook") {
    NTA_ASSIGN_OR_RETURN(auto channel, WebhookChannel::Create(setup.webhook));
    return std::unique_ptr<NotificationChannel>(std::move(channel));
  }
  NTA_ASSIGN_OR_RETURN(auto channel, SyslogChannel::Create(setup.syslog));
  return std::unique_ptr<NotificationChannel>(std::move(channel));
}

void NotificationDesk::Offer(const Alert& alert, std::string json) {
  const Notification news = AlertNotification(alert, std::move(json));
  if (notifier_ != nullptr) notifier_->Offer(news, clock_.wall());
  if (alert.state != AlertState::kOpen || alert.severity < kLeastInApp) return;
  absl::MutexLock lock(&in_app_mutex_);
  InAppNotification one{.id = absl::StrFormat("%020d", next_number_++),
                        .time = alert.time,
                        .severity = alert.severity,
                        .subject = news.subject,
                        .text = alert.summary,
                        .alert = alert.id};
  kept_.push_back(one);
  // In a storm only the last ones reach the disk: those that are kept.
  if (fresh_.size() == kMostFresh) fresh_.erase(fresh_.begin());
  fresh_.push_back(std::move(one));
  while (kept_.size() > kMostKept) {
    gone_.push_back(kept_.front().id);
    kept_.pop_front();
  }
}

void NotificationDesk::OfferSummary(std::string_view day, std::string_view text, std::string json) {
  if (notifier_ == nullptr) return;
  Notification news;
  news.id = "day-" + std::string(day);
  news.time = clock_.wall();
  news.kind = kDailySummaryClass;
  news.alert_class = kDailySummaryClass;
  news.subject = "The day " + std::string(day);
  news.text = text;
  news.json = std::move(json);
  notifier_->Offer(news, clock_.wall());
}

void NotificationDesk::SaveInApp() {
  std::vector<InAppNotification> fresh;
  std::vector<std::string> gone;
  {
    absl::MutexLock lock(&in_app_mutex_);
    fresh.swap(fresh_);
    gone.swap(gone_);
  }
  for (const InAppNotification& one : fresh) {
    if (const absl::Status status = Put(kInAppKind, one.id, ToJson(one)); !status.ok()) {
      Log(LogLevel::kWarning, "a notification was not saved: " + Message(status));
    }
  }
  for (const std::string& id : gone) {
    const absl::Status status = store_.RemoveDocument(kInAppKind, id);
    static_cast<void>(status);  // it may never have reached the disk
  }
}

Timestamp NotificationDesk::Step() {
  SaveInApp();
  return notifier_ == nullptr ? Timestamp::max() : notifier_->Step(clock_.wall());
}

void NotificationDesk::Run(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  while (!stop.stop_requested()) {
    const Timestamp next = Step();
    std::unique_lock lock(mutex);
    const Duration until_due = next == Timestamp::max() ? Duration::max() : next - clock_.wall();
    wake.wait_for(lock, stop, std::clamp<Duration>(until_due, Duration(1), kLongestSleep),
                  [] { return false; });
  }
  SaveInApp();
}

std::vector<ChannelSetup> NotificationDesk::Channels() const {
  absl::MutexLock lock(&mutex_);
  std::vector<ChannelSetup> channels;
  for (const auto& [id, channel] : channels_) channels.push_back(channel);
  return channels;
}

namespace {

absl::Status NeedsSecret(const ChannelSetup& channel) {
  return base::MakeStatus(
      absl::StatusCode::kFailedPrecondition,
      std::string(channel.kind == "email" ? "the password" : "the secret") +
          " of this channel was stored with another key, as after a restore from another machine: "
          "enter it again");
}

}  // namespace

absl::StatusOr<ChannelSetup> NotificationDesk::PutChannel(ChannelSetup channel, bool is_new) {
  absl::MutexLock lock(&mutex_);
  const auto known = channels_.find(channel.id);
  if (is_new && known != channels_.end()) {
    return base::MakeStatus(absl::StatusCode::kAlreadyExists,
                            "there is a channel of that id already");
  }
  if (!is_new && known == channels_.end()) return NotFound("there is no such channel");
  if (is_new && channels_.size() >= kMostChannels) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition, "there are 50 channels already");
  }
  if (known != channels_.end() && known->second.kind == channel.kind) {
    const ChannelSetup& old = known->second;
    // Whoever changes the server must know the password again: it is not sent to another one.
    const bool same_server = old.email.host == channel.email.host &&
                             old.email.port == channel.email.port &&
                             old.email.username == channel.email.username &&
                             channel.email.security != EmailSecurity::kNone;
    if (channel.email.password.empty() && same_server) {
      channel.email.password = old.email.password;
    }
    if (channel.webhook.secret.empty() && old.webhook.url == channel.webhook.url) {
      channel.webhook.secret = old.webhook.secret;
    }
    // Without a user name nobody logs in, and another address has another secret.
    const bool lacks =
        channel.kind == "email"
            ? same_server && !channel.email.username.empty() && channel.email.password.empty()
            : old.webhook.url == channel.webhook.url && channel.webhook.secret.empty();
    if (old.needs_secret && lacks) return NeedsSecret(old);
  }
  channel.needs_secret = false;
  NTA_ASSIGN_OR_RETURN(auto made, Make(channel));
  const std::string secret = channel.kind == "email"     ? channel.email.password
                             : channel.kind == "webhook" ? channel.webhook.secret
                                                         : std::string();
  const Object json = {{"channel", Object::parse(ToJson(channel, {}))}, {"secret", Seal(secret)}};
  NTA_RETURN_IF_ERROR(Put(kChannelKind, channel.id, Dump(json)));
  if (notifier_ != nullptr) {
    notifier_->SetChannel(channel.id, channel.enabled ? std::move(made) : nullptr);
  }
  channels_.insert_or_assign(channel.id, channel);
  return channel;
}

absl::Status NotificationDesk::RemoveChannel(std::string_view id) {
  absl::MutexLock lock(&mutex_);
  const auto found = channels_.find(id);
  if (found == channels_.end()) return NotFound("there is no such channel");
  if (std::any_of(routes_.begin(), routes_.end(),
                  [&](const NotificationRoute& route) { return route.channel == found->first; })) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                            "a route leads to this channel; change the routes first");
  }
  NTA_RETURN_IF_ERROR(store_.RemoveDocument(kChannelKind, id));
  if (notifier_ != nullptr) notifier_->SetChannel(id, nullptr);
  channels_.erase(found);
  return absl::OkStatus();
}

absl::Status NotificationDesk::TestChannel(std::string_view id) {
  std::unique_ptr<NotificationChannel> channel;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = channels_.find(id);
    if (found == channels_.end()) return NotFound("there is no such channel");
    if (found->second.needs_secret) return NeedsSecret(found->second);
    // One of its own: that of the queue may be sending.
    NTA_ASSIGN_OR_RETURN(channel, Make(found->second));
  }
  const Timestamp now = clock_.wall();
  return channel->Send(TestNotification(now), now);
}

std::map<std::string, ChannelStats> NotificationDesk::Stats() const {
  return notifier_ == nullptr ? std::map<std::string, ChannelStats>() : notifier_->Stats();
}

std::vector<NotificationRoute> NotificationDesk::Routes() const {
  absl::MutexLock lock(&mutex_);
  return routes_;
}

absl::Status NotificationDesk::SetRoutes(std::vector<NotificationRoute> routes) {
  absl::MutexLock lock(&mutex_);
  if (routes.size() > kMostRoutes) return base::InvalidArgument("at most 100 routes");
  std::set<std::string> ids;
  Object list = Object::array();
  for (const NotificationRoute& route : routes) {
    if (!channels_.contains(route.channel)) {
      return base::InvalidArgument("there is no channel \"" + route.channel.substr(0, 80) + "\"");
    }
    if (!ids.insert(route.id).second) {
      return base::InvalidArgument("two routes have the id \"" + route.id.substr(0, 80) + "\"");
    }
    list.push_back(Object::parse(ToJson(route)));
  }
  NTA_RETURN_IF_ERROR(Put(kRoutesKind, "all", Dump(list)));
  routes_ = std::move(routes);
  if (notifier_ != nullptr) notifier_->SetRoutes(routes_);
  return absl::OkStatus();
}

const NotificationDesk::Seen& NotificationDesk::SeenBy(const std::string& user) const {
  if (const auto known = seen_.find(user); known != seen_.end()) return known->second;
  constexpr std::size_t kMostRemembered = 1000;
  if (seen_.size() >= kMostRemembered) seen_.clear();
  Seen& seen = seen_[user];
  const auto document = store_.GetDocument(kSeenKind, user);
  if (!document.ok()) return seen;
  const Object json = Object::parse(document->body, nullptr, false);
  if (!json.is_object()) return seen;
  seen.cleared_until = TextOf(json, "cleared_until");
  seen.read_until = TextOf(json, "read_until");
  for (const Object& id : json.value("read", Object::array())) {
    if (id.is_string()) seen.read.insert(id.get<std::string>());
  }
  return seen;
}

std::pair<std::string, std::string> NotificationDesk::Kept() const {
  absl::MutexLock lock(&in_app_mutex_);
  if (kept_.empty()) return {};
  return {kept_.front().id, kept_.back().id};
}

absl::Status NotificationDesk::SaveSeen(const std::string& user, const Seen& seen) {
  const std::string oldest = Kept().first;
  Object read = Object::array();
  for (const std::string& id : seen.read) {
    // What is no longer kept needs no mark.
    if (id >= oldest) read.push_back(id);
  }
  NTA_RETURN_IF_ERROR(Put(kSeenKind, user,
                          Dump({{"cleared_until", seen.cleared_until},
                                {"read_until", seen.read_until},
                                {"read", read}})));
  seen_[user] = seen;
  return absl::OkStatus();
}

std::vector<InAppNotification> NotificationDesk::List(const std::string& user) const {
  absl::MutexLock lock(&mutex_);
  const Seen& seen = SeenBy(user);
  std::vector<InAppNotification> list;
  absl::MutexLock in_app(&in_app_mutex_);
  for (auto one = kept_.rbegin(); one != kept_.rend(); ++one) {
    if (one->id <= seen.cleared_until) break;
    list.push_back(*one);
    list.back().read = one->id <= seen.read_until || seen.read.contains(one->id);
  }
  return list;
}

absl::Status NotificationDesk::MarkRead(const std::string& user, std::string_view id) {
  absl::MutexLock lock(&mutex_);
  Seen seen = SeenBy(user);
  if (id.empty()) {
    seen.read_until = Kept().second;
    seen.read.clear();
    return SaveSeen(user, seen);
  }
  {
    absl::MutexLock in_app(&in_app_mutex_);
    const bool known = std::any_of(kept_.begin(), kept_.end(),
                                   [&](const InAppNotification& one) { return one.id == id; });
    if (!known) return NotFound("there is no such notification");
  }
  seen.read.insert(std::string(id));
  return SaveSeen(user, seen);
}

absl::Status NotificationDesk::Clear(const std::string& user) {
  absl::MutexLock lock(&mutex_);
  Seen seen = SeenBy(user);
  seen.cleared_until = seen.read_until = Kept().second;
  seen.read.clear();
  return SaveSeen(user, seen);
}

}  // namespace nta::server

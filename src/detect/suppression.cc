// What a suppression is, and which alerts it means.
#include "nta/detect/suppression.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/utf8.h"

namespace nta {
namespace {

constexpr std::size_t kMaxText = 1000;
constexpr std::size_t kMaxEntries = 1000;
constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
// Evidence that names domains.
constexpr std::array<std::string_view, 4> kDomainEvidence = {"domain", "domains", "server_name",
                                                             "server_names"};

template <typename Number>
std::optional<Number> ParseWhole(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<int> DayOf(std::string_view text) {
  const auto* found = std::find(kDays.begin(), kDays.end(), text);
  if (found == kDays.end()) return std::nullopt;
  return static_cast<int>(found - kDays.begin());
}

std::optional<Duration> ParseTimeOfDay(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = ParseWhole<unsigned>(text.substr(0, 2));
  const auto minute = ParseWhole<unsigned>(text.substr(3));
  if (!hour || !minute || *hour > 24 || *minute > 59 || (*hour == 24 && *minute > 0)) {
    return std::nullopt;
  }
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute);
}

// "mon", "mon-fri", "daily", and several with commas between.
std::optional<std::bitset<7>> ParseDays(std::string_view text) {
  std::bitset<7> days;
  while (true) {
    const std::string_view part = text.substr(0, text.find(','));
    const std::size_t dash = part.find('-');
    if (part == "daily") {
      days.set();
    } else {
      const auto first = DayOf(part.substr(0, dash));
      const auto last = dash == std::string_view::npos ? first : DayOf(part.substr(dash + 1));
      if (!first || !last) return std::nullopt;
      for (int day = *first;; day = (day + 1) % 7) {
        days.set(static_cast<std::size_t>(day));
        if (day == *last) break;
      }
    }
    if (part.size() == text.size()) return days;
    text.remove_prefix(part.size() + 1);
  }
}

std::string TimeOfDay(Duration time) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(time).count();
  return absl::StrFormat("%02d:%02d", minutes / 60, minutes % 60);
}

bool AnyContains(const std::vector<IpPrefix>& prefixes, const std::optional<IpAddress>& address) {
  return address && std::any_of(prefixes.begin(), prefixes.end(),
                                [&](const IpPrefix& prefix) { return prefix.Contains(*address); });
}

// The numbers in "tcp/22", "udp/53", "destination_port 22".
bool NamesPort(const std::vector<PortRange>& ports, const std::optional<std::string>& service) {
  if (!service) return false;
  std::size_t at = service->find_last_of("/ ");
  const auto port = ParseWhole<std::uint16_t>(
      std::string_view(*service).substr(at == std::string::npos ? 0 : at + 1));
  return port && std::any_of(ports.begin(), ports.end(), [&](const PortRange& range) {
           return range.first <= *port && *port <= range.last;
         });
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool IsWithin(std::string_view name, std::string_view domain) {
  while (name.ends_with('.')) name.remove_suffix(1);
  while (domain.starts_with('.') || domain.starts_with('*')) domain.remove_prefix(1);
  if (domain.empty() || name.size() < domain.size()) return false;
  const std::string_view tail = name.substr(name.size() - domain.size());
  if (!std::equal(tail.begin(), tail.end(), domain.begin(),
                  [](char a, char b) { return Lower(a) == Lower(b); })) {
    return false;
  }
  return name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.';
}

// An alert that speaks of several domains is meant when all of them are.
bool NamesDomain(const std::vector<std::string>& domains, const Alert& alert) {
  const auto listed = [&](std::string_view name) {
    return std::any_of(domains.begin(), domains.end(),
                       [&](const std::string& domain) { return IsWithin(name, domain); });
  };
  bool found = false;
  for (const std::string_view key : kDomainEvidence) {
    const auto value = alert.evidence.find(std::string(key));
    if (value == alert.evidence.end()) continue;
    if (const auto* text = std::get_if<std::string>(&value->second)) {
      if (!listed(*text)) return false;
      found = true;
    } else if (const auto* texts = std::get_if<std::vector<std::string>>(&value->second)) {
      if (texts->empty() || !std::all_of(texts->begin(), texts->end(), listed)) return false;
      found = true;
    }
  }
  return found;
}

absl::Status CheckText(std::string_view name, std::string_view text) {
  if (text.size() <= kMaxText && base::IsPrintableUtf8(text)) return absl::OkStatus();
  return base::InvalidArgument(std::string(name) +
                               " is at most 1000 bytes of UTF-8 without control characters");
}

template <typename T>
absl::Status CheckSize(std::string_view name, const std::vector<T>& list) {
  if (list.size() <= kMaxEntries) return absl::OkStatus();
  return base::InvalidArgument(std::string(name) + " has more than 1000 entries");
}

}  // namespace

std::string_view ToString(SuppressionKind kind) {
  switch (kind) {
    case SuppressionKind::kSuppression:
      return "suppression";
    case SuppressionKind::kMaintenance:
      return "maintenance";
    case SuppressionKind::kAllow:
      return "allow";
  }
  return "";
}

absl::StatusOr<SuppressionKind> ParseSuppressionKind(std::string_view text) {
  for (const SuppressionKind kind :
       {SuppressionKind::kSuppression, SuppressionKind::kMaintenance, SuppressionKind::kAllow}) {
    if (text == ToString(kind)) return kind;
  }
  return base::InvalidArgument("a kind is suppression, maintenance or allow");
}

bool WeeklyTime::Contains(Timestamp time) const {
  const auto midnight = std::chrono::floor<std::chrono::days>(time);
  const Duration since = time - midnight;
  // ISO numbers Monday 1 to Sunday 7.
  const std::size_t today = std::chrono::weekday(midnight).iso_encoding() - 1;
  const std::size_t yesterday = (today + 6) % 7;
  if (begin < end) return days.test(today) && begin <= since && since < end;
  return (days.test(today) && since >= begin) || (days.test(yesterday) && since < end);
}

absl::StatusOr<WeeklyTime> ParseWeeklyTime(std::string_view text) {
  const std::size_t space = text.find(' ');
  const std::string_view times =
      space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
  const std::size_t dash = times.find('-');
  const auto days = ParseDays(text.substr(0, space));
  const auto begin = ParseTimeOfDay(times.substr(0, dash));
  const auto end =
      dash == std::string_view::npos ? std::nullopt : ParseTimeOfDay(times.substr(dash + 1));
  if (!days || !begin || !end || *begin == std::chrono::hours(24)) {
    return base::InvalidArgument(
        "a weekly time is written \"mon-fri 22:00-06:00\", \"sat,sun 00:00-24:00\" or \"daily "
        "02:00-04:30\", in UTC");
  }
  return WeeklyTime{*days, *begin, *end};
}

std::string ToString(const WeeklyTime& time) {
  std::string text;
  if (time.days.all()) {
    text = "daily";
  } else {
    for (std::size_t day = 0; day < kDays.size(); ++day) {
      if (!time.days.test(day)) continue;
      text += (text.empty() ? "" : ",") + std::string(kDays[day]);
    }
  }
  return text + " " + TimeOfDay(time.begin) + "-" + TimeOfDay(time.end);
}

namespace {

// Whether it leaves anything out.
bool Narrows(const std::vector<IpPrefix>& networks) {
  return !networks.empty() && std::none_of(networks.begin(), networks.end(),
                                           [](const IpPrefix& one) { return one.length() == 0; });
}

}  // namespace

absl::Status Validate(const Suppression& s) {
  if (s.id.empty() || s.id.size() > 64) {
    return base::InvalidArgument("the id of a suppression is 1 to 64 bytes");
  }
  if (s.reason.empty()) return base::InvalidArgument("a suppression needs a reason");
  NTA_RETURN_IF_ERROR(CheckText("reason", s.reason));
  NTA_RETURN_IF_ERROR(CheckText("author", s.author));
  NTA_RETURN_IF_ERROR(CheckSize("sources", s.sources));
  NTA_RETURN_IF_ERROR(CheckSize("destinations", s.destinations));
  NTA_RETURN_IF_ERROR(CheckSize("hosts", s.hosts));
  NTA_RETURN_IF_ERROR(CheckSize("ports", s.ports));
  NTA_RETURN_IF_ERROR(CheckSize("domains", s.domains));
  NTA_RETURN_IF_ERROR(CheckSize("detectors", s.detectors));
  NTA_RETURN_IF_ERROR(CheckSize("classes", s.classes));
  for (const std::string& domain : s.domains) {
    NTA_RETURN_IF_ERROR(CheckText("domains", domain));
    if (domain.find_first_not_of(".*") == std::string::npos) {
      return base::InvalidArgument("an entry of domains names no domain");
    }
  }
  for (const std::string& name : s.detectors) NTA_RETURN_IF_ERROR(CheckText("detectors", name));
  if (s.begins && s.expires && *s.expires <= *s.begins) {
    return base::InvalidArgument("expires is not after begins");
  }
  const bool scoped = Narrows(s.sources) || Narrows(s.destinations) || Narrows(s.hosts) ||
                      !s.ports.empty() || !s.domains.empty() || !s.detectors.empty() ||
                      !s.classes.empty();
  if (scoped) return absl::OkStatus();
  if (s.kind == SuppressionKind::kMaintenance) {
    if (s.expires || s.weekly) return absl::OkStatus();
    return base::InvalidArgument("a maintenance window needs an end or a weekly time");
  }
  return base::InvalidArgument(
      "a suppression without a source, destination, host, port, domain, detector or class would "
      "hide everything; so would one of all addresses");
}

bool Matches(const Suppression& s, const Alert& alert) {
  const AlertEntity& entity = alert.entity;
  if (s.begins && alert.time < *s.begins) return false;
  if (s.expires && alert.time >= *s.expires) return false;
  if (s.weekly && !s.weekly->Contains(alert.time)) return false;
  if (!s.classes.empty() &&
      std::find(s.classes.begin(), s.classes.end(), alert.alert_class) == s.classes.end()) {
    return false;
  }
  if (!s.detectors.empty() &&
      std::find(s.detectors.begin(), s.detectors.end(), alert.detector) == s.detectors.end()) {
    return false;
  }
  if (!s.sources.empty() && !AnyContains(s.sources, entity.source)) return false;
  if (!s.destinations.empty() && !AnyContains(s.destinations, entity.destination)) return false;
  if (!s.hosts.empty() && !AnyContains(s.hosts, entity.source) &&
      !AnyContains(s.hosts, entity.destination)) {
    return false;
  }
  if (!s.ports.empty() && !NamesPort(s.ports, entity.service)) return false;
  return s.domains.empty() || NamesDomain(s.domains, alert);
}

}  // namespace nta

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/status.h"
#include "nta/store/address_name.h"
#include "store/hash_map.h"
#include "store/operations.h"
#include "store/traffic_source.h"

namespace nta {

std::string_view ToString(NameOrigin origin) {
  return origin == NameOrigin::kKnownAs ? "known_as" : "asked_for";
}

}  // namespace nta

namespace nta::store {
namespace {

constexpr std::size_t kMostAddresses = 64;
constexpr std::size_t kMostNames = 64;
// Strangers choose names: so many of an address are held while flows are read, the latest.
constexpr std::size_t kMostHeld = 1'024;
constexpr std::uint32_t kNobody = ~std::uint32_t{0};

struct Seen {
  Timestamp first = Timestamp::max();
  Timestamp last = Timestamp::min();

  void Widen(const Seen& other) {
    first = std::min(first, other.first);
    last = std::max(last, other.last);
  }
};

// A DNS query names whom it asks about, not whom it asks.
bool NamesTheServer(std::uint64_t application) {
  switch (static_cast<Application>(application)) {
    case Application::kTls:
    case Application::kDtls:
    case Application::kQuic:
    case Application::kHttp:
    case Application::kHttp2:
    case Application::kWebsocket:
      return true;
    default:
      return false;
  }
}

class NameCollector {
 public:
  explicit NameCollector(const std::vector<IpAddress>& addresses)
      : addresses_(addresses), names_(addresses.size()) {}

  void Add(const CountedFlows& flows, const TimeInterval& interval) {
    const TrafficColumns& columns = flows.columns();
    const std::vector<std::uint32_t> sources = Wanted(*columns.source);
    const std::vector<std::uint32_t> destinations = Wanted(*columns.destination);
    Found found;
    for (std::size_t i = 0; i < flows.size(); ++i) {
      if (!flows.selected(i)) continue;
      const std::uint32_t source = sources[columns.source->index[i]];
      const std::uint32_t destination = destinations[columns.destination->index[i]];
      if (source == kNobody && destination == kNobody) continue;
      const Span span = flows.FlowSpan(i);
      if (span.last_seen < interval.since || span.first_seen >= interval.until) continue;
      const Seen seen{span.first_seen, span.last_seen};
      Note(found.source, source, columns.source_name, i, seen);
      Note(found.destination, destination, columns.destination_name, i, seen);
      if (NamesTheServer(columns.application[i])) {
        Note(found.server, destination, columns.server_name, i, seen);
      }
    }
    Take(found.source, columns.source_name, NameOrigin::kKnownAs);
    Take(found.destination, columns.destination_name, NameOrigin::kKnownAs);
    Take(found.server, columns.server_name, NameOrigin::kAskedFor);
  }

  bool AllNamed() const {
    return std::none_of(names_.begin(), names_.end(),
                        [](const Names& names) { return names.empty(); });
  }

  std::vector<AddressNames> Rows(std::size_t limit) const {
    std::vector<AddressNames> rows;
    for (std::size_t i = 0; i < addresses_.size(); ++i) {
      AddressNames& row = rows.emplace_back(AddressNames{addresses_[i], {}});
      for (const auto& [key, seen] : names_[i]) {
        row.names.push_back({key.first, key.second, seen.first, seen.last});
      }
      std::stable_sort(row.names.begin(), row.names.end(),
                       [](const AddressName& a, const AddressName& b) {
                         return std::pair(a.origin, b.last_seen) < std::pair(b.origin, a.last_seen);
                       });
      if (row.names.size() > limit) row.names.resize(limit);
    }
    return rows;
  }

 private:
  using Names = std::map<std::pair<std::string, NameOrigin>, Seen>;
  // By place of the address asked for (upper half) and of the text in its dictionary.
  using Places = HashMap<std::uint64_t, Seen>;
  struct Found {
    Places source;
    Places destination;
    Places server;
  };

  // For each address of the column its place among those asked for, or kNobody.
  std::vector<std::uint32_t> Wanted(const AddressColumn& column) const {
    std::vector<std::uint32_t> wanted(column.dictionary.size(), kNobody);
    for (std::uint32_t i = 0; i < addresses_.size(); ++i) {
      for (std::size_t k = 0; k < wanted.size(); ++k) {
        if (column.dictionary[k] == addresses_[i]) wanted[k] = i;
      }
    }
    return wanted;
  }

  static void Note(Places& places, std::uint32_t address, const TextColumn* texts, std::size_t row,
                   const Seen& seen) {
    if (address == kNobody || texts == nullptr) return;
    const std::uint32_t text = texts->index[row];
    if (texts->dictionary[text].empty()) return;
    places[std::uint64_t{address} << 32 | text].Widen(seen);
  }

  void Take(const Places& places, const TextColumn* texts, NameOrigin origin) {
    for (const auto& [place, seen] : places) {
      Names& names = names_[place >> 32];
      names[{texts->dictionary[place & 0xffffffff], origin}].Widen(seen);
      if (names.size() > kMostHeld) Forget(names);
    }
  }

  // Leaves the later half.
  static void Forget(Names& names) {
    std::vector<Timestamp> times;
    for (const auto& [key, seen] : names) times.push_back(seen.last);
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    std::size_t left = names.size();
    for (auto it = names.begin(); it != names.end() && left > kMostHeld / 2;) {
      const bool old = it->second.last <= *middle;
      it = old ? names.erase(it) : std::next(it);
      left -= old ? 1 : 0;
    }
  }

  const std::vector<IpAddress>& addresses_;
  std::vector<Names> names_;
};

absl::Status CheckNames(const NameQuery& query) {
  NTA_RETURN_IF_ERROR(CheckInterval({query.since, query.until}));
  NTA_RETURN_IF_ERROR(CheckLimit(query.limit, kMostNames));
  if (!query.addresses.empty() && query.addresses.size() <= kMostAddresses) return absl::OkStatus();
  return base::InvalidArgument("names are asked for of 1 to 64 addresses");
}

absl::StatusOr<FlowFilter> FlowsOf(const std::vector<IpAddress>& addresses) {
  std::string text;
  for (const IpAddress& address : addresses) {
    text += (text.empty() ? "host in (" : ",") + address.ToString();
  }
  return FlowFilter::Parse(text + ")");
}

// From when on flows are kept until behind the last.
absl::StatusOr<TimeInterval> Kept(TrafficSource& source) {
  NTA_ASSIGN_OR_RETURN(MinuteRange kept, source.rollups().Kept());
  NTA_ASSIGN_OR_RETURN(const std::optional<MinuteRange> newest, source.MinutesWithoutTotals());
  if (newest) {
    const bool only = kept.since == kept.until;
    kept = {only ? newest->since : std::min(kept.since, newest->since),
            only ? newest->until : std::max(kept.until, newest->until)};
  }
  return TimeInterval{StartOf(kept.since), StartOf(kept.until)};
}

}  // namespace

absl::StatusOr<NameResult> QueryNames(TrafficSource& source, const NameQuery& query) {
  NTA_RETURN_IF_ERROR(CheckNames(query));
  NTA_ASSIGN_OR_RETURN(const FlowFilter filter, FlowsOf(query.addresses));
  NTA_ASSIGN_OR_RETURN(const TimeInterval kept, Kept(source));
  const Timestamp since = std::max(query.since, kept.since);
  Timestamp until = std::min(query.until, kept.until);
  const TrafficNeeds needs{
      .times = true, .application = true, .source = true, .destination = true, .names = true};
  NameCollector collector(query.addresses);
  NameResult result;
  // Backwards, in ever longer steps: what is asked for is mostly what is new.
  Duration step = std::chrono::hours(1);
  while (until > since) {
    const TimeInterval part{until - since > step ? until - step : since, until};
    const absl::Status status =
        source.Scan(FlowsIn::kAny, part, filter, needs, [&](const CountedFlows& flows) {
          collector.Add(flows, part);
          return absl::OkStatus();
        });
    if (absl::IsDeadlineExceeded(status)) {
      result.complete = false;
      break;
    }
    NTA_RETURN_IF_ERROR(status);
    if (query.limit == 1 && collector.AllNamed()) break;
    until = part.since;
    step = std::min<Duration>(step * 4, std::chrono::hours(24 * 366));
  }
  result.rows = collector.Rows(query.limit);
  return result;
}

}  // namespace nta::store

#include "store/top_counter.h"

#include <algorithm>
#include <string>

#include "base/status.h"
#include "store/address_order.h"
#include "store/hash_map.h"
#include "store/rollup.h"

namespace nta::store {
namespace {

DirectedTotals Directed(const Share& share, std::uint64_t sent, std::uint64_t received) {
  return {{share.bytes(), share.packets, share.flows}, sent, received};
}

void Add(TrafficTotals& to, const Share& share) {
  to.bytes += share.bytes();
  to.packets += share.packets;
  to.flows += share.flows;
}

// For each address of `a` its place in `b`, or kNone.
constexpr std::uint32_t kNone = ~std::uint32_t{0};
std::vector<std::uint32_t> PlacesIn(const std::vector<IpAddress>& a,
                                    const std::vector<IpAddress>& b) {
  std::vector<std::uint32_t> places;
  places.reserve(a.size());
  auto it = b.begin();
  for (const IpAddress& address : a) {
    while (it != b.end() && CompareAddresses(*it, address) < 0) ++it;
    places.push_back(it != b.end() && CompareAddresses(*it, address) == 0
                         ? static_cast<std::uint32_t>(it - b.begin())
                         : kNone);
  }
  return places;
}

}  // namespace

bool TopCounter::counts_addresses() const {
  return dimension_ == TopDimension::kAddress || dimension_ == TopDimension::kSourceAddress ||
         dimension_ == TopDimension::kDestinationAddress;
}

bool TopCounter::counts_ports() const {
  return dimension_ == TopDimension::kSourcePort || dimension_ == TopDimension::kDestinationPort;
}

bool TopCounter::counts_applications() const {
  return dimension_ == TopDimension::kApplication || dimension_ == TopDimension::kCategory;
}

bool TopCounter::has_totals() const {
  return dimension_ != TopDimension::kServerName && dimension_ != TopDimension::kVlan;
}

TrafficNeeds TopCounter::needs() const {
  return {
      .protocol = counts_ports() || dimension_ == TopDimension::kProtocol,
      .ports = counts_ports(),
      .application = counts_applications(),
      .source = dimension_ == TopDimension::kAddress || dimension_ == TopDimension::kSourceAddress,
      .destination =
          dimension_ == TopDimension::kAddress || dimension_ == TopDimension::kDestinationAddress,
      .server_name = dimension_ == TopDimension::kServerName,
      .vlan = dimension_ == TopDimension::kVlan};
}

absl::Status TopCounter::Add(const CountedFlows& flows) {
  if (counts_addresses()) return AddAddresses(flows);
  if (dimension_ == TopDimension::kServerName) return AddNames(flows);
  return counts_applications() ? AddApplications(flows) : AddNumbers(flows);
}

absl::Status TopCounter::AddKeysOnly(const CountedFlows& flows) {
  const TrafficTotals total = total_;
  const TrafficTotals of_ports = of_ports_;
  const absl::Status status = Add(flows);
  total_ = total;
  of_ports_ = of_ports;
  return status;
}

TrafficSection TopCounter::section() const {
  if (counts_ports()) return TrafficSection::kPorts;
  return counts_applications() ? TrafficSection::kApplications : TrafficSection::kProtocols;
}

// By place in the dictionary first: one look-up for each address of a block instead of one or two
// for each flow.
absl::Status TopCounter::AddAddresses(const CountedFlows& flows) {
  const AddressColumn* source = flows.columns().source;
  const AddressColumn* destination = flows.columns().destination;
  std::vector<DirectedTotals> by_source(source == nullptr ? 0 : source->dictionary.size());
  std::vector<DirectedTotals> by_destination(
      destination == nullptr ? 0 : destination->dictionary.size());
  const bool both = source != nullptr && destination != nullptr;
  const std::vector<std::uint32_t> same =
      both ? PlacesIn(destination->dictionary, source->dictionary) : std::vector<std::uint32_t>();
  flows.ForEach([&](std::size_t i, const Share& share) {
    store::Add(total_, share);
    if (both && same[destination->index[i]] == source->index[i]) {
      by_source[source->index[i]].Add(Directed(share, share.bytes(), share.bytes()));
      return;
    }
    if (source != nullptr) {
      by_source[source->index[i]].Add(Directed(share, share.forward_bytes, share.reverse_bytes));
    }
    if (destination != nullptr) {
      by_destination[destination->index[i]].Add(
          Directed(share, share.reverse_bytes, share.forward_bytes));
    }
  });
  for (std::size_t i = 0; i < by_source.size(); ++i) {
    by_address_.emplace_back(source->dictionary[i], by_source[i]);
  }
  for (std::size_t i = 0; i < by_destination.size(); ++i) {
    by_address_.emplace_back(destination->dictionary[i], by_destination[i]);
  }
  const absl::Status status = addresses_.AddAll(by_address_);
  by_address_.clear();
  return status;
}

absl::Status TopCounter::AddNumbers(const CountedFlows& flows) {
  std::vector<DirectedTotals> by_number(65'536);
  const TrafficColumns& columns = flows.columns();
  flows.ForEach([&](std::size_t i, const Share& share) {
    store::Add(total_, share);
    const DirectedTotals totals = Directed(share, 0, 0);
    if (dimension_ == TopDimension::kProtocol) {
      by_number[columns.protocol[i] & 0xff].Add(totals);
    } else if (dimension_ == TopDimension::kVlan) {
      if (columns.vlan[i] != 0) by_number[(columns.vlan[i] - 1) & 0xffff].Add(totals);
    } else if (HasPorts(columns.protocol[i])) {
      store::Add(of_ports_, share);
      const std::uint64_t source = columns.source_port[i];
      const std::uint64_t destination = columns.destination_port[i];
      const bool at_source = dimension_ == TopDimension::kSourcePort;
      if (at_source ? CountsAtSource(source, destination)
                    : CountsAtDestination(source, destination)) {
        by_number[(at_source ? source : destination) & 0xffff].Add(totals);
      }
    }
  });
  for (std::size_t number = 0; number < by_number.size(); ++number) {
    NTA_RETURN_IF_ERROR(numbers_.Add(static_cast<std::uint32_t>(number), by_number[number]));
  }
  return absl::OkStatus();
}

absl::Status TopCounter::AddNames(const CountedFlows& flows) {
  const TextColumn* names = flows.columns().server_name;
  std::vector<DirectedTotals> by_place(names == nullptr ? 0 : names->dictionary.size());
  flows.ForEach([&](std::size_t i, const Share& share) {
    store::Add(total_, share);
    if (names != nullptr) by_place[names->index[i]].Add(Directed(share, 0, 0));
  });
  for (std::size_t place = 0; place < by_place.size(); ++place) {
    if (names->dictionary[place].empty()) continue;
    NTA_RETURN_IF_ERROR(names_.Add(names->dictionary[place], by_place[place]));
  }
  return absl::OkStatus();
}

absl::Status TopCounter::AddApplications(const CountedFlows& flows) {
  HashMap<std::uint64_t, Share> by_key;
  const TrafficColumns& columns = flows.columns();
  flows.ForEach([&](std::size_t i, const Share& share) {
    store::Add(total_, share);
    Share& sum =
        by_key[ApplicationKey(columns.application[i], columns.category[i], columns.evidence[i])];
    sum.forward_bytes += share.bytes();
    sum.packets += share.packets;
    sum.flows += share.flows;
  });
  for (const auto& [key, sum] : by_key) {
    NTA_RETURN_IF_ERROR(AddApplication(key, {sum.bytes(), sum.packets, sum.flows}));
  }
  return absl::OkStatus();
}

absl::Status TopCounter::AddApplication(std::uint64_t key, const TrafficTotals& totals) {
  const std::uint32_t number =
      dimension_ == TopDimension::kApplication ? ApplicationOf(key) : CategoryOf(key);
  if (number == 0) return absl::OkStatus();
  if (IsGuessed(key)) NTA_RETURN_IF_ERROR(guessed_.Add(number, {totals, 0, 0}));
  return numbers_.Add(number, {totals, 0, 0});
}

absl::Status TopCounter::AddKeys(const AddressPart& part) {
  const auto& c = part.counts;
  DirectedTotals totals;
  for (std::size_t i = 0; i < part.keys.size(); ++i) {
    if (dimension_ != TopDimension::kDestinationAddress) {
      totals.Add({{c[kSentAsSource][i] + c[kReceivedAsSource][i], c[kPacketsAsSource][i],
                   c[kFlowsAsSource][i]},
                  c[kSentAsSource][i],
                  c[kReceivedAsSource][i]});
    }
    if (dimension_ != TopDimension::kSourceAddress) {
      totals.Add({{c[kSentAsDestination][i] + c[kReceivedAsDestination][i],
                   c[kPacketsAsDestination][i], c[kFlowsAsDestination][i]},
                  c[kSentAsDestination][i],
                  c[kReceivedAsDestination][i]});
    }
    if (dimension_ == TopDimension::kAddress) {
      totals.totals.bytes -= c[kBytesToItself][i];
      totals.totals.packets -= c[kPacketsToItself][i];
      totals.totals.flows -= c[kFlowsToItself][i];
    }
    // One look-up for all protocols of an address.
    if (i + 1 < part.keys.size() &&
        CompareAddresses(part.keys[i + 1].address, part.keys[i].address) == 0) {
      continue;
    }
    by_address_.emplace_back(part.keys[i].address, totals);
    totals = {};
  }
  const absl::Status status = addresses_.AddAll(by_address_);
  by_address_.clear();
  return status;
}

absl::Status TopCounter::AddKeys(const TrafficPart& part) {
  const auto add = [this](std::uint64_t key, std::uint64_t bytes, std::uint64_t packets,
                          std::uint64_t flows) {
    return numbers_.Add(static_cast<std::uint32_t>(key), {{bytes, packets, flows}, 0, 0});
  };
  if (counts_ports()) {
    const std::size_t first =
        dimension_ == TopDimension::kSourcePort ? kBytesAtSource : kBytesAtDestination;
    const auto& c = part.ports.counts;
    for (std::size_t i = 0; i < part.ports.keys.size(); ++i) {
      NTA_RETURN_IF_ERROR(
          add(part.ports.keys[i] & 0xffff, c[first][i], c[first + 1][i], c[first + 2][i]));
    }
    return absl::OkStatus();
  }
  const auto& rows = counts_applications() ? part.applications : part.protocols;
  for (std::size_t i = 0; i < rows.keys.size(); ++i) {
    const TrafficTotals totals{rows.counts[kBytes][i], rows.counts[kPackets][i],
                               rows.counts[kFlows][i]};
    NTA_RETURN_IF_ERROR(counts_applications()
                            ? AddApplication(rows.keys[i], totals)
                            : add(rows.keys[i], totals.bytes, totals.packets, totals.flows));
  }
  return absl::OkStatus();
}

void TopCounter::AddTotal(const TrafficPart& part) {
  const auto& c = part.protocols.counts;
  for (std::size_t i = 0; i < part.protocols.keys.size(); ++i) {
    const TrafficTotals totals{c[kBytes][i], c[kPackets][i], c[kFlows][i]};
    for (TrafficTotals* to : {&total_, &of_ports_}) {
      if (to == &of_ports_ && !HasPorts(part.protocols.keys[i])) continue;
      to->bytes += totals.bytes;
      to->packets += totals.packets;
      to->flows += totals.flows;
    }
  }
}

std::optional<TrafficTotals> TopCounter::Other() const {
  if (counts_addresses() || dimension_ == TopDimension::kProtocol) return std::nullopt;
  const TrafficTotals keys =
      dimension_ == TopDimension::kServerName ? names_.Sum() : numbers_.Sum();
  const TrafficTotals& all = counts_ports() ? of_ports_ : total_;
  return TrafficTotals{all.bytes - keys.bytes, all.packets - keys.packets, all.flows - keys.flows};
}

std::vector<TopRow> TopCounter::Rows(Measure by, std::size_t limit) const {
  std::vector<TopRow> rows;
  for (const auto& [address, totals] : addresses_.Greatest(by, limit)) {
    rows.push_back({address.ToString(), totals.totals, totals.sent, totals.received, std::nullopt});
  }
  for (const auto& [number, totals] : numbers_.Greatest(by, limit)) {
    TopRow& row = rows.emplace_back();
    row.key = NumberName(number);
    row.totals = totals.totals;
    if (counts_applications()) row.guessed = guessed_.Of(number);
  }
  for (const auto& [name, totals] : names_.Greatest(by, limit)) {
    rows.push_back({name, totals.totals, std::nullopt, std::nullopt, std::nullopt});
  }
  return rows;
}

void TopCounter::NextPart(Measure by, std::size_t limit) {
  addresses_.NextPart(by, limit);
  names_.NextPart(by, limit);
  // Of these there are never too many, and they are not split.
  numbers_ = Ranking<std::uint32_t>();
  guessed_ = Ranking<std::uint32_t>();
  total_ = of_ports_ = {};
}

std::string TopCounter::NumberName(std::uint32_t number) const {
  if (dimension_ == TopDimension::kProtocol) {
    return ProtocolName(static_cast<std::uint8_t>(number));
  }
  if (dimension_ == TopDimension::kApplication) {
    return std::string(ToString(static_cast<Application>(number)));
  }
  if (dimension_ == TopDimension::kCategory) {
    return std::string(ToString(static_cast<ApplicationCategory>(number)));
  }
  return std::to_string(number);
}

absl::StatusOr<TopCounter> CountTop(TopDimension dimension, Measure by, std::size_t limit,
                                    absl::FunctionRef<absl::Status(TopCounter&)> count,
                                    std::size_t most_keys) {
  // With it the addresses of a flood that made up each of 100 million.
  constexpr std::size_t kMostParts = 64;
  for (std::size_t parts = 1;; parts *= 4) {
    TopCounter counter(dimension, parts, most_keys);
    absl::Status status = count(counter);
    for (std::size_t part = 1; part < parts && status.ok(); ++part) {
      counter.NextPart(by, limit);
      status = count(counter);
    }
    if (status.ok()) return counter;
    if (!counter.is_full() || parts == kMostParts) return status;
  }
}

}  // namespace nta::store

#include "traffic/host_tally.h"

#include <algorithm>

namespace nta::server {
namespace {

// A DNS query names whom it asks about, not whom it asks.
bool NamesTheServer(Application application) {
  switch (application) {
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

template <typename Seen>
void Widen(Seen& seen, const FlowRecord& flow) {
  seen.first = std::min(seen.first, flow.first_seen);
  seen.last = std::max(seen.last, flow.last_seen);
}

}  // namespace

void HostTally::Add(const FlowRecord& flow) {
  if (!seen_) seen_ = {flow.first_seen, flow.last_seen};
  Widen(*seen_, flow);
  const bool is_source = flow.source.address == address_;
  const bool is_destination = flow.destination.address == address_;
  // A flow from the address to itself was sent and received, both ways.
  if (is_source) {
    sent_bytes_ += flow.forward.wire_bytes;
    received_bytes_ += flow.reverse.wire_bytes;
    AddName(SourceName(flow), NameOrigin::kKnownAs, flow);
  }
  if (is_destination) {
    sent_bytes_ += flow.reverse.wire_bytes;
    received_bytes_ += flow.forward.wire_bytes;
    AddName(DestinationName(flow), NameOrigin::kKnownAs, flow);
    if (flow.metadata != nullptr && NamesTheServer(flow.application)) {
      AddName(flow.metadata->Get(MetadataField::kServerName), NameOrigin::kAskedFor, flow);
    }
  }
  peers_.Add(flow);
  (is_source ? ports_ : served_ports_).Add(std::to_string(flow.destination.port), flow);
  applications_.Add(ApplicationKey(flow), flow);
}

void HostTally::AddName(std::string_view name, NameOrigin origin, const FlowRecord& flow) {
  if (name.empty()) return;
  const std::pair key(std::string(name), origin);
  const auto known = names_.find(key);
  if (known != names_.end()) return Widen(known->second, flow);
  if (names_.size() < kMaxNames) names_.emplace(key, Seen{flow.first_seen, flow.last_seen});
}

std::vector<AddressName> HostTally::Names() const {
  std::vector<AddressName> names;
  for (const auto& [key, seen] : names_) {
    names.push_back({key.first, key.second, seen.first, seen.last});
  }
  // What others know it as says more than what one client asked for.
  std::stable_sort(names.begin(), names.end(), [](const AddressName& a, const AddressName& b) {
    return std::pair(a.origin, b.last_seen) < std::pair(b.origin, a.last_seen);
  });
  return names;
}

}  // namespace nta::server

#include "firewall/table_contents.h"

#include <algorithm>
#include <chrono>

#include "base/status.h"
#include "firewall/render.h"

namespace nta::firewall {
namespace {

constexpr std::chrono::milliseconds kSameTime{2000};

bool SameTime(const std::optional<std::chrono::milliseconds>& a,
              const std::optional<std::chrono::milliseconds>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return std::chrono::abs(*a - *b) <= kSameTime;
}

}  // namespace

absl::StatusOr<TableContents> ReadContents(KernelSets& kernel, const KernelTable& table) {
  TableContents contents;
  for (const auto& [name, set] : table.sets) {
    const auto known = ParseKernelSetName(name);
    if (!known || !set.is_known_form) continue;
    SetContents& one = contents[known->name];
    one.kind = set.kind;
    if (set.kind == AddressSetKind::kHosts) {
      NTA_ASSIGN_OR_RETURN(const std::vector<KernelHost> hosts, kernel.Hosts(name));
      one.hosts.insert(one.hosts.end(), hosts.begin(), hosts.end());
    } else {
      NTA_ASSIGN_OR_RETURN(const std::vector<AddressRange> ranges,
                           kernel.Intervals(name, set.version));
      one.ranges.insert(one.ranges.end(), ranges.begin(), ranges.end());
    }
  }
  return contents;
}

SetContents ContentsOf(const AddressSet& set, Timestamp now) {
  SetContents contents{.kind = set.kind};
  std::vector<IpPrefix> prefixes;
  for (const SetElement& element : set.elements) {
    if (element.expires && *element.expires <= now) continue;
    if (set.kind == AddressSetKind::kPrefixes) {
      prefixes.push_back(element.prefix);
      continue;
    }
    KernelHost host{.address = element.prefix.address()};
    if (element.expires) {
      host.remaining = std::chrono::ceil<std::chrono::milliseconds>(*element.expires - now);
    }
    contents.hosts.push_back(host);
  }
  contents.ranges = Union(prefixes);
  return contents;
}

bool SameContents(const SetContents& a, const SetContents& b) {
  return a.kind == b.kind && a.ranges == b.ranges &&
         std::equal(a.hosts.begin(), a.hosts.end(), b.hosts.begin(), b.hosts.end(),
                    [](const KernelHost& x, const KernelHost& y) {
                      return x.address == y.address && SameTime(x.remaining, y.remaining);
                    });
}

std::vector<SetElement> ElementsOf(const SetContents& contents, const ExpiryHints* hints,
                                   Timestamp now) {
  std::vector<SetElement> elements;
  elements.reserve(contents.hosts.size());
  for (const IpPrefix& prefix : ToPrefixes(contents.ranges)) elements.push_back({.prefix = prefix});
  for (const KernelHost& host : contents.hosts) {
    SetElement element{
        .prefix =
            IpPrefix::Create(host.address, host.address.is_v4() ? 32 : 128).value_or(IpPrefix())};
    if (host.remaining) {
      element.expires = now + *host.remaining;
      if (hints != nullptr) {
        const auto hint = hints->find(host.address);
        if (hint != hints->end() &&
            std::chrono::abs(hint->second - *element.expires) <= kSameTime) {
          element.expires = hint->second;
        }
      }
    }
    elements.push_back(element);
  }
  return elements;
}

}  // namespace nta::firewall

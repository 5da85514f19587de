#include "firewall/address_classes.h"

#include <algorithm>

namespace nta::firewall {
namespace {

// At `key` the rule begins or ceases to admit. The end of the address space has no key.
template <typename Key>
struct Border {
  Key key;
  std::size_t rule;
};

template <typename Key>
void Sweep(std::vector<Border<Key>> borders, const std::vector<Word>& any, BitSets& sets,
           std::vector<Key>& starts, std::vector<std::uint32_t>& classes) {
  std::sort(borders.begin(), borders.end(),
            [](const Border<Key>& a, const Border<Key>& b) { return a.key < b.key; });
  std::vector<Word> bits = any;
  starts.push_back(Key{});
  classes.push_back(sets.Intern(bits));
  for (std::size_t i = 0; i < borders.size();) {
    const Key key = borders[i].key;
    // The networks of one rule are disjoint, so its borders alternate.
    for (; i < borders.size() && borders[i].key == key; ++i) FlipBit(bits, borders[i].rule);
    const std::uint32_t id = sets.Intern(bits);
    if (key == starts.back()) {
      classes.back() = id;
    } else if (id != classes.back()) {
      starts.push_back(key);
      classes.push_back(id);
    }
  }
}

template <typename Key>
std::size_t IntervalOf(const std::vector<Key>& starts, std::size_t first, std::size_t last,
                       const Key& key) {
  const auto begin = starts.begin() + static_cast<std::ptrdiff_t>(first);
  const auto end = starts.begin() + static_cast<std::ptrdiff_t>(last);
  return static_cast<std::size_t>(std::upper_bound(begin, end, key) - starts.begin()) - 1;
}

}  // namespace

std::uint32_t AddressClasses::NarrowKey(const IpAddress& address) {
  const auto& bytes = address.padded_bytes();
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | bytes[3];
}

AddressClasses::Wide AddressClasses::WideKey(const IpAddress& address) {
  const auto& bytes = address.padded_bytes();
  Wide key;
  for (std::size_t i = 0; i < 8; ++i) {
    key.high = key.high << 8 | bytes[i];
    key.low = key.low << 8 | bytes[i + 8];
  }
  return key;
}

AddressClasses::AddressClasses(const Admitted& rules, const std::vector<Word>& any, BitSets& sets) {
  std::vector<Border<std::uint32_t>> narrow;
  std::vector<Border<Wide>> wide;
  for (const auto& [rule, networks] : rules) {
    for (const IpPrefix& prefix : networks->prefixes()) {
      if (prefix.address().is_v4()) {
        narrow.push_back({NarrowKey(prefix.address()), rule});
        const std::uint32_t after = NarrowKey(prefix.Last()) + 1;
        if (after != 0) narrow.push_back({after, rule});
      } else {
        wide.push_back({WideKey(prefix.address()), rule});
        Wide after = WideKey(prefix.Last());
        if (++after.low == 0) ++after.high;
        if (after != Wide{}) wide.push_back({after, rule});
      }
    }
  }
  Sweep(std::move(narrow), any, sets, starts_v4_, classes_v4_);
  Sweep(std::move(wide), any, sets, starts_v6_, classes_v6_);
  index_v4_.resize((1 << 16) + 1);
  for (std::uint32_t top = 0; top < 1 << 16; ++top) {
    index_v4_[top] =
        static_cast<std::uint32_t>(IntervalOf(starts_v4_, 0, starts_v4_.size(), top << 16));
  }
  index_v4_[1 << 16] = static_cast<std::uint32_t>(starts_v4_.size() - 1);
}

std::uint32_t AddressClasses::ClassOf(const IpAddress& address) const {
  if (!address.is_v4()) {
    return classes_v6_[IntervalOf(starts_v6_, 0, starts_v6_.size(), WideKey(address))];
  }
  const std::uint32_t key = NarrowKey(address);
  const std::uint32_t top = key >> 16;
  return classes_v4_[IntervalOf(starts_v4_, index_v4_[top], index_v4_[top + 1] + 1, key)];
}

}  // namespace nta::firewall

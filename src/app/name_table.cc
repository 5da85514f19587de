#include "nta/app/name_table.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <mutex>
#include <vector>

#include "base/keyed_hash.h"
#include "base/random.h"
#include "base/utf8.h"

namespace nta {
namespace {

constexpr std::size_t kWays = 8;
constexpr std::size_t kStripes = 64;

// A name in its entry; only one that is longer than hosts' names mostly are takes memory elsewhere.
class NameText {
 public:
  std::string_view view() const { return {longer_ == nullptr ? text_ : longer_.get(), size_}; }
  // At most NameTable::kMaxNameBytes.
  void Assign(std::string_view name) {
    size_ = static_cast<std::uint8_t>(name.size());
    if (name.size() > sizeof(text_)) {
      longer_ = std::make_unique_for_overwrite<char[]>(name.size());
    } else if (longer_ != nullptr) {
      longer_.reset();
    }
    std::memcpy(longer_ == nullptr ? text_ : longer_.get(), name.data(), name.size());
  }
  std::size_t extra_bytes() const { return longer_ == nullptr ? 0 : size_; }

 private:
  std::unique_ptr<char[]> longer_;
  std::uint8_t size_ = 0;
  char text_[39];
};
static_assert(NameTable::kMaxNameBytes <= 255);

struct Entry {
  Timestamp learned{};
  Timestamp expires{};
  IpAddress address;
  NameSource source = NameSource::kDns;
  bool is_used = false;
  NameText name;
};

// The places in which one address may stand. The tags are a part of its hash: most searches touch
// nothing but them.
struct Set {
  std::array<std::uint16_t, kWays> tags{};  // 0: a free place
  std::array<Entry, kWays> entries;
};

// A name in lower case, printable, without the root's dot.
class NormalName {
 public:
  explicit NormalName(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    if (name.size() <= text_.size() && base::IsPrintableUtf8(name)) {
      Lower(name);
    } else {
      Lower(base::PrintableUtf8(name, text_.size()));
    }
  }
  std::string_view view() const { return {text_.data(), size_}; }

 private:
  void Lower(std::string_view name) {
    for (const char c : name) {
      text_[size_++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  std::array<char, NameTable::kMaxNameBytes> text_;
  std::size_t size_ = 0;
};

}  // namespace

std::string_view ToString(NameSource source) {
  constexpr std::array<std::string_view, 4> kNames = {"dns", "tls", "http", "dhcp"};
  const auto i = static_cast<std::size_t>(source);
  return i < kNames.size() ? kNames[i] : kNames[0];
}

class NameTable::Impl {
 public:
  explicit Impl(const NameTableOptions& options)
      : options_(options),
        sets_(std::bit_ceil(std::clamp<std::size_t>(options.max_names, kWays, 1u << 24) / kWays)),
        hash_(options.hash_seed ? *options.hash_seed : base::RandomSeed()) {
    options_.min_validity = std::max(options_.min_validity, Duration(0));
    options_.max_validity = std::max(options_.max_validity, options_.min_validity);
  }

  void Learn(const IpAddress& address, std::string_view name, NameSource source, Timestamp now,
             Duration time_to_live) {
    const NormalName normal(name);
    const std::string_view text = normal.view();
    if (text.empty()) return;
    const std::uint64_t hash = Hash(address);
    const std::size_t index = IndexOf(hash);
    const std::lock_guard lock(stripes_[index % kStripes]);
    if (sets_[index] == nullptr) {
      sets_[index] = std::make_unique<Set>();
      memory_ += sizeof(Set);
    }
    const std::size_t place = PlaceFor(*sets_[index], address, now);
    Entry& entry = sets_[index]->entries[place];
    sets_[index]->tags[place] = TagOf(hash);
    const bool is_same = entry.is_used && entry.address == address;
    if (is_same && entry.source == NameSource::kDhcp && source != NameSource::kDhcp &&
        entry.expires >= now) {
      return;
    }
    if (!entry.is_used) ++names_;
    if (entry.is_used && !is_same && entry.expires >= now) ++evicted_;
    entry.address = address;
    entry.source = source;
    entry.is_used = true;
    entry.learned = now;
    entry.expires = now + std::clamp(time_to_live, options_.min_validity, options_.max_validity);
    if (is_same && entry.name.view() == text) return;
    ++learned_;
    const std::size_t before = entry.name.extra_bytes();
    entry.name.Assign(text);
    // Mostly neither takes any: adding to a number that threads share is not free.
    if (const std::size_t after = entry.name.extra_bytes(); after != before) {
      memory_ += after;
      memory_ -= before;
    }
  }

  template <typename Use>
  bool Find(const IpAddress& address, Timestamp now, Use use) const {
    const std::uint64_t hash = Hash(address);
    const std::size_t index = IndexOf(hash);
    const std::lock_guard lock(stripes_[index % kStripes]);
    if (sets_[index] == nullptr) return false;
    const Set& set = *sets_[index];
    for (std::size_t i = 0; i < kWays; ++i) {
      const Entry& entry = set.entries[i];
      if (set.tags[i] != TagOf(hash) || entry.address != address) continue;
      if (entry.expires < now) return false;
      use(entry);
      return true;
    }
    return false;
  }

  NameTableStats Stats() const {
    return {learned_, evicted_, names_, memory_ + sets_.capacity() * sizeof(sets_[0])};
  }

 private:
  std::uint64_t Hash(const IpAddress& address) const {
    const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(address.padded_bytes());
    return hash_(words[0] ^ static_cast<std::uint64_t>(address.version()) << 60, words[1]);
  }
  std::size_t IndexOf(std::uint64_t hash) const { return hash & (sets_.size() - 1); }
  static std::uint16_t TagOf(std::uint64_t hash) {
    return static_cast<std::uint16_t>(hash >> 48 | 1);
  }

  // Its own place, a free one, or that of the name which runs out first.
  static std::size_t PlaceFor(const Set& set, const IpAddress& address, Timestamp now) {
    const auto rank = [&set, now](std::size_t i) {
      const Entry& entry = set.entries[i];
      return std::pair(entry.is_used && entry.expires >= now, entry.expires);
    };
    std::size_t best = 0;
    for (std::size_t i = 0; i < kWays; ++i) {
      if (set.entries[i].is_used && set.entries[i].address == address) return i;
      if (rank(i) < rank(best)) best = i;
    }
    return best;
  }

  NameTableOptions options_;
  std::vector<std::unique_ptr<Set>> sets_;
  base::KeyedHash hash_;
  mutable std::array<std::mutex, kStripes> stripes_;  // set i: stripe i % kStripes
  std::atomic<std::uint64_t> learned_ = 0;
  std::atomic<std::uint64_t> evicted_ = 0;
  std::atomic<std::size_t> names_ = 0;
  std::atomic<std::size_t> memory_ = 0;
};

NameTable::NameTable(NameTableOptions options) : impl_(std::make_unique<Impl>(options)) {}
NameTable::NameTable(NameTable&&) noexcept = default;
NameTable& NameTable::operator=(NameTable&&) noexcept = default;
NameTable::~NameTable() = default;

void NameTable::Learn(const IpAddress& address, std::string_view name, NameSource source,
                      Timestamp now, Duration time_to_live) {
  impl_->Learn(address, name, source, now, time_to_live);
}

std::optional<KnownName> NameTable::Find(const IpAddress& address, Timestamp now) const {
  std::optional<KnownName> known;
  impl_->Find(address, now, [&known](const Entry& entry) {
    known = KnownName{std::string(entry.name.view()), entry.source, entry.learned, entry.expires};
  });
  return known;
}

bool NameTable::FindInto(const IpAddress& address, Timestamp now, std::string& name) const {
  return impl_->Find(address, now, [&name](const Entry& entry) { name = entry.name.view(); });
}

NameTableStats NameTable::Stats() const { return impl_->Stats(); }

}  // namespace nta

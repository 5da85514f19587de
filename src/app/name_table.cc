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

// The places in which one address may stand.
struct Set {
  std::array<Entry, kWays> entries;
};

// Eight bits of the hash of each of a set's addresses, place by place; 0: a free place. Most
// searches are for addresses that have no name, and touch nothing but this word.
class Tags {
 public:
  explicit Tags(std::uint64_t word) : word_(word) {}

  std::uint64_t word() const { return word_; }
  // A bit in the byte of each place that may hold `tag`, none too few.
  std::uint64_t PlacesOf(std::uint8_t tag) const {
    const std::uint64_t zero_there = word_ ^ kOnes * tag;
    return (zero_there - kOnes) & ~zero_there & kOnes << 7;
  }
  static std::size_t First(std::uint64_t places) {
    return static_cast<std::size_t>(std::countr_zero(places)) / 8;
  }
  void Set(std::size_t place, std::uint8_t tag) {
    word_ &= ~(std::uint64_t{0xFF} << place * 8);
    word_ |= std::uint64_t{tag} << place * 8;
  }

 private:
  static constexpr std::uint64_t kOnes = 0x0101010101010101;
  std::uint64_t word_;
};
static_assert(kWays == 8);

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
    size_ = name.size();
    if (size_ < 8) {
      for (std::size_t i = 0; i < size_; ++i) {
        text_[i] = static_cast<char>(LowerWord(static_cast<std::uint8_t>(name[i])));
      }
      return;
    }
    // Eight at a time; the last ones overlap those before.
    for (std::size_t i = 0; i + 8 < size_; i += 8) LowerEight(name.data() + i, text_.data() + i);
    LowerEight(name.data() + size_ - 8, text_.data() + size_ - 8);
  }
  static void LowerEight(const char* from, char* to) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, 8);
    word = LowerWord(word);
    std::memcpy(to, &word, 8);
  }
  // Sets bit 5 of every byte from 'A' to 'Z'.
  static std::uint64_t LowerWord(std::uint64_t word) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    constexpr std::uint64_t kHigh = kOnes << 7;
    const std::uint64_t low = word & ~kHigh;
    const std::uint64_t from_a = low + kOnes * (0x80 - 'A');
    const std::uint64_t beyond_z = low + kOnes * (0x7F - 'Z');
    return word | ((from_a & ~beyond_z & ~word & kHigh) >> 2);
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
        tags_(sets_.size()),
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
    const std::uint8_t tag = TagOf(hash);
    Tags tags(tags_[index].load(std::memory_order_relaxed));
    const std::size_t place = PlaceFor(*sets_[index], tags, tag, address, now);
    Entry& entry = sets_[index]->entries[place];
    const bool is_same = entry.is_used && entry.address == address;
    if (is_same && entry.source == NameSource::kDhcp && source != NameSource::kDhcp &&
        entry.expires >= now) {
      return;
    }
    if (!is_same) {
      tags.Set(place, tag);
      tags_[index].store(tags.word(), std::memory_order_relaxed);
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
    const std::uint64_t places =
        Tags(tags_[index].load(std::memory_order_relaxed)).PlacesOf(TagOf(hash));
    if (places == 0) return false;
    const std::lock_guard lock(stripes_[index % kStripes]);
    const Entry* const entry = EntryOf(*sets_[index], places, address);
    if (entry == nullptr || entry->expires < now) return false;
    use(*entry);
    return true;
  }

  NameTableStats Stats() const {
    return {learned_, evicted_, names_,
            memory_ + sets_.capacity() * (sizeof(sets_[0]) + sizeof(tags_[0]))};
  }

 private:
  std::uint64_t Hash(const IpAddress& address) const {
    const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(address.padded_bytes());
    return hash_(words[0] ^ static_cast<std::uint64_t>(address.version()) << 60, words[1]);
  }
  std::size_t IndexOf(std::uint64_t hash) const { return hash & (sets_.size() - 1); }
  static std::uint8_t TagOf(std::uint64_t hash) {
    return static_cast<std::uint8_t>(hash >> 56 | 1);
  }

  static Entry* EntryOf(Set& set, std::uint64_t places, const IpAddress& address) {
    for (; places != 0; places &= places - 1) {
      Entry& entry = set.entries[Tags::First(places)];
      if (entry.is_used && entry.address == address) return &entry;
    }
    return nullptr;
  }

  // Its own place, a free one, or that of the name which runs out first.
  static std::size_t PlaceFor(Set& set, const Tags& tags, std::uint8_t tag,
                              const IpAddress& address, Timestamp now) {
    if (const Entry* own = EntryOf(set, tags.PlacesOf(tag), address)) {
      return static_cast<std::size_t>(own - set.entries.data());
    }
    const auto rank = [&set, now](std::size_t i) {
      const Entry& entry = set.entries[i];
      return std::pair(entry.is_used && entry.expires >= now, entry.expires);
    };
    std::size_t best = 0;
    for (std::size_t i = 0; i < kWays; ++i) {
      if (!set.entries[i].is_used) return i;
      if (rank(i) < rank(best)) best = i;
    }
    return best;
  }

  NameTableOptions options_;
  std::vector<std::unique_ptr<Set>> sets_;
  // Of each set; written under its lock, read without.
  std::vector<std::atomic<std::uint64_t>> tags_;
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

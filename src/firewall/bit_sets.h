// BitSets: sets of rules of one size, each kept once and known by a number.
#ifndef NTA_FIREWALL_BIT_SETS_H_
#define NTA_FIREWALL_BIT_SETS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace nta::firewall {

using Word = std::uint64_t;

class BitSets {
 public:
  explicit BitSets(std::size_t bits) : words_((bits + 63) / 64) {}

  std::size_t words() const { return words_; }
  std::uint32_t Intern(const std::vector<Word>& bits) {
    const std::string_view bytes(reinterpret_cast<const char*>(bits.data()),
                                 bits.size() * sizeof(Word));
    std::vector<std::uint32_t>& same_hash = by_hash_[std::hash<std::string_view>()(bytes)];
    for (const std::uint32_t id : same_hash) {
      if (std::equal(bits.begin(), bits.end(), at(id))) return id;
    }
    const auto id = static_cast<std::uint32_t>(count_++);
    all_.insert(all_.end(), bits.begin(), bits.end());
    same_hash.push_back(id);
    return id;
  }
  // words() of them.
  const Word* at(std::uint32_t id) const { return all_.data() + std::size_t{id} * words_; }

 private:
  std::size_t words_;
  std::size_t count_ = 0;
  std::vector<Word> all_;
  std::unordered_map<std::size_t, std::vector<std::uint32_t>> by_hash_;
};

inline void SetBit(std::vector<Word>& bits, std::size_t bit) {
  bits[bit / 64] |= Word{1} << (bit % 64);
}
inline void FlipBit(std::vector<Word>& bits, std::size_t bit) {
  bits[bit / 64] ^= Word{1} << (bit % 64);
}

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_BIT_SETS_H_

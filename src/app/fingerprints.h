// Fingerprints: JA3, JA3S and JA4, computed once for clients and servers that look alike.
#ifndef NTA_APP_FINGERPRINTS_H_
#define NTA_APP_FINGERPRINTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "app/digest.h"
#include "app/tls_hello.h"
#include "base/keyed_hash.h"

namespace nta::internal {

struct ClientFingerprints {
  std::string ja3;
  std::string ja4;
};

// The numbers that a fingerprint is made of, in a row: what two hellos must have in common.
class FingerprintKey {
 public:
  void Add(std::uint16_t number) {
    if (size_ < numbers_.size()) numbers_[size_] = number;
    ++size_;
  }
  void Add(const NumberList& list) {
    Add(static_cast<std::uint16_t>(list.size()));
    if (size_ + list.size() <= numbers_.size()) {
      std::memcpy(numbers_.data() + size_, list.values().data(), list.values().size_bytes());
    }
    size_ += list.size();
  }
  // Longer ones are not remembered.
  bool fits() const { return size_ <= numbers_.size(); }
  std::span<const std::uint16_t> numbers() const { return std::span(numbers_).first(size_); }

  static constexpr std::size_t kMaxNumbers = 248;

 private:
  std::array<std::uint16_t, kMaxNumbers> numbers_;
  std::size_t size_ = 0;
};

// The values of the last kPlaces keys or so; a new one takes the place of an old one. Equal keys
// are found by comparing all of them, never by their hashes alone.
template <typename Value>
class FingerprintMemory {
 public:
  static constexpr std::size_t kPlaces = 128;

  // Null: not there.
  const Value* Find(const FingerprintKey& key) const {
    if (places_ == nullptr) return nullptr;
    const Place& place = places_[PlaceOf(key)];
    const auto numbers = key.numbers();
    const bool is_it = place.size == numbers.size() &&
                       std::memcmp(place.key.data(), numbers.data(), numbers.size_bytes()) == 0;
    return is_it ? &place.value : nullptr;
  }
  // The key must fit.
  const Value& Keep(const FingerprintKey& key, Value value) {
    if (places_ == nullptr) places_ = std::make_unique<Place[]>(kPlaces);
    Place& place = places_[PlaceOf(key)];
    place.size = key.numbers().size();
    std::memcpy(place.key.data(), key.numbers().data(), key.numbers().size_bytes());
    place.value = std::move(value);
    return place.value;
  }
  std::size_t memory_bytes() const { return places_ == nullptr ? 0 : kPlaces * sizeof(Place); }

 private:
  struct Place {
    std::size_t size = 0;  // 0: free; keys are never empty
    Value value;
    std::array<std::uint16_t, FingerprintKey::kMaxNumbers> key{};
  };
  static std::size_t PlaceOf(const FingerprintKey& key) {
    // Who makes keys collide gains that theirs are computed anew.
    const auto numbers = key.numbers();
    return base::KeyedHash(1).Bytes(numbers.data(), numbers.size_bytes()) % kPlaces;
  }
  std::unique_ptr<Place[]> places_;
};

// MD5 of the last kPlaces texts or so, for HASSH: most SSH programs of a network are alike.
class TextDigests {
 public:
  static constexpr std::size_t kPlaces = 32;
  static constexpr std::size_t kMaxTextBytes = 2048;

  // Valid until the next call.
  const std::string& Of(std::string_view text, Digests& digests) {
    if (text.size() > kMaxTextBytes) {
      longer_ = digests.Md5Hex(text);
      return longer_;
    }
    if (places_ == nullptr) places_ = std::make_unique<Place[]>(kPlaces);
    Place& place = places_[base::KeyedHash(1).Bytes(text.data(), text.size()) % kPlaces];
    if (place.digest.empty() || place.text != text) {
      place.text = text;
      place.digest = digests.Md5Hex(text);
    }
    return place.digest;
  }
  std::size_t memory_bytes() const {
    return places_ == nullptr ? 0 : kPlaces * (sizeof(Place) + kMaxTextBytes);
  }

 private:
  struct Place {
    std::string text;
    std::string digest;
  };
  std::unique_ptr<Place[]> places_;
  std::string longer_;
};

// One thread at a time.
class Fingerprints {
 public:
  // Valid until the next call. The hello must be complete.
  const ClientFingerprints& Of(const ClientHello& hello);
  // JA3S.
  const std::string& Of(const ServerHello& hello);
  // HASSH of its text.
  const std::string& OfText(std::string_view text) { return texts_.Of(text, digests_); }
  Digests& digests() { return digests_; }
  std::size_t memory_bytes() const {
    return clients_.memory_bytes() + servers_.memory_bytes() + texts_.memory_bytes();
  }

 private:
  Digests digests_;
  FingerprintMemory<ClientFingerprints> clients_;
  FingerprintMemory<std::string> servers_;
  TextDigests texts_;
  ClientFingerprints client_;  // the last one whose key did not fit
  std::string server_;
};

}  // namespace nta::internal

#endif  // NTA_APP_FINGERPRINTS_H_

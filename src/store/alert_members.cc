#include "store/alert_members.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace nta::store {
namespace {

// Sorts before every name that a detector gives.
constexpr std::string_view kPrefix = "\x01";
constexpr std::string_view kConfidence =
    "\x01"
    "confidence";
constexpr std::string_view kBandLow =
    "\x01"
    "band_low";
constexpr std::string_view kBandHigh =
    "\x01"
    "band_high";
constexpr std::string_view kFirstSeen =
    "\x01"
    "first_seen";
constexpr std::string_view kLastSeen =
    "\x01"
    "last_seen";
constexpr std::string_view kPeers =
    "\x01"
    "peers";
constexpr std::string_view kAdvice =
    "\x01"
    "advice";
constexpr std::string_view kSuppressedBy =
    "\x01"
    "suppressed_by";

// "0.25 name": a share never contains a space.
std::string PeerText(const AlertPeer& peer) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, peer.share);
  return std::string(digits, end.ptr) + " " + peer.name;
}

std::optional<AlertPeer> ParsePeer(const std::string& text) {
  const std::size_t space = text.find(' ');
  if (space == std::string::npos) return std::nullopt;
  AlertPeer peer{text.substr(space + 1), 0};
  const auto result = std::from_chars(text.data(), text.data() + space, peer.share);
  if (result.ec != std::errc() || result.ptr != text.data() + space) return std::nullopt;
  return peer;
}

Timestamp ToTime(std::int64_t nanoseconds) { return Timestamp(Duration(nanoseconds)); }

template <typename T, typename V>
bool Assign(T& member, const V& value) {
  member = value;
  return true;
}

bool TakeMember(Alert& alert, std::string_view name, const EvidenceValue& value) {
  if (const auto* real = std::get_if<double>(&value)) {
    if (name == kConfidence) return Assign(alert.confidence, *real);
    if (name == kBandLow) return Assign(alert.band_low, *real);
    if (name == kBandHigh) return Assign(alert.band_high, *real);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    if (name == kFirstSeen) return Assign(alert.first_seen, ToTime(*integer));
    if (name == kLastSeen) return Assign(alert.last_seen, ToTime(*integer));
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    if (name == kAdvice) return Assign(alert.advice, *text);
    if (name == kSuppressedBy) return Assign(alert.suppressed_by, *text);
  } else if (name == kPeers) {
    for (const std::string& item : std::get<std::vector<std::string>>(value)) {
      std::optional<AlertPeer> peer = ParsePeer(item);
      if (!peer) return false;
      alert.peers.push_back(*std::move(peer));
    }
    return true;
  }
  return false;
}

}  // namespace

std::map<std::string, EvidenceValue> EvidenceWithMembers(const Alert& alert) {
  const Alert fresh;
  std::map<std::string, EvidenceValue> evidence = alert.evidence;
  const auto put = [&](std::string_view name, EvidenceValue value) {
    evidence.insert_or_assign(std::string(name), std::move(value));
  };
  if (alert.confidence != fresh.confidence) put(kConfidence, alert.confidence);
  if (alert.band_low) put(kBandLow, *alert.band_low);
  if (alert.band_high) put(kBandHigh, *alert.band_high);
  const auto put_time = [&](std::string_view name, Timestamp time) {
    if (time != Timestamp{}) put(name, std::int64_t{time.time_since_epoch().count()});
  };
  put_time(kFirstSeen, alert.first_seen);
  put_time(kLastSeen, alert.last_seen);
  if (!alert.peers.empty()) {
    std::vector<std::string> peers;
    for (const AlertPeer& peer : alert.peers) peers.push_back(PeerText(peer));
    put(kPeers, std::move(peers));
  }
  if (!alert.advice.empty()) put(kAdvice, alert.advice);
  if (!alert.suppressed_by.empty()) put(kSuppressedBy, alert.suppressed_by);
  return evidence;
}

bool TakeMembers(Alert& alert) {
  while (!alert.evidence.empty() && alert.evidence.begin()->first.starts_with(kPrefix)) {
    const auto node = alert.evidence.extract(alert.evidence.begin());
    if (!TakeMember(alert, node.key(), node.mapped())) return false;
  }
  return true;
}

}  // namespace nta::store

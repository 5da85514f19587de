// Contact: one attempt of a source to reach a service, the unit in which scans are counted.
#ifndef NTA_SRC_DETECT_CONTACT_H_
#define NTA_SRC_DETECT_CONTACT_H_

#include <cstdint>
#include <cstring>
#include <optional>

#include "base/keyed_hash.h"
#include "nta/flow/flow_record.h"
#include "nta/net/five_tuple.h"

namespace nta::detect {

struct Contact {
  IpAddress source;
  IpAddress destination;
  std::uint16_t port = 0;  // of the destination; 0 for ICMP
  std::uint8_t protocol = 0;

  friend bool operator==(const Contact&, const Contact&) = default;
};

// Numbers are persisted in saved states.
enum class Verdict : std::uint8_t {
  kWaiting = 0,
  kSucceeded = 1,
  kUnanswered = 2,  // silence on a protocol that has to answer: TCP, ICMP echo
  kRefused = 3,     // RST, or a probe that no honest stack sends
  kNoReply = 4,     // silence on a protocol that need not answer: UDP, SCTP
  kUnreachable = 5  // an ICMP error, of the host or of a router
};
inline constexpr int kVerdicts = 6;

// Somebody said no, instead of nothing.
inline bool IsRefusal(Verdict verdict) {
  return verdict == Verdict::kRefused || verdict == Verdict::kUnreachable;
}

// The contact that a flow stands for, or nothing when the flow is no attempt that can be judged:
// its beginning was not seen (backscatter), it goes to a group of hosts, it is a late reply, or a
// traceroute.
std::optional<Contact> ContactOf(const FlowRecord& flow);

// What the flow says about its contact so far; `ended` when it will say no more.
enum class FlowIs : std::uint8_t { kOpen, kEnded };
Verdict VerdictOf(const FlowRecord& flow, FlowIs state);

// 64 bits that stand for a contact, or for the pair of its hosts. With 2^20 of them alive the
// chance that any two are equal is 2^-25, so results do not depend on the key in practice.
std::uint64_t ContactFingerprint(const base::KeyedHash& hash, const Contact& contact);
std::uint64_t PairFingerprint(const base::KeyedHash& hash, const Contact& contact);

struct AddressWords {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
};
inline AddressWords WordsOf(const IpAddress& address) {
  AddressWords words;
  std::memcpy(&words.high, address.padded_bytes().data(), 8);
  std::memcpy(&words.low, address.padded_bytes().data() + 8, 8);
  return words;
}

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_CONTACT_H_

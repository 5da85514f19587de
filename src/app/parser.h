// What a protocol parser is here: one row with a function that recognises the protocol's first
// bytes and one that reads its messages. docs/applications.md has the list.
//
// A parser is bounded and allocates nothing while it matches. It trusts no byte: it reads through
// base::ByteCursor. It keeps nothing but what Findings offers.
#ifndef NTA_APP_PARSER_H_
#define NTA_APP_PARSER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "app/findings.h"
#include "nta/flow/application.h"
#include "nta/packet/decode.h"

namespace nta::internal {

enum class Verdict : std::uint8_t {
  kNo,  // another protocol
  // Fits so far. TCP: the same bytes come again with more. UDP: the next datagram will tell, with
  // this one as its `previous` or `other`.
  kNeedMore,
  kYes,
};

// How much of an earlier datagram is remembered.
inline constexpr std::size_t kRememberedBytes = 24;

// TCP: the bytes of one direction, in order and without holes, from the first that was not consumed
// yet. UDP: one datagram.
struct Payload {
  std::span<const std::uint8_t> bytes;  // never empty
  const DecodedPacket& packet;          // the packet that completed `bytes`: addresses, ports, time
  bool is_forward = true;               // sent by the flow's source, mostly the client
  // Bytes of the direction's beginning, as far as the capture shows.
  bool is_start = true;
  // Nothing will be added to `bytes`: a datagram, a packet that was captured in part, or the end of
  // the inspection. Take what can be read.
  bool is_last = false;
  // While the flow is not identified. TCP: what the other direction began with, as far as it was
  // kept; often empty. UDP: the first kRememberedBytes of the datagram that it sent last.
  std::span<const std::uint8_t> other{};
  // UDP, while the flow is not identified: likewise the datagram that this direction sent last
  // before. For protocols without a constant in them, which two packets in a row give away.
  std::span<const std::uint8_t> previous{};

  std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  bool is_tcp() const { return packet.is_tcp(); }
  // Whether either side uses this port.
  bool HasPort(std::uint16_t port) const {
    return packet.source_port == port || packet.destination_port == port;
  }
  // Bytes that the message had on the wire: more than bytes.size() when a datagram was cut.
  std::size_t wire_size() const { return is_tcp() ? bytes.size() : packet.payload_bytes; }
};

enum class ParseNext : std::uint8_t {
  kMore,  // show the next packets of both directions, too
  kDone,  // nothing more to find out
  // What follows is another protocol in the same flow (STARTTLS, CONNECT): match again. The
  // application stays, the other parser adds its metadata.
  kRestart,
};

struct ParseResult {
  // Bytes that need not be shown again; the rest comes again with more. At most bytes.size(). A
  // datagram is always consumed whole.
  std::size_t consumed = 0;
  ParseNext next = ParseNext::kDone;
};

// The set of values that the first byte of a protocol may have: keeps most parsers from being
// called at all.
class FirstBytes {
 public:
  static constexpr FirstBytes All() { return Range(0, 255); }
  static constexpr FirstBytes Of(std::initializer_list<int> values) {
    FirstBytes set;
    for (const int value : values) set.Add(value);
    return set;
  }
  static constexpr FirstBytes Range(int first, int last) {
    FirstBytes set;
    for (int value = first; value <= last; ++value) set.Add(value);
    return set;
  }
  static constexpr FirstBytes Chars(std::string_view characters) {
    FirstBytes set;
    for (const char c : characters) set.Add(static_cast<unsigned char>(c));
    return set;
  }
  friend constexpr FirstBytes operator|(const FirstBytes& a, const FirstBytes& b) {
    FirstBytes set;
    for (std::size_t i = 0; i < set.words_.size(); ++i) set.words_[i] = a.words_[i] | b.words_[i];
    return set;
  }
  constexpr bool Contains(std::size_t value) const {
    return (words_[value / 64] >> (value % 64) & 1) != 0;
  }

 private:
  constexpr void Add(int value) {
    const auto i = static_cast<std::size_t>(value);
    words_[i / 64] |= std::uint64_t{1} << (i % 64);
  }
  std::array<std::uint64_t, 4> words_{};
};

// One protocol over one transport. Rows are constants: `constinit const Parser kNameParser =
// {...};`
struct Parser {
  Application application = Application::kUnknown;
  // Called for the first bytes of either direction while nothing is known about the flow, and for
  // the beginnings of later packets (is_start false).
  Verdict (*match)(const Payload& payload) = nullptr;
  // Called once `match` said yes, first with the same bytes; then with what either side sends. Null
  // when recognising is all there is to do.
  ParseResult (*parse)(const Payload& payload, Findings& findings) = nullptr;
  FirstBytes first_bytes = FirstBytes::All();
  // How many times the usual bounds of packets and bytes this protocol may be followed for: more
  // than 1 where later messages matter (log-ins, DNS on one socket).
  std::uint8_t patience = 1;
};

}  // namespace nta::internal

#endif  // NTA_APP_PARSER_H_

// The hello messages of TLS, DTLS and QUIC, and the fingerprints made from them.
#ifndef NTA_APP_TLS_HELLO_H_
#define NTA_APP_TLS_HELLO_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "app/digest.h"
#include "app/findings.h"
#include "nta/packet/decode.h"

namespace nta::internal {

// A list of numbers as a hello carries it, in its order, without GREASE.
class NumberList {
 public:
  // Leaves the numbers as they are: clearing the room for all of them costs more than reading a
  // hello.
  NumberList() {}  // NOLINT(modernize-use-equals-default)
  void Add(std::uint16_t number) {
    if (size_ < numbers_.size()) {
      numbers_[size_++] = number;
    } else {
      is_complete_ = false;
    }
  }
  std::span<const std::uint16_t> values() const { return std::span(numbers_).first(size_); }
  std::size_t size() const { return size_; }
  bool is_complete() const { return is_complete_; }

 private:
  std::array<std::uint16_t, 400> numbers_;
  std::size_t size_ = 0;
  bool is_complete_ = true;
};

enum class HelloTransport : char { kTls = 't', kDtls = 'd', kQuic = 'q' };

struct ClientHello {
  HelloTransport transport = HelloTransport::kTls;
  std::uint16_t version = 0;       // of the handshake message
  std::uint16_t best_version = 0;  // in supported_versions; 0 without
  NumberList ciphers;
  NumberList extensions;
  NumberList groups;
  NumberList point_formats;
  NumberList signature_algorithms;
  bool has_server_name = false;  // the extension, with or without a name
  std::string_view server_name;
  std::span<const std::uint8_t> protocols;  // ALPN, as on the wire: length, name, ...
  bool has_encrypted_hello = false;
  bool is_cut = false;  // the message was not complete: no fingerprint
};

struct ServerHello {
  std::uint16_t version = 0;
  std::uint16_t chosen_version = 0;  // in supported_versions; 0 without
  std::uint16_t cipher = 0;
  NumberList extensions;
  bool is_retry_request = false;  // HelloRetryRequest: another ServerHello follows
  bool is_cut = false;
};

// `body` is the message after its handshake header (DTLS: after the fragment fields). False when it
// contradicts itself before the lists that every hello has. Views borrow from `body`. `hello` must
// be new.
bool ReadClientHello(std::span<const std::uint8_t> body, HelloTransport transport,
                     ClientHello& hello);
bool ReadServerHello(std::span<const std::uint8_t> body, ServerHello& hello);

// https://github.com/salesforce/ja3: the text that is hashed.
std::string Ja3Text(const ClientHello& hello);
std::string Ja3sText(const ServerHello& hello);
// https://github.com/FoxIO-LLC/ja4 (technical_details/JA4.md).
std::string Ja4(const ClientHello& hello, Digests& digests);
// The part of it that stands for ALPN: the first and the last character of the first protocol; of
// its hexadecimal form when one of them is no letter or digit.
std::array<char, 2> Ja4Alpn(std::span<const std::uint8_t> protocols);

// Writes everything that a hello says. `packet` carried the message's end.
void DescribeClientHello(const ClientHello& hello, const DecodedPacket& packet, Findings& findings);
void DescribeServerHello(const ServerHello& hello, Findings& findings);

}  // namespace nta::internal

#endif  // NTA_APP_TLS_HELLO_H_

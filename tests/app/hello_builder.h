// Messages of TLS for tests, field by field.
#ifndef NTA_TESTS_APP_HELLO_BUILDER_H_
#define NTA_TESTS_APP_HELLO_BUILDER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/flow_talk.h"

namespace nta::test {

// Appends: a number in so many bytes, or bytes.
void Put(Bytes& out, std::uint64_t value, int bytes);
void Put(Bytes& out, const Bytes& more);
void Put(Bytes& out, std::string_view text);
// A length of so many bytes, and the content.
Bytes Sized(const Bytes& content, int length_bytes);

inline Bytes Numbers(const std::vector<int>& numbers, int bytes = 2) {
  Bytes out;
  for (const int number : numbers) Put(out, static_cast<std::uint64_t>(number), bytes);
  return out;
}

struct HelloExtension {
  int type = 0;
  Bytes data{};
};

inline HelloExtension ServerName(std::string_view name) {
  Bytes entry = {0};
  Put(entry, Sized(ToBytes(name), 2));
  return {0, Sized(entry, 2)};
}
inline HelloExtension Alpn(const std::vector<std::string>& names) {
  Bytes list;
  for (const std::string& name : names) Put(list, Sized(ToBytes(name), 1));
  return {16, Sized(list, 2)};
}
inline HelloExtension Groups(const std::vector<int>& groups) {
  return {10, Sized(Numbers(groups), 2)};
}
inline HelloExtension PointFormats(const std::vector<int>& formats) {
  return {11, Sized(Numbers(formats, 1), 1)};
}
inline HelloExtension SignatureAlgorithms(const std::vector<int>& algorithms) {
  return {13, Sized(Numbers(algorithms), 2)};
}
inline HelloExtension SupportedVersions(const std::vector<int>& versions) {
  return {43, Sized(Numbers(versions), 1)};
}

struct HelloFields {
  int version = 0x0303;
  std::vector<int> ciphers = {0x1301};
  std::vector<HelloExtension> extensions{};
  bool has_extensions = true;
  bool has_cookie = false;  // DTLS
};

// The body of a ClientHello, without its handshake header.
inline Bytes ClientHelloBody(const HelloFields& fields) {
  Bytes body;
  Put(body, static_cast<std::uint64_t>(fields.version), 2);
  body.resize(body.size() + 32, 0x5A);
  Put(body, Sized(Bytes(32, 7), 1));
  if (fields.has_cookie) Put(body, Sized({}, 1));
  Put(body, Sized(Numbers(fields.ciphers), 2));
  Put(body, Sized({0}, 1));
  if (!fields.has_extensions) return body;
  Bytes extensions;
  for (const HelloExtension& extension : fields.extensions) {
    Put(extensions, static_cast<std::uint64_t>(extension.type), 2);
    Put(extensions, Sized(extension.data, 2));
  }
  Put(body, Sized(extensions, 2));
  return body;
}

struct ServerHelloFields {
  int version = 0x0303;
  int cipher = 0x1301;
  std::vector<HelloExtension> extensions{};
};

inline Bytes ServerHelloBody(const ServerHelloFields& fields) {
  Bytes body;
  Put(body, static_cast<std::uint64_t>(fields.version), 2);
  body.resize(body.size() + 32, 0x33);
  Put(body, Sized(Bytes(32, 7), 1));
  Put(body, static_cast<std::uint64_t>(fields.cipher), 2);
  body.push_back(0);
  Bytes extensions;
  for (const HelloExtension& extension : fields.extensions) {
    Put(extensions, static_cast<std::uint64_t>(extension.type), 2);
    Put(extensions, Sized(extension.data, 2));
  }
  Put(body, Sized(extensions, 2));
  return body;
}

inline Bytes Handshake(std::uint8_t type, const Bytes& body) {
  Bytes message = {type};
  Put(message, Sized(body, 3));
  return message;
}

inline Bytes TlsRecord(const Bytes& fragment, std::uint8_t type = 22, int version = 0x0301) {
  Bytes record = {type};
  Put(record, static_cast<std::uint64_t>(version), 2);
  Put(record, Sized(fragment, 2));
  return record;
}

inline Bytes TlsClientHello(const HelloFields& fields) {
  return TlsRecord(Handshake(1, ClientHelloBody(fields)));
}

}  // namespace nta::test

#endif  // NTA_TESTS_APP_HELLO_BUILDER_H_

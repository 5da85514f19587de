#include "app/fingerprints.h"

#include <utility>

namespace nta::internal {
namespace {

// What JA3 and JA4 are made of, and nothing else.
void FillKey(const ClientHello& hello, FingerprintKey& key) {
  key.Add(static_cast<std::uint16_t>(hello.transport));
  key.Add(hello.version);
  key.Add(hello.best_version);
  key.Add(hello.has_server_name ? 1 : 0);
  const std::array<char, 2> protocol = Ja4Alpn(hello.protocols);
  key.Add(static_cast<std::uint16_t>(protocol[0] << 8 | protocol[1]));
  for (const NumberList* list : {&hello.ciphers, &hello.extensions, &hello.groups,
                                 &hello.point_formats, &hello.signature_algorithms}) {
    key.Add(*list);
  }
}

}  // namespace

const ClientFingerprints& Fingerprints::Of(const ClientHello& hello) {
  FingerprintKey key;
  FillKey(hello, key);
  if (!key.fits()) {
    client_ = {digests_.Md5Hex(Ja3Text(hello)), Ja4(hello, digests_)};
    return client_;
  }
  if (const ClientFingerprints* known = clients_.Find(key)) return *known;
  return clients_.Keep(key, {digests_.Md5Hex(Ja3Text(hello)), Ja4(hello, digests_)});
}

const std::string& Fingerprints::Of(const ServerHello& hello) {
  FingerprintKey key;
  key.Add(hello.version);
  key.Add(hello.cipher);
  key.Add(hello.extensions);
  if (!key.fits()) {
    server_ = digests_.Md5Hex(Ja3sText(hello));
    return server_;
  }
  if (const std::string* known = servers_.Find(key)) return *known;
  return servers_.Keep(key, digests_.Md5Hex(Ja3sText(hello)));
}

}  // namespace nta::internal

#include "app/hello_builder.h"

namespace nta::test {

void Put(Bytes& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

void Put(Bytes& out, const Bytes& more) { out.insert(out.end(), more.begin(), more.end()); }

void Put(Bytes& out, std::string_view text) { Put(out, ToBytes(text)); }

Bytes Sized(const Bytes& content, int length_bytes) {
  Bytes out;
  Put(out, content.size(), length_bytes);
  Put(out, content);
  return out;
}

}  // namespace nta::test

// Sha256: the hash that people can check with sha256sum(1).
#ifndef NTA_STORE_SHA256_H_
#define NTA_STORE_SHA256_H_

#include <memory>
#include <string>
#include <string_view>

namespace nta::store {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(std::string_view bytes);
  // 64 hexadecimal digits; once.
  std::string Hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string Sha256Hex(std::string_view bytes);

// RFC 4648 section 4. Decoding answers an empty text for what is not base64.
std::string EncodeBase64(std::string_view bytes);
std::string DecodeBase64(std::string_view text);

}  // namespace nta::store

#endif  // NTA_STORE_SHA256_H_

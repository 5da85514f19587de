#include "app/samples.h"

namespace nta::test {
namespace {

Bytes Number(std::size_t value, int bytes, bool is_little) {
  Bytes out;
  for (int i = 0; i < bytes; ++i) {
    const int shift = 8 * (is_little ? i : bytes - 1 - i);
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
  return out;
}

}  // namespace

Bytes Join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}
Bytes Text(std::string_view text) { return ToBytes(text); }
Bytes Hex(std::string_view text) { return FromHex(text); }
Bytes Be16(std::size_t value) { return Number(value, 2, false); }
Bytes Be32(std::size_t value) { return Number(value, 4, false); }
Bytes Le16(std::size_t value) { return Number(value, 2, true); }
Bytes Le24(std::size_t value) { return Number(value, 3, true); }
Bytes Le32(std::size_t value) { return Number(value, 4, true); }
Bytes Zeros(std::size_t count) { return Bytes(count, 0); }

Bytes Utf16(std::string_view text) {
  Bytes out;
  for (const char c : text) {
    out.push_back(static_cast<std::uint8_t>(c));
    out.push_back(0);
  }
  return out;
}

Bytes Ber(std::uint8_t tag, const Bytes& content) {
  const Bytes length = content.size() < 0x80 ? Number(content.size(), 1, false)
                                             : Join({Hex("82"), Be16(content.size())});
  return Join({Bytes{tag}, length, content});
}

Turn C(const Bytes& bytes) { return {true, bytes}; }
Turn S(const Bytes& bytes) { return {false, bytes}; }
Turn C(std::string_view text) { return {true, ToBytes(text)}; }
Turn S(std::string_view text) { return {false, ToBytes(text)}; }

std::string Base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (i + k < text.size() ? static_cast<std::uint8_t>(text[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += i + k > text.size() ? '=' : kDigits[bits >> (18 - 6 * k) & 63];
    }
  }
  return out;
}

std::vector<Sample> AllSamples() {
  std::vector<Sample> all;
  for (const auto* group : {&MailSamples(), &AccessSamples(), &DatabaseSamples(),
                            &IndustrialSamples(), &MediaSamples(), &NetworkSamples()}) {
    all.insert(all.end(), group->begin(), group->end());
  }
  return all;
}

TalkOptions OptionsFor(const Sample& sample) {
  return {.protocol = sample.protocol, .client_port = 41000, .server_port = sample.server_port};
}

void Play(const Sample& sample, FlowTalk& talk) {
  for (const Turn& turn : sample.turns) {
    if (!(turn.is_client ? talk.Client(turn.bytes) : talk.Server(turn.bytes))) return;
  }
}

}  // namespace nta::test

// Conversations of many protocols, written for these tests: what the protocols' tests, the test of
// all parsers against all others, and the fuzz targets' seeds have in common.
#ifndef NTA_TESTS_APP_SAMPLES_H_
#define NTA_TESTS_APP_SAMPLES_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/flow_talk.h"

namespace nta::test {

// In every place of the samples where a protocol carries a secret.
inline constexpr std::string_view kCanary = "s3cr3t-Canary";

struct Turn {
  bool is_client = true;
  Bytes bytes;
};

struct Sample {
  std::string name;
  Application application = Application::kUnknown;
  std::uint8_t protocol = kProtocolTcp;
  // A port that no protocol has, unless this one cannot be told without its own.
  std::uint16_t server_port = 40000;
  std::vector<Turn> turns;
  std::vector<std::pair<MetadataField, std::string>> metadata{};
};

inline void PrintTo(const Sample& sample, std::ostream* out) { *out << sample.name; }

// Parts put together: texts, bytes, numbers of a size.
Bytes Join(std::initializer_list<Bytes> parts);
Bytes Text(std::string_view text);
Bytes Hex(std::string_view text);
Bytes Be16(std::size_t value);
Bytes Be32(std::size_t value);
Bytes Le16(std::size_t value);
Bytes Le24(std::size_t value);
Bytes Le32(std::size_t value);
Bytes Zeros(std::size_t count);
Bytes Utf16(std::string_view text);
// BER: tag, length, content.
Bytes Ber(std::uint8_t tag, const Bytes& content);
Turn C(const Bytes& bytes);
Turn S(const Bytes& bytes);
Turn C(std::string_view text);
Turn S(std::string_view text);
std::string Base64(std::string_view text);

const std::vector<Sample>& MailSamples();    // and file transfer
const std::vector<Sample>& AccessSamples();  // remote access, authentication, tunnels
const std::vector<Sample>& DatabaseSamples();
const std::vector<Sample>& IndustrialSamples();  // and things
const std::vector<Sample>& MediaSamples();       // voice, video, messages, peer to peer
const std::vector<Sample>& NetworkSamples();
std::vector<Sample> AllSamples();

// The conversation before an inspector, up to its end.
void Play(const Sample& sample, FlowTalk& talk);
TalkOptions OptionsFor(const Sample& sample);

}  // namespace nta::test

#endif  // NTA_TESTS_APP_SAMPLES_H_

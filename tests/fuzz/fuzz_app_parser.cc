// One parser of module app, named with --parser=NAME, or all of them, on conversations: segments of
// both sides, each after a byte that says whose it is and a byte for its length.
//
//   fuzz_app_parser --parser=smb_tcp -max_total_time=60

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/findings.h"
#include "app/fingerprints.h"
#include "app/parsers.h"
#include "app/samples.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace nta {
namespace {

using internal::Findings;
using internal::ParseNext;
using internal::Parser;
using internal::ParseResult;
using internal::Payload;
using internal::StreamBuffer;
using internal::Verdict;
using Bytes = std::vector<std::uint8_t>;

struct Row {
  const Parser* parser;
  std::uint8_t protocol;
};

std::vector<Row>& Rows() {
  static std::vector<Row> rows;
  return rows;
}

std::string NameOf(const Row& row) {
  return std::string(ToString(row.parser->application)) +
         (row.protocol == kProtocolTcp ? "_tcp" : "_udp");
}

void Check(bool is_right, const char* what) {
  if (is_right) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

// Ports that parsers ask for, and one that none does.
constexpr std::uint16_t kPorts[] = {
    40000, 21,   23,   25,   53,   67,   69,   80,   110,  111,  123,  137,  443,  500,  502,  514,
    546,   1080, 1521, 1812, 1900, 1935, 2152, 3389, 3478, 4500, 4789, 5683, 6081, 6379, 11211};

internal::Fingerprints& Fingerprints() {
  static internal::Fingerprints fingerprints;
  return fingerprints;
}

// What the inspector does with one parser, without the others.
class Talk {
 public:
  Talk(const Row& row, std::uint16_t port) : row_(row), port_(port) {}

  // False when the parser has enough.
  bool Show(bool is_forward, bool is_last, Bytes segment) {
    Bytes& stream = streams_[is_forward ? 0 : 1];
    const bool is_tcp = row_.protocol == kProtocolTcp;
    if (!is_tcp) stream.clear();
    stream.insert(stream.end(), segment.begin(), segment.end());
    if (stream.empty()) return true;
    const Bytes copy = stream;  // ends where the heap block does
    DecodedPacket packet;
    packet.protocol = row_.protocol;
    packet.has_ports = true;
    packet.source_port = is_forward ? 50000 : port_;
    packet.destination_port = is_forward ? port_ : 50000;
    packet.payload = copy;
    packet.payload_bytes = static_cast<std::uint32_t>(copy.size());
    Payload payload{
        copy, packet, is_forward, !has_consumed_[is_forward ? 0 : 1], is_last || !is_tcp, {}, {}};
    payload.other = streams_[is_forward ? 1 : 0];
    payload.previous = previous_[is_forward ? 0 : 1];
    if (!is_adopted_) {
      if (!row_.parser->first_bytes.Contains(copy[0])) return true;
      const Verdict verdict = row_.parser->match(payload);
      previous_[is_forward ? 0 : 1] =
          Bytes(copy.begin(), copy.begin() + std::min<std::ptrdiff_t>(std::ssize(copy), 24));
      if (verdict != Verdict::kYes) return true;
      is_adopted_ = true;
    }
    return row_.parser->parse != nullptr && Parse(payload, stream);
  }

 private:
  bool Parse(const Payload& payload, Bytes& stream) {
    Findings findings({.metadata = metadata_,
                       .metadata_is_shared = is_shared_,
                       .application = application_,
                       .memory = memory_,
                       .scratch = scratch_,
                       .scratch_limit = 16'384,
                       .names = &names_,
                       .fingerprints = Fingerprints(),
                       .expected = &expected_});
    const ParseResult result = row_.parser->parse(payload, findings);
    Check(result.consumed <= payload.bytes.size(), "consumed is at most what was shown");
    has_consumed_[payload.is_forward ? 0 : 1] |= result.consumed > 0;
    stream.erase(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(result.consumed));
    if (metadata_ != nullptr) {
      for (const FlowMetadata::Entry& entry : metadata_->entries()) {
        Check(entry.value.size() <= FlowMetadata::kMaxValueBytes, "values are bounded");
      }
    }
    return result.next == ParseNext::kMore;
  }

  const Row& row_;
  std::uint16_t port_;
  Bytes streams_[2];
  Bytes previous_[2];
  bool has_consumed_[2] = {};
  bool is_adopted_ = false;
  bool is_shared_ = false;
  std::shared_ptr<FlowMetadata> metadata_;
  Application application_ = Application::kUnknown;
  internal::ParserMemory memory_{};
  std::unique_ptr<StreamBuffer> scratch_;
  NameTable names_{{.max_names = 8, .hash_seed = 1}};
  internal::ExpectedFlows expected_;
};

void Run(const Row& row, std::span<const std::uint8_t> data) {
  if (data.empty()) return;
  Talk talk(row, kPorts[data[0] % std::size(kPorts)]);
  data = data.subspan(1);
  while (data.size() > 2) {
    const std::uint8_t flags = data[0];
    const std::size_t size = std::min<std::size_t>(data[1] + (flags & 4u) * 64u, data.size() - 2);
    const auto segment = data.subspan(2, size);
    if (!talk.Show((flags & 1) != 0, (flags & 2) != 0, Bytes(segment.begin(), segment.end())))
      return;
    data = data.subspan(2 + size);
  }
}

// A sample in the form that Run reads.
Bytes Encode(const test::Sample& sample) {
  Bytes out;
  const auto* port = std::ranges::find(kPorts, sample.server_port);
  out.push_back(static_cast<std::uint8_t>(port == std::end(kPorts) ? 0 : port - kPorts));
  for (const test::Turn& turn : sample.turns) {
    for (std::size_t at = 0; at < turn.bytes.size();) {
      const std::size_t left = turn.bytes.size() - at;
      const bool is_long = left >= 256;
      const std::size_t size = is_long ? std::min<std::size_t>(left, 511) : left;
      out.push_back(static_cast<std::uint8_t>((turn.is_client ? 1 : 0) | (is_long ? 4 : 0)));
      out.push_back(static_cast<std::uint8_t>(is_long ? size - 256 : size));
      out.insert(out.end(), turn.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                 turn.bytes.begin() + static_cast<std::ptrdiff_t>(at + size));
      at += size;
    }
  }
  return out;
}

std::vector<Bytes>& Seeds() {
  static std::vector<Bytes> seeds;
  return seeds;
}

void Choose(std::string_view name) {
  for (const Parser* parser : internal::TcpParsers()) Rows().push_back({parser, kProtocolTcp});
  for (const Parser* parser : internal::UdpParsers()) Rows().push_back({parser, kProtocolUdp});
  if (!name.empty()) std::erase_if(Rows(), [&](const Row& row) { return NameOf(row) != name; });
  if (Rows().empty()) {
    std::fprintf(stderr, "no parser \"%.*s\"\n", static_cast<int>(name.size()), name.data());
    std::exit(1);
  }
  for (const test::Sample& sample : test::AllSamples()) {
    const bool fits = std::ranges::any_of(Rows(), [&](const Row& row) {
      return row.protocol == sample.protocol && row.parser->application == sample.application;
    });
    if (fits) Seeds().push_back(Encode(sample));
  }
}

}  // namespace
}  // namespace nta

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  std::string_view name;
  constexpr std::string_view kOption = "--parser=";
  for (int i = 1; i < *argc; ++i) {
    const std::string_view argument = (*argv)[i];
    if (argument.starts_with(kOption)) name = argument.substr(kOption.size());
  }
  nta::Choose(name);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const nta::Row& row : nta::Rows()) nta::Run(row, {data, size});
  return 0;
}

// Starts over from a sample now and then: no chance finds a whole log-in.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned int seed) {
  const auto& seeds = nta::Seeds();
  std::minstd_rand random(seed);
  if (!seeds.empty() && random() % 16 == 0) {
    const auto& sample = seeds[random() % seeds.size()];
    size = std::min(sample.size(), max_size);
    std::memcpy(data, sample.data(), size);
  }
  return LLVMFuzzerMutate(data, size, max_size);
}

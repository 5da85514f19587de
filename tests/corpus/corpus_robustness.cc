// Reads every capture of NTA_CORPUS_DIR, cut and damaged in many ways, and compares our reader with
// libpcap. Exit status 0: all well; 1: a difference or a broken promise; 77: there is no corpus.
#include <pcap/pcap.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "nta/capture/pcap_file_reader.h"
#include "nta/flow/flow_table.h"
#include "nta/flow/fragment_tracker.h"
#include "nta/packet/decode.h"

namespace {

using nta::Packet;
using nta::PacketView;

int problems = 0;

void Problem(const std::string& file, const std::string& what) {
  ++problems;
  std::printf("%s: %s\n", file.c_str(), what.c_str());
}

struct Recording {
  std::vector<Packet> packets;
  absl::Status status;
};

Recording ReadFile(const std::string& path) {
  Recording recording;
  auto reader = nta::PcapFileReader::Open(path);
  recording.status = reader.status();
  nta::PacketBatch batch;
  while (recording.status.ok()) {
    const auto result = (*reader)->Read(batch);
    recording.status = result.status();
    if (!result.ok() || *result == nta::ReadResult::kEnd) break;
    for (const PacketView& packet : batch) recording.packets.emplace_back(packet);
  }
  return recording;
}

// Decode, fragments and flows of some packets; their books must balance.
class Meter {
 public:
  Meter(const std::string& file, nta::DecodeView view)
      : file_(file),
        options_{.view = view},
        table_(nta::FlowTable::Create({.max_flows = 64}).value()) {}

  void Add(const PacketView& view) {
    nta::DecodedPacket packet = nta::Decode(view, options_);
    const std::uint8_t* const end = view.bytes.data() + view.bytes.size();
    if (!packet.payload.empty() && (packet.payload.data() < view.bytes.data() ||
                                    packet.payload.data() + packet.payload.size() > end)) {
      Problem(file_, "a payload lies outside its packet");
    }
    ++packets_;
    fragments_.Resolve(packet);
    table_.Add({&packet, 1}, events_);
    if (events_.size() > 1000) Tally();
  }

  void Finish() {
    while (!table_.EndAll(events_)) {
    }
    Tally();
    const nta::FlowTableStats stats = table_.Stats();
    if (stats.packets + stats.ignored != packets_)
      Problem(file_, "a packet is missing in the table");
    if (stats.packets != in_flows_) Problem(file_, "a packet is missing in the flows");
    if (stats.started != stats.ended || stats.active != 0)
      Problem(file_, "a flow was not ended once");
  }

 private:
  void Tally() {
    for (const nta::FlowEvent& event : events_) {
      in_flows_ += event.flow.packets();
      if (event.flow.last_seen < event.flow.first_seen)
        Problem(file_, "a flow ends before it starts");
    }
    events_.clear();
  }

  std::string file_;
  nta::DecodeOptions options_;
  nta::FlowTable table_;
  nta::FragmentTracker fragments_;
  std::vector<nta::FlowEvent> events_;
  std::uint64_t packets_ = 0;
  std::uint64_t in_flows_ = 0;
};

// Bytes of exactly the captured size on the heap, so that a sanitizer sees a read beyond them.
class Exact {
 public:
  explicit Exact(std::span<const std::uint8_t> bytes)
      : bytes_(new std::uint8_t[bytes.size()]), size_(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), bytes_.get());
  }
  std::span<std::uint8_t> span() { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_;
};

constexpr nta::DecodeView kViews[] = {nta::DecodeView::kOuter, nta::DecodeView::kInner};

// The packets that stand for a file: all of a small one, an even sample of a large one.
std::vector<const Packet*> Sample(const std::vector<Packet>& packets, std::size_t limit) {
  std::vector<const Packet*> sample;
  const std::size_t step = packets.size() / limit + 1;
  for (std::size_t i = 0; i < packets.size(); i += step) sample.push_back(&packets[i]);
  return sample;
}

void Recut(const std::string& file, const std::vector<Packet>& packets) {
  const auto sample = Sample(packets, 300);
  for (std::size_t snap = 0; snap <= 128; ++snap) {
    for (const nta::DecodeView view : kViews) {
      Meter meter(file, view);
      for (const Packet* packet : sample) {
        PacketView cut = packet->view();
        Exact bytes(cut.bytes.first(std::min(snap, cut.bytes.size())));
        cut.bytes = bytes.span();
        meter.Add(cut);
      }
      meter.Finish();
    }
  }
}

void Damage(const std::string& file, const std::vector<Packet>& packets) {
  constexpr int kPasses = 5;
  for (int pass = 0; pass < kPasses; ++pass) {
    std::mt19937_64 random(static_cast<std::uint64_t>(pass) + 1);
    Meter outer(file, nta::DecodeView::kOuter);
    Meter inner(file, nta::DecodeView::kInner);
    for (const Packet* packet : Sample(packets, 3000)) {
      PacketView damaged = packet->view();
      Exact bytes(damaged.bytes);
      for (std::uint8_t& byte : bytes.span()) {
        if (random() % 50 == 0) byte = static_cast<std::uint8_t>(random());
      }
      damaged.bytes = bytes.span();
      outer.Add(damaged);
      inner.Add(damaged);
    }
    outer.Finish();
    inner.Finish();
  }
}

// The file itself with 2 % of its bytes changed, read to its end or its damage.
void DamageFile(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return;
  std::vector<char> original(std::size_t{1} << 20);
  original.resize(std::fread(original.data(), 1, original.size(), file));
  std::fclose(file);
  const std::string copy =
      std::filesystem::temp_directory_path() / ("nta_corpus_" + std::to_string(std::rand()));
  for (std::uint64_t pass = 1; pass <= 3; ++pass) {
    std::mt19937_64 random(pass);
    std::vector<char> bytes = original;
    // The first bytes decide whether it is read at all.
    for (std::size_t i = 8; i < bytes.size(); ++i) {
      if (random() % (pass == 1 ? 50 : 2000) == 0) bytes[i] = static_cast<char>(random());
    }
    std::FILE* const out = std::fopen(copy.c_str(), "wb");
    if (out == nullptr) return;
    std::fwrite(bytes.data(), 1, bytes.size(), out);
    std::fclose(out);
    Meter meter(path, nta::DecodeView::kInner);
    for (const Packet& packet : ReadFile(copy).packets) meter.Add(packet.view());
    meter.Finish();
  }
  std::filesystem::remove(copy);
}

// Where the two may differ: libpcap cuts at the file's snap length, though the record holds more;
// and it reads seconds and fractions above 2^31 as negative, though the format has them unsigned.
std::string Difference(const PacketView& ours, const pcap_pkthdr& header, const u_char* bytes,
                       std::size_t snap_length) {
  const bool is_cut = header.caplen == snap_length && ours.bytes.size() > snap_length;
  if (ours.bytes.size() != header.caplen && !is_cut) {
    return "captured " + std::to_string(ours.bytes.size()) + ", not " +
           std::to_string(header.caplen);
  }
  if (ours.wire_bytes != header.len) {
    return "wire length " + std::to_string(ours.wire_bytes) + ", not " + std::to_string(header.len);
  }
  if (!std::equal(bytes, bytes + header.caplen, ours.bytes.begin())) return "other bytes";
  const nta::Timestamp theirs{std::chrono::seconds(header.ts.tv_sec) +
                              nta::Duration(header.ts.tv_usec)};
  constexpr std::int64_t kWrap = std::int64_t{1} << 32;
  for (const std::int64_t seconds : {std::int64_t{0}, kWrap}) {
    for (const std::int64_t unit : {0, 1, 1000}) {
      if (ours.time == theirs + std::chrono::seconds(seconds) + nta::Duration(kWrap * unit))
        return {};
    }
  }
  return "time " + nta::ToString(ours.time) + ", not " + nta::ToString(theirs);
}

// What libpcap reads of a file, our reader reads, too, and the same.
bool CompareWithLibpcap(const std::string& path, const Recording& recording) {
  char error[PCAP_ERRBUF_SIZE];
  pcap_t* const pcap =
      pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, error);
  if (pcap == nullptr) return false;
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  std::size_t i = 0;
  int result = 0;
  while ((result = pcap_next_ex(pcap, &header, &bytes)) == 1) {
    if (i >= recording.packets.size()) break;
    const PacketView ours = recording.packets[i].view();
    const std::string difference =
        Difference(ours, *header, bytes, static_cast<std::size_t>(pcap_snapshot(pcap)));
    if (!difference.empty()) {
      Problem(path, "packet " + std::to_string(i) + " differs from libpcap's: " + difference);
      pcap_close(pcap);
      return true;
    }
    ++i;
  }
  if (result == 1) {
    Problem(path, "libpcap reads more than " + std::to_string(recording.packets.size()) +
                      " packets: " + std::string(recording.status.message()));
  } else if (result == PCAP_ERROR_BREAK && i != recording.packets.size()) {
    Problem(path, "libpcap ends after " + std::to_string(i) + " packets, we after " +
                      std::to_string(recording.packets.size()));
  } else if (result == PCAP_ERROR_BREAK && !recording.status.ok()) {
    Problem(path, "libpcap sees no damage: " + std::string(recording.status.message()));
  }
  pcap_close(pcap);
  return true;
}

}  // namespace

int main() {
  const char* const corpus = std::getenv("NTA_CORPUS_DIR");
  if (corpus == nullptr || *corpus == '\0') {
    std::printf("SKIPPED: NTA_CORPUS_DIR is not set, so no foreign capture was read\n");
    return 77;
  }
  std::size_t files = 0;
  std::size_t packets = 0;
  std::size_t compared = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::string(corpus) + "/captures")) {
    if (!entry.is_regular_file()) continue;
    const std::string path = entry.path();
    const Recording recording = ReadFile(path);
    ++files;
    packets += recording.packets.size();
    compared += CompareWithLibpcap(path, recording) ? 1 : 0;
    Recut(path, recording.packets);
    Damage(path, recording.packets);
    DamageFile(path);
  }
  std::printf("%zu files, %zu packets, %zu compared with libpcap, %d problems\n", files, packets,
              compared, problems);
  return problems == 0 && files > 0 ? 0 : 1;
}

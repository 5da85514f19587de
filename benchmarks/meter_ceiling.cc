// The least that any meter has to do to a capture file: read it in blocks, take addresses, ports
// and lengths from Ethernet, IPv4 and IPv6, and count them in a table on huge pages, in bursts with
// prefetch. No checks but bounds, no tunnels, no time, no end, no limit, one direction. What
// pcap_to_flows takes beyond this is the price of being right.
//
//   time meter_ceiling FILE.pcap [BITS]
//
// The file is a pcap of this machine's byte order with Ethernet; the table has 2^BITS entries (21).
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <utility>

namespace {

constexpr std::size_t kBlock = 256 << 10;
constexpr std::size_t kLargestRecord = 65'536 + 16;
constexpr std::size_t kBurst = 32;

struct alignas(64) Entry {
  std::uint64_t a[2];
  std::uint64_t b[2];
  std::uint64_t rest;  // ports, protocol
  std::uint64_t packets;
  std::uint64_t bytes;
  std::uint64_t unused;
};

class Table {
 public:
  explicit Table(int bits) : bits_(bits), mask_((std::size_t{1} << bits) - 1) {
    const std::size_t bytes = (mask_ + 1) * sizeof(Entry);
    void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) _exit(1);
    madvise(memory, bytes, MADV_HUGEPAGE);
    entries_ = static_cast<Entry*>(memory);
  }

  std::size_t Home(const Entry& key) const {
    const std::uint64_t mixed = (key.a[0] ^ key.a[1] * 3) * 0x9e3779b97f4a7c15 ^
                                (key.b[0] ^ key.b[1] * 5) * 0xbf58476d1ce4e5b9 ^
                                key.rest * 0x94d049bb133111eb;
    return mixed >> (64 - bits_);
  }
  void Prefetch(std::size_t home) const { __builtin_prefetch(&entries_[home], 1); }
  void Add(const Entry& key, std::size_t home) {
    for (std::size_t i = home;; i = (i + 1) & mask_) {
      Entry& entry = entries_[i];
      if (entry.packets == 0) {
        entry = key;
        ++flows_;
        return;
      }
      if (std::memcmp(entry.a, key.a, 40) != 0) continue;
      ++entry.packets;
      entry.bytes += key.bytes;
      return;
    }
  }
  std::uint64_t flows() const { return flows_; }

 private:
  int bits_;
  std::size_t mask_;
  Entry* entries_ = nullptr;
  std::uint64_t flows_ = 0;
};

std::uint32_t Word(const std::uint8_t* bytes) {
  std::uint32_t word;
  std::memcpy(&word, bytes, 4);
  return word;
}

// The key of one Ethernet frame in canonical order; false when there is none.
bool Decode(std::span<const std::uint8_t> frame, std::uint32_t wire_bytes, Entry& key) {
  if (frame.size() < 14 + 40) return false;
  const std::uint8_t* const ip = frame.data() + 14;
  const std::uint8_t* ports = nullptr;
  key = {};
  if ((ip[0] >> 4) == 4) {
    key.a[0] = Word(ip + 12);
    key.b[0] = Word(ip + 16);
    key.rest = std::uint64_t{ip[9]} << 32;
    ports = ip + (ip[0] & 15) * 4;
  } else {
    std::memcpy(key.a, ip + 8, 16);
    std::memcpy(key.b, ip + 24, 16);
    key.rest = std::uint64_t{ip[6]} << 32;
    ports = ip + 40;
  }
  if (ports + 4 > frame.data() + frame.size()) return false;
  std::uint32_t pair = Word(ports);
  if (std::memcmp(key.a, key.b, 16) > 0) {
    std::swap(key.a, key.b);
    pair = pair >> 16 | pair << 16;
  }
  key.rest |= pair;
  key.packets = 1;
  key.bytes = wire_bytes;
  return true;
}

class Meter {
 public:
  explicit Meter(int bits) : table_(bits) {}

  void Add(std::span<const std::uint8_t> frame, std::uint32_t wire_bytes) {
    ++packets_;
    if (!Decode(frame, wire_bytes, keys_[count_])) return;
    homes_[count_] = table_.Home(keys_[count_]);
    table_.Prefetch(homes_[count_]);
    if (++count_ == kBurst) Flush();
  }
  void Flush() {
    for (std::size_t i = 0; i < count_; ++i) table_.Add(keys_[i], homes_[i]);
    count_ = 0;
  }
  void Print() const {
    std::printf("%llu packets, %llu flows\n", static_cast<unsigned long long>(packets_),
                static_cast<unsigned long long>(table_.flows()));
  }

 private:
  Table table_;
  std::array<Entry, kBurst> keys_;
  std::array<std::size_t, kBurst> homes_;
  std::size_t count_ = 0;
  std::uint64_t packets_ = 0;
};

// Counts the whole records of a block; how many bytes they took.
std::size_t AddBlock(std::span<const std::uint8_t> block, Meter& meter) {
  std::size_t done = 0;
  while (block.size() - done >= 16) {
    const std::size_t captured = Word(block.data() + done + 8);
    if (captured > kLargestRecord || block.size() - done - 16 < captured) break;
    meter.Add(block.subspan(done + 16, captured), Word(block.data() + done + 12));
    done += 16 + captured;
  }
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  const int file = argc == 2 || argc == 3 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
  std::array<std::uint8_t, 24> header;
  if (file < 0 || read(file, header.data(), header.size()) != 24) {
    std::fputs("usage: meter_ceiling FILE.pcap [BITS]\n", stderr);
    return 2;
  }
  static std::array<std::uint8_t, kBlock + kLargestRecord> buffer;
  Meter meter(argc == 3 ? std::atoi(argv[2]) : 21);
  std::size_t held = 0;
  while (true) {
    const ssize_t got = read(file, buffer.data() + held, kBlock);
    if (got <= 0) break;
    held += static_cast<std::size_t>(got);
    const std::size_t done = AddBlock(std::span(buffer).first(held), meter);
    held -= done;
    if (held > kLargestRecord) break;
    std::memmove(buffer.data(), buffer.data() + done, held);
  }
  meter.Flush();
  close(file);
  meter.Print();
  return 0;
}

#include "nta/capture/live_capture.h"

#include <net/if.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "base/status.h"
#include "capture/link_type.h"
#include "capture/pcap_handle.h"
#include "capture/wide_counter.h"

namespace nta {
namespace {

using internal::PcapHandle;
using internal::WideCounter;
using SteadyClock = std::chrono::steady_clock;

}  // namespace

class LiveCapture::Impl {
 public:
  static absl::StatusOr<std::unique_ptr<Impl>> Open(const std::string& interface,
                                                    LiveCaptureOptions options) {
    NTA_RETURN_IF_ERROR(internal::CheckOptions(interface, options));
    auto capture = std::make_unique<Impl>(interface, std::move(options));
    if (capture->never_readable_ < 0) return base::ErrnoStatus(errno, "cannot make an eventfd");
    NTA_RETURN_IF_ERROR(capture->OpenHandle());
    return capture;
  }

  Impl(std::string interface, LiveCaptureOptions options)
      : interface_(std::move(interface)),
        options_(std::move(options)),
        never_readable_(eventfd(0, EFD_CLOEXEC)) {}
  ~Impl() {
    if (never_readable_ >= 0) close(never_readable_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  absl::StatusOr<ReadResult> Read(PacketBatch& batch) {
    NTA_ASSIGN_OR_RETURN(const ReadResult result, ReadNow(batch));
    if (result == ReadResult::kPackets) return result;
    NTA_RETURN_IF_ERROR(Wait());
    return ReadNow(batch);
  }

  absl::StatusOr<ReadResult> ReadNow(PacketBatch& batch) {
    batch.clear();
    if (!failure_.ok()) return failure_;
    if (pcap_ == nullptr && !Reopen()) return ReadResult::kTimeout;
    bytes_.clear();
    Sink sink{this, &batch};
    const int count = pcap_dispatch(pcap_.get(), static_cast<int>(options_.max_batch), &Impl::Take,
                                    reinterpret_cast<u_char*>(&sink));
    if (batch.empty()) {
      if (count < 0) return Lost(pcap_geterr(pcap_.get()));
      return CheckInterface();
    }
    // The buffer may have moved while it grew; only now do the packets get their places in it.
    std::size_t offset = 0;
    for (PacketView& packet : batch) {
      const std::size_t size = packet.bytes.size();
      packet.bytes = std::span<const std::uint8_t>(bytes_).subspan(offset, size);
      offset += size;
    }
    stats_.received += batch.size();
    stats_.received_bytes += offset;
    // Often enough for counters of 32 bits, at the price of a system call in many packets.
    constexpr int kReadsPerCount = 4096;
    if (++reads_ % kReadsPerCount == 0) CountDrops();
    return ReadResult::kPackets;
  }

  CaptureStats Stats() const {
    CountDrops();
    CaptureStats stats = stats_;
    stats.dropped_buffer = dropped_buffer_.total();
    stats.dropped_interface = dropped_interface_.total();
    if (pcap_ == nullptr) stats.outage_time += SteadyClock::now() - away_since_;
    return stats;
  }

  CaptureInterface interface() const {
    CaptureInterface interface;
    interface.name = interface_;
    interface.link_type = link_type_;
    interface.snap_length = internal::SnapLength(options_);
    return interface;
  }
  int descriptor() const {
    return pcap_ != nullptr ? pcap_get_selectable_fd(pcap_.get()) : never_readable_;
  }
  const std::string& name() const { return interface_; }

 private:
  struct Sink {
    Impl* impl;
    PacketBatch* batch;
  };

  static void Take(u_char* user, const pcap_pkthdr* header, const u_char* bytes) {
    const Sink& sink = *reinterpret_cast<const Sink*>(user);
    Impl& impl = *sink.impl;
    // The ring's slot is given back when this returns, so the bytes are copied.
    impl.bytes_.insert(impl.bytes_.end(), bytes, bytes + header->caplen);
    PacketView& packet = sink.batch->emplace_back();
    packet.time = Timestamp(std::chrono::seconds(header->ts.tv_sec) +
                            Duration(header->ts.tv_usec * impl.unit_));
    packet.link_type = impl.link_type_;
    packet.wire_bytes = header->len;
    packet.bytes = {bytes, header->caplen};
  }

  absl::Status OpenHandle() {
    NTA_ASSIGN_OR_RETURN(pcap_, internal::OpenInterface(interface_, options_));
    link_type_ = internal::LinkTypeOfDlt(pcap_datalink(pcap_.get()));
    unit_ = pcap_get_tstamp_precision(pcap_.get()) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
    index_ = if_nametoindex(interface_.c_str());
    dropped_buffer_.Restart();
    dropped_interface_.Restart();
    last_check_ = SteadyClock::now();
    return absl::OkStatus();
  }

  absl::Status Wait() const {
    pollfd descriptor{this->descriptor(), POLLIN, 0};
    const int result = poll(&descriptor, 1, static_cast<int>(options_.timeout.count()));
    if (result < 0 && errno != EINTR) return base::ErrnoStatus(errno, "cannot wait for packets");
    return absl::OkStatus();
  }

  void CountDrops() const {
    pcap_stat kernel{};
    if (pcap_ == nullptr || pcap_stats(pcap_.get(), &kernel) != 0) return;
    dropped_buffer_.Follow(kernel.ps_drop);
    dropped_interface_.Follow(kernel.ps_ifdrop);
  }

  bool IsTimeToCheck() {
    const SteadyClock::time_point now = SteadyClock::now();
    if (now - last_check_ < options_.timeout) return false;
    last_check_ = now;
    return true;
  }

  // libpcap goes on in silence while an interface is down, and may not see that another one of the
  // same name has taken its place.
  absl::StatusOr<ReadResult> CheckInterface() {
    // "any" has no index.
    if (index_ == 0 || !IsTimeToCheck()) return ReadResult::kTimeout;
    ifreq request{};
    request.ifr_ifindex = static_cast<int>(index_);
    const int fd = pcap_fileno(pcap_.get());
    if (ioctl(fd, SIOCGIFNAME, &request) != 0) return Lost("the interface went away");
    if (ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) == 0) {
      return Lost("the interface went down");
    }
    return ReadResult::kTimeout;
  }

  absl::StatusOr<ReadResult> Lost(const std::string& why) {
    ++stats_.outages;
    if (options_.outage == OutagePolicy::kFail) {
      failure_ = base::MakeStatus(absl::StatusCode::kUnavailable,
                                  "capture on \"" + interface_ + "\" ended: " + why);
      return failure_;
    }
    CountDrops();
    pcap_ = nullptr;
    away_since_ = last_check_ = SteadyClock::now();
    return ReadResult::kTimeout;
  }

  // Whether it is open again.
  bool Reopen() {
    if (!IsTimeToCheck() || !OpenHandle().ok()) return false;
    stats_.outage_time += SteadyClock::now() - away_since_;
    return true;
  }

  const std::string interface_;
  const LiveCaptureOptions options_;
  const int never_readable_;  // to wait for while the interface is away
  PcapHandle pcap_;           // null while the interface is away
  unsigned index_ = 0;
  LinkType link_type_ = LinkType::kEthernet;
  std::int64_t unit_ = 1;
  std::vector<std::uint8_t> bytes_;
  CaptureStats stats_;
  mutable WideCounter dropped_buffer_;
  mutable WideCounter dropped_interface_;
  unsigned reads_ = 0;
  SteadyClock::time_point last_check_{};
  SteadyClock::time_point away_since_{};
  absl::Status failure_;
};

absl::StatusOr<std::unique_ptr<LiveCapture>> LiveCapture::Open(const std::string& interface,
                                                               LiveCaptureOptions options) {
  NTA_ASSIGN_OR_RETURN(std::unique_ptr<Impl> impl, Impl::Open(interface, std::move(options)));
  return std::unique_ptr<LiveCapture>(new LiveCapture(std::move(impl)));
}

LiveCapture::LiveCapture(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LiveCapture::~LiveCapture() = default;

absl::StatusOr<ReadResult> LiveCapture::Read(PacketBatch& batch) { return impl_->Read(batch); }
absl::StatusOr<ReadResult> LiveCapture::ReadNow(PacketBatch& batch) {
  return impl_->ReadNow(batch);
}
int LiveCapture::descriptor() const { return impl_->descriptor(); }
CaptureStats LiveCapture::Stats() const { return impl_->Stats(); }
std::string LiveCapture::name() const { return impl_->name(); }
std::vector<CaptureInterface> LiveCapture::Interfaces() const { return {impl_->interface()}; }

}  // namespace nta

#include "nta/capture/live_capture.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "base/status.h"
#include "capture/link_type.h"

namespace nta {
namespace {

struct PcapCloser {
  void operator()(pcap_t* pcap) const { pcap_close(pcap); }
};
using PcapHandle = std::unique_ptr<pcap_t, PcapCloser>;

std::optional<IpAddress> ToAddress(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(address);
  if (address->sa_family == AF_INET) {
    const auto* const v4 = bytes + offsetof(sockaddr_in, sin_addr);
    return IpAddress::V4(std::span<const std::uint8_t, 4>(v4, 4));
  }
  if (address->sa_family == AF_INET6) {
    const auto* const v6 = bytes + offsetof(sockaddr_in6, sin6_addr);
    return IpAddress::V6(std::span<const std::uint8_t, 16>(v6, 16));
  }
  return std::nullopt;
}

Interface ToInterface(const pcap_if_t& device) {
  Interface interface;
  interface.name = device.name;
  if (device.description != nullptr) interface.description = device.description;
  interface.is_up = (device.flags & PCAP_IF_UP) != 0;
  interface.is_loopback = (device.flags & PCAP_IF_LOOPBACK) != 0;
  for (const pcap_addr_t* address = device.addresses; address != nullptr; address = address->next) {
    if (const auto ip = ToAddress(address->addr)) interface.addresses.push_back(*ip);
  }
  return interface;
}

std::string KnownInterfaces() {
  const auto interfaces = ListInterfaces();
  if (!interfaces.ok()) return {};
  std::string names;
  for (const Interface& interface : *interfaces) {
    names += (names.empty() ? "" : ", ") + interface.name;
  }
  return names.empty() ? " (there are none)" : " (have: " + names + ')';
}

absl::Status ActivationError(pcap_t* pcap, int code, const std::string& interface) {
  const std::string what = "cannot capture on \"" + interface + "\": ";
  switch (code) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
      return base::MakeStatus(absl::StatusCode::kNotFound,
                              what + "no such interface" + KnownInterfaces());
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
      return base::MakeStatus(
          absl::StatusCode::kPermissionDenied,
          what + "it needs the capability CAP_NET_RAW; run as root or grant it to the program");
    case PCAP_ERROR_IFACE_NOT_UP:
      return base::MakeStatus(absl::StatusCode::kUnavailable, what + "the interface is down");
    default: {
      const char* const detail = pcap_geterr(pcap);
      return base::MakeStatus(absl::StatusCode::kUnavailable,
                              what + (*detail != '\0' ? detail : pcap_statustostr(code)));
    }
  }
}

absl::Status SetFilter(pcap_t* pcap, const std::string& filter) {
  if (filter.empty()) return absl::OkStatus();
  bpf_program program{};
  if (pcap_compile(pcap, &program, filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
    return base::InvalidArgument("cannot compile the filter \"" + filter +
                                 "\": " + pcap_geterr(pcap));
  }
  const int result = pcap_setfilter(pcap, &program);
  pcap_freecode(&program);
  if (result == 0) return absl::OkStatus();
  return base::MakeStatus(absl::StatusCode::kInternal,
                          "cannot set the filter \"" + filter + "\": " + pcap_geterr(pcap));
}

absl::Status CheckOptions(const std::string& interface, const LiveCaptureOptions& options) {
  // Longer names than the kernel's cannot exist, and a NUL would cut one short.
  if (interface.empty() || interface.size() >= IFNAMSIZ ||
      interface.find('\0') != std::string::npos) {
    return base::MakeStatus(absl::StatusCode::kNotFound,
                            "cannot capture on \"" + interface.substr(0, 64) +
                                "\": no such interface" + KnownInterfaces());
  }
  constexpr std::size_t kMaxFilterBytes = 4096;
  if (options.filter.size() > kMaxFilterBytes || options.filter.find('\0') != std::string::npos) {
    return base::InvalidArgument("a capture filter has at most 4,096 characters and no NUL");
  }
  if (options.snap_length < 64 || options.snap_length > 262144) {
    return base::InvalidArgument("snap_length must be within 64 and 262,144 bytes");
  }
  if (options.ring_bytes < 65536 || options.ring_bytes > std::numeric_limits<int>::max()) {
    return base::InvalidArgument("ring_bytes must be within 64 KiB and 2 GiB");
  }
  if (options.max_batch == 0 || options.timeout < std::chrono::milliseconds(1)) {
    return base::InvalidArgument("max_batch and timeout must be positive");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Interface>> ListInterfaces() {
  char error[PCAP_ERRBUF_SIZE] = "";
  pcap_if_t* devices = nullptr;
  if (pcap_findalldevs(&devices, error) != 0) {
    return base::MakeStatus(absl::StatusCode::kUnavailable,
                            std::string("cannot list the network interfaces: ") + error);
  }
  std::vector<Interface> interfaces;
  for (const pcap_if_t* device = devices; device != nullptr; device = device->next) {
    // libpcap also lists sources that are no network interfaces (USB buses, D-Bus, netfilter
    // queues).
    if (if_nametoindex(device->name) != 0) interfaces.push_back(ToInterface(*device));
  }
  pcap_freealldevs(devices);
  std::stable_sort(
      interfaces.begin(), interfaces.end(),
      [](const Interface& a, const Interface& b) { return a.is_loopback < b.is_loopback; });
  return interfaces;
}

class LiveCapture::Impl {
 public:
  static absl::StatusOr<std::unique_ptr<Impl>> Open(const std::string& interface,
                                                    LiveCaptureOptions options) {
    NTA_RETURN_IF_ERROR(CheckOptions(interface, options));
    char error[PCAP_ERRBUF_SIZE] = "";
    PcapHandle pcap(pcap_create(interface.c_str(), error));
    if (pcap == nullptr) {
      return base::MakeStatus(absl::StatusCode::kUnavailable,
                              "cannot capture on \"" + interface + "\": " + error);
    }
    pcap_set_snaplen(pcap.get(), static_cast<int>(options.snap_length));
    pcap_set_promisc(pcap.get(), options.scope == CaptureScope::kPromiscuous ? 1 : 0);
    pcap_set_timeout(pcap.get(), static_cast<int>(options.timeout.count()));
    pcap_set_buffer_size(pcap.get(), static_cast<int>(options.ring_bytes));
    pcap_set_immediate_mode(pcap.get(), options.delivery == CaptureDelivery::kImmediate ? 1 : 0);
    pcap_set_tstamp_precision(pcap.get(), PCAP_TSTAMP_PRECISION_NANO);
    // Above 0 are warnings, for example that promiscuous mode is not supported.
    if (const int code = pcap_activate(pcap.get()); code < 0) {
      return ActivationError(pcap.get(), code, interface);
    }
    NTA_RETURN_IF_ERROR(SetFilter(pcap.get(), options.filter));
    // A blocking pcap_dispatch does not return from a silent TPACKET_V3 ring, so Read polls.
    if (pcap_setnonblock(pcap.get(), 1, error) != 0) {
      return base::MakeStatus(absl::StatusCode::kInternal,
                              "cannot capture on \"" + interface + "\": " + error);
    }
    return std::make_unique<Impl>(interface, std::move(options), std::move(pcap));
  }

  Impl(std::string interface, LiveCaptureOptions options, PcapHandle pcap)
      : interface_(std::move(interface)),
        options_(std::move(options)),
        pcap_(std::move(pcap)),
        link_type_(internal::LinkTypeOfDlt(pcap_datalink(pcap_.get()))),
        unit_(pcap_get_tstamp_precision(pcap_.get()) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000) {}

  absl::StatusOr<ReadResult> Read(PacketBatch& batch) {
    batch.clear();
    NTA_ASSIGN_OR_RETURN(int count, Dispatch(batch));
    if (count == 0) {
      NTA_RETURN_IF_ERROR(Wait());
      NTA_ASSIGN_OR_RETURN(count, Dispatch(batch));
    }
    if (count == 0) return ReadResult::kTimeout;
    // The buffer may have moved while it grew; only now do the packets get their places in it.
    std::size_t offset = 0;
    for (PacketView& packet : batch) {
      const std::size_t size = packet.bytes.size();
      packet.bytes = std::span<const std::uint8_t>(bytes_).subspan(offset, size);
      offset += size;
    }
    stats_.received += batch.size();
    stats_.received_bytes += offset;
    return ReadResult::kPackets;
  }

  CaptureStats Stats() const {
    CaptureStats stats = stats_;
    pcap_stat kernel{};
    if (pcap_stats(pcap_.get(), &kernel) == 0) {
      stats.dropped_buffer = kernel.ps_drop;
      stats.dropped_interface = kernel.ps_ifdrop;
    }
    return stats;
  }

  const std::string& interface() const { return interface_; }

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

  absl::StatusOr<int> Dispatch(PacketBatch& batch) {
    bytes_.clear();
    Sink sink{this, &batch};
    const int count = pcap_dispatch(pcap_.get(), static_cast<int>(options_.max_batch), &Impl::Take,
                                    reinterpret_cast<u_char*>(&sink));
    if (count >= 0) return count;
    return base::MakeStatus(absl::StatusCode::kUnavailable,
                            "capture on \"" + interface_ + "\" ended: " + pcap_geterr(pcap_.get()));
  }

  absl::Status Wait() {
    pollfd descriptor{pcap_get_selectable_fd(pcap_.get()), POLLIN, 0};
    const int result = poll(&descriptor, 1, static_cast<int>(options_.timeout.count()));
    if (result < 0 && errno != EINTR) return base::ErrnoStatus(errno, "cannot wait for packets");
    return absl::OkStatus();
  }

  std::string interface_;
  LiveCaptureOptions options_;
  PcapHandle pcap_;
  LinkType link_type_;
  std::int64_t unit_;
  std::vector<std::uint8_t> bytes_;
  CaptureStats stats_;
};

absl::StatusOr<std::unique_ptr<LiveCapture>> LiveCapture::Open(const std::string& interface,
                                                               LiveCaptureOptions options) {
  NTA_ASSIGN_OR_RETURN(std::unique_ptr<Impl> impl, Impl::Open(interface, std::move(options)));
  return std::unique_ptr<LiveCapture>(new LiveCapture(std::move(impl)));
}

LiveCapture::LiveCapture(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LiveCapture::~LiveCapture() = default;

absl::StatusOr<ReadResult> LiveCapture::Read(PacketBatch& batch) { return impl_->Read(batch); }
CaptureStats LiveCapture::Stats() const { return impl_->Stats(); }
std::string LiveCapture::name() const { return impl_->interface(); }

}  // namespace nta

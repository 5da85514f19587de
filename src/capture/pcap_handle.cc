#include "capture/pcap_handle.h"

#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "base/status.h"

namespace nta {
namespace {

using internal::PcapHandle;

constexpr std::pair<TimestampSource, int> kTimestampSources[] = {
    {TimestampSource::kHost, PCAP_TSTAMP_HOST},
    {TimestampSource::kHostLowPrecision, PCAP_TSTAMP_HOST_LOWPREC},
    {TimestampSource::kHostHighPrecision, PCAP_TSTAMP_HOST_HIPREC},
    {TimestampSource::kAdapter, PCAP_TSTAMP_ADAPTER},
    {TimestampSource::kAdapterUnsynced, PCAP_TSTAMP_ADAPTER_UNSYNCED},
};

std::string KnownInterfaces() {
  const auto interfaces = ListInterfaces();
  if (!interfaces.ok()) return {};
  std::string names;
  for (const Interface& interface : *interfaces) {
    names += (names.empty() ? "" : ", ") + interface.name;
  }
  return names.empty() ? " (there are none)" : " (have: " + names + ')';
}

absl::Status NoSuchInterface(const std::string& interface) {
  return base::MakeStatus(absl::StatusCode::kNotFound,
                          "cannot capture on \"" + interface.substr(0, 64) +
                              "\": no such interface" + KnownInterfaces());
}

absl::Status ActivationError(pcap_t* pcap, int code, const std::string& interface) {
  const std::string what = "cannot capture on \"" + interface + "\": ";
  switch (code) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
      return NoSuchInterface(interface);
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

absl::StatusOr<PcapHandle> Create(const std::string& interface) {
  char error[PCAP_ERRBUF_SIZE] = "";
  PcapHandle pcap(pcap_create(interface.c_str(), error));
  if (pcap != nullptr) return pcap;
  return base::MakeStatus(absl::StatusCode::kUnavailable,
                          "cannot capture on \"" + interface + "\": " + error);
}

std::vector<TimestampSource> TimestampSourcesOf(pcap_t* pcap) {
  // None listed means that there is no choice.
  std::vector<TimestampSource> sources{TimestampSource::kHost};
  int* types = nullptr;
  const int count = pcap_list_tstamp_types(pcap, &types);
  if (count <= 0) return sources;
  for (const int type : std::span(types, static_cast<std::size_t>(count))) {
    for (const auto& [source, value] : kTimestampSources) {
      if (value == type && source != TimestampSource::kHost) sources.push_back(source);
    }
  }
  pcap_free_tstamp_types(types);
  return sources;
}

absl::Status SetTimestamps(pcap_t* pcap, TimestampSource source, const std::string& interface) {
  if (source == TimestampSource::kHost) return absl::OkStatus();
  const std::vector<TimestampSource> offered = TimestampSourcesOf(pcap);
  if (std::find(offered.begin(), offered.end(), source) == offered.end()) {
    std::string names;
    for (const TimestampSource one : offered) {
      names += (names.empty() ? "" : ", ") + std::string(ToString(one));
    }
    return base::InvalidArgument("\"" + interface + "\" offers no time stamps of kind " +
                                 std::string(ToString(source)) + " (offers: " + names + ')');
  }
  for (const auto& [known, value] : kTimestampSources) {
    if (known == source) pcap_set_tstamp_type(pcap, value);
  }
  return absl::OkStatus();
}

// The kernel shows packets of loopback when they leave and when they arrive. libpcap ignores the
// former, but they take room in the ring and count among what it drops.
void IgnoreOutgoingOfLoopback(pcap_t* pcap, const std::string& interface) {
  if (interface != "lo") return;
  const int on = 1;
  // Linux before 4.20 does not know it: then drops count twice.
  setsockopt(pcap_fileno(pcap), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
}

}  // namespace

std::string_view ToString(TimestampSource source) {
  switch (source) {
    case TimestampSource::kHost:
      return "host";
    case TimestampSource::kHostLowPrecision:
      return "host_low_precision";
    case TimestampSource::kHostHighPrecision:
      return "host_high_precision";
    case TimestampSource::kAdapter:
      return "adapter";
    case TimestampSource::kAdapterUnsynced:
      return "adapter_unsynced";
  }
  return "host";
}

absl::StatusOr<TimestampSource> ParseTimestampSource(std::string_view text) {
  std::string names;
  for (const auto& [source, value] : kTimestampSources) {
    if (text == ToString(source)) return source;
    names += (names.empty() ? "" : ", ") + std::string(ToString(source));
  }
  return base::InvalidArgument("unknown time stamps \"" + std::string(text) +
                               "\" (known: " + names + ')');
}

absl::StatusOr<std::vector<TimestampSource>> ListTimestampSources(const std::string& interface) {
  NTA_RETURN_IF_ERROR(internal::CheckOptions(interface, {}));
  if (if_nametoindex(interface.c_str()) == 0) return NoSuchInterface(interface);
  NTA_ASSIGN_OR_RETURN(const PcapHandle pcap, Create(interface));
  return TimestampSourcesOf(pcap.get());
}

std::uint32_t internal::SnapLength(const LiveCaptureOptions& options) {
  constexpr std::uint32_t kWholePackets = 65535;
  // A frame of the usual 1,500 bytes with room to spare; with what the kernel adds, two fit in a
  // page.
  constexpr std::uint32_t kSmallSlots = 1920;
  return options.snap_length.value_or(
      options.delivery == CaptureDelivery::kImmediate ? kSmallSlots : kWholePackets);
}

absl::Status internal::CheckOptions(const std::string& interface,
                                    const LiveCaptureOptions& options) {
  // Longer names than the kernel's cannot exist, and a NUL would cut one short.
  if (interface.empty() || interface.size() >= IFNAMSIZ ||
      interface.find('\0') != std::string::npos) {
    return NoSuchInterface(interface);
  }
  constexpr std::size_t kMaxFilterBytes = 4096;
  if (options.filter.size() > kMaxFilterBytes || options.filter.find('\0') != std::string::npos) {
    return base::InvalidArgument("a capture filter has at most 4,096 characters and no NUL");
  }
  if (SnapLength(options) < 64 || SnapLength(options) > 262144) {
    return base::InvalidArgument("snap_length must be within 64 and 262,144 bytes");
  }
  if (options.ring_bytes < 65536 || options.ring_bytes > std::numeric_limits<int>::max()) {
    return base::InvalidArgument("ring_bytes must be within 64 KiB and 2 GiB");
  }
  if (options.max_batch == 0 || options.timeout < std::chrono::milliseconds(1) ||
      options.timeout > std::chrono::hours(1)) {
    return base::InvalidArgument("max_batch must be positive, timeout within 1 ms and 1 h");
  }
  return absl::OkStatus();
}

absl::StatusOr<PcapHandle> internal::OpenInterface(const std::string& interface,
                                                   const LiveCaptureOptions& options) {
  NTA_ASSIGN_OR_RETURN(PcapHandle pcap, Create(interface));
  pcap_set_snaplen(pcap.get(), static_cast<int>(SnapLength(options)));
  pcap_set_promisc(pcap.get(), options.scope == CaptureScope::kPromiscuous ? 1 : 0);
  pcap_set_timeout(pcap.get(), static_cast<int>(options.timeout.count()));
  pcap_set_buffer_size(pcap.get(), static_cast<int>(options.ring_bytes));
  pcap_set_immediate_mode(pcap.get(), options.delivery == CaptureDelivery::kImmediate ? 1 : 0);
  pcap_set_tstamp_precision(pcap.get(), PCAP_TSTAMP_PRECISION_NANO);
  NTA_RETURN_IF_ERROR(SetTimestamps(pcap.get(), options.timestamps, interface));
  // Above 0 are warnings, for example that promiscuous mode is not supported.
  if (const int code = pcap_activate(pcap.get()); code < 0) {
    return ActivationError(pcap.get(), code, interface);
  }
  IgnoreOutgoingOfLoopback(pcap.get(), interface);
  NTA_RETURN_IF_ERROR(SetFilter(pcap.get(), options.filter));
  // A blocking pcap_dispatch does not return from a silent TPACKET_V3 ring, so Read polls.
  char error[PCAP_ERRBUF_SIZE] = "";
  if (pcap_setnonblock(pcap.get(), 1, error) != 0) {
    return base::MakeStatus(absl::StatusCode::kInternal,
                            "cannot capture on \"" + interface + "\": " + error);
  }
  return pcap;
}

}  // namespace nta

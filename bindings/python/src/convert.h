// Between Python values and the library's: times, durations, addresses, paths, names of enums.
#ifndef NTA_BINDINGS_PYTHON_CONVERT_H_
#define NTA_BINDINGS_PYTHON_CONVERT_H_

#include <pybind11/pybind11.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "errors.h"
#include "nta/flow/flow_filter.h"
#include "nta/net/ip_address.h"
#include "nta/net/time.h"
#include "nta/packet/decode.h"
#include "nta/packet/packet.h"

namespace nta::python {

// Whatever nta._time.to_nanoseconds understands.
Timestamp ToTimestamp(py::handle value);
inline std::int64_t ToNanoseconds(Timestamp time) { return time.time_since_epoch().count(); }
py::object ToDatetime(Timestamp time);

// Seconds as a float. InvalidArgument, naming `what`, when negative, not a number or out of range.
Duration ToDuration(double seconds, std::string_view what);
inline double ToSeconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// A str, or an object of the ipaddress module.
IpAddress ToAddress(py::handle value);
py::object ToIpObject(const IpAddress& address);  // ipaddress.IPv4Address or IPv6Address

// A str, bytes or os.PathLike.
std::string ToPath(py::handle path);

// A name such as "ethernet", or a LINKTYPE_ number.
LinkType ToLinkType(py::handle value);
DecodeView ToDecodeView(std::string_view name);

// A FlowFilter, a filter text, or None for every flow. A text that does not parse raises
// InvalidArgumentError with `position` in characters.
FlowFilter ToFilter(py::handle where);

// A read-only view of a contiguous bytes-like object, held while this lives.
class BytesView {
 public:
  explicit BytesView(py::handle object);
  ~BytesView() { PyBuffer_Release(&buffer_); }
  BytesView(const BytesView&) = delete;
  BytesView& operator=(const BytesView&) = delete;

  std::span<const std::uint8_t> bytes() const {
    return {static_cast<const std::uint8_t*>(buffer_.buf), static_cast<std::size_t>(buffer_.len)};
  }

 private:
  Py_buffer buffer_{};
};

// A packet of these bytes, borrowed from `data`. InvalidArgument when `wire_bytes` is less than
// what was captured; absent, it is as much.
PacketView ToPacketView(const BytesView& data, Timestamp time, LinkType link_type,
                        std::optional<std::uint32_t> wire_bytes);

// Of a file: what is not UTF-8 becomes U+FFFD.
py::str ToText(std::string_view text);
inline py::str ToStr(std::string_view text) { return py::str(text.data(), text.size()); }

// None when there is no value.
template <typename T>
py::object OrNone(const std::optional<T>& value) {
  if (!value) return py::none();
  return py::cast(*value);
}

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_CONVERT_H_

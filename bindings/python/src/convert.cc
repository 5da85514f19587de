#include "convert.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "callbacks.h"

namespace nta::python {

Timestamp ToTimestamp(py::handle value) {
  if (PyLong_CheckExact(value.ptr())) {
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
    if (overflow == 0) return Timestamp(Duration(number));
  }
  const py::object convert = py::module_::import("nta._time").attr("to_nanoseconds");
  const py::object nanoseconds = Call(convert, value);
  return Timestamp(Duration(nanoseconds.cast<std::int64_t>()));
}

py::object ToDatetime(Timestamp time) {
  return Call(py::module_::import("nta._time").attr("to_datetime"), py::int_(ToNanoseconds(time)));
}

Duration ToDuration(double seconds, std::string_view what) {
  constexpr double kMaxSeconds = 1e9;
  if (!(seconds >= 0 && seconds <= kMaxSeconds)) {
    RaiseInvalidArgument(std::string(what) + " must be 0 to 1e9 seconds, not " +
                         std::to_string(seconds));
  }
  return Duration(std::llround(seconds * 1e9));
}

IpAddress ToAddress(py::handle value) {
  const bool is_text = py::isinstance<py::str>(value);
  if (!is_text && !py::hasattr(value, "packed")) {
    throw py::type_error("an address must be a str or an ipaddress object, not " +
                         std::string(Py_TYPE(value.ptr())->tp_name));
  }
  return ValueOrRaise(IpAddress::Parse(std::string(py::str(value))));
}

py::object ToIpObject(const IpAddress& address) {
  return Call(py::module_::import("ipaddress").attr("ip_address"), py::str(address.ToString()));
}

std::string ToPath(py::handle path) {
  PyObject* bytes = nullptr;
  if (PyUnicode_FSConverter(path.ptr(), &bytes) == 0) throw py::error_already_set();
  return std::string(py::reinterpret_steal<py::bytes>(bytes));
}

LinkType ToLinkType(py::handle value) {
  constexpr std::uint16_t kMaxNamed = 512;
  if (PyLong_Check(value.ptr())) return static_cast<LinkType>(value.cast<std::uint16_t>());
  const auto name = value.cast<std::string>();
  for (std::uint16_t number = 0; number < kMaxNamed; ++number) {
    if (ToString(static_cast<LinkType>(number)) == name) return static_cast<LinkType>(number);
  }
  RaiseInvalidArgument("unknown link type \"" + name +
                       "\" (a LINKTYPE_ number works for all of them)");
}

DecodeView ToDecodeView(std::string_view name) {
  if (name == "outer") return DecodeView::kOuter;
  if (name == "inner") return DecodeView::kInner;
  RaiseInvalidArgument("unknown view \"" + std::string(name) + "\" (outer or inner)");
}

FlowFilter ToFilter(py::handle where) {
  if (where.is_none()) return {};
  if (py::isinstance<FlowFilter>(where)) return where.cast<FlowFilter>();
  if (!py::isinstance<py::str>(where)) {
    throw py::type_error("a filter must be a str or a FlowFilter, not " +
                         std::string(Py_TYPE(where.ptr())->tp_name));
  }
  const auto text = where.cast<std::string>();
  FilterError wrong;
  absl::StatusOr<FlowFilter> filter = FlowFilter::Parse(text, &wrong);
  if (filter.ok()) return *std::move(filter);
  const py::object error = MakeError(filter.status());
  const py::bytes before(text.substr(0, wrong.position));
  error.attr("position") = py::len(before.attr("decode")("utf-8", "ignore"));
  Raise(error);
}

BytesView::BytesView(py::handle object) {
  if (PyObject_GetBuffer(object.ptr(), &buffer_, PyBUF_SIMPLE) != 0) throw py::error_already_set();
}

PacketView ToPacketView(const BytesView& data, Timestamp time, LinkType link_type,
                        std::optional<std::uint32_t> wire_bytes) {
  const std::size_t captured = data.bytes().size();
  if (captured > std::numeric_limits<std::uint32_t>::max()) {
    RaiseInvalidArgument("a packet of " + std::to_string(captured) + " bytes is too long");
  }
  if (wire_bytes && *wire_bytes < captured) {
    RaiseInvalidArgument("wire_bytes " + std::to_string(*wire_bytes) +
                         " is less than the captured " + std::to_string(captured) + " bytes");
  }
  return {.time = time,
          .link_type = link_type,
          .wire_bytes = wire_bytes.value_or(static_cast<std::uint32_t>(captured)),
          .bytes = data.bytes()};
}

py::str ToText(std::string_view text) {
  PyObject* const decoded =
      PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "replace");
  if (decoded == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(decoded);
}

}  // namespace nta::python

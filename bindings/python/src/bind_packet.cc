// Packet, decode().
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <string>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "fields.h"
#include "nta/packet/decode.h"
#include "nta/packet/packet.h"

namespace nta::python {
namespace {

py::bytes ToBytes(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A decoded packet with the payload it would otherwise borrow.
struct OwnedDecoded {
  DecodedPacket packet;
  std::string payload;
};

Packet MakePacket(py::handle data, py::handle time, py::handle link_type,
                  std::optional<std::uint32_t> wire_bytes, std::uint32_t interface_id) {
  const BytesView bytes(data);
  PacketView view = ToPacketView(bytes, ToTimestamp(time), ToLinkType(link_type), wire_bytes);
  view.interface_id = interface_id;
  return Packet(view);
}

OwnedDecoded DecodeOne(const Packet& packet, const std::string& view, int max_headers) {
  const PacketView bytes = packet.view();
  OwnedDecoded result{Decode(bytes, {.view = ToDecodeView(view), .max_headers = max_headers}), {}};
  result.payload.assign(result.packet.payload.begin(), result.packet.payload.end());
  result.packet.payload = {};
  return result;
}

const char* OutcomeName(DecodeOutcome outcome) {
  constexpr std::array kNames = {"decoded", "malformed", "unsupported"};
  return kNames[static_cast<std::size_t>(outcome)];
}

py::tuple TunnelNames(std::uint16_t tunnels) {
  constexpr std::array kNames = {"ipip",   "gre",   "erspan", "mpls", "pppoe", "vxlan",
                                 "geneve", "gtp_u", "teredo", "l2tp", "nsh",   "pbb"};
  py::list names;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if ((tunnels & (1U << i)) != 0) names.append(kNames[i]);
  }
  return py::tuple(names);
}

// A field of the decoded packet, None unless `present`.
template <typename Present, typename Field>
auto When(Present present, Field field) {
  return [present, field](const OwnedDecoded& decoded) -> py::object {
    if (!std::invoke(present, decoded.packet)) return py::none();
    return py::cast(std::invoke(field, decoded.packet));
  };
}

template <typename Field>
auto Always(Field field) {
  return [field](const OwnedDecoded& decoded) { return std::invoke(field, decoded.packet); };
}

void BindPacketClass(py::module_& module) {
  // With room for a comment, which few packets have.
  py::class_<Packet> packet(
      module, "Packet", py::buffer_protocol(), py::dynamic_attr(),
      "A captured packet with bytes of its own. Supports the buffer protocol.");
  packet.attr("comment") = py::none();
  packet
      .def(py::init(&MakePacket), py::arg("data"), py::arg("time"),
           py::arg("link_type") = "ethernet", py::arg("wire_bytes") = py::none(),
           py::arg("interface_id") = 0)
      .def_property_readonly("data", [](const Packet& self) { return ToBytes(self.view().bytes); })
      .def_property_readonly("time",
                             [](const Packet& self) { return ToNanoseconds(self.view().time); })
      .def_property_readonly("datetime",
                             [](const Packet& self) { return ToDatetime(self.view().time); })
      .def_property_readonly("link_type",
                             [](const Packet& self) { return ToString(self.view().link_type); })
      .def_property_readonly("wire_bytes",
                             [](const Packet& self) { return self.view().wire_bytes; })
      .def_property_readonly("captured_bytes",
                             [](const Packet& self) { return self.view().bytes.size(); })
      .def_property_readonly("interface_id",
                             [](const Packet& self) { return self.view().interface_id; })
      .def("__len__", [](const Packet& self) { return self.view().bytes.size(); })
      .def("__repr__",
           [](const Packet& self) {
             const PacketView view = self.view();
             return "<Packet " + ToString(view.time) + " " + ToString(view.link_type) + ", " +
                    std::to_string(view.wire_bytes) + " bytes>";
           })
      .def_buffer([](Packet& self) {
        const std::span<const std::uint8_t> bytes = self.view().bytes;
        return py::buffer_info(bytes.data(), static_cast<py::ssize_t>(bytes.size()));
      });
}

void BindLinkFields(FieldsClass<OwnedDecoded>& decoded) {
  const auto has_mac = &DecodedPacket::has_mac;
  decoded.Read("time", [](const OwnedDecoded& d) { return ToNanoseconds(d.packet.time); })
      .Read("wire_bytes", Always(&DecodedPacket::wire_bytes))
      .Read("captured_bytes", Always(&DecodedPacket::captured_bytes))
      .Read("interface_id", Always(&DecodedPacket::interface_id))
      .Read("outcome", [](const OwnedDecoded& d) { return OutcomeName(d.packet.outcome); })
      .Read("reason", [](const OwnedDecoded& d) { return ToStr(ToString(d.packet.reason)); })
      .Read("truncated", Always(&DecodedPacket::truncated))
      .Read("source_mac",
            When(has_mac, [](const DecodedPacket& p) { return p.source_mac.ToString(); }))
      .Read("destination_mac",
            When(has_mac, [](const DecodedPacket& p) { return p.destination_mac.ToString(); }))
      .Read("ether_type", When([](const DecodedPacket& p) { return p.ether_type != 0; },
                               &DecodedPacket::ether_type))
      .Read("vlan", When(&DecodedPacket::has_vlan, &DecodedPacket::vlan))
      .Read("tunnels", [](const OwnedDecoded& d) { return TunnelNames(d.packet.tunnels); });
}

void BindNetworkFields(FieldsClass<OwnedDecoded>& decoded) {
  const auto has_ip = &DecodedPacket::has_ip;
  const auto is_fragment = &DecodedPacket::is_fragment;
  decoded.Read("ip_version", When(has_ip, &DecodedPacket::ip_version))
      .Read("protocol", When(has_ip, &DecodedPacket::protocol))
      .Read("hop_limit", When(has_ip, &DecodedPacket::hop_limit))
      .Read("traffic_class", When(has_ip, &DecodedPacket::traffic_class))
      .Read("ip_bytes", When(has_ip, &DecodedPacket::ip_bytes))
      .Read("source_address",
            When(has_ip, [](const DecodedPacket& p) { return p.source.ToString(); }))
      .Read("destination_address",
            When(has_ip, [](const DecodedPacket& p) { return p.destination.ToString(); }))
      .Read("is_fragment", Always(is_fragment))
      .Read("is_later_fragment", Always(&DecodedPacket::is_later_fragment))
      .Read("more_fragments", Always(&DecodedPacket::more_fragments))
      .Read("fragment_id", When(is_fragment, &DecodedPacket::fragment_id))
      .Read("fragment_offset", When(is_fragment, &DecodedPacket::fragment_offset));
}

void BindTransportFields(FieldsClass<OwnedDecoded>& decoded) {
  const auto has_ports = &DecodedPacket::has_ports;
  const auto is_tcp = &DecodedPacket::is_tcp;
  const auto has_icmp = &DecodedPacket::has_icmp;
  decoded.Read("source_port", When(has_ports, &DecodedPacket::source_port))
      .Read("destination_port", When(has_ports, &DecodedPacket::destination_port))
      .Read("tcp_flags", When(is_tcp, &DecodedPacket::tcp_flags))
      .Read("tcp_window", When(is_tcp, &DecodedPacket::tcp_window))
      .Read("tcp_sequence", When(is_tcp, &DecodedPacket::tcp_sequence))
      .Read("tcp_acknowledgment", When(is_tcp, &DecodedPacket::tcp_acknowledgment))
      .Read("icmp_type", When(has_icmp, &DecodedPacket::icmp_type))
      .Read("icmp_code", When(has_icmp, &DecodedPacket::icmp_code))
      .Read("payload_bytes", Always(&DecodedPacket::payload_bytes))
      .Read("payload", [](const OwnedDecoded& d) { return py::bytes(d.payload); })
      .Read("quoted", [](const OwnedDecoded& d) { return d.packet.quoted; })
      .Read("arp", [](const OwnedDecoded& d) { return d.packet.arp; });
}

void BindParts(py::module_& module) {
  FieldsClass<FiveTuple>(module, "FiveTuple", "Who talks to whom, by which protocol.")
      .Read("source_address", [](const FiveTuple& t) { return t.source.address.ToString(); })
      .Read("source_port", [](const FiveTuple& t) { return t.source.port; })
      .Read("destination_address",
            [](const FiveTuple& t) { return t.destination.address.ToString(); })
      .Read("destination_port", [](const FiveTuple& t) { return t.destination.port; })
      .Read("protocol", &FiveTuple::protocol)
      .Finish()
      .def("__str__", &FiveTuple::ToString);
  FieldsClass<ArpHeader>(module, "ArpHeader", "The fields of an ARP packet.")
      .Read("operation", &ArpHeader::operation)
      .Read("sender_mac", [](const ArpHeader& a) { return a.sender_mac.ToString(); })
      .Read("sender", [](const ArpHeader& a) { return a.sender.ToString(); })
      .Read("target_mac", [](const ArpHeader& a) { return a.target_mac.ToString(); })
      .Read("target", [](const ArpHeader& a) { return a.target.ToString(); })
      .Finish();
}

}  // namespace

void BindPacket(py::module_& module) {
  BindPacketClass(module);
  BindParts(module);
  FieldsClass<OwnedDecoded> decoded(
      module, "DecodedPacket", "The headers of one packet. What the packet does not have is None.");
  BindLinkFields(decoded);
  BindNetworkFields(decoded);
  BindTransportFields(decoded);
  decoded.Finish();
  module.def("decode", &DecodeOne, py::arg("packet"), py::kw_only(), py::arg("view") = "outer",
             py::arg("max_headers") = 32);
  module.def(
      "decode",
      [](py::handle data, py::handle link_type, py::handle time,
         std::optional<std::uint32_t> wire_bytes, const std::string& view, int max_headers) {
        return DecodeOne(MakePacket(data, time, link_type, wire_bytes, 0), view, max_headers);
      },
      py::arg("data"), py::arg("link_type") = "ethernet", py::kw_only(), py::arg("time") = 0,
      py::arg("wire_bytes") = py::none(), py::arg("view") = "outer", py::arg("max_headers") = 32,
      "Reads the headers of a packet. Never fails on its contents: `outcome` and `reason` tell.");
}

}  // namespace nta::python

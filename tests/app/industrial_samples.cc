#include "app/samples.h"

namespace nta::test {
namespace {

Bytes MqttPacket(std::uint8_t type, const Bytes& body) {
  return Join({{type, static_cast<std::uint8_t>(body.size())}, body});
}

Bytes MqttText(std::string_view text) { return Join({Be16(text.size()), Text(text)}); }

std::vector<Sample> Make() {
  using enum MetadataField;
  return {
      {.name = "MQTT: a wrong password",
       .application = Application::kMqtt,
       .turns = {C(MqttPacket(0x10, Join({MqttText("MQTT"), Hex("04 C2 003C"), MqttText("sensor-1"),
                                          MqttText("rosa"), MqttText(kCanary)}))),
                 S(MqttPacket(0x20, Hex("00 05")))},
       .metadata = {{kHostName, "sensor-1"},
                    {kUserName, "rosa"},
                    {kResponse, "code 5"},
                    {kLoginFailures, "1"}}},
      {.name = "MQTT 5: with properties and a will",
       .application = Application::kMqtt,
       .turns = {C(MqttPacket(0x10, Join({MqttText("MQTT"), Hex("05 C6 003C 03 210014"),
                                          MqttText("s2"), Hex("00"), MqttText("t"), MqttText("w"),
                                          MqttText("sam"), MqttText(kCanary)}))),
                 S(MqttPacket(0x20, Hex("00 00 00")))},
       .metadata = {{kHostName, "s2"}, {kUserName, "sam"}, {kLoginSuccesses, "1"}}},
      {.name = "Modbus on its port",
       .application = Application::kModbus,
       .server_port = 502,
       .turns = {C(Hex("0001 0000 0006 01 03 0000 0002")), S(Hex("0001 0000 0003 01 83 02"))},
       .metadata = {{kRequest, "read_holding_registers"}, {kResponse, "exception 2"}}},
      {.name = "Modbus on another port",
       .application = Application::kModbus,
       .turns = {C(Hex("0007 0000 0006 01 01 0000 0008")), S(Hex("0007 0000 0004 01 01 01 55"))},
       .metadata = {{kRequest, "read_coils"}}},
      {.name = "DNP3",
       .application = Application::kDnp3,
       .turns = {C(Hex("0564 08 C4 0A00 0100 FC42 C0 C0 01 0000"))},
       .metadata = {{kRequest, "read"}}},
      {.name = "S7comm",
       .application = Application::kS7comm,
       .turns = {C(Hex("03000016 11E00000000100 C00109 C1020100 C2020102")),
                 S(Hex("03000016 11D00001000100 C00109 C1020100 C2020102")),
                 C(Hex("03000019 02F080 3201000000000008 0000 F0000001000103C0")),
                 C(Hex("0300001F 02F080 320100000001000E 0000 0401120A10020001000083000000"))},
       .metadata = {{kRequest, "read"}}},
      {.name = "EtherNet/IP",
       .application = Application::kEthernetIp,
       .turns = {C(Hex("6500 0400 00000000 00000000 0000000000000000 00000000 01000000"))},
       .metadata = {{kRequest, "register_session"}}},
      {.name = "EtherNet/IP: identity",
       .application = Application::kEthernetIp,
       .protocol = kProtocolUdp,
       .turns = {C(Hex("6300 0000 00000000 00000000 0000000000000000 00000000"))},
       .metadata = {{kRequest, "list_identity"}}},
      {.name = "BACnet: who is",
       .application = Application::kBacnet,
       .protocol = kProtocolUdp,
       .turns = {C(Hex("81 0B 000C 01 20 FFFF 00 FF 10 08"))},
       .metadata = {{kRequest, "who_is"}}},
      {.name = "CoAP: a request with a path",
       .application = Application::kCoap,
       .protocol = kProtocolUdp,
       .turns = {C(Join({Hex("41 01 1234 AA BB"), Text(".well-known"), Hex("04"), Text("core")})),
                 S(Hex("61 45 1234 AA"))},
       .metadata = {{kRequest, "GET /.well-known/core"}, {kResponse, "2.05"}}},
  };
}

}  // namespace

const std::vector<Sample>& IndustrialSamples() {
  static const std::vector<Sample> kSamples = Make();
  return kSamples;
}

}  // namespace nta::test

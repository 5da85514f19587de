// The firewall: rule sets as JSON in and out; nta/firewall.py gives them their Python face.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "gil.h"
#include "nta/firewall/backend.h"
#include "nta/firewall/nftables_backend.h"
#include "nta/firewall/rehearse.h"
#include "nta/firewall/response.h"
#include "nta/firewall/rule_set.h"
#include "store_handle.h"

namespace nta::python {
namespace {

std::optional<Timestamp> MaybeTime(py::handle time) {
  return time.is_none() ? std::nullopt : std::optional(ToTimestamp(time));
}

// Absent fields of a fact are None.
template <typename T>
std::optional<T> Fact(const py::dict& facts, const char* name) {
  if (!facts.contains(name) || facts[name].is_none()) return std::nullopt;
  return facts[name].cast<T>();
}

PacketFacts ToFacts(const py::dict& facts) {
  PacketFacts packet;
  if (const auto direction = Fact<std::string>(facts, "direction")) {
    packet.direction = ValueOrRaise(ParseRuleDirection(*direction));
  }
  const auto address = [&facts](const char* name) -> std::optional<IpAddress> {
    if (!facts.contains(name) || facts[name].is_none()) return std::nullopt;
    return ToAddress(facts[name]);
  };
  packet.source = address("source");
  packet.destination = address("destination");
  packet.protocol =
      ValueOrRaise(ParseProtocol(Fact<std::string>(facts, "protocol").value_or("tcp")));
  packet.source_port = Fact<std::uint16_t>(facts, "source_port");
  packet.destination_port = Fact<std::uint16_t>(facts, "destination_port");
  packet.icmp_type = Fact<std::uint8_t>(facts, "icmp_type");
  packet.in_interface = Fact<std::string>(facts, "in_interface");
  packet.out_interface = Fact<std::string>(facts, "out_interface");
  if (const auto state = Fact<std::string>(facts, "state")) {
    packet.state = ValueOrRaise(ParseConnectionState(*state));
  }
  packet.is_reply = Fact<bool>(facts, "is_reply");
  if (facts.contains("time")) packet.time = MaybeTime(facts["time"]);
  return packet;
}

py::tuple ToTuple(const Evaluation& answer) {
  return py::make_tuple(ToStr(ToString(answer.decision)), ToStr(answer.rule_id),
                        answer.by_protected_set, ToString(answer.missing));
}

py::list ToList(const std::vector<RuleFinding>& findings) {
  py::list list;
  for (const RuleFinding& finding : findings) {
    py::dict dict;
    dict["kind"] = ToStr(ToString(finding.kind));
    dict["rule_id"] = finding.rule_id;
    dict["because_of"] = finding.because_of;
    dict["text"] = finding.text;
    list.append(std::move(dict));
  }
  return list;
}

py::list ToList(const std::vector<RuleCounters>& counters) {
  py::list list;
  for (const RuleCounters& one : counters) {
    py::dict dict;
    dict["rule_id"] = one.rule_id;
    dict["packets"] = one.packets;
    dict["bytes"] = one.bytes;
    list.append(std::move(dict));
  }
  return list;
}

RehearsalColumns ToColumns(const StoredColumns& columns) {
  return {.source_addresses = columns.source_addresses,
          .source = columns.source,
          .destination_addresses = columns.destination_addresses,
          .destination = columns.destination,
          .protocol = columns.protocol,
          .source_port = columns.source_port,
          .destination_port = columns.destination_port,
          .icmp_type = columns.icmp_type,
          .tcp_state = columns.tcp_state,
          .forward_packets = columns.forward_packets,
          .reverse_packets = columns.reverse_packets,
          .forward_bytes = columns.forward_bytes,
          .reverse_bytes = columns.reverse_bytes,
          .selected = columns.selected};
}

RehearsalOptions ToOptions(const py::dict& given) {
  RehearsalOptions options;
  for (const py::handle address : py::list(given["own_addresses"])) {
    options.own_addresses.push_back(ToAddress(address));
  }
  options.role = ValueOrRaise(ParseMachineRole(given["role"].cast<std::string>()));
  for (const py::handle network : py::list(given["translated"])) {
    options.translated.push_back(
        ValueOrRaise(IpPrefix::Parse(py::str(network).cast<std::string>())));
  }
  options.interface = given["interface"].cast<std::optional<std::string>>();
  options.now = ToTimestamp(given["now"]);
  if (!given["in_force"].is_none()) options.in_force = given["in_force"].cast<const RuleSet&>();
  for (const py::handle item : py::list(given["sessions"])) {
    const auto session = item.cast<py::tuple>();
    if (session.size() != 3) RaiseInvalidArgument("a session is (peer, server, port)");
    options.sessions.push_back(
        {ToAddress(session[0]), {ToAddress(session[1]), session[2].cast<std::uint16_t>()}});
  }
  options.top = given["top"].cast<std::size_t>();
  return options;
}

// The result as JSON.
std::string RehearseOn(const RuleSet& rules, py::handle flows, const py::dict& given) {
  auto rehearsal = ValueOrRaise(Rehearsal::Create(rules, ToOptions(given)));
  const TimeInterval interval = ToInterval(given["since"], given["until"]);
  const FlowFilter filter = ToFilter(given["where"]);
  if (!py::isinstance<StoreHandle>(flows)) {
    std::vector<FlowRecord> records = ToFlows(flows);
    WithoutGil([&] {
      // As a store selects them.
      std::erase_if(records, [&](const FlowRecord& flow) {
        return flow.last_seen < interval.since || flow.last_seen >= interval.until ||
               !filter.Matches(flow);
      });
      rehearsal.Add(records);
      return true;
    });
    return ToJson(rehearsal.Finish());
  }
  RaiseIfError(flows.cast<const StoreHandle&>().With([&](Store& store) {
    return store.ScanFlows(
        interval, filter,
        [&](const StoredColumns& columns) { return rehearsal.Add(ToColumns(columns)); },
        {.timeout = std::chrono::minutes(10)});
  }));
  return ToJson(rehearsal.Finish());
}

void BindRuleSet(py::module_& module) {
  py::class_<RuleSet>(module, "RuleSetValue", "A rule set that is valid; see nta.firewall.RuleSet.")
      .def_static("from_json",
                  [](const std::string& text) { return ValueOrRaise(RuleSetFromJson(text)); })
      .def("to_json", [](const RuleSet& self) { return ToJson(self); })
      .def("problems", [](const RuleSet& self,
                          py::handle now) { return ToList(FindProblems(self, ToTimestamp(now))); })
      .def("diff_json",
           [](const RuleSet& self, const RuleSet& after) { return ToJson(Diff(self, after)); })
      .def("diff_text",
           [](const RuleSet& self, const RuleSet& after) { return Diff(self, after).ToString(); })
      .def("evaluate",
           [](const RuleSet& self, const py::dict& facts) {
             return ToTuple(Evaluate(self, ToFacts(facts)));
           })
      .def("words",
           [](const RuleSet& self) {
             std::vector<std::string> words;
             for (const Rule& rule : self.rules()) words.push_back(ToString(rule));
             return words;
           })
      .def("__eq__", [](const RuleSet& a, const RuleSet& b) { return a == b; });
}

template <typename Backend, typename Class>
void DefBackend(Class& type) {
  const auto element = [](py::handle address, py::handle expires) {
    const IpAddress host = ToAddress(address);
    return SetElement{ValueOrRaise(IpPrefix::Create(host, host.is_v4() ? 32 : 128)),
                      MaybeTime(expires)};
  };
  type.def("current",
           [](Backend& self, py::handle now) {
             const Timestamp time = ToTimestamp(now);
             return ValueOrRaise(WithoutGil([&] { return self.Current(time); }));
           })
      .def("replace",
           [](Backend& self, const RuleSet& rules, py::handle now) {
             const Timestamp time = ToTimestamp(now);
             RaiseIfError(WithoutGil([&] { return self.Replace(rules, time); }));
           })
      .def("counters",
           [](Backend& self, py::handle now) {
             const Timestamp time = ToTimestamp(now);
             return ToList(ValueOrRaise(WithoutGil([&] { return self.Counters(time); })));
           })
      .def("add",
           [element](Backend& self, const std::string& set, py::handle address, py::handle expires,
                     py::handle now) {
             const SetElement elements[] = {element(address, expires)};
             const Timestamp time = ToTimestamp(now);
             RaiseIfError(WithoutGil([&] { return self.AddToSet(set, elements, time); }));
           })
      .def("remove",
           [element](Backend& self, const std::string& set, py::handle address, py::handle now) {
             const IpPrefix prefixes[] = {element(address, py::none()).prefix};
             const Timestamp time = ToTimestamp(now);
             RaiseIfError(WithoutGil([&] { return self.RemoveFromSet(set, prefixes, time); }));
           });
}

BlockScope ToScope(const std::optional<std::string>& protocol, std::optional<std::uint16_t> port) {
  BlockScope scope{.port = port};
  if (protocol) scope.protocol = ValueOrRaise(ParseProtocol(*protocol));
  return scope;
}

template <typename Backend>
std::unique_ptr<Response> MakeResponse(Backend& backend, const std::vector<std::string>& allowed) {
  ResponseOptions options;
  for (const std::string& network : allowed) {
    options.allow_list.push_back(ValueOrRaise(IpPrefix::Parse(network)));
  }
  return std::make_unique<Response>(backend, std::move(options));
}

// Blocks as JSON.
std::vector<std::string> ToTexts(const std::vector<ActiveBlock>& blocks) {
  std::vector<std::string> texts;
  for (const ActiveBlock& block : blocks) texts.push_back(ToJson(block));
  return texts;
}

void BindResponse(py::module_& module) {
  py::class_<Response>(module, "ResponseValue", "See nta.firewall.Response.")
      .def(py::init(&MakeResponse<MemoryBackend>), py::keep_alive<1, 2>())
      .def(py::init(&MakeResponse<NftablesBackend>), py::keep_alive<1, 2>())
      .def("block",
           [](Response& self, py::handle address, const std::optional<std::string>& protocol,
              std::optional<std::uint16_t> port, std::optional<double> seconds,
              const std::string& reason, py::handle now) {
             BlockRequest request{.address = ToAddress(address),
                                  .scope = ToScope(protocol, port),
                                  .ttl = std::nullopt,
                                  .reason = reason};
             if (seconds) {
               request.ttl =
                   std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*seconds));
             }
             const Timestamp time = ToTimestamp(now);
             return ToJson(ValueOrRaise(WithoutGil([&] { return self.Block(request, time); })));
           })
      .def("unblock",
           [](Response& self, py::handle address, py::handle now) {
             const IpAddress host = ToAddress(address);
             const Timestamp time = ToTimestamp(now);
             RaiseIfError(WithoutGil([&] { return self.Unblock(host, time); }));
           })
      .def("blocks", [](Response& self, py::handle now) {
        const Timestamp time = ToTimestamp(now);
        RaiseIfError(WithoutGil([&] { return self.AdvanceTo(time).status(); }));
        return ToTexts(self.blocks());
      });
}

}  // namespace

void BindFirewall(py::module_& module) {
  BindRuleSet(module);
  module.def("rehearse_json", &RehearseOn, py::arg("rules"), py::arg("flows"), py::arg("options"));
  module.def("_check_firewall_rule",
             [](const std::string& text) { return ToString(ValueOrRaise(RuleFromJson(text))); });
  py::class_<MemoryBackend> memory(module, "MemoryBackendValue", "See nta.firewall.MemoryBackend.");
  memory.def(py::init<>());
  DefBackend<MemoryBackend>(memory);
  memory.def("offer", [](MemoryBackend& self, const py::dict& facts, std::uint64_t bytes) {
    return ToStr(ToString(self.Offer(ToFacts(facts), bytes)));
  });
  py::class_<NftablesBackend> nftables(module, "NftablesBackendValue",
                                       "See nta.firewall.NftablesBackend.");
  nftables.def(py::init([](const std::string& table) {
    return ValueOrRaise(WithoutGil([&] { return NftablesBackend::Open({.table = table}); }));
  }));
  DefBackend<NftablesBackend>(nftables);
  nftables.def("import_table",
               [](NftablesBackend& self, const std::string& family, const std::string& table) {
                 auto import = ValueOrRaise(WithoutGil([&] { return self.Import(family, table); }));
                 return py::make_tuple(std::move(import.rules), import.unmapped);
               });
  BindResponse(module);
}

}  // namespace nta::python

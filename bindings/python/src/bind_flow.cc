// FlowRecord, FlowEvent, FlowFilter and the counters of the flow table.
#include <pybind11/operators.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "bind.h"
#include "convert.h"
#include "fields.h"
#include "nta/flow/community_id.h"
#include "nta/flow/flow_filter.h"
#include "nta/flow/flow_record.h"
#include "nta/flow/flow_table.h"
#include "nta/flow/fragment_tracker.h"
#include "nta/json/json.h"

namespace nta::python {
namespace {

using RecordClass = FieldsClass<FlowRecord>;

ContactOutcome ParseOutcome(const std::string& text) {
  for (int i = 0; i <= static_cast<int>(ContactOutcome::kUnreachable); ++i) {
    if (ToString(static_cast<ContactOutcome>(i)) == text) return static_cast<ContactOutcome>(i);
  }
  RaiseInvalidArgument("unknown outcome \"" + text + "\"");
}

void TimeField(RecordClass& record, const char* name, Timestamp FlowRecord::*member) {
  record.ReadWrite(
      name, [member](const FlowRecord& flow) { return ToNanoseconds(flow.*member); },
      [member](FlowRecord& flow, py::handle value) { flow.*member = ToTimestamp(value); });
}

void EndpointFields(RecordClass& record, const std::string& side, Endpoint FlowRecord::*member) {
  record.ReadWrite(
      (side + "_address").c_str(),
      [member](const FlowRecord& flow) { return (flow.*member).address.ToString(); },
      [member](FlowRecord& flow, py::handle value) { (flow.*member).address = ToAddress(value); });
  record.ReadWrite(
      (side + "_port").c_str(), [member](const FlowRecord& flow) { return (flow.*member).port; },
      [member](FlowRecord& flow, std::uint16_t value) { (flow.*member).port = value; });
}

template <typename V>
void DirectionField(RecordClass& record, const std::string& name,
                    FlowDirection FlowRecord::*direction, V FlowDirection::*member) {
  record.ReadWrite(
      name.c_str(), [direction, member](const FlowRecord& flow) { return flow.*direction.*member; },
      [direction, member](FlowRecord& flow, V value) { flow.*direction.*member = value; });
}

void DirectionFields(RecordClass& record, const std::string& side,
                     FlowDirection FlowRecord::*direction) {
  DirectionField(record, side + "_packets", direction, &FlowDirection::packets);
  DirectionField(record, side + "_wire_bytes", direction, &FlowDirection::wire_bytes);
  DirectionField(record, side + "_ip_bytes", direction, &FlowDirection::ip_bytes);
  DirectionField(record, side + "_payload_bytes", direction, &FlowDirection::payload_bytes);
}

void IcmpFields(RecordClass& record) {
  const auto field = [&record](const char* name, std::uint8_t IcmpMessage::*member) {
    record.ReadWrite(
        name,
        [member](const FlowRecord& flow) -> std::optional<std::uint8_t> {
          if (!flow.icmp) return std::nullopt;
          return (*flow.icmp).*member;
        },
        [member](FlowRecord& flow, std::optional<std::uint8_t> value) {
          if (!value) return flow.icmp.reset();
          if (!flow.icmp) flow.icmp.emplace();
          (*flow.icmp).*member = *value;
        });
  };
  field("icmp_type", &IcmpMessage::type);
  field("icmp_code", &IcmpMessage::code);
}

py::dict MetadataOf(const FlowRecord& flow) {
  py::dict fields;
  if (!flow.metadata) return fields;
  for (const auto& [field, value] : flow.metadata->entries()) {
    fields[ToStr(ToString(field))] = py::str(value);
  }
  return fields;
}

void SetMetadata(FlowRecord& flow, const std::map<std::string, std::string>& fields) {
  auto metadata = std::make_shared<FlowMetadata>();
  for (const auto& [name, value] : fields) {
    metadata->Set(ValueOrRaise(ParseMetadataField(name)), value);
  }
  flow.metadata = metadata->empty() ? nullptr : std::move(metadata);
}

// As the object of that name in JSON.
py::object StatisticsOf(const FlowRecord& flow) {
  if (!flow.statistics) return py::none();
  return py::module_::import("json").attr("loads")(ToJson(flow))["statistics"];
}

void ApplicationFields(RecordClass& record) {
  record
      .ReadWrite(
          "application", [](const FlowRecord& flow) { return ToStr(ToString(flow.application)); },
          [](FlowRecord& flow, const std::string& name) {
            flow.application = ValueOrRaise(ParseApplication(name));
          })
      .ReadWrite(
          "category", [](const FlowRecord& flow) { return ToStr(ToString(flow.category)); },
          [](FlowRecord& flow, const std::string& name) {
            flow.category = ValueOrRaise(ParseApplicationCategory(name));
          })
      .ReadWrite(
          "evidence", [](const FlowRecord& flow) { return ToStr(ToString(flow.evidence)); },
          [](FlowRecord& flow, const std::string& name) {
            flow.evidence = ValueOrRaise(ParseApplicationEvidence(name));
          })
      .ReadWrite("metadata", &MetadataOf, &SetMetadata);
}

void BindRecord(py::module_& module) {
  RecordClass record(module, "FlowRecord",
                     "One bidirectional flow. Times are integer nanoseconds since 1970 UTC.");
  record.type().def(py::init(&FromKeywords<FlowRecord>));
  TimeField(record, "first_seen", &FlowRecord::first_seen);
  TimeField(record, "last_seen", &FlowRecord::last_seen);
  record.ReadWrite("protocol", &FlowRecord::protocol);
  EndpointFields(record, "source", &FlowRecord::source);
  EndpointFields(record, "destination", &FlowRecord::destination);
  record.ReadWrite("vlan", &FlowRecord::vlan);
  DirectionFields(record, "forward", &FlowRecord::forward);
  DirectionFields(record, "reverse", &FlowRecord::reverse);
  DirectionField(record, "forward_tcp_flags", &FlowRecord::forward, &FlowDirection::tcp_flags);
  DirectionField(record, "reverse_tcp_flags", &FlowRecord::reverse, &FlowDirection::tcp_flags);
  record
      .ReadWrite(
          "outcome", [](const FlowRecord& flow) { return ToStr(ToString(flow.outcome)); },
          [](FlowRecord& flow, const std::string& name) { flow.outcome = ParseOutcome(name); })
      .ReadWrite(
          "end_reason", [](const FlowRecord& flow) { return ToStr(ToString(flow.end_reason)); },
          [](FlowRecord& flow, const std::string& name) {
            flow.end_reason = ValueOrRaise(ParseFlowEndReason(name));
          })
      .ReadWrite(
          "tcp_state", [](const FlowRecord& flow) { return ToStr(ToString(flow.tcp_state)); },
          [](FlowRecord& flow, const std::string& name) {
            flow.tcp_state = ValueOrRaise(ParseTcpState(name));
          });
  IcmpFields(record);
  ApplicationFields(record);
  record.Read("statistics", &StatisticsOf)
      .Finish()
      .def_property_readonly("community_id",
                             [](const FlowRecord& flow) { return CommunityId(flow); })
      .def_property_readonly("ip_version",
                             [](const FlowRecord& f) { return f.source.address.version(); })
      .def_property_readonly("protocol_name",
                             [](const FlowRecord& f) { return ProtocolName(f.protocol); })
      .def_property_readonly("packets", &FlowRecord::packets)
      .def_property_readonly("wire_bytes", &FlowRecord::wire_bytes)
      .def_property_readonly("duration",
                             [](const FlowRecord& f) { return ToSeconds(f.duration()); })
      .def_property_readonly("first_seen_datetime",
                             [](const FlowRecord& f) { return ToDatetime(f.first_seen); })
      .def_property_readonly("last_seen_datetime",
                             [](const FlowRecord& f) { return ToDatetime(f.last_seen); })
      .def_property_readonly("source_ip",
                             [](const FlowRecord& f) { return ToIpObject(f.source.address); })
      .def_property_readonly("destination_ip",
                             [](const FlowRecord& f) { return ToIpObject(f.destination.address); })
      .def(py::self == py::self)
      .def("__str__", [](const FlowRecord& flow) {
        return flow.five_tuple().ToString() + ", " + std::to_string(flow.packets()) + " packets, " +
               std::to_string(flow.wire_bytes()) + " bytes";
      });
}

void BindFilter(py::module_& module) {
  py::class_<FlowFilter>(module, "FlowFilter", "A condition on flows (docs/filters.md).")
      .def(py::init(&ToFilter), py::arg("text") = "")
      .def("matches", &FlowFilter::Matches, py::arg("flow"))
      .def("__str__", &FlowFilter::ToString)
      .def("__repr__", [](const FlowFilter& filter) {
        return "FlowFilter(" + std::string(py::repr(py::str(filter.ToString()))) + ")";
      });
}

void BindStats(py::module_& module) {
  FieldsClass<FlowTableStats>(module, "FlowTableStats", "Counters of the flow table.")
      .Read("packets", &FlowTableStats::packets)
      .Read("ignored", &FlowTableStats::ignored)
      .Read("started", &FlowTableStats::started)
      .Read("ended", &FlowTableStats::ended)
      .Read("ended_idle", &FlowTableStats::ended_idle)
      .Read("ended_active", &FlowTableStats::ended_active)
      .Read("ended_tcp", &FlowTableStats::ended_tcp)
      .Read("ended_forced", &FlowTableStats::ended_forced)
      .Read("evicted", &FlowTableStats::evicted)
      .Read("evicted_answered", &FlowTableStats::evicted_answered)
      .Read("time_backwards", &FlowTableStats::time_backwards)
      .Read("active", &FlowTableStats::active)
      .Read("capacity", &FlowTableStats::capacity)
      .Read("memory_bytes", &FlowTableStats::memory_bytes)
      .Finish()
      .def(py::self == py::self);
  FieldsClass<FragmentStats>(module, "FragmentStats", "Counters of fragment attribution.")
      .Read("first_fragments", &FragmentStats::first_fragments)
      .Read("attributed", &FragmentStats::attributed)
      .Read("unattributed", &FragmentStats::unattributed)
      .Read("evicted", &FragmentStats::evicted)
      .Finish();
}

template <typename Enum>
py::tuple Names(Enum last) {
  py::tuple names(static_cast<std::size_t>(last) + 1);
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = ToStr(ToString(static_cast<Enum>(i)));
  return names;
}

}  // namespace

void BindFlow(py::module_& module) {
  BindRecord(module);
  FieldsClass<FlowEvent>(module, "FlowEvent", "What a flow table says about a flow.")
      .Read("type", [](const FlowEvent& event) { return ToStr(ToString(event.type)); })
      .Read("time", [](const FlowEvent& event) { return ToNanoseconds(event.time); })
      .Read("flow", &FlowEvent::flow)
      .Finish();
  BindFilter(module);
  BindStats(module);
  module.attr("OUTCOMES") = Names(ContactOutcome::kUnreachable);
  module.attr("END_REASONS") = Names(FlowEndReason::kLackOfResources);
  module.attr("TCP_STATES") = Names(TcpState::kReset);
  module.attr("APPLICATIONS") = Names(Applications().back());
  module.attr("CATEGORIES") = Names(ApplicationCategory::kIndustrial);
  module.attr("EVIDENCES") = Names(ApplicationEvidence::kPayload);
  module.def("protocol_name", &ProtocolName, py::arg("protocol"));
}

}  // namespace nta::python

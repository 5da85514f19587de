// FlowBatch: columns to NumPy (buffer protocol), Arrow (C stream) and text.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "arrow_export.h"
#include "bind.h"
#include "column.h"
#include "convert.h"
#include "flow_batch.h"
#include "nta/export/flow_columns.h"
#include "nta/export/flow_csv.h"
#include "nta/json/json.h"
#include "store_queries.h"

namespace nta::python {
namespace {

py::dict ColumnsOf(const FlowBatch& batch) {
  const FlowColumns& c = *batch.columns();
  py::dict columns;
  const auto add = [&](const char* name, const auto& values) {
    columns[name] = MakeColumn(batch.columns(), values);
  };
  add("first_seen", c.first_seen);
  add("last_seen", c.last_seen);
  add("protocol", c.protocol);
  add("source_address", c.source_address);
  add("source_port", c.source_port);
  add("destination_address", c.destination_address);
  add("destination_port", c.destination_port);
  add("ip_version", c.ip_version);
  add("vlan", c.vlan);
  add("forward_packets", c.forward_packets);
  add("forward_wire_bytes", c.forward_wire_bytes);
  add("forward_ip_bytes", c.forward_ip_bytes);
  add("forward_payload_bytes", c.forward_payload_bytes);
  add("reverse_packets", c.reverse_packets);
  add("reverse_wire_bytes", c.reverse_wire_bytes);
  add("reverse_ip_bytes", c.reverse_ip_bytes);
  add("reverse_payload_bytes", c.reverse_payload_bytes);
  add("forward_tcp_flags", c.forward_tcp_flags);
  add("reverse_tcp_flags", c.reverse_tcp_flags);
  add("outcome", c.outcome);
  add("end_reason", c.end_reason);
  add("tcp_state", c.tcp_state);
  add("icmp_type", c.icmp_type);
  add("icmp_code", c.icmp_code);
  add("application", c.application);
  add("category", c.category);
  add("evidence", c.evidence);
  for (const auto& column : c.statistics_columns.integers) add(column.name.data(), column.values);
  for (const auto& column : c.statistics_columns.numbers) add(column.name.data(), column.values);
  return columns;
}

FlowRecord RowAt(const FlowBatch& batch, py::ssize_t index) {
  const auto size = static_cast<py::ssize_t>(batch.size());
  if (index < 0) index += size;
  if (index < 0 || index >= size) throw py::index_error("flow index out of range");
  return batch.columns()->Row(static_cast<std::size_t>(index));
}

// A part of a batch has the columns of the whole, even if it has no flow.
void KeepStatistics(const FlowBatch& batch, FlowColumns& rows) {
  if (!batch.columns()->statistics_columns.integers.empty()) rows.EnableStatistics();
}

FlowBatch Slice(const FlowBatch& batch, const py::slice& slice) {
  py::ssize_t start = 0;
  py::ssize_t stop = 0;
  py::ssize_t step = 0;
  py::ssize_t length = 0;
  if (!slice.compute(static_cast<py::ssize_t>(batch.size()), &start, &stop, &step, &length)) {
    throw py::error_already_set();
  }
  FlowColumns rows;
  rows.Reserve(static_cast<std::size_t>(length));
  KeepStatistics(batch, rows);
  for (py::ssize_t i = 0; i < length; ++i) {
    rows.Append(batch.columns()->Row(static_cast<std::size_t>(start + i * step)));
  }
  return FlowBatch(std::move(rows));
}

FlowBatch Where(const FlowBatch& batch, py::handle where) {
  const FlowFilter filter = ToFilter(where);
  FlowColumns rows;
  KeepStatistics(batch, rows);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const FlowRecord flow = batch.columns()->Row(i);
    if (filter.Matches(flow)) rows.Append(flow);
  }
  return FlowBatch(std::move(rows));
}

// FlowRecords and whole batches, in the order given.
FlowBatch FromIterable(const py::iterable& flows) {
  FlowColumns rows;
  for (const py::handle item : flows) {
    if (py::isinstance<FlowBatch>(item)) {
      const FlowBatch& batch = item.cast<const FlowBatch&>();
      for (std::size_t i = 0; i < batch.size(); ++i) rows.Append(batch.columns()->Row(i));
    } else if (py::isinstance<FlowRecord>(item)) {
      rows.Append(item.cast<const FlowRecord&>());
    } else {
      throw py::type_error("FlowBatch takes FlowRecords and FlowBatches, not " +
                           std::string(Py_TYPE(item.ptr())->tp_name));
    }
  }
  return FlowBatch(std::move(rows));
}

class RowIterator {
 public:
  explicit RowIterator(std::shared_ptr<const FlowColumns> columns) : columns_(std::move(columns)) {}
  FlowRecord Next() {
    if (next_ == columns_->size()) throw py::stop_iteration();
    return columns_->Row(next_++);
  }

 private:
  std::shared_ptr<const FlowColumns> columns_;
  std::size_t next_ = 0;
};

py::str ToCsv(const FlowBatch& batch, bool header) {
  std::string text;
  if (header) text.append(kFlowCsvHeader).push_back('\n');
  for (std::size_t i = 0; i < batch.size(); ++i) AppendFlowCsv(batch.columns()->Row(i), text);
  return text;
}

py::str ToJsonLines(const FlowBatch& batch) {
  std::string text;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    text += ToJson(batch.columns()->Row(i));
    text.push_back('\n');
  }
  return text;
}

py::capsule ArrowSchemaOf(const FlowBatch& batch) {
  auto schema = std::make_unique<ArrowSchema>();
  ExportSchema(*batch.columns(), schema.get());
  return MakeCapsule(std::move(schema), "arrow_schema");
}

// The types are fixed; a consumer that wants others casts, as the interface allows.
py::capsule ArrowStreamOf(const FlowBatch& batch, const py::object& /*requested_schema*/) {
  auto stream = std::make_unique<ArrowArrayStream>();
  ExportStream(batch.columns(), kArrowChunkRows, stream.get());
  return MakeCapsule(std::move(stream), "arrow_array_stream");
}

AddressBytes MappedBytes(const IpAddress& address) {
  FlowRecord flow;
  flow.source.address = address;
  FlowColumns columns;
  columns.Append(flow);
  return columns.source_address[0];
}

py::bytes PackAddress(py::handle address) {
  const AddressBytes bytes = MappedBytes(ToAddress(address));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The texts of an address column or of any buffer of 16-byte items.
py::list FormatAddresses(const py::buffer& column) {
  const py::buffer_info info = column.request();
  if (info.itemsize != 16 || info.ndim != 1) {
    RaiseInvalidArgument("an address column has one dimension and 16 bytes an item");
  }
  py::list texts(static_cast<std::size_t>(info.shape[0]));
  const auto* item = static_cast<const std::uint8_t*>(info.ptr);
  const AddressBytes mapped = MappedBytes(IpAddress());
  for (std::size_t i = 0; i < texts.size(); ++i, item += info.strides[0]) {
    const std::span<const std::uint8_t, 16> bytes(item, 16);
    const bool is_v4 = std::equal(mapped.begin(), mapped.begin() + 12, bytes.begin());
    texts[i] = py::str((is_v4 ? IpAddress::V4(bytes.last<4>()) : IpAddress::V6(bytes)).ToString());
  }
  return texts;
}

void BindBatch(py::module_& module) {
  py::class_<RowIterator>(module, "_FlowIterator")
      .def("__iter__", [](py::object self) { return self; })
      .def("__next__", &RowIterator::Next);
  py::class_<FlowBatch>(module, "FlowBatch",
                        "Flows as columns that never change; also a sequence of FlowRecord.")
      .def(py::init(&FromIterable), py::arg("flows") = py::tuple())
      .def("__len__", &FlowBatch::size)
      .def("__getitem__", &RowAt)
      .def("__getitem__", &Slice)
      .def("__iter__", [](const FlowBatch& self) { return RowIterator(self.columns()); })
      .def("__repr__",
           [](const FlowBatch& self) {
             return "<FlowBatch of " + std::to_string(self.size()) + " flows>";
           })
      .def("where", &Where, py::arg("where"), "The flows that a filter matches.")
      .def("columns", &ColumnsOf, "The columns by name, for memoryview() and the like.")
      .def(
          "to_numpy",
          [](const FlowBatch& self) {
            return py::module_::import("nta._numpy").attr("to_arrays")(ColumnsOf(self));
          },
          "The columns as read-only NumPy arrays that share the memory of this batch.")
      .def("to_csv", &ToCsv, py::kw_only(), py::arg("header") = true)
      .def("to_json_lines", &ToJsonLines)
      .def("__arrow_c_schema__", &ArrowSchemaOf)
      .def("__arrow_c_stream__", &ArrowStreamOf, py::arg("requested_schema") = py::none())
      .def_property_readonly("nbytes",
                             [](const FlowBatch& self) { return self.columns()->memory_bytes(); })
      .def_property_readonly("stats", &FlowBatch::stats)
      .def_property_readonly("ledger",
                             [](const FlowBatch& self) -> std::optional<PacketLedger> {
                               if (!self.stats()) return std::nullopt;
                               return self.stats()->ledger;
                             })
      .def_property_readonly(
          "capture",
          [](const FlowBatch& self) {
            return self.capture() ? py::object(ToDict(*self.capture())) : py::none();
          },
          "Of a store's answer: what capture saw and lost in its interval, a dict; else None.");
}

}  // namespace

void BindExport(py::module_& module) {
  py::class_<Column>(module, "Column", py::buffer_protocol(),
                     "One column of a FlowBatch or a Table through the buffer protocol.")
      .def("__len__", [](const Column& self) { return self.size; })
      .def_buffer([](Column& self) {
        return py::buffer_info(const_cast<void*>(self.data),
                               static_cast<py::ssize_t>(self.item_bytes), self.format, 1,
                               {static_cast<py::ssize_t>(self.size)},
                               {static_cast<py::ssize_t>(self.item_bytes)}, true);
      });
  BindBatch(module);
  module.def("pack_address", &PackAddress, py::arg("address"),
             "The 16 bytes that an address has in a column; IPv4 as ::ffff:a.b.c.d.");
  module.def("format_addresses", &FormatAddresses, py::arg("column"),
             "The texts of a column of addresses, as a list of str.");
}

}  // namespace nta::python

// Capture file writers, and what there is to know of interfaces.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "fields.h"
#include "gil.h"
#include "nta/capture/live_capture.h"
#include "nta/capture/pcap_file_writer.h"
#include "nta/capture/pcapng_file_writer.h"

namespace nta::python {
namespace {

Compression ToCompression(const std::string& name) {
  for (const Compression known : {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
    if (name == ToString(known)) return known;
  }
  RaiseInvalidArgument("unknown compression \"" + name + "\" (none, gzip or zstd)");
}

// A writer that may be closed.
template <typename Writer>
class FileWriter {
 public:
  FileWriter(std::string path, Writer writer)
      : path_(std::move(path)), writer_(std::move(writer)) {}

  Writer& get() {
    if (!writer_) {
      RaiseIfError(absl::FailedPreconditionError("cannot write \"" + path_ + "\": it is closed"));
    }
    return *writer_;
  }
  void Close() {
    if (!writer_) return;
    Writer writer = *std::exchange(writer_, std::nullopt);
    RaiseIfError(WithoutGil([&] { return writer.Close(); }));
  }

 private:
  std::string path_;
  std::optional<Writer> writer_;
};

class PcapWriter final : public FileWriter<PcapFileWriter> {
 public:
  using FileWriter::FileWriter;
  LinkType link_type = LinkType::kEthernet;
};
using PcapngWriter = FileWriter<PcapngFileWriter>;

std::unique_ptr<PcapWriter> CreatePcap(py::handle path, py::handle link_type,
                                       std::uint32_t snap_length, const std::string& compression,
                                       std::optional<int> compression_level) {
  const std::string name = ToPath(path);
  const PcapFileWriterOptions options{.link_type = ToLinkType(link_type),
                                      .snap_length = snap_length,
                                      .compression = ToCompression(compression),
                                      .compression_level = compression_level};
  auto writer =
      std::make_unique<PcapWriter>(name, ValueOrRaise(PcapFileWriter::Create(name, options)));
  writer->link_type = options.link_type;
  return writer;
}

std::unique_ptr<PcapngWriter> CreatePcapng(py::handle path,
                                           std::vector<CaptureInterface> interfaces,
                                           const std::string& application,
                                           const std::string& compression,
                                           std::optional<int> compression_level) {
  const std::string name = ToPath(path);
  PcapngFileWriterOptions options{.interfaces = std::move(interfaces),
                                  .application = application,
                                  .compression = ToCompression(compression),
                                  .compression_level = compression_level};
  return std::make_unique<PcapngWriter>(
      name, ValueOrRaise(PcapngFileWriter::Create(name, std::move(options))));
}

// What is common to both classes.
template <typename Writer>
void BindClosing(py::class_<Writer>& type) {
  type.def("close", &Writer::Close, "Only now an error of the disk is certain to show.")
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](Writer& self, const py::args&) { self.Close(); });
}

void BindPcapWriter(py::module_& module) {
  py::class_<PcapWriter> type(module, "PcapFileWriter",
                              "Writes a pcap file with nanosecond time stamps.");
  type.def(py::init(&CreatePcap), py::arg("path"), py::kw_only(), py::arg("link_type") = "ethernet",
           py::arg("snap_length") = 262144, py::arg("compression") = "none",
           py::arg("compression_level") = py::none())
      .def(
          "write",
          [](PcapWriter& self, const Packet& packet) {
            RaiseIfError(self.get().Write(packet.view()));
          },
          py::arg("packet"))
      .def(
          "write",
          [](PcapWriter& self, const py::buffer& data, py::handle time,
             std::optional<std::uint32_t> wire_bytes) {
            const BytesView bytes(data);
            RaiseIfError(self.get().Write(
                ToPacketView(bytes, ToTimestamp(time), self.link_type, wire_bytes)));
          },
          py::arg("data"), py::arg("time"), py::arg("wire_bytes") = py::none());
  BindClosing(type);
}

// The packet's own comment unless another is given.
void WritePcapng(PcapngWriter& self, const py::object& object,
                 const std::optional<std::string>& comment) {
  const Packet& packet = object.cast<const Packet&>();
  std::optional<std::string> text = comment;
  if (!text) text = object.attr("comment").cast<std::optional<std::string>>();
  RaiseIfError(self.get().Write(packet.view(), text.value_or("")));
}

void BindPcapngWriter(py::module_& module) {
  py::class_<PcapngWriter> type(
      module, "PcapngFileWriter",
      "Writes a pcapng file: several interfaces, comments, nanosecond time stamps.");
  type.def(py::init(&CreatePcapng), py::arg("path"), py::kw_only(),
           py::arg("interfaces") = std::vector<CaptureInterface>(),
           py::arg("application") = "libnta", py::arg("compression") = "none",
           py::arg("compression_level") = py::none())
      .def(
          "add_interface",
          [](PcapngWriter& self, const CaptureInterface& interface) {
            return ValueOrRaise(self.get().AddInterface(interface));
          },
          py::arg("interface"), "The number by which packets name it.")
      .def("write", &WritePcapng, py::arg("packet"), py::arg("comment") = py::none())
      .def(
          "set_drops",
          [](PcapngWriter& self, std::uint32_t interface_id, const CaptureStats& stats) {
            RaiseIfError(self.get().SetDrops(interface_id, stats));
          },
          py::arg("interface_id"), py::arg("stats"),
          "What close() is to say of the interface's losses.");
  BindClosing(type);
}

CaptureInterface MakeCaptureInterface(std::string name, std::string description,
                                      py::handle link_type,
                                      std::optional<std::uint32_t> snap_length) {
  return {.name = std::move(name),
          .description = std::move(description),
          .link_type = ToLinkType(link_type),
          .snap_length = snap_length};
}

void BindCaptureInterface(py::module_& module) {
  FieldsClass<CaptureInterface>(module, "CaptureInterface", "One of the interfaces of a source.")
      .Read("name", [](const CaptureInterface& self) { return ToText(self.name); })
      .Read("description", [](const CaptureInterface& self) { return ToText(self.description); })
      .Read("link_type", [](const CaptureInterface& self) { return ToString(self.link_type); })
      .Read("snap_length", &CaptureInterface::snap_length)
      .Read("ticks_per_second", &CaptureInterface::ticks_per_second)
      .Finish()
      .def(py::init(&MakeCaptureInterface), py::arg("name") = "", py::arg("description") = "",
           py::arg("link_type") = "ethernet", py::arg("snap_length") = py::none());
}

void BindInterfaces(py::module_& module) {
  FieldsClass<Interface>(module, "Interface", "A network interface of this machine.")
      .Read("name", &Interface::name)
      .Read("description", &Interface::description)
      .Read("addresses",
            [](const Interface& self) {
              std::vector<std::string> texts;
              for (const IpAddress& address : self.addresses) texts.push_back(address.ToString());
              return texts;
            })
      .Read("is_up", &Interface::is_up)
      .Read("is_loopback", &Interface::is_loopback)
      .Finish();
  module.def(
      "list_interfaces", [] { return ValueOrRaise(WithoutGil(&ListInterfaces)); },
      "The interfaces that can be captured from, loopback last.");
  module.def(
      "list_timestamp_sources",
      [](const std::string& interface) {
        std::vector<std::string> names;
        for (const TimestampSource source : ValueOrRaise(ListTimestampSources(interface))) {
          names.emplace_back(ToString(source));
        }
        return names;
      },
      py::arg("interface"), "Who can stamp the interface's packets with the time.");
}

}  // namespace

void BindCaptureFiles(py::module_& module) {
  BindCaptureInterface(module);
  BindInterfaces(module);
  BindPcapWriter(module);
  BindPcapngWriter(module);
}

}  // namespace nta::python

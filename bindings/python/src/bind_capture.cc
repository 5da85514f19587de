// Packet sources and the capture file writer.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "fields.h"
#include "gil.h"
#include "guarded_source.h"
#include "nta/capture/live_capture.h"
#include "nta/capture/memory_source.h"
#include "nta/capture/pcap_file_reader.h"
#include "nta/capture/pcap_file_writer.h"

namespace nta::python {
namespace {

class FileSource final : public GuardedSource {
  using GuardedSource::GuardedSource;
};

class LiveSource final : public GuardedSource {
  using GuardedSource::GuardedSource;
};

class QueueSource final : public GuardedSource {
 public:
  explicit QueueSource(MemorySourceOptions options)
      : GuardedSource(std::make_unique<MemorySource>(std::move(options))) {}

  // Packets that were pushed before can still be read, so the source inside stays.
  void Close() override { queue().Close(); }
  MemorySource& queue() { return static_cast<MemorySource&>(source()); }
};

template <typename Source>
using SourceClass = py::class_<Source, GuardedSource, std::shared_ptr<Source>>;

struct Packets {
  std::vector<Packet> packets;
  ReadResult result = ReadResult::kEnd;
};

// One read; the packets are copies, because the source's own go with the next read.
absl::StatusOr<Packets> ReadOnce(GuardedSource& source) {
  const GuardedSource::Session session(source);
  if (!session.status().ok()) return session.status();
  PacketBatch batch;
  absl::StatusOr<ReadResult> result = source.Read(batch);
  if (!result.ok()) return result.status();
  Packets read{{}, *result};
  read.packets.reserve(batch.size());
  for (const PacketView& view : batch) read.packets.emplace_back(view);
  return read;
}

Packets Read(GuardedSource& source) {
  return ValueOrRaise(WithoutGil([&] { return ReadOnce(source); }));
}

// None at the end, an empty list on a timeout.
py::object ReadList(GuardedSource& source) {
  Packets read = Read(source);
  if (read.result == ReadResult::kEnd) return py::none();
  py::list list;
  for (Packet& packet : read.packets) list.append(py::cast(std::move(packet)));
  return list;
}

class PacketIterator {
 public:
  explicit PacketIterator(std::shared_ptr<GuardedSource> source) : source_(std::move(source)) {}

  Packet Next() {
    while (waiting_.empty()) {
      Packets read = Read(*source_);
      if (read.result == ReadResult::kEnd) throw py::stop_iteration();
      std::move(read.packets.begin(), read.packets.end(), std::back_inserter(waiting_));
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    }
    Packet packet = std::move(waiting_.front());
    waiting_.pop_front();
    return packet;
  }

 private:
  std::shared_ptr<GuardedSource> source_;
  std::deque<Packet> waiting_;
};

std::shared_ptr<FileSource> OpenFile(py::handle path) {
  const std::string name = ToPath(path);
  return std::make_shared<FileSource>(
      ValueOrRaise(WithoutGil([&] { return PcapFileReader::Open(name); })));
}

template <typename Enum>
Enum Choose(const std::string& text, const char* what, const char* first_name, Enum first,
            const char* second_name, Enum second) {
  if (text == first_name) return first;
  if (text == second_name) return second;
  RaiseInvalidArgument("unknown " + std::string(what) + " \"" + text + "\" (" + first_name +
                       " or " + second_name + ")");
}

std::chrono::milliseconds ToMilliseconds(double seconds, const char* what) {
  return std::chrono::ceil<std::chrono::milliseconds>(ToDuration(seconds, what));
}

std::shared_ptr<LiveSource> OpenInterface(const std::string& interface, const std::string& filter,
                                          std::uint32_t snap_length, std::size_t ring_bytes,
                                          const std::string& delivery, const std::string& scope,
                                          double timeout) {
  LiveCaptureOptions options;
  options.filter = filter;
  options.snap_length = snap_length;
  options.ring_bytes = ring_bytes;
  options.delivery = Choose(delivery, "delivery", "bulk", CaptureDelivery::kBulk, "immediate",
                            CaptureDelivery::kImmediate);
  options.scope = Choose(scope, "scope", "promiscuous", CaptureScope::kPromiscuous, "own_traffic",
                         CaptureScope::kOwnTraffic);
  options.timeout = ToMilliseconds(timeout, "timeout");
  return std::make_shared<LiveSource>(
      ValueOrRaise(WithoutGil([&] { return LiveCapture::Open(interface, options); })));
}

void BindSources(py::module_& module) {
  py::class_<PacketIterator>(module, "_PacketIterator")
      .def("__iter__", [](py::object self) { return self; })
      .def("__next__", &PacketIterator::Next);
  py::class_<GuardedSource, std::shared_ptr<GuardedSource>>(module, "_NativeSource")
      .def("read", &ReadList, "The next packets; [] when none has come in time, None at the end.")
      .def("__iter__",
           [](std::shared_ptr<GuardedSource> self) { return PacketIterator(std::move(self)); })
      .def("close", &GuardedSource::Close)
      .def("stats", &GuardedSource::Stats, "As of the last read.")
      .def_property_readonly("is_live", &GuardedSource::is_live)
      .def_property_readonly("name", &GuardedSource::name)
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](GuardedSource& self, const py::args&) { self.Close(); });
  SourceClass<FileSource>(module, "PcapFileReader", "Packets from a pcap or pcapng file.")
      .def(py::init(&OpenFile), py::arg("path"));
  SourceClass<LiveSource>(module, "LiveCapture", "Packets from a network interface.")
      .def(py::init(&OpenInterface), py::arg("interface"), py::kw_only(), py::arg("filter") = "",
           py::arg("snap_length") = 65535, py::arg("ring_bytes") = 8 << 20,
           py::arg("delivery") = "bulk", py::arg("scope") = "promiscuous",
           py::arg("timeout") = 0.1);
}

bool Push(QueueSource& source, const Packet& packet) { return source.queue().Push(packet.view()); }

void BindMemorySource(py::module_& module) {
  SourceClass<QueueSource>(module, "MemorySource", "Packets that the program pushes itself.")
      .def(py::init([](const std::string& name, std::size_t capacity_bytes, double timeout) {
             MemorySourceOptions options;
             options.name = name;
             options.capacity_bytes = capacity_bytes;
             options.timeout = ToMilliseconds(timeout, "timeout");
             return std::make_shared<QueueSource>(std::move(options));
           }),
           py::kw_only(), py::arg("name") = "memory", py::arg("capacity_bytes") = 64 << 20,
           py::arg("timeout") = 0.1)
      .def("push", &Push, py::arg("packet"),
           "Copies the packet. False when it had to be dropped, or after close().")
      .def(
          "push",
          [](QueueSource& self, const py::buffer& data, py::handle time, py::handle link_type,
             std::optional<std::uint32_t> wire_bytes) {
            const BytesView bytes(data);
            return self.queue().Push(
                ToPacketView(bytes, ToTimestamp(time), ToLinkType(link_type), wire_bytes));
          },
          py::arg("data"), py::arg("time"), py::arg("link_type") = "ethernet",
          py::arg("wire_bytes") = py::none());
}

// A PcapFileWriter that may be closed.
class FileWriter {
 public:
  FileWriter(std::string path, PcapFileWriter writer)
      : path_(std::move(path)), writer_(std::move(writer)) {}

  void Write(const PacketView& packet) {
    if (!writer_) {
      RaiseIfError(absl::FailedPreconditionError("cannot write \"" + path_ + "\": it is closed"));
    }
    RaiseIfError(writer_->Write(packet));
  }
  void Close() {
    if (!writer_) return;
    PcapFileWriter writer = *std::exchange(writer_, std::nullopt);
    RaiseIfError(WithoutGil([&] { return writer.Close(); }));
  }
  LinkType link_type = LinkType::kEthernet;

 private:
  std::string path_;
  std::optional<PcapFileWriter> writer_;
};

std::unique_ptr<FileWriter> CreateFile(py::handle path, py::handle link_type,
                                       std::uint32_t snap_length) {
  const std::string name = ToPath(path);
  const PcapFileWriterOptions options{.link_type = ToLinkType(link_type),
                                      .snap_length = snap_length};
  auto writer =
      std::make_unique<FileWriter>(name, ValueOrRaise(PcapFileWriter::Create(name, options)));
  writer->link_type = options.link_type;
  return writer;
}

void BindWriter(py::module_& module) {
  py::class_<FileWriter>(module, "PcapFileWriter",
                         "Writes a pcap file with nanosecond time stamps.")
      .def(py::init(&CreateFile), py::arg("path"), py::kw_only(), py::arg("link_type") = "ethernet",
           py::arg("snap_length") = 262144)
      .def(
          "write", [](FileWriter& self, const Packet& packet) { self.Write(packet.view()); },
          py::arg("packet"))
      .def(
          "write",
          [](FileWriter& self, const py::buffer& data, py::handle time,
             std::optional<std::uint32_t> wire_bytes) {
            const BytesView bytes(data);
            self.Write(ToPacketView(bytes, ToTimestamp(time), self.link_type, wire_bytes));
          },
          py::arg("data"), py::arg("time"), py::arg("wire_bytes") = py::none())
      .def("close", &FileWriter::Close, "Only now an error of the disk is certain to show.")
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](FileWriter& self, const py::args&) { self.Close(); });
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
}

}  // namespace

void BindCapture(py::module_& module) {
  FieldsClass<CaptureStats>(module, "CaptureStats", "What a source has seen so far.")
      .Read("received", &CaptureStats::received)
      .Read("received_bytes", &CaptureStats::received_bytes)
      .Read("filtered", &CaptureStats::filtered)
      .Read("dropped_buffer", &CaptureStats::dropped_buffer)
      .Read("dropped_interface", &CaptureStats::dropped_interface)
      .Read("bytes_read", &CaptureStats::bytes_read)
      .Read("bytes_total", &CaptureStats::bytes_total)
      .Finish();
  BindSources(module);
  BindMemorySource(module);
  BindWriter(module);
  BindInterfaces(module);
}

}  // namespace nta::python

// Packet sources.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "fields.h"
#include "gil.h"
#include "guarded_source.h"
#include "nta/capture/live_capture.h"
#include "nta/capture/memory_source.h"
#include "nta/capture/multi_source.h"
#include "nta/capture/pcap_file_reader.h"

namespace nta::python {
namespace {

class FileSource final : public GuardedSource {
 public:
  explicit FileSource(std::unique_ptr<PcapFileReader> reader) : GuardedSource(std::move(reader)) {}

  // During a session only, as Read.
  std::span<const PacketComment> comments() {
    return static_cast<PcapFileReader&>(source()).comments();
  }
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
  std::vector<std::pair<std::size_t, std::string>> comments;  // with the packet's index
  ReadResult result = ReadResult::kEnd;
};

// One read; the packets are copies, because the source's own go with the next read.
absl::StatusOr<Packets> ReadOnce(GuardedSource& source) {
  const GuardedSource::Session session(source);
  if (!session.status().ok()) return session.status();
  PacketBatch batch;
  absl::StatusOr<ReadResult> result = source.Read(batch);
  if (!result.ok()) return result.status();
  Packets read{{}, {}, *result};
  read.packets.reserve(batch.size());
  for (const PacketView& view : batch) read.packets.emplace_back(view);
  if (auto* const file = dynamic_cast<FileSource*>(&source); file != nullptr) {
    for (const PacketComment& comment : file->comments()) {
      read.comments.emplace_back(comment.packet, comment.text);
    }
  }
  return read;
}

// Objects for Python. Of several comments on a packet each is a line.
std::vector<py::object> ToObjects(Packets read) {
  std::vector<py::object> objects;
  objects.reserve(read.packets.size());
  for (Packet& packet : read.packets) objects.push_back(py::cast(std::move(packet)));
  for (const auto& [index, text] : read.comments) {
    const py::object before = objects[index].attr("comment");
    const py::object comment = ToText(text);
    objects[index].attr("comment") = before.is_none() ? comment : before + py::str("\n") + comment;
  }
  return objects;
}

Packets Read(GuardedSource& source) {
  return ValueOrRaise(WithoutGil([&] { return ReadOnce(source); }));
}

// None at the end, an empty list on a timeout.
py::object ReadList(GuardedSource& source) {
  Packets read = Read(source);
  if (read.result == ReadResult::kEnd) return py::none();
  py::list list;
  for (py::object& packet : ToObjects(std::move(read))) list.append(std::move(packet));
  return list;
}

class PacketIterator {
 public:
  explicit PacketIterator(std::shared_ptr<GuardedSource> source) : source_(std::move(source)) {}

  py::object Next() {
    while (waiting_.empty()) {
      Packets read = Read(*source_);
      if (read.result == ReadResult::kEnd) throw py::stop_iteration();
      std::vector<py::object> packets = ToObjects(std::move(read));
      std::move(packets.begin(), packets.end(), std::back_inserter(waiting_));
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    }
    py::object packet = std::move(waiting_.front());
    waiting_.pop_front();
    return packet;
  }

 private:
  std::shared_ptr<GuardedSource> source_;
  std::deque<py::object> waiting_;
};

std::shared_ptr<FileSource> OpenFile(py::handle path,
                                     std::optional<std::uint32_t> max_compression_ratio,
                                     std::optional<std::uint64_t> max_decompressed_bytes) {
  const std::string name = ToPath(path);
  const PcapFileReaderOptions options{.max_compression_ratio = max_compression_ratio,
                                      .max_decompressed_bytes = max_decompressed_bytes};
  return std::make_shared<FileSource>(
      ValueOrRaise(WithoutGil([&] { return PcapFileReader::Open(name, options); })));
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
                                          std::optional<std::uint32_t> snap_length,
                                          std::size_t ring_bytes, const std::string& delivery,
                                          const std::string& scope, double timeout,
                                          const std::string& timestamps,
                                          const std::string& outage) {
  LiveCaptureOptions options;
  options.filter = filter;
  options.snap_length = snap_length;
  options.ring_bytes = ring_bytes;
  options.delivery = Choose(delivery, "delivery", "bulk", CaptureDelivery::kBulk, "immediate",
                            CaptureDelivery::kImmediate);
  options.scope = Choose(scope, "scope", "promiscuous", CaptureScope::kPromiscuous, "own_traffic",
                         CaptureScope::kOwnTraffic);
  options.timeout = ToMilliseconds(timeout, "timeout");
  options.timestamps = ValueOrRaise(ParseTimestampSource(timestamps));
  options.outage =
      Choose(outage, "outage", "fail", OutagePolicy::kFail, "reopen", OutagePolicy::kReopen);
  return std::make_shared<LiveSource>(
      ValueOrRaise(WithoutGil([&] { return LiveCapture::Open(interface, options); })));
}

// A source that belongs to a MultiSource as long as that lives, so that nobody else reads it.
class Member final : public PacketSource {
 public:
  explicit Member(std::shared_ptr<GuardedSource> source)
      : source_(std::move(source)), session_(*source_) {}

  const absl::Status& status() const { return session_.status(); }
  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override { return source_->Read(batch); }
  absl::StatusOr<ReadResult> ReadNow(PacketBatch& batch) override {
    return source_->ReadNow(batch);
  }
  std::shared_ptr<const void> Retain() override { return source_->Retain(); }
  int descriptor() const override { return source_->descriptor(); }
  CaptureStats Stats() const override { return source_->Stats(); }
  std::vector<CaptureInterface> Interfaces() const override { return source_->Interfaces(); }
  bool is_live() const override { return source_->is_live(); }
  std::string name() const override { return source_->name(); }

 private:
  std::shared_ptr<GuardedSource> source_;
  GuardedSource::Session session_;
};

using Sources = std::vector<std::shared_ptr<GuardedSource>>;

class SeveralSources final : public GuardedSource {
 public:
  SeveralSources(std::unique_ptr<MultiSource> source, Sources members)
      : GuardedSource(std::move(source)), members_(std::move(members)) {}
  const Sources& members() const { return members_; }

 private:
  const Sources members_;
};

std::shared_ptr<SeveralSources> JoinSources(const Sources& sources, double timeout,
                                            double reorder_window) {
  MultiSourceOptions options;
  options.timeout = ToMilliseconds(timeout, "timeout");
  options.reorder_window = ToMilliseconds(reorder_window, "reorder_window");
  std::vector<std::unique_ptr<PacketSource>> members;
  for (const std::shared_ptr<GuardedSource>& source : sources) {
    auto member = std::make_unique<Member>(source);
    RaiseIfError(member->status());
    members.push_back(std::move(member));
  }
  return std::make_shared<SeveralSources>(
      ValueOrRaise(MultiSource::Create(std::move(members), options)), sources);
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
      .def("interfaces", &GuardedSource::Interfaces,
           "What is known of the source's interfaces, as of the last read; interface_id counts "
           "them.")
      .def_property_readonly("is_live", &GuardedSource::is_live)
      .def_property_readonly("name", &GuardedSource::name)
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](GuardedSource& self, const py::args&) { self.Close(); });
  const PcapFileReaderOptions defaults;
  SourceClass<FileSource>(module, "PcapFileReader",
                          "Packets from a pcap or pcapng file, also one packed by gzip or zstd.")
      .def(py::init(&OpenFile), py::arg("path"), py::kw_only(),
           py::arg("max_compression_ratio") = defaults.max_compression_ratio,
           py::arg("max_decompressed_bytes") = defaults.max_decompressed_bytes);
  SourceClass<LiveSource>(
      module, "LiveCapture",
      "Packets from a network interface; needs CAP_NET_RAW. `filter` is pcap-filter(7), `timeout` "
      "seconds; docs/capture.md explains the others.")
      .def(py::init(&OpenInterface), py::arg("interface"), py::kw_only(), py::arg("filter") = "",
           py::arg("snap_length") = py::none(), py::arg("ring_bytes") = 8 << 20,
           py::arg("delivery") = "bulk", py::arg("scope") = "promiscuous", py::arg("timeout") = 0.1,
           py::arg("timestamps") = "host", py::arg("outage") = "fail");
}

void BindMultiSource(py::module_& module) {
  SourceClass<SeveralSources>(module, "MultiSource", "Several sources as one, merged by time.")
      .def(py::init(&JoinSources), py::arg("sources"), py::kw_only(), py::arg("timeout") = 0.1,
           py::arg("reorder_window") = 0.0)
      .def_property_readonly("sources", &SeveralSources::members)
      .def(
          "member_stats",
          [](const SeveralSources& self) {
            std::vector<CaptureStats> stats;
            for (const auto& member : self.members()) stats.push_back(member->Stats());
            return stats;
          },
          "Of each source, as of the last read.");
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
      .Read("outages", &CaptureStats::outages)
      .Read("outage_time", [](const CaptureStats& self) { return ToSeconds(self.outage_time); })
      .Finish();
  BindCaptureFiles(module);
  BindSources(module);
  BindMultiSource(module);
  BindMemorySource(module);
}

}  // namespace nta::python

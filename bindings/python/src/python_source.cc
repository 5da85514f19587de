#include "python_source.h"

#include <utility>

#include "callbacks.h"

namespace nta::python {

PythonSource::PythonSource(py::object object, PendingError& error)
    : object_(std::move(object)),
      read_(RequiredMethod(object_, "read", "a packet source")),
      error_(error),
      name_(NameOf(object_)),
      counts_drops_(py::hasattr(object_, "dropped")) {
  if (py::hasattr(object_, "is_live")) is_live_ = object_.attr("is_live").cast<bool>();
}

absl::StatusOr<ReadResult> PythonSource::Read(PacketBatch& batch) {
  batch.clear();
  packets_.clear();
  if (failed_) return ReadResult::kEnd;
  ReadResult result = ReadResult::kEnd;
  failed_ = !CallPython(error_, [&] { result = ReadPackets(); });
  if (failed_) return ReadResult::kEnd;
  for (const Packet& packet : packets_) batch.push_back(packet.view());
  Count(batch);
  return result;
}

ReadResult PythonSource::ReadPackets() {
  const py::object answer = Call(read_);
  if (counts_drops_) {
    const py::object dropped =
        Checked(OrHang([&] { return PyObject_GetAttrString(object_.ptr(), "dropped"); }));
    stats_.dropped_buffer = dropped.cast<std::uint64_t>();
  }
  if (answer.is_none()) return ReadResult::kEnd;
  const std::string what = name_ + ".read() must return an iterable of nta.Packet or None";
  for (const py::handle item : Items(answer, what)) {
    if (!py::isinstance<Packet>(item)) {
      throw py::type_error(what + ", not an iterable with " + TypeName(item));
    }
    packets_.push_back(item.cast<const Packet&>());
  }
  return packets_.empty() ? ReadResult::kTimeout : ReadResult::kPackets;
}

void PythonSource::Count(const PacketBatch& batch) {
  stats_.received += batch.size();
  for (const PacketView& packet : batch) stats_.received_bytes += packet.bytes.size();
}

int PythonSource::Traverse(visitproc visit, void* arg) const {
  Py_VISIT(object_.ptr());
  Py_VISIT(read_.ptr());
  return 0;
}

}  // namespace nta::python

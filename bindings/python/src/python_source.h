// PythonSource: any Python object with a read() method as a PacketSource.
#ifndef NTA_BINDINGS_PYTHON_PYTHON_SOURCE_H_
#define NTA_BINDINGS_PYTHON_PYTHON_SOURCE_H_

#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "gil.h"
#include "nta/capture/packet_source.h"

namespace nta::python {

// Read takes the interpreter's lock; whatever goes wrong in Python is kept in `error`, and Read
// then ends the packets. Made and destroyed with the lock held.
class PythonSource final : public PacketSource {
 public:
  // TypeError when `object` has no read(). Borrows `error`.
  PythonSource(py::object object, PendingError& error);

  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override;
  CaptureStats Stats() const override { return stats_; }
  bool is_live() const override { return is_live_; }
  std::string name() const override { return name_; }

  // For the cycle collector.
  int Traverse(visitproc visit, void* arg) const;

 private:
  ReadResult ReadPackets();
  void Count(const PacketBatch& batch);

  py::object object_;
  py::object read_;
  PendingError& error_;
  std::string name_;
  bool counts_drops_ = false;
  bool is_live_ = false;
  // Copies: Python may change or drop its packets while the pipeline looks at them.
  std::vector<Packet> packets_;
  CaptureStats stats_;
  bool failed_ = false;
};

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_PYTHON_SOURCE_H_

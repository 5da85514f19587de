// PythonDetector: any Python object with an observe() method as a Detector.
#ifndef NTA_BINDINGS_PYTHON_PYTHON_DETECTOR_H_
#define NTA_BINDINGS_PYTHON_PYTHON_DETECTOR_H_

#include <pybind11/pybind11.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gil.h"
#include "nta/detect/detector.h"

namespace nta::python {

// Calls take the interpreter's lock; whatever goes wrong in Python is kept in `error`, after which
// the object, whose state is anybody's guess, is not called again. Made and destroyed with the lock
// held.
class PythonDetector final : public Detector {
 public:
  // TypeError when `object` has no observe(). Borrows `error`.
  PythonDetector(py::object object, PendingError& error);

  std::string_view name() const override { return name_; }
  void Observe(const FlowEvent& event, std::vector<Alert>& alerts) override;
  void ObservePackets(std::span<const PacketView> packets, std::span<const DecodedPacket> decoded,
                      std::vector<Alert>& alerts) override;
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts) override;
  void Finish(std::vector<Alert>& alerts) override;
  // What the object holds is Python's to know.
  std::size_t memory_bytes() const override { return 0; }
  std::string Save() const override { return {}; }
  absl::Status Load(std::string_view state) override;

  // For the cycle collector.
  int Traverse(visitproc visit, void* arg) const;

 private:
  // Calls a method, unless one failed before, and appends the alerts that it returns.
  template <typename F>
  void Run(const F& f, const char* method, std::vector<Alert>& alerts);
  // Appends the alerts that a method returned, with id, time and detector filled in.
  void Collect(const py::object& answer, const char* method, std::vector<Alert>& alerts);
  void Append(py::handle item, const std::string& what, std::vector<Alert>& alerts);

  py::object observe_;
  py::object observe_packets_;
  py::object advance_to_;  // None when the object has no such method
  py::object finish_;
  PendingError& error_;
  std::string name_;
  bool failed_ = false;
  Timestamp now_{};
  std::uint64_t next_id_ = 1;
};

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_PYTHON_DETECTOR_H_

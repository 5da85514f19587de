#include "python_detector.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "callbacks.h"
#include "convert.h"

namespace nta::python {

PythonDetector::PythonDetector(py::object object, PendingError& error)
    : observe_(RequiredMethod(object, "observe", "a detector")),
      observe_packets_(OptionalMethod(object, "observe_packets")),
      advance_to_(OptionalMethod(object, "advance_to")),
      finish_(OptionalMethod(object, "finish")),
      error_(error),
      name_(NameOf(object)) {}

template <typename F>
void PythonDetector::Run(const F& f, const char* method, std::vector<Alert>& alerts) {
  if (failed_) return;
  failed_ = !CallPython(error_, [&] { Collect(f(), method, alerts); });
}

void PythonDetector::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  now_ = std::max(now_, event.time);
  // A copy: Python may keep the event.
  Run([&] { return Call(observe_, py::cast(event)); }, "observe", alerts);
}

void PythonDetector::ObservePackets(std::span<const PacketView> packets,
                                    std::span<const DecodedPacket>, std::vector<Alert>& alerts) {
  if (observe_packets_.is_none()) return;
  Run(
      [&] {
        // Copies: Python may keep them.
        py::list list;
        for (const PacketView& packet : packets) list.append(py::cast(Packet(packet)));
        return Call(observe_packets_, list);
      },
      "observe_packets", alerts);
}

void PythonDetector::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  if (advance_to_.is_none()) return;
  now_ = std::max(now_, now);
  Run([&] { return Call(advance_to_, py::int_(ToNanoseconds(now))); }, "advance_to", alerts);
}

void PythonDetector::Finish(std::vector<Alert>& alerts) {
  if (finish_.is_none()) return;
  Run([&] { return Call(finish_); }, "finish", alerts);
}

absl::Status PythonDetector::Load(std::string_view) {
  return absl::UnimplementedError("the state of " + name_ + " is its own");
}

void PythonDetector::Collect(const py::object& answer, const char* method,
                             std::vector<Alert>& alerts) {
  if (answer.is_none()) return;
  const std::string what =
      name_ + "." + method + "() must return None, an nta.Alert or an iterable of them";
  if (py::isinstance<Alert>(answer)) return Append(answer, what, alerts);
  for (const py::handle item : Items(answer, what)) Append(item, what, alerts);
}

void PythonDetector::Append(py::handle item, const std::string& what, std::vector<Alert>& alerts) {
  if (!py::isinstance<Alert>(item)) {
    throw py::type_error(what + ", not an iterable with " + TypeName(item));
  }
  // Filled in place, so that the detector can raise the same alert again in a later state.
  auto& alert = item.cast<Alert&>();
  if (alert.id.empty()) {
    char number[24];
    std::snprintf(number, sizeof number, "-%06llu", static_cast<unsigned long long>(next_id_++));
    alert.id = name_ + number;
  }
  if (alert.detector.empty()) alert.detector = name_;
  if (alert.time == Timestamp{}) alert.time = now_;
  alerts.push_back(alert);
}

int PythonDetector::Traverse(visitproc visit, void* arg) const {
  Py_VISIT(observe_.ptr());
  Py_VISIT(observe_packets_.ptr());
  Py_VISIT(advance_to_.ptr());
  Py_VISIT(finish_.ptr());
  return 0;
}

}  // namespace nta::python

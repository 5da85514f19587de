// absl::Status to Python exceptions (nta/_errors.py).
#ifndef NTA_BINDINGS_PYTHON_ERRORS_H_
#define NTA_BINDINGS_PYTHON_ERRORS_H_

#include <pybind11/pybind11.h>

#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace nta::python {

namespace py = pybind11;

// The nta.Error of a status that is not OK.
py::object MakeError(const absl::Status& status);
// Raises an exception object.
[[noreturn]] void Raise(const py::object& error);
// Raises nta.InvalidArgumentError.
[[noreturn]] void RaiseInvalidArgument(std::string_view message);

inline void RaiseIfError(const absl::Status& status) {
  if (!status.ok()) Raise(MakeError(status));
}

template <typename T>
T ValueOrRaise(absl::StatusOr<T> result) {
  RaiseIfError(result.status());
  return *std::move(result);
}

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_ERRORS_H_

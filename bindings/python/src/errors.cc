#include "errors.h"

#include <string>

namespace nta::python {

py::object MakeError(const absl::Status& status) {
  const std::string code = absl::StatusCodeToString(status.code());
  const std::string message(status.message().data(), status.message().size());
  // A message may quote bytes of a file or a path that are not UTF-8.
  py::object text = py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(
      message.data(), static_cast<Py_ssize_t>(message.size()), "backslashreplace"));
  if (!text) throw py::error_already_set();
  return py::module_::import("nta._errors").attr("make_error")(code, text);
}

void Raise(const py::object& error) {
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
  throw py::error_already_set();
}

void RaiseInvalidArgument(std::string_view message) {
  Raise(MakeError(absl::InvalidArgumentError({message.data(), message.size()})));
}

}  // namespace nta::python

// Columns as Python sees them: the buffer protocol, and the capsules of Arrow.
#ifndef NTA_BINDINGS_PYTHON_COLUMN_H_
#define NTA_BINDINGS_PYTHON_COLUMN_H_

#include <pybind11/pybind11.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arrow_c_data.h"

namespace nta::python {

namespace py = pybind11;

using AddressBytes = std::array<std::uint8_t, 16>;

// One column through the buffer protocol: read-only, and alive as long as a view of it.
struct Column {
  std::shared_ptr<const void> owner;
  const void* data;
  std::size_t size;
  std::size_t item_bytes;
  std::string format;  // PEP 3118
};

template <typename T>
std::string FormatOf() {
  return py::format_descriptor<T>::format();
}
template <>
inline std::string FormatOf<AddressBytes>() {
  return "16s";
}

template <typename T>
Column MakeColumn(std::shared_ptr<const void> owner, const std::vector<T>& values) {
  return {std::move(owner), values.data(), values.size(), sizeof(T), FormatOf<T>()};
}

// A capsule of the PyCapsule interface of Arrow: its destructor releases what nobody has taken.
template <typename Struct>
py::capsule MakeCapsule(std::unique_ptr<Struct> content, const char* name) {
  PyObject* capsule = PyCapsule_New(content.get(), name, [](PyObject* self) {
    auto* owned = static_cast<Struct*>(PyCapsule_GetPointer(self, PyCapsule_GetName(self)));
    if (owned->release != nullptr) owned->release(owned);
    delete owned;
  });
  if (capsule == nullptr) throw py::error_already_set();
  content.release();
  return py::reinterpret_steal<py::capsule>(capsule);
}

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_COLUMN_H_

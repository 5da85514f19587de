// Keywords: keyword arguments as fields of an options struct.
#ifndef NTA_BINDINGS_PYTHON_KEYWORDS_H_
#define NTA_BINDINGS_PYTHON_KEYWORDS_H_

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <type_traits>
#include <utility>

#include "convert.h"

namespace nta::python {

namespace py = pybind11;

// What is left over at the end is an error.
class Keywords {
 public:
  Keywords(std::string owner, const py::kwargs& keywords)
      : owner_(std::move(owner)), left_(keywords.attr("copy")()) {}

  template <typename T>
  Keywords& Take(const char* name, T& option) {
    if (!left_.contains(name)) return *this;
    const py::object value = left_.attr("pop")(name);
    try {
      if constexpr (std::is_same_v<T, Duration>) {
        option = ToDuration(value.cast<double>(), name);
      } else {
        option = value.cast<T>();
      }
    } catch (const py::cast_error&) {
      throw py::type_error(std::string(name) + " cannot be " + std::string(py::repr(value)));
    }
    return *this;
  }
  void End() const {
    for (const auto& [name, value] : left_) {
      throw py::type_error(owner_ + "() has no option '" + std::string(py::str(name)) + "'");
    }
  }

 private:
  std::string owner_;
  py::dict left_;
};

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_KEYWORDS_H_

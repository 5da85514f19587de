// Calling what a Python program implements.
#ifndef NTA_BINDINGS_PYTHON_CALLBACKS_H_
#define NTA_BINDINGS_PYTHON_CALLBACKS_H_

#include <pybind11/pybind11.h>

#include <string>

#include "gil.h"

namespace nta::python {

inline std::string TypeName(py::handle object) { return Py_TYPE(object.ptr())->tp_name; }

// The attribute `name` when it is a str, else the type's name.
inline std::string NameOf(py::handle object) {
  const py::object name = py::getattr(object, "name", py::none());
  return py::isinstance<py::str>(name) ? name.cast<std::string>() : TypeName(object);
}

inline py::object OptionalMethod(py::handle object, const char* name) {
  py::object method = py::getattr(object, name, py::none());
  return PyCallable_Check(method.ptr()) != 0 ? method : py::none();
}

// TypeError when there is no such method; `role` says what the object was to be.
inline py::object RequiredMethod(py::handle object, const char* name, const char* role) {
  py::object method = OptionalMethod(object, name);
  if (method.is_none()) {
    throw py::type_error(TypeName(object) + " is not " + role + ": it has no method " + name +
                         "()");
  }
  return method;
}

// Runs f, which calls Python, with the lock held. False when it raised, which `error` then keeps.
template <typename F>
bool CallPython(PendingError& error, const F& f) {
  try {
    f();
    return true;
  } catch (py::error_already_set& raised) {
    raised.restore();
    error.Capture();
  } catch (const py::cast_error& raised) {
    PyErr_SetString(PyExc_TypeError, raised.what());
    error.Capture();
  } catch (const py::builtin_exception& raised) {
    raised.set_error();
    error.Capture();
  } catch (const std::exception& raised) {
    PyErr_SetString(PyExc_RuntimeError, raised.what());
    error.Capture();
  }
  return false;
}

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_CALLBACKS_H_

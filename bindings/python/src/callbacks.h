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
  if (PyType_Check(object.ptr()) != 0) {
    throw py::type_error(py::str(py::getattr(object, "__name__")).cast<std::string>() +
                         " is a class, not " + role + ": call it to make one");
  }
  if (method.is_none()) {
    throw py::type_error(TypeName(object) + " is not " + role + ": it has no method " + name +
                         "()");
  }
  return method;
}

// What a call of the C API gave: a new reference, or null with an exception set.
inline py::object Checked(PyObject* result) {
  if (result == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(result);
}

// Calls into the program's code, which may never come back (see OrHang).
template <typename... Arguments>
py::object Call(const py::object& callable, const Arguments&... arguments) {
  return Checked(OrHang(
      [&] { return PyObject_CallFunctionObjArgs(callable.ptr(), arguments.ptr()..., nullptr); }));
}

// The items of what the program returned. TypeError, "`what`, not ...", when it has none.
inline py::list Items(const py::object& answer, const std::string& what) {
  PyObject* items = OrHang([&] { return PySequence_List(answer.ptr()); });
  if (items == nullptr && PyErr_ExceptionMatches(PyExc_TypeError) != 0 &&
      Py_TYPE(answer.ptr())->tp_iter == nullptr) {
    PyErr_Clear();
    throw py::type_error(what + ", not " + TypeName(answer));
  }
  return Checked(items);
}

// Takes the lock and runs f, which calls Python. False when it raised, which `error` then keeps.
template <typename F>
bool CallPython(PendingError& error, const F& f) {
  bool ok = false;
  WithGil([&] {
    try {
      f();
      ok = true;
      return;
    } catch (py::error_already_set& raised) {
      raised.restore();
    } catch (const py::cast_error& raised) {
      PyErr_SetString(PyExc_TypeError, raised.what());
    } catch (const py::builtin_exception& raised) {
      raised.set_error();
    } catch (const std::exception& raised) {
      PyErr_SetString(PyExc_RuntimeError, raised.what());
    }
    error.Capture();
  });
  return ok;
}

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_CALLBACKS_H_

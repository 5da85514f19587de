// Giving up and taking back Python's global interpreter lock.
#ifndef NTA_BINDINGS_PYTHON_GIL_H_
#define NTA_BINDINGS_PYTHON_GIL_H_

#include <pybind11/pybind11.h>

#include <exception>
#include <optional>
#include <utility>

namespace nta::python {

namespace py = pybind11;

// Runs f without the lock and returns what it returns.
//
// The lock is taken back in plain code instead of in a destructor: while the interpreter shuts
// down, CPython ends a thread that asks for the lock by unwinding its stack, and an unwinding that
// starts in a destructor ends the whole program.
template <typename F>
auto WithoutGil(const F& f) -> decltype(f()) {
  std::optional<decltype(f())> result;
  std::exception_ptr failure;
  PyThreadState* const state = PyEval_SaveThread();
  try {
    result.emplace(f());
  } catch (const std::exception&) {
    failure = std::current_exception();
  }
  PyEval_RestoreThread(state);
  if (failure) std::rethrow_exception(failure);
  return *std::move(result);
}

// The Python exception that a callback raised while C++ code stood between it and the caller. Used
// with the lock held, except for raised().
class PendingError {
 public:
  PendingError() = default;
  ~PendingError() { Clear(); }
  PendingError(const PendingError&) = delete;
  PendingError& operator=(const PendingError&) = delete;

  bool raised() const { return type_ != nullptr; }
  // Takes over the exception that is set in the interpreter. The first one stays.
  void Capture() {
    if (raised()) {
      PyErr_Clear();
    } else {
      PyErr_Fetch(&type_, &value_, &trace_);
    }
  }
  // Raises it again, when there is one.
  void Rethrow() {
    if (!raised()) return;
    PyErr_Restore(std::exchange(type_, nullptr), std::exchange(value_, nullptr),
                  std::exchange(trace_, nullptr));
    throw py::error_already_set();
  }

 private:
  void Clear() {
    if (!raised()) return;
    Py_CLEAR(type_);
    Py_CLEAR(value_);
    Py_CLEAR(trace_);
  }

  PyObject* type_ = nullptr;
  PyObject* value_ = nullptr;
  PyObject* trace_ = nullptr;
};

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_GIL_H_

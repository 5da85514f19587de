// Giving up and taking back Python's global interpreter lock.
#ifndef NTA_BINDINGS_PYTHON_GIL_H_
#define NTA_BINDINGS_PYTHON_GIL_H_

#include <cxxabi.h>
#include <pybind11/pybind11.h>
#include <unistd.h>

#include <exception>
#include <optional>
#include <utility>

namespace nta::python {

namespace py = pybind11;

// Runs f, which may have to wait for the lock.
//
// While the interpreter shuts down, CPython (before 3.14) ends a thread that asks for the lock by
// unwinding its stack, and the destructors on the way would touch Python objects without the lock.
// Such a thread stops here instead, until the process ends, as it does in CPython 3.14. Unchecked
// by UBSan, because the exception of such an unwinding is no object: the reference to it is null.
template <typename F>
[[gnu::no_sanitize("undefined")]] auto OrHang(const F& f) -> decltype(f()) {
#ifdef __GLIBCXX__
  try {
    return f();
  } catch (const abi::__forced_unwind&) {
    while (true) pause();
  }
#else
  return f();
#endif
}

// Runs f without the lock and returns what it returns.
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
  OrHang([state] { PyEval_RestoreThread(state); });
  if (failure) std::rethrow_exception(failure);
  return *std::move(result);
}

// Runs f, which must not throw, with the lock.
template <typename F>
void WithGil(const F& f) {
  const PyGILState_STATE state = OrHang(PyGILState_Ensure);
  f();
  PyGILState_Release(state);
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

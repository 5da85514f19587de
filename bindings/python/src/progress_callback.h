// ProgressCallback: a Python function that hears how much is done, and may end the work.
#ifndef NTA_BINDINGS_PYTHON_PROGRESS_CALLBACK_H_
#define NTA_BINDINGS_PYTHON_PROGRESS_CALLBACK_H_

#include <pybind11/pybind11.h>

#include <functional>
#include <stop_token>
#include <utility>

#include "callbacks.h"
#include "gil.h"

namespace nta::python {

namespace py = pybind11;

// Calls a Python function with how much is done. What it raises stops the work and is raised again.
class ProgressCallback {
 public:
  explicit ProgressCallback(py::object callback) : callback_(std::move(callback)) {}

  std::function<void(double)> function() {
    return [this](double progress) {
      WithGil([&] {
        try {
          if (PyErr_CheckSignals() != 0) throw py::error_already_set();
          if (!callback_.is_none()) callback_(progress);
        } catch (py::error_already_set& error) {
          error.restore();
          error_.Capture();
          stop_.request_stop();
        }
      });
    };
  }
  std::stop_token stop() const { return stop_.get_token(); }
  void Rethrow() { error_.Rethrow(); }

 private:
  py::object callback_;
  PendingError error_;
  std::stop_source stop_;
};

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_PROGRESS_CALLBACK_H_

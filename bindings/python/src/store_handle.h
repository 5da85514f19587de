// The store as Python holds it, for every part of the module that asks it.
#ifndef NTA_BINDINGS_PYTHON_STORE_HANDLE_H_
#define NTA_BINDINGS_PYTHON_STORE_HANDLE_H_

#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "convert.h"
#include "gil.h"
#include "nta/store/store.h"

namespace nta::python {

namespace py = pybind11;

// A store that may be closed, also while another thread still waits for an answer.
class StoreHandle {
 public:
  StoreHandle(std::string path, std::unique_ptr<Store> store)
      : path_(std::move(path)), store_(std::move(store)) {}

  // Calls f(store) without the interpreter's lock.
  template <typename F>
  auto With(const F& f) const {
    const std::shared_ptr<Store> store = store_;
    if (store == nullptr) {
      RaiseIfError(absl::FailedPreconditionError("store \"" + path_ + "\" is closed"));
    }
    return WithoutGil([&] { return f(*store); });
  }
  void Close() {
    std::shared_ptr<Store> store = std::move(store_);
    // The last checkpoint of the file may take a while.
    WithoutGil([&] {
      store.reset();
      return true;
    });
  }
  const std::string& path() const { return path_; }
  // The store, which stays open as long as somebody holds it; raises when it is closed.
  std::shared_ptr<Store> shared() const {
    if (store_ == nullptr) {
      RaiseIfError(absl::FailedPreconditionError("store \"" + path_ + "\" is closed"));
    }
    return store_;
  }

 private:
  std::string path_;
  std::shared_ptr<Store> store_;  // shared with the calls that are under way
};

// None is an open end.
TimeInterval ToInterval(py::handle since, py::handle until);
// Of a FlowBatch or any iterable of FlowRecord.
std::vector<FlowRecord> ToFlows(py::handle flows);

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_STORE_HANDLE_H_

// The questions that a store answers, and what it keeps: parts of BindStore.
#ifndef NTA_BINDINGS_PYTHON_STORE_QUERIES_H_
#define NTA_BINDINGS_PYTHON_STORE_QUERIES_H_

#include <pybind11/pybind11.h>

#include <memory>

#include "store_handle.h"

namespace nta::python {

void BindStoreQueries(py::class_<StoreHandle, std::shared_ptr<StoreHandle>>& store);
void BindStoreRetention(py::class_<StoreHandle, std::shared_ptr<StoreHandle>>& store);
void BindTable(py::module_& module);
py::dict ToDict(const CaptureCounts& counts);

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_STORE_QUERIES_H_

// What is called beside the modules of bind.h: health, the schedule, incidents.
#ifndef NTA_BINDINGS_PYTHON_BIND_OPERATIONS_H_
#define NTA_BINDINGS_PYTHON_BIND_OPERATIONS_H_

#include <pybind11/pybind11.h>

namespace nta::python {

void BindHealth(pybind11::module_& module);
void BindSchedule(pybind11::module_& module);   // after BindStore
void BindIncidents(pybind11::module_& module);  // after BindStore

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_BIND_OPERATIONS_H_

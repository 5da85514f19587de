// One function per module of the library; module.cc calls them in the order of dependence.
#ifndef NTA_BINDINGS_PYTHON_BIND_H_
#define NTA_BINDINGS_PYTHON_BIND_H_

#include <pybind11/pybind11.h>

namespace nta::python {

void BindPacket(pybind11::module_& module);
void BindCapture(pybind11::module_& module);
void BindCaptureFiles(pybind11::module_& module);  // part of BindCapture
void BindFlow(pybind11::module_& module);
void BindDetect(pybind11::module_& module);
void BindDetectorClasses(pybind11::module_& module);  // part of BindDetect
void BindScorers(pybind11::module_& module);          // after BindDetect
void BindExport(pybind11::module_& module);
void BindPipeline(pybind11::module_& module);
void BindStore(pybind11::module_& module);
void BindLog(pybind11::module_& module);
void BindAudit(pybind11::module_& module);
void BindFirewall(pybind11::module_& module);
void BindBackup(pybind11::module_& module);
void BindRules(pybind11::module_& module);
void BindBacktest(pybind11::module_& module);
void BindNotify(pybind11::module_& module);

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_BIND_H_

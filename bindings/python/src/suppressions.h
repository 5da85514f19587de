// Suppressions from Python: dicts with the names of the REST API.
#ifndef NTA_BINDINGS_PYTHON_SUPPRESSIONS_H_
#define NTA_BINDINGS_PYTHON_SUPPRESSIONS_H_

#include <pybind11/pybind11.h>

#include <vector>

#include "nta/detect/suppression.h"

namespace nta::python {

std::vector<Suppression> ToSuppressions(pybind11::handle list);

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_SUPPRESSIONS_H_

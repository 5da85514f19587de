// Settings of detectors from Python dicts.
#ifndef NTA_BINDINGS_PYTHON_DETECTOR_SETTINGS_H_
#define NTA_BINDINGS_PYTHON_DETECTOR_SETTINGS_H_

#include <pybind11/pybind11.h>

#include <map>
#include <string>

#include "nta/detect/detector_settings.h"

namespace nta::python {

// {"port_scan": {"min_ports": 50, "sensitivity": "high"}}; raises what is wrong with it.
std::map<std::string, DetectorSettings> ToAllSettings(const pybind11::dict& settings);

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_DETECTOR_SETTINGS_H_

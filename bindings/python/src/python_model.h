// PythonModel: a scorer of the user's own, written in Python, as a model of the library.
#ifndef NTA_BINDINGS_PYTHON_PYTHON_MODEL_H_
#define NTA_BINDINGS_PYTHON_PYTHON_MODEL_H_

#include <pybind11/pybind11.h>

#include <exception>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gil.h"
#include "nta/detect/vector_model.h"

namespace nta::python {

namespace py = pybind11;

// A Python object with score(vector), and learn(vector, weight), begin(vectors) and name if it has
// them, as a model.
class PythonModel final : public VectorModel {
 public:
  explicit PythonModel(py::object object) : object_(std::move(object)) {
    if (!py::hasattr(object_, "score")) {
      throw py::type_error("a model needs a method score(vector): " +
                           std::string(py::repr(object_)));
    }
    name_ = py::hasattr(object_, "name") ? std::string(py::str(object_.attr("name"))) : "python";
  }
  ~PythonModel() override {
    const py::gil_scoped_acquire gil;
    object_ = py::object();
  }

  std::string_view name() const override { return name_; }
  void Begin(std::span<const float> vectors, std::size_t dimensions) override {
    Call([&] {
      if (!py::hasattr(object_, "begin")) return;
      py::list rows;
      for (std::size_t at = 0; at + dimensions <= vectors.size(); at += dimensions) {
        rows.append(ToList(vectors.subspan(at, dimensions)));
      }
      object_.attr("begin")(rows);
    });
  }
  double Score(std::span<const float> vector) override {
    double score = 0;
    Call([&] { score = object_.attr("score")(ToList(vector)).cast<double>(); });
    return score;
  }
  void Learn(std::span<const float> vector, double weight) override {
    Call([&] {
      if (py::hasattr(object_, "learn")) object_.attr("learn")(ToList(vector), weight);
    });
  }
  // What the object holds is Python's to know.
  std::size_t memory_bytes() const override { return sizeof(*this); }
  std::string Save() const override { return {}; }
  absl::Status Load(std::string_view, std::size_t) override { return absl::OkStatus(); }

  // Raises what went wrong in Python since the last call.
  void RaiseError() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  static py::list ToList(std::span<const float> vector) {
    py::list list(vector.size());
    for (std::size_t i = 0; i < vector.size(); ++i) list[i] = vector[i];
    return list;
  }
  // Nothing is thrown through the library; after an error the object is not called again.
  template <typename F>
  void Call(const F& f) {
    if (failed_) return;
    const py::gil_scoped_acquire gil;
    try {
      f();
    } catch (py::error_already_set& error) {
      failed_ = true;
      if (is_in_detector_) {
        error.discard_as_unraisable("a model of FlowAnomalyDetector");
      } else {
        error_ = std::current_exception();
      }
    } catch (const std::exception&) {
      failed_ = true;
      error_ = std::current_exception();
    }
  }

  py::object object_;
  std::string name_;
  bool failed_ = false;
  std::exception_ptr error_;

 public:
  bool is_in_detector_ = false;
};

// Takes the keyword `models` out; the models stay those of the answer.
inline std::vector<std::unique_ptr<VectorModel>> TakeModels(const py::kwargs& keywords,
                                                            std::vector<PythonModel*>& models) {
  std::vector<std::unique_ptr<VectorModel>> own;
  if (!keywords.contains("models")) return own;
  for (const py::handle object : keywords.attr("pop")("models")) {
    auto model = std::make_unique<PythonModel>(py::reinterpret_borrow<py::object>(object));
    models.push_back(model.get());
    own.push_back(std::move(model));
  }
  return own;
}

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_PYTHON_MODEL_H_

// The scorers of series, contacts, vectors and names.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "errors.h"
#include "keywords.h"
#include "nta/detect/beacon_score.h"
#include "nta/detect/edge_scorer.h"
#include "nta/detect/name_score.h"
#include "nta/detect/series_scorer.h"
#include "nta/detect/vector_scorer.h"
#include "python_model.h"

namespace nta::python {
namespace {

py::bytes Bytes(const std::string& state) { return py::bytes(state); }

template <typename T>
void LoadState(T& self, const py::bytes& state) {
  RaiseIfError(self.Load(state.cast<std::string>()));
}

std::unique_ptr<SeriesScorer> CreateSeries(const py::kwargs& keywords) {
  SeriesScorerOptions options;
  std::string detail = "full";
  Keywords("SeriesScorer", keywords)
      .Take("detail", detail)
      .Take("refractory", options.refractory)
      .Take("refractory_bits", options.refractory_bits)
      .Take("surprise_bits", options.surprise_bits)
      .Take("range_bits", options.range_bits)
      .Take("warm_up", options.warm_up)
      .Take("gate_bits", options.gate_bits)
      .Take("regime_change", options.regime_change)
      .End();
  if (detail != "full" && detail != "compact") {
    throw py::value_error("detail is \"full\" or \"compact\", not \"" + detail + "\"");
  }
  if (detail == "compact") options.detail = SeriesScorerOptions::Detail::kCompact;
  return std::make_unique<SeriesScorer>(options);
}

void BindSeries(py::module_& module) {
  py::class_<SeriesScore>(module, "SeriesScore", "What SeriesScorer.add says about a value.")
      .def_readonly("score", &SeriesScore::score)
      .def_readonly("bits", &SeriesScore::bits)
      .def_readonly("expected", &SeriesScore::expected)
      .def_readonly("band_low", &SeriesScore::band_low)
      .def_readonly("band_high", &SeriesScore::band_high)
      .def_property_readonly("aspect",
                             [](const SeriesScore& self) { return ToStr(ToString(self.aspect)); })
      .def_readonly("is_warm", &SeriesScore::is_warm);
  py::class_<SeriesScorer>(module, "SeriesScorer",
                           "How unusual is the latest value of a measurement, online. Keywords are "
                           "the fields of nta::SeriesScorerOptions; durations are seconds.")
      .def(py::init(&CreateSeries))
      .def(
          "add",
          [](SeriesScorer& self, py::handle time, double value) {
            return self.Add(ToTimestamp(time), value);
          },
          py::arg("time"), py::arg("value"))
      .def(
          "expected",
          [](const SeriesScorer& self, py::handle time) {
            return self.Expected(ToTimestamp(time));
          },
          py::arg("time"))
      .def_property_readonly("memory_bytes", &SeriesScorer::memory_bytes)
      .def("save", [](const SeriesScorer& self) { return Bytes(self.Save()); })
      .def("load", &LoadState<SeriesScorer>, py::arg("state"));
}

std::unique_ptr<EdgeScorer> CreateEdges(const py::kwargs& keywords) {
  EdgeScorerOptions options;
  Keywords("EdgeScorer", keywords)
      .Take("width", options.width)
      .Take("decay", options.decay)
      .Take("merge_threshold", options.merge_threshold)
      .Take("horizon", options.horizon)
      .Take("hash_seed", options.hash_seed)
      .End();
  return std::make_unique<EdgeScorer>(options);
}

void BindEdges(py::module_& module) {
  py::class_<EdgeScorer>(module, "EdgeScorer",
                         "How surprising is one more contact of a source with a destination. "
                         "Keywords are the fields of nta::EdgeScorerOptions.")
      .def(py::init(&CreateEdges))
      .def("add", &EdgeScorer::Add, py::arg("source"), py::arg("destination"), py::arg("tick"),
           "The score; higher is more surprising. Source and destination are numbers.")
      .def_property_readonly("memory_bytes", &EdgeScorer::memory_bytes)
      .def("save", [](const EdgeScorer& self) { return Bytes(self.Save()); })
      .def("load", &LoadState<EdgeScorer>, py::arg("state"));
}

// The scorer and the Python models in it, whose errors are raised after each call.
struct Vectors {
  VectorScorer scorer;
  std::vector<PythonModel*> models;

  template <typename F>
  auto Do(const F& f) {
    auto result = f(scorer);
    for (PythonModel* model : models) model->RaiseError();
    return result;
  }
};

std::unique_ptr<Vectors> CreateVectors(const py::kwargs& keywords) {
  std::vector<PythonModel*> models;
  auto own = TakeModels(keywords, models);
  VectorScorerOptions options;
  Keywords("VectorScorer", keywords)
      .Take("dimensions", options.dimensions)
      .Take("loda", options.loda)
      .Take("half_space_trees", options.half_space_trees)
      .Take("autoencoders", options.autoencoders)
      .Take("warm_up", options.warm_up)
      .Take("gate_bits", options.gate_bits)
      .Take("quarantine_time", options.quarantine_time)
      .Take("max_quarantined", options.max_quarantined)
      .Take("window", options.window)
      .Take("source_share", options.source_share)
      .Take("target_share", options.target_share)
      .Take("free_duplicates", options.free_duplicates)
      .Take("seed", options.seed)
      .End();
  return std::make_unique<Vectors>(
      Vectors{ValueOrRaise(VectorScorer::Create(options, std::move(own))), std::move(models)});
}

void CheckSize(const Vectors& self, const std::vector<double>& features) {
  if (features.size() == self.scorer.dimensions()) return;
  throw py::value_error("expected " + std::to_string(self.scorer.dimensions()) + " features, not " +
                        std::to_string(features.size()));
}

void BindVectors(py::module_& module) {
  py::class_<VectorScore>(module, "VectorScore", "What VectorScorer says about a vector.")
      .def_readonly("bits", &VectorScore::bits)
      .def_readonly("is_warm", &VectorScore::is_warm)
      .def_readonly("is_learnt", &VectorScore::is_learnt);
  py::class_<Vectors>(
      module, "VectorScorer",
      "How unusual is a vector of features. Keywords are the fields of nta::VectorScorerOptions, "
      "and `models`: objects with score(vector) and, if they learn, learn(vector, weight) and "
      "begin(vectors).")
      .def(py::init(&CreateVectors))
      .def(
          "add",
          [](Vectors& self, const std::vector<double>& features, std::uint64_t source,
             py::handle time, std::uint64_t target) {
            CheckSize(self, features);
            const Timestamp at = time.is_none() ? Timestamp{} : ToTimestamp(time);
            return self.Do([&](VectorScorer& s) { return s.Add(features, source, at, target); });
          },
          py::arg("features"), py::arg("source") = 0, py::arg("time") = py::none(),
          py::arg("target") = 0,
          "Scores the vector, then learns it as far as the guards let it: `source` (whose it is) "
          "and `target` (what it is about) are numbers of yours, 0 for none.")
      .def(
          "score",
          [](Vectors& self, const std::vector<double>& features) {
            CheckSize(self, features);
            return self.Do([&](VectorScorer& s) { return s.Score(features); });
          },
          py::arg("features"), "Scores without learning.")
      .def(
          "explain",
          [](Vectors& self, const std::vector<double>& features) {
            CheckSize(self, features);
            std::vector<std::pair<std::size_t, double>> top;
            for (const auto& [index, share] :
                 self.Do([&](VectorScorer& s) { return s.Explain(features); })) {
              top.emplace_back(index, share);
            }
            return top;
          },
          py::arg("features"), "(index, share of the blame) of the features to blame.")
      .def(
          "reject", [](Vectors& self, std::uint64_t source) { self.scorer.Reject(source); },
          py::arg("source"))
      .def(
          "freeze", [](Vectors& self, bool frozen) { self.scorer.Freeze(frozen); },
          py::arg("frozen") = true)
      .def_property_readonly("quarantined",
                             [](const Vectors& self) { return self.scorer.quarantined(); })
      .def_property_readonly("memory_bytes",
                             [](const Vectors& self) { return self.scorer.memory_bytes(); })
      .def("save", [](const Vectors& self) { return Bytes(self.scorer.Save()); })
      .def(
          "load", [](Vectors& self, const py::bytes& state) { LoadState(self.scorer, state); },
          py::arg("state"));
}

}  // namespace

void BindScorers(py::module_& module) {
  BindSeries(module);
  BindEdges(module);
  BindVectors(module);
  module.def(
      "dns_tunnel_score", [](const std::string& name) { return DnsTunnelScore(name); },
      py::arg("name"), "How much a queried name looks like encoded data: 0 to 1.");
  module.def(
      "beacon_score",
      [](const std::vector<float>& intervals, const std::vector<float>& sizes) {
        const BeaconScore score = ScoreBeacon(intervals, sizes);
        py::dict result;
        result["score"] = score.score;
        result["intervals"] = score.intervals;
        result["sizes"] = score.sizes;
        result["bits"] = score.bits;
        result["period_seconds"] = score.period_seconds;
        result["jitter"] = score.jitter;
        return result;
      },
      py::arg("intervals"), py::arg("sizes") = std::vector<float>{},
      "How regular a series of connections is; intervals in seconds.");
}

}  // namespace nta::python

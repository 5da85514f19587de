// The scorers of series, contacts, vectors and names, and the detectors made of them.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "errors.h"
#include "gil.h"
#include "guarded_detector.h"
#include "nta/detect/baseline_detector.h"
#include "nta/detect/beacon_detector.h"
#include "nta/detect/beacon_score.h"
#include "nta/detect/dns_tunnel_detector.h"
#include "nta/detect/edge_scorer.h"
#include "nta/detect/exfiltration_detector.h"
#include "nta/detect/flow_anomaly_detector.h"
#include "nta/detect/name_score.h"
#include "nta/detect/rare_peer_detector.h"
#include "nta/detect/series_scorer.h"
#include "nta/detect/vector_scorer.h"

namespace nta::python {
namespace {

// Keyword arguments as fields of an options struct; what is left over is an error.
class Keywords {
 public:
  Keywords(std::string owner, const py::kwargs& keywords)
      : owner_(std::move(owner)), left_(keywords.attr("copy")()) {}

  template <typename T>
  Keywords& Take(const char* name, T& option) {
    if (!left_.contains(name)) return *this;
    const py::object value = left_.attr("pop")(name);
    try {
      if constexpr (std::is_same_v<T, Duration>) {
        option = ToDuration(value.cast<double>(), name);
      } else {
        option = value.cast<T>();
      }
    } catch (const py::cast_error&) {
      throw py::type_error(std::string(name) + " cannot be " + std::string(py::repr(value)));
    }
    return *this;
  }
  void End() const {
    for (const auto& [name, value] : left_) {
      throw py::type_error(owner_ + "() has no option '" + std::string(py::str(name)) + "'");
    }
  }

 private:
  std::string owner_;
  py::dict left_;
};

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

std::vector<std::unique_ptr<VectorModel>> TakeModels(const py::kwargs& keywords,
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
             py::handle time) {
            CheckSize(self, features);
            const Timestamp at = time.is_none() ? Timestamp{} : ToTimestamp(time);
            return self.Do([&](VectorScorer& s) { return s.Add(features, source, at); });
          },
          py::arg("features"), py::arg("source") = 0, py::arg("time") = py::none(),
          "Scores the vector, then learns it as far as the guards let it.")
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

template <typename D>
class Guarded final : public GuardedDetector {
 public:
  template <typename... Arguments>
  explicit Guarded(Arguments&&... arguments)
      : GuardedDetector(std::make_unique<D>(std::forward<Arguments>(arguments)...)) {}
};

template <typename D, typename Options, typename Fields>
void BindDetector(py::module_& module, const char* name, const char* about, const Fields& fields) {
  py::class_<Guarded<D>, GuardedDetector>(module, name, about)
      .def(py::init([name, fields](const py::kwargs& keywords) {
        Options options;
        Keywords taken(name, keywords);
        fields(taken, options);
        taken.End();
        return std::make_unique<Guarded<D>>(options);
      }));
}

void BindFlowAnomaly(py::module_& module) {
  using D = Guarded<FlowAnomalyDetector>;
  py::class_<D, GuardedDetector>(module, "FlowAnomalyDetector",
                                 "Hosts whose flows look like none before. Keywords are the fields "
                                 "of nta::FlowAnomalyOptions, "
                                 "and `models`: models of your own, as in VectorScorer.")
      .def(py::init([](const py::kwargs& keywords) {
        std::vector<PythonModel*> models;
        auto own = TakeModels(keywords, models);
        for (PythonModel* model : models) model->is_in_detector_ = true;
        FlowAnomalyOptions options;
        Keywords("FlowAnomalyDetector", keywords)
            .Take("loda", options.loda)
            .Take("half_space_trees", options.half_space_trees)
            .Take("autoencoders", options.autoencoders)
            .Take("warm_up_flows", options.warm_up_flows)
            .Take("warm_up", options.warm_up)
            .Take("window", options.window)
            .Take("min_flows", options.min_flows)
            .Take("unusual_bits", options.unusual_bits)
            .Take("max_sources", options.max_sources)
            .Take("alerts_per_day", options.budget.alerts_per_day)
            .Take("min_bits", options.budget.min_bits)
            .End();
        return std::make_unique<D>(options, std::move(own));
      }));
  module.def("flow_feature_names", &FlowFeatureNames,
             "What the models of FlowAnomalyDetector see of a flow, in their order.");
}

void BindStatisticalDetectors(py::module_& module) {
  BindDetector<BeaconDetector, BeaconOptions>(
      module, "BeaconDetector", "Programs that call home. Keywords: fields of nta::BeaconOptions.",
      [](Keywords& take, BeaconOptions& o) {
        take.Take("min_calls", o.min_calls)
            .Take("min_pause", o.min_pause)
            .Take("max_pause", o.max_pause)
            .Take("min_span", o.min_span)
            .Take("min_score", o.min_score)
            .Take("min_bits", o.min_bits)
            .Take("max_prevalence", o.max_prevalence)
            .Take("allowed_ports", o.allowed_ports)
            .Take("allowed_domains", o.allowed_domains)
            .Take("max_pairs", o.max_pairs);
      });
  BindDetector<DnsTunnelDetector, DnsTunnelOptions>(
      module, "DnsTunnelDetector", "Data in DNS names. Keywords: fields of nta::DnsTunnelOptions.",
      [](Keywords& take, DnsTunnelOptions& o) {
        take.Take("min_names", o.min_names)
            .Take("min_bytes", o.min_bytes)
            .Take("min_score", o.min_score)
            .Take("window", o.window)
            .Take("quiet_close", o.quiet_close)
            .Take("allowed_domains", o.allowed_domains)
            .Take("max_pairs", o.max_pairs);
      });
  BindDetector<ExfiltrationDetector, ExfiltrationOptions>(
      module, "ExfiltrationDetector",
      "Unusual uploads. Keywords: fields of nta::ExfiltrationOptions.",
      [](Keywords& take, ExfiltrationOptions& o) {
        take.Take("min_bytes", o.min_bytes)
            .Take("min_ratio", o.min_ratio)
            .Take("min_growth", o.min_growth)
            .Take("newcomer", o.newcomer)
            .Take("max_pairs", o.max_pairs)
            .Take("alerts_per_day", o.budget.alerts_per_day);
      });
  BindDetector<RarePeerDetector, RarePeerOptions>(
      module, "RarePeerDetector",
      "First contacts of hosts that hardly make any. Keywords: fields of nta::RarePeerOptions.",
      [](Keywords& take, RarePeerOptions& o) {
        take.Take("warm_up", o.warm_up)
            .Take("min_contacts", o.min_contacts)
            .Take("memory", o.memory)
            .Take("max_contacts", o.max_contacts)
            .Take("max_sources", o.max_sources)
            .Take("alerts_per_day", o.budget.alerts_per_day);
      });
  BindDetector<BaselineDetector, BaselineOptions>(
      module, "BaselineDetector",
      "Traffic that is not what it usually is at this time. Keywords: fields of "
      "nta::BaselineOptions.",
      [](Keywords& take, BaselineOptions& o) {
        take.Take("interface_bin", o.interface_bin)
            .Take("host_bin", o.host_bin)
            .Take("max_delay", o.max_delay)
            .Take("warm_up", o.warm_up)
            .Take("regime_change", o.regime_change)
            .Take("max_interfaces", o.max_interfaces)
            .Take("max_hosts", o.max_hosts)
            .Take("max_services", o.max_services)
            .Take("alerts_per_day", o.budget.alerts_per_day)
            .Take("min_bits", o.budget.min_bits);
      });
  BindFlowAnomaly(module);
}

}  // namespace

void BindScorers(py::module_& module) {
  BindSeries(module);
  BindEdges(module);
  BindVectors(module);
  BindStatisticalDetectors(module);
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

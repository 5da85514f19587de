// Incidents of a store: store.incidents.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bind_operations.h"
#include "clock.h"
#include "convert.h"
#include "gil.h"
#include "nta/store/incidents.h"
#include "store_handle.h"

namespace nta::python {
namespace {

py::object ToDict(const Incident& incident) {
  return py::module_::import("json").attr("loads")(ToStr(ToJson(incident)));
}

IncidentActor ToActor(const std::string& author, py::handle time) {
  return {.author = author, .time = time.is_none() ? SystemNow() : ToTimestamp(time)};
}

std::string ToBytes(py::handle data) {
  const BytesView view(data);
  return {reinterpret_cast<const char*>(view.bytes().data()), view.bytes().size()};
}

// The incidents of a store that may be closed meanwhile.
class IncidentsHandle {
 public:
  explicit IncidentsHandle(std::shared_ptr<StoreHandle> store) : store_(std::move(store)) {}

  // Calls f(incidents) without the lock and gives what it answers, or raises.
  template <typename F>
  auto Ask(const F& f) const {
    return ValueOrRaise(store_->With([&](Store& store) {
      Incidents incidents(store);
      return f(incidents);
    }));
  }

 private:
  std::shared_ptr<StoreHandle> store_;
};

py::object Create(const IncidentsHandle& self, const std::string& title, const std::string& author,
                  const std::string& description, const std::string& severity,
                  const std::string& assignee, py::handle time) {
  const IncidentDraft draft{.title = title,
                            .description = description,
                            .severity = ValueOrRaise(ParseSeverity(severity)),
                            .assignee = assignee};
  const IncidentActor actor = ToActor(author, time);
  return ToDict(self.Ask([&](Incidents& incidents) { return incidents.Create(draft, actor); }));
}

py::list List(const IncidentsHandle& self, const std::vector<std::string>& states,
              const std::optional<std::string>& min_severity,
              const std::optional<std::string>& assignee, const std::string& text,
              std::size_t limit) {
  IncidentQuery query{.assignee = assignee, .text = text};
  for (const std::string& state : states) {
    query.states.push_back(ValueOrRaise(ParseIncidentState(state)));
  }
  if (min_severity) query.min_severity = ValueOrRaise(ParseSeverity(*min_severity));
  py::list list;
  while (list.size() < limit) {
    query.limit = std::min<std::size_t>(1000, limit - list.size());
    const IncidentPage page = self.Ask([&](Incidents& incidents) { return incidents.List(query); });
    for (const Incident& incident : page.incidents) list.append(ToDict(incident));
    query.cursor = page.next_cursor;
    if (query.cursor.empty()) break;
  }
  return list;
}

py::object Change(const IncidentsHandle& self, const std::string& id, std::int64_t version,
                  const std::string& author, const std::optional<std::string>& title,
                  const std::optional<std::string>& description,
                  const std::optional<std::string>& severity,
                  const std::optional<std::string>& state,
                  const std::optional<std::string>& assignee,
                  const std::optional<std::string>& comment, py::handle time) {
  IncidentChange change{
      .title = title, .description = description, .assignee = assignee, .comment = comment};
  if (severity) change.severity = ValueOrRaise(ParseSeverity(*severity));
  if (state) change.state = ValueOrRaise(ParseIncidentState(*state));
  const IncidentActor actor = ToActor(author, time);
  return ToDict(
      self.Ask([&](Incidents& incidents) { return incidents.Change(id, version, change, actor); }));
}

py::object Comment(const IncidentsHandle& self, const std::string& id, const std::string& text,
                   const std::string& author, py::handle time) {
  const IncidentActor actor = ToActor(author, time);
  return ToDict(self.Ask([&](Incidents& incidents) { return incidents.Comment(id, text, actor); }));
}

py::object Link(const IncidentsHandle& self, const std::string& id, const std::string& kind,
                const std::string& target, const std::string& author, const std::string& note,
                py::handle since, py::handle until, py::handle time) {
  IncidentLink link{
      .kind = ValueOrRaise(ParseIncidentLinkKind(kind)), .target = target, .note = note};
  if (!since.is_none()) link.since = ToTimestamp(since);
  if (!until.is_none()) link.until = ToTimestamp(until);
  const IncidentActor actor = ToActor(author, time);
  return ToDict(self.Ask([&](Incidents& incidents) { return incidents.Link(id, link, actor); }));
}

py::object AddEvidence(const IncidentsHandle& self, const std::string& id, const std::string& name,
                       py::handle data, const std::string& author, const std::string& media_type,
                       const std::string& description, py::handle time) {
  const EvidenceDraft draft{.name = name, .media_type = media_type, .description = description};
  const std::string bytes = ToBytes(data);
  const IncidentActor actor = ToActor(author, time);
  return ToDict(self.Ask(
      [&](Incidents& incidents) { return incidents.AddEvidence(id, draft, bytes, actor); }));
}

void Export(const IncidentsHandle& self, const std::string& id, py::handle path,
            const std::string& author, py::handle time) {
  const std::string file = ToPath(path);
  const IncidentActor actor = ToActor(author, time);
  self.Ask([&](Incidents& incidents) -> absl::StatusOr<bool> {
    // Looked up first, so that a wrong number leaves no file behind.
    if (const absl::Status found = incidents.Get(id).status(); !found.ok()) return found;
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    const absl::Status exported =
        incidents.Export(id, actor, [&](std::string_view bytes) -> absl::Status {
          out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
          if (out) return absl::OkStatus();
          return absl::UnavailableError("cannot write " + file);
        });
    if (!exported.ok()) return exported;
    out.close();
    if (out) return true;
    return absl::UnavailableError("cannot write " + file);
  });
}

}  // namespace

void BindIncidents(py::module_& module) {
  const auto author = py::arg("author");
  const auto time = py::arg("time") = py::none();
  const auto none = [](const char* name) { return py::arg(name) = py::none(); };
  py::class_<IncidentsHandle> incidents(
      module, "Incidents",
      "The incidents of a store. Each method that changes one answers it as a dict.");
  incidents
      .def("create", &Create, py::arg("title"), py::kw_only(), author, py::arg("description") = "",
           py::arg("severity") = "medium", py::arg("assignee") = "", time)
      .def("get",
           [](const IncidentsHandle& self, const std::string& id) {
             return ToDict(self.Ask([&](Incidents& all) { return all.Get(id); }));
           })
      .def("list", &List, py::kw_only(), py::arg("states") = std::vector<std::string>(),
           none("min_severity"), none("assignee"), py::arg("text") = "", py::arg("limit") = 100,
           "Newest first.")
      .def("change", &Change, py::arg("id"), py::arg("version"), py::kw_only(), author,
           none("title"), none("description"), none("severity"), none("state"), none("assignee"),
           none("comment"), time, "Aborted when somebody was quicker than `version`.")
      .def("comment", &Comment, py::arg("id"), py::arg("text"), py::kw_only(), author, time)
      .def("link", &Link, py::arg("id"), py::arg("kind"), py::arg("target"), py::kw_only(), author,
           py::arg("note") = "", none("since"), none("until"), time)
      .def("add_evidence", &AddEvidence, py::arg("id"), py::arg("name"), py::arg("data"),
           py::kw_only(), author, py::arg("media_type") = "application/octet-stream",
           py::arg("description") = "", time)
      .def("evidence",
           [](const IncidentsHandle& self, const std::string& id, std::int64_t number) {
             return py::bytes(self.Ask([&](Incidents& all) { return all.Evidence(id, number); }));
           })
      .def("remove",
           [](const IncidentsHandle& self, const std::string& id) {
             self.Ask([&](Incidents& all) -> absl::StatusOr<bool> {
               if (const absl::Status removed = all.Remove(id); !removed.ok()) return removed;
               return true;
             });
           })
      .def("export", &Export, py::arg("id"), py::arg("path"), py::kw_only(), author, time,
           "One tar file with SHA256SUMS.");
  py::object store = module.attr("Store");
  store.attr("incidents") = py::reinterpret_borrow<py::object>(
      py::module_::import("builtins")
          .attr("property")(py::cpp_function(
              [](const std::shared_ptr<StoreHandle>& self) { return IncidentsHandle(self); })));
}

}  // namespace nta::python

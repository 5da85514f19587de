// AuditLog, verify_audit and read_audit: the audit trail.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "gil.h"
#include "nta/audit/audit_log.h"
#include "nta/audit/audit_reader.h"
#include "nta/audit/audit_verify.h"
#include "nta/json/log_json.h"

namespace nta::python {
namespace {

using Details = std::map<std::string, std::string>;

// A trail that may be closed.
class AuditHandle {
 public:
  explicit AuditHandle(std::unique_ptr<AuditLog> log) : log_(std::move(log)) {}

  template <typename F>
  auto With(const F& f) const {
    const std::shared_ptr<AuditLog> log = log_;
    if (log == nullptr) RaiseIfError(absl::FailedPreconditionError("the audit trail is closed"));
    return WithoutGil([&] { return f(*log); });
  }
  void Close() { log_.reset(); }

 private:
  std::shared_ptr<AuditLog> log_;  // shared with the calls that are under way
};

Timestamp Now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

Timestamp TimeOrNow(py::handle time) { return time.is_none() ? Now() : ToTimestamp(time); }

std::unique_ptr<AuditHandle> Open(py::handle directory, py::handle verification_key,
                                  std::uint64_t max_segment_bytes, bool start_new_chain) {
  AuditLogOptions options{.directory = ToPath(directory), .max_segment_bytes = max_segment_bytes};
  if (!verification_key.is_none()) options.verification_key_path = ToPath(verification_key);
  if (start_new_chain) options.lost_key = LostAuditKey::kStartNewChain;
  return std::make_unique<AuditHandle>(
      ValueOrRaise(WithoutGil([&] { return AuditLog::Open(options, Now()); })));
}

std::uint64_t Append(AuditHandle& self, const std::string& act, const std::string& actor,
                     const std::string& role, const std::string& address, const std::string& target,
                     const std::string& outcome, std::uint64_t about, const Details& details,
                     py::handle time) {
  const AuditEvent event{.time = TimeOrNow(time),
                         .actor = actor,
                         .role = role,
                         .address = address,
                         .act = act,
                         .target = target,
                         .outcome = ValueOrRaise(ParseAuditOutcome(outcome)),
                         .about = about,
                         .details = {details.begin(), details.end()}};
  return ValueOrRaise(self.With([&](AuditLog& log) { return log.Append(event); }));
}

py::dict State(AuditHandle& self) {
  const AuditLogState state = self.With([](AuditLog& log) { return log.State(); });
  py::dict dict;
  dict["chain"] = ToStr(state.chain);
  dict["count"] = state.count;
  dict["segment"] = state.segment;
  dict["segment_bytes"] = state.segment_bytes;
  dict["damage"] = ToStr(state.damage);
  return dict;
}

py::dict ToDict(const AuditRecord& record) {
  const AuditEvent& event = record.event;
  py::dict details;
  for (const auto& [name, value] : event.details) details[ToStr(name)] = ToStr(value);
  py::dict dict;
  dict["sequence"] = record.sequence;
  dict["time"] = ToNanoseconds(event.time);
  dict["actor"] = ToStr(event.actor);
  dict["role"] = ToStr(event.role);
  dict["address"] = ToStr(event.address);
  dict["act"] = ToStr(event.act);
  dict["target"] = ToStr(event.target);
  dict["outcome"] = ToStr(ToString(event.outcome));
  dict["about"] = event.about == 0 ? py::object(py::none()) : py::int_(event.about);
  dict["details"] = details;
  return dict;
}

py::list Read(py::handle directory, py::handle since, py::handle until, const std::string& actor,
              const std::string& act, const std::optional<std::string>& outcome,
              const std::string& text, std::optional<std::size_t> limit) {
  AuditQuery query{.actor = actor, .act = act, .text = text};
  if (!since.is_none()) query.since = ToTimestamp(since);
  if (!until.is_none()) query.until = ToTimestamp(until);
  if (outcome) query.outcome = ValueOrRaise(ParseAuditOutcome(*outcome));
  const std::string path = ToPath(directory);
  std::size_t left = limit.value_or(std::numeric_limits<std::size_t>::max());
  py::list records;
  while (left > 0) {
    query.limit = std::min<std::size_t>(left, 10'000);
    const AuditPage page = ValueOrRaise(WithoutGil([&] { return ReadAudit(path, query); }));
    for (const AuditRecord& record : page.records) records.append(ToDict(record));
    left -= page.records.size();
    if (page.next_cursor.empty()) break;
    query.cursor = page.next_cursor;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }
  return records;
}

AuditReport Verify(py::handle directory, py::handle verification_key,
                   const std::vector<std::string>& checkpoints) {
  AuditVerifyOptions options;
  if (!verification_key.is_none()) options.verification_key_path = ToPath(verification_key);
  for (const std::string& line : checkpoints) {
    options.checkpoints.push_back(ValueOrRaise(ParseAuditCheckpoint(line)));
  }
  const std::string path = ToPath(directory);
  return ValueOrRaise(WithoutGil([&] { return VerifyAudit(path, options); }));
}

py::list Faults(const AuditReport& report) {
  py::list faults;
  for (const AuditFault& fault : report.faults) {
    py::dict dict;
    dict["file"] = ToText(fault.file);
    dict["offset"] = fault.offset;
    dict["sequence"] = fault.sequence;
    dict["reason"] = ToText(fault.reason);
    faults.append(dict);
  }
  return faults;
}

void BindReport(py::module_& module) {
  py::class_<AuditReport>(module, "AuditReport", "What verify_audit() found.")
      .def_property_readonly("ok", &AuditReport::ok)
      .def_property_readonly("integrity",
                             [](const AuditReport& r) { return ToStr(ToString(r.integrity)); })
      .def_property_readonly("authenticity",
                             [](const AuditReport& r) { return ToStr(ToString(r.authenticity)); })
      .def_property_readonly("completeness",
                             [](const AuditReport& r) { return ToStr(ToString(r.completeness)); })
      .def_readonly("chain", &AuditReport::chain)
      .def_readonly("files", &AuditReport::files)
      .def_readonly("records", &AuditReport::records)
      .def_readonly("bytes", &AuditReport::bytes)
      .def_readonly("first_sequence", &AuditReport::first_sequence)
      .def_readonly("last_sequence", &AuditReport::last_sequence)
      .def_readonly("checkpoint_count", &AuditReport::checkpoint_count)
      .def_property_readonly("faults", &Faults)
      .def_property_readonly("summary", [](const AuditReport& r) { return ToText(r.summary); })
      .def("to_json", [](const AuditReport& r) { return ToText(ToJson(r)); })
      .def("__repr__",
           [](const AuditReport& r) { return ToText("<AuditReport: " + r.summary + '>'); });
}

}  // namespace

void BindAudit(py::module_& module) {
  BindReport(module);
  py::class_<AuditHandle>(module, "AuditLog",
                          "An append-only trail in which changes show. Thread-safe; one writer.")
      .def_static("open", &Open, py::arg("directory"), py::kw_only(),
                  py::arg("verification_key") = py::none(),
                  py::arg("max_segment_bytes") = std::uint64_t{16} << 20,
                  py::arg("start_new_chain") = false)
      .def("append", &Append, py::arg("act"), py::kw_only(), py::arg("actor") = "",
           py::arg("role") = "", py::arg("address") = "", py::arg("target") = "",
           py::arg("outcome") = "done", py::arg("about") = 0, py::arg("details") = Details(),
           py::arg("time") = py::none(),
           "The sequence of the record, which is on the disk when it returns.")
      .def(
          "rotate",
          [](AuditHandle& self) {
            RaiseIfError(self.With([](AuditLog& log) { return log.Rotate(Now()); }));
          },
          "Begins the next file.")
      .def(
          "checkpoint",
          [](AuditHandle& self) {
            return ToText(ToString(self.With([](AuditLog& log) { return log.Checkpoint(Now()); })));
          },
          "A line to be kept elsewhere, against which truncation shows.")
      .def("state", &State)
      .def("close", &AuditHandle::Close)
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](AuditHandle& self, const py::args&) { self.Close(); });
  const auto none = py::none();
  module.def("read_audit", &Read, py::arg("directory"), py::kw_only(), py::arg("since") = none,
             py::arg("until") = none, py::arg("actor") = "", py::arg("act") = "",
             py::arg("outcome") = none, py::arg("text") = "", py::arg("limit") = 1000,
             "Records, newest first. Reading does not verify.");
  module.def("verify_audit", &Verify, py::arg("directory"), py::kw_only(),
             py::arg("verification_key") = none,
             py::arg("checkpoints") = std::vector<std::string>(),
             "Whether a trail is as it was written, and whole.");
  module.def(
      "read_audit_checkpoints",
      [](py::handle path) {
        const std::string file = ToPath(path);
        std::vector<std::string> lines;
        for (const AuditCheckpoint& checkpoint :
             ValueOrRaise(WithoutGil([&] { return ReadAuditCheckpoints(file); }))) {
          lines.push_back(ToString(checkpoint));
        }
        return lines;
      },
      py::arg("path"), "The checkpoints in a text file.");
}

}  // namespace nta::python

// BackupRepository: backups of a store.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "bind.h"
#include "callbacks.h"
#include "convert.h"
#include "gil.h"
#include "nta/backup/backup_repository.h"
#include "nta/backup/postgres_target.h"
#include "nta/backup/sqlite_target.h"
#include "nta/store/store.h"

namespace nta::python {
namespace {

using Extras = std::map<std::string, std::string>;

// A store by its path, or by the URL of its database in PostgreSQL.
std::unique_ptr<BackupTarget> StoreTarget(const BackupRepository& repository, py::handle store,
                                          bool replace_foreign = false) {
  const StoreFormat format = Store::Format();
  const auto check = [](const std::string& staged) {
    return Store::Open({.path = staged, .reserve_bytes = 0}).status();
  };
  const std::string path = ToPath(store);
  if (path.find("://") == std::string::npos) {
    return std::make_unique<SqliteTarget>(
        SqliteTargetOptions{.path = path,
                            .application_id = format.application_id,
                            .max_schema_version = format.schema_version,
                            .check = check,
                            .replace_foreign = replace_foreign});
  }
  return std::make_unique<PostgresTarget>(ValueOrRaise(PostgresTarget::Create(
      {.url = path,
       .schema = "nta",
       .version_query = "SELECT value FROM nta.meta WHERE name = 'schema_version'",
       .application_id = format.application_id,
       // `check` refuses newer ones.
       .max_schema_version = std::numeric_limits<std::int64_t>::max(),
       .replace_foreign = replace_foreign,
       .staging_directory = repository.directory(),
       .check = check})));
}

BackupTime Now() {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

// Tells a Python callable how far the work is; an exception of its, or Ctrl-C, ends the work.
class Watched {
 public:
  explicit Watched(py::object callback) : callback_(std::move(callback)) {}

  // Calls work(control) without the lock.
  template <typename Work>
  auto Run(const Work& work) {
    const BackupControl control{
        .stop = stop_.get_token(),
        .progress = [this](const BackupProgress& progress) { Tell(progress); }};
    auto result = WithoutGil([&] { return work(control); });
    error_.Rethrow();
    return ValueOrRaise(std::move(result));
  }

 private:
  void Tell(const BackupProgress& progress) {
    if (error_.raised()) return;
    const bool ok = CallPython(error_, [&] {
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
      if (callback_.is_none()) return;
      const double part = progress.total_bytes == 0 ? 0
                                                    : static_cast<double>(progress.done_bytes) /
                                                          static_cast<double>(progress.total_bytes);
      Call(callback_, py::str(std::string(ToString(progress.phase))), py::float_(part));
    });
    if (!ok) stop_.request_stop();
  }

  py::object callback_;
  PendingError error_;
  std::stop_source stop_;
};

BackupCompression ToCompression(const std::string& name) {
  if (name == "zstd") return BackupCompression::kZstd;
  if (name == "none") return BackupCompression::kNone;
  RaiseInvalidArgument("unknown compression \"" + name + "\" (zstd or none)");
}

Extras ToExtras(const BackupContents& contents) {
  Extras extras;
  for (const BackupExtra& extra : contents.extras) extras[extra.name] = extra.content;
  return extras;
}

py::dict ExtrasAsBytes(const BackupContents& contents) {
  py::dict extras;
  for (const auto& [name, content] : ToExtras(contents)) extras[py::str(name)] = py::bytes(content);
  return extras;
}

BackupRepository Open(py::handle directory) {
  const std::string path = ToPath(directory);
  return ValueOrRaise(BackupRepository::Open(path));
}

BackupInfo Create(const BackupRepository& repository, py::handle store,
                  const std::optional<std::string>& passphrase, const std::string& compression,
                  const std::map<std::string, py::bytes>& extras, py::object progress) {
  CreateBackupOptions options{.time = Now(), .compression = ToCompression(compression)};
  options.passphrase = passphrase.value_or("");
  for (const auto& [name, content] : extras) options.extras.push_back({name, std::string(content)});
  const auto target = StoreTarget(repository, store);
  return Watched(std::move(progress)).Run([&](const BackupControl& control) {
    return repository.Create(*target, options, control);
  });
}

ReadBackupOptions ReadOptions(const std::optional<std::string>& passphrase) {
  return {.time = Now(), .passphrase = passphrase.value_or("")};
}

BackupInfo Verify(const BackupRepository& repository, const std::string& name,
                  const std::optional<std::string>& passphrase, py::object progress,
                  py::object store) {
  // Only what is in the backup counts, not any live store; but a database server is needed where
  // one made it.
  const auto target = StoreTarget(repository, store.is_none() ? py::str("unused") : store);
  const ReadBackupOptions options = ReadOptions(passphrase);
  Watched(std::move(progress)).Run([&](const BackupControl& control) {
    return repository.Verify(name, *target, options, control);
  });
  return ValueOrRaise(repository.Get(name));
}

py::dict Restore(const BackupRepository& repository, const std::string& name, py::handle store,
                 const std::optional<std::string>& passphrase, bool replace_foreign,
                 py::object progress) {
  const auto target = StoreTarget(repository, store, replace_foreign);
  const ReadBackupOptions options = ReadOptions(passphrase);
  const RestoreResult result = Watched(std::move(progress)).Run([&](const BackupControl& control) {
    return repository.Restore(name, *target, options, control);
  });
  py::dict answer;
  answer["backup"] = result.backup;
  answer["rows"] = result.contents.summary.rows;
  answer["extras"] = ExtrasAsBytes(result.contents);
  answer["previous"] =
      result.previous.empty() ? py::object(py::none()) : py::object(py::str(result.previous));
  return answer;
}

py::tuple Prune(const BackupRepository& repository, std::size_t last, std::size_t daily,
                std::size_t weekly, std::size_t monthly, std::optional<std::uint64_t> max_bytes,
                bool dry_run) {
  const PrunePolicy policy{
      .last = last, .daily = daily, .weekly = weekly, .monthly = monthly, .max_bytes = max_bytes};
  const PruneResult result = ValueOrRaise(WithoutGil(
      [&] { return dry_run ? repository.PlanPrune(policy) : repository.Prune(policy); }));
  return py::make_tuple(result.removed, result.kept);
}

std::string Describe(const BackupInfo& info) {
  return "<nta.Backup " + info.name + (info.verified ? ", verified>" : ">");
}

void BindInfo(py::module_& module) {
  py::class_<BackupInfo>(module, "Backup", "What is known of a backup without restoring it.")
      .def_readonly("name", &BackupInfo::name)
      .def_property_readonly("time", [](const BackupInfo& info) { return ToDatetime(info.time); })
      .def_readonly("stored_bytes", &BackupInfo::stored_bytes)
      .def_readonly("content_bytes", &BackupInfo::content_bytes)
      .def_readonly("tool", &BackupInfo::tool)
      .def_readonly("schema_version", &BackupInfo::schema_version)
      .def_property_readonly(
          "compression",
          [](const BackupInfo& info) { return std::string(ToString(info.compression)); })
      .def_readonly("encrypted", &BackupInfo::is_encrypted)
      .def_property_readonly("verified",
                             [](const BackupInfo& info) -> py::object {
                               if (!info.verified) return py::none();
                               return ToDatetime(*info.verified);
                             })
      .def_readonly("problem", &BackupInfo::problem)
      .def("__repr__", &Describe);
}

}  // namespace

void BindBackup(py::module_& module) {
  BindInfo(module);
  py::class_<BackupRepository>(module, "BackupRepository",
                               "A directory of backups of a store, each one file.")
      .def_static("open", &Open, py::arg("directory"))
      .def_property_readonly("directory", &BackupRepository::directory)
      .def("create", &Create, py::arg("store"), py::kw_only(), py::arg("passphrase") = py::none(),
           py::arg("compression") = "zstd", py::arg("extras") = std::map<std::string, py::bytes>(),
           py::arg("progress") = py::none(),
           "Backs the store at this path up, while others write to it.")
      .def("list",
           [](const BackupRepository& repository) {
             return ValueOrRaise(WithoutGil([&] { return repository.List(); }));
           })
      .def(
          "get",
          [](const BackupRepository& repository, const std::string& name) {
            return ValueOrRaise(repository.Get(name));
          },
          py::arg("name"))
      .def("verify", &Verify, py::arg("name"), py::kw_only(), py::arg("passphrase") = py::none(),
           py::arg("progress") = py::none(), py::arg("store") = py::none(),
           "Restores it into a scratch place and compares it with its manifest. One of a store in\n"
           "PostgreSQL needs the URL of a database of its server.")
      .def("restore", &Restore, py::arg("name"), py::arg("store"), py::kw_only(),
           py::arg("passphrase") = py::none(), py::arg("replace_foreign") = false,
           py::arg("progress") = py::none(),
           "Lets it take the place of the store at this path, which nobody may have open. A file\n"
           "that is no store is refused; replace_foreign is for a store that is damaged at its\n"
           "very beginning, and can no longer be told from one.")
      .def(
          "import_file",
          [](const BackupRepository& repository, py::handle path) {
            const std::string file = ToPath(path);
            return ValueOrRaise(WithoutGil([&] { return repository.Import(file); }));
          },
          py::arg("path"))
      .def(
          "path_of",
          [](const BackupRepository& repository, const std::string& name) {
            return ValueOrRaise(repository.PathOf(name));
          },
          py::arg("name"))
      .def(
          "remove",
          [](const BackupRepository& repository, const std::string& name) {
            RaiseIfError(repository.Remove(name));
          },
          py::arg("name"))
      .def("prune", &Prune, py::kw_only(), py::arg("last") = 0, py::arg("daily") = 0,
           py::arg("weekly") = 0, py::arg("monthly") = 0, py::arg("max_bytes") = py::none(),
           py::arg("dry_run") = false, "(removed, kept); never removes the only verified one.");
}

}  // namespace nta::python

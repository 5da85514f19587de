#include "json/output_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <ios>
#include <system_error>
#include <utility>

#include "base/status.h"

namespace nta::json {
namespace {

// A link is followed: what it names is written, and it stays a link.
bool IsSpecial(const std::string& name) {
  std::error_code unknown;
  const auto kind = std::filesystem::symlink_status(name, unknown).type();
  return kind != std::filesystem::file_type::regular &&
         kind != std::filesystem::file_type::not_found && kind != std::filesystem::file_type::none;
}

absl::Status CannotWrite(const std::string& name) {
  return base::ErrnoStatus(errno, "cannot write \"" + name + "\"");
}

}  // namespace

OutputFile::OutputFile(std::string name)
    : name_(std::move(name)),
      is_direct_(IsSpecial(name_)),
      written_(is_direct_ ? name_ : name_ + ".part-" + std::to_string(getpid())),
      file_(written_, std::ios::binary | std::ios::trunc) {}

OutputFile::~OutputFile() {
  file_.close();
  if (!is_direct_ && !is_complete_) std::remove(written_.c_str());
}

absl::Status OutputFile::status() const { return file_ ? absl::OkStatus() : CannotWrite(name_); }

absl::Status OutputFile::Write(std::string_view text) {
  file_.write(text.data(), static_cast<std::streamsize>(text.size()));
  return status();
}

absl::Status OutputFile::Complete() {
  file_.close();
  if (!file_) return CannotWrite(name_);
  if (!is_direct_ && std::rename(written_.c_str(), name_.c_str()) != 0) return CannotWrite(name_);
  is_complete_ = true;
  return absl::OkStatus();
}

}  // namespace nta::json

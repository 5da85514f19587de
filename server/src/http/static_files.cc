#include "http/static_files.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/status.h"
#include "text.h"

namespace nta::server {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFiles = 4096;
constexpr std::uintmax_t kMaxTotalBytes = 64 << 20;
constexpr std::string_view kIndex = "/index.html";

constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kContentTypes = {{
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".webp", "image/webp"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
    {".webmanifest", "application/manifest+json"},
    {".wasm", "application/wasm"},
    {".map", "application/json"},
}};

constexpr std::string_view kNotBuilt = R"(<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>nta-server</title></head>
<body>
<h1>nta-server is running</h1>
<p>The dashboard has not been built. With node and npm installed:</p>
<pre>cd server/dashboard
npm ci
npm run build</pre>
<p>Then start the server again, or name another place with <code>--dashboard DIR</code>.</p>
<p>The API is at <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p>
</body>
</html>
)";

std::string_view ContentTypeOf(const fs::path& path) {
  for (const auto& [extension, type] : kContentTypes) {
    if (path.extension() == extension) return type;
  }
  return {};
}

// Build tools put a digest of the content into the names of files in assets/, so a name never
// changes its content.
std::string_view CacheControlOf(std::string_view path) {
  return path.starts_with("/assets/") ? "public, max-age=31536000, immutable" : "no-cache";
}

}  // namespace

void StaticFiles::Add(const std::string& path, std::string_view content_type, std::string content) {
  File file;
  file.content_type = content_type;
  file.cache_control = CacheControlOf(path);
  file.etag = "\"" + Digest(content).substr(0, 22) + "\"";
  file.content = std::make_shared<const std::string>(std::move(content));
  files_.insert_or_assign(path, std::move(file));
}

absl::StatusOr<StaticFiles> StaticFiles::Load(const std::string& directory) {
  StaticFiles files;
  std::uintmax_t total = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    const std::string_view content_type = ContentTypeOf(it->path());
    if (content_type.empty() || !fs::is_regular_file(it->symlink_status(error))) continue;
    total += it->file_size(error);
    if (total > kMaxTotalBytes || files.files_.size() >= kMaxFiles) {
      return base::MakeStatus(
          absl::StatusCode::kResourceExhausted,
          "\"" + directory + "\" holds more than 64 MiB or 4096 files: not a dashboard");
    }
    std::ifstream in(it->path(), std::ios::binary);
    std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const fs::path relative = it->path().lexically_relative(directory);
    files.Add("/" + relative.generic_string(), content_type, std::move(content));
  }
  files.has_dashboard_ = files.files_.contains(kIndex);
  if (!files.has_dashboard_)
    files.Add(std::string(kIndex), "text/html; charset=utf-8", std::string(kNotBuilt));
  return files;
}

Response StaticFiles::Get(std::string_view path, std::string_view if_none_match) const {
  auto found = files_.find(path);
  // A missing file with an extension is missing; anything else is a page of the dashboard.
  const bool is_page = path.substr(path.rfind('/') + 1).find('.') == std::string_view::npos;
  if (found == files_.end() && !is_page) return Problem(404, "there is no such file");
  if (found == files_.end()) found = files_.find(kIndex);
  const File& file = found->second;
  Response response;
  response.headers = {{"ETag", file.etag}, {"Cache-Control", file.cache_control}};
  if (if_none_match == file.etag) {
    response.status = 304;
    response.content_type.clear();
    return response;
  }
  response.content_type = file.content_type;
  response.shared_body = file.content;
  return response;
}

}  // namespace nta::server

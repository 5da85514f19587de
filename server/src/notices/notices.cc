#include "notices/notices.h"

#include <algorithm>

#include "base/status.h"
#include "http/json_text.h"
#include "logging/log.h"
#include "text.h"

namespace nta::server {
namespace {

constexpr std::string_view kDocumentKind = "notice";

bool IsNewer(const Notice& a, const Notice& b) { return a.time > b.time; }

}  // namespace

std::string ToJson(const Notice& notice) {
  return JsonObject()
      .Add("id", notice.id)
      .Add("kind", notice.kind)
      .Add("text", notice.text)
      .Add("time", nta::ToString(notice.time))
      .Take();
}

void Notices::Load() {
  const auto page = store_.Documents({.kind = std::string(kDocumentKind), .limit = kMost});
  std::vector<Notice> notices;
  if (page.ok()) {
    for (const Document& document : page->documents) {
      const auto object = ParseFlatObject(document.body);
      if (!object.ok()) continue;
      const auto text = [&](std::string_view name) {
        const auto found = object->find(name);
        const auto* value =
            found == object->end() ? nullptr : std::get_if<std::string>(&found->second);
        return value == nullptr ? std::string() : *value;
      };
      notices.push_back({.id = document.id,
                         .kind = text("kind"),
                         .text = text("text"),
                         .time = document.updated});
    }
  }
  std::sort(notices.begin(), notices.end(), IsNewer);
  absl::MutexLock lock(&mutex_);
  notices_ = std::move(notices);
}

void Notices::Add(std::string_view kind, std::string_view text, Timestamp now) {
  Log(LogLevel::kWarning, text);
  Notice notice{
      .id = RandomToken(12), .kind = std::string(kind), .text = std::string(text), .time = now};
  const auto saved = store_.PutDocument({.kind = std::string(kDocumentKind),
                                         .id = notice.id,
                                         .body = ToJson(notice),
                                         .updated = now,
                                         .version = 0});
  if (!saved.ok()) {
    Log(LogLevel::kError, "cannot keep a notice: " + std::string(saved.status().message()));
  }
  std::vector<Notice> gone;
  {
    absl::MutexLock lock(&mutex_);
    notices_.insert(notices_.begin(), std::move(notice));
    for (; notices_.size() > kMost; notices_.pop_back()) gone.push_back(notices_.back());
  }
  for (const Notice& old : gone) store_.RemoveDocument(kDocumentKind, old.id).IgnoreError();
}

absl::Status Notices::Dismiss(std::string_view id) {
  {
    absl::MutexLock lock(&mutex_);
    if (std::erase_if(notices_, [&](const Notice& notice) { return notice.id == id; }) == 0) {
      return base::MakeStatus(absl::StatusCode::kNotFound, "there is no such notice");
    }
  }
  const absl::Status removed = store_.RemoveDocument(kDocumentKind, id);
  return absl::IsNotFound(removed) ? absl::OkStatus() : removed;
}

std::vector<Notice> Notices::List() const {
  absl::MutexLock lock(&mutex_);
  return notices_;
}

}  // namespace nta::server

// What has happened to the server itself.
#include "app.h"
#include "http/json_text.h"

namespace nta::server {
namespace {

Response ListNotices(Services& services, const Call&) {
  const auto list = JsonList(services.notices.List(), [](const Notice& n) { return ToJson(n); });
  return Json(JsonObject().AddJson("notices", list).Take());
}

Response DismissNotice(Services& services, const Call& call) {
  const absl::Status status = services.notices.Dismiss(call.Path("id"));
  return status.ok() ? NoContent() : FromStatus(status);
}

}  // namespace

std::vector<Route> NoticeRoutes() {
  Route list = Reading("/api/v1/notices", ListNotices,
                       "What has happened to the server and was not dismissed yet", {},
                       "notices: id, kind, text, time");
  list.work = Work::kInline;
  return {
      list,
      {.method = "DELETE",
       .path = "/api/v1/notices/{id}",
       .access = Access::kAdmin,
       .work = Work::kStore,
       .handler = DismissNotice,
       .summary = "Dismiss a notice for everybody",
       .parameters = {},
       .fields = {},
       .success = 204,
       .audit = "notice.dismiss"},
  };
}

}  // namespace nta::server

// The live stream: a ticket, then the stream it opens.
#include <string>
#include <utility>

#include "app.h"
#include "http/json_text.h"

namespace nta::server {
namespace {

Response PostTicket(Services& services, const Call& call) {
  const std::string ticket = services.tickets.Issue(
      {.username = call.principal.account.username, .session = call.principal.session},
      services.clock.monotonic());
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(TicketBooth::kLifetime).count();
  return Json(R"({"ticket":)" + JsonQuote(ticket) + R"(,"expires_in":)" + std::to_string(seconds) +
              "}");
}

Response GetStream(Services& services, const Call& call) {
  auto owner = services.tickets.Redeem(call.Query("ticket"), services.clock.monotonic());
  if (!owner || !IsAlive(services, *owner))
    return Unauthorized("the ticket is not valid; ask for a new one");
  // HEAD has no body to stream.
  if (call.request->method == "HEAD") return NoContent();
  auto client = services.streams.Open(*std::move(owner), ToJson(services.capture()));
  if (!client.ok()) return Busy("too many live streams are open", std::chrono::seconds(5));
  Response response;
  response.content_type = "text/event-stream";
  response.stream = *std::move(client);
  return response;
}

}  // namespace

std::vector<Route> StreamRoutes() {
  return {
      {.method = "POST",
       .path = "/api/v1/stream/ticket",
       .access = Access::kViewer,
       .work = Work::kInline,
       .handler = PostTicket,
       .summary = "A ticket that opens one live stream, once",
       .parameters = {},
       .fields = {},
       .answer = "ticket, expires_in (seconds)"},
      {.method = "GET",
       .path = "/api/v1/stream",
       .access = Access::kTicket,
       .work = Work::kStore,
       .handler = GetStream,
       .summary = "Samples, talkers, alerts and capture state as they happen (text/event-stream)",
       .parameters = {{"ticket", "from POST /api/v1/stream/ticket", {}}},
       .fields = {},
       .answer = "events: hello, sample, talkers, alert, capture, gap"},
  };
}

}  // namespace nta::server

// Sends one notification as the arguments say, and prints the status: for tests with real servers.
//
// usage: notify_probe email HOST PORT SECURITY CA_FILE USERNAME PASSWORD SUBJECT
//        notify_probe webhook URL SECRET ALLOWED_NETWORK CA_FILE
//        notify_probe syslog HOST PORT TRANSPORT
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "nta/notify/email.h"
#include "nta/notify/syslog.h"
#include "nta/notify/webhook.h"

namespace {

nta::Notification News(std::string subject) {
  nta::Notification news;
  news.id = "port_scan-000001";
  news.time = nta::Timestamp(std::chrono::seconds(1'800'000'000));
  news.severity = nta::Severity::kHigh;
  news.kind = "alert";
  news.alert_class = "port_scan";
  news.subject = std::move(subject);
  news.text = "192.0.2.9 tried 50 ports of 198.51.100.7.\n.\n.hidden line";
  news.facts = {{"source", "192.0.2.9"}, {"note", "<b>\"quoted\"</b> ü"}};
  news.json = R"({"id":"port_scan-000001"})";
  return news;
}

template <typename Channel>
int Send(const Channel& channel, const nta::Notification& news) {
  const absl::Status status =
      channel.ok() ? (*channel)->Send(news, std::chrono::system_clock::now()) : channel.status();
  std::cout << status.ToString() << '\n';
  return status.ok() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() == 8 && args[0] == "email") {
    return Send(nta::EmailChannel::Create({.host = args[1],
                                           .port = static_cast<std::uint16_t>(std::stoi(args[2])),
                                           .security = *nta::ParseEmailSecurity(args[3]),
                                           .username = args[5],
                                           .password = args[6],
                                           .from = "nta@example.org",
                                           .to = {"ops@example.org", "night@example.org"},
                                           .ca_file = args[4],
                                           .timeout = std::chrono::seconds(5)}),
                News(args[7]));
  }
  if (args.size() == 5 && args[0] == "webhook") {
    nta::WebhookOptions options{
        .url = args[1], .secret = args[2], .ca_file = args[4], .timeout = std::chrono::seconds(5)};
    if (!args[3].empty()) options.allowed_networks = {*nta::IpPrefix::Parse(args[3])};
    return Send(nta::WebhookChannel::Create(options), News("high: port scan"));
  }
  if (args.size() == 4 && args[0] == "syslog") {
    return Send(nta::SyslogChannel::Create({.host = args[1],
                                            .port = static_cast<std::uint16_t>(std::stoi(args[2])),
                                            .transport = *nta::ParseSyslogTransport(args[3]),
                                            .host_name = "sensor"}),
                News("high: port scan"));
  }
  std::cerr << "usage: see the source\n";
  return 2;
}

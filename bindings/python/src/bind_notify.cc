// Notifications by mail, webhook and syslog.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "bind.h"
#include "convert.h"
#include "gil.h"
#include "nta/json/json.h"
#include "nta/notify/email.h"
#include "nta/notify/syslog.h"
#include "nta/notify/webhook.h"

namespace nta::python {
namespace {

void Send(NotificationChannel& channel, const Alert& alert) {
  const Notification news = AlertNotification(alert, ToJson(alert));
  RaiseIfError(WithoutGil([&] { return channel.Send(news, std::chrono::system_clock::now()); }));
}

void SendTest(NotificationChannel& channel) {
  const Timestamp now = std::chrono::system_clock::now();
  RaiseIfError(WithoutGil([&] { return channel.Send(TestNotification(now), now); }));
}

std::chrono::seconds Timeout(double seconds) {
  return std::chrono::ceil<std::chrono::seconds>(ToDuration(seconds, "timeout"));
}

std::unique_ptr<EmailChannel> MakeEmail(const std::string& host, std::uint16_t port,
                                        const std::string& security, const std::string& username,
                                        const std::string& password, const std::string& sender,
                                        const std::vector<std::string>& recipients,
                                        const std::string& ca_file, double timeout) {
  return ValueOrRaise(EmailChannel::Create({.host = host,
                                            .port = port,
                                            .security = ValueOrRaise(ParseEmailSecurity(security)),
                                            .username = username,
                                            .password = password,
                                            .from = sender,
                                            .to = recipients,
                                            .ca_file = ca_file,
                                            .timeout = Timeout(timeout)}));
}

std::unique_ptr<WebhookChannel> MakeWebhook(const std::string& url, const std::string& secret,
                                            const std::vector<std::string>& allowed_networks,
                                            const std::string& ca_file, double timeout) {
  WebhookOptions options{
      .url = url, .secret = secret, .ca_file = ca_file, .timeout = Timeout(timeout)};
  for (const std::string& text : allowed_networks) {
    options.allowed_networks.push_back(ValueOrRaise(IpPrefix::Parse(text)));
  }
  return ValueOrRaise(WebhookChannel::Create(std::move(options)));
}

std::unique_ptr<SyslogChannel> MakeSyslog(const std::string& host, std::uint16_t port,
                                          const std::string& transport, int facility,
                                          const std::string& host_name) {
  return ValueOrRaise(
      SyslogChannel::Create({.host = host,
                             .port = port,
                             .transport = ValueOrRaise(ParseSyslogTransport(transport)),
                             .facility = facility,
                             .host_name = host_name}));
}

}  // namespace

void BindNotify(py::module_& module) {
  py::class_<NotificationChannel>(module, "NotificationChannel",
                                  "A way to tell somebody of an alert.")
      .def_property_readonly("kind",
                             [](const NotificationChannel& self) { return ToStr(self.kind()); })
      .def("send", &Send, py::arg("alert"), "Delivers the alert, or raises.")
      .def("test", &SendTest, "Delivers a test message, or raises.");
  py::class_<EmailChannel, NotificationChannel>(module, "EmailChannel", "By SMTP.")
      .def(py::init(&MakeEmail), py::arg("host"), py::kw_only(), py::arg("port") = 587,
           py::arg("security") = "starttls", py::arg("username") = "", py::arg("password") = "",
           py::arg("sender"), py::arg("recipients"), py::arg("ca_file") = "",
           py::arg("timeout") = 20.0);
  py::class_<WebhookChannel, NotificationChannel>(module, "WebhookChannel",
                                                  "By a signed HTTP POST request.")
      .def(py::init(&MakeWebhook), py::arg("url"), py::kw_only(), py::arg("secret") = "",
           py::arg("allowed_networks") = std::vector<std::string>(), py::arg("ca_file") = "",
           py::arg("timeout") = 10.0);
  py::class_<SyslogChannel, NotificationChannel>(module, "SyslogChannel", "By RFC 5424.")
      .def(py::init(&MakeSyslog), py::arg("host"), py::kw_only(), py::arg("port") = 514,
           py::arg("transport") = "udp", py::arg("facility") = 16, py::arg("host_name") = "-");
  module.def(
      "verify_webhook",
      [](const std::string& secret, std::int64_t timestamp, const py::bytes& body,
         const std::string& signature, std::int64_t now, double tolerance) {
        return VerifyWebhook(secret, timestamp, body.cast<std::string>(), signature, now,
                             Timeout(tolerance));
      },
      py::arg("secret"), py::arg("timestamp"), py::arg("body"), py::arg("signature"),
      py::arg("now"), py::arg("tolerance") = 300.0,
      "Whether a webhook's request is genuine and not an old one; times are seconds since 1970.");
}

}  // namespace nta::python

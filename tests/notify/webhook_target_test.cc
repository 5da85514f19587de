// Where webhooks may not go: addresses as attackers write them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nta/notify/webhook.h"

namespace nta {
namespace {

struct Case {
  const char* url;
  // What the host's name resolves to; empty: nothing may be looked up.
  std::vector<const char*> addresses;
  absl::StatusCode expected;
};

class WebhookTargets : public testing::TestWithParam<Case> {};

TEST_P(WebhookTargets, AreChecked) {
  const Case& one = GetParam();
  WebhookOptions options{.url = one.url};
  options.resolver = [&](const std::string& host) -> absl::StatusOr<std::vector<IpAddress>> {
    EXPECT_FALSE(one.addresses.empty()) << "looked up " << host;
    std::vector<IpAddress> found;
    for (const char* text : one.addresses) found.push_back(*IpAddress::Parse(text));
    return found;
  };
  const auto target = FindWebhookTarget(options);
  EXPECT_EQ(target.status().code(), one.expected) << one.url << ": " << target.status();
}

constexpr auto kOk = absl::StatusCode::kOk;
constexpr auto kDenied = absl::StatusCode::kPermissionDenied;
constexpr auto kWrong = absl::StatusCode::kInvalidArgument;

INSTANTIATE_TEST_SUITE_P(
    Table, WebhookTargets,
    testing::Values(
        // Public.
        Case{"https://hooks.example.com/x", {"93.184.216.34"}, kOk},
        Case{"http://hooks.example.com:8080/x?y=z", {"2606:2800:220:1::1"}, kOk},
        Case{"https://8.8.8.8/", {}, kOk}, Case{"https://[2606:4700::1111]/", {}, kOk},
        // Loopback and how else it is written.
        Case{"http://127.0.0.1/", {}, kDenied}, Case{"http://127.1/", {}, kDenied},
        Case{"http://2130706433/", {}, kDenied}, Case{"http://0x7f000001/", {}, kDenied},
        Case{"http://0177.0.0.1/", {}, kDenied}, Case{"http://0x7f.1/", {}, kDenied},
        Case{"http://127.0.0.53:53/", {}, kDenied}, Case{"http://[::1]/", {}, kDenied},
        Case{"http://localhost/", {"127.0.0.1"}, kDenied},
        Case{"http://localhost/", {"::1"}, kDenied}, Case{"http://0/", {}, kDenied},
        Case{"http://0.0.0.0/", {}, kDenied}, Case{"http://[::]/", {}, kDenied},
        // IPv4 inside of IPv6.
        Case{"http://[::ffff:127.0.0.1]/", {}, kDenied},
        Case{"http://[::ffff:8.8.8.8]/", {}, kDenied}, Case{"http://[::127.0.0.1]/", {}, kDenied},
        Case{"http://[64:ff9b::7f00:1]/", {}, kDenied}, Case{"http://[64:ff9b::808:808]/", {}, kOk},
        Case{"http://[64:ff9b:1::808:808]/", {}, kDenied},
        Case{"http://[2002:7f00:1::]/", {}, kDenied},
        Case{"http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", {}, kDenied},
        // Metadata services of clouds, link-local.
        Case{"http://169.254.169.254/latest/meta-data/", {}, kDenied},
        Case{"http://metadata.google.internal/", {"169.254.169.254"}, kDenied},
        Case{"http://[fe80::1]/", {}, kDenied}, Case{"http://[fd00:ec2::254]/", {}, kDenied},
        Case{"http://2852039166/", {}, kDenied},
        // Private, shared, reserved, documentation, benchmark, multicast, broadcast.
        Case{"http://10.0.0.1/", {}, kDenied}, Case{"http://172.31.255.255/", {}, kDenied},
        Case{"http://192.168.0.1/", {}, kDenied}, Case{"http://100.64.0.1/", {}, kDenied},
        Case{"http://192.0.2.1/", {}, kDenied}, Case{"http://198.18.0.1/", {}, kDenied},
        Case{"http://224.0.0.1/", {}, kDenied}, Case{"http://255.255.255.255/", {}, kDenied},
        Case{"http://[ff02::1]/", {}, kDenied}, Case{"http://[2001:db8::1]/", {}, kDenied},
        Case{"http://[fec0::1]/", {}, kDenied}, Case{"http://[100::1]/", {}, kDenied},
        // A name with one good and one bad address; rebinding relies on it.
        Case{"http://rebind.example/", {"93.184.216.34", "127.0.0.1"}, kDenied},
        Case{"http://rebind.example/", {"10.0.0.1", "93.184.216.34"}, kDenied},
        // Other schemes, user names, nothing.
        Case{"file:///etc/passwd", {}, kWrong}, Case{"gopher://example.com/", {}, kWrong},
        Case{"ftp://example.com/", {}, kWrong}, Case{"dict://127.0.0.1:11211/", {}, kWrong},
        Case{"example.com/hook", {}, kWrong}, Case{"//example.com/", {}, kWrong},
        Case{"http://user:pw@example.com/", {}, kWrong},
        Case{"http://example.com@127.0.0.1/", {}, kWrong}, Case{"http:///x", {}, kWrong},
        Case{"http://", {}, kWrong}, Case{"", {}, kWrong}, Case{"http://exa mple.com/", {}, kWrong},
        Case{"http://example.com/\r\nX-Evil: 1", {}, kWrong},
        Case{"http://[fe80::1%25eth0]/", {}, kDenied}, Case{"http://example.com:0/", {}, kWrong},
        Case{"http://example.com:99999/", {}, kWrong}));

TEST(WebhookTargets, TellNetworksOfOnesOwnWhenAllowed) {
  WebhookOptions options{.url = "http://10.1.2.3:9000/hook",
                         .allowed_networks = {*IpPrefix::Parse("10.1.0.0/16")}};
  const auto target = FindWebhookTarget(options);
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->address.ToString(), "10.1.2.3");
  EXPECT_EQ(target->port, 9000);
  options.url = "http://10.2.2.3/hook";
  EXPECT_TRUE(absl::IsPermissionDenied(FindWebhookTarget(options).status()));
}

TEST(WebhookTargets, AreRefusedByCreateWhenTheyAreNoWebAddress) {
  EXPECT_FALSE(WebhookChannel::Create({.url = "file:///etc/passwd"}).ok());
  EXPECT_FALSE(WebhookChannel::Create({.url = "http://127.0.0.1/"}).ok());
  EXPECT_TRUE(WebhookChannel::Create({.url = "https://name-that-nobody-looks-up.invalid/"}).ok());
}

}  // namespace
}  // namespace nta

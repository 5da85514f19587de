// FirewallTest: an App with a firewall in memory, and one user of each role.
#ifndef NTA_TESTS_SERVER_FIREWALL_FIXTURE_H_
#define NTA_TESTS_SERVER_FIREWALL_FIXTURE_H_

#include <string>
#include <string_view>
#include <vector>

#include "app_fixture.h"

namespace nta::server {

inline constexpr std::string_view kRules = "/api/v1/firewall/rules";
inline constexpr std::string_view kTelnet =
    R"({"rule":{"id":"no-telnet","direction":"in","verdict":"drop","protocol":"tcp",)"
    R"("destination_ports":[23]}})";

class FirewallTest : public AppTest {
 protected:
  FirewallTest() {
    firewall_options_.protection = [](const std::vector<IpAddress>& administrators) {
      ProtectedSet safe{.peers = {{*IpPrefix::Parse("192.0.2.80"), ProtectedRole::kOwn},
                                  {*IpPrefix::Parse("2001:db8::80"), ProtectedRole::kOwn},
                                  {*IpPrefix::Parse("192.0.2.254"), ProtectedRole::kGateway}}};
      for (const IpAddress& peer : administrators) {
        safe.peers.push_back(
            {*IpPrefix::Create(peer, peer.is_v4() ? 32 : 128), ProtectedRole::kAdministrator});
      }
      return absl::StatusOr<ProtectedSet>(safe);
    };
    firewall_options_.audit = [this](const FirewallAct& act) {
      if (audit_fails_) return absl::UnavailableError("the disk is full");
      acts_.push_back(act.act + " " + act.target);
      return absl::OkStatus();
    };
    Restart(Generous());
    AddUser("viewer", "viewer");
    AddUser("operator", "operator");
    AddUser("admin", "admin");
    operator_ = SignIn("operator").access;
    admin_ = SignIn("admin").access;
  }

  MemoryBackend& backend() { return static_cast<MemoryBackend&>(services_->firewall->backend()); }

  Response Get() { return Call("GET", kRules, operator_); }

  Response Apply(std::string_view more = "") {
    return Call("POST", "/api/v1/firewall/apply", admin_,
                R"({"password":)" + JsonQuote(kPassword) + std::string(more) + "}");
  }

  Response Confirm(const std::string& token) {
    return Call("POST", "/api/v1/firewall/confirm", admin_, R"({"token":")" + token + "\"}");
  }

  // What the rules in force say of a new connection from `source`.
  Decision Offered(std::string_view source, std::uint16_t port) {
    const IpAddress address = *IpAddress::Parse(source);
    PacketFacts packet{
        .direction = RuleDirection::kIn,
        .source = address,
        .destination = *IpAddress::Parse(address.is_v4() ? "192.0.2.80" : "2001:db8::80"),
        .protocol = kProtocolTcp,
        .source_port = 50'000,
        .destination_port = port};
    packet.in_interface = "eth0";
    packet.state = ConnectionState::kNew;
    packet.is_reply = false;
    packet.time = wall_;
    return backend().Offer(packet, 60);
  }

  void NewConnection() { connection_ = ++newest_connection_; }

  Response Block(std::string_view body) {
    return Call("POST", "/api/v1/firewall/block", admin_, body);
  }
  Response Effect() { return Call("GET", "/api/v1/firewall/effect", operator_); }

  std::vector<std::string> acts_;  // that were recorded
  bool audit_fails_ = false;
  std::string operator_;
  std::string admin_;
};

inline Alert BruteForce(Timestamp time) {
  Alert alert;
  alert.id = "brute_force-000001";
  alert.time = time;
  alert.detector = "brute_force";
  alert.alert_class = AlertClass::kBruteForce;
  alert.entity = {.source = *IpAddress::Parse("203.0.113.9"),
                  .destination = *IpAddress::Parse("192.0.2.80"),
                  .service = "tcp/22"};
  return alert;
}

}  // namespace nta::server

#endif  // NTA_TESTS_SERVER_FIREWALL_FIXTURE_H_

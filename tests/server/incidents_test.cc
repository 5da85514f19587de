// Incidents through REST.
#include <fstream>
#include <nlohmann/json.hpp>

#include "app_fixture.h"
#include "http/body_file.h"

namespace nta::server {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

class IncidentsTest : public AppTest {
 protected:
  IncidentsTest() {
    Restart(Generous());
    AddUser("root", "admin");
    AddUser("ben", "operator");
    AddUser("alice", "viewer");
    admin_ = SignIn("root").access;
    operator_ = SignIn("ben").access;
    viewer_ = SignIn("alice").access;
  }

  json Send(std::string_view method, const std::string& target, const json& body, int status) {
    const Response response =
        Call(method, "/api/v1/incidents" + target, operator_, body.is_null() ? "" : body.dump());
    EXPECT_EQ(response.status, status) << target << response.body;
    return response.body.empty() ? json() : json::parse(response.body);
  }
  json Post(const std::string& target, const json& body, int status = 201) {
    return Send("POST", target, body, status);
  }
  std::string Make(const std::string& title = "Scan of the lab") {
    return Post("", {{"title", title}, {"severity", "high"}})["id"];
  }
  Response Upload(const std::string& target, std::string_view bytes) {
    Request request;
    request.method = "POST";
    request.target = *ParseTarget("/api/v1/incidents" + target);
    request.authorization = "Bearer " + operator_;
    request.client = *IpAddress::Parse("192.0.2.1");
    request.upload = std::make_shared<BodyFile>(*BodyFile::Create(testing::TempDir()));
    EXPECT_TRUE(request.upload->Append(bytes).ok());
    return AppTest::Send(std::move(request));
  }

  Alert StoredAlert() {
    Alert alert;
    alert.id = "1-port_scan-000001";
    alert.time = wall_;
    alert.window = 30s;
    alert.entity.source = *IpAddress::Parse("192.0.2.66");
    alert.entity.destination = *IpAddress::Parse("198.51.100.1");
    alert.summary = "192.0.2.66 scans";
    EXPECT_TRUE(store_->Write({}, {&alert, 1}).ok());
    return alert;
  }

  std::string admin_;
  std::string operator_;
  std::string viewer_;
};

TEST_F(IncidentsTest, AreOpenedListedReadAndClosed) {
  const std::string id = Make();
  EXPECT_EQ(id, "inc-000001");
  const json list = json::parse(Call("GET", "/api/incidents", viewer_).body);
  ASSERT_EQ(list["incidents"].size(), 1u);
  EXPECT_EQ(list["incidents"][0]["comments"], 0);
  EXPECT_TRUE(list["next_cursor"].is_null());
  json incident = json::parse(Call("GET", "/api/v1/incidents/" + id, viewer_).body);
  EXPECT_EQ(incident["created_by"], "ben");
  EXPECT_EQ(incident["timeline"][0]["act"], "created");
  incident = Send("PATCH", "/" + id,
                  {{"version", incident["version"]},
                   {"state", "closed"},
                   {"assignee", "ben"},
                   {"comment", "It was ours."}},
                  200);
  EXPECT_EQ(incident["state"], "closed");
  EXPECT_FALSE(incident["ended"].is_null());
  EXPECT_EQ(incident["timeline"].size(), 4u);
  const auto count = [&](const std::string& query) {
    return json::parse(Call("GET", "/api/v1/incidents?" + query, viewer_).body)["incidents"].size();
  };
  EXPECT_EQ(count("state=unresolved"), 0u);
  EXPECT_EQ(count("state=ended"), 1u);
  EXPECT_EQ(count("state=closed&assignee=ben&severity=high&text=lab"), 1u);
  EXPECT_EQ(count("assignee="), 0u);
}

TEST_F(IncidentsTest, AnAssigneeIsAUserOrNobody) {
  const std::string id = Make();
  const json change = {{"version", 1}, {"assignee", "nobody_here"}};
  EXPECT_THAT(Send("PATCH", "/" + id, change, 400)["detail"].get<std::string>(),
              HasSubstr("there is no user \"nobody_here\""));
  Post("", {{"title", "Another"}, {"assignee", "nobody_here"}}, 400);
  Send("PATCH", "/" + id, {{"version", 1}, {"assignee", "alice"}}, 200);
  // Who is gone stays named, and stands in nobody's way.
  ASSERT_EQ(Call("DELETE", "/api/v1/users/alice", admin_).status, 204);
  const json later =
      Send("PATCH", "/" + id, {{"version", 2}, {"assignee", "alice"}, {"state", "contained"}}, 200);
  EXPECT_EQ(later["assignee"], "alice");
  Send("PATCH", "/" + id, {{"version", 3}, {"assignee", ""}}, 200);
}

TEST_F(IncidentsTest, TheSlowerOfTwoWritersIsTold) {
  const std::string id = Make();
  Send("PATCH", "/" + id, {{"version", 1}, {"assignee", "ben"}}, 200);
  const json late = Send("PATCH", "/" + id, {{"version", 1}, {"assignee", "alice"}}, 409);
  EXPECT_THAT(late["detail"].get<std::string>(), HasSubstr("meanwhile"));
  EXPECT_EQ(json::parse(Call("GET", "/api/v1/incidents/" + id, viewer_).body)["assignee"], "ben");
  // Empty is nobody; left out is as it was.
  EXPECT_EQ(Send("PATCH", "/" + id, {{"version", 2}, {"assignee", ""}}, 200)["assignee"], "");
}

TEST_F(IncidentsTest, AnAlertBecomesAnIncidentWithItsFlows) {
  const Alert alert = StoredAlert();
  const json incident = Post("", {{"title", alert.summary}, {"alert", alert.id}});
  ASSERT_EQ(incident["links"].size(), 2u);
  EXPECT_EQ(incident["severity"], ToString(alert.severity));
  EXPECT_EQ(incident["links"][0]["snapshot"]["summary"], alert.summary);
  EXPECT_EQ(incident["links"][1]["target"], "host=192.0.2.66 and host=198.51.100.1");
  EXPECT_FALSE(incident["links"][1]["since"].is_null());
  Post("", {{"title", "x"}, {"alert", "nothing"}}, 404);
  // Nothing half made is left.
  EXPECT_EQ(json::parse(Call("GET", "/api/incidents", viewer_).body)["incidents"].size(), 1u);
}

TEST_F(IncidentsTest, CommentsAndLinksAreAddedAndRemoved) {
  const std::string id = Make();
  EXPECT_EQ(Post("/" + id + "/comments", {{"text", "Looking."}})["timeline"].back()["author"],
            "ben");
  json incident = Post("/" + id + "/links", {{"kind", "flows"},
                                             {"target", "dport=22"},
                                             {"since", "-1h"},
                                             {"until", "now"},
                                             {"note", "all of it"}});
  const std::string link = std::to_string(incident["links"][0]["id"].get<int>());
  Post("/" + id + "/links", {{"kind", "rule"}, {"target", "rule-7"}}, 404);
  ASSERT_EQ(
      Call("POST", "/api/v1/alert-rules", operator_,
           R"({"id":"rule-7","title":"SSH","severity":"low","expression":"count() > 5 in 1m"})")
          .status,
      201);
  Post("/" + id + "/links", {{"kind", "rule"}, {"target", "rule-7"}});
  Post("/" + id + "/links", {{"kind", "rule"}, {"target", "rule-7"}}, 409);
  Post("/" + id + "/links", {{"kind", "flows"}, {"target", "dport>>1"}}, 400);
  Post("/" + id + "/links", {{"kind", "alert"}, {"target", "none"}}, 404);
  Post("/" + id + "/links", {{"kind", "flows"}, {"target", ""}, {"since", "soon"}}, 400);
  Post("/" + id + "/links", {{"kind", "song"}, {"target", "x"}}, 400);
  incident = Send("DELETE", "/" + id + "/links/" + link, nullptr, 200);
  EXPECT_EQ(incident["links"].size(), 1u);
  Send("DELETE", "/" + id + "/links/" + link, nullptr, 404);
  Send("DELETE", "/" + id + "/links/x", nullptr, 404);
}

TEST_F(IncidentsTest, EvidenceComesBackAsAFileNoBrowserRuns) {
  const std::string id = Make();
  const std::string bytes = "\xd4\xc3\xb2\xa1" + std::string(100'000, '\0');
  const Response added = Upload("/" + id + "/evidence?name=a%22b.pcap&description=seen", bytes);
  ASSERT_EQ(added.status, 201) << added.body;
  const json evidence = json::parse(added.body)["evidence"][0];
  EXPECT_EQ(evidence["media_type"], "application/vnd.tcpdump.pcap");
  const std::string path =
      "/api/v1/incidents/" + id + "/evidence/" + std::to_string(evidence["id"].get<int>());
  const Response file = Call("GET", path, viewer_);
  ASSERT_EQ(file.status, 200) << file.body;
  EXPECT_EQ(*file.file->Read(0, 1 << 20), bytes);
  EXPECT_EQ(file.content_type, "application/octet-stream");
  EXPECT_THAT(file.headers, testing::Contains(testing::Pair("Content-Disposition",
                                                            "attachment; filename=\"a_b.pcap\"")));
  EXPECT_EQ(Upload("/" + id + "/evidence?name=x", "").status, 400);
  EXPECT_EQ(Upload("/" + id + "/evidence", "x").status, 400);  // without a name
  EXPECT_EQ(Upload("/inc-000009/evidence?name=x", "x").status, 404);
  Send("DELETE", path.substr(17), nullptr, 200);
  EXPECT_EQ(Call("GET", path, viewer_).status, 404);
}

TEST_F(IncidentsTest, AnUploadIsAdmittedOnlyFromOperatorsAndWithinBounds) {
  Request request;
  request.method = "POST";
  request.target = *ParseTarget("/api/v1/incidents/inc-000001/evidence?name=x");
  request.authorization = "Bearer " + operator_;
  request.content_length = 17 << 20;
  ASSERT_TRUE(app_->Admit(request).answer);
  EXPECT_EQ(app_->Admit(request).answer->status, 413);
  request.content_length = 1 << 20;
  EXPECT_FALSE(app_->Admit(request).answer);
  request.authorization = "";
  EXPECT_EQ(app_->Admit(request).answer->status, 401);
  EXPECT_EQ(Call("GET", "/api/v1/incidents", viewer_).status, 200);
  request.authorization = "Bearer " + viewer_;
  ASSERT_TRUE(app_->Admit(request).answer);
  EXPECT_EQ(app_->Admit(request).answer->status, 403);
}

TEST_F(IncidentsTest, FlowsAreKeptAsEvidence) {
  std::vector<FlowRecord> flows(3);
  for (FlowRecord& flow : flows) {
    flow.first_seen = flow.last_seen = wall_ - 1min;
    flow.protocol = 6;
    flow.source = {*IpAddress::Parse("192.0.2.1"), 1};
    flow.destination = {*IpAddress::Parse("192.0.2.2"), 22};
  }
  flows[2].destination.port = 80;
  ASSERT_TRUE(store_->Write(flows, {}).ok());
  const std::string id = Make();
  const json incident = Post("/" + id + "/evidence/flows",
                             {{"since", "-1h"}, {"until", "now"}, {"where", "dport=22"}});
  const Response file = Call("GET",
                             "/api/v1/incidents/" + id + "/evidence/" +
                                 std::to_string(incident["evidence"][0]["id"].get<int>()),
                             viewer_);
  const std::string lines = *file.file->Read(0, 1 << 20);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  EXPECT_EQ(json::parse(lines.substr(0, lines.find('\n')))["destination_port"], 22);
  Post("/" + id + "/evidence/flows", {{"since", "-1h"}, {"until", "now"}, {"where", "dport=99"}},
       400);
  Post("/" + id + "/evidence/flows", {{"since", "-1h"}, {"until", "now"}, {"where", "x"}}, 400);
}

TEST_F(IncidentsTest, PacketsBeforeAnAlertAreKeptAsEvidence) {
  Alert alert;
  alert.id = "scan-1";
  alert.time = wall_;
  alert.detector = "port_scan";
  alert.summary = "somebody scans";
  ASSERT_TRUE(store_->Write({}, {&alert, 1}).ok());
  const std::string id = Make();
  const std::string path = "/" + id + "/evidence/packets";
  Post(path, {{"alert", "scan-1"}}, 404);  // nothing is captured
  services_->write_packets = [](std::string_view of, const std::string& file) {
    if (of != "scan-1") return absl::NotFoundError("not kept");
    std::ofstream(file, std::ios::binary) << "the packets";
    return absl::OkStatus();
  };
  const json incident = Post(path, {{"alert", "scan-1"}});
  ASSERT_EQ(incident["evidence"].size(), 1u);
  const json kept = incident["evidence"][0];
  EXPECT_EQ(kept["name"], "packets.pcapng");
  EXPECT_EQ(kept["description"], "Packets before the alert scan-1");
  const Response file =
      Call("GET", "/api/v1/incidents/" + id + "/evidence/" + std::to_string(kept["id"].get<int>()),
           viewer_);
  EXPECT_EQ(*file.file->Read(0, 100), "the packets");
  Post(path, {{"alert", "none"}}, 404);
  Post("/none/evidence/packets", {{"alert", "scan-1"}}, 404);
}

TEST_F(IncidentsTest, TheExportIsATarFile) {
  const std::string id = Make();
  const Response file = Call("GET", "/api/v1/incidents/" + id + "/export", viewer_);
  ASSERT_EQ(file.status, 200) << file.body;
  const std::string tar = *file.file->Read(0, 1 << 20);
  EXPECT_EQ(tar.substr(257, 5), "ustar");
  EXPECT_THAT(tar, HasSubstr("inc-000001/SHA256SUMS"));
  EXPECT_THAT(tar, HasSubstr("\"exported_by\": \"alice\""));
  EXPECT_EQ(Call("GET", "/api/v1/incidents/inc-000009/export", viewer_).status, 404);
}

TEST_F(IncidentsTest, RolesAreKept) {
  const std::string id = Make();
  EXPECT_EQ(Call("POST", "/api/incidents", viewer_, R"({"title":"x"})").status, 403);
  EXPECT_EQ(Call("DELETE", "/api/v1/incidents/" + id, operator_).status, 403);
  EXPECT_EQ(Call("DELETE", "/api/v1/incidents/" + id, admin_).status, 204);
  EXPECT_EQ(Call("GET", "/api/v1/incidents/" + id, viewer_).status, 404);
}

TEST_F(IncidentsTest, WrongInputNamesItsField) {
  const auto detail = [&](const json& body) {
    return Post("", body, 400)["detail"].get<std::string>();
  };
  EXPECT_THAT(detail({{"title", ""}}), HasSubstr("title"));
  EXPECT_THAT(detail({{"title", "x"}, {"severity", "bad"}}), HasSubstr("severity"));
  EXPECT_THAT(detail({{"title", "a\nb"}}), HasSubstr("title"));
  EXPECT_THAT(detail({{"titel", "x"}}), HasSubstr("titel"));
  const std::string id = Make();
  Send("PATCH", "/" + id, {{"version", 1}, {"state", "asleep"}}, 400);
  Send("PATCH", "/" + id, {{"state", "open"}}, 400);
  EXPECT_EQ(Call("GET", "/api/v1/incidents?cursor=x", viewer_).status, 400);
}

}  // namespace
}  // namespace nta::server

#include "app_fixture.h"
#include "http/body_file.h"
#include "nta/export/flow_csv.h"
#include "nta/json/flow_transfer.h"

namespace nta::server {
namespace {

using ::testing::HasSubstr;

class TransferTest : public AppTest {
 protected:
  TransferTest() {
    Restart(Generous());
    AddUser("mia", "viewer");
    AddUser("olaf", "operator");
    FlowRecord flow;
    flow.first_seen = wall_ - std::chrono::minutes(5);
    flow.last_seen = wall_ - std::chrono::minutes(4);
    flow.protocol = kProtocolTcp;
    flow.source = {IpAddress::V4(10, 0, 0, 1), 50000};
    flow.destination = {IpAddress::V4(192, 0, 2, 1), 443};
    flow.forward.packets = 3;
    EXPECT_TRUE(store_->Write({&flow, 1}, {}).ok());
  }

  // The job that the answer names, when it has ended.
  Job Await(const Response& begun) {
    EXPECT_EQ(begun.status, 202) << begun.body;
    const std::string id = TextMember(begun.body, "id");
    while (true) {
      const std::optional<Job> job = services_->jobs.Find(id);
      if (!job) return {};
      if (job->state != JobState::kRunning) return *job;
      std::this_thread::yield();
    }
  }

  Response Import(std::string_view token, std::string_view target, std::string_view text) {
    Request request;
    request.method = "POST";
    request.target = *ParseTarget(target);
    request.authorization = "Bearer " + std::string(token);
    request.client = *IpAddress::Parse("192.0.2.1");
    request.upload = std::make_shared<BodyFile>(*BodyFile::Create("/tmp"));
    EXPECT_TRUE(request.upload->Append(text).ok());
    return Send(std::move(request));
  }
};

TEST_F(TransferTest, AnExportIsAFileThatImportTakes) {
  const std::string token = SignIn("olaf").access;
  std::uint64_t flows = 1;
  for (const char* format : {"csv", "jsonl"}) {
    const std::string count = "\"flows\":" + std::to_string(flows);
    const Job exported =
        Await(Call("POST", std::string("/api/v1/exports?format=") + format, token));
    ASSERT_EQ(exported.state, JobState::kDone) << exported.error;
    EXPECT_EQ(exported.result, "{" + count + "}");
    EXPECT_EQ(exported.file_name, std::string("flows.") + format);
    const std::string text = *exported.file->Read(0, 1 << 20);
    EXPECT_THAT(text, HasSubstr("192.0.2.1"));
    const Job imported =
        Await(Import(token, std::string("/api/v1/imports?format=") + format, text));
    ASSERT_EQ(imported.state, JobState::kDone) << imported.error;
    EXPECT_THAT(imported.result, HasSubstr(count + ",\"wrong_lines\":0"));
    flows *= 2;
    EXPECT_EQ(store_->Size()->flows, flows);
  }
}

TEST_F(TransferTest, AnExportHasWhatTheFilterSelects) {
  const std::string token = SignIn("mia").access;
  const Job job = Await(Call("POST", "/api/v1/exports?where=dport%3D80", token));
  EXPECT_EQ(job.result, R"({"flows":0})");
  EXPECT_EQ(Call("POST", "/api/v1/exports?where=cats", token).status, 400);
  EXPECT_EQ(Call("POST", "/api/v1/exports?format=xml", token).status, 400);
}

TEST_F(TransferTest, AnImportTellsWhatTheFileCannotTell) {
  const std::string token = SignIn("olaf").access;
  const std::string line =
      "1000000000,2000000000,6,10.0.0.1,1,192.0.2.1,80,,1,60,46,0,0,0,0,0,2,0,,idle_timeout\n";
  const Job job =
      Await(Import(token, "/api/v1/imports", std::string(kFlowCsvHeader) + "\n" + line));
  ASSERT_EQ(job.state, JobState::kDone) << job.error;
  EXPECT_THAT(job.result, HasSubstr(R"("flows":1)"));
  EXPECT_THAT(job.result, HasSubstr("does not have outcome and tcp_state"));
  const Job exported = Await(Call("POST", "/api/v1/exports?since=1970-01-01T00:00:00Z", token));
  const Job whole =
      Await(Import(token, "/api/v1/imports", *exported.file->Read(0, std::size_t{1} << 20)));
  EXPECT_THAT(whole.result, HasSubstr(R"("hints":[])"));
}

TEST_F(TransferTest, AnImportNamesEachWrongLineAndStoresNothing) {
  const std::string token = SignIn("olaf").access;
  const Job job = Await(Import(token, "/api/v1/imports?format=jsonl", "{}\nnot JSON\n"));
  ASSERT_EQ(job.state, JobState::kDone);
  EXPECT_THAT(job.result, HasSubstr(R"("lines":2,"flows":0,"wrong_lines":2)"));
  EXPECT_THAT(job.result, HasSubstr(R"("line":2,"message":"not JSON)"));
  EXPECT_EQ(store_->Size()->flows, 1u);
  const Job wrong = Await(Import(token, "/api/v1/imports", "cats\n1\n"));
  EXPECT_EQ(wrong.state, JobState::kFailed);
  EXPECT_THAT(std::string(wrong.error.message()), HasSubstr("unknown column"));
  EXPECT_EQ(Import(token, "/api/v1/imports", "").status, 400);
  EXPECT_EQ(Import(SignIn("mia").access, "/api/v1/imports", "x").status, 403);
}

}  // namespace
}  // namespace nta::server

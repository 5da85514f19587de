#include "operations/jobs.h"

#include <atomic>

#include "app_fixture.h"

namespace nta::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class JobsTest : public testing::Test {
 protected:
  Jobs MakeJobs() {
    return Jobs(Clock{.wall = [this] { return now_; }, .monotonic = [] { return Duration(); }});
  }
  // Until the job has ended, by its own thread's hand.
  static Job Await(Jobs& jobs, const std::string& id) {
    while (true) {
      Job job = *jobs.Find(id);
      if (job.state != JobState::kRunning) return job;
      std::this_thread::yield();
    }
  }

  Timestamp now_{std::chrono::seconds(1'795'334'400)};
};

absl::StatusOr<std::string> WaitForStop(JobContext& job) {
  while (!job.stop().stop_requested()) std::this_thread::yield();
  return absl::CancelledError();
}

TEST_F(JobsTest, FailWhereALibraryThrows) {
  Jobs jobs = MakeJobs();
  const auto id =
      jobs.Start({.kind = "export", .owner = "mia"},
                 [](JobContext&) -> absl::StatusOr<std::string> { throw std::bad_alloc(); });
  EXPECT_EQ(Await(jobs, *id).state, JobState::kFailed);
}

TEST_F(JobsTest, TellTheResultOfWhatIsDone) {
  Jobs jobs = MakeJobs();
  const auto id = jobs.Start({.kind = "export", .owner = "mia"}, [](JobContext& job) {
    job.Report(0.5, "half way");
    return absl::StatusOr<std::string>("{\"rows\":3}");
  });
  ASSERT_TRUE(id.ok());
  const Job job = Await(jobs, *id);
  EXPECT_EQ(job.state, JobState::kDone);
  EXPECT_EQ(job.result, "{\"rows\":3}");
  EXPECT_THAT(ToJson(job), HasSubstr("\"state\":\"done\""));
  EXPECT_THAT(ToJson(job), HasSubstr("\"result\":{\"rows\":3}"));
}

TEST_F(JobsTest, TellWhyWorkFailed) {
  Jobs jobs = MakeJobs();
  const auto id = jobs.Start({.kind = "export"}, [](JobContext&) -> absl::StatusOr<std::string> {
    return absl::ResourceExhaustedError("the disk is full");
  });
  const Job job = Await(jobs, *id);
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_THAT(ToJson(job), HasSubstr("\"error\":\"the disk is full\""));
}

TEST_F(JobsTest, AreCancelledAndLeaveNoFile) {
  Jobs jobs = MakeJobs();
  const auto id = jobs.Start({.kind = "export"}, [](JobContext& job) {
    job.OfferFile(std::make_shared<BodyFile>(*BodyFile::Create("/tmp")), "a", "text/plain");
    return WaitForStop(job);
  });
  EXPECT_FALSE(jobs.Cancel("unknown"));
  EXPECT_TRUE(jobs.Cancel(*id));
  const Job job = Await(jobs, *id);
  EXPECT_EQ(job.state, JobState::kCancelled);
  EXPECT_EQ(job.file, nullptr);
}

TEST_F(JobsTest, AreLimitedInNumber) {
  Jobs jobs = MakeJobs();
  ASSERT_TRUE(jobs.Start({.kind = "backup", .exclusive = true}, WaitForStop).ok());
  EXPECT_EQ(jobs.Start({.kind = "backup", .exclusive = true}, WaitForStop).status().code(),
            absl::StatusCode::kFailedPrecondition);
  for (std::size_t i = 1; i < Jobs::kMaxRunning; ++i) {
    ASSERT_TRUE(jobs.Start({.kind = "export"}, WaitForStop).ok());
  }
  EXPECT_EQ(jobs.Start({.kind = "export"}, WaitForStop).status().code(),
            absl::StatusCode::kResourceExhausted);
  jobs.Shutdown();
  EXPECT_EQ(jobs.Start({.kind = "export"}, WaitForStop).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(JobsTest, RunAloneWhenTheyAskForIt) {
  Jobs jobs = MakeJobs();
  const auto begin = [&](const std::string& kind, bool alone) {
    return jobs.Start({.kind = kind, .owner = "mia", .alone = alone}, WaitForStop);
  };
  const auto first = begin("export", false);
  ASSERT_TRUE(first.ok());
  const auto refused = begin("backup.restore", true);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("an export is running"));
  jobs.Cancel(*first);
  Await(jobs, *first);
  ASSERT_TRUE(begin("backup.restore", true).ok());
  EXPECT_EQ(begin("export", false).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(JobsTest, TellTheirEndBeforeAnybodySeesIt) {
  Jobs jobs = MakeJobs();
  std::atomic<bool> told = false;
  JobState state = JobState::kRunning;
  const auto id = jobs.Start({.kind = "export",
                              .on_end =
                                  [&](const Job& job) {
                                    state = job.state;
                                    told = true;
                                  }},
                             [](JobContext&) { return absl::StatusOr<std::string>(""); });
  EXPECT_EQ(Await(jobs, *id).state, JobState::kDone);
  EXPECT_TRUE(told);
  EXPECT_EQ(state, JobState::kDone);
}

TEST_F(JobsTest, AreForgottenAfterAnHour) {
  Jobs jobs = MakeJobs();
  const auto id =
      jobs.Start({.kind = "a"}, [](JobContext&) { return absl::StatusOr<std::string>(""); });
  Await(jobs, *id);
  now_ += Jobs::kKeptFor;
  EXPECT_FALSE(jobs.Find(*id));
}

class JobRoutesTest : public AppTest {};

TEST_F(JobRoutesTest, ShowAJobToItsOwnerAndToAdministratorsOnly) {
  AddUser("mia", "viewer");
  AddUser("zoe", "viewer");
  AddUser("root", "admin");
  const auto id = services_->jobs.Start({.kind = "export", .owner = "mia"}, [](JobContext& job) {
    auto file = std::make_shared<BodyFile>(*BodyFile::Create("/tmp"));
    EXPECT_TRUE(file->Append("rows").ok());
    job.OfferFile(file, "flows.csv", "text/csv");
    return absl::StatusOr<std::string>("");
  });
  while (services_->jobs.Find(*id)->state == JobState::kRunning) std::this_thread::yield();
  const std::string path = "/api/v1/jobs/" + *id;
  for (const char* name : {"mia", "root"}) {
    const std::string token = SignIn(name).access;
    EXPECT_EQ(Call("GET", path, token).status, 200);
    EXPECT_THAT(Call("GET", "/api/v1/jobs", token).body, HasSubstr(*id));
    const Response file = Call("GET", path + "/file", token);
    ASSERT_NE(file.file, nullptr);
    EXPECT_EQ(*file.file->Read(0, 100), "rows");
  }
  const std::string token = SignIn("zoe").access;
  EXPECT_EQ(Call("GET", path, token).status, 404);
  EXPECT_EQ(Call("DELETE", path, token).status, 404);
  EXPECT_THAT(Call("GET", "/api/v1/jobs", token).body, Not(HasSubstr(*id)));
}

}  // namespace
}  // namespace nta::server

// ChangeGuard: whatever dies, the machine can be reached again in time.
#include "nta/firewall/change_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <thread>

#include "firewall/firewall_namespace.h"
#include "firewall/random_rules.h"
#include "firewall/watchdog.h"

namespace nta::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr Timestamp kStart{std::chrono::seconds(1'800'000'000)};

RuleSet RuleNamed(const std::string& id) {
  Rule rule{.id = id, .direction = RuleDirection::kIn, .verdict = RuleVerdict::kDrop};
  rule.protocol = kProtocolTcp;
  rule.destination_ports = {{80, 80}};
  rule.comment = "rule " + id;
  return Rules({.rules = {rule}});
}
const ApplyRequest kRequest{.connection = "1", .confirm_within = seconds(60)};

class InMemory : public testing::Test {
 protected:
  InMemory() {
    EXPECT_TRUE(backend_.Replace(RuleNamed("old"), kStart).ok());
    ChangeGuardOptions options;
    options.audit = [this](const GuardEvent& event) {
      events_.push_back(event);
      return audit_;
    };
    options.keep = [this](const RuleSet& rules) {
      if (keep_.ok()) kept_ = rules;
      return keep_;
    };
    guard_ = std::move(*ChangeGuard::Open(backend_, options, kStart));
  }
  RuleSet current() { return *backend_.Current(kStart); }

  MemoryBackend backend_;
  absl::Status audit_, keep_;
  std::vector<GuardEvent> events_;
  std::optional<RuleSet> kept_;
  std::unique_ptr<ChangeGuard> guard_;
};
using ChangeGuardInMemory = InMemory;

TEST_F(ChangeGuardInMemory, ConfirmedChangeStays) {
  const auto change = guard_->Apply(RuleNamed("new"), kRequest, kStart);
  ASSERT_TRUE(change.ok()) << change.status();
  EXPECT_EQ(current(), RuleNamed("new"));
  EXPECT_EQ(guard_->pending()->deadline, kStart + seconds(60));
  EXPECT_FALSE(kept_);
  ASSERT_TRUE(guard_->Confirm(change->token, "2", kStart + seconds(59)).ok());
  EXPECT_EQ(kept_, RuleNamed("new"));
  EXPECT_FALSE(guard_->pending());
  EXPECT_EQ(*guard_->AdvanceTo(kStart + seconds(100)), std::nullopt);
  EXPECT_EQ(current(), RuleNamed("new"));
  ASSERT_EQ(events_.size(), 2U);
  EXPECT_EQ(events_[0].act, GuardAct::kApply);
  EXPECT_EQ(events_[0].diff.rules.size(), 2U);
  EXPECT_EQ(events_[1].act, GuardAct::kConfirm);
}

TEST_F(ChangeGuardInMemory, UnconfirmedChangeIsTakenBackInTime) {
  ASSERT_TRUE(guard_->Apply(RuleNamed("new"), kRequest, kStart).ok());
  EXPECT_EQ(*guard_->AdvanceTo(kStart + seconds(59)), std::nullopt);
  EXPECT_EQ(current(), RuleNamed("new"));
  const auto back = guard_->AdvanceTo(kStart + seconds(60));
  ASSERT_TRUE(back.ok() && *back);
  EXPECT_EQ((*back)->cause, RollBackCause::kNotConfirmed);
  EXPECT_EQ(current(), RuleNamed("old"));
  EXPECT_FALSE(kept_);
  EXPECT_EQ(events_.back().act, GuardAct::kRollBack);
  EXPECT_EQ(*guard_->AdvanceTo(kStart + seconds(61)), std::nullopt);
}

TEST_F(ChangeGuardInMemory, ConfirmationNeedsAnotherConnectionTheTokenAndTheTime) {
  const auto change = guard_->Apply(RuleNamed("new"), kRequest, kStart);
  ASSERT_TRUE(change.ok());
  EXPECT_EQ(guard_->Confirm(change->token, "1", kStart).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(guard_->Confirm(change->token, "", kStart).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(guard_->Confirm("", "2", kStart).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(guard_->Confirm(change->token + "0", "2", kStart).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(guard_->Confirm(change->token, "2", kStart + seconds(60)).code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(current(), RuleNamed("old"));
}

TEST_F(ChangeGuardInMemory, OneChangeAtATime) {
  const auto first = guard_->Apply(RuleNamed("new"), kRequest, kStart);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(guard_->Apply(RuleNamed("other"), kRequest, kStart).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(current(), RuleNamed("new"));
  ASSERT_TRUE(guard_->RollBack(first->token, "1", kStart).ok());
  EXPECT_EQ(current(), RuleNamed("old"));
  EXPECT_EQ((*guard_->AdvanceTo(kStart))->cause, RollBackCause::kAsked);
  EXPECT_TRUE(guard_->Apply(RuleNamed("other"), kRequest, kStart).ok());
}

TEST_F(ChangeGuardInMemory, NothingHappensThatCannotBeAudited) {
  audit_ = absl::ResourceExhaustedError("disk full");
  EXPECT_EQ(guard_->Apply(RuleNamed("new"), kRequest, kStart).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(current(), RuleNamed("old"));
  EXPECT_FALSE(guard_->pending());
  audit_ = absl::OkStatus();
  const auto change = guard_->Apply(RuleNamed("new"), kRequest, kStart);
  ASSERT_TRUE(change.ok());
  audit_ = absl::ResourceExhaustedError("disk full");
  EXPECT_FALSE(guard_->Confirm(change->token, "2", kStart).ok());
  EXPECT_FALSE(guard_->RollBack(change->token, "2", kStart).ok());
  EXPECT_TRUE(guard_->pending());
  // What is due does not wait for it.
  EXPECT_TRUE(*guard_->AdvanceTo(kStart + seconds(60)));
  EXPECT_EQ(current(), RuleNamed("old"));
}

TEST_F(ChangeGuardInMemory, SenselessRequestsAreRefused) {
  EXPECT_EQ(guard_->Apply(RuleNamed("a"), {.connection = ""}, kStart).status().code(),
            absl::StatusCode::kInvalidArgument);
  for (const milliseconds within : {milliseconds(0), milliseconds(999), milliseconds(3'600'001)}) {
    EXPECT_EQ(guard_->Apply(RuleNamed("a"), {.connection = "1", .confirm_within = within}, kStart)
                  .status()
                  .code(),
              absl::StatusCode::kInvalidArgument);
  }
  ChangeGuardOptions options{.watchdog = WatchdogOptions{}};
  EXPECT_FALSE(ChangeGuard::Open(backend_, options, kStart).ok());
  EXPECT_FALSE(ChangeGuard::Open(backend_, {.state_directory = "relative"}, kStart).ok());
}

TEST(ChangeGuardFiles, DirectoryThatOthersMayWriteIsRefused) {
  const TemporaryDirectory directory;
  ASSERT_EQ(chmod(directory.path().c_str(), 0777), 0);
  MemoryBackend backend;
  EXPECT_EQ(
      ChangeGuard::Open(backend, {.state_directory = directory.path()}, kStart).status().code(),
      absl::StatusCode::kFailedPrecondition);
}

TEST(ChangeGuardFiles, WhatCannotBeReadIsSetAsideAndTold) {
  const TemporaryDirectory directory;
  MemoryBackend backend;
  for (const std::string text : {"", "{}", "{\"format\": 9}", "\xff\xff"}) {
    WriteFile((directory.path() + "/change.pending").c_str(), text);
    EXPECT_EQ(
        ChangeGuard::Open(backend, {.state_directory = directory.path()}, kStart).status().code(),
        absl::StatusCode::kDataLoss)
        << text;
    EXPECT_TRUE(ChangeGuard::Open(backend, {.state_directory = directory.path()}, kStart).ok());
  }
}

TEST(ChangeGuardFiles, UnwatchedChangeOfADeadProcessIsTakenBackAtTheNextStart) {
  const TemporaryDirectory directory;
  MemoryBackend backend;
  ASSERT_TRUE(backend.Replace(RuleNamed("old"), kStart).ok());
  {
    auto guard = ChangeGuard::Open(backend, {.state_directory = directory.path()}, kStart);
    ASSERT_TRUE((*guard)->Apply(RuleNamed("new"), kRequest, kStart).ok());
  }
  auto guard = ChangeGuard::Open(backend, {.state_directory = directory.path()}, kStart);
  ASSERT_TRUE(guard.ok()) << guard.status();
  EXPECT_EQ(*backend.Current(kStart), RuleNamed("old"));
  EXPECT_EQ((*(*guard)->AdvanceTo(kStart))->cause, RollBackCause::kRestart);
}

TEST(ChangeGuardFiles, ConfirmationThatCouldNotBeKeptIsKeptLater) {
  const TemporaryDirectory directory;
  MemoryBackend backend;
  absl::Status keep = absl::UnavailableError("store is busy");
  std::optional<RuleSet> kept;
  const ChangeGuardOptions options{.state_directory = directory.path(),
                                   .keep = [&](const RuleSet& rules) {
                                     if (keep.ok()) kept = rules;
                                     return keep;
                                   }};
  {
    auto guard = ChangeGuard::Open(backend, options, kStart);
    const auto change = (*guard)->Apply(RuleNamed("new"), kRequest, kStart);
    EXPECT_EQ((*guard)->Confirm(change->token, "2", kStart).code(), absl::StatusCode::kUnavailable);
  }
  EXPECT_FALSE(ChangeGuard::Open(backend, options, kStart).ok());
  keep = absl::OkStatus();
  EXPECT_TRUE(ChangeGuard::Open(backend, options, kStart).ok());
  EXPECT_EQ(kept, RuleNamed("new"));
  EXPECT_EQ(*backend.Current(kStart), RuleNamed("new"));
}

// --- With the watchdog, in the kernel.

ChangeGuardOptions Watched(const std::string& directory) {
  ChangeGuardOptions options{.state_directory = directory};
  options.watchdog = WatchdogOptions{.program = NTA_FIREWALL_GUARD,
                                     .nftables = {.lock_path = directory + "/lock"}};
  return options;
}

// Until the rules are `wanted`, or it has taken too long; how long it took.
std::optional<milliseconds> WaitFor(FirewallBackend& backend, const RuleSet& wanted,
                                    milliseconds limit) {
  const auto begin = Clock::now();
  while (Clock::now() - begin < limit) {
    const auto same = backend.InForce(wanted, Now());
    if (same.ok() && *same) return std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
    std::this_thread::yield();
  }
  return std::nullopt;
}

TEST(ChangeGuardWatched, WatchdogTakesBackWhatNobodyConfirms) {
  InFirewall([](NftablesBackend& backend, const std::string& directory) {
    ASSERT_TRUE(backend.Replace(RuleNamed("old"), Now()).ok());
    auto guard = ChangeGuard::Open(backend, Watched(directory), Now());
    ASSERT_TRUE(guard.ok()) << guard.status();
    const auto change =
        (*guard)->Apply(RuleNamed("new"), {.connection = "1", .confirm_within = seconds(1)}, Now());
    ASSERT_TRUE(change.ok()) << change.status();
    EXPECT_TRUE(*backend.InForce(RuleNamed("new"), Now()));
    EXPECT_TRUE(WaitFor(backend, RuleNamed("old"), seconds(4)));
    EXPECT_EQ((*guard)->Confirm(change->token, "2", Now()).code(), absl::StatusCode::kNotFound);
    const auto told = (*guard)->AdvanceTo(Now());
    ASSERT_TRUE(told.ok()) << told.status();
    // And the next change finds nothing in its way.
    const auto next = (*guard)->Apply(RuleNamed("next"), kRequest, Now());
    ASSERT_TRUE(next.ok()) << next.status();
    ASSERT_TRUE((*guard)->Confirm(next->token, "2", Now()).ok());
    EXPECT_TRUE(*backend.InForce(RuleNamed("next"), Now()));
    EXPECT_FALSE(*(*guard)->Reconcile(RuleNamed("next"), Now()));
  });
}

TEST(ChangeGuardWatched, RestartedProcessCanStillConfirm) {
  InFirewall([](NftablesBackend& backend, const std::string& directory) {
    std::string token;
    {
      auto guard = ChangeGuard::Open(backend, Watched(directory), Now());
      const auto change = (*guard)->Apply(RuleNamed("new"), kRequest, Now());
      ASSERT_TRUE(change.ok()) << change.status();
      token = change->token;
    }
    auto guard = ChangeGuard::Open(backend, Watched(directory), Now());
    ASSERT_TRUE(guard.ok()) << guard.status();
    ASSERT_TRUE((*guard)->pending());
    EXPECT_EQ((*guard)->Confirm(token, "1", Now()).code(), absl::StatusCode::kPermissionDenied);
    // While it is pending, it is what should be in force.
    ASSERT_TRUE(Shell("nft delete table inet nta"));
    EXPECT_TRUE(*(*guard)->Reconcile(RuleSet(), Now()));
    EXPECT_TRUE(*backend.InForce(RuleNamed("new"), Now()));
    ASSERT_TRUE((*guard)->Confirm(token, "2", Now()).ok());
    EXPECT_FALSE((*guard)->pending());
    EXPECT_TRUE(*backend.InForce(RuleNamed("new"), Now()));
  });
}

TEST(ChangeGuardWatched, WithoutItsWatchdogNothingIsApplied) {
  InFirewall([](NftablesBackend& backend, const std::string& directory) {
    for (const std::string program : {"/nowhere/guard", "/bin/true", "/bin/false"}) {
      ChangeGuardOptions options = Watched(directory);
      options.watchdog->program = program;
      auto guard = ChangeGuard::Open(backend, options, Now());
      EXPECT_FALSE((*guard)->Apply(RuleNamed("new"), kRequest, Now()).ok()) << program;
      EXPECT_EQ(*backend.Current(Now()), RuleSet());
      EXPECT_FALSE((*guard)->pending());
    }
  });
}

// A process of ours applies a change and is killed at some moment; so is everything else of ours
// but the watchdog. Afterwards the old rules are back in time, or the change was confirmed.
struct Outcomes {
  int rolled_back = 0;
  int confirmed = 0;
  int never_applied = 0;
  milliseconds worst{0};
};

// What the process does until it is killed; it says in a pipe that it begins.
[[noreturn]] void ChangeAndDie(const std::string& directory, int pipe_fd, bool confirms) {
  auto backend = NftablesBackend::Open({.lock_path = directory + "/lock"});
  ChangeGuardOptions options = Watched(directory);
  // As a store would: what was confirmed is on disk before the guard forgets it.
  options.keep = [&](const RuleSet&) {
    return WriteFile((directory + "/kept").c_str(), "new") ? absl::OkStatus()
                                                           : absl::UnavailableError("no store");
  };
  auto guard = ChangeGuard::Open(**backend, options, Now());
  if (!guard.ok()) _exit(1);
  [[maybe_unused]] const ssize_t said = write(pipe_fd, "b", 1);
  const auto change =
      (*guard)->Apply(RuleNamed("new"), {.connection = "1", .confirm_within = seconds(1)}, Now());
  if (!change.ok()) _exit(2);
  if (confirms) (*guard)->Confirm(change->token, "2", Now()).IgnoreError();
  while (true) pause();
}

void KillAt(NftablesBackend& backend, const std::string& directory, milliseconds moment,
            bool confirms, Outcomes& outcomes) {
  ASSERT_TRUE(backend.Replace(RuleNamed("old"), Now()).ok());
  const std::string kept = directory + "/kept";
  unlink(kept.c_str());
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) ChangeAndDie(directory, fds[1], confirms);
  close(fds[1]);
  char said = 0;
  ASSERT_EQ(read(fds[0], &said, 1), 1) << "the process did not start";
  // Before, during and after the change: it takes some 30 ms.
  poll(nullptr, 0, static_cast<int>(moment.count()));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(fds[0]);
  const bool was_confirmed = access(kept.c_str(), F_OK) == 0;
  const auto killed = Clock::now();
  const firewall::ChangeFiles files(directory);
  // Confirmed: kept already, or to be kept at the next start.
  if (was_confirmed || files.Exists(firewall::kConfirmedFile)) {
    ++outcomes.confirmed;
    EXPECT_TRUE(*backend.InForce(RuleNamed("new"), Now()));
    ASSERT_TRUE(files.Remove(firewall::kConfirmedFile).ok());
    return;
  }
  const bool was_marked = files.Exists(firewall::kPendingFile);
  if (!*backend.InForce(RuleNamed("new"), Now()) && !was_marked) ++outcomes.never_applied;
  // In time: the deadline of a second, and one more.
  const auto took = WaitFor(backend, RuleNamed("old"), seconds(5));
  ASSERT_TRUE(took) << "killed after " << moment.count() << " ms";
  // Then it stays so: the watchdog is done, or was never started.
  while (firewall::WatchdogLives(files) && Clock::now() - killed < seconds(5))
    std::this_thread::yield();
  EXPECT_TRUE(*backend.InForce(RuleNamed("old"), Now()));
  const auto all = std::chrono::duration_cast<milliseconds>(Clock::now() - killed);
  outcomes.worst = std::max(outcomes.worst, all);
  EXPECT_LE(all, seconds(2)) << "killed after " << moment.count() << " ms";
  if (was_marked) ++outcomes.rolled_back;
  // The next start clears up.
  const auto guard = ChangeGuard::Open(backend, Watched(directory), Now());
  ASSERT_TRUE(guard.ok()) << guard.status();
  EXPECT_TRUE(*backend.InForce(RuleNamed("old"), Now()));
}

TEST(ChangeGuardWatched, KilledAtAnyMomentTheOldRulesComeBackOrTheConfirmedOnesStay) {
  const std::size_t kills = CountFromEnvironment("NTA_FIREWALL_KILLS", 6);
  InFirewall([&](NftablesBackend& backend, const std::string& directory) {
    Outcomes outcomes;
    for (std::size_t i = 0; i < kills; ++i) {
      // Every third is left alone long enough to confirm.
      const bool confirms = i % 3 == 2;
      const auto span = kills > 1 ? 120 * i / (kills - 1) : 0;
      KillAt(backend, directory, milliseconds(confirms ? 400 : span), confirms, outcomes);
      if (testing::Test::HasFatalFailure()) return;
    }
    std::printf(
        "%d rolled back, %d confirmed, %d killed before anything; worst %d ms after the kill\n",
        outcomes.rolled_back, outcomes.confirmed, outcomes.never_applied,
        static_cast<int>(outcomes.worst.count()));
    EXPECT_GT(outcomes.rolled_back, 0);
    EXPECT_GT(outcomes.confirmed, 0);
  });
}

// The state directory stays, the kernel is empty, no process of ours lives, and the start of the
// machine has another number.
void Restart(const std::string& directory, bool confirms, int round, Outcomes& outcomes) {
  InNamespace([&] {
    auto backend = NftablesBackend::Open({.lock_path = directory + "/lock"});
    ASSERT_TRUE(backend.ok()) << backend.status();
    ASSERT_TRUE((*backend)->Replace(RuleNamed("old"), Now()).ok());
    auto guard = ChangeGuard::Open(**backend, Watched(directory), Now());
    ASSERT_TRUE(guard.ok()) << guard.status();
    const auto change = (*guard)->Apply(RuleNamed("new"),
                                        {.connection = "1", .confirm_within = seconds(30)}, Now());
    ASSERT_TRUE(change.ok()) << change.status();
    if (confirms) {
      ASSERT_TRUE((*guard)->Confirm(change->token, "2", Now()).ok());
    }
    // The machine goes down with everything on it: the watchdog, too. It holds its lock.
    const std::string pid = Output("fuser " + directory +
                                   "/watchdog.lock 2>/dev/null || lslocks -n -o PID,PATH | awk '$2 "
                                   "~ /watchdog.lock/ {print $1}'");
    if (!confirms) {
      ASSERT_GT(std::atoi(pid.c_str()), 1) << pid;
      kill(std::atoi(pid.c_str()), SIGKILL);
    }
  });
  InNamespace([&] {
    const std::string boot_id = directory + "/boot_id";
    WriteFile(boot_id.c_str(),
              "00000000-0000-0000-0000-00000000000" + std::to_string(round % 10) + "\n");
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(boot_id.c_str(), "/proc/sys/kernel/random/boot_id", nullptr, MS_BIND, nullptr) != 0) {
      GTEST_SKIP() << "no mount namespace: the machine cannot seem to start anew";
    }
    auto backend = NftablesBackend::Open({.lock_path = directory + "/lock"});
    ASSERT_TRUE(backend.ok()) << backend.status();
    ASSERT_EQ(*(*backend)->Current(Now()), RuleSet());
    auto guard = ChangeGuard::Open(**backend, Watched(directory), Now());
    ASSERT_TRUE(guard.ok()) << guard.status();
    if (confirms) {
      // The desired state is the store's; nothing is left to take back.
      EXPECT_EQ(*(*backend)->Current(Now()), RuleSet());
      EXPECT_TRUE(*(*guard)->Reconcile(RuleNamed("new"), Now()));
      EXPECT_TRUE(*(*backend)->InForce(RuleNamed("new"), Now()));
    } else {
      EXPECT_TRUE(*(*backend)->InForce(RuleNamed("old"), Now()));
      EXPECT_EQ((*(*guard)->AdvanceTo(Now()))->cause, RollBackCause::kRestart);
    }
  });
  ++(confirms ? outcomes.confirmed : outcomes.rolled_back);
}

TEST(ChangeGuardWatched, AfterARestartOfTheMachineTheOldRulesAreInForce) {
  if (!HaveNft()) GTEST_SKIP() << "no nft on this machine: nothing was enforced";
  const std::size_t restarts = CountFromEnvironment("NTA_FIREWALL_RESTARTS", 3);
  Outcomes outcomes;
  for (std::size_t i = 0; i < restarts; ++i) {
    const TemporaryDirectory directory;
    Restart(directory.path(), i % 3 == 2, static_cast<int>(i), outcomes);
    if (testing::Test::HasFailure() || testing::Test::IsSkipped()) return;
  }
  std::printf("%d rolled back, %d confirmed\n", outcomes.rolled_back, outcomes.confirmed);
}

}  // namespace
}  // namespace nta::test

#include "firewall/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>

namespace nta::firewall {
namespace {

using std::chrono::milliseconds;

TEST(ChildProcess, GetsItsInputAndNothingElse) {
  setenv("NTA_SECRET", "secret", 1);
  const auto run =
      RunProgram({.path = "/bin/sh",
                  .arguments = {"-c", "cat; env; ls /proc/self/fd; echo no >&2; exit 3"},
                  .input = "input\n"});
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->exit_code, 3);
  EXPECT_EQ(run->errors, "no\n");
  EXPECT_THAT(run->output, testing::StartsWith("input\n"));
  EXPECT_THAT(run->output, testing::HasSubstr("LC_ALL=C"));
  EXPECT_THAT(run->output, testing::Not(testing::HasSubstr("secret")));
  // ls itself opens the directory as its fourth.
  EXPECT_THAT(run->output, testing::EndsWith("0\n1\n2\n3\n"));
}

TEST(ChildProcess, LargeInputAndOutputPass) {
  const std::string input(5 << 20, 'x');
  const auto run = RunProgram({.path = "/bin/cat", .input = input});
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->output, input);
}

TEST(ChildProcess, TimeAndOutputAreBounded) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(RunProgram({.path = "/bin/sleep", .arguments = {"100"}, .timeout = milliseconds(50)})
                .status()
                .code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(
      RunProgram({.path = "/bin/cat", .arguments = {"/dev/zero"}, .max_output_bytes = 100'000})
          .status()
          .code(),
      absl::StatusCode::kResourceExhausted);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(ChildProcess, ArgumentsAreNoShell) {
  const auto run = RunProgram({.path = "/bin/echo", .arguments = {"$HOME; `id`", "a b"}});
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(run->output, "$HOME; `id` a b\n");
}

TEST(ChildProcess, WhatCannotBeStartedIsAnError) {
  EXPECT_EQ(RunProgram({.path = "/nowhere/x"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(RunProgram({.path = "/etc/passwd"}).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(FindProgram("sh", "").value(), "/usr/bin/sh");
  EXPECT_EQ(FindProgram("no-such-program", "").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(FindProgram("sh", "bin/sh").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace nta::firewall

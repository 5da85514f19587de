#include "options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "http/static_files.h"
#include "secret_file.h"

namespace nta::server {
namespace {

using testing::HasSubstr;

class OptionsTest : public testing::Test {
 protected:
  OptionsTest() : directory_(std::filesystem::temp_directory_path() / ("nta-" + RandomName())) {
    std::filesystem::create_directory(directory_);
  }
  ~OptionsTest() override {
    std::filesystem::remove_all(directory_);
    for (const std::string& name : variables_) unsetenv(name.c_str());
  }

  static std::string RandomName() {
    return std::to_string(std::hash<std::string>()(
               testing::UnitTest::GetInstance()->current_test_info()->name())) +
           "-" + std::to_string(getpid());
  }

  void SetVariable(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    variables_.push_back(name);
  }

  std::string Write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const std::string path = directory_ / name;
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }

  // The exit status, or -1 when the options are good and stand in options_.
  int Read(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "nta-server");
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    std::ostringstream out;
    std::ostringstream err;
    const auto read = ReadOptions(static_cast<int>(argv.size()), argv.data(), out, err);
    out_ = out.str();
    err_ = err.str();
    if (const auto* exit_now = std::get_if<ExitNow>(&read)) return exit_now->status;
    options_ = std::get<ServerOptions>(read);
    return -1;
  }

  std::filesystem::path directory_;
  std::vector<std::string> variables_;
  ServerOptions options_;
  std::string out_;
  std::string err_;
};

TEST_F(OptionsTest, HaveDefaultsThatHarmNobody) {
  ASSERT_EQ(Read({}), -1) << err_;
  EXPECT_EQ(ToString(options_.listen_address), "127.0.0.1:8080");
  EXPECT_EQ(options_.database, "nta-data/nta.db");
  EXPECT_EQ(options_.idle_timeout_seconds, 30);
  EXPECT_EQ(options_.active_timeout_seconds, 60);
}

TEST_F(OptionsTest, StatisticsAndApplicationsAreOnUntilSwitchedOff) {
  ASSERT_EQ(Read({}), -1) << err_;
  EXPECT_TRUE(options_.statistics);
  EXPECT_TRUE(options_.applications);
  ASSERT_EQ(Read({"--statistics", "off", "--applications", "off"}), -1) << err_;
  EXPECT_FALSE(options_.statistics);
  EXPECT_FALSE(options_.applications);
  ASSERT_EQ(Read({"--config", Write("nta.toml", "statistics = false\napplications = \"on\"\n")}),
            -1)
      << err_;
  EXPECT_FALSE(options_.statistics);
  EXPECT_TRUE(options_.applications);
  EXPECT_EQ(Read({"--statistics", "perhaps"}), 2);
  EXPECT_THAT(err_, HasSubstr("--statistics"));
}

TEST_F(OptionsTest, FlagsCountBeforeEnvironmentBeforeFile) {
  const std::string file = Write(
      "nta.toml", "idle_timeout = 1\nactive_timeout = 2.5\nmax_flows = 3\nlisten = \"[::1]:0\"\n");
  SetVariable("NTA_IDLE_TIMEOUT", "10");
  SetVariable("NTA_ACTIVE_TIMEOUT", "20");
  ASSERT_EQ(Read({"--config", file, "--idle-timeout", "100"}), -1) << err_;
  EXPECT_EQ(options_.idle_timeout_seconds, 100);
  EXPECT_EQ(options_.active_timeout_seconds, 20);
  EXPECT_EQ(options_.max_flows, 3U);
  EXPECT_EQ(ToString(options_.listen_address), "[::1]:0");
}

TEST_F(OptionsTest, ASourceOnTheCommandLineReplacesTheOneInTheFile) {
  const std::string file = Write("nta.toml", "interface = \"eth0\"\n");
  ASSERT_EQ(Read({"--config", file, "--pcap", "x.pcap"}), -1) << err_;
  EXPECT_TRUE(options_.interfaces.empty());
  EXPECT_EQ(options_.replay, "x.pcap");
}

TEST_F(OptionsTest, SeveralInterfacesMayBeNamed) {
  const std::vector<std::string> both{"eth0", "eth1"};
  ASSERT_EQ(Read({"--interface", "eth0", "--interface", "eth1", "--filter", "tcp"}), -1) << err_;
  EXPECT_EQ(options_.interfaces, both);
  ASSERT_EQ(Read({"--interface", "eth0,eth1"}), -1) << err_;
  EXPECT_EQ(options_.interfaces, both);
  ASSERT_EQ(Read({"--config", Write("n.toml", "interface = [\"eth0\", \"eth1\"]\n")}), -1) << err_;
  EXPECT_EQ(options_.interfaces, both);
  EXPECT_EQ(Read({"--config", Write("m.toml", "interface = [[]]\n")}), 2);
  SetVariable("NTA_INTERFACE", "eth0,eth1");
  ASSERT_EQ(Read({}), -1) << err_;
  EXPECT_EQ(options_.interfaces, both);
}

TEST_F(OptionsTest, MistakesInTheFileAreNamed) {
  EXPECT_EQ(Read({"--config", Write("a.toml", "idle_timout = 1\n")}), 2);
  EXPECT_THAT(err_, HasSubstr("idle_timout"));
  EXPECT_EQ(Read({"--config", Write("b.toml", "max_flows = -1\n")}), 2);
  EXPECT_THAT(err_, HasSubstr("max_flows"));
  EXPECT_EQ(Read({"--config", Write("c.toml", "idle_timeout = \n")}), 2);
  EXPECT_THAT(err_, HasSubstr("c.toml:1"));
  EXPECT_EQ(Read({"--config", Write("d.toml", "listen = [\"a\"]\n")}), 2);
  EXPECT_EQ(Read({"--config", (directory_ / "missing.toml").string()}), 2);
}

TEST_F(OptionsTest, KeysSpeltAsFlagsAreToldTheRightSpelling) {
  EXPECT_EQ(Read({"--config", Write("a.toml", "idle-timeout = 1\n")}), 2);
  EXPECT_THAT(err_, HasSubstr("did you mean \"idle_timeout\"?"));
  EXPECT_EQ(Read({"--config", Write("b.toml", "no-such-key = 1\n")}), 2);
  EXPECT_THAT(err_, Not(HasSubstr("did you mean")));
}

TEST_F(OptionsTest, WholeNumbersMayBeWrittenWithAnExponent) {
  ASSERT_EQ(Read({"--config", Write("a.toml", "max_flows = 1e6\nidle_timeout = 2.0\n")}), -1)
      << err_;
  EXPECT_EQ(options_.max_flows, 1'000'000U);
  EXPECT_EQ(options_.idle_timeout_seconds, 2.0);
  EXPECT_EQ(Read({"--config", Write("b.toml", "max_flows = 1.5\n")}), 2);
  EXPECT_EQ(Read({"--config", Write("c.toml", "max_flows = 1e300\n")}), 2);
}

TEST_F(OptionsTest, AFileThatOthersMayWriteIsRefused) {
  EXPECT_EQ(Read({"--config", Write("nta.toml", "max_flows = 3\n", 0666)}), 2);
  EXPECT_THAT(err_, HasSubstr("others may write"));
}

TEST_F(OptionsTest, ListeningBeyondThisMachineNeedsAWordOfConsent) {
  for (const char* address : {"0.0.0.0:8080", "[::]:8080", "192.0.2.1:80"}) {
    EXPECT_EQ(Read({"--listen", address}), 2) << address;
    EXPECT_THAT(err_, HasSubstr("--allow-insecure-remote"));
    EXPECT_EQ(Read({"--listen", address, "--allow-insecure-remote"}), -1) << err_;
  }
  EXPECT_EQ(Read({"--listen", "127.8.9.10:0"}), -1) << err_;
}

TEST_F(OptionsTest, WrongUsageExitsWith2AndOneLine) {
  const std::vector<std::vector<std::string>> wrong = {{"--listen", "8080"},
                                                       {"--listen", "localhost"},
                                                       {"--listen", "127.0.0.1:65536"},
                                                       {"--listen", "::1:80"},
                                                       {"--listen", "127.0.0.1:-1"},
                                                       {"--interface", "lo", "--pcap", "x"},
                                                       {"--file", "y", "--pcap", "x"},
                                                       {"--filter", "tcp"},
                                                       {"--idle-timeout", "0"},
                                                       {"--idle-timeout", "soon"},
                                                       {"--max-flows", "0"},
                                                       {"--no-such-option"},
                                                       {"stray"}};
  for (const auto& arguments : wrong) {
    EXPECT_EQ(Read(arguments), 2) << arguments[0];
    EXPECT_NE(err_, "");
  }
}

TEST_F(OptionsTest, HelpNamesUnitsAndDefaults) {
  EXPECT_EQ(Read({"--help"}), 0);
  EXPECT_THAT(out_, HasSubstr("127.0.0.1:8080"));
  EXPECT_THAT(out_, HasSubstr("Seconds of silence"));
  EXPECT_THAT(out_, HasSubstr("1000000"));
  EXPECT_THAT(out_, HasSubstr("NTA_LISTEN"));
}

using SecretFileTest = OptionsTest;

TEST_F(SecretFileTest, IsMadeOnceAndForItsOwnerOnly) {
  const std::string path = directory_ / "jwt.key";
  const auto first = LoadOrCreateSecret(path);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->size(), 32U);
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  EXPECT_EQ(*LoadOrCreateSecret(path), *first);
  EXPECT_NE(*LoadOrCreateSecret(directory_ / "other.key"), *first);
}

TEST_F(SecretFileTest, IsRefusedWhenWeak) {
  EXPECT_FALSE(LoadOrCreateSecret(Write("short", std::string(31, 'x'))).ok());
  EXPECT_FALSE(LoadOrCreateSecret(Write("empty", "")).ok());
  for (const mode_t mode : {0640, 0604, 0660, 0644}) {
    EXPECT_FALSE(LoadOrCreateSecret(Write("open", std::string(32, 'x'), mode)).ok()) << mode;
  }
  const std::string target = Write("target", std::string(32, 'x'));
  std::filesystem::create_symlink(target, directory_ / "link");
  EXPECT_FALSE(LoadOrCreateSecret(directory_ / "link").ok());
  std::filesystem::create_directory(directory_ / "directory");
  EXPECT_FALSE(LoadOrCreateSecret(directory_ / "directory").ok());
  ASSERT_EQ(mkfifo((directory_ / "fifo").c_str(), 0600), 0);
  EXPECT_FALSE(LoadOrCreateSecret(directory_ / "fifo").ok());
  EXPECT_TRUE(absl::IsNotFound(LoadOrCreateSecret(directory_ / "missing" / "key").status()));
}

class StaticFilesTest : public OptionsTest {
 protected:
  StaticFilesTest() {
    std::filesystem::create_directory(directory_ / "assets");
    Write("index.html", "<p>home</p>");
    Write("assets/app-1a2b.js", "js");
    Write("secret.key", "no dashboard has such a file");
    std::filesystem::create_symlink("/etc/passwd", directory_ / "passwd.txt");
    std::filesystem::create_directory_symlink("/etc", directory_ / "etc");
  }

  static std::string Body(const Response& response) {
    return response.shared_body == nullptr ? response.body : *response.shared_body;
  }
  static std::string Header(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "";
  }
};

TEST_F(StaticFilesTest, AreServedWithTypeAndCaching) {
  const StaticFiles files = *StaticFiles::Load(directory_);
  const Response script = files.Get("/assets/app-1a2b.js", "");
  EXPECT_EQ(Body(script), "js");
  EXPECT_THAT(script.content_type, HasSubstr("text/javascript"));
  EXPECT_THAT(Header(script, "Cache-Control"), HasSubstr("immutable"));
  EXPECT_EQ(Header(files.Get("/index.html", ""), "Cache-Control"), "no-cache");
  EXPECT_EQ(files.Get("/assets/app-1a2b.js", Header(script, "ETag")).status, 304);
}

TEST_F(StaticFilesTest, FallBackToTheIndexForPagesOnly) {
  const StaticFiles files = *StaticFiles::Load(directory_);
  EXPECT_EQ(Body(files.Get("/", "")), "<p>home</p>");
  EXPECT_EQ(Body(files.Get("/explore/flows", "")), "<p>home</p>");
  EXPECT_EQ(files.Get("/assets/missing.js", "").status, 404);
}

TEST_F(StaticFilesTest, AreOnlyThoseThatWereReadAtTheStart) {
  const StaticFiles files = *StaticFiles::Load(directory_);
  Write("late.html", "late");
  for (const char* path : {"/secret.key", "/passwd.txt", "/etc/hostname.txt", "/../index.html",
                           "/assets/../secret.key", "//etc/passwd", "/etc/passwd", "/late.html",
                           "/assets/..%2f", "/.", "/.."}) {
    EXPECT_THAT(Body(files.Get(path, "")), testing::Not(HasSubstr("root:"))) << path;
    EXPECT_THAT(Body(files.Get(path, "")), testing::Not(HasSubstr("no dashboard"))) << path;
  }
  EXPECT_EQ(files.Get("/late.html", "").status, 404);
}

TEST_F(StaticFilesTest, TellHowToBuildTheDashboardWhenThereIsNone) {
  const StaticFiles files = *StaticFiles::Load((directory_ / "assets").string());
  EXPECT_FALSE(files.has_dashboard());
  EXPECT_THAT(Body(files.Get("/", "")), HasSubstr("npm run build"));
}

}  // namespace
}  // namespace nta::server

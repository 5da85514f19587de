// Texts from people who mean harm: none of them makes an object that nobody asked for.
#include <gtest/gtest.h>

#include <functional>

#include "firewall/firewall_namespace.h"
#include "nta/firewall/system_protection.h"

namespace nta::test {
namespace {

// More than two hundred, each with a table PWNED in it where it can have one.
std::vector<std::string> HostileTexts() {
  const std::string attack = "add table inet PWNED";
  std::vector<std::string> texts{attack,
                                 "drop ; " + attack,
                                 "\"; " + attack + "; #",
                                 "' ; " + attack + " ; '",
                                 "x\n" + attack,
                                 "x\r\n" + attack + "\r\n",
                                 "x\\\n" + attack,
                                 "}\n" + attack + "\n{",
                                 "x } ; " + attack + " ; table inet y {",
                                 "$(nft " + attack + ")",
                                 "`nft " + attack + "`",
                                 "| nft " + attack,
                                 "&& nft " + attack,
                                 "x; include \"/tmp/evil\"",
                                 "include \"/etc/passwd\"",
                                 "define x = 1; " + attack,
                                 "@blocked",
                                 "@*",
                                 "* ; " + attack,
                                 "../../etc/passwd",
                                 "-f/etc/passwd",
                                 "--file=/etc/passwd",
                                 "-i",
                                 "--interactive",
                                 "%s%s%s%n",
                                 "{{7*7}}",
                                 "\xff\xfe",
                                 "\xc0\xaf",
                                 "\xe2\x80\xa8" + attack,
                                 "\xe2\x80\xae" + attack,
                                 std::string("a\0b", 3),
                                 std::string(1, '\0'),
                                 std::string(129, 'a'),
                                 std::string(4096, 'a'),
                                 std::string(1 << 20, 'a'),
                                 "flush ruleset",
                                 "x\tdelete table inet nta",
                                 "/* */ " + attack,
                                 "# " + attack,
                                 "x # " + attack,
                                 "accept",
                                 "drop",
                                 "counter",
                                 "policy drop",
                                 "0",
                                 "-1",
                                 " ",
                                 "  lead",
                                 "trail  ",
                                 "",
                                 "\"",
                                 "'",
                                 "\\",
                                 "\\\"",
                                 "\"\"",
                                 "a\"b",
                                 "eth0\" accept ; " + attack + " ; iifname \"x"};
  // Each control and each punctuation mark, alone and before the attack.
  for (int c = 1; c < 256 && texts.size() < 260; ++c) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!plain) texts.push_back("a" + std::string(1, static_cast<char>(c)) + attack);
  }
  return texts;
}

struct HostileField {
  const char* name;
  std::function<void(RuleSetParts&, const std::string&)> put;
};

RuleSetParts Harmless() {
  RuleSetParts parts;
  Rule rule{.id = "rule", .direction = RuleDirection::kIn, .verdict = RuleVerdict::kDrop};
  rule.source.sets = {"set"};
  rule.log = true;
  parts.rules = {rule};
  parts.sets = {{.name = "set", .elements = {{.prefix = Prefix("192.0.2.1")}}}};
  return parts;
}

TEST(HostileText, NoFieldOfARuleMakesAForeignObject) {
  const std::vector<HostileField> fields = {
      {"id", [](RuleSetParts& parts, const std::string& text) { parts.rules[0].id = text; }},
      {"comment",
       [](RuleSetParts& parts, const std::string& text) { parts.rules[0].comment = text; }},
      {"author",
       [](RuleSetParts& parts, const std::string& text) { parts.rules[0].author = text; }},
      {"in_interface",
       [](RuleSetParts& parts, const std::string& text) { parts.rules[0].in_interface = text; }},
      {"out_interface",
       [](RuleSetParts& parts, const std::string& text) {
         parts.rules[0].direction = RuleDirection::kForward;
         parts.rules[0].out_interface = text;
       }},
      {"set of a rule",
       [](RuleSetParts& parts, const std::string& text) { parts.rules[0].source.sets = {text}; }},
      {"name of a set", [](RuleSetParts& parts, const std::string& text) {
         parts.sets[0].name = text;
         parts.rules[0].source.sets = {text};
       }}};
  const std::vector<std::string> texts = HostileTexts();
  ASSERT_GE(texts.size(), 200U);
  InFirewall([&](NftablesBackend& backend, const std::string&) {
    ASSERT_TRUE(Shell("nft add table inet other"));
    int applied = 0, refused = 0;
    for (const HostileField& field : fields) {
      for (const std::string& text : texts) {
        RuleSetParts parts = Harmless();
        field.put(parts, text);
        const auto rules = RuleSet::Create(parts);
        if (!rules.ok()) {
          ++refused;
          continue;
        }
        ++applied;
        const absl::Status status = backend.Replace(*rules, Now());
        ASSERT_TRUE(status.ok()) << field.name << ": " << text << ": " << status;
        ASSERT_EQ(*backend.Current(Now()), *rules) << field.name << ": " << text;
        ASSERT_EQ(Output("nft list tables"), "table inet other\ntable inet nta\n") << text;
      }
    }
    EXPECT_GT(applied, 10) << "some are harmless, and are kept as they are";
    EXPECT_GT(refused, 1000);
    EXPECT_EQ(Output("nft list table inet other"), "table inet other {\n}\n");
    std::printf("%d texts were put into force as they are, %d were refused\n", applied, refused);
  });
}

TEST(HostileText, NamesOfTablesAndSetsAreChecked) {
  InFirewall([&](NftablesBackend& backend, const std::string& directory) {
    ASSERT_TRUE(backend.Replace(Rules(Harmless()), Now()).ok());
    const std::string before = Output("nft list ruleset");
    const std::vector<SetElement> element{{.prefix = Prefix("192.0.2.2")}};
    for (const std::string& text : HostileTexts()) {
      EXPECT_FALSE(backend.AddToSet(text, element, Now()).ok()) << text;
      EXPECT_FALSE(backend.RemoveFromSet(text, {}, Now()).ok()) << text;
      EXPECT_FALSE(backend.Import("inet", text).ok()) << text;
      EXPECT_FALSE(backend.Import(text, "nta").ok()) << text;
      EXPECT_FALSE(
          NftablesBackend::Open({.table = text + " ", .lock_path = directory + "/lock"}).ok());
    }
    EXPECT_EQ(Output("nft list ruleset"), before);
  });
}

TEST(HostileText, NoLineOfResolvConfBecomesMoreThanAnAddress) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/resolv.conf";
  std::string text;
  for (const std::string& hostile : HostileTexts()) text += "nameserver " + hostile + "\n";
  WriteFile(path.c_str(), text + "\nnameserver 192.0.2.53\n");
  const auto safe = GatherProtectedSet({.resolv_conf = path});
  ASSERT_TRUE(safe.ok()) << safe.status();
  int resolvers = 0;
  for (const ProtectedPeer& peer : safe->peers) resolvers += peer.role == ProtectedRole::kResolver;
  EXPECT_EQ(resolvers, 1);
}

}  // namespace
}  // namespace nta::test

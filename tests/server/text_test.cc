#include "text.h"

#include <gtest/gtest.h>

#include <string>

#include "http/json_text.h"

namespace nta::server {
namespace {

TEST(Base64Url, GoesThereAndBack) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(Base64UrlDecode(Base64UrlEncode(bytes)), bytes);
    bytes.push_back(static_cast<char>(i * 37));
  }
}

TEST(Base64Url, FollowsRfc4648) {
  EXPECT_EQ(Base64UrlEncode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base64UrlEncode("fooba"), "Zm9vYmE");
  EXPECT_EQ(Base64UrlEncode("foob"), "Zm9vYg");
  EXPECT_EQ(Base64UrlEncode("\xFF\xFE\xFB"), "__77");
}

TEST(Base64Url, HasOneTextForEachValue) {
  for (const char* text : {"Zg==", "Zg=", "Zh", "Zm9vYmF=", "A", "Zm9vYmFyA", "Zm9v YmFy", "Zm9v\n",
                           "+/", "Zm9vYmF"}) {
    const auto decoded = Base64UrlDecode(text);
    EXPECT_TRUE(!decoded || Base64UrlEncode(*decoded) == text) << text;
  }
  EXPECT_FALSE(Base64UrlDecode("Zh"));    // trailing bits
  EXPECT_FALSE(Base64UrlDecode("Zg=="));  // padding
  EXPECT_FALSE(Base64UrlDecode("+/+/"));  // the other alphabet
}

TEST(Utf8Length, CountsCodePointsAndRefusesWhatIsNotUtf8) {
  EXPECT_EQ(Utf8Length("abc"), 3U);
  EXPECT_EQ(Utf8Length("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"), 3U);
  for (const char* text :
       {"\xFF", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC3", "\x80"}) {
    EXPECT_FALSE(Utf8Length(text)) << text;
  }
}

TEST(Printable, LeavesNoControlCharacter) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  all += "\xE2\x80\xAE\xE2\x80\xA8\x1B[31m";
  const std::string printable = Printable(all);
  ASSERT_TRUE(Utf8Length(printable));
  for (const unsigned char c : printable) EXPECT_TRUE(c >= 0x20 && c != 0x7F) << int{c};
  EXPECT_EQ(printable.find("\xE2\x80\xAE"), std::string::npos);
  EXPECT_EQ(printable.find("\xC2\x80"), std::string::npos);
}

TEST(RandomToken, IsNeverTheSame) {
  EXPECT_NE(RandomToken(32), RandomToken(32));
  EXPECT_EQ(RandomToken(32).size(), 43U);
}

TEST(ParseFlatObject, ReadsScalars) {
  const auto object = ParseFlatObject(R"({"a":"x","b":-3,"c":true,"d":null,"e":1.5})");
  ASSERT_TRUE(object.ok());
  EXPECT_EQ(std::get<std::string>(object->at("a")), "x");
  EXPECT_EQ(std::get<std::int64_t>(object->at("b")), -3);
  EXPECT_EQ(std::get<bool>(object->at("c")), true);
  EXPECT_EQ(std::get<double>(object->at("e")), 1.5);
}

TEST(ParseFlatObject, RefusesWhatIsNotAFlatObject) {
  for (const char* text : {"",
                           " ",
                           "null",
                           "1",
                           "\"a\"",
                           "[]",
                           "[{}]",
                           R"({"a":{}})",
                           R"({"a":[]})",
                           R"({"a":1,"a":2})",
                           R"({"a":1}{})",
                           R"({"a":1},)",
                           R"({a:1})",
                           R"({"a":1,})",
                           R"({"a":01})",
                           R"({"a":1e999})",
                           R"({"a":18446744073709551615})",
                           "{\"a\":\"\xFF\"}",
                           "{\"a\":\"\n\"}",
                           "// x\n{}",
                           R"({"a")"}) {
    EXPECT_FALSE(ParseFlatObject(text).ok()) << text;
  }
}

TEST(ParseFlatObject, StopsEarlyAtDeepNestingAndManyMembers) {
  EXPECT_FALSE(ParseFlatObject(std::string(1 << 16, '[')).ok());
  std::string many = "{";
  for (int i = 0; i < 1000; ++i) many += "\"" + std::to_string(i) + "\":0,";
  many.back() = '}';
  EXPECT_FALSE(ParseFlatObject(many).ok());
}

TEST(ParseObject, GivesTextsAsTheyAreAndOtherValuesAsJson) {
  const auto members = ParseObject(
      R"({"a":"x\"y","b":[1,{"c":null}],"d":{"e":2},"f":1.5,"g":-3,"h":true,"i":null})");
  ASSERT_TRUE(members.ok()) << members.status();
  using Type = JsonMember::Type;
  const auto expect = [&](const char* name, Type type, std::string_view text) {
    EXPECT_EQ(members->at(name).type, type) << name;
    EXPECT_EQ(members->at(name).text, text) << name;
  };
  expect("a", Type::kText, "x\"y");
  expect("b", Type::kArray, R"([1,{"c":null}])");
  expect("d", Type::kObject, R"({"e":2})");
  expect("f", Type::kNumber, "1.5");
  expect("g", Type::kInteger, "-3");
  expect("h", Type::kBoolean, "true");
  expect("i", Type::kNull, "null");
}

TEST(ParseObject, RefusesWhatIsNoObjectOrOutOfBounds) {
  for (const char* text :
       {"", "null", "[]", "\"a\"", "1", R"({"a":{"b":1,"b":2}})", R"({"a":1,"a":2})",
        R"({"a":1}{})", R"({"a":[1,})", R"({"a":1e999})", "{\"a\":[\"\xFF\"]}", "{} // x"}) {
    EXPECT_FALSE(ParseObject(text).ok()) << text;
  }
  const std::string deep = "{\"a\":" + std::string(10'000, '[') + std::string(10'000, ']') + "}";
  EXPECT_FALSE(ParseObject(deep).ok());
  EXPECT_TRUE(ParseObject("{\"a\":" + std::string(15, '[') + std::string(15, ']') + "}").ok());
  EXPECT_FALSE(ParseObject("{\"a\":" + std::string(16, '[') + std::string(16, ']') + "}").ok());
}

TEST(JsonQuote, EscapesAndReplaces) {
  EXPECT_EQ(JsonQuote("a\"b\\\n"), R"("a\"b\\\n")");
  EXPECT_EQ(JsonQuote("\xFF"), "\"\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace nta::server

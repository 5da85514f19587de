#include "auth/jwt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "text.h"

namespace nta::server {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;
const std::string kSecret(32, 'k');

Timestamp At(std::int64_t seconds) { return Timestamp(std::chrono::seconds(seconds)); }

TokenSigner Signer() { return *TokenSigner::Create(kSecret); }

TokenClaims Claims() {
  TokenClaims claims;
  claims.subject = "alice";
  claims.id = "session.1";
  claims.generation = 3;
  claims.issued_at = claims.not_before = kNow;
  claims.expires_at = kNow + 900;
  return claims;
}

// A claim set as text, with one member replaced, or left out when `value` is empty.
std::string Payload(std::string_view name = "", std::string_view value = "") {
  const std::vector<std::pair<std::string, std::string>> members = {
      {"iss", "\"nta-server\""},
      {"aud", "\"nta-api\""},
      {"sub", "\"alice\""},
      {"jti", "\"session.1\""},
      {"gen", "3"},
      {"iat", std::to_string(kNow)},
      {"nbf", std::to_string(kNow)},
      {"exp", std::to_string(kNow + 900)}};
  std::string text;
  for (const auto& [member, usual] : members) {
    const std::string used = member == name ? std::string(value) : usual;
    if (!used.empty()) text.append(text.empty() ? "{" : ",").append("\"" + member + "\":" + used);
  }
  return text + "}";
}

bool Accepts(const std::string& payload, std::int64_t now = kNow) {
  return Signer().Verify(MakeJws(payload, kSecret), At(now)).ok();
}

// Header and payload of a token whose header is what the test wants.
std::string Unsigned(std::string_view header) {
  const std::string good = MakeJws(Payload(), kSecret);
  const std::string body = good.substr(good.find('.'), good.rfind('.') - good.find('.'));
  return Base64UrlEncode(header) + body;
}

TEST(TokenSigner, AcceptsWhatItSigned) {
  const auto claims = Signer().Verify(Signer().Sign(Claims()), At(kNow));
  ASSERT_TRUE(claims.ok());
  EXPECT_EQ(claims->subject, "alice");
  EXPECT_EQ(claims->session, "session");
  EXPECT_EQ(claims->generation, 3);
}

TEST(TokenSigner, RefusesAKeyUnder32Bytes) {
  EXPECT_FALSE(TokenSigner::Create(std::string(31, 'k')).ok());
  EXPECT_FALSE(TokenSigner::Create("").ok());
  EXPECT_TRUE(TokenSigner::Create(std::string(32, 'k')).ok());
}

TEST(TokenSigner, RefusesAnotherKey) {
  EXPECT_FALSE(
      TokenSigner::Create(std::string(32, 'x'))->Verify(Signer().Sign(Claims()), At(kNow)).ok());
}

TEST(OpenJws, AcceptsTheExampleOfRfc7515) {
  const std::string key = *Base64UrlDecode(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  const auto payload = OpenJws(
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
      ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnV"
      "lfQ"
      ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
      key);
  ASSERT_TRUE(payload.ok());
  EXPECT_THAT(*payload, testing::HasSubstr("\"iss\":\"joe\""));
}

TEST(OpenJws, RefusesATokenWithoutMac) {
  const std::string good = MakeJws(Payload(), kSecret);
  EXPECT_FALSE(OpenJws(good.substr(0, good.rfind('.') + 1), kSecret).ok());
  EXPECT_FALSE(OpenJws(good.substr(0, good.rfind('.')), kSecret).ok());
  EXPECT_FALSE(OpenJws("..", kSecret).ok());
  EXPECT_FALSE(OpenJws("", kSecret).ok());
}

// Each header is signed with the right key, so that only the header can be the reason.
TEST(OpenJws, RefusesEveryOtherHeader) {
  for (const std::string_view header :
       {R"({"alg":"none","typ":"JWT"})",
        R"({"alg":"None","typ":"JWT"})",
        R"({"alg":"nOnE","typ":"JWT"})",
        R"({"typ":"JWT"})",
        R"({"alg":"HS256"})",
        R"({"alg":"HS384","typ":"JWT"})",
        R"({"alg":"HS512","typ":"JWT"})",
        R"({"alg":"RS256","typ":"JWT"})",
        R"({"alg":"hs256","typ":"JWT"})",
        R"({"alg":"HS256","typ":"jwt"})",
        R"({"alg":["HS256"],"typ":"JWT"})",
        R"({"alg":null,"typ":"JWT"})",
        R"({"alg":"HS256","typ":"at+jwt"})",
        R"({"alg":"HS256","typ":"JWT","kid":"../../dev/null"})",
        R"({"alg":"HS256","typ":"JWT","kid":"' or 1=1"})",
        R"({"alg":"HS256","typ":"JWT","jku":"https://example.net/k"})",
        R"({"alg":"HS256","typ":"JWT","x5u":"https://example.net/k"})",
        R"({"alg":"HS256","typ":"JWT","jwk":{"kty":"oct","k":"AA"}})",
        R"({"alg":"HS256","typ":"JWT","crit":["exp"]})",
        R"({"alg":"HS256","typ":"JWT","zip":"DEF"})",
        R"({"alg":"HS256","alg":"HS256","typ":"JWT"})",
        R"({"alg":"none","alg":"HS256","typ":"JWT"})",
        R"({"alg":"HS256","typ":"JWT","cty":"JWT"})",
        R"(["HS256","JWT"])",
        R"("HS256")",
        "",
        "{}",
        R"({"alg":"HS256","typ":"JWT"}x)",
        "{\"alg\":\"HS256\\u0000\",\"typ\":\"JWT\"}"}) {
    const std::string input = Unsigned(header);
    EXPECT_FALSE(OpenJws(SignText(input, kSecret), kSecret).ok()) << header;
  }
  EXPECT_TRUE(
      OpenJws(SignText(Unsigned(R"({ "typ":"JWT", "alg":"HS256" })"), kSecret), kSecret).ok());
}

TEST(OpenJws, RefusesEveryFlippedBitAndEverySubstitutedCharacter) {
  const std::string good = MakeJws(Payload(), kSecret);
  ASSERT_TRUE(OpenJws(good, kSecret).ok());
  const auto refuses = [&](std::size_t at, char value) {
    std::string changed = good;
    changed[at] = value;
    return changed == good || !OpenJws(changed, kSecret).ok();
  };
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      ASSERT_TRUE(refuses(i, static_cast<char>(good[i] ^ (1 << bit)))) << i << " " << bit;
    }
    for (const char other : {'\0', 'A', '.', '=', '-'}) ASSERT_TRUE(refuses(i, other)) << i;
  }
}

TEST(OpenJws, RefusesEveryTruncationAndAddition) {
  const std::string good = MakeJws(Payload(), kSecret);
  for (std::size_t i = 0; i < good.size(); ++i)
    EXPECT_FALSE(OpenJws(good.substr(0, i), kSecret).ok()) << i;
  for (const std::string_view tail : {"=", "A", ".", ".A", " ", "\n"}) {
    EXPECT_FALSE(OpenJws(good + std::string(tail), kSecret).ok()) << tail;
    EXPECT_FALSE(OpenJws(std::string(tail) + good, kSecret).ok()) << tail;
  }
}

TEST(OpenJws, RefusesAnOversizedToken) {
  EXPECT_FALSE(OpenJws(MakeJws(std::string(1 << 20, ' ') + Payload(), kSecret), kSecret).ok());
}

TEST(TokenClaims, AreAllNeeded) {
  ASSERT_TRUE(Accepts(Payload()));
  for (const char* name : {"iss", "aud", "sub", "jti", "gen", "iat", "nbf", "exp"}) {
    EXPECT_FALSE(Accepts(Payload(name, ""))) << name;
  }
}

TEST(TokenClaims, HaveTheirTypes) {
  for (const char* name : {"iss", "aud", "sub", "jti", "gen", "iat", "nbf", "exp"}) {
    for (const char* value : {"null", "true", "[]", "{}", "[\"nta-api\"]", "1.5", "1e400", "-1",
                              "-1e400", "\"\"", "18446744073709551616", "9223372036854775808"}) {
      EXPECT_FALSE(Accepts(Payload(name, value))) << name << " " << value;
    }
  }
}

TEST(TokenClaims, AreNumbersWhereTheyCount) {
  for (const char* name : {"gen", "iat", "nbf", "exp"}) {
    EXPECT_FALSE(Accepts(Payload(name, "\"" + std::to_string(kNow) + "\""))) << name;
  }
}

TEST(TokenClaims, NameUsAndNobodyElse) {
  EXPECT_FALSE(Accepts(Payload("iss", "\"nta-server2\"")));
  EXPECT_FALSE(Accepts(Payload("aud", "\"nta\"")));
  EXPECT_FALSE(Accepts(Payload("sub", "\"" + std::string(65, 'a') + "\"")));
  EXPECT_FALSE(Accepts(Payload("jti", "\"no-dot\"")));
  EXPECT_FALSE(Accepts(Payload("jti", "\".1\"")));
}

TEST(TokenClaims, MayNotHaveOthersBesideThemNorBeDoubled) {
  std::string more = Payload();
  more.insert(1, R"("role":"admin",)");
  EXPECT_FALSE(Accepts(more));
  std::string doubled = Payload();
  doubled.insert(1, R"("sub":"root",)");
  EXPECT_FALSE(Accepts(doubled));
}

TEST(TokenClaims, MustBeUtf8AndFlat) {
  EXPECT_FALSE(Accepts(Payload("sub", "\"\xFF\xFE\"")));
  EXPECT_FALSE(Accepts(Payload("sub", "\"\xED\xA0\x80\"")));
  EXPECT_FALSE(Accepts(Payload("sub", std::string(200, '[') + std::string(200, ']'))));
  EXPECT_FALSE(Accepts(Payload() + " {}"));
  EXPECT_FALSE(Accepts("\xEF\xBB\xBF[" + Payload() + "]"));
}

TEST(TokenClaims, EndAtTheSecondOfExp) {
  EXPECT_TRUE(Accepts(Payload(), kNow + 899));
  EXPECT_FALSE(Accepts(Payload(), kNow + 900));
  EXPECT_FALSE(Accepts(Payload(), kNow + 901));
}

TEST(TokenClaims, BeginWithinTheLeewayOfNbfAndIat) {
  for (const char* name : {"nbf", "iat"}) {
    EXPECT_TRUE(Accepts(Payload(name, std::to_string(kNow + 5)))) << name;
    EXPECT_FALSE(Accepts(Payload(name, std::to_string(kNow + 6)))) << name;
  }
}

TEST(TokenClaims, MayNotLiveLongerThanADay) {
  EXPECT_TRUE(Accepts(Payload("exp", std::to_string(kNow + 86400))));
  EXPECT_FALSE(Accepts(Payload("exp", std::to_string(kNow + 86401))));
  EXPECT_FALSE(Accepts(Payload("exp", "9223372036854775807")));
}

}  // namespace
}  // namespace nta::server

#include "nta/notify/webhook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nta {
namespace {

TEST(Webhook, SignsAsEverybodyElseComputesIt) {
  // printf '1800000000.{"a":1}' | openssl dgst -sha256 -hmac key
  EXPECT_EQ(SignWebhook("key", 1'800'000'000, R"({"a":1})"),
            "v1=7330c9cf7d886970cbebbbb5494c04d2aeff06a990adb7d7a75abfeb0159d291");
}

TEST(Webhook, VerifiesOnlyTheSameBytesInTime) {
  const std::string signature = SignWebhook("key", 1000, "body");
  EXPECT_TRUE(VerifyWebhook("key", 1000, "body", signature, 1299));
  EXPECT_TRUE(VerifyWebhook("key", 1000, "body", signature, 701));
  EXPECT_FALSE(VerifyWebhook("key", 1000, "body", signature, 1301)) << "replayed later";
  EXPECT_FALSE(VerifyWebhook("key", 1000, "body", signature, 600));
  EXPECT_FALSE(VerifyWebhook("other", 1000, "body", signature, 1000));
  EXPECT_FALSE(VerifyWebhook("key", 1001, "body", signature, 1000));
  EXPECT_FALSE(VerifyWebhook("key", 1000, "bodY", signature, 1000));
  EXPECT_FALSE(VerifyWebhook("key", 1000, "body", "", 1000));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    std::string wrong = signature;
    wrong[i] = wrong[i] == '0' ? '1' : '0';
    EXPECT_FALSE(VerifyWebhook("key", 1000, "body", wrong, 1000)) << i;
  }
}

TEST(Webhook, CarriesTheAlertAsItIs) {
  Notification news;
  news.id = "a\"1";
  news.kind = "alert";
  news.severity = Severity::kCritical;
  news.subject = "line\r\nbreak";
  news.text = "two\nlines";
  news.json = R"({"id":"x"})";
  EXPECT_EQ(FormatWebhook(news),
            "{\"id\":\"a\\\"1\",\"time\":\"1970-01-01T00:00:00.000000000Z\",\"severity\":"
            "\"critical\",\"kind\":\"alert\",\"subject\":\"line\xEF\xBF\xBD\\nbreak\",\"text\":"
            "\"two\\nlines\",\"alert\":{\"id\":\"x\"}}");
}

}  // namespace
}  // namespace nta

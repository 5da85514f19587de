#include "app/guesses.h"

#include <gtest/gtest.h>

#include <string>

#include "nta/net/five_tuple.h"

namespace nta::internal {
namespace {

TEST(ApplicationOfPort, TellsTransportsApart) {
  EXPECT_EQ(ApplicationOfPort(kProtocolTcp, 443), Application::kTls);
  EXPECT_EQ(ApplicationOfPort(kProtocolUdp, 443), Application::kQuic);
  EXPECT_EQ(ApplicationOfPort(kProtocolUdp, 80), Application::kUnknown);
  EXPECT_EQ(ApplicationOfPort(kProtocolUdp, 51820), Application::kWireguard);
  EXPECT_EQ(ApplicationOfPort(kProtocolTcp, 20), Application::kFtpData);
  EXPECT_EQ(ApplicationOfPort(kProtocolSctp, 443), Application::kUnknown);
  EXPECT_EQ(ApplicationOfPort(kProtocolTcp, 65535), Application::kUnknown);
}

TEST(CategoryOfName, TakesTheLongestSuffixOfWholeLabels) {
  EXPECT_EQ(CategoryOfName("rr3---sn-4g5e6nez.googlevideo.com"), ApplicationCategory::kVideo);
  EXPECT_EQ(CategoryOfName("WWW.YouTube.com."), ApplicationCategory::kVideo);
  EXPECT_EQ(CategoryOfName("outlook.office.com"), ApplicationCategory::kMail);
  EXPECT_EQ(CategoryOfName("www.office.com"), ApplicationCategory::kCloud);
  EXPECT_EQ(CategoryOfName("x.com"), ApplicationCategory::kSocial);
  EXPECT_EQ(CategoryOfName("netflix.com.evil.example"), ApplicationCategory::kUnknown);
  EXPECT_EQ(CategoryOfName("notx.com"), ApplicationCategory::kUnknown);
  EXPECT_EQ(CategoryOfName("com"), ApplicationCategory::kUnknown);
  EXPECT_EQ(CategoryOfName(""), ApplicationCategory::kUnknown);
  EXPECT_EQ(CategoryOfName("..."), ApplicationCategory::kUnknown);
}

TEST(CategoryOfName, ReadsOnlyTheEndOfLongNames) {
  EXPECT_EQ(CategoryOfName(std::string(70'000, 'a') + ".spotify.com"), ApplicationCategory::kMusic);
  EXPECT_EQ(CategoryOfName(std::string(70'000, 'a') + "spotify.com"),
            ApplicationCategory::kUnknown);
  // Cut in the middle of a label, which must not become one of its own.
  for (std::size_t size = 0; size < 64; ++size) {
    EXPECT_EQ(CategoryOfName(std::string(size, 'a') + "x.com"),
              size == 0 ? ApplicationCategory::kSocial : ApplicationCategory::kUnknown)
        << size;
  }
}

}  // namespace
}  // namespace nta::internal

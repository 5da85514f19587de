#include <gtest/gtest.h>

#include "app/flow_talk.h"

namespace nta {
namespace {

using test::FlowTalk;

constexpr std::string_view kBind =
    "05000b03 10000000 4800 0000 01000000 d016d016 00000000 01000000 00000100"
    "81bb7a36 4498 f135 ad32 98f038001003 02000000"
    "045d888aeb1cc9119fe808002b104860 02000000";

TEST(DceRpc, BindNamesTheInterface) {
  const test::Bytes bind = test::FromHex(kBind);
  for (std::size_t cut = 1; cut <= bind.size(); ++cut) {
    FlowTalk talk({.server_port = 49155});
    talk.Client(std::span(bind).first(cut));
    talk.Client(std::span(bind).subspan(cut));
    ASSERT_EQ(talk.Record().application, Application::kRpc) << cut;
    ASSERT_EQ(talk.Get(MetadataField::kRequest), "svcctl") << cut;
  }
}

TEST(DceRpc, UnknownInterfaceIsShownByItsNumber) {
  test::Bytes bind = test::FromHex(kBind);
  bind[32] = 0x82;
  FlowTalk talk({.server_port = 49155});
  talk.Client(bind);
  EXPECT_EQ(talk.Get(MetadataField::kRequest), "367abb82-9844-35f1-ad32-98f038001003");
}

TEST(DceRpc, OtherFirstBytesFiveAreNot) {
  for (const std::string_view hex :
       {"05 01 00", "05000b03 20000000 4800 0000 01000000", "05000103 10000000 4800 0000 01000000",
        "05000b03 10000000 0800 0000 01000000"}) {
    FlowTalk talk({.server_port = 9999});
    talk.Client(test::FromHex(hex));
    EXPECT_NE(talk.Record().application, Application::kRpc) << hex;
  }
}

}  // namespace
}  // namespace nta

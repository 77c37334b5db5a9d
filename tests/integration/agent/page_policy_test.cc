#include "agent/page_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(PagePolicyTest, AllowsWhatStandsInThePageByItsHash) {
  // printf 'let a = 1;' | openssl dgst -sha256 -binary | base64
  const std::string policy = PagePolicy("<style>a{}</style><script>let a = 1;</script><p>text</p>");
  EXPECT_THAT(policy,
              HasSubstr("script-src 'sha256-xY6QKfH9PRsQnLz56nj6MBwiK5oHg+im1Jkpdp1x/Ck=';"));
  EXPECT_THAT(policy,
              HasSubstr("style-src 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk=';"));
}

TEST(PagePolicyTest, AllowsEachOfSeveralScripts) {
  const std::string policy = PagePolicy("<script>1</script><script>2</script>");
  EXPECT_THAT(policy, HasSubstr("script-src 'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s=' "
                                "'sha256-1HNeOiZeFu7gP1lxi5tdAwGcB9i2xR+Q2jpmbuwTqzU=';"));
}

TEST(PagePolicyTest, AllowsNothingToAPageWithoutAny) {
  const std::string policy = PagePolicy("<p>text</p>");
  EXPECT_THAT(policy, HasSubstr("script-src 'none';"));
  EXPECT_THAT(policy, HasSubstr("style-src 'none';"));
}

TEST(PagePolicyTest, LetsNoTextBecomeHtml) {
  const std::string policy = PagePolicy("<script>1</script>");
  EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
  EXPECT_THAT(policy, HasSubstr("require-trusted-types-for 'script'"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
}

}  // namespace
}  // namespace lockstep

#include "lockstep/image_reference.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lockstep {
namespace {

struct RegistryCase {
  std::string name;
  std::string reference;
  std::string registry;
};

class RegistryOfTest : public ::testing::TestWithParam<RegistryCase> {};

TEST_P(RegistryOfTest, IsWhereAnEngineWouldAsk) {
  EXPECT_EQ(RegistryOf(GetParam().reference), GetParam().registry);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, RegistryOfTest,
    ::testing::ValuesIn(std::vector<RegistryCase>{
        {"Bare", "app", "docker.io"},
        {"BareWithTag", "app:v1", "docker.io"},
        {"TagLikeAHost", "app:r.example", "docker.io"},
        {"BareWithDigest", "app@sha256:ab", "docker.io"},
        {"OfAUser", "user/app:v1", "docker.io"},
        {"OfAUserDeep", "user/group/app", "docker.io"},
        {"DockerHub", "docker.io/user/app", "docker.io"},
        {"DockerHubOfOld", "index.docker.io/user/app", "docker.io"},
        {"DockerHubsOwnHost", "registry-1.docker.io/user/app", "registry-1.docker.io"},
        {"Host", "r.example/app", "r.example"},
        {"HostWithTag", "r.example/app:v1", "r.example"},
        {"HostWithDigest", "r.example/app@sha256:ab", "r.example"},
        {"HostWithPath", "r.example/a/b/c:v1", "r.example"},
        {"Port", "r:5000/app", "r:5000"},
        {"PortTagAndDigest", "r.example:5000/a/app:v1@sha256:ab", "r.example:5000"},
        {"Address", "127.0.0.1:5056/app", "127.0.0.1:5056"},
        {"Ipv6", "[::1]/app", "[::1]"},
        {"Ipv6WithPort", "[2001:db8::1]:5000/app:v1", "[2001:db8::1]:5000"},
        {"Localhost", "localhost/app", "localhost"},
        {"LocalhostWithPort", "localhost:5000/app", "localhost:5000"},
        {"LocalhostAlone", "localhost", "docker.io"},
        {"LocalhostWithTag", "localhost:5000", "docker.io"},
        {"Capitals", "Registry/app", "Registry"},
        {"SubdomainAlike", "docker.io.evil/app", "docker.io.evil"},
        {"Empty", "", "docker.io"},
    }),
    [](const auto& param_info) { return param_info.param.name; });

TEST(NormalizedReferenceTest, WritesOneImageInOneWay) {
  EXPECT_EQ(NormalizedReference("app"), "docker.io/library/app:latest");
  EXPECT_EQ(NormalizedReference("user/app:v1"), "docker.io/user/app:v1");
  EXPECT_EQ(NormalizedReference("r:5000/app"), "r:5000/app:latest");
  EXPECT_EQ(NormalizedReference("[::1]:5000/app:v1@sha256:ab"), "[::1]:5000/app@sha256:ab");
  EXPECT_EQ(NormalizedReference("localhost/app"), "localhost/app:latest");
}

struct PartsCase {
  const char* reference;
  const char* name;
  const char* tag;
  const char* digest;
};

TEST(PartsOfTest, AColonIsATagsOnlyBehindTheLastSlash) {
  for (const PartsCase& row :
       {PartsCase{"app", "app", "", ""}, PartsCase{"app:v1", "app", "v1", ""},
        PartsCase{"r:5055/app", "r:5055/app", "", ""},
        PartsCase{"r:5055/x/app:v1", "r:5055/x/app", "v1", ""},
        PartsCase{"r/app@sha256:ab", "r/app", "", "@sha256:ab"},
        PartsCase{"r:1/app:v1@sha256:ab", "r:1/app", "v1", "@sha256:ab"},
        PartsCase{"app:", "app", "", ""}, PartsCase{"", "", "", ""}}) {
    const ReferenceParts parts = PartsOf(row.reference);
    EXPECT_EQ(parts.name, row.name) << row.reference;
    EXPECT_EQ(parts.tag, row.tag) << row.reference;
    EXPECT_EQ(parts.digest, row.digest) << row.reference;
  }
}

}  // namespace
}  // namespace lockstep

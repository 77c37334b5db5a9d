#include "docker_config.h"

#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <vector>

#include "balena_registry.h"
#include "config_backends/base64.h"
#include "fake_helpers.h"
#include "lockstep/testing/matchers.h"
#include "registry_logins.h"

namespace lockstep::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DockerConfigTest : public FakeHelpersTest {
 protected:
  auto Find(const std::string& server) const {
    return CredentialsInDockerConfig(directory_ + "/config.json", server, {}, {});
  }
  // "user password identity registry" of what is found; "none".
  std::string Found(const std::string& config, const std::string& server) {
    Write("config.json", config);
    const auto found = Find(server);
    if (!found) return Describe(found.assume_error());
    const auto& credentials = found.assume_value();
    if (!credentials) return "none";
    return credentials->username + "|" + credentials->password + "|" + credentials->identity_token +
           "|" + credentials->registry_token;
  }
};

struct ConfigCase {
  std::string name;
  std::string config;
  std::string server;
  std::string found;
};

class GoodDockerConfigTest : public DockerConfigTest,
                             public ::testing::WithParamInterface<ConfigCase> {};

TEST_P(GoodDockerConfigTest, GivesWhatDockerWouldSend) {
  WriteHelper("a", R"sh(printf '{"Username":"a","Secret":"%s"}' "$(cat)")sh");
  WriteHelper("b", R"sh(printf '{"Username":"b","Secret":"%s"}' "$(cat)")sh");
  WriteHelper("none", "echo credentials not found in native keychain; exit 1");
  EXPECT_EQ(Found(GetParam().config, GetParam().server), GetParam().found);
}

// YW5uOnB3 is ann:pw.
INSTANTIATE_TEST_SUITE_P(
    Cases, GoodDockerConfigTest,
    ::testing::ValuesIn(std::vector<ConfigCase>{
        {"Auth", R"({"auths":{"r.example":{"auth":"YW5uOnB3"}}})", "r.example", "ann|pw||"},
        {"AuthWithColons", R"({"auths":{"r":{"auth":"dTphOmI="}}})", "r", "u|a:b||"},
        {"AuthFilledUp", R"({"auths":{"r":{"auth":"dTpwAAA="}}})", "r", "u|p||"},
        {"AuthWins", R"({"auths":{"r":{"auth":"YW5uOnB3","username":"x","password":"y"}}})", "r",
         "ann|pw||"},
        {"UserAndPassword", R"({"auths":{"r":{"username":"x","password":"y"}}})", "r", "x|y||"},
        {"IdentityToken", R"({"auths":{"r":{"auth":"YW5uOg==","identitytoken":"t"}}})", "r",
         "ann||t|"},
        {"RegistryToken", R"({"auths":{"r":{"registrytoken":"t"}}})", "r", "|||t"},
        {"Hub", R"({"auths":{"https://index.docker.io/v1/":{"auth":"YW5uOnB3"}}})",
         kDockerHubServer, "ann|pw||"},
        {"HubIsNotItsHost", R"({"auths":{"index.docker.io":{"auth":"YW5uOnB3"}}})",
         kDockerHubServer, "none"},
        {"OldKey", R"({"auths":{"https://r:5000/v1/":{"auth":"YW5uOnB3"}}})", "r:5000", "ann|pw||"},
        {"KeyWithPath", R"({"auths":{"r:5000/v2":{"auth":"YW5uOnB3"}}})", "r:5000", "ann|pw||"},
        {"ExactKeyWins", R"({"auths":{"http://r/":{"username":"old"},"r":{"username":"new"}}})",
         "r", "new|||"},
        {"OtherPort", R"({"auths":{"r:5000":{"auth":"YW5uOnB3"}}})", "r:5001", "none"},
        {"NoPort", R"({"auths":{"r:5000":{"auth":"YW5uOnB3"}}})", "r", "none"},
        {"LongerName", R"({"auths":{"r.example":{"auth":"YW5uOnB3"}}})", "r.example.evil", "none"},
        {"ShorterName", R"({"auths":{"r.example":{"auth":"YW5uOnB3"}}})", "example", "none"},
        {"EmptyEntry", R"({"auths":{"r":{}}})", "r", "none"},
        {"NoAuths", R"({"psFormat":"x"})", "r", "none"},
        {"NullAuths", R"({"auths":null,"credsStore":null})", "r", "none"},
        {"EmptyFile", "\n", "r", "none"},
        {"Store", R"({"auths":{"r":{}},"credsStore":"a"})", "r", "a|r||"},
        {"StoreForHub", R"({"credsStore":"a"})", kDockerHubServer,
         "a|https://index.docker.io/v1/||"},
        {"HelperOfTheRegistry", R"({"credHelpers":{"r":"b"},"credsStore":"a"})", "r", "b|r||"},
        {"HelperOfAnother", R"({"credHelpers":{"q":"b"},"credsStore":"a"})", "r", "a|r||"},
        {"HelperOfAnotherAlone", R"({"credHelpers":{"q":"b"}})", "r", "none"},
        {"HelperTakenOut",
         R"({"credHelpers":{"r":""},"credsStore":"a","auths":{"r":{"auth":"YW5uOnB3"}}})", "r",
         "ann|pw||"},
        {"StoreHasNone", R"({"auths":{"r":{"auth":"YW5uOnB3"}},"credsStore":"none"})", "r", "none"},
        {"WrongElsewhere", R"({"auths":{"q":{"auth":7},"r":{"auth":"YW5uOnB3"}}})", "r",
         "ann|pw||"},
    }),
    [](const auto& param_info) { return param_info.param.name; });

class BadDockerConfigTest : public DockerConfigTest,
                            public ::testing::WithParamInterface<ConfigCase> {};

TEST_P(BadDockerConfigTest, IsAnErrorThatSaysWhereAndHoldsNoSecret) {
  Write("config.json", GetParam().config);
  const auto found = Find(GetParam().server);
  ASSERT_THAT(found, IsError(ErrorCode::kInvalidInput));
  const std::string text = Describe(found.assume_error());
  EXPECT_THAT(text, HasSubstr(directory_ + "/config.json"));
  EXPECT_THAT(text, HasSubstr(GetParam().found));
  EXPECT_THAT(text, Not(HasSubstr(kSecret)));
  EXPECT_THAT(text, Not(HasSubstr(EncodeBase64(kSecret))));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadDockerConfigTest,
    ::testing::ValuesIn(std::vector<ConfigCase>{
        {"NoJson", std::string(R"({"auths":{"r":{"password":")") + kSecret, "r", "line 1"},
        {"List", "[]", "r", "must be an object"},
        {"Deep", std::string(100, '['), "r", "nested"},
        {"Auths", R"({"auths":[]})", "r", "auths : must be an object"},
        {"Entry", R"({"auths":{"r":"x"}})", "r", "auths.r : must be an object"},
        {"Auth", R"({"auths":{"r":{"auth":7}}})", "r", "auths.r.auth : must be a text"},
        {"NoBase64", std::string(R"({"auths":{"r":{"auth":")") + kSecret + "\"}}}", "r",
         "auths.r.auth : must be user:password in base64"},
        {"NoColon", R"({"auths":{"r":{"auth":")" + EncodeBase64(kSecret) + "\"}}}", "r",
         "auths.r.auth"},
        {"NoUser",
         R"({"auths":{"r":{"auth":")" + EncodeBase64(std::string(":") + kSecret) + "\"}}}", "r",
         "auths.r.auth"},
        {"Token", R"({"auths":{"r":{"identitytoken":{}}}})", "r", "auths.r.identitytoken"},
        {"Helpers", R"({"credHelpers":"a"})", "r", "credHelpers : must be an object"},
        {"Helper", R"({"credHelpers":{"r":[]}})", "r", "credHelpers.r : must be a text"},
        {"Store", R"({"credsStore":1})", "r", "credsStore : must be a text"},
        {"HelpersName", R"({"credsStore":"../x"})", "r", "no name of a credential helper"},
        {"HelperMissing", R"({"credsStore":"nowhere"})", "r", "docker-credential-nowhere"},
        {"TooLarge", std::string((1U << 20) + 1, ' '), "r", "1 MiB"},
    }),
    [](const auto& param_info) { return param_info.param.name; });

TEST_F(DockerConfigTest, FileThatIsNotThereHasNone) {
  const auto found = Find("r");
  ASSERT_THAT(found, IsOk());
  EXPECT_FALSE(found.assume_value());
  std::filesystem::create_directory(directory_ + "/config.json");
  EXPECT_THAT(Find("r"), IsError(ErrorCode::kInvalidInput));
}

TEST_F(DockerConfigTest, LoginCountsFromTheNextTimeOn) {
  EXPECT_EQ(Found("{}", "r"), "none");
  EXPECT_EQ(Found(R"({"auths":{"r":{"auth":"YW5uOnB3"}}})", "r"), "ann|pw||");
}

TEST_F(DockerConfigTest, SourceNamesTheFileAndTheHelper) {
  WriteHelper("a", R"(echo '{"Username":"a","Secret":"s"}')");
  Write("config.json", R"({"credHelpers":{"q":"a"},"auths":{"r":{"auth":"YW5uOnB3"}}})");
  const std::string file = directory_ + "/config.json";
  EXPECT_EQ(Find("r").assume_value()->source, file);
  EXPECT_EQ(Find("q").assume_value()->source, "docker-credential-a (" + file + ")");
}

// Sets a variable of the environment, and puts it back.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    value == nullptr ? unsetenv(name) : setenv(name, value, 1);
  }
  ~Variable() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

TEST(DockerConfigFileTest, IsWhereDockerLooks) {
  const Variable home("HOME", "/home/ann");
  {
    const Variable set("DOCKER_CONFIG", "/etc/logins");
    EXPECT_EQ(DockerConfigFile(""), "/etc/logins/config.json");
    EXPECT_EQ(DockerConfigFile("/named"), "/named/config.json");
  }
  const Variable unset("DOCKER_CONFIG", nullptr);
  EXPECT_EQ(DockerConfigFile(""), "/home/ann/.docker/config.json");
  const Variable no_home("HOME", nullptr);
  EXPECT_THAT(DockerConfigFile(""), HasSubstr("/.docker/config.json"));
  EXPECT_THAT(DockerConfigFile(""), Not(HasSubstr("/home/ann")));
}

struct BalenaCase {
  std::string name;
  std::string config;
  std::string server;
  bool found;
};

class BalenaRegistryTest : public FakeHelpersTest,
                           public ::testing::WithParamInterface<BalenaCase> {};

TEST_P(BalenaRegistryTest, GetsTheDevicesKeyAndNobodyElseDoes) {
  const std::string path = Write("config.json", GetParam().config);
  const auto found = BalenaCredentials(path, GetParam().server);
  ASSERT_EQ(found.has_value(), GetParam().found);
  if (!found) return;
  EXPECT_EQ(found->username, "d_f00d");
  EXPECT_EQ(found->password, "key");
  EXPECT_EQ(found->source, path);
}

#define LOCKSTEP_TEST_DEVICE R"("uuid":"f00d","deviceApiKey":"key",)"
INSTANTIATE_TEST_SUITE_P(
    Cases, BalenaRegistryTest,
    ::testing::ValuesIn(std::vector<BalenaCase>{
        {"Named", "{" LOCKSTEP_TEST_DEVICE R"("registryEndpoint":"registry2.balena-cloud.com"})",
         "registry2.balena-cloud.com", true},
        {"NamedAsUrl", "{" LOCKSTEP_TEST_DEVICE R"("registryEndpoint":"https://r.open:444/"})",
         "r.open:444", true},
        {"OfTheApi", "{" LOCKSTEP_TEST_DEVICE R"("apiEndpoint":"https://api.balena-cloud.com"})",
         "registry2.balena-cloud.com", true},
        {"NamedWins",
         "{" LOCKSTEP_TEST_DEVICE R"("apiEndpoint":"https://api.a.b","registryEndpoint":"r.a.b"})",
         "registry2.a.b", false},
        {"OtherRegistry",
         "{" LOCKSTEP_TEST_DEVICE R"("apiEndpoint":"https://api.balena-cloud.com"})", "r.example",
         false},
        {"Hub", "{" LOCKSTEP_TEST_DEVICE R"("apiEndpoint":"https://api.balena-cloud.com"})",
         kDockerHubServer, false},
        {"OtherPort", "{" LOCKSTEP_TEST_DEVICE R"("registryEndpoint":"r.a.b"})", "r.a.b:5000",
         false},
        {"LongerName", "{" LOCKSTEP_TEST_DEVICE R"("registryEndpoint":"r.a.b"})", "r.a.b.evil",
         false},
        {"OtherKindOfApi", "{" LOCKSTEP_TEST_DEVICE R"("apiEndpoint":"https://a.b"})",
         "registry2.a.b", false},
        {"UnsafeApi", "{" LOCKSTEP_TEST_DEVICE R"("apiEndpoint":"http://api.a.b"})",
         "registry2.a.b", false},
        {"NoEndpoint", "{" LOCKSTEP_TEST_DEVICE R"("x":1})", "", false},
        {"NoKey", R"({"uuid":"f00d","apiEndpoint":"https://api.a.b"})", "registry2.a.b", false},
        {"NoUuid", R"({"deviceApiKey":"key","apiEndpoint":"https://api.a.b"})", "registry2.a.b",
         false},
        {"NoJson", "{", "registry2.a.b", false},
    }),
    [](const auto& param_info) { return param_info.param.name; });

using RegistryLoginsTest = DockerConfigTest;

TEST_F(RegistryLoginsTest, PersonsLoginGoesBeforeTheDevices) {
  CommonOptions options;
  options.docker_config = directory_ + "/docker";
  options.boot_dir = directory_ + "/boot";
  for (const std::string& folder : {options.docker_config, options.boot_dir}) {
    std::filesystem::create_directory(folder);
  }
  Write("boot/config.json", "{" LOCKSTEP_TEST_DEVICE R"("registryEndpoint":"r"})");
  const CredentialSource logins = RegistryLogins(options);
  EXPECT_EQ(logins("r", {}).assume_value()->username, "d_f00d");
  EXPECT_FALSE(logins("q", {}).assume_value());
  Write("docker/config.json", R"({"auths":{"r":{"auth":"YW5uOnB3"}}})");
  EXPECT_EQ(logins("r", {}).assume_value()->username, "ann");
  Write("docker/config.json", "{");
  EXPECT_THAT(logins("r", {}), IsError(ErrorCode::kInvalidInput));
}

}  // namespace
}  // namespace lockstep::test

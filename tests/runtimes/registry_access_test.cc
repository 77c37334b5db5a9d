// Which credentials go where, and what a refusal says.
#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json_read.h"
#include "lockstep/runtimes/docker_engine.h"
#include "lockstep/testing/matchers.h"
#include "stub_engine.h"

namespace lockstep::test {
namespace {

using docker::Json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSecret = "hunter2-of-the-test";
constexpr const char* kReference = "r.example:5000/app:v1";

class NoProgress final : public ProgressSink {
 public:
  void OnProgress(const PullProgress&) override {}
};

// Answers the pull and the look with `reply`, and notes what it was asked with.
class Registry {
 public:
  explicit Registry(std::string reply)
      : stub_([reply = std::move(reply)](const std::string& line) {
          if (line == "GET /version") return StubEngine::Version();
          const bool asks = line.find("/images/create") != std::string::npos ||
                            line.find("/distribution/") != std::string::npos;
          return asks ? reply : StubEngine::Reply(R"({"Id":"sha256:i"})");
        }) {}

  std::unique_ptr<RuntimeBackend> With(CredentialSource source) {
    DockerOptions options;
    options.url = stub_.url();
    options.credentials = std::move(source);
    return MakeDockerEngine(options).value();
  }

  // Of each request that went to a registry: X-Registry-Auth; "-" where it has none.
  std::vector<std::string> Headers() {
    constexpr std::string_view kName = "\r\nX-Registry-Auth: ";
    std::vector<std::string> headers;
    for (const std::string& head : stub_.heads()) {
      if (head.find("/images/create") == std::string::npos &&
          head.find("/distribution/") == std::string::npos) {
        EXPECT_THAT(head, Not(HasSubstr("X-Registry")));
        continue;
      }
      const auto at = head.find(kName);
      if (at == std::string::npos) {
        headers.emplace_back("-");
        continue;
      }
      const auto start = at + kName.size();
      headers.push_back(head.substr(start, head.find("\r\n", start) - start));
    }
    return headers;
  }

 private:
  StubEngine stub_;
};

std::string Good() { return StubEngine::Reply(R"({"status":"Status: Downloaded"})"); }

CredentialSource Always(RegistryCredentials credentials) {
  return [credentials = std::move(credentials)](const std::string&, std::stop_token) {
    return Result<std::optional<RegistryCredentials>>(credentials);
  };
}

// Padded base64url, as the engine wants it.
std::string Decoded(const std::string& header) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  EXPECT_EQ(header.size() % 4, 0U);
  std::string bits;
  for (const char c : header.substr(0, header.find('='))) {
    const auto digit = kDigits.find(c);
    EXPECT_NE(digit, std::string_view::npos) << c;
    for (int bit = 5; bit >= 0; --bit) bits += (digit >> bit & 1) != 0 ? '1' : '0';
  }
  std::string bytes;
  for (std::size_t at = 0; at + 8 <= bits.size(); at += 8) {
    bytes += static_cast<char>(std::stoi(bits.substr(at, 8), nullptr, 2));
  }
  return bytes;
}

TEST(RegistryAccessTest, PullAndLookCarryTheCredentials) {
  // Of every length modulo three, and with bytes that come out as '-' and '_'.
  for (const std::string password : {"s3cret", "s3cret?", "s3cret?>", "\xc3\xbf\xc3\xbe?~\"\\"}) {
    Registry registry(Good());
    const auto engine = registry.With(Always({.username = "ann",
                                              .password = password,
                                              .identity_token = {},
                                              .registry_token = {},
                                              .source = "a file"}));
    NoProgress progress;
    ASSERT_THAT(engine->PullImage({kReference}, progress, {}), IsOk());
    ASSERT_THAT(engine->CheckImage(kReference, {}), IsOk());
    const auto headers = registry.Headers();
    ASSERT_EQ(headers.size(), 2U);
    for (const std::string& header : headers) {
      const Json expected = {
          {"username", "ann"}, {"password", password}, {"serveraddress", "r.example:5000"}};
      EXPECT_EQ(Decoded(header), expected.dump());
    }
  }
}

TEST(RegistryAccessTest, TokensGoInTheirOwnFields) {
  Registry registry(Good());
  RegistryCredentials identity;
  identity.identity_token = "id";
  RegistryCredentials bearer;
  bearer.registry_token = "reg";
  ASSERT_THAT(registry.With(Always(identity))->CheckImage("app", {}), IsOk());
  ASSERT_THAT(registry.With(Always(bearer))->CheckImage("localhost/app", {}), IsOk());
  const auto headers = registry.Headers();
  ASSERT_EQ(headers.size(), 2U);
  EXPECT_EQ(Decoded(headers[0]),
            (Json{{"identitytoken", "id"}, {"serveraddress", kDockerHubServer}}).dump());
  EXPECT_EQ(Decoded(headers[1]),
            (Json{{"registrytoken", "reg"}, {"serveraddress", "localhost"}}).dump());
}

TEST(RegistryAccessTest, IsAskedAnewEachTimeForTheRegistryOfTheImage) {
  Registry registry(Good());
  std::vector<std::string> asked;
  const auto engine = registry.With([&](const std::string& server, std::stop_token) {
    asked.push_back(server);
    std::optional<RegistryCredentials> credentials;
    if (asked.size() > 1) credentials.emplace().username = "ann";
    return Result<std::optional<RegistryCredentials>>(std::move(credentials));
  });
  NoProgress progress;
  for (const char* reference : {"app", "r.example:5000/a/app@sha256:ab"}) {
    (void)engine->PullImage({reference}, progress, {});  // What it has is another digest.
  }
  EXPECT_THAT(engine->CheckImage("[::1]:5000/app", {}), IsOk());
  EXPECT_THAT(asked, ElementsAre(kDockerHubServer, "r.example:5000", "[::1]:5000"));
  EXPECT_THAT(registry.Headers(), ElementsAre("-", Not("-"), Not("-")));
}

TEST(RegistryAccessTest, WithoutCredentialsNoHeaderIsSent) {
  Registry registry(Good());
  const auto none = [](const std::string&, std::stop_token) {
    return Result<std::optional<RegistryCredentials>>(std::nullopt);
  };
  EXPECT_THAT(registry.With({})->CheckImage(kReference, {}), IsOk());
  EXPECT_THAT(registry.With(none)->CheckImage(kReference, {}), IsOk());
  EXPECT_THAT(registry.Headers(), ElementsAre("-", "-"));
}

TEST(RegistryAccessTest, SourceThatFailsEndsTheCallBeforeTheRegistryIsAsked) {
  Registry registry(Good());
  const auto engine = registry.With([](const std::string& server, std::stop_token) {
    return Result<std::optional<RegistryCredentials>>(
        MakeError(ErrorCode::kUnavailable, "the helper for " + server + " is broken"));
  });
  NoProgress progress;
  const auto pulled = engine->PullImage({kReference}, progress, {});
  ASSERT_THAT(pulled, IsError(ErrorCode::kUnavailable));
  EXPECT_EQ(pulled.assume_error().message, "the helper for r.example:5000 is broken");
  EXPECT_EQ(pulled.assume_error().context, std::string("pull image ") + kReference);
  EXPECT_THAT(engine->CheckImage(kReference, {}), IsError(ErrorCode::kUnavailable));
  EXPECT_THAT(registry.Headers(), ElementsAre());
}

TEST(RegistryAccessTest, StopRequestReachesTheSource) {
  Registry registry(Good());
  std::stop_source stop;
  const auto engine = registry.With([&](const std::string&, std::stop_token token) {
    stop.request_stop();
    EXPECT_TRUE(token.stop_requested());
    return Result<std::optional<RegistryCredentials>>(MakeError(ErrorCode::kCancelled, "stopped"));
  });
  EXPECT_THAT(engine->CheckImage(kReference, stop.get_token()), IsError(ErrorCode::kCancelled));
}

struct RefusalCase {
  std::string name;
  std::string reply;  // To the pull.
  ErrorCode code;
};

class RegistryRefusalTest : public ::testing::TestWithParam<RefusalCase> {
 protected:
  static Error Refusal(CredentialSource source) {
    Registry registry(GetParam().reply);
    NoProgress progress;
    auto pulled = registry.With(std::move(source))->PullImage({kReference}, progress, {});
    EXPECT_THAT(pulled, IsError(GetParam().code));
    return pulled ? Error() : pulled.assume_error();
  }
};

TEST_P(RegistryRefusalTest, SaysToLogInWhereNobodyDid) {
  EXPECT_THAT(Refusal({}).hint, HasSubstr("docker login r.example:5000"));
}

TEST_P(RegistryRefusalTest, NamesTheCredentialsWhereThereWereAny) {
  const Error error = Refusal(Always({.username = "ann",
                                      .password = kSecret,
                                      .identity_token = kSecret,
                                      .registry_token = kSecret,
                                      .source = "/root/.docker/config.json"}));
  EXPECT_THAT(error.hint,
              AllOf(HasSubstr("r.example:5000 refuses"), HasSubstr("/root/.docker/config.json"),
                    Not(HasSubstr("docker login"))));
  EXPECT_THAT(Describe(error), Not(HasSubstr(kSecret)));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, RegistryRefusalTest,
    ::testing::ValuesIn(std::vector<RefusalCase>{
        {"NoCredentials",
         StubEngine::Reply(
             R"({"message":"Head \"http://r/v2/app/manifests/v1\": no basic auth credentials"})",
             500),
         ErrorCode::kPermissionDenied},
        {"WrongPassword",
         StubEngine::Reply(R"({"message":"unauthorized: authentication required"})", 500),
         ErrorCode::kPermissionDenied},
        {"InTheStream",
         StubEngine::Reply(
             R"({"errorDetail":{"message":"unauthorized: x"},"error":"unauthorized"})"),
         ErrorCode::kPermissionDenied},
        {"ToldThatThereIsNone",
         StubEngine::Reply(
             R"({"message":"pull access denied for app, repository does not exist or may require)"
             R"( 'docker login': denied: requested access to the resource is denied"})",
             404),
         ErrorCode::kNotFound},
        {"ToldSoByContainerd",
         StubEngine::Reply(
             R"({"message":"pull access denied, repository does not exist or may require )"
             R"(authorization: server message: insufficient_scope: authorization failed"})",
             404),
         ErrorCode::kNotFound},
    }),
    [](const auto& param_info) { return param_info.param.name; });

TEST(RegistryAccessTest, OtherFailuresSayNothingOfLogins) {
  Registry registry(StubEngine::Reply(R"({"message":"manifest unknown: manifest unknown"})", 404));
  const auto looked = registry.With({})->CheckImage(kReference, {});
  ASSERT_THAT(looked, IsError(ErrorCode::kNotFound));
  EXPECT_THAT(looked.assume_error().hint, Not(HasSubstr("log in")));
}

TEST(RegistryAccessTest, LookThatIsRefusedSaysWhatToDo) {
  Registry registry(StubEngine::Reply(R"({"message":"unauthorized"})", 401));
  const auto looked = registry.With({})->CheckImage("user/app", {});
  ASSERT_THAT(looked, IsError(ErrorCode::kPermissionDenied));
  EXPECT_THAT(looked.assume_error().hint, HasSubstr("log in to docker.io (docker login)"));
}

}  // namespace
}  // namespace lockstep::test

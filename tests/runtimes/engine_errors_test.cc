// The error replies of Docker and balena-engine, as they were recorded: what each is to a caller.
#include "engine_errors.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "json_read.h"

namespace lockstep::test {
namespace {

using docker::Json;
using ::testing::HasSubstr;

// captures/error-replies.json: every reply of status 400 or more, and every pull that failed half
// way (its status is 200); what both engines say alike is there once.
Json Recorded() {
  std::ifstream file(LOCKSTEP_CAPTURES "/error-replies.json");
  return docker::ParseJson(std::string{std::istreambuf_iterator<char>(file), {}}).value_or(Json());
}

// Where the status does not tell what can be done.
const std::map<std::string, ErrorCode> kByWords = {
    {"006-api-version-too-new", ErrorCode::kUnsupported},
    {"007-api-version-too-old", ErrorCode::kUnsupported},
    {"008-unknown-route", ErrorCode::kUnsupported},
    {"009-method-not-allowed", ErrorCode::kUnsupported},
    {"010-auth-check-bad", ErrorCode::kPermissionDenied},
    {"021-pull-always-truncated", ErrorCode::kUnavailable},
    {"028-pull-connection-refused", ErrorCode::kUnavailable},
    {"035-pull-auth-none", ErrorCode::kPermissionDenied},
    {"036-pull-auth-wrong", ErrorCode::kPermissionDenied},
    {"038-pull-auth-header-garbage", ErrorCode::kPermissionDenied},
    {"044-pull-corrupt-blob", ErrorCode::kUnavailable},  // The link may have done that.
    {"045-pull-registry-429", ErrorCode::kUnavailable},
    {"046-pull-registry-500", ErrorCode::kUnavailable},
    {"047-pull-registry-503", ErrorCode::kUnavailable},
    {"048-pull-registry-html", ErrorCode::kUnavailable},
    {"072-image-tag-bad", ErrorCode::kInvalidInput},
    // Words that a pull uses as well, of a registry that may do better next time.
    {"107-container-create-bad-json", ErrorCode::kUnavailable},
    {"108-container-create-no-body", ErrorCode::kUnavailable},
    {"114-container-create-wrong-type", ErrorCode::kInvalidInput},
    {"131-container-create-bad-workdir", ErrorCode::kInvalidInput},
    {"132-container-start-port-taken", ErrorCode::kConflict},
    {"134-container-start-missing-device", ErrorCode::kInvalidInput},
    {"143-container-list-garbage-filter", ErrorCode::kUnavailable},  // As 107.
    {"196-container-start-memory-limit-8m", ErrorCode::kInvalidInput},
    {"227-network-create-bad-subnet", ErrorCode::kInvalidInput},
    {"228-network-create-predefined", ErrorCode::kInvalidInput},
    {"230-network-create-empty-name", ErrorCode::kInvalidInput},
    {"231-network-create-bad-option", ErrorCode::kInvalidInput},
    {"232-network-create-overlay", ErrorCode::kUnsupported},
    {"233-network-create-macvlan", ErrorCode::kUnsupported},
    {"253-network-disconnect-not-connected", ErrorCode::kNotFound},
    {"261-network-remove-predefined", ErrorCode::kInvalidInput},
    {"297-container-start-volume-mount-fails", ErrorCode::kInvalidInput},
    {"321-events-bad-since", ErrorCode::kInvalidInput},
    {"322-events-bad-filter", ErrorCode::kUnavailable},  // As 107.
    {"375-delta-route-unknown", ErrorCode::kUnsupported},
    {"384-delta-pull-missing-base", ErrorCode::kNotFound},
    {"401-pull-layer-blob-404-alone", ErrorCode::kNotFound},
    {"443-plugins-list", ErrorCode::kUnsupported},
    {"444-swarm-inspect", ErrorCode::kUnsupported},
    {"445-services-list", ErrorCode::kUnsupported},
    {"446-secrets-list", ErrorCode::kUnsupported},
    {"446-swarm-init", ErrorCode::kUnsupported},
    {"449-container-logs-driver-none", ErrorCode::kUnsupported},
};

const std::map<std::int64_t, ErrorCode> kByStatus = {{400, ErrorCode::kInvalidInput},
                                                     {403, ErrorCode::kConflict},
                                                     {404, ErrorCode::kNotFound},
                                                     {409, ErrorCode::kConflict}};

TEST(RecordedErrorsTest, EachHasTheCodeOfWhatCanBeDone) {
  const Json recorded = Recorded();
  ASSERT_GT(recorded.size(), 100U);
  for (const Json& row : recorded) {
    const std::string capture = docker::Text(row, "capture");
    const std::string name = capture.substr(capture.find('/') + 1);
    const std::int64_t status = docker::Number(row, "status");
    // 232 and 233 differ: balena-engine has no such driver at all.
    const bool by_status = status == 404 && name.starts_with("23");
    const auto said = by_status ? kByWords.end() : kByWords.find(name);
    const auto usual = kByStatus.find(status);
    ASSERT_TRUE(said != kByWords.end() || usual != kByStatus.end()) << capture << " is not judged";
    const ErrorCode expected = said != kByWords.end() ? said->second : usual->second;
    const Error error =
        docker::FailureOf({status < 400 ? 500 : static_cast<long>(status),
                           docker::DumpJson({{"message", docker::Text(row, "message")}})},
                          "call");
    EXPECT_EQ(ErrorCodeName(error.code), ErrorCodeName(expected))
        << capture << ": " << error.message;
  }
}

TEST(FailureTest, ServerThatIsNotThereNowMayMountLater) {
  EXPECT_EQ(
      docker::CodeOfMessage("failed to mount local volume: mount :/export:/v: connection refused",
                            ErrorCode::kUnavailable),
      ErrorCode::kUnavailable);
  EXPECT_EQ(docker::CodeOfMessage("failed to mount local volume: mount /dev/sdz:/v: no such device",
                                  ErrorCode::kUnavailable),
            ErrorCode::kInvalidInput);
}

TEST(FailureTest, WordsOfTheEngineAreOneLineOfText) {
  std::string nasty(1000, 'x');
  nasty.insert(0, "a\x1b[2Jb\nc\xff");
  for (const std::string& body : {nasty, docker::DumpJson({{"message", nasty}})}) {
    const Error error = docker::FailureOf({500, body}, "call");
    EXPECT_LE(error.message.size(), 500U);
    EXPECT_THAT(error.message, ::testing::StartsWith("a\xef\xbf\xbd[2Jb"));
  }
}

TEST(FailureTest, WhereNothingIsSaidTheStatusIs) {
  for (const char* body : {"", "  \t", R"({"message":""})", R"({"message":" "})"}) {
    EXPECT_EQ(docker::FailureOf({503, body}, "call").message, "the engine answered 503") << body;
  }
}

TEST(FailureTest, EngineThatWantsTlsIsNamedAsOne) {
  const Error error =
      docker::FailureOf({400, "Client sent an HTTP request to an HTTPS server.\n"}, "call");
  EXPECT_THAT(error.hint, HasSubstr("DOCKER_TLS_VERIFY"));
}

}  // namespace
}  // namespace lockstep::test

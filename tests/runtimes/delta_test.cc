// Deltas: on balena-engine as it was recorded, and never on Docker.
#include "lockstep/runtimes/delta.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lockstep/testing/matchers.h"
#include "replayed.h"
#include "stub_engine.h"

namespace lockstep::test {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kDelta = "127.0.0.1:5055/deltas:v1-v2";
constexpr const char* kAppId =
    "sha256:59f2bb88cf360ac75e454d1a987bd01480f34ac08fe078937df26f5acae2e045";
constexpr const char* kNextId =
    "sha256:f25ea65e18e6784e9f525a69f3049da42f0a3a290333474344fc6091915bca27";

const Delta kFits{kDelta, kAppId, kNextId};

std::vector<std::string> NamesOf(RuntimeBackend& backend, const std::string& id) {
  std::vector<std::string> names;
  const auto state = backend.Observe({}, {});
  EXPECT_THAT(state, IsOk());
  for (const ObservedImage& image : state.assume_value().images) {
    if (image.id == id) names = image.references;
  }
  return names;
}

// The tags that pulls asked for, in order.
std::vector<std::string> PulledTags(const Replayed& replayed) {
  constexpr std::string_view kTag = "&tag=";
  std::vector<std::string> tags;
  for (const std::string& request : replayed.engine.requests()) {
    if (request.find("/images/create?") == std::string::npos) continue;
    tags.push_back(request.substr(request.find(kTag) + kTag.size()));
  }
  return tags;
}

TEST(DeltaTest, GivesTheImageUnderTheNameThatWasAskedFor) {
  Replayed replayed("balena");
  ASSERT_THAT(replayed.Pull(kApp), IsOk());
  EXPECT_THAT(replayed.Pull(kNextApp, kFits), IsOkAndHolds(std::string(kNextId)));
  EXPECT_THAT(PulledTags(replayed), ElementsAre("v1", "v1-v2"));
  EXPECT_THAT(NamesOf(*replayed.backend, kNextId), ElementsAre(kNextApp));
}

struct WholeCase {
  const char* name;
  bool base_here;
  Delta delta;
  std::vector<std::string> pulled;
};

TEST(DeltaTest, ImageIsPulledWholeWhereTheDeltaIsOfNoUse) {
  const std::string other = "sha256:" + std::string(64, '0');
  for (const WholeCase& row : {
           WholeCase{"its base is not here", false, kFits, {"v2"}},
           WholeCase{"its base is said to be another", true, {kDelta, other, ""}, {"v1", "v2"}},
           WholeCase{"the registry has it not",
                     true,
                     {"127.0.0.1:5055/deltas:none", kAppId, kNextId},
                     {"v1", "none", "v2"}},
           WholeCase{"it does not apply",
                     true,
                     {"127.0.0.1:5055/deltas:broken", kAppId, kNextId},
                     {"v1", "broken", "v2"}},
           WholeCase{
               "it gives another image", true, {kDelta, kAppId, other}, {"v1", "v1-v2", "v2"}},
       }) {
    Replayed replayed("balena");
    if (row.base_here) {
      ASSERT_THAT(replayed.Pull(kApp), IsOk());
    }
    EXPECT_THAT(replayed.Pull(kNextApp, row.delta), IsOkAndHolds(std::string(kNextId))) << row.name;
    EXPECT_EQ(PulledTags(replayed), row.pulled) << row.name;
    const auto names = NamesOf(*replayed.backend, kNextId);
    EXPECT_THAT(names, Contains(kNextApp)) << row.name;
    EXPECT_THAT(names, Not(Contains(kDelta))) << row.name;
  }
}

TEST(DeltaTest, ImageIsPulledWholeWhereTheEngineMissesTheBase) {
  Replayed replayed("balena");
  ASSERT_THAT(replayed.Pull(kNextApp), IsOk());
  const Delta of_another_base{kDelta, kNextId, ""};
  EXPECT_THAT(replayed.Pull(kApp, of_another_base), IsOkAndHolds(std::string(kAppId)));
  EXPECT_THAT(PulledTags(replayed), ElementsAre("v2", "v1-v2", "v1"));
}

TEST(DeltaTest, ImageIsPulledWholeWhereTheDeltaStalls) {
  DockerOptions options;
  options.pull_stall_timeout = std::chrono::seconds(2);
  Replayed replayed("balena", options);
  ASSERT_THAT(replayed.Pull(kApp), IsOk());
  const Delta lost{"127.0.0.1:5062/multi:m1", kAppId, kNextId};
  EXPECT_THAT(replayed.Pull(kNextApp, lost), IsOkAndHolds(std::string(kNextId)));
  EXPECT_EQ(replayed.engine.AwaitHangUp(), 1);
}

std::string VersionOf(const std::string& kind) {
  return StubEngine::Reply(R"({"Version":"20.10","ApiVersion":"1.41","Engine":")" + kind + "\"}");
}

Result<std::string> PullAt(const std::string& url, const std::string& reference) {
  DockerOptions options;
  options.url = url;
  LastProgress progress;
  return MakeDockerEngine(options).value()->PullImage({reference, kFits}, progress, {});
}

// Answers the look at what is here, and then a pull by `lines`.
StubEngine::Handler Pulling(const std::string& version, const std::string& lines) {
  return [version, lines](const std::string& line) {
    if (line == "GET /version") return version;
    if (line.ends_with("/images/json")) {
      return StubEngine::Reply(std::string(R"([{"Id":")") + kAppId + R"("}])");
    }
    return StubEngine::Reply(lines);
  };
}

int Pulls(const std::vector<std::string>& requests) {
  return static_cast<int>(std::count_if(requests.begin(), requests.end(), [](const auto& line) {
    return line.find("/images/create") != std::string::npos;
  }));
}

TEST(DeltaTest, FullDiskIsNotFilledByTheWholeImage) {
  StubEngine stub(Pulling(VersionOf("balena-engine"),
                          R"({"errorDetail":{"message":"no space left on device"}})"));
  EXPECT_THAT(PullAt(stub.url(), kNextApp), IsError(ErrorCode::kNoSpace));
  EXPECT_EQ(Pulls(stub.requests()), 1);
}

TEST(DeltaTest, EngineThatDoesNotSayItAppliesDeltasIsNeverGivenOne) {
  for (const std::string kind : {"", "podman"}) {
    StubEngine stub(Pulling(VersionOf(kind), R"({"error":"down"})"));
    EXPECT_FALSE(PullAt(stub.url(), kNextApp));
    EXPECT_EQ(Pulls(stub.requests()), 1) << kind;
    EXPECT_THAT(stub.requests(), Each(Not(HasSubstr("deltas")))) << kind;
  }
}

TEST(DeltaTest, IsNotUsedForADigestWhichNoTagCanGive) {
  StubEngine stub(Pulling(VersionOf("balena-engine"), R"({"error":"down"})"));
  EXPECT_FALSE(PullAt(stub.url(), "app@sha256:" + std::string(64, 'a')));
  EXPECT_EQ(Pulls(stub.requests()), 1);
  EXPECT_THAT(stub.requests(), Each(Not(HasSubstr("deltas"))));
}

TEST(DeltaTest, DockerPullsTheImageWhole) {
  DockerOptions options;
  options.delta_for = [](const auto&...) -> std::optional<Delta> {
    ADD_FAILURE() << "asked for a delta";
    return kFits;
  };
  Replayed replayed("docker", options);
  ASSERT_THAT(replayed.Pull(kApp), IsOk());
  EXPECT_THAT(replayed.Pull(kNextApp, kFits), IsOkAndHolds(std::string(kNextId)));
  EXPECT_THAT(PulledTags(replayed), ElementsAre("v1", "v2"));
}

TEST(DeltaTest, TargetThatIsADeltaIsRefusedOnDocker) {
  Replayed replayed("docker");
  const auto pulled = replayed.Pull(kDelta);
  ASSERT_THAT(pulled, IsError(ErrorCode::kUnsupported));
  EXPECT_THAT(pulled.assume_error().message, HasSubstr("is no image but a delta"));
  const auto state = replayed.backend->Observe({}, {});
  ASSERT_THAT(state, IsOk());
  EXPECT_THAT(state.assume_value().images, ::testing::IsEmpty());
}

TEST(DeltaTest, ServerIsAskedWithWhatIsHere) {
  DockerOptions options;
  std::vector<std::string> asked;
  options.delta_for = [&](const std::string& reference, const std::vector<std::string>& present,
                          const std::stop_token&) -> std::optional<Delta> {
    asked.push_back(reference);
    if (present.empty()) return std::nullopt;
    EXPECT_THAT(present, ElementsAre(kAppId));
    return kFits;
  };
  Replayed replayed("balena", options);
  ASSERT_THAT(replayed.Pull(kApp), IsOk());
  EXPECT_THAT(replayed.Pull(kNextApp), IsOkAndHolds(std::string(kNextId)));
  EXPECT_THAT(asked, ElementsAre(kApp, kNextApp));
  EXPECT_THAT(PulledTags(replayed), ElementsAre("v1", "v1-v2"));
}

TEST(MakeDeltaTest, BalenaEngineMakesOneOfTwoImages) {
  Replayed replayed("balena");
  ASSERT_THAT(replayed.Pull(kApp), IsOk());
  ASSERT_THAT(replayed.Pull(kNextApp), IsOk());
  EXPECT_THAT(MakeDelta(replayed.options, {kApp, kNextApp, kDelta}, {}),
              IsOkAndHolds(std::string(
                  "sha256:1520498b34ce40df311215b0adcfe1490078d65039b799424ee1642d4a00c4c8")));
  EXPECT_THAT(replayed.engine.requests(),
              Contains("POST /images/delta?src=127.0.0.1%3A5055%2Fapp%3Av1&dest=127.0.0.1%3A5055%"
                       "2Fapp%3Av2&t=127.0.0.1%3A5055%2Fdeltas%3Av1-v2"));
}

TEST(MakeDeltaTest, ImageThatIsNotThereIsNotFound) {
  Replayed replayed("balena");
  EXPECT_THAT(MakeDelta(replayed.options, {kApp, kNextApp, kDelta}, {}),
              IsError(ErrorCode::kNotFound));
  ASSERT_THAT(replayed.Pull(kApp), IsOk());
  EXPECT_THAT(MakeDelta(replayed.options, {kApp, kNextApp, kDelta}, {}),
              IsError(ErrorCode::kNotFound));
}

TEST(MakeDeltaTest, DockerIsNotAsked) {
  Replayed replayed("docker");
  EXPECT_THAT(MakeDelta(replayed.options, {kApp, kNextApp, kDelta}, {}),
              IsError(ErrorCode::kUnsupported));
  EXPECT_THAT(replayed.engine.requests(), ElementsAre("GET /version"));
}

TEST(MakeDeltaTest, FailureHalfWayIsTold) {
  StubEngine stub([](const std::string& line) {
    if (line == "GET /version") return VersionOf("balena-engine");
    return StubEngine::Reply(
        "{\"status\":\"Waiting\"}\n"
        R"({"errorDetail":{"message":"write: no space left on device"}})");
  });
  DockerOptions options;
  options.url = stub.url();
  EXPECT_THAT(MakeDelta(options, {kApp, kNextApp, kDelta}, {}), IsError(ErrorCode::kNoSpace));
}

// It goes the way that is asked for, or none.
TEST(MakeDeltaTest, IsAskedForOverTlsWhereTheEngineIs) {
  DockerOptions options;
  options.url = "http://127.0.0.1:1";
  options.tls.emplace();
  EXPECT_THAT(MakeDelta(options, {}, {}), IsError(ErrorCode::kInvalidInput));
}

}  // namespace
}  // namespace lockstep::test

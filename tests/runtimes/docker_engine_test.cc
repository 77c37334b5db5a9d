// The adapter against an engine that misbehaves.
#include "lockstep/runtimes/docker_engine.h"

#include <gmock/gmock.h>

#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "json_read.h"
#include "lockstep/testing/matchers.h"
#include "resource_cases.h"
#include "stub_engine.h"

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class NoProgress final : public ProgressSink {
 public:
  void OnProgress(const PullProgress&) override {}
};

std::unique_ptr<RuntimeBackend> EngineAt(const std::string& url, DockerOptions options = {}) {
  options.url = url;
  return MakeDockerEngine(options).value();
}

// A stub that answers /version well and everything else with `reply`.
StubEngine::Handler Always(std::string reply) {
  return [reply = std::move(reply)](const std::string& line) {
    return line == "GET /version" ? StubEngine::Version() : reply;
  };
}

StubEngine::Handler Listing(std::string containers) {
  return [containers = std::move(containers)](const std::string& line) {
    if (line == "GET /version") return StubEngine::Version();
    if (line.find("/containers/json") != std::string::npos) return StubEngine::Reply(containers);
    if (line.find("/images/json") != std::string::npos) {
      return StubEngine::Reply(R"([{"Id":"sha256:i"}])");
    }
    if (line.find("/volumes") != std::string::npos) return StubEngine::Reply("{}");
    if (line.ends_with("/json")) return StubEngine::Reply("{}");
    return StubEngine::Reply("[]");
  };
}

std::string Pulled(const std::string& lines) { return StubEngine::Reply(lines); }

TEST(DockerEngineTest, WrongUrlIsRefused) {
  for (const auto& [url, code] : {std::pair{"unix://relative", ErrorCode::kInvalidInput},
                                  std::pair{"docker.sock", ErrorCode::kInvalidInput},
                                  std::pair{"ssh://host", ErrorCode::kUnsupported}}) {
    DockerOptions options;
    options.url = url;
    EXPECT_THAT(MakeDockerEngine(options), IsError(code)) << url;
  }
  DockerOptions options;
  options.url = "unix:///" + std::string(120, 'x');
  EXPECT_THAT(MakeDockerEngine(options), IsError(ErrorCode::kInvalidInput));
}

TEST(DockerEngineTest, NobodyThereIsUnavailableAndSaysWhere) {
  const auto result = EngineAt("unix:///none/such.sock")->Describe({});
  ASSERT_THAT(result, IsError(ErrorCode::kUnavailable));
  EXPECT_THAT(Describe(result.assume_error()), HasSubstr("unix:///none/such.sock"));
  EXPECT_THAT(result.assume_error().hint, HasSubstr("--engine"));
}

TEST(DockerEngineTest, OldEngineIsUnsupported) {
  StubEngine stub([](const std::string&) {
    return StubEngine::Reply(R"({"Version":"18.06","ApiVersion":"1.38"})");
  });
  EXPECT_THAT(EngineAt(stub.url())->Observe({}, {}), IsError(ErrorCode::kUnsupported));
}

TEST(DockerEngineTest, BadRepliesAreErrors) {
  struct Case {
    const char* name;
    std::string reply;
    ErrorCode code;
  };
  for (const Case& row : {
           Case{"no JSON", StubEngine::Reply("<html>"), ErrorCode::kBadReply},
           Case{"wrong type", StubEngine::Reply("7"), ErrorCode::kBadReply},
           Case{"cut off",
                StubEngine::Reply("[{}]").substr(0, StubEngine::Reply("[{}]").size() - 1),
                ErrorCode::kUnavailable},
           Case{"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", ErrorCode::kBadReply},
           Case{"server error", StubEngine::Reply(R"({"message":"boom"})", 500),
                ErrorCode::kUnavailable},
           Case{"elsewhere",
                "HTTP/1.1 302 Found\r\nLocation: http://other/\r\n"
                "Content-Length: 0\r\n\r\n",
                ErrorCode::kBadReply},
       }) {
    StubEngine stub(Always(row.reply));
    EXPECT_THAT(EngineAt(stub.url())->Observe({}, {}), IsError(row.code)) << row.name;
  }
}

TEST(DockerEngineTest, NetworkThatIsNestedVeryDeepIsABadReply) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  StubEngine stub([listing = Listing("[]"), deep](const std::string& line) {
    if (!line.ends_with("/networks")) return listing(line);
    return StubEngine::Reply(R"([{"Name":"n","Options":{"a":)" + deep + "}}]");
  });
  EXPECT_THAT(EngineAt(stub.url())->Observe({}, {}), IsError(ErrorCode::kBadReply));
}

TEST(DockerEngineTest, ErrorCarriesTheCallAndTheEnginesWords) {
  StubEngine stub(Always(StubEngine::Reply(R"({"message":"boom"})", 500)));
  ContainerSpec spec;
  spec.name = "web_1_2_abc";
  const auto result = EngineAt(stub.url())->CreateContainer(spec, {});
  ASSERT_THAT(result, IsError(ErrorCode::kUnavailable));
  EXPECT_EQ(result.assume_error().context, "create container web_1_2_abc");
  EXPECT_EQ(result.assume_error().message, "boom");
}

TEST(DockerEngineTest, FieldThatTheEngineIsTooOldForIsNotDropped) {
  StubEngine stub([](const std::string& line) {
    return line == "GET /version" ? StubEngine::Version() : StubEngine::Reply("{}", 201);
  });
  ContainerSpec spec;
  spec.spec.Set(Field::kAnnotations, Value::Map{{"a", "b"}});
  EXPECT_THAT(EngineAt(stub.url())->CreateContainer(spec, {}), IsError(ErrorCode::kUnsupported));
  EXPECT_THAT(stub.requests(), ElementsAre("GET /version"));
}

TEST(DockerEngineTest, SilentEngineIsGivenUp) {
  StubEngine stub([](const std::string&) { return std::string(); });
  DockerOptions options;
  options.query_timeout = std::chrono::milliseconds(50);
  EXPECT_THAT(EngineAt(stub.url(), options)->Observe({}, {}),
              IsError(ErrorCode::kDeadlineExceeded));
}

TEST(DockerEngineTest, StopRequestEndsACallThatWaits) {
  std::stop_source stop;
  StubEngine stub([&](const std::string&) {
    stop.request_stop();  // It has come so far, and there is no answer.
    return std::string();
  });
  EXPECT_THAT(EngineAt(stub.url())->Observe({}, stop.get_token()), IsError(ErrorCode::kCancelled));
}

TEST(DockerEngineTest, PullThatFailsHalfWayIsAnError) {
  struct Case {
    const char* message;
    ErrorCode code;
  };
  for (const Case& row :
       {Case{"write /x: no space left on device", ErrorCode::kNoSpace},
        Case{"unexpected EOF", ErrorCode::kUnavailable},
        Case{"unauthorized: authentication required", ErrorCode::kPermissionDenied}}) {
    StubEngine stub(
        Always(Pulled("{\"status\":\"Pulling from app\",\"id\":\"v1\"}\n" +
                      docker::DumpJson({{"errorDetail", {{"message", row.message}}}}) + "\n")));
    NoProgress progress;
    const auto result = EngineAt(stub.url())->PullImage({"app:v1"}, progress, {});
    EXPECT_THAT(result, IsError(row.code));
    EXPECT_THAT(Describe(result.assume_error()), HasSubstr(row.message));
  }
}

TEST(DockerEngineTest, PullWhoseLastLineIsCutShortIsHeard) {
  StubEngine stub(Always(Pulled(R"({"errorDetail":{"message":"no space left on device"}})")));
  NoProgress progress;
  EXPECT_THAT(EngineAt(stub.url())->PullImage({"app:v1"}, progress, {}),
              IsError(ErrorCode::kNoSpace));
}

TEST(DockerEngineTest, PullThatSendsALineWithoutEndIsABadReply) {
  StubEngine stub([](const std::string& line) {
    if (line == "GET /version") return StubEngine::Version();
    if (line.starts_with("POST")) return Pulled(std::string(std::size_t{3} << 20, ' ') + "\n");
    return StubEngine::Reply(R"({"Id":"sha256:old"})");
  });
  NoProgress progress;
  EXPECT_THAT(EngineAt(stub.url())->PullImage({"app:v1"}, progress, {}),
              IsError(ErrorCode::kBadReply));
}

TEST(DockerEngineTest, PullThatDoesNotMoveIsGivenUp) {
  StubEngine stub([](const std::string& line) {
    if (line.ends_with("/info")) return StubEngine::Reply("{}");
    return line == "GET /version" ? StubEngine::Version() : std::string();
  });
  DockerOptions options;
  options.pull_unpack_timeout = std::chrono::milliseconds(50);
  NoProgress progress;
  EXPECT_THAT(EngineAt(stub.url(), options)->PullImage({"app"}, progress, {}),
              IsError(ErrorCode::kDeadlineExceeded));
}

TEST(DockerEngineTest, LinkThatDiesWhileALayerIsUnpackedOnTheFlyIsTimedByItsBytes) {
  StubEngine stub([](const std::string& line) {
    if (line == "GET /version") {
      return StubEngine::Reply(R"({"ApiVersion":"1.41","Engine":"balena-engine"})");
    }
    if (line.ends_with("/info")) return StubEngine::Reply("{}");
    return StubEngine::OpenStream(
        R"({"status":"Extracting","id":"a","progressDetail":{"current":5,"total":9}})"
        "\n");
  });
  DockerOptions options;
  options.pull_stall_timeout = std::chrono::milliseconds(-1);  // At once: nothing to wait for.
  options.pull_unpack_timeout = std::chrono::seconds(5);
  NoProgress progress;
  const auto result = EngineAt(stub.url(), options)->PullImage({"app"}, progress, {});
  ASSERT_THAT(result, IsError(ErrorCode::kDeadlineExceeded));
  EXPECT_THAT(result.assume_error().message, HasSubstr("no byte"));
}

struct DigestCase {
  const char* name;
  const char* reference;
  docker::Json digests;
  bool good;
};

TEST(DockerEngineTest, PullByDigestBringsThatDigestAndNothingElse) {
  using docker::Json;
  for (const DigestCase& row : {
           DigestCase{"that one", "r:5/app@sha256:ab", Json{"r:5/app@sha256:ab"}, true},
           DigestCase{"among others", "app@sha256:ab", Json{"x@sha256:cd", "app@sha256:ab"}, true},
           DigestCase{"tag as well", "app:v1@sha256:ab", Json{"app@sha256:ab"}, true},
           DigestCase{"repository in full", "docker.io/library/app@sha256:ab",
                      Json{"app@sha256:ab"}, true},
           DigestCase{"another", "app@sha256:ab", Json{"app@sha256:cd"}, false},
           DigestCase{"only its end", "app@sha256:ab", Json{"app@sha256:cdab"}, false},
           DigestCase{"none", "app@sha256:ab", Json::array(), false},
           DigestCase{"nonsense", "app@sha256:ab", Json(7), false},
           DigestCase{"no digest asked for", "app:v1", Json{"app@sha256:cd"}, true},
       }) {
    StubEngine stub([&](const std::string& line) {
      if (line == "GET /version") return StubEngine::Version();
      if (line.starts_with("POST")) return Pulled("{\"status\":\"Pulling from app\"}\n");
      return StubEngine::Reply(
          docker::DumpJson({{"Id", "sha256:image"}, {"RepoDigests", row.digests}}));
    });
    NoProgress progress;
    const auto result = EngineAt(stub.url())->PullImage({row.reference}, progress, {});
    if (row.good) {
      EXPECT_THAT(result, IsOkAndHolds("sha256:image")) << row.name;
      continue;
    }
    ASSERT_THAT(result, IsError(ErrorCode::kBadReply)) << row.name;
    EXPECT_THAT(result.assume_error().message, HasSubstr("something else")) << row.name;
  }
}

// A registry that has app:v1 for `platforms`, asked by an engine on `machine`.
StubEngine::Handler Offering(std::string platforms, std::string machine) {
  return [platforms = std::move(platforms), machine = std::move(machine)](const std::string& line) {
    if (line == "GET /version") {
      return StubEngine::Reply(R"({"ApiVersion":"1.41",)" + machine + "}");
    }
    if (line.ends_with("/info")) return StubEngine::Reply(R"({"Architecture":"armv6l"})");
    return StubEngine::Reply(R"({"Descriptor":{},"Platforms":)" + platforms + "}");
  };
}

TEST(DockerEngineTest, ImageForOtherMachinesIsNotFound) {
  const std::string platforms = R"([{"os":"linux","architecture":"amd64"},)"
                                R"({"os":"linux","architecture":"arm","variant":"v7"}])";
  struct Case {
    const char* machine;
    const char* name;
    bool found;
  };
  for (const Case& row : {Case{R"("Os":"linux","Arch":"amd64")", "linux/amd64", true},
                          Case{R"("Os":"linux","Arch":"riscv64")", "linux/riscv64", false},
                          Case{R"("Os":"freebsd","Arch":"amd64")", "freebsd/amd64", false},
                          Case{R"("Os":"linux","Arch":"arm")", "linux/arm/v6", false},
                          Case{R"("Os":"linux")", "unknown", true}}) {
    StubEngine stub(Offering(platforms, row.machine));
    const auto result = EngineAt(stub.url())->CheckImage("app:v1", {});
    if (row.found) {
      EXPECT_THAT(result, IsOk()) << row.name;
      continue;
    }
    ASSERT_THAT(result, IsError(ErrorCode::kNotFound)) << row.name;
    EXPECT_THAT(result.assume_error().message, HasSubstr("linux/amd64, linux/arm/v7"));
    EXPECT_THAT(result.assume_error().message, HasSubstr(row.name));
    EXPECT_EQ(result.assume_error().context, "ask the registry for image app:v1");
  }
}

TEST(DockerEngineTest, ImageThatTheRegistryDoesNotHaveIsNotFound) {
  StubEngine stub(
      Always(StubEngine::Reply(R"({"message":"manifest unknown: manifest unknown"})", 404)));
  EXPECT_THAT(EngineAt(stub.url())->CheckImage("app:nope", {}), IsError(ErrorCode::kNotFound));
}

TEST(DockerEngineTest, EngineThatCannotAskARegistryDoesNotSayThatTheImageIsMissing) {
  StubEngine stub(Always(StubEngine::Reply(
      R"({"cause":"","message":"Path /v1.41/distribution/r/app:v1/json is not supported","response":0})",
      404)));
  EXPECT_THAT(EngineAt(stub.url())->CheckImage("r/app:v1", {}), IsError(ErrorCode::kUnsupported));
}

TEST(DockerEngineTest, ContainerThatIsThereIsFoundWithoutAStatusThatSaysSo) {
  StubEngine stub([](const std::string& line) {
    if (line == "GET /version") return StubEngine::Version();
    if (line.starts_with("POST")) {
      return StubEngine::Reply(
          R"({"cause":"that name is already in use","message":"container create: creating container storage: the container name \"web\" is already in use by 790ec29fa9ae. You have to remove that container to be able to reuse that name: that name is already in use","response":500})",
          500);
    }
    return StubEngine::Reply(
        R"({"Id":"790ec29fa9ae","State":{"Status":"created"},"Config":{"Labels":{"io.lockstep.config-hash":"c1:1"}}})");
  });
  ContainerSpec spec;
  spec.name = "web";
  spec.labels = {{"io.lockstep.config-hash", "c1:1"}};
  EXPECT_THAT(EngineAt(stub.url())->CreateContainer(spec, {}), IsOkAndHolds("790ec29fa9ae"));
  spec.labels = {{"io.lockstep.config-hash", "c1:2"}};
  EXPECT_THAT(EngineAt(stub.url())->CreateContainer(spec, {}), IsError(ErrorCode::kConflict));
}

// Thirty services in sync: what Lockstep made is known by its hash.
std::string ThirtyContainers() {
  docker::Json list = docker::Json::array();
  for (int i = 0; i < 30; ++i) {
    const std::string service = "s" + std::to_string(i);
    list.push_back({{"Id", "id" + std::to_string(i)},
                    {"Names", {"/" + service + "_1_1_abc"}},
                    {"ImageID", "sha256:i"},
                    {"State", "running"},
                    {"Status", "Up 3 minutes"},
                    {"Labels",
                     {{"io.balena.supervised", "true"},
                      {"io.balena.app-uuid", "shop"},
                      {"io.balena.service-name", service},
                      {"io.lockstep.config-hash", "c1:same"}}}});
  }
  return docker::DumpJson(list);
}

TEST(DockerEngineTest, LookAtWhatIsInSyncTakesFiveCalls) {
  StubEngine stub(Listing(ThirtyContainers()));
  const auto engine = EngineAt(stub.url());
  const ObserveRequest request{{"c1:same"}, false};
  const auto state = engine->Observe(request, {});
  ASSERT_THAT(state, IsOk());
  EXPECT_THAT(state.assume_value().containers, SizeIs(30));
  EXPECT_THAT(stub.requests(), SizeIs(5));
  ASSERT_THAT(engine->Observe(request, {}), IsOk());
  EXPECT_THAT(stub.requests(), SizeIs(9)) << "the version is remembered";
}

TEST(DockerEngineTest, OnlyContainersOfUnknownHashAreLookedInto) {
  StubEngine stub(Listing(ThirtyContainers()));
  const auto engine = EngineAt(stub.url());
  ASSERT_THAT(engine->Observe({{"c1:other"}, false}, {}), IsOk());
  EXPECT_THAT(stub.requests(), SizeIs(5 + 30 + 2)) << "each, and their image and engine once";
}

TEST(DockerEngineTest, WhatTheCallerHasSeenIsNotLookedIntoAgain) {
  StubEngine stub(Listing(ThirtyContainers()));
  const auto engine = EngineAt(stub.url());
  const auto state = engine->Observe({{"c1:other"}, false, {"id3", "id7"}}, {});
  ASSERT_THAT(state, IsOk());
  EXPECT_THAT(stub.requests(), SizeIs(5 + 28 + 2));
  for (const ObservedContainer& container : state.assume_value().containers) {
    const bool seen = container.id == "id3" || container.id == "id7";
    EXPECT_EQ(container.spec.has_value(), !seen) << container.id;
    EXPECT_EQ(container.restart_policy.has_value(), !seen) << container.id;
  }
}

TEST(DockerEngineTest, FailedContainerTellsHowOftenItWasRestarted) {
  auto list = docker::ParseJson(ThirtyContainers()).value();
  list[7]["State"] = "exited";
  list[7]["Status"] = "Exited (3) 2 hours ago";
  StubEngine stub([listing = Listing(docker::DumpJson(list))](const std::string& line) {
    const bool inspect = line.find("/containers/id7/json") != std::string::npos;
    return inspect ? StubEngine::Reply(R"({"RestartCount":5})") : listing(line);
  });
  const auto state = EngineAt(stub.url())->Observe({{"c1:same"}, false}, {});
  ASSERT_THAT(state, IsOk());
  for (const ObservedContainer& container : state.assume_value().containers) {
    EXPECT_EQ(container.restart_count, container.id == "id7" ? 5 : 0) << container.id;
    EXPECT_FALSE(container.spec) << "its hash is known";
  }
}

// Ownership where the list of images leaves out the image: what an inspect of it says decides.
struct UnlistedImageCase {
  const char* name;
  std::string inspected;
  bool owned;
};

TEST(DockerEngineTest, LabelsThatComeFromAnUnlistedImageProveNothing) {
  const std::string labels =
      R"("Labels":{"io.balena.supervised":"true","io.balena.app-uuid":"shop",)"
      R"("io.balena.service-name":"web"})";
  for (const UnlistedImageCase& row :
       {UnlistedImageCase{"no labels", StubEngine::Reply(R"({"Config":{}})"), true},
        UnlistedImageCase{"its labels", StubEngine::Reply(R"({"Config":{)" + labels + "}}"), false},
        UnlistedImageCase{"gone", StubEngine::Reply(R"({"message":"No such image"})", 404),
                          false}}) {
    const std::string container = R"([{"Id":"c","ImageID":"sha256:parent",)" + labels + "}]";
    StubEngine stub([&, listing = Listing(container)](const std::string& line) {
      const bool inspect = line.find("/images/sha256%3Aparent/json") != std::string::npos;
      return inspect ? row.inspected : listing(line);
    });
    const auto state = EngineAt(stub.url())->Observe({}, {});
    ASSERT_THAT(state, IsOk()) << row.name;
    ASSERT_THAT(state.assume_value().containers, SizeIs(1)) << row.name;
    EXPECT_EQ(state.assume_value().containers[0].owned, row.owned) << row.name;
  }
}

TEST(DockerEngineTest, UnlistedImageIsInspectedOnce) {
  auto list = docker::ParseJson(ThirtyContainers()).value();
  for (auto& container : list) container["ImageID"] = "sha256:parent";
  StubEngine stub(Listing(docker::DumpJson(list)));
  const auto engine = EngineAt(stub.url());
  ASSERT_THAT(engine->Observe({{"c1:same"}, false}, {}), IsOk());
  ASSERT_THAT(engine->Observe({{"c1:same"}, false}, {}), IsOk());
  EXPECT_THAT(stub.requests(), SizeIs(1 + 4 + 1 + 4));
}

struct NamesCase {
  const char* name;
  docker::Json tags;
  docker::Json digests;
  bool removed;
};

TEST(DockerEngineTest, ImageThatSomebodyElseNamedStays) {
  using docker::Json;
  for (const NamesCase& row : {
           NamesCase{"one repository", Json{"r:5/app:v1", "r:5/app:v2"}, Json{"r:5/app@s:1"}, true},
           NamesCase{"digests alone", Json::array(), Json{"r/a@s:1", "r/b@s:1"}, true},
           NamesCase{"another tag", Json{"r:5/app:v1", "keep:me"}, Json{"r:5/app@s:1"}, false},
           NamesCase{"a tag on what came by digest", Json{"keep:me"}, Json{"r/a@s:1"}, false},
           NamesCase{"a registry's port is no tag", Json{"r:5/app:v1", "r:6/app:v1"}, Json::array(),
                     false},
       }) {
    StubEngine stub([&](const std::string& line) {
      if (line == "GET /version") return StubEngine::Version();
      if (line.ends_with("/images/i")) {
        return StubEngine::Reply(
            R"({"message":"must be forced - image is referenced in multiple repositories"})", 409);
      }
      if (line.find("/containers/json") != std::string::npos) return StubEngine::Reply("[]");
      return StubEngine::Reply(
          docker::DumpJson({{"RepoTags", row.tags}, {"RepoDigests", row.digests}}));
    });
    const auto result = EngineAt(stub.url())->RemoveImage("i", {});
    if (row.removed) {
      EXPECT_THAT(result, IsOk()) << row.name;
      EXPECT_THAT(Deleted(stub), SizeIs(1 + row.tags.size() + row.digests.size())) << row.name;
    } else {
      EXPECT_THAT(result, IsError(ErrorCode::kConflict)) << row.name;
      EXPECT_THAT(Deleted(stub), ElementsAre("/images/i")) << row.name;
    }
  }
}

TEST(DockerEngineTest, VolumeThatIsSomebodyElsesIsAConflict) {
  for (const OwnerCase& row : OwnerCases()) {
    StubEngine stub(
        Always(StubEngine::Reply(R"({"Name":"12_data","Labels":)" + row.labels + "}", 201)));
    const auto result = EngineAt(stub.url())->CreateVolume({"shop", "12", "data", {}}, {});
    if (row.ours) {
      EXPECT_THAT(result, IsOk()) << row.name;
      continue;
    }
    ASSERT_THAT(result, IsError(ErrorCode::kConflict)) << row.name;
    EXPECT_THAT(result.assume_error().message, HasSubstr("12_data")) << row.name;
  }
}

TEST(DockerEngineTest, VolumeIsRemovedOnlyWhereItIsOurs) {
  for (const OwnerCase& row : OwnerCases()) {
    StubEngine stub([&](const std::string& line) {
      if (line == "GET /version") return StubEngine::Version();
      if (line.starts_with("DELETE")) return StubEngine::Reply("", 204);
      return StubEngine::Reply(R"({"Name":"12_data","Labels":)" + row.labels + "}");
    });
    const auto result = EngineAt(stub.url())->RemoveVolume({"shop", "12", "data", {}}, {});
    if (row.ours) {
      EXPECT_THAT(result, IsOk()) << row.name;
      EXPECT_THAT(Deleted(stub), ElementsAre("/volumes/12_data")) << row.name;
    } else {
      EXPECT_THAT(result, IsError(ErrorCode::kConflict)) << row.name;
      EXPECT_THAT(Deleted(stub), IsEmpty()) << row.name;
    }
  }
}

TEST(DockerEngineTest, VolumeThatIsGoneIsRemoved) {
  StubEngine stub(Always(StubEngine::Reply(R"({"message":"get 12_data: no such volume"})", 404)));
  EXPECT_THAT(EngineAt(stub.url())->RemoveVolume({"shop", "12", "data", {}}, {}), IsOk());
}

// The first removal is another's, and still under way; then `wait` is what the engine says when it
// is asked to wait for its end, and `then` what it says to a second removal.
StubEngine::Handler RemovalUnderWay(std::string wait, std::string then) {
  return [wait = std::move(wait), then = std::move(then),
          again = false](const std::string& line) mutable {
    if (line == "GET /version") return StubEngine::Version();
    if (line == "POST /v1.41/containers/c/wait?condition=removed") return wait;
    if (!line.starts_with("DELETE")) return StubEngine::Reply("", 500);
    if (std::exchange(again, true)) return then;
    return StubEngine::Reply(R"({"message":"removal of container c is already in progress"})", 409);
  };
}

TEST(DockerEngineTest, RemovalUnderWayIsWaitedFor) {
  const std::string waited = StubEngine::Reply(R"({"StatusCode":0})");
  const std::string gone = StubEngine::Reply(R"({"message":"No such container: c"})", 404);
  for (const std::string& wait : {waited, gone}) {
    StubEngine stub(RemovalUnderWay(wait, gone));
    EXPECT_THAT(EngineAt(stub.url())->RemoveContainer("c", {}), IsOk());
    EXPECT_THAT(stub.requests(), ElementsAre("GET /version", "DELETE /v1.41/containers/c?v=1",
                                             "POST /v1.41/containers/c/wait?condition=removed",
                                             "DELETE /v1.41/containers/c?v=1"));
  }
}

TEST(DockerEngineTest, RemovalUnderWayThatFailsIsTriedAgain) {
  StubEngine stub(RemovalUnderWay(StubEngine::Reply(R"({"Error":{"Message":"busy"}})"),
                                  StubEngine::Reply(R"({"message":"device is busy"})", 500)));
  const auto result = EngineAt(stub.url())->RemoveContainer("c", {});
  ASSERT_THAT(result, IsError(ErrorCode::kUnavailable));
  EXPECT_EQ(result.assume_error().message, "device is busy");
}

TEST(DockerEngineTest, RemovalUnderWayIsNotWaitedForWithoutEnd) {
  DockerOptions options;
  options.change_timeout = std::chrono::milliseconds(50);
  StubEngine stub(RemovalUnderWay(std::string(), std::string()));
  EXPECT_THAT(EngineAt(stub.url(), options)->RemoveContainer("c", {}),
              IsError(ErrorCode::kDeadlineExceeded));
}

TEST(DockerEngineTest, EngineThatCannotWaitForARemovalIsAskedSeldom) {
  DockerOptions options;
  options.change_timeout = std::chrono::milliseconds(50);
  const std::string busy =
      StubEngine::Reply(R"({"message":"removal of container c is already in progress"})", 409);
  StubEngine stub(RemovalUnderWay(StubEngine::Reply(R"({"StatusCode":0})"), busy));
  EXPECT_THAT(EngineAt(stub.url(), options)->RemoveContainer("c", {}),
              IsError(ErrorCode::kDeadlineExceeded));
  EXPECT_LE(Deleted(stub).size(), 3U);
}

TEST(DockerEngineTest, StopRequestEndsTheWaitForARemoval) {
  std::stop_source stop;
  StubEngine stub([&, answer = RemovalUnderWay("", "")](const std::string& line) mutable {
    if (line.find("/wait") != std::string::npos) stop.request_stop();
    return answer(line);
  });
  EXPECT_THAT(EngineAt(stub.url())->RemoveContainer("c", stop.get_token()),
              IsError(ErrorCode::kCancelled));
}

// Says when the watch stands.
class FirstGap final : public EventSink {
 public:
  void OnEvent(const EngineEvent&) override {}
  void OnGap() override { stands.set_value(); }
  std::promise<void> stands;
};

TEST(DockerEngineTest, WhatWasSeenInsideHoldsWhileEventsAreWatched) {
  StubEngine stub([listing = Listing(ThirtyContainers())](const std::string& line) {
    return line.find("/events") == std::string::npos ? listing(line) : StubEngine::OpenStream();
  });
  const auto engine = EngineAt(stub.url());
  std::stop_source stop;
  FirstGap sink;
  std::thread watching([&] { (void)engine->Watch(sink, stop.get_token()); });
  sink.stands.get_future().wait();
  ASSERT_THAT(engine->Observe({}, {}), IsOk());
  const std::size_t before = stub.requests().size();
  ASSERT_THAT(engine->Observe({}, {}), IsOk());
  EXPECT_EQ(stub.requests().size(), before + 4) << "four lists, and no inspect";
  stop.request_stop();
  watching.join();
}

}  // namespace
}  // namespace lockstep::test

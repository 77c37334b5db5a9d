// Networks on an engine that holds several of one name, or somebody else's.
#include "network_calls.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lockstep/runtimes/docker_engine.h"
#include "lockstep/testing/matchers.h"
#include "resource_cases.h"
#include "stub_engine.h"

namespace lockstep::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kOurs = R"({"io.balena.supervised":"true","io.balena.app-uuid":"shop"})";

constexpr const char* kOwnLabels =
    R"({"io.balena.supervised":"true","io.balena.app-uuid":"shop","io.balena.service-name":"web"})";
constexpr const char* kAmbiguous =
    R"({"message":"2 matches found based on name: network shop_net is ambiguous"})";

// Holds networks that are all called shop_net unless said otherwise. Like a real engine it refuses
// the name in a path where it is that of several.
class NetworksTest : public ::testing::Test {
 protected:
  struct Held {
    std::string id;
    std::string created;
    bool used = false;
    std::string labels = kOurs;
    std::string name = "shop_net";
  };

  std::unique_ptr<RuntimeBackend> Engine() {
    DockerOptions options;
    options.url = stub.url();
    return MakeDockerEngine(options).value();
  }

  std::string Answer(const std::string& line) {
    if (line == "GET /version") return StubEngine::Version();
    if (line.find("/networks/shop_net") != std::string::npos) {
      return StubEngine::Reply(kAmbiguous, 400);
    }
    if (line.find("/networks?") != std::string::npos) return StubEngine::Reply(List());
    if (line.ends_with("/connect") && !refusal.empty()) return StubEngine::Reply(refusal, 500);
    if (line.find("/networks/create") != std::string::npos) {
      return StubEngine::Reply(taken, taken_status);
    }
    if (line.ends_with("/connect")) {
      const bool held = std::any_of(networks.begin(), networks.end(), [&](const Held& one) {
        return line.find("/networks/" + one.id + "/connect") != std::string::npos;
      });
      return held ? StubEngine::Reply("") : StubEngine::Reply(R"({"message":"not found"})", 404);
    }
    if (line.starts_with("DELETE")) return Delete(line.substr(line.rfind('/') + 1));
    if (line.find("/containers/json") != std::string::npos) return Users(line);
    if (line.find("/containers/create") != std::string::npos) {
      return StubEngine::Reply(R"({"Id":"c1"})", 201);
    }
    if (line.ends_with("/start")) {
      return networks.size() < 2 ? StubEngine::Reply("", 204) : StubEngine::Reply(kAmbiguous, 400);
    }
    if (line.find("/containers/") != std::string::npos) return StubEngine::Reply(container);
    return StubEngine::Reply("");
  }

  std::string List() const {
    std::string list;
    for (const Held& held : networks) {
      list += (list.empty() ? "" : ",") + (R"({"Id":")" + held.id) + R"(","Name":")" + held.name +
              R"(","Created":")" + held.created + R"(","Labels":)" + held.labels + "}";
    }
    return "[" + list + "]";
  }

  std::string Delete(const std::string& id) {
    const auto it = std::find_if(networks.begin(), networks.end(),
                                 [&](const Held& held) { return held.id == id; });
    if (it == networks.end()) return StubEngine::Reply(R"({"message":"not found"})", 404);
    if (it->used) return StubEngine::Reply(R"({"message":"has active endpoints"})", 403);
    networks.erase(it);
    return StubEngine::Reply("", 204);
  }

  std::string Users(const std::string& line) const {
    const bool all = line.find("all=1") != std::string::npos;
    for (const Held& held : networks) {
      const bool asked = line.find(docker::EscapeQuery("\"" + held.id + "\"")) != std::string::npos;
      if (asked && held.used && all) return StubEngine::Reply(R"([{"Id":"c0"}])");
    }
    return StubEngine::Reply("[]");
  }

  // The networks that a container was connected to.
  std::vector<std::string> Connected() {
    constexpr std::string_view kBefore = "POST /v1.41/networks/";
    constexpr std::string_view kAfter = "/connect";
    std::vector<std::string> ids;
    for (const std::string& line : stub.requests()) {
      if (!line.starts_with(kBefore) || !line.ends_with(kAfter)) continue;
      ids.push_back(line.substr(kBefore.size(), line.size() - kBefore.size() - kAfter.size()));
    }
    return ids;
  }

  std::vector<Held> networks;
  std::string taken = R"({"message":"network with name shop_net already exists"})";
  int taken_status = 409;
  std::string refusal;  // What it says to who connects; empty: that it is done.
  std::string container = "{}";
  const NetworkSpec net{"shop", "12", "net", Value::Map{}};
  StubEngine stub{[this](const std::string& line) { return Answer(line); }};
};

TEST_F(NetworksTest, OnlyTheAppsOwnIsRemovedAndByItsId) {
  for (const OwnerCase& row : OwnerCases()) {
    networks = {{"n7", "", false, row.labels}};
    const auto result = Engine()->RemoveNetwork(net, {});
    if (row.ours) {
      EXPECT_THAT(result, IsOk()) << row.name;
      EXPECT_THAT(networks, IsEmpty()) << row.name;
    } else {
      EXPECT_THAT(result, IsError(ErrorCode::kConflict)) << row.name;
      EXPECT_EQ(networks.size(), 1U) << row.name;
    }
  }
}

TEST_F(NetworksTest, OneThatIsGoneIsRemoved) {
  EXPECT_THAT(Engine()->RemoveNetwork(net, {}), IsOk());
}

TEST_F(NetworksTest, OneWhoseNameIsPartOfAnothersIsNotThatOne) {
  networks = {{"long", "", false, kOurs, "shop_network"},
              {"other", "", false, kOurs, "my_shop_net"}};
  EXPECT_THAT(Engine()->RemoveNetwork(net, {}), IsOk());
  EXPECT_THAT(Deleted(stub), IsEmpty());
  EXPECT_THAT(Engine()->ConnectNetwork("c1", net, Value::Map{}, {}), IsError(ErrorCode::kNotFound));
}

TEST_F(NetworksTest, AllOfTheAppsOfOneNameAreRemovedAndNobodyElses) {
  networks = {{"a", ""}, {"theirs", "", false, "null"}, {"b", ""}};
  EXPECT_THAT(Engine()->RemoveNetwork(net, {}), IsOk());
  EXPECT_THAT(Deleted(stub), ElementsAre("/networks/a", "/networks/b"));
}

TEST_F(NetworksTest, OneInUseHoldsUpNoneOfItsNamesakes) {
  networks = {{"a", "", true}, {"b", ""}};
  EXPECT_THAT(Engine()->RemoveNetwork(net, {}), IsError(ErrorCode::kConflict));
  ASSERT_EQ(networks.size(), 1U);
  EXPECT_EQ(networks[0].id, "a");
}

struct ChoiceCase {
  const char* name;
  std::string created_a;
  bool used_a;
  std::string created_b;
  bool used_b;
  std::string meant;
  std::vector<std::string> deleted;
};

TEST_F(NetworksTest, OfSeveralTheOneInUseIsMeantElseTheOldest) {
  const std::string early = "2026-11-22T23:00:17.99Z";
  const std::string late = "2026-11-22T23:00:17.995Z";  // Of more digits, and so less as text.
  for (const ChoiceCase& row : {
           ChoiceCase{"oldest first", early, false, late, false, "a", {"/networks/b"}},
           ChoiceCase{"oldest last", late, false, early, false, "b", {"/networks/a"}},
           ChoiceCase{"used before old", early, false, late, true, "b", {"/networks/a"}},
           ChoiceCase{"both used", late, true, early, true, "b", {}},
       }) {
    networks = {{"a", row.created_a, row.used_a}, {"b", row.created_b, row.used_b}};
    const std::size_t connected = Connected().size();
    const std::size_t deleted = Deleted(stub).size();
    EXPECT_THAT(Engine()->ConnectNetwork("c1", net, Value::Map{}, {}), IsOk()) << row.name;
    ASSERT_EQ(Connected().size(), connected + 1) << row.name;
    EXPECT_EQ(Connected().back(), row.meant) << row.name;
    auto paths = Deleted(stub);
    paths.erase(paths.begin(), paths.begin() + static_cast<std::ptrdiff_t>(deleted));
    EXPECT_EQ(paths, row.deleted) << row.name;
  }
}

TEST_F(NetworksTest, StoppedContainerIsFreedOfAFormerOneByTheId) {
  networks = {{"a", ""}};
  container = R"({"NetworkSettings":{"Networks":{"shop_net":{"NetworkID":"gone"}}}})";
  EXPECT_THAT(Engine()->ConnectNetwork("c1", net, Value::Map{}, {}), IsOk());
  EXPECT_THAT(stub.requests(), Contains("POST /v1.41/networks/a/disconnect"));
}

TEST_F(NetworksTest, NobodyElsesIsConnected) {
  networks = {{"theirs", "", false, "null"}};
  EXPECT_THAT(Engine()->ConnectNetwork("c1", net, Value::Map{}, {}), IsError(ErrorCode::kConflict));
  EXPECT_THAT(Connected(), IsEmpty());
}

TEST_F(NetworksTest, OneThatIsThereTwiceIsThere) {
  networks = {{"a", ""}, {"b", ""}};
  EXPECT_THAT(Engine()->CreateNetwork(net, {}), IsOk());
  EXPECT_EQ(networks.size(), 1U);
}

TEST_F(NetworksTest, WhatIsThereIsThereInPodmansWordsToo) {
  networks = {{"a", ""}};
  taken =
      R"({"cause":"network already exists","message":"network name shop_net already used: network already exists","response":500})";
  taken_status = 500;
  EXPECT_THAT(Engine()->CreateNetwork(net, {}), IsOk());
  refusal =
      R"({"cause":"network is already connected","message":"container 3b63be0c737a is already connected to network \"shop_net\": network is already connected","response":500})";
  EXPECT_THAT(Engine()->ConnectNetwork("c1", net, Value::Map{}, {}), IsOk());
  refusal = R"({"message":"no space left on device","response":500})";
  EXPECT_THAT(Engine()->ConnectNetwork("c1", net, Value::Map{}, {}), IsError(ErrorCode::kNoSpace));
}

TEST_F(NetworksTest, OneOfAnotherDefinitionOrOwnerIsAConflict) {
  networks = {{"a", ""}};
  EXPECT_THAT(Engine()->CreateNetwork({"shop", "12", "net", Value::Map{{"internal", true}}}, {}),
              IsError(ErrorCode::kConflict));
  networks = {{"a", "", false, "null"}};
  EXPECT_THAT(Engine()->CreateNetwork(net, {}), IsError(ErrorCode::kConflict));
}

ContainerSpec OnNetwork() {
  ContainerSpec spec;
  spec.name = "web";
  spec.app = "shop";
  spec.app_id = "12";
  spec.spec.Set(Field::kNetworks, Value::Map{{"net", Value::Map{}}});
  return spec;
}

TEST_F(NetworksTest, ContainerIsMadeOnceTheNameMeansOne) {
  networks = {{"a", ""}, {"b", ""}};
  EXPECT_THAT(Engine()->CreateContainer(OnNetwork(), {}), IsOk());
  EXPECT_EQ(networks.size(), 1U);
}

TEST_F(NetworksTest, ContainerIsNotMadeOnANameThatMeansSeveral) {
  for (const Held& second : {Held{"b", "", true}, Held{"theirs", "", false, "null"}}) {
    networks = {{"a", "", true}, second};
    const auto made = Engine()->CreateContainer(OnNetwork(), {});
    ASSERT_THAT(made, IsError(ErrorCode::kConflict)) << second.id;
    EXPECT_THAT(made.assume_error().message, HasSubstr("2 networks are called shop_net"));
  }
  EXPECT_THAT(stub.requests(), Not(Contains(StartsWith("POST"))));
}

TEST_F(NetworksTest, ContainerWhoseNetworkGotANamesakeIsStarted) {
  container = R"({"Config":{"Labels":)" + std::string(kOwnLabels) +
              R"(},"NetworkSettings":{"Networks":{"shop_net":{"NetworkID":""}}}})";
  networks = {{"a", ""}, {"b", ""}};
  EXPECT_THAT(Engine()->StartContainer("c1", {}), IsOk());
  EXPECT_EQ(networks.size(), 1U);
  networks = {{"a", "", true}, {"b", "", true}};
  EXPECT_THAT(Engine()->StartContainer("c1", {}), IsError(ErrorCode::kConflict));
}

struct KnownCase {
  const char* name;
  std::string list;  // What the last look saw.
  bool asked;        // Whether the engine is asked for its networks.
};

TEST_F(NetworksTest, OneThatWasSeenAloneIsMeantWithoutAskingAgain) {
  docker::EngineApi api(docker::ParseEngineUrl(stub.url()).value(), {});
  networks = {{"a", ""}};
  const std::string one = List();
  networks = {{"a", ""}, {"b", ""}};
  const std::string two = List();
  networks = {{"a", "", false, "null"}};
  const std::string theirs = List();
  networks = {{"old", ""}};
  const std::string former = List();
  for (const KnownCase& row :
       {KnownCase{"alone", one, false}, KnownCase{"never seen", "[]", true},
        KnownCase{"of several", two, true}, KnownCase{"theirs", theirs, true},
        KnownCase{"gone since", former, true}}) {
    networks = {{"a", ""}};
    docker::KnownNetworks known;
    known.Replace(docker::ParseJson(row.list).value());
    const auto before = static_cast<std::ptrdiff_t>(stub.requests().size());
    EXPECT_THAT(docker::Connect(api, known, {{"shop", "12"}, "shop_net"}, "c1", {}, {}), IsOk())
        << row.name;
    EXPECT_EQ(Connected().back(), "a") << row.name;
    auto requests = stub.requests();
    requests.erase(requests.begin(), requests.begin() + before);
    const auto lists = [](const std::string& line) {
      return line.find("/networks?") != std::string::npos;
    };
    EXPECT_EQ(std::any_of(requests.begin(), requests.end(), lists), row.asked) << row.name;
  }
}

TEST_F(NetworksTest, OneThatWasSeenAloneIsRemovedOnceByItsId) {
  docker::EngineApi api(docker::ParseEngineUrl(stub.url()).value(), {});
  networks = {{"a", ""}};
  docker::KnownNetworks known;
  known.Replace(docker::ParseJson(List()).value());
  EXPECT_THAT(docker::RemoveNetwork(api, known, net, {}), IsOk());
  EXPECT_THAT(networks, IsEmpty());
  EXPECT_THAT(stub.requests(), Not(Contains(HasSubstr("/networks?"))));
  networks = {{"b", ""}};  // Made by somebody since.
  EXPECT_THAT(docker::RemoveNetwork(api, known, net, {}), IsOk());
  EXPECT_THAT(networks, IsEmpty());
}

TEST_F(NetworksTest, FurtherNetworksOfAContainerAreConnectedByTheirIds) {
  networks = {{"a", ""}, {"b", "", true}, {"m", "", false, kOurs, "shop_main"}};
  ContainerSpec spec = OnNetwork();
  spec.spec.Set(Field::kNetworks,
                Value::Map{{"main", Value::Map{{"priority", 1}}}, {"net", Value::Map{}}});
  EXPECT_THAT(Engine()->CreateContainer(spec, {}), IsOk());
  EXPECT_THAT(Connected(), ElementsAre("b"));
}

}  // namespace
}  // namespace lockstep::test

// openapi.json against the routes that are served: each is described, and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "agent/api_context.h"
#include "agent/static_files.h"

namespace lockstep {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using Json = nlohmann::json;

// "/v1/apps/:id/pause" as OpenAPI writes it.
std::string Template(const std::string& pattern) {
  std::string path;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != ':') {
      path += pattern[i];
      continue;
    }
    const std::size_t end = std::min(pattern.find('/', i), pattern.size());
    path += "{" + pattern.substr(i + 1, end - i - 1) + "}";
    i = end - 1;
  }
  return path;
}

std::string Method(const Route& route) { return route.method == "GET" ? "get" : "post"; }

class OpenApiTest : public ::testing::Test {
 protected:
  OpenApiTest()
      : context_{control_, counters_, std::make_shared<EventStream>(), {}, {}, {}, {}, {}, worker_},
        routes_(AgentRoutes(context_)),
        document_(Json::parse(kOpenApi)) {}

  // Null where it is not described.
  Json Operation(const Route& route) const {
    const auto path = document_["paths"].find(Template(route.pattern));
    if (path == document_["paths"].end()) return nullptr;
    return path->value(Method(route), Json());
  }

  RunControl control_;
  Counters counters_;
  ApiWorker worker_;
  ApiContext context_;
  std::vector<Route> routes_;
  Json document_;
};

std::set<std::string> Keys(const Json& object) {
  std::set<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

TEST_F(OpenApiTest, DescribesEachRouteAndNothingElse) {
  std::set<std::string> served;
  for (const Route& route : routes_) served.insert(Method(route) + " " + Template(route.pattern));
  std::set<std::string> described;
  for (const auto& [path, operations] : document_["paths"].items()) {
    for (const auto& [method, operation] : operations.items())
      described.insert(method + " " + path);
  }
  EXPECT_EQ(described, served);
  EXPECT_EQ(document_["openapi"], "3.1.0");
}

TEST_F(OpenApiTest, SaysWhereAKeyIsNeeded) {
  for (const Route& route : routes_) {
    SCOPED_TRACE(route.method + " " + route.pattern);
    const Json operation = Operation(route);
    const bool open = operation.contains("security") && operation["security"].empty();
    EXPECT_EQ(open, route.access == RouteAccess::kAnyone);
    EXPECT_EQ(operation["responses"].contains("401"), !open);
    EXPECT_EQ(operation["responses"].contains("429"), !open);
  }
  EXPECT_EQ(document_["security"].size(), 2U);  // In the header field, or as `apikey`.
}

TEST_F(OpenApiTest, SaysHowTheRouterRefuses) {
  for (const Route& route : routes_) {
    SCOPED_TRACE(route.method + " " + route.pattern);
    const Json operation = Operation(route);
    EXPECT_TRUE(operation["responses"].contains("421"));
    const bool posts = route.method == "POST";
    EXPECT_EQ(operation["responses"].contains("403"), posts);
    EXPECT_EQ(operation.contains("requestBody"), posts);
    if (posts) {
      EXPECT_THAT(Keys(operation["responses"]), IsSupersetOf({"400", "413"}));
    }
  }
}

TEST_F(OpenApiTest, NamesTheParametersOfEachPath) {
  for (const Route& route : routes_) {
    SCOPED_TRACE(route.method + " " + route.pattern);
    std::vector<std::string> names;
    for (const Json& parameter : Operation(route).value("parameters", Json::array())) {
      if (parameter["in"] == "path") names.push_back(parameter["name"]);
    }
    if (route.pattern.find(":id") == std::string::npos) {
      EXPECT_THAT(names, IsEmpty());
    } else {
      EXPECT_THAT(names, ElementsAre("id"));
    }
  }
}

}  // namespace
}  // namespace lockstep

#include "http_api/api_router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lockstep/testing/matchers.h"
#include "test_server.h"

namespace lockstep::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kDeviceKey[] = "device-0123456789";
constexpr char kAppKey[] = "app-0123456789abc";

Route MakeRoute(std::string method, std::string pattern, RouteAccess access) {
  Route route;
  route.method = std::move(method);
  route.pattern = std::move(pattern);
  route.access = access;
  route.max_body_bytes = 10;
  route.handle = [](ApiRequest request, ApiReply reply) {
    ApiResponse response;
    response.body = request.method + ' ' + request.path;
    for (const auto& [name, value] : request.params) response.body += ' ' + name + '=' + value;
    for (const auto& [name, value] : request.query) response.body += ' ' + name + '=' + value;
    response.body += request.Header("authorization");
    response.body += request.scope.device ? " device" : ' ' + request.scope.app_uuid;
    reply.Send(std::move(response));
  };
  return route;
}

std::vector<Route> Routes() {
  return {MakeRoute("GET", "/ping", RouteAccess::kAnyone),
          MakeRoute("GET", "/v2/applications/:id/state", RouteAccess::kAppOfId),
          MakeRoute("POST", "/v2/applications/:id/restart", RouteAccess::kAppOfId),
          MakeRoute("GET", "/v2/applications/:id", RouteAccess::kAppOfId),
          MakeRoute("GET", "/v2/applications/state", RouteAccess::kAnyKey),
          MakeRoute("POST", "/v1/update", RouteAccess::kDevice),
          MakeRoute("GET", "/v1/device", RouteAccess::kDevice)};
}

TEST(RouteTableTest, FindsTheMostParticularRoute) {
  const auto table = RouteTable::Make(Routes());
  ASSERT_THAT(table, IsOk());
  const RouteTable& routes = table.assume_value();
  EXPECT_EQ(routes.Find("GET", "/v2/applications/state").route->pattern, "/v2/applications/state");
  const auto match = routes.Find("GET", "/v2/applications/12");
  EXPECT_EQ(match.route->pattern, "/v2/applications/:id");
  EXPECT_EQ(match.params, (TextMap{{"id", "12"}}));
  EXPECT_NE(routes.Find("HEAD", "/ping").route, nullptr);
  EXPECT_EQ(routes.Find("HEAD", "/v1/update").route, nullptr);
  EXPECT_EQ(routes.routes().size(), 7U);
}

TEST(RouteTableTest, FindsNothingElse) {
  const auto table = RouteTable::Make(Routes());
  for (const char* path : {"", "/", "ping", "/ping/", "//ping", "/Ping", "/v2/applications//state",
                           "/v2/applications", "/v2/applications/1/state/x"}) {
    const auto match = table.assume_value().Find("GET", path);
    EXPECT_EQ(match.route, nullptr) << path;
    EXPECT_TRUE(match.allowed.empty()) << path;
  }
  EXPECT_THAT(table.assume_value().Find("POST", "/ping").allowed, ElementsAre("GET", "HEAD"));
}

TEST(RouteTableTest, RefusesTablesThatCannotBeMeant) {
  const auto make = [](Route route) {
    auto routes = Routes();
    routes.push_back(std::move(route));
    return RouteTable::Make(std::move(routes));
  };
  const auto anyone = RouteAccess::kAnyone;
  EXPECT_THAT(make(MakeRoute("GET", "/new", anyone)), IsOk());
  EXPECT_THAT(make(MakeRoute("GET", "new", anyone)), IsError(ErrorCode::kInternal));
  EXPECT_THAT(make(MakeRoute("GET", "/ping", anyone)), IsError(ErrorCode::kInternal));
  EXPECT_THAT(make(MakeRoute("GET", "/v2/applications/:app", anyone)),
              IsError(ErrorCode::kInternal));
  EXPECT_THAT(make(MakeRoute("GET", "/x/:app", RouteAccess::kAppOfId)),
              IsError(ErrorCode::kInternal));
  Route without = MakeRoute("GET", "/new", anyone);
  without.handle = nullptr;
  EXPECT_THAT(make(without), IsError(ErrorCode::kInternal));
}

class ApiRouterTest : public ::testing::Test {
 protected:
  ApiRouterTest() {
    KeyScope device;
    device.device = true;
    KeyScope shop;
    shop.app_uuid = "5h0p";
    shop.app_id = 12;
    access.SetKeys({{kDeviceKey, device}, {kAppKey, shop}});
    test.Start(router);
  }

  RawResponse Tcp(const std::string& line, const std::string& headers = {},
                  const std::string& host = "127.0.0.1") {
    RawClient client = test.Tcp();
    client.Send(line + " HTTP/1.1\r\nHost: " + host + "\r\n" + headers + "\r\n");
    return client.Read();
  }
  static std::string Bearer(const std::string& key) {
    return "Authorization: Bearer " + key + "\r\n";
  }

  MonoTime now;
  ApiAccess access{[this] { return now; }};
  ApiRouter router{RouteTable::Make(Routes()).assume_value(), access, {"kitchen.local"}};
  TestServer test;
};

TEST_F(ApiRouterTest, NeedsNoKeyOverTheSocket) {
  RawClient client = test.Unix();
  client.Get("/v1/device", "Origin: http://x\r\n");
  EXPECT_EQ(client.Read().body, "GET /v1/device device");
  client.Post("/v2/applications/7/restart", "");
  EXPECT_EQ(client.Read().body, "POST /v2/applications/7/restart id=7 device");
  client.Send("GET /ping HTTP/1.1\r\nHost: whatever.example\r\n\r\n");
  EXPECT_EQ(client.Read().status, 200);
}

TEST_F(ApiRouterTest, AsksForAKeyOverTcp) {
  EXPECT_EQ(Tcp("GET /ping").status, 200);
  RawResponse refused = Tcp("GET /v1/device");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.headers["www-authenticate"], "Bearer");
  EXPECT_THAT(refused.body, HasSubstr("{\"error\":{\"code\":\"permission-denied\",\"message\":"));
  EXPECT_EQ(Tcp("GET /v1/device", Bearer("wrong")).status, 401);
  EXPECT_EQ(Tcp("GET /v1/device", Bearer(kDeviceKey)).body, "GET /v1/device device");
  EXPECT_EQ(Tcp("GET /v1/device?apikey=" + std::string(kDeviceKey) + "&a=b").body,
            "GET /v1/device a=b device");
  EXPECT_EQ(Tcp("GET /ping", Bearer("wrong")).body, "GET /ping ");
}

TEST_F(ApiRouterTest, OpensToAnAppsKeyWhatIsOfTheApp) {
  const std::string key = Bearer(kAppKey);
  EXPECT_EQ(Tcp("GET /v2/applications/12/state", key).status, 200);
  EXPECT_EQ(Tcp("GET /v2/applications/5h0p/state", key).status, 200);
  EXPECT_EQ(Tcp("POST /v2/applications/12/restart", key).status, 200);
  EXPECT_EQ(Tcp("GET /v2/applications/state", key).body, "GET /v2/applications/state 5h0p");
  EXPECT_EQ(Tcp("GET /v2/applications/13/state", key).status, 401);
  EXPECT_EQ(Tcp("POST /v2/applications/other/restart", key).status, 401);
  EXPECT_EQ(Tcp("GET /v1/device", key).status, 401);
  EXPECT_EQ(Tcp("GET /v2/applications/13/state", Bearer(kDeviceKey)).status, 200);
}

TEST_F(ApiRouterTest, LimitsWrongKeysOfAnAddress) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Tcp("GET /v1/device", Bearer("wrong")).status, 401);
  RawResponse limited = Tcp("GET /v1/device", Bearer("wrong"));
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited.headers["retry-after"], "60");
  EXPECT_EQ(Tcp("GET /v1/device").status, 401);  // Without a key nothing is guessed.
  EXPECT_EQ(Tcp("GET /v1/device", Bearer(kDeviceKey)).status, 200);
}

TEST_F(ApiRouterTest, IsCalledByItsOwnNames) {
  EXPECT_EQ(Tcp("GET /ping", "", "kitchen.local:48484").status, 200);
  for (const char* host : {"evil.example", "127.0.0.1.evil.example", "localhost, evil.example"}) {
    EXPECT_EQ(Tcp("GET /ping", "", host).status, 421) << host;
  }
  EXPECT_EQ(Tcp("GET /ping", "Host: evil.example\r\n").status, 421);  // Two of them.
  RawClient old = test.Tcp();
  old.Send("GET /ping HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.Read().status, 421);
}

TEST_F(ApiRouterTest, RefusesWhatAnotherSitesPageSends) {
  const std::string key = Bearer(kDeviceKey);
  EXPECT_EQ(Tcp("POST /v1/update", key).status, 200);
  EXPECT_EQ(Tcp("POST /v1/update", key + "Sec-Fetch-Site: cross-site\r\n").status, 403);
  EXPECT_EQ(Tcp("POST /v1/update", key + "Origin: http://evil.example\r\n").status, 403);
  EXPECT_EQ(Tcp("POST /v1/update", key + "Origin: http://127.0.0.1\r\n").status, 200);
}

// Somebody may have forwarded a port of their own to the socket.
TEST_F(ApiRouterTest, RefusesAnotherSitesPageOverTheSocketToo) {
  RawClient client = test.Unix();
  client.Send(
      "POST /v1/update HTTP/1.1\r\nHost: localhost:8080\r\nContent-Length: 0\r\n"
      "Origin: http://evil.example\r\n\r\n");
  EXPECT_EQ(client.Read().status, 403);
  RawClient rebound = test.Unix();
  rebound.Send(
      "GET /v1/device HTTP/1.1\r\nHost: evil.example\r\nSec-Fetch-Site: same-origin\r\n\r\n");
  EXPECT_EQ(rebound.Read().status, 421);
}

TEST_F(ApiRouterTest, TellsUnknownPathsFromWrongMethods) {
  EXPECT_EQ(Tcp("GET /nothing").status, 404);
  RawResponse wrong = Tcp("DELETE /v1/device");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers["allow"], "GET, HEAD");
  EXPECT_THAT(wrong.body, HasSubstr("\"code\":\"unsupported\""));
}

TEST_F(ApiRouterTest, BoundsTheBodyByItsRoute) {
  RawClient client = test.Unix();
  client.Post("/v1/update", "0123456789");
  EXPECT_EQ(client.Read().status, 200);
  client.Post("/v1/update", "0123456789a");
  EXPECT_EQ(client.Read().status, 413);
  // Without a key none of it is wanted.
  EXPECT_EQ(Tcp("POST /v1/update", "Content-Length: 1073741824\r\n").status, 401);
}

}  // namespace
}  // namespace lockstep::test

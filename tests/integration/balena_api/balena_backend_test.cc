// Source and reporter as they are on a device: a real server, the system's clock, threads.
#include <gmock/gmock.h>
#include <httplib.h>

#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "../../runtimes/local_server.h"
#include "../target_sources/running_source.h"
#include "balena_api/state_reporter.h"
#include "target_sources/balena_source.h"

namespace lockstep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BalenaBackendTest : public ::testing::Test {
 protected:
  BalenaBackendTest() {
    const int port = server.bind_to_any_port("127.0.0.1");
    device.api_endpoint = "http://127.0.0.1:" + std::to_string(port);
    device.uuid = "dev1";
    device.api_key = "key";
  }
  ~BalenaBackendTest() override { server.stop(); }
  void Serve() {
    thread = std::jthread([this] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();
  }

  httplib::Server server;
  std::jthread thread;
  BalenaDevice device;
  SystemClock clock;
};

TEST_F(BalenaBackendTest, GivesTheTargetToWhoHasTheKey) {
  server.Get("/device/v3/dev1/state",
             [](const httplib::Request& request, httplib::Response& reply) {
               if (request.get_header_value("Authorization") != "Bearer key") {
                 reply.status = 401;
                 return;
               }
               reply.set_header("ETag", "\"1\"");
               reply.set_content(R"({"dev1": {"name": "n", "config": {}, "apps": {
        "u1": {"id": 1, "name": "shop"}}}})",
                                 "application/json");
             });
  Serve();
  test::RunningSource running(MakeBalenaSource(device, clock));
  EXPECT_THAT(running.Await(1), ElementsAre("target shop"));
  EXPECT_EQ(running.last().target.device_uuid, "dev1");
  device.api_key = "old";
  test::RunningSource refused(MakeBalenaSource(device, clock));
  EXPECT_THAT(refused.Await(1)[0], HasSubstr("refuses the device's key"));
}

TEST_F(BalenaBackendTest, IsTold) {
  std::promise<std::string> told;
  server.Patch("/device/v3/state", [&](const httplib::Request& request, httplib::Response&) {
    told.set_value(request.body);
  });
  Serve();
  StateReporter reporter(device, clock);
  std::jthread sending([&](std::stop_token stop) { reporter.Run(stop); });
  DeviceReport report;
  report.os_version = "os 1";
  reporter.Set(report);
  EXPECT_EQ(nlohmann::json::parse(told.get_future().get()),
            nlohmann::json::parse(R"({"dev1": {"os_version": "os 1"}})"));
}

TEST_F(BalenaBackendTest, SilenceHoldsUpNoStop) {
  std::promise<void> asked;
  test::LocalServer silent([&](int connection) {
    test::LocalServer::ReadHead(connection);
    asked.set_value();
    test::LocalServer::AwaitEnd(connection);
  });
  device.api_endpoint = "http://127.0.0.1:" + std::to_string(silent.port());
  test::RunningSource running(MakeBalenaSource(device, clock));
  asked.get_future().wait();
  running.Stop();
  EXPECT_THAT(running.Await(0), ::testing::IsEmpty());
}

}  // namespace
}  // namespace lockstep

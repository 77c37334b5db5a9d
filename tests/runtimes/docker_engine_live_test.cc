// On a real engine: LOCKSTEP_TEST_ENGINE names its socket, LOCKSTEP_TEST_REGISTRY a registry with
// app:v1 and app:v2. A program of its own; whoever starts it has an engine.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "lockstep/runtimes/docker_engine.h"
#include "lockstep/testing/matchers.h"
#include "lockstep/testing/runtime_conformance.h"

namespace lockstep::test {
namespace {

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

RuntimeConformanceSubject LiveSubject() {
  const std::string registry = FromEnvironment("LOCKSTEP_TEST_REGISTRY");
  DockerOptions options;
  options.url = FromEnvironment("LOCKSTEP_TEST_ENGINE");
  auto engine = MakeDockerEngine(options);
  if (!engine || registry.empty()) {
    std::fprintf(stderr, "LOCKSTEP_TEST_ENGINE and LOCKSTEP_TEST_REGISTRY name no engine\n");
    std::exit(1);
  }
  return {std::move(engine).assume_value(), registry + "/app:v1", registry + "/app:v2",
          registry + "/app:none"};
}

INSTANTIATE_TEST_SUITE_P(Docker, RuntimeConformance,
                         ::testing::Values(RuntimeConformanceFactory(LiveSubject)));

class LiveDocker : public RuntimeConformance {};
INSTANTIATE_TEST_SUITE_P(Docker, LiveDocker,
                         ::testing::Values(RuntimeConformanceFactory(LiveSubject)));

// Every field of the table, in two containers where fields exclude each other.
void SetMostFields(ServiceSpec& spec) {
  using L = Value::List;
  using M = Value::Map;
  spec.Set(Field::kCapAdd, L{"NET_ADMIN", "SYS_TIME"});
  spec.Set(Field::kCapDrop, L{"MKNOD"});
  spec.Set(Field::kCommand, L{"sh", "-c", "echo $HOME 'x y'"});
  spec.Set(Field::kCpuQuota, 50000);
  spec.Set(Field::kCpuShares, 512);
  spec.Set(Field::kCpuset, "0");
  spec.Set(Field::kDevices, L{"/dev/null:/dev/none:rw", "/dev/zero:/dev/zero:rwm"});
  spec.Set(Field::kDns, L{"10.0.0.2", "10.0.0.1"});
  spec.Set(Field::kDnsOpt, L{"ndots:2"});
  spec.Set(Field::kDnsSearch, L{"b.example", "a.example"});
  spec.Set(Field::kDomainname, "example.com");
  spec.Set(Field::kEntrypoint, L{"/bin/busybox"});
  spec.Set(Field::kExpose, L{"54/udp", "8000/tcp"});
  spec.Set(Field::kExtraHosts, L{"one:10.0.0.3", "two:fe80::1"});
  spec.Set(Field::kGroupAdd, L{"10", "20"});
  spec.Set(Field::kHealthcheck, M{{"interval", std::int64_t{5'000'000'000}},
                                  {"retries", 4},
                                  {"start_period", std::int64_t{1'000'000'000}},
                                  {"test", L{"CMD", "true"}},
                                  {"timeout", std::int64_t{2'000'000'000}}});
  spec.Set(Field::kHostname, "kitchen");
  spec.Set(Field::kInit, true);
  spec.Set(Field::kIpc, "shareable");
  spec.Set(Field::kMacAddress, "02:42:ac:11:22:33");
  spec.Set(Field::kMemLimit, std::int64_t{64} << 20);
  spec.Set(Field::kMemReservation, std::int64_t{32} << 20);
  spec.Set(Field::kNetworks, M{{"back", M{{"aliases", L{"cache", "store"}}}},
                               {"front", M{{"ipv4_address", "172.29.77.9"}}}});
  spec.Set(Field::kOomKillDisable, true);
  spec.Set(Field::kOomScoreAdj, -100);
  spec.Set(Field::kPidsLimit, 50);
  spec.Set(Field::kPorts, L{"127.0.0.1::53/udp", ":18099:80/tcp", "[::1]:18098:80/tcp"});
  spec.Set(Field::kPrivileged, true);
  spec.Set(Field::kReadOnly, true);
  spec.Set(Field::kRestart, "on-failure:5");
  spec.Set(Field::kSecurityOpt, L{"no-new-privileges"});
  spec.Set(Field::kShmSize, std::int64_t{16} << 20);
  spec.Set(Field::kStopGracePeriod, std::int64_t{30'000'000'000});
  spec.Set(Field::kStopSignal, "SIGINT");
  spec.Set(Field::kSysctls, M{{"net.ipv4.ip_forward", "1"}});
  spec.Set(Field::kTmpfs, L{"/run", "/scratch:size=1m"});
  spec.Set(Field::kTty, true);
  spec.Set(Field::kUlimits, M{{"nofile", M{{"hard", 2048}, {"soft", 1024}}}});
  spec.Set(Field::kUser, "1000:1000");
  spec.Set(Field::kVolumes,
           L{M{{"read_only", true}, {"source", "data"}, {"target", "/data"}, {"type", "volume"}},
             M{{"size", 1 << 20}, {"target", "/mem"}, {"type", "tmpfs"}},
             M{{"target", "/anonymous"}, {"type", "volume"}}});
  spec.Set(Field::kWorkingDir, "/srv");
}

void SetTheOtherFields(ServiceSpec& spec) {
  spec.Set(Field::kCpus, std::int64_t{500'000'000});
  spec.Set(Field::kNetworkMode, "host");
  spec.Set(Field::kPid, "host");
  spec.Set(Field::kUsernsMode, "host");
}

TEST_P(LiveDocker, ReportsEveryFieldAsItWasAskedFor) {
  const Value subnet = Value::Map{
      {"ipam", Value::Map{{"config", Value::List{Value::Map{{"subnet", "172.29.77.0/24"}}}}}}};
  ASSERT_THAT(backend().CreateNetwork(Network("front", subnet), never()), IsOk());
  ASSERT_THAT(backend().CreateNetwork(Network("back"), never()), IsOk());
  ASSERT_THAT(backend().CreateVolume(Volume("data"), never()), IsOk());
  ContainerSpec most = Wanted("most");
  SetMostFields(most.spec);
  ContainerSpec others = Wanted("others");
  SetTheOtherFields(others.spec);
  EXPECT_EQ(most.spec.fields.size() + others.spec.fields.size(), ServiceFields().size())
      << "a field is not tried here";
  for (const ContainerSpec& wanted : {most, others}) {
    const auto seen = Find(Create(wanted));
    ASSERT_TRUE(seen && seen->spec);
    for (const FieldRow& row : ServiceFields()) {
      const Value* asked = wanted.spec.Find(row.field);
      const Value* reported = seen->spec->Find(row.field);
      EXPECT_EQ(reported ? ToText(*reported) : "", asked ? ToText(*asked) : "") << row.name;
    }
  }
  for (const ObservedNetwork& network : Look().networks) {
    if (network.name == "front") {
      EXPECT_EQ(ToText(network.config), ToText(subnet));
    }
  }
}

TEST_P(LiveDocker, SharedNetworkIsReportedByServiceWhileItsContainerIsTheNewest) {
  const std::string main = Started(Wanted("main"));
  ContainerSpec sharer = Wanted("sharer");
  sharer.spec.Set(Field::kNetworkMode, "service:main");
  const std::string id = Create(sharer);
  EXPECT_EQ(Find(id)->spec->fields, sharer.spec.fields);
  ASSERT_THAT(backend().StopContainer(main, std::chrono::seconds(1), never()), IsOk());
  ASSERT_THAT(backend().RemoveContainer(main, never()), IsOk());
  const auto seen = Find(id);
  ASSERT_TRUE(seen && seen->spec && seen->spec->Find(Field::kNetworkMode));
  EXPECT_EQ(*seen->spec->Find(Field::kNetworkMode), Value("container:" + main));
}

}  // namespace
}  // namespace lockstep::test

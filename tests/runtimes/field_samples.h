// A telling value for each service field: one that no engine and no image has by itself. Tests of a
// round trip go through all of them, on a real engine and without one.
#ifndef LOCKSTEP_TESTS_RUNTIMES_FIELD_SAMPLES_H_
#define LOCKSTEP_TESTS_RUNTIMES_FIELD_SAMPLES_H_

#include <string>
#include <utility>
#include <vector>

#include "lockstep/service_spec.h"

namespace lockstep::test {

struct FieldSample {
  Field field;
  Value raw;  // In the words of a target.
  // What it does not go without.
  std::vector<std::pair<Field, Value>> with = {};
  bool alone = false;             // It excludes others, or does not start everywhere.
  int minor = 0;                  // The API it needs, 1.<minor>; an older engine must refuse it.
  const char* offline = nullptr;  // Why no engine is asked: tried on a synthetic one only.
};

// Networks "front" (172.29.77.0/24) and "back" and a volume "data" are there.
inline std::vector<FieldSample> FieldSamples() {
  using L = Value::List;
  using M = Value::Map;
  const std::pair<Field, Value> memory{Field::kMemLimit, "64m"};
  return {
      {Field::kAnnotations, M{{"com.example.a", "b"}}, {}, true, 43},
      {Field::kCapAdd, L{"NET_ADMIN", "cap_sys_time"}},
      {Field::kCapDrop, L{"MKNOD"}},
      {Field::kCgroupParent, "lockstep-fields"},
      {Field::kCommand, L{"sh", "-c", "echo $HOME 'x y'"}},
      {Field::kCpuPeriod, 50000},
      {Field::kCpuQuota, 50000},
      {Field::kCpuShares, 512},
      {Field::kCpus, 0.5, {}, true},
      {Field::kCpuset, "0"},
      {Field::kDeviceCgroupRules, L{"c 1:3 mr", "a 7:* rmw"}},
      {Field::kDevices, L{"/dev/null:/dev/none:rw", "/dev/zero"}},
      {Field::kDns, L{"10.0.0.2", "10.0.0.1"}},
      {Field::kDnsOpt, L{"ndots:2"}},
      {Field::kDnsSearch, L{"b.example", "a.example"}},
      {Field::kDomainname, "example.com"},
      {Field::kEntrypoint, L{"/bin/busybox"}},
      {Field::kExpose, L{"54/udp", "8000"}},
      {Field::kExtraHosts, L{"one=10.0.0.3", "two:[fe80::1]", "gw:host-gateway"}},
      {Field::kGpus,
       L{M{{"count", 2}, {"driver", "nvidia"}, {"options", M{{"a", "b"}}}},
         M{{"device_ids", L{"1", "0"}}, {"capabilities", L{"utility", "gpu"}}}},
       {},
       true},
      {Field::kGpus, "all", {}, true},
      {Field::kGroupAdd, L{10, "20"}},
      {Field::kHealthcheck, M{{"interval", "5s"},
                              {"retries", 4},
                              {"start_period", "1s"},
                              {"test", L{"CMD", "true"}},
                              {"timeout", "2500ms"}}},
      {Field::kHealthcheck, M{{"test", "true"}, {"start_interval", "3s"}}, {}, true, 44},
      {Field::kHostname, "kitchen"},
      {Field::kInit, true},
      {Field::kInit, false, {}, true},
      {Field::kIpc, "shareable"},
      {Field::kIpc, "none", {}, true},
      {Field::kIpc, "host", {}, true},
      {Field::kLogging, M{{"driver", "local"}, {"options", M{{"max-size", "1m"}}}}},
      {Field::kLogging, M{{"driver", "none"}}, {}, true},
      {Field::kLogging, M{{"options", M{{"max-size", "2m"}, {"max-file", 3}}}}, {}, true},
      {Field::kMacAddress, "02-42-AC-11-22-33"},
      {Field::kMemLimit, "64m"},
      {Field::kMemReservation, "32m"},
      {Field::kMemSwappiness, 0},
      {Field::kMemSwappiness, 60, {}, true},
      {Field::kMemswapLimit, "96m", {memory}},
      {Field::kMemswapLimit, "64m", {memory}, true},
      {Field::kMemswapLimit, -1, {memory}, true},
      {Field::kMemswapLimit, -1, {}, true},
      {Field::kNetworkMode, "none", {}, true},
      {Field::kNetworkMode, "host", {}, true},
      {Field::kNetworks, M{{"back", M{{"aliases", L{"cache", "store"}}}},
                           {"front", M{{"ipv4_address", "172.29.77.9"},
                                       {"link_local_ips", L{"169.254.1.2"}},
                                       {"driver_opts", M{{"com.example.a", "b"}}}}}}},
      {Field::kOomKillDisable, true},
      {Field::kOomScoreAdj, 100},
      {Field::kOomScoreAdj, -100, {}, true},
      {Field::kPid, "host"},
      {Field::kPidsLimit, 50},
      {Field::kPorts,
       L{"127.0.0.1::53/udp", "18099:80", "::1:18098:80", "18110-18119:81", "18120-18121:82-83"}},
      {Field::kPrivileged, true, {}, true},
      {Field::kPullPolicy, "always"},
      {Field::kReadOnly, true},
      {Field::kRestart, "on-failure:5"},
      {Field::kRestart, "unless-stopped", {}, true},
      {Field::kRuntime, "io.containerd.runc.v2"},
      {Field::kSecurityOpt, L{"no-new-privileges:true", "seccomp:unconfined"}},
      {Field::kShmSize, "16m"},
      {Field::kStdinOpen, true},
      {Field::kStopGracePeriod, "1m30s"},
      {Field::kStopGracePeriod, "0s", {}, true},
      {Field::kStopSignal, "int"},
      {Field::kStorageOpt,
       M{{"size", "1G"}},
       {},
       true,
       0,
       "overlay2 takes a size on xfs with pquota alone"},
      {Field::kSysctls, M{{"net.ipv4.ip_forward", 1}}},
      {Field::kTmpfs, L{"/run/", "/scratch:size=1m,mode=755"}},
      {Field::kTty, true},
      {Field::kUlimits, M{{"nofile", M{{"soft", 1024}, {"hard", 2048}}}, {"core", -1}}},
      {Field::kUser, "1000:1000"},
      {Field::kUsernsMode, "host"},
      {Field::kUts, "host", {}, true},
      {Field::kVolumes,
       L{"data:/data/:ro", "/anonymous", "/etc:/host/etc:ro,z", "/usr:/host/usr:rprivate",
         M{{"type", "volume"},
           {"source", "data"},
           {"target", "/raw"},
           {"volume", M{{"nocopy", true}}}},
         M{{"type", "tmpfs"}, {"target", "/mem"}, {"tmpfs", M{{"size", "1m"}, {"mode", 01777}}}},
         M{{"type", "bind"},
           {"source", "/proc/1/attr"},
           {"target", "/there"},
           {"bind", M{{"create_host_path", false}, {"propagation", "rprivate"}}}}}},
      {Field::kVolumes, L{"/usr:/host/usr:rslave"}, {}, true},
      {Field::kWorkingDir, "/srv/"},
  };
}

// `sample` set on `spec`, and what it needs; empty where the table of fields takes it, else why
// not.
inline std::string SetSample(const FieldSample& sample, ServiceSpec& spec) {
  std::vector<std::pair<Field, Value>> all = sample.with;
  all.emplace_back(sample.field, sample.raw);
  for (const auto& [field, raw] : all) {
    auto canonical = NormalizeField(RowOf(field), raw, HostPaths::kAllowed);
    if (!canonical) return std::string(RowOf(field).name) + ": " + canonical.assume_error().message;
    spec.Set(field, std::move(canonical).assume_value());
  }
  return {};
}

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_RUNTIMES_FIELD_SAMPLES_H_

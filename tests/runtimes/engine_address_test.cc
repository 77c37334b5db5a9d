// Which addresses of engines are understood, and how.
#include "engine_address.h"

#include <gmock/gmock.h>

#include <optional>
#include <string>

#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

using ::testing::HasSubstr;

enum class Tls { kNone, kAsked };

struct AddressCase {
  const char* url;
  Tls tls;
  const char* base;
  const char* host;
  bool loopback;
};

std::optional<TlsOptions> Options(Tls tls) {
  return tls == Tls::kAsked ? std::optional(TlsOptions()) : std::nullopt;
}

TEST(EngineAddressTest, IsReadAsDockersClientDoes) {
  for (const auto& [url, tls, base, host, loopback] : {
           AddressCase{"tcp://10.0.0.7", Tls::kNone, "http://10.0.0.7:2375", "10.0.0.7", false},
           AddressCase{"tcp://10.0.0.7", Tls::kAsked, "https://10.0.0.7:2376", "10.0.0.7", false},
           AddressCase{"tcp://10.0.0.7:99", Tls::kAsked, "https://10.0.0.7:99", "10.0.0.7", false},
           AddressCase{"tcp://host.local:1/", Tls::kNone, "http://host.local:1", "host.local",
                       false},
           AddressCase{"tcp://h:1/some/path/", Tls::kNone, "http://h:1/some/path", "h", false},
           AddressCase{"tcp://", Tls::kNone, "http://localhost:2375", "localhost", true},
           AddressCase{"tcp://:7", Tls::kNone, "http://localhost:7", "localhost", true},
           AddressCase{"tcp://h:", Tls::kNone, "http://h:2375", "h", false},
           AddressCase{"tcp://[::1]", Tls::kAsked, "https://[::1]:2376", "::1", true},
           AddressCase{"tcp://[fe80::1%25eth0]:5", Tls::kNone, "http://[fe80::1%25eth0]:5",
                       "fe80::1%25eth0", false},
           AddressCase{"tcp://127.9.9.9:1", Tls::kNone, "http://127.9.9.9:1", "127.9.9.9", true},
           AddressCase{"http://h", Tls::kNone, "http://h:2375", "h", false},
           AddressCase{"https://h", Tls::kNone, "https://h:2376", "h", false},
           AddressCase{"https://h:1", Tls::kAsked, "https://h:1", "h", false},
       }) {
    const auto parsed = docker::ParseEngineUrl(url, Options(tls));
    ASSERT_THAT(parsed, IsOk()) << url;
    const docker::EngineAddress& address = parsed.assume_value();
    EXPECT_EQ(address.url, url);
    EXPECT_EQ(address.base, base) << url;
    EXPECT_EQ(address.host, host) << url;
    EXPECT_EQ(address.socket_path, "") << url;
    EXPECT_EQ(address.tls.has_value(), std::string(base).starts_with("https")) << url;
    EXPECT_EQ(docker::IsLoopback(address), loopback) << url;
  }
}

TEST(EngineAddressTest, UnixSocketHasNoUseForTls) {
  const auto parsed = docker::ParseEngineUrl("unix:///run/x.sock", TlsOptions());
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed.assume_value().socket_path, "/run/x.sock");
  EXPECT_FALSE(parsed.assume_value().tls);
  EXPECT_TRUE(docker::IsLoopback(parsed.assume_value()));
}

struct RefusedCase {
  const char* url;
  ErrorCode code;
  const char* why;
};

TEST(EngineAddressTest, WhatIsNotUnderstoodIsRefusedAndNamed) {
  for (const auto& [url, code, why] : {
           RefusedCase{"", ErrorCode::kInvalidInput, "no scheme"},
           RefusedCase{"10.0.0.7:2375", ErrorCode::kInvalidInput, "no scheme"},
           RefusedCase{"/var/run/docker.sock", ErrorCode::kInvalidInput, "no scheme"},
           RefusedCase{"unix://relative", ErrorCode::kInvalidInput, "no absolute path"},
           RefusedCase{"unix://", ErrorCode::kInvalidInput, "no absolute path"},
           RefusedCase{"tcp://::1:2375", ErrorCode::kInvalidInput, "brackets"},
           RefusedCase{"tcp://[::1", ErrorCode::kInvalidInput, "bracket"},
           RefusedCase{"tcp://[::1]2375", ErrorCode::kInvalidInput, "port"},
           RefusedCase{"tcp://[h]:1", ErrorCode::kInvalidInput, "IPv6"},
           RefusedCase{"tcp://[::1%25/]:1", ErrorCode::kInvalidInput, "path"},
           RefusedCase{"tcp://h:0", ErrorCode::kInvalidInput, "port"},
           RefusedCase{"tcp://h:65536", ErrorCode::kInvalidInput, "port"},
           RefusedCase{"tcp://h:99999999999", ErrorCode::kInvalidInput, "port"},
           RefusedCase{"tcp://h:12x", ErrorCode::kInvalidInput, "port"},
           RefusedCase{"tcp://h:-1", ErrorCode::kInvalidInput, "port"},
           RefusedCase{"tcp://user@h:1", ErrorCode::kInvalidInput, "no host"},
           RefusedCase{"tcp://a b:1", ErrorCode::kInvalidInput, "no host"},
           RefusedCase{"tcp://h:1/p?q=1", ErrorCode::kInvalidInput, "path"},
           RefusedCase{"tcp://h:1/p#f", ErrorCode::kInvalidInput, "path"},
           RefusedCase{"tcp://h:1/a\r\nX: y", ErrorCode::kInvalidInput, "path"},
           RefusedCase{"ssh://root@h", ErrorCode::kUnsupported, "by ssh"},
           RefusedCase{"npipe:////./pipe/docker_engine", ErrorCode::kUnsupported, "no kind"},
           RefusedCase{"fd://", ErrorCode::kUnsupported, "no kind"},
       }) {
    const auto parsed = docker::ParseEngineUrl(url);
    ASSERT_THAT(parsed, IsError(code)) << url;
    EXPECT_THAT(parsed.assume_error().message, HasSubstr(why)) << url;
    EXPECT_FALSE(parsed.assume_error().hint.empty()) << url;
  }
  EXPECT_THAT(docker::ParseEngineUrl("http://h", TlsOptions()), IsError(ErrorCode::kInvalidInput));
}

TEST(EngineAddressTest, OnlyPlainTcpToAnotherMachineIsExposed) {
  const auto exposed = [](const char* url, std::optional<TlsOptions> tls) {
    DockerOptions options;
    options.url = url;
    options.tls = std::move(tls);
    return IsExposed(options);
  };
  EXPECT_TRUE(exposed("tcp://10.0.0.7:2375", {}));
  TlsOptions credulous;
  credulous.verify = false;
  EXPECT_TRUE(exposed("tcp://10.0.0.7:2375", credulous));
  EXPECT_FALSE(exposed("tcp://10.0.0.7:2375", TlsOptions()));
  EXPECT_FALSE(exposed("https://10.0.0.7", {}));
  EXPECT_FALSE(exposed("tcp://localhost", {}));
  EXPECT_FALSE(exposed("unix:///run/docker.sock", {}));
}

}  // namespace
}  // namespace lockstep::test

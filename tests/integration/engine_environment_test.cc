// What the variables of Docker's client mean.
#include "engine_environment.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using Variables = std::map<std::string, std::string>;

Environment Of(const Variables& variables) {
  return [variables](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
}

class EngineEnvironmentTest : public ::testing::Test {
 protected:
  EngineEnvironmentTest() {
    std::string pattern = ::testing::TempDir() + "lockstep-certs-XXXXXX";
    if (mkdtemp(pattern.data()) != nullptr) directory_ = pattern;
  }
  ~EngineEnvironmentTest() override { std::filesystem::remove_all(directory_); }

  void Make(const std::string& file) { std::ofstream(directory_ + '/' + file) << "x"; }

  std::string directory_;
};

struct TlsCase {
  Variables variables;
  bool tls;
  bool verify;
};

TEST_F(EngineEnvironmentTest, TlsIsWhatDockersClientWouldDo) {
  for (const auto& [variables, tls, verify] : {
           TlsCase{{}, false, false},
           TlsCase{{{"DOCKER_CERT_PATH", "/certs"}}, false, false},
           TlsCase{{{"DOCKER_TLS_VERIFY", ""}, {"DOCKER_TLS", ""}}, false, false},
           TlsCase{{{"DOCKER_TLS_VERIFY", "1"}}, true, true},
           TlsCase{{{"DOCKER_TLS_VERIFY", "0"}}, true, true},  // Whatever it is set to.
           TlsCase{{{"DOCKER_TLS", "1"}}, true, false},
           TlsCase{{{"DOCKER_TLS", "1"}, {"DOCKER_TLS_VERIFY", "1"}}, true, true},
       }) {
    const auto found = TlsOf(Of(variables));
    ASSERT_EQ(found.has_value(), tls) << ::testing::PrintToString(variables);
    EXPECT_EQ(found && found->verify, verify) << ::testing::PrintToString(variables);
  }
}

struct PlaceCase {
  Variables variables;
  std::string directory;
};

TEST_F(EngineEnvironmentTest, CertificatesAreWhereDockersClientLooks) {
  for (const auto& [variables, directory] : {
           PlaceCase{{{"HOME", "/home/x"}}, "/home/x/.docker"},
           PlaceCase{{{"HOME", "/home/x"}, {"DOCKER_CONFIG", "/config"}}, "/config"},
           PlaceCase{{{"DOCKER_CONFIG", "/config"}, {"DOCKER_CERT_PATH", "/certs"}}, "/certs"},
           PlaceCase{{{"HOME", "/home/x"}, {"DOCKER_CERT_PATH", ""}}, "/home/x/.docker"},
       }) {
    Variables all = variables;
    all["DOCKER_TLS_VERIFY"] = "1";
    const auto tls = TlsOf(Of(all));
    ASSERT_TRUE(tls);
    EXPECT_EQ(tls->ca_file, directory + "/ca.pem");
  }
  const auto homeless = TlsOf(Of({{"DOCKER_TLS_VERIFY", "1"}}));
  ASSERT_TRUE(homeless);
  EXPECT_TRUE(homeless->ca_file.starts_with('/')) << homeless->ca_file;
  EXPECT_TRUE(homeless->ca_file.ends_with("/.docker/ca.pem")) << homeless->ca_file;
}

TEST_F(EngineEnvironmentTest, ClientCertificateIsUsedWhereOneIsThere) {
  const Environment environment =
      Of({{"DOCKER_TLS_VERIFY", "1"}, {"DOCKER_CERT_PATH", directory_}});
  EXPECT_EQ(TlsOf(environment)->cert_file, "");
  EXPECT_EQ(TlsOf(environment)->key_file, "");
  Make("cert.pem");  // Half of it is an error that is to be told.
  EXPECT_EQ(TlsOf(environment)->cert_file, directory_ + "/cert.pem");
  EXPECT_EQ(TlsOf(environment)->key_file, directory_ + "/key.pem");
  Make("key.pem");
  EXPECT_EQ(TlsOf(environment)->key_file, directory_ + "/key.pem");
}

TEST_F(EngineEnvironmentTest, HostMayBeSet) {
  EXPECT_EQ(HostOf(Of({})), "");
  EXPECT_EQ(HostOf(Of({{"DOCKER_HOST", "tcp://h"}})), "tcp://h");
}

}  // namespace
}  // namespace lockstep

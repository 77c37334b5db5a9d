// TLS to an engine: who is believed, who is not, and what is said of it.
#include <gmock/gmock.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "http_client.h"
#include "local_server.h"
#include "lockstep/runtimes/docker_engine.h"
#include "lockstep/testing/matchers.h"
#include "sigpipe_guard.h"
#include "stub_engine.h"
#include "test_certificates.h"

namespace lockstep::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kHosts = "DNS:localhost,IP:127.0.0.1";

// Everybody's certificates, and files of them.
class Authority {
 public:
  Authority()
      : ca(MakeCertificate({.name = "authority"}, nullptr)),
        other_ca(MakeCertificate({.name = "other authority"}, nullptr)),
        server(MakeCertificate({.name = "engine", .hosts = kHosts}, &ca)),
        client(MakeCertificate({.name = "client", .hosts = "DNS:client"}, &ca)),
        stranger(MakeCertificate({.name = "stranger", .hosts = "DNS:client"}, &other_ca)) {
    std::string pattern = ::testing::TempDir() + "lockstep-tls-XXXXXX";
    if (mkdtemp(pattern.data()) != nullptr) directory_ = pattern;
    ca.WriteCertificate(Path("ca.pem"));
    other_ca.WriteCertificate(Path("other-ca.pem"));
    client.WriteCertificate(Path("cert.pem"));
    client.WriteKey(Path("key.pem"));
    stranger.WriteCertificate(Path("stranger.pem"));
    stranger.WriteKey(Path("stranger-key.pem"));
    std::ofstream(Path("garbage.pem")) << "garbage";
    std::ofstream(Path("empty.pem"));
  }
  ~Authority() { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& file) const { return directory_ + '/' + file; }

  const Certificate ca;
  const Certificate other_ca;
  const Certificate server;
  const Certificate client;
  const Certificate stranger;

 private:
  std::string directory_;
};

enum class Clients { kAnybody, kWithCertificate };

struct ServerWish {
  const Certificate* certificate = nullptr;  // Null: the proper one.
  Clients clients = Clients::kWithCertificate;
  int newest = TLS1_3_VERSION;
  bool resets = false;  // In the middle of its first reply.
};

// Answers every request with its version, as long as the client likes.
class TlsEngine {
 public:
  TlsEngine(const Authority& authority, const ServerWish& wish)
      : resets_(wish.resets),
        context_(SSL_CTX_new(TLS_server_method())),
        server_([this](int fd) { Serve(fd); }) {
    const Certificate& own = wish.certificate == nullptr ? authority.server : *wish.certificate;
    SSL_CTX_use_certificate(context_.get(), own.x509.get());
    SSL_CTX_use_PrivateKey(context_.get(), own.key.get());
    SSL_CTX_set_cipher_list(context_.get(), "DEFAULT@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), wish.newest);
    if (wish.clients == Clients::kWithCertificate) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), authority.ca.x509.get());
      SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                         nullptr);
    }
  }

  LocalServer& server() { return server_; }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  void Serve(int connection) {
    const docker::SigpipeGuard guard;
    const std::unique_ptr<SSL, Free> ssl(SSL_new(context_.get()));
    SSL_set_fd(ssl.get(), connection);
    if (SSL_accept(ssl.get()) != 1) {
      // What was sent already is read, so that the alert is not lost with a reset.
      shutdown(connection, SHUT_WR);
      LocalServer::AwaitEnd(connection);
      return;
    }
    std::string head;
    char byte = 0;
    while (SSL_read(ssl.get(), &byte, 1) == 1) {
      head += byte;
      if (!head.ends_with("\r\n\r\n")) continue;
      head.clear();
      const std::string body = R"({"Version":"20.10","ApiVersion":"1.41"})";
      const std::string reply =
          "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
      if (resets_) {
        SSL_write(ssl.get(), reply.data(), static_cast<int>(reply.size() / 2));
        LocalServer::Reset(connection);
        return;
      }
      if (SSL_write(ssl.get(), reply.data(), static_cast<int>(reply.size())) <= 0) return;
    }
  }

  const bool resets_;
  std::unique_ptr<SSL_CTX, Free> context_;
  LocalServer server_;  // Ends before the context does.
};

class TlsTest : public ::testing::Test {
 protected:
  TlsOptions Proper() const {
    TlsOptions tls;
    tls.ca_file = authority_.Path("ca.pem");
    tls.cert_file = authority_.Path("cert.pem");
    tls.key_file = authority_.Path("key.pem");
    return tls;
  }
  static Result<EngineInfo> Ask(const std::string& url, const TlsOptions& tls) {
    DockerOptions options;
    options.url = url;
    options.tls = tls;
    return MakeDockerEngine(options).value()->Describe({});
  }
  // The error, and that it names the call, the engine and the cause.
  void ExpectRefused(const ServerWish& wish, const TlsOptions& tls, ErrorCode code,
                     const std::string& cause, const std::string& host = "127.0.0.1") {
    TlsEngine engine(authority_, wish);
    const std::string url = engine.server().url(host);
    const auto result = Ask(url, tls);
    ASSERT_THAT(result, IsError(code)) << cause;
    EXPECT_THAT(Describe(result.assume_error()), AllOf(HasSubstr("ask the engine for its version"),
                                                       HasSubstr(url), HasSubstr(cause)));
    EXPECT_TRUE(code == ErrorCode::kUnavailable || !result.assume_error().hint.empty()) << cause;
  }

  const Authority authority_;
};

TEST_F(TlsTest, EngineAndClientThatTrustEachOtherTalk) {
  for (const char* host : {"127.0.0.1", "localhost"}) {
    for (const int newest : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      TlsEngine engine(authority_, {.newest = newest});
      EXPECT_THAT(Ask(engine.server().url(host), Proper()), IsOk()) << host;
    }
  }
}

TEST_F(TlsTest, ConnectionIsUsedAgain) {
  TlsEngine engine(authority_, {});
  docker::HttpClient client(docker::ParseEngineUrl(engine.server().url(), Proper()).value());
  for (int i = 0; i < 3; ++i) {
    docker::HttpRequest request;
    request.path = "/version";
    const auto reply = client.Perform(request, {});
    ASSERT_THAT(reply, IsOk());
    EXPECT_EQ(reply.assume_value().status, 200);
  }
  EXPECT_EQ(engine.server().connections(), 1U);
}

TEST_F(TlsTest, EngineThatIsNotTrustedIsRefused) {
  const Certificate expired =
      MakeCertificate({.hosts = kHosts, .from_hours = -48, .until_hours = -24}, &authority_.ca);
  const Certificate future =
      MakeCertificate({.hosts = kHosts, .from_hours = 24, .until_hours = 48}, &authority_.ca);
  const Certificate elsewhere =
      MakeCertificate({.hosts = "DNS:elsewhere,IP:192.0.2.1"}, &authority_.ca);
  const Certificate foreign = MakeCertificate({.hosts = kHosts}, &authority_.other_ca);
  const Certificate by_itself = MakeCertificate({.hosts = kHosts}, nullptr);
  ExpectRefused({.certificate = &expired}, Proper(), ErrorCode::kPermissionDenied, "has expired");
  ExpectRefused({.certificate = &future}, Proper(), ErrorCode::kUnavailable, "is not valid yet");
  ExpectRefused({.certificate = &elsewhere}, Proper(), ErrorCode::kPermissionDenied,
                "another host than 127.0.0.1");
  ExpectRefused({.certificate = &elsewhere}, Proper(), ErrorCode::kPermissionDenied,
                "another host than localhost", "localhost");
  for (const Certificate* unknown : {&foreign, &by_itself}) {
    ExpectRefused({.certificate = unknown}, Proper(), ErrorCode::kPermissionDenied,
                  "unknown authority: by none that is in " + authority_.Path("ca.pem"));
  }
  TlsOptions system = Proper();
  system.ca_file.clear();
  ExpectRefused({}, system, ErrorCode::kPermissionDenied, "by none that this system trusts");
}

TEST_F(TlsTest, WithoutVerificationWhoeverAnswersIsBelieved) {
  const Certificate foreign = MakeCertificate({.hosts = "DNS:elsewhere"}, &authority_.other_ca);
  TlsOptions tls = Proper();
  tls.verify = false;
  tls.ca_file = authority_.Path("none.pem");  // Of no use, as with Docker's client.
  TlsEngine engine(authority_, {.certificate = &foreign});
  EXPECT_THAT(Ask(engine.server().url(), tls), IsOk());
}

TEST_F(TlsTest, ClientThatTheEngineDoesNotTrustIsTold) {
  TlsOptions none = Proper();
  none.cert_file.clear();
  none.key_file.clear();
  TlsOptions stranger = Proper();
  stranger.cert_file = authority_.Path("stranger.pem");
  stranger.key_file = authority_.Path("stranger-key.pem");
  for (const int newest : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    ExpectRefused({.newest = newest}, none, ErrorCode::kPermissionDenied,
                  "wants a client certificate");
    ExpectRefused({.newest = newest}, stranger, ErrorCode::kPermissionDenied,
                  "refuses the client certificate " + stranger.cert_file);
  }
}

TEST_F(TlsTest, ClientNeedsNoCertificateWhereNoneIsAskedFor) {
  TlsOptions none = Proper();
  none.cert_file.clear();
  none.key_file.clear();
  TlsEngine engine(authority_, {.clients = Clients::kAnybody});
  EXPECT_THAT(Ask(engine.server().url(), none), IsOk());
}

struct FileCase {
  std::string TlsOptions::*file;
  const char* value;  // Below the directory; empty: none.
  ErrorCode code;
  const char* cause;
};

TEST_F(TlsTest, FilesThatAreWrongAreNamed) {
  for (const auto& [file, value, code, cause] : {
           FileCase{&TlsOptions::ca_file, "none.pem", ErrorCode::kNotFound, "none.pem (No such"},
           FileCase{&TlsOptions::cert_file, "none.pem", ErrorCode::kNotFound, "none.pem (No such"},
           FileCase{&TlsOptions::key_file, "none.pem", ErrorCode::kNotFound, "none.pem (No such"},
           FileCase{&TlsOptions::ca_file, "garbage.pem", ErrorCode::kInvalidInput,
                    "garbage.pem holds no certificate"},
           FileCase{&TlsOptions::ca_file, "empty.pem", ErrorCode::kInvalidInput,
                    "empty.pem holds no certificate"},
           FileCase{&TlsOptions::cert_file, "garbage.pem", ErrorCode::kInvalidInput,
                    "garbage.pem is no certificate"},
           FileCase{&TlsOptions::key_file, "garbage.pem", ErrorCode::kInvalidInput,
                    "garbage.pem is no key"},
           FileCase{&TlsOptions::key_file, "stranger-key.pem", ErrorCode::kInvalidInput,
                    "stranger-key.pem is no key, or not that of"},
           FileCase{&TlsOptions::key_file, "", ErrorCode::kInvalidInput, "needed together"},
       }) {
    TlsOptions tls = Proper();
    tls.*file = *value == '\0' ? std::string() : authority_.Path(value);
    ExpectRefused({}, tls, code, cause);
  }
}

TEST_F(TlsTest, FileThatMayNotBeReadIsNamed) {
  constexpr uid_t kNobody = 65534;
  const TlsOptions tls = Proper();
  const bool is_root = geteuid() == 0;  // Who may read everything.
  chmod(tls.key_file.substr(0, tls.key_file.rfind('/')).c_str(), 0755);
  for (const std::string& file : {tls.ca_file, tls.cert_file}) chmod(file.c_str(), 0644);
  chmod(tls.key_file.c_str(), 0);
  if (is_root) {
    ASSERT_EQ(seteuid(kNobody), 0);
  }
  ExpectRefused({}, tls, ErrorCode::kPermissionDenied, tls.key_file);
  if (is_root) {
    ASSERT_EQ(seteuid(0), 0);
  }
}

// What is said at parting goes to a connection that is no more.
TEST_F(TlsTest, ConnectionThatIsResetEndsTheCallAndNotTheProcess) {
  const auto before = std::signal(SIGPIPE, SIG_DFL);
  ExpectRefused({.resets = true}, Proper(), ErrorCode::kUnavailable, "broke");
  std::signal(SIGPIPE, before);
}

TEST_F(TlsTest, OldTlsIsNotSpoken) {
  ExpectRefused({.newest = TLS1_1_VERSION}, Proper(), ErrorCode::kUnsupported, "1.2 or newer");
}

TEST_F(TlsTest, PlainHttpInPlaceOfTlsIsABadReply) {
  LocalServer server([](int connection) {
    LocalServer::Send(connection, StubEngine::Version());
    shutdown(connection, SHUT_WR);
    LocalServer::AwaitEnd(connection);
  });
  const auto result = Ask(server.url(), Proper());
  ASSERT_THAT(result, IsError(ErrorCode::kBadReply));
  EXPECT_THAT(Describe(result.assume_error()), AllOf(HasSubstr(server.url()), HasSubstr("no TLS")));
}

}  // namespace
}  // namespace lockstep::test

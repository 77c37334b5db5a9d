// What a pull needs of the heap, libcurl's part included: less than 2 MiB, however much an engine
// says, and however long. A program of its own, since it counts every allocation. The engine is a
// process of its own, so that what it needs is not counted.
#include <curl/curl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "heap_peak.h"
#include "lockstep/runtimes/docker_engine.h"

namespace lockstep {
namespace {

constexpr std::size_t kMost = std::size_t{2} << 20;

using Line = std::function<std::string(int number)>;

// Answers each connection once, and each pull with `lines` lines. Ends with its parent's order.
class PullingEngine {
 public:
  PullingEngine(int lines, const Line& line) {
    if (mkdtemp(directory_) == nullptr) return;
    path_ = std::string(directory_) + "/e.sock";
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    (void)bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    (void)listen(listener, 16);
    child_ = fork();
    if (child_ == 0) {
      std::signal(SIGPIPE, SIG_IGN);
      std::signal(SIGCHLD, SIG_IGN);
      while (true) {
        const int connection = accept(listener, nullptr, nullptr);
        if (connection < 0) _exit(1);
        if (fork() == 0) {  // So that pulls come side by side.
          Answer(connection, lines, line);
          _exit(0);
        }
        close(connection);
      }
    }
    close(listener);
  }
  ~PullingEngine() {
    if (child_ > 0) kill(child_, SIGKILL);
    if (child_ > 0) waitpid(child_, nullptr, 0);
    unlink(path_.c_str());
    rmdir(directory_);
  }
  PullingEngine(const PullingEngine&) = delete;
  PullingEngine& operator=(const PullingEngine&) = delete;

  std::string url() const { return "unix://" + path_; }

 private:
  static bool Send(int connection, std::string_view text) {
    while (!text.empty()) {
      const auto size = write(connection, text.data(), text.size());
      if (size <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }

  static void Answer(int connection, int lines, const Line& line) {
    std::string head;
    char buffer[4096];
    while (head.find("\r\n\r\n") == std::string::npos) {
      const auto size = read(connection, buffer, sizeof buffer);
      if (size <= 0) return;
      head.append(buffer, static_cast<std::size_t>(size));
    }
    Send(connection, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    if (!head.starts_with("POST")) {
      Send(connection, R"({"Version":"1","ApiVersion":"1.41","MinAPIVersion":"1.12","Id":"i"})");
      return;
    }
    for (int i = 0; i < lines; ++i) {
      if (!Send(connection, line(i) + "\n")) return;
    }
  }

  char directory_[32] = "/tmp/lockstep-pull-XXXXXX";
  std::string path_;
  pid_t child_ = -1;
};

class CountProgress final : public ProgressSink {
 public:
  void OnProgress(const PullProgress&) override {}
};

std::string Progress(const std::string& layer, int current) {
  return R"({"status":"Downloading","progressDetail":{"current":)" + std::to_string(current) +
         R"(,"total":1000000},"progress":"[=>      ]  1MB/9MB","id":")" + layer + R"("})";
}

std::string Repeated(std::string_view text, std::size_t size) {
  std::string all;
  while (all.size() < size) all += text;
  return all;
}

struct PullCase {
  const char* name;
  int lines;
  Line line;
  int at_once = 1;
  bool succeeds = true;
};

void PrintTo(const PullCase& pull, std::ostream* out) { *out << pull.name; }

const std::vector<PullCase>& Pulls() {
  static const std::vector<PullCase> kPulls = {
      {"HundredThousandsOfLines", 300'000,
       [](int i) { return Progress("layer" + std::to_string(i % 8), i); }},
      {"ManyLayers", 20'000, [](int i) { return Progress("layer" + std::to_string(i), 1); }},
      {"LongNamesOfLayers", 8'000,
       [](int i) { return Progress(Repeated(std::to_string(i) + "-", 60), 1); }},
      {"EndlessNamesOfLayers", 200,
       [](int i) { return Progress(Repeated(std::to_string(i) + "-", 100'000), 1); }},
      {"LinesOfAMebibyte", 8,
       [](int i) { return Progress("layer", i) + std::string(1 << 20, ' '); }, 1, false},
      {"LongLinesOfValues", 100,
       [](int) { return R"({"id":"a","x":[)" + Repeated("{},", 120'000) + "0]}"; }},
      {"LongLinesOfKeys", 100,
       [](int) {
         std::string line = R"({"id":"a")";
         for (int i = 0; line.size() < 120'000; ++i) line += ",\"" + std::to_string(i) + "\":0";
         return line + "}";
       }},
      {"LongError", 1, [](int) { return R"({"error":")" + Repeated(R"(\u001b)", 120'000) + "\"}"; },
       1, false},
      {"FourAtOnce", 50'000, [](int i) { return Progress("layer" + std::to_string(i % 5000), i); },
       4},
  };
  return kPulls;
}

class PullMemoryTest : public ::testing::TestWithParam<PullCase> {};

TEST_P(PullMemoryTest, IsBelowTwoMebibytesEach) {
  const PullCase& pull = GetParam();
  const PullingEngine stub(pull.lines, pull.line);
  DockerOptions options;
  options.url = stub.url();
  const auto engine = MakeDockerEngine(options).value();
  ASSERT_TRUE(engine->Describe({}));
  const HeapPeak peak;
  {
    std::vector<std::jthread> pulls;
    for (int i = 0; i < pull.at_once; ++i) {
      pulls.emplace_back([&] {
        CountProgress progress;
        const auto pulled = engine->PullImage({"r/app:v1"}, progress, {});
        EXPECT_EQ(pulled.has_value(), pull.succeeds)
            << (pulled ? std::string() : pulled.assume_error().message);
      });
    }
  }
  const std::size_t bytes = peak.bytes() / static_cast<std::size_t>(pull.at_once);
  EXPECT_LT(bytes, kMost);
  EXPECT_GT(bytes, std::size_t{4096}) << "nothing is counted";
  RecordProperty("bytes_of_pull", std::to_string(bytes));
  std::printf("  %zu KiB\n", bytes / 1024);
}

INSTANTIATE_TEST_SUITE_P(Engines, PullMemoryTest, ::testing::ValuesIn(Pulls()),
                         [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace lockstep

int main(int argc, char** argv) {
  using namespace lockstep;
  curl_global_init_mem(CURL_GLOBAL_DEFAULT, CountedMalloc, CountedFree, CountedRealloc,
                       CountedStrdup, CountedCalloc);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

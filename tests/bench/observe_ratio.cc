// How long a look at an engine takes, beside what curl needs for the same lists of the same engine:
// at most 1.3 times as long. Exits with 1 where it is more.
//
//   observe_ratio unix:///run/engine.sock [ROUNDS]
#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "lockstep/runtimes/docker_engine.h"

namespace lockstep {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr double kMost = 1.3;
// Not among them: /version, which an engine is asked for once. dockerd starts two programs for it.
constexpr const char* kLists[] = {"/containers/json?all=1", "/images/json", "/networks",
                                  "/volumes"};

std::size_t Drop(char*, std::size_t, std::size_t size, void* bytes) {
  *static_cast<std::size_t*>(bytes) += size;
  return size;
}

// As `curl URL URL...` does, without the start of a program. None where a call fails.
double ByCurl(const std::string& socket, const std::string& version, std::size_t& bytes) {
  const auto begin = Clock::now();
  CURL* curl = curl_easy_init();
  bool good = true;
  for (const char* list : kLists) {
    const std::string url = "http://engine/v" + version + list;
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Drop);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &bytes);
    good = curl_easy_perform(curl) == CURLE_OK && good;
  }
  curl_easy_cleanup(curl);
  return good ? Milliseconds(Clock::now() - begin).count() : -1;
}

double Median(std::vector<double> times) {
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

int Run(const std::string& url, int rounds) {
  DockerOptions options;
  options.url = url;
  ObserveRequest request;
  std::string version;
  std::vector<double> curl;
  std::vector<double> first;
  std::vector<double> next;
  std::size_t containers = 0;
  std::size_t bytes = 0;
  for (int round = -1; round < rounds; ++round) {  // The first is for warming up.
    auto engine = MakeDockerEngine(options);
    if (!engine) return 2;
    const auto begin = Clock::now();
    const auto seen = engine.assume_value()->Observe(request, {});
    const double fresh = Milliseconds(Clock::now() - begin).count();
    if (!seen) {
      std::fprintf(stderr, "%s\n", seen.assume_error().message.c_str());
      return 2;
    }
    const EngineState& state = seen.assume_value();
    if (round < 0) {
      version = state.engine.api_version;
      containers = state.containers.size();
      for (const auto& container : state.containers) {
        request.known_hashes.push_back(container.config_hash);
      }
      std::sort(request.known_hashes.begin(), request.known_hashes.end());
      continue;
    }
    const auto again = Clock::now();
    if (!engine.assume_value()->Observe(request, {})) return 2;
    next.push_back(Milliseconds(Clock::now() - again).count());
    first.push_back(fresh);
    bytes = 0;
    curl.push_back(ByCurl(url.substr(7), version, bytes));
    if (curl.back() < 0) return 2;
  }
  const double ratio = Median(next) / Median(curl);
  std::printf("%zu containers, %zu bytes of lists, medians of %d rounds\n", containers, bytes,
              rounds);
  std::printf("curl, four lists              %8.2f ms\n", Median(curl));
  std::printf("a look                        %8.2f ms, %.2f times (at most %.1f)\n", Median(next),
              ratio, kMost);
  std::printf("the first one, with /version  %8.2f ms\n", Median(first));
  return ratio < kMost ? 0 : 1;
}

}  // namespace
}  // namespace lockstep

int main(int argc, char** argv) {
  if (argc < 2 || std::string(argv[1]).rfind("unix://", 0) != 0) {
    std::fputs("observe_ratio unix:///run/engine.sock [ROUNDS]\n", stderr);
    return 2;
  }
  return lockstep::Run(argv[1], argc > 2 ? std::atoi(argv[2]) : 50);
}

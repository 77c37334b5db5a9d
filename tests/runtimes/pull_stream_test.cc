// What an engine says during a pull: as it was recorded, at the times it was, and as it should not.
#include "pull_stream.h"

#include <gmock/gmock.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "capture.h"
#include "image_pull.h"
#include "peer_text.h"

namespace lockstep::test {
namespace {

using docker::Json;
using docker::Unpacking;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr docker::PullStream::Time kStart{};
constexpr seconds kByteLimit{60};

// A pull of its own, or one of several that share a watch.
struct Pull {
  explicit Pull(Unpacking unpacking = Unpacking::kAfterDownload)
      : stream(kStart, unpacking, own_watch) {}
  explicit Pull(docker::PullWatch& watch) : stream(kStart, Unpacking::kAfterDownload, watch) {}

  void Downloads(int current, int at_second) {
    stream.OnLine(R"({"status":"Downloading","id":"a","progressDetail":{"total":99,"current":)" +
                      std::to_string(current) + "}}",
                  kStart + seconds(at_second));
  }
  void Says(const std::string& status, int at_second) {
    stream.OnLine(docker::DumpJson({{"status", status}, {"id", "a"}}), kStart + seconds(at_second));
  }
  docker::PullStream::Stall At(int second) const {
    return stream.StalledFor(kStart + seconds(second));
  }

  docker::PullWatch own_watch;
  docker::PullStream stream;
};

// Engines differ in what they say: captures of balena-engine are named after it.
Unpacking UnpackingIn(std::string_view capture) {
  return docker::UnpackingOf(capture.starts_with("balena") ? "balena-engine" : "docker");
}

struct RecordedPull {
  const char* capture;
  std::int64_t current;
  std::int64_t total;
  const char* error = "";
};

std::vector<RecordedPull> RecordedPulls() {
  return {
      {"pull-again-up-to-date", 0, 0},
      {"pull-always-truncated", 11403935, 12003935, "unexpected EOF"},
      {"pull-auth-ok", 0, 0},
      {"pull-big-progress", 150046031, 150046031},
      {"pull-by-digest-in-name", 0, 0},
      {"pull-by-digest-in-tag", 0, 0},
      {"pull-cancelled-by-hangup", 2165536, 12003930},
      {"pull-concurrent-same-a", 12003930, 12003930},
      {"pull-concurrent-same-b", 12003930, 12003930},
      {"pull-corrupt-blob", 12003939, 12003939, "filesystem layer verification failed"},
      {"pull-digest-only", 3467795, 3467795},
      {"pull-foreign-delta", 782, 782},
      {"pull-hangup-shared-quitter", 3332768, 12003933},
      {"pull-hangup-shared-survivor", 12003933, 12003933},
      {"pull-layer-blob-404-alone", 0, 0, "unknown blob"},
      {"pull-layer-blob-500", 0, 0},
      {"pull-multi-layer-shared-base", 300476, 300476},
      {"pull-no-tag-pulls-all", 6334638, 6334638},
      {"pull-ok", 3167319, 3167319},
      {"pull-tag-in-name-no-tag-param", 0, 0},
      {"pull-truncated-once", 12003933, 12003933},
      {"balena-pull-again-up-to-date", 0, 0},
      {"balena-pull-always-truncated", 12003935, 12003935},
      {"balena-pull-auth-ok", 0, 0},
      {"balena-pull-big-progress", 150046031, 150046031},
      {"balena-pull-by-digest-in-name", 0, 0},
      {"balena-pull-by-digest-in-tag", 0, 0},
      {"balena-pull-cancelled-by-hangup", 1298304, 12003930},
      {"balena-pull-concurrent-same-a", 12003930, 12003930},
      {"balena-pull-concurrent-same-b", 12003930, 12003930},
      {"balena-pull-corrupt-blob", 12003939, 12003939, "filesystem layer verification failed"},
      {"balena-pull-delta-missing-base", 0, 0, "loading delta base image"},
      {"balena-pull-delta-with-base", 782, 782},
      {"balena-pull-digest-only", 3467795, 3467795},
      {"balena-pull-hangup-shared-quitter", 3065536, 12003933},
      {"balena-pull-hangup-shared-survivor", 12003933, 12003933},
      {"balena-pull-layer-blob-404-alone", 0, 0},
      {"balena-pull-layer-blob-500", 3167319, 3167319},
      {"balena-pull-multi-layer-shared-base", 300476, 300476},
      {"balena-pull-no-tag-pulls-all", 3167319, 3167319},  // That of one of its tags.
      {"balena-pull-ok", 3167319, 3167319},
      {"balena-pull-tag-in-name-no-tag-param", 0, 0},
      {"balena-pull-truncated-once", 12003933, 12003933},
  };
}

// Feeds the lines of `capture` that came before its first `until`; returns when the last one came.
docker::PullStream::Time Feed(const std::string& capture, docker::PullStream& stream,
                              std::string_view until = "none") {
  docker::PullStream::Time now = kStart;
  for (const Json& entry : Capture(capture)) {
    const Json& line = docker::At(entry, "line");
    if (docker::Text(line, "status") == until) break;
    if (line.is_null()) continue;  // Some that are left out.
    now = kStart + milliseconds(docker::Number(entry, "ms"));
    const std::int64_t before = stream.progress().current_bytes;
    stream.OnLine(docker::DumpJson(line), now);
    EXPECT_GE(stream.progress().current_bytes, before) << capture << ": never goes back";
    EXPECT_LE(stream.progress().current_bytes, stream.progress().total_bytes) << capture;
  }
  EXPECT_NE(now, kStart) << capture;
  return now;
}

class RecordedPullTest : public ::testing::TestWithParam<RecordedPull> {};

TEST_P(RecordedPullTest, ShowsWhatCame) {
  const RecordedPull& row = GetParam();
  Pull pull(UnpackingIn(row.capture));
  Feed(row.capture, pull.stream);
  EXPECT_EQ(pull.stream.progress().current_bytes, row.current);
  EXPECT_EQ(pull.stream.progress().total_bytes, row.total);
  EXPECT_EQ(pull.stream.error().has_value(), *row.error != '\0');
  EXPECT_THAT(pull.stream.error().value_or(""), HasSubstr(row.error));
}

INSTANTIATE_TEST_SUITE_P(Captures, RecordedPullTest, ::testing::ValuesIn(RecordedPulls()),
                         [](const auto& param_info) {
                           std::string name;
                           for (const char c : std::string_view(param_info.param.capture)) {
                             if (c != '-') name += c;
                           }
                           return name;
                         });

TEST(PullStreamTest, LinkThatDiesWhileLayersComeIsTimedByItsBytes) {
  for (const std::string capture :
       {"pull-cancelled-by-hangup", "pull-hangup-shared-quitter", "pull-layer-blob-500",
        "balena-pull-cancelled-by-hangup", "balena-pull-hangup-shared-quitter",
        "balena-pull-layer-blob-500", "balena-pull-layer-blob-404-alone"}) {
    Pull pull(UnpackingIn(capture));
    const auto last = Feed(capture, pull.stream);
    const auto stall = pull.stream.StalledFor(last + kByteLimit);
    EXPECT_TRUE(stall.downloading) << capture;
    EXPECT_GE(stall.since_byte, kByteLimit) << capture;
  }
}

TEST(PullStreamTest, UnpackingWhatHasComeWholeIsNotTimedByItsBytes) {
  for (const std::string capture :
       {"pull-ok", "pull-foreign-delta", "pull-big-progress", "balena-pull-ok",
        "balena-pull-delta-with-base", "balena-pull-big-progress"}) {
    Pull pull(UnpackingIn(capture));
    const auto last = Feed(capture, pull.stream, "Pull complete");
    const auto stall = pull.stream.StalledFor(last + minutes(9));
    EXPECT_FALSE(stall.downloading) << capture;
    EXPECT_EQ(stall.since_line, minutes(9)) << capture;
  }
}

TEST(PullStreamTest, EngineThatUnpacksAfterwardsIsNotTimedByBytesWhileItUnpacks) {
  Pull pull;
  pull.stream.OnLine(  // A layer that came with another image: no download is told.
      R"({"status":"Extracting","id":"a","progressDetail":{"current":5,"total":9}})", kStart);
  EXPECT_FALSE(pull.At(0).downloading);
  EXPECT_EQ(pull.stream.progress().total_bytes, 0);
}

struct StallCase {
  const char* name;
  docker::PullStream::Stall stall;
  const char* reason;  // Empty: it may go on.
};

TEST(StalledPullTest, EachMeasureHasItsOwnLimit) {
  for (const StallCase& row : {
           StallCase{"comes", {seconds(60), seconds(60), true}, ""},
           StallCase{
               "came to a halt", {milliseconds(60'001), seconds(0), true}, "no byte came for 60 s"},
           StallCase{"tries again and again", {seconds(1), seconds(601), true}, ""},
           StallCase{"unpacks", {minutes(10), minutes(10), false}, ""},
           StallCase{"unpacks for ever", {seconds(0), seconds(601), false}, "nothing for 600 s"},
       }) {
    const auto error = docker::StalledPull(row.stall, DockerOptions{});
    EXPECT_EQ(error.has_value(), *row.reason != '\0') << row.name;
    if (!error) continue;
    EXPECT_EQ(error->code, ErrorCode::kDeadlineExceeded) << row.name;
    EXPECT_THAT(error->message, HasSubstr(row.reason)) << row.name;
  }
}

TEST(PullStreamTest, SumOfTheEngineIsPreferredToThatOfItsLayers) {
  Pull pull(Unpacking::kWhileDownloading);
  const auto feed = [&](const char* line) {
    pull.stream.OnLine(line, kStart);
    return pull.stream.progress();
  };
  EXPECT_EQ(feed(R"({"status":"Extracting","id":"a","progressDetail":{"current":5,"total":9}})")
                .total_bytes,
            9);
  EXPECT_EQ(feed(R"({"id":"Total","progressDetail":{"current":7,"total":20}})").current_bytes, 7);
  EXPECT_EQ(feed(R"({"status":"Extracting","id":"a","progressDetail":{"current":9,"total":9}})")
                .current_bytes,
            7);
  EXPECT_EQ(feed(R"({"status":"Pull complete","id":"a"})").total_bytes, 20);
}

TEST(PullStreamTest, CountingDownToARetryIsNoSignOfLife) {
  Pull pull;
  pull.Downloads(5, 0);
  for (int second = 1; second <= 70; ++second) pull.Says("Retrying in 5 seconds", second);
  EXPECT_TRUE(pull.At(70).downloading);
  EXPECT_EQ(pull.At(70).since_byte, seconds(70));
  EXPECT_EQ(pull.At(70).since_line, seconds(70));
}

TEST(PullStreamTest, SameCountAgainIsNoByte) {
  Pull pull;
  for (int second = 0; second <= 70; ++second) pull.Downloads(5, second);
  EXPECT_EQ(pull.At(70).since_byte, seconds(70));
}

TEST(PullStreamTest, DownloadThatFollowsLongWorkHasItsFullTime) {
  Pull pull;
  for (int second = 0; second <= 300; ++second) pull.Says("Extracting", second);
  pull.Says("Retrying in 5 seconds", 301);
  EXPECT_TRUE(pull.At(301).downloading);
  EXPECT_EQ(pull.At(301).since_byte, seconds(1));
}

TEST(PullStreamTest, AnyByteIsASignOfLifeAfterARetryToo) {
  Pull pull;
  pull.Downloads(7, 0);
  pull.Downloads(2, 30);
  EXPECT_EQ(pull.At(31).since_byte, seconds(1));
  EXPECT_EQ(pull.stream.progress().current_bytes, 7);
}

TEST(PullStreamTest, NonsenseIsPassedOver) {
  Pull pull(Unpacking::kWhileDownloading);
  for (const char* line :
       {"", "{", "[]", "7", R"({"status":7,"id":[]})",
        R"({"status":"Downloading","id":"a","progressDetail":[]})",
        R"({"status":"Downloading","id":"b","progressDetail":{"current":-5,"total":"x"}})",
        R"({"status":"Downloading","id":"c","progressDetail":{"current":1e300}})",
        R"({"status":"Extracting","id":"d","progressDetail":7})", R"({"id":"Total"})",
        R"({"id":"Total","progressDetail":{"current":"5","total":-5}})"}) {
    pull.stream.OnLine(line, kStart);
    EXPECT_EQ(pull.stream.bytes(), docker::PullStream::Bytes()) << line;
  }
  EXPECT_FALSE(pull.stream.error());
}

TEST(PullWatchTest, ByteOnOnePullIsASignOfLifeForAll) {
  docker::PullWatch watch;
  Pull first(watch);
  Pull second(watch);
  first.Downloads(5, 0);
  second.Downloads(5, 59);
  EXPECT_EQ(first.At(61).since_byte, seconds(2));
  EXPECT_EQ(first.At(120).since_byte, seconds(61));
}

TEST(PullWatchTest, PullThatWaitsForItsTurnIsNotStalledWhileAnotherMoves) {
  docker::PullWatch watch;
  Pull waiting(watch);
  Pull moving(watch);
  waiting.Says("Waiting", 0);
  moving.Downloads(5, 599);
  EXPECT_FALSE(waiting.At(601).downloading);
  EXPECT_EQ(waiting.At(601).since_line, seconds(2));
}

TEST(PullWatchTest, WhatIsNoByteCountsForItsOwnPullAlone) {
  docker::PullWatch watch;
  Pull first(watch);
  Pull second(watch);
  first.Downloads(5, 0);
  second.Says("Extracting", 59);
  second.Says("Retrying in 5 seconds", 60);
  EXPECT_EQ(first.At(61).since_byte, seconds(61));
}

TEST(PullWatchTest, PullsOfAnotherEngineDoNotCount) {
  Pull first;
  Pull second;
  first.Downloads(5, 0);
  second.Downloads(5, 59);
  EXPECT_EQ(first.At(61).since_byte, seconds(61));
}

TEST(PullWatchTest, LatestByteIsKeptInWhateverOrderTheyAreNoted) {
  docker::PullWatch watch;
  std::vector<std::thread> pulls;
  for (int pull = 0; pull < 4; ++pull) {
    pulls.emplace_back([&watch, pull] {
      for (int i = 1000; i > 0; --i) watch.NoteByte(kStart + milliseconds(4 * i + pull));
    });
  }
  for (std::thread& pull : pulls) pull.join();
  EXPECT_EQ(watch.last_byte(), kStart + milliseconds(4003));
}

TEST(LineReaderTest, LinesComeWholeHoweverTheyAreCut) {
  const std::string text = "one\ntwo\n\nthree\n";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    docker::LineReader reader(5);
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size(); at += size) {
      EXPECT_TRUE(reader.Feed(text.substr(at, size),
                              [&](std::string_view line) { lines.emplace_back(line); }));
    }
    EXPECT_THAT(lines, ElementsAre("one", "two", "three"));
  }
}

TEST(LineReaderTest, EndlessLineIsRefused) {
  docker::LineReader reader(1 << 20);
  const std::string piece(1 << 20, 'x');
  EXPECT_TRUE(reader.Feed(piece, [](std::string_view) {}));
  EXPECT_FALSE(reader.Feed(piece, [](std::string_view) {}));
}

TEST(PullStreamTest, WhatIsKeptIsBounded) {
  docker::PullWatch watch;
  docker::PullStream stream(kStart, docker::Unpacking::kAfterDownload, watch);
  const auto layer = [](const std::string& id) {
    return R"({"status":"Downloading","id":")" + id +
           R"(","progressDetail":{"current":1,"total":2}})";
  };
  EXPECT_FALSE(stream.OnLine(layer(std::string(65, 'a')), kStart)) << "no layer is called that";
  for (int i = 0; i < 5000; ++i) stream.OnLine(layer("l" + std::to_string(i)), kStart);
  EXPECT_EQ(stream.progress().total_bytes, 2 * 512);
  std::string many = R"({"status":"Downloading","id":"l0","progressDetail":{"current":2},"x":[0)";
  for (int i = 0; i < 300; ++i) many += ",0";
  EXPECT_FALSE(stream.OnLine(many + "]}", kStart));
  EXPECT_EQ(stream.progress().current_bytes, 512);
  stream.OnLine(R"({"error":")" + std::string(100'000, 'x') + R"("})", kStart);
  ASSERT_TRUE(stream.error());
  EXPECT_LE(stream.error()->size(), docker::kMaxPeerText);
}

struct ReferenceCase {
  const char* reference;
  const char* query;
};

TEST(PullQueryTest, TagOrDigestIsAlwaysGiven) {
  for (const auto& [reference, query] :
       {ReferenceCase{"app", "fromImage=app&tag=latest"},
        ReferenceCase{"app:v1", "fromImage=app&tag=v1"},
        ReferenceCase{"r:5055/x/app", "fromImage=r%3A5055%2Fx%2Fapp&tag=latest"},
        ReferenceCase{"r:5055/app:v1", "fromImage=r%3A5055%2Fapp&tag=v1"},
        ReferenceCase{"app@sha256:ab", "fromImage=app&tag=sha256%3Aab"},
        ReferenceCase{"app:v1@sha256:ab", "fromImage=app&tag=sha256%3Aab"},
        ReferenceCase{"a&fromSrc=x", "fromImage=a%26fromSrc%3Dx&tag=latest"}}) {
    EXPECT_EQ(docker::PullQuery(reference), query);
  }
}

TEST(PullStreamTest, TellsOfEachLayer) {
  Pull pull;
  pull.Downloads(40, 1);
  pull.stream.OnLine(R"({"status":"Waiting","id":"b","progressDetail":{}})", kStart);
  EXPECT_THAT(pull.stream.progress().layers, ElementsAre(LayerProgress{"a", "Downloading", 40, 99},
                                                         LayerProgress{"b", "Waiting", 0, 0}));
  pull.Says("Pull complete", 2);
  EXPECT_EQ(pull.stream.progress().layers.at(0), (LayerProgress{"a", "Pull complete", 99, 99}));
}

TEST(PullStreamTest, AChangeOfStatusAloneIsProgress) {
  Pull pull;
  EXPECT_TRUE(pull.stream.OnLine(R"({"status":"Waiting","id":"a"})", kStart));
  EXPECT_FALSE(pull.stream.OnLine(R"({"status":"Waiting","id":"a"})", kStart));
  EXPECT_TRUE(pull.stream.OnLine(R"({"status":"Verifying Checksum","id":"a"})", kStart));
}

TEST(PullStreamTest, KeepsNoMoreThanAnImageCanHave) {
  Pull pull;
  const std::string huge(100'000, 'x');
  for (int i = 0; i < 600; ++i) {
    pull.stream.OnLine(docker::DumpJson({{"id", std::to_string(i)}, {"status", huge}}), kStart);
    pull.stream.OnLine(docker::DumpJson({{"id", huge + std::to_string(i)}, {"status", "x"}}),
                       kStart);
  }
  std::size_t bytes = 0;
  for (const LayerProgress& layer : pull.stream.progress().layers) {
    bytes += layer.id.size() + layer.status.size();
  }
  EXPECT_LT(bytes, 64'000u);
  EXPECT_LE(pull.stream.progress().layers.size(), 512u);
}

}  // namespace
}  // namespace lockstep::test

// How a container ended, and what it printed: as it was recorded, and as it should never be.
#include "examination.h"

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "capture.h"
#include "lockstep/runtimes/docker_engine.h"
#include "lockstep/testing/matchers.h"
#include "log_frames.h"
#include "stub_engine.h"

namespace lockstep::test {
namespace {

using docker::LogForm;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Frame(char stream, const std::string& payload) {
  const auto size = payload.size();
  std::string frame = {stream, 0, 0, 0};
  for (const int shift : {24, 16, 8, 0}) frame += static_cast<char>(size >> shift);
  return frame + payload;
}

struct FrameCase {
  std::string name;
  LogForm form;
  std::string bytes;
  std::vector<std::string> expected;
};
class LogFramesTest : public ::testing::TestWithParam<FrameCase> {};

TEST_P(LogFramesTest, ReadsThemHoweverTheyAreCut) {
  const std::string& bytes = GetParam().bytes;
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    OutputTail tail;
    docker::LogFrames frames(GetParam().form, tail);
    frames.Feed(std::string_view(bytes).substr(0, cut));
    frames.Feed(std::string_view(bytes).substr(cut));
    EXPECT_EQ(tail.Lines(), GetParam().expected) << "cut at " << cut;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, LogFramesTest,
    ::testing::Values(
        FrameCase{"Nothing", LogForm::kFrames, "", {}},
        FrameCase{"BothStreamsInOrder",
                  LogForm::kFrames,
                  Frame(1, "out\n") + Frame(2, "err\n") + Frame(1, "more\n"),
                  {"out", "err", "more"}},
        FrameCase{"ALineInTwoFrames", LogForm::kFrames, Frame(1, "on") + Frame(1, "e\n"), {"one"}},
        FrameCase{"AnEmptyFrame", LogForm::kFrames, Frame(1, "") + Frame(2, "err\n"), {"err"}},
        FrameCase{"WhatTheEngineItselfSays", LogForm::kFrames, Frame(3, "cannot\n"), {"cannot"}},
        FrameCase{"CutOffInAHeader", LogForm::kFrames, Frame(1, "out\n") + "\x02\x00", {"out"}},
        FrameCase{"CutOffInAFrame", LogForm::kFrames, Frame(1, "out\n").substr(0, 10), {"ou"}},
        FrameCase{"ASizeOfFourGigabytes",
                  LogForm::kFrames,
                  std::string("\1\0\0\0\xff\xff\xff\xff", 8) + "out\n",
                  {"out"}},
        FrameCase{"NoHeaders", LogForm::kFrames, "plain text\nmore\n", {"plain text", "more"}},
        FrameCase{"ATerminal", LogForm::kPlain, "out\r\nmore\r\n", {"out", "more"}},
        FrameCase{"ATerminalThatLooksLikeAHeader",
                  LogForm::kPlain,
                  std::string("\1\0\0\0\0\0\0\4out\n", 12),
                  {"\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x04out"}}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(ReadFindingsTest, ReadsWhatWasRecorded) {
  const Findings failed = docker::ReadFindings(Capture("container-inspect-exited-3"));
  EXPECT_EQ(failed.exit_code, 3);
  EXPECT_FALSE(failed.out_of_memory);
  const Findings killed = docker::ReadFindings(Capture("container-inspect-oom-killed"));
  EXPECT_EQ(killed.exit_code, 137);
  EXPECT_TRUE(killed.out_of_memory);
  const Findings never = docker::ReadFindings(Capture("container-inspect-command-missing"));
  EXPECT_EQ(never.exit_code, std::nullopt) << "127 is the engine's";
  EXPECT_THAT(never.engine_error, HasSubstr("stat /no/such/bin: no such file or directory"));
  const Findings loops = docker::ReadFindings(Capture("container-inspect-restarting"));
  EXPECT_NE(loops.exit_code, std::nullopt);
  EXPECT_GT(loops.restarts, 0);
  EXPECT_EQ(docker::ReadFindings(Capture("health-unhealthy")).exit_code, std::nullopt);
}

TEST(ReadFindingsTest, TellsWhatAFailingHealthCheckSays) {
  const auto json = docker::ParseJson(
      R"({"State":{"Status":"running","Health":{"Log":[{"ExitCode":0,"Output":"fine"},
          {"ExitCode":1,"Output":"trying\n\u001b[31mno db\u001b[0m\n"}]}}})");
  EXPECT_EQ(docker::ReadFindings(*json).health_output, "no db");
  EXPECT_EQ(docker::ReadFindings(docker::Json::array()), Findings());
}

class ExamineTest : public ::testing::Test {
 protected:
  // Answers the look into the container with `inspect`, and for its log with `logs`.
  Result<Findings> Examine(const std::string& inspect, const std::string& logs,
                           std::stop_token stop = {}) {
    StubEngine stub([&](const std::string& line) {
      if (line.ends_with("/version")) return StubEngine::Version();
      return line.find("/logs?") != std::string::npos ? logs : inspect;
    });
    DockerOptions options;
    options.url = stub.url();
    options.query_timeout = std::chrono::milliseconds(200);
    auto engine = MakeDockerEngine(options);
    auto findings = engine.assume_value()->Examine("c1", std::move(stop));
    requests_ = stub.requests();
    return findings;
  }

  const std::string exited_ = StubEngine::Reply(
      R"({"State":{"Status":"exited","ExitCode":3},"HostConfig":{"LogConfig":{"Type":"none"}}})");
  std::vector<std::string> requests_;
};

TEST_F(ExamineTest, AsksForAFewLinesOfBothStreams) {
  const auto findings = Examine(exited_, StubEngine::Reply(Frame(1, "out\n") + Frame(2, "err\n")));
  ASSERT_THAT(findings, IsOk());
  EXPECT_EQ(findings.assume_value().exit_code, 3);
  EXPECT_THAT(findings.assume_value().last_lines, ElementsAre("out", "err"));
  EXPECT_EQ(requests_.back(), "GET /v1.41/containers/c1/logs?stdout=1&stderr=1&tail=20");
}

TEST_F(ExamineTest, OfATerminalNothingIsTakenForAHeader) {
  const auto findings =
      Examine(StubEngine::Reply(R"({"State":{"Status":"exited"},"Config":{"Tty":true}})"),
              StubEngine::Reply("out\r\n"));
  ASSERT_THAT(findings, IsOk());
  EXPECT_THAT(findings.assume_value().last_lines, ElementsAre("out"));
}

TEST_F(ExamineTest, SaysWhyALogCannotBeRead) {
  for (const int status : {400, 500, 501}) {
    const auto findings =
        Examine(exited_,
                StubEngine::Reply(
                    R"({"message":"configured logging driver does not support reading"})", status));
    ASSERT_THAT(findings, IsOk());
    EXPECT_EQ(findings.assume_value().exit_code, 3);
    EXPECT_THAT(findings.assume_value().last_lines, IsEmpty());
    EXPECT_THAT(findings.assume_value().lines_missing,
                AllOf(HasSubstr("does not support reading"), HasSubstr("log driver none")));
  }
}

TEST_F(ExamineTest, ALogThatDoesNotEndIsGivenUp) {
  const auto findings = Examine(exited_, StubEngine::OpenStream(Frame(1, "out\n")));
  ASSERT_THAT(findings, IsOk());
  EXPECT_EQ(findings.assume_value().exit_code, 3);
  EXPECT_THAT(findings.assume_value().lines_missing, HasSubstr("no answer within"));
}

TEST_F(ExamineTest, AContainerThatIsGoneIsNotFound) {
  EXPECT_THAT(Examine(StubEngine::Reply(R"({"message":"No such container: c1"})", 404), ""),
              IsError(ErrorCode::kNotFound));
}

TEST_F(ExamineTest, IsCancelled) {
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_THAT(Examine(exited_, "", stopped.get_token()), IsError(ErrorCode::kCancelled));
}

}  // namespace
}  // namespace lockstep::test

#include "credential_helper.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include "fake_helpers.h"
#include "lockstep/testing/matchers.h"

namespace lockstep::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kServer = "r.example:5000";

std::string Printing(const std::string& text, int status = 0) {
  return "cat >/dev/null\nprintf '%s' '" + text + "'\nexit " + std::to_string(status);
}

std::string Answer(const std::string& user) {
  return R"({"ServerURL":"x","Username":")" + user + R"(","Secret":")" + kSecret + "\"}";
}

class CredentialHelperTest : public FakeHelpersTest {
 protected:
  static auto Ask(const std::string& name, std::stop_token stop = {}, ProcessLimits limits = {}) {
    return AskCredentialHelper(name, kServer, limits, std::move(stop));
  }
  bool HasFile(const std::string& name) const {
    return std::filesystem::exists(directory_ + "/" + name);
  }
  pid_t PidIn(const std::string& name) const {
    pid_t pid = 0;
    std::ifstream(directory_ + "/" + name) >> pid;
    return pid;
  }
};

// Whether it is gone, or about to be: who inherits it may reap it late.
bool HasEnded(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string id;
  std::string name;
  std::string state;
  return !(stat >> id >> name >> state) || state == "Z" || state == "X";
}

void WaitUntil(const std::function<bool()>& condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TEST_F(CredentialHelperTest, IsToldTheServerAndGivesUserAndPassword) {
  WriteHelper("good", R"sh([ "$#" = 1 ] && [ "$1" = get ] || exit 9
printf '{"ServerURL":"x","Username":"ann","Secret":"for <%s>"}\n' "$(cat)")sh");
  const auto found = Ask("good");
  ASSERT_THAT(found, IsOk());
  ASSERT_TRUE(found.assume_value());
  EXPECT_EQ(found.assume_value()->username, "ann");
  EXPECT_EQ(found.assume_value()->password, "for <r.example:5000>");
  EXPECT_EQ(found.assume_value()->identity_token, "");
  EXPECT_EQ(found.assume_value()->source, "docker-credential-good");
}

TEST_F(CredentialHelperTest, GivesAnIdentityToken) {
  WriteHelper("token", Printing(Answer("<token>")));
  const auto found = Ask("token");
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found.assume_value()->identity_token, kSecret);
  EXPECT_EQ(found.assume_value()->username, "");
  EXPECT_EQ(found.assume_value()->password, "");
}

TEST_F(CredentialHelperTest, MayHaveNone) {
  WriteHelper("none", Printing("credentials not found in native keychain\n", 1));
  WriteHelper("empty", Printing(R"({"ServerURL":"","Username":"","Secret":""})"));
  for (const char* name : {"none", "empty"}) {
    const auto found = Ask(name);
    ASSERT_THAT(found, IsOk()) << name;
    EXPECT_FALSE(found.assume_value()) << name;
  }
}

TEST_F(CredentialHelperTest, NeedNotReadWhatItIsAsked) {
  WriteHelper("deaf", "exec <&-\nprintf '%s' '" + Answer("ann") + "'");
  EXPECT_THAT(Ask("deaf"), IsOk());
}

TEST_F(CredentialHelperTest, MayLeaveSomethingRunningThatHoldsItsOutput) {
  WriteHelper("parent",
              "sleep 1000 &\necho $! >\"$(dirname \"$0\")/pid\"\n" + Printing(Answer("ann")));
  EXPECT_THAT(Ask("parent"), IsOk());
  EXPECT_EQ(kill(PidIn("pid"), SIGKILL), 0);
}

TEST_F(CredentialHelperTest, GetsNeitherFilesNorBlockedSignalsOfThisProcess) {
  ASSERT_EQ(dup2(STDERR_FILENO, 200), 200);
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  WriteHelper("clean",
              "[ ! -e /proc/$$/fd/200 ] || { echo a file; exit 1; }\n"
              "while read -r key value; do case $key$value in\n"
              "SigBlk:*[!0]*) echo a signal; exit 1 ;; esac; done </proc/self/status\n" +
                  Printing(Answer("ann")));
  const auto found = Ask("clean");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  close(200);
  EXPECT_THAT(found, IsOk());
}

struct BadHelper {
  std::string name;
  std::string script;
  ErrorCode code;
  std::string says;
};

class BadCredentialHelperTest : public CredentialHelperTest,
                                public ::testing::WithParamInterface<BadHelper> {};

TEST_P(BadCredentialHelperTest, IsAnErrorThatNamesItAndHoldsNoSecret) {
  WriteHelper("bad", GetParam().script);
  const auto found = Ask("bad");
  ASSERT_THAT(found, IsError(GetParam().code));
  const std::string text = Describe(found.assume_error());
  EXPECT_THAT(text, HasSubstr("docker-credential-bad"));
  EXPECT_THAT(text, HasSubstr(kServer));
  EXPECT_THAT(text, HasSubstr(GetParam().says));
  EXPECT_THAT(text, Not(HasSubstr(kSecret)));
  EXPECT_LT(text.size(), 600U);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadCredentialHelperTest,
    ::testing::ValuesIn(std::vector<BadHelper>{
        {"OtherText", Printing("the keychain is locked", 1), ErrorCode::kUnavailable,
         "status 1: the keychain is locked"},
        {"Complaint", "echo no agent runs >&2; exit 2", ErrorCode::kUnavailable,
         "status 2: no agent runs"},
        {"LongComplaint", "head -c 5000 /dev/zero | tr '\\0' x; exit 1", ErrorCode::kUnavailable,
         "xxxx"},
        {"Silent", "exit 7", ErrorCode::kUnavailable, "status 7"},
        {"Killed", "kill -SEGV $$", ErrorCode::kUnavailable, "status 139"},
        {"AnswersAndFails", Printing(Answer("ann"), 1), ErrorCode::kUnavailable, "status 1"},
        {"NoJson", Printing(std::string("password: ") + kSecret), ErrorCode::kBadReply, "JSON"},
        {"CutOff", Printing(Answer("ann").substr(0, Answer("ann").size() - 1)),
         ErrorCode::kBadReply, "JSON"},
        {"NoAnswer", "exit 0", ErrorCode::kBadReply, "JSON"},
        {"NoSecret", Printing(R"({"Username":"ann"})"), ErrorCode::kBadReply, "JSON"},
        {"WrongTypes", Printing(R"({"Username":"ann","Secret":7})"), ErrorCode::kBadReply, "JSON"},
        {"List", Printing("[]"), ErrorCode::kBadReply, "JSON"},
        {"Floods", std::string("yes ") + kSecret, ErrorCode::kBadReply, "more than 64 KiB"},
        {"FloodsComplaints", std::string("yes ") + kSecret + " >&2", ErrorCode::kBadReply,
         "more than 64 KiB"},
    }),
    [](const auto& param_info) { return param_info.param.name; });

TEST_F(CredentialHelperTest, HangsNoLongerThanAllowed) {
  WriteHelper("hang", "sleep 1000");
  ProcessLimits limits;
  limits.time = std::chrono::milliseconds(20);
  EXPECT_THAT(Ask("hang", {}, limits), IsError(ErrorCode::kDeadlineExceeded));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
}

TEST_F(CredentialHelperTest, IsEndedByAStopRequestWithAllThatItStarted) {
  WriteHelper("hang",
              "cd \"$(dirname \"$0\")\"\nsleep 1000 &\n"
              "echo $! >child; echo $$ >parent; mv parent ready\nwait");
  std::stop_source stop;
  auto asked = std::async(std::launch::async, [&] { return Ask("hang", stop.get_token()); });
  WaitUntil([&] { return HasFile("ready"); });
  const pid_t parent = PidIn("ready");
  const pid_t child = PidIn("child");
  ASSERT_GT(child, 0);
  EXPECT_FALSE(HasEnded(child));
  stop.request_stop();
  EXPECT_THAT(asked.get(), IsError(ErrorCode::kCancelled));
  EXPECT_EQ(kill(parent, 0), -1) << "not reaped";
  WaitUntil([&] { return HasEnded(child); });
}

TEST_F(CredentialHelperTest, ThatIsNotThereIsNamed) {
  const auto found = Ask("nowhere");
  ASSERT_THAT(found, IsError(ErrorCode::kInvalidInput));
  EXPECT_THAT(Describe(found.assume_error()), HasSubstr("docker-credential-nowhere in PATH"));
}

TEST_F(CredentialHelperTest, MustBeAProgramInAnAbsolutePlace) {
  Write("docker-credential-text", "no program");
  std::filesystem::create_directory(directory_ + "/docker-credential-folder");
  for (const char* name : {"text", "folder"}) {
    EXPECT_THAT(Ask(name), IsError(ErrorCode::kInvalidInput)) << name;
  }
  WriteHelper("good", Printing(Answer("ann")));
  EXPECT_THAT(Ask("good"), IsOk());
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(directory_);
  setenv("PATH", ":.:", 1);
  EXPECT_THAT(Ask("good"), IsError(ErrorCode::kInvalidInput));
  std::filesystem::current_path(before);
}

TEST_F(CredentialHelperTest, StrangeNamesAreRefused) {
  WriteHelper("x", Printing(Answer("ann")));
  for (const std::string& name :
       {std::string(), std::string("../x"), std::string("x/../x"), std::string("x;y"),
        std::string("x y"), std::string("x\n"), std::string("x\0y", 3), std::string(65, 'x')}) {
    const auto found = Ask(name);
    ASSERT_THAT(found, IsError(ErrorCode::kInvalidInput)) << name;
    EXPECT_THAT(found.assume_error().message, HasSubstr("no name of a credential helper")) << name;
  }
}

TEST_F(CredentialHelperTest, IsNotAskedForWhatIsTooLong) {
  WriteHelper("good", Printing(Answer("ann")));
  EXPECT_THAT(AskCredentialHelper("good", std::string(5000, 'r'), {}, {}),
              IsError(ErrorCode::kInvalidInput));
}

}  // namespace
}  // namespace lockstep::test

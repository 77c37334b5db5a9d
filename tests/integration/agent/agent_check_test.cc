// `lockstep agent --check`: what is wrong is said before an agent begins with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <sstream>
#include <string>
#include <vector>

#include "../target_sources/scratch_directory.h"
#include "command.h"

namespace lockstep {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AgentCheckTest : public ::testing::Test {
 protected:
  int Check(std::vector<std::string> arguments, const std::string& engine = "memory:") {
    arguments.insert(arguments.begin(),
                     {"agent", "--check", "--engine", engine, "--boot-dir", directory_.At("")});
    out_.str({});
    err_.str({});
    Streams streams{out_, err_, {}, nullptr, false};
    return RunCommand(std::move(arguments), streams);
  }

  test::ScratchDirectory directory_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(AgentCheckTest, SaysWhereTargetsComeFrom) {
  const std::string target = directory_.At("compose.yml");
  directory_.Write("compose.yml", "name: shop\nservices: {web: {image: 'x/web:1'}}\n");
  EXPECT_EQ(Check({"--source", target, "--api-listen", "[::1]:48484"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("targets come from " + target));
  EXPECT_THAT(err_.str(), IsEmpty());
}

TEST_F(AgentCheckTest, ATargetThatCannotBeReadIsSaidAndWaitedFor) {
  const std::string target = directory_.At("compose.yml");
  directory_.Write("compose.yml", "services: [");
  EXPECT_EQ(Check({"--source", target}), 0);
  EXPECT_THAT(err_.str(), HasSubstr(target));
  EXPECT_EQ(Check({"--source", directory_.At("none")}), 0);
  EXPECT_THAT(err_.str(), HasSubstr("/none"));
}

TEST_F(AgentCheckTest, APipeIsSaidToBeNoTargetAndNotWaitedFor) {
  const std::string pipe = directory_.At("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(Check({"--source", pipe}), 0);
  EXPECT_THAT(err_.str(), HasSubstr("no regular file"));
}

TEST_F(AgentCheckTest, AnAddressThatIsNoneIsRefused) {
  for (const char* address : {"localhost:48484", "127.0.0.1", "127.0.0.1:70000", ":1"}) {
    EXPECT_EQ(Check({"--source", "push", "--api-listen", address}), 1) << address;
    EXPECT_THAT(err_.str(), AllOf(HasSubstr(address), HasSubstr("127.0.0.1:48484")));
  }
}

TEST_F(AgentCheckTest, AnEngineThatIsNoneIsRefusedAndOneThatIsAwayWaitedFor) {
  EXPECT_EQ(Check({"--source", "push"}, "bogus://x"), 1);
  EXPECT_THAT(err_.str(), HasSubstr("bogus://x"));
  EXPECT_EQ(Check({"--source", "push"}, "unix:///tmp/there/is/none.sock"), 0);
}

TEST_F(AgentCheckTest, ADeviceOfNoBackendIsRefused) {
  EXPECT_EQ(Check({}), 1);
  EXPECT_THAT(err_.str(), HasSubstr("give --source FILE"));
}

TEST_F(AgentCheckTest, TheBackendIsTheOneOfConfigJsonAmongTheBootFiles) {
  directory_.Write("config.json",
                   R"({"apiEndpoint": "https://api.example", "uuid": "d1", "deviceApiKey": "k"})");
  EXPECT_EQ(Check({}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("https://api.example"));
}

}  // namespace
}  // namespace lockstep

#include "lockstep/pull_progress.h"

#include <gtest/gtest.h>

namespace lockstep::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

MonoTime At(milliseconds time) { return MonoTime(time); }

TEST(TransferRateTest, CountsTheLastSecondsOnly) {
  TransferRate rate;
  EXPECT_EQ(rate.bytes_per_second(), 0);
  rate.Add(At(milliseconds(0)), 0);
  for (int second = 1; second <= 10; ++second) rate.Add(At(seconds(second)), second * 1'000);
  for (int second = 11; second <= 16; ++second) {
    rate.Add(At(seconds(second)), 10'000 + (second - 10) * 5'000);
  }
  EXPECT_EQ(rate.bytes_per_second(), 5'000);
}

TEST(TransferRateTest, BeginsAgainWithThePull) {
  TransferRate rate;
  rate.Add(At(seconds(0)), 0);
  rate.Add(At(seconds(1)), 9'000);
  rate.Add(At(seconds(2)), 100);
  EXPECT_EQ(rate.bytes_per_second(), 0);
}

struct LeftCase {
  const char* name;
  std::int64_t current;
  std::int64_t total;
  double rate;
  std::optional<seconds> left;
};
class TimeLeftTest : public ::testing::TestWithParam<LeftCase> {};

TEST_P(TimeLeftTest, IsWholeSecondsOrUnknown) {
  EXPECT_EQ(TimeLeft(GetParam().current, GetParam().total, GetParam().rate), GetParam().left);
}

INSTANTIATE_TEST_SUITE_P(Cases, TimeLeftTest,
                         ::testing::Values(LeftCase{"RoundedUp", 0, 101, 10, seconds(11)},
                                           LeftCase{"Exact", 50, 100, 10, seconds(5)},
                                           LeftCase{"NothingLeft", 100, 100, 10, std::nullopt},
                                           LeftCase{"MoreThanAll", 101, 100, 10, std::nullopt},
                                           LeftCase{"NoRate", 0, 100, 0, std::nullopt},
                                           LeftCase{"NegativeRate", 0, 100, -1, std::nullopt},
                                           LeftCase{"DaysAway", 0, 1'000'000'000, 1, std::nullopt},
                                           LeftCase{"SlowerThanAnything", 0, 100, 1e-300,
                                                    std::nullopt}),
                         [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace lockstep::test

#include "http_api/site_guard.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

struct HostCase {
  std::string name;
  std::string host;
  bool own;
};
class OwnHostTest : public ::testing::TestWithParam<HostCase> {};

TEST_P(OwnHostTest, IsJudged) {
  EXPECT_EQ(IsOwnHost(GetParam().host, {"kitchen.local"}), GetParam().own);
}

INSTANTIATE_TEST_SUITE_P(Cases, OwnHostTest,
                         ::testing::ValuesIn(std::vector<HostCase>{
                             {"Address", "192.0.2.1", true},
                             {"AddressWithPort", "192.0.2.1:48484", true},
                             {"V6", "[::1]", true},
                             {"V6WithPort", "[2001:db8::1]:48484", true},
                             {"Localhost", "localhost:80", true},
                             {"LocalhostInCapitals", "LOCALHOST", true},
                             {"ConfiguredName", "Kitchen.Local:48484", true},
                             {"NoPortBehindTheColon", "localhost:", true},
                             {"None", "", false},
                             {"PortAlone", ":80", false},
                             {"AnotherName", "evil.example", false},
                             {"BelowLocalhost", "evil.localhost", false},
                             {"BehindLocalhost", "localhost.evil.example", false},
                             {"BehindAnAddress", "127.0.0.1.evil.example", false},
                             {"ShortAddress", "127.1", false},
                             {"NumberAddress", "2130706433", false},
                             {"V6WithoutBrackets", "::1", false},
                             {"V6NotClosed", "[::1", false},
                             {"EmptyBrackets", "[]", false},
                             {"NameInBrackets", "[localhost]", false},
                             {"BehindTheBracket", "[::1]evil.example", false},
                             {"NoNumberAsPort", "localhost:80.evil.example", false},
                             {"User", "localhost@evil.example", false},
                             {"UserBehindThePort", "localhost:80@evil.example", false},
                             {"Twice", "localhost, evil.example", false},
                             {"Blank", "localhost ", false},
                             {"Nul", std::string("127.0.0.1\0.evil", 15), false}}),
                         [](const auto& param_info) { return param_info.param.name; });

struct SiteCase {
  std::string name;
  std::string method;
  TextMap headers;
  bool refused;
};
class CrossSiteTest : public ::testing::TestWithParam<SiteCase> {};

TEST_P(CrossSiteTest, IsJudged) {
  ApiRequest request;
  request.method = GetParam().method;
  request.headers = GetParam().headers;
  request.headers["host"] = "kitchen.local:48484";
  EXPECT_EQ(!CrossSiteRefusal(request).empty(), GetParam().refused);
}

constexpr char kOwn[] = "http://kitchen.local:48484";
const TextMap kForm = {{"origin", kOwn}, {"content-type", "application/x-www-form-urlencoded"}};

INSTANTIATE_TEST_SUITE_P(
    Cases, CrossSiteTest,
    ::testing::ValuesIn(std::vector<SiteCase>{
        {"Program", "POST", {}, false},
        {"ProgramThatSendsAForm", "POST", {{"content-type", "text/plain"}}, false},
        {"SameOrigin", "POST", {{"sec-fetch-site", "same-origin"}, {"origin", kOwn}}, false},
        {"ByThePerson", "POST", {{"sec-fetch-site", "none"}}, false},
        {"OwnOrigin", "POST", {{"origin", "https://KITCHEN.local:48484"}}, false},
        {"OwnPageSendsJson",
         "POST",
         {{"origin", kOwn}, {"content-type", "application/json"}},
         false},
        {"CrossSite", "POST", {{"sec-fetch-site", "cross-site"}}, true},
        {"SameSite", "DELETE", {{"sec-fetch-site", "same-site"}}, true},
        {"EmptySite", "PATCH", {{"sec-fetch-site", ""}}, true},
        {"SiteTwice", "POST", {{"sec-fetch-site", "none, none"}}, true},
        {"OtherOrigin", "POST", {{"origin", "http://evil.example"}}, true},
        {"OtherPort", "PUT", {{"origin", "http://kitchen.local"}}, true},
        {"NullOrigin", "POST", {{"origin", "null"}}, true},
        {"EmptyOrigin", "POST", {{"origin", ""}}, true},
        {"OriginThatBeginsAlike", "POST", {{"origin", "http://kitchen.local:48484.x"}}, true},
        {"Form", "POST", kForm, true},
        {"FormWithParameters",
         "POST",
         {{"origin", kOwn}, {"content-type", "Multipart/Form-Data; boundary=x"}},
         true},
        {"PlainText", "POST", {{"origin", kOwn}, {"content-type", "text/plain ;charset=x"}}, true},
        {"UnknownMethod", "FOO", {{"origin", "http://evil.example"}}, true},
        {"Reading", "GET", {{"sec-fetch-site", "cross-site"}}, false},
        {"Asking", "HEAD", {{"origin", "http://evil.example"}}, false}}),
    [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace lockstep

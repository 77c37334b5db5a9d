#include "credential_helper.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "json_value.h"

namespace lockstep {
namespace {

constexpr std::size_t kMostOfName = 64;
constexpr std::size_t kMostOfComplaint = 200;
constexpr std::string_view kNone = "credentials not found in native keychain";
constexpr std::string_view kTokenUser = "<token>";  // What it gives is an identity token.

// It becomes a part of a file's name.
bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kMostOfName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Helpers say on either stream what went wrong. What looks like an answer is a secret.
std::string Complaint(const ProcessEnd& end) {
  for (const std::string_view text : {Trimmed(end.output), Trimmed(end.complaint)}) {
    if (text.empty() || text.find('{') != std::string_view::npos) continue;
    const std::string_view line = text.substr(0, text.find('\n'));
    return ": " + std::string(line.substr(0, kMostOfComplaint));
  }
  return {};
}

Result<std::optional<RegistryCredentials>> ReadAnswer(const std::string& text) {
  const Error bad = MakeError(ErrorCode::kBadReply, "its answer is no JSON of credentials",
                              "find out what it prints, and mend or remove it");
  const auto json = ParseJson(text);
  if (!json) return bad;
  const Value* user = json.assume_value().Find("Username");
  const Value* secret = json.assume_value().Find("Secret");
  if (user == nullptr || user->AsString() == nullptr || secret == nullptr ||
      secret->AsString() == nullptr) {
    return bad;
  }
  RegistryCredentials credentials;
  if (*user->AsString() == kTokenUser) {
    credentials.identity_token = *secret->AsString();
  } else {
    credentials.username = *user->AsString();
    credentials.password = *secret->AsString();
  }
  if (user->AsString()->empty() && secret->AsString()->empty()) {
    return std::optional<RegistryCredentials>();
  }
  return std::optional(std::move(credentials));
}

Result<std::optional<RegistryCredentials>> Ask(const std::string& program,
                                               const std::string& server,
                                               const ProcessLimits& limits, std::stop_token stop) {
  auto path = FindProgram(program);
  if (!path) {
    // A pull's kNotFound is about the image.
    Error missing = std::move(path).assume_error();
    missing.code = ErrorCode::kInvalidInput;
    missing.hint = "install it, or take it out of docker's config.json";
    return missing;
  }
  LOCKSTEP_TRY(const ProcessEnd end,
               RunProgram({path.assume_value(), "get"}, server, limits, std::move(stop)));
  if (end.status == 0) return ReadAnswer(end.output);
  if (Trimmed(end.output) == kNone) return std::optional<RegistryCredentials>();
  return MakeError(ErrorCode::kUnavailable,
                   "it ended with status " + std::to_string(end.status) + Complaint(end),
                   "mend it, or take it out of docker's config.json");
}

}  // namespace

Result<std::optional<RegistryCredentials>> AskCredentialHelper(const std::string& name,
                                                               const std::string& server,
                                                               const ProcessLimits& limits,
                                                               std::stop_token stop) {
  if (!IsName(name)) {
    return MakeError(ErrorCode::kInvalidInput,
                     "\"" + name.substr(0, kMostOfName) + "\" is no name of a credential helper",
                     "write the part after docker-credential-, in letters, digits, '-', '_', '.'");
  }
  const std::string program = "docker-credential-" + name;
  auto credentials = Ask(program, server, limits, std::move(stop));
  if (!credentials) {
    return WithContext(std::move(credentials).assume_error(),
                       "ask " + program + " for the login to " + server);
  }
  if (credentials.assume_value()) credentials.assume_value()->source = program;
  return credentials;
}

}  // namespace lockstep

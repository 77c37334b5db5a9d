// Files of variables: `.env`, and what `env_file` of a service names. Text in, variables out.
#ifndef LOCKSTEP_INTEGRATION_COMPOSE_ENV_FILE_H_
#define LOCKSTEP_INTEGRATION_COMPOSE_ENV_FILE_H_

#include <cstddef>
#include <string_view>

#include "compose_variables.h"
#include "document_place.h"
#include "lockstep/result.h"

namespace lockstep {

inline constexpr std::size_t kMaxEnvFileBytes = std::size_t{1} << 20;

// kDotenv: quotes, comments and variables as below. kRaw: what is behind the first `=` is the value
// as it is.
enum class EnvFileFormat { kDotenv, kRaw };

// Adds what the file says to `variables.own`; a later line wins. `variables.before` is what a bare
// NAME takes its value from (and is left out where that has none), and what its values may use, as
// they may use lines above. A line is blank, a comment (`# ...`), or [export] NAME=VALUE or
// NAME: VALUE with
//   VALUE      to the end of the line, or to a `#` behind a blank; variables are replaced
//   "VALUE"    likewise replaced; \n \r \t \" \\ \$ mean what they do elsewhere; many lines
//   'VALUE'    as it is, but \' is a quote; many lines
// Errors: kInvalidTarget at `place`, with the line.
Result<void> ReadEnvFile(std::string_view text, EnvFileFormat format, const Place& place,
                         Interpolation& interpolation, Variables& variables);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_COMPOSE_ENV_FILE_H_

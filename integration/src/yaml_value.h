// YAML at the edge: text into Value. Nothing that a document holds can crash or exhaust the
// process: size, nesting and what aliases multiply are bounded, and the text must be UTF-8.
//
// Plain scalars are what the YAML 1.2 core schema says
// (https://yaml.org/spec/1.2.2/#103-core-schema): null, true and false, whole numbers, numbers; all
// else is text, `yes`, `on` and 22:22 too. What would lose something as a number stays text as it
// is written: 0123, and a whole number beyond 64 bits. A key is text as it is written. What is
// quoted is text.
#ifndef LOCKSTEP_INTEGRATION_YAML_VALUE_H_
#define LOCKSTEP_INTEGRATION_YAML_VALUE_H_

#include <cstddef>
#include <string_view>

#include "lockstep/result.h"
#include "lockstep/value.h"

namespace lockstep {

inline constexpr int kMaxYamlDepth = 64;
inline constexpr std::size_t kMaxYamlBytes = std::size_t{16} << 20;
// Of the document with its aliases written out: values, and bytes of text.
inline constexpr std::size_t kMaxYamlValues = 1'000'000;
inline constexpr std::size_t kMaxYamlText = std::size_t{64} << 20;
// Of one text or one collection in brackets, which must be read as a whole.
inline constexpr std::size_t kMaxYamlPiece = std::size_t{1} << 20;

// One document. Anchors, aliases and merge keys (`<<`: a map, or a list of which the first wins; a
// map's own keys win over both) are written out. Errors: kInvalidInput with line and column: no
// YAML, not UTF-8, beyond a bound, several documents, a key that is there twice or is no text, an
// alias of what it is part of, a tag beyond the core schema's, a text with a NUL character.
Result<Value> ParseYaml(std::string_view text);

// What a plain scalar stands for. For ParseYaml, and for tests.
Value ResolvePlainScalar(std::string_view text);

}  // namespace lockstep

#endif  // LOCKSTEP_INTEGRATION_YAML_VALUE_H_

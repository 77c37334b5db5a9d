#include "config_backends/configfs_backend.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "config_backends/json_text.h"
#include "json_value.h"
#include "private_file.h"
#include "whole_file.h"

namespace lockstep {
namespace {

constexpr std::string_view kKey = "BALENA_HOST_CONFIGFS_ssdt";
const JsonPath& Field() {
  static const JsonPath field = {"ssdt"};
  return field;
}

using Names = std::vector<std::string>;

// Part of paths: no slash, no "..", nothing hidden.
bool IsName(std::string_view name) {
  constexpr std::size_t kMost = 64;
  return !name.empty() && name.size() <= kMost && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-' || c == '_' || c == '.';
         });
}

// The names in a list of texts. None where one is no name, or is there twice.
std::optional<Names> NamesIn(const Value& list) {
  if (list.AsList() == nullptr) return std::nullopt;
  Names names;
  for (const Value& one : *list.AsList()) {
    const std::string* name = one.AsString();
    if (name == nullptr || !IsName(*name)) return std::nullopt;
    if (std::find(names.begin(), names.end(), *name) != names.end()) return std::nullopt;
    names.push_back(*name);
  }
  return names;
}

// The names in a value; none where it is none.
std::optional<Names> NamesOf(std::string_view value) {
  if (IsName(value)) return Names{std::string(value)};
  if (value.find('\0') != std::string_view::npos) return std::nullopt;  // A parser stops there.
  const auto list = ParseJson('[' + std::string(value) + ']');
  if (!list) return std::nullopt;
  std::optional<Names> names = NamesIn(list.assume_value());
  return names && !names->empty() ? names : std::nullopt;
}

Value ListOf(const Names& names) { return Value(Value::List(names.begin(), names.end())); }

// Names need no escapes.
std::string TextOf(const Names& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "\"" : ",\"") + name + '"';
  return text;
}

std::string Refusal(std::string_view value) {
  return NamesOf(value) ? ""
                        : R"(is no list of tables (letters, digits, '-', '_' and '.': spi0 or )"
                          R"("spi0","i2c1"))";
}
std::string Canonical(std::string_view value) {
  const auto names = NamesOf(value);
  return names ? TextOf(*names) : std::string(value);
}

Result<Names> NamesInFile(const SafeFile& file, const std::optional<std::string>& text) {
  if (!text) return Names();
  auto field = JsonField(*text, Field());
  if (!field) return WithContext(std::move(field).assume_error(), "read " + file.path());
  if (!field.assume_value()) return Names();
  if (auto names = NamesIn(*field.assume_value())) return *std::move(names);
  return WithContext(MakeError(ErrorCode::kInvalidInput, "\"ssdt\" in it is no list of tables",
                               "make it one, or remove it"),
                     "read " + file.path());
}

// The kernel refuses to say what is not loaded.
bool IsLoaded(const std::string& aml) {
  const auto table = ReadRegularFile(aml, SafeFile::kMostBytes);
  return table && !table.assume_value().empty();
}

// 0, or an errno.
int WriteOnto(const std::string& path, std::string_view bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return errno;
  int failed = 0;
  while (!bytes.empty() && failed == 0) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      failed = errno;
    }
  }
  // The kernel looks at the table only now.
  if (close(fd) != 0 && failed == 0) failed = errno;
  return failed;
}

}  // namespace

ConfigfsBackend::ConfigfsBackend(std::string file, std::string tables, std::string loaded)
    : file_(std::move(file)),
      tables_(std::move(tables)),
      loaded_(std::move(loaded)),
      rules_({{.backend = "configfs",
               .key = std::string(kKey),
               .needs_reboot = true,
               .forbidden = {},
               .refusal = [](std::string_view, std::string_view value) { return Refusal(value); },
               .canonical = Canonical}}) {}

Result<void> ConfigfsBackend::Recover() {
  LOCKSTEP_TRYV(file_.Recover());
  LOCKSTEP_TRY(const std::optional<std::string> text, file_.Read());
  LOCKSTEP_TRY(const Names names, NamesInFile(file_, text));
  std::optional<Error> first;
  for (const std::string& name : names) {
    auto loaded = Load(name);
    if (!loaded && !first) first = std::move(loaded).assume_error();
  }
  if (first) return *std::move(first);
  return Ok();
}

Result<ConfigValues> ConfigfsBackend::Read() {
  LOCKSTEP_TRY(const std::optional<std::string> text, file_.Read());
  LOCKSTEP_TRY(const Names names, NamesInFile(file_, text));
  if (names.empty()) return ConfigValues();
  return ConfigValues{{std::string(kKey), TextOf(names)}};
}

Result<void> ConfigfsBackend::Write(const ConfigChanges& changes) {
  LOCKSTEP_TRY(const std::optional<std::string> before, file_.Read());
  LOCKSTEP_TRY(const Names now, NamesInFile(file_, before));
  std::string text = before.value_or("{}");
  for (const auto& [key, value] : changes) {
    if (key != kKey) return MakeError(ErrorCode::kInvalidInput, key + " is no key of the tables");
    const std::optional<Names> wanted = value ? NamesOf(*value) : Names();
    if (!wanted) {
      return MakeError(ErrorCode::kInvalidInput, "the value of " + key + ' ' + Refusal(*value));
    }
    if (*wanted == now) continue;
    // Once it is configured it is too late: the device would start without it.
    for (const std::string& name : *wanted) {
      LOCKSTEP_TRYV(Table(name));
    }
    auto changed = WithJsonField(text, Field(),
                                 wanted->empty() ? std::nullopt : std::optional(ListOf(*wanted)));
    if (!changed) return WithContext(std::move(changed).assume_error(), "change " + file_.path());
    text = std::move(changed).assume_value();
  }
  if (text == before.value_or("{}")) return Ok();
  return file_.Write(text);
}

Result<std::string> ConfigfsBackend::Table(const std::string& name) const {
  const std::string path = tables_ + '/' + name + ".aml";
  LOCKSTEP_TRY(std::string table, ReadRegularFile(path, SafeFile::kMostBytes));
  if (table.starts_with("SSDT")) return table;
  return WithContext(MakeError(ErrorCode::kInvalidInput, "it is no SSDT",
                               "put the output of a compiler for ACPI tables there"),
                     "read " + path);
}

Result<void> ConfigfsBackend::Load(const std::string& name) const {
  const std::string directory = loaded_ + '/' + name;
  const std::string aml = directory + "/aml";
  if (IsLoaded(aml)) return Ok();
  LOCKSTEP_TRY(const std::string table, Table(name));
  if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
    if (errno != ENOENT) return FileError(errno, "make", directory);
    return WithContext(MakeError(ErrorCode::kNotFound, "the kernel does not offer to load tables",
                                 "load its module acpi_configfs and see that configfs is mounted"),
                       "make " + directory);
  }
  const int failed = WriteOnto(aml, table);
  if (failed == 0 && IsLoaded(aml)) return Ok();
  rmdir(directory.c_str());  // So that the next attempt begins anew. It may be in use: no matter.
  if (failed != 0) return FileError(failed, "load", aml);
  return WithContext(MakeError(ErrorCode::kUnavailable, "the kernel did not take the table",
                               "see what it says of ACPI in its log"),
                     "load " + aml);
}

}  // namespace lockstep

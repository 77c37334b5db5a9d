#include "compose_host_paths.h"

#include <filesystem>
#include <utility>

namespace lockstep {
namespace {

bool IsAtHome(std::string_view path) { return path == "~" || path.starts_with("~/"); }

std::string HostPath(std::string_view path, const std::string& directory, const std::string& home) {
  if (!IsAtHome(path)) return PathFrom(directory, path);
  if (home.empty()) return std::string(path);
  return PathFrom(home, path.substr(path.size() > 1 ? 2 : 1));
}

// "source:target[:options]", where the source is a path only if it looks like one.
Value ShortForm(const std::string& text, const std::string& directory, const std::string& home) {
  const std::size_t colon = text.find(':');
  const bool is_path = text.starts_with('.') || IsAtHome(text.substr(0, colon));
  if (colon == std::string::npos || !is_path) return text;
  return HostPath(text.substr(0, colon), directory, home) + text.substr(colon);
}

Value LongForm(const Value& volume, const std::string& directory, const std::string& home) {
  const Value* type = volume.Find("type");
  const Value* source = volume.Find("source");
  const std::string* path = source == nullptr ? nullptr : source->AsString();
  if (type == nullptr || *type != Value("bind") || path == nullptr || path->empty()) return volume;
  Value::Map members = *volume.AsMap();
  for (Value::Member& member : members) {
    if (member.key == "source") member.value = HostPath(*path, directory, home);
  }
  return members;
}

}  // namespace

std::string PathFrom(const std::string& directory, std::string_view path) {
  namespace fs = std::filesystem;
  std::string clean = (fs::path(directory) / fs::path(path)).lexically_normal().string();
  while (clean.size() > 1 && clean.back() == '/') clean.pop_back();
  return clean;
}

Value WithHostPaths(const Value& volumes, const std::string& directory, const std::string& home) {
  const Value::List* list = volumes.AsList();
  if (list == nullptr) return volumes;
  Value::List absolute;
  absolute.reserve(list->size());
  for (const Value& volume : *list) {
    if (const std::string* text = volume.AsString()) {
      absolute.push_back(ShortForm(*text, directory, home));
    } else {
      absolute.push_back(LongForm(volume, directory, home));
    }
  }
  return absolute;
}

}  // namespace lockstep

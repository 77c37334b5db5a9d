#include <array>
#include <utility>

#include "service_field_kinds.h"

namespace lockstep::fields {
namespace {

constexpr std::int64_t kAllGpus = -1;

bool IsAll(const Value& raw) {
  const std::string* text = raw.AsString();
  return text != nullptr && *text == "all";
}

Result<Value> Count(const Value& raw) {
  if (IsAll(raw)) return Value(kAllGpus);
  const auto count = IntOf(raw);
  const bool counts = count && (count.assume_value() > 0 || count.assume_value() == kAllGpus);
  if (!counts) return WrongValue(raw, "number of GPUs; write 1, 2, ... or all");
  return Value(count.assume_value());
}

Result<Value> Gpu(const Value& raw) {
  constexpr std::array kRules = {MemberRule{"capabilities", Set}, MemberRule{"count", Count},
                                 MemberRule{"device_ids", Set}, MemberRule{"driver", Text},
                                 MemberRule{"options", Mapping}};
  LOCKSTEP_TRY(Value::Map members, Members(raw, kRules));
  const Value given(members);
  const bool counted = given.Find("count") != nullptr;
  const bool named = given.Find("device_ids") != nullptr;
  if (counted && named) {
    return Invalid("a GPU is chosen by count or by device_ids, not by both; leave one out");
  }
  if (!counted && !named) members.push_back({"count", kAllGpus});
  Value::List capabilities = {"gpu"};
  if (const Value* more = given.Find("capabilities")) {
    capabilities.insert(capabilities.end(), more->AsList()->begin(), more->AsList()->end());
  }
  SortUnique(capabilities);
  members.push_back({"capabilities", std::move(capabilities)});
  return Value(std::move(members));
}

}  // namespace

Result<Value> Gpus(const Value& raw) {
  if (IsAll(raw)) return Gpus(Value::List{Value::Map{}});
  const Value::List* items = raw.AsList();
  if (items == nullptr) return WrongValue(raw, "list of GPUs; write one, or all");
  Value::List list;
  for (const Value& item : *items) {
    LOCKSTEP_TRY(Value gpu, Gpu(item));
    list.push_back(std::move(gpu));
  }
  SortUnique(list);
  return Value(std::move(list));
}

}  // namespace lockstep::fields

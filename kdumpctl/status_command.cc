// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/status_command.h"

#include "kdumpctl/json_output.h"
#include "kdumpctl/status.h"
#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

using Json = nlohmann::ordered_json;

Json AnswerJson(const Answer& answer) {
  return {{"ok", answer.good ? Json(*answer.good) : Json(nullptr)}, {"reason", answer.reason}};
}

Json DestinationJson(const DestinationState& destination) {
  return {{"uri", destination.uri},
          {"reachable", AnswerJson(destination.reachable)},
          {"writable", AnswerJson(destination.writable)},
          {"room", AnswerJson(destination.room)},
          {"free", destination.free_bytes ? Json(*destination.free_bytes) : Json(nullptr)}};
}

Json LastDumpJson(const std::optional<LastDump>& dump) {
  if (!dump) return nullptr;
  return {{"folder", dump->folder},
          {"time", dump->time},
          {"outcome", dump->outcome},
          {"reason", dump->reason}};
}

Json LastTestJson(const std::optional<TestRecord>& test) {
  if (!test) return nullptr;
  return {{"id", test->id},
          {"time", test->started},
          {"outcome", test->outcome},
          {"reason", test->reason},
          {"folder", test->folder}};
}

Json StateJson(const ServiceState& state) {
  Json destinations = Json::array();
  for (const DestinationState& destination : state.destinations)
    destinations.push_back(DestinationJson(destination));
  return {{"ready", state.ready()},
          {"operational", state.crash.loaded},
          {"reserved", AnswerJson(state.reserved)},
          {"reserved_bytes", state.crash.reserved},
          {"loaded", AnswerJson(state.loaded)},
          {"image", AnswerJson(state.image)},
          {"destinations", destinations},
          {"estimated_dump", state.estimate},
          {"last_test", LastTestJson(state.test)},
          {"last_dump", LastDumpJson(state.last_dump)},
          {"warnings", state.warnings}};
}

std::string AnswerText(const Answer& answer, const char* yes, const char* no) {
  std::string text = !answer.good ? "unknown" : *answer.good ? yes : no;
  return answer.reason.empty() ? text : fmt::format("{}: {}", text, answer.reason);
}

std::string Row(const char* name, const std::string& text) {
  return fmt::format("  {:<12} {}\n", name, text);
}

std::string StateText(const ServiceState& state) {
  std::string text = state.crash.loaded ? "Kdump is operational" : "Kdump is not operational";
  if (state.crash.loaded && !state.ready()) text += ", but a crash now might not be saved";
  text += "\n" + Row("reserved", AnswerText(state.reserved, "yes", "no"));
  text += Row("loaded", AnswerText(state.loaded, "yes", "no"));
  text += Row("image", AnswerText(state.image, "fresh", "not fresh"));
  for (const DestinationState& destination : state.destinations) {
    text += Row("destination", destination.uri);
    text += Row("", AnswerText(destination.reachable, "reachable", "not reachable"));
    text += Row("", AnswerText(destination.writable, "writable", "not writable"));
    text += Row("", AnswerText(destination.room, "room enough", "too little room"));
  }
  if (state.test) text += Row("last test", TestText(state.test));
  if (state.last_dump)
    text += Row("last dump", fmt::format("{}, {}: '{}'", state.last_dump->time,
                                         state.last_dump->outcome, state.last_dump->folder));
  for (const std::string& warning : state.warnings) text += Row("warning", warning);
  return text;
}

}  // namespace

int ShowStatus(const Invocation& invocation) {
  ServiceState state = ReadServiceState(invocation.root, invocation.system);
  if (invocation.json) {
    PrintJson(invocation.out, StateJson(state));
  } else {
    Print(invocation.out, StateText(state));
  }
  return state.crash.loaded ? kExitOk : kExitPartial;
}

}  // namespace kdumpkit

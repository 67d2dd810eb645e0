// SPDX-License-Identifier: GPL-2.0-or-later
// Failure is a value: Error, Result<T> and TRY. No function of this project throws.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

namespace kdumpkit {

// What sort of failure it is; programs derive their exit status from it, and nothing else.
enum class ErrorKind {
  kSystem,       // A system call failed; error_number() says how.
  kMalformed,    // Input contradicts its own format.
  kTruncated,    // Input ends before what it announces.
  kUnsupported,  // Valid input that this version cannot handle.
  kUsage,        // The caller asked for something that cannot be.
};

class Error {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}
  Error(ErrorKind kind, int error_number, std::string message)
      : kind_(kind), error_number_(error_number), message_(std::move(message)) {}

  ErrorKind kind() const { return kind_; }
  // An errno value, 0 when no system call was involved.
  int error_number() const { return error_number_; }
  const std::string& message() const { return message_; }

  // Adds context outward: Error("bad magic").In("reading VMCOREINFO").
  Error In(std::string_view context) &&;

 private:
  ErrorKind kind_;
  int error_number_ = 0;
  std::string message_;
};

// A failed system call: "<what>: <strerror(error_number)>".
Error SystemError(int error_number, std::string_view what);

template <typename... Args>
Error Malformed(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorKind::kMalformed, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
Error Truncated(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorKind::kTruncated, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
Error Unsupported(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorKind::kUnsupported, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
Error UsageError(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorKind::kUsage, fmt::format(format, std::forward<Args>(args)...));
}

// Either a T or an Error. An Error converts implicitly, so that `return Malformed(...)` works.
template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : Base(tl::unexpected<Error>(std::move(error))) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Base base) : Base(std::move(base)) {}

  // The same result, its error (if any) with context added.
  Result In(std::string_view context) && {
    if (this->has_value()) return std::move(*this);
    return std::move(this->error()).In(context);
  }
};

using Status = Result<void>;

namespace internal {
template <typename T>
T TakeValue(Result<T>& result) {
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}
}  // namespace internal

// `T value = TRY(Function());` hands on the error of a failed Result to the caller.
#define KDUMPKIT_CONCAT_(a, b) a##b
#define KDUMPKIT_CONCAT(a, b) KDUMPKIT_CONCAT_(a, b)
#define KDUMPKIT_TRY_(name, expr)              \
  __extension__({                              \
    auto name = (expr);                        \
    if (!name) return std::move(name.error()); \
    ::kdumpkit::internal::TakeValue(name);     \
  })
#define TRY(expr) KDUMPKIT_TRY_(KDUMPKIT_CONCAT(try_result_, __COUNTER__), expr)

// A broken promise of our own code: prints the place and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);
#define CHECK(condition) \
  ((condition) ? (void)0 : ::kdumpkit::CheckFailed(__FILE__, __LINE__, #condition))

}  // namespace kdumpkit

// SPDX-License-Identifier: GPL-2.0-or-later
// Runs kdumpctl on a made-up system.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kdumpctl/command.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {

// What a FILE* took down.
class Capture {
 public:
  Capture() : file_(open_memstream(&text_, &size_)) {}
  ~Capture() {
    std::fclose(file_);
    std::free(text_);
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  std::FILE* file() { return file_; }
  std::string text() {
    std::fflush(file_);
    return {text_, size_};
  }

 private:
  char* text_ = nullptr;
  size_t size_ = 0;
  std::FILE* file_;
};

class KdumpctlFixture : public testing::Test {
 protected:
  int Run(const std::vector<std::string>& arguments) {
    Capture out;
    Capture err;
    Result<RootDir> root = RootDir::Open(dir_.path());
    int status = RunKdumpctl(arguments, *root, out.file(), err.file());
    out_ = out.text();
    err_ = err.text();
    return status;
  }
  nlohmann::json RunJson(const std::vector<std::string>& arguments, int status) {
    EXPECT_EQ(Run(arguments), status);
    EXPECT_EQ(err_, "");
    nlohmann::json json = nlohmann::json::parse(out_, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << out_;
    return json;
  }

  TempDir dir_;
  std::string out_;
  std::string err_;
};

}  // namespace kdumpkit

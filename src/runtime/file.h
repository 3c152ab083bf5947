// SPDX-License-Identifier: MIT
// Whole files in and out, with one-line errors that name the file and the reason.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace zynpu::runtime {

// kNotFound if there is no such file, kBadFile for a directory or an empty file, kIo for all else.
Result<std::vector<std::uint8_t>> read_file(const std::string& path);
// Creates or replaces `path`: kIo on failure.
Status write_file(const std::string& path, std::span<const std::uint8_t> bytes);
// The last component without its extension: "a/model.tflite" -> "model".
std::string stem(const std::string& path);

}  // namespace zynpu::runtime

#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include <stdlib.h>
#include <unistd.h>

/// A folder for one run of a target, in memory if there is such a place; gone with the object.
class TempFolder {
 public:
  TempFolder() {
    const bool memory = ::access("/dev/shm", W_OK) == 0;
    const auto root = memory ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string name = (root / "ggen-fuzz-XXXXXX").native();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

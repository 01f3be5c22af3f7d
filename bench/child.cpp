#include "child.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.hpp"

namespace bench {

Child::Child(int core) {
  std::array<int, 2> down{};
  std::array<int, 2> up{};
  if (::pipe2(down.data(), O_CLOEXEC) != 0 || ::pipe2(up.data(), O_CLOEXEC) != 0) std::abort();
  pid_ = ::fork();
  if (pid_ == 0) {
    pin(core);
    ::dup2(down[0], STDIN_FILENO);
    ::dup2(up[1], STDOUT_FILENO);
    ::execl("/proc/self/exe", "ggen-bench", "--serve", nullptr);
    ::_exit(127);
  }
  ::close(down[0]);
  ::close(up[1]);
  to_child_ = down[1];
  FILE* output = ::fdopen(up[0], "r");
  std::array<char, 512> line{};
  if (std::fgets(line.data(), static_cast<int>(line.size()), output) == nullptr) std::abort();
  std::fclose(output);
  std::string text{line.data()};
  text.pop_back();
  address_ = *ggen::p2p::multiformats::Multiaddr::parse(text);
}

Child::~Child() {
  ::close(to_child_);
  int status = 0;
  ::waitpid(pid_, &status, 0);
}

}  // namespace bench

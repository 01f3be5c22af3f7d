#pragma once

#include <string>

#include <rapidcheck.h>

#include <ggen/p2p/registry/version.hpp>

namespace ggen::p2p::registry {

// Small numbers and few identifiers, so that versions often differ in one place only.
inline rc::Gen<Version> any_version() {
  const auto number = rc::gen::inRange(0, 3);
  const auto suffix = rc::gen::element<std::string>(
      "", "", "-0", "-1", "-alpha", "-alpha.1", "-alpha.beta", "-rc.2", "-rc.10", "+x", "-rc.2+y");
  return rc::gen::apply(
      [](int major, int minor, int patch, const std::string& tail) {
        return *Version::parse(std::to_string(major) + '.' + std::to_string(minor) + '.' +
                               std::to_string(patch) + tail);
      },
      number, number, number, suffix);
}

}  // namespace ggen::p2p::registry

#pragma once

namespace ggen::p2p::base {

/// One visitor from several lambdas, for std::visit.
template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

}  // namespace ggen::p2p::base

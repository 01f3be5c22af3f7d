#pragma once

#include <string>

#include <ggen/p2p/host/error.hpp>
#include <ggen/p2p/marketplace/failure.hpp>
#include <ggen/p2p/registry/engine.hpp>
#include <ggen/p2p/storage/failure.hpp>

/// What went wrong below, in the words of the marketplace.
namespace ggen::p2p::marketplace {

[[nodiscard]] Failure failure_of(const storage::Failure& failure);
[[nodiscard]] Failure failure_of(const registry::StoreError& error);
[[nodiscard]] Failure failure_of(const registry::ResolveError& error);
[[nodiscard]] Failure failure_of(const registry::event::PublishDone::Failure& failure,
                                 const std::string& package);
[[nodiscard]] Failure failure_of(registry::FetchError error, const std::string& package);
[[nodiscard]] Failure stopped();

}  // namespace ggen::p2p::marketplace

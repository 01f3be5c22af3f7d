#include <utility>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/registry/merkle.hpp>
#include <ggen/p2p/sim/package.hpp>

namespace ggen::p2p::sim {

Package Package::make(std::string_view name, std::string_view version, std::string description,
                      std::uint64_t size) {
  Package package{{*registry::Name::parse(name), *registry::Version::parse(version)}, {}, {}, {}};
  package.metadata.description = std::move(description);
  package.bytes = base::Buffer::allocate(static_cast<std::size_t>(size));
  base::Prng{size}.child(name).child(version).fill(package.bytes.writable());

  registry::Archive& archive = package.archive;
  archive.packed_size = size;
  archive.tar_size = size;
  archive.chunk_size = registry::Archive::chunk_size_for(size);
  archive.tar_hash = crypto::sha256(package.bytes.view());
  for (std::uint64_t i = 0; i < archive.chunk_count(); ++i) {
    const auto from = static_cast<std::size_t>(i * archive.chunk_size);
    package.hashes.push_back(
        registry::chunk_hash(package.bytes.view().subspan(from, archive.chunk_bytes(i))));
  }
  archive.root = registry::merkle_root(package.hashes);
  return package;
}

}  // namespace ggen::p2p::sim

#include <openssl/evp.h>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/crypto/sha256.hpp>

namespace ggen::p2p::crypto {
namespace {

// Fetching an algorithm takes OpenSSL longer than hashing a short message: it is done once.
const EVP_MD* algorithm() {
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  GGEN_INVARIANT(fetched != nullptr);
  return fetched;
}

class Context {
 public:
  Context() : context_(EVP_MD_CTX_new()) {
    GGEN_INVARIANT(context_ != nullptr);
    start();
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(context_); }

  void update(base::BytesView bytes) {
    GGEN_INVARIANT(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
  }
  Sha256Digest finish() {
    Sha256Digest digest{};
    GGEN_INVARIANT(EVP_DigestFinal_ex(context_, digest.data(), nullptr) == 1);
    start();
    return digest;
  }

 private:
  void start() { GGEN_INVARIANT(EVP_DigestInit_ex2(context_, algorithm(), nullptr) == 1); }

  EVP_MD_CTX* context_;
};

}  // namespace

struct Sha256::State {
  Context context;
};

Sha256Digest sha256(base::BytesView bytes) {
  thread_local Context context;
  context.update(bytes);
  return context.finish();
}

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

Sha256& Sha256::update(base::BytesView bytes) {
  state_->context.update(bytes);
  return *this;
}

Sha256Digest Sha256::finish() {
  return state_->context.finish();
}

}  // namespace ggen::p2p::crypto

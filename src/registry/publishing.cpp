#include "publishing.hpp"

#include <chrono>

namespace ggen::p2p::registry {

using multiformats::PeerId;

namespace {

std::unexpected<event::PublishDone::Failure> refuse(PublishError error, std::string detail = {}) {
  return std::unexpected(event::PublishDone::Failure{error, std::move(detail)});
}

}  // namespace

Publishing::Publishing(Context& context, Ledger& ledger, OwnHead& own_head,
                       std::optional<Signer> signer, Archives archives)
    : context_(context),
      ledger_(ledger),
      own_head_(own_head),
      signer_(std::move(signer)),
      archives_(std::move(archives)) {
  if (signer_) publisher_ = PeerId::of(signer_->key.public_key());
}

void Publishing::submit(OperationId id, EntryBody body, base::Instant now) {
  const auto fail = [&](PublishError error) {
    context_.emit(event::PublishDone{id, refuse(error)});
  };
  if (!signer_) return fail(PublishError::kNoSigner);
  if (ledger_.has_failed()) return fail(PublishError::kNotLoaded);
  if (jobs_.size() >= kMaxWaiting) return fail(PublishError::kBusy);
  jobs_.push({id, std::move(body), now});
  advance(now);
}

void Publishing::advance(base::Instant now) {
  wait_until_.reset();
  while (!jobs_.empty() && !writing_) {
    if (ledger_.has_failed()) {
      finish(refuse(PublishError::kNotLoaded));
      continue;
    }
    const base::Instant since = jobs_.front().since;
    if (!ledger_.is_loaded() || !own_head_.is_ready(since, now)) {
      wait_until_ = own_head_.deadline(since, now);
      return;
    }
    write(now);
  }
}

void Publishing::finish(std::expected<EntryId, Failure> result) {
  const Job job = *jobs_.pop();
  context_.emit(event::PublishDone{job.id, std::move(result)});
}

// What stands in the way.

const Releases* Publishing::releases() const {
  const PublisherLog* log = ledger_.catalog().log(*publisher_);
  return log == nullptr ? nullptr : &log->releases();
}

std::expected<void, Publishing::Failure> Publishing::check(const EntryBody& body) const {
  if (auto log = check_log(); !log) return log;
  return std::visit([this](const auto& one) { return check_body(one); }, body);
}

std::expected<void, Publishing::Failure> Publishing::check_log() const {
  const PublisherLog* log = ledger_.catalog().log(*publisher_);
  if (log == nullptr) return {};
  if (log->is_frozen()) return refuse(PublishError::kFrozen);
  const Keys* keys = log->current_keys();
  if (keys != nullptr && !keys->keys.contains(signer_->key.public_key())) {
    return refuse(PublishError::kForeignKeys);
  }
  const LogLimits& limits = context_.config.catalog.log;
  if (log->size() >= limits.max_entries || log->bytes() + kMaxEntry > limits.max_bytes) {
    return refuse(PublishError::kFull);
  }
  return {};
}

std::expected<void, Publishing::Failure> Publishing::check_body(const Publish& publish) const {
  if (auto valid = validate(publish.metadata); !valid) {
    return refuse(PublishError::kInvalid, valid.error().message());
  }
  if (!publish.archive.is_valid()) return refuse(PublishError::kInvalid, "archive is not valid");
  const Releases* all = releases();
  if (all != nullptr && all->release(publish.metadata.name, publish.metadata.version) != nullptr) {
    return refuse(PublishError::kVersionExists);
  }
  if (!archives_.holds(publish.archive)) return refuse(PublishError::kNoArchive);
  return {};
}

std::expected<void, Publishing::Failure> Publishing::check_body(const Yank& yank) const {
  const Releases* all = releases();
  if (all != nullptr && all->release(yank.name, yank.version) != nullptr) return {};
  return refuse(PublishError::kNoRelease);
}

std::expected<void, Publishing::Failure> Publishing::check_body(const Unyank& unyank) const {
  const Releases* all = releases();
  if (all != nullptr && all->release(unyank.name, unyank.version) != nullptr) return {};
  return refuse(PublishError::kNoRelease);
}

std::expected<void, Publishing::Failure> Publishing::check_body(const Deprecate& deprecate) const {
  const Releases* all = releases();
  const bool known =
      all != nullptr &&
      (deprecate.version ? all->release(deprecate.name, *deprecate.version) != nullptr
                         : all->package(deprecate.name) != nullptr);
  if (known) return {};
  return refuse(PublishError::kNoRelease);
}

std::expected<void, Publishing::Failure> Publishing::check_body(const Keys&) const {
  return {};
}

// Making entries.

std::expected<EntryBody, Publishing::Failure> Publishing::first_keys() const {
  auto keys = KeySet::of({signer_->key.public_key()});
  if (!keys) return refuse(PublishError::kInvalid, std::string(to_string(keys.error())));
  return Keys{std::move(*keys), signer_->next};
}

std::expected<Entry, Publishing::Failure> Publishing::seal(EntryBody body,
                                                           base::Instant now) const {
  const PublisherLog* log = ledger_.catalog().log(*publisher_);
  const auto head = log ? log->head() : std::nullopt;
  Statement statement{.publisher = *publisher_, .body = std::move(body)};
  if (head) {
    statement.seq = head->seq + 1;
    statement.prev = head->id;
  }
  // Entries say whole milliseconds.
  statement.time =
      std::chrono::floor<std::chrono::milliseconds>(context_.wall_at_zero + now.time_since_epoch());
  auto entry = Entry::seal(context_.below.crypto, signer_->key, statement);
  if (!entry) return refuse(PublishError::kInvalid, entry.error().message());
  return std::move(*entry);
}

void Publishing::write(base::Instant now) {
  const EntryBody& body = jobs_.front().body;
  if (auto checked = check(body); !checked) return finish(std::unexpected(checked.error()));
  const PublisherLog* log = ledger_.catalog().log(*publisher_);
  const bool is_first = log == nullptr || !log->head();
  std::expected<EntryBody, Failure> next = is_first ? first_keys() : body;
  if (!next) return finish(std::unexpected(next.error()));
  auto entry = seal(std::move(*next), now);
  if (!entry) return finish(std::unexpected(entry.error()));
  writing_ = true;
  Entry copy = *entry;
  ledger_.commit(
      std::move(*entry), [this, is_first, own = std::move(copy)](
                             std::expected<void, Ledger::CommitError> result, base::Instant then) {
        writing_ = false;
        if (result) {
          written(own, then);
          if (!is_first) finish(own.id);
        } else if (result.error().store) {
          finish(refuse(PublishError::kStorage, result.error().store->detail));
        } else {
          finish(refuse(PublishError::kFrozen, std::string(to_string(result.error().outcome))));
        }
        advance(then);
      });
}

void Publishing::written(const Entry& entry, base::Instant now) {
  own_head_.settle();
  static_cast<void>(context_.below.gossip.publish(kUpdatesTopic, entry.envelope.view(), now));
  if (const auto* publish = std::get_if<Publish>(&entry.statement.body)) {
    archives_.provide(publish->archive, now);
  }
}

}  // namespace ggen::p2p::registry

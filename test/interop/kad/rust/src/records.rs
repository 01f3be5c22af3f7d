//! Which values are genuine and which of two is better: rust-libp2p leaves that to whoever stores them.

use std::borrow::Cow;

use libp2p::PeerId;
use libp2p::identity::PublicKey;
use libp2p::kad::store::{self, MemoryStore, RecordStore};
use libp2p::kad::{ProviderRecord, Record, RecordKey};

use crate::node::Validation;

impl Validation {
    pub fn is_valid(self, key: &[u8], value: &[u8]) -> bool {
        if let Some(multihash) = key.strip_prefix(b"/pk/") {
            return PublicKey::try_decode_protobuf(value)
                .is_ok_and(|public_key| public_key.to_peer_id().to_bytes() == multihash);
        }
        self == Validation::Test && key.starts_with(b"/ggen-interop/") && sequence(value).is_some()
    }

    /// Whether a valid value should take the place of another one.
    pub fn is_better(self, candidate: &[u8], held: &[u8]) -> bool {
        sequence(candidate) > sequence(held)
    }
}

/// The sequence number of a test value, SEQUENCE:TEXT of README.md; none when it is not one.
fn sequence(value: &[u8]) -> Option<u32> {
    let digits = &value[..value.iter().position(|&byte| byte == b':')?];
    let canonical = digits == b"0" || matches!(digits, [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit));
    if !canonical || digits.len() > 9 {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// A store that takes only what is genuine and not outdated; what it refuses, the behaviour resets.
pub struct CheckedStore {
    store: MemoryStore,
    validation: Validation,
}

impl CheckedStore {
    pub fn new(local: PeerId, validation: Validation) -> Self {
        Self { store: MemoryStore::new(local), validation }
    }
}

impl RecordStore for CheckedStore {
    type RecordsIter<'a> = <MemoryStore as RecordStore>::RecordsIter<'a>;
    type ProvidedIter<'a> = <MemoryStore as RecordStore>::ProvidedIter<'a>;

    fn put(&mut self, record: Record) -> store::Result<()> {
        let valid = self.validation.is_valid(record.key.as_ref(), &record.value);
        let outdated =
            self.store.get(&record.key).is_some_and(|held| self.validation.is_better(&held.value, &record.value));
        if !valid || outdated {
            // There is no error for it; no other one means that it is the value's fault.
            return Err(store::Error::ValueTooLarge);
        }
        self.store.put(record)
    }

    fn get(&self, key: &RecordKey) -> Option<Cow<'_, Record>> {
        self.store.get(key)
    }

    fn remove(&mut self, key: &RecordKey) {
        self.store.remove(key);
    }

    fn records(&self) -> Self::RecordsIter<'_> {
        self.store.records()
    }

    fn add_provider(&mut self, record: ProviderRecord) -> store::Result<()> {
        self.store.add_provider(record)
    }

    fn providers(&self, key: &RecordKey) -> Vec<ProviderRecord> {
        self.store.providers(key)
    }

    fn provided(&self) -> Self::ProvidedIter<'_> {
        self.store.provided()
    }

    fn remove_provider(&mut self, key: &RecordKey, provider: &PeerId) {
        self.store.remove_provider(key, provider);
    }
}

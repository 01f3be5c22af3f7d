//! Which values are genuine and which of two is better: rust-libp2p leaves that to whoever stores them.

use libp2p::identity::PublicKey;
use libp2p::kad::Record;
use libp2p::kad::store::{MemoryStore, RecordStore};

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

/// Whether the store should take a record.
pub fn is_welcome(validation: Validation, store: &MemoryStore, record: &Record) -> bool {
    validation.is_valid(record.key.as_ref(), &record.value)
        && store.get(&record.key).is_none_or(|held| !validation.is_better(&held.value, &record.value))
}

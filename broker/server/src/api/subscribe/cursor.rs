//! Cursors: a place in the log as a text that a vendor keeps, and that nobody but the bus can make.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version |
//! | 8 | whose: the beginning of the SHA-256 of the vendor's name |
//! | 8 | the place |
//! | 16 | its witness: where it stands, and its mark; zeros for none |
//! | 32 | HMAC-SHA256 of all of these |
//!
//! as base64url without padding, 87 characters. Page tokens of `FindPatients` are made here too: AES-256-GCM, as they may name
//! somebody whom the vendor may not know of. The key is in the practice's bucket of positions, made once, so that a cursor holds
//! whichever broker of the practice is asked, and for as long as the log does.

use super::witness::{Place, Witness};
use archwire_core::{PatientId, SystemName};
use archwire_nats::{Bucket, BucketError};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac::{self, HMAC_SHA256},
};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Where the key stands. Positions have a dot in their names.
const KEY: &str = "cursor-key";
const KEY_LENGTH: usize = 32;
const VERSION: u8 = 2;
const PAGES: &[u8] = b"archwire pages of FindPatients";
/// Bytes before the seal.
const SAID: usize = 33;

/// Makes and reads cursors.
pub(in crate::api) struct Cursors {
    cursors: hmac::Key,
    pages: Option<LessSafeKey>,
}

/// A text that is no cursor of the vendor who shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum CursorError {
    /// The bus never gave it.
    #[error("the bus never gave this cursor, or it was altered")]
    Invalid,
    /// The bus gave it to another vendor.
    #[error("this cursor was given to another vendor")]
    OfAnother,
}

impl CursorError {
    /// Stable code.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Invalid => "cursor_invalid",
            Self::OfAnother => "cursor_of_another",
        }
    }
}

impl Cursors {
    /// With the practice's key, which is made where there is none yet.
    pub(super) async fn open(positions: &Bucket) -> Result<Self, BucketError> {
        let (kept, number) = positions.get_numbered(KEY).await?;
        if let Some(kept) = kept {
            return Ok(Self::with_key(&kept));
        }
        let made: [u8; KEY_LENGTH] = rand::random();
        match positions.replace(KEY, made.to_vec().into(), number).await {
            Ok(_) => Ok(Self::with_key(&made)),
            // Another broker of the practice made it in this moment.
            Err(BucketError::Changed) => {
                let kept = positions.get(KEY).await?.ok_or(BucketError::Changed)?;
                Ok(Self::with_key(&kept))
            }
            Err(error) => Err(error),
        }
    }

    fn with_key(key: &[u8]) -> Self {
        let key = hmac::Key::new(HMAC_SHA256, key);
        // Another key for another purpose.
        let pages = hmac::sign(&key, PAGES);
        let pages = UnboundKey::new(&AES_256_GCM, pages.as_ref());
        Self {
            // 32 bytes are a key, so that there is one.
            pages: pages.ok().map(LessSafeKey::new),
            cursors: key,
        }
    }

    /// Stands for having taken everything up to `place`.
    pub(super) fn give(&self, vendor: &Owner, place: Place) -> String {
        let (witness, mark) = place
            .witness
            .map_or((0, 0), |Witness { sequence, mark }| (sequence, mark));
        let mut bytes = Vec::with_capacity(SAID + 32);
        bytes.push(VERSION);
        bytes.extend(vendor.0);
        for number in [place.sequence, witness, mark] {
            bytes.extend(number.to_be_bytes());
        }
        let seal = hmac::sign(&self.cursors, &bytes);
        bytes.extend(seal.as_ref());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place that a cursor stands for.
    pub(super) fn read(&self, vendor: &Owner, cursor: &str) -> Result<Place, CursorError> {
        let bytes = BASE64_URL_SAFE_NO_PAD
            .decode(cursor)
            .map_err(|_| CursorError::Invalid)?;
        let (said, seal) = bytes.split_at_checked(SAID).ok_or(CursorError::Invalid)?;
        hmac::verify(&self.cursors, said, seal).map_err(|_| CursorError::Invalid)?;
        let rest = said.strip_prefix(&[VERSION]).ok_or(CursorError::Invalid)?;
        let (owner, place) = rest.split_first_chunk::<8>().ok_or(CursorError::Invalid)?;
        if *owner != vendor.0 {
            return Err(CursorError::OfAnother);
        }
        let mut numbers = place
            .as_chunks::<8>()
            .0
            .iter()
            .map(|bytes| u64::from_be_bytes(*bytes));
        let (Some(sequence), Some(witness), Some(mark)) = (numbers.next(), numbers.next(), numbers.next())
        else {
            return Err(CursorError::Invalid);
        };
        let witness = (witness > 0).then_some(Witness {
            sequence: witness,
            mark,
        });
        Ok(Place { sequence, witness })
    }
}

/// Pages: a patient's id, which may be somebody's who is none of the vendor's business, so that it is not only sealed.
impl Cursors {
    /// Stands for having been told of everybody up to `last`, in answer to this question. None where there is no randomness.
    pub(in crate::api) fn give_page(
        &self,
        vendor: &Owner,
        question: &[u8],
        last: PatientId,
    ) -> Option<String> {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut hidden = last.as_bytes().to_vec();
        let question = Aad::from(page(vendor, question));
        let key = self.pages.as_ref()?;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), question, &mut hidden)
            .ok()?;
        Some(BASE64_URL_SAFE_NO_PAD.encode([nonce.as_slice(), &hidden].concat()))
    }

    /// Up to whom the vendor was told in answer to the same question; none when this is not what it was given.
    pub(in crate::api) fn read_page(
        &self,
        vendor: &Owner,
        question: &[u8],
        token: &str,
    ) -> Option<PatientId> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (nonce, hidden) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let mut hidden = hidden.to_vec();
        let question = Aad::from(page(vendor, question));
        let last = self
            .pages
            .as_ref()?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), question, &mut hidden)
            .ok()?;
        Uuid::from_slice(last).ok()?.to_string().parse().ok()
    }
}

/// The question that a page answers, and whose it is.
fn page(vendor: &Owner, question: &[u8]) -> Vec<u8> {
    [vendor.0.as_slice(), question].concat()
}

/// Whose a cursor is.
#[derive(Clone, Copy)]
pub(in crate::api) struct Owner([u8; 8]);

impl Owner {
    pub(in crate::api) fn of(vendor: &SystemName) -> Self {
        let digest: [u8; 32] = Sha256::digest(vendor.as_str()).into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        Self([a, b, c, d, e, f, g, h])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn owner(name: &str) -> Owner {
        Owner::of(&name.parse().unwrap())
    }

    /// A place with a witness, or without one.
    fn place(sequence: u64, mark: Option<u64>) -> Place {
        let witness = mark.map(|mark| Witness {
            sequence: sequence.max(1),
            mark,
        });
        Place { sequence, witness }
    }

    #[test]
    fn a_cursor_is_short_and_of_its_vendor_alone() {
        let cursors = Cursors::with_key(&[7; 32]);
        let furthest = place(u64::MAX, Some(u64::MAX));
        let cursor = cursors.give(&owner("tracer"), furthest);
        assert_eq!(cursor.len(), 87);
        assert_eq!(cursors.read(&owner("tracer"), &cursor), Ok(furthest));
        let of_another = cursors.read(&owner("scanner"), &cursor);
        assert_eq!(of_another, Err(CursorError::OfAnother));
        let of_another_bus = Cursors::with_key(&[8; 32]).read(&owner("tracer"), &cursor);
        assert_eq!(of_another_bus, Err(CursorError::Invalid));
    }

    proptest! {
        #[test]
        fn a_cursor_that_was_altered_anywhere_is_invalid(
            sequence: u64,
            mark in proptest::option::of(any::<u64>()),
            at in 0_usize..87,
            to in "[A-Za-z0-9_=. -]",
        ) {
            let cursors = Cursors::with_key(&[7; 32]);
            let place = place(sequence, mark);
            let cursor = cursors.give(&owner("tracer"), place);
            prop_assert_eq!(cursors.read(&owner("tracer"), &cursor), Ok(place));
            let mut altered = cursor.clone();
            altered.replace_range(at..=at, &to);
            prop_assume!(altered != cursor);
            // The last character of the text has bits that no byte takes up; setting them is refused too.
            prop_assert_eq!(cursors.read(&owner("tracer"), &altered), Err(CursorError::Invalid));
        }

        #[test]
        fn whatever_text_comes_is_no_cursor(text in ".{0,200}") {
            let cursors = Cursors::with_key(&[7; 32]);
            prop_assert_eq!(cursors.read(&owner("tracer"), &text), Err(CursorError::Invalid));
        }
    }
}

//! One token, as it is made, kept and told.

use crate::vendors::{Issued, TokenDigest};
use archwire_core::SystemName;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

const PREFIX: &str = "awv1";
/// Bytes of an id and of what is secret.
const ID: usize = 5;
const SECRET: usize = 32;

/// What is known of a token. It is none itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Whose it is.
    pub vendor: SystemName,
    /// By what people name it.
    pub id: String,
    /// By what it is known.
    pub digest: TokenDigest,
    /// When it was made.
    pub made: Timestamp,
    /// From when on it lets nobody in.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

/// A token that was just drawn and nobody has yet.
pub struct TokenSecret {
    /// Itself.
    pub text: SecretString,
    /// What is kept of it.
    pub token: Token,
}

/// As it is kept; times as RFC 3339 has them.
#[derive(Serialize, Deserialize)]
struct Kept {
    sha256: String,
    made: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked: Option<String>,
}

impl TokenSecret {
    /// Draws one for a vendor.
    #[must_use]
    pub fn draw(vendor: SystemName, expires: Option<Timestamp>) -> Self {
        let id = hex::encode(rand::random::<[u8; ID]>());
        let secret = URL_SAFE_NO_PAD.encode(rand::random::<[u8; SECRET]>());
        let text = format!("{PREFIX}_{id}_{secret}");
        let token = Token {
            vendor,
            id,
            digest: TokenDigest::of(&text),
            made: this_second(),
            expires,
            revoked: None,
        };
        Self {
            text: text.into(),
            token,
        }
    }
}

impl Token {
    /// Whether it lets somebody in.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }

    /// When it ceased, or will cease, to be good.
    pub(super) fn good_until(&self) -> Option<Timestamp> {
        [self.revoked, self.expires].into_iter().flatten().min()
    }

    /// Where it is kept.
    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.vendor, self.id)
    }

    /// As the book has it.
    pub(super) fn issued(&self) -> Issued {
        Issued {
            vendor: self.vendor.clone(),
            id: self.id.clone(),
            expires: self.expires,
            is_revoked: self.revoked.is_some(),
        }
    }

    pub(super) fn write(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Kept {
            sha256: hex::encode(self.digest.as_bytes()),
            made: self.made.to_string(),
            expires: self.expires.as_ref().map(Timestamp::to_string),
            revoked: self.revoked.as_ref().map(Timestamp::to_string),
        })
    }

    /// Reads what [`Token::write`] wrote; none of what it did not.
    pub(super) fn read(key: &str, bytes: &[u8]) -> Option<Self> {
        let (vendor, id) = key.split_once('/')?;
        let kept: Kept = serde_json::from_slice(bytes).ok()?;
        let digest: [u8; 32] = hex::decode(kept.sha256).ok()?.try_into().ok()?;
        Some(Self {
            vendor: vendor.parse().ok()?,
            id: id.to_owned(),
            digest: TokenDigest::from_bytes(digest),
            made: kept.made.parse().ok()?,
            expires: optional(kept.expires)?,
            revoked: optional(kept.revoked)?,
        })
    }
}

/// A time where one is written; nothing where what is written is none.
fn optional(written: Option<String>) -> Option<Option<Timestamp>> {
    written
        .map(|written| written.parse().ok())
        .map_or(Some(None), |time| time.map(Some))
}

/// Now, as far as people read it.
pub(super) fn this_second() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    #[test]
    fn a_token_is_as_long_as_documented_and_never_the_same() {
        let draw = || TokenSecret::draw("imaging".parse().unwrap(), None);
        let secret = draw();
        let text = secret.text.expose_secret();
        let parts: Vec<_> = text.splitn(3, '_').collect();
        assert_eq!((parts[0], parts[1]), ("awv1", secret.token.id.as_str()));
        assert_eq!((parts[1].len(), parts[2].len(), text.len()), (10, 43, 59));
        assert_eq!(URL_SAFE_NO_PAD.decode(parts[2]).unwrap().len(), 32);
        assert_eq!(secret.token.digest, TokenDigest::of(text));
        assert_ne!(draw().text.expose_secret(), text);
    }

    #[test]
    fn what_is_kept_does_not_hold_the_token_and_is_read_back() {
        let expires = Some(Timestamp::from_second(2_000_000_000).unwrap());
        let TokenSecret { text, token } = TokenSecret::draw("imaging".parse().unwrap(), expires);
        let kept = token.write().unwrap();
        // The secret may have further `_`.
        let secret = text.expose_secret().splitn(3, '_').last().unwrap();
        assert!(!String::from_utf8(kept.clone()).unwrap().contains(secret));
        assert!(!format!("{token:?}").contains(secret));
        assert_eq!(Token::read(&token.key(), &kept), Some(token.clone()));
        let revoked = Token {
            revoked: Some(token.made),
            ..token
        };
        assert_eq!(
            Token::read(&revoked.key(), &revoked.write().unwrap()),
            Some(revoked)
        );
        for (key, bytes) in [("imaging", &kept[..]), ("imaging/1", b"{}"), ("/1", &kept)] {
            assert_eq!(Token::read(key, bytes), None, "{key}");
        }
    }

    #[test]
    fn a_token_is_good_until_it_expires_or_is_revoked() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let token = Token {
            expires: Some(at(100)),
            ..TokenSecret::draw("imaging".parse().unwrap(), None).token
        };
        assert!(token.is_good(at(99)) && !token.is_good(at(100)));
        let revoked = Token {
            revoked: Some(at(50)),
            ..token
        };
        assert!(!revoked.is_good(at(60)));
        assert_eq!(revoked.good_until(), Some(at(50)));
    }
}

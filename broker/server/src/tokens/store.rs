//! The bucket, and the tokens in memory.

use super::{LAST, MOST, Token, TokenSecret, entry::this_second};
use crate::{
    audit::{Audit, TokenAct},
    vendors::{Book, Books},
};
use archwire_core::{NameError, SystemName};
use archwire_nats::{Bucket, BucketError, ByteSize, Log, OpenError};
use jiff::Timestamp;
use secrecy::SecretString;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Mutex as AsyncMutex,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

/// The bucket, and how large it is: a token takes 200 bytes, so that this is room for those of 1,000 vendors.
pub(crate) const BUCKET: &str = "vendors";
pub(crate) const ROOM: ByteSize = ByteSize::mebibytes(16);
/// How often it is seen whether something is to be stored or revoked.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Tokens that cannot be read, made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// The bucket's name is none. A defect of this broker.
    #[error("the bucket of tokens cannot be named")]
    Name(#[from] NameError),
    /// The bucket cannot be relied on.
    #[error("the bucket of tokens cannot be used")]
    Open(#[from] OpenError),
    /// The bucket cannot be read or written.
    #[error("tokens of vendors cannot be read or stored")]
    Bucket(#[from] BucketError),
    /// An entry of the bucket that is none of this version's.
    #[error("the entry {key} of the bucket `vendors` is no token of this version")]
    Unreadable {
        /// The entry.
        key: String,
    },
    /// A token that cannot be written as text.
    #[error("a token cannot be written down")]
    Unwritable(#[from] serde_json::Error),
    /// The vendor has as many as it may have.
    #[error("the vendor has {MOST} tokens that are good already: revoke one")]
    TooMany,
    /// The vendor has no such token.
    #[error("the vendor has no token with this id")]
    Unknown,
}

impl TokensError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name(error) => error.code(),
            Self::Open(error) => error.code(),
            Self::Bucket(_) => "tokens_unavailable",
            Self::Unreadable { .. } | Self::Unwritable(_) => "tokens_unreadable",
            Self::TooMany => "tokens_too_many",
            Self::Unknown => "token_id_unknown",
        }
    }
}

/// The tokens that were made. Cheap to clone.
#[derive(Clone)]
pub struct Tokens(Arc<Inner>);

struct Inner {
    bucket: Bucket,
    books: Books,
    held: Mutex<Held>,
    /// Held while an entry is written, so that what is stored was written last. Nobody waits for it who revokes.
    writing: AsyncMutex<()>,
}

/// What is known, whether it is stored or not.
#[derive(Default)]
struct Held {
    /// By their keys.
    all: BTreeMap<String, Token>,
    /// Which were revoked and are not stored like that yet.
    unstored: BTreeSet<String>,
}

impl Tokens {
    /// Reads all tokens beside a log and puts them into the book.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn open(log: &Log, books: Books) -> Result<Self, TokensError> {
        let name: SystemName = BUCKET.parse()?;
        let bucket = log.bucket_of(&name, ROOM).await?;
        let mut held = Held::default();
        for key in bucket.keys().await? {
            let Some(bytes) = bucket.get(&key).await? else {
                continue;
            };
            let token =
                Token::read(&key, &bytes).ok_or_else(|| TokensError::Unreadable { key: key.clone() })?;
            held.all.insert(key, token);
        }
        put(&books, &held);
        Ok(Self(Arc::new(Inner {
            bucket,
            books,
            held: Mutex::new(held),
            writing: AsyncMutex::default(),
        })))
    }

    /// The vendors as they are now.
    #[must_use]
    pub fn book(&self) -> Arc<Book> {
        self.0.books.now()
    }

    /// The tokens of a vendor, the first made first.
    #[must_use]
    pub fn of(&self, vendor: &SystemName) -> Vec<Token> {
        of(&self.held(), vendor)
    }

    /// Stores a token that was drawn. It lets the vendor in from then on, and is given out this once.
    ///
    /// # Errors
    /// When the vendor has too many, or it is not stored: then it lets nobody in.
    pub async fn keep(&self, drawn: TokenSecret) -> Result<(SecretString, Token), TokensError> {
        let TokenSecret { text, token } = drawn;
        let _writing = self.0.writing.lock().await;
        let now = Timestamp::now();
        let (good, spent): (Vec<_>, Vec<_>) = self
            .of(&token.vendor)
            .into_iter()
            .partition(|token| token.is_good(now));
        if good.len() >= MOST {
            return Err(TokensError::TooMany);
        }
        self.forget(spent).await?;
        self.0.bucket.put(&token.key(), token.write()?.into()).await?;
        let mut held = self.held();
        held.all.insert(token.key(), token.clone());
        put(&self.0.books, &held);
        drop(held);
        Ok((text, token))
    }

    /// Makes a token worthless, at once and without waiting for anything; [`Self::store`] has it stay so after the next start. One that
    /// is worthless already stays as it is.
    ///
    /// # Errors
    /// When the vendor has none with this id.
    pub fn revoke(&self, vendor: &SystemName, id: &str) -> Result<Token, TokensError> {
        let key = format!("{vendor}/{id}");
        let mut held = self.held();
        let token = held.all.get(&key).ok_or(TokensError::Unknown)?;
        let revoked = Token {
            revoked: token.revoked.or_else(|| Some(this_second())),
            ..token.clone()
        };
        held.all.insert(key.clone(), revoked.clone());
        held.unstored.insert(key);
        put(&self.0.books, &held);
        Ok(revoked)
    }

    /// Stores what was revoked. What cannot be is tried again every second by [`Self::watch`].
    ///
    /// # Errors
    /// When it is not stored: the next start would not know of it.
    pub async fn store(&self) -> Result<(), TokensError> {
        let _writing = self.0.writing.lock().await;
        loop {
            let next = {
                let held = self.held();
                let key = held.unstored.first();
                key.and_then(|key| Some((key.clone(), held.all.get(key)?.clone())))
            };
            let Some((key, token)) = next else {
                return Ok(());
            };
            self.0.bucket.put(&key, token.write()?.into()).await?;
            self.held().unstored.remove(&key);
        }
    }

    /// Until `shutdown`: stores what could not be stored, and revokes the tokens of
    /// vendors that left the configuration, so that nobody is let in by them who comes under the same name one day.
    pub async fn watch(self, audit: Audit, shutdown: CancellationToken) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
            for token in self.left_behind(Timestamp::now()) {
                if self.revoke(&token.vendor, &token.id).is_ok() {
                    tracing::warn!(vendor = %token.vendor, token = token.id, "a token is revoked, as its vendor left the configuration");
                    let audited = audit.token_revoked(TokenAct {
                        person: String::new(),
                        user_id: None,
                        vendor: token.vendor,
                        token: token.id,
                        reason: "the vendor left the configuration".to_owned(),
                    });
                    if let Err(error) = audited.await {
                        tracing::error!(code = error.code(), "that a token is revoked is not in the audit");
                    }
                }
            }
            if let Err(error) = self.store().await {
                tracing::warn!(
                    code = error.code(),
                    "a token that is revoked is not stored as that yet; a start now would let it in again"
                );
            }
        }
    }

    /// Good tokens of vendors that are not in the configuration.
    fn left_behind(&self, now: Timestamp) -> Vec<Token> {
        let book = self.book();
        let held = self.held();
        let good = held.all.values().filter(|token| token.is_good(now));
        good.filter(|token| book.vendor(&token.vendor).is_none())
            .cloned()
            .collect()
    }

    /// Forgets all but the last of a vendor's tokens that are not good any more.
    async fn forget(&self, mut spent: Vec<Token>) -> Result<(), TokensError> {
        spent.sort_by_key(Token::good_until);
        for token in spent.iter().take(spent.len().saturating_sub(LAST)) {
            self.0.bucket.delete(&token.key()).await?;
            let mut held = self.held();
            held.all.remove(&token.key());
            held.unstored.remove(&token.key());
        }
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of(held: &Held, vendor: &SystemName) -> Vec<Token> {
    let tokens = held.all.values().filter(|token| token.vendor == *vendor);
    let mut tokens: Vec<_> = tokens.cloned().collect();
    tokens.sort_by(|one, other| (one.made, &one.id).cmp(&(other.made, &other.id)));
    tokens
}

fn put(books: &Books, held: &Held) {
    let issued = held.all.values().map(|token| (token.digest, token.issued()));
    books.put_issued(issued.collect());
}

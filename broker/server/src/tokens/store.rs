//! The bucket, and the tokens in memory.

use super::{LAST, MOST, Token, TokenSecret, entry::this_second};
use crate::vendors::{Book, Books};
use archwire_core::{NameError, SystemName};
use archwire_nats::{Bucket, BucketError, ByteSize, Log, OpenError};
use jiff::Timestamp;
use secrecy::SecretString;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    sync::Mutex,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

/// The bucket, and how large it is: a token takes 200 bytes, so that this is room for those of 1,000 vendors.
pub(crate) const BUCKET: &str = "vendors";
pub(crate) const ROOM: ByteSize = ByteSize::mebibytes(16);
/// How often it is seen whether a token has expired.
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
    /// By their keys. Held while one is written, so that what is in memory was written last.
    all: Mutex<BTreeMap<String, Token>>,
}

impl Tokens {
    /// Reads all tokens beside a log and puts them into the book.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn open(log: &Log, books: Books) -> Result<Self, TokensError> {
        let name: SystemName = BUCKET.parse()?;
        let bucket = log.bucket_of(&name, ROOM).await?;
        let mut all = BTreeMap::new();
        for key in bucket.keys().await? {
            let Some(bytes) = bucket.get(&key).await? else {
                continue;
            };
            let token =
                Token::read(&key, &bytes).ok_or_else(|| TokensError::Unreadable { key: key.clone() })?;
            all.insert(key, token);
        }
        put(&books, &all);
        let all = Mutex::new(all);
        Ok(Self(Arc::new(Inner { bucket, books, all })))
    }

    /// The vendors as they are now.
    #[must_use]
    pub fn book(&self) -> Arc<Book> {
        self.0.books.now()
    }

    /// The tokens of a vendor, the first made first.
    pub async fn of(&self, vendor: &SystemName) -> Vec<Token> {
        let all = self.0.all.lock().await;
        of(&all, vendor)
    }

    /// A token of a vendor by its id.
    ///
    /// # Errors
    /// When there is none.
    pub async fn find(&self, vendor: &SystemName, id: &str) -> Result<Token, TokensError> {
        let all = self.0.all.lock().await;
        let found = all.get(&format!("{vendor}/{id}")).cloned();
        found.ok_or(TokensError::Unknown)
    }

    /// Stores a token that was drawn. It lets the vendor in from then on, and is given out this once.
    ///
    /// # Errors
    /// When the vendor has too many, or it is not stored: then it lets nobody in.
    pub async fn keep(&self, drawn: TokenSecret) -> Result<(SecretString, Token), TokensError> {
        let TokenSecret { text, token } = drawn;
        let mut all = self.0.all.lock().await;
        let now = Timestamp::now();
        let (good, spent): (Vec<_>, Vec<_>) = of(&all, &token.vendor)
            .into_iter()
            .partition(|token| token.is_good(now));
        if good.len() >= MOST {
            return Err(TokensError::TooMany);
        }
        self.forget(&mut all, spent).await?;
        self.0.bucket.put(&token.key(), token.write()?.into()).await?;
        all.insert(token.key(), token.clone());
        put(&self.0.books, &all);
        Ok((text, token))
    }

    /// Makes a token worthless, at once. One that is already stays as it is.
    ///
    /// # Errors
    /// When there is none with this id, or that is not stored: then it still lets the vendor in.
    pub async fn revoke(&self, vendor: &SystemName, id: &str) -> Result<Token, TokensError> {
        let mut all = self.0.all.lock().await;
        let key = format!("{vendor}/{id}");
        let token = all.get(&key).ok_or(TokensError::Unknown)?;
        let revoked = Token {
            revoked: token.revoked.or_else(|| Some(this_second())),
            ..token.clone()
        };
        self.0.bucket.put(&key, revoked.write()?.into()).await?;
        all.insert(key, revoked.clone());
        put(&self.0.books, &all);
        Ok(revoked)
    }

    /// Has everybody look again when a token has expired, until `shutdown`.
    pub async fn watch(self, shutdown: CancellationToken) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = Timestamp::now();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let now = Timestamp::now();
            let all = self.0.all.lock().await;
            let mut ends = all.values().filter_map(|token| token.expires);
            let has_expired = ends.any(|end| seen < end && end <= now);
            drop(all);
            if has_expired {
                self.0.books.turn();
            }
            seen = now;
        }
    }

    /// Forgets all but the last of a vendor's tokens that are not good any more.
    async fn forget(
        &self,
        all: &mut BTreeMap<String, Token>,
        mut spent: Vec<Token>,
    ) -> Result<(), TokensError> {
        spent.sort_by_key(Token::good_until);
        for token in spent.iter().take(spent.len().saturating_sub(LAST)) {
            self.0.bucket.delete(&token.key()).await?;
            all.remove(&token.key());
        }
        Ok(())
    }
}

fn of(all: &BTreeMap<String, Token>, vendor: &SystemName) -> Vec<Token> {
    let tokens = all.values().filter(|token| token.vendor == *vendor);
    let mut tokens: Vec<_> = tokens.cloned().collect();
    tokens.sort_by(|one, other| (one.made, &one.id).cmp(&(other.made, &other.id)));
    tokens
}

fn put(books: &Books, all: &BTreeMap<String, Token>) {
    let issued = all.values().map(|token| (token.digest, token.issued()));
    books.put_issued(issued.collect());
}

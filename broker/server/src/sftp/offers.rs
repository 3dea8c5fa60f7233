//! Which images are handed out now.
//!
//! An offer has a user, a password and a path that nobody can guess (80, 160 and 160 bits), and that say nothing about the image
//! or the patient. It ends when its owner drops it: nobody can log in any more, and whoever is logged in is cut off.

use archwire_core::Digest;
use archwire_host::{HandOut, ImageOffer, ImageOfferError, ImageWay};
use archwire_nats::{ImageStore, ImageStoreError};
use rand::{Rng as _, rngs::ThreadRng};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Most offers at the same time.
const MOST: usize = 64;

/// 32 letters, without those that are read for others: five bits each.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// All offers. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Offers(Arc<Shared>);

struct Shared {
    store: ImageStore,
    address: String,
    open: Mutex<HashMap<String, Arc<Offered>>>,
    count: watch::Sender<usize>,
}

/// One image that is handed out, as connections see it.
pub(super) struct Offered {
    way: ImageWay,
    /// SHA-256 of the password: comparing digests takes the same time whatever was guessed.
    password: [u8; 32],
    pub(super) folder: String,
    pub(super) file: String,
    pub(super) store: ImageStore,
    pub(super) digest: Digest,
    pub(super) size: u64,
    taken: AtomicU64,
    moved: Arc<dyn Fn() + Send + Sync>,
    pub(super) ended: CancellationToken,
}

/// One image that is handed out, as its owner holds it.
struct Held {
    offers: Offers,
    offered: Arc<Offered>,
}

impl Offers {
    /// None yet. `address` is what programs are told as the host.
    #[must_use]
    pub fn new(store: ImageStore, address: String) -> Self {
        Self(Arc::new(Shared {
            store,
            address,
            open: Mutex::default(),
            count: watch::Sender::new(0),
        }))
    }

    /// Hands an image out until what comes back is dropped.
    ///
    /// # Errors
    /// When the image is not stored, or too many are handed out.
    pub async fn hand_out(&self, what: HandOut) -> Result<Box<dyn ImageOffer>, ImageOfferError> {
        let size = self.0.store.contains(&what.digest).await.map_err(failed)?;
        let offered = Arc::new(self.offered(what, size.ok_or(ImageOfferError::Unknown)?));
        let mut open = self.open();
        if open.len() >= MOST {
            return Err(ImageOfferError::TooMany);
        }
        open.insert(offered.way.user.clone(), Arc::clone(&offered));
        self.0.count.send_replace(open.len());
        Ok(Box::new(Held {
            offers: self.clone(),
            offered: Arc::clone(&offered),
        }))
    }

    fn offered(&self, what: HandOut, size: u64) -> Offered {
        let mut random = rand::rng();
        let (user, password) = (letters(&mut random, 16), letters(&mut random, 32));
        let folder = letters(&mut random, 16);
        let file = format!("{}{}", letters(&mut random, 16), what.extension);
        Offered {
            password: digest(&password),
            way: ImageWay {
                host: self.0.address.clone(),
                path: format!("{folder}/{file}"),
                user,
                password: SecretString::from(password),
            },
            folder,
            file,
            store: self.0.store.clone(),
            digest: what.digest,
            size,
            taken: AtomicU64::new(0),
            moved: what.moved,
            ended: CancellationToken::new(),
        }
    }

    /// The offer that somebody may log in to.
    pub(super) fn log_in(&self, user: &str, password: &str) -> Option<Arc<Offered>> {
        let guess = digest(password);
        let open = self.open();
        open.get(user)
            .filter(|offered| offered.password == guess)
            .map(Arc::clone)
    }

    /// Whether nothing is handed out now, so that nobody can log in.
    pub(super) fn is_none(&self) -> bool {
        self.open().is_empty()
    }

    /// Comes back when nothing is handed out.
    pub(super) async fn none_left(&self) {
        // The sender is in `self`, so that it cannot be gone.
        _ = self.0.count.subscribe().wait_for(|count| *count == 0).await;
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Arc<Offered>>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Offered {
    /// Somebody took that many bytes.
    pub(super) fn took(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.taken.fetch_add(bytes, Ordering::Relaxed);
        (self.moved)();
    }
}

impl ImageOffer for Held {
    fn way(&self) -> &ImageWay {
        &self.offered.way
    }

    fn taken(&self) -> u64 {
        self.offered.taken.load(Ordering::Relaxed)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut open = self.offers.open();
        open.remove(&self.offered.way.user);
        self.offers.0.count.send_replace(open.len());
        drop(open);
        self.offered.ended.cancel();
        let (taken, size) = (self.taken(), self.offered.size);
        tracing::info!(taken, size, "an image is not handed out any more");
    }
}

impl fmt::Debug for Offers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Offers({})", self.open().len())
    }
}

fn letters(random: &mut ThreadRng, count: usize) -> String {
    let letter = |_| {
        let index = usize::from(random.random::<u8>() & 31);
        LETTERS.get(index).copied().map_or('0', char::from)
    };
    (0..count).map(letter).collect()
}

fn digest(password: &str) -> [u8; 32] {
    Sha256::digest(password).into()
}

fn failed(error: ImageStoreError) -> ImageOfferError {
    ImageOfferError::Unavailable(Box::new(error))
}

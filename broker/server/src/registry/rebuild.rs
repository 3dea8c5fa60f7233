//! Makes the index anew from the log alone.

use super::{Index, ObserveError, Registry, read_on};
use std::sync::{Arc, atomic::Ordering};

/// What a rebuild found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Patients in the index that was made.
    pub patients: usize,
    /// Links in it.
    pub links: usize,
    /// Open review items in it.
    pub open_items: usize,
    /// SHA-256 over the index that was in use, in hexadecimal.
    pub digest_before: String,
    /// The same over the one that was made.
    pub digest_after: String,
}

impl Registry {
    /// Makes the index anew from the log, compares it with the one in use, and uses it from then on where they differ.
    /// The snapshot is forgotten before and written afterwards. `progress` hears how many records of how many have been
    /// read. Until the end, everything goes on as usual.
    ///
    /// # Errors
    /// When the log cannot be read; the index in use stays.
    pub async fn rebuild(
        self: &Arc<Self>,
        mut progress: impl FnMut(u64, u64) + Send,
    ) -> Result<Rebuilt, ObserveError> {
        self.snapshots.forget().await.map_err(ObserveError::Bucket)?;
        let of = self.log.last_sequence().await.map_err(ObserveError::Read)?;
        let mut made = Index::new(self.config.trust.clone());
        read_on(&self.log, &mut made, |read| {
            if read.is_multiple_of(1000) {
                progress(read, of.max(read));
            }
        })
        .await?;
        let rebuilt = {
            let _quiet = self.appending.write().await;
            read_on(&self.log, &mut made, |_| {}).await?;
            let mut index = self.index();
            let rebuilt = Rebuilt {
                patients: made.patients(),
                links: made.links(),
                open_items: made.open_items(),
                digest_before: index.freeze().digest(),
                digest_after: made.freeze().digest(),
            };
            if rebuilt.digest_before != rebuilt.digest_after {
                index.replace_by(made)?;
            }
            // What the log holds is now known.
            self.uncertain.store(false, Ordering::Relaxed);
            rebuilt
        };
        progress(of, of);
        self.snapshot().await.map_err(ObserveError::Bucket)?;
        Ok(rebuilt)
    }
}

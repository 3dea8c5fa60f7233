//! What one call may do with images.

use super::folder::Folder;
use crate::{
    ImageContent,
    bindings::archwire::connector::images::{ImageError, OfferError},
};
use archwire_core::Digest;
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// Images that a call may have open at the same time.
const OPEN: u32 = 8;
/// Images that a call may hand out at the same time: a delivery has one.
const HANDED_OUT: u32 = 1;
/// Images that a call may store.
const STORED: u32 = 1_000;

/// What kind of call it is, as far as images go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImageCall {
    /// One that has nothing to do with them.
    Other,
    /// A poll, by a connector that does images.
    Poll,
    /// The delivery of the image with these bytes.
    Deliver(Digest),
    /// The reading back of an image.
    Fetch,
}

/// What a system's connector has of images, over all calls.
#[derive(Clone)]
pub(crate) struct SystemImages {
    pub(crate) content: Option<Arc<dyn ImageContent>>,
    pub(crate) folder: Option<Folder>,
    pub(crate) largest: u64,
}

/// What one call may do.
pub(crate) struct CallImages {
    call: ImageCall,
    bytes: SystemImages,
    open: Arc<AtomicU32>,
    handed_out: Arc<AtomicU32>,
    stored: u32,
}

/// A place among the images that are open at the same time; given back when dropped.
pub(crate) struct Opened(Arc<AtomicU32>);

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl SystemImages {
    pub(crate) fn of_call(&self, call: ImageCall) -> CallImages {
        CallImages {
            call,
            bytes: self.clone(),
            open: Arc::default(),
            handed_out: Arc::default(),
            stored: 0,
        }
    }
}

impl CallImages {
    pub(super) fn largest(&self) -> u64 {
        self.bytes.largest
    }

    /// The store and the digest, if it is the image of this delivery.
    pub(super) fn may_open(&self, sha256: &str) -> Result<(Arc<dyn ImageContent>, Digest), ImageError> {
        match self.call {
            ImageCall::Deliver(digest) if sha256.parse() == Ok(digest) => Ok((self.content()?, digest)),
            _ => Err(ImageError::Denied),
        }
    }

    /// The store and the digest, if it is the image of this delivery.
    pub(super) fn may_hand_out(&self, sha256: &str) -> Result<(Arc<dyn ImageContent>, Digest), OfferError> {
        self.may_open(sha256).map_err(|_| OfferError::Denied)
    }

    /// The store, if one more image may be put there.
    pub(super) fn may_create(&mut self) -> Result<Arc<dyn ImageContent>, ImageError> {
        if self.call != ImageCall::Poll {
            return Err(ImageError::Denied);
        }
        let content = self.content()?;
        if self.stored >= STORED {
            return Err(ImageError::TooMany);
        }
        self.stored += 1;
        Ok(content)
    }

    pub(super) fn may_measure(&self) -> Result<(), ImageError> {
        match self.call {
            ImageCall::Other => Err(ImageError::Denied),
            ImageCall::Poll | ImageCall::Deliver(_) | ImageCall::Fetch => Ok(()),
        }
    }

    /// The folder to take files from.
    pub(super) fn may_take(&self) -> Result<Folder, ImageError> {
        match self.call {
            ImageCall::Poll | ImageCall::Fetch => self.bytes.folder.clone().ok_or(ImageError::Denied),
            ImageCall::Deliver(_) | ImageCall::Other => Err(ImageError::Denied),
        }
    }

    /// Whether what is taken from the folder is stored, and not only measured.
    pub(super) fn stores_files(&self) -> bool {
        self.call == ImageCall::Poll
    }

    pub(super) fn place(&self) -> Result<Opened, ImageError> {
        place(&self.open, OPEN).ok_or(ImageError::TooMany)
    }

    pub(super) fn place_to_hand_out(&self) -> Result<Opened, OfferError> {
        place(&self.handed_out, HANDED_OUT).ok_or(OfferError::TooMany)
    }

    fn content(&self) -> Result<Arc<dyn ImageContent>, ImageError> {
        self.bytes.content.clone().ok_or(ImageError::Denied)
    }
}

fn place(taken: &Arc<AtomicU32>, most: u32) -> Option<Opened> {
    let place = Opened(Arc::clone(taken));
    (taken.fetch_add(1, Ordering::Relaxed) < most).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryImages;

    fn images(call: ImageCall) -> CallImages {
        let bytes = SystemImages {
            content: Some(Arc::new(MemoryImages::default())),
            folder: Some(Folder::new("/images".into())),
            largest: 1,
        };
        bytes.of_call(call)
    }

    #[test]
    fn each_call_may_do_what_it_is_for_and_nothing_else() {
        let digest = Digest::of(b"mine");
        for (call, allowed) in [
            (ImageCall::Other, [false; 4]),
            (ImageCall::Poll, [false, true, true, true]),
            (ImageCall::Deliver(digest), [true, false, true, false]),
            (ImageCall::Fetch, [false, false, true, true]),
        ] {
            let mut access = images(call);
            let may = [
                access.may_open(&digest.to_string()).is_ok(),
                access.may_create().is_ok(),
                access.may_measure().is_ok(),
                access.may_take().is_ok(),
            ];
            assert_eq!(may, allowed, "{call:?}");
            let may_hand_out = access.may_hand_out(&digest.to_string()).is_ok();
            assert_eq!(may_hand_out, allowed[0], "{call:?}");
        }
    }

    #[test]
    fn no_other_image_than_that_of_the_delivery_is_opened() {
        let access = images(ImageCall::Deliver(Digest::of(b"mine")));
        for other in [Digest::of(b"other").to_string(), String::new(), "..".to_owned()] {
            assert_eq!(access.may_open(&other).err(), Some(ImageError::Denied));
            assert_eq!(access.may_hand_out(&other).err(), Some(OfferError::Denied));
        }
    }

    #[test]
    fn a_place_is_given_back_and_the_bounds_hold() {
        let mut access = images(ImageCall::Poll);
        let places: Vec<_> = (0..OPEN)
            .map(|_| access.place().unwrap_or_else(|_| panic!()))
            .collect();
        assert_eq!(access.place().err(), Some(ImageError::TooMany));
        drop(places);
        assert!(access.place().is_ok());
        let handed_out = access.place_to_hand_out();
        assert!(handed_out.is_ok());
        assert_eq!(access.place_to_hand_out().err(), Some(OfferError::TooMany));
        drop(handed_out);
        assert!(access.place_to_hand_out().is_ok());
        for _ in 0..STORED {
            assert!(access.may_create().is_ok());
        }
        assert_eq!(access.may_create().err(), Some(ImageError::TooMany));
    }
}

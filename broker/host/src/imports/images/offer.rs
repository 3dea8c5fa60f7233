//! An image of a delivery that is handed out to the system's own program, for as long as the connector holds the offer.
//!
//! One at a time in a call. The offer ends with the resource, and with the call at the latest.

use super::{access::Opened, told_offer};
use crate::{
    HandOut, ImageOffer, bindings::archwire::connector::images::OfferError, imports::Context,
    sandbox::Sandbox,
};
use secrecy::ExposeSecret as _;
use std::sync::Arc;
use wasmtime::component::Resource;

/// An image that is handed out.
#[allow(
    unreachable_pub,
    reason = "the generated bindings export it again, from a private module"
)]
pub struct Offer {
    offered: Box<dyn ImageOffer>,
    _place: Opened,
}

/// How the name of a file may end.
fn is_extension(extension: &str) -> bool {
    let letters = extension.strip_prefix('.').unwrap_or_default();
    (1..=8).contains(&letters.len())
        && letters
            .bytes()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
}

impl Context {
    pub(super) async fn hand_image_out(&self, sha256: &str, extension: &str) -> Result<Offer, OfferError> {
        let (content, digest) = self.images.may_hand_out(sha256)?;
        if !is_extension(extension) {
            return Err(OfferError::InvalidExtension);
        }
        let place = self.images.place_to_hand_out()?;
        let activity = self.activity.clone();
        let what = HandOut {
            digest,
            extension: extension.to_owned(),
            moved: Arc::new(move || activity.moved()),
        };
        match content.hand_out(&self.system, what).await {
            Ok(offered) => Ok(Offer {
                offered,
                _place: place,
            }),
            Err(error) => {
                self.teller().not_handed_out(&error);
                Err(told_offer(&error))
            }
        }
    }
}

impl crate::bindings::archwire::connector::images::HostOffer for Sandbox {
    async fn host(&mut self, offer: Resource<Offer>) -> wasmtime::Result<String> {
        Ok(self.table.get(&offer)?.offered.way().host.clone())
    }

    async fn path(&mut self, offer: Resource<Offer>) -> wasmtime::Result<String> {
        Ok(self.table.get(&offer)?.offered.way().path.clone())
    }

    async fn user(&mut self, offer: Resource<Offer>) -> wasmtime::Result<String> {
        Ok(self.table.get(&offer)?.offered.way().user.clone())
    }

    async fn password(&mut self, offer: Resource<Offer>) -> wasmtime::Result<String> {
        let way = self.table.get(&offer)?.offered.way();
        Ok(way.password.expose_secret().to_owned())
    }

    async fn taken(&mut self, offer: Resource<Offer>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&offer)?.offered.taken())
    }

    async fn drop(&mut self, offer: Resource<Offer>) -> wasmtime::Result<()> {
        self.table.delete(offer)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_is_a_dot_and_a_few_letters() {
        for extension in [".jpg", ".7z", ".stl", ".abcdefgh"] {
            assert!(is_extension(extension), "{extension}");
        }
        for extension in ["", ".", "jpg", ".JPG", "../x", ".a/b", ".abcdefghi", ".tar.gz"] {
            assert!(!is_extension(extension), "{extension}");
        }
    }
}

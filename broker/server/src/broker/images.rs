//! Opens the store of images, as large as the configuration or the server allows.
//!
//! Images come beside the log, with a bound of their own, so that neither can use up the other's share. Where nobody wrote how much images may take, and somebody else's server has not so much room,
//! they get what it has; less than [`LEAST`] is not worth it, and the broker goes on without images and says so.

use crate::{
    audit::Audit,
    config::{Config, Images, NatsServer},
    imaging::{Collector, Content, Intake, Room},
    registry::Registry,
    sftp::{HostKey, Offers, SftpError, SftpServer},
};
use archwire_nats::{ByteSize, ImageStore, ImageStoreConfig, Log, OpenError};
use jiff::tz::TimeZone;
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

/// Less room than this is none.
const LEAST: ByteSize = ByteSize::gibibytes(1);

/// The store of images, open.
pub(super) struct Opened {
    store: ImageStore,
    room: Room,
    largest: ByteSize,
    keep_unused: Duration,
    zone: TimeZone,
    /// Where they are handed out, and what is.
    offers: Option<(SocketAddr, Offers)>,
}

impl Opened {
    /// Opens the store; `None` where the broker keeps no images. `folder` is where the broker's own server keeps them.
    pub(super) async fn open(log: &Log, config: &Config, folder: &Path) -> Result<Option<Self>, OpenError> {
        let Some(images) = config.images else {
            return Ok(None);
        };
        let largest = ByteSize::bytes(images.largest.bytes());
        let Some(store) = store(log, &images, largest).await? else {
            return Ok(None);
        };
        let seen = match config.nats.server {
            NatsServer::Supervised { .. } => Some(folder.to_owned()),
            NatsServer::External { .. } => None,
        };
        let offers = config.image_sftp.as_ref();
        let offers = offers.map(|sftp| (sftp.listen, Offers::new(store.clone(), sftp.address.clone())));
        Ok(Some(Self {
            store,
            offers,
            room: Room::new(seen, images.keep_free),
            largest,
            keep_unused: images.keep_unused,
            zone: config.time_zone.clone(),
        }))
    }

    /// As connectors reach it.
    pub(super) fn content(&self) -> Content {
        let offers = self.offers.as_ref().map(|(_, offers)| offers.clone());
        Content::new(self.store.clone(), self.room.clone(), offers)
    }

    /// Takes the port that they are handed out on, where there is to be one. `folder` has the key.
    pub(super) async fn sftp(&self, folder: &Path) -> Result<Option<SftpServer>, SftpError> {
        match &self.offers {
            Some((listen, offers)) => {
                let key = HostKey::of(folder)?;
                SftpServer::bind(*listen, key, offers.clone()).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// As images come in.
    pub(super) fn intake(&self, registry: &Arc<Registry>) -> Intake {
        let (store, room) = (self.store.clone(), self.room.clone());
        Intake::new(store, Arc::clone(registry), room, self.largest)
    }

    /// What removes the bytes that no image has.
    pub(super) fn collector(&self, registry: &Arc<Registry>, audit: &Audit) -> Collector {
        let (registry, audit) = (Arc::clone(registry), audit.clone());
        Collector::new(
            self.store.clone(),
            registry,
            audit,
            self.keep_unused,
            self.zone.clone(),
        )
    }
}

async fn store(log: &Log, images: &Images, largest: ByteSize) -> Result<Option<ImageStore>, OpenError> {
    let wanted = ByteSize::bytes(images.most().bytes());
    let mut max_bytes = wanted;
    loop {
        let opened = log.images(&ImageStoreConfig { max_bytes, largest }).await;
        match opened {
            Ok(store) => {
                if max_bytes != wanted {
                    let code = "images_less_room";
                    tracing::warn!(code, most = %max_bytes, "the NATS server has less room for images than they could use");
                }
                return Ok(Some(store));
            }
            Err(OpenError::NoRoom { .. }) if images.max_size.is_none() => {
                max_bytes = ByteSize::bytes(max_bytes.get() / 2);
                if max_bytes < LEAST {
                    let code = "images_no_room";
                    tracing::warn!(
                        code,
                        "the NATS server has no room for images, and none are kept: raise its `max_file_store`"
                    );
                    return Ok(None);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

//! Images of a page that cannot be taken as they are: each is one item for a person, and the pass goes on behind the page.

use crate::{
    office::{id, in_time, open_items, system, until_there},
    support::*,
};
use archwire::{
    dispatch::Breaker,
    imaging::{Intake, Room},
    poll::Poller,
};
use archwire_core::{ReviewItem, ReviewKind};
use archwire_nats::{ByteSize, ImageStoreConfig};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Reads the page with the images, and ends.
async fn polled(town: &Town, images: Option<Intake>) -> Vec<ReviewItem> {
    let breaker = Arc::new(Breaker::new(system(ARCHIVE)));
    let poller = Poller {
        connector: hostile().await,
        images,
        ..town.poller(&breaker).await
    };
    let cursors = poller.cursors.clone();
    cursors.put(ARCHIVE, "page-images".into()).await.unwrap();
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(poller.run(shutdown.clone()));
    until_there(Duration::from_secs(60), async || {
        let cursor = cursors.get(ARCHIVE).await.unwrap().unwrap();
        match &cursor[..] == b"done" {
            true => Ok(()),
            false => Err("the page was not left behind".to_owned()),
        }
    })
    .await;
    shutdown.cancel();
    in_time(running).await.unwrap();
    let mut items = Vec::new();
    for number in open_items(&town.office.registry) {
        items.push(town.office.item(number).await);
    }
    items.sort_by_key(|item| item.local_id.clone());
    items
}

async fn intake(town: &Town) -> Intake {
    let registry = Arc::clone(&town.office.registry);
    let config = ImageStoreConfig {
        max_bytes: ByteSize::mebibytes(16),
        largest: ByteSize::mebibytes(1),
    };
    let store = registry.log().images(&config).await.unwrap();
    let room = Room::new(None, "1 MiB".parse().unwrap());
    Intake::new(store, registry, room, config.largest)
}

#[tokio::test]
async fn each_is_one_item_with_its_reason_and_the_page_is_left_behind() {
    let town = Town::closed().await;
    let mut before = Vec::new();
    for (is_kept, reason) in [(false, "images_not_kept"), (true, "image_without_bytes")] {
        let images = match is_kept {
            true => Some(intake(&town).await),
            false => None,
        };
        let items = polled(&town, images).await;
        let [bare, nobodys] = &items[..] else {
            panic!("{} items", items.len());
        };
        for item in &items {
            assert_eq!(
                (item.kind, &item.system),
                (ReviewKind::Unreadable, &Some(system(ARCHIVE)))
            );
        }
        assert_eq!(
            (&bare.local_id, bare.reason.as_deref()),
            (&Some(id("7")), Some(reason))
        );
        assert!(bare.patient.is_some(), "its record came with the page");
        assert_eq!(bare.unreadable_image.as_ref().unwrap().record, Some(id("0")));
        assert_eq!(
            (&nobodys.local_id, nobodys.reason.as_deref()),
            (&Some(id("8")), Some("record_invalid"))
        );
        assert_eq!(nobodys.unreadable_image.as_ref().unwrap().record, None);
        let numbers: Vec<_> = items.iter().map(|item| item.number).collect();
        assert!(
            before.is_empty() || before == numbers,
            "the same again is the same item"
        );
        before = numbers;
    }
}

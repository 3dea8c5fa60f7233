//! Images arrive whole and once, whatever happens to the connection.

use crate::{
    fake::{FakeBus, Gallery, Memory, Mishap},
    support::{client, soon},
};
use archwire_client::{ImageError, NewImage, Receipt, v1};
use sha2::{Digest as _, Sha256};
use std::{
    io::Cursor,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tonic::Code;

/// More than any window, and no multiple of a piece.
const SIZE: usize = 3_000_007;

fn bytes() -> Vec<u8> {
    (0..SIZE).map(|at| (at * 31 % 251) as u8).collect()
}

fn bus(mishaps: impl IntoIterator<Item = Mishap>) -> FakeBus {
    let gallery = Gallery {
        mishaps: mishaps.into_iter().collect(),
        ..Gallery::default()
    };
    FakeBus::start(Memory {
        gallery,
        ..Memory::default()
    })
}

/// A bus that has an image already.
fn bus_with_image(mishaps: impl IntoIterator<Item = Mishap>) -> FakeBus {
    let bus = bus(mishaps);
    let digest = Sha256::digest(bytes()).to_vec();
    let mut memory = bus.memory();
    memory.gallery.bytes.insert(digest.clone(), bytes());
    memory.gallery.told.insert("2.25.1".to_owned(), digest);
    drop(memory);
    bus
}

fn ceph() -> NewImage {
    NewImage {
        local_id: Some("7".into()),
        image: v1::Image {
            view_label: Some("lateral ceph".into()),
            ..Default::default()
        },
        ..NewImage::of_record("17")
    }
}

#[tokio::test]
async fn a_file_arrives_byte_for_byte_with_what_is_said_of_it() {
    let bus = bus([]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ceph.dcm");
    std::fs::write(&file, bytes()).unwrap();
    let told = Arc::new(AtomicU64::new(0));
    let progress = Arc::clone(&told);
    let put = client(&bus)
        .await
        .put_image(ceph())
        .on_progress(move |sent, size| {
            assert_eq!(size, SIZE as u64);
            assert!(progress.swap(sent, Ordering::Relaxed) <= sent);
        });
    let receipt = soon(put.file(&file)).await.unwrap();
    assert!(matches!(receipt.receipt, Receipt::Recorded { revision: 7, .. }));
    assert_eq!(told.load(Ordering::Relaxed), SIZE as u64);
    let memory = bus.memory();
    assert!(memory.gallery.bytes.values().eq([&bytes()]));
    let open = &memory.gallery.opened[0];
    assert_eq!((open.size, open.offset), (SIZE as u64, 0));
    assert_eq!(
        open.image.as_ref().unwrap().view_label.as_deref(),
        Some("lateral ceph")
    );
    assert!(open.observed_at.is_some());
}

#[tokio::test]
async fn an_upload_that_breaks_twice_goes_on_where_it_was() {
    let bus = bus([Mishap::BreakAfter(1_000_000), Mishap::BreakAfter(1_000_000)]);
    let put = client(&bus).await.put_image(ceph());
    let receipt = soon(put.reader(&mut Cursor::new(bytes()))).await.unwrap();
    assert!(matches!(receipt.receipt, Receipt::Recorded { .. }));
    let memory = bus.memory();
    let gallery = &memory.gallery;
    assert_eq!(gallery.received, SIZE, "nothing came twice");
    assert!(gallery.bytes.values().eq([&bytes()]));
    assert_eq!(gallery.opened.len(), 3);
    assert!(
        gallery
            .opened
            .windows(2)
            .all(|pair| pair[0].offset < pair[1].offset)
    );
}

#[tokio::test]
async fn an_upload_outlives_the_bus() {
    let bus = bus([Mishap::BreakAfter(1_000_000)]);
    let client = client(&bus).await;
    let put = tokio::spawn(async move { client.put_image(ceph()).reader(&mut Cursor::new(bytes())).await });
    crate::support::until("it has begun", || bus.memory().gallery.received > 0).await;
    let bus = bus.restart(|_| {}).await;
    let receipt = soon(put).await.unwrap().unwrap();
    assert!(matches!(receipt.receipt, Receipt::Recorded { .. }));
    assert!(bus.memory().gallery.bytes.values().eq([&bytes()]));
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_again_and_no_byte_is_sent_again() {
    let bus = bus([Mishap::LoseAnswer]);
    let put = client(&bus).await.put_image(ceph());
    let receipt = soon(put.reader(&mut Cursor::new(bytes()))).await.unwrap();
    assert!(matches!(receipt.receipt, Receipt::Unchanged { revision: 7, .. }));
    assert_eq!(bus.memory().gallery.received, SIZE);
}

#[tokio::test]
async fn what_the_bus_refuses_for_good_is_not_sent_again() {
    for (code, own) in [
        (Code::NotFound, "record_unknown"),
        (Code::ResourceExhausted, "images_full"),
        (Code::ResourceExhausted, "image_too_large"),
        (Code::Aborted, "image_upload_replaced"),
        (Code::InvalidArgument, "image_digest_differs"),
    ] {
        let bus = bus([Mishap::Refuse(code, own)]);
        let put = client(&bus).await.put_image(ceph());
        let error = soon(put.reader(&mut Cursor::new(bytes()))).await.err().unwrap();
        assert_eq!((error.code(), error.is_retryable()), (own, false));
        assert_eq!(bus.memory().gallery.opened.len(), 1);
    }
}

#[tokio::test]
async fn uploads_that_are_full_are_waited_for_until_nothing_moves_for_too_long() {
    let full = || Mishap::Refuse(Code::ResourceExhausted, "image_uploads_full");
    let waited = bus([full(), full()]);
    let put = client(&waited).await.put_image(ceph());
    assert!(soon(put.reader(&mut Cursor::new(bytes()))).await.is_ok());
    let in_vain = bus((0..1000).map(|_| full()));
    let put = client(&in_vain)
        .await
        .put_image(ceph())
        .patience(Duration::from_millis(300));
    let error = soon(put.reader(&mut Cursor::new(bytes()))).await.err().unwrap();
    assert!(matches!(error, ImageError::GaveUp { .. }), "{error}");
}

#[tokio::test]
async fn an_upload_of_which_less_is_there_than_the_bus_said_asks_again() {
    let bus = bus([Mishap::Refuse(Code::OutOfRange, "image_offset_ahead")]);
    let put = client(&bus).await.put_image(ceph());
    assert!(soon(put.reader(&mut Cursor::new(bytes()))).await.is_ok());
    assert_eq!(bus.memory().gallery.opened.len(), 2);
}

#[tokio::test]
async fn an_image_is_got_whole_over_broken_connections_and_its_digest_is_checked() {
    let bus = bus_with_image([Mishap::BreakAfter(500_000), Mishap::BreakAfter(500_000)]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ceph.dcm");
    let get = client(&bus).await.get_image("2.25.1");
    let found = soon(get.file(&file)).await.unwrap();
    assert_eq!((found.patient_id.as_str(), found.written), ("p", SIZE as u64));
    assert_eq!(std::fs::read(&file).unwrap(), bytes());
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no part is left"
    );
    let offsets: Vec<_> = bus
        .memory()
        .gallery
        .asked
        .iter()
        .map(|(offset, _)| *offset)
        .collect();
    assert_eq!(offsets, [0, 500_000, 1_000_000]);
}

#[tokio::test]
async fn a_part_of_an_image_is_got_by_its_range() {
    let bus = bus_with_image([Mishap::BreakAfter(100_000)]);
    let mut part = Vec::new();
    let get = client(&bus).await.get_image("2.25.1").range(1_000, Some(250_000));
    soon(get.writer(&mut part)).await.unwrap();
    assert_eq!(part, &bytes()[1_000..251_000]);
    assert_eq!(bus.memory().gallery.asked, [(1_000, 250_000), (101_000, 150_000)]);
    let mut end = Vec::new();
    let get = client(&bus)
        .await
        .get_image("2.25.1")
        .range(SIZE as u64 - 7, Some(100));
    assert_eq!(soon(get.writer(&mut end)).await.unwrap().written, 7);
    let mut none = Vec::new();
    let get = client(&bus).await.get_image("2.25.1").range(5, Some(0));
    let found = soon(get.writer(&mut none)).await.unwrap();
    assert_eq!((found.written, found.image.size, none.len()), (0, SIZE as u64, 0));
    assert_eq!(
        bus.memory().gallery.asked.last(),
        Some(&(5, 1)),
        "0 would ask for all of it"
    );
}

#[tokio::test]
async fn a_file_that_somebody_put_beside_the_image_is_left_alone() {
    let bus = bus_with_image([]);
    let folder = tempfile::tempdir().unwrap();
    let (file, theirs) = (
        folder.path().join("ceph.dcm"),
        folder.path().join("ceph.dcm.part"),
    );
    std::fs::write(&theirs, "theirs").unwrap();
    let get = client(&bus).await.get_image("2.25.1");
    soon(get.file(&file)).await.unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), bytes());
    assert_eq!(std::fs::read(&theirs).unwrap(), b"theirs");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[tokio::test]
async fn bytes_that_are_not_the_images_leave_no_file() {
    let bus = bus_with_image([Mishap::Alter]);
    let folder = tempfile::tempdir().unwrap();
    let get = client(&bus).await.get_image("2.25.1");
    let error = soon(get.file(folder.path().join("ceph.dcm")))
        .await
        .err()
        .unwrap();
    assert_eq!(error.code(), "image_damaged");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let unknown = client(&bus).await.get_image("2.25.2");
    let error = soon(unknown.file(folder.path().join("ceph.dcm")))
        .await
        .err()
        .unwrap();
    assert_eq!((error.code(), error.is_retryable()), ("image_unknown", false));
}

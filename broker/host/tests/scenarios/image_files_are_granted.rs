//! Files of a folder that the administrator granted, and of no other.

use crate::support::{Gallery, poll};
use archwire_core::Digest;
use archwire_host::MemoryImages;
use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    time::{Duration, SystemTime},
};

/// A file that looks as if it had been written a while ago.
fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    let file = fs::File::options().append(true).open(path).unwrap();
    let then = SystemTime::now() - Duration::from_secs(60);
    file.set_modified(then).unwrap();
}

#[tokio::test]
async fn a_file_of_the_folder_is_stored_when_polled_and_only_measured_when_fetched() {
    let office = tempfile::tempdir().unwrap();
    let folder = office.path().join("images");
    fs::create_dir_all(folder.join("Smith, Ann")).unwrap();
    write(&folder.join("Smith, Ann/1.jpg"), &[7; 300_000]);
    let digest = Digest::of(&vec![7; 300_000]);
    let (gallery, images) = (Gallery::open().await, MemoryImages::default());
    let connector = gallery
        .connector_with(&images, |config| config.images_folder = Some(folder.clone()))
        .await;
    let local_id = "file Smith, Ann/1.jpg".parse().unwrap();
    let shown = connector.fetch_image(&local_id, None).await.unwrap().unwrap();
    assert_eq!(shown.digest, Some(digest));
    assert!(images.is_empty());
    assert_eq!(
        poll(&connector, "file Smith, Ann/1.jpg").await,
        digest.to_string()
    );
    assert_eq!(images.get(&digest).unwrap().len(), 300_000);
    fs::write(folder.join("being-written"), "begun").unwrap();
    let said = poll(&connector, "file being-written").await;
    assert_eq!((said.as_str(), images.len()), ("image-store-unavailable", 1));
}

#[tokio::test]
async fn no_path_leads_out_of_the_folder_and_without_a_folder_there_is_none() {
    let office = tempfile::tempdir().unwrap();
    let folder = office.path().join("images");
    fs::create_dir(&folder).unwrap();
    fs::write(office.path().join("secret"), "secret").unwrap();
    write(&folder.join("empty"), b"");
    write(&folder.join("large"), &[7; 1_001]);
    symlink("../secret", folder.join("link")).unwrap();
    let (gallery, images) = (Gallery::open().await, MemoryImages::default());
    let connector = gallery
        .connector_with(&images, |config| {
            config.images_folder = Some(folder.clone());
            config.limits.image_bytes = 1_000;
        })
        .await;
    for path in [
        "../secret",
        "link",
        "/etc/passwd",
        "/proc/self/environ",
        ".",
        "x/../../secret",
    ] {
        assert_eq!(
            poll(&connector, &format!("file {path}")).await,
            "image-denied",
            "{path}"
        );
    }
    assert_eq!(poll(&connector, "file missing").await, "image-not-found");
    assert_eq!(poll(&connector, "file empty").await, "image-empty");
    assert_eq!(poll(&connector, "file large").await, "image-too-large");
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(poll(&connector, "file missing").await, "image-store-unavailable");
    let without = gallery.connector(&images).await;
    assert_eq!(poll(&without, "file secret").await, "image-denied");
    assert!(images.is_empty());
}

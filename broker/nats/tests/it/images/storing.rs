//! What is stored is there, once, and comes back as it went in.

use super::*;

#[tokio::test]
async fn images_of_any_size_come_back_as_they_went_in() {
    let office = Office::open().await;
    let store = images(&office.log).await;
    let sizes = [1, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK, 9 * CHUNK + 17];
    for (seed, size) in sizes.into_iter().enumerate() {
        let bytes = content(seed as u64, size);
        let digest = Digest::of(&bytes);
        assert_eq!(store.contains(&digest).await.unwrap(), None);
        let key = match seed % 2 {
            0 => promise("imaging", &bytes),
            _ => no_promise("imaging"),
        };
        let stored = upload(&store, key, &bytes).await.unwrap();
        let size = size as u64;
        let expected = StoredImage {
            digest,
            size,
            is_new: true,
        };
        assert_eq!(stored, expected);
        assert_eq!(store.contains(&digest).await.unwrap(), Some(size));
        assert!(whole(&store, &bytes).await.unwrap() == bytes, "{size}");
    }
    assert_eq!(store.usage().await.unwrap().images, sizes.len() as u64);
}

#[tokio::test]
async fn bytes_that_are_there_are_not_sent_again() {
    let office = Office::open().await;
    let store = images(&office.log).await;
    let bytes = content(1, 3 * CHUNK);
    upload(&store, promise("imaging", &bytes), &bytes).await.unwrap();
    let used = store.usage().await.unwrap().bytes;
    assert_eq!(
        store.offset(&promise("archive", &bytes)).await.unwrap(),
        bytes.len() as u64
    );
    let again = store.upload(promise("archive", &bytes)).await.unwrap();
    assert_eq!(again.offset(), bytes.len() as u64);
    assert!(!again.finish().await.unwrap().is_new);
    let anonymous = upload(&store, no_promise("archive"), &bytes).await.unwrap();
    assert!(!anonymous.is_new);
    // The times that are noted may be a few digits longer or shorter.
    let now = store.usage().await.unwrap().bytes;
    let differ = now.get().abs_diff(used.get());
    assert!(differ < 64, "there is one copy: {used:?}, then {now:?}");
    assert!(whole(&store, &bytes).await.unwrap() == bytes);
}

#[tokio::test]
async fn images_survive_what_the_log_survives() {
    let office = Office::open().await;
    let store = images(&office.log).await;
    let bytes = content(1, 3 * CHUNK + 5);
    upload(&store, promise("imaging", &bytes), &bytes).await.unwrap();
    office.kill_server().await;
    assert!(whole(&store, &bytes).await.unwrap() == bytes);
    drop(store);
    let office = office.start_again().await;
    assert!(whole(&images(&office.log).await, &bytes).await.unwrap() == bytes);
}

#[tokio::test]
async fn nothing_of_an_image_can_be_read_off_the_disk() {
    let office = Office::open().await;
    let store = images(&office.log).await;
    let marked = b"DICM and a name that must not lie about".repeat(2000);
    upload(&store, no_promise("imaging"), &marked.clone().into())
        .await
        .unwrap();
    let found = std::process::Command::new("grep")
        .args(["-r", "-l", "a name that must not lie about"])
        .arg(office.folder.path())
        .output()
        .unwrap();
    assert_eq!(
        found.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&found.stdout)
    );
}

#[tokio::test]
async fn two_practices_on_one_server_do_not_see_each_others_images() {
    let office = Office::open().await;
    let other = Log::open(&office.connection, &"elm-street".parse().unwrap(), &log_config())
        .await
        .unwrap();
    let (ours, theirs) = (images(&office.log).await, images(&other).await);
    let bytes = content(1, 1000);
    upload(&ours, no_promise("imaging"), &bytes).await.unwrap();
    assert_eq!(code(whole(&theirs, &bytes).await), "image_unknown");
    assert_eq!(theirs.usage().await.unwrap().images, 0);
}

//! A disk that fills in the middle of an upload: loud, nothing half stored, and the upload goes on when there is room.
//!
//! The disk is a small file system in memory under the server's folder. Where none can be mounted, the test says so and shows
//! nothing.

use super::*;
use archwire_nats::{LogConfig, Supervisor};
use std::{
    fs::File,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;

/// A file system of its own over a folder, of 64 MiB.
struct Disk {
    folder: TempDir,
}

impl Disk {
    /// `None` where nothing may be mounted.
    fn mount() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs"])
            .arg(folder.path())
            .output();
        match mounted.is_ok_and(|output| output.status.success()) {
            true => Some(Self { folder }),
            false => {
                println!("not shown here: no file system can be mounted");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    /// Nothing more fits.
    fn fill(&self) {
        let mut filler = File::create(self.filler()).unwrap();
        let piece = vec![1; 64 * 1024];
        let mut size = piece.len();
        while size > 0 {
            match filler.write_all(&piece[..size]) {
                Ok(()) => {}
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::StorageFull);
                    size /= 4;
                }
            }
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: the server may still be ending.
        _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[tokio::test]
async fn a_disk_that_fills_in_the_middle_is_told_loudly_and_the_upload_goes_on_when_there_is_room() {
    let Some(disk) = Disk::mount() else { return };
    let supervisor = Supervisor::start(config(disk.path())).await.unwrap();
    let connection = supervisor.connect().await.unwrap();
    // A server that could not write leaves what follows without an answer.
    let config = LogConfig {
        append_timeout: Duration::from_secs(5),
        ..log_config()
    };
    let log = Log::open(&connection, &practice(), &config).await.unwrap();
    let store = images(&log).await;
    let kept = content(1, CHUNK + 1);
    upload(&store, promise("imaging", &kept), &kept).await.unwrap();
    let bytes = content(2, 24 * CHUNK);
    let key = promise("imaging", &bytes);
    let mut begun = store.upload(key.clone()).await.unwrap();
    begun.write(bytes.slice(..4 * CHUNK + 1)).await.unwrap();
    until_done(async || match store.usage().await {
        Ok(usage) if usage.bytes >= ByteSize::bytes(5 * CHUNK as u64) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    disk.fill();
    let outcome = async {
        begun.write(bytes.slice(4 * CHUNK + 1..)).await?;
        begun.finish().await
    };
    let error = outcome.await.unwrap_err();
    let is_loud = ["images_full", "images_unavailable"].contains(&error.code());
    assert!(is_loud, "{}: {}", error.code(), told(&error));
    let other = content(3, 2 * CHUNK);
    let refused = upload(&store, no_promise("ceph"), &other).await.unwrap_err();
    assert!(["images_full", "images_unavailable"].contains(&refused.code()));
    disk.make_room();
    // The supervision starts a server again that found the disk full, as soon as there is room.
    let mut first = None;
    let stored = until_done(async || {
        let offset = store.offset(&key).await.map_err(|error| told(&error))?;
        first.get_or_insert(offset);
        upload(&store, key.clone(), &bytes)
            .await
            .map_err(|error| told(&error))
    })
    .await;
    assert!(stored.is_new, "nothing was taken for whole before");
    assert!(whole(&store, &bytes).await.unwrap() == bytes);
    assert!(
        whole(&store, &kept).await.unwrap() == kept,
        "what was there is there"
    );
    assert_eq!(code(whole(&store, &other).await), "image_unknown");
    assert_eq!(store.usage().await.unwrap().images, 2);
    assert!(
        first.unwrap() >= 4 * CHUNK as u64,
        "what was stored need not be sent again"
    );
    drop((store, log));
    connection.close().await;
    supervisor.stop().await.unwrap();
}

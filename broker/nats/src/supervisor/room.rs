//! A server that found the disk full is started again once there is room.
//!
//! A nats-server (2.15.1) that could not write once refuses every later write to that stream, whatever room there is by then,
//! until it is started again. Nothing that it acknowledged is lost by that. What it says in its log tells that it came to
//! that; whether there is room again, its folder's file system is asked every 2 s. Bounds: not before there are 8 MiB,
//! four of the server's blocks; and when the disk is full again within 10 minutes, after 10 s, doubling to 5 minutes.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// How often it is looked whether there is room.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);
/// Less than that is no room, in bytes.
const ENOUGH: u64 = 8 * 1024 * 1024;
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Who has had room for so long begins with the first pause again.
const LONG_AGO: Duration = Duration::from_secs(600);

/// Whether a line of the server's log says that the disk is full.
pub(super) fn is_full(line: &str) -> bool {
    line.contains("no space left on device")
}

/// When a server was started again because there was room.
#[derive(Debug)]
pub(super) struct Room {
    folder: PathBuf,
    last: Option<Instant>,
    pause: Duration,
}

impl Room {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            last: None,
            pause: FIRST_PAUSE,
        }
    }

    /// Waits until a server that found the disk full should be started again: for ever, unless `full` says that it did. May
    /// be dropped and called again.
    pub(super) async fn is_back(&self, mut full: watch::Receiver<bool>) {
        if full.wait_for(|full| *full).await.is_err() {
            // Its log has ended, and so has the server.
            return std::future::pending().await;
        }
        loop {
            match free(&self.folder) {
                Ok(free) if self.may_start(free, Instant::now()) => return,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "how full the disk is cannot be told"),
            }
            sleep(BETWEEN_LOOKS).await;
        }
    }

    fn may_start(&self, free: u64, now: Instant) -> bool {
        let paused = self
            .last
            .is_none_or(|last| now.saturating_duration_since(last) >= self.pause);
        free >= ENOUGH && paused
    }

    /// The server is started again now.
    pub(super) fn started(&mut self, now: Instant) {
        let is_again = self
            .last
            .is_some_and(|last| now.saturating_duration_since(last) < LONG_AGO);
        self.pause = match is_again {
            true => self.pause.saturating_mul(2).min(LONGEST_PAUSE),
            false => FIRST_PAUSE,
        };
        self.last = Some(now);
    }
}

/// Bytes that may still be written there.
fn free(folder: &Path) -> io::Result<u64> {
    let system = rustix::fs::statvfs(folder)?;
    Ok(system.f_bavail.saturating_mul(system.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_started_again_when_there_is_room_and_ever_more_rarely() {
        let mut room = Room::in_folder(Path::new("/"));
        let mut now = Instant::now();
        assert!(!room.may_start(ENOUGH - 1, now), "there is no room");
        assert!(
            room.may_start(ENOUGH, now),
            "nothing is waited for the first time"
        );
        for pause in [10, 20, 40, 80, 160, 300, 300] {
            room.started(now);
            now += Duration::from_secs(pause) - Duration::from_millis(1);
            assert!(!room.may_start(u64::MAX, now), "{pause}");
            now += Duration::from_millis(1);
            assert!(room.may_start(u64::MAX, now), "{pause}");
        }
        now += LONG_AGO;
        room.started(now);
        assert!(room.may_start(ENOUGH, now + FIRST_PAUSE), "that is long ago");
    }

    #[test]
    fn the_servers_words_for_a_full_disk_are_known() {
        let line = "[7] 2026/03/02 02:30:11.123456 [ERR] JetStream failed to store a msg on stream 'A > B': write \
                    /data/nats/store/1.blk: no space left on device";
        assert!(is_full(line));
        assert!(!is_full("[7] 2026/03/02 02:30:11.123456 [WRN] slow consumer"));
    }

    #[test]
    fn a_folder_says_how_much_room_there_is() {
        assert!(free(Path::new("/proc/self")).is_ok());
        assert!(free(Path::new("/there/is/no/such/folder")).is_err());
    }
}

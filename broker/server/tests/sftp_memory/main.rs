//! How much memory a large image takes on its way out by SFTP, which is the same for any size:
//!
//! ```text
//! IMAGE_MIB=1024 cargo test -p archwire --test sftp_memory -- --nocapture
//! ```
//!
//! In a process of its own, because others need memory too.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail loudly: that is what they are for"
)]

#[path = "../sftp/counter.rs"]
#[allow(dead_code, reason = "the other tests of SFTP use more of it")]
mod counter;
#[path = "../sftp/openssh.rs"]
#[allow(dead_code, reason = "the other tests of SFTP use more of it")]
mod openssh;
/// The offices of the registry's own tests.
#[path = "../registry"]
#[allow(dead_code, unused_imports, reason = "the registry's own tests use more of it")]
mod registry {
    pub(crate) mod support;
}
use registry::support as office;

use counter::Counter;
use openssh::{OpenSsh, said};
use std::{
    fs,
    time::{Duration, Instant},
};

/// What it may take more than before.
const MOST: u64 = 64 * 1024;

/// KiB that this process has in memory: the broker's part of it, because programs and NATS run beside it.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_does_not_grow_with_the_image() {
    let mebibytes = std::env::var("IMAGE_MIB").map_or(96, |text| text.parse().unwrap());
    let counter = Counter::open(mebibytes).await;
    let (offer, told) = counter.hand_out().await;
    let openssh = OpenSsh::new();
    let (before, began) = (resident(), Instant::now());
    let command = format!("get {} /dev/null\n", told.path);
    let fetching = openssh.sftp(&told, &command);
    tokio::pin!(fetching);
    let mut most = before;
    let fetched = loop {
        tokio::select! {
            fetched = &mut fetching => break fetched,
            () = tokio::time::sleep(Duration::from_millis(20)) => most = most.max(resident()),
        }
    };
    assert!(fetched.status.success(), "{}", said(&fetched));
    let size = counter.size().await;
    assert_eq!(offer.taken(), size);
    println!(
        "figure: {mebibytes} MiB by SFTP in {:.1} s, the broker grew by {} KiB",
        began.elapsed().as_secs_f64(),
        most - before
    );
    assert!(most - before < MOST, "{before} KiB before, {most} KiB at most");
}

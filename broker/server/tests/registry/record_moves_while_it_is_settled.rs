//! A record may come to another patient between the writing and the reading back: it stays where it came to.

use crate::support::*;
use archwire::registry::Settlement;
use archwire_core::{Fields, Revision, Verdict};
use futures_util::FutureExt as _;
use std::time::Instant;

const ROUNDS: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merge_while_a_delivery_settles_leaves_the_record_with_the_survivor() {
    let mut office = Office::open().await;
    let archive = system("archive");
    let mut moved = Vec::new();
    for round in 0..ROUNDS {
        let (one, other) = (stranger(2 * round), stranger(2 * round + 1));
        let desk = |number: usize| format!("{round}-{number}");
        let survivor = whom(office.see(says("front-desk", &desk(1), one)).await);
        let retired = whom(office.see(says("front-desk", &desk(2), other.clone())).await);
        let local_id = format!("r-{round}");
        office
            .see(binds("archive", &local_id, other.clone(), retired))
            .await;
        let settlement = Settlement {
            patient: retired,
            delivered: Revision::new(1),
            // All that it shows was written.
            paths: Fields::of(&other).unwrap().paths().cloned().collect(),
            shown: view(&local_id, other),
            begun: Instant::now(),
            told: None,
            created: None,
        };
        let merging = tokio::spawn({
            let registry = office.registry.clone();
            async move {
                let merge = registry.merge(survivor, retired, decision(Verdict::Merge), false, false);
                merge.await.map(drop)
            }
        });
        // The merge has begun when somebody holds the patient.
        let begun = || office.registry.caught_up(retired).now_or_never().is_none();
        while !begun() && !merging.is_finished() {
            tokio::task::yield_now().await;
        }
        let settled = office.registry.settle(&archive, settlement);
        let (merged, settled) = in_time(async { tokio::join!(merging, settled) }).await;
        merged.unwrap().unwrap();
        assert!(settled.is_ok());
        moved.push((survivor, id(&local_id)));
    }
    for _ in 0..2 {
        for (survivor, local_id) in &moved {
            let index = office.registry.index();
            assert_eq!(index.linked(&archive, local_id), Some(*survivor));
            let record = index.record(&archive, *survivor).unwrap();
            assert_eq!(record.local_id, *local_id);
        }
        office.restart().await;
    }
}

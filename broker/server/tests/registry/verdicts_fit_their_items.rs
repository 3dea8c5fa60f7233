//! Each kind of item is decided by its own verdicts; others change nothing and are answered with those that fit.

use crate::support::*;
use archwire_core::{ReviewKind, Verdict};

const PAIR: [Verdict; 2] = [Verdict::Link, Verdict::NotSame];
const VALUE: [Verdict; 2] = [Verdict::Accept, Verdict::Reject];

/// An office in which one item of each kind is open.
async fn office() -> Office {
    let office = Office::open().await;
    let desk = system("front-desk");
    let known = whom(office.see(says("front-desk", "1", ann().chart("100"))).await);
    office.see(says("front-desk", "2", ann().chart("200"))).await;
    office.see(says("imaging", "9", bob().chart("100"))).await;
    let differing = ann_alone().mobile("541 555 0188");
    office.see(binds("archive", "5", differing, known)).await;
    office.see(says("front-desk", "1", stranger(1))).await;
    office.see(says(STRANGERS, "3", stranger(2))).await;
    let unreadable = office
        .registry
        .unreadable(&desk, Some(id("7")), None, "birth-date-unreadable");
    unreadable.await.unwrap();
    office
        .waits(misnamed(puts("camera", known, photo(known, "smile"))))
        .await;
    office
}

#[tokio::test]
async fn each_kind_by_its_own() {
    let office = office().await;
    let mut kinds = Vec::new();
    for number in open_items(&office.registry) {
        let before = office.item(number).await;
        kinds.push(before.kind);
        let fitting = match before.kind {
            ReviewKind::PossibleDuplicate
            | ReviewKind::IdentifierConflict
            | ReviewKind::RecordConflict
            | ReviewKind::UnknownRecord
            | ReviewKind::WrongPatient => PAIR,
            ReviewKind::Disagreement | ReviewKind::Unreadable => VALUE,
        };
        let others = [PAIR, VALUE]
            .concat()
            .into_iter()
            .filter(|verdict| !fitting.contains(verdict));
        for verdict in others.chain([Verdict::Settled, Verdict::Merge, Verdict::Unmerge]) {
            let refusal = office.try_to_decide(number, verdict, None).await.unwrap_err();
            assert_eq!(refusal.code(), "review_verdict_unfit");
            for fits in fitting {
                assert!(refusal.to_string().contains(fits.as_str()), "{refusal}");
            }
        }
        assert_eq!(office.item(number).await, before);
    }
    kinds.sort();
    let mut all = ReviewKind::ALL.to_vec();
    all.sort();
    assert_eq!(kinds, all, "one of each kind was tried");
}

#[tokio::test]
async fn the_list_has_the_gravest_first() {
    let office = office().await;
    let page = office.registry.review_page(None, 0, 100);
    let kinds: Vec<_> = page.lines.iter().map(|line| line.kind).collect();
    assert_eq!(kinds, ReviewKind::ALL);
    assert_eq!((page.open, page.more), (7, false));
    let part = office.registry.review_page(None, 0, 2);
    assert!(part.more && part.lines[0].number < part.lines[1].number);
    let rest = office.registry.review_page(None, part.lines[1].number, 100);
    assert_eq!(rest.lines.len(), 5);
    let one = office
        .registry
        .review_page(Some(ReviewKind::Disagreement), 0, 100);
    assert_eq!(one.lines.len(), 1);
}

//! Merging and parting by hand.

use crate::{office::revision, support::*};
use archwire_core::PatientId;

async fn two(desk: &Desk) -> [PatientId; 2] {
    let one = desk
        .see(
            "front-desk",
            "1",
            person("Kowalska", "Anna", "1987-03-09", "555-010-0199"),
        )
        .await;
    let other = desk
        .see(
            "imaging",
            "7",
            person("Nowak", "Ania", "1978-09-03", "555-010-0142"),
        )
        .await;
    [one, other]
}

#[tokio::test]
async fn a_trial_shows_both_and_changes_nothing() {
    let desk = Desk::open().await;
    let [one, other] = two(&desk).await;
    let (survivor, retired) = (one.to_string(), other.to_string());
    let arguments = [
        &["review", "merge", &survivor, &retired, "--dry-run"],
        &WHO_AND_WHY[..],
    ]
    .concat();
    let said = desk.run(&arguments).await.well();
    assert!(said.contains("Kowalska") && said.contains("Nowak"), "{said}");
    assert!(said.lines().all(|line| line.len() <= 100), "{said}");
    for patient in [one, other] {
        assert_eq!(revision(&desk.office.registry, patient), 1, "nothing was changed");
    }
    assert_eq!(desk.actions().await, ["review.merge-trial"]);
}

#[tokio::test]
async fn two_are_made_one_and_two_again() {
    let desk = Desk::open().await;
    let [one, other] = two(&desk).await;
    let before = [one, other].map(|patient| desk.office.state(patient));
    let (survivor, retired) = (one.to_string(), other.to_string());
    let said = desk
        .run(&[&["review", "merge", &survivor, &retired], &WHO_AND_WHY[..]].concat())
        .await
        .well();
    assert!(
        said.contains("merged: ") && said.contains("N******* A***, ****-**-**"),
        "{said}"
    );
    assert!(!said.contains("Nowak") && !said.contains("Kowalska"), "{said}");
    assert_eq!(desk.office.state(other).merged_into, Some(one));
    let again = desk.decide(&["review", "merge", &survivor, &retired]).await;
    assert_eq!(again.refused(), "merge_already_merged");
    let parted = desk.decide(&["review", "unmerge", &retired]).await.json();
    assert_eq!(parted["retired"]["patient_id"], retired);
    assert_eq!(
        parted["retired"]["after"]["patient"]["names"][0]["family"],
        "Nowak"
    );
    let after = [one, other].map(|patient| desk.office.state(patient));
    assert!(after == before, "both are as they were");
    assert_eq!(
        desk.actions().await,
        ["review.merge", "review.merge", "review.unmerge"]
    );
    let records = desk.audited().await;
    assert_eq!(records[0].patient_ids, [survivor.clone(), retired.clone()]);
    assert_eq!(
        records[2].patient_ids,
        [retired, survivor],
        "parting concerns both"
    );
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_reason() {
    let desk = Desk::open().await;
    let [one, _] = two(&desk).await;
    let (one, nobody) = (one.to_string(), PatientId::generate().to_string());
    let itself = desk.decide(&["review", "merge", &one, &one]).await;
    assert_eq!(itself.refused(), "merge_into_itself");
    let unknown = desk.decide(&["review", "merge", &one, &nobody]).await;
    assert_eq!(unknown.refused(), "patient_unknown");
    let whole = desk.decide(&["review", "unmerge", &one]).await;
    assert_eq!(whole.refused(), "unmerge_not_merged");
}

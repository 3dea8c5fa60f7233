//! Items are decided over the socket, once, by somebody with a name and a reason.

use crate::{
    office::{binds, family, phones, says, state},
    support::*,
};
use archwire_core::ContactSystem;

#[tokio::test]
async fn two_people_stay_two_for_ever() {
    let desk = Desk::open().await;
    let (one, other, item) = doubtful_pair(&desk).await;
    let number = item.to_string();
    let answer = desk.decide(&["review", "not-same", &number]).await.json();
    assert_eq!(
        (answer["number"].as_u64(), answer["verdict"].as_str()),
        (Some(item), Some("not-same"))
    );
    desk.items(0).await;
    let again = desk.decide(&["review", "link", &number]).await;
    assert_eq!(again.refused(), "review_item_closed");
    let (one, other) = (one.to_string(), other.to_string());
    let merge = desk.decide(&["review", "merge", &one, &other]).await;
    assert_eq!(merge.refused(), "merge_declared_not_same");
    let shown = desk
        .run(&["review", "show", &number, "--by", "Kim Doe"])
        .await
        .well();
    assert!(
        shown.contains("closed") && shown.contains("not-same, by Kim Doe"),
        "{shown}"
    );
    assert!(shown.contains("asked at the desk"), "{shown}");
}

#[tokio::test]
async fn one_person_becomes_one_patient() {
    let desk = Desk::open().await;
    let (one, other, item) = doubtful_pair(&desk).await;
    let answer = desk.decide(&["review", "link", &item.to_string()]).await.json();
    let outcome = answer["outcome"].as_str().unwrap();
    assert!(
        outcome.contains(&one.to_string()) && outcome.contains(&other.to_string()),
        "{outcome}"
    );
    let merged = |patient| state(&desk.office.registry, patient).merged_into;
    assert_eq!(
        [merged(one), merged(other)].into_iter().flatten().count(),
        1,
        "one of the two goes on"
    );
    desk.items(0).await;
}

#[tokio::test]
async fn a_disagreement_is_decided_by_accept_or_reject() {
    let desk = Desk::open().await;
    let cases = [
        (
            "accept",
            person("Kowalska", "Anna", "1987-03-09", "555-010-0199"),
            "555-010-0142",
        ),
        (
            "reject",
            person("Okafor", "Chinwe", "1951-11-30", "555-010-0199"),
            "555-010-0199",
        ),
    ];
    for (number, (verdict, who, phone)) in (1..).zip(cases) {
        let id = number.to_string();
        let patient = desk.see("front-desk", &id, who.clone()).await;
        let mut other = who;
        other.telecom[0].value = "555-010-0142".into();
        desk.office.see(binds("imaging", &id, other, patient)).await;
        let items = desk.items(1).await;
        let item = items[0].to_string();
        let list = desk.run(&["review", "list", "--json"]).await.json();
        assert_eq!(list["lines"][0]["kind"], "disagreement");
        let shown = desk
            .run(&["review", "show", &item, "--by", "Kim Doe"])
            .await
            .well();
        let line = shown.lines().find(|line| line.contains("555-010-0142")).unwrap();
        assert!(line.starts_with('!') && line.contains("555-010-0199"), "{shown}");
        let unfit = desk.decide(&["review", "link", &item]).await;
        assert_eq!(unfit.refused(), "review_verdict_unfit");
        desk.decide(&["review", verdict, &item]).await.well();
        let state = desk.office.state(patient);
        assert_eq!(phones(&state), [phone]);
        assert_eq!(state.telecom[0].system, ContactSystem::Phone);
        desk.items(0).await;
    }
    let record = desk
        .audited()
        .await
        .into_iter()
        .find(|record| record.action == "review.accept");
    assert_eq!(record.unwrap().paths, ["telecom/phone-mobile/value"]);
}

#[tokio::test]
async fn a_record_that_shows_somebody_else_is_parted_from_the_patient() {
    let desk = Desk::open().await;
    let patient = desk
        .see(
            "front-desk",
            "1",
            person("Kowalska", "Anna", "1987-03-09", "555-010-0199"),
        )
        .await;
    desk.office
        .observe(says(
            "front-desk",
            "1",
            person("Okafor", "Chinwe", "1951-11-30", "555-010-0107"),
        ))
        .await
        .unwrap();
    let item = desk.items(1).await[0].to_string();
    let shown = desk
        .run(&["review", "show", &item, "--by", "Kim Doe"])
        .await
        .well();
    assert!(
        shown.contains("record-conflict") && shown.contains("as front-desk shows it"),
        "{shown}"
    );
    let family_line = shown
        .lines()
        .find(|line| line.contains("names/official/family"))
        .unwrap();
    assert!(
        family_line.contains("Kowalska") && family_line.contains("Okafor"),
        "{shown}"
    );
    let outcome = desk.decide(&["review", "not-same", &item]).await.json();
    assert!(
        outcome["outcome"]
            .as_str()
            .unwrap()
            .contains("a patient of its own"),
        "{outcome}"
    );
    assert_eq!(desk.office.registry.patients(), 2);
    assert_eq!(family(&desk.office.state(patient)), "Kowalska");
}

//! The audit: in order, about whom, by whom, and nothing of what it was about.

use crate::support::*;
use archwire::audit::{Act, Action};
use archwire_core::PatientId;
use serde_json::Value;

fn act(person: &str, patients: &[PatientId]) -> Act {
    Act {
        person: person.to_owned(),
        user_id: Some(1000),
        action: Action::NotSame,
        patients: patients.to_vec(),
        item: Some(7),
        image: None,
        system: None,
        paths: vec!["names/official/family".into()],
        reason: "they are twins".to_owned(),
    }
}

#[tokio::test]
async fn records_come_back_in_order_and_by_patient() {
    let desk = Desk::open().await;
    let [one, other] = [PatientId::generate(), PatientId::generate()];
    for (person, patients) in [("Kim", &[one][..]), ("Lee", &[other]), ("Mo", &[other, one])] {
        desk.audit.record(act(person, patients)).await.unwrap();
    }
    let lines = |said: &str| -> Vec<Value> {
        said.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let all = lines(&desk.run(&["audit", "list", "--json"]).await.well());
    let people: Vec<_> = all
        .iter()
        .map(|record| record["person"].as_str().unwrap())
        .collect();
    assert_eq!(people, ["Kim", "Lee", "Mo"]);
    assert_eq!(all[0]["action"], "review.not-same");
    assert_eq!(all[0]["paths"][0], "names/official/family");
    assert_eq!(all[0]["program"], "archwire-admin");
    let of_one = desk
        .run(&["audit", "list", "--json", "--patient", &one.to_string()])
        .await
        .well();
    assert_eq!(lines(&of_one), [all[0].clone(), all[2].clone()]);
    let later = desk
        .run(&["audit", "list", "--json", "--after", "2"])
        .await
        .well();
    assert_eq!(lines(&later), [all[2].clone()]);
    let human = desk.run(&["audit", "list"]).await.well();
    assert!(
        human.contains("review.not-same item 7  Kim (user 1000)"),
        "{human}"
    );
    assert!(human.lines().all(|line| line.len() <= 100), "{human}");
}

#[tokio::test]
async fn what_people_do_leaves_no_values_in_it() {
    let desk = Desk::open().await;
    let (one, other, item) = doubtful_pair(&desk).await;
    let number = item.to_string();
    desk.run(&["review", "show", &number, "--by", "Kim Doe"])
        .await
        .well();
    desk.decide(&["review", "not-same", &number]).await.well();
    let records = desk.audited().await;
    let actions: Vec<_> = records.iter().map(|record| record.action.as_str()).collect();
    assert_eq!(actions, ["review.show", "review.not-same"]);
    for record in &records {
        assert_eq!(record.person, "Kim Doe");
        assert!(record.user_id.is_some(), "the operating system says who it was");
        assert_eq!(record.item, Some(item));
        let mut ids = record.patient_ids.clone();
        ids.sort();
        assert_eq!(ids, [one.to_string(), other.to_string()]);
    }
    assert_eq!(records[1].reason, "asked at the desk");
    let said = desk.run(&["audit", "list", "--json"]).await.well();
    for value in ["Kowalsk", "Anna", "1987-03", "555-010"] {
        assert!(!said.contains(value), "{said}");
    }
}

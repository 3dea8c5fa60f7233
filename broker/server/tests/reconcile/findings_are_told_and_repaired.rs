//! Each kind of finding: what is told of it, and what repairing does. What is not asked for is not done.

use crate::{
    office::{With as _, ann, bob, give_up, id, phones, revision, says, state, stranger, system, whom},
    script::{SYSTEM, Stage, counts, name, the},
};
use archwire::reconcile::Kind;
use archwire_core::Path;

const MOBILE: &str = "telecom/phone-mobile/value";

#[tokio::test]
async fn an_edit_that_the_bus_has_not_heard_of_is_differing_and_taken_when_repaired() {
    let stage = Stage::open().await;
    let ann_s = stage.shows("1", &ann()).await;
    let edited = crate::office::ann_alone().mobile("971 555 0123");
    stage.holds("1", &edited);
    let report = stage.compare().await;
    assert_eq!(counts(&report), [0, 0, 1, 0]);
    let finding = the(&report, Kind::Differing);
    assert_eq!(
        finding.paths.iter().map(Path::as_str).collect::<Vec<_>>(),
        [MOBILE]
    );
    assert_eq!(
        (finding.local_id.clone(), finding.patient),
        (Some(id("1")), Some(ann_s))
    );

    let report = stage.repair().await;
    assert_eq!((counts(&report), report.repaired), ([0, 0, 1, 0], 1));
    assert_eq!(phones(&state(&stage.office.registry, ann_s)), ["971 555 0123"]);
    assert_eq!(counts(&stage.compare().await), [0; 4]);
}

#[tokio::test]
async fn what_another_system_changed_and_nobody_brought_is_differing_and_owed_when_repaired() {
    let stage = Stage::open().await;
    let patient = stage.shows("1", &ann()).await;
    // The same person in another program, who then moves to another number there.
    let other = says("imaging", "i-1", ann());
    assert_eq!(whom(stage.office.see(other).await), patient);
    let edited = crate::office::ann_alone().mobile("971 555 0123");
    stage.office.see(says("imaging", "i-1", edited)).await;
    let report = stage.compare().await;
    assert_eq!(counts(&report), [0, 0, 1, 0]);

    let report = stage.repair().await;
    assert_eq!((counts(&report), report.repaired), ([0, 0, 1, 0], 1));
    let record = stage.office.registry.record(&name(), patient).unwrap();
    assert!(record.owed().contains(&MOBILE.into()), "it is owed");
    assert_eq!(phones(&state(&stage.office.registry, patient)), ["971 555 0123"]);
}

#[tokio::test]
async fn an_extra_record_is_taken_and_a_patient_without_one_is_to_be_given_one() {
    let stage = Stage::open().await;
    stage.holds("1", &ann());
    let elsewhere = whom(stage.office.see(says("imaging", "i-1", bob())).await);
    let report = stage.compare().await;
    assert_eq!(counts(&report), [0, 1, 0, 1]);
    assert_eq!(the(&report, Kind::Extra).local_id, Some(id("1")));
    assert_eq!(the(&report, Kind::Unlinked).patient, Some(elsewhere));

    let report = stage.repair().await;
    assert_eq!((counts(&report), report.repaired), ([0, 1, 0, 1], 2));
    assert!(stage.office.registry.index().linked(&name(), &id("1")).is_some());
    // The dispatcher would create it; there is none on this stage.
    assert_eq!(counts(&stage.compare().await), [0, 0, 0, 1]);
}

#[tokio::test]
async fn an_extra_record_of_somebody_who_should_have_one_is_both_found_and_the_repair_of_both() {
    let stage = Stage::open().await;
    stage.holds("1", &ann());
    stage.office.see(says("imaging", "i-1", ann())).await;
    assert_eq!(counts(&stage.compare().await), [0, 1, 0, 1]);
    let report = stage.repair().await;
    assert_eq!((counts(&report), report.repaired), ([0, 1, 0, 0], 1));
    assert_eq!(counts(&stage.compare().await), [0; 4]);
}

#[tokio::test]
async fn a_missing_record_stays_linked_and_is_owed_what_it_showed_so_that_it_is_looked_for() {
    let stage = Stage::open().await;
    let patient = stage.shows("1", &ann()).await;
    stage.shows("2", &bob()).await;
    stage.scripted.script().records.remove("1");
    let report = stage.compare().await;
    assert_eq!(counts(&report), [1, 0, 0, 0]);
    assert_eq!(the(&report, Kind::Missing).local_id, Some(id("1")));
    let report = stage.repair().await;
    assert_eq!((counts(&report), report.repaired), ([1, 0, 0, 0], 1));
    let record = stage.office.registry.record(&name(), patient).unwrap();
    assert!(record.owed().contains(&MOBILE.into()) && record.local_id == id("1"));
    // The second time that is no news for the log, but for what the audit has.
    let before = stage.office.registry.log().last_sequence().await.unwrap();
    assert_eq!(counts(&stage.repair().await), [1, 0, 0, 0]);
    assert_eq!(stage.office.registry.log().last_sequence().await.unwrap(), before);
}

#[tokio::test]
async fn a_system_to_which_the_bus_does_not_write_owes_and_is_owed_nothing() {
    let stage = Stage::set(crate::office::Office::open().await, false).await;
    let patient = stage.shows("1", &ann()).await;
    stage.office.see(says("imaging", "i-2", bob())).await;
    stage.office.see(says("imaging", "i-1", ann())).await;
    let moved = crate::office::ann_alone().mobile("971 555 0123");
    stage.office.see(says("imaging", "i-1", moved)).await;
    assert_eq!(counts(&stage.compare().await), [0; 4]);
    // What its staff did without being heard counts all the same.
    stage.holds("1", &ann().email("ann@example.com"));
    let report = stage.repair().await;
    assert_eq!((counts(&report), report.repaired), ([0, 0, 1, 0], 1));
    let emails = crate::office::emails(&state(&stage.office.registry, patient)).len();
    assert_eq!(emails, 1);
    stage.scripted.script().records.remove("1");
    let report = stage.repair().await;
    assert_eq!((counts(&report), report.repaired), ([1, 0, 0, 0], 0));
}

#[tokio::test]
async fn every_comparison_is_in_the_audit_with_counts_only_and_thirty_reports_are_kept() {
    let stage = Stage::open().await;
    stage.shows("1", &ann()).await;
    stage.holds("2", &stranger(1));
    for _ in 0..32 {
        stage.compare().await;
    }
    let audited = stage.audited().await;
    assert_eq!(audited.len(), 32);
    let words = "listed 2, compared 1, missing 0, extra 1, differing 0, unlinked 0";
    assert_eq!(audited[0].reason, words);
    for record in &audited {
        assert_eq!(
            (record.program.as_str(), record.action.as_str()),
            ("archwire", "reconcile")
        );
        assert_eq!(
            (record.system.as_deref(), record.person.as_str()),
            (Some(SYSTEM), "")
        );
        assert!(record.patient_ids.is_empty() && record.paths.is_empty());
    }
    let keys = stage.reconciled.keys().await.unwrap();
    let reports = keys
        .iter()
        .filter(|key| key.starts_with("front-desk.report."))
        .count();
    assert_eq!(reports, 30);
    let last = stage.reconciler.last(&name()).await.unwrap().unwrap();
    assert_eq!((last.extra, last.listed), (1, 2));
    assert!(stage.reconciler.last(&system("imaging")).await.unwrap().is_none());
}

#[tokio::test]
async fn what_somebody_gave_up_is_told_and_left_alone() {
    let stage = Stage::open().await;
    let patient = stage.shows("1", &ann()).await;
    let registry = &stage.office.registry;
    give_up(registry, &name(), patient, revision(registry, patient)).await;
    stage.scripted.script().records.remove("1");
    for _night in 0..2 {
        let report = stage.repair().await;
        assert_eq!((counts(&report), report.repaired), ([1, 0, 0, 0], 0));
    }
    let record = registry.record(&name(), patient).unwrap();
    assert!(record.owed().is_empty(), "nothing is asked for");
}

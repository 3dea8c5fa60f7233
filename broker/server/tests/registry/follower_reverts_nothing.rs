//! A system that follows the bus itself says which revision its record reflects. What it took over is not its own
//! edit, and what it has not seen yet is not reverted by it.

use crate::support::*;
use archwire_core::PatientId;

const OLD: &str = "555-0100";
const NEW: &str = "555-0101";
const NEWEST: &str = "555-0102";

/// An office in which `imaging` and `archive` both hold a patient with the old phone, at revision 1.
async fn office() -> (Office, PatientId) {
    let office = Office::open().await;
    let patient = whom(office.see(says("imaging", "1", with_phone(OLD))).await);
    office
        .see(based_on(1, binds("archive", "1", with_phone(OLD), patient)))
        .await;
    (office, patient)
}

#[tokio::test]
async fn an_older_value_may_be_put_back_by_who_took_over_the_newer() {
    let (office, patient) = office().await;
    office
        .see(based_on(1, says("archive", "1", with_phone(NEW))))
        .await;
    let put_back = office
        .see(based_on(2, says("imaging", "1", with_phone(OLD))))
        .await;
    assert!(is_news(put_back));
    assert_eq!(phones(&office.state(patient)), [OLD]);
}

#[tokio::test]
async fn who_is_behind_puts_nothing_back() {
    let (office, patient) = office().await;
    for (revision, phone) in [(1, NEW), (2, NEWEST)] {
        office
            .see(based_on(revision, says("archive", "1", with_phone(phone))))
            .await;
    }
    let behind = with_phone_and_email(NEW, "ann@example.org");
    let observed = office
        .see(based_on(2, says("imaging", "1", behind.clone())))
        .await;
    assert!(is_news(observed));
    let state = office.state(patient);
    assert_eq!(phones(&state), [NEWEST]);
    assert_eq!(emails(&state), ["ann@example.org"]);
    let again = office.see(based_on(2, says("imaging", "1", behind))).await;
    assert!(!is_news(again), "saying it again is no news");
}

#[tokio::test]
async fn a_confirmation_that_comes_late_is_no_edit() {
    let (office, patient) = office().await;
    for (revision, phone) in [(1, NEW), (2, NEWEST)] {
        office
            .see(based_on(revision, says("archive", "1", with_phone(phone))))
            .await;
    }
    for (revision, phone) in [(2, NEW), (3, NEWEST)] {
        let confirmed = office
            .see(based_on(revision, says("imaging", "1", with_phone(phone))))
            .await;
        assert!(!is_news(confirmed));
    }
    assert_eq!(phones(&office.state(patient)), [NEWEST]);
}

#[tokio::test]
async fn a_record_bound_at_an_older_revision_reverts_nothing_by_a_later_edit() {
    for bound in [with_phone(OLD), with_phone_and_email(OLD, "smith@example.org")] {
        let (office, patient) = office().await;
        office
            .see(based_on(1, says("archive", "1", with_phone(NEW))))
            .await;
        office
            .see(based_on(1, binds("tracing", "1", bound.clone(), patient)))
            .await;
        assert_eq!(phones(&office.state(patient)), [NEW], "the binding itself");
        let still_old = with_phone_and_email(OLD, "ann@example.org");
        office.see(based_on(1, says("tracing", "1", still_old))).await;
        assert_eq!(
            phones(&office.state(patient)),
            [NEW],
            "an edit at the same revision"
        );
        office.see(says("archive", "1", with_phone(NEWEST))).await;
        let taken_over = with_phone_and_email(NEW, "smith@example.com");
        let edited = office.see(based_on(2, says("tracing", "1", taken_over))).await;
        assert!(is_news(edited));
        let state = office.state(patient);
        assert_eq!(
            phones(&state),
            [NEWEST],
            "an edit after taking over the next revision"
        );
        assert_eq!(emails(&state), ["smith@example.com"]);
    }
}

#[tokio::test]
async fn a_revision_that_is_not_there_yet_is_refused() {
    let (office, _) = office().await;
    let ahead = based_on(2, says("imaging", "1", with_phone(NEW)));
    assert_eq!(refused(office.observe(ahead).await), "revision_unknown");
}

/// An office whose front desk has changed the phone since `archive` took the patient over, and what `archive` shows then
/// for the first time.
async fn late_first_sight(office: &Office, shown: archwire_core::Patient) -> PatientId {
    let patient = whom(office.see(says("front-desk", "1", with_phone(OLD))).await);
    office.see(says("front-desk", "1", with_phone(NEW))).await;
    office
        .see(based_on(1, binds("archive", "1", shown, patient)))
        .await;
    patient
}

fn owed(office: &Office, patient: PatientId) -> Vec<String> {
    let record = office.registry.record(&system("archive"), patient).unwrap();
    record
        .owed()
        .iter()
        .map(|path| path.as_str().to_owned())
        .collect()
}

#[tokio::test]
async fn what_a_first_sight_has_not_seen_yet_is_no_disagreement_and_is_owed() {
    let office = Office::open().await;
    let shown = with_phone_and_email(OLD, "ann@example.org");
    let patient = late_first_sight(&office, shown).await;
    office.asks_nothing();
    let state = office.state(patient);
    assert_eq!(phones(&state), [NEW]);
    assert_eq!(emails(&state), ["ann@example.org"], "what it says itself counts");
    assert_eq!(owed(&office, patient), ["telecom/phone-mobile/value"]);
    // Once it shows that too, nothing is left to be done.
    let shown = with_phone_and_email(NEW, "ann@example.org");
    office.see(based_on(3, says("archive", "1", shown))).await;
    assert!(owed(&office, patient).is_empty());
    office.asks_nothing();
}

#[tokio::test]
async fn what_it_says_itself_still_is_a_disagreement() {
    let office = Office::open().await;
    let patient = late_first_sight(&office, with_phone(NEWEST)).await;
    assert_eq!(open_items(&office.registry).len(), 1);
    assert_eq!(phones(&office.state(patient)), [NEW]);
}

#[tokio::test]
async fn a_first_sight_brings_nothing_back_that_is_gone_since() {
    let office = Office::open().await;
    let before = with_phone_and_email(OLD, "ann@example.org");
    let patient = whom(office.see(says("front-desk", "1", before.clone())).await);
    office.see(says("front-desk", "1", with_phone(OLD))).await;
    office
        .see(based_on(1, binds("archive", "1", before, patient)))
        .await;
    assert!(emails(&office.state(patient)).is_empty());
    office.asks_nothing();
    assert!(owed(&office, patient).contains(&"telecom/email-home/value".to_owned()));
}

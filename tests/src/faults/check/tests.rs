//! Made-up violations, each found; and a good run, in which nothing is.

use super::*;

const OFFICE: &str = "front-desk";
const VENDOR: &str = "ceph-tracer";

fn values(email: &str, phone: &str) -> Values {
    let values = [
        ("LName", "Doe"),
        ("FName", "Kim"),
        ("Birthdate", "1980-01-02"),
        ("Email", email),
        ("WkPhone", phone),
    ];
    let held = values.into_iter().filter(|(_, text)| !text.is_empty());
    held.map(|(field, text)| (field, text.to_owned())).collect()
}

fn only(field: &'static str, value: &str) -> Values {
    Values::from([(field, value.to_owned())])
}

fn event(revision: u64, email: &str, phone: &str, record: (&str, &str)) -> Logged {
    Logged {
        sequence: revision * 10,
        patient: "p".to_owned(),
        revision,
        values: values(email, phone),
        record: Some((record.0.to_owned(), record.1.to_owned())),
    }
}

fn write(sequence: u64, by_bus: bool, creates: bool, fields: Values) -> Write {
    Write {
        sequence,
        record: "7".to_owned(),
        by_bus,
        creates,
        fields,
    }
}

fn recorded(revision: u64, email: &str) -> Told {
    Told {
        system: VENDOR.to_owned(),
        local_id: "T-1".to_owned(),
        said: only("Email", email),
        answer: Answer::Recorded {
            patient: "p".to_owned(),
            revision,
            sequence: revision * 10,
        },
    }
}

/// The vendor registers Kim, the office is given the record, the vendor corrects the mail address, the desk types a
/// number, and the vendor corrects again.
fn good() -> Evidence {
    let vendor = (VENDOR, "T-1");
    let newest = values("c@x", "1");
    let records = |id: &str| BTreeMap::from([(id.to_owned(), newest.clone())]);
    let office = Store {
        records: records("7"),
        writes: vec![
            write(1, true, true, values("a@x", "")),
            write(2, true, false, only("Email", "b@x")),
            write(3, false, false, only("WkPhone", "1")),
            write(4, true, false, only("Email", "c@x")),
        ],
    };
    let tracer = Store {
        records: records("T-1"),
        writes: Vec::new(),
    };
    Evidence {
        events: vec![
            event(1, "a@x", "", vendor),
            event(2, "b@x", "", vendor),
            event(3, "b@x", "1", (OFFICE, "7")),
            event(4, "c@x", "1", vendor),
        ],
        told: vec![recorded(1, "a@x"), recorded(2, "b@x"), recorded(4, "c@x")],
        stores: BTreeMap::from([(OFFICE.to_owned(), office), (VENDOR.to_owned(), tracer)]),
        expected: vec![newest],
        ..Evidence::default()
    }
}

fn office(evidence: &mut Evidence) -> &mut Store {
    evidence.stores.get_mut(OFFICE).unwrap()
}

/// The rules that are violated when a good run is spoilt like this.
fn rules(spoil: impl FnOnce(&mut Evidence)) -> Vec<&'static str> {
    let mut evidence = good();
    spoil(&mut evidence);
    let mut rules: Vec<_> = violations(&evidence, &Allowed::default())
        .iter()
        .map(|violation| violation.rule)
        .collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

#[test]
fn a_good_run_has_no_violation() {
    assert_eq!(violations(&good(), &Allowed::default()), []);
}

#[test]
fn an_accepted_observation_that_is_not_in_the_log_is_found() {
    let lost = |evidence: &mut Evidence| {
        let mut told = recorded(4, "c@x");
        if let Answer::Recorded { sequence, .. } = &mut told.answer {
            *sequence = 41;
        }
        evidence.told.push(told);
    };
    assert_eq!(rules(lost), ["accepted-is-lost"]);
    let another = |evidence: &mut Evidence| evidence.told.push(recorded(3, "b@x"));
    assert_eq!(
        rules(another),
        ["accepted-is-lost"],
        "the office's event stands there"
    );
    let other_content = |evidence: &mut Evidence| evidence.told.push(recorded(2, "z@x"));
    assert_eq!(rules(other_content), ["accepted-is-lost"]);
}

#[test]
fn an_observation_that_was_called_known_and_is_nowhere_is_found() {
    let unchanged = |email: &str, revision| {
        let mut told = recorded(1, email);
        told.answer = Answer::Unchanged {
            patient: "p".to_owned(),
            revision,
        };
        told
    };
    assert!(rules(|evidence| evidence.told.push(unchanged("c@x", 4))).is_empty());
    for told in [unchanged("z@x", 4), unchanged("c@x", 3)] {
        assert_eq!(rules(|evidence| evidence.told.push(told)), ["accepted-is-lost"]);
    }
}

#[test]
fn a_gap_a_repetition_and_a_complaint_are_found() {
    let gap = |evidence: &mut Evidence| {
        evidence.events.remove(2);
        office(evidence).writes.remove(2);
    };
    assert_eq!(rules(gap), ["revision-gap"]);
    let repetition = |evidence: &mut Evidence| {
        let mut again = event(4, "c@x", "1", (VENDOR, "T-1"));
        again.sequence = 50;
        evidence.events.push(again);
    };
    assert_eq!(rules(repetition), ["revision-gap"]);
    let complaint = |evidence: &mut Evidence| evidence.complaints.push("revision 4 after 2".to_owned());
    assert_eq!(rules(complaint), ["vendor-complains"]);
}

#[test]
fn a_second_record_of_a_person_is_found() {
    let twice = |evidence: &mut Evidence| {
        let office = office(evidence);
        office.records.insert("8".to_owned(), values("c@x", "1"));
        let mut second = write(5, true, true, values("c@x", "1"));
        second.record = "8".to_owned();
        office.writes.push(second);
    };
    assert_eq!(rules(twice), ["duplicate-record"]);
    let at_the_vendor = |evidence: &mut Evidence| {
        let store = evidence.stores.get_mut(VENDOR).unwrap();
        store.records.insert("T-2".to_owned(), values("c@x", "1"));
    };
    assert_eq!(rules(at_the_vendor), ["duplicate-record"]);
}

#[test]
fn a_person_who_became_two_patients_and_a_record_of_two_are_found() {
    let two = |evidence: &mut Evidence| {
        let mut second = event(1, "c@x", "1", (OFFICE, "7"));
        (second.patient, second.sequence) = ("q".to_owned(), 50);
        evidence.events.push(second);
    };
    assert_eq!(rules(two), ["person-is-two-patients", "record-of-two"]);
    let records = |evidence: &mut Evidence| {
        evidence.events[3].record = Some((VENDOR.to_owned(), "T-2".to_owned()));
        evidence.told[2].local_id = "T-2".to_owned();
    };
    assert_eq!(rules(records), ["patient-twice"]);
}

#[test]
fn an_older_state_after_a_newer_is_found() {
    let older = |evidence: &mut Evidence| {
        let writes = &mut office(evidence).writes;
        writes[1].fields = only("Email", "c@x");
        writes[3].fields = only("Email", "b@x");
    };
    assert_eq!(rules(older), ["older-after-newer"]);
    let over_the_desk = |evidence: &mut Evidence| {
        // The desk's newer number is overwritten by the one before it.
        evidence.events.push(event(5, "c@x", "2", (OFFICE, "7")));
        let writes = &mut office(evidence).writes;
        writes.push(write(5, false, false, only("WkPhone", "2")));
        writes.push(write(6, true, false, only("WkPhone", "1")));
    };
    assert_eq!(rules(over_the_desk), ["not-newest", "older-after-newer"]);
}

#[test]
fn a_value_that_comes_back_in_the_log_may_be_written_again() {
    let back = |evidence: &mut Evidence| {
        evidence.events.push(event(5, "b@x", "1", (VENDOR, "T-1")));
        office(evidence)
            .writes
            .push(write(5, true, false, only("Email", "b@x")));
        let newest = values("b@x", "1");
        evidence.expected = vec![newest.clone()];
        for store in evidence.stores.values_mut() {
            store.records.values_mut().for_each(|held| *held = newest.clone());
        }
    };
    assert!(rules(back).is_empty());
}

#[test]
fn a_state_that_nobody_ever_told_the_bus_is_found() {
    let unknown = |evidence: &mut Evidence| office(evidence).writes[1].fields = only("Email", "z@x");
    assert_eq!(rules(unknown), ["unknown-state"]);
    let by_the_desk = |evidence: &mut Evidence| {
        // Typed and corrected between two readings.
        let passing = write(2, false, false, only("WkPhone", "0"));
        office(evidence).writes.insert(1, passing);
    };
    assert!(rules(by_the_desk).is_empty());
}

#[test]
fn more_writes_than_allowed_are_found() {
    let busy = |evidence: &mut Evidence| {
        let again = (5..8).map(|sequence| write(sequence, true, false, Values::new()));
        office(evidence).writes.extend(again);
    };
    assert_eq!(rules(busy), ["too-many-writes"], "5 for 4 revisions");
    let once = |after, times| {
        let writes = Writes::AtMost { times, after };
        violations(&good(), &Allowed { writes, parked: 0 }).len()
    };
    assert_eq!((once(1, 2), once(1, 1), once(2, 1), once(4, 0)), (0, 1, 0, 0));
    assert_eq!(once(3, 0), 1);
}

#[test]
fn old_details_somebody_missing_and_a_stranger_are_found() {
    let old = |evidence: &mut Evidence| {
        office(evidence)
            .records
            .insert("7".to_owned(), values("b@x", "1"));
    };
    assert_eq!(rules(old), ["not-newest"]);
    let missing = |evidence: &mut Evidence| {
        evidence.stores.get_mut(VENDOR).unwrap().records.clear();
    };
    assert_eq!(rules(missing), ["not-there"]);
    let stranger = |evidence: &mut Evidence| evidence.expected.clear();
    assert_eq!(rules(stranger), ["stranger"]);
    let nobody_was_told_of_the_last = |evidence: &mut Evidence| {
        evidence.events.pop();
        evidence.told.pop();
        office(evidence).writes.pop();
    };
    assert_eq!(
        rules(nobody_was_told_of_the_last),
        ["not-newest"],
        "the log lacks it"
    );
}

#[test]
fn what_waits_for_a_person_is_found() {
    assert_eq!(
        rules(|evidence| evidence.parked.push("front-desk.p".to_owned())),
        ["parked"]
    );
    assert_eq!(
        rules(|evidence| evidence.review.push("1 conflict".to_owned())),
        ["in-review"]
    );
}

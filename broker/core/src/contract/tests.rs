//! For arbitrary patients and contracts: what is hidden is never shown, and what may not be changed is never changed.

use super::*;
use crate::{Fields, Leaf, Patient, PatientId, PersonReference, Provider, Text, sample};
use proptest::{collection::btree_set, prelude::*, sample::select};
use std::{collections::BTreeSet, num::NonZeroU32};

fn name(name: &str) -> SystemName {
    name.parse().unwrap()
}

fn contract() -> Contract {
    Contract {
        grantee: Grantee {
            vendor: name("ceph-tracer"),
            organization: "Example Cephalometry Ltd".to_owned(),
            contact: Some("privacy@example.com".to_owned()),
        },
        enabled: true,
        purpose: Purpose::Treatment,
        basis: "Business associate agreement of 2026-01-15".to_owned(),
        validity: Validity::new("2026-01-01".parse().ok(), "2026-12-31".parse().ok()).unwrap(),
        read: Reading::default(),
        write: Writing::default(),
        patients: PatientScope::All,
        images: ImageAccess::default(),
        pace: Pace::default(),
    }
}

fn groups() -> impl Strategy<Value = BTreeSet<FieldGroup>> {
    btree_set(select(FieldGroup::ALL.to_vec()), 0..=FieldGroup::ALL.len())
}

fn kinds() -> impl Strategy<Value = BTreeSet<EventKind>> {
    btree_set(select(EventKind::ALL.to_vec()), 0..=EventKind::ALL.len())
}

fn reading() -> impl Strategy<Value = Reading> {
    (kinds(), groups(), any::<bool>()).prop_map(|(kinds, fields, source)| Reading {
        kinds,
        fields,
        source,
    })
}

fn writing() -> impl Strategy<Value = Writing> {
    (kinds(), groups()).prop_map(|(kinds, fields)| Writing { kinds, fields })
}

fn contracts() -> impl Strategy<Value = Contract> {
    let images = (any::<bool>(), any::<bool>());
    (reading(), writing(), images).prop_map(|(read, write, (get, put))| Contract {
        read,
        write,
        images: ImageAccess {
            read: get,
            write: put,
        },
        ..contract()
    })
}

/// Patients of whom everything may be stated, parties with records of their own included.
fn patient() -> impl Strategy<Value = Patient> {
    (sample::patient(), any::<[bool; 4]>()).prop_map(|(patient, stated)| {
        let mut patient = patient;
        let [persons, provider, photo, other] = stated;
        let person = |number: usize| PersonReference {
            system: name("front-desk"),
            local_id: number.to_string().parse().unwrap(),
            patient_id: Some(PatientId::generate()),
        };
        for (number, party) in patient.responsible_parties.iter_mut().enumerate() {
            party.person = persons.then(|| person(number));
        }
        patient.primary_provider = provider.then(|| Provider {
            system: name("front-desk"),
            local_id: "3".to_owned(),
            display: None,
        });
        patient.photo_sha256 = photo.then(|| Text::from("00"));
        patient.marital_status = other.then(|| Text::from("M"));
        patient.multiple_birth_order = other.then_some(2);
        patient.confidentiality = other.then(|| Text::from("R")).into_iter().collect();
        patient.merged_into = other.then(PatientId::generate);
        patient
    })
}

fn fields(patient: &Patient) -> Fields {
    Fields::of(patient).unwrap()
}

/// What is stated, without the numbers of elements with the same key: they may move up when one before them is hidden.
fn said(fields: &Fields) -> Vec<(String, String)> {
    let said = fields.paths().map(|path| {
        let mut segments: Vec<_> = path.as_str().split('/').map(str::to_owned).collect();
        if let Some(key) = segments.get_mut(1) {
            *key = key.split('~').next().unwrap().to_owned();
        }
        (segments.join("/"), fields.get(path).unwrap().to_json())
    });
    let mut said: Vec<_> = said.collect();
    said.sort();
    said
}

fn only_shown(fields: &Fields, contract: &Contract) -> Fields {
    let mut shown = Fields::default();
    for path in fields.paths().filter(|path| contract.shows(path)) {
        shown.put(path, fields.get(path));
    }
    shown
}

fn includes(large: &[(String, String)], small: &[(String, String)]) -> bool {
    let mut rest = large.to_vec();
    small.iter().all(|one| {
        let found = rest.iter().position(|other| other == one);
        found.map(|at| rest.swap_remove(at)).is_some()
    })
}

proptest! {
    #[test]
    fn nothing_outside_of_the_contract_is_shown_and_all_of_it_as_it_is(
        patient in patient(), contract in contracts(),
    ) {
        let original = fields(&patient);
        let shown = fields(&contract.read.patient(&patient));
        for path in shown.paths() {
            prop_assert!(contract.shows(path), "{path} is shown");
            if !path.as_str().starts_with("responsible_parties/") {
                prop_assert_eq!(shown.get(path), original.get(path), "{} is another", path);
            }
        }
        prop_assert_eq!(said(&shown), said(&only_shown(&original, &contract)));
    }

    #[test]
    fn what_was_cut_once_is_cut(patient in patient(), contract in contracts()) {
        let once = contract.read.patient(&patient);
        prop_assert!(contract.read.patient(&once) == once);
    }

    #[test]
    fn a_wider_contract_never_shows_less(patient in patient(), contract in contracts(), more in contracts()) {
        let mut wider = contract.clone();
        wider.read.fields.extend(more.read.fields);
        wider.read.kinds.extend(more.read.kinds);
        wider.images.read |= more.images.read;
        let narrow = said(&fields(&contract.read.patient(&patient)));
        prop_assert!(includes(&said(&fields(&wider.read.patient(&patient))), &narrow));
        for kind in EventKind::ALL {
            prop_assert!(wider.reads(kind) || !contract.reads(kind));
        }
        for path in fields(&patient).paths() {
            prop_assert!(wider.shows(path) || !contract.shows(path));
        }
    }

    #[test]
    fn the_paths_of_a_change_are_cut_like_the_patient(patient in patient(), contract in contracts()) {
        let original = fields(&patient);
        let paths = contract.read.paths(&original.paths().cloned().collect());
        let shown: BTreeSet<_> = only_shown(&original, &contract).paths().cloned().collect();
        prop_assert_eq!(paths, shown);
    }

    #[test]
    fn what_may_not_be_changed_is_neither_changed_nor_removed(
        known in patient(), other in patient(), contract in contracts(), repeats in any::<bool>(),
    ) {
        let (known, other) = (fields(&known), fields(&other));
        let mut said = Fields::default();
        for path in other.paths().filter(|path| contract.takes(path)) {
            said.put(path, other.get(path));
        }
        for path in known.paths().filter(|path| repeats && !contract.takes(path) && contract.shows(path)) {
            said.put(path, known.get(path));
        }
        prop_assert_eq!(contract.refused(&said, &[&known]), None);
        let whole = contract.complete(&said, &known);
        for path in known.difference(&whole) {
            prop_assert!(contract.takes(&path), "{path} is changed");
        }
        for path in said.paths() {
            prop_assert_eq!(whole.get(path), said.get(path));
        }
    }

    #[test]
    fn what_is_shown_may_be_said_again_and_changes_nothing_that_may_not_be(
        known in patient(), contract in contracts(),
    ) {
        let known = fields(&known);
        let again = only_shown(&known, &contract);
        prop_assert_eq!(contract.refused(&again, &[&known]), None);
    }

    #[test]
    fn nobody_finds_out_by_trying_what_is_hidden(known in patient(), contract in contracts()) {
        let known = fields(&known);
        for path in known.paths().filter(|path| !contract.shows(path) && !contract.takes(path)) {
            let mut guess = Fields::default();
            guess.put(path, known.get(path));
            prop_assert_eq!(contract.refused(&guess, &[&known]), Some(path));
        }
    }
}

#[test]
fn who_may_write_only_contact_changes_a_phone_and_never_removes_a_name() {
    let leaf = |json: &str| Leaf::from_json(json).unwrap();
    let (family, phone): (Path, Path) = ("names/any/family".into(), "telecom/phone-any/value".into());
    let mut known = Fields::default();
    known.put(&family, Some(&leaf("\"Moss\"")));
    known.put(&phone, Some(&leaf("\"555-0100\"")));
    let write = Writing {
        kinds: [EventKind::PatientUpdated].into(),
        fields: [FieldGroup::Contact].into(),
    };
    let contract = Contract { write, ..contract() };
    let mut said = Fields::default();
    said.put(&phone, Some(&leaf("\"555-0199\"")));
    assert_eq!(contract.refused(&said, &[&known]), None);
    let whole = contract.complete(&said, &known);
    assert_eq!(known.difference(&whole), [phone.clone()].into());
    assert_eq!(contract.complete(&Fields::default(), &known).get(&phone), None);
    said.put(&family, Some(&leaf("\"Moss\"")));
    assert_eq!(contract.refused(&said, &[&known]), Some(&family));
}

#[test]
fn a_party_is_shown_without_its_record_where_ids_are_hidden() {
    let path = "responsible_parties/guarantor/person".into();
    let with = |fields: &[FieldGroup]| {
        let read = Reading {
            fields: fields.iter().copied().collect(),
            ..Reading::default()
        };
        Contract { read, ..contract() }.shows(&path)
    };
    assert!(!with(&[FieldGroup::ResponsibleParties]));
    assert!(!with(&[FieldGroup::Identifiers]));
    assert!(with(&[FieldGroup::ResponsibleParties, FieldGroup::Identifiers]));
}

#[test]
fn whoever_reads_no_images_is_told_of_none() {
    let mut contract = contract();
    contract.read.kinds = EventKind::ALL.into();
    contract.write.kinds = EventKind::ALL.into();
    for kind in EventKind::ALL {
        assert_eq!(contract.reads(kind), !kind.is_of_an_image());
        assert_eq!(contract.writes(kind), !kind.is_of_an_image());
    }
    contract.images = ImageAccess {
        read: true,
        write: true,
    };
    assert!(
        EventKind::ALL
            .into_iter()
            .all(|kind| contract.reads(kind) && contract.writes(kind))
    );
}

#[test]
fn only_the_widest_contract_needs_no_look_at_what_is_stored() {
    let mut widest = contract();
    widest.read = Reading {
        kinds: EventKind::ALL.into(),
        fields: FieldGroup::ALL.into(),
        source: true,
    };
    widest.images.read = true;
    assert!(widest.shows_everything() && widest.shows_whole_events());
    let narrower = |narrow: fn(&mut Contract)| {
        let mut narrower = widest.clone();
        narrow(&mut narrower);
        (narrower.shows_everything(), narrower.shows_whole_events())
    };
    assert_eq!(narrower(|contract| contract.images.read = false), (false, true));
    assert_eq!(
        narrower(|contract| _ = contract.read.kinds.pop_first()),
        (false, true)
    );
    assert_eq!(narrower(|contract| contract.read.source = false), (false, false));
    assert_eq!(
        narrower(|contract| _ = contract.read.fields.pop_last()),
        (false, false)
    );
    let linked = |contract: &mut Contract| contract.patients = PatientScope::LinkedWith(name("front-desk"));
    assert_eq!(narrower(linked), (false, false));
}

#[test]
fn a_patient_is_in_scope_by_a_record_in_the_named_system() {
    let (front_desk, archive) = (name("front-desk"), name("archive"));
    let linked = Contract {
        patients: PatientScope::LinkedWith(front_desk.clone()),
        ..contract()
    };
    assert!(linked.sees([&archive, &front_desk]));
    assert!(!linked.sees([&archive]));
    assert!(!linked.sees([]));
    assert!(contract().sees([]));
}

#[test]
fn a_suspended_contract_does_not_count_and_is_the_same_contract() {
    let today = "2026-06-01".parse().unwrap();
    let suspended = Contract {
        enabled: false,
        ..contract()
    };
    assert_eq!(contract().holds_at(today), Ok(()));
    assert_eq!(suspended.holds_at(today), Err(NotInForce::Suspended));
    assert_eq!(suspended.holds_at(today).unwrap_err().code(), "vendor_suspended");
    assert_eq!(suspended.digest(), contract().digest());
}

#[test]
fn whatever_was_agreed_otherwise_has_another_digest() {
    let two = NonZeroU32::new(2).unwrap();
    let changes: [fn(&mut Contract); 13] = [
        |contract| contract.grantee.vendor = name("other"),
        |contract| contract.grantee.organization.push('.'),
        |contract| contract.grantee.contact = None,
        |contract| contract.purpose = Purpose::Research,
        |contract| contract.basis.clear(),
        |contract| contract.validity = Validity::default(),
        |contract| contract.read.source = true,
        |contract| contract.read.kinds = [EventKind::PatientCreated].into(),
        |contract| contract.read.fields = [FieldGroup::Name].into(),
        |contract| contract.write.kinds = [EventKind::PatientCreated].into(),
        |contract| contract.write.fields = [FieldGroup::Name].into(),
        |contract| contract.patients = PatientScope::LinkedWith(name("front-desk")),
        |contract| contract.images.read = true,
    ];
    let mut digests: BTreeSet<_> = [contract().digest()].into();
    for change in changes {
        let mut other = contract();
        change(&mut other);
        assert!(digests.insert(other.digest()));
    }
    for pace in [
        Pace {
            streams: two,
            ..Pace::default()
        },
        Pace {
            requests_per_second: two,
            ..Pace::default()
        },
    ] {
        assert!(digests.insert(Contract { pace, ..contract() }.digest()));
    }
    // Audits of years ago name it so.
    assert_eq!(
        contract().digest().to_string(),
        "7491903399df0aac16a59e46d6c1dc59a892560a754db96707e4385f1d6f9973"
    );
}

#[test]
fn a_contract_is_told_in_words() {
    let mut contract = contract();
    contract.read.kinds = [EventKind::PatientUpdated, EventKind::PatientCreated].into();
    contract.read.fields = [FieldGroup::Name, FieldGroup::Demographics].into();
    contract.enabled = false;
    let digest = contract.digest();
    let expected = format!(
        "vendor        ceph-tracer\n\
         who           Example Cephalometry Ltd (privacy@example.com)\n\
         purpose       treatment (TREAT)\n\
         legal basis   Business associate agreement of 2026-01-15\n\
         in force      suspended; else from 2026-01-01 to 2026-12-31, both included\n\
         patients      all\n\
         reads events  created, updated\n\
         reads fields  name, demographics\n\
         source        withheld\n\
         writes events none\n\
         writes fields none\n\
         images        none\n\
         at most       50 requests a second, 16 streams\n\
         digest        {digest}"
    );
    assert_eq!(contract.to_string(), expected);
}

#[test]
fn every_word_is_read_and_every_other_one_is_answered_with_all() {
    for purpose in Purpose::ALL {
        assert_eq!(purpose.as_str().parse(), Ok(purpose));
        assert!(PurposeError.to_string().contains(purpose.as_str()));
    }
    for kind in EventKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
        assert!(crate::EventKindError.to_string().contains(kind.as_str()));
    }
    assert_eq!("care".parse::<Purpose>(), Err(PurposeError));
    assert_eq!("patient".parse::<EventKind>(), Err(crate::EventKindError));
}

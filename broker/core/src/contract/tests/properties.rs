//! For arbitrary patients and contracts: what is hidden is never shown, and what may not be changed is never changed.

use super::{contract, name};
use crate::{
    EventKind, FieldGroup, Fields, Patient, PatientId, PersonReference, Provider, Text,
    contract::{Contract, ImageAccess, Reading, Writing},
    sample,
};
use proptest::{collection::btree_set, prelude::*, sample::select};
use std::collections::BTreeSet;

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
    fn whatever_is_said_of_what_may_not_be_changed_stays_as_it_is_known(
        known in patient(), said in patient(), contract in contracts(),
    ) {
        let (known, said) = (fields(&known), fields(&said));
        let whole = contract.complete(&said, &known);
        for path in known.paths().chain(said.paths()) {
            let from = if contract.takes(path) { &said } else { &known };
            prop_assert_eq!(whole.get(path), from.get(path), "{}", path);
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

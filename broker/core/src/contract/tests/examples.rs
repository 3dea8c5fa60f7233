//! Single contracts: what they let through, their digest and their words.

use super::{contract, name};
use crate::{
    EventKind, FieldGroup, Fields, Leaf, Path,
    contract::{
        Contract, ImageAccess, NotInForce, Pace, PatientScope, Purpose, PurposeError, Reading, Validity,
        Writing,
    },
};
use std::{collections::BTreeSet, num::NonZeroU32};

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
fn who_is_linked_with_itself_and_may_link_opens_patients_itself() {
    let own = contract().grantee.vendor;
    let opens = |patients, kind: Option<EventKind>| {
        let mut contract = Contract {
            patients,
            ..contract()
        };
        contract.write.kinds = kind.into_iter().collect();
        contract.opens_patients_itself()
    };
    let (itself, created) = (PatientScope::LinkedWith(own), Some(EventKind::PatientCreated));
    assert!(opens(itself.clone(), created));
    assert!(opens(itself.clone(), Some(EventKind::PatientUpdated)));
    assert!(!opens(itself.clone(), None) && !opens(itself, Some(EventKind::PatientImaged)));
    assert!(!opens(PatientScope::LinkedWith(name("front-desk")), created));
    assert!(!opens(PatientScope::All, created));
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

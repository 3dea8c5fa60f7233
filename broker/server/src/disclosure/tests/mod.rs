//! Every value of a message is a word of its own that says what it takes to be shown. Whatever a contract does not grant is
//! looked for in the bytes that would be sent.

mod cutting;
mod linked;
mod sample;

use super::{Disclosed, VendorView};
use archwire_core::{
    EventKind, FieldGroup, PatientId, SystemName,
    contract::{Contract, Grantee, ImageAccess, Pace, PatientScope, Purpose, Reading, Validity, Writing},
};
use archwire_proto::v1;
use prost::{Message as _, bytes::Bytes};
use std::sync::Arc;

/// A contract that reads these fields in events of all kinds, images too, of all patients; without the source.
fn reads(fields: impl IntoIterator<Item = FieldGroup>) -> Contract {
    Contract {
        grantee: Grantee {
            vendor: "tracer".parse().unwrap(),
            organization: "Example Cephalometry Ltd".to_owned(),
            contact: None,
        },
        enabled: true,
        purpose: Purpose::Treatment,
        basis: "agreement".to_owned(),
        validity: Validity::default(),
        read: Reading {
            kinds: EventKind::ALL.into(),
            fields: fields.into_iter().collect(),
            source: false,
        },
        write: Writing::default(),
        patients: PatientScope::All,
        images: ImageAccess {
            read: true,
            write: false,
        },
        pace: Pace::default(),
    }
}

/// All sets of groups: 128.
fn all_sets() -> impl Iterator<Item = Vec<FieldGroup>> {
    (0..1_usize << FieldGroup::ALL.len()).map(|set| {
        let groups = FieldGroup::ALL.into_iter().enumerate();
        let chosen = groups.filter(|(bit, _)| set & (1 << bit) != 0);
        chosen.map(|(_, group)| group).collect()
    })
}

fn nobody(_: &SystemName, _: PatientId) -> bool {
    false
}

/// The view of a contract for whom nobody keeps a record of anybody.
fn view(contract: &Contract) -> VendorView {
    VendorView::new(Arc::new(contract.clone()), Arc::new(nobody))
}

fn disclose(contract: &Contract, event: &v1::Event) -> Disclosed {
    disclose_bytes(contract, &event.encode_to_vec().into())
}

fn disclose_bytes(contract: &Contract, stored: &Bytes) -> Disclosed {
    let disclosed = view(contract).event(stored);
    disclosed.unwrap_or_else(|error| panic!("{error}"))
}

fn part(disclosed: Disclosed) -> v1::Event {
    match disclosed {
        Disclosed::Part(event) => *event,
        Disclosed::Whole => panic!("all of it is shown"),
        Disclosed::Withheld => panic!("nothing is shown"),
    }
}

fn is_withheld(disclosed: &Disclosed) -> bool {
    matches!(disclosed, Disclosed::Withheld)
}

/// Whether a word stands in the bytes of a message.
fn tells(message: &impl prost::Message, word: &str) -> bool {
    let bytes = message.encode_to_vec();
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

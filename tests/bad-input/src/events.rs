//! What stands in the log: what of it a contract shows, and that it is read as it was written.

use crate::{
    agreed::{contract, is_about, keeps_record},
    input::Input,
    shown::nothing_else_in_event,
};
use archwire::{
    disclosure::{Disclosed, VendorView},
    wire::{decode_event, decode_review, decode_sighting, encode_event, encode_review, encode_sighting},
};
use archwire_core::contract::Contract;
use archwire_proto::v1;
use bytes::Bytes;
use prost::Message as _;
use std::sync::Arc;

/// Three bytes choose a contract; the rest stands in the log.
pub fn events(input: &[u8]) {
    let mut input = Input::of(input);
    let contract = contract(&mut input);
    let stored = Bytes::copy_from_slice(input.rest());
    is_shown_no_more_than_agreed(&contract, &stored);
    is_written_as_it_was_read(&stored);
}

fn is_shown_no_more_than_agreed(contract: &Contract, stored: &Bytes) {
    let view = VendorView::new(Arc::new(contract.clone()), Arc::new(keeps_record));
    let event = match view.event(stored) {
        Ok(Disclosed::Part(event)) => *event,
        Ok(Disclosed::Whole) => {
            assert!(contract.shows_whole_events(), "all is shown, and not agreed");
            return;
        }
        Ok(Disclosed::Withheld) => return,
        Err(_) => {
            let is_none = v1::Event::decode(stored.clone()).is_err();
            assert!(is_none, "an event is said to be none");
            return;
        }
    };
    nothing_else_in_event(contract, &|id| is_about(contract, id), &event);
    let sent = Bytes::from(event.encode_to_vec());
    assert!(
        sent.len() <= 2 * stored.len() + SLACK,
        "a part is far larger than the whole"
    );
    let again = v1::Event::decode(sent.clone()).expect("what is sent is an event");
    assert!(again == event, "what is sent is read as something else");
    if is_about(contract, &event.patient_id) {
        let Ok(Disclosed::Part(twice)) = view.event(&sent) else {
            panic!("what was shown is not shown any more");
        };
        assert!(*twice == event, "what was cut is cut further");
    }
}

/// How much longer a part may be than twice the whole. Negative numbers in five bytes are written in ten.
const SLACK: usize = 64;

fn is_written_as_it_was_read(stored: &Bytes) {
    if let Ok(event) = decode_event(stored.clone()) {
        let again = decode_event(encode_event(&event));
        assert!(
            again.as_ref() == Ok(&event),
            "an event changes when it is written"
        );
    }
    if let Ok(sighting) = decode_sighting(stored.clone()) {
        let again = decode_sighting(encode_sighting(&sighting));
        assert!(
            again.as_ref() == Ok(&sighting),
            "a sighting changes when it is written"
        );
    }
    if let Ok(item) = decode_review(stored.clone()) {
        let again = decode_review(encode_review(&item));
        assert!(again.as_ref() == Ok(&item), "an item changes when it is written");
    }
}

//! What was agreed with vendors, `tests/contract.txt`, and what the `.proto` files say now: what was agreed is not taken back.
//!
//! The file lists every message, field, number, type and call of `archwire.v1`, a line each, so that a review sees what
//! changes. An addition has to be written there: run the test with `ARCHWIRE_ACCEPT=1` in the environment and look at the
//! difference. A change that breaks a vendor's program ([`rules`]) is not taken that way, but only with
//! `ARCHWIRE_ACCEPT=breaking`: for what no vendor can have yet.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may fail loudly: that is what they are for"
)]

mod descriptors;
mod model;
mod rules;
mod rules_find_what_breaks;
mod text;

use archwire_proto::v1::DESCRIPTORS;
use model::Contract;
use rules::breaches;
use std::{env, fs, path::Path};

#[test]
fn the_contract_is_the_one_that_was_agreed() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract.txt");
    let agreed: Contract = fs::read_to_string(&file).unwrap().parse().unwrap();
    let now = descriptors::contract(DESCRIPTORS, "archwire.v1");
    let accepts = env::var("ARCHWIRE_ACCEPT").unwrap_or_default();
    let breaches = breaches(&agreed, &now);
    if !breaches.is_empty() && accepts != "breaking" {
        let told: Vec<_> = breaches.iter().map(ToString::to_string).collect();
        panic!(
            "programs of vendors break:\n{}\nUndo that, or say it with ARCHWIRE_ACCEPT=breaking where no vendor can have it yet",
            told.join("\n")
        );
    }
    if !accepts.is_empty() {
        fs::write(&file, now.to_string()).unwrap();
        return;
    }
    assert!(
        agreed == now,
        "archwire.v1 has more than tests/contract.txt; after a look at it, run this test with ARCHWIRE_ACCEPT=1"
    );
}

#[test]
fn the_text_of_a_contract_says_all_of_it() {
    let now = descriptors::contract(DESCRIPTORS, "archwire.v1");
    assert!(now.messages.len() > 50 && now.enums.len() > 10 && now.calls.len() > 5);
    assert!(now.to_string().parse::<Contract>().unwrap() == now);
}

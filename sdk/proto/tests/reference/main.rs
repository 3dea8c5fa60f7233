//! `sdk/REFERENCE.md` is made of the comments in the `.proto` files: every call, and every message and enum that one of them, or
//! an event, leads to. `cargo xtask reference` writes it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail loudly: that is what they are for"
)]

mod comments;
mod page;
mod text;

use archwire_proto::v1::DESCRIPTORS;
use page::Page;
use std::{env, fs, path::Path};

#[test]
fn the_reference_says_what_the_protos_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../REFERENCE.md");
    let page = Page::of(DESCRIPTORS, "archwire.v1").to_string();
    if env::var_os("ARCHWIRE_ACCEPT").is_some() {
        fs::write(&file, &page).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == page,
        "sdk/REFERENCE.md is not what the .proto files say; run: cargo xtask reference"
    );
}

#[test]
fn nothing_that_a_vendor_meets_is_without_a_word() {
    let page = Page::of(DESCRIPTORS, "archwire.v1");
    assert_eq!(page.undocumented(), [""; 0]);
}

#[test]
fn what_no_call_leads_to_is_left_out_and_what_events_hold_is_there() {
    let page = Page::of(DESCRIPTORS, "archwire.v1").to_string();
    for heading in [
        "### Subscribe",
        "### Observation",
        "### Event",
        "### EventKind",
        "### Image",
    ] {
        assert!(page.contains(&format!("\n{heading}\n")), "{heading}");
    }
    assert!(
        !page.contains("\n### ReviewItem\n"),
        "the review is the practice's own"
    );
}

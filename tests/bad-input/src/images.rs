//! Files: what the bus makes of them before they are anybody's image.

use crate::{input::Input, requests::is_written_as_it_was_read};
use archwire::{
    imaging::{Excerpt, HEAD_BYTES, TAIL_BYTES, contradicts, describe, dicom, photo},
    wire::{read_patient, write_patient},
};
use archwire_core::{Digest, ImageAbout, ImageClaim};

/// What a sender may say of the kind.
const KINDS: [Option<&str>; 6] = [
    None,
    Some("application/dicom"),
    Some("image/jpeg"),
    Some("image/png"),
    Some("application/pdf"),
    Some("a kind that nobody knows"),
];

/// A byte says what the sender claims, another how many times larger the file is than what comes of it; the rest is the file.
pub fn images(input: &[u8]) {
    let mut input = Input::of(input);
    let content_type = input.one_of(&KINDS).map(str::to_owned);
    let times = u64::from(input.byte());
    let head = input.rest();
    let size = head.len() as u64;
    let size = size.saturating_mul(times.max(1));
    let excerpt = Excerpt {
        head: head.get(..HEAD_BYTES).unwrap_or(head),
        tail: head
            .get(head.len().saturating_sub(TAIL_BYTES)..)
            .unwrap_or_default(),
        size,
        digest: Digest::of(head),
    };
    let claim = ImageClaim {
        study: None,
        series: None,
        instance: None,
        content_type,
        about: ImageAbout::default(),
    };
    let patient = "019a8f30-8d5e-7c31-b5a5-02d1f0a4c001";
    let patient = patient.parse().expect("it is an id");
    _ = dicom::read(&excerpt);
    _ = (photo::jpeg(head), photo::png(head));
    let Ok(described) = describe(claim, &excerpt, patient) else {
        return;
    };
    assert!(described.image.file.size == size);
    is_written_as_it_was_read(&described.image);
    let Some(named) = described.named else {
        return;
    };
    // Held images are stored with whom they name.
    let again = read_patient(write_patient(&named));
    assert!(
        again.as_ref() == Ok(&named),
        "whom a file names changes when it is written"
    );
    assert!(
        contradicts(&named, &named).is_empty(),
        "somebody cannot be oneself"
    );
}

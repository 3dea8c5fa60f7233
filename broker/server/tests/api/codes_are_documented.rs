//! Every code that a vendor can be answered stands in the guide for vendors, once in each table it belongs to.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Where codes for vendors are written.
const SOURCES: [&str; 6] = [
    "src/api",
    "src/vendors",
    "src/registry/outcome.rs",
    "../core/src/contract/validity.rs",
    "../nats/src/images/error.rs",
    "../nats/src/records/error.rs",
];
/// Words there that are written alike and are no codes for vendors: fields, and what the log and people hear.
const OTHERS: [&str; 12] = [
    "birth_date",
    "cut_off",
    "image_stored",
    "image_taken",
    "in_review",
    "instance_uid",
    "local_id",
    "observed_at",
    "page_token",
    "patient_id",
    "record_local_id",
    "shoe_size",
];
/// How codes begin that only the log and people hear.
const HEARD_ELSEWHERE: [&str; 8] = [
    "api_",
    "tls_",
    "review_",
    "merge_",
    "unmerge_",
    "address_",
    "connections_",
    "image_piece",
];

fn files(place: &Path, found: &mut Vec<PathBuf>) {
    if place.is_file() {
        found.push(place.to_owned());
        return;
    }
    for entry in fs::read_dir(place).unwrap() {
        files(&entry.unwrap().path(), found);
    }
}

/// Words such as `cursor_invalid` that stand in quotation marks.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').filter(|word| {
        let is_word = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
        word.contains('_') && word.split('_').all(is_word)
    })
}

#[test]
fn every_code_stands_in_the_guide() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("../../sdk/README.md")).unwrap();
    let errors = guide.split("## Errors").nth(1).unwrap();
    let mut sources = Vec::new();
    for place in SOURCES {
        files(&root.join(place), &mut sources);
    }
    let mut codes = BTreeSet::new();
    for source in sources {
        let text = fs::read_to_string(&source).unwrap();
        let own = text.split("#[cfg(test)]").next().unwrap();
        codes.extend(words(own).map(str::to_owned));
    }
    codes.retain(|code| {
        let is_elsewhere = HEARD_ELSEWHERE.iter().any(|start| code.starts_with(start));
        !OTHERS.contains(&code.as_str()) && !is_elsewhere
    });
    assert!(codes.len() > 50, "the codes are written in another way now");
    let missing: Vec<_> = codes
        .iter()
        .filter(|code| !errors.contains(&format!("`{code}`")))
        .collect();
    assert!(missing.is_empty(), "not in the guide for vendors: {missing:?}");
}

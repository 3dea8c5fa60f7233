//! The second stage of `[vendors]`: who may speak to the bus, and the contract that each has.
//!
//! A contract grants what it says and nothing else. What it has to say (with whom, what for, on what basis, of whom) has no
//! default; what it may say has the default that nothing is granted.

use super::{
    certificates::{self, certificates},
    check::{Check, nearest},
    model::{Owns, Vendor},
    owns::{group, owns},
    problem::ProblemKind,
    raw::{RawConfig, RawVendor},
    secrets::read_secret,
    systems::{name, whole},
};
use archwire_core::{
    EventKind, FieldGroup, SystemName,
    contract::{
        Contract, Day, Grantee, ImageAccess, Pace, PatientScope, Purpose, Reading, Validity, Writing,
    },
};
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    ops::RangeInclusive,
};

/// Length of a vendor's token, in characters.
const TOKEN: RangeInclusive<usize> = 32..=4096;
const REQUESTS_PER_SECOND: RangeInclusive<usize> = 1..=10_000;
const STREAMS: RangeInclusive<usize> = 1..=4096;

/// Parses `[vendors]`. `known` are the names of all systems and vendors.
pub(super) fn vendors(
    check: &mut Check<'_>,
    raw: BTreeMap<String, RawVendor>,
    known: &[String],
) -> Option<BTreeMap<SystemName, Vendor>> {
    let mut seen: Vec<(String, SecretString)> = Vec::new();
    let mut seen_certificates = certificates::Seen::new();
    let parse = |(written, mut raw): (String, RawVendor)| {
        let key = format!("vendors.{written}");
        let name = name(check, &key, &written);
        let owns = owns(check, &key, raw.owns.take(), raw.on_disagreement.take());
        let token = token(check, &key, &raw, &mut seen);
        let certificates = certificates(
            check,
            &key,
            raw.client_certificates.take(),
            &mut seen_certificates,
        );
        let contract = contract(check, &key, name.clone(), raw, known);
        if let (Some(owns), Some(contract)) = (&owns, &contract) {
            owns_what_it_writes(check, &key, owns, contract);
        }
        let vendor = Vendor {
            token: token?,
            certificates: certificates?,
            owns: owns?,
            contract: contract?,
        };
        Some((name?, vendor))
    };
    whole(raw.into_iter().map(parse))
}

/// Notes every name that is both a system and a vendor.
pub(super) fn same_names(check: &mut Check<'_>, raw: &RawConfig) {
    for name in raw.vendors.keys().filter(|name| raw.systems.contains_key(*name)) {
        let what = format!("systems.{name} has the same name");
        let way_out = "systems and vendors share one space of names, because the log says by name who did what: rename one";
        check.problem(&format!("vendors.{name}"), ProblemKind::Conflict, what, way_out);
    }
}

/// The token of a vendor, where it has one.
fn token(
    check: &mut Check<'_>,
    key: &str,
    raw: &RawVendor,
    seen: &mut Vec<(String, SecretString)>,
) -> Option<Option<SecretString>> {
    let token_key = format!("{key}.token");
    let Some(reference) = &raw.token else {
        return Some(None);
    };
    let token = read_secret(check, &token_key, reference)?;
    let text = token.expose_secret();
    if !TOKEN.contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let what = "is not 32 to 4096 characters of printable ASCII without spaces";
        check.problem(
            &token_key,
            ProblemKind::Secret,
            what,
            "make one: openssl rand -hex 32",
        );
        return None;
    }
    let same = |(_, seen): &&(String, SecretString)| seen.expose_secret() == text;
    if let Some((other, _)) = seen.iter().find(same) {
        let what = format!("is the same as that of {other}");
        let way_out = "the token tells vendors apart: give each its own";
        check.problem(&token_key, ProblemKind::Conflict, what, way_out);
    }
    seen.push((key.to_owned(), token.clone()));
    Some(Some(token))
}

/// The contract of the vendor whose table is `key`.
pub(super) fn contract(
    check: &mut Check<'_>,
    key: &str,
    name: Option<SystemName>,
    raw: RawVendor,
    known: &[String],
) -> Option<Contract> {
    let at = |field: &str| format!("{key}.{field}");
    let way_out = "say who answers for the program: organization = \"Example Cephalometry Ltd\"";
    let organization = check.required(&at("organization"), raw.organization, way_out);
    let organization =
        organization.and_then(|text| line(check, &at("organization"), text, Contract::LONGEST_ORGANIZATION));
    let contact = optional(raw.contact, |text| {
        line(check, &at("contact"), text, Contract::LONGEST_CONTACT)
    });
    let way_out = "say what for: purpose = \"treatment\"";
    let written = check.required(&at("purpose"), raw.purpose, way_out);
    let purpose = written.and_then(|written| {
        word(
            check,
            &at("purpose"),
            &written,
            "purpose",
            &Purpose::ALL.map(Purpose::as_str),
        )
    });
    let way_out = "say what allows it, so that a patient who asks can be told: legal-basis = \"Business associate agreement of 2026-01-15\"";
    let basis = check.required(&at("legal-basis"), raw.legal_basis, way_out);
    let basis = basis.and_then(|text| line(check, &at("legal-basis"), text, Contract::LONGEST_BASIS));
    let from = optional(raw.valid_from, |text| day(check, &at("valid-from"), &text));
    let until = optional(raw.valid_until, |text| day(check, &at("valid-until"), &text));
    let validity = match (from, until) {
        (Some(from), Some(until)) => validity(check, &at("valid-until"), from, until),
        _ => None,
    };
    let images = images(check, &at("images"), raw.images.unwrap_or_default());
    let read_kinds = kinds(check, &at("read-kinds"), raw.read_kinds.unwrap_or_default());
    let read_fields = groups(check, &at("read-fields"), raw.read_fields.unwrap_or_default());
    let write_kinds = kinds(check, &at("write-kinds"), raw.write_kinds.unwrap_or_default());
    let write_fields = groups(check, &at("write-fields"), raw.write_fields.unwrap_or_default());
    if let (Some(images), Some(read), Some(write)) = (images, &read_kinds, &write_kinds) {
        images_are_granted(check, &at("read-kinds"), read, images.read, "read");
        images_are_granted(check, &at("write-kinds"), write, images.write, "write");
        nobody_parts(check, &at("write-kinds"), write);
    }
    let patients = patients(check, key, raw.patients, raw.linked_with, known);
    let pace = pace(check, key, raw.requests_per_second, raw.streams);
    Some(Contract {
        grantee: Grantee {
            vendor: name?,
            organization: organization?,
            contact: contact?,
        },
        enabled: raw.enabled.unwrap_or(true),
        purpose: purpose?.parse().ok()?,
        basis: basis?,
        validity: validity?,
        read: Reading {
            kinds: read_kinds?,
            fields: read_fields?,
            source: raw.read_source.unwrap_or(false),
        },
        write: Writing {
            kinds: write_kinds?,
            fields: write_fields?,
        },
        patients: patients?,
        images: images?,
        pace: pace?,
    })
}

/// What is not written is none; what is written has to be good.
fn optional<T, U>(written: Option<T>, parse: impl FnOnce(T) -> Option<U>) -> Option<Option<U>> {
    match written {
        Some(written) => parse(written).map(Some),
        None => Some(None),
    }
}

/// One line of text that goes to terminals and into accounts of disclosures.
fn line(check: &mut Check<'_>, key: &str, text: String, longest: usize) -> Option<String> {
    let good = !text.trim().is_empty() && text.len() <= longest && !text.contains(char::is_control);
    if !good {
        let what = format!("is not one line of 1 to {longest} bytes");
        check.value(key, what, "write it shorter, without line ends");
    }
    good.then_some(text)
}

/// One of some words.
fn word<'a>(
    check: &mut Check<'_>,
    key: &str,
    written: &str,
    what: &str,
    words: &[&'a str],
) -> Option<&'a str> {
    let known = words.iter().copied().find(|word| *word == written);
    if known.is_none() {
        let way_out = match nearest(written, words.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("write one of {}", words.join(", ")),
        };
        check.value(key, format!("\"{written}\" is no {what}"), way_out);
    }
    known
}

fn day(check: &mut Check<'_>, key: &str, written: &str) -> Option<Day> {
    let parsed = written.parse::<Day>();
    if parsed.is_err() {
        let way_out = "write a day of the calendar: \"2026-01-31\"";
        check.value(key, format!("\"{written}\" is no day"), way_out);
    }
    parsed.ok()
}

fn validity(check: &mut Check<'_>, key: &str, from: Option<Day>, until: Option<Day>) -> Option<Validity> {
    let validity = Validity::new(from, until);
    if let Err(error) = validity {
        let way_out = "both days are included; the first one is not after the last one";
        check.problem(key, ProblemKind::Conflict, error.to_string(), way_out);
    }
    validity.ok()
}

fn kinds(check: &mut Check<'_>, key: &str, written: Vec<String>) -> Option<BTreeSet<EventKind>> {
    let words = EventKind::ALL.map(EventKind::as_str);
    let kinds: Vec<Option<EventKind>> = written
        .iter()
        .enumerate()
        .map(|(index, written)| {
            word(
                check,
                &format!("{key}[{index}]"),
                written,
                "kind of event",
                &words,
            )?
            .parse()
            .ok()
        })
        .collect();
    kinds.into_iter().collect()
}

fn groups(check: &mut Check<'_>, key: &str, written: Vec<String>) -> Option<BTreeSet<FieldGroup>> {
    let groups: Vec<_> = written
        .iter()
        .enumerate()
        .map(|(index, word)| group(check, &format!("{key}[{index}]"), word))
        .collect();
    groups.into_iter().collect()
}

fn images(check: &mut Check<'_>, key: &str, written: Vec<String>) -> Option<ImageAccess> {
    let words: Vec<_> = written
        .iter()
        .enumerate()
        .map(|(index, written)| {
            word(
                check,
                &format!("{key}[{index}]"),
                written,
                "access to images",
                &["read", "write"],
            )
        })
        .collect();
    let words: Vec<_> = words.into_iter().collect::<Option<_>>()?;
    Some(ImageAccess {
        read: words.contains(&"read"),
        write: words.contains(&"write"),
    })
}

/// Notes kinds of events of images where no images are granted: whoever wrote them believes that they are.
fn images_are_granted(
    check: &mut Check<'_>,
    key: &str,
    kinds: &BTreeSet<EventKind>,
    granted: bool,
    word: &str,
) {
    let of_images = kinds.iter().find(|kind| kind.is_of_an_image());
    if let (Some(kind), false) = (of_images, granted) {
        let what = format!("has \"{}\", but images are not granted", kind.as_str());
        let way_out = format!("write images = [\"{word}\"] beside it, or remove it");
        check.problem(key, ProblemKind::Conflict, what, way_out);
    }
}

/// Nobody but a person of the practice parts patients.
fn nobody_parts(check: &mut Check<'_>, key: &str, kinds: &BTreeSet<EventKind>) {
    if kinds.contains(&EventKind::PatientUnmerged) {
        let way_out = "remove it; a person of the practice does that";
        check.value(key, "has \"unmerged\", which no vendor can write", way_out);
    }
}

/// Notes groups that a vendor is right about and may not write.
fn owns_what_it_writes(check: &mut Check<'_>, key: &str, owns: &Owns, contract: &Contract) {
    let missing = owns.groups.difference(&contract.write.fields).next();
    if let Some(group) = missing {
        let what = format!("has \"{group}\", which is not in its write-fields");
        let way_out =
            "who is right about something has to be able to say it: add it there, or remove it here";
        check.problem(&format!("{key}.owns"), ProblemKind::Conflict, what, way_out);
    }
}

fn patients(
    check: &mut Check<'_>,
    key: &str,
    written: Option<String>,
    linked_with: Option<String>,
    known: &[String],
) -> Option<PatientScope> {
    let (key, linked_key) = (format!("{key}.patients"), format!("{key}.linked-with"));
    let way_out = "say of whom: patients = \"all\", or \"linked\" with linked-with = \"NAME\"";
    let written = check.required(&key, written, way_out)?;
    let scope = word(check, &key, &written, "choice of patients", &["all", "linked"])?;
    match (scope, linked_with) {
        ("linked", linked_with) => {
            let way_out = "name the system whose records tell: linked-with = \"front-desk\"";
            let written = check.required(&linked_key, linked_with, way_out)?;
            let names: Vec<_> = known.iter().map(String::as_str).collect();
            let system = word(check, &linked_key, &written, "system or vendor", &names)?;
            // Where it is no name, its own table has the problem.
            system.parse().ok().map(PatientScope::LinkedWith)
        }
        (_, Some(_)) => {
            let way_out = "write patients = \"linked\", or remove it";
            let what = "names a system, but the contract is about all patients";
            check.problem(&linked_key, ProblemKind::Conflict, what, way_out);
            None
        }
        (_, None) => Some(PatientScope::All),
    }
}

fn pace(check: &mut Check<'_>, key: &str, requests: Option<i64>, streams: Option<i64>) -> Option<Pace> {
    let mut number = |field: &str, written: Option<i64>, bounds, default| match written {
        Some(written) => {
            let number = check.number(&format!("{key}.{field}"), written, bounds)?;
            NonZeroU32::new(u32::try_from(number).ok()?)
        }
        None => Some(default),
    };
    let default = Pace::default();
    let requests = number(
        "requests-per-second",
        requests,
        REQUESTS_PER_SECOND,
        default.requests_per_second,
    );
    let streams = number("streams", streams, STREAMS, default.streams);
    Some(Pace {
        requests_per_second: requests?,
        streams: streams?,
    })
}

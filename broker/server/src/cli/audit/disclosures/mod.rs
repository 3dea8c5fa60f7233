//! `archwire audit disclosures`: the accounting of disclosures that a practice owes its patient, for a person to read, for a table,
//! or as FHIR. It is written as it comes, and only what came to its end is an accounting: anything else ends with an error.

mod csv;
mod fhir;
mod text;

use super::{arguments::DisclosuresArgs, midnight};
use crate::{
    audit::Action,
    cli::{
        asking::{AskError, broker},
        json,
    },
};
use archwire_core::contract::Purpose;
use archwire_proto::{
    admin::v1::{AccountDisclosuresRequest, AuditRecord, GetAuditKeyRequest, Person},
    v1::EventKind,
};
use clap::ValueEnum;
use jiff::ToSpan as _;
use std::{collections::BTreeMap, io::Write, time::SystemTime};

/// How an accounting is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Format {
    /// For a person to read.
    #[default]
    Text,
    /// A table: RFC 4180, with a line of headings.
    Csv,
    /// FHIR R4 AuditEvent, one resource a line (NDJSON).
    Fhir,
}

/// Something that was told.
struct Told<'a> {
    /// Place in the audit.
    place: u64,
    practice: &'a str,
    record: &'a AuditRecord,
}

/// Gives out the accounting; it goes to `out`.
pub(super) async fn run(arguments: DisclosuresArgs, out: &mut impl Write) -> Result<(), AskError> {
    let (patient, format) = (arguments.patient.to_string(), arguments.format);
    let is_json = arguments.asking.json;
    let mut broker = broker(&arguments.asking).await?;
    let practice = broker
        .get_audit_key(GetAuditKeyRequest {})
        .await?
        .into_inner()
        .practice;
    let request = AccountDisclosuresRequest {
        patient_id: patient.clone(),
        since: arguments.since.and_then(midnight),
        until: arguments
            .until
            .and_then(|day| midnight(day.saturating_add(1.day()))),
        person: arguments.by.map(|name| Person { name }),
    };
    let mut answers = broker.account_disclosures(request).await?.into_inner();
    if !is_json {
        match format {
            Format::Text => text::begin(out, &patient, &practice)?,
            Format::Csv => csv::begin(out)?,
            Format::Fhir => {}
        }
    }
    let (mut count, mut end) = (0_u64, None);
    while let Some(answer) = answers.message().await? {
        let Some(record) = &answer.record else {
            end = Some(answer);
            continue;
        };
        count += 1;
        let told = Told {
            place: answer.sequence,
            practice: &practice,
            record,
        };
        if is_json {
            json::write(out, &json::audit_record(told.place, record))?;
            continue;
        }
        match format {
            Format::Text => text::write(out, &told)?,
            Format::Csv => csv::write(out, &told)?,
            Format::Fhir => json::write(out, &fhir::audit_event(&told))?,
        }
    }
    let end = end.ok_or(AskError::CutShort)?;
    if !is_json && format == Format::Text {
        let known_since = end.known_since.and_then(|at| SystemTime::try_from(at).ok());
        text::end(out, count, known_since)?;
    }
    Ok(())
}

impl Told<'_> {
    fn is(&self, action: Action) -> bool {
        self.record.action == action.as_str()
    }

    /// Whether it is only known that it may have been told.
    fn is_presumed(&self) -> bool {
        self.is(Action::Presumed)
    }

    /// The organization.
    fn recipient(&self) -> &str {
        match self.record.recipient.as_str() {
            "" => self.vendor(),
            recipient => recipient,
        }
    }

    fn vendor(&self) -> &str {
        self.record.vendor.as_deref().unwrap_or_default()
    }

    /// What was told, in words.
    fn what(&self) -> String {
        if self.is(Action::ToldPatient) {
            return "the patient's record".to_owned();
        }
        if self.is(Action::ToldFound) {
            return "the patient's record, as one who was looked for".to_owned();
        }
        if self.is(Action::ToldImage) {
            return "an image".to_owned();
        }
        let events = self.events();
        match self.is(Action::ToldEvents) {
            true => format!("the patient's history: {events}"),
            false => format!("events: {events}"),
        }
    }

    /// What happened of which the vendor was told, and how often: "updated (2), imaged".
    fn events(&self) -> String {
        let mut counted = BTreeMap::<&str, u32>::new();
        for event in &self.record.events {
            *counted.entry(word(event.kind())).or_default() += 1;
        }
        let words = counted.into_iter().map(|(word, count)| match count {
            1 => word.to_owned(),
            count => format!("{word} ({count})"),
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// The field groups that the vendor may read.
    fn fields(&self) -> String {
        match (self.record.groups.is_empty(), self.record.contract.is_empty()) {
            (false, _) => self.record.groups.join(", "),
            (true, false) => "none".to_owned(),
            (true, true) => "all".to_owned(),
        }
    }

    /// The purpose that the contract names, and its code.
    fn purpose(&self) -> Option<(Purpose, &str)> {
        let code = self.record.purpose.as_str();
        let purpose = Purpose::ALL.into_iter().find(|purpose| purpose.code() == code);
        Some((purpose?, code))
    }
}

/// As contracts call what happened.
fn word(kind: EventKind) -> &'static str {
    match kind {
        EventKind::PatientCreated => "created",
        EventKind::PatientUpdated => "updated",
        EventKind::PatientMerged => "merged",
        EventKind::PatientUnmerged => "unmerged",
        EventKind::PatientImaged => "imaged",
        EventKind::ImageAmended => "image-amended",
        EventKind::ImageRetracted => "image-retracted",
        EventKind::Unspecified => "unknown",
    }
}

#[cfg(test)]
pub(in crate::cli) mod samples {
    use super::*;
    use archwire_proto::admin::v1::AuditedEvent;

    pub(super) const PATIENT: &str = "019a8f30-8d5e-7c31-b5a5-02d1f0a4c001";

    /// What a subscription brought under a contract.
    pub(super) fn sent(action: &str) -> AuditRecord {
        let event = |sequence, kind: EventKind| AuditedEvent {
            sequence,
            patient: 0,
            kind: kind.into(),
        };
        AuditRecord {
            at: Some(prost_types::Timestamp {
                seconds: 1_795_372_200,
                nanos: 5_000_000,
            }),
            action: action.to_owned(),
            vendor: Some("tracer".to_owned()),
            recipient: "Example Cephalometry Ltd".to_owned(),
            purpose: "TREAT".to_owned(),
            basis: "=Agreement \"A\", of 2026".to_owned(),
            contract: vec![7; 32].into(),
            groups: vec!["name".to_owned(), "demographics".to_owned()],
            subscription: "main".to_owned(),
            patient_ids: vec![PATIENT.to_owned()],
            events: vec![
                event(4, EventKind::PatientUpdated),
                event(6, EventKind::PatientImaged),
                event(7, EventKind::PatientUpdated),
            ],
            ..AuditRecord::default()
        }
    }

    pub(super) fn told(record: &AuditRecord) -> Told<'_> {
        Told {
            place: 12,
            practice: "maple-street",
            record,
        }
    }
}

//! What vendors are told, on its way into the audit.
//!
//! What a single call tells is stored before it is answered. What a subscription brings is handed over before it goes out and stored
//! a moment later: nothing waits for that, unless [`MOST_BEHIND`] events do. If the broker is killed in that moment, the next start
//! presumes ([`Audit::presume`]): of each subscription that was being read, it writes down the events that may have gone out and are not in the audit. How
//! many may, and how far in the log, is stored before they do, a few at first and then up to [`MOST_ALLOWED`] at a time and
//! [`MOST_AHEAD`] records further: of a subscription that nothing could be sent to, nothing is presumed. Where it is not known which
//! events were for the vendor, because its contract is another one by now or it had asked for less, all of that part of the log are
//! presumed. So the accounting tells rather more than less, and not much more.

use super::{
    Action, Audit, AuditError, ITSELF, MOST_PATIENTS,
    streams::{self, Sent},
    writer::{Later, MOST_PENDING},
};
use archwire_core::{
    ImageId, PatientId, Subject, SystemName,
    contract::{Contract, ContractDigest},
};
use archwire_nats::Stored;
use archwire_proto::{admin::v1::AuditRecord, v1::EventKind};
use std::fmt;
use tokio::runtime::Handle;

/// Events that may have gone out to vendors and are not in the audit yet: in the queue, with the writer, in the block on its way.
pub const MOST_BEHIND: usize = super::QUEUE + 2 * MOST_PENDING;

/// Events of a subscription that are let go out by one record at first, which doubles up to
const FIRST_ALLOWED: u32 = 16;
/// so many.
const MOST_ALLOWED: u32 = 1024;
/// And of so many records of the log.
const MOST_AHEAD: u64 = 4096;

/// To whom something is told, and on which terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The vendor's name in the configuration.
    pub vendor: SystemName,
    /// The organization that the contract names.
    pub recipient: String,
    /// What for, as a word of HL7's PurposeOfUse.
    pub purpose: String,
    /// On what grounds, as the contract says.
    pub basis: String,
    /// Which contract, by its digest.
    pub contract: ContractDigest,
    /// The field groups that are told, as words, and `source` where the source's record goes along.
    pub groups: Vec<String>,
    /// Whether a subscription asks for less than the contract shows, of events or of patients.
    pub filtered: bool,
}

impl Terms {
    /// Of a vendor's contract: what it may read is what it is told.
    #[must_use]
    pub fn of(contract: &Contract) -> Self {
        let groups = contract.read.fields.iter();
        let source = contract.read.source.then(|| "source".to_owned());
        Self {
            vendor: contract.grantee.vendor.clone(),
            recipient: contract.grantee.organization.clone(),
            purpose: contract.purpose.code().to_owned(),
            basis: contract.basis.clone(),
            contract: contract.digest(),
            groups: groups
                .map(|group| group.as_str().to_owned())
                .chain(source)
                .collect(),
            filtered: false,
        }
    }

    pub(super) fn write(&self, action: Action) -> AuditRecord {
        AuditRecord {
            program: ITSELF.to_owned(),
            action: action.as_str().to_owned(),
            vendor: Some(self.vendor.to_string()),
            recipient: self.recipient.clone(),
            purpose: self.purpose.clone(),
            basis: self.basis.clone(),
            contract: self.contract.as_bytes().to_vec().into(),
            groups: self.groups.clone(),
            ..AuditRecord::default()
        }
    }
}

/// What a call is about to tell.
pub struct Disclosure<'a> {
    /// To whom.
    pub terms: &'a Terms,
    /// What.
    pub told: Told,
}

/// What is told.
pub enum Told {
    /// A patient as he or she is now.
    Patient(PatientId),
    /// Patients who were looked for.
    Found(Vec<PatientId>),
    /// Events of a patient, by their places in the log and their kinds.
    Events(PatientId, Vec<(u64, EventKind)>),
    /// An image and its bytes.
    Image(PatientId, ImageId),
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.action().as_str())
    }
}

impl Told {
    fn action(&self) -> Action {
        match self {
            Self::Patient(_) => Action::ToldPatient,
            Self::Found(_) => Action::ToldFound,
            Self::Events(..) => Action::ToldEvents,
            Self::Image(..) => Action::ToldImage,
        }
    }

    /// What is written: `record`, and about whom.
    fn records(self, record: AuditRecord) -> Vec<AuditRecord> {
        match self {
            Self::Patient(patient) => vec![AuditRecord {
                patient_ids: vec![patient.to_string()],
                ..record
            }],
            Self::Image(patient, image) => vec![AuditRecord {
                patient_ids: vec![patient.to_string()],
                image: Some(image.to_string()),
                ..record
            }],
            Self::Events(patient, events) => {
                let sent = |(sequence, kind)| Sent {
                    sequence,
                    patient,
                    kind,
                };
                let events: Vec<_> = events.into_iter().map(sent).collect();
                let parts = streams::sent(Action::ToldEvents, 0, &record, &events);
                parts
                    .map(|part| AuditRecord {
                        patient_ids: part.patient_ids,
                        events: part.events,
                        through: part.through,
                        ..record.clone()
                    })
                    .collect()
            }
            Self::Found(patients) => {
                let parts = patients.chunks(MOST_PATIENTS);
                parts
                    .map(|part| AuditRecord {
                        patient_ids: part.iter().map(ToString::to_string).collect(),
                        ..record.clone()
                    })
                    .collect()
            }
        }
    }
}

/// What a CloudEvents type says.
#[must_use]
pub fn kind_of(stored: &Stored) -> EventKind {
    match stored.kind.as_str() {
        "archwire.patient.created.v1" => EventKind::PatientCreated,
        "archwire.patient.updated.v1" => EventKind::PatientUpdated,
        "archwire.patient.merged.v1" => EventKind::PatientMerged,
        "archwire.patient.unmerged.v1" => EventKind::PatientUnmerged,
        "archwire.patient.imaged.v1" => EventKind::PatientImaged,
        "archwire.image.amended.v1" => EventKind::ImageAmended,
        "archwire.image.retracted.v1" => EventKind::ImageRetracted,
        _ => EventKind::Unspecified,
    }
}

impl Audit {
    /// Writes down what a vendor is about to be told. Success means that it is stored.
    ///
    /// # Errors
    /// When it is not, or that is unknown: then nothing may be told.
    pub async fn disclosed(&self, disclosure: Disclosure<'_>) -> Result<(), AuditError> {
        let record = disclosure.terms.write(disclosure.told.action());
        let records = disclosure.told.records(record);
        self.0
            .budget
            .records(disclosure.terms.vendor.as_str(), &records)?;
        for record in records {
            self.append(record).await?;
        }
        Ok(())
    }

    /// Writes down that a vendor begins to read a subscription behind this place of the log. Success means that it is stored;
    /// what goes out has to be handed to what is returned first.
    ///
    /// # Errors
    /// When it is not, or that is unknown: then nothing may go out.
    pub async fn disclosing(
        &self,
        terms: &Terms,
        subscription: &str,
        after: u64,
    ) -> Result<Disclosing, AuditError> {
        let record = AuditRecord {
            subscription: subscription.to_owned(),
            through: after,
            filtered: terms.filtered,
            ..terms.write(Action::Opened)
        };
        // What opens it is repeated with each checkpoint, and closed again.
        let vendor = terms.vendor.as_str();
        self.0.budget.records(vendor, &[record.clone(), record.clone()])?;
        let audit = self.clone();
        // In a task of its own, so that a call that is given up meanwhile leaves nothing open: what comes of it is dropped, and thereby
        // closed.
        let opening = tokio::spawn(async move {
            let stream = audit.order(record.clone(), true).await?;
            Ok(Disclosing {
                audit,
                opened: record,
                stream,
                through: after,
                allowance: Allowance::default(),
                is_open: true,
            })
        });
        opening.await.unwrap_or(Err(AuditError::Closed))
    }
}

pub(super) fn sent(stored: &Stored) -> Option<Sent> {
    match stored.subject {
        Subject::Patient(patient) => Some(Sent {
            sequence: stored.sequence,
            patient,
            kind: kind_of(stored),
        }),
        _ => None,
    }
}

/// How many events may go out before it is stored that more may.
#[derive(Default)]
struct Allowance {
    left: u32,
    next: u32,
    /// Up to this place of the log.
    bound: u64,
}

/// A subscription that is being read. To be closed when it is not any more.
pub struct Disclosing {
    audit: Audit,
    opened: AuditRecord,
    stream: u64,
    through: u64,
    allowance: Allowance,
    is_open: bool,
}

impl Disclosing {
    /// Hands over an event that is about to go out. Waits until it is stored that so many may, which is now and then, and while too
    /// much waits to be stored.
    ///
    /// # Errors
    /// When the audit is closed, or does not store that: then the event may not go out.
    pub async fn event(&mut self, stored: &Stored) -> Result<(), AuditError> {
        let Some(event) = sent(stored) else {
            return Ok(());
        };
        if self.allowance.left == 0 || stored.sequence > self.allowance.bound {
            self.allow(stored.sequence).await?;
        }
        let stream = self.stream;
        self.audit.hand_over(Later::Sent { stream, event }).await?;
        self.allowance.left = self.allowance.left.saturating_sub(1);
        // One that came again is no step back.
        self.through = self.through.max(stored.sequence);
        Ok(())
    }

    /// Has it stored that more may go out: few at first, so that of a subscription that was sent little, little is presumed.
    async fn allow(&mut self, sequence: u64) -> Result<(), AuditError> {
        let next = self.allowance.next.clamp(FIRST_ALLOWED, MOST_ALLOWED);
        let bound = sequence.saturating_add(MOST_AHEAD);
        let record = AuditRecord {
            count: next,
            bound,
            ..streams::of(Action::Allowed, self.stream, &self.opened)
        };
        let vendor = self.opened.vendor.as_deref().unwrap_or_default();
        self.audit.0.budget.events(vendor, next)?;
        self.audit.order(record, true).await?;
        self.allowance = Allowance {
            left: self.allowance.left.saturating_add(next),
            bound,
            next: next.saturating_mul(2),
        };
        Ok(())
    }

    /// Nothing goes out any more.
    pub async fn close(mut self) {
        self.is_open = false;
        // A writer that has ended leaves it to the next start to presume.
        _ = self.audit.hand_over(self.closed()).await;
    }

    fn closed(&self) -> Later {
        Later::Closed {
            stream: self.stream,
            through: self.through,
        }
    }
}

impl Drop for Disclosing {
    /// Without room in the queue, that is waited for elsewhere.
    fn drop(&mut self) {
        if !self.is_open || self.audit.try_hand_over(self.closed()) {
            return;
        }
        let (audit, closed) = (self.audit.clone(), self.closed());
        // Without a runtime it is left to the next start to presume.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { audit.hand_over(closed).await });
        }
    }
}

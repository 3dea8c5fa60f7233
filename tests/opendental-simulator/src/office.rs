//! The office's database: patients, links, audit trail, and the log of what changed.
//!
//! Every write goes through here, so that `DateTStamp` moves whenever a value really changed and never otherwise, as
//! MySQL does it. Rules of the API are elsewhere (`family`, `validate`, `duplicate`); nothing here refuses anything
//! but a patient who does not exist.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::changelog::{Author, Change, FieldChange, Ring};
use crate::documents::Documents;
use crate::fields::Field;
use crate::model::{Patient, PatientFields};
use crate::options::Options;

/// Why a patient link exists. The numbers are the database's.
pub const LINK_MERGE: i64 = 1;

/// A row of the table `patientlink`, which only ShortQuery shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientLink {
    /// Primary key.
    pub patient_link_num: i64,
    /// The patient who was given up.
    pub pat_num_from: i64,
    /// The patient who stays.
    pub pat_num_to: i64,
    /// 1 for a merge.
    pub link_type: i64,
    /// When, office-local.
    pub date_time_link: DateTime,
}

/// A row of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditRow {
    pub(crate) number: u64,
    pub(crate) perm_type: &'static str,
    pub(crate) local: DateTime,
    pub(crate) developer: String,
    pub(crate) pat_num: i64,
}

/// Who writes, with what, and when.
#[derive(Debug, Clone)]
pub(crate) struct Pen {
    pub(crate) author: Author,
    pub(crate) method: &'static str,
    pub(crate) request: Option<u64>,
    pub(crate) at: Timestamp,
    pub(crate) local: DateTime,
}

/// The tables.
#[derive(Debug)]
pub(crate) struct Office {
    pub(crate) documents: Documents,
    patients: BTreeMap<i64, Patient>,
    links: Vec<PatientLink>,
    audit: Ring<AuditRow>,
    changes: Ring<Change>,
}

impl Office {
    pub(crate) fn new() -> Self {
        Self {
            documents: Documents::new(),
            patients: BTreeMap::new(),
            links: Vec::new(),
            audit: Ring::new(),
            changes: Ring::new(),
        }
    }

    pub(crate) fn patients(&self) -> impl Iterator<Item = &Patient> {
        self.patients.values()
    }

    pub(crate) fn patient(&self, pat_num: i64) -> Option<&Patient> {
        self.patients.get(&pat_num)
    }

    pub(crate) fn links(&self) -> &[PatientLink] {
        &self.links
    }

    pub(crate) fn audit(&self) -> impl DoubleEndedIterator<Item = &AuditRow> {
        self.audit.iter()
    }

    pub(crate) fn changes(&self) -> impl DoubleEndedIterator<Item = &Change> {
        self.changes.iter()
    }

    pub(crate) fn change_count(&self) -> u64 {
        self.changes.total()
    }

    /// The numbers of everybody with the same guarantor.
    pub(crate) fn family(&self, guarantor: i64) -> Vec<i64> {
        self.with(Field::Guarantor, guarantor)
    }

    /// The numbers of everybody whose field holds this number.
    pub(crate) fn with(&self, field: Field, number: i64) -> Vec<i64> {
        self.patients()
            .filter(|patient| patient.number(field) == number)
            .map(|patient| patient.pat_num)
            .collect()
    }

    /// The balance of every family, by its guarantor. The API shows it at the guarantor only.
    pub(crate) fn balance_totals(&self) -> HashMap<i64, f64> {
        let mut totals = HashMap::new();
        for patient in self.patients() {
            *totals.entry(patient.number(Field::Guarantor)).or_default() += patient.est_balance;
        }
        totals
    }

    /// Adds a patient with the office's defaults and returns the number.
    pub(crate) fn create(&mut self, fields: &PatientFields, pen: &Pen, options: &Options) -> i64 {
        let pat_num = self.patients.keys().next_back().map_or(1, |last| last + 1);
        let mut fields = fields.clone();
        let provider = options
            .providers
            .first()
            .map_or(1, |provider| provider.prov_num)
            .to_string();
        let billing = options
            .billing_types
            .first()
            .map(String::as_str)
            .unwrap_or_default();
        for (field, value) in [
            (Field::Guarantor, pat_num.to_string().as_str()),
            (Field::PriProv, &provider),
            (Field::BillingType, billing),
        ] {
            if fields.get(field).is_none_or(|given| given == field.empty()) {
                fields.set(field, value);
            }
        }
        let patient = Patient::new(pat_num, &fields, pen.local);
        let changed = fields
            .iter()
            .map(|(field, _)| FieldChange {
                field,
                from: field.empty().to_owned(),
                to: patient.get(field).to_owned(),
            })
            .filter(|change| change.from != change.to)
            .collect();
        self.patients.insert(pat_num, patient);
        self.log(pat_num, changed, pen);
        self.audited(pat_num, "PatientCreate", pen);
        pat_num
    }

    /// Writes fields of a patient and logs it, also when nothing changed. Nothing happens without such a patient.
    pub(crate) fn edit(&mut self, pat_num: i64, fields: &PatientFields, pen: &Pen) {
        let Some(patient) = self.patients.get_mut(&pat_num) else {
            return;
        };
        let mut changed = Vec::new();
        for (field, value) in fields.iter() {
            if let Some(from) = patient.put(field, value) {
                changed.push(FieldChange {
                    field,
                    from,
                    to: patient.get(field).to_owned(),
                });
            }
        }
        if !changed.is_empty() {
            patient.date_t_stamp = pen.local;
        }
        self.log(pat_num, changed, pen);
        self.audited(pat_num, "PatientEdit", pen);
    }

    /// Deletes a patient as the user interface does: the row stays.
    pub(crate) fn delete(&mut self, pat_num: i64, pen: &Pen) {
        let Some(patient) = self.patients.get_mut(&pat_num) else {
            return;
        };
        patient.deleted = true;
        patient.date_t_stamp = pen.local;
        self.log(pat_num, Vec::new(), pen);
    }

    /// Brings a deleted patient back.
    pub(crate) fn restore(&mut self, pat_num: i64, pen: &Pen) {
        let Some(patient) = self.patients.get_mut(&pat_num) else {
            return;
        };
        patient.deleted = false;
        patient.date_t_stamp = pen.local;
        self.log(pat_num, Vec::new(), pen);
    }

    /// Writes when a patient last changed, and nothing else.
    pub(crate) fn date(&mut self, pat_num: i64, stamp: DateTime) {
        if let Some(patient) = self.patients.get_mut(&pat_num) {
            patient.date_t_stamp = stamp;
        }
    }

    /// Gives up one patient for another, but for the row in `patientlink`: a guarantor's family joins the other's, what is
    /// owed moves over, documents too, and the patient is archived. Both change times move, because both balances are
    /// written.
    pub(crate) fn give_up(&mut self, from: i64, to: i64, pen: &Pen, options: &Options) {
        let guarantor = self.patient(to).map_or(to, |to| to.number(Field::Guarantor));
        if self.patient(from).is_some_and(Patient::is_guarantor) {
            let joining = PatientFields::new().with(Field::Guarantor, guarantor.to_string());
            let family = self.family(from);
            for member in family.into_iter().filter(|member| *member != to) {
                self.edit(member, &joining, pen);
            }
        }
        let balance = |number| self.patient(number).map_or(0.0, |patient| patient.est_balance);
        let owed = balance(from) + balance(to);
        self.edit(
            from,
            &PatientFields::new().with(Field::PatStatus, "Archived"),
            pen,
        );
        self.set_balance(from, 0.0, pen);
        self.set_balance(to, owed, pen);
        self.move_documents(from, to, pen, options);
    }

    /// Writes the row in `patientlink` of a merge, and nothing else.
    pub(crate) fn link(&mut self, from: i64, to: i64, pen: &Pen) {
        self.links.push(PatientLink {
            patient_link_num: self.links.len() as i64 + 1,
            pat_num_from: from,
            pat_num_to: to,
            link_type: LINK_MERGE,
            date_time_link: pen.local,
        });
    }

    /// Writes a balance. The stamp moves, as it does when aging rewrites balances.
    pub(crate) fn set_balance(&mut self, pat_num: i64, balance: f64, pen: &Pen) {
        let Some(patient) = self.patients.get_mut(&pat_num) else {
            return;
        };
        patient.est_balance = balance;
        patient.date_t_stamp = pen.local;
        self.log(pat_num, Vec::new(), pen);
    }

    fn log(&mut self, pat_num: i64, fields: Vec<FieldChange>, pen: &Pen) {
        self.changes.push(Change {
            sequence: self.changes.total() + 1,
            at: pen.at,
            local: pen.local,
            author: pen.author.clone(),
            method: pen.method,
            pat_num,
            fields,
            request: pen.request,
            status_sent: None,
        });
    }

    pub(crate) fn audited(&mut self, pat_num: i64, perm_type: &'static str, pen: &Pen) {
        let Author::Developer(developer) = &pen.author else {
            return;
        };
        self.audit.push(AuditRow {
            number: self.audit.total() + 1,
            perm_type,
            local: pen.local,
            developer: developer.clone(),
            pat_num,
        });
    }
}

//! What people in the office do by hand: register patients, correct them, delete and merge them.
//!
//! People are not held to the API's rules: they can type a duplicate, a state in full, or nonsense. Long texts are
//! cut by the database all the same. Only naming a patient who does not exist fails.

use std::sync::Arc;

use jiff::civil::DateTime;

use crate::changelog::Author;
use crate::fields::Field;
use crate::model::PatientFields;
use crate::office::{Office, Pen};
use crate::shared::Shared;

/// A person at the front desk. Cloning gives another person at the same desk.
#[derive(Debug, Clone)]
pub struct FrontDesk {
    pub(crate) shared: Arc<Shared>,
}

/// There is no such patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the office has no patient with this number")]
pub struct NoSuchPatient;

impl NoSuchPatient {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        "no_such_patient"
    }
}

impl FrontDesk {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Registers a patient and returns the PatNum.
    pub fn create(&self, fields: &PatientFields) -> i64 {
        let pen = self.shared.pen(Author::FrontDesk, "create", None);
        let pat_num = self.shared.office().create(fields, &pen, &self.shared.options);
        self.shared.journal.stir();
        pat_num
    }

    /// Corrects some fields of a patient.
    pub fn edit(&self, pat_num: i64, fields: &PatientFields) -> Result<(), NoSuchPatient> {
        self.exists(pat_num)?;
        let pen = self.shared.pen(Author::FrontDesk, "edit", None);
        self.shared.office().edit(pat_num, fields, &pen);
        self.shared.journal.stir();
        Ok(())
    }

    /// Registers a patient whose row says that it last changed at `stamp`, as a conversion or a restored row does: whoever
    /// asks for what changed since then does not hear of it. Returns the PatNum.
    pub fn create_dated(&self, fields: &PatientFields, stamp: DateTime) -> i64 {
        let pen = self.shared.pen(Author::FrontDesk, "create", None);
        let mut office = self.shared.office();
        let pat_num = office.create(fields, &pen, &self.shared.options);
        office.date(pat_num, stamp);
        drop(office);
        self.shared.journal.stir();
        pat_num
    }

    /// Corrects some fields of a patient and leaves the time of the last change as it was, as a tool does that writes to the
    /// database by itself.
    pub fn edit_undated(&self, pat_num: i64, fields: &PatientFields) -> Result<(), NoSuchPatient> {
        let pen = self.shared.pen(Author::FrontDesk, "edit", None);
        let mut office = self.shared.office();
        let patient = office.patient(pat_num).ok_or(NoSuchPatient)?;
        let stamp = patient.date_t_stamp;
        office.edit(pat_num, fields, &pen);
        office.date(pat_num, stamp);
        drop(office);
        self.shared.journal.stir();
        Ok(())
    }

    /// Brings a deleted patient back. That changes the row.
    pub fn restore(&self, pat_num: i64) -> Result<(), NoSuchPatient> {
        self.exists(pat_num)?;
        let pen = self.shared.pen(Author::FrontDesk, "restore", None);
        self.shared.office().restore(pat_num, &pen);
        self.shared.journal.stir();
        Ok(())
    }

    /// Corrects one field of a patient.
    pub fn set(&self, pat_num: i64, field: Field, value: &str) -> Result<(), NoSuchPatient> {
        self.edit(pat_num, &PatientFields::new().with(field, value))
    }

    /// Deletes a patient. The row stays with status Deleted, and the API does not touch it any more.
    pub fn delete(&self, pat_num: i64) -> Result<(), NoSuchPatient> {
        self.exists(pat_num)?;
        let pen = self.shared.pen(Author::FrontDesk, "delete", None);
        self.shared.office().delete(pat_num, &pen);
        self.shared.journal.stir();
        Ok(())
    }

    /// Merges one patient into another: the first is archived, a guarantor's family and what is owed move over, both change
    /// times move, and `patientlink` says where the first one went.
    pub fn merge(&self, from: i64, to: i64) -> Result<(), NoSuchPatient> {
        self.merging(from, to, |office, pen| {
            office.give_up(from, to, pen, &self.shared.options);
            office.link(from, to, pen);
        })
    }

    /// The first half of a merge: everything but the row in `patientlink`. For programs that look in between.
    pub fn begin_merge(&self, from: i64, to: i64) -> Result<(), NoSuchPatient> {
        self.merging(from, to, |office, pen| {
            office.give_up(from, to, pen, &self.shared.options);
        })
    }

    /// The second half of a merge: the row in `patientlink`. Also all that a merge writes when the first patient was
    /// archived before and nobody owes anything, so that no change time moves.
    pub fn finish_merge(&self, from: i64, to: i64) -> Result<(), NoSuchPatient> {
        self.merging(from, to, |office, pen| office.link(from, to, pen))
    }

    fn merging(
        &self,
        from: i64,
        to: i64,
        write: impl FnOnce(&mut Office, &Pen),
    ) -> Result<(), NoSuchPatient> {
        self.exists(from)?;
        self.exists(to)?;
        let pen = self.shared.pen(Author::FrontDesk, "merge", None);
        write(&mut self.shared.office(), &pen);
        self.shared.journal.stir();
        Ok(())
    }

    /// Writes a patient's own balance, which moves `DateTStamp` although nothing else changed.
    pub fn set_balance(&self, pat_num: i64, balance: f64) -> Result<(), NoSuchPatient> {
        self.exists(pat_num)?;
        let pen = self.shared.pen(Author::FrontDesk, "balance", None);
        self.shared.office().set_balance(pat_num, balance, &pen);
        self.shared.journal.stir();
        Ok(())
    }

    /// Runs aging: every balance is written anew, so that every patient looks changed. Returns how many.
    pub fn run_aging(&self) -> usize {
        let pen = self.shared.pen(Author::FrontDesk, "balance", None);
        let mut office = self.shared.office();
        let balances: Vec<(i64, f64)> = office
            .patients()
            .map(|patient| (patient.pat_num, patient.est_balance))
            .collect();
        for (pat_num, balance) in &balances {
            office.set_balance(*pat_num, *balance, &pen);
        }
        drop(office);
        self.shared.journal.stir();
        balances.len()
    }

    pub(crate) fn exists(&self, pat_num: i64) -> Result<(), NoSuchPatient> {
        self.shared
            .office()
            .patient(pat_num)
            .map(|_| ())
            .ok_or(NoSuchPatient)
    }
}

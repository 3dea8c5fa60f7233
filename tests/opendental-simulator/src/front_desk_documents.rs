//! What people in the office do with documents: scan, open, rename, move and delete them, and put images into a mount.

use crate::changelog::Author;
use crate::documents::{DocumentFields, NewDocument, Origin};
use crate::front_desk::{FrontDesk, NoSuchPatient};
use crate::office::{Office, Pen};
use crate::options::Options;

/// There is no such document, or nobody to give it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the office has no document with this number")]
pub struct NoSuchDocument;

impl NoSuchDocument {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        "no_such_document"
    }
}

impl FrontDesk {
    /// Scans or imports a file for a patient and returns the DocNum. The file is there at once.
    pub fn scan(
        &self,
        pat_num: i64,
        file_name: &str,
        bytes: impl Into<Vec<u8>>,
        fields: &DocumentFields,
    ) -> Result<i64, NoSuchPatient> {
        self.exists(pat_num)?;
        let new = NewDocument {
            pat_num,
            fields: fields.clone(),
            bytes: bytes.into().into(),
            origin: Origin::File(file_name.to_owned()),
        };
        let pen = self.shared.pen(Author::FrontDesk, "scan", None);
        let number = self.shared.office().add_document(new, &pen, &self.shared.options);
        self.shared.journal.stir();
        Ok(number)
    }

    /// Clicks on a document in the Imaging Module: what a program uploaded becomes a file, and its note is emptied.
    pub fn open_document(&self, doc_num: i64) -> Result<(), NoSuchDocument> {
        self.handle(doc_num, "open", |office, pen, options| {
            office.open_document(doc_num, pen, options);
        })
    }

    /// Changes what is said of a document.
    pub fn edit_document(&self, doc_num: i64, fields: &DocumentFields) -> Result<(), NoSuchDocument> {
        self.handle(doc_num, "edit", |office, pen, _| {
            office.edit_document(doc_num, fields, pen);
        })
    }

    /// Deletes a document with its file. Nothing is left of it.
    pub fn delete_document(&self, doc_num: i64) -> Result<(), NoSuchDocument> {
        self.handle(doc_num, "delete", |office, pen, options| {
            office.delete_document(doc_num, pen, options);
        })
    }

    /// Gives a document to another patient of the office.
    pub fn move_document(&self, doc_num: i64, pat_num: i64) -> Result<(), NoSuchDocument> {
        self.exists(pat_num).map_err(|_| NoSuchDocument)?;
        self.handle(doc_num, "move", |office, pen, options| {
            office.move_document(doc_num, pat_num, pen, options);
        })
    }

    /// Makes an empty mount for a patient and returns the MountNum.
    pub fn add_mount(&self, pat_num: i64, description: &str) -> Result<i64, NoSuchPatient> {
        self.exists(pat_num)?;
        let pen = self.shared.pen(Author::FrontDesk, "mount", None);
        let category = self.shared.options.image_categories.first();
        let category = category.map_or(0, |category| category.def_num);
        let mut office = self.shared.office();
        let number = office.documents.mount(pat_num, description, category, &pen);
        drop(office);
        self.shared.journal.stir();
        Ok(number)
    }

    fn handle(
        &self,
        doc_num: i64,
        method: &'static str,
        write: impl FnOnce(&mut Office, &Pen, &Options),
    ) -> Result<(), NoSuchDocument> {
        let pen = self.shared.pen(Author::FrontDesk, method, None);
        let mut office = self.shared.office();
        office.documents.get(doc_num).ok_or(NoSuchDocument)?;
        write(&mut office, &pen, &self.shared.options);
        drop(office);
        self.shared.journal.stir();
        Ok(())
    }
}

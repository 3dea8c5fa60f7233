//! Documents as the office handles them: rows, audit trail, and the files in its folder.
//!
//! A file that cannot be written or removed is told in the simulator's log, by its number, and the row changes all the same.

use std::io;

use crate::documents::{Document, DocumentFields, NewDocument, Origin};
use crate::files;
use crate::office::{Office, Pen};
use crate::options::Options;

impl Office {
    /// Adds a document and returns its number. What is no upload becomes a file at once.
    pub(crate) fn add_document(&mut self, new: NewDocument, pen: &Pen, options: &Options) -> i64 {
        let visible = options
            .image_categories
            .iter()
            .find(|category| !category.is_hidden);
        let category = visible.map_or(0, |category| category.def_num);
        let is_file = matches!(new.origin, Origin::File(_));
        let pat_num = new.pat_num;
        let number = self.documents.add(new, category, pen);
        if is_file && let Some(row) = self.documents.get(number).cloned() {
            self.save(&row, options);
        }
        self.audited(pat_num, "ImageEdit", pen);
        number
    }

    /// Writes what is said of a document.
    pub(crate) fn edit_document(&mut self, doc_num: i64, fields: &DocumentFields, pen: &Pen) {
        if let Some(pat_num) = self.documents.get(doc_num).map(|row| row.pat_num)
            && self.documents.edit(doc_num, fields, pen)
        {
            self.audited(pat_num, "ImageEdit", pen);
        }
    }

    /// Opens a document in the Imaging Module: an upload becomes a file.
    pub(crate) fn open_document(&mut self, doc_num: i64, pen: &Pen, options: &Options) {
        let owner = self.documents.get(doc_num).map(|row| row.pat_num);
        let folder = owner
            .and_then(|owner| self.patient(owner))
            .map(|patient| patient.image_folder.clone());
        if let Some(row) = folder.and_then(|folder| self.documents.open(doc_num, &folder, pen)) {
            self.save(&row, options);
        }
    }

    /// Deletes a document, its row and its file.
    pub(crate) fn delete_document(&mut self, doc_num: i64, pen: &Pen, options: &Options) {
        if let Some(row) = self.documents.delete(doc_num, pen) {
            self.unsave(&row, options);
            self.audited(row.pat_num, "ImageDelete", pen);
        }
    }

    /// Gives one patient's documents to another, with their files.
    pub(crate) fn move_documents(&mut self, from: i64, to: i64, pen: &Pen, options: &Options) {
        let moving: Vec<Document> = self
            .documents
            .rows()
            .filter(|row| row.pat_num == from)
            .cloned()
            .collect();
        self.documents.move_all(from, to, pen);
        for row in &moving {
            self.move_file(row, to, options);
        }
    }

    /// Gives one document to another patient, with its file.
    pub(crate) fn move_document(&mut self, doc_num: i64, to: i64, pen: &Pen, options: &Options) {
        if let Some(row) = self.documents.give(doc_num, to, pen) {
            self.move_file(&row, to, options);
            self.audited(to, "ImageEdit", pen);
        }
    }

    /// Takes the file of a document along to another patient. An upload that nobody opened has none.
    fn move_file(&self, row: &Document, to: i64, options: &Options) {
        if row.unopened.is_some() {
            return;
        }
        self.unsave(row, options);
        let moved = Document {
            pat_num: to,
            ..row.clone()
        };
        self.save(&moved, options);
    }

    fn save(&self, row: &Document, options: &Options) {
        let (Some(root), Some(patient)) = (&options.images_folder, self.patient(row.pat_num)) else {
            return;
        };
        told(
            row,
            files::write(root, &patient.image_folder, &row.file_name, &row.bytes),
        );
    }

    fn unsave(&self, row: &Document, options: &Options) {
        let (Some(root), Some(patient)) = (&options.images_folder, self.patient(row.pat_num)) else {
            return;
        };
        told(row, files::remove(root, &patient.image_folder, &row.file_name));
    }
}

fn told(row: &Document, done: io::Result<()>) {
    if let Err(error) = done {
        tracing::warn!(doc_num = row.doc_num, kind = ?error.kind(), "the office's folder cannot be written");
    }
}

//! The tables `document` and `mount`, and what was done to them.
//!
//! What a program uploads lies in the row's `Note`, as `_rawBase64_:.jpg_` and the base64 text, until somebody in the office
//! opens it: only then is the file made and the note emptied (Open Dental API, Documents POST Upload). What people scan is a
//! file from the start. A deleted document leaves no trace. The bytes as they came are kept here for tests to compare with.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::changelog::{Author, Ring};
use crate::office::Pen;

/// What the column `Note` (MEDIUMTEXT) holds at most, in bytes.
pub const MAX_NOTE_BYTES: usize = 16_777_215;
/// What `FileName` says of an upload that nobody has opened.
pub const PLACEHOLDER: &str = "x";
/// Characters that the column `Description` holds.
const DESCRIPTION_CHARS: usize = 255;

/// The words of `ImgType`, by the numbers that the database has for them.
pub const IMG_TYPES: [&str; 5] = ["Document", "Radiograph", "Photo", "File", "Attachment"];

/// What can be said of a document apart from its bytes. A field that is not set is not touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentFields {
    /// The line in the tree of the Imaging Module.
    pub description: Option<String>,
    /// When it was taken or scanned, by the office's clock.
    pub date_created: Option<DateTime>,
    /// A definition of category 18.
    pub doc_category: Option<i64>,
    /// One of [`IMG_TYPES`].
    pub img_type: Option<&'static str>,
    /// Single numbers with commas between them.
    pub tooth_numbers: Option<String>,
    /// 0 for nobody.
    pub prov_num: Option<i64>,
    /// Whether it is printed with a heading.
    pub print_heading: Option<bool>,
}

/// A row of the table `document`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Primary key.
    pub doc_num: i64,
    /// Whose it is.
    pub pat_num: i64,
    /// The line in the tree of the Imaging Module.
    pub description: String,
    /// When it was taken or scanned, by the office's clock.
    pub date_created: DateTime,
    /// A definition of category 18.
    pub doc_category: i64,
    /// `x` until somebody opens it.
    pub file_name: String,
    /// One of [`IMG_TYPES`].
    pub img_type: &'static str,
    /// Single numbers with commas between them.
    pub tooth_numbers: String,
    /// 0 for nobody.
    pub prov_num: i64,
    /// Whether it is printed with a heading.
    pub print_heading: bool,
    /// When the row last changed: office-local, whole seconds.
    pub date_t_stamp: DateTime,
    /// The bytes as they came.
    pub bytes: Arc<[u8]>,
    /// `.jpg`, of an upload that nobody has opened yet.
    pub unopened: Option<String>,
}

impl Document {
    /// The column `Note`: what was uploaded, until somebody opens it.
    pub fn note(&self) -> String {
        match &self.unopened {
            Some(extension) => format!("{}{}", note_prefix(extension), STANDARD.encode(&self.bytes)),
            None => String::new(),
        }
    }

    /// Writes what is set. True when that changed anything.
    fn put(&mut self, fields: &DocumentFields) -> bool {
        let before = self.clone();
        if let Some(text) = &fields.description {
            self.description = text.chars().take(DESCRIPTION_CHARS).collect();
        }
        if let Some(text) = &fields.tooth_numbers {
            self.tooth_numbers.clone_from(text);
        }
        self.date_created = fields.date_created.unwrap_or(self.date_created);
        self.doc_category = fields.doc_category.unwrap_or(self.doc_category);
        self.img_type = fields.img_type.unwrap_or(self.img_type);
        self.prov_num = fields.prov_num.unwrap_or(self.prov_num);
        self.print_heading = fields.print_heading.unwrap_or(self.print_heading);
        *self != before
    }
}

/// What stands in the note before the base64 text.
pub(crate) fn note_prefix(extension: &str) -> String {
    format!("_rawBase64_:{extension}_")
}

/// A row of the table `mount`: several images in one frame. It has no change time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Primary key.
    pub mount_num: i64,
    /// Whose it is.
    pub pat_num: i64,
    /// The line in the tree of the Imaging Module.
    pub description: String,
    /// What somebody wrote about it.
    pub note: String,
    /// When it was made, by the office's clock.
    pub date_created: DateTime,
    /// A definition of category 18.
    pub doc_category: i64,
}

/// One thing that was done to one document.
#[derive(Debug, Clone)]
pub struct DocumentChange {
    /// Counts up from 1, without gaps, over all documents.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub author: Author,
    /// `POST`, `PUT` or `DELETE`; `scan`, `open`, `edit`, `move`, `delete` or `merge` at the front desk.
    pub method: &'static str,
    /// Which document.
    pub doc_num: i64,
    /// Whose it is now.
    pub pat_num: i64,
    /// The request that caused it, in the request log.
    pub request: Option<u64>,
}

/// The two tables and their log.
#[derive(Debug)]
pub(crate) struct Documents {
    rows: BTreeMap<i64, Document>,
    mounts: Vec<Mount>,
    /// MySQL gives no number twice, not even that of a row that is gone.
    last: i64,
    changes: Ring<DocumentChange>,
}

/// What becomes a new row.
#[derive(Debug)]
pub(crate) struct NewDocument {
    pub(crate) pat_num: i64,
    pub(crate) fields: DocumentFields,
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) origin: Origin,
}

/// How the bytes came.
#[derive(Debug)]
pub(crate) enum Origin {
    /// Uploaded, with this extension.
    Upload(String),
    /// A file with this name.
    File(String),
}

impl Documents {
    pub(crate) fn new() -> Self {
        Self {
            rows: BTreeMap::new(),
            mounts: Vec::new(),
            last: 0,
            changes: Ring::new(),
        }
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &Document> {
        self.rows.values()
    }

    pub(crate) fn get(&self, doc_num: i64) -> Option<&Document> {
        self.rows.get(&doc_num)
    }

    pub(crate) fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    pub(crate) fn changes(&self) -> impl Iterator<Item = &DocumentChange> {
        self.changes.iter()
    }

    /// Adds a row in the category and returns its number.
    pub(crate) fn add(&mut self, new: NewDocument, default_category: i64, pen: &Pen) -> i64 {
        self.last += 1;
        let (file_name, unopened) = match new.origin {
            Origin::Upload(extension) => (PLACEHOLDER.to_owned(), Some(extension)),
            Origin::File(name) => (name, None),
        };
        let mut row = Document {
            doc_num: self.last,
            pat_num: new.pat_num,
            description: String::new(),
            date_created: pen.local,
            doc_category: default_category,
            file_name,
            img_type: IMG_TYPES[0],
            tooth_numbers: String::new(),
            prov_num: 0,
            print_heading: false,
            date_t_stamp: pen.local,
            bytes: new.bytes,
            unopened,
        };
        row.put(&new.fields);
        self.rows.insert(self.last, row);
        self.log(self.last, new.pat_num, pen);
        self.last
    }

    /// Writes fields of a row and logs it, also when nothing changed. False without such a row.
    pub(crate) fn edit(&mut self, doc_num: i64, fields: &DocumentFields, pen: &Pen) -> bool {
        let Some(row) = self.rows.get_mut(&doc_num) else {
            return false;
        };
        if row.put(fields) {
            row.date_t_stamp = pen.local;
        }
        let pat_num = row.pat_num;
        self.log(doc_num, pat_num, pen);
        true
    }

    /// Makes the file of an upload, as the Imaging Module does when somebody clicks on it. The new row, if it was not made before.
    pub(crate) fn open(&mut self, doc_num: i64, folder: &str, pen: &Pen) -> Option<Document> {
        let row = self.rows.get_mut(&doc_num)?;
        let extension = row.unopened.take()?;
        let letters: String = folder.chars().filter(char::is_ascii_alphabetic).collect();
        row.file_name = format!("{letters}{doc_num}{extension}");
        row.date_t_stamp = pen.local;
        let row = row.clone();
        self.log(doc_num, row.pat_num, pen);
        Some(row)
    }

    /// Deletes a row without a trace and returns it.
    pub(crate) fn delete(&mut self, doc_num: i64, pen: &Pen) -> Option<Document> {
        let row = self.rows.remove(&doc_num)?;
        self.log(doc_num, row.pat_num, pen);
        Some(row)
    }

    /// Gives one patient's documents and mounts to another, as merging does. MySQL moves the change time of each row.
    pub(crate) fn move_all(&mut self, from: i64, to: i64, pen: &Pen) {
        for mount in self.mounts.iter_mut().filter(|mount| mount.pat_num == from) {
            mount.pat_num = to;
        }
        let mut moved = Vec::new();
        for row in self.rows.values_mut().filter(|row| row.pat_num == from) {
            row.pat_num = to;
            row.date_t_stamp = pen.local;
            moved.push(row.doc_num);
        }
        for doc_num in moved {
            self.log(doc_num, to, pen);
        }
    }

    /// Gives one document to another patient and returns it as it was.
    pub(crate) fn give(&mut self, doc_num: i64, to: i64, pen: &Pen) -> Option<Document> {
        let row = self.rows.get_mut(&doc_num)?;
        let before = row.clone();
        row.pat_num = to;
        row.date_t_stamp = pen.local;
        self.log(doc_num, to, pen);
        Some(before)
    }

    /// Adds a mount and returns its number.
    pub(crate) fn mount(&mut self, pat_num: i64, description: &str, doc_category: i64, pen: &Pen) -> i64 {
        let mount_num = self.mounts.len() as i64 + 1;
        self.mounts.push(Mount {
            mount_num,
            pat_num,
            description: description.to_owned(),
            note: String::new(),
            date_created: pen.local,
            doc_category,
        });
        mount_num
    }

    fn log(&mut self, doc_num: i64, pat_num: i64, pen: &Pen) {
        self.changes.push(DocumentChange {
            sequence: self.changes.total() + 1,
            at: pen.at,
            author: pen.author.clone(),
            method: pen.method,
            doc_num,
            pat_num,
            request: pen.request,
        });
    }
}

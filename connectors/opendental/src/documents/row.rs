//! A document's row, in the shapes in which the API and ShortQuery show it: short for a single one, with the path in the list,
//! numbers for words in the database. What is missing reads as empty; a row without `DocNum` is a mount or cannot be read.

use crate::clock::OfficeTime;
use crate::row::{PatNum, Word};
use serde::Deserialize;
use std::fmt;

/// Open Dental's key of a document: `DocNum`, from 1. Mounts have 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DocNum(u64);

impl DocNum {
    /// Reads a key.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // The same rules as for a patient's key.
        PatNum::parse(text).map(|number| Self(number.get()))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for DocNum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The columns as they come. `Note` is not among them: an upload of 16 MB may lie in it.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Columns {
    doc_num: Word,
    pat_num: Word,
    description: Word,
    date_created: Word,
    tooth_numbers: Word,
    file_name: Word,
    img_type: Word,
    date_t_stamp: Word,
    #[serde(rename = "filePath")]
    file_path: Word,
}

/// A document's row. It holds a description that staff may have written a name into, and does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// Which document.
    pub doc_num: DocNum,
    /// Whose it is.
    pub pat_num: Option<PatNum>,
    /// Its line in the tree of the Imaging Module.
    pub description: String,
    /// When it was taken or scanned.
    pub date_created: Option<OfficeTime>,
    /// Universal numbers.
    pub tooth_numbers: String,
    /// Name of the file; empty where the row does not show one.
    pub file_name: String,
    /// Whether it is a radiograph or a photograph; `None` where the row does not say or says something else.
    pub shown_as: Option<Shown>,
    /// When the row last changed.
    pub stamp: Option<OfficeTime>,
    /// `\\server\OpenDentImages\S\SmithJohn15\x.jpg`; empty where the row does not show one.
    file_path: String,
}

/// What kind of image a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// `ImgType` Radiograph, 1 in the database.
    Radiograph,
    /// `ImgType` Photo, 2 in the database.
    Photo,
}

impl Document {
    fn of(columns: &Columns) -> Option<Self> {
        let path = columns.file_path.text();
        let named = columns.file_name.text();
        let file_name = if named.is_empty() {
            path.rsplit(['\\', '/']).next().unwrap_or_default()
        } else {
            named
        };
        Some(Self {
            doc_num: DocNum::parse(columns.doc_num.text())?,
            pat_num: PatNum::parse(columns.pat_num.text()),
            description: columns.description.text().to_owned(),
            date_created: OfficeTime::parse(columns.date_created.text()),
            tooth_numbers: columns.tooth_numbers.text().to_owned(),
            file_name: file_name.to_owned(),
            shown_as: match columns.img_type.text() {
                "Radiograph" | "1" => Some(Shown::Radiograph),
                "Photo" | "2" => Some(Shown::Photo),
                _ => None,
            },
            stamp: OfficeTime::parse(columns.date_t_stamp.text()),
            file_path: path.to_owned(),
        })
    }

    /// Whether it may be an upload that nobody has opened: its file is not made yet, and its name is a placeholder (`x`).
    #[must_use]
    pub fn has_no_file(&self) -> bool {
        !self.file_name.contains('.')
    }

    /// The file's place within the A-to-Z folder, `S/SmithJohn15/x.jpg`, as its path tells it.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        let mut parts = self.file_path.rsplit(['\\', '/']).take(3);
        let (file, folder, letter) = (parts.next()?, parts.next()?, parts.next()?);
        let good = letter.chars().count() == 1 && !folder.is_empty() && !self.has_no_file();
        good.then(|| format!("{letter}/{folder}/{file}"))
    }

    /// The same by the patient's `ImageFolder`: `SmithJohn15` is under `S`.
    #[must_use]
    pub fn place_in(&self, image_folder: &str) -> Option<String> {
        let letter: String = image_folder.chars().next()?.to_uppercase().collect();
        (!self.has_no_file()).then(|| format!("{letter}/{image_folder}/{}", self.file_name))
    }
}

/// One row. `None` when the answer is none.
#[must_use]
pub fn one(body: &[u8]) -> Option<Document> {
    Document::of(&serde_json::from_slice(body).ok()?)
}

/// The documents of a list, and how many rows it had with mounts and what cannot be read.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct List {
    /// In the office's order.
    pub documents: Vec<Document>,
    /// All rows.
    pub rows: usize,
}

/// Reads a list as it comes. A list that is none, or is cut off, is an error.
///
/// # Errors
/// When it cannot be read to its end.
pub fn list(body: impl std::io::Read) -> Result<List, serde_json::Error> {
    let rows: Vec<Columns> = serde_json::from_reader(std::io::BufReader::new(body))?;
    Ok(List {
        rows: rows.len(),
        documents: rows.iter().filter_map(Document::of).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the vendor's page shows a list.
    const LIST: &[u8] = br#"[{"DocNum":34,"MountNum":0,"filePath":"\\\\server\\OpenDentImages\\S\\SmithJohn15\\scan.jpg",
        "Description":"Scanned image","PatNum":"101","Note":"_rawBase64_:.jpg_AAAA","DateCreated":"2021-04-08 08:12:21",
        "docCategory":"Lab Cases","DocCategory":14,"ToothNumbers":"1,2","ProvNum":"0","DateTStamp":"2021-04-18 11:45:01"},
        {"DocNum":0,"MountNum":15,"filePath":"","Description":" 4BW","PatNum":"101","DateTStamp":""}]"#;

    #[test]
    fn a_list_is_read_without_its_mounts_and_notes() {
        let read = list(LIST).unwrap();
        assert_eq!((read.rows, read.documents.len()), (2, 1));
        let document = &read.documents[0];
        assert_eq!(
            (document.doc_num.get(), document.pat_num.unwrap().get()),
            (34, 101)
        );
        assert_eq!(document.place().as_deref(), Some("S/SmithJohn15/scan.jpg"));
        assert_eq!(document.file_name, "scan.jpg");
        assert!(!document.has_no_file());
    }

    #[test]
    fn a_single_row_and_a_row_of_the_database_say_the_same() {
        let single = br#"{"DocNum":7,"PatNum":15,"FileName":"SmithJohn7.jpg","ImgType":"Photo","DateTStamp":"2010-03-01 12:44:26"}"#;
        let database = br#"{"DocNum":7,"PatNum":15,"FileName":"SmithJohn7.jpg","ImgType":2,"DateTStamp":"2010-03-01T12:44:26"}"#;
        assert!(one(single) == one(database));
        let row = one(single).unwrap();
        assert_eq!(row.shown_as, Some(Shown::Photo));
        assert_eq!(
            (row.place(), row.place_in("smithJohn15").as_deref()),
            (None, Some("S/smithJohn15/SmithJohn7.jpg"))
        );
    }

    #[test]
    fn a_placeholder_is_no_file() {
        let row = one(br#"{"DocNum":7,"FileName":"x","filePath":"\\\\s\\O\\S\\SmithJohn15\\x"}"#).unwrap();
        assert!(row.has_no_file());
        assert_eq!((row.place(), row.place_in("SmithJohn15")), (None, None));
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for body in ["\"text\"", "{}", "[{\"DocNum\":1}", ""] {
            assert!(list(body.as_bytes()).is_err(), "{body}");
        }
        assert!(one(b"[]").is_none() && one(br#"{"DocNum":0}"#).is_none());
    }
}

//! `/documents`: list, single, Upload, PUT, DELETE (Open Dental API, Documents).
//!
//! The list shows keys of others as texts and mounts among the documents; the single row is of another shape. Whether Note is
//! shown while an upload lies in it is not documented, and an option. Nothing here gives the bytes of a document.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::DateTime;
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::changelog::Author;
use crate::documents::{Document, IMG_TYPES, MAX_NOTE_BYTES, Mount, NewDocument, Origin, note_prefix};
use crate::files;
use crate::gate::Call;
use crate::keys::ApiKey;
use crate::office::Office;
use crate::options::Options;
use crate::params::Params;
use crate::refusal::Refusal;
use crate::rows::Row;
use crate::shared::Shared;
use crate::validate;
use crate::version::Version;

use super::document_fields;

const LIST: Version = Version(21, 2, 0);
const SINGLE: Version = Version(24, 2, 32);

/// All documents and mounts of one patient, by DateCreated.
pub(crate) fn list(shared: &Shared, key: &ApiKey, call: &Call) -> Result<Answer, Refusal> {
    demand(shared, "Documents GET", LIST)?;
    call.params.only(&[("PatNum", LIST)], shared.options.version)?;
    let pat_num = call
        .params
        .number("PatNum")?
        .ok_or_else(|| Refusal::required("PatNum"))?;
    let office = shared.office();
    office.patient(pat_num).ok_or_else(Refusal::no_patient)?;
    let view = View::new(shared, &office, &call.params);
    let mine = |owner: i64| owner == pat_num;
    let mut rows: Vec<(DateTime, Row)> = Vec::new();
    for row in office.documents.rows().filter(|row| mine(row.pat_num)) {
        rows.push((row.date_created, view.listed(row)));
    }
    for mount in office
        .documents
        .mounts()
        .iter()
        .filter(|mount| mine(mount.pat_num))
    {
        rows.push((mount.date_created, view.mount(mount)));
    }
    rows.sort_by_key(|(created, _)| *created);
    let page = call.params.page(key, &shared.options)?;
    let rows: Vec<Row> = page.of(rows).map(|(_, row)| row).collect();
    Ok(Answer::json(200, &rows))
}

/// One document.
pub(crate) fn single(shared: &Shared, call: &Call, number: &str) -> Result<Answer, Refusal> {
    demand(shared, "Documents GET single", SINGLE)?;
    call.params.only(&[], shared.options.version)?;
    let office = shared.office();
    let row = office
        .documents
        .get(doc_num(number)?)
        .ok_or_else(Refusal::no_document)?;
    Ok(Answer::json(
        200,
        &View::new(shared, &office, &call.params).one(row),
    ))
}

/// Takes a file as base64 text.
pub(crate) fn upload(shared: &Shared, key: &ApiKey, call: &Call) -> Result<Answer, Refusal> {
    let body = validate::object(&call.body)?;
    let pat_num = document_fields::key(&body, "PatNum")?.ok_or_else(|| Refusal::required("PatNum"))?;
    let extension = text(&body, "extension")?;
    let raw = text(&body, "rawBase64")?;
    let good = extension.strip_prefix('.').is_some_and(|letters| {
        !letters.is_empty() && letters.bytes().all(|letter| letter.is_ascii_alphanumeric())
    });
    if !good {
        return Err(Refusal::invalid("extension"));
    }
    let bytes: Arc<[u8]> = STANDARD
        .decode(raw)
        .map_err(|_| Refusal::invalid("rawBase64"))?
        .into();
    if bytes.is_empty() {
        return Err(Refusal::required("rawBase64"));
    }
    if note_prefix(extension).len() + raw.len() > MAX_NOTE_BYTES {
        return Err(Refusal::bad("Data too long for column 'Note' at row 1"));
    }
    let fields = document_fields::read(&body, &shared.options)?;
    let new = NewDocument {
        pat_num,
        fields,
        bytes,
        origin: Origin::Upload(extension.to_owned()),
    };
    add(shared, key, call, new)
}

/// Makes the row, and answers with it.
pub(super) fn add(shared: &Shared, key: &ApiKey, call: &Call, new: NewDocument) -> Result<Answer, Refusal> {
    let pen = shared.pen(developer(key), "POST", Some(call.request));
    let mut office = shared.office();
    living(&office, new.pat_num)?;
    let number = office.add_document(new, &pen, &shared.options);
    shared.journal.stir();
    let row = office.documents.get(number).ok_or_else(Refusal::no_document)?;
    let mut answer = Answer::json(201, &View::new(shared, &office, &call.params).short(row));
    answer.location = Some(format!("{}/documents/{number}", shared.base_url));
    Ok(answer)
}

/// Changes what is said of a document.
pub(crate) fn put(shared: &Shared, key: &ApiKey, call: &Call, number: &str) -> Result<Answer, Refusal> {
    demand(shared, "Documents PUT", SINGLE)?;
    let fields = document_fields::read(&validate::object(&call.body)?, &shared.options)?;
    let pen = shared.pen(developer(key), "PUT", Some(call.request));
    let mut office = shared.office();
    let number = alive(&office, doc_num(number)?)?;
    office.edit_document(number, &fields, &pen);
    shared.journal.stir();
    let row = office.documents.get(number).ok_or_else(Refusal::no_document)?;
    Ok(Answer::json(
        200,
        &View::new(shared, &office, &call.params).short(row),
    ))
}

/// Deletes the row and the file.
pub(crate) fn delete(shared: &Shared, key: &ApiKey, call: &Call, number: &str) -> Result<Answer, Refusal> {
    demand(shared, "Documents DELETE", SINGLE)?;
    let pen = shared.pen(developer(key), "DELETE", Some(call.request));
    let mut office = shared.office();
    let number = alive(&office, doc_num(number)?)?;
    office.delete_document(number, &pen, &shared.options);
    shared.journal.stir();
    Ok(Answer::json(200, &""))
}

fn demand(shared: &Shared, method: &str, since: Version) -> Result<(), Refusal> {
    if shared.options.version < since {
        Err(Refusal::too_old(method, since))
    } else {
        Ok(())
    }
}

fn developer(key: &ApiKey) -> Author {
    Author::Developer(key.developer_name.clone())
}

fn doc_num(segment: &str) -> Result<i64, Refusal> {
    segment.parse().map_err(|_| Refusal::no_resource())
}

/// A document that the API may still touch.
fn alive(office: &Office, doc_num: i64) -> Result<i64, Refusal> {
    let row = office.documents.get(doc_num).ok_or_else(Refusal::no_document)?;
    living(office, row.pat_num)?;
    Ok(doc_num)
}

/// A patient whom the API may still write for.
pub(super) fn living(office: &Office, pat_num: i64) -> Result<(), Refusal> {
    match office.patient(pat_num) {
        None => Err(Refusal::no_patient()),
        Some(patient) if patient.deleted => Err(Refusal::bad("Patient is deleted and cannot be modified")),
        Some(_) => Ok(()),
    }
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    match body.get(name) {
        None | Some(Value::Null) => Err(Refusal::required(name)),
        Some(Value::String(text)) if text.is_empty() => Err(Refusal::required(name)),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Refusal::invalid(name)),
    }
}

/// How rows look for one call.
struct View<'a> {
    options: &'a Options,
    office: &'a Office,
    rows: crate::rows::View<'a>,
    now: DateTime,
}

impl<'a> View<'a> {
    fn new(shared: &'a Shared, office: &'a Office, params: &'a Params) -> Self {
        Self {
            options: &shared.options,
            office,
            rows: crate::rows::View {
                options: &shared.options,
                clock: &shared.clock,
                date: params.date_format(),
                date_time: params.date_time_format(),
            },
            now: shared.clock.local(),
        }
    }

    /// A single row as this office shows it.
    fn one(&self, row: &Document) -> Row {
        if self.options.unknowns.single_document_like_list {
            self.listed(row)
        } else {
            self.short(row)
        }
    }

    fn short(&self, row: &Document) -> Row {
        let mut shown = Row::default();
        shown.push("DocNum", row.doc_num);
        shown.push("Description", row.description.as_str());
        shown.push("DateCreated", self.rows.stamp(row.date_created));
        shown.push("DocCategory", row.doc_category);
        shown.push("docCategory", self.category(row.doc_category));
        shown.push("PatNum", row.pat_num);
        shown.push("FileName", row.file_name.as_str());
        shown.push("ImgType", row.img_type);
        shown.push("ToothNumbers", row.tooth_numbers.as_str());
        shown.push("DateTStamp", self.rows.stamp(row.date_t_stamp));
        shown.push("ProvNum", row.prov_num);
        shown.push("PrintHeading", row.print_heading.to_string());
        shown
    }

    fn listed(&self, row: &Document) -> Row {
        let note = if self.options.unknowns.raw_note_shown {
            row.note()
        } else {
            String::new()
        };
        let mut shown = Row::default();
        shown.push("DocNum", row.doc_num);
        shown.push("MountNum", 0);
        shown.push("filePath", self.path(row));
        shown.push("Description", row.description.as_str());
        shown.push("PatNum", row.pat_num.to_string());
        shown.push("Note", note);
        shown.push("DateCreated", self.rows.stamp(row.date_created));
        shown.push("docCategory", self.category(row.doc_category));
        shown.push("DocCategory", row.doc_category);
        shown.push("ToothNumbers", row.tooth_numbers.as_str());
        shown.push("ProvNum", row.prov_num.to_string());
        shown.push("PrintHeading", row.print_heading.to_string());
        shown.push("DateTStamp", self.rows.stamp(row.date_t_stamp));
        shown.push("serverDateTime", self.rows.stamp(self.now));
        shown
    }

    fn mount(&self, mount: &Mount) -> Row {
        let mut shown = Row::default();
        shown.push("DocNum", 0);
        shown.push("MountNum", mount.mount_num);
        shown.push("filePath", "");
        shown.push("Description", mount.description.as_str());
        shown.push("PatNum", mount.pat_num.to_string());
        shown.push("Note", mount.note.as_str());
        shown.push("DateCreated", self.rows.stamp(mount.date_created));
        shown.push("docCategory", self.category(mount.doc_category));
        shown.push("DocCategory", mount.doc_category);
        shown.push("ToothNumbers", "");
        shown.push("ProvNum", "0");
        shown.push("PrintHeading", "");
        shown.push("DateTStamp", "");
        shown.push("serverDateTime", self.rows.stamp(self.now));
        shown
    }

    fn category(&self, def_num: i64) -> &str {
        let mut known = self.options.image_categories.iter();
        known
            .find(|category| category.def_num == def_num)
            .map_or("", |category| &category.name)
    }

    fn path(&self, row: &Document) -> String {
        match self.office.patient(row.pat_num) {
            Some(patient) if !self.options.in_database => {
                files::windows_path(&patient.image_folder, &row.file_name)
            }
            _ => String::new(),
        }
    }
}

/// The word for a number of the database.
pub(crate) fn img_type_number(word: &str) -> i64 {
    let place = IMG_TYPES.iter().position(|known| *known == word);
    place.and_then(|place| i64::try_from(place).ok()).unwrap_or(0)
}

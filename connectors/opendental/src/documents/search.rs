//! Finding an uploaded document again, by its mark among the patient's documents.
//!
//! The list is asked first: every key may read it, and it comes from the database that uploads go to. Only when one page of it
//! is not all, or the office shows so much in it that it cannot be read, ShortQuery is asked for the mark; and where that is
//! not to be had, the other pages are read, at most [`MOST_PAGES`].
//!
//! A document whose number is known is asked for by that. Offices before 24.2.32 show no single one: there the patient's list is
//! read, then ShortQuery asked, and where that is not to be had either, it stays [`Sought::Unknown`] whether it was deleted or
//! lies with another patient.

use crate::api::{Api, Error};
use crate::documents::mark::Mark;
use crate::documents::row::{DocNum, Document, List};
use crate::office::Office;
use crate::row::PatNum;
use archwire_connector::Disposition;

/// Most pages of one patient's documents.
const MOST_PAGES: usize = 100;

/// The first of the patient's documents with that mark.
///
/// # Errors
/// When that is not known.
pub fn find(
    api: &Api<'_>,
    office: &Office,
    pat_num: PatNum,
    mark: &Mark,
) -> Result<Option<Document>, Disposition> {
    let first = api.documents(pat_num, 0, office.page_size)?;
    if let Some(list) = &first {
        let found = marked(list, mark);
        if found.is_some() || is_last(list, office) {
            return Ok(found);
        }
    }
    match api.query_documents(&statement(pat_num, mark)) {
        Ok(list) => return Ok(marked(&list, mark)),
        Err(error) if error.is_lasting() => {}
        Err(error) => return Err(error.into()),
    }
    match first {
        Some(first) => read_on(api, office, pat_num, mark, first.rows),
        None => Err(Disposition::rejected("documents-too-large-to-list")),
    }
}

fn read_on(
    api: &Api<'_>,
    office: &Office,
    pat_num: PatNum,
    mark: &Mark,
    mut offset: usize,
) -> Result<Option<Document>, Disposition> {
    for _ in 1..MOST_PAGES {
        let list = api.documents(pat_num, offset, office.page_size)?;
        let list = list.ok_or_else(|| Disposition::rejected("documents-too-large-to-list"))?;
        let found = marked(&list, mark);
        if found.is_some() || is_last(&list, office) {
            return Ok(found);
        }
        offset += list.rows;
    }
    Err(Disposition::rejected("too-many-documents"))
}

fn marked(list: &List, mark: &Mark) -> Option<Document> {
    list.documents
        .iter()
        .find(|row| mark.is_in(&row.description))
        .cloned()
}

/// Whether there are no others. Remote offices cut at 100 rows, whatever the settings say.
fn is_last(list: &List, office: &Office) -> bool {
    list.rows < office.page_size && list.rows != crate::walk::SHORTEST_MAXIMUM
}

fn statement(pat_num: PatNum, mark: &Mark) -> String {
    // The mark has no letter that SQL knows.
    format!(
        "SELECT DocNum, PatNum, Description FROM document WHERE PatNum = {pat_num} AND Description LIKE '%{mark}%'"
    )
}

/// What came of asking for a document by its number.
#[derive(Clone, PartialEq, Eq)]
pub enum Sought {
    /// It is there, this patient's or another one's.
    There(Document),
    /// There is no such document any more.
    Gone,
    /// It is none of the patient's. Whether it is another one's, the office does not tell.
    Unknown,
}

/// A document by its number, in offices that show no single one too: those are asked for the patient's.
///
/// # Errors
/// When the office did not answer that.
pub fn by_number(
    api: &Api<'_>,
    office: &Office,
    doc_num: DocNum,
    pat_num: Option<PatNum>,
) -> Result<Sought, Disposition> {
    match api.document(doc_num) {
        Ok(Some(row)) => return Ok(Sought::There(row)),
        Ok(None) => return Ok(Sought::Gone),
        Err(Error::Refused { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let listed = match pat_num {
        Some(pat_num) => listed(api, office, doc_num, pat_num)?,
        None => None,
    };
    if let Some(row) = listed {
        return Ok(Sought::There(row));
    }
    match api.query_documents(&statement_of(doc_num)) {
        Ok(list) => {
            let row = list.documents.into_iter().find(|row| row.doc_num == doc_num);
            Ok(row.map_or(Sought::Gone, Sought::There))
        }
        Err(error) if error.is_lasting() => Ok(Sought::Unknown),
        Err(error) => Err(error.into()),
    }
}

/// The document among those of a patient.
fn listed(
    api: &Api<'_>,
    office: &Office,
    doc_num: DocNum,
    pat_num: PatNum,
) -> Result<Option<Document>, Disposition> {
    let mut offset = 0;
    for _ in 0..MOST_PAGES {
        let list = match api.documents(pat_num, offset, office.page_size) {
            Ok(list) => list.ok_or_else(|| Disposition::rejected("documents-too-large-to-list"))?,
            Err(Error::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let found = list.documents.iter().find(|row| row.doc_num == doc_num).cloned();
        if found.is_some() || is_last(&list, office) {
            return Ok(found);
        }
        offset += list.rows;
    }
    Err(Disposition::rejected("too-many-documents"))
}

fn statement_of(doc_num: DocNum) -> String {
    format!(
        "SELECT DocNum, PatNum, Description, DateCreated, FileName, ImgType, ToothNumbers, DateTStamp FROM document WHERE \
         DocNum = {doc_num}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::double::Double;
    use archwire_connector::http::Error as HttpError;

    fn pat_num() -> PatNum {
        PatNum::parse("7").unwrap()
    }

    fn rows(count: usize, marked: Option<(usize, &Mark)>) -> String {
        let row = |place: usize| {
            let words = marked
                .filter(|(at, _)| *at == place)
                .map_or(String::new(), |(_, mark)| format!("Pano {mark}"));
            format!(r#"{{"DocNum":{},"Description":"{words}"}}"#, place + 1)
        };
        format!("[{}]", (0..count).map(row).collect::<Vec<_>>().join(","))
    }

    fn found(host: &Double, mark: &Mark) -> Result<Option<u64>, Disposition> {
        let office = Office::for_tests();
        let found = find(&Api::new(host, &office.url), &office, pat_num(), mark)?;
        Ok(found.map(|row| row.doc_num.get()))
    }

    #[test]
    fn one_page_is_enough_when_it_is_the_last_or_has_the_mark() {
        let mark = Mark::of("1/1", "ab");
        for (body, expected) in [
            (rows(9, None), None),
            (rows(9, Some((3, &mark))), Some(4)),
            (rows(10, Some((9, &mark))), Some(10)),
        ] {
            let host = Double::new().answer(200, &body);
            assert_eq!(found(&host, &mark), Ok(expected));
            assert_eq!(host.asked(), ["GET /documents?PatNum=7&Offset=0&Limit=10"]);
        }
    }

    #[test]
    fn with_many_documents_the_database_is_asked_for_the_mark() {
        let mark = Mark::of("1/1", "ab");
        let host = Double::new()
            .answer(200, &rows(10, None))
            .answer(200, &rows(1, Some((0, &mark))));
        assert_eq!(found(&host, &mark), Ok(Some(1)));
        let asked = host.asked();
        assert!(
            asked[1].contains(&format!("WHERE PatNum = 7 AND Description LIKE '%{mark}%'")),
            "{asked:?}"
        );
    }

    #[test]
    fn without_queries_the_other_pages_are_read() {
        let mark = Mark::of("1/1", "ab");
        for denied in [401, 404] {
            let host = Double::new()
                .answer(200, &rows(10, None))
                .answer(denied, "\"\"")
                .answer(200, &rows(4, Some((2, &mark))));
            assert_eq!(found(&host, &mark), Ok(Some(3)));
            assert_eq!(host.asked()[2], "GET /documents?PatNum=7&Offset=10&Limit=10");
        }
        let host = Double::new()
            .answer(200, &rows(10, None))
            .fail(HttpError::Denied)
            .answer(200, "[]");
        assert_eq!(found(&host, &mark), Ok(None));
        let host = Double::new().answer(200, &rows(10, None)).answer(500, "");
        assert!(
            matches!(found(&host, &mark), Err(Disposition::Retry(_))),
            "nobody knows"
        );
    }

    #[test]
    fn an_older_office_is_asked_for_the_patients_documents() {
        let host = Double::new()
            .answer(400, "\"too old\"")
            .answer(200, &rows(4, None));
        assert_eq!(sought(&host, Some(pat_num())), "there, of nobody");
    }

    #[test]
    fn of_one_that_is_not_the_patients_an_older_office_tells_by_a_query_or_not_at_all() {
        let host = || {
            Double::new()
                .answer(400, "\"too old\"")
                .answer(200, &rows(1, None))
        };
        let elsewhere = host().answer(200, r#"[{"DocNum":3,"PatNum":8,"Description":"Pano"}]"#);
        assert_eq!(sought(&elsewhere, Some(pat_num())), "there, of 8");
        assert!(elsewhere.asked()[2].contains("WHERE DocNum = 3"));
        assert_eq!(sought(&host().answer(200, "[]"), Some(pat_num())), "gone");
        assert_eq!(sought(&host().answer(401, "\"no\""), Some(pat_num())), "unknown");
        let of_nobody = Double::new().answer(400, "\"too old\"").answer(401, "\"no\"");
        assert_eq!(sought(&of_nobody, None), "unknown");
    }

    fn sought(host: &Double, pat_num: Option<PatNum>) -> String {
        let office = Office::for_tests();
        let doc_num = DocNum::parse("3").unwrap();
        match by_number(&Api::new(host, &office.url), &office, doc_num, pat_num).unwrap() {
            Sought::There(row) => {
                let owner = row.pat_num.map_or("nobody".into(), |owner| owner.to_string());
                format!("there, of {owner}")
            }
            Sought::Gone => "gone".into(),
            Sought::Unknown => "unknown".into(),
        }
    }
}

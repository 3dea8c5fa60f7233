//! Reading an archive, against one that is played.

use super::find::MOST_RESTARTS;
use super::*;
use crate::host::double::Double;
use archwire_connector::http::Error;

fn study(uid: &str) -> String {
    format!(
        r#"{{"0020000D":{{"Value":["{uid}"]}},"00100020":{{"Value":["P1"]}},"00100021":{{"Value":["A"]}},
            "00201208":{{"Value":[1]}},"00080020":{{"Value":["20261122"]}}}}"#
    )
}

fn image(study: &str, number: usize) -> String {
    format!(
        r#"{{"0020000D":{{"Value":["{study}"]}},"0020000E":{{"Value":["{study}.1"]}},
            "00080018":{{"Value":["{study}.1.{number}"]}},"00100020":{{"Value":["P1"]}},"00100021":{{"Value":["A"]}}}}"#
    )
}

fn list(rows: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", rows.into_iter().collect::<Vec<_>>().join(","))
}

fn dicom() -> Vec<u8> {
    let mut bytes = vec![0; 128];
    bytes.extend(b"DICM");
    bytes
}

/// An archive without a list of changes, with one study of so many images.
fn archive(images: usize) -> Double {
    let host = Double::default();
    host.answer("GET /qido/studies?", 200, &list([study("1.2")]));
    for page in 0..=images / PAGE {
        let rows = (page * PAGE..images.min((page + 1) * PAGE)).map(|number| image("1.2", number));
        let question = format!(
            "GET /qido/studies/1.2/instances?limit=100&offset={}&",
            page * PAGE
        );
        host.answer(&question, 200, &list(rows));
    }
    host.file("GET /wado/studies/", &dicom());
    host
}

struct Reader<'a> {
    host: &'a Double,
    cursor: Option<String>,
}

impl Reader<'_> {
    fn page(&mut self) -> Result<Page, Disposition> {
        let page = poll(self.host, &Config::for_tests(), self.cursor.as_deref())?;
        self.cursor = Some(page.cursor.clone());
        Ok(page)
    }

    /// The images of everything that is to be had now.
    fn pass(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        for _ in 0..100 {
            let page = self.page().unwrap();
            told.extend(page.images.into_iter().map(|image| image.local_id));
            if !page.more {
                return told;
            }
        }
        panic!("the pass does not end")
    }
}

fn reader(host: &Double) -> Reader<'_> {
    Reader { host, cursor: None }
}

#[test]
fn a_study_of_many_pages_is_told_whole_and_once() {
    for count in [1, 59, 60, 61, 99, 100, 101, 120, 200, 250] {
        let host = archive(count);
        let mut reader = reader(&host);
        let mut told = reader.pass();
        told.sort();
        told.dedup();
        assert_eq!(told.len(), count);
        assert_eq!(host.asked("GET /wado/"), count, "each was read once");
        // It has to be stable for a minute before it is looked at again, and then nothing is new.
        host.later_ms.set(120_000);
        assert!(reader.pass().is_empty() && reader.pass().is_empty());
        assert_eq!(host.asked("GET /wado/"), count);
    }
}

#[test]
fn a_server_that_does_not_page_does_not_hold_up_anything() {
    for count in [100, 130] {
        let host = Double::default();
        host.answer("GET /qido/studies?", 200, &list([study("1.2")]));
        let all = list((0..count).map(|number| image("1.2", number)));
        host.answer("GET /qido/studies/1.2/instances?", 200, &all);
        host.file("GET /wado/studies/", &dicom());
        assert_eq!(reader(&host).pass().len(), count);
    }
}

#[test]
fn an_image_that_is_never_given_is_put_aside_and_the_others_are_told() {
    let host = archive(3);
    let broken = "GET /wado/studies/1.2/series/1.2.1/instances/1.2.1.1";
    host.answer(broken, 500, "");
    let mut reader = reader(&host);
    let mut told = Vec::new();
    for _ in 0..2 * TRIES {
        told.extend(reader.pass());
    }
    assert_eq!(told, ["1.2.1.0", "1.2.1.2"]);
    assert_eq!(host.asked(broken), usize::try_from(TRIES).unwrap());
    assert!(host.logged.borrow().contains(&"image-put-aside"));
    // After an hour it is asked for again.
    host.file(broken, &dicom());
    host.answer("GET /qido/instances?", 200, &list([image("1.2", 1)]));
    assert!(reader.pass().is_empty());
    host.later_ms.set(3_600_000);
    assert_eq!(reader.pass(), ["1.2.1.1"]);
    assert!(reader.pass().is_empty());
}

#[test]
fn what_is_not_dicom_is_put_aside_too() {
    let host = archive(2);
    host.file("GET /wado/studies/1.2/series/1.2.1/instances/1.2.1.0", b"<html>");
    let mut reader = reader(&host);
    let told: Vec<_> = (0..2 * TRIES).flat_map(|_| reader.pass()).collect();
    assert_eq!(told, ["1.2.1.1"]);
}

#[test]
fn an_archive_that_goes_away_or_a_store_that_is_full_moves_nothing() {
    let host = archive(2);
    let mut reader = reader(&host);
    host.full.set(true);
    let full = (0..3).find_map(|_| reader.page().err()).unwrap();
    assert_eq!(full.reason().code, "image-store-full");
    host.full.set(false);
    host.fail("GET /wado/studies/1.2", Error::Unreachable);
    assert!(matches!(reader.page(), Err(Disposition::Unavailable(_))));
    host.file("GET /wado/studies/1.2", &dicom());
    assert_eq!(reader.pass().len(), 2);
}

#[test]
fn what_was_read_before_the_archive_went_away_is_told() {
    let host = archive(3);
    let last = "GET /wado/studies/1.2/series/1.2.1/instances/1.2.1.2";
    host.fail(last, Error::Unreachable);
    let mut reader = reader(&host);
    assert_eq!(reader.pass().len(), 2);
    assert!(reader.page().is_err());
    host.file(last, &dicom());
    assert_eq!(reader.pass(), ["1.2.1.2"]);
}

#[test]
fn a_first_pass_whose_pages_do_not_fit_together_begins_anew() {
    let host = archive(1);
    // 50 studies a page; the second page begins with another study than the first one ended with.
    let studies = |from: usize| list((from..from + 50).map(|number| study(&format!("1.9.{number}"))));
    host.answer("GET /qido/studies?limit=100&offset=0&", 200, &studies(0));
    host.answer("GET /qido/studies?limit=100&offset=49&", 200, &studies(100));
    host.answer("GET /qido/studies?limit=100&offset=98&", 200, "[]");
    let mut reader = reader(&host);
    reader.pass();
    let drifted = host
        .logged
        .borrow()
        .iter()
        .filter(|event| **event == "studies-drifted")
        .count();
    assert_eq!(drifted, usize::try_from(MOST_RESTARTS).unwrap());
    // In the end everything that any page showed was looked at.
    assert!(host.asked("GET /qido/studies/1.9.149/instances") > 0);
}

#[test]
fn a_cursor_stays_within_its_bound() {
    let host = Double::default();
    // More studies than are watched, with identifiers as long as they can be.
    let uid = |number: usize| format!("1.2.840.113619.2.55.3.604688119.971.{number:022}");
    for page in 0..=crate::window::MOST / PAGE {
        let numbers = page * PAGE..(page + 1) * PAGE;
        let studies = list(numbers.clone().map(|number| study(&uid(number))));
        let question = format!("GET /qido/studies?limit=100&offset={}&", page * PAGE);
        host.answer(&question, 200, &studies);
        for number in numbers {
            let images = list((0..3).map(|image_number| image(&uid(number), image_number)));
            let question = format!("GET /qido/studies/{}/instances?", uid(number));
            host.answer(&question, 200, &images);
        }
    }
    host.file("GET /wado/studies/", &dicom());
    let mut longest = 0;
    let mut reader = reader(&host);
    for look in 0..200 {
        host.later_ms.set(look * 61_000);
        reader.page().unwrap();
        longest = longest.max(reader.cursor.as_ref().unwrap().len());
    }
    assert!((40_000..60 * 1024).contains(&longest), "{longest}");
}

#[test]
fn a_cursor_of_another_kind_is_refused() {
    let page = poll(&Double::default(), &Config::for_tests(), Some("{}"));
    assert_eq!(page.unwrap_err().reason().code, "cursor-unreadable");
}

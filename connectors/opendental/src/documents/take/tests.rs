//! Taking images out of an office, against one that is played.

use super::*;
use crate::host::double::Double;

const ROWS: &str = r#"[
    {"DocNum":1,"PatNum":7,"Description":"Pano","FileName":"SmithJohn1.jpg","ImgType":1,"DateTStamp":"2026-11-01T01:00:00","ToothNumbers":"1"},
    {"DocNum":2,"PatNum":7,"Description":"Letter","FileName":"SmithJohn2.pdf","ImgType":0,"DateTStamp":"2026-11-01T01:00:00"},
    {"DocNum":3,"PatNum":8,"Description":"Scan","FileName":"JonesAnn3.stl","ImgType":3,"DateTStamp":"2026-11-01T01:00:00"},
    {"DocNum":4,"PatNum":8,"Description":"Ceph (aw 0123abcd)","FileName":"JonesAnn4.jpg","ImgType":1,"DateTStamp":"2026-11-01T01:00:00"},
    {"DocNum":5,"PatNum":8,"Description":"Unopened","FileName":"x","ImgType":2,"DateTStamp":"2026-11-01T01:00:00"}]"#;
const FOLDERS: &str = r#"[{"PatNum":7,"ImageFolder":"SmithJohn7"},{"PatNum":8,"ImageFolder":"jonesAnn8"}]"#;

fn watermark() -> Option<OfficeTime> {
    OfficeTime::parse("2026-11-01 01:05:00")
}

fn step(documents: &mut Documents, host: &Double) -> (Vec<String>, bool) {
    let office = Office::for_tests();
    let taken = documents.step(host, &office, &Api::new(host, &office.url), watermark());
    (
        taken.images.iter().map(|image| image.local_id.clone()).collect(),
        taken.more,
    )
}

fn with_files(host: Double) -> Double {
    host.with_files(&[
        ("S/SmithJohn7/SmithJohn1.jpg", "aa"),
        ("J/jonesAnn8/JonesAnn3.stl", "bb"),
    ])
}

#[test]
fn without_a_granted_folder_nothing_is_asked() {
    let host = Double::new();
    assert_eq!(step(&mut Documents::default(), &host), (vec![], false));
    assert_eq!(host.asked().len(), 0);
    assert!(report(&host).starts_with("the API gives no bytes; grant the A-to-Z folder"));
}

#[test]
fn images_are_taken_and_letters_uploads_and_what_the_bus_brought_are_not() {
    let host = with_files(Double::new().answer(200, ROWS).answer(200, FOLDERS));
    let mut documents = Documents::default();
    let office = Office::for_tests();
    let taken = documents.step(&host, &office, &Api::new(&host, &office.url), watermark());
    let told: Vec<_> = taken
        .images
        .iter()
        .map(|told| {
            (
                told.local_id.as_str(),
                told.record.as_str(),
                told.image.sha256.as_deref().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("1", "7", "aa"), ("3", "8", "bb")]);
    assert_eq!(taken.images[0].image.view_label.as_deref(), Some("Pano"));
    assert_eq!(taken.images[0].image.teeth, [18]);
    assert!(!taken.more && documents.running.is_none());
    assert_eq!(report(&host), "images are taken from the A-to-Z folder");
    assert!(host.asked()[0].contains("FROM document WHERE DocNum > 0 ORDER BY DocNum"));
}

#[test]
fn the_next_pass_asks_for_what_changed_and_tells_nothing_twice() {
    let host = with_files(
        Double::new()
            .answer(200, ROWS)
            .answer(200, FOLDERS)
            .answer(200, ROWS),
    );
    let mut documents = Documents::default();
    step(&mut documents, &host);
    assert_eq!(step(&mut documents, &host), (vec![], false));
    assert!(host.asked()[2].contains("WHERE DateTStamp >= '2026-11-01 01:00:00' AND DocNum > 0"));
}

#[test]
fn a_long_table_is_read_page_by_page_from_the_last_row_on() {
    let row = |number: usize| {
        format!(
            r#"{{"DocNum":{number},"PatNum":7,"FileName":"f{number}.jpg","ImgType":2,"DateTStamp":"2026-11-01T01:00:00"}}"#
        )
    };
    let rows = format!("[{}]", (1..=PAGE).map(row).collect::<Vec<_>>().join(","));
    let files: Vec<_> = (1..=PAGE)
        .map(|number| format!("S/SmithJohn7/f{number}.jpg"))
        .collect();
    let files: Vec<_> = files.iter().map(|file| (file.as_str(), "aa")).collect();
    let host = Double::new()
        .with_files(&files)
        .answer(200, &rows)
        .answer(200, FOLDERS);
    let mut documents = Documents::default();
    let (told, more) = step(&mut documents, &host);
    assert_eq!((told.len(), more), (MOST_FILES, true));
    let host = host.answer(200, "[]");
    assert_eq!(step(&mut documents, &host), (vec![], false));
    assert!(host.asked()[2].contains("DocNum > 20 ORDER"));
}

#[test]
fn a_whole_page_without_images_leads_to_the_next_one() {
    let row = |number: usize| format!(r#"{{"DocNum":{number},"PatNum":7,"FileName":"f.pdf","ImgType":0}}"#);
    let rows = format!("[{}]", (1..=PAGE).map(row).collect::<Vec<_>>().join(","));
    let host = with_files(Double::new().answer(200, &rows));
    let mut documents = Documents::default();
    assert_eq!(step(&mut documents, &host), (vec![], true));
    let host = host.answer(200, "[]");
    step(&mut documents, &host);
    assert!(host.asked()[1].contains("DocNum > 100 ORDER"));
}

#[test]
fn trouble_is_logged_and_stops_nothing_else() {
    for (host, running) in [
        (Double::new().answer(500, ""), true),
        (Double::new().answer(401, "\"\""), false),
        (Double::new().answer(200, ROWS).answer(500, ""), true),
    ] {
        let host = with_files(host);
        let mut documents = Documents::default();
        assert_eq!(step(&mut documents, &host), (vec![], false));
        assert_eq!(
            (host.events(), documents.running.is_some()),
            (vec!["documents-unread"], running)
        );
    }
}

#[test]
fn a_file_that_is_not_there_is_passed_over_and_told_about() {
    let host = Double::new()
        .with_files(&[("J/jonesAnn8/JonesAnn3.stl", "bb")])
        .answer(200, ROWS)
        .answer(200, FOLDERS);
    assert_eq!(step(&mut Documents::default(), &host), (vec!["3".into()], false));
    assert_eq!(host.events(), ["documents-without-file"]);
}

#[test]
fn images_of_unknown_folders_do_not_hold_the_pass_up() {
    let row = |number: usize| {
        format!(
            r#"{{"DocNum":{number},"PatNum":7,"FileName":"f{number}.jpg","ImgType":2,"DateTStamp":"2026-11-01T01:00:00"}}"#
        )
    };
    let rows = format!("[{}]", (1..=MOST_FILES).map(row).collect::<Vec<_>>().join(","));
    let host = Double::new().with_files(&[]).answer(200, &rows).answer(200, "[]");
    let mut documents = Documents::default();
    assert_eq!(step(&mut documents, &host), (vec![], true));
    let host = host.answer(200, "[]");
    assert_eq!(step(&mut documents, &host), (vec![], false));
    assert!(host.asked()[2].contains("DocNum > 20 ORDER"));
}

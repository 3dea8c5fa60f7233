//! Documents: what goes up, where its bytes lie, and what the office shows of it.

use archwire_opendental_simulator::{
    ApiKey, Author, DocumentFields, Fault, MAX_NOTE_BYTES, Options, Permission, Version,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Office, got};

/// Bytes of no meaning that are no text either.
fn picture(size: usize) -> Vec<u8> {
    (0..size).map(|place| (place * 31 % 256) as u8).collect()
}

fn upload(bytes: &[u8]) -> Value {
    json!({"PatNum": 1, "rawBase64": STANDARD.encode(bytes), "extension": ".jpg"})
}

async fn open(options: Options) -> Office {
    let office = Office::with(options).await;
    office.register(2);
    office
}

async fn query(office: &Office, sql: &str) -> Value {
    let (status, rows) = office
        .put("/queries/ShortQuery", json!({ "SqlCommand": sql }))
        .await;
    assert_eq!(status, 200, "{rows}");
    rows
}

#[tokio::test]
async fn an_upload_keeps_its_bytes_and_lies_in_the_note_until_somebody_opens_it() {
    let folder = tempfile::tempdir().unwrap();
    let office = open(Options {
        images_folder: Some(folder.path().to_owned()),
        ..Options::service()
    })
    .await;
    let bytes = picture(100_000);
    let mut body = upload(&bytes);
    body["Description"] = "Pano".into();
    body["ToothNumbers"] = "1-3,8".into();
    body["DocCategory"] = 132.into();
    body["ImgType"] = "Radiograph".into();
    body["DateCreated"] = "2026-03-15 14:30:00".into();
    let (status, row) = office.post("/documents/Upload", body).await;
    assert_eq!(status, 201);
    assert_eq!(
        (&row["FileName"], &row["ToothNumbers"]),
        (&json!("x"), &json!("1,2,3,8"))
    );
    assert_eq!(
        (
            &row["docCategory"],
            &row["DateCreated"],
            &row["PatNum"],
            &row["ProvNum"]
        ),
        (
            &json!("Patient Pictures"),
            &json!("2026-03-15 14:30:00"),
            &json!(1),
            &json!(0)
        )
    );
    assert_eq!(office.handle.document(1).unwrap().bytes[..], bytes[..]);
    let note = &query(&office, "SELECT Note FROM document WHERE DocNum = 1").await[0]["Note"];
    let text = note.as_str().unwrap().strip_prefix("_rawBase64_:.jpg_").unwrap();
    assert_eq!(STANDARD.decode(text).unwrap(), bytes);

    office.handle.front_desk().open_document(1).unwrap();
    assert_eq!(office.get("/documents/1").await.1["FileName"], "ATest1.jpg");
    let path = &office.get("/documents?PatNum=1").await.1[0]["filePath"];
    assert_eq!(path, r"\\SERVERFILES\OpenDentImages\A\A1Test1\ATest1.jpg");
    assert_eq!(
        std::fs::read(folder.path().join("A/A1Test1/ATest1.jpg")).unwrap(),
        bytes
    );
    assert_eq!(query(&office, "SELECT Note FROM document").await[0]["Note"], "");
}

#[tokio::test]
async fn what_is_larger_than_a_note_or_a_body_is_refused_and_leaves_nothing() {
    let office = open(Options::service()).await;
    let largest = (MAX_NOTE_BYTES - "_rawBase64_:.jpg_".len()) / 4 * 3;
    let (status, said) = office
        .post("/documents/Upload", upload(&picture(largest + 1)))
        .await;
    assert_eq!(
        (status, said),
        (400, json!("Data too long for column 'Note' at row 1"))
    );
    let (status, said) = office
        .post("/documents/Upload", upload(&picture(12_700_000)))
        .await;
    assert_eq!(
        (status, said),
        (400, json!("Request body exceeds the maximum length"))
    );
    assert!(office.handle.documents().is_empty());
    assert_eq!(
        office
            .post("/documents/Upload", upload(&picture(largest)))
            .await
            .0,
        201
    );
}

#[tokio::test]
async fn a_list_has_mounts_in_it_and_keys_of_others_as_texts() {
    let office = open(Options::service()).await;
    let desk = office.handle.front_desk();
    desk.scan(1, "scan.pdf", picture(10), &DocumentFields::default())
        .unwrap();
    desk.scan(2, "other.pdf", picture(10), &DocumentFields::default())
        .unwrap();
    desk.add_mount(1, "4BW").unwrap();
    let (_, rows) = office.get("/documents?PatNum=1").await;
    let keys: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["DocNum"].clone(),
                row["MountNum"].clone(),
                row["PatNum"].clone(),
            )
        })
        .collect();
    assert_eq!(
        keys,
        [(json!(1), json!(0), json!("1")), (json!(0), json!(1), json!("1"))]
    );
    assert_eq!(
        (&rows[1]["filePath"], &rows[1]["DateTStamp"]),
        (&json!(""), &json!(""))
    );
    assert_eq!(office.get("/documents").await, (400, json!("PatNum is required")));
    assert_eq!(
        office.get("/documents?PatNum=9").await,
        (404, json!("Patient not found"))
    );
    assert_eq!(
        office.get("/documents/9").await,
        (404, json!("Document not found"))
    );
}

#[tokio::test]
async fn what_an_upload_left_in_the_note_is_listed_by_offices_that_show_it() {
    let mut options = Options::service();
    options.unknowns.raw_note_shown = true;
    options.unknowns.single_document_like_list = true;
    let office = open(options).await;
    office.post("/documents/Upload", upload(b"abc")).await;
    for (path, place) in [("/documents?PatNum=1", "/0/Note"), ("/documents/1", "/Note")] {
        let (_, shown) = office.get(path).await;
        assert_eq!(
            shown.pointer(place),
            Some(&json!("_rawBase64_:.jpg_YWJj")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_change_touches_what_it_names_and_a_deleted_document_is_gone_without_a_trace() {
    let office = open(Options::service()).await;
    office.post("/documents/Upload", upload(b"abc")).await;
    let (status, row) = office.put("/documents/1", json!({"Description": "Ceph"})).await;
    assert_eq!(
        (status, &row["Description"], &row["ImgType"]),
        (200, &json!("Ceph"), &json!("Document"))
    );
    assert_eq!(
        got(office
            .request(Method::DELETE, "/documents/1")
            .send()
            .await
            .unwrap())
        .await
        .0,
        200
    );
    assert_eq!(office.get("/documents/1").await.0, 404);
    assert_eq!(query(&office, "SELECT DocNum FROM document").await, json!([]));
    let methods: Vec<_> = office
        .handle
        .document_changes()
        .iter()
        .map(|change| change.method)
        .collect();
    assert_eq!(methods, ["POST", "PUT", "DELETE"]);
    assert!(
        office
            .handle
            .document_changes()
            .iter()
            .all(|change| change.author != Author::FrontDesk)
    );
    office.post("/documents/Upload", upload(b"abc")).await;
    assert_eq!(
        office.handle.documents()[0].doc_num,
        2,
        "no number is given twice"
    );
}

#[tokio::test]
async fn a_document_is_found_by_a_part_of_its_description_and_by_its_change_time() {
    let office = open(Options::service()).await;
    for text in ["Pano (aw 1)", "Ceph (aw 2)", "Letter"] {
        let mut body = upload(b"abc");
        body["Description"] = text.into();
        office.post("/documents/Upload", body).await;
    }
    let found = query(
        &office,
        "SELECT DocNum FROM document WHERE PatNum = 1 AND Description LIKE '%(AW 2)%'",
    )
    .await;
    assert_eq!(found, json!([{ "DocNum": 2 }]));
    let none = query(
        &office,
        "SELECT DocNum FROM document WHERE DateTStamp >= '2199-01-01 00:00:00'",
    )
    .await;
    assert_eq!(none, json!([]));
}

#[tokio::test]
async fn merging_takes_the_documents_along() {
    let office = open(Options::service()).await;
    office.post("/documents/Upload", upload(b"abc")).await;
    office.handle.front_desk().merge(1, 2).unwrap();
    assert_eq!(office.get("/documents?PatNum=1").await.1, json!([]));
    assert_eq!(office.get("/documents/1").await.1["PatNum"], 2);
}

#[tokio::test]
async fn categories_of_images_are_told_without_those_that_are_hidden() {
    let office = open(Options::service()).await;
    let (_, rows) = office.get("/definitions?Category=18").await;
    let names: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["ItemName"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Xrays", "Patient Pictures", "Lab Cases"]);
    assert_eq!(
        (&rows[0]["DefNum"], &rows[0]["isHidden"]),
        (&json!(131), &json!("false"))
    );
    let (_, all) = office.get("/definitions?Category=18&includeHidden=true").await;
    assert_eq!(all.as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn uploading_and_the_rest_of_documents_are_two_permissions() {
    let mut options = Options::service();
    let key = ApiKey::default().with_permissions([Permission::ReadAll, Permission::Documents]);
    options.keys = vec![key];
    let office = open(options).await;
    assert_eq!(office.post("/documents/Upload", upload(b"abc")).await.0, 201);
    assert_eq!(
        office.put("/documents/1", json!({"Description": "x"})).await.0,
        401
    );
    assert_eq!(office.get("/documents?PatNum=1").await.0, 200);
}

#[tokio::test]
async fn an_older_office_lists_documents_and_shows_no_single_one() {
    let office = open(Options {
        version: Version(24, 1, 0),
        ..Options::service()
    })
    .await;
    assert_eq!(office.post("/documents/Upload", upload(b"abc")).await.0, 201);
    assert_eq!(office.get("/documents/1").await.0, 400);
    assert_eq!(office.get("/documents?PatNum=1").await.0, 200);
}

#[tokio::test]
async fn an_upload_whose_answer_is_lost_is_there_all_the_same() {
    let office = open(Options::service()).await;
    office
        .handle
        .set_fault(Fault::drop_after().on("POST", "/documents/Upload").times(1));
    let sent = office
        .request(Method::POST, "/documents/Upload")
        .body(upload(b"abc").to_string())
        .send()
        .await;
    assert!(sent.is_err());
    assert_eq!(office.handle.documents().len(), 1);
}

#[tokio::test]
async fn a_test_of_another_process_scans_opens_and_fetches_over_http() {
    let office = open(Options::service()).await;
    let admin = office.handle.admin_url();
    let bytes = picture(3_000_000);
    let scanned = office
        .client
        .post(format!("{admin}/documents?pat_num=1&file_name=scan.jpg"))
        .body(bytes.clone())
        .send()
        .await
        .unwrap();
    assert_eq!(got(scanned).await, (201, json!({"DocNum": 1})));
    let content = office
        .client
        .get(format!("{admin}/documents/1/content"))
        .send()
        .await
        .unwrap();
    assert_eq!(content.bytes().await.unwrap(), bytes);
    office.post("/documents/Upload", upload(b"abc")).await;
    let opened = office
        .client
        .post(format!("{admin}/documents/2/open"))
        .send()
        .await
        .unwrap();
    assert_eq!(opened.status(), 200);
    let (_, rows) = got(office
        .client
        .get(format!("{admin}/documents"))
        .send()
        .await
        .unwrap())
    .await;
    assert_eq!((&rows[1]["opened"], &rows[1]["size"]), (&json!(true), &json!(3)));
}

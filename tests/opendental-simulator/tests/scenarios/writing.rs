//! POST and PUT of patients, and what the simulator remembers of them.

use std::time::Duration;

use archwire_opendental_simulator::jiff::civil::datetime;
use archwire_opendental_simulator::{Author, Field, Options, PatientFields, Unmentioned};
use reqwest::Method;
use serde_json::json;

use crate::support::{Office, numbers};

#[tokio::test]
async fn a_created_patient_is_answered_201_with_its_location() {
    let office = Office::open().await;
    let body = json!({"LName": "Smith", "FName": "Jane", "Birthdate": "1976-05-24", "State": "CA"});
    let response = office
        .request(Method::POST, "/patients")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 201);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(location, format!("{}/patients/1", office.handle.base_url()));
    assert_eq!(office.get("/patients/1").await.1["State"], "CA");
}

#[tokio::test]
async fn the_change_log_says_who_changed_what_and_what_was_answered() {
    let office = Office::open().await;
    let pat_num = office
        .handle
        .front_desk()
        .create(&PatientFields::named("Smith", "Jane"));
    office.put("/patients/1", json!({"HmPhone": "555-0101"})).await;
    let changes = office.handle.changes();
    assert_eq!(changes.len(), 2);
    assert_eq!(
        (&changes[0].author, changes[0].status_sent),
        (&Author::FrontDesk, None)
    );
    assert!(changes[0].is_creation() && changes[0].pat_num == pat_num);
    assert_eq!(changes[1].author, Author::Developer("Archwire".to_owned()));
    assert_eq!((changes[1].method, changes[1].status_sent), ("PUT", Some(200)));
    assert_eq!(changes[1].new_value(Field::HmPhone), Some("555-0101"));
    assert_eq!(changes[1].fields.len(), 1);
    assert_eq!(office.handle.changes_after(1).len(), 1);
}

#[tokio::test]
async fn put_touches_only_what_it_names_and_an_empty_text_clears() {
    let office = Office::open().await;
    let jane = PatientFields::named("Smith", "Jane")
        .with(Field::MiddleI, "Q")
        .with(Field::City, "Salem");
    office.handle.front_desk().create(&jane);
    let (status, row) = office
        .put("/patients/1", json!({"MiddleI": "", "WkPhone": "1"}))
        .await;
    assert_eq!(
        (status, &row["MiddleI"], &row["City"]),
        (200, &json!(""), &json!("Salem"))
    );
    assert_eq!(office.put("/patients/1", json!({"LName": ""})).await.0, 400);
    assert_eq!(office.put("/patients/77", json!({"MiddleI": "x"})).await.0, 404);
}

#[tokio::test]
async fn the_stamp_moves_with_a_change_and_stays_without_one() {
    let office = Office::open().await;
    office
        .handle
        .clock()
        .freeze_at_local(datetime(2026, 7, 1, 12, 0, 0, 0))
        .unwrap();
    office.register(1);
    office.handle.clock().advance(Duration::from_secs(90));
    office.put("/patients/1", json!({"LName": "A1"})).await;
    assert_eq!(
        office.get("/patients/1").await.1["DateTStamp"],
        "2026-07-01 12:00:00"
    );
    office.put("/patients/1", json!({"LName": "A2"})).await;
    assert_eq!(
        office.get("/patients/1").await.1["DateTStamp"],
        "2026-07-01 12:01:30"
    );
    office.handle.clock().advance(Duration::from_secs(30));
    assert_eq!(office.handle.front_desk().run_aging(), 1);
    assert_eq!(
        office.get("/patients/1").await.1["DateTStamp"],
        "2026-07-01 12:02:00"
    );
}

#[tokio::test]
async fn a_duplicate_is_refused_with_the_configured_text_and_nothing_is_written() {
    let mut options = Options::service();
    options.unknowns.duplicate_text = "twice".to_owned();
    let office = Office::with(options).await;
    let jane = json!({"LName": "Smith", "FName": "Jane", "Birthdate": "1976-05-24", "Email": "J@x.example"});
    assert_eq!(office.post("/patients", jane).await.0, 201);
    let again = json!({"LName": "smith", "FName": "JANE", "Birthdate": "1976-05-24", "Email": "j@X.example"});
    assert_eq!(office.post("/patients", again).await, (400, json!("twice")));
    assert_eq!(office.handle.patients().len(), 1);
    let other = json!({"LName": "Smith", "FName": "Jane", "Birthdate": "1976-05-24"});
    assert_eq!(
        office.post("/patients", other).await.0,
        201,
        "without contact it is not recognised"
    );
}

#[tokio::test]
async fn fields_that_match_nothing_are_ignored_or_refused_as_configured() {
    let body = json!({"LName": "A", "FName": "B", "ShoeSize": 9});
    let office = Office::open().await;
    assert_eq!(office.post("/patients", body.clone()).await.0, 201);
    let mut options = Options::service();
    options.unknowns.body_fields = Unmentioned::Reject;
    let office = Office::with(options).await;
    assert_eq!(office.post("/patients", body).await.0, 400);
    assert!(office.handle.patients().is_empty());
}

#[tokio::test]
async fn a_text_that_is_too_long_is_cut_by_the_database() {
    let office = Office::open().await;
    office.register(1);
    let (status, row) = office
        .put("/patients/1", json!({"HmPhone": "5".repeat(40)}))
        .await;
    assert_eq!((status, row["HmPhone"].as_str().unwrap().len()), (200, 30));
    assert_eq!(
        office.handle.changes()[1]
            .new_value(Field::HmPhone)
            .unwrap()
            .len(),
        30
    );
}

#[tokio::test]
async fn a_patient_moves_to_another_family_but_not_to_another_member_of_his_own() {
    let office = Office::open().await;
    office.register(4);
    assert_eq!(office.put("/patients/2", json!({"Guarantor": 1})).await.0, 200);
    assert_eq!(office.put("/patients/3", json!({"Guarantor": 1})).await.0, 200);
    assert_eq!(office.put("/patients/3", json!({"Guarantor": 2})).await.0, 400);
    assert_eq!(
        office.put("/patients/4", json!({"Guarantor": 2})).await.0,
        400,
        "2 heads no family"
    );
    assert_eq!(
        office.put("/patients/1", json!({"Guarantor": 2})).await.0,
        200,
        "1 was the guarantor"
    );
    let (_, family) = office.get("/patients/Simple?Guarantor=2").await;
    assert_eq!(numbers(&family), [1, 2, 3]);
    assert_eq!(
        office.put("/patients/3", json!({"FamFinUrgNote": "x"})).await.0,
        400
    );
    assert_eq!(
        office.put("/patients/2", json!({"FamFinUrgNote": "x"})).await.0,
        200
    );
    let both = json!({"Guarantor": 4, "SuperFamily": 4});
    assert_eq!(office.put("/patients/3", both).await.0, 400);
    assert_eq!(office.put("/patients/3", json!({"Guarantor": 99})).await.0, 400);
}

#[tokio::test]
async fn the_balance_of_a_family_stands_at_its_guarantor() {
    let office = Office::open().await;
    office.register(2);
    office.put("/patients/2", json!({"Guarantor": 1})).await;
    office.handle.front_desk().set_balance(1, 10.5).unwrap();
    office.handle.front_desk().set_balance(2, 30.0).unwrap();
    let (_, rows) = office.get("/patients/Simple").await;
    assert_eq!(
        (&rows[0]["BalTotal"], &rows[0]["EstBalance"]),
        (&json!(40.5), &json!(10.5))
    );
    assert_eq!(
        (&rows[1]["BalTotal"], &rows[1]["EstBalance"]),
        (&json!(0.0), &json!(30.0))
    );
}

#[tokio::test]
async fn a_super_family_is_joined_by_families_and_disbanded_by_its_head() {
    let office = Office::open().await;
    office.register(3);
    office.put("/patients/2", json!({"Guarantor": 1})).await;
    office.put("/patients/3", json!({"SuperFamily": 1})).await;
    assert_eq!(
        numbers(&office.get("/patients/Simple?SuperFamily=1").await.1),
        [1, 2, 3]
    );
    office.put("/patients/2", json!({"SuperFamily": 0})).await;
    assert_eq!(
        numbers(&office.get("/patients/Simple?SuperFamily=1").await.1),
        Vec::<i64>::new()
    );
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let office = Office::open().await;
    for body in ["", "[]", "{\"LName\":", "\"x\""] {
        let response = office
            .request(Method::POST, "/patients")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 400, "{body:?}");
    }
    let long = json!({"LName": "A", "FName": "x".repeat(16_800_001)});
    assert_eq!(office.post("/patients", long).await.0, 400);
    assert!(office.handle.patients().is_empty());
}

#[tokio::test]
async fn the_audit_trail_shows_a_developer_its_own_writes_newest_first() {
    let office = Office::open().await;
    office
        .handle
        .clock()
        .freeze_at_local(datetime(2023, 7, 6, 11, 48, 55, 0))
        .unwrap();
    office
        .handle
        .front_desk()
        .create(&PatientFields::named("Not", "Mine"));
    office
        .post("/patients", json!({"LName": "A", "FName": "B"}))
        .await;
    office.put("/patients/2", json!({"MiddleI": "x"})).await;
    let (_, rows) = office.get("/securitylogs").await;
    assert_eq!(rows.as_array().unwrap().len(), 2);
    assert_eq!(
        (&rows[0]["PermType"], &rows[1]["PermType"]),
        (&json!("PatientEdit"), &json!("PatientCreate"))
    );
    assert_eq!(rows[1]["LogText"], "Created by Archwire through API. ");
    assert_eq!(rows[1]["LogDateTime"], "7/6/2023 11:48:55 AM");
    let (_, rows) = office.get("/securitylogs?PermType=PatientCreate").await;
    assert_eq!(rows.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn whoever_asks_for_what_changed_does_not_hear_of_undated_edits_and_rows_dated_back() {
    let office = Office::open().await;
    let desk = office.handle.front_desk();
    let long_ago = datetime(2019, 5, 1, 9, 30, 0, 0);
    let pat_num = desk.create_dated(&PatientFields::named("Smith", "Jane"), long_ago);
    desk.edit_undated(pat_num, &PatientFields::new().with(Field::City, "Salem"))
        .unwrap();
    let row = office.get("/patients/1").await.1;
    assert_eq!(
        (&row["City"], &row["DateTStamp"]),
        (&json!("Salem"), &json!("2019-05-01 09:30:00"))
    );
    let since = "/patients/Simple?DateTStamp=2019-05-02%2000:00:00";
    assert_eq!(numbers(&office.get(since).await.1), Vec::<i64>::new());
    assert_eq!(numbers(&office.get("/patients/Simple").await.1), [1]);
    assert_eq!(office.handle.changes().len(), 2);
}

#[tokio::test]
async fn a_deleted_patient_who_is_brought_back_is_there_again_and_looks_changed() {
    let office = Office::open().await;
    let desk = office.handle.front_desk();
    let long_ago = datetime(2019, 5, 1, 9, 30, 0, 0);
    let pat_num = desk.create_dated(&PatientFields::named("Smith", "Jane"), long_ago);
    desk.delete(pat_num).unwrap();
    assert_eq!(office.get("/patients/1").await.0, 404);
    desk.restore(pat_num).unwrap();
    let (status, row) = office.get("/patients/1").await;
    assert_eq!(status, 200);
    assert_ne!(row["DateTStamp"], "2019-05-01 09:30:00");
}

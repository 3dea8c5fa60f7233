//! Merged patients, which only ShortQuery tells of.

use std::time::Duration;

use archwire_opendental_simulator::jiff::civil::datetime;
use archwire_opendental_simulator::{Fault, Field, Options, Permission};
use serde_json::json;

use crate::support::Office;

#[tokio::test]
async fn a_merge_archives_one_patient_and_leaves_a_link_for_a_query() {
    let office = Office::open().await;
    office.register(3);
    office
        .handle
        .clock()
        .freeze_at_local(datetime(2026, 5, 1, 8, 0, 0, 0))
        .unwrap();
    office.handle.front_desk().merge(2, 3).unwrap();
    assert_eq!(office.get("/patients/2").await.1["PatStatus"], "Archived");
    let sql = "SELECT PatNumFrom, PatNumTo, DateTimeLink FROM patientlink WHERE LinkType = 1 AND DateTimeLink >= '2026-05-01 00:00:00'";
    let (status, rows) = office
        .put("/queries/ShortQuery", json!({"SqlCommand": sql}))
        .await;
    assert_eq!(status, 200);
    assert_eq!(
        rows,
        json!([{"PatNumFrom": 2, "PatNumTo": 3, "DateTimeLink": "2026-05-01T08:00:00"}])
    );
    assert_eq!(office.handle.links().len(), 1);
}

#[tokio::test]
async fn a_merge_moves_what_is_owed_and_a_guarantors_family_and_both_change_times() {
    let office = Office::open().await;
    office.register(5);
    let desk = office.handle.front_desk();
    for (member, guarantor) in [(2, "1"), (3, "1"), (5, "4")] {
        desk.set(member, Field::Guarantor, guarantor).unwrap();
    }
    desk.set_balance(1, 12.5).unwrap();
    desk.set_balance(5, 1.5).unwrap();
    let before = office.handle.patient(5).unwrap().date_t_stamp;
    office.handle.clock().advance(Duration::from_secs(60));
    desk.merge(1, 5).unwrap();
    let guarantors: Vec<_> = office
        .handle
        .patients()
        .iter()
        .map(|patient| patient.number(Field::Guarantor))
        .collect();
    assert_eq!(guarantors, [4; 5], "everybody joins the family of number 5");
    let (from, to) = (
        office.handle.patient(1).unwrap(),
        office.handle.patient(5).unwrap(),
    );
    assert_eq!((from.est_balance, to.est_balance), (0.0, 14.0));
    assert!(from.date_t_stamp > before && to.date_t_stamp > before);
}

#[tokio::test]
async fn a_merge_can_be_looked_at_between_its_halves() {
    let office = Office::open().await;
    office.register(2);
    let desk = office.handle.front_desk();
    desk.begin_merge(1, 2).unwrap();
    assert_eq!(office.get("/patients/1").await.1["PatStatus"], "Archived");
    let sql = json!({"SqlCommand":
        "SELECT PatNumTo FROM patientlink WHERE LinkType = 1 AND (PatNumFrom IN (1) OR PatNumTo IN (1))"});
    assert_eq!(
        office.put("/queries/ShortQuery", sql.clone()).await,
        (200, json!([]))
    );
    let stamp = office.handle.patient(1).unwrap().date_t_stamp;
    office.handle.clock().advance(Duration::from_secs(60));
    desk.finish_merge(1, 2).unwrap();
    assert_eq!(
        office.put("/queries/ShortQuery", sql).await,
        (200, json!([{"PatNumTo": 2}]))
    );
    assert_eq!(office.handle.patient(1).unwrap().date_t_stamp, stamp);
}

#[tokio::test]
async fn a_query_can_be_forbidden_by_the_key_and_made_to_fail() {
    let mut options = Options::service();
    let key = options.keys.remove(0);
    options.keys = vec![key.with_permissions([Permission::ReadAll, Permission::Patients])];
    let office = Office::with(options).await;
    let sql = json!({"SqlCommand": "SELECT * FROM patientlink"});
    assert_eq!(office.put("/queries/ShortQuery", sql.clone()).await.0, 401);
    let office = Office::open().await;
    let fault = Fault::status(500).on("PUT", "/queries/ShortQuery").times(1);
    office.handle.set_fault(fault).unwrap();
    assert_eq!(office.put("/queries/ShortQuery", sql.clone()).await.0, 500);
    assert_eq!(office.put("/queries/ShortQuery", sql).await.0, 200);
}

#[tokio::test]
async fn queries_page_by_a_hundred_and_know_numbers_for_statuses() {
    let office = Office::open().await;
    office.register(120);
    office.handle.front_desk().delete(120).unwrap();
    let sql = json!({"SqlCommand": "SELECT PatNum, PatStatus FROM patient ORDER BY PatNum DESC"});
    let (_, rows) = office.put("/queries/ShortQuery", sql.clone()).await;
    assert_eq!(
        (rows.as_array().unwrap().len(), &rows[0]),
        (100, &json!({"PatNum": 120, "PatStatus": 4}))
    );
    let (_, rows) = office.put("/queries/ShortQuery?Offset=100", sql).await;
    assert_eq!(rows.as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn what_would_write_is_401_and_what_is_not_understood_400() {
    let office = Office::open().await;
    office.register(1);
    for (sql, expected) in [
        ("UPDATE patient SET LName='x'", 401),
        ("SELECT * FROM payment", 400),
        ("SELECT Shoe FROM patient", 400),
        ("SELECT PatNum FROM patient WHERE", 400),
    ] {
        assert_eq!(
            office
                .put("/queries/ShortQuery", json!({"SqlCommand": sql}))
                .await
                .0,
            expected,
            "{sql}"
        );
    }
    assert_eq!(
        office.put("/queries/ShortQuery", json!({})).await,
        (400, json!("SqlCommand is required"))
    );
}

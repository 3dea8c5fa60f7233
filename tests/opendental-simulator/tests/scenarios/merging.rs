//! Merged patients, which only ShortQuery tells of.

use archwire_opendental_simulator::jiff::civil::datetime;
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

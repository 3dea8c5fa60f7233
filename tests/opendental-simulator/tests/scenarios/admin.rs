//! The endpoints under /simulator, as a test of another process uses them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Got, Office, got};

async fn admin(office: &Office, method: Method, path: &str, body: Value) -> Got {
    let url = office.handle.admin_url() + path;
    got(office
        .client
        .request(method, url)
        .json(&body)
        .send()
        .await
        .unwrap())
    .await
}

#[tokio::test]
async fn the_front_desk_can_be_played_over_http() {
    let office = Office::open().await;
    let typed = json!({"LName": "Typed", "FName": "Tom", "State": "in full"});
    assert_eq!(
        admin(&office, Method::POST, "/patients", typed).await,
        (201, json!({"PatNum": 1}))
    );
    assert_eq!(
        admin(&office, Method::PUT, "/patients/1", json!({"HmPhone": "5"}))
            .await
            .0,
        200
    );
    assert_eq!(admin(&office, Method::PUT, "/patients/9", json!({})).await.0, 404);
    assert_eq!(
        admin(&office, Method::PUT, "/patients/1", json!({"Shoe": "5"}))
            .await
            .0,
        400
    );
    office.put("/patients/1", json!({"WkPhone": "6"})).await;
    let (_, changes) = admin(&office, Method::GET, "/changes?after=1", Value::Null).await;
    assert_eq!(changes.as_array().unwrap().len(), 2);
    assert_eq!(
        (&changes[0]["author"], &changes[1]["author"]),
        (&json!("front desk user"), &json!("Archwire"))
    );
    assert_eq!(
        changes[1]["fields"],
        json!([{"field": "WkPhone", "from": "", "to": "6"}])
    );
    assert_eq!(changes[1]["status_sent"], 200);
    let (_, rows) = admin(&office, Method::GET, "/patients", Value::Null).await;
    assert_eq!(
        (&rows[0]["State"], &rows[0]["HmPhone"]),
        (&json!("in full"), &json!("5"))
    );
    let (_, requests) = admin(&office, Method::GET, "/requests", Value::Null).await;
    assert_eq!(
        requests.as_array().unwrap().len(),
        1,
        "only the API's requests are in the log"
    );
}

#[tokio::test]
async fn trouble_the_clock_and_merges_can_be_arranged_over_http() {
    let office = Office::open().await;
    office.register(2);
    let fault = json!({"kind": "status", "status": 503, "times": 1});
    assert_eq!(admin(&office, Method::POST, "/faults", fault).await.0, 200);
    assert_eq!(
        admin(&office, Method::POST, "/faults", json!({"kind": "explode"}))
            .await
            .0,
        400
    );
    assert_eq!(
        admin(&office, Method::GET, "/faults", Value::Null).await.1[0]["fault"]["status"],
        503
    );
    assert_eq!(office.get("/clinics").await.0, 503);
    let order = json!({"freeze_at": "2026-03-08 01:59:59", "advance": "1s"});
    let (_, clock) = admin(&office, Method::PUT, "/clock", order).await;
    assert_eq!(
        (&clock["local"], &clock["frozen"]),
        (&json!("2026-03-08T03:00:00"), &json!(true)),
        "spring forward"
    );
    assert_eq!(
        admin(&office, Method::POST, "/merge", json!({"from": 1, "to": 2}))
            .await
            .0,
        200
    );
    assert_eq!(
        admin(&office, Method::POST, "/aging", Value::Null).await.1,
        json!({"rewritten": 2})
    );
    assert_eq!(
        admin(&office, Method::DELETE, "/patients/2", Value::Null).await.0,
        200
    );
    let (_, summary) = admin(&office, Method::GET, "", Value::Null).await;
    assert_eq!(
        (&summary["patients"], &summary["zone"]),
        (&json!(2), &json!("America/Los_Angeles"))
    );
    assert_eq!(
        admin(&office, Method::PUT, "/econnector", json!({"running": false}))
            .await
            .0,
        200
    );
    let disabled = json!({"status": "Disabled"});
    assert_eq!(
        admin(
            &office,
            Method::PUT,
            "/keys/SimulatorCustomerKey",
            disabled.clone()
        )
        .await
        .0,
        200
    );
    assert_eq!(admin(&office, Method::PUT, "/keys/nobody", disabled).await.0, 404);
}

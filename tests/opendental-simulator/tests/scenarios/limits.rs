//! Headers, keys, permissions, throttle, pages and the time limit.

use std::time::{Duration, Instant};

use archwire_opendental_simulator::{
    ApiKey, ECONNECTOR_DOWN, ErrorBody, Fault, KeyStatus, Options, PageOrder, Permission,
};
use reqwest::Method;
use serde_json::json;

use crate::support::{Office, got, numbers};

#[tokio::test]
async fn a_request_needs_the_exact_authorization_header() {
    let office = Office::open().await;
    let url = office.handle.base_url() + "/clinics";
    let good = office.handle.authorization().to_owned();
    for bad in [
        "",
        "Bearer x",
        "ODFHIR wrong/keys",
        "odfhir a/b",
        good.replace('/', " ").as_str(),
    ] {
        let request = office
            .client
            .get(&url)
            .header("Content-Type", "application/json")
            .header("Authorization", bad);
        assert_eq!(got(request.send().await.unwrap()).await.0, 401, "{bad:?}");
    }
    let without = office.client.get(&url).header("Content-Type", "application/json");
    assert_eq!(without.send().await.unwrap().status(), 401);
    assert_eq!(office.get("/clinics").await, (200, json!([])));
}

#[tokio::test]
async fn even_a_get_needs_the_content_type() {
    let office = Office::open().await;
    let url = office.handle.base_url() + "/clinics";
    let request = || {
        office
            .client
            .get(&url)
            .header("Authorization", office.handle.authorization())
    };
    assert_eq!(request().send().await.unwrap().status(), 400);
    assert_eq!(
        request()
            .header("Content-Type", "text/plain")
            .send()
            .await
            .unwrap()
            .status(),
        400
    );
    let with_charset = request().header("Content-Type", "application/json; charset=utf-8");
    assert_eq!(with_charset.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_key_without_the_permission_is_401() {
    let key = ApiKey::default().with_permissions([Permission::ReadAll]);
    let office = Office::with(Options {
        keys: vec![key],
        ..Options::service()
    })
    .await;
    assert_eq!(office.get("/patients").await.0, 200);
    assert_eq!(
        office
            .post("/patients", json!({"LName": "A", "FName": "B"}))
            .await
            .0,
        401
    );
    assert_eq!(
        office
            .put("/queries/ShortQuery", json!({"SqlCommand": "SELECT 1"}))
            .await
            .0,
        401
    );
    let writer = ApiKey::default().with_permissions([Permission::Patients]);
    let office = Office::with(Options {
        keys: vec![writer],
        ..Options::service()
    })
    .await;
    assert_eq!(office.get("/patients").await.0, 401);
}

#[tokio::test]
async fn remote_sees_a_disabled_key_at_once_and_the_service_after_six_hours() {
    let remote = Office::with(Options::remote_every(Duration::ZERO)).await;
    let service = Office::open().await;
    for office in [&remote, &service] {
        office.handle.clock().freeze();
        assert_eq!(office.get("/clinics").await.0, 200);
        assert!(
            office
                .handle
                .set_key_status("SimulatorCustomerKey", KeyStatus::Disabled)
        );
    }
    assert_eq!(
        remote.get("/clinics").await,
        (401, json!("API key has been disabled."))
    );
    assert_eq!(service.get("/clinics").await.0, 200);
    service.handle.clock().advance(Duration::from_secs(6 * 3600));
    assert_eq!(service.get("/clinics").await.0, 401);
    assert!(
        remote
            .handle
            .set_key_status("SimulatorCustomerKey", KeyStatus::Unassigned)
    );
    assert_eq!(
        remote.get("/clinics").await,
        (400, json!("API key has not been assigned."))
    );
    assert!(!remote.handle.set_key_status("nobody", KeyStatus::Enabled));
}

#[tokio::test]
async fn remote_requests_of_one_key_are_spaced_by_the_interval() {
    let interval = Duration::from_millis(60);
    let office = Office::with(Options::remote_every(interval)).await;
    let began = Instant::now();
    for _ in 0..4 {
        assert_eq!(office.get("/clinics").await.0, 200);
    }
    assert!(
        began.elapsed() >= interval * 3,
        "the first is free, three wait: {:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn when_the_queue_is_full_the_answer_is_429_with_retry_after() {
    let mut options = Options::remote_every(Duration::from_secs(600));
    options.throttle.queue = 2;
    let office = Office::with(options).await;
    assert_eq!(office.get("/clinics").await.0, 200);
    let send = || Box::pin(office.request(Method::GET, "/clinics").send());
    let (refused, _, waiting) = futures_util::future::select_all([send(), send(), send()]).await;
    let refused = refused.unwrap();
    assert_eq!(
        (refused.status().as_u16(), waiting.len()),
        (429, 2),
        "two wait, the third is too many"
    );
    let seconds: u64 = refused.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(seconds >= 1);
    assert_eq!(office.handle.most_in_flight("SimulatorCustomerKey"), 3);
}

#[tokio::test]
async fn two_keys_do_not_wait_for_each_other() {
    let mut options = Options::remote_every(Duration::from_secs(600));
    options.keys.push(ApiKey::new("Other", "dev", "cust"));
    let office = Office::with(options).await;
    assert_eq!(office.get("/clinics").await.0, 200);
    let other = office.client.get(office.handle.base_url() + "/clinics");
    let other = other
        .header("Authorization", "ODFHIR dev/cust")
        .header("Content-Type", "application/json");
    let answer = tokio::time::timeout(Duration::from_secs(30), other.send()).await;
    assert_eq!(
        answer.expect("the other key is not throttled").unwrap().status(),
        200
    );
}

#[tokio::test]
async fn pages_end_at_the_limit_of_the_mode() {
    let office = Office::with(Options::remote_every(Duration::ZERO)).await;
    office.register(205);
    for (path, count) in [
        ("/patients/Simple", 100),
        ("/patients/Simple?Offset=200", 5),
        ("/patients/Simple?Offset=205", 0),
        ("/patients/Simple?Limit=1000", 100),
        ("/patients/Simple?Offset=3&Limit=2", 2),
        ("/patients?Offset=200", 5),
    ] {
        assert_eq!(
            office.get(path).await.1.as_array().unwrap().len(),
            count,
            "{path}"
        );
    }
    let service = Office::open().await;
    service.register(205);
    assert_eq!(
        service.get("/patients/Simple").await.1.as_array().unwrap().len(),
        205
    );
}

#[tokio::test]
async fn shuffled_pages_are_whole_within_a_pass_and_differ_between_passes() {
    let options = Options {
        page_order: PageOrder::Shuffled,
        ..Options::service()
    };
    let office = Office::with(options).await;
    office.register(60);
    let mut passes = Vec::new();
    for _ in 0..2 {
        let mut pass = Vec::new();
        for offset in [0, 20, 40] {
            let (_, rows) = office
                .get(&format!("/patients/Simple?Limit=20&Offset={offset}"))
                .await;
            pass.extend(numbers(&rows));
        }
        let mut sorted = pass.clone();
        sorted.sort_unstable();
        assert_eq!(
            sorted,
            (1..=60).collect::<Vec<_>>(),
            "nobody is missing while nothing changes"
        );
        passes.push(pass);
    }
    assert_ne!(passes[0], passes[1]);
}

#[tokio::test]
async fn an_edit_during_a_pass_makes_offset_paging_skip_somebody() {
    let options = Options {
        page_order: PageOrder::DateTStamp,
        ..Options::service()
    };
    let office = Office::with(options).await;
    office.handle.clock().freeze();
    office.register(4);
    let (_, first) = office.get("/patients/Simple?Limit=2").await;
    office.handle.clock().advance(Duration::from_secs(1));
    office.handle.front_desk().run_aging();
    office.handle.clock().advance(Duration::from_secs(1));
    office.put("/patients/1", json!({"MiddleI": "x"})).await;
    let (_, second) = office.get("/patients/Simple?Limit=2&Offset=2").await;
    assert_eq!(
        (numbers(&first), numbers(&second)),
        (vec![1, 2], vec![4, 1]),
        "3 was never shown"
    );
}

#[tokio::test]
async fn processing_past_the_limit_is_504_and_goes_on_all_the_same() {
    let options = Options {
        processing_limit: Duration::from_millis(20),
        ..Options::service()
    };
    let office = Office::with(options).await;
    office
        .handle
        .set_fault(Fault::delay(Duration::from_millis(1500)).times(1));
    let (status, text) = office
        .post("/patients", json!({"LName": "A", "FName": "B"}))
        .await;
    assert_eq!(status, 504);
    assert!(text.as_str().unwrap().contains("60 second time limit"));
    let patience = Duration::from_secs(30);
    assert!(
        office
            .handle
            .wait_until(patience, |handle| handle.patients().len() == 1)
            .await
    );
    let change = office.handle.changes().pop().unwrap();
    assert_eq!(
        change.status_sent,
        Some(504),
        "the client was told that it failed"
    );
}

#[tokio::test]
async fn an_outage_of_the_econnector_is_a_400_on_remote_only() {
    for (options, expected) in [
        (
            Options::remote_every(Duration::ZERO),
            (400, json!(ECONNECTOR_DOWN)),
        ),
        (Options::local(), (200, json!([]))),
    ] {
        let office = Office::with(options).await;
        office.handle.set_econnector(false);
        assert_eq!(office.get("/clinics").await, expected);
        office.handle.set_econnector(true);
        assert_eq!(office.get("/clinics").await, (200, json!([])));
    }
}

#[tokio::test]
async fn errors_can_be_plain_text_without_quotes() {
    let mut options = Options::service();
    options.unknowns.error_body = ErrorBody::PlainText;
    let office = Office::with(options).await;
    let response = office.request(Method::GET, "/patients/9").send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "Patient not found");
}

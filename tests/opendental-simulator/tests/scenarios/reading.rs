//! Shapes, formats and filters of the GET methods.

use archwire_opendental_simulator::jiff::civil::datetime;
use archwire_opendental_simulator::{Field, Options, PatientFields, StampFilter, Version};
use serde_json::json;

use crate::support::{Office, numbers};

/// The order of the vendor's example answer.
const IN_ORDER: &str = "PatNum LName FName MiddleI Preferred PatStatus Gender Position Birthdate SSN Address Address2 \
    City State Zip HmPhone WkPhone WirelessPhone Guarantor Email EstBalance PriProv priProvAbbr SecProv secProvAbbr \
    FeeSched BillingType ImageFolder FamFinUrgNote ChartNumber MedicaidID BalTotal EmployerNum DateFirstVisit ClinicNum \
    clinicAbbr Premed Ward PreferConfirmMethod PreferContactMethod PreferRecallMethod Language AdmitDate siteDesc \
    DateTStamp SuperFamily TxtMsgOk SecDateEntry";

#[tokio::test]
async fn a_single_patient_has_every_field_in_the_documented_order_and_type() {
    let office = Office::open().await;
    office
        .handle
        .clock()
        .freeze_at_local(datetime(2026, 11, 21, 9, 5, 42, 0))
        .unwrap();
    office
        .handle
        .front_desk()
        .create(&PatientFields::named("Smith", "Jane"));
    let (status, row) = office.get("/patients/1").await;
    assert_eq!(status, 200);
    for (name, value) in [
        ("PatNum", json!(1)),
        ("Guarantor", json!(1)),
        ("EstBalance", json!(0.0)),
        ("PriProv", json!(1)),
        ("priProvAbbr", json!("DOC1")),
        ("Birthdate", json!("0001-01-01")),
        ("Premed", json!("false")),
        ("PatStatus", json!("Patient")),
        ("Gender", json!("Unknown")),
        ("Position", json!("Single")),
        ("TxtMsgOk", json!("Unknown")),
        ("BillingType", json!("Standard Account")),
        ("ImageFolder", json!("SmithJane1")),
        ("DateTStamp", json!("2026-11-21 09:05:42")),
        ("SecDateEntry", json!("2026-11-21")),
    ] {
        assert_eq!(row[name], value, "{name}");
    }
    let request = office
        .request(reqwest::Method::GET, "/patients/1")
        .send()
        .await
        .unwrap();
    let text = request.text().await.unwrap();
    let mut at = 0;
    for name in IN_ORDER.split_whitespace() {
        let found = text
            .find(&format!("\"{name}\":"))
            .unwrap_or_else(|| panic!("{name} is missing"));
        assert!(found >= at, "{name} is out of order");
        at = found;
    }
    assert_eq!(
        row.as_object().unwrap().len(),
        IN_ORDER.split_whitespace().count()
    );
}

#[tokio::test]
async fn an_unknown_patient_is_404_with_a_bare_string() {
    let office = Office::open().await;
    assert_eq!(
        office.get("/patients/99").await,
        (404, json!("Patient not found"))
    );
    assert_eq!(office.get("/patient/99").await.0, 404);
    let delete = office
        .request(reqwest::Method::DELETE, "/patients/1")
        .send()
        .await
        .unwrap();
    assert_eq!(delete.status(), 404, "DELETE does not exist");
}

#[tokio::test]
async fn simple_puts_the_server_time_in_front_of_every_row() {
    let office = Office::open().await;
    office.register(2);
    office
        .handle
        .clock()
        .freeze_at_local(datetime(2026, 7, 1, 12, 0, 0, 0))
        .unwrap();
    let (_, rows) = office.get("/patients/Simple").await;
    assert_eq!(rows[0]["serverDateTime"], "2026-07-01 12:00:00");
    assert_eq!(rows[1]["serverDateTime"], "2026-07-01 12:00:00");
    let (_, rows) = office
        .get("/patients/Simple?DateTimeFormatString=dd/MM/yyyy%20HH:mm:ss%20zzz")
        .await;
    assert_eq!(rows[0]["serverDateTime"], "01/07/2026 12:00:00 -07:00");
    assert_eq!(
        rows[0]["Birthdate"], "0001-01-01",
        "dates have a format of their own"
    );
}

#[tokio::test]
async fn simple_filters_by_stamp_with_or_without_the_second_itself() {
    for (filter, expected) in [
        (StampFilter::AtOrAfter, vec![1, 2]),
        (StampFilter::After, vec![2]),
    ] {
        let mut options = Options::service();
        options.unknowns.stamp_filter = filter;
        let office = Office::with(options).await;
        office
            .handle
            .clock()
            .freeze_at_local(datetime(2026, 7, 1, 12, 0, 0, 0))
            .unwrap();
        office.register(1);
        office.handle.clock().advance(std::time::Duration::from_secs(1));
        office.register(1);
        let (_, rows) = office
            .get("/patients/Simple?DateTStamp=2026-07-01%2012:00:00")
            .await;
        assert_eq!(numbers(&rows), expected, "{filter:?}");
    }
}

#[tokio::test]
async fn a_wrong_parameter_or_form_is_named_in_the_refusal() {
    let office = Office::open().await;
    for (path, text) in [
        (
            "/patients?DateTStamp=2026-07-01%2012:00:00",
            "'DateTStamp' is not a valid parameter",
        ),
        (
            "/patients/Simple?updatedSince=x",
            "'updatedSince' is not a valid parameter",
        ),
        (
            "/patients/Simple?DateTStamp=2026-07-01",
            "DateTStamp format must be yyyy-MM-dd HH:mm:ss",
        ),
        ("/patients/Simple?PatStatus=Gone", "PatStatus is invalid"),
        ("/patients?Offset=-1", "Offset is invalid"),
    ] {
        assert_eq!(office.get(path).await, (400, json!(text)), "{path}");
    }
    assert_eq!(
        office.get("/clinics?whatever=1").await,
        (200, json!([])),
        "others ignore strangers"
    );
}

#[tokio::test]
async fn the_search_has_fewer_fields_and_hides_archived_patients() {
    let office = Office::open().await;
    let desk = office.handle.front_desk();
    let jane = PatientFields::named("Smith", "Jane").with(Field::HmPhone, "(536)624-5871");
    desk.create(&jane.clone().with(Field::Zip, "90011"));
    desk.create(&jane.clone().with(Field::PatStatus, "Archived"));
    desk.create(&jane.with(Field::Zip, "01940").with(Field::PatStatus, "Inactive"));
    let (_, rows) = office.get("/patients?LName=smi&FName=J&Phone=6245871").await;
    assert_eq!(numbers(&rows), [1, 3]);
    assert_eq!(rows[0]["Zip"], json!(90011), "all digits come as a number here");
    assert_eq!(rows[1]["Zip"], json!("01940"));
    assert!(rows[0].get("DateTStamp").is_none() && rows[0].get("Gender").is_none());
    let (_, rows) = office
        .get("/patients?LName=smi&showArchived=true&hideInactive=true")
        .await;
    assert_eq!(numbers(&rows), [1, 2]);
}

#[tokio::test]
async fn line_breaks_come_out_as_spaces() {
    let office = Office::open().await;
    let note = PatientFields::named("A", "B").with(Field::FamFinUrgNote, "one\r\ntwo\nthree");
    office.handle.front_desk().create(&note);
    assert_eq!(
        office.get("/patients/1").await.1["FamFinUrgNote"],
        "one two three"
    );
}

#[tokio::test]
async fn an_old_office_does_not_know_newer_fields_and_parameters() {
    let office = Office::with(Options {
        version: Version(21, 4, 0),
        ..Options::service()
    })
    .await;
    office.register(1);
    let (_, row) = office.get("/patients/1").await;
    assert!(row.get("MedicaidID").is_none() && row.get("SuperFamily").is_none());
    assert_eq!(office.get("/patients/Simple?Guarantor=1").await.0, 400);
    assert_eq!(office.get("/securitylogs").await.0, 400);
    assert_eq!(
        office
            .post("/patients", json!({"LName":"A","FName":"B","Premed":"true"}))
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn deleted_patients_are_hidden_unless_the_office_shows_them() {
    for visible in [false, true] {
        let mut options = Options::service();
        options.unknowns.deleted_visible = visible;
        let office = Office::with(options).await;
        office.register(1);
        office.handle.front_desk().delete(1).unwrap();
        let (_, rows) = office.get("/patients/Simple").await;
        assert_eq!(rows.as_array().unwrap().len(), usize::from(visible));
        assert_eq!(office.get("/patients/1").await.0, if visible { 200 } else { 404 });
        assert_eq!(
            office.put("/patients/1", json!({"MiddleI": "x"})).await.0,
            400,
            "never modified"
        );
    }
}

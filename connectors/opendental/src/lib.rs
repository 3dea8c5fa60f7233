//! Open Dental through its own API (Open Dental API, Patients), in the modes Remote, Local and Service.
//!
//! | Module | What |
//! |---|---|
//! | [`office`] | the settings of one system |
//! | [`api`] | the calls, and what the answers mean |
//! | [`row`], [`map`], [`clock`] | the office's rows, fields and clock, and what they mean on the bus: pure |
//! | [`poll`], [`seen`], [`walk`] | what changed since the last time, page by page |
//! | [`merges`], [`links`] | who was merged into whom |
//! | [`deliver`], [`create`], [`matching`] | writing to the office, once, and to the right record |
//! | [`documents`] | images, both ways |
//! | [`survey`] | listing what the office holds |
//! | [`host`] | what the flows need from around them |
//!
//! The keys never come here: the host puts them on every request. It also holds the pace: one request at a time, and in
//! mode Remote the spacing that the administrator sets with the grant (1,100 ms; 5,100 ms for a key that may only read).

pub mod api;
pub mod clock;
pub mod create;
pub mod deliver;
pub mod documents;
pub mod doubt;
pub mod host;
pub mod links;
pub mod map;
pub mod matching;
pub mod merges;
pub mod office;
pub mod poll;
pub mod row;
pub mod seen;
pub mod survey;
pub mod walk;

use api::Api;
use archwire_connector::{
    Abilities, CheckReport, Connector, Delivered, Delivery, Description, Disposition, Grant, ImageDelivered,
    ImageDelivery, ImageObservation, Observation, Page, Setting, SettingKind, SurveyPage,
};
use clock::Offset;
use documents::{category, take};
use host::{Broker, Host};
use office::{Mode, Office};
use row::{PatNum, Row, Rows};

/// The connector.
#[derive(Debug)]
pub struct OpenDental;

impl Connector for OpenDental {
    fn describe() -> Description {
        let abilities = Abilities::CHECK
            | Abilities::POLL
            | Abilities::DELIVER
            | Abilities::FETCH
            | Abilities::SURVEY
            | Abilities::DELIVER_IMAGES
            | Abilities::FETCH_IMAGES;
        Description::new("opendental", env!("CARGO_PKG_VERSION"), "Open Dental, through its own API.")
            .abilities(abilities)
            .setting(
                Setting::new(
                    "url",
                    SettingKind::Url,
                    "Root of the API. Service: http://HOST:30223/api/v1, Local: http://localhost:30222/api/v1, Remote: \
                     https://api.opendental.com/api/v1",
                )
                .or("http://localhost:30223/api/v1"),
            )
            .setting(
                Setting::new(
                    "mode",
                    SettingKind::choice_of(&Mode::WORDS),
                    "How the API is reached: remote gives 100 rows at a time, local and service 1,000. For remote, also \
                     set the grant's spacing to 1,100 ms.",
                )
                .or("service"),
            )
            .setting(
                Setting::new(
                    "page-size",
                    SettingKind::Integer,
                    "Rows of a page, 2 to 1,000; 0 for what the mode allows. An Enterprise key may have 1,000 in remote.",
                )
                .or("0"),
            )
            .setting(
                Setting::new(
                    "overlap-seconds",
                    SettingKind::Integer,
                    "How far each pass reads back before the one before it began, in seconds, 0 to 86,400.",
                )
                .or("300"),
            )
            .setting(
                Setting::new(
                    "image-category",
                    SettingKind::Text,
                    "Name of the category of the Imaging Module that images are filed in, as in Setup > Definitions > Image \
                     Categories; empty for the first one.",
                )
                .or(""),
            )
            .secret("developer-key", "From Open Dental's vendor relations: one for the whole installation.")
            .secret("customer-key", "From the Open Dental Developer Portal: one for each office's database.")
            .credential("Authorization", "ODFHIR {developer-key}/{customer-key}")
            // The key has one pace for everything, and the host keeps one for all grants of a server.
            .grant(
                Grant::new(
                    "{url}",
                    &["GET", "POST", "PUT"],
                    &["/api/v1/patients/**"],
                    "Reading, registering and updating patients.",
                )
                .pace(0, 1),
            )
            // Not needed to run: without it, merges are not seen.
            .grant(
                Grant::new(
                    "{url}",
                    &["PUT"],
                    &["/api/v1/queries/ShortQuery"],
                    "Reading which patients were merged, finding uploaded images again and comparing their bytes.",
                )
                .pace(0, 1),
            )
            // Without the three, no image gets into the office.
            .grant(
                Grant::new(
                    "{url}",
                    &["GET"],
                    &["/api/v1/documents/**", "/api/v1/definitions"],
                    "Finding images again, and the categories that they are filed in.",
                )
                .pace(0, 1),
            )
            .grant(
                Grant::new(
                    "{url}",
                    &["POST"],
                    &["/api/v1/documents/Upload", "/api/v1/documents/UploadSftp"],
                    "Uploading images; the second for those above 12.5 MB.",
                )
                .pace(0, 1),
            )
            .grant(
                Grant::new(
                    "{url}",
                    &["PUT"],
                    &["/api/v1/documents/*"],
                    "Marking images that were replaced or withdrawn. Nothing is ever deleted.",
                )
                .pace(0, 1),
            )
    }

    fn deliver_image(delivery: ImageDelivery) -> Result<ImageDelivered, Disposition> {
        documents::deliver::deliver(&Broker, &Office::from_settings()?, &delivery)
    }

    fn fetch_image(
        local_id: String,
        record: Option<String>,
    ) -> Result<Option<ImageObservation>, Disposition> {
        documents::fetch::fetch(&Broker, &Office::from_settings()?, &local_id, record.as_deref())
    }

    fn check() -> Result<CheckReport, Disposition> {
        check(&Broker, &Office::from_settings()?)
    }

    fn poll(cursor: Option<String>) -> Result<Page, Disposition> {
        poll::poll(&Broker, &Office::from_settings()?, cursor.as_deref())
    }

    fn deliver(delivery: Delivery) -> Result<Delivered, Disposition> {
        deliver::deliver(&Broker, &Office::from_settings()?, &delivery)
    }

    fn fetch(local_id: String) -> Result<Option<Observation>, Disposition> {
        fetch(&Broker, &Office::from_settings()?, &local_id)
    }

    fn survey(cursor: Option<String>) -> Result<SurveyPage, Disposition> {
        survey::survey(&Broker, &Office::from_settings()?, cursor.as_deref())
    }
}

/// Asks for one row: that takes the same keys and permission as everything else, and tells the office's time. Asks for no
/// links, to see whether merges can be read, and for the categories of images. Only the first can fail it.
fn check(host: &dyn Host, office: &Office) -> Result<CheckReport, Disposition> {
    let api = Api::new(host, &office.url);
    let body = api.simple(&[("Limit", "1".into())])?;
    let rows = Rows::parse(&body).ok_or_else(poll::unreadable)?;
    let report = CheckReport::new()
        .fact("mode", office.mode.word())
        .fact("page-size", office.page_size.to_string())
        .fact("merges", merges::report(&api))
        .fact(
            "image-category",
            category::report(host, &api, &office.image_category),
        )
        .fact("documents", take::report(host));
    Ok(match rows.server_time {
        Some(shown) => {
            let minutes = Offset::learn(shown, host.now_ms()).minutes();
            report.fact("clock-offset-minutes", minutes.to_string())
        }
        None => report,
    })
}

/// Reads one row back.
fn fetch(host: &dyn Host, office: &Office, local_id: &str) -> Result<Option<Observation>, Disposition> {
    let Some(pat_num) = PatNum::parse(local_id) else {
        return Ok(None);
    };
    let api = Api::new(host, &office.url);
    let Some(body) = api.patient(pat_num)? else {
        return Ok(None);
    };
    let text = str::from_utf8(&body).map_err(|_| poll::unreadable())?;
    let row = Row::parse(text)
        .filter(|row| row.pat_num == pat_num)
        .ok_or_else(poll::unreadable)?;
    let survivor = merges::survivor(host, &api, &row)?;
    let clock = poll::known_clock(host);
    Ok(Some(poll::observation(
        &row,
        survivor,
        office,
        clock,
        host.now_ms(),
    )))
}

archwire_connector::register!(OpenDental);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::double::Double;
    use archwire_connector::http::Error;

    #[test]
    fn a_check_asks_for_one_row_and_tells_the_offices_clock() {
        let host = Double::new()
            .answer(200, r#"[{"PatNum":1,"serverDateTime":"2026-11-01 01:30:10"}]"#)
            .answer(200, r#"[{"DefNum":131,"ItemName":"Xrays"}]"#);
        let report = check(&host, &Office::for_tests()).unwrap();
        let facts: Vec<_> = report
            .facts
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            facts,
            [
                ("mode", "service"),
                ("page-size", "10"),
                ("merges", "readable"),
                ("image-category", "the office's first: Xrays"),
                (
                    "documents",
                    "the API gives no bytes; grant the A-to-Z folder read-only to take images from Open Dental"
                ),
                ("clock-offset-minutes", "-480")
            ]
        );
        assert_eq!(
            host.asked(),
            ["GET /patients/Simple?Limit=1", "GET /definitions?Category=18"]
        );
    }

    #[test]
    fn a_check_of_an_office_that_is_offline_says_so() {
        let host = Double::new().answer(400, r#""The office's eConnector is not running.""#);
        assert!(matches!(
            check(&host, &Office::for_tests()),
            Err(Disposition::Unavailable(_))
        ));
    }

    #[test]
    fn a_check_says_when_merges_cannot_be_read_and_why() {
        let row = r#"[{"PatNum":1}]"#;
        for (host, said) in [
            (
                Double::new().links(401, "\"\""),
                "not readable: the key lacks the permission Queries",
            ),
            (
                Double::new().links(404, "\"\""),
                "not readable: the office does not know ShortQuery",
            ),
            (
                Double::new().fail_links(Error::Denied),
                "not readable: PUT /api/v1/queries/ShortQuery is not granted",
            ),
            (Double::new().links(500, ""), "no answer at present"),
        ] {
            let report = check(&host.answer(200, row).answer(200, "[]"), &Office::for_tests()).unwrap();
            let merges = report.facts.iter().find(|(name, _)| name == "merges");
            assert_eq!(merges.map(|(_, value)| value.as_str()), Some(said));
        }
    }

    #[test]
    fn a_fetched_record_says_who_took_its_place_when_it_is_archived() {
        let row = |status: &str| format!(r#"{{"PatNum":7,"PatStatus":"{status}"}}"#);
        let links = r#"[{"PatNumFrom":7,"PatNumTo":9,"DateTimeLink":"2026-11-01T01:00:00"}]"#;
        let host = Double::new().answer(200, &row("Archived")).links(200, links);
        let merged = fetch(&host, &Office::for_tests(), "7").unwrap().unwrap();
        assert_eq!(merged.merged_into.as_deref(), Some("9"));
        for (host, archived) in [
            (Double::new().answer(200, &row("Patient")), 0),
            (Double::new().answer(200, &row("Archived")), 1),
            (Double::new().answer(200, &row("Archived")).links(401, ""), 1),
        ] {
            let alone = fetch(&host, &Office::for_tests(), "7").unwrap().unwrap();
            assert_eq!((alone.merged_into, host.queried().len()), (None, archived));
        }
        let failing = Double::new().answer(200, &row("Archived")).links(500, "");
        let failed = fetch(&failing, &Office::for_tests(), "7").unwrap_err();
        assert_eq!(failed.reason().code, "office-failed");
    }

    #[test]
    fn a_record_is_fetched_with_its_bytes() {
        let body = r#"{ "PatNum":7, "LName":"Pratt", "EstBalance": 1.10 }"#;
        let host = Double::new().answer(200, body);
        let observation = fetch(&host, &Office::for_tests(), "7").unwrap().unwrap();
        assert_eq!(observation.source.data, body.as_bytes());
        assert_eq!(observation.local_id, "7");
        assert_eq!(observation.patient.names[0].family.as_deref(), Some("Pratt"));
        assert_eq!(host.asked(), ["GET /patients/7"]);
    }

    #[test]
    fn a_record_that_is_not_there_is_none_and_an_id_of_another_kind_is_not_asked_for() {
        let host = Double::new().answer(404, r#""Patient not found""#);
        assert_eq!(fetch(&host, &Office::for_tests(), "7").unwrap(), None);
        for id in ["", "0", "../clinics", "7/x", "-1", "abc"] {
            assert_eq!(fetch(&host, &Office::for_tests(), id).unwrap(), None, "{id}");
        }
    }

    #[test]
    fn the_grants_have_the_pace_of_the_one_key() {
        let grants: [Grant; 5] = OpenDental::describe().grants.try_into().unwrap();
        assert!(grants.iter().all(|grant| grant.in_flight == 1));
        assert!(
            grants
                .iter()
                .all(|grant| !grant.methods.contains(&"DELETE".to_owned()))
        );
        let [patients, queries, ..] = grants;
        assert_eq!(patients.methods, ["GET", "POST", "PUT"]);
        assert_eq!(
            (queries.methods, queries.paths),
            (vec!["PUT".into()], vec!["/api/v1/queries/ShortQuery".into()])
        );
    }

    #[test]
    fn the_description_is_always_the_same_and_names_every_setting_that_is_read() {
        let description = OpenDental::describe();
        assert_eq!(
            format!("{description:?}"),
            format!("{:?}", OpenDental::describe())
        );
        let keys: Vec<_> = description
            .settings
            .iter()
            .map(|setting| setting.key.as_str())
            .collect();
        assert_eq!(
            keys,
            ["url", "mode", "page-size", "overlap-seconds", "image-category"]
        );
        assert!(
            description
                .settings
                .iter()
                .all(|setting| setting.default_value.is_some())
        );
        assert!(
            description
                .credential
                .is_some_and(|credential| credential.header == "Authorization")
        );
    }
}

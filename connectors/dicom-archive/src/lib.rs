//! Image archives that speak DICOMweb (DICOM PS3.18): STOW-RS on the way in, QIDO-RS and WADO-RS on the way out, and Orthanc's
//! own list of changes where there is one.
//!
//! | Module | What |
//! |---|---|
//! | [`config`] | the settings of one archive |
//! | [`archive`], [`orthanc`] | what the archive is asked, and what its answers mean |
//! | [`poll`], [`window`], [`sent`] | what is new |
//! | [`fetch`], [`records`], [`observed`], [`file`](mod@file) | reading patients and images |
//! | [`deliver`], [`filing`], [`stow`] | bringing an image, once, and to the right patient |
//! | [`withdraw`] | taking an image away that the bus brought and that is not the patient's |
//! | [`encapsulate`], [`elements`], [`picture`], [`person_name`] | a DICOM file around one that is none: pure |
//! | [`header`], [`json`], [`multipart`], [`record`], [`person`], [`uid`] | DICOM's own formats: pure |
//! | [`host`] | what the flows need from around them |
//!
//! An archive has no records of patients: what is one is [`record`]'s business. Its images do not change and are known by
//! SOPInstanceUID; the bus takes none away but its own.

pub mod archive;
pub mod config;
pub mod deliver;
pub mod elements;
pub mod encapsulate;
pub mod fetch;
pub mod file;
pub mod filing;
pub mod header;
pub mod host;
pub mod json;
pub mod multipart;
pub mod observed;
pub mod orthanc;
pub mod person;
pub mod person_name;
pub mod picture;
pub mod poll;
pub mod record;
pub mod records;
pub mod sent;
pub mod stow;
pub mod uid;
pub mod window;
pub mod withdraw;

use archive::Archive;
use archwire_connector::{
    Abilities, CheckReport, Connector, Description, Disposition, Grant, ImageDelivered, ImageDelivery,
    ImageObservation, Observation, Page, SurveyPage,
};
use config::{Config, Wish};
use host::{Broker, Host};

/// The connector.
#[derive(Debug)]
pub struct DicomArchive;

impl Connector for DicomArchive {
    fn describe() -> Description {
        let abilities = Abilities::CHECK
            | Abilities::POLL
            | Abilities::FETCH
            | Abilities::SURVEY
            | Abilities::DELIVER_IMAGES
            | Abilities::FETCH_IMAGES;
        let description = Description::new(
            "dicom-archive",
            env!("CARGO_PKG_VERSION"),
            "Image archives that speak DICOMweb, such as Orthanc.",
        )
        .abilities(abilities)
        .secret(
            "authorization",
            "The whole value of the header Authorization: `Basic ` and the base64 of USER:PASSWORD, or `Bearer ` and a token. \
             `none` for an archive that asks for nothing.",
        )
        .credential("Authorization", "{authorization}")
        .grant(
            Grant::new(
                "{url}",
                &["GET", "POST"],
                &["/dicom-web/studies", "/dicom-web/studies/**", "/dicom-web/instances"],
                "Finding, reading and storing images.",
            )
            .pace(0, 4),
        )
        // Not needed to run: without it, new studies are found by QIDO-RS.
        .grant(
            Grant::new(
                "{url}",
                &["GET"],
                &["/changes", "/system", "/studies", "/studies/*", "/studies/*/instances"],
                "Orthanc only: its list of changes.",
            )
            .pace(0, 4),
        )
        // Nor are these: without them, a person takes away what is not the patient's.
        .grant(
            Grant::new(
                "{url}",
                &["POST"],
                &["/tools/lookup"],
                "Orthanc only: finding an image that the bus brought and that is not the patient's.",
            )
            .pace(0, 4),
        )
        .grant(
            Grant::new(
                "{url}",
                &["GET", "DELETE"],
                &["/instances/*", "/instances/*/file"],
                "Orthanc only: looking at it, and taking it away.",
            )
            .pace(0, 4),
        );
        Config::settings()
            .into_iter()
            .fold(description, Description::setting)
    }

    fn check() -> Result<CheckReport, Disposition> {
        check(&Broker, &Config::from_settings()?)
    }

    fn poll(cursor: Option<String>) -> Result<Page, Disposition> {
        poll::poll(&Broker, &Config::from_settings()?, cursor.as_deref())
    }

    fn fetch(local_id: String) -> Result<Option<Observation>, Disposition> {
        fetch::patient(&Archive::new(&Broker, &Config::from_settings()?), &local_id)
    }

    fn deliver_image(delivery: ImageDelivery) -> Result<ImageDelivered, Disposition> {
        deliver::deliver(&Archive::new(&Broker, &Config::from_settings()?), &delivery)
    }

    fn fetch_image(
        local_id: String,
        record: Option<String>,
    ) -> Result<Option<ImageObservation>, Disposition> {
        let config = Config::from_settings()?;
        fetch::image(&Archive::new(&Broker, &config), &local_id, record.as_deref())
    }

    fn survey(cursor: Option<String>) -> Result<SurveyPage, Disposition> {
        fetch::survey(
            &Archive::new(&Broker, &Config::from_settings()?),
            cursor.as_deref(),
        )
    }
}

/// Asks for a page of studies: that takes the same address and secret as everything else. And how new ones will be found.
fn check(host: &dyn Host, config: &Config) -> Result<CheckReport, Disposition> {
    let archive = Archive::new(host, config);
    archive.studies(&[], 0)?;
    let changes = match config.feed {
        Wish::Qido => None,
        _ => orthanc::last_change(&archive)?,
    };
    let feed = match (config.feed, changes) {
        (Wish::Changes, None) => return Err(Disposition::rejected("no-list-of-changes")),
        (_, Some(_)) => "changes",
        (_, None) => "qido",
    };
    let report = CheckReport::new().fact("feed", feed);
    let version = match changes {
        Some(_) => orthanc::version(&archive)?,
        None => None,
    };
    Ok(match version {
        Some(version) => report.fact("orthanc", version),
        None => report,
    })
}

archwire_connector::register!(DicomArchive);

//! Everything about the simulated office that can be chosen before it opens.
//!
//! The defaults are the documented behaviour of the Remote API of version 25.3. What the vendor does not document is
//! gathered in [`Unknowns`]: connectors should work with every setting there.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::keys::ApiKey;
use crate::version::Version;

/// Which of the three servers is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `api.opendental.com`, through the office's eConnector. Throttled, pages of 100.
    Remote,
    /// Inside the running desktop program, port 30222 in real life. Not throttled, pages of 1,000.
    Local,
    /// The Windows service, port 30223 in real life. Not throttled, pages of 1,000.
    Service,
}

/// In which order rows come. The vendor promises none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageOrder {
    /// By primary key.
    PatNum,
    /// By last name, then first name, as the Select Patient window shows them.
    Name,
    /// By DateTStamp, so that a patient who is edited during a pass moves to the end and another one is skipped.
    DateTStamp,
    /// Another order for every pass; a pass begins with a request for offset 0.
    Shuffled,
}

/// Which patients `DateTStamp=` selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StampFilter {
    /// `>=`, as the source of the vendor's event sender does.
    AtOrAfter,
    /// `>`.
    After,
}

/// What counts as a duplicate on POST. Names are compared without case, phones by their digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuplicateRule {
    /// Same names, same known birthdate, and one equal Email or phone.
    NameBirthdateContact,
    /// Same names and same known birthdate.
    NameBirthdate,
    /// Everything is accepted.
    Off,
}

/// What happens to something that the documentation does not mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmentioned {
    /// It is ignored in silence.
    Ignore,
    /// It is refused with 400.
    Reject,
}

/// How an error text is written into the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorBody {
    /// A bare JSON string, in quotes.
    JsonString,
    /// The text without quotes.
    PlainText,
}

/// How often one customer key may ask in Remote mode. Local and Service are never throttled.
#[derive(Debug, Clone)]
pub struct Throttle {
    /// Interval of a key that holds Read All only.
    pub read_all_only: Duration,
    /// Interval of a key that holds any other permission.
    pub other: Duration,
    /// Interval of a key that holds Enterprise.
    pub enterprise: Duration,
    /// How many requests of one key may wait; one more is answered 429. The vendor does not document the number.
    pub queue: usize,
}

/// What the vendor does not document, each with the default that seems likeliest.
#[derive(Debug, Clone)]
pub struct Unknowns {
    /// `>` or `>=` in `Simple?DateTStamp=`. Default `>=`.
    pub stamp_filter: StampFilter,
    /// What the duplicate check compares.
    pub duplicate_rule: DuplicateRule,
    /// Text of the duplicate refusal.
    pub duplicate_text: String,
    /// Body text of a 429.
    pub throttle_text: String,
    /// Whether Simple, and GET by number, show deleted patients. Default no.
    pub deleted_visible: bool,
    /// Fields in a POST or PUT body that match nothing. Default ignore.
    pub body_fields: Unmentioned,
    /// An empty LName or FName in a PUT, which "does not clear". Default reject.
    pub blank_names: Unmentioned,
    /// Whether a Language must be three lower-case letters or one of the office's custom ones. Default yes.
    pub strict_languages: bool,
    /// Form of error bodies. Default a bare JSON string.
    pub error_body: ErrorBody,
    /// Status for a request without an Authorization header: 401, or 400 as for other missing headers.
    pub missing_authorization_status: u16,
    /// Status for a key that is known but assigned to no office: 400 was seen, 401 is documented.
    pub unassigned_key_status: u16,
    /// Whether `GET /patients` shows an all-digit Zip as a JSON number, as in the vendor's example. Default yes.
    pub search_zip_as_number: bool,
    /// Whether the list of documents shows what an upload left in Note. Default no.
    pub raw_note_shown: bool,
    /// Whether a single document is shown as in the list. Default no; the vendor's pages show both.
    pub single_document_like_list: bool,
}

/// A clinic of the office. Most offices have none.
#[derive(Debug, Clone)]
pub struct Clinic {
    /// Primary key.
    pub clinic_num: i64,
    /// Shown as `clinicAbbr`.
    pub abbr: String,
    /// Full name.
    pub description: String,
}

/// A definition of category 18: where images are filed.
#[derive(Debug, Clone)]
pub struct ImageCategory {
    /// Primary key of the definition.
    pub def_num: i64,
    /// The name in the tree of the Imaging Module.
    pub name: String,
    /// Letters for how it is used: X is shown in the chart, P holds patient pictures.
    pub item_value: String,
    /// Whether it is out of use.
    pub is_hidden: bool,
}

/// A provider of the office.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Primary key.
    pub prov_num: i64,
    /// Shown as `priProvAbbr` and `secProvAbbr`.
    pub abbr: String,
}

/// All choices.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Which server is played.
    pub mode: Mode,
    /// The API keys that work here. The first one is the one that examples use.
    pub keys: Vec<ApiKey>,
    /// IANA zone of the office.
    pub zone: String,
    /// Version of Open Dental that the office runs.
    pub version: Version,
    /// Seed of everything random: shuffled pages and generated patients.
    pub seed: u64,
    /// Order of rows.
    pub page_order: PageOrder,
    /// Intervals between requests.
    pub throttle: Throttle,
    /// How long the processing of one request may take before it is answered 504. It goes on after that.
    pub processing_limit: Duration,
    /// For how long Local and Service trust a key before they ask the vendor again. Remote asks every time.
    pub key_trust: Duration,
    /// Clinics; empty means that clinics are not used.
    pub clinics: Vec<Clinic>,
    /// Providers; new patients get the first one.
    pub providers: Vec<Provider>,
    /// Names of the billing types; new patients get the first one.
    pub billing_types: Vec<String>,
    /// Where images are filed; the first one that is not hidden is the default.
    pub image_categories: Vec<ImageCategory>,
    /// A real folder for the files of documents, as the office's A-to-Z folder; without one, no files are made.
    pub images_folder: Option<PathBuf>,
    /// Whether files lie in the database, so that no path is told.
    pub in_database: bool,
    /// The port on which SFTP servers are found. The API tells none, so that it is 22 for real offices; here it is where the
    /// office's firewall would forward it to.
    pub sftp_port: u16,
    /// Languages outside ISO 639-2 that the office added.
    pub custom_languages: Vec<String>,
    /// Whether the Hospitals feature is on, which Ward and AdmitDate need.
    pub hospitals: bool,
    /// The undocumented rest.
    pub unknowns: Unknowns,
}

impl Options {
    /// The Remote API with its documented limits. The same as `default()`.
    pub fn remote() -> Self {
        Self::default()
    }

    /// The Remote API with another interval between requests, for tests that cannot wait.
    pub fn remote_every(interval: Duration) -> Self {
        let mut options = Self::default();
        options.throttle.read_all_only = interval;
        options.throttle.other = interval;
        options.throttle.enterprise = interval;
        options
    }

    /// The API Service: no throttle, pages of 1,000.
    pub fn service() -> Self {
        Self {
            mode: Mode::Service,
            ..Self::default()
        }
    }

    /// The Local API: no throttle, pages of 1,000.
    pub fn local() -> Self {
        Self {
            mode: Mode::Local,
            ..Self::default()
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            mode: Mode::Remote,
            keys: vec![ApiKey::default()],
            zone: "America/Los_Angeles".to_owned(),
            version: Version(25, 3, 1),
            seed: 1,
            page_order: PageOrder::PatNum,
            throttle: Throttle::default(),
            processing_limit: Duration::from_secs(60),
            key_trust: Duration::from_secs(6 * 3600),
            clinics: Vec::new(),
            providers: vec![provider(1, "DOC1"), provider(2, "HYG1")],
            billing_types: vec!["Standard Account".to_owned(), "Insurance Plan".to_owned()],
            image_categories: vec![
                category(131, "Xrays", "X"),
                category(132, "Patient Pictures", "XP"),
                category(133, "Lab Cases", ""),
                ImageCategory {
                    is_hidden: true,
                    ..category(134, "Old Scans", "")
                },
            ],
            images_folder: None,
            in_database: false,
            sftp_port: 22,
            custom_languages: Vec::new(),
            hospitals: false,
            unknowns: Unknowns::default(),
        }
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            read_all_only: Duration::from_secs(5),
            other: Duration::from_secs(1),
            enterprise: Duration::from_millis(500),
            queue: 5,
        }
    }
}

impl Default for Unknowns {
    fn default() -> Self {
        Self {
            stamp_filter: StampFilter::AtOrAfter,
            duplicate_rule: DuplicateRule::NameBirthdateContact,
            duplicate_text: "A patient with the same name, birthdate and contact information already exists."
                .to_owned(),
            throttle_text: "Too many requests.".to_owned(),
            deleted_visible: false,
            body_fields: Unmentioned::Ignore,
            blank_names: Unmentioned::Reject,
            strict_languages: true,
            error_body: ErrorBody::JsonString,
            missing_authorization_status: 401,
            unassigned_key_status: 400,
            search_zip_as_number: true,
            raw_note_shown: false,
            single_document_like_list: false,
        }
    }
}

fn category(def_num: i64, name: &str, item_value: &str) -> ImageCategory {
    ImageCategory {
        def_num,
        name: name.to_owned(),
        item_value: item_value.to_owned(),
        is_hidden: false,
    }
}

fn provider(prov_num: i64, abbr: &str) -> Provider {
    Provider {
        prov_num,
        abbr: abbr.to_owned(),
    }
}

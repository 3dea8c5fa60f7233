//! The command line: every choice of the library, as an option with its default in the help.
//!
//! A bad value is refused by clap with exit code 2 before anything is opened.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use archwire_opendental_simulator::jiff::SignedDuration;
use archwire_opendental_simulator::jiff::civil::DateTime;
use archwire_opendental_simulator::{
    ApiKey, Clinic, DuplicateRule, ErrorBody, Fault, ImageCategory, Mode, Options, PageOrder, Permission,
    StampFilter, Unmentioned, Version,
};
use clap::Parser;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

/// Plays the Open Dental API of one office, as far as patients and their documents are concerned.
///
/// The API is at http://ADDRESS/api/v1, the endpoints for tests at http://ADDRESS/simulator. Everything is kept in
/// memory and gone at the end. Durations are written 500ms, 2s or 1m.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110)]
pub(crate) struct Cli {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:30223")]
    listen: SocketAddr,
    /// remote is throttled and pages by 100, local and service are not throttled and page by 1,000.
    #[arg(long, default_value = "service", value_parser = words(["remote", "local", "service"]))]
    mode: String,
    /// A key that works: NAME:DEVELOPERKEY/CUSTOMERKEY, and permissions if not all but enterprise, as in
    /// `Acme:dev/cust:read-all,patients,queries,enterprise`. Can be repeated.
    #[arg(long = "key", value_parser = key)]
    keys: Vec<ApiKey>,
    /// IANA time zone of the office.
    #[arg(long, default_value = "America/Los_Angeles")]
    zone: String,
    /// Version of Open Dental that the office runs.
    #[arg(long, default_value = "25.3.1")]
    office_version: Version,
    /// Interval between requests of one key in remote mode, instead of the documented 5s, 1s and 500ms; 0s is none.
    #[arg(long, value_parser = duration)]
    interval: Option<Duration>,
    /// How many requests of one key may wait in remote mode before 429.
    #[arg(long, default_value_t = 5)]
    queue: usize,
    /// Processing time after which a request is answered 504.
    #[arg(long, default_value = "60s", value_parser = duration)]
    processing_limit: Duration,
    /// How long local and service trust a key before they ask the vendor again.
    #[arg(long, default_value = "6h", value_parser = duration)]
    key_trust: Duration,
    /// Order of rows in lists.
    #[arg(long, default_value = "pat-num", value_parser = words(["pat-num", "name", "stamp", "shuffled"]))]
    page_order: String,
    /// Seed of generated patients and shuffled pages.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many invented patients the office has at the start.
    #[arg(long, default_value_t = 0)]
    pub(crate) patients: usize,
    /// FHIR R4 Patients, one JSON a line, that the office has at the start. Bad lines are reported and skipped, and
    /// make the exit code 1 in the end.
    #[arg(long)]
    pub(crate) fhir: Option<PathBuf>,
    /// A clinic of the office, as NUMBER:ABBREVIATION. Can be repeated; without any, clinics are not used.
    #[arg(long = "clinic", value_parser = clinic)]
    clinics: Vec<Clinic>,
    /// A category of images, as NUMBER:NAME, in the office's order. Can be repeated, and replaces the usual ones.
    #[arg(long = "image-category", value_parser = image_category)]
    image_categories: Vec<ImageCategory>,
    /// A folder in which the files of documents are made, as the office's A-to-Z folder.
    #[arg(long)]
    images_folder: Option<PathBuf>,
    /// Keeps files in the database, so that no path is told.
    #[arg(long, conflicts_with = "images_folder")]
    in_database: bool,
    /// The port on which SFTP servers are found; the API tells none.
    #[arg(long, default_value_t = 22)]
    sftp_port: u16,
    /// Turns the Hospitals feature on, which Ward and AdmitDate need.
    #[arg(long)]
    hospitals: bool,
    /// Trouble from the start: KIND[,name=value...] with the kinds status (status=, retry-after=), delay (by=), hang,
    /// drop, half-body, invalid-json, garbage, and for all of them method=, path=, times=, skip=, after-applying=true. As in
    /// `drop,after-applying=true,method=POST,path=/patients,times=1`. Can be repeated.
    #[arg(long = "fault")]
    pub(crate) faults: Vec<Fault>,
    /// Starts with the eConnector down (remote mode only).
    #[arg(long)]
    pub(crate) econnector_down: bool,
    /// Starts with a clock that stands at this office-local time, written 2026-11-01T01:30:00.
    #[arg(long)]
    pub(crate) freeze_at: Option<DateTime>,
    #[command(flatten)]
    unknowns: UnknownArgs,
}

/// What the vendor does not document.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What the vendor does not document")]
struct UnknownArgs {
    /// What Simple?DateTStamp= selects.
    #[arg(long, default_value = "at-or-after", value_parser = words(["at-or-after", "after"]))]
    stamp_filter: String,
    /// What makes a POST a duplicate, apart from the names.
    #[arg(long, default_value = "birthdate-contact", value_parser = words(["birthdate-contact", "birthdate", "off"]))]
    duplicate_rule: String,
    /// Text of the duplicate refusal.
    #[arg(long)]
    duplicate_text: Option<String>,
    /// Text of a 429.
    #[arg(long)]
    throttle_text: Option<String>,
    /// Shows deleted patients in Simple and GET by number.
    #[arg(long)]
    deleted_visible: bool,
    /// Refuses unknown fields in a body instead of ignoring them.
    #[arg(long)]
    reject_unknown_fields: bool,
    /// Ignores an empty LName or FName in a PUT instead of refusing it.
    #[arg(long)]
    ignore_blank_names: bool,
    /// Accepts any text as Language instead of three letters only.
    #[arg(long)]
    any_language: bool,
    /// Writes errors as plain text instead of a JSON string.
    #[arg(long)]
    plain_text_errors: bool,
    /// Status of a request without Authorization header.
    #[arg(long, default_value_t = 401)]
    missing_authorization_status: u16,
    /// Status of a key that is assigned to no office.
    #[arg(long, default_value_t = 400)]
    unassigned_key_status: u16,
    /// Shows in the list of documents what an upload left in Note.
    #[arg(long)]
    raw_note_shown: bool,
    /// Shows a single document as in the list.
    #[arg(long)]
    single_document_like_list: bool,
    /// Shows the Zip in GET /patients as text always.
    #[arg(long)]
    zip_as_text: bool,
}

impl Cli {
    /// The options of the library.
    pub(crate) fn options(&self) -> Options {
        let mut options = Options {
            listen: self.listen,
            mode: match self.mode.as_str() {
                "remote" => Mode::Remote,
                "local" => Mode::Local,
                _ => Mode::Service,
            },
            zone: self.zone.clone(),
            version: self.office_version,
            seed: self.seed,
            page_order: match self.page_order.as_str() {
                "name" => PageOrder::Name,
                "stamp" => PageOrder::DateTStamp,
                "shuffled" => PageOrder::Shuffled,
                _ => PageOrder::PatNum,
            },
            processing_limit: self.processing_limit,
            key_trust: self.key_trust,
            clinics: self.clinics.clone(),
            images_folder: self.images_folder.clone(),
            in_database: self.in_database,
            sftp_port: self.sftp_port,
            hospitals: self.hospitals,
            ..Options::default()
        };
        if !self.image_categories.is_empty() {
            options.image_categories = self.image_categories.clone();
        }
        if !self.keys.is_empty() {
            options.keys = self.keys.clone();
        }
        if let Some(interval) = self.interval {
            options.throttle.read_all_only = interval;
            options.throttle.other = interval;
            options.throttle.enterprise = interval;
        }
        options.throttle.queue = self.queue;
        self.unknowns.put_into(&mut options);
        options
    }
}

impl UnknownArgs {
    fn put_into(&self, options: &mut Options) {
        let unknowns = &mut options.unknowns;
        if self.stamp_filter == "after" {
            unknowns.stamp_filter = StampFilter::After;
        }
        unknowns.duplicate_rule = match self.duplicate_rule.as_str() {
            "off" => DuplicateRule::Off,
            "birthdate" => DuplicateRule::NameBirthdate,
            _ => DuplicateRule::NameBirthdateContact,
        };
        if let Some(text) = &self.duplicate_text {
            unknowns.duplicate_text.clone_from(text);
        }
        if let Some(text) = &self.throttle_text {
            unknowns.throttle_text.clone_from(text);
        }
        if self.reject_unknown_fields {
            unknowns.body_fields = Unmentioned::Reject;
        }
        if self.ignore_blank_names {
            unknowns.blank_names = Unmentioned::Ignore;
        }
        if self.plain_text_errors {
            unknowns.error_body = ErrorBody::PlainText;
        }
        unknowns.deleted_visible = self.deleted_visible;
        unknowns.strict_languages = !self.any_language;
        unknowns.missing_authorization_status = self.missing_authorization_status;
        unknowns.unassigned_key_status = self.unassigned_key_status;
        unknowns.search_zip_as_number = !self.zip_as_text;
        unknowns.raw_note_shown = self.raw_note_shown;
        unknowns.single_document_like_list = self.single_document_like_list;
    }
}

fn words<const N: usize>(known: [&'static str; N]) -> impl clap::builder::TypedValueParser<Value = String> {
    PossibleValuesParser::new(known).map(|word| word)
}

fn duration(text: &str) -> Result<Duration, String> {
    let signed: SignedDuration = text.parse().map_err(|_| "write 500ms, 2s or 1m".to_owned())?;
    signed
        .try_into()
        .map_err(|_| "a duration is not negative".to_owned())
}

fn key(text: &str) -> Result<ApiKey, String> {
    let form = || "write NAME:DEVELOPERKEY/CUSTOMERKEY[:PERMISSIONS]".to_owned();
    let (name, rest) = text.split_once(':').ok_or_else(form)?;
    let (pair, permissions) = rest
        .split_once(':')
        .map_or((rest, None), |(pair, some)| (pair, Some(some)));
    let (developer, customer) = pair.split_once('/').ok_or_else(form)?;
    let key = ApiKey::new(name, developer, customer);
    let Some(permissions) = permissions else {
        return Ok(key);
    };
    let permissions = permissions
        .split(',')
        .map(|word| match word {
            "read-all" => Ok(Permission::ReadAll),
            "patients" => Ok(Permission::Patients),
            "documents" => Ok(Permission::Documents),
            "all-others" => Ok(Permission::AllOthers),
            "queries" => Ok(Permission::Queries),
            "enterprise" => Ok(Permission::Enterprise),
            other => Err(format!(
                "unknown permission {other:?}; known are read-all, patients, documents, all-others, queries, \
                 enterprise"
            )),
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(key.with_permissions(permissions))
}

fn image_category(text: &str) -> Result<ImageCategory, String> {
    let (number, name) = text
        .split_once(':')
        .ok_or_else(|| "write NUMBER:NAME".to_owned())?;
    let def_num = number
        .parse()
        .map_err(|_| "a definition number is a whole number".to_owned())?;
    Ok(ImageCategory {
        def_num,
        name: name.to_owned(),
        item_value: String::new(),
        is_hidden: false,
    })
}

fn clinic(text: &str) -> Result<Clinic, String> {
    let (number, abbr) = text
        .split_once(':')
        .ok_or_else(|| "write NUMBER:ABBREVIATION".to_owned())?;
    let clinic_num = number
        .parse()
        .map_err(|_| "a clinic number is a whole number".to_owned())?;
    Ok(Clinic {
        clinic_num,
        abbr: abbr.to_owned(),
        description: abbr.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent_in_itself() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn a_key_on_the_command_line_says_who_and_what() {
        let key = key("Acme:dev/cust:read-all,enterprise").unwrap();
        assert_eq!(key.authorization(), "ODFHIR dev/cust");
        assert_eq!(
            key.permissions,
            [Permission::ReadAll, Permission::Enterprise].into()
        );
        assert!(super::key("dev/cust").is_err());
    }
}

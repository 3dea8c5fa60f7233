//! The settings of one archive.

use archwire_connector::{Disposition, Setting, SettingKind, settings};
use std::time::Duration;

/// How the archive is asked for what is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// By Orthanc's own list of changes where there is one, else by QIDO-RS.
    Auto,
    /// By Orthanc's list of changes.
    Changes,
    /// By QIDO-RS.
    Qido,
}

impl Wish {
    const WORDS: [&'static str; 3] = ["auto", "changes", "qido"];

    fn parse(word: &str) -> Option<Self> {
        match word {
            "auto" => Some(Self::Auto),
            "changes" => Some(Self::Changes),
            "qido" => Some(Self::Qido),
            _ => None,
        }
    }
}

/// The settings of one system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Root of the server, without a trailing slash.
    pub url: String,
    /// What of the server's paths comes before QIDO-RS's own: `/dicom-web`.
    pub qido: String,
    /// The same of WADO-RS.
    pub wado: String,
    /// The same of STOW-RS.
    pub stow: String,
    /// How new studies are found.
    pub feed: Wish,
    /// How long a study has to have stayed as it is before it is told, by QIDO-RS. Orthanc has a setting of its own.
    pub stable_after: Duration,
    /// How many days back QIDO-RS is asked for studies; 0 for all of them.
    pub window_days: u32,
    /// What numbers of the practice's own the archive has, where it has any.
    pub numbers: Option<Numbers>,
    /// IssuerOfPatientID of the numbers that the bus gives to patients whom the archive does not know.
    pub issuer: String,
}

/// PatientIDs that are numbers of another program of the practice: its machines are told them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// The namespace of these numbers on the bus: `urn:archwire:front-desk:chart-number`.
    pub namespace: String,
    /// The IssuerOfPatientID with which they stand in the archive; empty for none.
    pub issuer: String,
}

impl Config {
    /// What the administrator can set.
    #[must_use]
    pub fn settings() -> Vec<Setting> {
        let path = |key, what: &str| {
            let help = format!("The path of {what} where it is another than `path`: /dicomweb/wado-rs");
            Setting::new(key, SettingKind::Text, help).or("")
        };
        vec![
            Setting::new("url", SettingKind::Url, "Root of the server: http://localhost:8042").or("http://localhost:8042"),
            Setting::new("path", SettingKind::Text, "Where DICOMweb begins on the server. dcm4chee: /dcm4chee-arc/aets/NAME/rs")
                .or("/dicom-web"),
            path("qido-path", "QIDO-RS"),
            path("wado-path", "WADO-RS"),
            path("stow-path", "STOW-RS"),
            Setting::new(
                "feed",
                SettingKind::choice_of(&Wish::WORDS),
                "How new studies are found: changes reads Orthanc's list of changes, qido asks for the studies of the last days, auto \
                 takes changes where the server has them.",
            )
            .or("auto"),
            Setting::new(
                "stable-after-seconds",
                SettingKind::Integer,
                "With qido: how long the number of a study's images has to stay the same before it is told, 1 to 86,400. With \
                 changes, Orthanc's own StableAge counts.",
            )
            .or("60"),
            Setting::new(
                "window-days",
                SettingKind::Integer,
                "With qido: how many days back studies are asked for, by their date, 1 to 3,650; 0 for all of them.",
            )
            .or("7"),
            Setting::new(
                "number-namespace",
                SettingKind::Text,
                "Where the practice's machines are told the numbers of another program: the namespace of these numbers on the bus, \
                 such as urn:archwire:front-desk:chart-number. Patients are recognised by them. Empty where PatientIDs are \
                 numbers of the machines' own.",
            )
            .or(""),
            Setting::new(
                "number-issuer",
                SettingKind::Text,
                "IssuerOfPatientID of these numbers; empty where the machines state none. PatientIDs of other issuers are none of \
                 them.",
            )
            .or(""),
            Setting::new(
                "issuer",
                SettingKind::Text,
                "Who issued the numbers under which files that are no DICOM files are put away for patients whom the archive does \
                 not know yet: IssuerOfPatientID.",
            )
            .or("ARCHWIRE"),
        ]
    }

    /// Reads the settings of the system that this call is for.
    ///
    /// # Errors
    /// When a setting has a value that cannot be meant.
    pub fn from_settings() -> Result<Self, Disposition> {
        let path = path("path", "")?;
        Ok(Self {
            url: settings::url("url")?,
            qido: self::path("qido-path", &path)?,
            wado: self::path("wado-path", &path)?,
            stow: self::path("stow-path", &path)?,
            feed: Wish::parse(&settings::text("feed")?).ok_or_else(|| invalid("feed"))?,
            stable_after: Duration::from_secs(number("stable-after-seconds", 1, 86_400)?.into()),
            window_days: number("window-days", 0, 3_650)?,
            numbers: numbers(
                &settings::text("number-namespace")?,
                &settings::text("number-issuer")?,
            ),
            issuer: settings::text("issuer")?.trim().to_owned(),
        })
    }
}

fn numbers(namespace: &str, issuer: &str) -> Option<Numbers> {
    let namespace = namespace.trim();
    (!namespace.is_empty()).then(|| Numbers {
        namespace: namespace.to_owned(),
        issuer: issuer.trim().to_owned(),
    })
}

/// A path with a slash in front and none at the end.
fn path(key: &str, otherwise: &str) -> Result<String, Disposition> {
    let set = settings::text(key)?;
    let set = set.trim().trim_end_matches('/');
    match set {
        "" => Ok(otherwise.to_owned()),
        _ if set.starts_with('/') && !set.contains(['?', '#', ' ']) => Ok(set.to_owned()),
        _ => Err(invalid(key)),
    }
}

fn number(key: &str, least: u32, most: u32) -> Result<u32, Disposition> {
    let set = u32::try_from(settings::integer(key)?).ok();
    set.filter(|set| (least..=most).contains(set))
        .ok_or_else(|| invalid(key))
}

fn invalid(key: &str) -> Disposition {
    Disposition::rejected("setting-invalid").with_detail(format!("the setting {key} is out of its range"))
}

#[cfg(test)]
impl Config {
    pub(crate) fn for_tests() -> Self {
        Self {
            url: "http://archive".into(),
            qido: "/qido".into(),
            wado: "/wado".into(),
            stow: "/stow".into(),
            feed: Wish::Auto,
            stable_after: Duration::from_secs(60),
            window_days: 7,
            numbers: None,
            issuer: "ARCHWIRE".into(),
        }
    }
}

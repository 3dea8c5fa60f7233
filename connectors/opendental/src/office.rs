//! One office as the administrator set it up.

use archwire_connector::{Disposition, settings};

/// How the API is reached, which decides how much it gives at a time (Open Dental API, Implementation).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Over the vendor's servers and the office's eConnector.
    Remote,
    /// Open Dental on this machine, while somebody is logged in.
    Local,
    /// The API Service in the office's network.
    Service,
}

impl Mode {
    /// The words of the setting.
    pub const WORDS: [&str; 3] = ["remote", "local", "service"];

    fn parse(word: &str) -> Option<Self> {
        match word {
            "remote" => Some(Self::Remote),
            "local" => Some(Self::Local),
            "service" => Some(Self::Service),
            _ => None,
        }
    }

    /// The word of the setting.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Remote => "remote",
            Self::Local => "local",
            Self::Service => "service",
        }
    }

    /// Most rows of a page.
    #[must_use]
    pub fn page_size(self) -> usize {
        match self {
            Self::Remote => 100,
            Self::Local | Self::Service => 1_000,
        }
    }
}

/// The settings of one system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    /// The system's name in the practice's configuration.
    pub system: String,
    /// Root of the API, without a trailing slash.
    pub url: String,
    /// How the API is reached.
    pub mode: Mode,
    /// Rows of a page, 2 to 1,000.
    pub page_size: usize,
    /// How far a pass reads back before the last one began, in seconds.
    pub overlap: i64,
    /// Name of the category that images are filed in; empty for the office's first.
    pub image_category: String,
}

impl Office {
    /// Reads the settings of the system that this call is for.
    ///
    /// # Errors
    /// When a setting has a value that cannot be meant.
    pub fn from_settings() -> Result<Self, Disposition> {
        let mode = Mode::parse(&settings::text("mode")?).ok_or_else(|| invalid("mode"))?;
        Ok(Self {
            system: settings::system_name(),
            url: settings::url("url")?,
            mode,
            page_size: page_size(mode, settings::integer("page-size")?)?,
            overlap: overlap(settings::integer("overlap-seconds")?)?,
            image_category: settings::text("image-category")?.trim().to_owned(),
        })
    }
}

fn page_size(mode: Mode, set: i64) -> Result<usize, Disposition> {
    match usize::try_from(set) {
        Ok(0) => Ok(mode.page_size()),
        Ok(size @ 2..=1_000) => Ok(size),
        _ => Err(invalid("page-size")),
    }
}

fn overlap(set: i64) -> Result<i64, Disposition> {
    if (0..=86_400).contains(&set) {
        Ok(set)
    } else {
        Err(invalid("overlap-seconds"))
    }
}

fn invalid(key: &str) -> Disposition {
    Disposition::rejected("setting-invalid").with_detail(format!("the setting {key} is out of its range"))
}

#[cfg(test)]
impl Office {
    pub(crate) fn for_tests() -> Self {
        Self {
            system: "front-desk".into(),
            url: "http://localhost:30223/api/v1".into(),
            mode: Mode::Service,
            page_size: 10,
            overlap: 300,
            image_category: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_as_large_as_the_mode_allows_unless_set_otherwise() {
        assert_eq!(page_size(Mode::Remote, 0), Ok(100));
        assert_eq!(page_size(Mode::Local, 0), Ok(1_000));
        assert_eq!(page_size(Mode::Service, 250), Ok(250));
        for set in [-1, 1, 1_001] {
            assert!(page_size(Mode::Service, set).is_err(), "{set}");
        }
    }

    #[test]
    fn the_words_of_the_setting_are_the_modes() {
        for word in Mode::WORDS {
            assert_eq!(Mode::parse(word).map(Mode::word), Some(word));
        }
    }

    #[test]
    fn an_overlap_is_between_nothing_and_a_day() {
        assert_eq!(overlap(300), Ok(300));
        assert!(overlap(-1).is_err() && overlap(86_401).is_err());
    }
}

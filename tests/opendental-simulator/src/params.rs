//! Query parameters: which are known, what they say, which page they want.
//!
//! Source: Open Dental API, Implementation (paging, formats) and Patients. Names are case-sensitive; a parameter
//! without a value counts as absent. Refusals are 400.

use crate::formats;
use crate::keys::{ApiKey, Permission};
use crate::options::{Mode, Options};
use crate::refusal::Refusal;
use crate::version::Version;

/// Parameters that every list understands, and since when.
const COMMON: [(&str, Version); 4] = [
    ("Offset", Version(21, 1, 0)),
    ("Limit", Version(21, 1, 0)),
    ("DateTimeFormatString", Version(22, 2, 14)),
    ("DateFormatString", Version(22, 2, 26)),
];

/// The decoded query of one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(pub(crate) Vec<(String, String)>);

/// Which rows of a result go into the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) offset: usize,
    pub(crate) limit: usize,
}

impl Params {
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }

    /// A numeric filter.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.get(name)
            .map(|text| text.parse().map_err(|_| Refusal::invalid(name)))
            .transpose()
    }

    /// A switch, `true` or `false`; absent is false.
    pub(crate) fn switch(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name).map(str::to_ascii_lowercase).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Refusal::invalid(name)),
        }
    }

    /// Refuses parameters that the resource does not know, and those that are newer than the office.
    pub(crate) fn only(&self, known: &[(&str, Version)], office: Version) -> Result<(), Refusal> {
        for (name, _) in &self.0 {
            match known.iter().chain(&COMMON).find(|(known, _)| known == name) {
                None => return Err(Refusal::unknown_parameter(name)),
                Some((_, since)) if office < *since => return Err(Refusal::too_old(name, *since)),
                Some(_) => {}
            }
        }
        Ok(())
    }

    pub(crate) fn date_format(&self) -> &str {
        self.get("DateFormatString").unwrap_or(formats::DATE)
    }

    pub(crate) fn date_time_format(&self) -> &str {
        self.get("DateTimeFormatString").unwrap_or(formats::DATE_TIME)
    }

    /// The page; a Limit above the maximum is taken for the maximum.
    pub(crate) fn page(&self, key: &ApiKey, options: &Options) -> Result<Page, Refusal> {
        let size = |name| {
            let number = self.number(name)?;
            number
                .map(|number| usize::try_from(number).map_err(|_| Refusal::invalid(name)))
                .transpose()
        };
        let most = page_limit(options.mode, key.permissions.contains(&Permission::Enterprise));
        let limit = size("Limit")?
            .filter(|limit| *limit > 0)
            .unwrap_or(most)
            .min(most);
        Ok(Page {
            offset: size("Offset")?.unwrap_or(0),
            limit,
        })
    }
}

impl Page {
    /// The rows of this page.
    pub(crate) fn of<T>(self, rows: Vec<T>) -> impl Iterator<Item = T> {
        rows.into_iter().skip(self.offset).take(self.limit)
    }
}

/// How many rows one answer holds at most.
pub(crate) fn page_limit(mode: Mode, enterprise: bool) -> usize {
    match (mode, enterprise) {
        (Mode::Remote, false) => 100,
        (Mode::Remote, true) | (Mode::Local | Mode::Service, false) => 1_000,
        (Mode::Local | Mode::Service, true) => 10_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        Params(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn the_documented_page_limits_are_the_default_and_the_maximum() {
        let key = ApiKey::default();
        let page =
            |options: Options, limit: &str| params(&[("Limit", limit)]).page(&key, &options).unwrap().limit;
        assert_eq!(page(Options::remote(), ""), 100);
        assert_eq!(page(Options::remote(), "5000"), 100);
        assert_eq!(page(Options::remote(), "7"), 7);
        assert_eq!(page(Options::local(), ""), 1_000);
        assert_eq!(page_limit(Mode::Remote, true), 1_000);
        assert_eq!(page_limit(Mode::Service, true), 10_000);
    }

    #[test]
    fn a_parameter_that_is_not_known_is_named_in_the_refusal() {
        let refusal = params(&[("updatedSince", "x")])
            .only(&[], Version(25, 3, 0))
            .unwrap_err();
        assert_eq!(refusal.text, "'updatedSince' is not a valid parameter");
        let refusal = params(&[("DateFormatString", "x")])
            .only(&[], Version(22, 1, 0))
            .unwrap_err();
        assert_eq!(refusal.status, 400);
    }
}

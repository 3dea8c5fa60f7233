//! What the administrator set for this system.
//!
//! The host checks the values against the kinds that `describe` named before the connector runs, and gives the default
//! where the administrator set none, so the errors here point at a mistake in `describe`. Secrets are not settings: the
//! host puts them on requests itself.

use crate::bindings::archwire::connector::settings as host;
use crate::exchange::Disposition;
use std::str::FromStr;

/// A setting is not there or not what the connector expects.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `describe` does not name it, or names no default and the administrator set none.
    #[error("the setting {0} is missing")]
    Missing(String),
    /// Its value is of another kind.
    #[error("the setting {0} has a value of another kind")]
    Invalid(String),
}

impl Error {
    /// Stable and greppable.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "setting-missing",
            Self::Invalid(_) => "setting-invalid",
        }
    }
}

impl From<Error> for Disposition {
    fn from(error: Error) -> Self {
        Self::rejected(error.code()).with_detail(error.to_string())
    }
}

/// The system's name in the configuration: `front-desk`.
#[must_use]
pub fn system_name() -> String {
    host::system_name()
}

/// A setting that may be absent.
#[must_use]
pub fn optional(key: &str) -> Option<String> {
    host::get(key)
}

/// A setting of kind `text` or `choice`.
///
/// # Errors
/// When it is missing.
pub fn text(key: &str) -> Result<String, Error> {
    optional(key).ok_or_else(|| Error::Missing(key.to_owned()))
}

/// A setting of kind `integer`.
///
/// # Errors
/// When it is missing, or not a whole number.
pub fn integer(key: &str) -> Result<i64, Error> {
    parse(key, &text(key)?)
}

/// A setting of kind `boolean`.
///
/// # Errors
/// When it is missing, or neither `true` nor `false`.
pub fn boolean(key: &str) -> Result<bool, Error> {
    parse(key, &text(key)?)
}

/// A setting of kind `url`, without a trailing slash, so that `format!("{url}/patients")` is right.
///
/// # Errors
/// When it is missing, or has another scheme than `http` and `https`.
pub fn url(key: &str) -> Result<String, Error> {
    let url = text(key)?;
    let known = url.starts_with("http://") || url.starts_with("https://");
    if known {
        Ok(url.trim_end_matches('/').to_owned())
    } else {
        Err(Error::Invalid(key.to_owned()))
    }
}

fn parse<T: FromStr>(key: &str, value: &str) -> Result<T, Error> {
    value.trim().parse().map_err(|_| Error::Invalid(key.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_kind_is_an_error_and_not_a_default() {
        assert_eq!(parse::<i64>("overlap-seconds", "300"), Ok(300));
        assert_eq!(
            parse::<i64>("overlap-seconds", "5 min"),
            Err(Error::Invalid("overlap-seconds".into()))
        );
        assert_eq!(parse::<bool>("dry", "yes"), Err(Error::Invalid("dry".into())));
    }
}

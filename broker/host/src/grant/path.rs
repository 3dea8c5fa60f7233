//! Path patterns: `*` is one segment, a last `**` any number of them.

use std::{fmt, str::FromStr};

/// A pattern for paths: `/patients/*`, `/api/**`. Compared byte by byte with what is sent: percent-encoded letters do
/// not match plain ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    segments: Vec<Segment>,
    rest: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Any,
}

/// A text that is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathPatternError {
    /// Does not begin with `/`, or is longer than 1,024 bytes.
    #[error("a path pattern begins with / and has at most 1024 bytes")]
    Form,
    /// `*` beside other letters in a segment, or `**` before the end.
    #[error("* stands for a whole segment, and ** only at the end")]
    Wildcard,
    /// `..`, `//`, a query, or encoded slashes, dots or percent signs.
    #[error("a path pattern has no query, no empty, . or .. segment and no encoded / \\ . or %")]
    Ambiguous,
}

impl PathPatternError {
    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Form => "path_pattern_invalid",
            Self::Wildcard => "path_pattern_wildcard_invalid",
            Self::Ambiguous => "path_pattern_ambiguous",
        }
    }
}

impl PathPattern {
    pub(crate) fn matches(&self, path: &str) -> bool {
        let Some(path) = path.strip_prefix('/') else {
            return false;
        };
        let mut given = path.split('/');
        for segment in &self.segments {
            let fits = match (segment, given.next()) {
                (Segment::Literal(literal), Some(given)) => literal == given,
                (Segment::Any, Some(given)) => !given.is_empty(),
                (_, None) => false,
            };
            if !fits {
                return false;
            }
        }
        self.rest || given.next().is_none()
    }
}

/// Whether a server can read the path in one way only: no empty segment but the last, no `.` or `..` (also with path
/// parameters, `..;x`), no backslash, no control character, no encoded slash, backslash, dot, percent sign or NUL.
pub(crate) fn is_plain(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else {
        return false;
    };
    let mut segments = rest.split('/').peekable();
    while let Some(segment) = segments.next() {
        let name = segment.split(';').next().unwrap_or(segment);
        let is_last = segments.peek().is_none();
        if matches!(name, "." | "..") || (segment.is_empty() && !is_last) {
            return false;
        }
    }
    let lower = path.to_ascii_lowercase();
    path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && !["%2f", "%5c", "%2e", "%25", "%00"]
            .iter()
            .any(|encoded| lower.contains(encoded))
}

impl FromStr for PathPattern {
    type Err = PathPatternError;

    fn from_str(text: &str) -> Result<Self, PathPatternError> {
        let path = text
            .strip_prefix('/')
            .filter(|_| text.len() <= 1024)
            .ok_or(PathPatternError::Form)?;
        if !is_plain(text) || text.contains(['?', '#']) {
            return Err(PathPatternError::Ambiguous);
        }
        let (path, rest) = match path.strip_suffix("**") {
            Some("") => {
                return Ok(Self {
                    segments: Vec::new(),
                    rest: true,
                });
            }
            Some(path) => (path.strip_suffix('/').ok_or(PathPatternError::Wildcard)?, true),
            None => (path, false),
        };
        let segment = |text: &str| match text {
            "*" => Ok(Segment::Any),
            text if text.contains('*') => Err(PathPatternError::Wildcard),
            text => Ok(Segment::Literal(text.to_owned())),
        };
        let segments = path.split('/').map(segment).collect::<Result<_, _>>()?;
        Ok(Self { segments, rest })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(literal) => write!(f, "/{literal}")?,
                Segment::Any => f.write_str("/*")?,
            }
        }
        if self.rest { f.write_str("/**") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        pattern.parse::<PathPattern>().unwrap().matches(path)
    }

    #[test]
    fn a_star_is_exactly_one_segment() {
        assert!(matches("/patients/*", "/patients/7"));
        assert!(!matches("/patients/*", "/patients"));
        assert!(!matches("/patients/*", "/patients/"));
        assert!(!matches("/patients/*", "/patients/7/x"));
        assert!(matches("/patients/*/notes", "/patients/7/notes"));
    }

    #[test]
    fn two_stars_at_the_end_are_any_number_of_segments() {
        for path in ["/api", "/api/", "/api/v1", "/api/v1/patients/7"] {
            assert!(matches("/api/**", path), "{path}");
        }
        for path in ["/", "/apis", "/other/api"] {
            assert!(!matches("/api/**", path), "{path}");
        }
        assert!(matches("/**", "/"));
        assert!(matches("/**", "/a/b"));
    }

    #[test]
    fn a_literal_matches_itself_only() {
        assert!(matches("/", "/"));
        assert!(matches("/patients/Simple", "/patients/Simple"));
        assert!(!matches("/patients/Simple", "/patients/simple"));
        assert!(!matches("/patients", "/p%61tients"));
        assert!(!matches("/patients", "/patients/"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let cases = [
            ("patients", PathPatternError::Form),
            ("", PathPatternError::Form),
            ("/a*", PathPatternError::Wildcard),
            ("/a**", PathPatternError::Wildcard),
            ("/**/a", PathPatternError::Wildcard),
            ("/a//b", PathPatternError::Ambiguous),
            ("/a/../b", PathPatternError::Ambiguous),
            ("/a?x=1", PathPatternError::Ambiguous),
            ("/a%2fb", PathPatternError::Ambiguous),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<PathPattern>(), Err(error), "{text}");
        }
    }

    #[test]
    fn patterns_are_shown_as_they_are_written() {
        for text in ["/", "/**", "/patients/*", "/api/v1/**", "/a/"] {
            assert_eq!(text.parse::<PathPattern>().unwrap().to_string(), text);
        }
    }
}

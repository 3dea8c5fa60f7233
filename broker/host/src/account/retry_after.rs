//! `Retry-After`: for how long a server wants to be left alone, in seconds or as a date (RFC 9110, 10.2.3).

use http::{HeaderMap, StatusCode, header};
use std::time::{Duration, SystemTime};

/// What a `429` without a time means.
const UNSAID: Duration = Duration::from_secs(1);

/// For how long the server wants to be left alone, if it says so: `429`, or `503` with a time. A time that cannot be read
/// is none.
pub(super) fn asked_for(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let said = || {
        headers
            .get(header::RETRY_AFTER)?
            .to_str()
            .ok()
            .and_then(|text| read(text, now))
    };
    match status {
        StatusCode::TOO_MANY_REQUESTS => Some(said().unwrap_or(UNSAID)),
        StatusCode::SERVICE_UNAVAILABLE => said(),
        _ => None,
    }
}

fn read(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are longer than any bound.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(status: u16, retry_after: Option<&str>) -> Option<Duration> {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let headers = retry_after.map(|text| (header::RETRY_AFTER, text.parse().unwrap()));
        asked_for(
            StatusCode::from_u16(status).unwrap(),
            &headers.into_iter().collect(),
            now,
        )
    }

    #[test]
    fn a_time_is_read_as_seconds_or_as_a_date_in_each_of_the_forms_of_http() {
        for (text, seconds) in [
            ("120", 120),
            (" 7 ", 7),
            ("0", 0),
            ("99999999999999999999999", u64::MAX),
            ("Sun, 06 Nov 1994 08:50:37 GMT", 60),
            ("Sunday, 06-Nov-94 08:50:37 GMT", 60),
            ("Sun Nov  6 08:50:37 1994", 60),
            ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
        ] {
            assert_eq!(
                asked(429, Some(text)),
                Some(Duration::from_secs(seconds)),
                "{text}"
            );
            assert_eq!(
                asked(503, Some(text)),
                Some(Duration::from_secs(seconds)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_time_that_cannot_be_read_is_none() {
        for text in ["", "soon", "-1", "1.5", "1e3"] {
            assert_eq!(asked(429, Some(text)), Some(UNSAID), "{text}");
            assert_eq!(asked(503, Some(text)), None, "{text}");
        }
        assert_eq!((asked(429, None), asked(503, None)), (Some(UNSAID), None));
    }

    #[test]
    fn other_answers_ask_for_nothing() {
        for status in [200, 301, 404, 500, 504] {
            assert_eq!(asked(status, Some("60")), None, "{status}");
        }
    }
}

//! Until when a program waits for a call: the metadata `grpc-timeout` of gRPC's protocol, which counts for the whole of a stream.

use http::HeaderMap;
use std::time::Duration;

/// Most digits of the number.
const DIGITS: usize = 8;

/// How long the program waits from now on. What is no such time says nothing, as other servers of gRPC have it.
pub(super) fn patience(headers: &HeaderMap) -> Option<Duration> {
    let said = headers.get("grpc-timeout")?.to_str().ok()?;
    let (number, unit) = said.split_at_checked(said.len().checked_sub(1)?)?;
    let is_number = number.len() <= DIGITS && number.bytes().all(|digit| digit.is_ascii_digit());
    let number: u64 = number.parse().ok().filter(|_| is_number)?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn read(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", HeaderValue::try_from(text).unwrap());
        patience(&headers)
    }

    #[test]
    fn a_time_is_a_number_of_at_most_eight_digits_and_a_unit() {
        assert_eq!(read("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(read("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        assert_eq!(read("3M"), Some(Duration::from_secs(180)));
        assert_eq!(read("0S"), Some(Duration::ZERO));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("5u"), Some(Duration::from_micros(5)));
        assert_eq!(read("7n"), Some(Duration::from_nanos(7)));
        for none in [
            "",
            "S",
            "1",
            "1s",
            "-1S",
            "+1S",
            "1.5S",
            "123456789S",
            "1 S",
            "1SS",
        ] {
            assert_eq!(read(none), None, "{none:?}");
        }
        assert_eq!(patience(&HeaderMap::new()), None);
    }
}

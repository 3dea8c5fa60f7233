//! When an image was taken, from the dates and times that files have.

use archwire_core::AcquiredAt;

/// From DICOM's AcquisitionDateTime (VR DT), or its date and time (DA, TM), and the offset that holds for those without one. As
/// much as is known; a time without seconds is taken for a full minute, as FHIR has it, and one without minutes is left out.
pub(super) fn acquired_at(
    date_time: Option<&str>,
    date: Option<&str>,
    time: Option<&str>,
    offset: Option<&str>,
) -> Option<AcquiredAt> {
    let whole = date_time.and_then(|text| {
        let (text, own_offset) = match text.find(['+', '-']).and_then(|at| text.split_at_checked(at)) {
            Some((text, offset)) => (text, Some(offset)),
            None => (text, None),
        };
        let (date, time) = text.split_at_checked(8).unwrap_or((text, ""));
        written(date, time, own_offset.or(offset))
    });
    whole.or_else(|| {
        written(
            &date?.replace('.', ""),
            &time.unwrap_or_default().replace(':', ""),
            offset,
        )
    })
}

/// From the EXIF tags DateTimeOriginal and OffsetTimeOriginal (EXIF 2.32, 4.6.5).
pub(super) fn exif(date_time: &str, offset: Option<&str>) -> Option<AcquiredAt> {
    let (date, time) = date_time.trim().split_once(' ')?;
    let date = date.replace(':', "-");
    let offset = offset.map(str::trim).unwrap_or_default();
    let with_offset = format!("{date}T{time}{offset}").parse();
    with_offset.or_else(|_| format!("{date}T{time}").parse()).ok()
}

/// `date` is `YYYY`, `YYYYMM` or `YYYYMMDD`, `time` the beginning of `HHMMSS.FFFFFF`, `offset` `&ZZXX`.
fn written(date: &str, time: &str, offset: Option<&str>) -> Option<AcquiredAt> {
    let part = |text: &str, from: usize, to: usize| text.get(from..to).map(str::to_owned);
    let year = part(date, 0, 4)?;
    let date = match (part(date, 4, 6), part(date, 6, 8), date.len()) {
        (Some(month), Some(day), 8) => format!("{year}-{month}-{day}"),
        (Some(month), None, 6) => return format!("{year}-{month}").parse().ok(),
        (None, None, 4) => return year.parse().ok(),
        _ => return None,
    };
    let offset = offset.and_then(|offset| {
        let offset = offset.trim();
        let hours = part(offset, 0, 3).filter(|_| offset.len() == 5)?;
        Some(format!("{hours}:{}", part(offset, 3, 5)?))
    });
    let time = part(time, 0, 2).zip(part(time, 2, 4)).map(|(hours, minutes)| {
        let seconds = part(time, 4, 6).unwrap_or_else(|| "00".to_owned());
        let fraction = time
            .get(6..)
            .filter(|fraction| fraction.len() > 1)
            .unwrap_or_default();
        format!("T{hours}:{minutes}:{seconds}{fraction}")
    });
    let (time, offset) = (time.unwrap_or_default(), offset.unwrap_or_default());
    // What is wrong with the time is not wrong with the date.
    [format!("{date}{time}{offset}"), format!("{date}{time}"), date]
        .iter()
        .find_map(|text| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_is_told_as_the_file_knows() {
        for (date_time, date, time, offset, told) in [
            (
                Some("20260301093000.125000+0100"),
                None,
                None,
                None,
                Some("2026-03-01T09:30:00.125000+01:00"),
            ),
            (
                Some("20260301093000"),
                None,
                None,
                Some("-0500"),
                Some("2026-03-01T09:30:00-05:00"),
            ),
            (
                Some("202603010930"),
                None,
                None,
                None,
                Some("2026-03-01T09:30:00"),
            ),
            (Some("2026030109"), None, None, None, Some("2026-03-01")),
            (Some("20260301"), None, None, None, Some("2026-03-01")),
            (Some("202603"), None, None, None, Some("2026-03")),
            (Some("2026"), None, None, None, Some("2026")),
            (
                Some("nonsense"),
                Some("20260301"),
                Some("0930"),
                None,
                Some("2026-03-01T09:30:00"),
            ),
            (
                None,
                Some("2026.03.01"),
                Some("09:30:15"),
                None,
                Some("2026-03-01T09:30:15"),
            ),
            (
                None,
                Some("20260301"),
                Some("093015.1"),
                Some("+0530"),
                Some("2026-03-01T09:30:15.1+05:30"),
            ),
            (None, Some("20260301"), Some("993015"), None, Some("2026-03-01")),
            (
                None,
                Some("20260301"),
                Some("093015"),
                Some("nonsense"),
                Some("2026-03-01T09:30:15"),
            ),
            (None, Some("20261301"), Some("093015"), None, None),
            (None, Some("ÄÖÜ"), Some("ÄÖÜ"), Some("ÄÖÜ"), None),
            (None, None, Some("093015"), Some("+0100"), None),
        ] {
            let at = acquired_at(date_time, date, time, offset);
            assert_eq!(
                at.as_ref().map(AcquiredAt::as_str),
                told,
                "{date_time:?} {date:?} {time:?}"
            );
        }
        for (date_time, offset, told) in [
            (
                "2026:03:01 09:30:00",
                Some("+01:00"),
                Some("2026-03-01T09:30:00+01:00"),
            ),
            ("2026:03:01 09:30:00", Some("   :  "), Some("2026-03-01T09:30:00")),
            ("2026:03:01 09:30:00", None, Some("2026-03-01T09:30:00")),
            ("0000:00:00 00:00:00", None, None),
            ("    :  :     :  :  ", None, None),
        ] {
            let at = exif(date_time, offset);
            assert_eq!(at.as_ref().map(AcquiredAt::as_str), told, "{date_time:?}");
        }
    }
}

//! The second stage of `[images]`: how much of them the broker keeps; and of the folders that systems have them in.

use super::{check::Check, model::Images, problem::ProblemKind, raw::RawImages, units::ByteSize};
use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

/// Less than that holds no radiograph.
const MAX_SIZE: RangeInclusive<ByteSize> =
    ByteSize::from_mebibytes(64)..=ByteSize::from_mebibytes(64 * 1024 * 1024);
const LARGEST: RangeInclusive<ByteSize> = ByteSize::from_mebibytes(1)..=ByteSize::from_mebibytes(64 * 1024);
const DEFAULT_LARGEST: ByteSize = ByteSize::from_mebibytes(4 * 1024);
/// Not shorter than an upload and its event may take.
const KEEP_UNUSED: RangeInclusive<Duration> = Duration::from_secs(3600)..=Duration::from_secs(30 * 24 * 3600);
const DEFAULT_KEEP_UNUSED: Duration = Duration::from_secs(24 * 3600);
const KEEP_FREE: RangeInclusive<ByteSize> =
    ByteSize::from_mebibytes(0)..=ByteSize::from_mebibytes(64 * 1024 * 1024);
const DEFAULT_KEEP_FREE: ByteSize = ByteSize::from_mebibytes(2 * 1024);

/// Parses `[images]`; `None` inside where the broker keeps none.
pub(super) fn images(check: &mut Check<'_>, raw: RawImages) -> Option<Option<Images>> {
    let max_size = match &raw.max_size {
        Some(written) => check.size("images.max-size", written, MAX_SIZE).map(Some),
        None => Some(None),
    };
    let largest = match &raw.largest {
        Some(written) => check.size("images.largest", written, LARGEST),
        None => Some(DEFAULT_LARGEST),
    };
    let keep_unused = match &raw.keep_unused {
        Some(written) => check.duration("images.keep-unused", written, KEEP_UNUSED),
        None => Some(DEFAULT_KEEP_UNUSED),
    };
    let keep_free = match &raw.keep_free {
        Some(written) => check.size("images.keep-free", written, KEEP_FREE),
        None => Some(DEFAULT_KEEP_FREE),
    };
    let (max_size, largest) = (max_size?, largest?);
    if raw.largest.is_some() && max_size.is_some_and(|max_size| largest > max_size) {
        let way_out = "write a smaller size, or a larger images.max-size";
        let what = "is more than images.max-size lets all of them take";
        check.problem("images.largest", ProblemKind::Conflict, what, way_out);
    }
    let images = Images {
        max_size,
        largest,
        keep_unused: keep_unused?,
        keep_free: keep_free?,
    };
    Some(raw.enabled.unwrap_or(true).then_some(images))
}

/// Parses a system's `images-folder`. Whether it is there is not asked: it may be on another machine, and away for a while.
pub(super) fn images_folder(
    check: &mut Check<'_>,
    key: &str,
    written: Option<String>,
) -> Option<Option<PathBuf>> {
    let Some(written) = written else {
        return Some(None);
    };
    if written.is_empty() {
        check.value(key, "is empty", "write the path of a folder, or remove the key");
        return None;
    }
    Some(Some(check.path(&written)))
}

//! The second stage of `[images]`: how much of them the broker keeps; and of the folders that systems have them in.

use super::{
    check::Check,
    model::{Api, ImageSftp, Images, System},
    problem::ProblemKind,
    raw::{RawImageSftp, RawImages},
    units::ByteSize,
};
use archwire_core::SystemName;
use std::{collections::BTreeMap, net::SocketAddr, ops::RangeInclusive, path::PathBuf, time::Duration};

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

/// Parses `[images.sftp]`.
pub(super) fn image_sftp(
    check: &mut Check<'_>,
    raw: Option<RawImageSftp>,
    api: Option<&Api>,
) -> Option<Option<ImageSftp>> {
    let Some(raw) = raw else {
        return Some(None);
    };
    let way_out = "write an IP address and a port: listen = \"0.0.0.0:22\"";
    let listen = check.required("images.sftp.listen", raw.listen, way_out);
    let listen = listen.and_then(|written| sftp_listen(check, &written, api));
    let way_out =
        "write the host that programs find this machine by: address = \"archwire.practice.example\"";
    let address = check.required("images.sftp.address", raw.address, way_out);
    let address = address.and_then(|written| sftp_address(check, written));
    Some(Some(ImageSftp {
        listen: listen?,
        address: address?,
    }))
}

fn sftp_listen(check: &mut Check<'_>, written: &str, api: Option<&Api>) -> Option<SocketAddr> {
    let key = "images.sftp.listen";
    let Ok(address) = written.parse::<SocketAddr>() else {
        let what = format!("\"{written}\" is not an address to listen on");
        check.value(key, what, "write an IP address and a port: \"0.0.0.0:22\"");
        return None;
    };
    if address.port() != 0 && api.is_some_and(|api| api.listen == address) {
        let what = format!("{address} is where the API listens");
        let way_out = "give one of the two another port";
        check.problem(key, ProblemKind::Conflict, what, way_out);
        return None;
    }
    Some(address)
}

/// A name or an IPv4 address: a path follows it without anything that would end an IPv6 address or a port.
fn sftp_address(check: &mut Check<'_>, written: String) -> Option<String> {
    let is_part = |part: &str| {
        (1..=63).contains(&part.len())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if written.len() <= 253 && written.split('.').all(is_part) {
        return Some(written);
    }
    let way_out = "write a host name or an IPv4 address, without a port: programs connect to port 22";
    check.value(
        "images.sftp.address",
        format!("\"{written}\" is not a host"),
        way_out,
    );
    None
}

/// Nothing is handed out without a place to hand it out from.
pub(super) fn handed_out(
    check: &mut Check<'_>,
    systems: &BTreeMap<SystemName, System>,
    sftp: Option<&Option<ImageSftp>>,
) {
    for (name, system) in systems {
        if system.hand_out_images && sftp == Some(&None) {
            let what = "has no place to hand images out from";
            let way_out = "say where with [images.sftp], or remove the key";
            check.problem(
                &format!("systems.{name}.hand-out-images"),
                ProblemKind::Conflict,
                what,
                way_out,
            );
        }
    }
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

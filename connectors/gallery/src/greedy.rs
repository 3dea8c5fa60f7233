//! More than anybody may have.

use archwire_connector::{Disposition, Image, ImageObservation, images};
use std::{io::Write as _, thread, time::Duration};

/// One good image, with one of each kind of bad ones around it.
pub fn unreadable() -> Vec<ImageObservation> {
    let image = |change: fn(&mut ImageObservation)| {
        let mut observation = ImageObservation::new("7", "1", Image::default());
        change(&mut observation);
        observation
    };
    vec![
        image(|image| image.local_id.clear()),
        image(|image| image.record = "a\nb".to_owned()),
        image(|_| ()),
        image(|image| image.image.sha256 = Some("0A".repeat(32))),
        image(|image| image.image.instance_uid = Some("1.02".to_owned())),
        image(|image| image.image.teeth = vec![19]),
        image(|image| image.image.acquired_at = Some("yesterday".to_owned())),
        image(|image| image.image.view_label = Some("x".repeat(1025))),
        image(|image| image.actor = Some("x".repeat(129))),
        image(|image| image.observed_at_ms = Some(u64::MAX)),
    ]
}

/// How many can be open at the same time.
pub fn open_many(sha256: &str) -> Disposition {
    let mut kept = Vec::new();
    for _ in 0..10_000 {
        match images::open(sha256) {
            Ok(content) => kept.push(content),
            Err(error) => return Disposition::rejected(format!("{}-{}", kept.len(), error.code())),
        }
    }
    Disposition::rejected("allowed")
}

pub fn create_many() -> String {
    let mut kept = Vec::new();
    for _ in 0..10_000 {
        match images::create() {
            Ok(upload) => kept.push(upload),
            Err(error) => return format!("{} and {}", kept.len(), error.code()),
        }
    }
    "allowed".to_owned()
}

pub fn write_for_ever(mut upload: images::Upload) -> String {
    let piece = vec![b'x'; 64 * 1024];
    let mut written: u64 = 0;
    loop {
        match upload.write(&piece) {
            Ok(count) => written += u64::try_from(count).unwrap_or_default(),
            Err(error) => return format!("{error} after {written}"),
        }
    }
}

/// One upload is dropped before its end, and one is kept when the call ends.
pub fn never_finish() -> Result<String, Disposition> {
    let mut kept = images::create()?;
    kept.write_all(b"never told")?;
    std::mem::forget(kept);
    let mut dropped = images::create()?;
    dropped.write_all(&vec![b'x'; 1024 * 1024])?;
    drop(dropped);
    Ok("not finished".to_owned())
}

/// Through the bindings, because the SDK does not let anybody.
pub fn write_after_the_end() -> Result<String, Disposition> {
    use archwire_connector::bindings::archwire::connector::images as host;
    let upload = host::create().map_err(images::Error::from)?;
    let content = upload.content().map_err(images::Error::from)?;
    let again = upload.content().err().map(images::Error::from);
    _ = content.check_write();
    _ = content.write(b"bytes");
    let stored = host::Upload::finish(upload).map_err(images::Error::from)?;
    let after = content.check_write().is_err();
    Ok(format!("{again:?}, {stored}, refused {after}"))
}

pub fn stand_still() -> Result<String, Disposition> {
    let mut upload = images::create()?;
    upload.write_all(b"and then nothing")?;
    thread::sleep(Duration::from_secs(3_600));
    Ok("slept".to_owned())
}

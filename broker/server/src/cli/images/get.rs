//! `archwire images get`: the bytes of an image into a file, which is there only when all of them are.

use super::{arguments::GetArgs, as_json, bytes};
use crate::cli::{
    asking::{AskError, broker},
    json,
};
use archwire_proto::admin::v1::{self, get_image_response::Response};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// A file that is removed unless it is finished.
struct Draft {
    file: File,
    path: PathBuf,
    digest: Sha256,
    is_finished: bool,
}

/// Writes an image into a file; what was written goes to `out`.
pub(super) async fn get(arguments: GetArgs, out: &mut impl Write) -> Result<(), AskError> {
    let request = v1::GetImageRequest {
        image: arguments.image.to_string(),
        person: arguments.acting.person(),
    };
    if arguments.to.try_exists()? {
        return Err(io::Error::from(io::ErrorKind::AlreadyExists).into());
    }
    let mut draft = Draft::beside(&arguments.to)?;
    let mut broker = broker(&arguments.acting.asking).await?;
    let mut answers = broker.get_image(request).await?.into_inner();
    let first = answers.message().await?.and_then(|answer| answer.response);
    let Some(Response::Image(image)) = first else {
        return Err(AskError::Answer);
    };
    while let Some(answer) = answers.message().await? {
        match answer.response {
            Some(Response::Data(data)) => draft.write(&data)?,
            _ => return Err(AskError::Answer),
        }
    }
    // The broker checks every byte too; this is about those between it and the disk.
    if !draft.is(&image.sha256) {
        return Err(AskError::Broken);
    }
    draft.finish(&arguments.to)?;
    if arguments.acting.asking.json {
        return Ok(json::write(
            out,
            &json!({"image": as_json(&image), "file": arguments.to}),
        )?);
    }
    writeln!(out, "{}: {}", arguments.to.display(), bytes(image.size))?;
    Ok(())
}

impl Draft {
    fn beside(to: &Path) -> io::Result<Self> {
        let mut name = to.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let path = to.with_file_name(name);
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self {
            file,
            path,
            digest: Sha256::new(),
            is_finished: false,
        })
    }

    fn write(&mut self, data: &[u8]) -> io::Result<()> {
        self.digest.update(data);
        self.file.write_all(data)
    }

    fn is(&mut self, sha256: &[u8]) -> bool {
        self.digest.clone().finalize().as_slice() == sha256
    }

    /// Gives it its name, unless somebody else has that by now.
    fn finish(mut self, to: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        if to.try_exists()? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs::rename(&self.path, to)?;
        self.is_finished = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_finished {
            _ = fs::remove_file(&self.path);
        }
    }
}

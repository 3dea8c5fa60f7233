//! Getting an image from the bus: whole with its digest checked, or a part of it.

use super::{Attempts, ImageError, OnProgress, PATIENCE, STALLED, within};
use crate::{
    client::{ANSWER, Bus},
    error::ClientError,
    v1::{GetImageHeader, GetImageRequest, GetImageResponse, Image, get_image_response::Response},
};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    fs::{self, OpenOptions},
    io::{AsyncWrite, AsyncWriteExt as _},
};
use tonic::Streaming;

/// An image about to be got.
#[must_use = "nothing is read before `file` or `writer`"]
pub struct GetImage {
    bus: Bus,
    instance_uid: String,
    offset: u64,
    length: Option<u64>,
    patience: Duration,
    on_progress: Option<OnProgress>,
}

/// An image whose bytes have come.
#[derive(Clone)]
pub struct FoundImage {
    /// Whose it is, by the bus's patient id.
    pub patient_id: String,
    /// What is known of it.
    pub image: Image,
    /// Whether it is the patient's no more.
    pub retracted: bool,
    /// How many bytes were written.
    pub written: u64,
}

/// How far a reading has come, over all its attempts.
struct Reading {
    header: Option<GetImageHeader>,
    digest: Sha256,
    written: u64,
}

impl GetImage {
    pub(crate) fn new(bus: Bus, instance_uid: String) -> Self {
        Self {
            bus,
            instance_uid,
            offset: 0,
            length: None,
            patience: PATIENCE,
            on_progress: None,
        }
    }

    /// Only the bytes from `offset` on, at most `length` of them. The bus checks a part as it reads it; your program cannot, which
    /// it does for a whole image.
    pub fn range(self, offset: u64, length: Option<u64>) -> Self {
        Self {
            offset,
            length,
            ..self
        }
    }

    /// Gives up when nothing has moved for this long.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Tells how many bytes were written, and of how many, after each piece.
    pub fn on_progress(self, tell: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        Self {
            on_progress: Some(Arc::new(tell)),
            ..self
        }
    }

    /// Writes the bytes into a file, which is there when all of them are, checked and on the disk; what was there under that name
    /// is replaced then. Until then they are in a file of their own beside it, with `.part` at the end of its name; a program that is
    /// killed in the middle leaves that behind.
    ///
    /// # Errors
    /// When the bus has no such image, the file cannot be written, or nothing moves any more.
    pub async fn file(self, path: impl AsRef<Path>) -> Result<FoundImage, ImageError> {
        let path = path.as_ref();
        let mut name = OsString::from(path.file_name().unwrap_or_default());
        // Nobody else's file, nor one that somebody has put there for this one to follow.
        name.push(format!(".{:016x}.part", rand::random::<u64>()));
        let part = path.with_file_name(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        let file = options.open(&part).await.map_err(ImageError::Write)?;
        let part = Part(part);
        // Closed before it is removed, which some systems ask for.
        let mut file = file;
        let found = self.writer(&mut file).await?;
        file.sync_all().await.map_err(ImageError::Write)?;
        fs::rename(&part.0, path).await.map_err(ImageError::Write)?;
        Ok(found)
    }

    /// Writes the bytes into a writer. They have been checked when this comes back; what was written until an error is a
    /// beginning of them.
    ///
    /// # Errors
    /// As [`GetImage::file`].
    pub async fn writer(
        self,
        writer: &mut (impl AsyncWrite + Unpin + Send),
    ) -> Result<FoundImage, ImageError> {
        let mut reading = Reading {
            header: None,
            digest: Sha256::new(),
            written: 0,
        };
        let mut attempts = Attempts::new(self.patience);
        loop {
            match self.attempt(&mut reading, writer).await {
                Ok(()) => break,
                Err(ImageError::Bus(error)) => {
                    attempts.at(reading.written);
                    attempts.failed(error).await?;
                }
                Err(error) => return Err(error),
            }
        }
        writer.flush().await.map_err(ImageError::Write)?;
        self.found(reading)
    }

    async fn attempt(
        &self,
        reading: &mut Reading,
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> Result<(), ImageError> {
        if reading.header.is_some() && self.missing(reading) == 0 {
            return Ok(());
        }
        let mut answers = self.ask(reading).await?;
        match next(&mut answers).await? {
            Some(Response::Header(header)) => reading.is_of(header)?,
            _ => return Err(ClientError::Unexpected("an image without a header").into()),
        }
        if self.length == Some(0) {
            return Ok(());
        }
        while let Some(response) = next(&mut answers).await? {
            let Response::Data(data) = response else {
                return Err(ClientError::Unexpected("a header in the middle of an image").into());
            };
            self.take(reading, data, writer).await?;
        }
        match self.missing(reading) {
            0 => Ok(()),
            _ => Err(ClientError::Unexpected("an image that ends before its end").into()),
        }
    }

    async fn ask(&self, reading: &Reading) -> Result<Streaming<GetImageResponse>, ClientError> {
        let request = GetImageRequest {
            instance_uid: self.instance_uid.clone(),
            offset: self.offset + reading.written,
            length: match self.length {
                // 0 asks for all up to the end. Of no bytes at all the first is asked for, and not taken.
                Some(length) => length.saturating_sub(reading.written).max(1),
                None => 0,
            },
        };
        let mut bus = self.bus.clone();
        let answers = within(ANSWER, bus.get_image(request)).await?;
        Ok(answers.into_inner())
    }

    async fn take(
        &self,
        reading: &mut Reading,
        data: Bytes,
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> Result<(), ImageError> {
        let length = data.len() as u64;
        if length > self.missing(reading) {
            return Err(ClientError::Unexpected("more bytes than an image has").into());
        }
        writer.write_all(&data).await.map_err(ImageError::Write)?;
        reading.digest.update(&data);
        reading.written += length;
        if let Some(tell) = &self.on_progress {
            tell(reading.written, reading.written + self.missing(reading));
        }
        Ok(())
    }

    /// How many bytes have not come yet.
    fn missing(&self, reading: &Reading) -> u64 {
        let size = reading.image().map_or(0, |image| image.size);
        let there = size.saturating_sub(self.offset);
        let wanted = self.length.map_or(there, |length| length.min(there));
        wanted.saturating_sub(reading.written)
    }

    fn found(&self, reading: Reading) -> Result<FoundImage, ImageError> {
        let header = reading.header.unwrap_or_default();
        let image = header.image.unwrap_or_default();
        let is_whole = reading.written == image.size;
        if is_whole && reading.digest.finalize().as_slice() != image.sha256 {
            return Err(ImageError::Damaged);
        }
        Ok(FoundImage {
            patient_id: header.patient_id,
            image,
            retracted: header.retracted,
            written: reading.written,
        })
    }
}

/// A file that goes unless it was given its name: also when nobody waits for the image any more.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        // Once it has its name there is none.
        _ = std::fs::remove_file(&self.0);
    }
}

impl Reading {
    fn image(&self) -> Option<&Image> {
        self.header.as_ref()?.image.as_ref()
    }

    /// Takes the header of an attempt, which must tell of the same bytes as those before.
    fn is_of(&mut self, header: GetImageHeader) -> Result<(), ImageError> {
        let sha256 = header.image.as_ref().map(|image| &image.sha256);
        match self.image().map(|image| &image.sha256) {
            Some(before) if Some(before) != sha256 && self.written > 0 => Err(ImageError::Changed),
            _ => {
                self.header = Some(header);
                Ok(())
            }
        }
    }
}

async fn next(answers: &mut Streaming<GetImageResponse>) -> Result<Option<Response>, ClientError> {
    let answer = within(STALLED, answers.message()).await?;
    match answer.map(|answer| answer.response) {
        Some(None) => Err(ClientError::Unexpected("an answer without anything in it")),
        response => Ok(response.flatten()),
    }
}

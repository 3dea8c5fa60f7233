//! Why a data folder cannot be used, and what to do about it.

use archwire_core::PracticeName;
use std::{io, path::PathBuf};

/// A data folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// It is not there, and cannot be made.
    #[error(
        "the data folder {folder} cannot be created; create it for the broker's user, or change data.folder"
    )]
    NotCreated {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be read or written.
    #[error("the broker cannot work in the data folder {folder}; it needs to read and write there")]
    NotUsable {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Other users of the machine can look into it.
    #[error(
        "other users can get into the data folder {folder} (its mode is {mode:04o}); run: chmod 700 {folder}"
    )]
    TooOpen {
        /// The folder.
        folder: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Another broker works in it.
    #[error(
        "another broker is working in the data folder {folder}; stop that one, or give this one its own data.folder"
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// It has files in it and no marker.
    #[error(
        "the folder {folder} has files of something else in it; give data.folder an empty or a new folder"
    )]
    Foreign {
        /// The folder.
        folder: PathBuf,
    },
    /// It is another practice's.
    #[error(
        "the data folder {folder} belongs to the practice {found}, and the configuration is that of {configured}; \
         correct practice.name or data.folder"
    )]
    OtherPractice {
        /// The folder.
        folder: PathBuf,
        /// Whose it is.
        found: PracticeName,
        /// Whose the configuration is.
        configured: PracticeName,
    },
    /// It was laid out by another version of the broker.
    #[error(
        "the data folder {folder} has layout {found}, and this broker knows layout {known}; use the broker that made it"
    )]
    OtherFormat {
        /// The folder.
        folder: PathBuf,
        /// Its layout.
        found: u32,
        /// This broker's.
        known: u32,
    },
    /// The marker is not one.
    #[error("{marker} cannot be understood; restore it from a backup of the data folder")]
    BrokenMarker {
        /// The file.
        marker: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl DataFolderError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotCreated { .. } => "data_folder_not_created",
            Self::NotUsable { .. } => "data_folder_not_usable",
            Self::TooOpen { .. } => "data_folder_too_open",
            Self::InUse { .. } => "data_folder_in_use",
            Self::Foreign { .. } => "data_folder_foreign",
            Self::OtherPractice { .. } => "data_folder_other_practice",
            Self::OtherFormat { .. } => "data_folder_other_format",
            Self::BrokenMarker { .. } => "data_folder_broken_marker",
        }
    }
}

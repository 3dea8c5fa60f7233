//! The office's A-to-Z folder: where the files of documents lie, for programs that are granted to read it.
//!
//! A patient's files are in `S/SmithJane48`, under the first letter of the patient's `ImageFolder`. The API tells paths as the
//! office's server has them, `\\SERVERFILES\OpenDentImages\S\SmithJane48\SmithJane12.jpg`. Files are only made when the office
//! has a real folder ([`crate::Options::images_folder`]).

use std::io;
use std::path::{Path, PathBuf};

/// The share, as the office's computers call it.
const SHARE: &str = r"\\SERVERFILES\OpenDentImages";

fn letter(image_folder: &str) -> String {
    image_folder
        .chars()
        .take(1)
        .flat_map(char::to_uppercase)
        .collect()
}

/// The path that the API tells.
pub(crate) fn windows_path(image_folder: &str, file_name: &str) -> String {
    format!(r"{SHARE}\{}\{image_folder}\{file_name}", letter(image_folder))
}

/// The place in a real folder.
pub(crate) fn place(root: &Path, image_folder: &str, file_name: &str) -> PathBuf {
    root.join(letter(image_folder)).join(image_folder).join(file_name)
}

/// Makes a file.
pub(crate) fn write(root: &Path, image_folder: &str, file_name: &str, bytes: &[u8]) -> io::Result<()> {
    let place = place(root, image_folder, file_name);
    if let Some(folder) = place.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(place, bytes)
}

/// Removes a file; one that is not there is removed already.
pub(crate) fn remove(root: &Path, image_folder: &str, file_name: &str) -> io::Result<()> {
    match std::fs::remove_file(place(root, image_folder, file_name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

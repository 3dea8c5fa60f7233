//! The office's A-to-Z folder: where the files of documents lie, for programs that are granted to read it.
//!
//! A patient's files are in `S/SmithJane48`, under the first letter of the patient's `ImageFolder`. The API tells paths as the
//! office's server has them, `\\SERVERFILES\OpenDentImages\S\SmithJane48\SmithJane12.jpg`. Files are only made when the office
//! has a real folder ([`crate::Options::images_folder`]).

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

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

/// How long a file seems to have been there when it is made. Programs that read the folder leave alone what was changed just now,
/// because it may not be whole; between somebody's saving a file and the next poll is usually more time than a test has.
const AGE: Duration = Duration::from_secs(60);

/// Makes a file.
pub(crate) fn write(root: &Path, image_folder: &str, file_name: &str, bytes: &[u8]) -> io::Result<()> {
    let place = place(root, image_folder, file_name);
    if let Some(folder) = place.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = File::create(place)?;
    file.write_all(bytes)?;
    file.set_modified(SystemTime::now() - AGE)
}

/// Removes a file; one that is not there is removed already.
pub(crate) fn remove(root: &Path, image_folder: &str, file_name: &str) -> io::Result<()> {
    match std::fs::remove_file(place(root, image_folder, file_name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

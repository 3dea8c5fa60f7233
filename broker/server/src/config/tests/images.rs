//! How much of images is kept.

use super::{Office, system};
use crate::config::{ByteSize, ImageSftp, Images};
use std::time::Duration;

fn gibibytes(count: u64) -> ByteSize {
    ByteSize::from_mebibytes(count * 1024)
}

#[test]
fn images_are_kept_unless_they_are_switched_off() {
    let images = Images {
        max_size: None,
        largest: gibibytes(4),
        keep_unused: Duration::from_secs(24 * 3600),
        keep_free: gibibytes(2),
    };
    assert_eq!(Office::with("").config().images, Some(images));
    assert_eq!(Office::with("[images]\nenabled = false\n").config().images, None);
}

#[test]
fn what_is_written_counts() {
    let images =
        "[images]\nmax-size = \"1TiB\"\nlargest = \"8GiB\"\nkeep-unused = \"2d\"\nkeep-free = \"0B\"\n";
    let expected = Images {
        max_size: Some(gibibytes(1024)),
        largest: gibibytes(8),
        keep_unused: Duration::from_secs(2 * 24 * 3600),
        keep_free: ByteSize::from_bytes(0),
    };
    assert_eq!(Office::with(images).config().images, Some(expected));
}

#[test]
fn a_value_out_of_its_bounds_is_refused() {
    for (line, complaint) in [
        (
            "max-size = \"63MiB\"",
            "images.max-size \"63MiB\" is out of bounds -> write a size from 64MiB to 64TiB",
        ),
        (
            "largest = \"65GiB\"",
            "images.largest \"65GiB\" is out of bounds -> write a size from 1MiB to 64GiB",
        ),
        (
            "keep-unused = \"59m\"",
            "images.keep-unused \"59m\" is out of bounds -> write a duration from 1h",
        ),
        (
            "keep-free = \"65TiB\"",
            "images.keep-free \"65TiB\" is out of bounds -> write a size from 0B to 64TiB",
        ),
    ] {
        let problem = Office::with(&format!("[images]\n{line}\n")).problem();
        assert!(
            problem.contains(&format!("line 4: config_value {complaint}")),
            "{problem}"
        );
    }
}

#[test]
fn one_image_is_not_larger_than_all_of_them() {
    let office = Office::with("[images]\nmax-size = \"1GiB\"\nlargest = \"2GiB\"\n");
    let problem = office.problem();
    assert!(
        problem.contains("line 5: config_conflict images.largest is more than images.max-size"),
        "{problem}"
    );
    // The default of `largest` is no promise, so that a small store needs one line only.
    assert!(Office::with("[images]\nmax-size = \"1GiB\"\n").load().is_ok());
}

#[test]
fn a_folder_of_images_starts_at_the_files_own_folder_and_need_not_be_there() {
    let office = Office::with(&system("images-folder = \"share/OpenDentImages\"\n"));
    let folder = office
        .config()
        .systems
        .into_values()
        .next()
        .unwrap()
        .images_folder;
    assert_eq!(folder, Some(office.path("share/OpenDentImages")));
    let problem = Office::with(&system("images-folder = \"\"\n")).problem();
    assert!(
        problem.contains("config_value systems.front-desk.images-folder is empty"),
        "{problem}"
    );
}

const SFTP: &str = "[images.sftp]\nlisten = \"0.0.0.0:22\"\naddress = \"archwire.practice.example\"\n";

#[test]
fn images_are_handed_out_where_and_to_whom_it_is_written() {
    let office = Office::with(&format!("{SFTP}\n{}", system("hand-out-images = true\n")));
    let config = office.config();
    let expected = ImageSftp {
        listen: "0.0.0.0:22".parse().unwrap(),
        address: "archwire.practice.example".to_owned(),
    };
    assert_eq!(config.image_sftp, Some(expected));
    assert!(config.systems.into_values().all(|system| system.hand_out_images));
    let config = Office::with(&system("")).config();
    assert_eq!(config.image_sftp, None);
    assert!(config.systems.into_values().all(|system| !system.hand_out_images));
}

#[test]
fn nothing_is_handed_out_without_a_place_for_it() {
    let problem = Office::with(&system("hand-out-images = true\n")).problem();
    assert!(
        problem.contains("config_conflict systems.front-desk.hand-out-images has no place"),
        "{problem}"
    );
}

#[test]
fn a_place_that_programs_would_not_find_is_refused() {
    for (written, complaint) in [
        (
            "listen = \"0.0.0.0:22\"",
            "config_missing images.sftp.address is missing",
        ),
        (
            "address = \"10.0.0.7\"",
            "config_missing images.sftp.listen is missing",
        ),
        (
            "listen = \"22\"\naddress = \"10.0.0.7\"",
            "images.sftp.listen \"22\" is not an address to listen on",
        ),
        (
            "listen = \"0.0.0.0:22\"\naddress = \"broker:2222\"",
            "images.sftp.address \"broker:2222\" is not a host",
        ),
        (
            "listen = \"0.0.0.0:22\"\naddress = \"sftp://broker\"",
            "images.sftp.address \"sftp://broker\" is not a host",
        ),
        (
            "listen = \"0.0.0.0:22\"\naddress = \"\"",
            "images.sftp.address \"\" is not a host",
        ),
    ] {
        let problem = Office::with(&format!("[images.sftp]\n{written}\n")).problem();
        assert!(problem.contains(complaint), "{complaint}: {problem}");
    }
}

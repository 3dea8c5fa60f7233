//! One folder, one practice, one broker.

use super::Office;
use crate::config::{DataFolder, DataFolderError};
use std::{error::Error as _, fs, os::unix::fs::PermissionsExt};

fn office_of(practice: &str, data: &str) -> Office {
    Office::with_file(&format!(
        "practice.name = \"{practice}\"\ndata.folder = \"{data}\"\n"
    ))
}

fn open(office: &Office) -> Result<DataFolder, DataFolderError> {
    DataFolder::open(&office.config())
}

fn refused(office: &Office) -> DataFolderError {
    open(office).map(|_| ()).expect_err("the folder was opened")
}

#[test]
fn the_folder_is_created_for_the_owner_only_and_opens_again() {
    let office = office_of("maple-street", "var/data");
    let folder = open(&office).unwrap();
    assert_eq!(folder.path(), office.path("var/data"));
    assert_eq!(
        (folder.nats(), folder.components_cache()),
        (
            office.path("var/data/nats"),
            office.path("var/data/components-cache")
        )
    );
    assert_eq!(
        fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777,
        0o700
    );
    let marker = fs::read_to_string(office.path("var/data/archwire.json")).unwrap();
    assert_eq!(marker, "{\"format\":1,\"practice\":\"maple-street\"}\n");
    drop(folder);
    fs::create_dir(office.path("var/data/nats")).unwrap();
    open(&office).unwrap();
}

#[test]
fn a_second_broker_on_the_same_folder_is_refused_until_the_first_is_gone() {
    let office = office_of("maple-street", "data");
    let first = open(&office).unwrap();
    let error = refused(&office);
    assert_eq!(error.code(), "data_folder_in_use");
    assert!(
        error
            .to_string()
            .contains(&office.path("data").display().to_string()),
        "{error}"
    );
    drop(first);
    open(&office).unwrap();
}

#[test]
fn the_folder_of_another_practice_is_refused_with_both_names() {
    let office = office_of("maple-street", "data");
    drop(open(&office).unwrap());
    office.put(
        "archwire.toml",
        "practice.name = \"elm-road\"\ndata.folder = \"data\"\n",
        0o644,
    );
    let error = refused(&office);
    assert_eq!(error.code(), "data_folder_other_practice");
    let text = error.to_string();
    let folder = office.path("data").display().to_string();
    assert!(
        ["maple-street", "elm-road", &folder]
            .iter()
            .all(|part| text.contains(part)),
        "{text}"
    );
    office.put(
        "archwire.toml",
        "practice.name = \"maple-street\"\ndata.folder = \"data\"\n",
        0o644,
    );
    open(&office).unwrap();
}

#[test]
fn a_folder_under_a_regular_file_cannot_be_created() {
    let office = office_of("maple-street", "archwire.toml/data");
    let error = refused(&office);
    assert_eq!(error.code(), "data_folder_not_created");
    assert!(
        error.to_string().contains("archwire.toml/data") && error.source().is_some(),
        "{error}"
    );
}

#[test]
fn a_folder_that_takes_no_files_is_refused() {
    // A folder in the place of the file makes writing fail for every user, root too.
    let office = office_of("maple-street", "data");
    drop(open(&office).unwrap());
    fs::create_dir(office.path("data/archwire.json.new")).unwrap();
    let error = refused(&office);
    assert_eq!(error.code(), "data_folder_not_usable");
    assert!(error.source().is_some());
}

#[test]
fn a_folder_that_others_can_enter_is_refused_with_the_command_that_mends_it() {
    let office = office_of("maple-street", "data");
    drop(open(&office).unwrap());
    let data = office.path("data");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let error = refused(&office);
    assert_eq!(error.code(), "data_folder_too_open");
    assert!(
        error
            .to_string()
            .ends_with(&format!("chmod 700 {}", data.display())),
        "{error}"
    );
}

#[test]
fn a_folder_in_which_a_check_compiled_connectors_is_taken() {
    let office = office_of("maple-street", "data");
    office.put("data/components-cache/a.cwasm", "", 0o600);
    fs::set_permissions(office.path("data"), fs::Permissions::from_mode(0o700)).unwrap();
    open(&office).unwrap();
}

#[test]
fn a_folder_with_other_files_is_refused_and_left_as_it_was() {
    let office = office_of("maple-street", "data");
    office.put("data/letter.txt", "Dear", 0o600);
    fs::set_permissions(office.path("data"), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(refused(&office).code(), "data_folder_foreign");
    assert_eq!(fs::read_dir(office.path("data")).unwrap().count(), 1);
}

#[test]
fn a_marker_of_another_layout_or_of_none_is_refused() {
    let office = office_of("maple-street", "data");
    drop(open(&office).unwrap());
    office.put(
        "data/archwire.json",
        "{\"format\":2,\"practice\":\"maple-street\"}",
        0o600,
    );
    assert_eq!(refused(&office).code(), "data_folder_other_format");
    office.put("data/archwire.json", "{", 0o600);
    assert_eq!(refused(&office).code(), "data_folder_broken_marker");
}

//! From a file to a component that may run.

use crate::support::{component_file, engine};
use archwire_host::{Engine, EngineConfig, EngineError};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// What is said about a file with these bytes.
async fn refused(bytes: &[u8]) -> (&'static str, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("some.wasm");
    fs::write(&path, bytes).unwrap();
    let error = engine().load(&path).await.unwrap_err();
    assert_eq!(error.path, path);
    assert_eq!(
        error.to_string(),
        format!("{} cannot be loaded as a connector", path.display())
    );
    (error.code(), error.problem.to_string())
}

fn hostile() -> Vec<u8> {
    fs::read(component_file("hostile")).unwrap()
}

/// The same length, so that the file stays a component.
fn replaced(from: &str, to: &str) -> Vec<u8> {
    let mut bytes = hostile();
    let places: Vec<usize> = (0..bytes.len() - from.len())
        .filter(|start| bytes[*start..].starts_with(from.as_bytes()))
        .collect();
    assert!(!places.is_empty(), "{from} is not in the component");
    for start in places {
        bytes[start..start + from.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

#[tokio::test]
async fn a_component_for_another_version_of_the_contract_is_refused_and_both_versions_are_named() {
    let mut bytes = hostile();
    for interface in [
        "plugin", "exchange", "patients", "log", "settings", "state", "images",
    ] {
        let (from, to) = (
            format!("connector/{interface}@0.1.0"),
            format!("connector/{interface}@0.2.0"),
        );
        for start in 0..bytes.len() - from.len() {
            if bytes[start..].starts_with(from.as_bytes()) {
                bytes[start..start + from.len()].copy_from_slice(to.as_bytes());
            }
        }
    }
    let (code, said) = refused(&bytes).await;
    assert_eq!(code, "component_version");
    assert!(
        said.contains("archwire:connector@0.2.0") && said.contains("archwire:connector@0.1.0"),
        "{said}"
    );
}

#[tokio::test]
async fn a_component_that_imports_what_no_connector_gets_is_refused() {
    let (code, said) = refused(&replaced("wasi:sockets/", "evil:sockets/")).await;
    assert_eq!(code, "component_import");
    assert!(said.contains("imports evil:sockets/"), "{said}");
}

#[tokio::test]
async fn a_component_for_another_world_is_refused_and_the_missing_export_is_named() {
    let empty_component = b"\0asm\x0d\0\x01\0";
    let (code, said) = refused(empty_component).await;
    assert_eq!(code, "component_not_a_connector");
    assert!(
        said.ends_with("it does not export archwire:connector/plugin@0.1.0"),
        "{said}"
    );
}

#[tokio::test]
async fn files_that_are_no_components_are_told_apart() {
    let hostile = hostile();
    let cases: [(&[u8], &str); 6] = [
        (b"", "component_empty"),
        (b"(component)", "component_is_text"),
        (b"\0asm\x01\0\0\0", "component_is_core_module"),
        (b"\x7fELF\xff\xff", "component_not_wasm"),
        (&hostile[..hostile.len() / 2], "component_truncated"),
        (b"\0asm\x0d\0\x01\0\x63\x01\x00", "component_invalid"),
    ];
    for (bytes, code) in cases {
        assert_eq!(refused(bytes).await.0, code);
    }
    let error = engine().load("no/such/file.wasm").await.unwrap_err();
    assert_eq!(error.code(), "component_unreadable");
}

#[tokio::test]
async fn a_file_of_more_than_64_mib_is_not_read_to_its_end() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("large.wasm");
    fs::File::create(&path)
        .unwrap()
        .set_len(64 * 1024 * 1024 + 1)
        .unwrap();
    let error = engine().load(&path).await.unwrap_err();
    assert_eq!(error.code(), "component_too_large");
}

fn compiled_files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect()
}

fn engine_in(folder: &Path) -> Engine {
    Engine::new(EngineConfig::new(folder.to_owned())).unwrap()
}

#[tokio::test]
async fn what_was_compiled_is_kept_for_the_next_start_and_a_damaged_file_is_compiled_again() {
    let folder = TempDir::new().unwrap();
    let cache = folder.path().join("compiled");
    engine_in(&cache).load(component_file("hostile")).await.unwrap();
    assert_eq!(fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    let [file] = compiled_files(&cache).try_into().unwrap();
    let whole = fs::read(&file).unwrap();
    let written = fs::metadata(&file).unwrap().modified().unwrap();

    engine_in(&cache).load(component_file("hostile")).await.unwrap();
    assert_eq!(compiled_files(&cache), std::slice::from_ref(&file));
    assert_eq!(
        fs::metadata(&file).unwrap().modified().unwrap(),
        written,
        "it was compiled again"
    );

    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    for bytes in [damaged, whole[..100].to_vec(), Vec::new()] {
        fs::write(&file, bytes).unwrap();
        engine_in(&cache).load(component_file("hostile")).await.unwrap();
        let [again] = compiled_files(&cache).try_into().unwrap();
        fs::rename(&again, &file).unwrap();
    }
}

#[tokio::test]
async fn compiled_code_is_not_loaded_from_a_folder_in_which_others_may_write() {
    let folder = TempDir::new().unwrap();
    for mode in [0o770, 0o702, 0o777] {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        let error = Engine::new(EngineConfig::new(folder.path().to_owned())).unwrap_err();
        assert_eq!(error.code(), "cache_folder_writable_by_others");
        let EngineError::Cache(cause) = error else {
            panic!("{error}")
        };
        let canonical = folder.path().canonicalize().unwrap();
        assert!(
            cause
                .to_string()
                .ends_with(&format!("run: chmod 700 {}", canonical.display())),
            "{cause}"
        );
    }
}

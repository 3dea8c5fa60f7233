//! The arrows of `broker/ARCHITECTURE.md`, read from `cargo metadata`.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each crate of the product may depend on, among ours.
const ARROWS: [(&str, &[&str]); 7] = [
    ("archwire-core", &[]),
    ("archwire-nats", &["archwire-core"]),
    ("archwire-host", &["archwire-core"]),
    ("archwire-proto", &[]),
    (
        "archwire",
        &[
            "archwire-core",
            "archwire-nats",
            "archwire-host",
            "archwire-proto",
        ],
    ),
    ("archwire-client", &["archwire-proto"]),
    ("archwire-connector", &[]),
];

/// Measures ours beside what it is made of, and is no part of it.
const BENCHMARK: &str = "archwire-bench";

/// Crates of which only one of ours may know, as prefixes of their names.
const SECRETS: [(&str, &str); 2] = [("async-nats", "archwire-nats"), ("wasmtime", "archwire-host")];

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

fn packages(manifest: &Path) -> Result<Vec<Value>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(manifest)
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    Ok(metadata["packages"].as_array().context("no packages")?.clone())
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap_or_default()
}

fn dependencies(package: &Value) -> impl Iterator<Item = &Value> {
    package["dependencies"].as_array().into_iter().flatten()
}

fn is_for_tests(dependency: &Value) -> bool {
    dependency["kind"] == "dev"
}

#[test]
fn each_crate_knows_only_the_crates_below_it() -> Result<()> {
    let packages = packages(&root().join("Cargo.toml"))?;
    for (of, allowed) in ARROWS {
        let package = packages.iter().find(|package| name(package) == of);
        let package = package.with_context(|| format!("there is no crate {of}"))?;
        let ours: BTreeSet<&str> = dependencies(package)
            .filter(|dependency| !is_for_tests(dependency) && !dependency["path"].is_null())
            .map(name)
            .collect();
        let unexpected: Vec<_> = ours.iter().filter(|ours| !allowed.contains(ours)).collect();
        ensure!(unexpected.is_empty(), "{of} depends on {unexpected:?}");
    }
    Ok(())
}

#[test]
fn only_one_crate_names_nats_and_only_one_names_the_sandbox() -> Result<()> {
    let packages = packages(&root().join("Cargo.toml"))?;
    for (prefix, only) in SECRETS {
        let knowing: BTreeSet<&str> = packages
            .iter()
            .filter(|package| name(package) != BENCHMARK)
            .filter(|package| dependencies(package).any(|dependency| name(dependency).starts_with(prefix)))
            .map(name)
            .collect();
        ensure!(
            knowing == BTreeSet::from([only]),
            "{prefix} is named by {knowing:?}"
        );
    }
    Ok(())
}

#[test]
fn the_core_knows_no_runtime_and_no_network() -> Result<()> {
    let packages = packages(&root().join("Cargo.toml"))?;
    let core = packages
        .iter()
        .find(|package| name(package) == "archwire-core")
        .context("no core")?;
    let forbidden = [
        "tokio",
        "async-nats",
        "tonic",
        "prost",
        "wasmtime",
        "reqwest",
        "hyper",
    ];
    let found: Vec<_> = dependencies(core)
        .filter(|dependency| !is_for_tests(dependency))
        .map(name)
        .filter(|name| forbidden.iter().any(|forbidden| name.starts_with(forbidden)))
        .collect();
    ensure!(found.is_empty(), "the core depends on {found:?}");
    Ok(())
}

#[test]
fn nothing_reaches_into_the_connectors_and_connectors_reach_only_for_their_kit() -> Result<()> {
    let (root, connectors) = (root(), root().join("connectors"));
    for package in packages(&root.join("Cargo.toml"))? {
        for dependency in dependencies(&package) {
            let path = dependency["path"].as_str().map(Path::new);
            let reaches = path.is_some_and(|path| path.starts_with(&connectors));
            ensure!(!reaches, "{} depends on {}", name(&package), name(dependency));
        }
    }
    let guests = packages(&connectors.join("Cargo.toml"))?;
    ensure!(guests.len() >= 2, "the connectors are a workspace of their own");
    for package in guests {
        let ours = dependencies(&package)
            .filter(|dependency| !dependency["path"].is_null())
            .map(name);
        let unexpected: Vec<_> = ours.filter(|name| *name != "archwire-connector").collect();
        ensure!(
            unexpected.is_empty(),
            "{} depends on {unexpected:?}",
            name(&package)
        );
    }
    Ok(())
}

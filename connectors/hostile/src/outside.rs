//! Looking for what is outside of the sandbox.

use crate::bindings::{
    archwire::connector::{images, settings},
    wasi::{
        cli::environment,
        clocks::monotonic_clock,
        filesystem::preopens,
        sockets::{instance_network, ip_name_lookup, network::IpAddressFamily, tcp_create_socket},
    },
};
use std::{fs, io::Write};

/// Files, environment, arguments, sockets, names: whatever is found is listed, else `nothing`.
pub fn everything() -> String {
    let mut found = Vec::new();
    for (_, name) in preopens::get_directories() {
        found.push(format!("folder {name}"));
    }
    for path in ["/", ".", "/etc/passwd", "/proc/self/environ", "../secrets"] {
        if fs::read(path).is_ok() || fs::read_dir(path).is_ok() {
            found.push(format!("file {path}"));
        }
    }
    if fs::write("/hostile", b"x").is_ok() {
        found.push("writable folder".to_owned());
    }
    for (name, _) in environment::get_environment() {
        found.push(format!("variable {name}"));
    }
    for argument in environment::get_arguments() {
        found.push(format!("argument {argument}"));
    }
    if let Some(folder) = environment::initial_cwd() {
        found.push(format!("working folder {folder}"));
    }
    found.extend(sockets());
    if found.is_empty() {
        "nothing".to_owned()
    } else {
        found.join(", ")
    }
}

fn sockets() -> Vec<String> {
    let mut found = Vec::new();
    let network = instance_network::instance_network();
    if let Ok(lookup) = ip_name_lookup::resolve_addresses(&network, "localhost") {
        lookup.subscribe().block();
        if let Ok(Some(_)) = lookup.resolve_next_address() {
            found.push("name".to_owned());
        }
    }
    if tcp_create_socket::create_tcp_socket(IpAddressFamily::Ipv4).is_ok() {
        found.push("socket".to_owned());
    }
    found
}

pub fn settings() -> String {
    let get = |key| settings::get(key);
    format!(
        "{} {:?} {:?} {:?} {:?}",
        settings::system_name(),
        get("greeting"),
        get("count"),
        get("key"),
        get("unknown")
    )
}

pub fn images() -> String {
    let opened = images::open(&"0".repeat(64)).err().map(|error| error.name());
    let created = images::create().err().map(|error| error.name());
    format!("{opened:?} {created:?}")
}

/// More than anybody wants to read.
pub fn print() -> String {
    let line = [b'x'; 4096];
    for _ in 0..1024 {
        _ = std::io::stdout().write_all(&line);
        _ = std::io::stderr().write_all(&line);
    }
    "printed".to_owned()
}

pub fn sleep() -> String {
    monotonic_clock::subscribe_duration(3_600_000_000_000).block();
    "slept".to_owned()
}

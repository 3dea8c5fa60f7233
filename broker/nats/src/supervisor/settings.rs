//! The server's configuration file, as text. One setting a line: the server's parser needs the separators.

use std::{net::SocketAddr, path::Path};

/// Largest message, payload and headers together: 2 MiB. An event carries at most 256 KiB of source and as much again
/// of typed patient; the rest is room.
const MAX_PAYLOAD: u32 = 2 * 1024 * 1024;
/// Memory for what is kept in memory only: the state of consumers that follow the log. None of it is data.
const MAX_MEMORY_STORE: u32 = 64 * 1024 * 1024;
/// The variable by which the server gets its key.
pub(super) const KEY_VARIABLE: &str = "ARCHWIRE_STORE_KEY";

/// Where the server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Endpoints {
    /// For clients.
    pub(super) client: SocketAddr,
    /// For health and the server's own view of its settings.
    pub(super) monitoring: SocketAddr,
}

/// What differs from server to server.
pub(super) struct Settings<'a> {
    pub(super) ports: &'a Path,
    pub(super) store: &'a Path,
    pub(super) max_store: u64,
    pub(super) token: &'a str,
    /// Where the server listened before, to listen there again; a free port otherwise.
    pub(super) endpoints: Option<Endpoints>,
}

impl Settings<'_> {
    /// The file's text.
    pub(super) fn text(&self) -> String {
        let any = || "127.0.0.1:-1".to_owned();
        let listen = self
            .endpoints
            .map_or_else(any, |endpoints| endpoints.client.to_string());
        let monitoring = self
            .endpoints
            .map_or_else(any, |endpoints| endpoints.monitoring.to_string());
        let (ports, store, token) = (quoted(self.ports), quoted(self.store), self.token);
        let max_store = self.max_store;
        format!(
            "# Written by Archwire at every start; changes made here are lost.\n\
             server_name: \"archwire\"\n\
             listen: \"{listen}\"\n\
             http: \"{monitoring}\"\n\
             ports_file_dir: {ports}\n\
             max_payload: {MAX_PAYLOAD}\n\
             authorization {{\n  token: \"{token}\"\n}}\n\
             jetstream {{\n  \
               store_dir: {store}\n  \
               max_file_store: {max_store}\n  \
               max_memory_store: {MAX_MEMORY_STORE}\n  \
               sync_interval: always\n  \
               key: ${KEY_VARIABLE}\n  \
               cipher: chacha\n}}\n"
        )
    }
}

fn quoted(path: &Path) -> String {
    format!(
        "\"{}\"",
        path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(endpoints: Option<Endpoints>) -> String {
        let (ports, store) = (Path::new("/data/my \"nats\"/ports"), Path::new("/data/store"));
        Settings {
            ports,
            store,
            max_store: 1024,
            token: "t0ken",
            endpoints,
        }
        .text()
    }

    #[test]
    fn every_write_is_flushed_and_encrypted_with_a_key_that_is_not_in_the_file() {
        let text = settings(None);
        assert!(text.contains("\n  sync_interval: always\n"), "{text}");
        assert!(text.contains("\n  key: $ARCHWIRE_STORE_KEY\n"), "{text}");
        assert!(text.contains("\n  cipher: chacha\n"), "{text}");
    }

    #[test]
    fn only_this_machine_is_listened_to() {
        let text = settings(None);
        assert!(text.contains("\nlisten: \"127.0.0.1:-1\"\n"), "{text}");
        assert!(text.contains("\nhttp: \"127.0.0.1:-1\"\n"), "{text}");
    }

    #[test]
    fn a_server_that_is_started_again_listens_where_it_did() {
        let endpoints = Endpoints {
            client: "127.0.0.1:4001".parse().unwrap(),
            monitoring: "127.0.0.1:4002".parse().unwrap(),
        };
        let text = settings(Some(endpoints));
        assert!(text.contains("\nlisten: \"127.0.0.1:4001\"\n"), "{text}");
        assert!(text.contains("\nhttp: \"127.0.0.1:4002\"\n"), "{text}");
    }

    #[test]
    fn a_quote_in_a_path_does_not_end_the_text() {
        assert!(settings(None).contains(r#"ports_file_dir: "/data/my \"nats\"/ports""#));
    }
}

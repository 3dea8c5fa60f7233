//! An audit on a server that whoever tampers can reach, too.

use crate::office::{Server, connect, practice};
use archwire::audit::{
    Act, Action, Audit, Signing,
    checkpoint::{CHECKPOINT_FILE, CheckpointKey, read_file},
    verify::{BLOCK_KIND, Verified, Verifier},
};
use archwire_core::PatientId;
use archwire_nats::{AuditStored, ByteSize, Connection, Log, LogConfig};
use archwire_proto::admin::v1::{AuditBlock, AuditRecord};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use prost::Message as _;
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    time::Duration,
};
use tempfile::TempDir;

pub(crate) const SIZE: ByteSize = ByteSize::mebibytes(16);
const STREAM: &str = "ARCHWIRE_maple-street_audit";

/// A server with the log and the audit of a practice.
pub(crate) struct Archive {
    pub(crate) log: Log,
    pub(crate) connection: Connection,
    pub(crate) server: Server,
    pub(crate) folder: TempDir,
}

impl Archive {
    pub(crate) async fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let server = Server::start(folder.path(), "-1").await;
        let connection = connect(&server).await;
        let log = open_log(&connection).await;
        Self {
            log,
            connection,
            server,
            folder,
        }
    }

    /// The audit, with a checkpoint after so many records.
    pub(crate) async fn audit(&self, every: u64) -> Audit {
        self.audit_of(self.folder.path(), every).await
    }

    /// The same of a broker with this data folder, and so with a key of its own.
    pub(crate) async fn audit_of(&self, folder: &Path, every: u64) -> Audit {
        let signing = Signing {
            key: CheckpointKey::of(folder).unwrap().into(),
            file: folder.join(CHECKPOINT_FILE),
            every,
            at_least: Duration::from_secs(3600),
        };
        Audit::open_with(&self.log, SIZE, Some(signing)).await.unwrap()
    }

    /// What a check says that has the files of checkpoints of these data folders, and the keys of the first ones.
    pub(crate) async fn verified_with(&self, audit: &Audit, folders: &[&Path], keys: usize) -> Verified {
        let files = folders
            .iter()
            .map(|folder| read_file(&folder.join(CHECKPOINT_FILE)).unwrap());
        let checkpoints = files.flat_map(|file| file.checkpoints).collect();
        let known = folders.iter().take(keys);
        let known = known.map(|folder| CheckpointKey::of(folder).unwrap().public());
        let mut verifier = Verifier::new(practice(), known, checkpoints);
        for stored in stored(audit).await {
            verifier.take(stored.sequence, Some(stored.time), &stored.kind, stored.payload);
        }
        verifier.finish()
    }

    /// What a check says that has the file of checkpoints, or has not.
    pub(crate) async fn verified(&self, audit: &Audit, has_file: bool) -> Verified {
        let checkpoints = match has_file {
            true => {
                read_file(&self.folder.path().join(CHECKPOINT_FILE))
                    .unwrap()
                    .checkpoints
            }
            false => Vec::new(),
        };
        let key = CheckpointKey::of(self.folder.path()).unwrap().public();
        let mut verifier = Verifier::new(practice(), [key], checkpoints);
        for stored in stored(audit).await {
            verifier.take(stored.sequence, Some(stored.time), &stored.kind, stored.payload);
        }
        verifier.finish()
    }
}

pub(crate) async fn open_log(connection: &Connection) -> Log {
    let config = LogConfig::new(ByteSize::mebibytes(64));
    Log::open(connection, &practice(), &config).await.unwrap()
}

pub(crate) async fn stored(audit: &Audit) -> Vec<AuditStored> {
    audit.stored(0).try_collect().await.unwrap()
}

pub(crate) async fn records(audit: &Audit) -> Vec<(u64, AuditRecord)> {
    audit.read(0).try_collect().await.unwrap()
}

pub(crate) fn act(person: &str) -> Act {
    Act {
        person: person.to_owned(),
        user_id: Some(1000),
        action: Action::Show,
        patients: vec![PatientId::generate()],
        item: None,
        image: None,
        system: None,
        paths: Vec::new(),
        reason: String::new(),
    }
}

/// Writes so many records, each waited for, so that each has a block of its own.
pub(crate) async fn fill(audit: &Audit, count: usize) {
    for number in 0..count {
        audit.record(act(&format!("Kim {number}"))).await.unwrap();
    }
}

pub(crate) fn block(stored: &AuditStored) -> AuditBlock {
    assert_eq!(stored.kind, BLOCK_KIND);
    AuditBlock::decode(stored.payload.clone()).unwrap()
}

/// Somebody who reaches the server past the broker.
pub(crate) struct Intruder {
    reader: BufReader<TcpStream>,
    asked: u32,
}

impl Intruder {
    pub(crate) fn at(server: &Server) -> Self {
        let wire = TcpStream::connect(format!("127.0.0.1:{}", server.port)).unwrap();
        wire.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        let mut intruder = Self {
            reader: BufReader::new(wire),
            asked: 0,
        };
        intruder.line();
        intruder.say(b"CONNECT {\"verbose\":false,\"headers\":true}\r\nSUB answers.* 1\r\n");
        intruder
    }

    fn say(&mut self, words: &[u8]) {
        self.reader.get_mut().write_all(words).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        line
    }

    /// Sends a message, and gives the answer.
    fn ask(&mut self, subject: &str, headers: &str, payload: &[u8]) -> Value {
        self.asked += 1;
        let headers = format!("NATS/1.0\r\n{headers}\r\n");
        let (head, whole) = (headers.len(), headers.len() + payload.len());
        let command = format!(
            "HPUB {subject} answers.{} {head} {whole}\r\n{headers}",
            self.asked
        );
        self.say(&[command.as_bytes(), payload, b"\r\n"].concat());
        loop {
            let line = self.line();
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["PING"] => self.say(b"PONG\r\n"),
                ["MSG", .., size] => {
                    let mut answer = vec![0; size.parse::<usize>().unwrap() + 2];
                    self.reader.read_exact(&mut answer).unwrap();
                    let answer: Value = serde_json::from_slice(&answer).unwrap();
                    assert!(answer.get("error").is_none(), "{answer}");
                    return answer;
                }
                ["INFO", ..] => {}
                other => panic!("the server says {other:?}"),
            }
        }
    }

    fn api(&mut self, what: &str, request: &Value) -> Value {
        self.ask(
            &format!("$JS.API.STREAM.{what}.{STREAM}"),
            "",
            request.to_string().as_bytes(),
        )
    }

    /// Puts another stream in the place of the audit's, with these messages, of which single ones can be deleted.
    pub(crate) fn replace(&mut self, messages: &[(String, Bytes)]) {
        let mut config = self.api("INFO", &json!({}))["config"].take();
        self.api("DELETE", &json!({}));
        config["deny_delete"] = false.into();
        config["deny_purge"] = false.into();
        self.api("CREATE", &config);
        for (kind, payload) in messages {
            self.append(kind, payload);
        }
    }

    /// Puts a message behind the others.
    pub(crate) fn append(&mut self, kind: &str, payload: &[u8]) {
        self.ask("awaudit.maple-street", &format!("ce-type: {kind}\r\n"), payload);
    }

    /// Takes away everything before a sequence.
    pub(crate) fn purge_before(&mut self, sequence: u64) {
        self.api("PURGE", &json!({"seq": sequence}));
    }

    /// The first message that is there.
    pub(crate) fn first(&mut self) -> u64 {
        self.api("INFO", &json!({}))["state"]["first_seq"]
            .as_u64()
            .unwrap()
    }

    /// What the stream is.
    pub(crate) fn config(&mut self) -> Value {
        self.api("INFO", &json!({}))["config"].take()
    }

    pub(crate) fn configure(&mut self, config: &Value) {
        self.api("UPDATE", config);
    }

    pub(crate) fn delete(&mut self, sequence: u64) {
        self.api("MSG.DELETE", &json!({"seq": sequence}));
    }
}

/// What is stored, as whoever tampers puts it there again.
pub(crate) fn as_it_was(stored: &[AuditStored]) -> Vec<(String, Bytes)> {
    let stored = stored.iter();
    stored
        .map(|stored| (stored.kind.clone(), stored.payload.clone()))
        .collect()
}

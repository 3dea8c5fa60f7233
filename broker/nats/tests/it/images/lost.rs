//! A chunk that gets lost on the way to a reader, whichever of an answer it is: it is asked for again, and nothing is taken for
//! damage.

use super::*;
use std::{
    io,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    task::JoinHandle,
};

/// Which record gets lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// The first one of an answer of many.
    First,
    /// The last one of an answer of many.
    Last,
    /// One that a consumer hands out.
    HandedOut,
    /// Everything that consumers hand out.
    AllHandedOut,
}

/// What gets lost next, and how much was.
#[derive(Default)]
struct Leak {
    which: Option<Which>,
    /// Answers that come whole before that, or records of a consumer.
    spared: usize,
    lost: usize,
}

/// A wire to a server on which records get lost.
struct Wire {
    url: String,
    leak: Arc<Mutex<Leak>>,
    task: JoinHandle<()>,
}

impl Wire {
    async fn to(url: &str) -> Self {
        let (_, server) = url.rsplit_once("//").unwrap();
        let server = server.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("nats://{}", listener.local_addr().unwrap());
        let leak = Arc::<Mutex<Leak>>::default();
        let shared = Arc::clone(&leak);
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&server).await.unwrap();
                let (mut from_client, to_client) = client.into_split();
                let (from_server, mut to_server) = server.into_split();
                tokio::spawn(async move { copy(&mut from_client, &mut to_server).await });
                tokio::spawn(pass(from_server, to_client, Arc::clone(&shared)));
            }
        });
        Self { url, leak, task }
    }

    /// One record gets lost, after so many answers or records of a consumer that come.
    fn loses(&self, which: Which, spared: usize) {
        *self.leak.lock().unwrap() = Leak {
            which: Some(which),
            spared,
            lost: 0,
        };
    }

    fn lost(&self) -> usize {
        self.leak.lock().unwrap().lost
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Leak {
    fn takes(&mut self, which: Which) -> bool {
        let takes = self.which == Some(which) && self.spared == 0;
        if takes {
            self.which = None;
            self.lost += 1;
        }
        takes
    }
}

/// Passes on what the server says, message by message. A record of an answer of many is held back until what follows it is there,
/// which tells whether it was the last one.
async fn pass(from: OwnedReadHalf, mut to: OwnedWriteHalf, leak: Arc<Mutex<Leak>>) -> io::Result<()> {
    let (mut from, mut held) = (BufReader::new(from), None::<Vec<u8>>);
    loop {
        let message = message(&mut from).await?;
        if is_handed_out(&message) {
            let mut leak = leak.lock().unwrap();
            if leak.takes(Which::HandedOut) {
                continue;
            }
            if leak.which == Some(Which::AllHandedOut) {
                leak.lost += 1;
                continue;
            }
            leak.spared = leak.spared.saturating_sub(1);
        }
        let is_of_many = has(&message, b"Nats-Num-Pending: ");
        let is_end = is_of_many && has(&message, b"NATS/1.0 204");
        if let Some(record) = held.take()
            && !(is_end && leak.lock().unwrap().takes(Which::Last))
        {
            to.write_all(&record).await?;
        }
        let is_first = is_of_many && !is_end && has(&message, b"Nats-Last-Sequence: 0\r\n");
        if is_end {
            let mut leak = leak.lock().unwrap();
            leak.spared = leak.spared.saturating_sub(1);
        }
        if is_first && leak.lock().unwrap().takes(Which::First) {
            continue;
        }
        match is_of_many && !is_end {
            true => held = Some(message),
            false => to.write_all(&message).await?,
        }
    }
}

/// A line of the server's, with the headers and the payload that it announces.
async fn message(from: &mut BufReader<OwnedReadHalf>) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    if from.read_until(b'\n', &mut message).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if message.starts_with(b"HMSG ") || message.starts_with(b"MSG ") {
        let line = str::from_utf8(&message).unwrap().trim_end();
        let size: usize = line.rsplit_once(' ').unwrap().1.parse().unwrap();
        let begin = message.len();
        message.resize(begin + size + 2, 0);
        from.read_exact(&mut message[begin..]).await?;
    }
    Ok(message)
}

/// Whether a message is a record that a consumer hands out.
fn is_handed_out(message: &[u8]) -> bool {
    let line = message.split(|byte| *byte == b'\n').next().unwrap();
    message.starts_with(b"HMSG ") && has(line, b" $JS.ACK.")
}

/// Whether a message's beginning, where its headers are, says something.
fn has(message: &[u8], words: &[u8]) -> bool {
    let head = &message[..message.len().min(1024)];
    head.windows(words.len()).any(|part| part == words)
}

async fn reads_in_spite(wire: &Wire, store: &ImageStore, bytes: &Bytes, which: Which, spared: usize) {
    wire.loses(which, spared);
    let read = whole(store, bytes).await.unwrap();
    assert!(read == *bytes, "{which:?} {spared}");
    assert_eq!(wire.lost(), 1, "{which:?} {spared}");
    assert_eq!(
        store.contains(&Digest::of(bytes)).await.unwrap(),
        Some(bytes.len() as u64),
        "{which:?} {spared}: it is noted as damaged"
    );
}

#[tokio::test]
async fn a_chunk_that_is_lost_on_the_way_is_asked_for_again_and_damages_nothing() {
    let server = ForeignServer::with_jetstream().await;
    let wire = Wire::to(&server.url).await;
    let store = images(&server.log_at(&wire.url).await).await;
    // So few chunks come with one request, and so many by a consumer.
    let (few, many) = (content(1, 4 * CHUNK + 7), content(2, 30 * CHUNK + 7));
    for bytes in [&few, &many] {
        upload(&store, promise("imaging", bytes), bytes).await.unwrap();
    }
    for which in [Which::First, Which::Last] {
        reads_in_spite(&wire, &store, &few, which, 0).await;
    }
    // Behind the last one nothing comes that would show that it is missing.
    for spared in [0, 1, 2, 11, 12, 13, 29, 30] {
        reads_in_spite(&wire, &store, &many, Which::HandedOut, spared).await;
    }
    let some = content(3, 12 * CHUNK);
    upload(&store, promise("imaging", &some), &some).await.unwrap();
    wire.loses(Which::AllHandedOut, 0);
    assert!(whole(&store, &some).await.unwrap() == some);
    assert!(wire.lost() > 0, "no consumer handed anything out");
    wire.loses(Which::First, usize::MAX);
    for bytes in [&few, &many, &some] {
        assert!(store.is_sound(&Digest::of(bytes)).await.unwrap());
        let again = upload(&store, promise("archive", bytes), bytes).await.unwrap();
        assert!(!again.is_new, "a sound image was replaced");
    }
}

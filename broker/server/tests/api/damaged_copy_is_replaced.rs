//! An image that is there already needs no bytes; but a copy that the store lost a part of is found before an event rests on it,
//! and the bytes are asked for once more.

use crate::{
    images::*,
    office::{Server, connect, practice, registry_on},
};
use archwire_core::Ownership;
use archwire_nats::{ByteSize, Log, LogConfig};
use archwire_proto::v1::{get_image_response::Response as Got, put_image_response::Outcome};
use bytes::Bytes;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    time::Duration,
};
use tempfile::TempDir;
use tonic::{Code, Status};

/// Takes the first chunk of the only image out of the store, past the broker.
fn lose_the_first_chunk(server: &Server, chunks: u64) {
    let wire = TcpStream::connect(format!("127.0.0.1:{}", server.port)).unwrap();
    wire.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    let mut wire = BufReader::new(wire);
    let bucket = format!("aw_{}_images", practice());
    let request = format!("{{\"filter\":\"$O.{bucket}.C.*\",\"keep\":{}}}", chunks - 1);
    let said = format!(
        "CONNECT {{\"verbose\":false}}\r\nSUB answers 1\r\nPUB $JS.API.STREAM.PURGE.OBJ_{bucket} answers {}\r\n{request}\r\n",
        request.len()
    );
    wire.get_mut().write_all(said.as_bytes()).unwrap();
    let mut lines = wire.lines().map(Result::unwrap);
    let answer = lines.find(|line| line.starts_with('{')).unwrap();
    assert!(answer.contains("\"purged\":1"), "{answer}");
}

/// Says of an image that so much of it is there, and sends the rest. Tells whether the bus says that it knew all of it.
async fn is_known(vendor: &Vendor, bytes: &Bytes, offset: u64) -> Result<bool, Status> {
    let answer = vendor.put(bytes, offset).all(bytes).await?;
    Ok(matches!(answer.outcome, Some(Outcome::Unchanged(_))))
}

#[tokio::test]
async fn a_copy_that_lost_a_part_is_found_where_nothing_is_sent_and_replaced_when_it_comes() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(folder.path(), "-1").await;
    let connection = connect(&server).await;
    let config = LogConfig::new(ByteSize::mebibytes(64));
    let log = Log::open(&connection, &practice(), &config).await.unwrap();
    let vendor = Vendor::of(registry_on(log, Ownership::default()).await.unwrap()).await;
    let bytes = scan();
    let uid = vendor.stored(&bytes).await;
    let all = bytes.len() as u64;
    assert!(is_known(&vendor, &bytes, all).await.unwrap());
    lose_the_first_chunk(&server, all.div_ceil(CHUNK));
    let refused = is_known(&vendor, &bytes, all).await.unwrap_err();
    assert_eq!(code(&refused), (Code::OutOfRange, "image_offset_ahead"));
    assert_eq!(
        vendor.offset(&bytes).await,
        0,
        "it has to come from the beginning on"
    );
    assert!(is_known(&vendor, &bytes, 0).await.unwrap());
    let mut answers = vendor.get(&uid).await;
    let first = answers.message().await.unwrap().unwrap();
    assert!(matches!(first.response, Some(Got::Header(_))));
    assert!(taken(&mut answers).await.unwrap() == bytes);
    assert!(is_known(&vendor, &bytes, all).await.unwrap());
    vendor.close().await;
}

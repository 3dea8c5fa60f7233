//! Who sends nothing of an image, or takes nothing of one, holds it for so long and no longer: 60 s in a practice, less here.

use crate::{
    images::*,
    office::{PATIENCE, in_time},
};
use archwire_proto::v1::{
    PutImageRequest, get_image_response::Response as Got, put_image_request::Request as Put,
    put_image_response::Outcome,
};
use bytes::Bytes;
use tokio::time::Instant;
use tonic::Code;

#[tokio::test]
async fn an_upload_of_which_nothing_comes_ends_and_goes_on_from_what_came() {
    let vendor = Vendor::open().await;
    let bytes = scan();
    let upload = vendor.put(&bytes, 0);
    upload.begin().await;
    for piece in bytes.slice(..3 * PIECE).chunks(PIECE) {
        upload.send(Put::Data(Bytes::copy_from_slice(piece))).await;
    }
    // The sender stays, and sends nothing more.
    let pieces = upload.pieces.clone();
    let ended = upload.answered().await.map(drop).unwrap_err();
    assert_eq!(code(&ended), (Code::DeadlineExceeded, "image_upload_idle"));
    drop(pieces);
    let offset = vendor.offset(&bytes).await;
    assert!((1..=3).contains(&(offset / CHUNK)), "it goes on at {offset}");
    let answer = vendor.put(&bytes, offset).all(&bytes).await.unwrap();
    assert!(matches!(answer.outcome, Some(Outcome::Recorded(_))));
    vendor.close().await;
}

#[tokio::test]
async fn an_upload_that_trickles_ends_although_something_comes() {
    let vendor = Vendor::open().await;
    let bytes = scan();
    let upload = vendor.put(&bytes, 0);
    upload.begin().await;
    let pieces = upload.pieces.clone();
    let trickling = tokio::spawn(async move {
        let mut pause = tokio::time::interval(IDLE / 10);
        loop {
            pause.tick().await;
            let request = Some(Put::Data(Bytes::from_static(&[0])));
            if pieces.send(PutImageRequest { request }).await.is_err() {
                return;
            }
        }
    });
    let ended = upload.answered().await.map(drop).unwrap_err();
    assert_eq!(code(&ended), (Code::DeadlineExceeded, "image_upload_idle"));
    in_time(trickling).await.unwrap();
    vendor.close().await;
}

#[tokio::test]
async fn a_read_of_which_nothing_is_taken_ends_with_an_error_and_one_that_is_taken_does_not() {
    let vendor = Vendor::open().await;
    let bytes = scan();
    let uid = vendor.stored(&bytes).await;
    let deadline = Instant::now() + PATIENCE;
    let mut pause = IDLE * 2;
    let ended = loop {
        let mut answers = vendor.get(&uid).await;
        let first = in_time(answers.message()).await.unwrap().unwrap();
        assert!(matches!(first.response, Some(Got::Header(_))));
        // Taking nothing for so long is what the test is about. A busy machine may need longer to notice.
        tokio::time::sleep(pause).await;
        match taken(&mut answers).await {
            Err(status) => break status,
            Ok(all) => assert!(all == bytes && Instant::now() < deadline, "nobody noticed"),
        }
        pause *= 2;
    };
    assert_eq!(code(&ended), (Code::DeadlineExceeded, "image_read_idle"));
    let mut answers = vendor.get(&uid).await;
    in_time(answers.message()).await.unwrap().unwrap();
    assert!(taken(&mut answers).await.unwrap() == bytes);
    vendor.close().await;
}

//! A digest tells nothing of an image that somebody else put: not that it is there, and not how long it is.

use crate::{
    images::{Vendor, code, scan},
    office::everything,
};
use archwire_core::contract::{Contract, ImageAccess};
use bytes::Bytes;
use tonic::Code;

#[tokio::test]
async fn who_may_read_no_images_cannot_find_out_the_size_of_one_by_its_digest() {
    let vendor = Vendor::open().await;
    let bytes = scan();
    let size = bytes.len() as u64;
    vendor.stored(&bytes).await;
    let longer = Bytes::from([&bytes[..], &[0]].concat());
    let refused = vendor.resume(&bytes, size + 1).await.unwrap_err();
    assert_eq!(
        code(&refused),
        (Code::InvalidArgument, "image_size_differs"),
        "it might get the image, and count"
    );
    vendor.agree(Contract {
        images: ImageAccess {
            read: false,
            write: true,
        },
        ..everything("imaging")
    });
    // As of an image that is not there; what it promised itself, it knows.
    for guess in [size - 1, size + 1] {
        assert_eq!(vendor.resume(&bytes, guess).await.unwrap(), 0, "{guess}");
    }
    assert_eq!(vendor.resume(&bytes, size).await.unwrap(), size);
    for sent in [bytes.slice(..bytes.len() - 1), longer] {
        let guess = vendor.put(&bytes, 0).promising(sent.len() as u64);
        let refused = guess.all(&sent).await.map(drop).unwrap_err();
        assert_eq!(code(&refused), (Code::InvalidArgument, "image_digest_differs"));
    }
    vendor.close().await;
}

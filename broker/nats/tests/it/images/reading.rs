//! Reading the whole and parts, slowly and across trouble.

use super::*;

fn range(offset: u64, length: impl Into<Option<u64>>) -> ImageRange {
    ImageRange {
        offset,
        length: length.into(),
    }
}

#[tokio::test]
async fn every_part_is_what_it_is_also_when_chunks_of_several_images_lie_mixed() {
    let office = Office::open().await;
    let store = images(&office.log).await;
    let uploads = (0..6).map(|seed| {
        let (store, bytes) = (store.clone(), content(seed, 7 * CHUNK + 1000 * seed as usize));
        tokio::spawn(async move {
            upload(&store, promise("imaging", &bytes), &bytes).await.unwrap();
            bytes
        })
    });
    for task in uploads.collect::<Vec<_>>() {
        let bytes = task.await.unwrap();
        let digest = Digest::of(&bytes);
        let size = bytes.len();
        for begin in (0..size).step_by(CHUNK / 2 + 1111).chain([size - 1]) {
            for length in [1, 1000, CHUNK, 2 * CHUNK + 5] {
                let end = (begin + length).min(size);
                let part = read(&store, &digest, range(begin as u64, length as u64))
                    .await
                    .unwrap();
                assert!(part == bytes[begin..end], "{begin} {length} of {size}");
            }
        }
        let rest = read(&store, &digest, range(3, None)).await.unwrap();
        assert!(rest == bytes[3..]);
    }
}

#[tokio::test]
async fn the_first_and_the_last_bytes_are_to_be_had_and_there_is_nothing_behind_the_end() {
    let office = Office::open().await;
    let store = images(&office.log).await;
    let bytes = content(1, 4 * CHUNK + 100);
    let digest = Digest::of(&bytes);
    upload(&store, no_promise("imaging"), &bytes).await.unwrap();
    for most in [0, 1, 100, 101, CHUNK, 3 * CHUNK, bytes.len(), bytes.len() + 1] {
        let kept = most.min(bytes.len());
        assert!(
            store.head(&digest, most).await.unwrap() == bytes[..kept],
            "{most}"
        );
        assert!(
            store.tail(&digest, most).await.unwrap() == bytes[bytes.len() - kept..],
            "{most}"
        );
    }
    let size = bytes.len() as u64;
    for empty in [
        range(size, None),
        range(u64::MAX, 1),
        range(size, u64::MAX),
        range(5, 0),
    ] {
        assert!(read(&store, &digest, empty).await.unwrap().is_empty());
    }
    assert_eq!(store.read(&digest, range(size, None)).await.unwrap().size(), size);
    let unknown = Digest::of(b"?");
    assert_eq!(code(store.head(&unknown, 1).await), "image_unknown");
    assert_eq!(code(store.tail(&unknown, 1).await), "image_unknown");
}

#[tokio::test]
async fn a_reader_that_stands_still_holds_nobody_up() {
    let office = Office::open().await;
    let store = images(&office.log).await;
    let bytes = content(1, 30 * CHUNK);
    upload(&store, promise("imaging", &bytes), &bytes).await.unwrap();
    let mut slow = store.read(&Digest::of(&bytes), ImageRange::WHOLE).await.unwrap();
    let mut got = vec![slow.try_next().await.unwrap().unwrap()];
    for seed in 2..12 {
        let other = content(seed, CHUNK + 1);
        upload(&store, no_promise("imaging"), &other).await.unwrap();
        assert!(whole(&store, &other).await.unwrap() == other);
    }
    got.extend(slow.try_collect::<Vec<_>>().await.unwrap());
    assert!(got.concat() == bytes);
}

/// How many consumers the server keeps for readers of images.
async fn consumers(client: &Context) -> usize {
    let stream = client.get_stream(STREAM).await.unwrap();
    stream.get_info().await.unwrap().state.consumer_count
}

#[tokio::test]
async fn a_read_goes_on_when_the_server_forgets_it_and_leaves_nothing_with_the_server() {
    let server = ForeignServer::with_jetstream().await;
    let store = images(&server.log().await).await;
    let client = server.client().await;
    let bytes = content(1, 30 * CHUNK);
    upload(&store, promise("imaging", &bytes), &bytes).await.unwrap();
    let mut reader = store.read(&Digest::of(&bytes), ImageRange::WHOLE).await.unwrap();
    let mut got = vec![reader.try_next().await.unwrap().unwrap()];
    let stream = client.get_stream(STREAM).await.unwrap();
    let names: Vec<String> = stream.consumer_names().try_collect().await.unwrap();
    let [name] = names.as_slice() else {
        panic!("{names:?}");
    };
    stream.delete_consumer(name).await.unwrap();
    while let Some(part) = reader.try_next().await.unwrap() {
        got.push(part);
    }
    assert!(got.concat() == bytes);
    let mut given_up = store.read(&Digest::of(&bytes), ImageRange::WHOLE).await.unwrap();
    assert!(given_up.try_next().await.unwrap().is_some());
    drop((reader, given_up));
    until_done(async || match consumers(&client).await {
        0 => Ok(()),
        left => Err(format!("{left} consumers are left")),
    })
    .await;
}

#[tokio::test]
async fn a_read_survives_a_kill_of_the_server() {
    let office = Office::open().await;
    let store = images(&office.log).await;
    let bytes = content(1, 30 * CHUNK);
    upload(&store, promise("imaging", &bytes), &bytes).await.unwrap();
    let mut reader = store.read(&Digest::of(&bytes), ImageRange::WHOLE).await.unwrap();
    let mut got = vec![reader.try_next().await.unwrap().unwrap()];
    kill_9(office.supervisor.pid().unwrap());
    while let Some(part) = reader.try_next().await.unwrap() {
        got.push(part);
    }
    assert!(got.concat() == bytes);
}

#[tokio::test]
async fn a_read_from_a_server_that_is_away_for_good_ends_with_an_error() {
    let server = ForeignServer::with_jetstream().await;
    let store = images(&server.log().await).await;
    let bytes = content(1, 30 * CHUNK);
    upload(&store, promise("imaging", &bytes), &bytes).await.unwrap();
    let mut reader = store.read(&Digest::of(&bytes), ImageRange::WHOLE).await.unwrap();
    assert!(reader.try_next().await.unwrap().is_some());
    drop(server);
    let error = loop {
        match reader.try_next().await {
            Ok(part) => assert!(part.is_some(), "it ended as if it were whole"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), "images_unavailable", "{}", told(&error));
    assert!(reader.try_next().await.unwrap().is_none());
}

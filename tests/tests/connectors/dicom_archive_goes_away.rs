//! A real archive that is not there, refuses the secret, or stops in the middle: each is told apart, and nothing is half stored.

use crate::support::{Archive, connect, jordan, refusal, small_radiograph, told};
use archwire_core::{DeliveryAction, Disposition};
use archwire_host::MemoryImages;
use archwire_tests::{Orthanc, Radiograph, eventually};

#[tokio::test]
async fn a_check_says_how_new_studies_are_found() {
    for (feed, shown) in [("auto", "changes"), ("changes", "changes"), ("qido", "qido")] {
        let archive = Archive::open(feed).await;
        let report = archive.connector.check().await.unwrap();
        let fact = |wanted: &str| {
            let found = report.facts.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.clone())
        };
        assert_eq!(fact("feed").as_deref(), Some(shown));
        assert_eq!(fact("orthanc").is_some(), shown == "changes");
    }
}

#[tokio::test]
async fn an_archive_that_refuses_the_secret_says_so() {
    let orthanc = Orthanc::start().await.unwrap();
    let connector = connect(
        &orthanc.url(),
        "Basic bm9ib2R5Og==",
        &[],
        &MemoryImages::default(),
    )
    .await;
    assert_eq!(
        told(&refusal(connector.check().await)),
        ("unauthorized", "credentials-refused")
    );
    assert_eq!(
        told(&refusal(connector.poll(None).await)),
        ("unauthorized", "credentials-refused")
    );
}

#[tokio::test]
async fn what_was_not_delivered_while_the_archive_was_away_is_delivered_after_it() {
    let mut archive = Archive::open("changes").await;
    let delivery = archive.radiograph(&small_radiograph(), jordan());
    archive.orthanc.kill().unwrap();
    assert!(matches!(
        refusal(archive.connector.deliver_image(&delivery).await),
        Disposition::Unavailable(_)
    ));
    assert!(matches!(
        refusal(archive.connector.poll(None).await),
        Disposition::Unavailable(_)
    ));
    archive.orthanc.start_again().await.unwrap();
    archive.connector.deliver_image(&delivery).await.unwrap();
    assert_eq!(archive.orthanc.count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_file_that_breaks_off_on_its_way_in_is_not_there() {
    let (archive, line) = Archive::at_the_end_of_a_line().await;
    let radiograph = Radiograph {
        size: (1_000, 1_000),
        ..small_radiograph()
    };
    let delivery = archive.radiograph(&radiograph, jordan());
    line.breaks_after(1_000_000);
    let answer = archive.connector.deliver_image(&delivery).await;
    // Whether all of it got there is not known here: only a retry says so.
    assert_eq!(told(&refusal(answer)), ("retry", "stored-or-not"));
    assert_eq!(
        archive.orthanc.count().await.unwrap(),
        0,
        "nothing is half stored"
    );
    line.mends();
    let delivered = archive.connector.deliver_image(&delivery).await.unwrap();
    assert_eq!(delivered.action, DeliveryAction::Created);
    assert!(archive.only_file().await == radiograph.bytes());
}

#[tokio::test]
async fn a_file_that_breaks_off_on_its_way_out_is_not_told() {
    let (archive, line) = Archive::at_the_end_of_a_line().await;
    let radiograph = Radiograph {
        size: (1_000, 1_000),
        ..small_radiograph()
    };
    let delivery = archive.radiograph(&radiograph, jordan());
    let delivered = archive.connector.deliver_image(&delivery).await.unwrap();
    archive.rests().await;
    line.breaks_after(1_000_000);
    let page = archive.connector.poll(None).await.unwrap().page;
    assert_eq!(page.images, []);
    let shown = archive.connector.fetch_image(&delivered.local_id, None).await;
    assert!(matches!(refusal(shown), Disposition::Retry(_)));
    line.mends();
    let page = archive.connector.poll(Some(&page.cursor)).await.unwrap().page;
    assert_eq!(page.images[0].digest, Some(delivery.image.file.digest));
}

#[tokio::test]
async fn reading_goes_on_where_it_stopped() {
    let mut archive = Archive::open("changes").await;
    let radiographs: Vec<_> = (0..70).map(|_| small_radiograph()).collect();
    let files: Vec<_> = radiographs.iter().map(Radiograph::bytes).collect();
    let files: Vec<_> = files.iter().map(Vec::as_slice).collect();
    archive.orthanc.send(&files).unwrap();
    archive.rests().await;
    let (mut cursor, mut told) = (None, 0);
    while told == 0 {
        let page = archive.connector.poll(cursor.as_ref()).await.unwrap().page;
        (cursor, told) = (Some(page.cursor), page.images.len());
    }
    assert!(told < 70, "{told} are a part of it");
    archive.orthanc.kill().unwrap();
    assert!(archive.connector.poll(cursor.as_ref()).await.is_err());
    archive.orthanc.start_again().await.unwrap();
    eventually("all are told", async || {
        let page = archive.connector.poll(cursor.as_ref()).await?.page;
        cursor = Some(page.cursor);
        told += page.images.len();
        anyhow::ensure!(told >= 70, "{told} of 70");
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(told, 70, "none of them twice");
}

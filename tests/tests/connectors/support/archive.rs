//! A real image archive with its connector, and what is put into it.

use super::{Line, granted, images::delivery, jordan_at_the_desk, load};
use archwire_core::{Cursor, ImageDelivery, ImageUids, ImageView, Patient, View};
use archwire_host::{Component, Connector, Grant, Limits, MemoryImages, MemoryStateStore, SystemConfig};
use archwire_tests::{Orthanc, OrthancPlan, Radiograph, eventually};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// More pages than any pass of these scenarios has.
const MOST_PAGES: usize = 200;

/// An archive, its connector, and the bus's store of images.
pub(crate) struct Archive {
    pub(crate) orthanc: Orthanc,
    pub(crate) connector: Connector,
    pub(crate) images: MemoryImages,
}

impl Archive {
    /// An empty archive whose connector finds what is new by this feed.
    pub(crate) async fn open(feed: &str) -> Self {
        Self::open_as(
            &OrthancPlan::default(),
            // Its studies are of a day in the past.
            &[
                ("feed", feed),
                ("stable-after-seconds", "1"),
                ("window-days", "0"),
            ],
        )
        .await
    }

    pub(crate) async fn open_as(plan: &OrthancPlan, settings: &[(&str, &str)]) -> Self {
        let orthanc = Orthanc::start_as(plan).await.unwrap();
        let images = MemoryImages::default();
        let authorization = orthanc.authorization();
        let connector = connect(&orthanc.url(), authorization, settings, &images).await;
        Self {
            orthanc,
            connector,
            images,
        }
    }

    /// An empty archive at the end of a line that may break.
    pub(crate) async fn at_the_end_of_a_line() -> (Self, Line) {
        let archive = Self::open("changes").await;
        let line = Line::to(&archive.orthanc.url()).await;
        let authorization = archive.orthanc.authorization();
        let connector = connect(&line.url(), authorization, &[], &archive.images).await;
        (Self { connector, ..archive }, line)
    }

    /// The connector where the administrator did not grant this method.
    pub(crate) async fn connector_without(&self, method: &str) -> Connector {
        let (url, authorization) = (self.orthanc.url(), self.orthanc.authorization());
        let component = component().await;
        let mut grants = granted(&component, &url, Duration::ZERO);
        for grant in &mut grants {
            grant.methods.retain(|granted| granted.as_str() != method);
        }
        connect_with(&url, authorization, &[], &self.images, grants).await
    }

    /// Waits until the archive says that every study rests.
    pub(crate) async fn rests(&self) {
        eventually("the archive rests", async || self.orthanc.rests().await)
            .await
            .unwrap();
    }

    /// Reads from the beginning.
    pub(crate) fn reader(&self) -> ArchiveReader<'_> {
        ArchiveReader {
            archive: self,
            cursor: None,
        }
    }

    /// The one file in the archive.
    pub(crate) async fn only_file(&self) -> Vec<u8> {
        let mut files = self.orthanc.files().await.unwrap();
        assert_eq!(files.len(), 1, "one file is in the archive");
        files.remove(0)
    }

    /// A file of Jordan's that the bus has.
    pub(crate) fn delivery(&self, content_type: &str, bytes: Vec<u8>) -> ImageDelivery {
        delivery(&self.images, content_type, bytes)
    }

    /// A radiograph of somebody that the bus has.
    pub(crate) fn radiograph(&self, radiograph: &Radiograph, patient: Patient) -> ImageDelivery {
        let mut delivery = self.delivery("application/dicom", radiograph.bytes());
        delivery.image.uids = ImageUids {
            study: radiograph.study.parse().unwrap(),
            series: radiograph.series.parse().unwrap(),
            instance: radiograph.instance.parse().unwrap(),
            generated: false,
        };
        delivery.patient = patient;
        delivery
    }
}

/// The connector for an archive at an address.
pub(crate) async fn connect(
    url: &str,
    authorization: &str,
    settings: &[(&str, &str)],
    images: &MemoryImages,
) -> Connector {
    let grants = granted(&component().await, url, Duration::ZERO);
    connect_with(url, authorization, settings, images, grants).await
}

async fn component() -> Component {
    static COMPONENT: OnceCell<Component> = OnceCell::const_new();
    COMPONENT.get_or_init(|| load("dicom-archive")).await.clone()
}

async fn connect_with(
    url: &str,
    authorization: &str,
    settings: &[(&str, &str)],
    images: &MemoryImages,
    grants: Vec<Grant>,
) -> Connector {
    let component = component().await;
    let mut set: BTreeMap<String, String> = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    set.insert("url".to_owned(), url.to_owned());
    let config = SystemConfig {
        system: "archive".parse().unwrap(),
        settings: set,
        secrets: BTreeMap::from([("authorization".to_owned(), authorization.into())]),
        grants,
        limits: Limits::default(),
        account: None,
        images: Some(Arc::new(images.clone())),
        images_folder: None,
    };
    Connector::new(component, config, Arc::new(MemoryStateStore::default())).unwrap()
}

/// Jordan's radiograph, small.
pub(crate) fn small_radiograph() -> Radiograph {
    Radiograph {
        size: (64, 48),
        ..Radiograph::of(&jordan_at_the_desk())
    }
}

/// Reading an archive page by page, as the broker's scheduler does.
pub(crate) struct ArchiveReader<'a> {
    archive: &'a Archive,
    pub(crate) cursor: Option<Cursor>,
}

impl ArchiveReader<'_> {
    /// Everything that is to be had now.
    pub(crate) async fn pass(&mut self) -> (Vec<View>, Vec<ImageView>) {
        let (mut views, mut images) = (Vec::new(), Vec::new());
        for _ in 0..MOST_PAGES {
            let answer = self.archive.connector.poll(self.cursor.as_ref()).await.unwrap();
            assert_eq!(answer.unreadable, [], "everything is as the bus wants it");
            self.cursor = Some(answer.page.cursor);
            views.extend(answer.page.views);
            images.extend(answer.page.images);
            if !answer.page.more {
                return (views, images);
            }
        }
        panic!("the pass does not end")
    }

    /// Reads until so many images were told.
    pub(crate) async fn until(&mut self, count: usize) -> (Vec<View>, Vec<ImageView>) {
        let (mut views, mut images) = (Vec::new(), Vec::new());
        eventually("the images are told", async || {
            let (more, shown) = self.pass().await;
            views.extend(more);
            images.extend(shown);
            anyhow::ensure!(images.len() >= count, "{} images", images.len());
            Ok(())
        })
        .await
        .unwrap();
        (views, images)
    }
}

//! The same file twice in a chart, and staff take one of the two away.

use crate::support::*;
use archwire::registry::ImageTaken;
use archwire_core::{ImageId, PatientId};

async fn twice() -> (Office, PatientId, ImageId) {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    let image = office
        .imaged(shows("desk", "1", "7", photo(ann_is, "smile")))
        .await;
    let other = shows("desk", "1", "8", photo(ann_is, "smile"));
    assert_eq!(office.known(other).await, image);
    (office, ann_is, image)
}

async fn takes_away(office: &Office, local_id: &str) -> Option<ImageTaken> {
    let (desk, local_id) = (system("desk"), id(local_id));
    let retracting = office.registry.retract_shown(&desk, &local_id, None, None);
    in_time(retracting).await.unwrap()
}

#[tokio::test]
async fn taking_one_away_takes_nothing_from_the_others() {
    for (goes, stays) in [("7", "8"), ("8", "7")] {
        let (mut office, ann_is, image) = twice().await;
        let taken = takes_away(&office, goes).await;
        assert!(matches!(taken, Some(ImageTaken::Unchanged { .. })), "{taken:?}");
        assert_eq!(images_of(&office.registry, ann_is), [image]);
        office.restart().await;
        let desk = system("desk");
        assert_eq!(office.registry.image_of(&desk, &id(goes)), None);
        assert_eq!(office.registry.image_of(&desk, &id(stays)), Some(image));
        assert_eq!(takes_away(&office, goes).await, None, "it is gone already");
        let taken = takes_away(&office, stays).await;
        assert!(matches!(taken, Some(ImageTaken::Recorded { .. })), "{taken:?}");
        assert_eq!(images_of(&office.registry, ann_is), []);
    }
}

#[tokio::test]
async fn one_that_comes_again_is_the_same_image() {
    let (office, ann_is, image) = twice().await;
    takes_away(&office, "7").await;
    let again = shows("desk", "1", "7", photo(ann_is, "smile"));
    assert_eq!(office.known(again).await, image);
    takes_away(&office, "8").await;
    assert_eq!(images_of(&office.registry, ann_is), [image]);
}

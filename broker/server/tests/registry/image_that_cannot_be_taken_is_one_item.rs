//! An image that cannot be taken as it is, is one item, apart from records of the same id, until it is taken.

use crate::support::*;
use archwire::registry::Decided;
use archwire_core::{ReviewKind, Verdict};

const ARCHIVE: &str = "archive";
const REASON: &str = "dicom_truncated";

impl Office {
    async fn cannot_take(&self, record: Option<&str>, local_id: Option<&str>, reason: &str) {
        let archive = system(ARCHIVE);
        let (record, local_id) = (record.map(id), local_id.map(id));
        let unreadable = self.registry.image_unreadable(&archive, record, local_id, reason);
        in_time(unreadable).await.unwrap();
    }
}

#[tokio::test]
async fn however_often_it_comes_and_for_whatever_reason() {
    let mut office = Office::open().await;
    let ann_is = whom(office.see(says(ARCHIVE, "A", ann())).await);
    office.cannot_take(Some("A"), Some("7"), REASON).await;
    let item = office.the(ReviewKind::Unreadable).await;
    assert_eq!(
        (item.system, item.local_id),
        (Some(system(ARCHIVE)), Some(id("7")))
    );
    assert_eq!(item.unreadable_image.unwrap().record, Some(id("A")));
    assert_eq!(
        (item.patient, item.reason.as_deref()),
        (Some(ann_is), Some(REASON))
    );
    for reason in [REASON, "image_empty"] {
        office.cannot_take(Some("A"), Some("7"), reason).await;
        let again = office.the_item().await;
        assert_eq!(
            (again.number, again.reason.as_deref()),
            (item.number, Some(reason))
        );
        office.restart().await;
    }
    office.cannot_take(Some("A"), Some("8"), REASON).await;
    assert_eq!(open_items(&office.registry).len(), 2, "another image is another");
}

#[tokio::test]
async fn a_start_from_a_snapshot_knows_it() {
    let mut office = Office::open().await;
    office.cannot_take(Some("A"), Some("7"), REASON).await;
    office.cannot_take(Some("A"), None, REASON).await;
    let (open, before) = (
        open_items(&office.registry),
        office.registry.index().freeze().digest(),
    );
    let rebuilt = office.registry.rebuild(|_, _| {}).await.unwrap();
    assert_eq!(rebuilt.digest_before, rebuilt.digest_after);
    // The rebuild wrote a snapshot.
    office.restart().await;
    assert_eq!(office.registry.index().freeze().digest(), before);
    office.cannot_take(Some("A"), Some("7"), REASON).await;
    office.cannot_take(Some("A"), None, REASON).await;
    assert_eq!(open_items(&office.registry), open);
}

#[tokio::test]
async fn until_it_is_taken_whatever_becomes_of_a_record_of_the_same_id() {
    let office = Office::open().await;
    let archive = system(ARCHIVE);
    office.cannot_take(Some("A"), Some("7"), REASON).await;
    let of_image = office.the_item().await.number;
    let unreadable = office.registry.unreadable(&archive, Some(id("7")), None, REASON);
    unreadable.await.unwrap();
    let open = open_items(&office.registry);
    assert_eq!(open.len(), 2, "ids of images and of records are two things");
    let ann_is = whom(office.see(says(ARCHIVE, "7", ann())).await);
    assert_eq!(open_items(&office.registry), [of_image]);
    office
        .imaged(shows(ARCHIVE, "7", "8", photo(ann_is, "profile")))
        .await;
    assert_eq!(open_items(&office.registry), [of_image], "that was another image");
    office
        .imaged(shows(ARCHIVE, "7", "7", photo(ann_is, "smile")))
        .await;
    assert_eq!(office.ended(of_image).await, Some(Verdict::Settled));
    office.asks_nothing();
}

#[tokio::test]
async fn until_it_can_be_asked_whose_it_is() {
    let office = Office::open().await;
    office.see(says(ARCHIVE, "A", ann())).await;
    office.cannot_take(Some("A"), Some("7"), REASON).await;
    let number = office.the_item().await.number;
    let said = misnamed(shows(ARCHIVE, "A", "7", radiograph("1.2.7", "ceph")));
    let (whose, _) = office.waits(said).await;
    assert_eq!(office.ended(number).await, Some(Verdict::Settled));
    assert_eq!(open_items(&office.registry), [whose]);
}

#[tokio::test]
async fn until_its_system_has_it_no_more() {
    let office = Office::open().await;
    office.cannot_take(Some("A"), Some("7"), REASON).await;
    let number = office.the_item().await.number;
    let (archive, seven) = (system(ARCHIVE), id("7"));
    let taken_back = office.registry.retract_shown(&archive, &seven, None, None);
    assert_eq!(in_time(taken_back).await.unwrap(), None);
    assert_eq!(office.ended(number).await, Some(Verdict::Settled));
    office.asks_nothing();
}

#[tokio::test]
async fn nobody_reads_it_again_on_demand_and_it_can_be_left_out() {
    let office = Office::open().await;
    let archive = system(ARCHIVE);
    office.registry.reads(&archive);
    office.cannot_take(Some("A"), Some("7"), REASON).await;
    let number = office.the_item().await.number;
    let refusal = office.try_to_decide(number, Verdict::Accept, None).await;
    assert_eq!(will_not(refusal), "review_image_cannot_be_read");
    assert_eq!(open_items(&office.registry), [number]);
    assert_eq!(office.decide(number, Verdict::Reject).await, Decided::Dismissed);
    office.asks_nothing();
}

#[tokio::test]
async fn without_an_id_by_its_record_and_by_what_is_wrong_with_it() {
    let office = Office::open().await;
    for (record, reason) in [("A", REASON), ("A", REASON), ("B", REASON), ("A", "image_empty")] {
        office.cannot_take(Some(record), None, reason).await;
    }
    office.cannot_take(None, None, REASON).await;
    let archive = system(ARCHIVE);
    let unreadable = office.registry.unreadable(&archive, None, None, REASON);
    unreadable.await.unwrap();
    assert_eq!(open_items(&office.registry).len(), 5, "the last one is a record");
}

//! In which order a page is taken.

use super::in_order;
use archwire_core::{ImageClaim, ImageView};

fn shown(local_id: &str, instance: Option<&str>) -> ImageView {
    ImageView {
        local_id: local_id.parse().unwrap(),
        record: "A".parse().unwrap(),
        image: ImageClaim {
            instance: instance.map(|uid| uid.parse().unwrap()),
            ..ImageClaim::default()
        },
        digest: None,
        retracted: false,
        observed_at: None,
        actor: None,
    }
}

fn taken_back(local_id: &str) -> ImageView {
    ImageView {
        retracted: true,
        ..shown(local_id, None)
    }
}

/// The places of those that come first, and of the others.
fn places(images: Vec<ImageView>) -> (Vec<usize>, Vec<Vec<usize>>) {
    let place = |(place, _): &(usize, ImageView)| *place;
    let (first, others) = in_order(images);
    let others = others.iter().filter(|sequence| !sequence.is_empty());
    let others = others.map(|sequence| sequence.iter().map(place).collect());
    (first.iter().map(place).collect(), others.collect())
}

#[test]
fn different_images_are_taken_at_the_same_time() {
    let page = vec![
        shown("1", None),
        shown("2", Some("1.2.1")),
        shown("3", Some("1.2.2")),
    ];
    assert_eq!(places(page), (vec![], vec![vec![0], vec![1], vec![2]]));
}

#[test]
fn what_is_taken_back_comes_before_what_is_shown_instead() {
    let page = vec![shown("8", Some("1.2.7")), taken_back("7"), shown("9", None)];
    assert_eq!(places(page), (vec![1], vec![vec![0], vec![2]]));
}

#[test]
fn what_is_shown_and_taken_back_is_taken_back_afterwards() {
    let page = vec![
        shown("7", None),
        taken_back("7"),
        taken_back("8"),
        shown("8", None),
    ];
    assert_eq!(places(page), (vec![2], vec![vec![0, 1], vec![3]]));
}

#[test]
fn entries_of_one_id_or_one_instance_are_taken_one_after_the_other() {
    let page = vec![
        shown("1", None),
        shown("2", Some("1.2.1")),
        shown("1", Some("1.2.1")),
        shown("3", Some("1.2.1")),
        shown("4", Some("1.2.4")),
        shown("2", None),
    ];
    assert_eq!(places(page), (vec![], vec![vec![0, 1, 2, 3, 5], vec![4]]));
}

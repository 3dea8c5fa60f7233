//! Who waits among images, and in which order they are sent.

use super::*;
use archwire_core::Revision;
use std::iter;

fn patient(number: u64) -> PatientId {
    format!("00000000-0000-7000-8000-{number:012x}").parse().unwrap()
}

fn image(of: u64, first: u64) -> ImageId {
    ImageId {
        patient: patient(of),
        first: Revision::new(first),
    }
}

/// Sends one after the other.
fn sent(book: &mut Book, most: usize) -> Vec<ImageId> {
    let next = iter::from_fn(|| {
        let begun = book.begin()?;
        book.finish(begun.image);
        Some(begun.image)
    });
    next.take(most).collect()
}

#[test]
fn patients_take_turns_and_each_ones_images_come_in_order() {
    let mut book = Book::default();
    (1..=1000).rev().for_each(|first| book.want(image(1, first)));
    book.want(image(2, 7));
    book.want(image(3, 1));
    book.want(image(2, 3));
    let first = sent(&mut book, 6);
    assert_eq!(
        first,
        [
            image(1, 1),
            image(2, 3),
            image(3, 1),
            image(1, 2),
            image(2, 7),
            image(1, 3)
        ]
    );
    assert_eq!(sent(&mut book, 5000).len(), 997);
    assert_eq!(book.count(), Count::default());
}

#[test]
fn at_most_four_are_sent_at_a_time_and_one_of_a_patient() {
    let mut book = Book::default();
    for of in 1..=6 {
        (1..=3).for_each(|first| book.want(image(of, first)));
    }
    let begun: Vec<_> = iter::from_fn(|| book.begin()).map(|begun| begun.image).collect();
    assert_eq!(begun, [image(1, 1), image(2, 1), image(3, 1), image(4, 1)]);
    book.finish(image(2, 1));
    assert_eq!(book.begin().unwrap().image, image(5, 1));
    let mut alone = Book::default();
    alone.want(image(1, 1));
    alone.want(image(1, 2));
    assert_eq!(alone.begin().unwrap().image, image(1, 1));
    assert!(alone.begin().is_none());
    alone.finish(image(1, 1));
    assert_eq!(alone.begin().unwrap().image, image(1, 2));
}

#[test]
fn what_comes_while_it_is_sent_is_looked_at_once_more() {
    let mut book = Book::default();
    book.want(image(1, 1));
    let begun = book.begin().unwrap();
    book.want(image(1, 1));
    book.want(image(1, 1));
    book.finish(begun.image);
    assert_eq!(sent(&mut book, 9), [image(1, 1)]);
    book.want(image(1, 2));
    let begun = book.begin().unwrap();
    book.want(image(1, 2));
    book.hold(begun.image);
    assert_eq!(sent(&mut book, 9), [image(1, 2)]);
}

#[test]
fn what_is_held_is_not_looked_at_until_it_is_wanted() {
    let mut book = Book::default();
    book.want(image(1, 1));
    let begun = book.begin().unwrap();
    book.hold(begun.image);
    assert!(book.begin().is_none());
    assert_eq!(book.count().waiting, 1);
    book.want(image(1, 1));
    assert_eq!(book.count().waiting, 1);
    assert_eq!(sent(&mut book, 9), [image(1, 1)]);
}

#[test]
fn one_that_failed_lets_the_others_go_ahead_and_remembers_its_attempts() {
    let (mut book, now) = (Book::default(), Instant::now());
    book.want(image(1, 1));
    book.want(image(1, 2));
    let begun = book.begin().unwrap();
    book.back_off(begun.image, begun.tries, now, Duration::from_secs(1));
    // News of it does not shorten the wait.
    book.want(image(1, 1));
    assert_eq!(sent(&mut book, 9), [image(1, 2)]);
    let until = book.next_time().unwrap();
    assert_eq!(until, now + Duration::from_secs(1));
    book.release(until - Duration::from_millis(1));
    assert!(book.begin().is_none());
    book.release(until);
    assert_eq!(book.begin().unwrap().image, image(1, 1));
    assert!(book.next_time().is_none());
}

#[test]
fn what_a_person_asks_for_comes_first_and_does_not_wait() {
    let (mut book, now) = (Book::default(), Instant::now());
    for first in 1..=3 {
        book.want(image(1, first));
    }
    let begun = book.begin().unwrap();
    book.back_off(begun.image, begun.tries, now, Duration::from_secs(60));
    book.hurry(image(1, 3));
    book.hurry(image(1, 1));
    let order = sent(&mut book, 9);
    assert_eq!(order, [image(1, 1), image(1, 3), image(1, 2)]);
    assert_eq!(book.count(), Count::default());
    // Also when it is asked for while it fails.
    book.want(image(2, 1));
    let begun = book.begin().unwrap();
    book.hurry(begun.image);
    book.back_off(begun.image, begun.tries, now, Duration::from_secs(60));
    assert!(book.begin().is_some_and(|begun| begun.is_hurried));
}

#[test]
fn many_that_fail_keep_nobody_out_and_only_so_many_remember_it() {
    let (mut book, now) = (Book::default(), Instant::now());
    let many = u64::try_from(MOST_BACKING_OFF).unwrap() + 100;
    for of in 1..=many {
        book.want(image(of, 1));
        let begun = book.begin().unwrap();
        book.back_off(begun.image, begun.tries, now, Duration::from_secs(1));
    }
    book.want(image(many + 1, 1));
    assert_eq!(sent(&mut book, 9), [image(many + 1, 1)]);
    book.release(now + Duration::from_secs(1));
    assert_eq!(book.count().waiting, MOST_BACKING_OFF);
    assert_eq!(book.next_time(), Some(now + PUT_OFF_FOR));
    book.release(now + PUT_OFF_FOR);
    assert_eq!(u64::try_from(book.count().waiting).unwrap(), many);
}

//! People at the office register, correct and delete patients while pages are being read, several within one second.
//! What was read last about every patient is what the office shows in the end.
//!
//! The clock is held and moved by hand and the seed is fixed, so that a run is the same every time.

use crate::support::{Office, Plan, Reader, number, phone_of};
use archwire_core::{ContactUse, View};
use archwire_opendental_simulator::{Field, PageOrder, PatientFields, StampFilter};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Patients at the beginning.
const PATIENTS: usize = 200;
/// Pages that are read while people are at work.
const BUSY_PAGES: usize = 250;
/// Deletions, at most: somebody has to be left.
const MOST_DELETED: usize = 60;

/// A busy day at the desk.
struct Desk<'a> {
    office: &'a Office,
    chance: StdRng,
    deleted: BTreeSet<i64>,
    registered: i64,
}

impl Desk<'_> {
    /// Between two pages: nothing, or up to three changes, and the clock may move on by a second.
    fn work(&mut self) {
        for _ in 0..self.chance.random_range(0..4) {
            let pat_num = self.chance.random_range(1..=self.registered);
            let phone = self
                .chance
                .random_range(2_000_000_000_u64..10_000_000_000)
                .to_string();
            match self.chance.random_range(0..10) {
                0 if self.deleted.len() < MOST_DELETED => self.delete(pat_num),
                1 => self.register(&phone),
                _ if self.deleted.contains(&pat_num) => {}
                _ => self.office.desk().set(pat_num, Field::HmPhone, &phone).unwrap(),
            }
        }
        let seconds = self.chance.random_range(0..2);
        self.office
            .simulator
            .clock()
            .advance(Duration::from_secs(seconds));
    }

    fn delete(&mut self, pat_num: i64) {
        if self.deleted.insert(pat_num) {
            self.office.desk().delete(pat_num).unwrap();
        }
    }

    fn register(&mut self, phone: &str) {
        let person = PatientFields::named("Walk-In", &format!("Given{}", self.registered));
        self.registered = self.office.desk().create(&person.with(Field::HmPhone, phone));
    }
}

/// The phone that was last read, by number.
#[derive(Default)]
struct Shown(BTreeMap<i64, String>);

impl Shown {
    fn learn(&mut self, views: &[View]) {
        for view in views {
            let phone = phone_of(view, ContactUse::Home);
            self.0.insert(number(view), phone.to_owned());
        }
    }
}

async fn nobody_is_missed(plan: Plan, filter: StampFilter) {
    let mut plan = plan.set("overlap-seconds", "2");
    plan.options.unknowns.stamp_filter = filter;
    let office = plan.open().await;
    office.simulator.clock().freeze();
    office.type_in(PATIENTS);
    let mut desk = Desk {
        office: &office,
        chance: StdRng::seed_from_u64(7),
        deleted: BTreeSet::new(),
        registered: PATIENTS as i64,
    };
    let mut shown = Shown::default();
    let mut reader = office.reader();
    for _ in 0..BUSY_PAGES {
        desk.work();
        shown.learn(&reader.page().await.0);
    }
    read_to_the_end(&mut reader, &mut shown).await;
    assert!(
        desk.registered > PATIENTS as i64 && !desk.deleted.is_empty(),
        "it was a busy day"
    );
    for patient in office
        .simulator
        .patients()
        .iter()
        .filter(|patient| !patient.deleted)
    {
        assert_eq!(
            shown.0.get(&patient.pat_num).map(String::as_str),
            Some(patient.get(Field::HmPhone)),
            "what was last read about patient {}",
            patient.pat_num
        );
    }
}

/// The rest of the pass that is under way, and one pass over an office that stands still.
async fn read_to_the_end(reader: &mut Reader<'_>, shown: &mut Shown) {
    for _ in 0..2 {
        shown.learn(&reader.pass().await);
    }
}

/// Reads sixty patients by twenty, and after each of the first pages deletes so many from the beginning of the list.
/// Tells whom was read about.
async fn read_while_the_first_are_deleted(deletions: [i64; 2]) -> BTreeSet<i64> {
    let office = Plan::service().set("page-size", "20").open().await;
    office.type_in(60);
    let mut reader = office.reader();
    let mut read = BTreeSet::new();
    let mut first = 1;
    for count in deletions {
        let (views, more) = reader.page().await;
        assert!(more);
        read.extend(views.iter().map(number));
        for pat_num in first..first + count {
            office.desk().delete(pat_num).unwrap();
        }
        first += count;
    }
    read.extend(reader.numbers().await);
    read
}

#[tokio::test]
async fn a_deletion_on_a_page_that_was_read_moves_nobody_out_of_sight() {
    let read = read_while_the_first_are_deleted([1, 3]).await;
    assert!(read.into_iter().eq(1..=60));
}

#[tokio::test]
async fn when_more_are_deleted_than_pages_overlap_the_pass_begins_again() {
    let read = read_while_the_first_are_deleted([5, 12]).await;
    assert!(read.into_iter().eq(1..=60));
}

#[tokio::test]
async fn in_the_order_of_the_numbers() {
    let plan = Plan::service().order(PageOrder::PatNum).set("page-size", "20");
    nobody_is_missed(plan, StampFilter::AtOrAfter).await;
}

#[tokio::test]
async fn in_the_order_of_the_names() {
    let plan = Plan::service().order(PageOrder::Name).set("page-size", "20");
    nobody_is_missed(plan, StampFilter::After).await;
}

#[tokio::test]
async fn in_the_order_of_the_changes() {
    let plan = Plan::service()
        .order(PageOrder::DateTStamp)
        .set("page-size", "30");
    nobody_is_missed(plan, StampFilter::After).await;
}

#[tokio::test]
async fn in_another_order_every_time() {
    let plan = Plan::service().order(PageOrder::Shuffled).set("page-size", "20");
    nobody_is_missed(plan, StampFilter::AtOrAfter).await;
}

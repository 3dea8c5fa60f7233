//! Patients whom the office merges: each merge is told once it can be seen, and none is lost, however late the office writes
//! who took whose place, and whether or not it answers at the time.

use crate::support::{Office, Plan, number, refusal, told};
use archwire_core::View;
use archwire_opendental_simulator::{Fault, Field, PageOrder, Permission, StampFilter};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{collections::BTreeMap, time::Duration};

const SHORT_QUERY: &str = "/queries/ShortQuery";
/// Seconds that are more than passes overlap by, and less than what looks like another clock.
const BEYOND: u64 = 600;

/// Who was merged into whom.
fn merges(views: &[View]) -> Vec<(i64, i64)> {
    let survivor = |view: &View| view.merged_into.as_ref()?.as_str().parse().ok();
    views
        .iter()
        .filter_map(|view| Some((number(view), survivor(view)?)))
        .collect()
}

/// An office with so many people, on a clock that the test moves.
async fn office(plan: Plan, people: usize) -> Office {
    let office = plan.open().await;
    office.simulator.clock().freeze();
    office.type_in(people);
    office
}

fn later(office: &Office, seconds: u64) {
    office.simulator.clock().advance(Duration::from_secs(seconds));
}

/// Queries so far.
fn queries(office: &Office) -> usize {
    let requests = office.requests("PUT");
    requests
        .iter()
        .filter(|request| request.path == SHORT_QUERY)
        .count()
}

#[tokio::test]
async fn once_and_after_the_record_that_stays() {
    let office = office(Plan::service(), 5).await;
    let mut reader = office.reader();
    assert_eq!(merges(&reader.pass().await), []);
    later(&office, 60);
    office.desk().merge(2, 4).unwrap();
    let read = reader.pass().await;
    assert_eq!(read.iter().map(number).collect::<Vec<_>>(), [4, 2]);
    assert_eq!(merges(&read), [(2, 4)]);
    for _ in 0..3 {
        later(&office, 30);
        assert_eq!(reader.pass().await, [], "it was told");
    }
    let fetched = office
        .connector
        .fetch(&"2".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(merges(&[fetched]), [(2, 4)]);
}

#[tokio::test]
async fn again_with_every_later_view_of_the_record() {
    let office = office(Plan::service(), 3).await;
    office.desk().merge(1, 3).unwrap();
    let mut reader = office.reader();
    assert_eq!(merges(&reader.pass().await), [(1, 3)]);
    later(&office, BEYOND);
    office.desk().run_aging();
    assert_eq!(merges(&reader.pass().await), [(1, 3)]);
}

#[tokio::test]
async fn when_the_link_is_written_after_the_status_was_read() {
    let office = office(Plan::service(), 3).await;
    let mut reader = office.reader();
    reader.pass().await;
    later(&office, 60);
    office.desk().begin_merge(1, 3).unwrap();
    let read = reader.pass().await;
    assert_eq!((read.len(), merges(&read)), (2, vec![]));
    later(&office, BEYOND);
    office.desk().finish_merge(1, 3).unwrap();
    later(&office, 5);
    assert_eq!(merges(&reader.pass().await), [(1, 3)]);
    later(&office, 5);
    assert_eq!(reader.pass().await, []);
}

#[tokio::test]
async fn when_the_record_was_archived_long_before_and_does_not_change() {
    let office = office(Plan::service(), 3).await;
    office.desk().set(1, Field::PatStatus, "Archived").unwrap();
    let mut reader = office.reader();
    assert_eq!(merges(&reader.pass().await), []);
    later(&office, BEYOND);
    office.desk().finish_merge(1, 2).unwrap();
    assert_eq!(merges(&reader.pass().await), [(1, 2)]);
}

#[tokio::test]
async fn link_by_link_in_a_chain_and_not_at_all_where_the_office_went_in_a_circle() {
    let office = office(Plan::service(), 6).await;
    let desk = office.desk();
    for (from, to) in [(1, 2), (2, 3), (4, 5), (5, 4)] {
        later(&office, 60);
        desk.merge(from, to).unwrap();
    }
    let mut read = merges(&office.reader().pass().await);
    read.sort_unstable();
    assert_eq!(
        read,
        [(1, 2), (2, 3), (5, 4)],
        "number 4 took the place of 5 in the end"
    );
}

#[tokio::test]
async fn over_the_end_of_a_page_in_every_order_of_the_rows() {
    for order in [PageOrder::PatNum, PageOrder::Name, PageOrder::DateTStamp] {
        let plan = Plan::service().order(order).set("page-size", "10");
        let office = office(plan, 45).await;
        for (from, to) in [(10, 11), (11, 30), (31, 20), (5, 45)] {
            office.desk().merge(from, to).unwrap();
        }
        let mut reader = office.reader();
        let mut read = merges(&reader.pass().await);
        read.sort_unstable();
        assert_eq!(read, [(5, 45), (10, 11), (11, 30), (31, 20)], "{order:?}");
        later(&office, 30);
        assert_eq!(reader.pass().await, [], "{order:?}");
    }
}

#[tokio::test]
async fn while_pages_are_being_read() {
    let office = office(Plan::service().set("page-size", "10"), 25).await;
    let mut reader = office.reader();
    let mut read = reader.page().await.0;
    later(&office, 60);
    office.desk().merge(2, 24).unwrap();
    office.desk().set(3, Field::PatStatus, "Archived").unwrap();
    read.extend(reader.pass().await);
    office.desk().finish_merge(3, 24).unwrap();
    later(&office, 60);
    read.extend(reader.pass().await);
    assert_eq!(merges(&read), [(2, 24), (3, 24)]);
}

#[tokio::test]
async fn after_a_failure_of_the_office_and_nothing_of_the_page_is_lost() {
    let office = office(Plan::service(), 3).await;
    let mut reader = office.reader();
    reader.pass().await;
    later(&office, 60);
    office.desk().merge(1, 3).unwrap();
    // The first query of a pass is about its rows, the second about late links.
    for skip in [0, 1] {
        let fault = Fault::status(500).on("PUT", SHORT_QUERY).skip(skip).times(1);
        office.simulator.set_fault(fault).unwrap();
        let failed = refusal(office.connector.poll(reader.cursor.as_ref()).await);
        assert_eq!(told(&failed), ("retry", "office-failed"));
    }
    let read = reader.pass().await;
    assert_eq!((read.len(), merges(&read)), (2, vec![(1, 3)]));
}

#[tokio::test]
async fn not_where_the_office_forbids_to_ask_and_everything_else_goes_on() {
    let mut plan = Plan::service();
    for key in &mut plan.options.keys {
        key.permissions.remove(&Permission::Queries);
    }
    let office = office(plan, 3).await;
    let report = office.connector.check().await.unwrap();
    let said = report.facts.iter().find(|(name, _)| name == "merges");
    assert_eq!(
        said.map(|(_, value)| value.as_str()),
        Some("not readable: the key lacks the permission Queries")
    );
    let asked = queries(&office);
    let mut reader = office.reader();
    reader.pass().await;
    office.desk().merge(1, 3).unwrap();
    for seconds in [30, 60] {
        later(&office, seconds);
        reader.pass().await;
    }
    assert_eq!(
        queries(&office),
        asked + 1,
        "refused once, and not asked again at once"
    );
    let fetched = office
        .connector
        .fetch(&"1".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(merges(&[fetched]), []);
}

#[tokio::test]
async fn for_one_request_a_pass_and_one_more_where_somebody_was_archived() {
    let office = office(Plan::service(), 50).await;
    let mut reader = office.reader();
    reader.pass().await;
    assert_eq!(queries(&office), 0, "nobody is archived, and nothing came before");
    reader.pass().await;
    assert_eq!(queries(&office), 1);
    later(&office, 60);
    office.desk().merge(1, 3).unwrap();
    reader.pass().await;
    assert_eq!((queries(&office), office.simulator.requests().len()), (3, 6));
}

#[tokio::test]
async fn in_an_office_that_may_be_asked_once_a_second() {
    let interval = Duration::from_millis(20);
    let office = office(Plan::remote(interval), 150).await;
    for number in (1..=60).filter(|number| number % 2 == 1) {
        office.desk().merge(number, number + 1).unwrap();
    }
    let mut reader = office.reader();
    let read = reader.pass().await;
    assert_eq!((read.len(), merges(&read).len()), (150, 30));
    assert!(
        office
            .simulator
            .requests()
            .iter()
            .all(|request| request.status == Some(200))
    );
}

/// A busy day: people merge, in one go or in halves, and correct while pages are read. The seed is fixed, so that a run is
/// the same every time.
async fn none_is_lost_on_a_busy_day(order: PageOrder, filter: StampFilter) {
    const PATIENTS: i64 = 100;
    let mut plan = Plan::service()
        .order(order)
        .set("page-size", "20")
        .set("overlap-seconds", "2");
    plan.options.unknowns.stamp_filter = filter;
    let office = office(plan, PATIENTS as usize).await;
    let (desk, mut chance) = (office.desk(), StdRng::seed_from_u64(11));
    let (mut links, mut halves) = (BTreeMap::new(), Vec::new());
    let (mut reader, mut shown) = (office.reader(), BTreeMap::new());
    for page in 0..200 {
        let (from, to) = (
            chance.random_range(1..=PATIENTS),
            chance.random_range(1..=PATIENTS),
        );
        let is_possible = from != to && !links.contains_key(&from) && !links.contains_key(&to);
        match chance.random_range(0..4) {
            0 if is_possible && links.len() < 40 => {
                links.insert(from, to);
                desk.begin_merge(from, to).unwrap();
                halves.push((from, to));
            }
            1 if !halves.is_empty() => {
                let (from, to) = halves.swap_remove(chance.random_range(0..halves.len()));
                desk.finish_merge(from, to).unwrap();
            }
            _ => desk
                .set(from, Field::HmPhone, &format!("503555{page:04}"))
                .unwrap(),
        }
        later(&office, chance.random_range(0..2));
        learn(&mut shown, &reader.page().await.0);
    }
    for (from, to) in halves {
        desk.finish_merge(from, to).unwrap();
    }
    // The rest of the pass that is under way, and one pass over an office that stands still.
    for _ in 0..2 {
        learn(&mut shown, &reader.pass().await);
    }
    let told: BTreeMap<_, _> = shown
        .into_iter()
        .filter_map(|(from, to)| Some((from, to?)))
        .collect();
    assert!(links.len() > 20, "it was a busy day");
    assert_eq!(told, links);
}

/// What was shown last about every patient: the one who took the place.
fn learn(shown: &mut BTreeMap<i64, Option<i64>>, views: &[View]) {
    let told: BTreeMap<_, _> = merges(views).into_iter().collect();
    shown.extend(
        views
            .iter()
            .map(number)
            .map(|from| (from, told.get(&from).copied())),
    );
}

#[tokio::test]
async fn in_a_busy_office_in_the_order_of_the_numbers() {
    none_is_lost_on_a_busy_day(PageOrder::PatNum, StampFilter::AtOrAfter).await;
}

#[tokio::test]
async fn in_a_busy_office_in_the_order_of_the_changes() {
    none_is_lost_on_a_busy_day(PageOrder::DateTStamp, StampFilter::After).await;
}

#[tokio::test]
async fn in_a_busy_office_in_another_order_every_time() {
    none_is_lost_on_a_busy_day(PageOrder::Shuffled, StampFilter::AtOrAfter).await;
}

//! Whatever systems make of what they are given, and in whatever order edits, polls and deliveries come: the bus comes to
//! rest, loses no edit and makes nothing up.
//!
//! - Once the edits have ended and every system was polled, each is written at most twice: by the delivery that was under
//!   way, and by one with everything that came since.
//! - Every edit is taken when the bus first reads the record after it, or is put to a person where another system owns the
//!   path. A later edit of the same path may win after that, and only that.
//! - Nothing changes in the truth that nobody edited.
//!
//! What the model leaves out, because nobody could tell: an edit of an element that a delivery writes to, or of another one
//! with the same key, between the look and the moment at which what was read back is settled; and staff who edit elements
//! that their system files under another key than the bus.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod bus;
mod compared;
mod edits;
mod lossy;
mod system;

use archwire_core::{FieldGroup, Fields, OnDisagreement, Owner, Ownership, Path, still_disagrees};
use bus::Bus;
use edits::{Edit, edit, patient};
use lossy::{LOSSES, Loss};
use proptest::{
    collection::{btree_set, vec},
    option,
    prelude::*,
    sample::select,
};
use std::collections::BTreeSet;
use system::System;

const NAMES: [&str; 3] = ["front-desk", "imaging", "archive"];

#[derive(Debug, Clone)]
enum Action {
    Edit(Edit),
    Fetch,
    Hear,
    Step,
}

/// What happens, and in which system: a number that is taken modulo how many there are.
fn actions() -> impl Strategy<Value = Vec<(usize, Action)>> {
    let action = prop_oneof![
        3 => edit().prop_map(Action::Edit),
        2 => Just(Action::Fetch),
        2 => Just(Action::Hear),
        6 => Just(Action::Step),
    ];
    vec((0..6_usize, action), 0..60)
}

fn play(bus: &mut Bus, actions: &[(usize, Action)]) {
    let systems = bus.systems.len();
    for (number, (at, action)) in actions.iter().enumerate() {
        let at = at % systems;
        match action {
            Action::Edit(edit) => bus.edit(at, |fields| edit.apply(fields, number)),
            Action::Fetch => bus.fetch(at),
            Action::Hear => bus.hear(at),
            Action::Step => _ = bus.step(at),
        }
    }
}

/// Polls every system once, delivers until there is nothing to deliver, and polls again.
fn rest(bus: &mut Bus) {
    let systems = bus.systems.len();
    for at in 0..systems {
        bus.hear(at);
        bus.poll(at);
    }
    let writes = |bus: &Bus| bus.systems.iter().map(|system| system.writes).collect::<Vec<_>>();
    let (before, events) = (writes(bus), bus.revision());
    for at in 0..systems {
        let steps = (0..100).take_while(|_| bus.step(at)).count();
        assert!(steps < 100, "deliveries do not end");
    }
    for (at, (before, after)) in before.iter().zip(writes(bus)).enumerate() {
        assert!(after - before <= 2, "{} writes to one system", after - before);
        bus.poll(at);
        assert!(!bus.step(at), "a poll after the end brought something up");
    }
    assert_eq!(bus.revision(), events, "a delivery came back as news");
}

/// What each system shows is what it makes of the truth, but for what is disputed.
fn agree(bus: &Bus) {
    let truth = bus.truth.clone().unwrap();
    for system in &bus.systems {
        let shows = system.shows.as_ref().unwrap();
        let mut differing = lossy::shown(&system.losses, &truth).difference(shows);
        differing.retain(|path| !system.disputed.contains(path));
        assert!(
            differing.is_empty(),
            "{} shows otherwise {differing:?}",
            system.name
        );
    }
}

fn losses() -> impl Strategy<Value = Vec<Loss>> {
    btree_set(select(LOSSES.to_vec()), 0..4).prop_map(|losses| losses.into_iter().collect())
}

fn ownership() -> impl Strategy<Value = Ownership> {
    let answers = select(vec![OnDisagreement::Review, OnDisagreement::Restore]);
    let owner = option::of((select(NAMES.to_vec()), answers));
    let groups = [FieldGroup::Name, FieldGroup::Contact, FieldGroup::Demographics];
    vec(owner, groups.len()).prop_map(move |owners| {
        let mut ownership = Ownership::default();
        for (group, owner) in groups.into_iter().zip(owners) {
            if let Some((name, on_disagreement)) = owner {
                let system = name.parse().unwrap();
                ownership.assign(
                    group,
                    Owner {
                        system,
                        on_disagreement,
                    },
                );
            }
        }
        ownership
    })
}

/// The same patient, as the staff of another system typed them.
fn typed_again(first: &Fields, at: usize, edits: &[Edit]) -> Fields {
    let edits = edits.iter().enumerate();
    edits.fold(first.clone(), |fields, (number, edit)| {
        edit.apply(&fields, 700 + 10 * at + number)
    })
}

/// A bus that knows a patient from the first system. Of the others, those have a record of their own for which there is
/// one in `own`, and the rest are given one.
fn bus(ownership: Ownership, losses: &[Vec<Loss>], first: &Fields, own: &[Option<Fields>]) -> Bus {
    let systems = losses.iter().zip(NAMES).enumerate().map(|(at, (losses, name))| {
        let own = || own.get(at - 1).and_then(Option::as_ref);
        System::new(name, losses, if at == 0 { Some(first) } else { own() })
    });
    let mut bus = Bus::new(ownership, systems.collect());
    bus.poll(0);
    bus
}

proptest! {
    #[test]
    fn any_interleaving_comes_to_rest_without_a_lost_edit_or_an_echo(
        first in patient(), losses in vec(losses(), 2..4), actions in actions(),
    ) {
        let mut bus = bus(Ownership::default(), &losses, &first, &[]);
        play(&mut bus, &actions);
        rest(&mut bus);
        agree(&bus);
        prop_assert!(bus.systems.iter().all(|system| system.disputed.is_empty()));
    }

    #[test]
    fn only_owners_change_what_they_own_and_others_are_put_right_where_that_is_asked_for(
        first in patient(), losses in vec(losses(), 2..4), ownership in ownership(), actions in actions(),
        own in vec(option::of(vec(edit(), 0..4)), 2),
    ) {
        let typed = |(at, edits): (usize, &Option<Vec<Edit>>)| {
            edits.as_ref().map(|edits| typed_again(&first, at, edits))
        };
        let own: Vec<_> = own.iter().enumerate().map(typed).collect();
        let mut bus = bus(ownership, &losses, &first, &own);
        play(&mut bus, &actions);
        rest(&mut bus);
        agree(&bus);
        let truth = bus.truth.clone().unwrap();
        for system in &bus.systems {
            let is_held = |path: &&Path| truth.get(path).is_some();
            let left: Vec<&Path> = system.put_right.intersection(&system.disputed).filter(is_held).collect();
            prop_assert!(left.is_empty(), "{} was not put right at {left:?}", system.name);
        }
    }

    #[test]
    fn a_system_that_only_writes_differently_what_it_was_given_changes_nothing(
        first in patient(), losses in vec(losses(), 3), ownership in ownership(),
    ) {
        let mut bus = bus(ownership, &losses, &first, &[]);
        let truth = bus.truth.clone();
        rest(&mut bus);
        prop_assert_eq!(&bus.truth, &truth);
        prop_assert_eq!(bus.systems.iter().map(|system| system.writes).sum::<usize>(), 2);
    }

    /// What has no use comes back with one. It is no other element for that, as long as its list has no two with one key.
    #[test]
    fn what_a_system_files_under_another_key_does_not_come_back_as_news(
        first in patient().prop_filter("two with one key", |first| !first.paths().any(|path| path.as_str().contains('~'))),
        mut losses in vec(losses(), 2..4), actions in actions(),
    ) {
        for losses in losses.iter_mut().skip(1) {
            losses.insert(0, Loss::OneSlot);
        }
        let mut bus = bus(Ownership::default(), &losses, &first, &[]);
        let elements = |bus: &Bus| -> BTreeSet<String> {
            let truth = bus.truth.as_ref().unwrap();
            truth.paths().map(|path| path.element().to_owned()).collect()
        };
        let before = elements(&bus);
        let front_desk = |(at, action): &(usize, Action)| match action {
            Action::Edit(edit) => at % losses.len() == 0 && edit.is_of_a_value(),
            _ => true,
        };
        play(&mut bus, &actions.into_iter().filter(front_desk).collect::<Vec<_>>());
        rest(&mut bus);
        prop_assert_eq!(elements(&bus), before);
        agree(&bus);
    }

    /// Whatever happened: a bus at rest has nothing to report. What staff then do behind its back is found, and once that is
    /// repaired nothing is left of it.
    #[test]
    fn a_system_at_rest_does_not_differ_and_neither_does_a_repaired_one(
        first in patient(), losses in vec(losses(), 2..4), ownership in ownership(), actions in actions(),
        unheard in vec((0..6_usize, edit()), 1..4),
    ) {
        let mut bus = bus(ownership, &losses, &first, &[]);
        play(&mut bus, &actions);
        rest(&mut bus);
        for at in 0..bus.systems.len() {
            let differences = bus.compare(at);
            prop_assert!(differences.is_none(), "{} at rest: {differences:?}", bus.systems[at].name);
        }
        for (number, (at, edit)) in unheard.iter().enumerate() {
            bus.edit(at % losses.len(), |fields| edit.apply(fields, 800 + number));
        }
        for at in 0..bus.systems.len() {
            let edited: BTreeSet<Path> = bus.systems[at].edits.iter().map(|(path, _)| path.clone()).collect();
            let shows = bus.systems[at].shows.clone().unwrap();
            let heard = bus.systems[at].record.as_ref().unwrap().shadow.clone().unwrap();
            let wanted = bus.truth.as_ref().unwrap();
            // Staff may also come round to what the bus wants.
            let told = edited
                .iter()
                .filter(|path| shows.get(path) != heard.get(path) && still_disagrees(path, &shows, wanted));
            let found = bus.compare(at).unheard;
            prop_assert!(told.clone().count() == 0 || !found.is_empty(), "nothing was found of {edited:?}");
            prop_assert!(found.is_subset(&edited), "{found:?} was found, {edited:?} was edited");
        }
        for at in 0..bus.systems.len() {
            bus.repair(at);
        }
        rest(&mut bus);
        agree(&bus);
        for at in 0..bus.systems.len() {
            let differences = bus.compare(at);
            prop_assert!(differences.is_none(), "{} repaired: {differences:?}", bus.systems[at].name);
        }
    }
}

//! What a record is expected to show, and how two states of a patient are put together.
//!
//! A system that shortens, upper-cases or drops what it is given would, compared with the truth, seem to change it all
//! the time. So an observation is compared with what the *same system* is expected to show, by what it showed before (its
//! shadow) and what was written to it since; what differs from that is for [`crate::judge`].

use crate::{Fields, Path, rendering::is_rendering};
use std::collections::{BTreeMap, BTreeSet};

/// What a merge came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The patient afterwards.
    pub fields: Fields,
    /// What is now different from before. Empty when nothing is: no event.
    pub changed: BTreeSet<Path>,
}

/// Applies to `current` what `observed` knows and `current` does not: the first sight of a record that was linked to a
/// patient whom the bus knows already. What differs may be old or shortened, so it does not win; and nothing is added to
/// an element (an address, a name) that differs in anything, because two halves of two addresses are no address.
#[must_use]
pub fn fill_in(current: &Fields, observed: &Fields) -> Change {
    let differing: BTreeSet<&str> = observed
        .paths()
        .filter(|path| {
            current
                .get(path)
                .is_some_and(|leaf| observed.get(path) != Some(leaf))
        })
        .map(Path::element)
        .collect();
    let new = observed
        .paths()
        .filter(|path| current.get(path).is_none() && !differing.contains(path.element()));
    apply(current, new.cloned().collect(), observed)
}

/// What a system is expected to show after a delivery: its shadow, with the delivered paths as it now shows them,
/// however it shortened them. Whatever else `shown` differs in was changed by somebody in the meantime and is news.
///
/// The same for a system that follows the bus itself: its shadow, with the paths that it took over as they were then.
#[must_use]
pub fn expected_after(shadow: &Fields, delivered: &BTreeSet<Path>, shown: &Fields) -> Fields {
    apply(shadow, delivered.clone(), shown).fields
}

/// What a system is expected to show after the paths `written` were written to it, which are to be as in `wanted`: as
/// [`expected_after`], and where it files an element under another key than the bus (a number without a use as the one at
/// home), that element too, as long as it shows nothing there but what was written.
#[must_use]
pub fn expected_after_writing(
    shadow: &Fields,
    written: &BTreeSet<Path>,
    wanted: &Fields,
    shown: &Fields,
) -> Fields {
    let lists: BTreeSet<&str> = written.iter().filter_map(|path| list(path.element())).collect();
    let given: BTreeSet<&str> = wanted
        .paths()
        .chain(written)
        .map(Path::element)
        .filter(|element| list(element).is_some_and(|list| lists.contains(list)))
        .collect();
    let mut elements: BTreeMap<&str, Vec<&Path>> = BTreeMap::new();
    let differing = shadow.difference(shown);
    for path in differing.difference(written) {
        elements.entry(path.element()).or_default().push(path);
    }
    let mut expected = written.clone();
    for (element, paths) in elements {
        let filed = |given: &&str| is_filed_as(element, &paths, shown, given, wanted);
        if given.iter().any(filed) {
            expected.extend(paths.iter().copied().cloned());
        }
    }
    apply(shadow, expected, shown).fields
}

/// Whether all that is shown at these paths of `element` is what the element `given` of the same list is wanted to be.
fn is_filed_as(element: &str, paths: &[&Path], shown: &Fields, given: &str, wanted: &Fields) -> bool {
    let is_given = |path: &&Path| {
        let field = path.as_str().strip_prefix(element).unwrap_or_default();
        match (shown.get(path), wanted.get(&format!("{given}{field}").into())) {
            (Some(shown), Some(wanted)) => is_rendering(path, shown, wanted),
            // What the given one does not have goes with what was there before.
            (shown, wanted) => shown.is_none() && wanted.is_none(),
        }
    };
    let is_shown = paths.iter().any(|path| shown.get(path).is_some());
    // Another number under the same key is no other key: an element before it went.
    let is_other_key = without_number(element) != without_number(given);
    is_other_key && list(element) == list(given) && is_shown && paths.iter().all(is_given)
}

/// An element without its number among those with the same key.
pub(crate) fn without_number(element: &str) -> &str {
    element.split_once('~').map_or(element, |(element, _)| element)
}

/// The list that an element is in; none for what a patient has once.
fn list(element: &str) -> Option<&str> {
    element.split_once('/').map(|(list, _)| list)
}

pub(crate) fn apply(current: &Fields, paths: BTreeSet<Path>, from: &Fields) -> Change {
    let mut fields = current.clone();
    let changed = paths
        .into_iter()
        .filter(|path| fields.put(path, from.get(path)))
        .collect();
    Change { fields, changed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Leaf, Ownership, Patient, Situation, Text, judge, sample};
    use proptest::prelude::*;

    fn fields() -> impl Strategy<Value = Fields> {
        sample::patient().prop_map(|patient| Fields::of(&patient).unwrap())
    }

    /// What counts of an observation when nobody owns anything.
    fn merge(current: &Fields, shadow: &Fields, observed: &Fields) -> Change {
        let situation = Situation {
            system: &"front-desk".parse().unwrap(),
            current: Some(current),
            shadow: Some(shadow),
            observed,
            ownership: &Ownership::default(),
            holds: &|_| true,
            is_given_up: false,
        };
        judge(&situation).change
    }

    /// What a system that upper-cases family names and keeps no addresses makes of a patient.
    fn lossy(fields: &Fields) -> Fields {
        let mut patient = fields.to_patient().unwrap();
        patient.addresses.clear();
        for name in &mut patient.names {
            name.family = name
                .family
                .take()
                .map(|family| Text::from(family.as_str().to_uppercase()));
        }
        Fields::of(&patient).unwrap()
    }

    proptest! {
        #[test]
        fn what_a_system_did_not_change_changes_nothing(current in fields(), shadow in fields()) {
            let change = merge(&current, &shadow, &shadow);
            prop_assert!(change.changed.is_empty());
            prop_assert_eq!(change.fields, current);
        }

        #[test]
        fn the_echo_of_a_delivery_to_a_lossy_system_changes_nothing(current in fields(), next in fields()) {
            let shadow = lossy(&current);
            let delivered = current.difference(&next);
            let shown = lossy(&next);
            let expected = expected_after(&shadow, &delivered, &shown);
            prop_assert!(merge(&next, &expected, &shown).changed.is_empty());
        }

        #[test]
        fn an_edit_made_during_a_delivery_is_not_expected(current in fields(), next in fields(), edited in fields()) {
            let delivered = current.difference(&next);
            let expected = expected_after(&current, &delivered, &edited);
            for path in current.difference(&edited).difference(&delivered) {
                prop_assert_eq!(expected.get(path), current.get(path));
            }
        }

        #[test]
        fn a_follower_that_took_over_and_is_behind_puts_nothing_back(
            current in fields(), shadow in fields(), taken_over in fields(),
        ) {
            let moved = shadow.difference(&taken_over);
            let expected = expected_after(&shadow, &moved, &taken_over);
            prop_assert!(merge(&current, &expected, &taken_over).changed.is_empty());
        }

        #[test]
        fn a_follower_may_put_a_value_back_that_it_took_over(shadow in fields(), taken_over in fields()) {
            let moved = shadow.difference(&taken_over);
            let expected = expected_after(&shadow, &moved, &taken_over);
            prop_assert_eq!(merge(&taken_over, &expected, &shadow).fields, shadow);
        }

        #[test]
        fn a_first_sight_overrides_nothing(current in fields(), observed in fields()) {
            let change = fill_in(&current, &observed);
            for path in current.paths() {
                prop_assert_eq!(change.fields.get(path), current.get(path));
            }
            for path in &change.changed {
                prop_assert_eq!(change.fields.get(path), observed.get(path));
            }
        }

        #[test]
        fn a_first_sight_never_mixes_two_elements(current in fields(), observed in fields()) {
            for path in fill_in(&current, &observed).changed {
                let same = |other: &&Path| other.element() == path.element();
                for other in observed.paths().filter(same) {
                    prop_assert!(current.get(other).is_none_or(|leaf| observed.get(other) == Some(leaf)));
                }
            }
        }

        #[test]
        fn a_new_patient_is_what_was_observed(observed in fields()) {
            let nobody = Fields::of(&Patient::default()).unwrap();
            let change = merge(&nobody, &nobody, &observed);
            prop_assert_eq!(change.fields, observed);
        }
    }

    #[test]
    fn what_is_filed_under_another_key_is_expected_and_an_edit_is_not() {
        let phone = |key: &str, number: &str| {
            let json = format!("\"{number}\"");
            (
                format!("telecom/{key}/value").into(),
                Leaf::from_json(&json).unwrap(),
            )
        };
        let fields = |leaves: Vec<(Path, Leaf)>| {
            let mut fields = Fields::default();
            for (path, leaf) in leaves {
                fields.put(&path, Some(&leaf));
            }
            fields
        };
        let wanted = fields(vec![phone("phone-any", "503 555 0142")]);
        let written = wanted.paths().cloned().collect();
        let expected =
            |shown: &Fields| expected_after_writing(&Fields::default(), &written, &wanted, shown) == *shown;
        assert!(expected(&fields(vec![phone("phone-home", "(503) 555-0142")])));
        assert!(!expected(&fields(vec![phone("phone-home", "503 555 0143")])));
        assert!(!expected(&fields(vec![phone("phone-any~2", "503 555 0142")])));
    }
}

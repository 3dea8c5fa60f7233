//! What an observation changes: the three-way merge.
//!
//! A system that shortens, upper-cases or drops what it is given would, compared with the truth, seem to change it all
//! the time. So an observation is compared with what the *same system* showed before (its shadow), and only what
//! changed there counts.

use crate::{Fields, Path};
use std::collections::BTreeSet;

/// What a merge came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The patient afterwards.
    pub fields: Fields,
    /// What is now different from before. Empty when nothing is: no event.
    pub changed: BTreeSet<Path>,
}

/// Applies to `current` what changed from `shadow` to `observed`. The later observation of a path wins.
#[must_use]
pub fn merge(current: &Fields, shadow: &Fields, observed: &Fields) -> Change {
    apply(current, shadow.difference(observed), observed)
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
    use crate::{Patient, Text, sample};
    use proptest::prelude::*;

    fn fields() -> impl Strategy<Value = Fields> {
        sample::patient().prop_map(|patient| Fields::of(&patient).unwrap())
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
        fn every_change_of_a_system_is_taken(current in fields(), shadow in fields(), observed in fields()) {
            let change = merge(&current, &shadow, &observed);
            for path in shadow.difference(&observed) {
                prop_assert_eq!(change.fields.get(&path), observed.get(&path));
            }
            prop_assert_eq!(change.changed, current.difference(&change.fields));
        }

        #[test]
        fn what_a_system_did_not_touch_stays(current in fields(), shadow in fields(), observed in fields()) {
            let touched = shadow.difference(&observed);
            prop_assert!(merge(&current, &shadow, &observed).changed.is_subset(&touched));
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
        fn an_edit_made_during_a_delivery_is_news(current in fields(), next in fields(), edited in fields()) {
            let delivered = current.difference(&next);
            let expected = expected_after(&current, &delivered, &edited);
            let change = merge(&next, &expected, &edited);
            for path in next.difference(&edited).difference(&delivered) {
                prop_assert_eq!(change.fields.get(path), edited.get(path));
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
}

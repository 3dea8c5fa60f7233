//! Who has a blocking key: a map from key to the numbers of patients, made to be small.
//!
//! Most keys have one holder, who stands in the map itself; the others have a chain of eight bytes a holder, all in one
//! piece of memory. A key costs 10 to 20 bytes, depending on how full the map is.

use super::key::Key;
use std::collections::HashMap;

/// The number of a patient in the index, below [`Holders::MOST`].
pub(super) type Number = u32;

#[derive(Default)]
pub(super) struct Holders {
    by_key: HashMap<Key, First>,
    links: Vec<Link>,
    /// The first of the links that are not in use.
    unused: Option<u32>,
}

/// The only holder, or with the highest bit set the first link of a chain, to stay within four bytes.
#[derive(Clone, Copy)]
struct First(u32);

#[derive(Clone, Copy)]
struct Link {
    holder: Number,
    /// [`NO_LINK`] at the end.
    next: u32,
}

const IS_CHAIN: u32 = 1 << 31;
const NO_LINK: u32 = u32::MAX;

impl Holders {
    /// Numbers and links are below this.
    pub(super) const MOST: u32 = IS_CHAIN - 1;

    /// Room for so many patients: six keys each that are a patient's alone or the first of a household's, and four that
    /// others of the household have too.
    pub(super) fn with_room_for(patients: usize) -> Self {
        Self {
            by_key: HashMap::with_capacity(patients.saturating_mul(6)),
            links: Vec::with_capacity(patients.saturating_mul(4)),
            unused: None,
        }
    }

    /// The holders of a key, in no order.
    pub(super) fn of(&self, key: Key) -> impl Iterator<Item = Number> + '_ {
        let first = self.by_key.get(&key).copied();
        let only = first.and_then(First::only);
        let mut next = first.and_then(First::chain).unwrap_or(NO_LINK);
        let chain = std::iter::from_fn(move || {
            let link = self.links.get(next as usize)?;
            next = link.next;
            Some(link.holder)
        });
        only.into_iter().chain(chain)
    }

    /// Adds a holder who does not have the key yet.
    pub(super) fn add(&mut self, key: Key, holder: Number) {
        let next = match self.by_key.get(&key).copied() {
            None => {
                self.by_key.insert(key, First(holder));
                return;
            }
            Some(first) => match first.only() {
                Some(only) => self.link(only, NO_LINK),
                None => first.chain(),
            },
        };
        let chain = next.and_then(|next| self.link(holder, next));
        if let Some(chain) = chain {
            self.by_key.insert(key, First(chain | IS_CHAIN));
        }
    }

    /// Removes a holder. Takes time with the number of holders.
    pub(super) fn remove(&mut self, key: Key, holder: Number) {
        let Some(first) = self.by_key.get(&key).copied() else {
            return;
        };
        let Some(chain) = first.chain() else {
            if first.only() == Some(holder) {
                self.by_key.remove(&key);
            }
            return;
        };
        let rest = self.without(chain, holder);
        match self.links.get(rest as usize).copied() {
            None => _ = self.by_key.remove(&key),
            Some(last) if last.next == NO_LINK => {
                self.give_back(rest);
                self.by_key.insert(key, First(last.holder));
            }
            Some(_) => _ = self.by_key.insert(key, First(rest | IS_CHAIN)),
        }
    }

    /// The chain without its first link of that holder.
    fn without(&mut self, chain: u32, holder: Number) -> u32 {
        let mut before = NO_LINK;
        let mut at = chain;
        while let Some(link) = self.links.get(at as usize).copied() {
            if link.holder == holder {
                self.give_back(at);
                return match self.links.get_mut(before as usize) {
                    None => link.next,
                    Some(before) => {
                        before.next = link.next;
                        chain
                    }
                };
            }
            (before, at) = (at, link.next);
        }
        chain
    }

    /// A new link before `next`. `None` past the last number: the holder is then not found by that key.
    fn link(&mut self, holder: Number, next: u32) -> Option<u32> {
        let link = Link { holder, next };
        if let Some(place) = self.unused
            && let Some(unused) = self.links.get_mut(place as usize)
        {
            self.unused = Some(unused.next).filter(|next| *next != NO_LINK);
            *unused = link;
            return Some(place);
        }
        let place = u32::try_from(self.links.len())
            .ok()
            .filter(|place| *place < Self::MOST)?;
        self.links.push(link);
        Some(place)
    }

    fn give_back(&mut self, place: u32) {
        if let Some(link) = self.links.get_mut(place as usize) {
            link.next = self.unused.unwrap_or(NO_LINK);
            self.unused = Some(place);
        }
    }
}

impl First {
    fn only(self) -> Option<Number> {
        (self.0 & IS_CHAIN == 0).then_some(self.0)
    }

    fn chain(self) -> Option<u32> {
        (self.0 & IS_CHAIN != 0).then_some(self.0 ^ IS_CHAIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};
    use std::collections::{BTreeMap, BTreeSet};

    proptest! {
        #[test]
        fn who_was_added_and_not_removed_is_found(steps in vec((any::<bool>(), 0..4_u32, 0..6_u32), 0..80)) {
            let mut holders = Holders::default();
            let mut expected: BTreeMap<Key, BTreeSet<Number>> = BTreeMap::new();
            for (adds, key, holder) in steps {
                let known = expected.entry(key).or_default();
                if !adds {
                    known.remove(&holder);
                    holders.remove(key, holder);
                } else if known.insert(holder) {
                    holders.add(key, holder);
                }
                for (key, known) in &expected {
                    let found: Vec<Number> = holders.of(*key).collect();
                    prop_assert_eq!(found.len(), known.len());
                    prop_assert_eq!(&found.into_iter().collect::<BTreeSet<_>>(), known);
                }
            }
            // What was given back is used again.
            prop_assert!(holders.links.len() <= 24);
        }
    }
}

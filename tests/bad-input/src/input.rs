//! An input, taken apart from its beginning. Where nothing is left, there are zeros.

use crate::LONGEST;

pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes.get(..LONGEST).unwrap_or(bytes))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        for (to, from) in array.iter_mut().zip(self.some(N)) {
            *to = *from;
        }
        array
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    pub(crate) fn short(&mut self) -> u16 {
        u16::from_be_bytes(self.array())
    }

    pub(crate) fn long(&mut self) -> u32 {
        u32::from_be_bytes(self.array())
    }

    /// As many bytes, or as there are.
    pub(crate) fn some(&mut self, count: usize) -> &'a [u8] {
        let (some, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        some
    }

    /// A part that says how long it is.
    pub(crate) fn part(&mut self) -> &'a [u8] {
        let length = self.short();
        self.some(length.into())
    }

    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// One of several.
    pub(crate) fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        let index = usize::from(self.byte()) % of.len();
        *of.get(index).expect("there is something to choose from")
    }
}

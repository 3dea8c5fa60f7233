//! Comments of a `.proto` file, by the place of what they are about.

use prost_types::FileDescriptorProto;
use std::collections::BTreeMap;

/// Numbers of the fields of descriptors that lead to what has comments (descriptor.proto).
pub(crate) const MESSAGES: i32 = 4;
pub(crate) const ENUMS: i32 = 5;
pub(crate) const SERVICES: i32 = 6;
pub(crate) const FIELDS: i32 = 2;
pub(crate) const VALUES: i32 = 2;
pub(crate) const CALLS: i32 = 2;

/// The comments before things.
pub(crate) struct Comments<'a>(BTreeMap<&'a [i32], &'a str>);

impl<'a> Comments<'a> {
    pub(crate) fn of(file: &'a FileDescriptorProto) -> Self {
        let places = file.source_code_info.iter().flat_map(|info| &info.location);
        let comments = places.filter_map(|place| Some((&place.path[..], place.leading_comments.as_deref()?)));
        Self(comments.collect())
    }

    /// What is said of something; empty when nothing is.
    pub(crate) fn at(&self, place: &[i32]) -> &'a str {
        self.0.get(place).copied().unwrap_or_default()
    }
}

//! Which fields of a message a vendor asks for: a `google.protobuf.FieldMask`, looked up in the contract's own descriptors and
//! applied to the bytes.
//!
//! A path names a field, or a field within one: "patient.names.family". Within a repeated field it counts for every element. It
//! only leaves out, so that whatever the contract hides stays hidden. Bounds: 64 paths of at most 8 names.

use super::status::refuse_field;
use archwire_proto::v1::DESCRIPTORS;
use bytes::Bytes;
use prost::{
    Message as _,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, encode_varint, skip_field},
};
use prost_types::{DescriptorProto, FieldMask, FileDescriptorSet};
use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};
use tonic::{Code, Status};

const MOST_PATHS: usize = 64;
const LONGEST_PATH: usize = 8;

/// A message that can be asked for in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Masked {
    Event,
    Patient,
}

/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Mask(Option<Fields>);

/// Fields by their numbers, each whole or in part.
#[derive(Debug, Default)]
struct Fields(BTreeMap<u32, Mask>);

/// Fields by their names: number, and of which message they are.
type Message = HashMap<String, (u32, Option<String>)>;

static MESSAGES: LazyLock<HashMap<String, Message>> = LazyLock::new(|| {
    let files = FileDescriptorSet::decode(DESCRIPTORS).unwrap_or_default();
    let messages = files.file.iter().flat_map(|file| {
        let package = file.package().to_owned();
        file.message_type
            .iter()
            .map(move |message| (format!(".{package}.{}", message.name()), fields(message)))
    });
    messages.collect()
});

fn fields(message: &DescriptorProto) -> Message {
    let fields = message.field.iter().map(|field| {
        let number = u32::try_from(field.number()).unwrap_or_default();
        (field.name().to_owned(), (number, field.type_name.clone()))
    });
    fields.collect()
}

impl Masked {
    fn name(self) -> &'static str {
        match self {
            Self::Event => ".archwire.v1.Event",
            Self::Patient => ".archwire.v1.Patient",
        }
    }
}

impl Mask {
    /// What the mask says of a message; one without paths asks for everything.
    pub(super) fn read(mask: Option<&FieldMask>, of: Masked) -> Result<Self, Status> {
        let Some(FieldMask { paths }) = mask.filter(|mask| !mask.paths.is_empty()) else {
            return Ok(Self(None));
        };
        if paths.len() > MOST_PATHS {
            return Err(refused("`mask` has more than 64 paths"));
        }
        let mut fields = Fields::default();
        for path in paths {
            fields.ask(of.name(), path)?;
        }
        Ok(Self(Some(fields)))
    }

    /// What is asked for of a message; none for bytes that are no message.
    pub(super) fn cut(&self, message: Bytes) -> Option<Bytes> {
        let Some(fields) = &self.0 else {
            return Some(message);
        };
        let mut rest = message;
        let mut kept = Vec::with_capacity(rest.len());
        while !rest.is_empty() {
            let whole = rest.clone();
            let (number, wire_type) = decode_key(&mut rest).ok()?;
            let asked = fields.0.get(&number);
            match (asked, wire_type) {
                (Some(part @ Self(Some(_))), WireType::LengthDelimited) => {
                    let length = usize::try_from(decode_varint(&mut rest).ok()?).ok()?;
                    if length > rest.len() {
                        return None;
                    }
                    let part = part.cut(rest.split_to(length))?;
                    encode_varint(
                        u64::from(number << 3 | WireType::LengthDelimited as u32),
                        &mut kept,
                    );
                    encode_varint(u64::try_from(part.len()).ok()?, &mut kept);
                    kept.extend_from_slice(&part);
                }
                _ => {
                    skip_field(wire_type, number, &mut rest, DecodeContext::default()).ok()?;
                    if asked.is_some() {
                        kept.extend_from_slice(whole.get(..whole.len() - rest.len())?);
                    }
                }
            }
        }
        Some(kept.into())
    }

    /// The same of a message that is not encoded.
    pub(super) fn cut_message<M: prost::Message + Default>(&self, message: M) -> M {
        if self.0.is_none() {
            return message;
        }
        let cut = self.cut(message.encode_to_vec().into());
        cut.and_then(|cut| M::decode(cut).ok()).unwrap_or_default()
    }
}

impl Fields {
    /// Asks for one field more.
    fn ask(&mut self, message: &str, path: &str) -> Result<(), Status> {
        let names: Vec<&str> = path.splitn(LONGEST_PATH + 1, '.').collect();
        let (Some((last, within)), true) = (names.split_last(), names.len() <= LONGEST_PATH) else {
            return Err(refused("a path of `mask` has more than 8 names"));
        };
        let (mut fields, mut message) = (self, message);
        for name in within {
            let (number, inner) = field(message, name)?;
            message =
                inner.ok_or_else(|| refused("a path of `mask` goes into a field that has none within"))?;
            let part = fields
                .0
                .entry(number)
                .or_insert_with(|| Mask(Some(Self::default())));
            // Who asks for all of a field asks for everything within.
            let Some(part) = &mut part.0 else {
                return field_exists(message, last);
            };
            fields = part;
        }
        let (number, _) = field(message, last)?;
        fields.0.insert(number, Mask(None));
        Ok(())
    }
}

fn field_exists(message: &str, name: &str) -> Result<(), Status> {
    field(message, name).map(drop)
}

/// A field's number, and of which message it is.
fn field(message: &str, name: &str) -> Result<(u32, Option<&'static str>), Status> {
    let found = MESSAGES.get(message).and_then(|fields| fields.get(name));
    let (number, inner) = found.ok_or_else(|| refused("a path of `mask` names a field that there is not"))?;
    Ok((
        *number,
        inner.as_deref().filter(|inner| MESSAGES.contains_key(*inner)),
    ))
}

fn refused(message: &'static str) -> Status {
    refuse_field(Code::InvalidArgument, "argument_invalid", "mask", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use archwire_proto::v1::{Event, HumanName, Observation, Patient};
    use proptest::prelude::*;

    fn mask(paths: &[&str]) -> Result<Mask, Status> {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        Mask::read(Some(&FieldMask { paths }), Masked::Event)
    }

    fn event() -> Event {
        let name = |family: &str| HumanName {
            family: Some(family.to_owned()),
            given: vec!["Ada".to_owned()],
            ..HumanName::default()
        };
        let patient = Patient {
            names: vec![name("Okafor"), name("Obi")],
            birth_date: Some("2011-04-02".to_owned()),
            ..Patient::default()
        };
        Event {
            id: "id".to_owned(),
            revision: 7,
            changed: vec!["names".to_owned(), "birth_date".to_owned()],
            patient: Some(patient.clone()),
            observation: Some(Observation {
                system: "tracer".to_owned(),
                patient: Some(patient),
                ..Observation::default()
            }),
            ..Event::default()
        }
    }

    fn cut(paths: &[&str]) -> Event {
        let bytes = mask(paths).unwrap().cut(event().encode_to_vec().into());
        Event::decode(bytes.unwrap()).unwrap()
    }

    #[test]
    fn only_what_is_asked_for_is_left_at_every_depth() {
        let cut = cut(&[
            "revision",
            "changed",
            "patient.names.family",
            "observation.system",
        ]);
        let families: Vec<_> = cut.patient.iter().flat_map(|patient| &patient.names).collect();
        assert_eq!((cut.id.as_str(), cut.revision, cut.changed.len()), ("", 7, 2));
        assert_eq!(families.len(), 2);
        assert!(
            families
                .iter()
                .all(|name| name.family.is_some() && name.given.is_empty())
        );
        assert_eq!(cut.patient.unwrap().birth_date, None);
        let observation = cut.observation.unwrap();
        assert_eq!(
            (observation.system.as_str(), observation.patient.is_some()),
            ("tracer", false)
        );
    }

    #[test]
    fn who_asks_for_all_of_a_field_gets_all_of_it_whatever_else_is_asked_for() {
        for paths in [["patient", "patient.names"], ["patient.names", "patient"]] {
            assert_eq!(
                cut(&paths).patient.unwrap().birth_date.as_deref(),
                Some("2011-04-02")
            );
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_is_refused_with_the_field_that_is_to_blame() {
        use tonic_types::StatusExt as _;
        let nine = ["a"; 9].join(".");
        for path in [
            "",
            "shoe_size",
            "patient.shoe_size",
            "id.length",
            "patient.",
            nine.as_str(),
        ] {
            let refused = mask(&[path]).unwrap_err();
            let violations = refused.get_details_bad_request().unwrap().field_violations;
            assert_eq!(violations[0].field, "mask", "{path}");
        }
        assert!(mask(&["id"; 65]).is_err());
    }

    #[test]
    fn no_mask_and_an_empty_one_leave_everything() {
        let bytes: Bytes = event().encode_to_vec().into();
        for mask in [None, Some(&FieldMask::default())] {
            let mask = Mask::read(mask, Masked::Event).unwrap();
            assert_eq!(mask.cut(bytes.clone()), Some(bytes.clone()));
        }
    }

    proptest! {
        #[test]
        fn bytes_that_are_no_message_never_grow_and_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mask = mask(&["id", "patient.names.family", "observation.patient"]).unwrap();
            let length = bytes.len();
            if let Some(cut) = mask.cut(bytes.into()) {
                prop_assert!(cut.len() <= length);
            }
        }
    }
}

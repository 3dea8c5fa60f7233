//! Who is looked for. What a request looks at has to be in the contract, or the answer would tell it.

use crate::{
    api::status::{invalid, refuse_field},
    wire::WireError,
};
use archwire_core::{FieldGroup, LocalId, PartialDate, SystemName, contract::Contract, identity::comparable};
use archwire_proto::v1::{FindPatientsRequest, HumanName, Identifier, Patient};
use tonic::{Code, Status};

/// Longest text that is looked for, in bytes.
const LONGEST: usize = 256;

/// Who is looked for.
#[derive(Default)]
pub(super) struct Sought {
    family: Option<String>,
    given: Option<String>,
    birth_date: Option<String>,
    /// Namespace, where it matters, and value.
    identifier: Option<(Option<String>, String)>,
    telecom: Option<Telecom>,
    record: Option<(SystemName, LocalId)>,
}

/// A telephone number by its digits, or a mail address.
#[derive(PartialEq, Eq)]
enum Telecom {
    Digits(String),
    Mail(String),
}

impl Telecom {
    fn of(text: &str) -> Self {
        match text.contains('@') {
            true => Self::Mail(text.trim().to_lowercase()),
            false => Self::Digits(text.chars().filter(char::is_ascii_digit).collect()),
        }
    }

    fn says_something(&self) -> bool {
        let (Self::Digits(text) | Self::Mail(text)) = self;
        !text.is_empty()
    }
}

impl Sought {
    /// What a request says, within a contract.
    pub(super) fn read(request: &FindPatientsRequest, contract: &Contract) -> Result<Self, Status> {
        let asked = Asked(contract);
        let family = asked.text("family", &request.family, FieldGroup::Name)?;
        let given = asked.text("given", &request.given, FieldGroup::Name)?;
        let birth_date = asked.text("birth_date", &request.birth_date, FieldGroup::Demographics)?;
        if let Some(date) = birth_date {
            PartialDate::parse(date).map_err(|error| invalid(&WireError::Date("birth_date", error)))?;
        }
        let telecom = asked.text("telecom", &request.telecom, FieldGroup::Contact)?;
        let telecom = telecom.map(Telecom::of);
        if telecom.as_ref().is_some_and(|telecom| !telecom.says_something()) {
            return Err(invalid(&WireError::Malformed("telecom")));
        }
        Ok(Self {
            family: family.map(|family| folded("family", family)).transpose()?,
            given: given.map(|given| folded("given", given)).transpose()?,
            birth_date: birth_date.map(str::to_owned),
            identifier: asked.identifier(request.identifier.as_ref())?,
            telecom,
            record: asked.record(request)?,
        })
    }

    /// The record by which somebody is looked for.
    pub(super) fn record(&self) -> Option<&(SystemName, LocalId)> {
        self.record.as_ref()
    }

    /// Whether a patient is one of those, but for the record.
    pub(super) fn is(&self, patient: &Patient) -> bool {
        self.is_named(&patient.names)
            && self.birth_date.as_ref().is_none_or(|date| {
                let known = patient.birth_date.as_deref();
                known.is_some_and(|known| known.starts_with(date.as_str()))
            })
            && self.identifier.as_ref().is_none_or(|(system, value)| {
                let is_it = |known: &Identifier| {
                    known.value == *value && system.as_ref().is_none_or(|system| known.system == *system)
                };
                patient.identifiers.iter().any(is_it)
            })
            && self.telecom.as_ref().is_none_or(|telecom| {
                let mut known = patient.telecom.iter();
                known.any(|known| Telecom::of(&known.value) == *telecom)
            })
    }

    /// Family and given name have to stand in one name.
    fn is_named(&self, names: &[HumanName]) -> bool {
        if self.family.is_none() && self.given.is_none() {
            return true;
        }
        names.iter().any(|name| {
            let family = self.family.as_ref().is_none_or(|family| {
                let known = name.family.as_deref();
                known.is_some_and(|known| comparable(known) == *family)
            });
            family
                && self
                    .given
                    .as_ref()
                    .is_none_or(|given| name.given.iter().any(|known| comparable(known) == *given))
        })
    }
}

/// What a request asks, by the contract under which it does.
struct Asked<'a>(&'a Contract);

impl Asked<'_> {
    /// A text that is looked for in fields of this group; none where it is empty.
    fn text<'t>(
        &self,
        field: &'static str,
        text: &'t str,
        group: FieldGroup,
    ) -> Result<Option<&'t str>, Status> {
        if text.is_empty() {
            return Ok(None);
        }
        if text.len() > LONGEST {
            return Err(invalid(&WireError::Malformed(field)));
        }
        self.reads(field, group).map(|()| Some(text))
    }

    fn reads(&self, field: &'static str, group: FieldGroup) -> Result<(), Status> {
        match self.0.read.fields.contains(&group) {
            true => Ok(()),
            false => Err(refuse_field(
                Code::PermissionDenied,
                "field_denied",
                field,
                "the contract does not read the fields that this looks at",
            )),
        }
    }

    fn identifier(
        &self,
        identifier: Option<&Identifier>,
    ) -> Result<Option<(Option<String>, String)>, Status> {
        let Some(identifier) = identifier else {
            return Ok(None);
        };
        let value = self.text("identifier.value", &identifier.value, FieldGroup::Identifiers)?;
        let value = value.ok_or_else(|| invalid(&WireError::Missing("identifier.value")))?;
        let system = self.text("identifier.system", &identifier.system, FieldGroup::Identifiers)?;
        Ok(Some((system.map(str::to_owned), value.to_owned())))
    }

    fn record(&self, request: &FindPatientsRequest) -> Result<Option<(SystemName, LocalId)>, Status> {
        let Some(record) = &request.record else {
            return Ok(None);
        };
        let system = record.system.parse();
        let system: SystemName = system.map_err(|error| invalid(&WireError::Name("record.system", error)))?;
        let local_id = record.local_id.parse();
        let local_id = local_id.map_err(|error| invalid(&WireError::Name("record.local_id", error)))?;
        // A vendor's own records are no secret to it.
        if system != self.0.grantee.vendor {
            self.reads("record.system", FieldGroup::Identifiers)?;
        }
        Ok(Some((system, local_id)))
    }
}

/// A name as it is compared. One of which nothing is left would find everybody whose name nobody can compare.
fn folded(field: &'static str, name: &str) -> Result<String, Status> {
    let folded = comparable(name);
    match folded.is_empty() {
        true => Err(invalid(&WireError::Malformed(field))),
        false => Ok(folded),
    }
}

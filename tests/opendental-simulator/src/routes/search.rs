//! `GET /patients`: the search of the Select Patient window, with fewer fields (Open Dental API, Patients).
//!
//! Texts match in part and without case, phones by their digits. Archived and deceased patients are hidden unless
//! `showArchived=true`, as in that window. Filters on things that this office has none of (sites, subscribers,
//! countries, invoices) select nobody.

use crate::answer::Answer;
use crate::duplicate::digits;
use crate::fields::Field;
use crate::gate::Call;
use crate::keys::ApiKey;
use crate::model::Patient;
use crate::refusal::Refusal;
use crate::shared::Shared;
use crate::validate;
use crate::version::Version;

use super::select::{contains, page, view};

const SINCE: Version = Version(21, 1, 0);
const TEXTS: [Field; 8] = [
    Field::LName,
    Field::FName,
    Field::Address,
    Field::City,
    Field::State,
    Field::Ssn,
    Field::ChartNumber,
    Field::Email,
];
const NEVER_THERE: [&str; 4] = ["SiteNum", "SubscriberId", "Country", "invoiceNumber"];
const OTHERS: [&str; 7] = [
    "Phone",
    "hideInactive",
    "guarOnly",
    "showArchived",
    "Birthdate",
    "clinicNums",
    "clinicAbbr",
];

/// The patients that the search finds.
pub(crate) fn search(shared: &Shared, key: &ApiKey, call: &Call) -> Result<Answer, Refusal> {
    let known: Vec<(&str, Version)> = TEXTS
        .iter()
        .map(|field| field.name())
        .chain(NEVER_THERE)
        .chain(OTHERS)
        .map(|name| (name, SINCE))
        .collect();
    call.params.only(&known, shared.options.version)?;
    let wanted = Wanted::new(shared, call)?;
    let office = shared.office();
    let rows = office
        .patients()
        .filter(|patient| wanted.fits(patient, call))
        .collect();
    let view = view(shared, call);
    let page = page(shared, key, call, rows)?;
    Ok(Answer::json(
        200,
        &page.map(|patient| view.search(patient)).collect::<Vec<_>>(),
    ))
}

/// The switches and lists of a search, read once.
struct Wanted {
    nobody: bool,
    hide_inactive: bool,
    guarantors_only: bool,
    show_archived: bool,
    clinics: Option<Vec<i64>>,
}

impl Wanted {
    fn new(shared: &Shared, call: &Call) -> Result<Self, Refusal> {
        let params = &call.params;
        if let Some(date) = params.get("Birthdate") {
            validate::date(date).ok_or_else(|| Refusal::bad("Birthdate format must be yyyy-MM-dd"))?;
        }
        let numbers = params
            .get("clinicNums")
            .map(|list| {
                list.split(',')
                    .map(|number| number.trim().parse())
                    .collect::<Result<Vec<i64>, _>>()
            })
            .transpose()
            .map_err(|_| Refusal::invalid("clinicNums"))?;
        let by_abbr = params.get("clinicAbbr").map(|abbr| {
            let clinics = shared.options.clinics.iter();
            clinics
                .filter(|clinic| clinic.abbr == abbr)
                .map(|clinic| clinic.clinic_num)
                .collect()
        });
        Ok(Self {
            nobody: NEVER_THERE
                .iter()
                .any(|name| params.get(name).is_some_and(|value| value != "0")),
            hide_inactive: params.switch("hideInactive")?,
            guarantors_only: params.switch("guarOnly")?,
            show_archived: params.switch("showArchived")?,
            clinics: numbers.or(by_abbr),
        })
    }

    fn fits(&self, patient: &Patient, call: &Call) -> bool {
        let params = &call.params;
        let hidden = patient.deleted
            || match patient.status() {
                "Archived" | "Deceased" => !self.show_archived,
                "Inactive" => self.hide_inactive,
                _ => false,
            };
        let texts = TEXTS.iter().all(|field| {
            params
                .get(field.name())
                .is_none_or(|part| contains(patient.get(*field), part))
        });
        let phone = params.get("Phone").map(digits).is_none_or(|part| {
            Field::PHONES
                .iter()
                .any(|field| digits(patient.get(*field)).contains(&part))
        });
        let born = params
            .get("Birthdate")
            .is_none_or(|date| patient.get(Field::Birthdate) == date);
        let clinic = self
            .clinics
            .as_ref()
            .is_none_or(|some| some.contains(&patient.number(Field::ClinicNum)));
        let guarantor = !self.guarantors_only || patient.is_guarantor();
        !self.nobody && !hidden && texts && phone && born && clinic && guarantor
    }
}

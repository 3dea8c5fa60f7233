//! `/patients/{PatNum}`, `/patients/Simple`, POST and PUT (Open Dental API, Patients).

use jiff::civil::DateTime;

use crate::answer::Answer;
use crate::changelog::Author;
use crate::family;
use crate::fields::Field;
use crate::gate::Call;
use crate::keys::ApiKey;
use crate::model::Patient;
use crate::options::{StampFilter, Unknowns};
use crate::params::Params;
use crate::refusal::Refusal;
use crate::shared::Shared;
use crate::validate::{self, Verb};
use crate::version::Version;

use super::select::{contains, page, view};

const BEFORE_PUT: Version = Version(21, 2, 0);

const FILTERS: [(&str, Version); 13] = [
    ("LName", Version(21, 2, 0)),
    ("FName", Version(21, 2, 0)),
    ("Birthdate", Version(21, 2, 0)),
    ("ClinicNum", Version(21, 2, 0)),
    ("PatStatus", Version(21, 2, 0)),
    ("DateTStamp", Version(21, 2, 0)),
    ("PriProv", Version(21, 3, 0)),
    ("Gender", Version(22, 3, 6)),
    ("Position", Version(22, 3, 6)),
    ("Guarantor", Version(22, 4, 19)),
    ("SuperFamily", Version(22, 4, 38)),
    ("EmployerNum", Version(24, 3, 30)),
    ("FeeSched", Version(25, 2, 19)),
];

/// One patient.
pub(crate) fn single(shared: &Shared, call: &Call, number: &str) -> Result<Answer, Refusal> {
    call.params.only(&[], shared.options.version)?;
    let office = shared.office();
    let patient = office
        .patient(pat_num(number)?)
        .filter(|patient| !patient.deleted || shared.options.unknowns.deleted_visible)
        .ok_or_else(Refusal::no_patient)?;
    Ok(Answer::json(
        200,
        &view(shared, call).full(patient, &office.balance_totals()),
    ))
}

/// All patients that the filters select, with the server's time on every row.
pub(crate) fn simple(shared: &Shared, key: &ApiKey, call: &Call) -> Result<Answer, Refusal> {
    demand(shared, "Patients GET Simple")?;
    call.params.only(&FILTERS, shared.options.version)?;
    let filter = Filter::new(&call.params)?;
    let office = shared.office();
    let now = shared.clock.local();
    let rows = office
        .patients()
        .filter(|patient| filter.selects(patient, &shared.options.unknowns))
        .collect();
    let view = view(shared, call);
    let page = page(shared, key, call, rows)?;
    let totals = office.balance_totals();
    Ok(Answer::json(
        200,
        &page
            .map(|patient| view.simple(patient, &totals, now))
            .collect::<Vec<_>>(),
    ))
}

/// Creates a patient.
pub(crate) fn post(shared: &Shared, key: &ApiKey, call: &Call) -> Result<Answer, Refusal> {
    let options = &shared.options;
    let fields = validate::fields(&validate::object(&call.body)?, Verb::Post, options)?;
    let pen = shared.pen(
        Author::Developer(key.developer_name.clone()),
        "POST",
        Some(call.request),
    );
    let mut office = shared.office();
    let pat_num = family::create(&mut office, &fields, &pen, options)?;
    shared.journal.stir();
    let patient = office.patient(pat_num).ok_or_else(Refusal::no_patient)?;
    let mut answer = Answer::json(201, &view(shared, call).full(patient, &office.balance_totals()));
    answer.location = Some(format!("{}/patients/{pat_num}", shared.base_url));
    Ok(answer)
}

/// Changes a patient.
pub(crate) fn put(shared: &Shared, key: &ApiKey, call: &Call, number: &str) -> Result<Answer, Refusal> {
    demand(shared, "Patients PUT")?;
    let pat_num = pat_num(number)?;
    let fields = validate::fields(&validate::object(&call.body)?, Verb::Put, &shared.options)?;
    let pen = shared.pen(
        Author::Developer(key.developer_name.clone()),
        "PUT",
        Some(call.request),
    );
    let mut office = shared.office();
    family::update(&mut office, pat_num, &fields, &pen)?;
    shared.journal.stir();
    let patient = office.patient(pat_num).ok_or_else(Refusal::no_patient)?;
    Ok(Answer::json(
        200,
        &view(shared, call).full(patient, &office.balance_totals()),
    ))
}

fn demand(shared: &Shared, method: &str) -> Result<(), Refusal> {
    if shared.options.version < BEFORE_PUT {
        Err(Refusal::too_old(method, BEFORE_PUT))
    } else {
        Ok(())
    }
}

fn pat_num(segment: &str) -> Result<i64, Refusal> {
    segment.parse().map_err(|_| Refusal::no_resource())
}

/// The filters of Simple, read once.
struct Filter {
    texts: Vec<(Field, String)>,
    words: Vec<(Field, String)>,
    keys: Vec<(Field, i64)>,
    since: Option<DateTime>,
}

impl Filter {
    fn new(params: &Params) -> Result<Self, Refusal> {
        let given = |field: Field| params.get(field.name()).map(|value| (field, value.to_owned()));
        let mut keys = Vec::new();
        for field in [
            Field::ClinicNum,
            Field::PriProv,
            Field::Guarantor,
            Field::SuperFamily,
            Field::EmployerNum,
            Field::FeeSched,
        ] {
            keys.extend(params.number(field.name())?.map(|number| (field, number)));
        }
        if let Some((_, date)) = given(Field::Birthdate) {
            validate::date(&date).ok_or_else(|| Refusal::bad("Birthdate format must be yyyy-MM-dd"))?;
        }
        for field in [Field::PatStatus, Field::Gender, Field::Position] {
            // "Other" can be asked for, though no patient can be given it through the API.
            let known = |word: &str| match field.kind() {
                crate::fields::Kind::Enum(words) => words.contains(&word),
                _ => false,
            } || (field == Field::Gender && word == "Other");
            if given(field).is_some_and(|(_, word)| !known(&word)) {
                return Err(Refusal::invalid(field.name()));
            }
        }
        Ok(Self {
            texts: [Field::LName, Field::FName]
                .into_iter()
                .filter_map(given)
                .collect(),
            words: [Field::Birthdate, Field::PatStatus, Field::Gender, Field::Position]
                .into_iter()
                .filter_map(given)
                .collect(),
            keys,
            since: params.get("DateTStamp").map(stamp).transpose()?,
        })
    }

    fn selects(&self, patient: &Patient, unknowns: &Unknowns) -> bool {
        let recent = self.since.is_none_or(|since| match unknowns.stamp_filter {
            StampFilter::AtOrAfter => patient.date_t_stamp >= since,
            StampFilter::After => patient.date_t_stamp > since,
        });
        recent
            && (!patient.deleted || unknowns.deleted_visible)
            && self
                .texts
                .iter()
                .all(|(field, part)| contains(patient.get(*field), part))
            && self.words.iter().all(|(field, word)| patient.get(*field) == word)
            && self
                .keys
                .iter()
                .all(|(field, number)| patient.number(*field) == *number)
    }
}

/// A local time in exactly the documented form.
fn stamp(text: &str) -> Result<DateTime, Refusal> {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '9' } else { c })
        .collect();
    let good = shape == "9999-99-99 99:99:99";
    text.parse()
        .ok()
        .filter(|_| good)
        .ok_or_else(|| Refusal::bad("DateTStamp format must be yyyy-MM-dd HH:mm:ss"))
}

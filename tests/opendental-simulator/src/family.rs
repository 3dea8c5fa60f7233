//! POST and PUT of patients as far as they concern other patients: duplicates, guarantors, super families.
//!
//! Source: Open Dental API, Patients. A family is everybody with the same guarantor. A request is checked completely
//! before anything is written; a refusal leaves the tables as they were.

use crate::duplicate::is_duplicate;
use crate::fields::Field;
use crate::model::{Patient, PatientFields};
use crate::office::{Office, Pen};
use crate::options::Options;
use crate::refusal::Refusal;

/// Creates a patient through the API and returns the number.
pub(crate) fn create(
    office: &mut Office,
    fields: &PatientFields,
    pen: &Pen,
    options: &Options,
) -> Result<i64, Refusal> {
    one_family_field(fields)?;
    let guarantor = number(fields, Field::Guarantor).filter(|number| *number != 0);
    if let Some(guarantor) = guarantor {
        head(office, guarantor)?;
    }
    if guarantor.is_some()
        && fields
            .get(Field::FamFinUrgNote)
            .is_some_and(|note| !note.is_empty())
    {
        return Err(only_guarantors());
    }
    let super_head = number(fields, Field::SuperFamily).filter(|number| *number != 0);
    if let Some(head) = super_head {
        live(office, head).ok_or_else(|| Refusal::invalid("SuperFamily"))?;
    }
    if office
        .patients()
        .any(|old| is_duplicate(fields, old, options.unknowns.duplicate_rule))
    {
        return Err(Refusal::bad(options.unknowns.duplicate_text.clone()));
    }
    let pat_num = office.create(fields, pen, options);
    if let Some(head) = super_head {
        let members = super_family_with(office, head, pat_num);
        write_all(office, members, Field::SuperFamily, head, pat_num, pen);
    }
    Ok(pat_num)
}

/// Changes a patient through the API.
pub(crate) fn update(
    office: &mut Office,
    pat_num: i64,
    fields: &PatientFields,
    pen: &Pen,
) -> Result<(), Refusal> {
    let patient = office.patient(pat_num).ok_or_else(Refusal::no_patient)?;
    if patient.deleted {
        return Err(Refusal::bad("Patient is deleted and cannot be modified"));
    }
    one_family_field(fields)?;
    let followers = match number(fields, Field::Guarantor) {
        Some(guarantor) => moved_by_guarantor(office, patient, guarantor)?,
        None => Vec::new(),
    };
    let stays_guarantor =
        number(fields, Field::Guarantor).unwrap_or(patient.number(Field::Guarantor)) == pat_num;
    if fields.get(Field::FamFinUrgNote).is_some() && !stays_guarantor {
        return Err(only_guarantors());
    }
    let relatives = match number(fields, Field::SuperFamily) {
        Some(0) => leaving_super_family(office, patient),
        Some(head) => {
            live(office, head).ok_or_else(|| Refusal::invalid("SuperFamily"))?;
            super_family_with(office, head, pat_num)
        }
        None => Vec::new(),
    };
    office.edit(pat_num, fields, pen);
    if let Some(guarantor) = number(fields, Field::Guarantor) {
        write_all(office, followers, Field::Guarantor, guarantor, pat_num, pen);
    }
    if let Some(head) = number(fields, Field::SuperFamily) {
        write_all(office, relatives, Field::SuperFamily, head, pat_num, pen);
    }
    Ok(())
}

/// Who moves to the new guarantor: nobody when it is the old one; everybody when the guarantor moves.
fn moved_by_guarantor(office: &Office, patient: &Patient, guarantor: i64) -> Result<Vec<i64>, Refusal> {
    let current = patient.number(Field::Guarantor);
    if guarantor == current {
        return Ok(Vec::new());
    }
    let target = live(office, guarantor).ok_or_else(|| Refusal::invalid("Guarantor"))?;
    let same_family = target.number(Field::Guarantor) == current;
    match (patient.is_guarantor(), same_family) {
        (false, true) => Err(Refusal::bad(
            "Guarantor cannot be updated to a different family member unless this patient is the guarantor",
        )),
        (true, true) => Ok(office.family(current)),
        (is_guarantor, false) => {
            head(office, guarantor)?;
            Ok(if is_guarantor {
                office.family(current)
            } else {
                Vec::new()
            })
        }
    }
}

/// Whose SuperFamily becomes 0: the family's, or everybody's when the head's family leaves.
fn leaving_super_family(office: &Office, patient: &Patient) -> Vec<i64> {
    let super_head = patient.number(Field::SuperFamily);
    let family = patient.number(Field::Guarantor);
    match office.patient(super_head) {
        None => Vec::new(),
        Some(head) if head.number(Field::Guarantor) == family => office.with(Field::SuperFamily, super_head),
        Some(_) => office.family(family),
    }
}

/// The families that belong to a super family once the patient joins it.
fn super_family_with(office: &Office, head: i64, pat_num: i64) -> Vec<i64> {
    let guarantor_of = |number| {
        office
            .patient(number)
            .map(|patient| patient.number(Field::Guarantor))
    };
    [guarantor_of(head), guarantor_of(pat_num)]
        .into_iter()
        .flatten()
        .flat_map(|guarantor| office.family(guarantor))
        .collect()
}

fn write_all(office: &mut Office, who: Vec<i64>, field: Field, number: i64, except: i64, pen: &Pen) {
    let fields = PatientFields::new().with(field, number.to_string());
    for pat_num in who {
        let differs = office
            .patient(pat_num)
            .is_some_and(|patient| patient.number(field) != number);
        if pat_num != except && differs {
            office.edit(pat_num, &fields, pen);
        }
    }
}

fn one_family_field(fields: &PatientFields) -> Result<(), Refusal> {
    if fields.get(Field::Guarantor).is_some() && fields.get(Field::SuperFamily).is_some() {
        return Err(Refusal::bad(
            "Guarantor and SuperFamily cannot be set in the same request",
        ));
    }
    Ok(())
}

fn only_guarantors() -> Refusal {
    Refusal::bad("FamFinUrgNote can only be set for guarantors")
}

fn live(office: &Office, pat_num: i64) -> Option<&Patient> {
    office.patient(pat_num).filter(|patient| !patient.deleted)
}

fn head(office: &Office, pat_num: i64) -> Result<(), Refusal> {
    let good = live(office, pat_num).is_some_and(Patient::is_guarantor);
    if good {
        Ok(())
    } else {
        Err(Refusal::invalid("Guarantor"))
    }
}

fn number(fields: &PatientFields, field: Field) -> Option<i64> {
    fields.get(field)?.parse().ok()
}

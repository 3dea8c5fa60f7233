//! Bringing an image into the archive, once, and to the right patient.
//!
//! A DICOM file goes in as it is, byte for byte, so it is filed under the PatientID that it carries; what is no DICOM file is put
//! into one ([`crate::encapsulate`]), under the number by which the archive knows the patient, else under the bus's own. In
//! both cases somebody else may have that number in the archive already: then nothing is sent ([`crate::filing`]).
//!
//! SOPInstanceUID is the key: the archive is asked for it first, every time. An archive that has it already is asked for the
//! file, and only the same bytes count as the same image.
//!
//! A file that is no DICOM file has identifiers that tell whose it is, so it gets others when it becomes another patient's. It is
//! stored under these; only when the archive shows it so, byte for byte, the former one is taken away ([`crate::withdraw`]).

use crate::archive::{Archive, Place};
use crate::encapsulate::{self, Subject};
use crate::file;
use crate::filing::{self, Named};
use crate::header::Header;
use crate::host::Purpose;
use crate::observed;
use crate::person;
use crate::picture::{Content, NoForm, look};
use crate::record::Record;
use crate::stow::Stored;
use crate::uid::Uid;
use crate::withdraw::{self, Gone};
use archwire_connector::http::Part;
use archwire_connector::log::Level;
use archwire_connector::{DeliveryAction, Disposition, ImageDelivered, ImageDelivery};
use std::time::Duration;

/// Brings an image.
///
/// # Errors
/// When the archive does not have it afterwards.
pub fn deliver(archive: &Archive<'_>, delivery: &ImageDelivery) -> Result<ImageDelivered, Disposition> {
    let sha256 = delivery
        .image
        .sha256
        .as_deref()
        .ok_or_else(|| incomplete("sha256"))?;
    if delivery.retracted {
        return withdraw::withdraw(archive, delivery, sha256);
    }
    let head = file::head(&mut archive.host.image(sha256)?)?;
    let content = look(&head, delivery.image.size).map_err(no_form)?;
    let mut file = match content {
        Content::Dicom => File::as_it_is(delivery, &head, sha256)?,
        _ => File::around(archive, delivery, content, sha256)?,
    };
    let former = former(delivery, &file.instance);
    let delivered = match find(archive, &file, sha256)? {
        Some(there) => there,
        None => store(archive, delivery, &mut file, sha256)?,
    };
    if let Some(former) = former {
        take_former_away(archive, &former, &file, sha256)?;
    }
    Ok(delivered)
}

/// Sends the file.
fn store(
    archive: &Archive<'_>,
    delivery: &ImageDelivery,
    file: &mut File,
    sha256: &str,
) -> Result<ImageDelivered, Disposition> {
    // The archive would file it under a number that nobody has looked at.
    let Some(record) = file.record.clone() else {
        let detail = "the file's PatientID cannot be read here: it is missing, or the file is big-endian, damaged, or in letters that \
                      are neither Unicode nor Latin. `archwire images get` writes the file, to be imported into the archive by \
                      hand under the right number; then drop this delivery";
        return Err(Disposition::rejected("patient-id-unreadable").with_detail(detail));
    };
    filing::refuse_another(archive, &record, file.named.as_ref(), delivery)?;
    match archive.store(sha256, std::mem::take(&mut file.parts))? {
        Stored::Taken { warning } => {
            if let Some(warning) = warning {
                archive
                    .host
                    .log(Level::Warn, "stored-with-warning", &[("reason", warning.into())]);
            }
        }
        // It came in between our question and now, or the archive keeps its own counsel: reading it back tells.
        Stored::HadOne => archive.host.log(Level::Info, "had-it-already", &[]),
    }
    let stored = ImageDelivered::new(file.instance.as_str(), DeliveryAction::Created);
    Ok(stored.of_record(record.to_string()))
}

/// What is sent.
struct File {
    instance: Uid,
    /// Under which the archive will file it; `None` when the header cannot be read here (big endian, other letters).
    record: Option<Record>,
    /// Whom it names.
    named: Option<Named>,
    parts: Vec<Part>,
}

impl File {
    fn as_it_is(delivery: &ImageDelivery, head: &[u8], sha256: &str) -> Result<Self, Disposition> {
        let header = Header::read(head).unwrap_or_default();
        let named = Named::by(&header);
        let study = header
            .study
            .map_or_else(|| stated(delivery.image.study_uid.as_deref(), "study-uid"), Ok)?;
        let instance = header.instance.map_or_else(
            || stated(delivery.image.instance_uid.as_deref(), "instance-uid"),
            Ok,
        )?;
        let issuer = header.issuer.as_deref();
        let record = header
            .patient_id
            .map(|id| Record::named(issuer, Some(&id), study));
        Ok(Self {
            instance,
            record,
            named,
            parts: vec![Part::image(sha256, delivery.image.size)],
        })
    }

    fn around(
        archive: &Archive<'_>,
        delivery: &ImageDelivery,
        content: Content,
        sha256: &str,
    ) -> Result<Self, Disposition> {
        let image = &delivery.image;
        let (study, series) = (
            stated(image.study_uid.as_deref(), "study-uid")?,
            stated(image.series_uid.as_deref(), "series-uid")?,
        );
        let instance = stated(image.instance_uid.as_deref(), "instance-uid")?;
        let record = known_as(archive, delivery)
            .unwrap_or_else(|| Record::patient(&archive.config.issuer, &delivery.patient_id));
        let subject = Subject {
            study: &study,
            series: &series,
            instance: &instance,
            patient_id: record.number().unwrap_or_default(),
            issuer: record.issuer(),
            patient: &delivery.patient,
            image,
            sha256,
        };
        let wrapping = encapsulate::around(content, &subject)
            .ok_or_else(|| Disposition::rejected("too-large-for-dicom"))?;
        let parts = vec![
            Part::from(wrapping.head),
            Part::image(sha256, image.size),
            Part::from(wrapping.tail),
        ];
        Ok(Self {
            instance,
            record: Some(record),
            named: Some(Named::of(&delivery.patient)),
            parts,
        })
    }
}

/// The record under which the archive knows the patient: by what it told, else by a number that its machines are told.
fn known_as(archive: &Archive<'_>, delivery: &ImageDelivery) -> Option<Record> {
    let linked = delivery.record.as_deref().and_then(Record::parse);
    let linked = linked.filter(|record| record.number().is_some());
    linked.or_else(|| person::known_number(&delivery.patient, archive.config.numbers.as_ref()?))
}

/// The image if the archive has it.
fn find(archive: &Archive<'_>, file: &File, sha256: &str) -> Result<Option<ImageDelivered>, Disposition> {
    let mut another = false;
    for image in archive.images_named(&file.instance)? {
        let Some(place) = Place::of(&image) else { continue };
        let Some(taken) = file::take(archive, &place, Purpose::Measure)? else {
            continue;
        };
        let record = observed::record(&image, &taken, &place);
        if taken.sha256 == sha256 {
            let there = ImageDelivered::new(file.instance.as_str(), DeliveryAction::Unchanged);
            return Ok(Some(there.of_record(record.to_string())));
        }
        another = true;
    }
    match another {
        // Other bytes under the same identifier: an archive would keep the old ones, or lose them.
        true => Err(Disposition::rejected("archive-has-another")),
        false => Ok(None),
    }
}

/// Under what the archive has the image so far, where that is another identifier: it was another patient's.
fn former(delivery: &ImageDelivery, instance: &Uid) -> Option<Uid> {
    let former = Uid::parse(delivery.local_id.as_deref()?).ok()?;
    (former != *instance).then_some(former)
}

/// Takes the former one away, once the archive shows the image under its own identifier: at no time it has none of the two.
fn take_former_away(
    archive: &Archive<'_>,
    former: &Uid,
    file: &File,
    sha256: &str,
) -> Result<(), Disposition> {
    if find(archive, file, sha256)?.is_none() {
        return Err(Disposition::retry("not-shown-yet", Duration::from_secs(30)));
    }
    match withdraw::take_away(archive, former, sha256)? {
        Gone::Before | Gone::Now => Ok(()),
        Gone::ByHand(why) => Err(
            Disposition::rejected("archived-under-another-uid").with_detail(format!(
                "the image is stored as {instance}, and the former one, {former}, has to be removed by hand in the archive: {why}",
                instance = file.instance.as_str(),
                former = former.as_str(),
            )),
        ),
    }
}

fn no_form(why: NoForm) -> Disposition {
    Disposition::rejected("no-dicom-form").with_detail(why.to_string())
}

fn stated(uid: Option<&str>, field: &str) -> Result<Uid, Disposition> {
    uid.and_then(|uid| Uid::parse(uid).ok())
        .ok_or_else(|| incomplete(field))
}

fn incomplete(field: &str) -> Disposition {
    Disposition::rejected("delivery-incomplete").with_detail(format!("{field} is missing"))
}

#[cfg(test)]
mod tests;

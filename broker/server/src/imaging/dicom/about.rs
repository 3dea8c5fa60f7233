//! What a DICOM image shows, as its header says (PS3.3, C.7.6, C.8.12; PS3.16, TID 3465).

use super::{
    data_set::{DataSet, Syntax},
    person::written_out,
    pixels::either,
    text::Charset,
};
use crate::imaging::{acquired::acquired_at, teeth, views::Told};
use archwire_core::{Code, Image, ImageAbout, Laterality, OrthodonticView, Progress, Text, Uid};
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// The concept of what a progress is counted from, and of how many days, in the terminology `DCM`.
const EVENT: &str = "128741";
const OFFSET: &str = "128740";

/// Everything that is said of the view in codes.
pub(super) fn told(found: &DataSet<'_>, charset: &Charset) -> Told {
    let mut told = Told::default();
    let mut tell = |item: &DataSet<'_>| {
        if let Some(code) = code(item, charset) {
            told.tell(&code);
        }
    };
    let with_modifiers = [
        (
            tags::ANATOMIC_REGION_SEQUENCE,
            tags::ANATOMIC_REGION_MODIFIER_SEQUENCE,
        ),
        (
            tags::PRIMARY_ANATOMIC_STRUCTURE_SEQUENCE,
            tags::PRIMARY_ANATOMIC_STRUCTURE_MODIFIER_SEQUENCE,
        ),
        (tags::VIEW_CODE_SEQUENCE, tags::VIEW_MODIFIER_CODE_SEQUENCE),
    ];
    for (sequence, modifiers) in with_modifiers {
        for item in found.items(sequence) {
            tell(item);
            item.items(modifiers).iter().for_each(&mut tell);
        }
    }
    found.items(tags::DEVICE_SEQUENCE).iter().for_each(&mut tell);
    for item in found.items(tags::ACQUISITION_CONTEXT_SEQUENCE) {
        item.items(tags::CONCEPT_CODE_SEQUENCE).iter().for_each(&mut tell);
    }
    // Programs that follow the orthodontic profile begin the comment with the code of the view.
    let comment = text(found, tags::IMAGE_COMMENTS, charset);
    told.commented = comment.and_then(|text| {
        let (code, _) = text.as_str().split_once('^')?;
        OrthodonticView::recognise("", code)
    });
    told
}

/// What the image shows.
pub(super) fn about(found: &DataSet<'_>, charset: &Charset, told: &Told, syntax: Syntax) -> ImageAbout {
    let text = |tag| text(found, tag, charset);
    let laterality = found
        .ascii(tags::IMAGE_LATERALITY)
        .or(found.ascii(tags::LATERALITY));
    ImageAbout {
        accession: text(tags::ACCESSION_NUMBER),
        modality: found
            .ascii(tags::MODALITY)
            .filter(|modality| modality.len() <= 16)
            .map(str::to_owned),
        views: views(found, charset),
        view_label: told.commented.and_then(|_| text(tags::IMAGE_COMMENTS)),
        anatomy: [
            tags::ANATOMIC_REGION_SEQUENCE,
            tags::PRIMARY_ANATOMIC_STRUCTURE_SEQUENCE,
        ]
        .iter()
        .flat_map(|tag| found.items(*tag))
        .filter_map(|item| code(item, charset))
        .take(Image::MOST_ENTRIES)
        .collect(),
        laterality: laterality.and_then(of_laterality),
        teeth: teeth::of(
            found
                .items(tags::PRIMARY_ANATOMIC_STRUCTURE_SEQUENCE)
                .iter()
                .filter_map(|item| code(item, charset)),
        ),
        mirror: told.mirror(),
        flipped: either(found.ascii(tags::IMAGE_HORIZONTAL_FLIP), "Y", "N").or(told.flipped()),
        occlusion: told.occlusion(),
        mouth: told.mouth(),
        progress: progress(found, charset, syntax),
        acquired_at: acquired_at(
            found.ascii(tags::ACQUISITION_DATE_TIME),
            found.ascii(tags::ACQUISITION_DATE),
            found.ascii(tags::ACQUISITION_TIME),
            found.ascii(tags::TIMEZONE_OFFSET_FROM_UTC),
        ),
        device: device(text(tags::MANUFACTURER), text(tags::MANUFACTURER_MODEL_NAME)),
        operator: text(tags::OPERATORS_NAME).and_then(|name| written_out(name.as_str())),
        derived_from: found
            .items(tags::SOURCE_IMAGE_SEQUENCE)
            .iter()
            .filter_map(|item| item.ascii(tags::REFERENCED_SOP_INSTANCE_UID)?.parse::<Uid>().ok())
            .take(Image::MOST_ENTRIES)
            .collect(),
    }
}

/// The codes of ViewCodeSequence, and those of the protocol and the procedure that are orthodontic views.
fn views(found: &DataSet<'_>, charset: &Charset) -> Vec<Code> {
    let requested = found.items(tags::REQUEST_ATTRIBUTES_SEQUENCE).iter();
    let scheduled = requested.flat_map(|item| item.items(tags::SCHEDULED_PROTOCOL_CODE_SEQUENCE));
    let performed = found.items(tags::PERFORMED_PROTOCOL_CODE_SEQUENCE).iter();
    let procedure = found.items(tags::PROCEDURE_CODE_SEQUENCE).iter();
    let of_protocol = performed
        .chain(scheduled)
        .chain(procedure)
        .filter_map(|item| code(item, charset))
        .filter(|code| OrthodonticView::recognise(&code.scheme, &code.value).is_some());
    let mut views: Vec<Code> = Vec::new();
    let of_view = found.items(tags::VIEW_CODE_SEQUENCE).iter();
    for code in of_view.filter_map(|item| code(item, charset)).chain(of_protocol) {
        if views.len() < Image::MOST_ENTRIES && !views.contains(&code) {
            views.push(code);
        }
    }
    views
}

/// The code of an item (PS3.3, 8.8), as it is.
fn code(item: &DataSet<'_>, charset: &Charset) -> Option<Code> {
    let value = [tags::CODE_VALUE, tags::LONG_CODE_VALUE, tags::URN_CODE_VALUE]
        .into_iter()
        .find_map(|tag| text(item, tag, charset))?
        .into_string();
    // An URN has its scheme in itself.
    let scheme =
        text(item, tags::CODING_SCHEME_DESIGNATOR, charset).map_or_else(String::new, Text::into_string);
    let fits = value.len().max(scheme.len()) <= Image::LONGEST_CODE;
    fits.then(|| Code {
        scheme,
        value,
        meaning: text(item, tags::CODE_MEANING, charset),
    })
}

fn text(found: &DataSet<'_>, tag: Tag, charset: &Charset) -> Option<Text> {
    let text = charset.text(found.bytes(tag)?)?;
    (text.len() <= Image::LONGEST_TEXT).then(|| text.into())
}

fn of_laterality(text: &str) -> Option<Laterality> {
    match text {
        "R" => Some(Laterality::Right),
        "L" => Some(Laterality::Left),
        "B" => Some(Laterality::Both),
        "U" => Some(Laterality::Unpaired),
        _ => None,
    }
}

fn device(manufacturer: Option<Text>, model: Option<Text>) -> Option<Text> {
    let words: Vec<_> = [manufacturer, model]
        .into_iter()
        .flatten()
        .map(Text::into_string)
        .collect();
    let device = words.join(" ");
    (1..=Image::LONGEST_TEXT)
        .contains(&device.len())
        .then(|| device.into())
}

/// Where in the treatment it was taken: TID 3465, or the attributes of clinical trials (PS3.3, C.7.2.3).
fn progress(found: &DataSet<'_>, charset: &Charset, syntax: Syntax) -> Option<Progress> {
    let context = found.items(tags::ACQUISITION_CONTEXT_SEQUENCE);
    let of_concept = |concept: &'static str| {
        context.iter().find(move |item| {
            let names = item.items(tags::CONCEPT_NAME_CODE_SEQUENCE).iter();
            let mut names = names.filter_map(|name| code(name, charset));
            names.any(|name| name.scheme == "DCM" && name.value == concept)
        })
    };
    let event = of_concept(EVENT)
        .and_then(|item| item.items(tags::CONCEPT_CODE_SEQUENCE).first())
        .and_then(|item| code(item, charset));
    let offset_days = of_concept(OFFSET)
        .and_then(|item| offset(item, charset))
        .or_else(|| trial_offset(found, syntax));
    let label = text(found, tags::LONGITUDINAL_TEMPORAL_EVENT_TYPE, charset);
    let progress = Progress {
        event,
        offset_days,
        label,
    };
    let is_told = progress.event.is_some() || progress.offset_days.is_some() || progress.label.is_some();
    is_told.then_some(progress)
}

/// A number of days; of weeks, seven times as many. Months are of no one length.
fn offset(item: &DataSet<'_>, charset: &Charset) -> Option<i32> {
    let number: f64 = item.ascii(tags::NUMERIC_VALUE)?.parse().ok()?;
    let units = item.items(tags::MEASUREMENT_UNITS_CODE_SEQUENCE).first();
    let unit = units.and_then(|unit| code(unit, charset))?;
    let factor = match (unit.scheme.as_str(), unit.value.as_str()) {
        ("UCUM", "d") => 1.0,
        ("UCUM", "wk") => 7.0,
        _ => return None,
    };
    whole_days(number * factor)
}

/// LongitudinalTemporalOffsetFromEvent (0012,0052), in days.
fn trial_offset(found: &DataSet<'_>, syntax: Syntax) -> Option<i32> {
    let bytes = found.bytes(tags::LONGITUDINAL_TEMPORAL_OFFSET_FROM_EVENT)?;
    let bytes: [u8; 8] = bytes.try_into().ok()?;
    whole_days(match syntax {
        Syntax::BigEndian => f64::from_be_bytes(bytes),
        Syntax::Explicit | Syntax::Implicit => f64::from_le_bytes(bytes),
    })
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "it is within the range, and whole"
)]
fn whole_days(days: f64) -> Option<i32> {
    (days.fract() == 0.0 && days.abs() <= f64::from(i32::MAX)).then_some(days as i32)
}

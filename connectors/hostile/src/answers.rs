//! Answers, good and bad.

use crate::bindings::archwire::connector::{
    exchange::{
        Disposition, ImageObservation, Later, Observation, Page, Reason, SourceRecord, SurveyEntry,
        SurveyPage,
    },
    imaging::Image,
    patients::{ContactPoint, ContactSystem, HumanName, Patient},
};

/// Every observation is fine.
pub fn page(observations: usize, cursor: String) -> Page {
    Page {
        observations: (0..observations)
            .map(|number| observation(&number.to_string()))
            .collect(),
        images: Vec::new(),
        cursor,
        more: false,
    }
}

/// Two good ones, with one of each kind of bad ones in between.
pub fn mixed() -> Page {
    let mut page = page(2, "done".to_owned());
    let mut bad: Vec<Observation> = (0..8)
        .map(|number| observation(&format!("bad-{number}")))
        .collect();
    bad[0].local_id = String::new();
    bad[1].local_id = "x".repeat(257);
    bad[2].local_id = "a\nb".to_owned();
    bad[3].patient.birth_date = Some("0001-13-01".to_owned());
    bad[4].source.data = vec![b' '; 256 * 1024 + 1];
    bad[5].patient.names = vec![name(); 17];
    bad[6].actor = Some("x".repeat(129));
    bad[7].source.media_type = "text/\u{7}".to_owned();
    page.observations.splice(1..1, bad);
    page
}

/// One that was merged, and then some that cannot have been.
pub fn merged() -> Page {
    let mut page = page(4, "done".to_owned());
    page.observations[0].merged_into = Some("1".to_owned());
    page.observations[1].merged_into = Some("1".to_owned());
    page.observations[2].merged_into = Some(String::new());
    page.observations[3].merged_into = Some("a\nb".to_owned());
    page
}

/// A record, and images that cannot be taken: one of the record without its bytes, and one of nobody's.
pub fn images() -> Page {
    let mut page = page(1, "done".to_owned());
    page.images = vec![image("7", "0"), image("8", "a\nb")];
    page
}

fn image(local_id: &str, record: &str) -> ImageObservation {
    ImageObservation {
        local_id: local_id.to_owned(),
        record: record.to_owned(),
        image: Image {
            study_uid: None,
            series_uid: None,
            instance_uid: None,
            uids_generated: false,
            sop_class_uid: None,
            transfer_syntax_uid: None,
            accession: None,
            modality: None,
            views: Vec::new(),
            translations: Vec::new(),
            view_label: None,
            anatomy: Vec::new(),
            laterality: None,
            teeth: Vec::new(),
            mirror: None,
            flipped: None,
            occlusion: None,
            mouth: None,
            progress: None,
            acquired_at: None,
            device: None,
            operator: None,
            rows: None,
            columns: None,
            frames: None,
            pixel_spacing: None,
            content_type: None,
            size: 0,
            sha256: None,
            lossy: None,
            burned_in_annotation: None,
            derived_from: Vec::new(),
            warnings: Vec::new(),
        },
        retracted: false,
        observed_at_ms: None,
        actor: None,
    }
}

pub fn survey(entries: usize) -> SurveyPage {
    let entry = |number: usize| SurveyEntry {
        local_id: number.to_string(),
        version: None,
    };
    SurveyPage {
        entries: (0..entries).map(entry).collect(),
        cursor: String::new(),
        more: false,
    }
}

pub fn throttled() -> Disposition {
    let reason = Reason {
        code: "Ada Lovelace, born 1815".to_owned(),
        status: None,
        detail: None,
    };
    Disposition::Throttled(Later {
        after_ms: u64::MAX,
        reason,
    })
}

pub fn observation(local_id: &str) -> Observation {
    Observation {
        local_id: local_id.to_owned(),
        patient: patient(),
        source: SourceRecord {
            media_type: "application/json".to_owned(),
            format: "hostile/v1".to_owned(),
            data: b"{}".to_vec(),
        },
        observed_at_ms: Some(1_700_000_000_000),
        actor: None,
        merged_into: None,
    }
}

fn name() -> HumanName {
    HumanName {
        use_: None,
        family: Some("Lovelace".to_owned()),
        given: vec!["Ada".to_owned()],
        prefix: Vec::new(),
        suffix: Vec::new(),
        text: None,
        period: None,
    }
}

fn patient() -> Patient {
    Patient {
        identifiers: Vec::new(),
        names: vec![name()],
        birth_date: Some("1815-12-10".to_owned()),
        administrative_sex: None,
        gender_identity: None,
        pronouns: None,
        deceased: None,
        deceased_at: None,
        telecom: vec![ContactPoint {
            system: ContactSystem::Phone,
            value: "5551234".to_owned(),
            use_: None,
            rank: None,
            period: None,
        }],
        addresses: Vec::new(),
        marital_status: None,
        preferred_language: None,
        interpreter_required: None,
        status: None,
        responsible_parties: Vec::new(),
        primary_provider: None,
        photo_sha256: None,
        multiple_birth: None,
        multiple_birth_order: None,
        confidentiality: Vec::new(),
        merged_into: None,
    }
}

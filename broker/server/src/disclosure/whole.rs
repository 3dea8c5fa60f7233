//! What is shown whole wherever it is shown. Taken apart all the same, so that whoever gives one of these messages a new field
//! decides here whether it goes with the rest.

use archwire_proto::v1;

pub(super) fn identifier(identifier: v1::Identifier) -> v1::Identifier {
    let v1::Identifier {
        system: _,
        value: _,
        r#type: _,
        assigner: _,
        period: _,
        status: _,
    } = &identifier;
    identifier
}

pub(super) fn name(name: v1::HumanName) -> v1::HumanName {
    let v1::HumanName {
        r#use: _,
        family: _,
        given: _,
        prefix: _,
        suffix: _,
        text: _,
        period: _,
    } = &name;
    name
}

pub(super) fn contact(contact: v1::ContactPoint) -> v1::ContactPoint {
    let v1::ContactPoint {
        system: _,
        value: _,
        r#use: _,
        rank: _,
        period: _,
    } = &contact;
    contact
}

pub(super) fn address(address: v1::Address) -> v1::Address {
    let v1::Address {
        r#use: _,
        lines: _,
        city: _,
        district: _,
        state: _,
        postal_code: _,
        country: _,
        period: _,
    } = &address;
    address
}

pub(super) fn person(person: v1::PersonReference) -> v1::PersonReference {
    let v1::PersonReference {
        system: _,
        local_id: _,
        patient_id: _,
    } = &person;
    person
}

pub(super) fn provider(provider: v1::Provider) -> v1::Provider {
    let v1::Provider {
        system: _,
        local_id: _,
        display: _,
    } = &provider;
    provider
}

pub(super) fn source_record(source: v1::SourceRecord) -> v1::SourceRecord {
    let v1::SourceRecord {
        media_type: _,
        format: _,
        data: _,
        sha256: _,
    } = &source;
    source
}

pub(super) fn image(image: v1::Image) -> v1::Image {
    let v1::Image {
        study_uid: _,
        series_uid: _,
        instance_uid: _,
        uids_generated: _,
        sop_class_uid: _,
        transfer_syntax_uid: _,
        accession: _,
        modality: _,
        views: _,
        view_label: _,
        anatomy: _,
        laterality: _,
        teeth: _,
        mirror: _,
        flipped: _,
        occlusion: _,
        mouth: _,
        progress: _,
        acquired_at: _,
        device: _,
        operator: _,
        rows: _,
        columns: _,
        frames: _,
        pixel_spacing: _,
        content_type: _,
        size: _,
        sha256: _,
        lossy: _,
        burned_in_annotation: _,
        derived_from: _,
        warnings: _,
        translations: _,
    } = &image;
    image
}

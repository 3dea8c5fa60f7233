//! What `wit-bindgen` makes of `wit/`: the only module with generated code. Everything of it that a connector author
//! meets is re-exported elsewhere under a short name.
//!
//! Records that hold a patient's data are not generated but written by hand in `patient`, `image` and
//! `exchange`, because the generated ones print themselves. The generated code takes them apart and puts them
//! together field by field, so a field that differs from `wit/` does not compile.

wit_bindgen::generate!({
    path: "../../wit",
    world: "connector",
    generate_all,
    pub_export_macro: true,
    default_bindings_module: "archwire_connector::bindings",
    with: {
        "archwire:connector/patients@0.1.0/patient": crate::patient::Patient,
        "archwire:connector/patients@0.1.0/identifier": crate::patient::Identifier,
        "archwire:connector/patients@0.1.0/human-name": crate::patient::HumanName,
        "archwire:connector/patients@0.1.0/contact-point": crate::patient::ContactPoint,
        "archwire:connector/patients@0.1.0/address": crate::patient::Address,
        "archwire:connector/patients@0.1.0/responsible-party": crate::patient::ResponsibleParty,
        "archwire:connector/patients@0.1.0/person-reference": crate::patient::PersonReference,
        "archwire:connector/patients@0.1.0/provider": crate::patient::Provider,
        "archwire:connector/patients@0.1.0/period": crate::patient::Period,
        "archwire:connector/imaging@0.1.0/image": crate::image::Image,
        "archwire:connector/imaging@0.1.0/code": crate::image::ImageCode,
        "archwire:connector/imaging@0.1.0/view-translation": crate::image::ViewTranslation,
        "archwire:connector/imaging@0.1.0/progress": crate::image::ImageProgress,
        "archwire:connector/imaging@0.1.0/pixel-spacing": crate::image::PixelSpacing,
        "archwire:connector/exchange@0.1.0/image-observation": crate::image::ImageObservation,
        "archwire:connector/exchange@0.1.0/image-delivery": crate::image::ImageDelivery,
        "archwire:connector/exchange@0.1.0/image-delivered": crate::image::ImageDelivered,
        "archwire:connector/exchange@0.1.0/observation": crate::exchange::Observation,
        "archwire:connector/exchange@0.1.0/source-record": crate::exchange::SourceRecord,
        "archwire:connector/exchange@0.1.0/page": crate::exchange::Page,
        "archwire:connector/exchange@0.1.0/delivery": crate::exchange::Delivery,
        "archwire:connector/exchange@0.1.0/delivered": crate::exchange::Delivered,
        "archwire:connector/exchange@0.1.0/disposition": crate::exchange::Disposition,
        "archwire:connector/exchange@0.1.0/later": crate::exchange::Later,
        "archwire:connector/exchange@0.1.0/reason": crate::exchange::Reason,
        "archwire:connector/exchange@0.1.0/survey-page": crate::exchange::SurveyPage,
        "archwire:connector/exchange@0.1.0/survey-entry": crate::exchange::SurveyEntry,
        "archwire:connector/exchange@0.1.0/incoming-request": crate::exchange::IncomingRequest,
        "archwire:connector/exchange@0.1.0/received": crate::exchange::Received,
    },
    additional_type_attributes: {
        "archwire:connector/imaging@0.1.0/laterality":
            [#[derive(serde::Serialize, serde::Deserialize)] #[serde(rename_all = "kebab-case")]],
        "archwire:connector/imaging@0.1.0/mirror":
            [#[derive(serde::Serialize, serde::Deserialize)] #[serde(rename_all = "kebab-case")]],
        "archwire:connector/imaging@0.1.0/occlusion":
            [#[derive(serde::Serialize, serde::Deserialize)] #[serde(rename_all = "kebab-case")]],
        "archwire:connector/imaging@0.1.0/mouth":
            [#[derive(serde::Serialize, serde::Deserialize)] #[serde(rename_all = "kebab-case")]],
        "archwire:connector/imaging@0.1.0/calibration":
            [#[derive(serde::Serialize, serde::Deserialize)] #[serde(rename_all = "kebab-case")]],
        "archwire:connector/patients@0.1.0/identifier-status":
            [#[derive(serde::Serialize, serde::Deserialize)] #[serde(rename_all = "kebab-case")]],
        "archwire:connector/patients@0.1.0/name-use":
            [#[derive(serde::Serialize, serde::Deserialize)] #[serde(rename_all = "kebab-case")]],
        "archwire:connector/patients@0.1.0/administrative-sex":
            [#[derive(serde::Serialize, serde::Deserialize)] #[serde(rename_all = "kebab-case")]],
        "archwire:connector/patients@0.1.0/patient-status":
            [#[derive(serde::Serialize, serde::Deserialize)] #[serde(rename_all = "kebab-case")]],
        "archwire:connector/patients@0.1.0/contact-system":
            [#[derive(serde::Serialize, serde::Deserialize)] #[serde(rename_all = "kebab-case")]],
        "archwire:connector/patients@0.1.0/contact-use":
            [#[derive(serde::Serialize, serde::Deserialize)] #[serde(rename_all = "kebab-case")]],
        "archwire:connector/patients@0.1.0/address-use":
            [#[derive(serde::Serialize, serde::Deserialize)] #[serde(rename_all = "kebab-case")]],
    },
});

//! The smallest complete connector, and the template to copy: it puts every patient into a web service as JSON, under
//! the bus's own patient id, and reads it back. Any service that keeps what is PUT and shows it on GET will do. Images are kept
//! in the same way; a connector without them has neither `images.rs` nor what calls it.

mod images;

use archwire_connector::{
    Abilities, Connector, Delivered, Delivery, DeliveryAction, Description, Disposition, Grant,
    ImageDelivered, ImageDelivery, ImageObservation, Observation, Patient, Setting, SettingKind,
    SourceRecord, http, settings,
};

struct Echo;

impl Connector for Echo {
    // What the administrator sees and grants. Pure: always the same answer, and nothing of the host is used here.
    fn describe() -> Description {
        Description::new(
            "echo",
            env!("CARGO_PKG_VERSION"),
            "Keeps patients as JSON, and images.",
        )
        .abilities(
            Abilities::DELIVER | Abilities::FETCH | Abilities::DELIVER_IMAGES | Abilities::FETCH_IMAGES,
        )
        .setting(Setting::new("url", SettingKind::Url, "http://localhost:8080"))
        .grant(Grant::new(
            "{url}",
            &["GET", "PUT"],
            &["/patients/*"],
            "Patients.",
        ))
        .grant(Grant::new(
            "{url}",
            &["GET", "PUT", "DELETE"],
            &["/images/**"],
            "Images.",
        ))
    }

    // Make the service's record match the state. PUT writes the whole record, so doing it twice does no harm and
    // `changed` is not needed. Each `?` turns a failure into the disposition that most systems mean by it.
    fn deliver(delivery: Delivery) -> Result<Delivered, Disposition> {
        let (local_id, action) = match delivery.local_id {
            Some(local_id) => (local_id, DeliveryAction::Updated),
            None => (delivery.patient_id, DeliveryAction::Created),
        };
        let request = http::Request::put(record_url(&local_id)?);
        request.json(&delivery.patient).send()?.success()?;
        Ok(Delivered::new(local_id, action))
    }

    // Read one record back: the host compares it with what was delivered, and learns what the service made of it.
    fn fetch(local_id: String) -> Result<Option<Observation>, Disposition> {
        let response = http::Request::get(record_url(&local_id)?).send()?;
        if response.status == 404 {
            return Ok(None);
        }
        let response = response.success()?;
        let patient: Patient = response.json()?;
        // The bytes go along as they came: the typed patient is only our reading of them.
        let source = SourceRecord::json("echo/v1", response.body);
        Ok(Some(Observation::new(local_id, patient, source)))
    }

    fn deliver_image(delivery: ImageDelivery) -> Result<ImageDelivered, Disposition> {
        images::deliver(delivery)
    }

    fn fetch_image(
        local_id: String,
        record: Option<String>,
    ) -> Result<Option<ImageObservation>, Disposition> {
        images::fetch(local_id, record)
    }
}

// Where the service keeps the record. Ids go into addresses percent-encoded, whatever they look like.
fn record_url(local_id: &str) -> Result<String, Disposition> {
    let (url, id) = (settings::url("url")?, http::encode(local_id));
    Ok(format!("{url}/patients/{id}"))
}

// Makes the type the component's exports.
archwire_connector::register!(Echo);

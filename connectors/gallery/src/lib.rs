//! Images to and from a web service, in order or out of it on command: for the tests of what the host does with images. Never
//! for a practice.
//!
//! A delivery PUTs the bytes, `fetch_image` measures what the service shows. `poll` takes its command from the cursor, and
//! answers in the next cursor what came of it; a delivery takes its command from the image's id in the system, and answers
//! with a refusal whose code says what came of it. Commands are the arms of the `match`es below.

mod greedy;

use archwire_connector::{
    Abilities, Connector, DeliveryAction, Description, Disposition, Grant, Image, ImageDelivered,
    ImageDelivery, ImageObservation, Page, Setting, SettingKind,
    http::{self, Part},
    images, settings,
};
use std::time::Duration;

struct Gallery;

impl Connector for Gallery {
    fn describe() -> Description {
        Description::new("gallery", env!("CARGO_PKG_VERSION"), "Keeps images on command.")
            .abilities(Abilities::POLL | Abilities::DELIVER_IMAGES | Abilities::FETCH_IMAGES)
            .setting(Setting::new("url", SettingKind::Url, "http://localhost:8080"))
            .secret("key", "Any text.")
            .credential("Authorization", "Bearer {key}")
            .grant(Grant::new("{url}", &["GET", "PUT"], &["/images/**"], "Images."))
    }

    fn poll(cursor: Option<String>) -> Result<Page, Disposition> {
        let command = cursor.unwrap_or_default();
        let (word, rest) = command.split_once(' ').unwrap_or((&command, ""));
        let said = match word {
            "take" => return take(rest),
            "unreadable" => return Ok(page(greedy::unreadable(), "done")),
            "file" => said(images::take_file(rest)),
            "open" => said(images::open(rest).map(|_| "opened".to_owned())),
            "create-many" => greedy::create_many(),
            "write-for-ever" => greedy::write_for_ever(images::create()?),
            "measure-for-ever" => greedy::write_for_ever(images::measure()?),
            "never-finish" => greedy::never_finish()?,
            "write-after-the-end" => greedy::write_after_the_end()?,
            "stand-still" => greedy::stand_still()?,
            "nothing" => said(images::create()?.finish()),
            "store" => said(store(rest.as_bytes())),
            _ => format!("unknown command {word}"),
        };
        Ok(page(Vec::new(), said))
    }

    fn deliver_image(delivery: ImageDelivery) -> Result<ImageDelivered, Disposition> {
        let sha256 = delivery.image.sha256.clone().unwrap_or_default();
        let image = |sha256| Part::image(sha256, delivery.image.size);
        let parts = match delivery.local_id.as_deref() {
            Some("open-another") => return Err(refused(images::open(&"0".repeat(64)).err())),
            Some("create") => return Err(refused(images::create().err())),
            Some("take-file") => return Err(refused(images::take_file("1.jpg").err())),
            Some("open-many") => return Err(greedy::open_many(&sha256)),
            Some("base64") => {
                let image = Part::base64_image(sha256, delivery.image.size);
                vec!["{\"rawBase64\":\"".into(), image, "\"}".into()]
            }
            Some("twice") => vec![image(sha256.clone()), " and ".into(), image(sha256)],
            _ => vec![image(sha256)],
        };
        // A path of a grant has no slash within a segment, however it is written.
        let id = delivery.image_id.replace('/', ".");
        let media_type = delivery.image.content_type.as_deref().unwrap_or_default();
        http::Request::put(format!("{}/images/{id}", settings::url("url")?))
            .body_from(media_type, parts)
            .timeout(Duration::from_secs(50))
            .send()?
            .success()?;
        Ok(ImageDelivered::new(id, DeliveryAction::Created))
    }

    fn fetch_image(
        local_id: String,
        record: Option<String>,
    ) -> Result<Option<ImageObservation>, Disposition> {
        let record = record.unwrap_or("1".to_owned());
        let image = match local_id.strip_prefix("file ") {
            Some(path) => Image {
                sha256: Some(images::take_file(path)?),
                ..Image::default()
            },
            None => read(&local_id, images::measure()?)?,
        };
        Ok(Some(ImageObservation::new(local_id, record, image)))
    }
}

/// Stores an image that the service shows, and tells of it.
fn take(id: &str) -> Result<Page, Disposition> {
    let image = read(id, images::create()?)?;
    Ok(page(vec![ImageObservation::new(id, "1", image)], "done"))
}

fn read(id: &str, mut to: images::Upload) -> Result<Image, Disposition> {
    let url = format!("{}/images/{}", settings::url("url")?, http::encode(id));
    let request = http::Request::get(url).timeout(Duration::from_secs(50));
    let mut answer = request.open()?.success()?;
    let size = images::copy(&mut answer.body, &mut to)?;
    Ok(Image {
        sha256: Some(to.finish()?),
        size,
        ..Image::default()
    })
}

fn store(bytes: &[u8]) -> Result<String, images::Error> {
    let mut upload = images::create()?;
    let mut rest = bytes;
    images::copy(&mut rest, &mut upload).map_err(|_| images::Error::Unavailable)?;
    upload.finish()
}

fn said(what: Result<String, images::Error>) -> String {
    what.unwrap_or_else(|error| error.code().to_owned())
}

fn refused(error: Option<images::Error>) -> Disposition {
    Disposition::rejected(error.map_or("allowed", images::Error::code))
}

fn page(images: Vec<ImageObservation>, cursor: impl Into<String>) -> Page {
    Page {
        observations: Vec::new(),
        images,
        cursor: cursor.into(),
        more: false,
    }
}

archwire_connector::register!(Gallery);

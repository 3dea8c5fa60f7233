//! What is shown of an image, to whom may read images.

use super::{VendorView, whole};
use archwire_proto::v1;

impl VendorView {
    pub(super) fn cut_image_news(&self, news: v1::ImageNews) -> v1::ImageNews {
        let v1::ImageNews {
            first_patient_id,
            first_revision,
            image,
            system,
            record_local_id,
            local_id,
            observed_at,
            actor,
            named_patient_id,
            moved_from_patient_id,
            moved_from_revision,
        } = news;
        let teller = system.as_deref().unwrap_or_default();
        let moved_from = moved_from_patient_id.filter(|patient| self.is_about_id(patient));
        v1::ImageNews {
            first_patient_id,
            first_revision,
            image: image.map(whole::image),
            record_local_id: self.of_record(teller, record_local_id),
            local_id: self.of_record(teller, local_id),
            observed_at,
            actor: self.with_source(actor),
            named_patient_id: named_patient_id.filter(|patient| self.is_about_id(patient)),
            moved_from_revision: moved_from_revision.filter(|_| moved_from.is_some()),
            moved_from_patient_id: moved_from,
            system,
        }
    }
}

//! `Debug` for what holds a patient's data: the name of the type and no more, so that neither a log nor a failed
//! assertion can print a person.

use crate::exchange::{
    Delivered, Delivery, Disposition, IncomingRequest, Later, Observation, Page, Reason, Received,
    SourceRecord, SurveyEntry, SurveyPage,
};
use crate::http;
use crate::image::{
    Image, ImageCode, ImageDelivered, ImageDelivery, ImageObservation, ImageProgress, PixelSpacing,
    ViewTranslation,
};
use crate::patient::{
    Address, ContactPoint, HumanName, Identifier, Patient, Period, PersonReference, Provider,
    ResponsibleParty,
};
use std::fmt::{Debug, Formatter, Result};

impl Debug for Patient {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("Patient([redacted])")
    }
}

impl Debug for Identifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("Identifier([redacted])")
    }
}

impl Debug for HumanName {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("HumanName([redacted])")
    }
}

impl Debug for ContactPoint {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("ContactPoint([redacted])")
    }
}

impl Debug for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("Address([redacted])")
    }
}

impl Debug for ResponsibleParty {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("ResponsibleParty([redacted])")
    }
}

impl Debug for PersonReference {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("PersonReference([redacted])")
    }
}

impl Debug for Provider {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("Provider([redacted])")
    }
}

impl Debug for Period {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("Period([redacted])")
    }
}

impl Debug for Observation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("Observation([redacted])")
    }
}

impl Debug for SourceRecord {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "SourceRecord({}, {} bytes)", self.format, self.data.len())
    }
}

impl Debug for Page {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(
            f,
            "Page({} observations, {} images, more: {})",
            self.observations.len(),
            self.images.len(),
            self.more
        )
    }
}

impl Debug for Delivery {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(
            f,
            "Delivery({:?}, revision {}, changed {:?})",
            self.kind, self.revision, self.changed
        )
    }
}

impl Debug for Delivered {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "Delivered({:?})", self.action)
    }
}

impl Debug for Disposition {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Rejected(reason) => f.debug_tuple("Rejected").field(reason).finish(),
            Self::Retry(later) => f.debug_tuple("Retry").field(later).finish(),
            Self::Throttled(later) => f.debug_tuple("Throttled").field(later).finish(),
            Self::Unavailable(reason) => f.debug_tuple("Unavailable").field(reason).finish(),
            Self::Unauthorized(reason) => f.debug_tuple("Unauthorized").field(reason).finish(),
        }
    }
}

impl Debug for Later {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Later")
            .field("after_ms", &self.after_ms)
            .field("reason", &self.reason)
            .finish()
    }
}

impl Debug for Reason {
    /// The detail may quote the system, so it stays out.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Reason")
            .field("code", &self.code)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Debug for Image {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("Image([redacted])")
    }
}

impl Debug for ImageCode {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("ImageCode([redacted])")
    }
}

impl Debug for ViewTranslation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("ViewTranslation([redacted])")
    }
}

impl Debug for ImageProgress {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("ImageProgress([redacted])")
    }
}

impl Debug for PixelSpacing {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("PixelSpacing([redacted])")
    }
}

impl Debug for ImageObservation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("ImageObservation([redacted])")
    }
}

impl Debug for ImageDelivery {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(
            f,
            "ImageDelivery({}, revision {}, {} bytes)",
            self.image_id, self.revision, self.image.size
        )
    }
}

impl Debug for ImageDelivered {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "ImageDelivered({:?})", self.action)
    }
}

impl Debug for SurveyPage {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(
            f,
            "SurveyPage({} entries, more: {})",
            self.entries.len(),
            self.more
        )
    }
}

impl Debug for SurveyEntry {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("SurveyEntry([redacted])")
    }
}

impl Debug for IncomingRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "IncomingRequest({}, {} bytes)", self.method, self.body.len())
    }
}

impl Debug for Received {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(
            f,
            "Received({} observations, status {})",
            self.observations.len(),
            self.status
        )
    }
}

impl Debug for http::Request {
    /// Neither the address, which may hold a search for a name, nor the body.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(
            f,
            "Request({}, {} bytes and {} parts)",
            self.method().as_str(),
            self.body().len(),
            self.parts().len()
        )
    }
}

impl Debug for http::Response {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}

impl Debug for http::Part {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "Part({} bytes)", self.length())
    }
}

impl Debug for http::Incoming {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "Incoming({})", self.status)
    }
}

impl Debug for http::Body {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("Body")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patient::{ContactSystem, NameUse};

    #[test]
    fn nothing_of_a_patient_is_printed() {
        let name = HumanName {
            use_: Some(NameUse::Official),
            family: Some("Lovelace".into()),
            given: vec!["Ada".into()],
            ..HumanName::default()
        };
        let patient = Patient {
            names: vec![name],
            birth_date: Some("1815-12-10".into()),
            telecom: vec![ContactPoint::new(ContactSystem::Phone, None, "555-0100")],
            ..Patient::default()
        };
        let source = SourceRecord::json("test/v1", *b"{\"LName\":\"Lovelace\"}");
        let observation = Observation::new("4711", patient, source).merged_into("4712");
        let page = Page {
            observations: vec![observation],
            images: Vec::new(),
            cursor: "4711".into(),
            more: false,
        };
        let refused = Disposition::rejected("refused").with_detail("Lovelace");
        let printed = format!(
            "{page:?} {:?} {:?} {refused:?}",
            page.observations, page.observations[0].patient
        );
        for word in ["Lovelace", "Ada", "1815", "555", "471"] {
            assert!(!printed.contains(word), "{word} was printed");
        }
    }
}

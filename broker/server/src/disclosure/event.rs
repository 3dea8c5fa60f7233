//! What is shown of an event, of what was observed and of what was decided.

use super::VendorView;
use archwire_proto::v1;

impl VendorView {
    pub(super) fn cut_event(&self, event: v1::Event) -> v1::Event {
        let v1::Event {
            id,
            kind,
            patient_id,
            revision,
            changed,
            patient,
            observation,
            recorded_at,
            decision,
            merge,
            linked_by,
            owed,
            first_sight,
            image,
        } = event;
        let is_shown = self.is_about_id(&patient_id);
        let observer = observation.as_ref().map(|observation| observation.system.clone());
        v1::Event {
            id,
            kind,
            revision,
            changed: if is_shown { self.paths(changed) } else { Vec::new() },
            patient: patient.filter(|_| is_shown).map(|patient| self.patient(patient)),
            observation: observation
                .filter(|_| is_shown)
                .map(|observation| self.cut_observation(observation)),
            recorded_at,
            decision: decision.map(|decision| self.cut_decision(decision)),
            merge: merge.map(|merge| self.cut_merge(merge)),
            linked_by: match is_shown {
                true => self.of_record(observer.as_deref().unwrap_or_default(), linked_by),
                false => v1::LinkedBy::Unspecified.into(),
            },
            owed: if is_shown { self.paths(owed) } else { Vec::new() },
            first_sight,
            image: image.filter(|_| is_shown).map(|news| self.cut_image_news(news)),
            patient_id,
        }
    }

    /// What is shown of what a system said.
    fn cut_observation(&self, observation: v1::Observation) -> v1::Observation {
        let v1::Observation {
            system,
            local_id,
            patient_id,
            patient,
            source,
            observed_at,
            actor,
            based_on_revision,
            merged_into_local_id,
        } = observation;
        v1::Observation {
            local_id: self.of_record(&system, local_id),
            patient_id: patient_id.filter(|patient| self.is_about_id(patient)),
            patient: patient.map(|patient| self.patient(patient)),
            source: self.with_source(source.map(super::whole::source_record)),
            observed_at,
            actor: self.with_source(actor),
            based_on_revision,
            merged_into_local_id: self.of_record(&system, merged_into_local_id),
            system,
        }
    }

    fn cut_decision(&self, decision: v1::Decision) -> v1::Decision {
        let v1::Decision {
            verdict,
            item,
            by,
            reason,
            at,
        } = decision;
        v1::Decision {
            verdict,
            item,
            by: self.with_source(by),
            reason: self.with_source(reason),
            at,
        }
    }
}

//! What is shown of two patients who became one, or two again.
//!
//! Who loses the record by which the contract is about a patient is told so, without being shown whose it is from then on.

use super::VendorView;
use archwire_core::contract::PatientScope;
use archwire_proto::v1;

impl VendorView {
    /// Whether the contract was about the event's patient until this merge or parting.
    pub(super) fn knew(&self, event: &v1::Event, merge: &v1::Merge) -> bool {
        let PatientScope::LinkedWith(system) = &self.contract.patients else {
            return true;
        };
        let sides = [&merge.survivor, &merge.retired].into_iter().flatten();
        let own = sides.filter(|side| side.patient_id == event.patient_id);
        let records = own
            .filter_map(|side| side.before.as_ref())
            .flat_map(|before| &before.records);
        records.into_iter().any(|record| record.system == system.as_str())
    }

    pub(super) fn cut_merge(&self, merge: v1::Merge) -> v1::Merge {
        let v1::Merge { survivor, retired } = merge;
        v1::Merge {
            survivor: survivor.map(|side| self.cut_side(side)),
            retired: retired.map(|side| self.cut_side(side)),
        }
    }

    fn cut_side(&self, side: v1::MergeSide) -> v1::MergeSide {
        let v1::MergeSide {
            patient_id,
            before,
            after,
        } = side;
        let is_shown = self.is_about_id(&patient_id);
        let cut = |standing| self.cut_standing(standing, is_shown);
        v1::MergeSide {
            before: before.map(cut),
            after: after.map(cut),
            patient_id,
        }
    }

    fn cut_standing(&self, standing: v1::Standing, is_shown: bool) -> v1::Standing {
        let v1::Standing {
            revision,
            patient,
            records,
        } = standing;
        let links = records.into_iter().filter_map(|link| self.cut_link(link));
        v1::Standing {
            revision,
            patient: patient.filter(|_| is_shown).map(|patient| self.patient(patient)),
            records: if is_shown { links.collect() } else { Vec::new() },
        }
    }

    /// A link is shown as a whole or not at all.
    fn cut_link(&self, link: v1::RecordLink) -> Option<v1::RecordLink> {
        let v1::RecordLink {
            system,
            local_id,
            superseded,
            linked_at,
            linked_by,
        } = link;
        let local_id = self.of_record(&system, local_id);
        (!local_id.is_empty()).then_some(v1::RecordLink {
            system,
            local_id,
            superseded,
            linked_at,
            linked_by,
        })
    }
}

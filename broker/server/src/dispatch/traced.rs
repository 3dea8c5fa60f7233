//! The spans of lanes: each in the trace of the event that opened the lane, with links to the traces of those that came to it
//! later, for which one attempt may do as well. While traces are not collected there are none.

use crate::telemetry::traces;
use archwire_core::{PatientId, span};
use std::collections::HashMap;
use tracing::{Span, field::Empty, info_span};

/// The spans of the lanes that are open: at most one for each.
#[derive(Default)]
pub(super) struct Traced(HashMap<PatientId, Span>);

impl Traced {
    /// A lane was opened, or goes on after it did what there was to do.
    pub(super) fn opened(&mut self, patient: PatientId, traceparent: Option<&str>) {
        let span = info_span!(
            target: span::TARGET, parent: None, span::LANE, system = Empty, outcome = Empty, code = Empty,
            otel.status_code = Empty
        );
        if !span.is_disabled() {
            traces::continue_from(&span, traceparent);
            self.0.insert(patient, span);
        }
    }

    /// Another event came to a lane that is open.
    pub(super) fn joined(&self, patient: PatientId, traceparent: Option<&str>) {
        if let Some(span) = self.0.get(&patient) {
            traces::link(span, traceparent);
        }
    }

    /// The lane did what there was to do.
    pub(super) fn closed(&mut self, patient: PatientId) {
        self.0.remove(&patient);
    }

    /// The span of a lane.
    pub(super) fn of(&self, patient: PatientId) -> Span {
        self.0.get(&patient).cloned().unwrap_or_else(Span::none)
    }
}

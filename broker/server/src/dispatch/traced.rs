//! The spans of lanes: each in the trace of the event that opened the lane, with links to the traces of those that came to it
//! later, for which one attempt may do as well. While traces are not collected there are none.

use crate::telemetry::traces;
use archwire_core::{PatientId, span};
use std::{collections::HashMap, mem};
use tracing::{Span, field::Empty, info_span};

/// The spans of the lanes that are open: at most one for each.
#[derive(Default)]
pub(super) struct Traced(HashMap<PatientId, Lane>);

struct Lane {
    span: Span,
    /// Whether it is known in which trace it stands.
    is_placed: bool,
}

impl Traced {
    /// A lane was opened because somebody asked. In which trace it stands is found out before its first attempt.
    pub(super) fn asked(&mut self, patient: PatientId) {
        let span = info_span!(
            target: span::TARGET, parent: None, span::LANE, system = Empty, outcome = Empty, code = Empty,
            otel.status_code = Empty
        );
        if !span.is_disabled() {
            let is_placed = false;
            self.0.insert(patient, Lane { span, is_placed });
        }
    }

    /// A lane was opened by an event, or goes on for one after it did what there was to do.
    pub(super) fn opened(&mut self, patient: PatientId, traceparent: Option<&str>) {
        self.asked(patient);
        self.joined(patient, traceparent);
    }

    /// Another event came to a lane that is open.
    pub(super) fn joined(&mut self, patient: PatientId, traceparent: Option<&str>) {
        if let Some(Lane { span, is_placed }) = self.0.get_mut(&patient) {
            match mem::replace(is_placed, true) {
                true => traces::link(span, traceparent),
                false => traces::continue_from(span, traceparent),
            }
        }
    }

    /// Whether somebody has to find out in which trace a lane stands. Says so once.
    pub(super) fn is_to_be_placed(&mut self, patient: PatientId) -> bool {
        let lane = self.0.get_mut(&patient);
        lane.is_some_and(|lane| !mem::replace(&mut lane.is_placed, true))
    }

    /// The lane did what there was to do.
    pub(super) fn closed(&mut self, patient: PatientId) {
        self.0.remove(&patient);
    }

    /// The span of a lane.
    pub(super) fn of(&self, patient: PatientId) -> Span {
        self.0
            .get(&patient)
            .map_or_else(Span::none, |lane| lane.span.clone())
    }
}

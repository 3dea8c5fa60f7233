//! What was sent and has no answer yet, by tag. Bounded by the turns that the jobs hold.

use super::{PublishError, Published, Receipt, Refusal};
use crate::{
    error::ClientError,
    v1::{PublishRequest, PublishResponse, duplicate::First, publish_response::Outcome},
};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// One observation and who waits for its answer.
pub(super) struct Job {
    /// Without its tag.
    pub(super) request: Arc<PublishRequest>,
    pub(super) reply: oneshot::Sender<Result<Published, PublishError>>,
    /// Given back when the job is settled, not when the caller goes away: the bus still owes the answer.
    pub(super) _turn: OwnedSemaphorePermit,
}

#[derive(Default)]
pub(super) struct Unanswered {
    jobs: BTreeMap<u64, Job>,
    next_tag: u64,
}

impl Unanswered {
    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Files a job and returns its request.
    pub(super) fn add(&mut self, job: Job) -> PublishRequest {
        self.next_tag = self.next_tag.wrapping_add(1);
        let request = request(self.next_tag, &job);
        self.jobs.insert(self.next_tag, job);
        request
    }

    /// All requests once more, oldest first, without those that nobody waits for any longer.
    pub(super) fn again(&mut self) -> Vec<PublishRequest> {
        self.jobs.retain(|_, job| !job.reply.is_closed());
        self.jobs.iter().map(|(tag, job)| request(*tag, job)).collect()
    }

    /// Hands an answer to its caller. An answer that nobody waits for is dropped.
    pub(super) fn settle(&mut self, response: PublishResponse) {
        if let Some(job) = self.jobs.remove(&response.tag) {
            _ = job.reply.send(outcome(response.outcome));
        }
    }

    /// Tells every caller that it will not come to anything.
    pub(super) fn fail(&mut self, error: &ClientError) {
        for job in std::mem::take(&mut self.jobs).into_values() {
            _ = job.reply.send(Err(PublishError::Stream(error.clone())));
        }
    }
}

fn request(tag: u64, job: &Job) -> PublishRequest {
    PublishRequest {
        tag,
        ..PublishRequest::clone(&job.request)
    }
}

fn outcome(outcome: Option<Outcome>) -> Result<Published, PublishError> {
    let unexpected = |what| PublishError::Stream(ClientError::Unexpected(what));
    let (first, is_duplicate) = match outcome {
        Some(Outcome::Recorded(recorded)) => (First::Recorded(recorded), false),
        Some(Outcome::Unchanged(unchanged)) => (First::Unchanged(unchanged), false),
        Some(Outcome::InReview(review)) => (First::InReview(review), false),
        Some(Outcome::Duplicate(duplicate)) => match duplicate.first {
            Some(first) => (first, true),
            None => return Err(unexpected("a duplicate of nothing")),
        },
        Some(Outcome::Refused(refused)) => {
            return Err(PublishError::Refused(Refusal {
                code: refused.code,
                message: refused.message,
                field: refused.field,
                retryable: refused.retryable,
            }));
        }
        None => return Err(unexpected("an answer without an outcome")),
    };
    Ok(Published {
        receipt: receipt(first),
        is_duplicate,
    })
}

fn receipt(first: First) -> Receipt {
    match first {
        First::Recorded(recorded) => Receipt::Recorded {
            patient_id: recorded.patient_id,
            revision: recorded.revision,
            sequence: recorded.sequence,
        },
        First::Unchanged(unchanged) => Receipt::Unchanged {
            patient_id: unchanged.patient_id,
            revision: unchanged.revision,
        },
        First::InReview(review) => Receipt::InReview {
            item: review.item,
            patient_id: review.patient_id,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::{Duplicate, Recorded, Unchanged};
    use tokio::sync::Semaphore;

    fn job(turns: &Arc<Semaphore>) -> (Job, oneshot::Receiver<Result<Published, PublishError>>) {
        let (reply, answer) = oneshot::channel();
        let turn = Arc::clone(turns).try_acquire_owned().unwrap();
        (
            Job {
                request: Arc::default(),
                reply,
                _turn: turn,
            },
            answer,
        )
    }

    #[test]
    fn answers_in_any_order_reach_the_callers_that_wait_for_them() {
        let turns = Arc::new(Semaphore::new(2));
        let mut unanswered = Unanswered::default();
        let (first, mut first_answer) = job(&turns);
        let (second, mut second_answer) = job(&turns);
        let (first, second) = (unanswered.add(first).tag, unanswered.add(second).tag);
        let unchanged = Unchanged {
            patient_id: "b".into(),
            revision: 2,
        };
        let recorded = Recorded {
            patient_id: "a".into(),
            revision: 1,
            sequence: 9,
        };
        unanswered.settle(PublishResponse {
            tag: second,
            outcome: Some(Outcome::Unchanged(unchanged)),
        });
        unanswered.settle(PublishResponse {
            tag: first,
            outcome: Some(Outcome::Recorded(recorded)),
        });
        assert_eq!(
            first_answer.try_recv().unwrap().unwrap().receipt.patient_id(),
            "a"
        );
        assert_eq!(
            second_answer.try_recv().unwrap().unwrap().receipt.patient_id(),
            "b"
        );
        assert_eq!(turns.available_permits(), 2);
    }

    #[test]
    fn a_caller_that_went_away_keeps_its_turn_until_the_stream_is_gone() {
        let turns = Arc::new(Semaphore::new(1));
        let mut unanswered = Unanswered::default();
        let (gone, answer) = job(&turns);
        unanswered.add(gone);
        drop(answer);
        assert_eq!(turns.available_permits(), 0);
        assert!(unanswered.again().is_empty());
        assert_eq!(turns.available_permits(), 1);
    }

    #[test]
    fn an_answer_to_an_unknown_tag_is_dropped() {
        Unanswered::default().settle(PublishResponse {
            tag: 7,
            outcome: None,
        });
    }

    #[test]
    fn a_duplicate_is_answered_as_it_was_the_first_time_and_says_so() {
        let unchanged = Unchanged {
            patient_id: "b".into(),
            revision: 2,
        };
        let first = Some(First::Unchanged(unchanged));
        let answer = outcome(Some(Outcome::Duplicate(Duplicate { first }))).unwrap();
        assert_eq!((answer.receipt.revision(), answer.is_duplicate), (Some(2), true));
    }

    #[test]
    fn an_answer_without_an_outcome_is_an_error_and_not_a_success() {
        assert_eq!(outcome(None).unwrap_err().code(), "contract_broken");
        let of_nothing = Outcome::Duplicate(Duplicate { first: None });
        assert_eq!(outcome(Some(of_nothing)).unwrap_err().code(), "contract_broken");
    }
}

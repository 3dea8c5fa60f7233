//! Trouble on demand: answers that are wrong, late, cut off or missing.
//!
//! A fault waits for a request that matches its method and path, plays, and is used up after `times`. The first
//! matching fault wins; the others wait. At most 1,000 faults wait at a time, further ones are refused by the caller
//! that adds them seeing `None`.

use std::time::Duration;

/// How many faults can wait.
pub const MAX_FAULTS: usize = 1_000;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// This status is answered instead, with `Retry-After` when given.
    Status {
        /// 429, 500, 504 or any other.
        status: u16,
        /// Rounded up to whole seconds in the header.
        retry_after: Option<Duration>,
    },
    /// The answer takes longer. Past the processing limit the client gets 504.
    Delay(Duration),
    /// No answer, and the connection stays open until the client or the simulator gives up.
    Hang,
    /// The connection is cut without an answer.
    Drop,
    /// The header promises the whole body, half of it comes, and the connection is cut.
    HalfBody,
    /// A complete answer of which the JSON ends in the middle.
    InvalidJson,
    /// A complete answer with status 200 that is not the API's at all: the page of something that stands in between.
    Garbage,
}

/// One fault and the requests that it is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Whether the request is carried out before it goes wrong: the trap in which a client that tries again creates
    /// a duplicate. `HalfBody` and `InvalidJson` are always after.
    pub after_applying: bool,
    /// Only for this method.
    pub method: Option<String>,
    /// Only for this path below `/api/v1`; a `*` at the end matches anything from there on.
    pub path: Option<String>,
    /// How often it plays; nothing means until it is cleared.
    pub times: Option<u32>,
    /// How many matching requests pass unharmed before it begins.
    pub skip: u32,
}

impl Fault {
    /// A fault that plays before the request is carried out, for every request, until it is cleared.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            after_applying: false,
            method: None,
            path: None,
            times: None,
            skip: 0,
        }
    }

    /// Answers with this status.
    pub fn status(status: u16) -> Self {
        Self::new(FaultKind::Status {
            status,
            retry_after: None,
        })
    }

    /// Cuts the connection before the request is carried out.
    pub fn drop_before() -> Self {
        Self::new(FaultKind::Drop)
    }

    /// Carries the request out and cuts the connection instead of answering.
    pub fn drop_after() -> Self {
        Self::new(FaultKind::Drop).after_applying()
    }

    /// Answers this much later.
    pub fn delay(by: Duration) -> Self {
        Self::new(FaultKind::Delay(by))
    }

    /// The same fault, played once the request was carried out.
    #[must_use]
    pub fn after_applying(mut self) -> Self {
        self.after_applying = true;
        self
    }

    /// The same fault for one method and path only.
    #[must_use]
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.to_owned());
        self.path = Some(path.to_owned());
        self
    }

    /// The same fault, this often.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// The same fault, after this many matching requests went well.
    #[must_use]
    pub fn skip(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// The fault's name, for logs and for the command line.
    pub fn name(&self) -> &'static str {
        match self.kind {
            FaultKind::Status { .. } => "status",
            FaultKind::Delay(_) => "delay",
            FaultKind::Hang => "hang",
            FaultKind::Drop => "drop",
            FaultKind::HalfBody => "half-body",
            FaultKind::InvalidJson => "invalid-json",
            FaultKind::Garbage => "garbage",
        }
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        let method_fits = self
            .method
            .as_deref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
        let path_fits = self
            .path
            .as_deref()
            .is_none_or(|wanted| match wanted.strip_suffix('*') {
                Some(start) => path.starts_with(start),
                None => path == wanted,
            });
        method_fits && path_fits && self.times != Some(0)
    }
}

/// The faults that wait, and the eConnector.
#[derive(Debug)]
pub(crate) struct FaultBoard {
    waiting: Vec<(u64, Fault)>,
    next_id: u64,
    pub(crate) econnector_running: bool,
}

impl FaultBoard {
    pub(crate) fn new() -> Self {
        Self {
            waiting: Vec::new(),
            next_id: 1,
            econnector_running: true,
        }
    }

    /// Adds a fault and returns its number; nothing when too many wait.
    pub(crate) fn add(&mut self, fault: Fault) -> Option<u64> {
        if self.waiting.len() >= MAX_FAULTS {
            return None;
        }
        let id = self.next_id;
        self.next_id += 1;
        self.waiting.push((id, fault));
        Some(id)
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    pub(crate) fn waiting(&self) -> &[(u64, Fault)] {
        &self.waiting
    }

    /// The fault to play on this request, used up by one.
    pub(crate) fn take(&mut self, method: &str, path: &str) -> Option<Fault> {
        let mut chosen = None;
        for (_, fault) in self
            .waiting
            .iter_mut()
            .filter(|(_, fault)| fault.matches(method, path))
        {
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            fault.times = fault.times.map(|times| times.saturating_sub(1));
            chosen = Some(fault.clone());
            break;
        }
        self.waiting.retain(|(_, fault)| fault.times != Some(0));
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_only_its_own_requests_and_only_so_often() {
        let mut board = FaultBoard::new();
        board
            .add(Fault::drop_after().on("POST", "/patients").times(1).skip(1))
            .unwrap();
        assert_eq!(board.take("GET", "/patients"), None);
        assert_eq!(board.take("POST", "/patients"), None, "the first one passes");
        assert!(board.take("POST", "/patients").is_some());
        assert_eq!(board.take("POST", "/patients"), None);
        assert!(board.waiting().is_empty());
    }

    #[test]
    fn a_star_matches_the_rest_of_a_path() {
        let mut board = FaultBoard::new();
        board.add(Fault::status(500).on("PUT", "/patients/*")).unwrap();
        assert!(board.take("PUT", "/patients/48").is_some());
        assert!(board.take("PUT", "/queries/ShortQuery").is_none());
    }
}

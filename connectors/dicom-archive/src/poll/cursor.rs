//! Where the reading stands, from one call to the next.

use crate::archive::Archive;
use crate::config::Wish;
use crate::orthanc;
use crate::sent::Sent;
use crate::uid::Uid;
use crate::window::Window;
use archwire_connector::Disposition;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How the archive is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum By {
    Changes,
    Qido,
}

/// Where the reading stands.
#[derive(Serialize, Deserialize)]
pub(super) struct Cursor {
    pub(super) by: By,
    /// The first pass, while it is not through.
    pub(super) first: Option<First>,
    /// The last change that was seen.
    pub(super) since: u64,
    /// Studies to be read.
    pub(super) queue: VecDeque<Waiting>,
    /// How far the first of them was read.
    pub(super) at: usize,
    /// The first image of the page before, as a hash, to see when a server does not page.
    pub(super) front: u64,
    /// The image in front, and how often it was asked for in vain.
    pub(super) tries: u32,
    pub(super) missed: VecDeque<Missed>,
    pub(super) sent: Sent,
    pub(super) window: Window,
}

/// How far the first pass got.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct First {
    pub(super) offset: usize,
    /// The last study of the page before, as a hash: the next page has to begin with it, or studies were removed meanwhile.
    pub(super) last: Option<u64>,
    pub(super) restarts: u32,
}

/// A study that waits to be read.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Waiting {
    /// Orthanc's id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) orthanc: Option<String>,
    /// StudyInstanceUID; `None` while only Orthanc's id is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) study: Option<Uid>,
}

/// An image that the archive did not give.
#[derive(Serialize, Deserialize)]
pub(super) struct Missed {
    pub(super) study: Uid,
    pub(super) series: Uid,
    pub(super) instance: Uid,
    /// Which file it was, where that is known.
    pub(super) version: String,
    pub(super) again_ms: u64,
}

impl Cursor {
    pub(super) fn read(archive: &Archive<'_>, text: Option<&str>) -> Result<Self, Disposition> {
        let Some(text) = text else {
            return Self::begin(archive);
        };
        let cursor: Self =
            serde_json::from_str(text).map_err(|_| Disposition::rejected("cursor-unreadable"))?;
        let other = match archive.config.feed {
            Wish::Auto => false,
            Wish::Changes => cursor.by != By::Changes,
            Wish::Qido => cursor.by != By::Qido,
        };
        match other {
            // The administrator chose another way: from the beginning, what was told is known.
            true => Ok(Self {
                sent: cursor.sent,
                ..Self::begin(archive)?
            }),
            false => Ok(cursor),
        }
    }

    fn begin(archive: &Archive<'_>) -> Result<Self, Disposition> {
        let last = match archive.config.feed {
            Wish::Qido => None,
            Wish::Auto => orthanc::last_change(archive)?,
            Wish::Changes => Some(
                orthanc::last_change(archive)?.ok_or_else(|| Disposition::rejected("no-list-of-changes"))?,
            ),
        };
        Ok(Self {
            by: if last.is_some() { By::Changes } else { By::Qido },
            first: Some(First::default()),
            since: last.unwrap_or_default(),
            queue: VecDeque::new(),
            at: 0,
            front: 0,
            tries: 0,
            missed: VecDeque::new(),
            sent: Sent::default(),
            window: Window::default(),
        })
    }

    pub(super) fn text(&self) -> Result<String, Disposition> {
        serde_json::to_string(self).map_err(|_| Disposition::rejected("cursor-unwritable"))
    }
}

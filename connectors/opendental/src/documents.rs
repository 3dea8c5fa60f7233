//! Images of the bus as documents of Open Dental's Imaging Module, both ways (Open Dental API, Documents).
//!
//! | Module | What |
//! |---|---|
//! | [`mark`], [`line`], [`teeth`], [`moment`], [`row`] | what a document's row says and what it means: pure |
//! | [`category`] | where images are filed |
//! | [`calls`], [`search`], [`note`] | the calls, and finding a document and its bytes again |
//! | [`deliver`], [`amend`] | uploading, once; marking what was replaced or withdrawn |
//! | [`large`] | what the office's program fetches itself |
//! | [`fetch`] | reading one back |
//! | [`take`] | images that the office's staff made, from the A-to-Z folder |
//!
//! **The API gives no bytes.** It takes files as base64 text within JSON, up to [`line::MOST_BYTES`], and larger ones by SFTP from
//! a server that it is told the password of: the broker, where the administrator wants it ([`large`]); else they are refused with
//! `document-too-large`. It hands files out only to an SFTP server of one's own, which there is none of, so `DownloadSftp` is not
//! used. Bytes come back in two ways: from the A-to-Z folder, where the administrator granted it, and from the
//! row's note, in which an upload lies until somebody opens it.
//!
//! **A document is never deleted** and its bytes are never replaced; the API could not do the latter.

pub mod amend;
pub mod calls;
pub mod category;
pub mod deliver;
pub mod fetch;
pub mod large;
pub mod line;
pub mod mark;
pub mod moment;
pub mod note;
pub mod row;
pub mod search;
pub mod take;
pub mod teeth;

//! Handing out one image at a time by SFTP, to programs that fetch a large file only from a server whose password they are told.
//!
//! | module | what it does |
//! |---|---|
//! | [`Offers`] | which images are handed out now: a random user, password and path for each, for the length of a call |
//! | [`SftpServer`] | the port: who may connect, and for how long |
//! | `session` | SSH: nothing but a password, nothing but the subsystem `sftp` |
//! | `files` | SFTP version 3: a folder with one file in it, to be read |
//! | `window` | bytes of an image from any place, mostly ascending |
//! | `host_key` | by what the broker is known again |
//! | `tally` | what strangers are refused, said at most once a minute |
//!
//! Only the program that was told user and password reads something, and only the image that they were made for. There is no
//! user otherwise, no shell, no forwarding, and nothing can be written.
//!
//! **Bounds**: 64 offers, 16 connections at the same time, 8 from one address, and none while nothing is offered; whoever
//! connects has 20 s to log in and three attempts, each wrong one answered after 2 s; a connection on which nothing comes for
//! 60 s is closed. A connection holds at most two open files or folders, of at most 7 MiB each, and 2 MiB of requests that wait
//! to be answered: whoever asks for more without taking the answers is cut off. At most 3 MiB of answers wait to be taken. What
//! is beyond a bound is refused; the log says so at most once a minute, and how often it was.
//!
//! All connections of an offer end with it, also those of programs that take nothing any more: their sockets are shut, and what
//! reads the image for them is dropped. The place of a connection is given back when everything that ran for it has ended.
//!
//! This is the only place that names russh.

mod files;
mod host_key;
mod offers;
mod server;
mod session;
mod tally;
mod window;

pub use host_key::{HostKey, HostKeyError};
pub use offers::Offers;
pub use server::{SftpError, SftpServer};

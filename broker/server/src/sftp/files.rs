//! SFTP, version 3 (draft-ietf-secsh-filexfer-02): a folder with one folder with one file in it, to be read.
//!
//! One request after the other. Requests are at most 34,000 bytes, as every client's are that writes nothing; whoever sends
//! more, or something that is no request, is cut off. An answer has at most 32 KiB of the file. Paths are understood with and
//! without a slash at their beginning.

use super::{offers::Offered, window::Window};
use bytes::Bytes;
use russh_sftp::protocol::{
    Attrs, Data, File, FileAttributes, Handle, Name, Open, OpenFlags, Packet, Status, StatusCode, Version,
};
use std::{collections::BTreeMap, sync::Arc};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Most bytes of a request.
const LONGEST_REQUEST: u32 = 34_000;
/// Most bytes of the file in one answer.
const LONGEST_READ: u32 = 32 * 1024;
/// Files and folders that may be open at the same time.
const OPEN: usize = 2;
/// What everybody sees of the permissions: to be read, and nothing else.
const FILE_MODE: u32 = 0o100_400;
const FOLDER_MODE: u32 = 0o040_500;

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Folder,
    File,
}

enum Opened {
    /// What is still to be listed.
    Folder(Option<Place>),
    File(Box<Window>),
}

/// What one program has open.
pub(super) struct Files {
    offered: Arc<Offered>,
    open: BTreeMap<String, Opened>,
    next: u64,
}

impl Files {
    pub(super) fn of(offered: Arc<Offered>) -> Self {
        Self {
            offered,
            open: BTreeMap::new(),
            next: 0,
        }
    }

    /// Answers until nothing more is asked, somebody sends what is no request, or nobody takes answers any more.
    pub(super) async fn serve(mut self, mut requests: impl AsyncRead + Unpin, answers: impl AsyncWrite) {
        tokio::pin!(answers);
        while let Some(request) = next_request(&mut requests).await {
            let answer = self.answer(request).await;
            let taken = match &answer {
                Packet::Data(answer) => answer.data.len(),
                _ => 0,
            };
            let Ok(answer) = Bytes::try_from(answer) else {
                return;
            };
            if answers.write_all(&answer).await.is_err() || answers.flush().await.is_err() {
                return;
            }
            // Not before: nothing moves while nobody takes the answer.
            if taken > 0 {
                self.offered.took(taken);
            }
        }
    }

    async fn answer(&mut self, request: Packet) -> Packet {
        let id = request.get_request_id();
        let answer = match request {
            Packet::Init(_) => return Version::new().into(),
            Packet::RealPath(asked) => self.real_path(id, &asked.path),
            Packet::Stat(asked) => self.attributes(id, &asked.path),
            Packet::Lstat(asked) => self.attributes(id, &asked.path),
            Packet::Fstat(asked) => self.attributes_of_open(id, &asked.handle),
            Packet::OpenDir(asked) => self.open_folder(id, &asked.path),
            Packet::ReadDir(asked) => self.list(id, &asked.handle),
            Packet::Open(asked) => self.open_file(id, &asked),
            Packet::Read(asked) => self.read(id, &asked.handle, asked.offset, asked.len).await,
            Packet::Close(asked) => self.close(&asked.handle),
            Packet::Write(_)
            | Packet::SetStat(_)
            | Packet::FSetStat(_)
            | Packet::Remove(_)
            | Packet::MkDir(_)
            | Packet::RmDir(_)
            | Packet::Rename(_)
            | Packet::Symlink(_) => Err(StatusCode::PermissionDenied),
            _ => Err(StatusCode::OpUnsupported),
        };
        answer.unwrap_or_else(|code| status(id, code))
    }

    /// Where a path leads; `..` leads no higher than the root.
    fn place(&self, path: &str) -> Result<Place, StatusCode> {
        let mut parts: Vec<&str> = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => _ = parts.pop(),
                part => parts.push(part),
            }
        }
        match parts.as_slice() {
            [] => Ok(Place::Root),
            [folder] if *folder == self.offered.folder => Ok(Place::Folder),
            [folder, file] if *folder == self.offered.folder && *file == self.offered.file => Ok(Place::File),
            _ => Err(StatusCode::NoSuchFile),
        }
    }

    /// The path of a place, from the root.
    fn path(&self, place: Place) -> String {
        let Offered { folder, file, .. } = &*self.offered;
        match place {
            Place::Root => "/".to_owned(),
            Place::Folder => format!("/{folder}"),
            Place::File => format!("/{folder}/{file}"),
        }
    }

    fn shown(&self, place: Place) -> FileAttributes {
        let (size, mode) = match place {
            Place::Root | Place::Folder => (0, FOLDER_MODE),
            Place::File => (self.offered.size, FILE_MODE),
        };
        FileAttributes {
            size: Some(size),
            uid: Some(0),
            gid: Some(0),
            permissions: Some(mode),
            atime: Some(0),
            mtime: Some(0),
            ..FileAttributes::empty()
        }
    }

    fn real_path(&self, id: u32, path: &str) -> Result<Packet, StatusCode> {
        let files = vec![File::dummy(self.path(self.place(path)?))];
        Ok(Name { id, files }.into())
    }

    fn attributes(&self, id: u32, path: &str) -> Result<Packet, StatusCode> {
        let attrs = self.shown(self.place(path)?);
        Ok(Attrs { id, attrs }.into())
    }

    fn attributes_of_open(&self, id: u32, handle: &str) -> Result<Packet, StatusCode> {
        let place = match self.open.get(handle) {
            Some(Opened::File(_)) => Place::File,
            Some(Opened::Folder(_)) => Place::Folder,
            None => return Err(StatusCode::Failure),
        };
        let attrs = self.shown(place);
        Ok(Attrs { id, attrs }.into())
    }

    fn open_folder(&mut self, id: u32, path: &str) -> Result<Packet, StatusCode> {
        let listed = match self.place(path)? {
            Place::Root => Place::Folder,
            Place::Folder => Place::File,
            Place::File => return Err(StatusCode::Failure),
        };
        self.keep(id, Opened::Folder(Some(listed)))
    }

    fn open_file(&mut self, id: u32, asked: &Open) -> Result<Packet, StatusCode> {
        if asked.pflags.bits() != OpenFlags::READ.bits() {
            return Err(StatusCode::PermissionDenied);
        }
        if self.place(&asked.filename)? != Place::File {
            return Err(StatusCode::Failure);
        }
        let Offered {
            store, digest, size, ..
        } = &*self.offered;
        let window = Window::new(store.clone(), *digest, *size);
        self.keep(id, Opened::File(Box::new(window)))
    }

    fn keep(&mut self, id: u32, opened: Opened) -> Result<Packet, StatusCode> {
        if self.open.len() >= OPEN {
            return Err(StatusCode::Failure);
        }
        let handle = self.next.to_string();
        self.next = self.next.wrapping_add(1);
        self.open.insert(handle.clone(), opened);
        Ok(Handle { id, handle }.into())
    }

    fn list(&mut self, id: u32, handle: &str) -> Result<Packet, StatusCode> {
        let Some(Opened::Folder(listed)) = self.open.get_mut(handle) else {
            return Err(StatusCode::Failure);
        };
        let place = listed.take().ok_or(StatusCode::Eof)?;
        let name = match place {
            Place::Root => ".",
            Place::Folder => &self.offered.folder,
            Place::File => &self.offered.file,
        };
        let files = vec![File::new(name, self.shown(place))];
        Ok(Name { id, files }.into())
    }

    async fn read(&mut self, id: u32, handle: &str, offset: u64, length: u32) -> Result<Packet, StatusCode> {
        let Some(Opened::File(window)) = self.open.get_mut(handle) else {
            return Err(StatusCode::Failure);
        };
        match window.read(offset, length.min(LONGEST_READ)).await {
            Ok(bytes) if bytes.is_empty() => Err(StatusCode::Eof),
            Ok(bytes) => {
                let data = bytes.into();
                Ok(Data { id, data }.into())
            }
            Err(error) => {
                let code = error.code();
                tracing::warn!(
                    code,
                    "the store of images fails a program that fetches one by SFTP"
                );
                Err(StatusCode::Failure)
            }
        }
    }

    fn close(&mut self, handle: &str) -> Result<Packet, StatusCode> {
        match self.open.remove(handle) {
            Some(_) => Err(StatusCode::Ok),
            None => Err(StatusCode::Failure),
        }
    }
}

fn status(id: u32, status_code: StatusCode) -> Packet {
    let status = Status {
        id,
        status_code,
        error_message: status_code.to_string(),
        language_tag: "en-US".to_owned(),
    };
    status.into()
}

/// `None` when nothing more comes, or something that is no request.
async fn next_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Packet> {
    let length = stream.read_u32().await.ok()?;
    if length > LONGEST_REQUEST {
        return None;
    }
    let mut request = vec![0; usize::try_from(length).ok()?];
    stream.read_exact(&mut request).await.ok()?;
    Packet::try_from(&mut Bytes::from(request)).ok()
}

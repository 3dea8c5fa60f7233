//! POST `/documents/UploadSftp`: the office fetches a file from somebody's SFTP server (Open Dental API, Documents).
//!
//! Address, user and password are in the body; the address is host, folder and file in one. No port is told, so that it is
//! [`crate::Options::sftp_port`]. The office knows no server's key, so that it takes any. Unlike an upload, the file is in the
//! A-to-Z folder at once. The texts of the refusals are guesses; that there are some, and that they are 400, is not.

use std::sync::Arc;
use std::time::Duration;

use russh::client;
use russh::keys::PublicKeyOrCertificate;
use russh_sftp::client::SftpSession;
use serde_json::{Map, Value};
use tokio::io::AsyncReadExt as _;

use crate::answer::Answer;
use crate::documents::{NewDocument, Origin};
use crate::gate::Call;
use crate::keys::ApiKey;
use crate::refusal::Refusal;
use crate::shared::{Invitation, Shared};
use crate::validate;

use super::{document_fields, documents};

/// The resource.
pub(crate) const PATH: &str = "/documents/UploadSftp";
/// How long a server may take to answer at all.
const CONNECT: Duration = Duration::from_secs(15);
/// Most bytes of a file: the simulator keeps it in memory.
const LARGEST: u64 = 2 * 1024 * 1024 * 1024;

/// Fetches a file.
pub(super) async fn upload(shared: &Shared, key: &ApiKey, call: &Call) -> Result<Answer, Refusal> {
    let body = validate::object(&call.body)?;
    let pat_num = document_fields::key(&body, "PatNum")?.ok_or_else(|| Refusal::required("PatNum"))?;
    let invitation = invitation(&body)?;
    let fields = document_fields::read(&body, &shared.options)?;
    documents::living(&shared.office(), pat_num)?;
    let (host, path) = invitation
        .address
        .split_once('/')
        .ok_or_else(|| Refusal::invalid("SftpAddress"))?;
    let extension = path.rsplit_once('.').map(|(_, extension)| extension.to_owned());
    let extension = extension.ok_or_else(|| Refusal::invalid("SftpAddress"))?;
    let bytes = fetch((host, shared.options.sftp_port), path, &invitation).await?;
    if bytes.is_empty() {
        return Err(Refusal::bad("The file is empty"));
    }
    let name = file_name(shared, pat_num, call.request, &extension)?;
    let new = NewDocument {
        pat_num,
        fields,
        bytes: bytes.into(),
        origin: Origin::File(name),
    };
    documents::add(shared, key, call, new)
}

/// Remembers where a file was to be fetched from, for tests that look there, too.
pub(crate) fn note(shared: &Shared, call: &Call) {
    let said = validate::object(&call.body).and_then(|body| invitation(&body));
    if let Ok(invitation) = said
        && (call.method.as_str(), call.path.as_str()) == ("POST", PATH)
    {
        shared.invited(invitation);
    }
}

/// A name that no other file has.
fn file_name(shared: &Shared, pat_num: i64, request: u64, extension: &str) -> Result<String, Refusal> {
    let office = shared.office();
    let patient = office.patient(pat_num).ok_or_else(Refusal::no_patient)?;
    let letters = patient.image_folder.chars().filter(char::is_ascii_alphabetic);
    Ok(format!("{}-{request}.{extension}", letters.collect::<String>()))
}

/// What a call says of the server.
fn invitation(body: &Map<String, Value>) -> Result<Invitation, Refusal> {
    let text = |name: &str| match body.get(name).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(Refusal::required(name)),
    };
    Ok(Invitation {
        address: text("SftpAddress")?,
        user: text("SftpUsername")?,
        password: text("SftpPassword")?,
    })
}

/// Takes any key.
struct Trusting;

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

async fn fetch(server: (&str, u16), path: &str, invitation: &Invitation) -> Result<Vec<u8>, Refusal> {
    let unreachable = || Refusal::bad("SFTP connection failed: the server could not be reached");
    let connecting = client::connect(Arc::new(client::Config::default()), server, Trusting);
    let connected = tokio::time::timeout(CONNECT, connecting).await;
    let mut session = connected.map_err(|_| unreachable())?.map_err(|_| unreachable())?;
    let authenticated = session
        .authenticate_password(&invitation.user, &invitation.password)
        .await;
    if !authenticated.is_ok_and(|result| result.success()) {
        return Err(Refusal::bad(
            "SFTP connection failed: Permission denied (password).",
        ));
    }
    let broken = |_| Refusal::bad("SFTP connection failed: the session could not be opened");
    let channel = session.channel_open_session().await.map_err(broken)?;
    channel.request_subsystem(true, "sftp").await.map_err(broken)?;
    let sftp = SftpSession::new(channel.into_stream()).await;
    let sftp = sftp.map_err(|_| Refusal::bad("SFTP connection failed: the session could not be opened"))?;
    let file = sftp.open(path).await;
    let file = file.map_err(|_| Refusal::bad("The file could not be found at the SftpAddress"))?;
    let mut bytes = Vec::new();
    let read = file.take(LARGEST).read_to_end(&mut bytes).await;
    read.map_err(|_| Refusal::bad("The file could not be downloaded from the SftpAddress"))?;
    Ok(bytes)
}

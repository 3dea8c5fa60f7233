//! Speaking to the running broker over its admin socket.

use super::arguments::Asking;
use crate::{
    admin::{LARGEST_ANSWER, SocketError, socket_path},
    api::status::ERROR_CODE,
    config::{ConfigError, locate_data_folder, process_environment},
};
use archwire_proto::admin::v1::admin_client::AdminClient;
use std::{
    io,
    path::{Path, PathBuf},
};
use tokio::net::UnixStream;
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

/// A question that got no answer, or none that was hoped for.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// The configuration does not say where the data folder is.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No socket can have this path.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// Nobody listens.
    #[error(
        "no broker is running on this data folder ({}): start it with `archwire run --config {}`",
        socket.display(),
        config.display()
    )]
    NoBroker {
        /// Where it would listen.
        socket: PathBuf,
        /// The configuration that was read.
        config: PathBuf,
    },
    /// Somebody else's broker.
    #[error("you may not speak to the broker ({}): run this as the user that the broker runs as", socket.display())]
    NotAllowed {
        /// Where it listens.
        socket: PathBuf,
    },
    /// The socket cannot be used.
    #[error("the broker cannot be reached at {}", socket.display())]
    NotReached {
        /// Where it listens.
        socket: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The broker says no, and why.
    #[error("{message}")]
    Refused {
        /// Its stable code.
        code: String,
        /// Its words.
        message: String,
    },
    /// It did not say anything.
    #[error("the broker did not answer in time; `archwire audit list` shows what was begun")]
    NoAnswer,
    /// The connection ended.
    #[error("the connection to the broker ended; `archwire audit list` shows what was begun")]
    Broken,
    /// What was followed has ended.
    #[error("the broker stopped{}", go_on(*next))]
    Stopped {
        /// Where to go on.
        next: Option<u64>,
    },
    /// It says something that this version does not understand.
    #[error("the broker's answer cannot be understood: is it of the same version?")]
    Answer,
    /// It ended before its end, as when the broker stops.
    #[error("the broker's answer was cut short, so that nothing can be said of the whole; ask again")]
    CutShort,
    /// The file of checkpoints.
    #[error("cannot read the checkpoints in {}", path.display())]
    Checkpoints {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The answer cannot be written.
    #[error("the answer cannot be written")]
    Write(#[from] io::Error),
}

impl AskError {
    /// Stable code; the broker's own where it refuses.
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Config(error) => error.code(),
            Self::Socket(error) => error.code(),
            Self::NoBroker { .. } => "broker_not_running",
            Self::NotAllowed { .. } => "admin_not_allowed",
            Self::NotReached { .. } => "admin_unreachable",
            Self::Refused { code, .. } => code,
            Self::NoAnswer => "admin_no_answer",
            Self::Broken => "admin_connection_lost",
            Self::Stopped { .. } => "broker_stopped",
            Self::Answer => "admin_answer_invalid",
            Self::CutShort => "admin_answer_cut_short",
            Self::Checkpoints { .. } => "checkpoints_unreadable",
            Self::Write(_) => "output_failed",
        }
    }
}

impl From<Status> for AskError {
    fn from(status: Status) -> Self {
        let own = status
            .metadata()
            .get(ERROR_CODE)
            .and_then(|code| code.to_str().ok());
        match (own, status.code()) {
            (Some(code), _) => Self::Refused {
                code: code.to_owned(),
                message: status.message().to_owned(),
            },
            (None, Code::DeadlineExceeded | Code::Cancelled) => Self::NoAnswer,
            (None, Code::Unimplemented | Code::OutOfRange | Code::Internal) => Self::Answer,
            (None, _) => Self::Broken,
        }
    }
}

fn go_on(next: Option<u64>) -> String {
    next.map_or_else(String::new, |next| format!("; go on with `--from {next}`"))
}

/// The running broker.
pub(super) async fn broker(asking: &Asking) -> Result<AdminClient<Channel>, AskError> {
    let folder = locate_data_folder(&asking.config, process_environment())?;
    let socket = socket_path(&folder)?;
    // Tonic does not tell why it cannot connect; the operating system does.
    if let Err(error) = UnixStream::connect(&socket).await {
        return Err(not_connected(error, socket, &asking.config));
    }
    let not_reached = |source: tonic::transport::Error| AskError::NotReached {
        socket: socket.clone(),
        source: source.into(),
    };
    let address = socket.to_str().ok_or_else(|| AskError::NotReached {
        socket: socket.clone(),
        source: "its path is not UTF-8".into(),
    })?;
    let endpoint = Endpoint::from_shared(format!("unix:{address}")).map_err(not_reached)?;
    let channel = endpoint.connect().await.map_err(not_reached)?;
    Ok(AdminClient::new(channel).max_decoding_message_size(LARGEST_ANSWER))
}

fn not_connected(error: io::Error, socket: PathBuf, config: &Path) -> AskError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => AskError::NoBroker {
            socket,
            config: config.to_owned(),
        },
        io::ErrorKind::PermissionDenied => AskError::NotAllowed { socket },
        _ => AskError::NotReached {
            socket,
            source: error.into(),
        },
    }
}

//! The server's binary: is it there, does it run, is it new enough. Bounded to 10 s.

use super::SupervisorError;
use crate::ServerVersion;
use std::{io, path::Path, process::Stdio, time::Duration};
use tokio::process::Command;

/// A binary that takes longer than this to say its version is no nats-server.
const LONGEST_ANSWER: Duration = Duration::from_secs(10);

/// The version of the server at `path`, which is new enough.
pub(super) async fn check(path: &Path) -> Result<ServerVersion, SupervisorError> {
    let found = ask(path).await?;
    let needed = ServerVersion::OLDEST;
    if found < needed {
        return Err(SupervisorError::BinaryTooOld {
            path: path.to_owned(),
            found,
            needed,
        });
    }
    Ok(found)
}

async fn ask(path: &Path) -> Result<ServerVersion, SupervisorError> {
    let unusable = |source| SupervisorError::BinaryUnusable {
        path: path.to_owned(),
        source,
    };
    let answer = Command::new(path)
        .arg("--version")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(LONGEST_ANSWER, answer).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SupervisorError::BinaryMissing {
                path: path.to_owned(),
            });
        }
        Ok(Err(error)) => return Err(unusable(Some(error))),
        Err(elapsed) => return Err(unusable(Some(elapsed.into()))),
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let version = said.split_whitespace().last().unwrap_or_default();
    version.parse().map_err(|_| unusable(None))
}

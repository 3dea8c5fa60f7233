//! A server or cluster that somebody else runs: `[nats] url = ...` in the configuration.

use crate::{
    Cause, Connection, ServerVersion,
    connection::{Flush, Target},
};
use async_nats::{ConnectOptions, ServerAddr};
use secrecy::{ExposeSecret, SecretString};
use std::{path::PathBuf, time::Duration};
use tracing::Instrument;

/// Where the server is and how it knows us.
#[derive(Debug, Clone)]
pub struct ExternalConfig {
    /// `nats://host:4222`, or `tls://host:4222` to encrypt the way there; several, separated by commas, for a cluster.
    /// Without user and password, which belong into `credentials`.
    pub url: String,
    /// How the server knows us.
    pub credentials: Credentials,
    /// PEM file of an authority to trust besides the system's.
    pub root_certificate: Option<PathBuf>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
}

/// How an external server knows us. Does not print its secrets.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// It lets everybody in.
    None,
    /// A `.creds` file with JWT and seed, as `nsc` writes it.
    File(PathBuf),
    /// User and password.
    UserPassword {
        /// The user.
        user: String,
        /// The password.
        password: SecretString,
    },
    /// A token.
    Token(SecretString),
}

/// A server that cannot be used. No message holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Not an address.
    #[error("`nats.url` is not an address like nats://host:4222 or tls://host:4222")]
    Url {
        /// What is wrong with it.
        source: Cause,
    },
    /// A secret where it would be shown.
    #[error(
        "`nats.url` holds a user or a password; give them in the keys of their own, where they are not shown"
    )]
    UrlHoldsSecret,
    /// The credentials file.
    #[error("cannot read credentials from {}", path.display())]
    CredentialsFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Nobody there, or not in time, or not with this certificate.
    #[error("no NATS server can be reached at {url}")]
    NotReachable {
        /// Where.
        url: String,
        /// What happened instead.
        source: Cause,
    },
    /// Not with these credentials.
    #[error("the NATS server at {url} does not accept the credentials of the configuration")]
    NotAuthorized {
        /// Where.
        url: String,
    },
    /// A server that lacks what the log relies on.
    #[error(
        "the NATS server at {url} has version {found:?}, and Archwire needs {needed} or newer: upgrade it, or leave out \
         `nats.url` so that Archwire runs one of its own"
    )]
    TooOld {
        /// Where.
        url: String,
        /// What the server says of itself.
        found: String,
        /// The oldest that will do.
        needed: ServerVersion,
    },
    /// A server without a store.
    #[error(
        "the NATS server at {url} runs without JetStream for this account: start it with `--jetstream`, or enable it"
    )]
    JetStreamDisabled {
        /// Where.
        url: String,
    },
}

impl ConnectError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url { .. } => "nats_url_invalid",
            Self::UrlHoldsSecret => "nats_url_holds_secret",
            Self::CredentialsFile { .. } => "nats_credentials_file",
            Self::NotReachable { .. } => "nats_not_reachable",
            Self::NotAuthorized { .. } => "nats_not_authorized",
            Self::TooOld { .. } => "nats_too_old",
            Self::JetStreamDisabled { .. } => "nats_jetstream_disabled",
        }
    }
}

impl ExternalConfig {
    /// Connects, and checks version and JetStream.
    ///
    /// # Errors
    /// When the server cannot be used, with the reason.
    pub async fn connect(&self) -> Result<Connection, ConnectError> {
        let span = tracing::info_span!("nats.connect");
        self.connect_inside().instrument(span).await
    }

    async fn connect_inside(&self) -> Result<Connection, ConnectError> {
        let servers = self.servers()?;
        if servers
            .iter()
            .any(|server| !server.tls_required() && !is_loopback(server.host()))
        {
            tracing::warn!("`nats.url` is not tls://: patient data crosses the network unencrypted");
        }
        let mut options = self.options().await?;
        if let Some(root) = &self.root_certificate {
            options = options.add_root_certificates(root.clone());
        }
        let target = Target {
            servers,
            shown: &self.url,
            options,
            flush: Flush::Unknown,
            timeout: self.connect_timeout,
            longest_pause: Duration::from_secs(1),
        };
        target.connect().await
    }

    fn servers(&self) -> Result<Vec<ServerAddr>, ConnectError> {
        if self.url.contains('@') {
            return Err(ConnectError::UrlHoldsSecret);
        }
        let parse = |url: &str| match url.trim().parse::<ServerAddr>() {
            Ok(server) if matches!(server.scheme(), "nats" | "tls") && !server.host().is_empty() => {
                Ok(server)
            }
            Ok(_) => Err(ConnectError::Url {
                source: Cause::new("neither nats://host nor tls://host"),
            }),
            Err(error) => Err(ConnectError::Url {
                source: Cause::new(error),
            }),
        };
        self.url.split(',').map(parse).collect()
    }

    async fn options(&self) -> Result<ConnectOptions, ConnectError> {
        Ok(match &self.credentials {
            Credentials::None => ConnectOptions::new(),
            Credentials::File(path) => {
                ConnectOptions::with_credentials_file(path)
                    .await
                    .map_err(|source| ConnectError::CredentialsFile {
                        path: path.clone(),
                        source,
                    })?
            }
            Credentials::UserPassword { user, password } => {
                ConnectOptions::with_user_and_password(user.clone(), password.expose_secret().to_owned())
            }
            Credentials::Token(token) => ConnectOptions::with_token(token.expose_secret().to_owned()),
        })
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(url: &str) -> Result<usize, &'static str> {
        let credentials = Credentials::None;
        let connect_timeout = Duration::from_secs(1);
        let config = ExternalConfig {
            url: url.to_owned(),
            credentials,
            root_certificate: None,
            connect_timeout,
        };
        config
            .servers()
            .map(|servers| servers.len())
            .map_err(|error| error.code())
    }

    #[test]
    fn one_server_and_several_are_understood() {
        assert_eq!(servers("nats://127.0.0.1:4222"), Ok(1));
        assert_eq!(servers("tls://a:4222, tls://b:4222"), Ok(2));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in ["", "http://a", "nats://", "ws://a:80", "nats://a:b"] {
            assert_eq!(servers(url), Err("nats_url_invalid"), "{url}");
        }
    }

    #[test]
    fn a_password_in_the_address_is_refused() {
        assert_eq!(servers("nats://me:secret@a:4222"), Err("nats_url_holds_secret"));
    }
}

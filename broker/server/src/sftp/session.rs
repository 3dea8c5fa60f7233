//! SSH, as far as it is needed: a password, and the subsystem `sftp`, once at a time. Everything else is refused.

use super::{
    files::Files,
    offers::{Offered, Offers},
};
use russh::{
    Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet, Preferred, SshId,
    keys::PrivateKey,
    server::{self, Auth, ChannelOpenHandle, Config, Msg, Session},
};
use std::{borrow::Cow, sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::task::TaskTracker;

/// Attempts to log in on one connection.
const ATTEMPTS: usize = 3;
/// How long a wrong one takes.
const REFUSAL: Duration = Duration::from_secs(2);
/// How long nothing may come.
const IDLE: Duration = Duration::from_secs(60);
/// What a program may send before it is read.
const WINDOW: u32 = 256 * 1024;

/// How the broker speaks SSH.
pub(super) fn config(key: PrivateKey) -> Arc<Config> {
    Arc::new(Config {
        server_id: SshId::Standard(Cow::Borrowed("SSH-2.0-Archwire")),
        methods: MethodSet::from([MethodKind::Password].as_slice()),
        auth_rejection_time: REFUSAL,
        // Clients ask without a password first, to learn what there is.
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![key],
        window_size: WINDOW,
        max_auth_attempts: ATTEMPTS,
        inactivity_timeout: Some(IDLE),
        preferred: Preferred::DEFAULT,
        nodelay: true,
        ..Config::default()
    })
}

/// One connection.
pub(super) struct Connection {
    offers: Offers,
    /// Told once, when somebody has logged in.
    logged_in: Option<oneshot::Sender<Arc<Offered>>>,
    offered: Option<Arc<Offered>>,
    /// A channel that waits to be told what it is for.
    waiting: Option<(Channel<Msg>, OwnedSemaphorePermit)>,
    channel: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl Connection {
    pub(super) fn new(offers: Offers, logged_in: oneshot::Sender<Arc<Offered>>, tasks: TaskTracker) -> Self {
        Self {
            offers,
            logged_in: Some(logged_in),
            offered: None,
            waiting: None,
            channel: Arc::new(Semaphore::new(1)),
            tasks,
        }
    }
}

impl server::Handler for Connection {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        let Some(offered) = self.offers.log_in(user, password) else {
            tracing::warn!(
                code = "sftp_login_refused",
                "a program was refused to log in by SFTP"
            );
            return Ok(Auth::reject());
        };
        if let Some(logged_in) = self.logged_in.take() {
            _ = logged_in.send(Arc::clone(&offered));
        }
        self.offered = Some(offered);
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        match Arc::clone(&self.channel).try_acquire_owned() {
            Ok(place) => {
                self.waiting = Some((channel, place));
                reply.accept().await;
            }
            Err(_) => reply.reject(ChannelOpenFailure::ResourceShortage).await,
        }
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _: &mut Session) -> Result<(), Self::Error> {
        // One that was never told what it is for makes room for another.
        self.waiting.take_if(|(waiting, _)| waiting.id() == channel);
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let waiting = self
            .waiting
            .take_if(|(waiting, _)| name == "sftp" && waiting.id() == channel);
        let (Some((channel, place)), Some(offered)) = (waiting, &self.offered) else {
            return session.channel_failure(channel);
        };
        session.channel_success(channel.id())?;
        let files = Files::of(Arc::clone(offered));
        self.tasks.spawn(async move {
            files.serve(channel.into_stream()).await;
            drop(place);
        });
        Ok(())
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        _: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
        _: &[(russh::Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }
}

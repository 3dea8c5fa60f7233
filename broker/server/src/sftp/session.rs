//! SSH, as far as it is needed: a password, and the subsystem `sftp`, once at a time. Everything else is refused.
//!
//! russh runs a session in a task of its own, which nobody can abort: it ends when its socket is shut, unless it waits for
//! something else. So it must never wait for the task that answers requests, which itself waits for it: requests go into a
//! buffer, and a program that fills it is cut off. russh's own queue of a channel, for which it would wait, is let go of at
//! once, so that nothing is ever in it.

use super::{
    files::Files,
    offers::{Offered, Offers},
    tally::Tally,
};
use futures_util::FutureExt as _;
use russh::{
    Channel, ChannelId, ChannelOpenFailure, ChannelWriteHalf, MethodKind, MethodSet, Preferred, SshId,
    keys::PrivateKey,
    server::{self, Auth, ChannelOpenHandle, Config, Msg, Session},
};
use std::{borrow::Cow, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncWriteExt as _, DuplexStream, duplex},
    sync::oneshot,
    task::unconstrained,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Attempts to log in on one connection.
const ATTEMPTS: usize = 3;
/// How long a wrong one takes.
const REFUSAL: Duration = Duration::from_secs(2);
/// How long nothing may come.
const IDLE: Duration = Duration::from_secs(60);
/// What a program may send before it hears that it may send more, which russh tells it as soon as something arrives.
const WINDOW: u32 = 256 * 1024;
/// Bytes of requests that may wait to be answered: 80,000 that read, which is 2.5 GiB of an image, because some programs ask for
/// the whole of it before they take anything.
const WAITING: usize = 2 * 1024 * 1024;

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
        // Nothing is ever in it.
        channel_buffer_size: 1,
        max_auth_attempts: ATTEMPTS,
        inactivity_timeout: Some(IDLE),
        preferred: Preferred::DEFAULT,
        nodelay: true,
        ..Config::default()
    })
}

/// What a connection shares with others, or is held to.
pub(super) struct Visitor<H> {
    pub(super) offers: Offers,
    /// Told once, when somebody has logged in.
    pub(super) logged_in: oneshot::Sender<Arc<Offered>>,
    pub(super) tasks: TaskTracker,
    /// Ends what runs for it.
    pub(super) over: CancellationToken,
    /// Logins that were refused.
    pub(super) refused: Arc<Tally>,
    /// Dropped when russh's task has ended, not before.
    pub(super) held: H,
}

/// One connection.
pub(super) struct Connection<H> {
    offers: Offers,
    logged_in: Option<oneshot::Sender<Arc<Offered>>>,
    offered: Option<Arc<Offered>>,
    /// A channel that waits to be told what it is for.
    waiting: Option<ChannelWriteHalf<Msg>>,
    serving: Option<Serving>,
    tasks: TaskTracker,
    over: CancellationToken,
    refused: Arc<Tally>,
    _held: H,
}

/// The channel on which a program is answered.
struct Serving {
    channel: ChannelId,
    /// What it asks for, until it says that this was all.
    requests: Option<DuplexStream>,
    /// That it is not answered any more, and if it still is, that it is to end.
    ended: CancellationToken,
}

impl<H> Connection<H> {
    pub(super) fn new(visitor: Visitor<H>) -> Self {
        Self {
            offers: visitor.offers,
            logged_in: Some(visitor.logged_in),
            offered: None,
            waiting: None,
            serving: None,
            tasks: visitor.tasks,
            over: visitor.over,
            refused: visitor.refused,
            _held: visitor.held,
        }
    }

    fn is_busy(&self) -> bool {
        let is_served = |serving: &Serving| !serving.ended.is_cancelled();
        self.waiting.is_some() || self.serving.as_ref().is_some_and(is_served)
    }

    /// Answers on a channel, until the program has no more to ask, or somebody ends it.
    ///
    /// A program that takes nothing is waited for without an end, so that whatever ends it has to end this task itself.
    fn serve(&mut self, channel: ChannelWriteHalf<Msg>, offered: &Arc<Offered>) {
        let (requests, asked) = duplex(WAITING);
        let ended = self.over.child_token();
        self.serving = Some(Serving {
            channel: channel.id(),
            requests: Some(requests),
            ended: ended.clone(),
        });
        let offered = Arc::clone(offered);
        self.tasks.spawn(async move {
            let _ends = ended.clone().drop_guard();
            let files = Files::of(Arc::clone(&offered));
            let answering = async {
                files.serve(asked, channel.make_writer()).await;
                // Only a session that is gone cannot be told so.
                _ = channel.close().await;
            };
            tokio::select! {
                () = answering => {}
                () = ended.cancelled() => {}
                () = offered.ended.cancelled() => {}
            }
        });
    }
}

impl<H: Send + 'static> server::Handler for Connection<H> {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        let Some(offered) = self.offers.log_in(user, password) else {
            if let Some(count) = self.refused.one_more() {
                tracing::warn!(
                    code = "sftp_login_refused",
                    count,
                    "programs were refused to log in by SFTP"
                );
            }
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
        if self.is_busy() {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
        } else {
            let (_, answers) = channel.split();
            self.waiting = Some(answers);
            reply.accept().await;
        }
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _: &mut Session) -> Result<(), Self::Error> {
        // One that was never told what it is for makes room for another.
        self.waiting.take_if(|waiting| waiting.id() == channel);
        if let Some(serving) = self.serving.take_if(|serving| serving.channel == channel) {
            serving.ended.cancel();
        }
        Ok(())
    }

    async fn channel_eof(&mut self, channel: ChannelId, _: &mut Session) -> Result<(), Self::Error> {
        if let Some(serving) = self.serving.as_mut().filter(|serving| serving.channel == channel) {
            serving.requests = None;
        }
        Ok(())
    }

    async fn data(&mut self, channel: ChannelId, data: &[u8], _: &mut Session) -> Result<(), Self::Error> {
        let serving = self.serving.as_mut().filter(|serving| serving.channel == channel);
        // What comes before it is known what the channel is for, or after the last answer, is for nobody.
        let Some(requests) = serving.and_then(|serving| serving.requests.as_mut()) else {
            return Ok(());
        };
        match unconstrained(requests.write_all(data)).now_or_never() {
            Some(_) => Ok(()),
            None => {
                tracing::warn!(
                    code = "sftp_too_many_requests",
                    "a program that asks by SFTP and does not take the answers was cut off"
                );
                Err(russh::Error::Disconnect)
            }
        }
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let waiting = self
            .waiting
            .take_if(|waiting| name == "sftp" && waiting.id() == channel);
        let (Some(channel), Some(offered)) = (waiting, self.offered.clone()) else {
            return session.channel_failure(channel);
        };
        session.channel_success(channel.id())?;
        self.serve(channel, &offered);
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

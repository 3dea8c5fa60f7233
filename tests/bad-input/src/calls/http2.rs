//! A connection of a program that speaks gRPC without a library of its own, so that it can send any message.

use super::answer::Answer;
use crate::bus::{Bus, token_of};
use anyhow::{Context as _, Result, bail, ensure};
use bytes::{BufMut as _, Bytes, BytesMut};
use h2::{
    Reason, RecvStream, SendStream,
    client::{SendRequest, handshake},
};
use http::{HeaderMap, Request, Version};
use std::sync::{Mutex, PoisonError};
use tokio::net::TcpStream;

/// The connection that is there, if one is.
#[derive(Default)]
pub(crate) struct Line(Mutex<Option<SendRequest<Bytes>>>);

impl Line {
    fn kept(&self) -> Option<SendRequest<Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, line: SendRequest<Bytes>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
    }
}

/// A call that is open.
pub(crate) struct Call {
    pub(crate) headers: HeaderMap,
    sending: SendStream<Bytes>,
    answers: RecvStream,
}

impl Bus {
    async fn line(&self) -> Result<SendRequest<Bytes>> {
        if let Some(line) = self.line.kept()
            && let Ok(ready) = line.ready().await
        {
            return Ok(ready);
        }
        let (send, connection) = handshake(TcpStream::connect(self.address).await?).await?;
        tokio::spawn(connection);
        self.line.keep(send.clone());
        Ok(send.ready().await?)
    }

    /// Begins a call with these messages, and waits until it is answered.
    pub(crate) async fn begin(
        &self,
        vendor: &str,
        method: &str,
        messages: &[Vec<u8>],
        is_all: bool,
    ) -> Result<Call> {
        let request = Request::post(format!("http://localhost/archwire.v1.Bus/{method}"))
            .version(Version::HTTP_2)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", format!("Bearer {}", token_of(vendor)))
            .body(())?;
        let (answered, mut sending) = self.line().await?.send_request(request, false)?;
        for message in messages {
            let mut framed = BytesMut::with_capacity(5 + message.len());
            framed.put_u8(0);
            framed.put_u32(u32::try_from(message.len())?);
            framed.put_slice(message);
            // Whoever refuses the call may have ended it.
            _ = sending.send_data(framed.freeze(), false);
        }
        if is_all {
            _ = sending.send_data(Bytes::new(), true);
        }
        let (head, answers) = answered.await?.into_parts();
        ensure!(head.status.is_success(), "HTTP {}", head.status);
        Ok(Call {
            headers: head.headers,
            sending,
            answers,
        })
    }

    /// Makes a call, from the first message to the last answer. Nothing when the connection or the call is cut off.
    pub(crate) async fn call(&self, vendor: &str, method: &str, messages: &[Vec<u8>]) -> Option<Answer> {
        let answer = async { self.begin(vendor, method, messages, true).await?.all().await };
        match answer.await {
            Ok(answer) => Some(answer),
            Err(error) => {
                let reason = error.downcast_ref::<h2::Error>().and_then(h2::Error::reason);
                assert!(reason != Some(Reason::INTERNAL_ERROR), "a call breaks: {error:#}");
                None
            }
        }
    }
}

impl Call {
    /// Everything that is answered.
    async fn all(mut self) -> Result<Answer> {
        let mut bytes = BytesMut::new();
        while let Some(data) = self.answers.data().await {
            let data = data?;
            self.answers.flow_control().release_capacity(data.len())?;
            bytes.extend(data);
        }
        let trailers = self.answers.trailers().await?.unwrap_or(self.headers);
        if trailers.get("grpc-status").is_none() {
            bail!("an answer without a status");
        }
        Answer::read(&trailers, bytes.freeze()).context("the answer is none of gRPC")
    }

    /// Takes it back.
    pub(crate) fn end(mut self) {
        self.sending.send_reset(Reason::CANCEL);
    }
}

//! One open relay: hello, then batches and replies until the chip is read or it cannot be.

use super::wire::{self, FromClient, FromServer, Hello, SUBPROTOCOL, Text};
use crate::app::{Access, App, AppError, ChipStart, ChipVerdict, Progress, blocking};
use crate::metrics::RELAYS;
use crate::metrics::cpu::Work;
use crate::pages::texts::{Language, reading};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use enroll_core::reason::{LeadsTo, ReasonCode};
use nfc::apdu::Response;
use nfc::link::{Batch, Protocol, Step};
use nfc::reader::{
    self, AccessPolicy, ChipReading, Kept, Limits, ReadError, ReadPassport, ReadRequest,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Why the server closes the socket, with the code that it sends (`docs/chip-relay.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[repr(u16)]
pub enum Close {
    /// It is done.
    #[error("done")]
    Done = 1000,
    /// A frame is longer than allowed.
    #[error("a frame is too long")]
    TooLong = 1009,
    /// Something failed here.
    #[error("something failed here")]
    Internal = 1011,
    /// The service ends; another one takes over (IANA WebSocket close codes).
    #[error("the service restarts")]
    Restart = 1012,
    /// Not a frame of the protocol, or an unknown type.
    #[error("not a frame of the protocol")]
    Malformed = 4400,
    /// A hello that makes no sense, or at the wrong time.
    #[error("a hello that cannot be")]
    Hello = 4401,
    /// The client was silent for too long.
    #[error("the client was silent for too long")]
    Silence = 4408,
    /// Another `seq` than the one under way.
    #[error("a seq that is not under way")]
    Seq = 4409,
    /// Replies that cannot be those to the batch.
    #[error("replies that cannot be those to the batch")]
    Replies = 4422,
    /// The chip was started too often on one socket.
    #[error("the chip was started too often")]
    TooOften = 4429,
}

impl Close {
    fn code(self) -> u16 {
        self as u16
    }

    /// What the case is told: silence is a lost link, anything else a client out of protocol.
    fn reason(self) -> ReasonCode {
        match self {
            Self::Silence | Self::TooOften | Self::Done | Self::Restart => {
                ReasonCode::CHIP_LINK_LOST
            }
            _ => ReasonCode::CHIP_PROTOCOL,
        }
    }
}

/// Why a reading ended early.
enum End {
    /// The chip said no, or the link's limits make it impossible.
    Chip(ReasonCode),
    /// The client went out of protocol or silent.
    Broken(Close),
    /// The socket is gone.
    Gone,
    /// The case does not allow it.
    App(AppError),
}

impl From<AppError> for End {
    fn from(error: AppError) -> Self {
        Self::App(error)
    }
}

/// What came of one start of the chip.
enum Turn {
    Read(Box<ChipReading>),
    /// What stays for the next start.
    LinkLost(Kept),
}

/// What came of one batch.
enum Answer {
    Replies(Vec<Response>),
    /// The replies before the loss.
    LinkLost(Vec<Response>),
}

struct Session {
    socket: WebSocket,
    app: Arc<App>,
    access: Access,
    seq: u64,
    shown: Option<(&'static str, u32)>,
}

/// Reads the chip of the enrolment over `socket` and records what came of it.
pub async fn run(socket: WebSocket, app: Arc<App>, access: Access) {
    let _open = app.ending.relay();
    let mut session = Session { socket, app, access, seq: 0, shown: None };
    let id = access.id();
    tracing::info!(enrolment = %id, protocol = SUBPROTOCOL, "relay opened");
    let ended = session.read().await;
    session.app.set_progress(id, None);
    let close = match ended {
        Ok(reading) => session.finish(reading).await,
        Err(end) => session.fail(end).await,
    };
    session.app.metrics.count(RELAYS, &[("code", close.code().into())]);
    tracing::info!(enrolment = %id, code = close.code(), "relay closed");
    session.close(close).await;
}

impl Session {
    /// Starts the chip until it is read: after a lost link it is opened anew, and only what is
    /// missing is read (B5).
    async fn read(&mut self) -> Result<Box<ChipReading>, End> {
        let mut starts = 0;
        let mut kept = Kept::default();
        let mut wait = self.app.relay.deadline();
        loop {
            let hello = self.hello(wait).await?;
            starts += 1;
            if starts > self.app.relay.max_starts {
                return Err(End::Broken(Close::TooOften));
            }
            match self.turn(&hello, kept).await? {
                Turn::Read(reading) => return Ok(reading),
                Turn::LinkLost(stays) => {
                    kept = stays;
                    tracing::info!(enrolment = %self.access.id(), "link lost");
                    self.app.chip_lost(self.access).await?;
                    wait = self.app.relay.hello_deadline();
                    self.progress("waiting", 0.0).await?;
                }
            }
        }
    }

    async fn hello(&mut self, wait: Duration) -> Result<Hello, End> {
        match self.receive(wait).await? {
            FromClient::Hello(hello) if hello.is_possible() => Ok(hello),
            _ => Err(End::Broken(Close::Hello)),
        }
    }

    async fn turn(&mut self, hello: &Hello, kept: Kept) -> Result<Turn, End> {
        let start = self.app.chip_start(self.access).await?;
        let request = request(start, hello, &self.app);
        let mut step = computed(&self.app, move || reader::resume(request, kept)).await?;
        loop {
            let (batch, state) = match step {
                Step::Done(reading) => return Ok(Turn::Read(Box::new(reading))),
                Step::Transmit(batch, state) => (batch, state),
            };
            let at = state.progress();
            self.progress(at.step, at.done).await?;
            step = match self.transmit(&batch, hello).await? {
                Answer::Replies(replies) => self.step(state, replies).await?,
                Answer::LinkLost(replies) => {
                    let kept = computed(&self.app, move || state.link_lost(replies)).await?;
                    return Ok(Turn::LinkLost(kept));
                }
            };
        }
    }

    async fn step(
        &mut self,
        state: ReadPassport,
        replies: Vec<Response>,
    ) -> Result<Step<ReadPassport, ChipReading>, End> {
        let stepped: Result<_, ReadError> =
            computed(&self.app, move || state.step(replies)).await?;
        stepped.map_err(|error| {
            tracing::info!(enrolment = %self.access.id(), %error, "the chip was not read");
            End::Chip(ReasonCode::from(error.reason()))
        })
    }

    async fn transmit(&mut self, batch: &Batch, hello: &Hello) -> Result<Answer, End> {
        self.seq += 1;
        self.send(&FromServer::transmit(self.seq, batch)).await?;
        let answer = match self.receive(self.app.relay.deadline()).await? {
            FromClient::Replies { seq, replies } if seq == self.seq => {
                wire::replies(batch, hello, &replies).map(Answer::Replies)
            }
            FromClient::LinkLost { seq, replies } if seq == self.seq => {
                wire::replies_before_loss(batch, hello, &replies).map(Answer::LinkLost)
            }
            FromClient::Hello(_) => return Err(End::Broken(Close::Hello)),
            _ => return Err(End::Broken(Close::Seq)),
        };
        answer.map_err(|error| {
            tracing::info!(enrolment = %self.access.id(), %error, "replies refused");
            End::Broken(Close::Replies)
        })
    }

    /// Tells how far the reading is, if that has changed by a percent.
    async fn progress(&mut self, step: &'static str, done: f32) -> Result<(), End> {
        let percent = percent(done);
        self.app.set_progress(self.access.id(), Some(Progress { step, done }));
        if self.shown == Some((step, percent)) {
            return Ok(());
        }
        self.shown = Some((step, percent));
        let id = reading(step);
        let text = Text { da: Language::Da.t(id), en: Language::En.t(id) };
        self.send(&FromServer::Progress { step: step.to_owned(), done, text }).await
    }

    async fn finish(&mut self, reading: Box<ChipReading>) -> Close {
        match self.app.chip_read(self.access, reading).await {
            Ok(ChipVerdict { verdict }) => {
                let verdict = crate::app::verdict_name(verdict).to_owned();
                self.tell(FromServer::Finished { verdict }).await;
                Close::Done
            }
            Err(error) => self.fail(End::App(error)).await,
        }
    }

    /// Records why the chip was not read, tells the client if it is still there.
    async fn fail(&mut self, end: End) -> Close {
        let (reason, close) = match end {
            End::Gone => (ReasonCode::CHIP_LINK_LOST, Close::Done),
            End::Broken(close) => (close.reason(), close),
            End::Chip(reason) => (reason, Close::Done),
            End::App(AppError::Reason(reason)) => (reason, Close::Done),
            End::App(error) => {
                let error = crate::http::problem::chain(&error);
                tracing::error!(enrolment = %self.access.id(), %error, "the relay failed");
                (ReasonCode::CHIP_LINK_LOST, Close::Internal)
            }
        };
        let recorded = self.app.chip_failed(self.access, reason).await;
        let open = recorded.unwrap_or(false);
        let again = matches!(reason.leads_to(), LeadsTo::Retry(_));
        let text = Text::from(&reason.entry().text);
        let retry = open && again;
        self.tell(FromServer::Failed { reason: reason.as_str().to_owned(), text, retry }).await;
        close
    }

    /// Sends a last word; a client that is gone misses it.
    async fn tell(&mut self, frame: FromServer) {
        if self.send(&frame).await.is_err() {
            tracing::debug!(enrolment = %self.access.id(), "the client has left");
        }
    }

    async fn send(&mut self, frame: &FromServer) -> Result<(), End> {
        let text =
            serde_json::to_string(frame).map_err(|e| End::App(AppError::Internal(Box::new(e))))?;
        let sent = timeout(self.app.relay.deadline(), self.socket.send(Message::Text(text.into())));
        match sent.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Broken(Close::Silence)),
        }
    }

    /// The next frame of the client. Pings do not count as speech.
    async fn receive(&mut self, wait: Duration) -> Result<FromClient, End> {
        let (app, longest) = (self.app.clone(), self.app.relay.max_frame);
        let next = async {
            loop {
                match self.socket.recv().await {
                    Some(Ok(Message::Text(text))) => return parse(&text, longest),
                    Some(Ok(Message::Binary(_))) => return Err(End::Broken(Close::Malformed)),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
                    Some(Err(error)) => return Err(broken(&error)),
                }
            }
        };
        tokio::select! {
            biased;
            () = app.ending.begun() => Err(End::Broken(Close::Restart)),
            frame = timeout(wait, next) => frame.unwrap_or(Err(End::Broken(Close::Silence))),
        }
    }

    async fn close(mut self, close: Close) {
        let reason = close.to_string().into();
        let frame = Message::Close(Some(CloseFrame { code: close.code(), reason }));
        let goodbye = async {
            if self.socket.send(frame).await.is_ok() {
                // The client's own close, so that ours is not lost with the connection.
                while let Some(Ok(message)) = self.socket.recv().await {
                    if matches!(message, Message::Close(_)) {
                        break;
                    }
                }
            }
        };
        // A client that does not answer is left behind.
        let _ = timeout(Duration::from_secs(2), goodbye).await;
    }
}

/// What the chip's protocols compute, away from the sockets.
async fn computed<T: Send + 'static>(
    app: &App,
    compute: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AppError> {
    let cpu = app.cpu.clone();
    blocking(move || cpu.spend(Work::Chip, compute)).await
}

/// Whole percents of 0 to 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=100 first"
)]
fn percent(done: f32) -> u32 {
    (done.clamp(0.0, 1.0) * 100.0) as u32
}

fn parse(text: &str, longest: usize) -> Result<FromClient, End> {
    if text.len() > longest {
        return Err(End::Broken(Close::TooLong));
    }
    serde_json::from_str(text).map_err(|_| End::Broken(Close::Malformed))
}

/// A message over the socket's own limit is too long; any other error means that it is gone.
fn broken(error: &axum::Error) -> End {
    use std::error::Error;
    let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    if text.contains("Space limit exceeded") { End::Broken(Close::TooLong) } else { End::Gone }
}

fn request(start: ChipStart, hello: &Hello, app: &App) -> ReadRequest {
    ReadRequest {
        key: reader::AccessKey::Mrz(start.key),
        trust: app.parts.trust.clone(),
        at: start.today,
        aa_challenge: start.challenge,
        limits: Limits {
            max_command: hello.max_command,
            max_response: hello.max_response,
            extended: hello.extended_length,
        },
        policy: AccessPolicy::default(),
        random: Box::new(nfc::random::SystemRandom),
    }
}

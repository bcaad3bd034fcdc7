//! A stand-in mail server and SMS gateway for QA, on loopback: what is sent to them can be read, and
//! they fail on demand. They ship, because `enroll demo` ships; a production server never starts
//! them.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Longest e-mail that is taken, bytes.
const LONGEST: u64 = 64 * 1024;
/// Most messages that are kept.
const KEPT: usize = 1_000;

/// A message as it arrived. Personal data: `Debug` shows the channel only.
#[derive(Clone, Serialize, Deserialize)]
pub struct Arrived {
    /// `sms` or `email`.
    pub channel: String,
    /// To whom.
    pub to: String,
    /// An SMS' text, or an e-mail as it came over the wire.
    pub text: String,
}

impl std::fmt::Debug for Arrived {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Arrived({})", self.channel)
    }
}

/// How a stand-in behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mood {
    /// It takes everything.
    #[default]
    Willing,
    /// It cannot take anything now: 451, 503.
    Busy,
    /// It never will: 550, 422.
    Refusing,
    /// It takes the message and says nothing.
    Silent,
}

#[derive(Debug, Default)]
struct Shared {
    arrived: Vec<Arrived>,
    email: Mood,
    sms: Mood,
}

/// Where messages arrive.
#[derive(Debug, Clone, Default)]
pub struct Mailbox(Arc<Mutex<Shared>>);

impl Mailbox {
    fn with<T>(&self, look: impl FnOnce(&mut Shared) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All that arrived, oldest first.
    #[must_use]
    pub fn arrived(&self) -> Vec<Arrived> {
        self.with(|shared| shared.arrived.clone())
    }

    /// All that arrived since the last call, oldest first; it is not kept any longer.
    #[must_use]
    pub fn take_all(&self) -> Vec<Arrived> {
        self.with(|shared| std::mem::take(&mut shared.arrived))
    }

    /// Scripts both stand-ins.
    pub fn set(&self, email: Mood, sms: Mood) {
        self.with(|shared| (shared.email, shared.sms) = (email, sms));
    }

    fn take(&self, message: Arrived) {
        self.with(|shared| {
            if shared.arrived.len() >= KEPT {
                shared.arrived.remove(0);
            }
            shared.arrived.push(message);
        });
    }
}

/// Running stand-ins; they stop when this is dropped.
#[derive(Debug)]
pub struct StandIns {
    /// What they took.
    pub mailbox: Mailbox,
    smtp: SocketAddr,
    sms: SocketAddr,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for StandIns {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl StandIns {
    /// Starts both on free loopback ports.
    ///
    /// # Errors
    /// An I/O error if no port can be had.
    pub async fn start() -> std::io::Result<Self> {
        let mailbox = Mailbox::default();
        let (mail, gateway) =
            (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        let (smtp, sms) = (mail.local_addr()?, gateway.local_addr()?);
        let router = Router::new().route("/messages", post(message)).with_state(mailbox.clone());
        let tasks = [
            tokio::spawn(listen(mail, mailbox.clone())),
            tokio::spawn(async move {
                if let Err(error) = axum::serve(gateway, router).await {
                    tracing::error!(%error, "the stand-in SMS gateway stopped");
                }
            }),
        ];
        Ok(Self { mailbox, smtp, sms, tasks })
    }

    /// Makes `config` use them.
    pub fn configure(&self, config: &mut crate::config::Notices) {
        config.smtp_host = Some(self.smtp.ip().to_string());
        config.smtp_port = self.smtp.port();
        config.smtp_tls = crate::config::Tls::None;
        config.sms_url = Some(format!("http://{}", self.sms));
    }
}

#[derive(Deserialize)]
struct Sms {
    to: String,
    text: String,
}

async fn message(State(mailbox): State<Mailbox>, body: axum::Json<Sms>) -> StatusCode {
    let axum::Json(Sms { to, text }) = body;
    let mood = mailbox.with(|shared| shared.sms);
    if mood == Mood::Willing || mood == Mood::Silent {
        mailbox.take(Arrived { channel: "sms".to_owned(), to, text });
    }
    match mood {
        Mood::Willing => StatusCode::ACCEPTED,
        Mood::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Mood::Refusing => StatusCode::UNPROCESSABLE_ENTITY,
        Mood::Silent => std::future::pending().await,
    }
}

async fn listen(listener: TcpListener, mailbox: Mailbox) {
    while let Ok((socket, _)) = listener.accept().await {
        let mailbox = mailbox.clone();
        tokio::spawn(async move {
            if let Err(error) = converse(socket, &mailbox).await {
                tracing::debug!(%error, "a client of the stand-in mail server left");
            }
        });
    }
}

/// One SMTP session (RFC 5321 §3).
async fn converse(socket: TcpStream, mailbox: &Mailbox) -> std::io::Result<()> {
    let (read, mut write) = socket.into_split();
    let mut lines = BufReader::new(read.take(LONGEST)).lines();
    write.write_all(b"220 stand-in\r\n").await?;
    let mut to = String::new();
    while let Some(line) = lines.next_line().await? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" | "HELO" => "250-stand-in\r\n250-8BITMIME\r\n250 SMTPUTF8",
            "RCPT" => {
                to = recipient(&line);
                match mailbox.with(|shared| shared.email) {
                    Mood::Busy => "451 later",
                    Mood::Refusing => "550 no such mailbox",
                    Mood::Willing | Mood::Silent => "250 ok",
                }
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let text = body(&mut lines).await?;
                mailbox.take(Arrived { channel: "email".to_owned(), to: to.clone(), text });
                if mailbox.with(|shared| shared.email) == Mood::Silent {
                    std::future::pending::<()>().await;
                }
                "250 taken"
            }
            "QUIT" => "221 bye",
            "MAIL" | "RSET" | "NOOP" => "250 ok",
            _ => "502 not here",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
        if verb == "QUIT" {
            break;
        }
    }
    Ok(())
}

fn recipient(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map(|(address, _)| address.to_owned()).unwrap_or_default()
}

/// The lines up to a lone full stop.
async fn body<R: tokio::io::AsyncBufRead + Unpin>(
    lines: &mut tokio::io::Lines<R>,
) -> std::io::Result<String> {
    let mut text = String::new();
    while let Some(line) = lines.next_line().await? {
        if line == "." {
            break;
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        text.push('\n');
    }
    Ok(text)
}

//! Configuration, read once into types (STYLE 28, INTERFACES *Trust, models and other state*).
//!
//! One TOML file; `INDRUL_<SECTION>__<KEY>` in the environment overrides a value; each secret is a
//! value or the name of a file (`…_file`). Unknown names are refused: a misspelt limit must not
//! silently be no limit.

use crate::limits::ProxyRange;
use serde::Deserialize;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML.
    #[error("the configuration is not TOML")]
    Toml(#[source] toml::de::Error),
    /// A value is unknown, missing or of the wrong kind.
    #[error("the configuration has a wrong value")]
    Value(#[source] toml::de::Error),
    /// The kiosks' credentials are not lines of a name and a token.
    #[error("kiosks.tokens: line {line} is not a name and a token of at least 32 signs")]
    Kiosks {
        /// Counted from one.
        line: usize,
    },
    /// The token by which registers tell of events is too short.
    #[error("registers.events_token has fewer than 32 signs")]
    EventsToken,
    /// A message would be claimed by another server while it is still being delivered.
    #[error("notices.timeout_ms is more than half of notices.claim_s")]
    Claim,
    /// Whoever types would be sent away unless their turn is free.
    #[error("limits.typing_wait_s is 0: whoever types would never wait for a turn")]
    TypingWait,
    /// An override names a section that is no table.
    #[error("{variable} does not name a value")]
    Override {
        /// The environment variable.
        variable: String,
    },
}

/// A secret: never shown, zeroized on drop.
#[derive(Deserialize)]
#[serde(from = "Word")]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Each secret, as the environment names it: there it is taken as it is written, whatever else the text could be.
const SECRETS: [&str; 9] = [
    "database__url",
    "keys__passphrase",
    "keys__token_pin",
    "registers__token",
    "registers__events_token",
    "registers__roots",
    "kiosks__tokens",
    "notices__smtp_password",
    "notices__sms_token",
];

/// A secret of the file: one of digits alone may have come as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Word {
    Text(String),
    Digits(i64),
}

impl From<Word> for Secret {
    fn from(word: Word) -> Self {
        match word {
            Word::Text(text) => Self::from(text),
            Word::Digits(number) => Self::from(number.to_string()),
        }
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// All of it, with the defaults of a fresh machine.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the server listens and how it is reached.
    pub server: Server,
    /// Where rows are kept.
    pub database: Database,
    /// What protects the keys.
    pub keys: Keys,
    /// The registers asked.
    pub registers: Registers,
    /// How people are told.
    pub notices: Notices,
    /// The chip relay's limits.
    pub relay: Relay,
    /// The workers that look at pictures.
    pub inference: Inference,
    /// How often what may be asked.
    pub limits: Limits,
    /// The kiosks of the Borgercenters.
    pub kiosks: Kiosks,
    /// Rules for a case.
    pub case: Case,
    /// Logging in at relying parties.
    pub oidc: Oidc,
    /// What is required of an enrolment.
    pub policy: enroll_core::policy::Policy,
}

/// Where the server listens and how it is reached.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port; port 0 picks a free one.
    pub listen: String,
    /// The address clients use, if it is not the listening one: `https://…`, without final slash.
    pub public_url: Option<String>,
    /// Whether relying parties may take the loopback address that they asked for the issuer, where there is no
    /// public one: for the demonstration and tests, which set it. No file does.
    #[serde(skip)]
    pub answers_as_host: bool,
    /// Longest page or face picture, bytes.
    pub max_picture: usize,
    /// Name written as issuer into identities.
    pub issuer: String,
    /// The service's name, as people read it in notices.
    pub name: String,
    /// Where a person blocks, as people read it in notices (E7).
    pub block_at: String,
    /// Loopback address and port for `/metrics`; nothing for none.
    pub metrics_listen: Option<String>,
    /// Longest time to end in, milliseconds.
    pub grace_ms: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8480".to_owned(),
            public_url: None,
            answers_as_host: false,
            max_picture: 12 * 1024 * 1024,
            issuer: "https://indrul.invalid".to_owned(),
            name: "Indrul".to_owned(),
            block_at: "https://indrul.invalid/block".to_owned(),
            metrics_listen: None,
            grace_ms: 20_000,
        }
    }
}

/// Where rows are kept.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `postgres://…` or `sqlite://…`; nothing for `indrul.db` in the data directory.
    pub url: Option<Secret>,
    /// A file that holds the URL.
    pub url_file: Option<PathBuf>,
}

/// What protects the keys at rest.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// Passphrase that seals the master key; without one the file's mode alone protects it.
    pub passphrase: Option<Secret>,
    /// A file that holds the passphrase.
    pub passphrase_file: Option<PathBuf>,
    /// The PKCS#11 module of a token in which new keys are made; nothing for files alone.
    pub token_module: Option<PathBuf>,
    /// The token's label.
    pub token_label: Option<String>,
    /// The token's user PIN.
    pub token_pin: Option<Secret>,
    /// A file that holds the PIN.
    pub token_pin_file: Option<PathBuf>,
    /// Days for which a signing key is published after its last signature; nothing for always: an
    /// identity's signature has no end of its own.
    pub published_days: Option<u32>,
}

/// The registers asked.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Registers {
    /// Base address of the person register: `GET {persons_url}/persons/{cpr}`.
    pub persons_url: Option<String>,
    /// Base address of the document register: `GET {documents_url}/documents/{issuer}/{number}`.
    pub documents_url: Option<String>,
    /// Base address of the Borgercenters' appointments: `GET {appointments_url}/slots`.
    pub appointments_url: Option<String>,
    /// Bearer token for all of them.
    pub token: Option<Secret>,
    /// A file that holds the token.
    pub token_file: Option<PathBuf>,
    /// Bearer token with which registers tell of events (`POST /v1/register-events`), at least 32
    /// signs; nothing for none.
    pub events_token: Option<Secret>,
    /// A file that holds it.
    pub events_token_file: Option<PathBuf>,
    /// PEM certificates that the registers' own lead to; nothing for those the system trusts.
    pub roots: Option<Secret>,
    /// A file that holds them.
    pub roots_file: Option<PathBuf>,
    /// Longest wait for one answer with all its tries, milliseconds.
    pub timeout_ms: u64,
    /// Longest wait in one try, milliseconds.
    pub try_ms: u64,
    /// How often one question is asked.
    pub tries: u32,
    /// Longest pause after the first try, milliseconds; it doubles with each.
    pub pause_ms: u64,
    /// Failed tries in a row after which a register is left alone.
    pub breaker_failures: u32,
    /// How long it is left alone, milliseconds.
    pub breaker_rest_ms: u64,
}

impl Default for Registers {
    fn default() -> Self {
        Self {
            persons_url: None,
            documents_url: None,
            appointments_url: None,
            token: None,
            token_file: None,
            events_token: None,
            events_token_file: None,
            roots: None,
            roots_file: None,
            timeout_ms: 5_000,
            try_ms: 2_500,
            tries: 3,
            pause_ms: 200,
            breaker_failures: 6,
            breaker_rest_ms: 15_000,
        }
    }
}

/// How people are told: by e-mail and SMS, from the outbox.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notices {
    /// The mail server; without one no e-mail leaves.
    pub smtp_host: Option<String>,
    /// Its port.
    pub smtp_port: u16,
    /// How the connection to it is protected.
    pub smtp_tls: Tls,
    /// User name there, if it asks for one.
    pub smtp_user: Option<String>,
    /// Password there.
    pub smtp_password: Option<Secret>,
    /// A file that holds the password.
    pub smtp_password_file: Option<PathBuf>,
    /// Sender of e-mails.
    pub from: String,
    /// Base address of the SMS gateway: `POST {sms_url}/messages`; without one no SMS leaves.
    pub sms_url: Option<String>,
    /// Bearer token for it.
    pub sms_token: Option<Secret>,
    /// A file that holds the token.
    pub sms_token_file: Option<PathBuf>,
    /// Longest wait for one delivery, milliseconds. At most half of a claim.
    pub timeout_ms: u64,
    /// Age at which a message that cannot be delivered is a dead letter, seconds (RFC 5321
    /// §4.5.4.1).
    pub give_up_s: u32,
    /// Most tries, whatever they end in: what kills the server at each is not tried for ever.
    pub tries: u16,
    /// Pause after the first failed try, seconds; it doubles with each.
    pub first_pause_s: u32,
    /// Longest pause, seconds.
    pub longest_pause_s: u32,
    /// How long a server holds a message, seconds.
    pub claim_s: u32,
    /// Messages held at once.
    pub batch: u16,
    /// Time between two looks into the outbox, milliseconds.
    pub poll_ms: u64,
    /// How long dead letters are kept, seconds.
    pub keep_dead_s: u32,
}

/// How a connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Not at all: for a server on this machine.
    None,
    /// STARTTLS, or nothing is sent (RFC 3207).
    Starttls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
}

impl Default for Notices {
    fn default() -> Self {
        Self {
            smtp_host: None,
            smtp_port: 587,
            smtp_tls: Tls::Starttls,
            smtp_user: None,
            smtp_password: None,
            smtp_password_file: None,
            from: "Indrul <no-reply@indrul.invalid>".to_owned(),
            sms_url: None,
            sms_token: None,
            sms_token_file: None,
            timeout_ms: 20_000,
            give_up_s: 5 * 24 * 60 * 60,
            tries: 400,
            first_pause_s: 5,
            longest_pause_s: 60 * 60,
            claim_s: 60,
            batch: 16,
            poll_ms: 1_000,
            keep_dead_s: 30 * 24 * 60 * 60,
        }
    }
}

/// The chip relay's limits.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Relay {
    /// Longest silence of the client, milliseconds.
    pub deadline_ms: u64,
    /// Longest wait for a new hello after a lost link, milliseconds.
    pub hello_ms: u64,
    /// Longest text frame from the client, bytes.
    pub max_frame: usize,
    /// How often the chip may be started on one socket.
    pub max_starts: u32,
    /// How long a ticket lives, seconds.
    pub ticket_seconds: u32,
}

impl Default for Relay {
    fn default() -> Self {
        Self {
            deadline_ms: 20_000,
            hello_ms: 60_000,
            max_frame: 1024 * 1024,
            max_starts: 10,
            ticket_seconds: 120,
        }
    }
}

impl Relay {
    /// Longest silence of the client.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }

    /// Longest wait for a hello.
    #[must_use]
    pub fn hello_deadline(&self) -> Duration {
        Duration::from_millis(self.hello_ms)
    }
}

/// The workers that look at pictures.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inference {
    /// Threads; 0 for as many as there are cores.
    pub workers: usize,
    /// How many may wait for one.
    pub queue: usize,
    /// Longest wait that is begun, milliseconds.
    pub max_wait_ms: u64,
    /// What one picture takes, as long as none was measured, milliseconds.
    pub expected_ms: u64,
}

impl Default for Inference {
    fn default() -> Self {
        Self { workers: 0, queue: 64, max_wait_ms: 20_000, expected_ms: 800 }
    }
}

impl Inference {
    /// How many threads these are on this machine.
    #[must_use]
    pub fn workers(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        }
    }
}

/// How often what may be asked: so many at once after a silence, and so many on and on. A burst of 0
/// is no limit.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests from one address at once; many people may share one.
    pub address_burst: u32,
    /// Requests from one address, a minute.
    pub address_per_minute: u32,
    /// Cases started from one address at once.
    pub start_burst: u32,
    /// Cases started from one address, an hour.
    pub start_per_hour: u32,
    /// Tickets for the chip of one document at once, whatever the case.
    pub document_burst: u32,
    /// Tickets for the chip of one document, an hour.
    pub document_per_hour: u32,
    /// Requests about one case at once.
    pub case_burst: u32,
    /// Requests about one case, a minute.
    pub case_per_minute: u32,
    /// References that one kiosk tries at once.
    pub reference_burst: u32,
    /// References that one kiosk tries, an hour.
    pub reference_per_hour: u32,
    /// Frames of a camera for one case at once. They do not count as requests of their address.
    pub frame_burst: u32,
    /// Frames of a camera for one case, a minute.
    pub frame_per_minute: u32,
    /// Requests of one relying party, which are not counted by address, at once.
    pub client_burst: u32,
    /// The same, each minute.
    pub client_per_minute: u32,
    /// What the page of one log-in asks, which is not counted by address, at once.
    pub log_in_burst: u32,
    /// The same, each minute.
    pub log_in_per_minute: u32,
    /// Log-ins of one person that one relying party begins, at once.
    pub asked_burst: u32,
    /// The same, each hour.
    pub asked_per_hour: u32,
    /// How many have what they typed at a log-in by code or an activation hashed at once; 0 for one for two cores.
    pub typing_at_once: u16,
    /// Longest wait for one's turn there, in seconds.
    pub typing_wait_s: u32,
    /// Exports of all that is kept of one person, at once.
    pub export_burst: u32,
    /// The same, each hour.
    pub export_per_hour: u32,
    /// How many addresses, documents and cases are remembered.
    pub entries: usize,
    /// Addresses, and ranges of them, of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<ProxyRange>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            address_burst: 600,
            address_per_minute: 600,
            start_burst: 100,
            start_per_hour: 200,
            document_burst: 40,
            document_per_hour: 40,
            case_burst: 120,
            case_per_minute: 120,
            reference_burst: 20,
            reference_per_hour: 120,
            frame_burst: 120,
            frame_per_minute: 720,
            client_burst: 3000,
            client_per_minute: 6000,
            log_in_burst: 120,
            log_in_per_minute: 120,
            asked_burst: 5,
            asked_per_hour: 20,
            typing_at_once: 0,
            typing_wait_s: 5,
            export_burst: 10,
            export_per_hour: 20,
            entries: 100_000,
            trusted_proxies: Vec::new(),
        }
    }
}

impl Limits {
    /// No limit at all, for who drives many cases from one address.
    #[must_use]
    pub fn none() -> Self {
        Self {
            address_burst: 0,
            start_burst: 0,
            document_burst: 0,
            case_burst: 0,
            reference_burst: 0,
            frame_burst: 0,
            client_burst: 0,
            log_in_burst: 0,
            asked_burst: 0,
            export_burst: 0,
            ..Self::default()
        }
    }
}

/// The kiosks that may go on with referred cases.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kiosks {
    /// A line for each: its name, a space, its token of at least 32 signs.
    pub tokens: Option<Secret>,
    /// A file that holds them.
    pub tokens_file: Option<PathBuf>,
}

impl Kiosks {
    /// Name and SHA-256 of the token of each.
    ///
    /// # Errors
    /// [`ConfigError::Kiosks`].
    pub fn known(&self) -> Result<Vec<(String, [u8; 32])>, ConfigError> {
        let text = self.tokens.as_ref().map_or("", Secret::expose);
        let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
        lines.map(|(text, line)| kiosk(text).ok_or(ConfigError::Kiosks { line })).collect()
    }
}

fn kiosk(line: &str) -> Option<(String, [u8; 32])> {
    let (name, token) = line.trim().split_once(' ')?;
    let token = token.trim();
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = name.chars().all(is_name) && token.len() >= 32 && !token.contains(' ');
    fits.then(|| (name.to_owned(), openssl::sha::sha256(token.as_bytes())))
}

/// Logging in at relying parties: how long what is good for.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Oidc {
    /// Seconds in which a browser has to come with a pushed request.
    pub request_s: u32,
    /// Seconds from the page to the approval.
    pub log_in_s: u32,
    /// Seconds from the approval to the browser's next step.
    pub finish_s: u32,
    /// Seconds in which a code is used.
    pub code_s: u32,
    /// Seconds for which an access token is good.
    pub access_s: u32,
    /// Seconds after which a session is over.
    pub session_s: u32,
    /// Seconds in a period of the QR code: a half is good for at most two (G2).
    pub half_s: u32,
    /// Seconds for which a log-in that a relying party began waits (CIBA).
    pub ciba_s: u32,
    /// Seconds between two polls of it.
    pub ciba_interval_s: u32,
    /// Personal numbers that are compared in one session (G7).
    pub number_tries: u16,
    /// Seconds after the approval in which they are.
    pub number_s: u32,
    /// Days for which the personal number of a blocked identity is kept: an officer may open it again. The
    /// text of the consent says 90.
    pub blocked_number_days: u16,
    /// The address that opens the app on the device that shows the page; what it opens follows after `#`.
    /// The page that is the app, or an address that a native one has registered.
    pub app_url: String,
    /// Longest wait for a relying party that is told of the end of a session, milliseconds.
    pub logout_timeout_ms: u64,
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            request_s: 90,
            log_in_s: 300,
            finish_s: 60,
            code_s: 60,
            access_s: 600,
            session_s: 3600,
            half_s: 10,
            ciba_s: 300,
            ciba_interval_s: 3,
            number_tries: 3,
            number_s: 900,
            blocked_number_days: 90,
            app_url: "/app".to_owned(),
            logout_timeout_ms: 10_000,
        }
    }
}

/// Rules for a case.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Case {
    /// The terms that a person must have accepted (A1).
    pub terms_version: String,
}

impl Default for Case {
    fn default() -> Self {
        Self { terms_version: "2026-02".to_owned() }
    }
}

impl Config {
    /// Reads `file` (nothing: only defaults) and the overrides in `environment`.
    ///
    /// # Errors
    /// [`ConfigError`] naming the file, variable or value.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let text = file.map_or_else(|| Ok(String::new()), read)?;
        let mut table: toml::Table = toml::from_str(&text).map_err(ConfigError::Toml)?;
        for (variable, value) in environment {
            override_value(&mut table, &variable, value)?;
        }
        let mut config: Self = toml::Value::Table(table).try_into().map_err(ConfigError::Value)?;
        config.read_secrets()?;
        config.kiosks.known()?;
        let events = config.registers.events_token.as_ref();
        if events.is_some_and(|token| token.expose().len() < 32) {
            return Err(ConfigError::EventsToken);
        }
        let Notices { timeout_ms, claim_s, .. } = config.notices;
        if timeout_ms.saturating_mul(2) > u64::from(claim_s) * 1_000 {
            return Err(ConfigError::Claim);
        }
        if config.limits.typing_wait_s == 0 {
            return Err(ConfigError::TypingWait);
        }
        Ok(config)
    }

    fn read_secrets(&mut self) -> Result<(), ConfigError> {
        secret(&mut self.database.url, self.database.url_file.as_deref())?;
        secret(&mut self.keys.passphrase, self.keys.passphrase_file.as_deref())?;
        secret(&mut self.keys.token_pin, self.keys.token_pin_file.as_deref())?;
        secret(&mut self.registers.token, self.registers.token_file.as_deref())?;
        secret(&mut self.registers.events_token, self.registers.events_token_file.as_deref())?;
        secret(&mut self.registers.roots, self.registers.roots_file.as_deref())?;
        secret(&mut self.kiosks.tokens, self.kiosks.tokens_file.as_deref())?;
        let notices = &mut self.notices;
        secret(&mut notices.smtp_password, notices.smtp_password_file.as_deref())?;
        secret(&mut notices.sms_token, notices.sms_token_file.as_deref())
    }
}

fn secret(value: &mut Option<Secret>, file: Option<&Path>) -> Result<(), ConfigError> {
    if let (None, Some(path)) = (&value, file) {
        *value = Some(Secret::from(read(path)?.trim_end().to_owned()));
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })
}

/// `INDRUL_RELAY__MAX_FRAME=4096` sets `max_frame` in `[relay]`, and `INDRUL_POLICY__OFFICER__WARN_S` `warn_s` in
/// `[policy.officer]`; other variables are left alone.
fn override_value(
    table: &mut toml::Table,
    variable: &str,
    value: String,
) -> Result<(), ConfigError> {
    let name = variable.strip_prefix("INDRUL_").map(str::to_lowercase).unwrap_or_default();
    let Some((sections, key)) = name.rsplit_once("__") else { return Ok(()) };
    let mut table = table;
    for section in sections.split("__") {
        table = table
            .entry(section)
            .or_insert_with(|| toml::Value::Table(toml::Table::new()))
            .as_table_mut()
            .ok_or_else(|| ConfigError::Override { variable: variable.to_owned() })?;
    }
    let is_secret = SECRETS.contains(&name.as_str());
    let value = if is_secret { toml::Value::String(value) } else { written(value) };
    table.insert(key.to_owned(), value);
    Ok(())
}

/// A number where the text is one as numbers are written, a list as TOML has it, else a string: `007` is a word.
fn written(text: String) -> toml::Value {
    let list = || text.parse::<toml::Value>().ok().filter(toml::Value::is_array);
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => toml::Value::Integer(number),
        _ => list().unwrap_or(toml::Value::String(text)),
    }
}

#[cfg(test)]
mod tests;

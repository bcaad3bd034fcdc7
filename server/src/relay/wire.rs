//! The frames of `chip-relay.v1` (INTERFACES, *Chip relay*; `docs/chip-relay.md`).
//!
//! JSON text frames, APDUs in upper-case hexadecimal. Nothing the client says is believed beyond
//! its form: unknown types, unknown fields and APDUs that are none are refused here.

use nfc::apdu::{Response, StatusWord};
use nfc::link::Batch;
use serde::{Deserialize, Serialize};

/// The WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "chip-relay.v1";
/// Longest command or response APDU there is (ISO 7816-4 §5.1: 65,536 bytes and a status).
const LONGEST: usize = 65_538;
/// Shortest limit that still lets a reader work.
const LEAST_COMMAND: usize = 32;
const LEAST_RESPONSE: usize = 18;

/// What the client says.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum FromClient {
    /// A chip lies on the reader.
    Hello(Hello),
    /// The replies to the commands of `transmit` with the same `seq`.
    Replies {
        /// The `seq` of the `transmit` answered.
        seq: u64,
        /// One per command sent to the chip.
        replies: Vec<Apdu>,
    },
    /// The chip left the field while `seq` was under way.
    LinkLost {
        /// The `seq` of the `transmit` not answered.
        seq: u64,
        /// The replies that came before; what they brought need not be read again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        replies: Vec<Apdu>,
    },
}

/// What the client can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// 1.
    pub version: u32,
    /// How the chip is reached.
    pub link: LinkKind,
    /// Longest command APDU, bytes.
    pub max_command: usize,
    /// Longest response APDU with status, bytes.
    pub max_response: usize,
    /// Whether extended length works.
    pub extended_length: bool,
}

/// How the client reaches the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkKind {
    /// A phone's antenna.
    Nfc,
    /// A PC/SC reader.
    Pcsc,
}

impl Hello {
    /// Whether version and limits make sense.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        self.version == 1
            && (LEAST_COMMAND..=LONGEST + 9).contains(&self.max_command)
            && (LEAST_RESPONSE..=LONGEST).contains(&self.max_response)
    }
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromServer {
    /// Run these in order; stop after the first whose status is not listed.
    Transmit {
        /// Counts up by one, from 1.
        seq: u64,
        /// Command APDUs.
        commands: Vec<Apdu>,
        /// Statuses after which the next command is sent.
        continue_on: Vec<Status>,
    },
    /// How far the reading is; for the person.
    Progress {
        /// Stable name of the step.
        step: String,
        /// 0 to 1.
        done: f32,
        /// The same in words.
        text: Text,
    },
    /// The chip was read.
    Finished {
        /// `accepted`, `refused` or `inconclusive`: what the chip's checks say.
        verdict: String,
    },
    /// The chip could not be read.
    Failed {
        /// Reason code.
        reason: String,
        /// The same in words.
        text: Text,
        /// Whether a new ticket may be asked for.
        retry: bool,
    },
}

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Text {
    /// Danish.
    pub da: String,
    /// English.
    pub en: String,
}

impl From<&enroll_core::reason::Text> for Text {
    fn from(text: &enroll_core::reason::Text) -> Self {
        Self { da: text.da.clone(), en: text.en.clone() }
    }
}

/// An APDU as it travels. `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct Apdu(pub Vec<u8>);

impl std::fmt::Debug for Apdu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Apdu({} bytes)", self.0.len())
    }
}

impl Serialize for Apdu {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode_upper(&self.0))
    }
}

impl<'de> Deserialize<'de> for Apdu {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let bytes = hex::decode(text.as_bytes()).map_err(serde::de::Error::custom)?;
        if bytes.len() > LONGEST + 9 {
            return Err(serde::de::Error::custom("longer than any APDU"));
        }
        Ok(Self(bytes))
    }
}

/// A status word as it travels: four hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(pub StatusWord);

impl Serialize for Status {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let known = u16::from_str_radix(&text, 16).ok().filter(|_| text.len() == 4);
        known
            .map(|word| Self(StatusWord(word)))
            .ok_or_else(|| serde::de::Error::custom("a status has four hexadecimal digits"))
    }
}

impl FromServer {
    /// The frame that carries `batch`.
    #[must_use]
    pub fn transmit(seq: u64, batch: &Batch) -> Self {
        Self::Transmit {
            seq,
            commands: batch.commands.iter().map(|c| Apdu(c.encode())).collect(),
            continue_on: batch.continue_on.iter().copied().map(Status).collect(),
        }
    }
}

/// Why replies are not those to a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RepliesError {
    /// None at all, or more than commands.
    #[error("{replies} replies to {commands} commands")]
    Count {
        /// Commands sent.
        commands: usize,
        /// Replies received.
        replies: usize,
    },
    /// A reply without a status, or longer than announced.
    #[error("reply {at} has {length} bytes")]
    Length {
        /// Which, counted from 0.
        at: usize,
        /// Its bytes.
        length: usize,
    },
    /// The client stopped where it should have gone on, or went on where it should have stopped.
    #[error("the batch did not end at reply {at}")]
    End {
        /// Which, counted from 0.
        at: usize,
    },
}

/// The replies to `batch`, if they can be: in number, in length, and stopped where told.
///
/// # Errors
/// [`RepliesError`].
pub fn replies(batch: &Batch, hello: &Hello, got: &[Apdu]) -> Result<Vec<Response>, RepliesError> {
    let (commands, count) = (batch.commands.len(), got.len());
    if count == 0 || count > commands {
        return Err(RepliesError::Count { commands, replies: count });
    }
    let out = first_replies(batch, hello, got)?;
    let goes_on = out.last().is_some_and(|reply| batch.continue_on.contains(&reply.status));
    if goes_on && count < commands {
        return Err(RepliesError::End { at: count.saturating_sub(1) });
    }
    Ok(out)
}

/// The replies to the first commands of `batch`, fewer than all, before the chip left the field.
///
/// # Errors
/// [`RepliesError`].
pub fn replies_before_loss(
    batch: &Batch,
    hello: &Hello,
    got: &[Apdu],
) -> Result<Vec<Response>, RepliesError> {
    let (commands, replies) = (batch.commands.len(), got.len());
    if replies >= commands {
        return Err(RepliesError::Count { commands, replies });
    }
    first_replies(batch, hello, got)
}

/// Each of a length that was announced, and followed by another only where told.
fn first_replies(
    batch: &Batch,
    hello: &Hello,
    got: &[Apdu],
) -> Result<Vec<Response>, RepliesError> {
    let mut out: Vec<Response> = Vec::with_capacity(got.len());
    for (at, Apdu(bytes)) in got.iter().enumerate() {
        if out.last().is_some_and(|last| !batch.continue_on.contains(&last.status)) {
            return Err(RepliesError::End { at: at.saturating_sub(1) });
        }
        let length = RepliesError::Length { at, length: bytes.len() };
        if bytes.len() > hello.max_response {
            return Err(length);
        }
        out.push(Response::decode(bytes).map_err(|_| length)?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nfc::apdu::Command;

    fn hello() -> Hello {
        Hello {
            version: 1,
            link: LinkKind::Nfc,
            max_command: 261,
            max_response: 258,
            extended_length: false,
        }
    }

    fn batch(n: usize) -> Batch {
        Batch::new(vec![Command::new(0, 0xB0, 0, 0).expecting(8); n])
            .continue_on(StatusWord::END_OF_FILE)
    }

    fn apdus(replies: &[&str]) -> Vec<Apdu> {
        replies.iter().map(|r| Apdu(hex::decode(r).unwrap())).collect()
    }

    #[test]
    fn frames_are_those_of_the_interface() {
        let frame: FromClient = serde_json::from_str(
            r#"{"type":"hello","version":1,"link":"nfc","max_command":261,"max_response":258,"extended_length":false}"#,
        )
        .unwrap();
        assert_eq!(frame, FromClient::Hello(hello()));
        let sent = FromServer::transmit(3, &batch(1));
        assert_eq!(
            serde_json::to_string(&sent).unwrap(),
            r#"{"type":"transmit","seq":3,"commands":["00B0000008"],"continue_on":["9000","6282"]}"#
        );
    }

    #[test]
    fn nonsense_is_no_frame() {
        for text in [
            "",
            "{",
            "[]",
            r#"{"type":"verified"}"#,
            r#"{"type":"link_lost"}"#,
            r#"{"type":"link_lost","seq":-1}"#,
            r#"{"type":"link_lost","seq":1,"passive_auth":true}"#,
            r#"{"type":"replies","seq":1,"replies":["9"]}"#,
            r#"{"type":"replies","seq":1,"replies":["90ZZ"]}"#,
            r#"{"type":"hello","version":1,"link":"usb","max_command":261,"max_response":258,"extended_length":false}"#,
            r#"{"type":"hello","version":1,"link":"nfc","max_command":261,"max_response":258,"extended_length":false,"passive_auth":true}"#,
        ] {
            assert!(serde_json::from_str::<FromClient>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn impossible_limits_are_refused() {
        assert!(hello().is_possible());
        assert!(!Hello { version: 2, ..hello() }.is_possible());
        assert!(!Hello { max_command: 4, ..hello() }.is_possible());
        assert!(!Hello { max_response: 2, ..hello() }.is_possible());
        assert!(!Hello { max_response: usize::MAX, ..hello() }.is_possible());
    }

    #[test]
    fn replies_stop_where_told() {
        let ok = |r: &[&str]| replies(&batch(3), &hello(), &apdus(r));
        assert_eq!(ok(&["9000", "016282", "9000"]).unwrap().len(), 3);
        assert_eq!(ok(&["9000", "6A82"]).unwrap().len(), 2);
        assert_eq!(ok(&[]), Err(RepliesError::Count { commands: 3, replies: 0 }));
        assert_eq!(ok(&["9000"; 4]), Err(RepliesError::Count { commands: 3, replies: 4 }));
        assert_eq!(ok(&["9000"]), Err(RepliesError::End { at: 0 }));
        assert_eq!(ok(&["6A82", "9000"]), Err(RepliesError::End { at: 0 }));
        assert_eq!(ok(&["90"]), Err(RepliesError::Length { at: 0, length: 1 }));
        let long = "00".repeat(300);
        assert_eq!(ok(&[&long]), Err(RepliesError::Length { at: 0, length: 300 }));
    }

    #[test]
    fn replies_before_a_loss_are_fewer_than_commands() {
        let lost = |r: &[&str]| replies_before_loss(&batch(3), &hello(), &apdus(r));
        assert_eq!(lost(&[]).unwrap().len(), 0);
        assert_eq!(lost(&["9000", "016282"]).unwrap().len(), 2);
        assert_eq!(lost(&["9000"; 3]), Err(RepliesError::Count { commands: 3, replies: 3 }));
        assert_eq!(lost(&["6A82", "9000"]), Err(RepliesError::End { at: 0 }));
        assert_eq!(lost(&["90"]), Err(RepliesError::Length { at: 0, length: 1 }));
        let frame: FromClient = serde_json::from_str(r#"{"type":"link_lost","seq":1}"#).unwrap();
        assert_eq!(frame, FromClient::LinkLost { seq: 1, replies: Vec::new() });
    }

    #[test]
    fn debug_shows_lengths_only() {
        let frame = FromClient::Replies { seq: 1, replies: apdus(&["DEADBEEF9000"]) };
        assert_eq!(format!("{frame:?}"), "Replies { seq: 1, replies: [Apdu(6 bytes)] }");
    }
}

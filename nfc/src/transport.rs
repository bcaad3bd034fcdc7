//! What lies between an APDU and a card that splits its answers (ISO 7816-4 §5.3.4; ISO 7816-3
//! §12.2): `61xx` asks for GET RESPONSE, `6Cxx` for the same command with another Le.
//!
//! Protocols never see these statuses where this layer is used.

use std::collections::VecDeque;

use crate::{
    apdu::{Command, Response, StatusWord},
    link::{Batch, LinkError},
};

/// How command and answer are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transmission {
    /// Blocks (T=1, T=CL): any APDU as it is.
    Blocks,
    /// Characters (T=0): a command with data goes without Le.
    Characters,
}

/// The longest answer that is put together.
const LONGEST: usize = 65_538;
/// The most parts that an answer comes in: a card that dribbles bytes must not hold the reader.
const MOST_PARTS: usize = 1024;

/// Sends `command` with `send` and puts the whole answer together.
///
/// # Errors
/// What `send` fails with, or [`LinkError::Malformed`] for an answer without status or without
/// end.
pub fn exchange(
    transmission: Transmission,
    command: &Command,
    mut send: impl FnMut(&[u8]) -> Result<Vec<u8>, LinkError>,
) -> Result<Response, LinkError> {
    let mut ask = |command: &Command| {
        let mut command = command.clone();
        if transmission == Transmission::Characters && !command.data.is_empty() {
            command.ne = None;
        }
        Response::decode(&send(&command.encode())?).map_err(|_| MALFORMED)
    };
    let mut reply = ask(command)?;
    if let [0x6C, exact] = reply.status.0.to_be_bytes() {
        reply = ask(&command.clone().expecting(short(exact)))?;
    }
    let mut data = std::mem::take(&mut reply.data);
    let mut parts = 1_usize;
    while let [0x61, more] = reply.status.0.to_be_bytes() {
        // Logical channel as in the command, no secure messaging: this is transport.
        let get = Command::new(command.cla & 0x03, 0xC0, 0x00, 0x00).expecting(short(more));
        reply = ask(&get)?;
        data.extend_from_slice(&reply.data);
        parts = parts.saturating_add(1);
        let endless = reply.data.is_empty() || parts >= MOST_PARTS;
        if endless && reply.status.0 >> 8 == 0x61 || data.len() > LONGEST {
            return Err(MALFORMED);
        }
    }
    Ok(Response::new(data, reply.status))
}

const MALFORMED: LinkError = LinkError::Malformed { commands: 1, replies: 0 };

/// Zero stands for 256.
fn short(byte: u8) -> usize {
    if byte == 0 { 256 } else { usize::from(byte) }
}

/// Puts the answers to a batch together where the link does not: over the relay a client is a mere
/// pipe. Does no I/O itself.
#[derive(Default)]
pub struct Carry {
    continue_on: Vec<StatusWord>,
    /// What is not answered yet, in order.
    pending: VecDeque<Command>,
    whole: Vec<Response>,
    part: Vec<u8>,
    /// Whether the first of `pending` is sent once more, with the length that the card named.
    repeated: bool,
}

/// What the replies so far came to.
pub enum Carried {
    /// This is still to be sent.
    More(Batch, Carry),
    /// The replies to the batch, put together.
    All(Vec<Response>),
}

impl Carry {
    /// For the replies to `batch`.
    #[must_use]
    pub fn new(batch: &Batch) -> Self {
        let pending = batch.commands.iter().cloned().collect();
        Self { continue_on: batch.continue_on.clone(), pending, ..Self::default() }
    }

    /// Takes the replies to what was sent last: the batch at first, then what [`Carried::More`]
    /// said. A link may answer part of a batch; the rest is then sent anew.
    ///
    /// # Errors
    /// [`LinkError::Malformed`] for replies to no command, or an answer without end.
    pub fn take(mut self, replies: Vec<Response>) -> Result<Carried, LinkError> {
        let count = replies.len();
        let malformed = LinkError::Malformed { commands: self.pending.len(), replies: count };
        for (at, reply) in replies.into_iter().enumerate() {
            let is_last = at.saturating_add(1) == count;
            let command = self.pending.pop_front().ok_or(malformed.clone())?;
            let next = self.next(&command, &reply);
            self.part.extend_from_slice(&reply.data);
            if self.part.len() > LONGEST {
                return Err(malformed);
            }
            self.repeated = reply.status.0 >> 8 == 0x6C;
            if let Some(next) = next {
                self.pending.push_front(next);
                return if is_last { Ok(self.rest()) } else { Err(malformed) };
            }
            self.whole.push(Response::new(std::mem::take(&mut self.part), reply.status));
            if !self.continue_on.contains(&reply.status) {
                return if is_last { Ok(Carried::All(self.whole)) } else { Err(malformed) };
            }
        }
        Ok(self.rest())
    }

    /// What must follow before the reply is whole. No secure messaging: this is transport.
    fn next(&self, command: &Command, reply: &Response) -> Option<Command> {
        match reply.status.0.to_be_bytes() {
            [0x61, more] if !reply.data.is_empty() || self.part.is_empty() => {
                Some(Command::new(command.cla & 0x03, 0xC0, 0x00, 0x00).expecting(short(more)))
            }
            [0x6C, exact] if reply.data.is_empty() && !self.repeated && command.ne.is_some() => {
                Some(command.clone().expecting(short(exact)))
            }
            _ => None,
        }
    }

    fn rest(self) -> Carried {
        if self.pending.is_empty() {
            return Carried::All(self.whole);
        }
        let commands = self.pending.iter().cloned().collect();
        let batch = Batch { commands, continue_on: self.continue_on.clone() };
        Carried::More(batch, self)
    }

    /// The replies that were whole when the link was lost, with those that came last.
    #[must_use]
    pub fn lost(self, replies: Vec<Response>) -> Vec<Response> {
        let mut whole = self.whole.clone();
        match self.take(replies) {
            Ok(Carried::All(all)) => all,
            Ok(Carried::More(_, carry)) => carry.whole,
            Err(_) => std::mem::take(&mut whole),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apdu::StatusWord;

    /// Plays `script` of (command, answer) in hex.
    fn play(
        transmission: Transmission,
        command: &Command,
        script: &[(&str, &str)],
    ) -> Result<Response, LinkError> {
        let mut script = script.iter();
        exchange(transmission, command, |bytes| {
            let (expected, answer) = script.next().expect("more commands than expected");
            assert_eq!(hex::encode_upper(bytes), *expected);
            Ok(hex::decode(answer).unwrap())
        })
    }

    #[test]
    fn split_answers_are_put_together() {
        let command = Command::new(0x0C, 0xB0, 0, 0).with_data([1]).expecting(256);
        let script =
            [("0CB00000010100", "AABB6102"), ("00C0000002", "CCDD6100"), ("00C0000000", "EE9000")];
        let whole = Response::new([0xAA, 0xBB, 0xCC, 0xDD, 0xEE], StatusWord::OK);
        assert_eq!(play(Transmission::Blocks, &command, &script), Ok(whole));
    }

    #[test]
    fn another_length_is_asked_for_once() {
        let command = Command::new(0x00, 0xB0, 0, 0).expecting(256);
        let script = [("00B0000000", "6C03"), ("00B0000003", "0102039000")];
        let whole = Response::new([1, 2, 3], StatusWord::OK);
        assert_eq!(play(Transmission::Blocks, &command, &script), Ok(whole));
    }

    #[test]
    fn characters_carry_no_le_with_data() {
        let command = Command::new(0x00, 0x84, 0, 0).with_data([7]).expecting(256);
        let script = [("008400000107", "9000")];
        assert!(play(Transmission::Characters, &command, &script).is_ok());
    }

    #[test]
    fn answers_without_end_are_refused() {
        let command = Command::new(0x00, 0xB0, 0, 0).expecting(256);
        let answer = exchange(Transmission::Blocks, &command, |_| Ok(vec![0x61, 0x10]));
        assert_eq!(answer, Err(MALFORMED));
        let mut asked = 0;
        let answer = exchange(Transmission::Blocks, &command, |_| {
            asked += 1;
            Ok(vec![1, 2, 3, 0x61, 0x10])
        });
        assert_eq!((answer, asked), (Err(MALFORMED), MOST_PARTS));
        assert_eq!(exchange(Transmission::Blocks, &command, |_| Ok(vec![0x90])), Err(MALFORMED));
    }

    fn reads(n: usize) -> Batch {
        Batch::new((0..n).map(|_| Command::new(0x0C, 0xB0, 0, 0).expecting(256)).collect())
    }

    fn responses(replies: &[&str]) -> Vec<Response> {
        replies.iter().map(|r| Response::decode(&hex::decode(r).unwrap()).unwrap()).collect()
    }

    /// Plays `script` of (commands, replies), each a batch in hex, to the end.
    fn carry(batch: &Batch, script: &[(&[&str], &[&str])]) -> Result<Vec<Response>, LinkError> {
        let mut step = Carried::More(batch.clone(), Carry::new(batch));
        for (commands, replies) in script {
            let Carried::More(sent, carry) = step else { panic!("nothing was sent") };
            let sent: Vec<_> =
                sent.commands.iter().map(|c| hex::encode_upper(c.encode())).collect();
            assert_eq!(sent, *commands);
            step = carry.take(responses(replies))?;
        }
        match step {
            Carried::All(replies) => Ok(replies),
            Carried::More(..) => panic!("more was sent"),
        }
    }

    #[test]
    fn a_batch_goes_on_after_an_answer_in_parts() {
        let whole = carry(
            &reads(3),
            &[
                (&["0CB0000000", "0CB0000000", "0CB0000000"], &["019000", "02036101"]),
                (&["00C0000001", "0CB0000000"], &["049000", "6C02"]),
                (&["0CB0000002"], &["05069000"]),
            ],
        );
        assert_eq!(whole, Ok(responses(&["019000", "0203049000", "05069000"])));
    }

    #[test]
    fn a_batch_that_was_answered_in_part_is_sent_to_its_end() {
        let script: [(&[&str], &[&str]); 2] =
            [(&["0CB0000000", "0CB0000000"], &["019000"]), (&["0CB0000000"], &["6A82"])];
        assert_eq!(carry(&reads(2), &script), Ok(responses(&["019000", "6A82"])));
    }

    #[test]
    fn replies_that_cannot_be_are_refused() {
        for replies in [&["9000", "9000"][..], &["6A82", "9000"], &["6101", "9000"]] {
            let batch = reads(if replies[0] == "9000" { 1 } else { 2 });
            let taken = Carry::new(&batch).take(responses(replies));
            assert!(matches!(taken, Err(LinkError::Malformed { .. })), "{replies:?}");
        }
        // A length is named once, and an answer without a byte of progress ends it.
        let script: [(&[&str], &[&str]); 2] =
            [(&["0CB0000000"], &["6C02"]), (&["0CB0000002"], &["6C03"])];
        assert_eq!(carry(&reads(1), &script), Ok(responses(&["6C03"])));
        let script: [(&[&str], &[&str]); 2] =
            [(&["0CB0000000"], &["016102"]), (&["00C0000002"], &["6102"])];
        assert_eq!(carry(&reads(1), &script), Ok(responses(&["016102"])));
    }

    #[test]
    fn what_was_whole_before_the_loss_stays() {
        let kept = Carry::new(&reads(3)).lost(responses(&["019000", "02036101"]));
        assert_eq!(kept, responses(&["019000"]));
        assert_eq!(Carry::new(&reads(3)).lost(Vec::new()), []);
    }
}

//! What lies between an APDU and a card that splits its answers (ISO 7816-4 §5.3.4; ISO 7816-3
//! §12.2): `61xx` asks for GET RESPONSE, `6Cxx` for the same command with another Le.
//!
//! Protocols never see these statuses where this layer is used.

use crate::{
    apdu::{Command, Response},
    link::LinkError,
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
    while let [0x61, more] = reply.status.0.to_be_bytes() {
        // Logical channel as in the command, no secure messaging: this is transport.
        let get = Command::new(command.cla & 0x03, 0xC0, 0x00, 0x00).expecting(short(more));
        reply = ask(&get)?;
        data.extend_from_slice(&reply.data);
        if reply.data.is_empty() && reply.status.0 >> 8 == 0x61 || data.len() > LONGEST {
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
        let answer = exchange(Transmission::Blocks, &command, |_| Ok(vec![1, 2, 3, 0x61, 0x10]));
        assert_eq!(answer, Err(MALFORMED));
        assert_eq!(exchange(Transmission::Blocks, &command, |_| Ok(vec![0x90])), Err(MALFORMED));
    }
}

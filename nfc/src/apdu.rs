//! Command and response APDUs (ISO 7816-4 §5.1): build, encode, decode.
//!
//! Shared by the reader and the emulated chip; neither protocol lives here.

use std::fmt;

/// The longest command data or expected response in short form.
const SHORT: usize = 256;
/// The longest expected response in extended form.
const EXTENDED: usize = 65_536;

/// A command APDU. `ne` is the number of response bytes expected: `None` for none, at most 65,536.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    /// Class byte; bits `0C` mark secure messaging.
    pub cla: u8,
    /// Instruction byte.
    pub ins: u8,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: u8,
    /// Command data, at most 65,535 bytes.
    pub data: Vec<u8>,
    /// Expected response length (Ne).
    pub ne: Option<usize>,
}

/// Why bytes are not a command or response APDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApduError {
    /// Fewer bytes than the form needs.
    #[error("APDU of {length} bytes is too short")]
    TooShort {
        /// Bytes present.
        length: usize,
    },
    /// The length fields contradict the number of bytes.
    #[error("APDU length fields do not fit {length} bytes")]
    Length {
        /// Bytes present.
        length: usize,
    },
}

impl Command {
    /// A command without data and without expected response (case 1).
    #[must_use]
    pub fn new(cla: u8, ins: u8, p1: u8, p2: u8) -> Self {
        Self { cla, ins, p1, p2, data: Vec::new(), ne: None }
    }

    /// The same command carrying `data`.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.data = data.into();
        self
    }

    /// The same command expecting up to `ne` response bytes.
    #[must_use]
    pub fn expecting(mut self, ne: usize) -> Self {
        self.ne = Some(ne);
        self
    }

    /// The four header bytes, `CLA INS P1 P2`.
    #[must_use]
    pub fn header(&self) -> [u8; 4] {
        [self.cla, self.ins, self.p1, self.p2]
    }

    /// Whether Nc or Ne needs the extended form.
    #[must_use]
    pub fn is_extended(&self) -> bool {
        self.data.len() >= SHORT || self.ne.is_some_and(|ne| ne > SHORT)
    }

    /// The bytes on the wire: short form where it fits, else extended (ISO 7816-4 §5.1, table 1).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.header().to_vec();
        if self.is_extended() {
            self.encode_extended(&mut out)
        } else {
            self.encode_short(&mut out)
        }
        out
    }

    fn encode_short(&self, out: &mut Vec<u8>) {
        if !self.data.is_empty() {
            out.push(low_byte(self.data.len()));
            out.extend_from_slice(&self.data);
        }
        if let Some(ne) = self.ne {
            out.push(low_byte(ne));
        }
    }

    fn encode_extended(&self, out: &mut Vec<u8>) {
        out.push(0);
        if !self.data.is_empty() {
            out.extend_from_slice(&low_pair(self.data.len()));
            out.extend_from_slice(&self.data);
        }
        if let Some(ne) = self.ne {
            out.extend_from_slice(&low_pair(ne));
        }
    }

    /// Decodes a command in any of the seven cases of ISO 7816-4 §5.1.
    ///
    /// # Errors
    /// [`ApduError`] if the length fields do not account for every byte.
    pub fn decode(bytes: &[u8]) -> Result<Self, ApduError> {
        let [cla, ins, p1, p2, body @ ..] = bytes else {
            return Err(ApduError::TooShort { length: bytes.len() });
        };
        let (data, ne) = decode_body(body).ok_or(ApduError::Length { length: bytes.len() })?;
        Ok(Self { cla: *cla, ins: *ins, p1: *p1, p2: *p2, data: data.to_vec(), ne })
    }
}

/// Command data and Ne of the bytes after the header; `None` if the lengths do not add up.
fn decode_body(body: &[u8]) -> Option<(&[u8], Option<usize>)> {
    match body {
        [] => Some((&[], None)),
        [le] => Some((&[], Some(ne(usize::from(*le), SHORT)))),
        [0, hi, lo] => Some((&[], Some(ne(pair(*hi, *lo), EXTENDED)))),
        [0, hi, lo, rest @ ..] => {
            let (data, le) =
                rest.split_at_checked(pair(*hi, *lo)).filter(|(d, _)| !d.is_empty())?;
            match le {
                [] => Some((data, None)),
                [hi, lo] => Some((data, Some(ne(pair(*hi, *lo), EXTENDED)))),
                _ => None,
            }
        }
        [lc, rest @ ..] => {
            let (data, le) =
                rest.split_at_checked(usize::from(*lc)).filter(|(d, _)| !d.is_empty())?;
            match le {
                [] => Some((data, None)),
                [le] => Some((data, Some(ne(usize::from(*le), SHORT)))),
                _ => None,
            }
        }
    }
}

/// Ne as coded: zero means the most that the form can express.
fn ne(coded: usize, most: usize) -> usize {
    if coded == 0 { most } else { coded }
}

fn pair(hi: u8, lo: u8) -> usize {
    usize::from(u16::from_be_bytes([hi, lo]))
}

#[expect(clippy::cast_possible_truncation, reason = "256 is coded as 00 (ISO 7816-4 §5.1)")]
fn low_byte(n: usize) -> u8 {
    n as u8
}

#[expect(clippy::cast_possible_truncation, reason = "65,536 is coded as 0000 (ISO 7816-4 §5.1)")]
fn low_pair(n: usize) -> [u8; 2] {
    (n as u16).to_be_bytes()
}

/// Names and lengths only: command data may hold keys, nonces or an MRZ.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [cla, ins, p1, p2] = self.header();
        write!(f, "Command({cla:02X}{ins:02X}{p1:02X}{p2:02X}, Nc {}", self.data.len())?;
        self.ne.map_or(Ok(()), |ne| write!(f, ", Ne {ne}"))?;
        f.write_str(")")
    }
}

/// The two status bytes that end every response.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatusWord(pub u16);

impl StatusWord {
    /// Normal processing.
    pub const OK: Self = Self(0x9000);
    /// The file ended before Ne bytes were read.
    pub const END_OF_FILE: Self = Self(0x6282);
    /// File or application not found.
    pub const NOT_FOUND: Self = Self(0x6A82);

    /// Whether processing completed, with or without warning about the end of the file.
    #[must_use]
    pub fn is_ok(self) -> bool {
        self == Self::OK
    }
}

impl fmt::Display for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl fmt::Debug for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A response APDU.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// Response data.
    pub data: Vec<u8>,
    /// Status.
    pub status: StatusWord,
}

impl Response {
    /// A response of `data` and `status`.
    #[must_use]
    pub fn new(data: impl Into<Vec<u8>>, status: StatusWord) -> Self {
        Self { data: data.into(), status }
    }

    /// A response of a status alone.
    #[must_use]
    pub fn status(status: StatusWord) -> Self {
        Self::new(Vec::new(), status)
    }

    /// Decodes data and trailing status.
    ///
    /// # Errors
    /// [`ApduError::TooShort`] for fewer than two bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, ApduError> {
        let (data, sw) =
            bytes.split_last_chunk::<2>().ok_or(ApduError::TooShort { length: bytes.len() })?;
        Ok(Self::new(data, StatusWord(u16::from_be_bytes(*sw))))
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.data.clone();
        out.extend_from_slice(&self.status.0.to_be_bytes());
        out
    }
}

/// Length and status only: response data may hold personal data.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} bytes, {})", self.data.len(), self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases() -> Vec<(Command, &'static str)> {
        let c = || Command::new(0x00, 0xA4, 0x04, 0x0C);
        vec![
            (c(), "00A4040C"),
            (c().expecting(256), "00A4040C00"),
            (c().expecting(8), "00A4040C08"),
            (c().with_data([1, 2]), "00A4040C020102"),
            (c().with_data([1, 2]).expecting(256), "00A4040C02010200"),
            (c().expecting(65_536), "00A4040C000000"),
            (c().expecting(257), "00A4040C000101"),
            (c().with_data([7; 2]).expecting(65_536), "00A4040C00000207070000"),
        ]
    }

    #[test]
    fn encodes_and_decodes_each_case() {
        for (command, wire) in cases() {
            assert_eq!(hex::encode_upper(command.encode()), wire);
            assert_eq!(Command::decode(&command.encode()), Ok(command));
        }
    }

    #[test]
    fn long_data_takes_the_extended_form() {
        let command = Command::new(0, 0xD6, 0, 0).with_data(vec![9; 300]);
        assert_eq!(&command.encode()[..7], &[0, 0xD6, 0, 0, 0, 1, 44]);
        assert_eq!(Command::decode(&command.encode()), Ok(command));
    }

    #[test]
    fn lengths_that_do_not_add_up_are_refused() {
        for wire in
            ["00A404", "00A4040C0301", "00A4040C01010203", "00A4040C00000207", "00A4040C00000001"]
        {
            assert!(Command::decode(&hex::decode(wire).unwrap()).is_err(), "{wire}");
        }
    }

    #[test]
    fn debug_shows_no_data() {
        let shown =
            format!("{:?}", Command::new(0, 0x82, 0, 0).with_data([0xAB; 40]).expecting(40));
        assert_eq!(shown, "Command(00820000, Nc 40, Ne 40)");
    }
}

//! A command to the chip and its answer, line by line: which bytes, and what they say (ISO 7816-4, ICAO
//! 9303-10 and -11). Secure messaging is shown as it went and opened (ICAO 9303-11 §9.8).

use super::trace::{Exchange, Opened};
use crate::pages::fluent;
use crate::pages::texts::Language;
use nfc::apdu::{Command, Response, StatusWord};
use nfc::tlv::{Reader, Tag};

/// Bytes of a line that are shown; of a file's content more say nothing.
const SHOWN: usize = 40;
/// The eMRTD application (ICAO 9303-10 §3.2).
const APPLICATION: [u8; 7] = [0xA0, 0, 0, 2, 0x47, 0x10, 1];
/// Bits of the class byte (ISO 7816-4 §5.4.1).
const SECURED: u8 = 0x0C;
const CHAINED: u8 = 0x10;

/// What a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Access,
    Read,
    ChipAuthentication,
    ActiveAuthentication,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [
        Self::Open,
        Self::Access,
        Self::Read,
        Self::ChipAuthentication,
        Self::ActiveAuthentication,
    ];

    /// The name of its text.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Open => "qa-kind-open",
            Self::Access => "qa-kind-access",
            Self::Read => "qa-kind-read",
            Self::ChipAuthentication => "qa-kind-chip",
            Self::ActiveAuthentication => "qa-kind-active",
        }
    }
}

/// What earlier commands mean for later ones: the protocol begun, and the file selected.
#[derive(Debug, Default)]
pub(super) struct Protocols {
    chip_authentication: bool,
    file: Option<&'static str>,
}

impl Protocols {
    /// What the command `plain`, without its protection, is for.
    pub(super) fn kind(&mut self, plain: &[u8]) -> Kind {
        let Ok(command) = Command::decode(plain) else { return Kind::Read };
        match (command.ins, command.p1) {
            (0xA4, 0x04) => Kind::Open,
            (0x22, p1) => {
                self.chip_authentication = p1 == 0x41;
                if self.chip_authentication { Kind::ChipAuthentication } else { Kind::Access }
            }
            (0x86, _) if self.chip_authentication => Kind::ChipAuthentication,
            (0x86 | 0x84 | 0x82, _) => Kind::Access,
            (0x88, _) => Kind::ActiveAuthentication,
            _ => Kind::Read,
        }
    }

    /// The file that a READ BINARY reads, and from where; it is the one selected from then on.
    fn read(&mut self, command: &Command) -> (&'static str, usize) {
        let (high, low) = (usize::from(command.p1), usize::from(command.p2));
        if command.ins == 0xB0 && command.p1 & 0x80 != 0 {
            self.file = Some(file_by_short_id(command.p1 & 0x1F));
            return (self.file.unwrap_or("EF"), low);
        }
        let offset = match command.ins {
            0xB1 => offset_object(&command.data).unwrap_or(0),
            _ => high << 8 | low,
        };
        (self.file.unwrap_or("EF"), offset)
    }
}

/// An exchange as it is shown.
pub(super) struct Shown {
    pub(super) number: usize,
    pub(super) title: String,
    /// When it came and how long it took.
    pub(super) when: String,
    /// The status word and what it says.
    pub(super) status: String,
    /// Whether it is `9000`.
    pub(super) fine: bool,
    pub(super) protected: bool,
    pub(super) lines: Vec<Line>,
}

/// Some bytes and what they say.
pub(super) struct Line {
    /// `to` the chip, `from` it, or `inside` what was protected.
    pub(super) way: &'static str,
    pub(super) bytes: String,
    pub(super) what: String,
}

/// Collects lines in one language.
struct Lines {
    lang: Language,
    way: &'static str,
    lines: Vec<Line>,
}

impl Lines {
    fn add(&mut self, bytes: &[u8], what: String) {
        let (way, bytes) = (self.way, short_hex(bytes));
        self.lines.push(Line { way, bytes, what });
    }

    fn say(&mut self, bytes: &[u8], id: &str) {
        self.add(bytes, self.lang.t(id));
    }

    fn count(&mut self, bytes: &[u8], id: &str, count: usize) {
        self.add(bytes, self.lang.with(id, "count", &count.to_string()));
    }
}

/// The exchange `number`, after those that `protocols` has seen.
pub(super) fn shown(
    number: usize,
    exchange: &Exchange,
    protocols: &mut Protocols,
    lang: Language,
) -> Shown {
    let plain = Command::decode(exchange.plain());
    protocols.kind(exchange.plain());
    let title = plain.as_ref().map_or_else(|_| lang.t("apdu-none"), |c| title(c, protocols, lang));
    let mut lines = Lines { lang, way: "to", lines: Vec::new() };
    match (Command::decode(&exchange.command), &exchange.opened) {
        (Ok(command), Some(opened)) => {
            protected_command(&command, &mut lines);
            inside(opened, &title, &mut lines);
        }
        (Ok(command), None) => plain_command(&command, &title, &mut lines),
        (Err(_), _) => lines.say(&exchange.command, "apdu-none"),
    }
    lines.way = "from";
    let reply = Response::decode(&exchange.reply).ok();
    answer(reply.as_ref(), exchange, &mut lines);
    let status = reply.as_ref().map(|reply| reply.status);
    Shown {
        number,
        title,
        when: when(exchange, lang),
        status: status.map_or_else(|| lang.t("reply-none"), |s| format!("{:04X}", s.0)),
        fine: status.is_some_and(StatusWord::is_ok),
        protected: exchange.opened.is_some(),
        lines: lines.lines,
    }
}

fn when(exchange: &Exchange, lang: Language) -> String {
    let (at, took) = (exchange.at_us / 1_000, exchange.took_us);
    let took = format!("{}.{:03}", took / 1_000, took % 1_000);
    fluent::with(lang, "apdu-when", &[("at", &at.to_string()), ("took", &took)])
}

/// What a command asks for, in a sentence.
fn title(command: &Command, protocols: &mut Protocols, lang: Language) -> String {
    let file = |id: &str, file: &str| lang.with(id, "file", file);
    match (command.ins, command.p1, command.p2) {
        (0xA4, 0x04, _) if command.data == APPLICATION => lang.t("apdu-select-application"),
        (0xA4, 0x04, _) => lang.t("apdu-select-other"),
        (0xA4, ..) => {
            let selected = file_by_id(&command.data);
            protocols.file = Some(selected);
            file("apdu-select-file", selected)
        }
        (0xB0 | 0xB1, ..) => {
            let (name, offset) = protocols.read(command);
            fluent::with(lang, "apdu-read", &[("file", name), ("offset", &offset.to_string())])
        }
        (0x84, ..) => lang.t("apdu-challenge"),
        (0x82, ..) => lang.t("apdu-mutual"),
        (0x22, 0xC1, 0xA4) => lang.t("apdu-set-pace"),
        (0x22, 0x41, 0xA4) => lang.t("apdu-set-chip"),
        (0x22, 0x41, 0xA6) => lang.t("apdu-chip-des"),
        (0x86, ..) => lang.t(general_authenticate(&command.data)),
        (0x88, ..) => lang.t("apdu-internal"),
        (0xC0, ..) => lang.t("apdu-more"),
        _ => lang.t("apdu-other"),
    }
}

/// The name of the text for a GENERAL AUTHENTICATE (ICAO 9303-11 §4.4.4, TR-03110-3 §B.3).
fn general_authenticate(data: &[u8]) -> &'static str {
    match dynamic_object(data) {
        None => "apdu-pace-nonce",
        Some(0x81) => "apdu-pace-map",
        Some(0x83) => "apdu-pace-key",
        Some(0x85) => "apdu-pace-token",
        Some(0x80) => "apdu-chip-key",
        Some(_) => "apdu-other",
    }
}

/// The tag inside the dynamic authentication data `7C`.
fn dynamic_object(data: &[u8]) -> Option<u32> {
    let template = nfc::tlv::single(data, Tag(0x7C)).ok()?;
    let object = template.reader().next_element().ok()??;
    Some(object.tag.0)
}

fn header(command: &Command, title: &str, lines: &mut Lines) {
    let class = match command.cla {
        cla if cla & SECURED == SECURED && cla & CHAINED != 0 => "line-class-secured-chain",
        cla if cla & SECURED == SECURED => "line-class-secured",
        cla if cla & CHAINED != 0 => "line-class-chain",
        _ => "line-class-plain",
    };
    lines.say(&[command.cla], class);
    lines.add(&[command.ins, command.p1, command.p2], title.to_owned());
}

fn plain_command(command: &Command, title: &str, lines: &mut Lines) {
    header(command, title, lines);
    data(command, lines);
    if let Some(ne) = command.ne {
        lines.count(&[], "line-expected", ne);
    }
}

/// The data of a command: by object where they are objects.
fn data(command: &Command, lines: &mut Lines) {
    match command.ins {
        _ if command.data.is_empty() => {}
        0xA4 if command.p1 == 0x04 => lines.say(&command.data, "line-application"),
        0xA4 => {
            let what = lines.lang.with("line-file", "file", file_by_id(&command.data));
            lines.add(&command.data, what);
        }
        0x22 => objects(&command.data, lines, environment_object),
        0x86 => objects(&command.data, lines, authentication_object),
        0x82 => lines.say(&command.data, "line-mutual"),
        0x88 => lines.say(&command.data, "line-server-challenge"),
        _ => lines.count(&command.data, "line-data", command.data.len()),
    }
}

/// Each data object with what `name` says of its tag, those of a template one by one.
fn objects(data: &[u8], lines: &mut Lines, name: fn(u32) -> &'static str) {
    let mut reader = Reader::new(data);
    while let Ok(Some(object)) = reader.next_element() {
        if object.tag == Tag(0x7C) && !object.value.is_empty() {
            objects(object.value, lines, name);
        } else {
            lines.say(object.bytes, name(object.tag.0));
        }
    }
}

/// Of MANAGE SECURITY ENVIRONMENT (ISO 7816-4 §11.5.11).
fn environment_object(tag: u32) -> &'static str {
    match tag {
        0x80 => "line-protocol",
        0x83 => "line-password",
        0x84 => "line-parameters",
        0x91 => "line-public-key",
        _ => "line-object",
    }
}

/// Of GENERAL AUTHENTICATE (ICAO 9303-11 §4.4.4.1).
fn authentication_object(tag: u32) -> &'static str {
    match tag {
        0x7C => "line-nonce-asked",
        0x80 => "line-nonce-or-key",
        0x81 | 0x82 => "line-mapping",
        0x83 | 0x84 => "line-public-key",
        0x85 | 0x86 => "line-token",
        0x8A => "line-chip-data",
        _ => "line-object",
    }
}

/// The objects of secure messaging (ICAO 9303-11 §9.8.4).
fn protection(bytes: &[u8], lines: &mut Lines) {
    let mut reader = Reader::new(bytes);
    while let Ok(Some(object)) = reader.next_element() {
        match object.tag.0 {
            0x87 => {
                lines.count(object.bytes, "line-cryptogram", object.value.len().saturating_sub(1))
            }
            0x85 => lines.count(object.bytes, "line-cryptogram-odd", object.value.len()),
            0x97 => lines.say(object.bytes, "line-expected-object"),
            0x99 => lines.say(object.bytes, "line-status-object"),
            0x8E => lines.say(object.bytes, "line-mac"),
            _ => lines.say(object.bytes, "line-object"),
        }
    }
}

fn protected_command(command: &Command, lines: &mut Lines) {
    lines.say(&[command.cla], "line-class-secured");
    lines.say(&[command.ins, command.p1, command.p2], "line-header-clear");
    protection(&command.data, lines);
}

/// What was inside a protected command.
fn inside(opened: &Opened, title: &str, lines: &mut Lines) {
    lines.way = "inside";
    let counter = lines.lang.with("line-counter", "cipher", &opened.cipher.to_uppercase());
    lines.add(&opened.counter, counter);
    if let Ok(command) = Command::decode(&opened.command) {
        plain_command(&command, title, lines);
    }
}

fn answer(reply: Option<&Response>, exchange: &Exchange, lines: &mut Lines) {
    let Some(reply) = reply else { return lines.say(&[], "reply-none") };
    let Some(opened) = &exchange.opened else {
        let inner = Command::decode(exchange.plain()).ok();
        content(inner.as_ref(), &reply.data, lines);
        return status(reply.status, lines);
    };
    if reply.data.is_empty() {
        return status(reply.status, lines);
    }
    protection(&reply.data, lines);
    status(reply.status, lines);
    lines.way = "inside";
    if let Ok(inner) = Response::decode(&opened.reply) {
        content(Command::decode(&opened.command).ok().as_ref(), &inner.data, lines);
        status(inner.status, lines);
    }
}

/// What an answer brings.
fn content(command: Option<&Command>, data: &[u8], lines: &mut Lines) {
    match command.map_or(0, |command| command.ins) {
        _ if data.is_empty() => {}
        0x84 => lines.say(data, "line-chip-challenge"),
        0x82 => lines.say(data, "line-mutual-answer"),
        0x86 => objects(data, lines, authentication_object),
        0x88 => lines.say(data, "line-signature"),
        0xB0 | 0xB1 => lines.count(data, "line-content", data.len()),
        _ => lines.count(data, "line-data", data.len()),
    }
}

/// A status word (ISO 7816-4 §5.6).
fn status(status: StatusWord, lines: &mut Lines) {
    let id = match status.0 {
        0x9000 => "status-fine",
        0x6282 => "status-end",
        0x6A82 => "status-not-found",
        0x6982 => "status-security",
        0x6985 => "status-conditions",
        0x6987 => "status-objects-missing",
        0x6988 => "status-objects-wrong",
        0x6700 => "status-length",
        0x6D00 => "status-instruction",
        0x6A86 | 0x6B00 => "status-parameters",
        0x6A88 => "status-reference",
        word if word & 0xFF00 == 0x6300 => "status-refused",
        word if word & 0xFF00 == 0x6100 => "status-more",
        _ => "status-other",
    };
    lines.say(&status.0.to_be_bytes(), id);
}

/// Files by short identifier (ICAO 9303-10 §3.1, table 34); in the application unless said otherwise.
fn file_by_short_id(id: u8) -> &'static str {
    const GROUPS: [&str; 16] = [
        "DG1", "DG2", "DG3", "DG4", "DG5", "DG6", "DG7", "DG8", "DG9", "DG10", "DG11", "DG12",
        "DG13", "DG14", "DG15", "DG16",
    ];
    match id {
        0x1E => "EF.COM",
        0x1D => "EF.SOD",
        0x1C => "EF.CardAccess",
        id => GROUPS.get(usize::from(id).wrapping_sub(1)).copied().unwrap_or("EF"),
    }
}

/// Files by identifier: `01xx` has the short identifier `xx`.
fn file_by_id(id: &[u8]) -> &'static str {
    match id {
        [] | [0x3F, 0x00] => "MF",
        [0x2F, 0x01] => "EF.ATR/INFO",
        [0x01, short] => file_by_short_id(*short),
        _ => "EF",
    }
}

/// The offset of an odd READ BINARY: data object `54` (ISO 7816-4 §11.2.3).
fn offset_object(data: &[u8]) -> Option<usize> {
    let object = nfc::tlv::single(data, Tag(0x54)).ok()?;
    let all = object.value.iter();
    Some(all.fold(0, |offset: usize, byte| offset.wrapping_shl(8) | usize::from(*byte)))
}

/// `00A4 040C …`, and how many bytes there are where not all are shown.
fn short_hex(bytes: &[u8]) -> String {
    let (shown, rest) = bytes.split_at(bytes.len().min(SHOWN));
    let pairs: Vec<String> = shown.chunks(2).map(hex::encode_upper).collect();
    let more = if rest.is_empty() { String::new() } else { format!(" … ({})", bytes.len()) };
    pairs.join(" ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(command: &str, reply: &str, opened: Option<(&str, &str)>) -> Exchange {
        let bytes = |text: &str| hex::decode(text).unwrap();
        let opened = opened.map(|(command, reply)| Opened {
            cipher: "aes-128".to_owned(),
            counter: vec![0, 1],
            command: bytes(command),
            reply: bytes(reply),
        });
        let (command, reply) = (bytes(command), bytes(reply));
        Exchange { at_us: 2_000, took_us: 1_234, command, reply, opened }
    }

    fn explained(exchange: &Exchange, protocols: &mut Protocols) -> Shown {
        shown(1, exchange, protocols, Language::En)
    }

    /// ICAO 9303-11 §D.4: a protected READ BINARY of EF.COM's first four bytes.
    #[test]
    fn a_protected_read_is_shown_as_it_went_and_opened() {
        let mut protocols = Protocols::default();
        let select = exchange("00A4020C02011E", "9000", None);
        assert!(explained(&select, &mut protocols).title.contains("EF.COM"));
        let read = exchange(
            "0CB000000D9701048E08ED6705417E96BA5500",
            "8709019FF0EC34F9922651990290008E08AD55CC17140B2DED9000",
            Some(("00B0000004", "60145F019000")),
        );
        let shown = explained(&read, &mut protocols);
        assert!(shown.fine && shown.protected && shown.title.contains("EF.COM"), "{}", shown.title);
        let ways: Vec<_> = shown.lines.iter().map(|l| (l.way, l.bytes.as_str())).collect();
        assert_eq!(
            ways,
            [
                ("to", "0C"),
                ("to", "B000 00"),
                ("to", "9701 04"),
                ("to", "8E08 ED67 0541 7E96 BA55"),
                ("inside", "0001"),
                ("inside", "00"),
                ("inside", "B000 00"),
                ("inside", ""),
                ("from", "8709 019F F0EC 34F9 9226 51"),
                ("from", "9902 9000"),
                ("from", "8E08 AD55 CC17 140B 2DED"),
                ("from", "9000"),
                ("inside", "6014 5F01"),
                ("inside", "9000"),
            ]
        );
    }

    #[test]
    fn what_is_no_apdu_or_no_answer_is_said_to_be_none() {
        let mut protocols = Protocols::default();
        let torn = explained(&exchange("00B0000000", "", None), &mut protocols);
        assert!(!torn.fine && torn.status == Language::En.t("reply-none"));
        let short = explained(&exchange("00", "6700", None), &mut protocols);
        assert_eq!((short.title, short.status.as_str()), (Language::En.t("apdu-none"), "6700"));
        let empty = exchange("0CB000000487008E0000", "6988", Some(("00B0000000", "9000")));
        assert!(explained(&empty, &mut protocols).lines.len() > 3);
    }

    #[test]
    fn the_same_instruction_means_another_thing_in_another_protocol() {
        let mut protocols = Protocols::default();
        let kind = |protocols: &mut Protocols, text| protocols.kind(&hex::decode(text).unwrap());
        assert_eq!(kind(&mut protocols, "0022C1A403800100"), Kind::Access);
        assert_eq!(kind(&mut protocols, "10860000027C0000"), Kind::Access);
        assert_eq!(kind(&mut protocols, "002241A403800100"), Kind::ChipAuthentication);
        assert_eq!(kind(&mut protocols, "00860000027C0000"), Kind::ChipAuthentication);
        assert_eq!(general_authenticate(&[0x7C, 0]), "apdu-pace-nonce");
        assert_eq!(general_authenticate(&[0x7C, 3, 0x85, 1, 9]), "apdu-pace-token");
        assert_eq!(short_hex(&[1; 42]).matches("01").count(), 40);
    }
}

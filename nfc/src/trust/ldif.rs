//! LDIF as the ICAO public key directory is downloaded in (RFC 2849; ICAO 9303-12 §8): document
//! signers, revocation lists and master lists, one entry each.
//!
//! Nothing signs such a file: what it holds is only taken apart here. A broken entry or value is
//! an item with its reason and ends nothing; only what is no LDIF, asks for changes of a directory,
//! or is beyond a budget is refused as a whole. No URL is ever followed.

use openssl::base64;

/// The longest file: the whole directory is some 100 MiB.
pub const MOST_BYTES: usize = 512 << 20;
/// The most entries; the directory has some 30,000.
pub const MOST_ENTRIES: usize = 500_000;
/// The most values of an entry that are taken.
pub const MOST_VALUES: usize = 64;
/// The longest value, decoded; the longest master lists are some 3 MiB.
pub const LONGEST_VALUE: usize = 16 << 20;
/// The longest distinguished name.
const LONGEST_NAME: usize = 16 << 10;

/// Why a file is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LdifError {
    /// It does not begin as RFC 2849 has it.
    #[error("no LDIF")]
    NotLdif,
    /// Another version than 1.
    #[error("LDIF of a version other than 1 in line {line}")]
    Version {
        /// Counted from 1.
        line: usize,
    },
    /// It asks for changes of a directory, and there is none to change.
    #[error("LDIF with change records from line {line} on: export the entries themselves")]
    ChangeRecords {
        /// Counted from 1.
        line: usize,
    },
    /// Longer than [`MOST_BYTES`].
    #[error("LDIF of more than {MOST_BYTES} bytes")]
    TooLong,
}

/// What is wrong with an entry or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ItemErrorKind {
    /// An entry that does not begin with `dn:`.
    #[error("an entry without dn")]
    NoName,
    /// A line without a colon, or that continues nothing.
    #[error("a line that is no attribute")]
    Line,
    /// A value that is no base64.
    #[error("no base64")]
    Base64,
    /// A value that stands at a URL, which is not followed.
    #[error("a value by URL, which is not followed")]
    Url,
    /// A certificate, list or master list as text instead of base64.
    #[error("binary value written as text")]
    Text,
    /// A value, line or name beyond its budget.
    #[error("too long")]
    TooLong,
    /// More values than are read.
    #[error("more than {MOST_VALUES} values")]
    TooMany,
    /// More entries than are read; those that follow are not.
    #[error("more than {MOST_ENTRIES} entries")]
    TooManyEntries,
}

/// What is wrong, and in which line, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind} in line {line}")]
pub struct ItemError {
    /// What.
    pub kind: ItemErrorKind,
    /// Where.
    pub line: usize,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `userCertificate`, `cACertificate`.
    Certificate,
    /// `certificateRevocationList`, `authorityRevocationList`.
    RevocationList,
    /// `pkdMasterListContent`, `CscaMasterListData`.
    MasterList,
}

const ATTRIBUTES: [(&str, Kind); 6] = [
    ("usercertificate", Kind::Certificate),
    ("cacertificate", Kind::Certificate),
    ("certificaterevocationlist", Kind::RevocationList),
    ("authorityrevocationlist", Kind::RevocationList),
    ("pkdmasterlistcontent", Kind::MasterList),
    ("cscamasterlistdata", Kind::MasterList),
];

/// A certificate, revocation list or master list of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// What it is said to be.
    pub kind: Kind,
    /// The bytes, or why there are none.
    pub content: Result<Vec<u8>, ItemError>,
}

/// An entry of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line of its name, counted from 1.
    pub line: usize,
    /// The distinguished name, as written.
    pub name: String,
    /// The country that the name gives, in upper case.
    pub country: Option<String>,
    /// What is of use in it, in the order of the entry.
    pub values: Vec<Value>,
}

/// Whether a file begins as LDIF does.
#[must_use]
pub fn is_ldif(bytes: &[u8]) -> bool {
    let mut lines = Lines::new(bytes);
    while let Some(line) = lines.next() {
        if !line.text.is_empty() && !lines.skip_comment(&line) {
            return is_named(line.text, "version") || is_named(line.text, "dn");
        }
    }
    false
}

/// The entries of a file, one after the other.
///
/// # Errors
/// [`LdifError`] if the file is refused as a whole.
pub fn entries(bytes: &[u8]) -> Result<Entries<'_>, LdifError> {
    if bytes.len() > MOST_BYTES {
        return Err(LdifError::TooLong);
    }
    if !is_ldif(bytes) {
        return Err(LdifError::NotLdif);
    }
    for line in Lines::new(bytes) {
        if is_named(line.text, "changetype") || is_named(line.text, "control") {
            return Err(LdifError::ChangeRecords { line: line.number });
        }
        let is_other = |text| std::str::from_utf8(text).is_ok_and(|text| text.trim() != "1");
        if is_named(line.text, "version") && after_colon(line.text).is_none_or(is_other) {
            return Err(LdifError::Version { line: line.number });
        }
    }
    Ok(Entries { lines: Lines::new(bytes), count: 0 })
}

/// Reads one entry at a time.
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    lines: Lines<'a>,
    count: usize,
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, ItemError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = self.lines.next()?;
            let is_version = self.count == 0 && is_named(line.text, "version");
            if line.text.is_empty() || is_version || self.lines.skip_comment(&line) {
                continue;
            }
            self.count = self.count.saturating_add(1);
            if self.count > MOST_ENTRIES {
                self.lines.rest = None;
                return Some(Err(line.error(ItemErrorKind::TooManyEntries)));
            }
            let entry = self.entry(&line);
            if entry.is_err() {
                self.lines.skip_entry();
            }
            return Some(entry);
        }
    }
}

impl Entries<'_> {
    fn entry(&mut self, first: &Line<'_>) -> Result<Entry, ItemError> {
        let name = self.name(first)?;
        let country = country(&name);
        let mut values = Vec::new();
        while let Some(line) = self.lines.next().filter(|line| !line.text.is_empty()) {
            if self.lines.skip_comment(&line) {
                continue;
            }
            let Some(value) = self.value(&line)? else { continue };
            if values.len() == MOST_VALUES {
                return Err(line.error(ItemErrorKind::TooMany));
            }
            values.push(value);
        }
        Ok(Entry { line: first.number, name, country, values })
    }

    /// `dn: …` or `dn:: base64`.
    fn name(&mut self, line: &Line<'_>) -> Result<String, ItemError> {
        if !is_named(line.text, "dn") {
            return Err(line.error(ItemErrorKind::NoName));
        }
        let whole = self.lines.unfold(line, LONGEST_NAME)?;
        let text = match Written::of(after_colon(&whole).unwrap_or_default()) {
            Written::Text(text) => text.to_vec(),
            Written::Base64(text) => {
                decode(text).ok_or_else(|| line.error(ItemErrorKind::Base64))?
            }
            Written::Url => return Err(line.error(ItemErrorKind::Url)),
        };
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// A value that is of use; the others are not even decoded.
    fn value(&mut self, line: &Line<'_>) -> Result<Option<Value>, ItemError> {
        let colon = line.text.iter().position(|byte| *byte == b':');
        let name = colon.and_then(|colon| line.text.get(..colon));
        let Some(name) = name.filter(|name| is_attribute(name)) else {
            return Err(line.error(ItemErrorKind::Line));
        };
        let Some(kind) = kind(name) else {
            self.lines.skip_folded();
            return Ok(None);
        };
        let content = self.lines.unfold(line, LONGEST_LINE).and_then(|whole| {
            let kind = match Written::of(after_colon(&whole).unwrap_or_default()) {
                Written::Text(_) => ItemErrorKind::Text,
                Written::Url => ItemErrorKind::Url,
                Written::Base64(text) => match decode(text) {
                    Some(bytes) if bytes.len() <= LONGEST_VALUE => return Ok(bytes),
                    Some(_) => ItemErrorKind::TooLong,
                    None => ItemErrorKind::Base64,
                },
            };
            Err(line.error(kind))
        });
        Ok(Some(Value { kind, content }))
    }
}

/// Base64 of the longest value, and the attribute's name.
const LONGEST_LINE: usize = LONGEST_VALUE / 3 * 4 + 256;

/// What stands after the first colon of a line.
enum Written<'a> {
    Text(&'a [u8]),
    Base64(&'a [u8]),
    Url,
}

impl<'a> Written<'a> {
    fn of(text: &'a [u8]) -> Self {
        match text.split_first() {
            Some((b':', rest)) => Self::Base64(rest.trim_ascii()),
            Some((b'<', _)) => Self::Url,
            _ => Self::Text(text.trim_ascii_start()),
        }
    }
}

fn after_colon(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    line.get(colon.saturating_add(1)..)
}

/// Whether the line is of this attribute, options aside.
fn is_named(line: &[u8], name: &str) -> bool {
    let end = line.iter().position(|byte| [b':', b';'].contains(byte)).unwrap_or(0);
    line.get(..end).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
}

/// `AttributeDescription`: letters, digits, hyphens, dots, and options after semicolons.
fn is_attribute(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || b"-.;".contains(b))
}

fn kind(attribute: &[u8]) -> Option<Kind> {
    let name = attribute.split(|byte| *byte == b';').next()?;
    let found = ATTRIBUTES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))?;
    Some(found.1)
}

/// Strict: four characters a time, padding at the end only.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    if text.is_empty() || !text.len().is_multiple_of(4) || !digits.bytes().all(is_digit) {
        return None;
    }
    base64::decode_block(text).ok()
}

/// The value of the first `c` of a distinguished name (RFC 4514 §3): separators that are escaped
/// or quoted do not separate.
fn country(name: &str) -> Option<String> {
    let (mut part, mut escaped, mut quoted) = (String::new(), false, false);
    for c in name.chars().chain([',']) {
        match c {
            _ if escaped => {
                part.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ',' | ';' | '+' if !quoted => {
                if let Some(found) = country_of(&part) {
                    return Some(found);
                }
                part.clear();
            }
            _ => part.push(c),
        }
    }
    None
}

fn country_of(part: &str) -> Option<String> {
    let (kind, value) = part.split_once('=')?;
    let value = value.trim();
    (kind.trim().eq_ignore_ascii_case("c") && !value.is_empty()).then(|| value.to_uppercase())
}

/// A line as it stands, without its end.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    text: &'a [u8],
    number: usize,
}

impl Line<'_> {
    fn is_comment(&self) -> bool {
        self.text.starts_with(b"#")
    }

    fn error(&self, kind: ItemErrorKind) -> ItemError {
        ItemError { kind, line: self.number }
    }
}

#[derive(Debug, Clone)]
struct Lines<'a> {
    rest: Option<&'a [u8]>,
    number: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let rest = self.rest?;
        let end = rest.iter().position(|byte| *byte == b'\n');
        let text = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
        self.rest = end.and_then(|end| rest.get(end.saturating_add(1)..));
        self.number = self.number.saturating_add(1);
        Some(Line { text: text.strip_suffix(b"\r").unwrap_or(text), number: self.number })
    }
}

impl<'a> Lines<'a> {
    /// A byte order mark, which some tools write, is passed over.
    fn new(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        Self { rest: Some(bytes), number: 0 }
    }

    /// The next line, if it continues the one before: its text without the space.
    fn folded(&mut self) -> Option<&'a [u8]> {
        let mut ahead = self.clone();
        let rest = ahead.next()?.text.strip_prefix(b" ")?;
        *self = ahead;
        Some(rest)
    }

    fn skip_folded(&mut self) {
        while self.folded().is_some() {}
    }

    fn skip_comment(&mut self, line: &Line<'_>) -> bool {
        if line.is_comment() {
            self.skip_folded();
        }
        line.is_comment()
    }

    /// To after the empty line that ends the entry.
    fn skip_entry(&mut self) {
        while self.next().is_some_and(|line| !line.text.is_empty()) {}
    }

    /// The line with those that continue it, of at most `most` bytes; all of them are read.
    fn unfold(&mut self, first: &Line<'_>, most: usize) -> Result<Vec<u8>, ItemError> {
        let mut whole = first.text.to_vec();
        while let Some(rest) = self.folded() {
            if whole.len().saturating_add(rest.len()) <= most {
                whole.extend_from_slice(rest);
            } else {
                self.skip_folded();
                return Err(first.error(ItemErrorKind::TooLong));
            }
        }
        let fits = whole.len() <= most;
        fits.then_some(whole).ok_or_else(|| first.error(ItemErrorKind::TooLong))
    }
}

#[cfg(test)]
mod tests;

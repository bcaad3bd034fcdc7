//! Elements as a tree that can be spoiled at any place and written again (ITU-T X.690 §8.1).

use nfc::tlv::{Reader, Tag};

/// How a length is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// As DER has it.
    Minimal,
    /// Four length bytes, whatever the length.
    Long,
    /// Indefinite, with end-of-contents.
    Indefinite,
    /// As DER has it, but so much more or less than there is.
    Off(isize),
}

/// One element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) tag: Tag,
    pub(crate) length: Length,
    pub(crate) body: Body,
}

/// What an element holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    Bytes(Vec<u8>),
    Parts(Vec<Node>),
}

impl Node {
    /// Reads one element, and all within it that is constructed.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let element = Reader::new(bytes).next_element().unwrap().unwrap();
        let body = match element.tag.is_constructed() {
            true => Body::Parts(read_all(element.value)),
            false => Body::Bytes(element.value.to_vec()),
        };
        Self { tag: element.tag, length: Length::Minimal, body }
    }

    /// A primitive element.
    pub(crate) fn bytes(tag: u32, value: &[u8]) -> Self {
        Self { tag: Tag(tag), length: Length::Minimal, body: Body::Bytes(value.to_vec()) }
    }

    /// A constructed element.
    pub(crate) fn parts(tag: u32, parts: &[Self]) -> Self {
        Self { tag: Tag(tag), length: Length::Minimal, body: Body::Parts(parts.to_vec()) }
    }

    /// An object identifier from its content bytes in hexadecimal.
    pub(crate) fn oid(content: &str) -> Self {
        Self::bytes(0x06, &hex::decode(content).unwrap())
    }

    /// `AlgorithmIdentifier`.
    pub(crate) fn algorithm(oid: &str, parameters: &[Self]) -> Self {
        Self::parts(0x30, &[&[Self::oid(oid)], parameters].concat())
    }

    /// The element at `path`, an index at every level.
    pub(crate) fn at(&self, path: &[usize]) -> &Self {
        path.iter().fold(self, |node, index| &node.children()[*index])
    }

    /// As [`Self::at`].
    pub(crate) fn at_mut(&mut self, path: &[usize]) -> &mut Self {
        path.iter().fold(self, |node, index| &mut node.children_mut()[*index])
    }

    pub(crate) fn children(&self) -> &[Self] {
        match &self.body {
            Body::Parts(parts) => parts,
            Body::Bytes(_) => &[],
        }
    }

    pub(crate) fn children_mut(&mut self) -> &mut Vec<Self> {
        match &mut self.body {
            Body::Parts(parts) => parts,
            Body::Bytes(_) => panic!("a primitive element has no parts"),
        }
    }

    /// Takes a part away.
    pub(crate) fn lose(&mut self, index: usize) -> Option<()> {
        self.children_mut().remove(index);
        Some(())
    }

    /// The value's bytes.
    pub(crate) fn value(&self) -> Vec<u8> {
        match &self.body {
            Body::Bytes(bytes) => bytes.clone(),
            Body::Parts(parts) => parts.iter().map(Self::write).collect::<Vec<_>>().concat(),
        }
    }

    /// The whole element.
    pub(crate) fn write(&self) -> Vec<u8> {
        let value = self.value();
        let mut out: Vec<u8> =
            self.tag.0.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        match self.length {
            Length::Minimal => out.extend(minimal(value.len())),
            Length::Off(by) => out.extend(minimal(value.len().saturating_add_signed(by))),
            Length::Indefinite => out.push(0x80),
            Length::Long => {
                out.push(0x84);
                out.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
            }
        }
        out.extend(value);
        if self.length == Length::Indefinite {
            out.extend([0, 0]);
        }
        out
    }

    /// The places of all elements, this one first.
    pub(crate) fn places(&self) -> Vec<Vec<usize>> {
        let below = self.children().iter().enumerate().flat_map(|(index, child)| {
            child.places().into_iter().map(move |path| [&[index], path.as_slice()].concat())
        });
        std::iter::once(Vec::new()).chain(below).collect()
    }
}

fn read_all(bytes: &[u8]) -> Vec<Node> {
    let mut reader = Reader::new(bytes);
    let mut parts = Vec::new();
    while let Some(element) = reader.next_element().unwrap() {
        parts.push(Node::read(element.bytes));
    }
    parts
}

fn minimal(length: usize) -> Vec<u8> {
    let bytes: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    match length {
        0..0x80 => vec![u8::try_from(length).unwrap()],
        _ => [&[0x80 | u8::try_from(bytes.len()).unwrap()], bytes.as_slice()].concat(),
    }
}

//! One thing done to one element, or to one byte, with no regard for what it means.

use std::ops::Range;

use nfc::tlv::Tag;

use super::{
    Case,
    seeds::{Seed, field},
    tree::{Body, Length, Node},
};

/// A generator of numbers that comes out the same every time (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ z >> 31) % u64::try_from(sides).unwrap()).unwrap()
    }
}

/// What is done to the element with this index among its neighbours; nothing if it makes no sense.
type Edit = fn(&mut Vec<Node>, usize) -> Option<()>;

const EDITS: [(&str, Edit); 18] = [
    ("dropped", |all, i| {
        all.remove(i);
        Some(())
    }),
    ("doubled", |all, i| {
        all.insert(i, all[i].clone());
        Some(())
    }),
    ("swapped with the next", |all, i| (i + 1 < all.len()).then(|| all.swap(i, i + 1))),
    ("other tag", |all, i| one(all, i, |node| node.tag = Tag(node.tag.0 ^ 0x01))),
    ("other class", |all, i| one(all, i, |node| node.tag = Tag(node.tag.0 ^ 0x80))),
    ("length short", |all, i| {
        (!all[i].value().is_empty()).then(|| all[i].length = Length::Off(-1))
    }),
    ("length long", |all, i| one(all, i, |node| node.length = Length::Off(1))),
    ("length in four bytes", |all, i| one(all, i, |node| node.length = Length::Long)),
    ("length indefinite", |all, i| {
        is_constructed(&all[i]).then(|| all[i].length = Length::Indefinite)
    }),
    ("emptied", |all, i| one(all, i, |node| node.body = Body::Bytes(Vec::new()))),
    ("first byte changed", |all, i| bytes(all, i, |value| value[0] ^= 0x01)),
    ("last byte changed", |all, i| bytes(all, i, |value| *value.last_mut().unwrap() ^= 0x01)),
    ("zero byte before", |all, i| bytes(all, i, |value| value.insert(0, 0))),
    ("byte 80 before", |all, i| bytes(all, i, |value| value.insert(0, 0x80))),
    ("zero byte after", |all, i| bytes(all, i, |value| value.push(0))),
    ("last byte lost", |all, i| bytes(all, i, |value| value.truncate(value.len() - 1))),
    ("NULL added within", |all, i| {
        is_constructed(&all[i]).then(|| all[i].children_mut().push(Node::bytes(0x05, &[])))
    }),
    ("string in parts", |all, i| {
        let value = bytes_of(&all[i]).filter(|_| STRINGS.contains(&all[i].tag.0))?;
        let (one, two) = value.split_at(value.len() / 2);
        let tag = all[i].tag.0;
        all[i] = Node::parts(tag | 0x20, &[Node::bytes(tag, one), Node::bytes(tag, two)]);
        Some(())
    }),
];

/// BIT STRING, OCTET STRING, UTF8String, PrintableString.
const STRINGS: [u32; 4] = [0x03, 0x04, 0x0C, 0x13];

fn is_constructed(node: &Node) -> bool {
    matches!(node.body, Body::Parts(_))
}

fn one(all: &mut [Node], index: usize, change: fn(&mut Node)) -> Option<()> {
    change(&mut all[index]);
    Some(())
}

/// Changes a value that has bytes.
fn bytes(all: &mut [Node], index: usize, change: fn(&mut Vec<u8>)) -> Option<()> {
    match &mut all[index].body {
        Body::Bytes(value) if !value.is_empty() => {
            change(value);
            Some(())
        }
        _ => None,
    }
}

fn bytes_of(node: &Node) -> Option<Vec<u8>> {
    match &node.body {
        Body::Bytes(value) => Some(value.clone()),
        Body::Parts(_) => None,
    }
}

/// Everything done to everything.
pub(crate) fn every(seed: &Seed) -> Vec<Case> {
    let places = seed.tree.places();
    let within = places.iter().skip(1);
    within.flat_map(|path| EDITS.iter().filter_map(|edit| spoil(seed, path, edit))).collect()
}

/// So many edits of so many places.
pub(crate) fn some(seed: &Seed, dice: &mut Dice, count: usize) -> Vec<Case> {
    let places = seed.tree.places();
    let roll = |_| {
        let path = &places[1 + dice.roll(places.len() - 1)];
        spoil(seed, path, &EDITS[dice.roll(EDITS.len())])
    };
    (0..count).filter_map(roll).collect()
}

fn spoil(seed: &Seed, path: &[usize], (how, edit): &(&'static str, Edit)) -> Option<Case> {
    let mut tree = seed.tree.clone();
    let (last, around) = path.split_last()?;
    edit(tree.at_mut(around).children_mut(), *last)?;
    Some(Case::of(seed, field(path), how, tree.write()))
}

/// Bits and bytes changed, taken out and put in anywhere, and the end cut off or drawn out.
pub(crate) fn bytewise(seed: &Seed, dice: &mut Dice, count: usize) -> Vec<Case> {
    let whole = seed.tree.write();
    let mut spans = Vec::new();
    self::spans(&seed.tree, &mut Vec::new(), 0, &mut spans);
    let field = |at| spans.iter().rfind(|(span, _)| span.contains(&at)).unwrap().1;
    let one = |_| {
        let at = dice.roll(whole.len());
        let mut message = whole.clone();
        let how = match dice.roll(8) {
            0..=2 => {
                message[at] ^= 1 << dice.roll(8);
                "bit flipped"
            }
            3 => {
                message[at] = [0x00, 0xFF, 0x80, 0x30][dice.roll(4)];
                "byte set"
            }
            4 => {
                message.remove(at);
                "byte lost"
            }
            5 => {
                message.insert(at, 0x00);
                "byte put in"
            }
            6 => {
                message.truncate(at);
                "cut short"
            }
            _ => {
                message.extend(std::iter::repeat_n(0x00, 1 + at % 64));
                return Case::of(seed, "ContentInfo", "bytes follow", message);
            }
        };
        Case::of(seed, field(at), how, message)
    };
    (0..count).map(one).collect()
}

/// Where each element starts and ends, an outer one before those in it.
fn spans(
    node: &Node,
    path: &mut Vec<usize>,
    start: usize,
    out: &mut Vec<(Range<usize>, &'static str)>,
) {
    let whole = node.write().len();
    out.push((start..start + whole, field(path)));
    let mut start = start + whole - node.value().len();
    for (index, child) in node.children().iter().enumerate() {
        path.push(index);
        spans(child, path, start, out);
        path.pop();
        start += child.write().len();
    }
}

//! TLV and APDUs: what is read can be written again, and nothing is read twice or from nowhere.

use nfc::{
    apdu::{Command, Response},
    link::LinkError,
    tlv::{self, Reader},
    transport::{Transmission, exchange},
};

use super::Script;

/// The depth to which constructed elements are entered.
const DEEPEST: usize = 16;

/// BER-TLV, element by element and all the way down.
pub fn tlv(data: &[u8]) {
    walk(data, Reader::new(data), 0, DEEPEST);
    if let Ok(length) = tlv::total_length(data)
        && let Ok(Some(first)) = Reader::new(data).next_element()
    {
        assert_eq!(first.bytes.len(), length);
    }
}

fn walk(whole: &[u8], mut reader: Reader<'_>, start: usize, depth: usize) {
    let mut end = start;
    while let Ok(Some(element)) = reader.next_element() {
        let at = element.value_offset;
        assert_eq!(whole.get(at..at + element.value.len()), Some(element.value));
        assert!(element.bytes.ends_with(element.value));
        assert_eq!(at - end, element.bytes.len() - element.value.len());
        end = at + element.value.len();
        let again = tlv::encode(element.tag, element.value);
        assert!(again.len() <= element.bytes.len());
        let found = tlv::single(&again, element.tag).expect("what was written is read");
        assert_eq!((found.tag, found.value), (element.tag, element.value));
        if element.tag.is_constructed() && depth > 0 {
            walk(whole, element.reader(), at, depth - 1);
        }
    }
    assert!(reader.is_empty());
}

/// Commands, responses, and answers that come in parts.
pub fn apdu(data: &[u8]) {
    if let Ok(command) = Command::decode(data) {
        let again = Command::decode(&command.encode()).expect("what was written is read");
        assert_eq!(again, command);
    }
    if let Ok(response) = Response::decode(data) {
        assert_eq!(response.encode(), data);
    }
    let script = Script::new(data);
    let transmission = match script.byte() & 1 {
        0 => Transmission::Blocks,
        _ => Transmission::Characters,
    };
    let command = Command::new(0x0C, 0xB0, 0, 0).with_data(script.counted()).expecting(256);
    let mut answers = 0_usize;
    let _ = exchange(transmission, &command, |_| {
        answers += 1;
        assert!(answers <= 1025, "no end");
        match script.counted() {
            [] => Err(LinkError::Lost),
            answer => Ok(answer.to_vec()),
        }
    });
}

use super::{text::Text, *};
use crate::tlv::{TlvErrorKind, encode};

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text.replace(' ', "")).unwrap()
}

fn shown(text: Option<&Text>) -> &str {
    text.map(Text::expose).unwrap()
}

/// The example of ICAO 9303-10 §4.7.11, its lengths made good.
#[test]
fn personal_details_are_read() {
    let name = encode(Tag(0x5F0E), b"SMITH<<JOHN<J");
    let place = encode(Tag(0x5F11), b"ANYTOWN<MN");
    let birth = encode(Tag(0x5F2B), b"19740812");
    let others = [encode(Tag(0x5F0F), b"SMYTHE<<JON"), encode(Tag(0x5F0F), b"JONES")].concat();
    let others = encode(Tag(0xA0), &[bytes("020102"), others].concat());
    let list = encode(Tag(0x5C), &bytes("5F0E5F0F5F2B5F11"));
    let group = |parts: &[&Vec<u8>]| {
        let content: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        dg11::parse(&encode(Tag(0x6B), &content))
    };
    let details = group(&[&list, &name, &others, &birth, &place]).unwrap();
    assert_eq!(shown(details.full_name.as_ref()), "SMITH<<JOHN<J");
    assert_eq!(details.other_names.len(), 2);
    assert_eq!(shown(details.birth_date.as_ref()), "19740812");
    let parts: Vec<_> = details.birth_place.as_ref().unwrap().parts().collect();
    assert_eq!((parts, details.unknown), (vec!["ANYTOWN", "MN"], 0));
    // Older passports pack the digits.
    let packed = group(&[&encode(Tag(0x5F2B), &bytes("19740812"))]).unwrap();
    assert_eq!(packed.birth_date, details.birth_date);
    assert_eq!(group(&[&encode(Tag(0x5F7A), &[])]).unwrap().unknown, 1);
    assert!(!format!("{details:?}").contains("SMITH"));
}

#[test]
fn malformed_details_are_refused() {
    let dg11 = |content: &str| dg11::parse(&encode(Tag(0x6B), &bytes(content)));
    assert_eq!(dg11("5F0E01FF"), Err(LdsError::Content { tag: Tag(0x5F0E) }), "no UTF-8");
    assert_eq!(
        dg11("5F2B06313937343038"),
        Err(LdsError::Content { tag: Tag(0x5F2B) }),
        "half a date"
    );
    let date = "5F2B08".to_owned() + &hex::encode("1974081X");
    assert_eq!(dg11(&date), Err(LdsError::Content { tag: Tag(0x5F2B) }), "no digits");
    assert_eq!(
        dg11("A0060201025F0F00"),
        Err(LdsError::Content { tag: Tag(0xA0) }),
        "a wrong count"
    );
    assert_eq!(dg11(&"5F1200".repeat(65)), Err(LdsError::Budget { most: 64 }));
    let many = format!("A081C6020141{}", "5F0F00".repeat(65));
    assert_eq!(dg11(&many), Err(LdsError::Budget { most: 64 }));
    let long = hex::encode(encode(Tag(0x5F42), &[b'A'; 4097]));
    assert_eq!(dg11(&long), Err(LdsError::Budget { most: 4096 }));
    assert!(dg11::parse(&encode(Tag(0x6C), &[])).is_err(), "another group");
}

#[test]
fn document_details_are_read() {
    let elements = [
        encode(Tag(0x5F19), b"UNITED STATES OF AMERICA"),
        encode(Tag(0x5F26), b"20020531"),
        encode(Tag(0xA0), &[bytes("020101"), encode(Tag(0x5F1A), b"SMITH<<BRENDA<P")].concat()),
        encode(Tag(0x5F1D), &[0xFF, 0xD8]),
        encode(Tag(0x5F55), &bytes("20020531102030")),
    ];
    let details = dg12::parse(&encode(Tag(0x6C), &elements.concat())).unwrap();
    assert_eq!(shown(details.authority.as_ref()), "UNITED STATES OF AMERICA");
    assert_eq!(shown(details.issue_date.as_ref()), "20020531");
    assert_eq!(details.other_persons.len(), 1);
    assert_eq!(details.front.unwrap().expose(), [0xFF, 0xD8]);
    assert_eq!(shown(details.personalised.as_ref()), "20020531102030");
    assert!(dg12::parse(&encode(Tag(0x6C), &bytes("5F55032002FF"))).is_err());
}

#[test]
fn signatures_and_people_are_counted() {
    let signatures = |count: u8, picture: &str| {
        dg7::parse(&encode(Tag(0x67), &[vec![0x02, 1, count], bytes(picture)].concat()))
    };
    assert_eq!(signatures(1, "5F4302FFD8").unwrap()[0].expose(), [0xFF, 0xD8]);
    assert!(signatures(2, "5F4302FFD8").is_err());
    assert!(signatures(1, "5F4202FFD8").is_err());
    assert_eq!(signatures(9, &"5F4300".repeat(9)), Err(LdsError::Budget { most: 8 }));

    let people = |content: &str| dg16::parse(&encode(Tag(0x70), &bytes(content)));
    let name = hex::encode(encode(Tag(0x5F51), b"SMITH<<CHARLES"));
    let one = format!("A1{:02X}{name}", name.len() / 2);
    let found = people(&format!("020101{one}")).unwrap();
    assert_eq!(shown(found[0].name.as_ref()), "SMITH<<CHARLES");
    assert!(people(&format!("020102{one}")).is_err(), "one is missing");
    assert!(people(&format!("020101{one}{one}")).is_err(), "one too many");
    assert_eq!(people("020110"), Err(LdsError::Budget { most: 15 }));

    assert_eq!(dg13::parse(&bytes("6D021234")), Ok(&[0x12, 0x34][..]));
    assert!(dg13::parse(&bytes("6E021234")).is_err());
}

#[test]
fn what_the_chip_bears_is_read() {
    let info = atr_info::parse(&bytes("4301B8 47039421C0 7F6608020203E8020203E8 0000")).unwrap();
    assert_eq!((info.extended, info.bears_extended()), (Some((1000, 1000)), true));
    assert_eq!(atr_info::parse(&[]), Ok(atr_info::AtrInfo::default()));
    assert!(!atr_info::parse(&bytes("4703942180")).unwrap().bears_extended());
    for malformed in ["47", "4700", "470494214000", "7F6600", "7F6604020203E8"] {
        assert!(atr_info::parse(&bytes(malformed)).is_err(), "{malformed}");
    }
    let many = bytes(&"430101".repeat(33));
    assert_eq!(atr_info::parse(&many), Err(LdsError::Budget { most: 32 }));
    let cut = atr_info::parse(&bytes("7F66080202")).unwrap_err();
    assert!(matches!(cut, LdsError::Tlv(error) if error.kind == TlvErrorKind::Truncated));
}

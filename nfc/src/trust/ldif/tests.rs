//! Files as the directory and its tools write them, and as an attacker would.

use super::*;

/// `AAEC` is 00 01 02.
const DIRECTORY: &str = "# a comment\n that goes on\nversion: 1\n\
    \n\
    dn: cn=OU\\=Passports\\,C\\=XX+sn=42E5,o=dsc,c=nz,dc=data,dc=int\n\
    objectClass: inetOrgPerson\n\
    objectClass: pkdDownload\n\
    userCertificate;binary:: AA\n EC\n\
    sn:: not decoded\n at all\n\
    \n\n\
    dn:: Yz1ESyxvPWNybA==\n\
    certificateRevocationList;binary::AAEC\n\
    # inside\n\
    \n\
    dn: o=ml, C = \"FR\"\n\
    pkdMasterListContent:: AAEC\n\
    CSCAMasterListData:: AAEC";

fn read(text: &str) -> Vec<Result<Entry, ItemError>> {
    entries(text.as_bytes()).unwrap().collect()
}

fn only(text: &str) -> Entry {
    let [Ok(entry)] = &read(text)[..] else { panic!("one entry") };
    entry.clone()
}

#[test]
fn entries_are_unfolded_and_decoded_whatever_ends_their_lines() {
    for text in
        [DIRECTORY.to_owned(), DIRECTORY.replace('\n', "\r\n"), format!("\u{FEFF}{DIRECTORY}")]
    {
        let entries: Vec<Entry> = read(&text).into_iter().map(Result::unwrap).collect();
        let countries: Vec<_> = entries.iter().map(|e| e.country.as_deref().unwrap()).collect();
        assert_eq!(countries, ["NZ", "DK", "FR"]);
        let kinds: Vec<_> = entries.iter().flat_map(|e| &e.values).map(|v| v.kind).collect();
        let expected =
            [Kind::Certificate, Kind::RevocationList, Kind::MasterList, Kind::MasterList];
        assert_eq!(kinds, expected);
        for value in entries.iter().flat_map(|entry| &entry.values) {
            assert_eq!(value.content.as_deref(), Ok(&[0, 1, 2][..]));
        }
        assert_eq!(entries[0].line, 5);
        assert_eq!(entries[1].name, "c=DK,o=crl");
    }
}

#[test]
fn what_is_broken_is_named_and_ends_nothing() {
    let text = "dn: c=DK\nuserCertificate;binary:: AA=C\nuserCertificate:: AAEC\n\n\
        cn: no name\nuserCertificate:: AAEC\n\n\
        dn: c=SE\nno attribute\nuserCertificate:: AAEC\n\n\
        dn: c=NO\nuserCertificate:< file:///etc/passwd\ncACertificate: text\n\n\
        dn: c=FI\nuserCertificate:: AAEC\n";
    let found = read(text);
    let first = found[0].as_ref().unwrap();
    assert_eq!(first.values[0].content, Err(ItemError { kind: ItemErrorKind::Base64, line: 2 }));
    assert_eq!(first.values[1].content, Ok(vec![0, 1, 2]));
    assert_eq!(found[1], Err(ItemError { kind: ItemErrorKind::NoName, line: 5 }));
    assert_eq!(found[2], Err(ItemError { kind: ItemErrorKind::Line, line: 9 }));
    let kinds: Vec<_> = found[3].as_ref().unwrap().values.iter().map(|v| &v.content).collect();
    let [Err(url), Err(text)] = kinds[..] else { panic!("two reasons") };
    assert_eq!((url.kind, text.kind), (ItemErrorKind::Url, ItemErrorKind::Text));
    assert_eq!(found[4].as_ref().unwrap().country.as_deref(), Some("FI"));
    assert_eq!(found.len(), 5);
}

#[test]
fn what_is_no_list_of_entries_is_refused_as_a_whole() {
    let refused = |text: &str| entries(text.as_bytes()).map(|_| ()).unwrap_err();
    for text in
        ["", "\n\n", "# only\n", "-----BEGIN CERTIFICATE-----\n", "cn: x\n", "\u{0}dn: c=DK"]
    {
        assert_eq!(refused(text), LdifError::NotLdif, "{text:?}");
        assert!(!is_ldif(text.as_bytes()));
    }
    assert_eq!(refused("version: 2\ndn: c=DK\n"), LdifError::Version { line: 1 });
    let change = "version: 1\ndn: c=DK\nchangetype: delete\n";
    assert_eq!(refused(change), LdifError::ChangeRecords { line: 3 });
    assert_eq!(refused("dn: c=DK\ncontrol: 1.2 true\n"), LdifError::ChangeRecords { line: 2 });
    // Folded into another value, or a comment, it is none.
    assert_eq!(only("dn: c=DK\ncn: x\n changetype: delete\n").country.as_deref(), Some("DK"));
}

#[test]
fn base64_is_strict() {
    for text in ["", "A", "AAE", "AA E", "=AAA", "A===", "AA=A", "====", "AAE\u{e9}"] {
        assert_eq!(decode(text.as_bytes()), None, "{text:?}");
    }
    for (text, bytes) in [("AAEC", &[0, 1, 2][..]), ("AAE=", &[0, 1]), ("AA==", &[0])] {
        assert_eq!(decode(text.as_bytes()).as_deref(), Some(bytes));
    }
}

#[test]
fn the_country_is_that_of_the_name_and_not_of_a_value_in_it() {
    let cases = [
        ("cn=C\\=XX\\,C\\=YY,o=dsc,c=NZ,dc=int", Some("NZ")),
        ("cn=\"C=XX,C=YY\",c=NZ", Some("NZ")),
        ("cn=a+C= de ,c=NZ", Some("DE")),
        ("c=,dc=int", None),
        ("dc=int", None),
        ("", None),
    ];
    for (name, expected) in cases {
        assert_eq!(country(name).as_deref(), expected, "{name}");
    }
}

#[test]
fn budgets_hold() {
    let many = "userCertificate:: AAEC\n".repeat(MOST_VALUES);
    assert_eq!(only(&format!("dn: c=DK\n{many}")).values.len(), MOST_VALUES);
    let text = format!("dn: c=DK\n{many}userCertificate:: AAEC\n\ndn: c=SE\n");
    let found = read(&text);
    assert_eq!(found[0].as_ref().unwrap_err().kind, ItemErrorKind::TooMany);
    assert_eq!(found[1].as_ref().unwrap().country.as_deref(), Some("SE"));
    let line = format!(" {}\n", "A".repeat(1 << 20));
    let text = format!("dn: c=DK\nuserCertificate:: AAEC\n{}cn: x\n", line.repeat(23));
    let values = only(&text).values;
    assert_eq!(values[0].content.as_ref().unwrap_err().kind, ItemErrorKind::TooLong);
    let name = format!("dn: c=DK\n {}\n\ndn: c=SE\n", "A".repeat(LONGEST_NAME));
    assert_eq!(read(&name)[0].as_ref().unwrap_err().kind, ItemErrorKind::TooLong);
}

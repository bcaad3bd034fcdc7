use super::*;
use crate::{
    lds::dg1,
    tlv::{self, Tag},
};

const FIRST: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
const SECOND: &str = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";

fn dg1(text: &str) -> Judged {
    let file = tlv::encode(Tag(0x61), &tlv::encode(Tag(0x5F1F), text.as_bytes()));
    judge_dg1(dg1::parse(&file).as_ref())
}

/// The specimen with `text` from `column` (from 0 over both lines) on, its check digits made good.
fn changed(column: usize, text: &str) -> String {
    let mut zone = format!("{FIRST}{SECOND}");
    zone.replace_range(column..column + text.len(), text);
    for (from, to) in [(44, 53), (57, 63), (65, 71), (72, 86)] {
        let digit = mrz::check_digit::compute(&[&zone[from..to]]).to_string();
        zone.replace_range(to..=to, &digit);
    }
    let parts = [&zone[44..54], &zone[57..64], &zone[65..87]].concat();
    let digit = mrz::check_digit::compute(&[&parts]).to_string();
    zone.replace_range(87..88, &digit);
    zone
}

fn fault(text: &str) -> String {
    dg1(text).err().unwrap().evidence()["malformed"].as_str().unwrap().to_owned()
}

#[test]
fn fields_outside_the_standard_are_malformed() {
    assert!(dg1(&format!("{FIRST}{SECOND}")).is_ok());
    assert_eq!(changed(0, ""), format!("{FIRST}{SECOND}"));
    for (column, text, what) in [
        (2, "U1O", "issuer"),
        (2, "<<<", "issuer"),
        (5, &"<".repeat(39), "names"),
        (44, "<<<<<<<<<", "document number"),
        (54, "U1O", "nationality"),
        (57, "7A0812", "date of birth"),
        (57, "741312", "date of birth"),
        (64, "Z", "sex"),
        (65, "120A15", "date of expiry"),
        (65, "120230", "date of expiry"),
    ] {
        assert_eq!(fault(&changed(column, text)), what, "{text}");
    }
    let mut visa = format!("{FIRST}{SECOND}");
    visa.replace_range(0..1, "V");
    assert_eq!(fault(&visa), "format");
}

#[test]
fn every_check_digit_counts() {
    for (column, what) in [
        (53, "document number"),
        (63, "date of birth"),
        (71, "date of expiry"),
        (86, "optional data"),
    ] {
        let mut zone = format!("{FIRST}{SECOND}");
        zone.replace_range(column..=column, "5");
        assert_eq!(fault(&zone), format!("check digit of the {what}"));
    }
    assert_eq!(fault(&format!("{FIRST}{}5", &SECOND[..43])), "composite check digit");
}

#[test]
fn what_real_passports_have_is_a_remark() {
    for (column, text) in [
        (2, "QQQ"),
        (54, "<<<"),
        (5, "ERIKSSON<<<<<<<<<<<"),
        (57, "7408<<"),
        (57, "<<<<<<"),
        (64, "X"),
        (64, "<"),
        (65, "<<<<<<"),
        (0, "XX"),
    ] {
        assert!(dg1(&changed(column, text)).is_ok(), "{text}");
    }
    // Dutch passports print a filler for the digit of optional data that are there.
    let mut dutch = changed(0, "");
    dutch.replace_range(86..87, "<");
    let parts = [&dutch[44..54], &dutch[57..64], &dutch[65..87]].concat();
    dutch.replace_range(87..88, &mrz::check_digit::compute(&[&parts]).to_string());
    assert!(dg1(&dutch).is_ok());
}

#[test]
fn only_lds_1_and_unicode_4_are_versions() {
    let com = |lds: &str, unicode: &str| {
        let versions = [
            tlv::encode(Tag(0x5F01), lds.as_bytes()),
            tlv::encode(Tag(0x5F36), unicode.as_bytes()),
            tlv::encode(Tag(0x5C), &[0x61, 0x75]),
        ];
        com_content(Some(&tlv::encode(Tag(0x60), &versions.concat()))).outcome
    };
    for lds in ["0100", "0106", "0107", "0108", "0109"] {
        assert_eq!(com(lds, "040000"), Outcome::Passed, "{lds}");
    }
    let malformed = Outcome::Failed(Reason::ComMalformed);
    for (lds, unicode) in [("0300", "040000"), ("01x7", "040000"), ("0107", "050000"), ("", "")] {
        assert_eq!(com(lds, unicode), malformed, "{lds} {unicode}");
    }
    assert_eq!(com_content(Some(&[0x61, 0])).outcome, malformed);
    assert_eq!(com_content(None).outcome, Outcome::NotPerformed(None));
}

/// DG14 with these entries, in hex.
fn dg14(entries: &[&str]) -> Judged {
    let entries: Vec<_> = entries.iter().map(|entry| hex::decode(entry).unwrap()).collect();
    judge_dg14(&tlv::encode(Tag(0x6E), &tlv::encode(Tag(0x31), &entries.concat())))
}

#[test]
fn entries_that_chip_authentication_rests_on_are_strict() {
    let info = "300F060A04007F00070202030202020101";
    assert!(dg14(&[info]).is_ok());
    assert!(dg14(&[info, "30050603550403"]).is_ok(), "an unknown protocol");
    assert!(dg14(&[info, "30060603550403 0500".replace(' ', "").as_str()]).is_err(), "cut short");
    for (entry, what) in [
        ("300C060A04007F00070202030202", "no version"),
        ("300F060A04007F00070202030202020100", "version 0"),
        ("300F060A04007F00070202030202020102", "version 2"),
        ("3003020101", "no identifier"),
        ("0401FF", "no SEQUENCE"),
        ("300D060904007F0007020201033000", "public key that is neither DH nor ECDH"),
        ("300B060904007F000702020102", "no public key"),
        ("30080606678108010105", "no signature algorithm"),
    ] {
        assert!(dg14(&[entry]).is_err(), "{what}");
    }
}

#[test]
fn dg15_holds_a_key() {
    let file = |spki: &[u8]| judge_dg15(&tlv::encode(Tag(0x6F), spki));
    assert!(file(&[]).is_err());
    assert!(file(&[0x30, 0]).is_err());
    // An algorithm that nobody knows.
    let unknown = hex::decode("300A3005060355040303 0100".replace(' ', "")).unwrap();
    assert!(file(&unknown).is_ok());
}

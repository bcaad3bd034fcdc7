//! Chips that answer anything: the reader never panics and always ends.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use nfc::{
    apdu::{Response, StatusWord},
    cms::SignedData,
    files::{FileId, Files},
    lds::{com, dg1, dg2, security_infos::SecurityInfos},
    link::{self, Batch, Link, LinkError, one_by_one},
    passive,
    random::{Random, RandomError},
    reader::{self, AccessKey, AccessPolicy, Limits, ReadError, ReadRequest},
    trust::{Domain, TrustStore, certificate::Certificate, crl::Crl, master_list},
};
use proptest::{collection::vec, prelude::*};
use time::{Date, macros::date};

const TODAY: Date = date!(2026 - 11 - 22);

/// Not random, but enough to be a scalar.
struct Fixed;

impl Random for Fixed {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        bytes.fill(0x42);
        Ok(())
    }
}

fn request(limits: Limits) -> ReadRequest {
    ReadRequest {
        key: AccessKey::Mrz(mrz::AccessKey::new("L898902C", "690806", "940623").unwrap()),
        trust: Arc::new(TrustStore::new(Domain::Qa)),
        at: TODAY,
        aa_challenge: [1; 8],
        limits,
        policy: AccessPolicy::default(),
        random: Box::new(Fixed),
    }
}

/// Answers from a list, over and over.
struct Any {
    replies: std::iter::Cycle<std::vec::IntoIter<Response>>,
    sent: usize,
}

impl Link for Any {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        self.sent += 1;
        assert!(self.sent < 1000, "the reader does not end");
        one_by_one(batch, |_| Ok(self.replies.next().unwrap()))
    }
}

fn status() -> impl Strategy<Value = StatusWord> {
    prop_oneof![
        4 => Just(StatusWord::OK),
        1 => prop::sample::select(vec![0x6282, 0x6300, 0x63C2, 0x6700, 0x6982, 0x6988, 0x6A82,
                                       0x6B00, 0x6C10, 0x6D00]).prop_map(StatusWord),
        1 => any::<u16>().prop_map(StatusWord),
    ]
}

/// Answers that lead into PACE and BAC, and noise.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        "31143012060A04007F0007020204020202010202010D",
        "3182000430020500",
        "7C12801095A3A016522EE98D01E76CB6B98B42C3",
        "7C43824104824FBA91C9CBE26BEF53A0EBE7342A3BF178CEA9F45DE0B70AA601651FBA3F5730D8C879AAA9C9F7\
         3991E61B58F4D52EB87A0A0C709A49DC63719363CCD13C54",
        "7C438441049E880F842905B8B3181F7AF7CAA9F0EFB743847F44A306D2D28C1D9EC65DF6DB7764B22277A2EDDC\
         3C265A9F018F9CB852E111B768B326904B59A0193776F094",
        "4608F91988702212",
    ];
    let known: Vec<_> = known.iter().map(|text| hex::decode(text).unwrap()).collect();
    prop_oneof![3 => prop::sample::select(known), 1 => Just(Vec::new()), 2 => vec(any::<u8>(), 0..64)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_chip_is_refused_without_a_panic(
        replies in vec((data(), status()).prop_map(|(d, s)| Response::new(d, s)), 1..12),
        extended: bool,
    ) {
        let limits = if extended { Limits::EXTENDED } else { Limits::SHORT };
        let mut chip = Any { replies: replies.into_iter().cycle(), sent: 0 };
        let result = link::drive::<_, ReadError>(reader::start(request(limits)), &mut chip);
        prop_assert!(result.is_err());
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in vec(any::<u8>(), 0..256)) {
        for file in [FileId::CardAccess, FileId::Com, FileId::Sod, FileId::DG1, FileId::DG2,
                     FileId::DG14, FileId::DG15] {
            let framed = nfc::tlv::encode(file.tag(), &bytes);
            let files: Files = [(FileId::Sod, framed.clone()), (file, framed)].into_iter().collect();
            let report = passive::verify(&files, &TrustStore::new(Domain::Qa), TODAY);
            prop_assert!(report.verified.is_none());
        }
        let _ = (SignedData::parse(&bytes).is_ok(), Certificate::parse(&bytes).is_ok(),
                 Crl::parse(&bytes).is_ok(), master_list::parse(&bytes).is_ok(),
                 com::parse(&bytes).is_ok(), dg1::parse(&bytes).is_ok(),
                 dg2::portraits(&bytes).is_ok(), SecurityInfos::parse(&bytes).is_ok());
    }
}

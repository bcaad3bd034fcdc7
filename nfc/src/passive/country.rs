//! Which certificate countries belong to an issuing state of a document (ICAO 9303-3 §5, codes;
//! ISO 3166-1).

use std::sync::LazyLock;

use crate::trust::certificate::Certificate;

/// Whether a document that names `document` (three letters as in the MRZ, or Germany's `D`) may be
/// signed by a certificate of country `certificate` (two letters, upper case).
pub(super) fn matches(document: &str, certificate: &str) -> bool {
    if document == certificate && document.len() == 3 {
        return true;
    }
    special(document).map_or_else(
        || alpha_2(document) == Some(certificate),
        |countries| countries.contains(&certificate),
    )
}

/// The country of an issuer: what its certificate says, else what is known of it. San Marino has
/// issued passports with a key whose certificate names no country.
pub(super) fn of_issuer(certificate: &Certificate) -> Option<String> {
    let known = || (certificate.subject.to_string() == "CN=RSM-CSCA").then(|| "SM".to_owned());
    certificate.country().or_else(known)
}

/// Codes of the MRZ that ISO 3166-1 lacks or that several countries sign for.
fn special(document: &str) -> Option<&'static [&'static str]> {
    Some(match document {
        "D" => &["DE"],
        "RKS" => &["KS", "XK"],
        // The United Nations sign as `ZZ` with their older keys.
        "UNO" | "UNA" | "UNK" => &["UN", "ZZ"],
        "EUE" => &["EU"],
        "XOM" => &["XO", "XM"],
        "XPO" => &["XP"],
        "UTO" => &["UT"],
        "GBD" | "GBN" | "GBO" | "GBP" | "GBS" => &["GB"],
        "CHN" => &["CN", "HK", "MO"],
        _ => return None,
    })
}

fn alpha_2(document: &str) -> Option<&'static str> {
    static PAIRS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
        ISO_3166.split_ascii_whitespace().filter_map(|pair| pair.split_at_checked(3)).collect()
    });
    let place = PAIRS.binary_search_by_key(&document, |(long, _)| long).ok()?;
    PAIRS.get(place).map(|(_, short)| *short)
}

/// ISO 3166-1 alpha-3 and alpha-2 codes, joined and in order.
const ISO_3166: &str = "\
ABWAW AFGAF AGOAO AIAAI ALAAX ALBAL ANDAD AREAE ARGAR ARMAM ASMAS ATAAQ ATFTF ATGAG AUSAU AUTAT \
AZEAZ BDIBI BELBE BENBJ BESBQ BFABF BGDBD BGRBG BHRBH BHSBS BIHBA BLMBL BLRBY BLZBZ BMUBM BOLBO \
BRABR BRBBB BRNBN BTNBT BVTBV BWABW CAFCF CANCA CCKCC CHECH CHLCL CHNCN CIVCI CMRCM CODCD COGCG \
COKCK COLCO COMKM CPVCV CRICR CUBCU CUWCW CXRCX CYMKY CYPCY CZECZ DEUDE DJIDJ DMADM DNKDK DOMDO \
DZADZ ECUEC EGYEG ERIER ESHEH ESPES ESTEE ETHET FINFI FJIFJ FLKFK FRAFR FROFO FSMFM GABGA GBRGB \
GEOGE GGYGG GHAGH GIBGI GINGN GLPGP GMBGM GNBGW GNQGQ GRCGR GRDGD GRLGL GTMGT GUFGF GUMGU GUYGY \
HKGHK HMDHM HNDHN HRVHR HTIHT HUNHU IDNID IMNIM INDIN IOTIO IRLIE IRNIR IRQIQ ISLIS ISRIL ITAIT \
JAMJM JEYJE JORJO JPNJP KAZKZ KENKE KGZKG KHMKH KIRKI KNAKN KORKR KWTKW LAOLA LBNLB LBRLR LBYLY \
LCALC LIELI LKALK LSOLS LTULT LUXLU LVALV MACMO MAFMF MARMA MCOMC MDAMD MDGMG MDVMV MEXMX MHLMH \
MKDMK MLIML MLTMT MMRMM MNEME MNGMN MNPMP MOZMZ MRTMR MSRMS MTQMQ MUSMU MWIMW MYSMY MYTYT NAMNA \
NCLNC NERNE NFKNF NGANG NICNI NIUNU NLDNL NORNO NPLNP NRUNR NZLNZ OMNOM PAKPK PANPA PCNPN PERPE \
PHLPH PLWPW PNGPG POLPL PRIPR PRKKP PRTPT PRYPY PSEPS PYFPF QATQA REURE ROURO RUSRU RWARW SAUSA \
SDNSD SENSN SGPSG SGSGS SHNSH SJMSJ SLBSB SLESL SLVSV SMRSM SOMSO SPMPM SRBRS SSDSS STPST SURSR \
SVKSK SVNSI SWESE SWZSZ SXMSX SYCSC SYRSY TCATC TCDTD TGOTG THATH TJKTJ TKLTK TKMTM TLSTL TONTO \
TTOTT TUNTN TURTR TUVTV TWNTW TZATZ UGAUG UKRUA UMIUM URYUY USAUS UZBUZ VATVA VCTVC VENVE VGBVG \
VIRVI VNMVN VUTVU WLFWF WSMWS YEMYE ZAFZA ZMBZM ZWEZW";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let pairs: Vec<_> = ISO_3166.split_ascii_whitespace().collect();
        assert_eq!(pairs.len(), 249);
        assert!(pairs.iter().all(|pair| pair.len() == 5));
        assert!(pairs.is_sorted());
        let mut short: Vec<_> = pairs.iter().map(|pair| &pair[3..]).collect();
        short.sort_unstable();
        short.dedup();
        assert_eq!(short.len(), 249);
    }

    #[test]
    fn states_match_their_own_certificates_only() {
        for (document, certificate) in [
            ("DNK", "DK"),
            ("D", "DE"),
            ("RKS", "KS"),
            ("UNO", "ZZ"),
            ("GBD", "GB"),
            ("CHN", "HK"),
            ("LTU", "LTU"),
        ] {
            assert!(matches(document, certificate), "{document} {certificate}");
        }
        for (document, certificate) in [
            ("DNK", "DE"),
            ("DNK", "ZZ"),
            ("D", "DK"),
            ("XPO", "IN"),
            ("XXX", "DK"),
            ("", ""),
            ("DK", "DK"),
        ] {
            assert!(!matches(document, certificate), "{document} {certificate}");
        }
    }
}
